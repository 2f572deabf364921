"""Dialogs of a start that does not go as usual: another window is there, the catalog is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from curator.catalog import backups, restore
from curator.model import counted
from curator.session import lifeboat
from curator.settings import Home
from curator.ui import dialogs
from curator.ui.dialogs import Choice, Question

SHOW, ANOTHER = "show", "another"


def ask_which_window(sources: Sequence[Path]) -> str | None:
    """Ask what to do where a window is open on this catalog already: SHOW, ANOTHER or nothing."""
    act = "Show it"
    if len(sources) == 1:
        act = f"Open “{sources[0].name or sources[0]}” there"
    elif sources:
        act = f"Open these {len(sources)} there"
    body = "Two windows on one catalog see each other's decisions; only the first reads photos."
    choices = (Choice(ANOTHER, "Open another window"), Choice(SHOW, act, primary=True))
    return dialogs.ask(None, Question("Curator is already open on this catalog", body, choices))


def ask_without_answer() -> bool:
    """Ask whether to open another window where the first does not answer."""
    body = "It may be busy, or hang. Nothing decided there is lost either way."
    choice = Choice(ANOTHER, "Open another window", primary=True)
    question = Question("The open window does not answer", body, (choice,))
    return dialogs.ask(None, question) == ANOTHER


def offer_restore(home: Home) -> bool:
    """Offer the newest sound back-up in the place of a damaged catalog; say whether it is there.

    Raises:
        KnownError: it could not be put back; the catalog is as it was.
    """
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        backup = backups.newest_sound(home.catalog)
    finally:
        QApplication.restoreOverrideCursor()
    if backup is None:
        return False
    title = lifeboat.titled(backup)
    body = (
        f"{home.catalog} cannot be read as it should. The newest sound back-up is that of {title},"
        f" with {counted(backup.decisions, 'decision')}.\n"
        "What was decided since is made again, as far as it can still be read. The damaged catalog"
        " is set aside, not deleted, and no photo is touched."
    )
    choice = Choice("restore", f"Restore the back-up of {title}", primary=True)
    question = Question("The catalog is damaged", body, (choice,), cancel="Close")
    if dialogs.ask(None, question) != "restore":
        return False
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        restored = restore(home.catalog, backup.path, redo=True)
    finally:
        QApplication.restoreOverrideCursor()
    body = "\n".join([*lifeboat.told(restored), "Photos added since are looked for now."])
    dialogs.ask(None, Question("The catalog is restored", body, (), cancel="Open Curator"))
    return True
