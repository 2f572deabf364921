"""Dialogs of a start that does not go as usual: a window is there, the catalog is not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from curator.catalog import Backup, backups, create_new_catalog, restore
from curator.model import counted
from curator.session import recovery
from curator.settings import Home
from curator.ui.widgets import dialogs
from curator.ui.widgets.dialogs import Choice, Question

SHOW, ANOTHER = "show", "another"
RESTORE, ANEW = "restore", "anew"


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
    """Offer the newest sound back-up in the place of a catalog that is damaged or gone.

    Where it is gone, an empty one may be started, too.

    Returns:
        Whether there is a catalog now.

    Raises:
        KnownError: none could be put there; all is as it was.
    """
    gone = not home.catalog.exists()
    with _waiting():
        backup = backups.newest_sound(home.catalog)
    if backup is None and not gone:
        return False
    answer = dialogs.ask(None, _gone(home, backup) if gone else _damaged(home, backup))
    if answer == ANEW:
        create_new_catalog(home.catalog)
        return True
    if answer != RESTORE or backup is None:
        return False
    with _waiting():
        restored = restore(home.catalog, backup.path, redo=True)
    body = "\n".join([*recovery.told(restored), "Photos added since are looked for now."])
    dialogs.ask(None, Question("The catalog is restored", body, (), cancel="Open Curator"))
    return True


def _damaged(home: Home, backup: Backup | None) -> Question:
    assert backup is not None
    title = recovery.titled(backup)
    body = (
        f"{home.catalog} cannot be read as it should. The newest sound back-up is that of {title},"
        f" with {counted(backup.decisions, 'decision')}.\n"
        "What was decided since is made again, as far as it can still be read. The damaged catalog"
        " is set aside, not deleted, and no photo is touched."
    )
    choice = Choice(RESTORE, f"Restore the back-up of {title}", primary=True)
    return Question("The catalog is damaged", body, (choice,), cancel="Close")


def _gone(home: Home, backup: Backup | None) -> Question:
    anew = Choice(ANEW, "Start empty")
    moved = f"If you moved {home.catalog}, close this, put it back and start again."
    if backup is None:
        body = f"There are back-ups of it, but none of them can be read.\n{moved}"
        return Question("The catalog is gone", body, (anew,), cancel="Close")
    body = (
        f"There is a back-up of {recovery.titled(backup)}, with"
        f" {counted(backup.decisions, 'decision')}.\n"
        f"{moved} Back-ups stay whatever you choose, and no photo is touched."
    )
    choices = (anew, Choice(RESTORE, "Put the back-up in its place", primary=True))
    return Question("The catalog is gone", body, choices, cancel="Close")


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """Show that it takes a while."""
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QApplication.restoreOverrideCursor()
