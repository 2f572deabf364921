"""Dialogs at startup: Curator is already open, or the catalog is damaged or missing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from curator.catalog import Backup, backups, create_new_catalog, restore
from curator.home import Home
from curator.model import counted
from curator.session import recovery
from curator.ui.widgets import dialogs
from curator.ui.widgets.dialogs import Choice, Question

SHOW, ANOTHER = "show", "another"
RESTORE, NEW = "restore", "new"


def ask_which_window(sources: Sequence[Path]) -> str | None:
    """Ask what to do if a window is already open on this catalog.

    Returns:
        SHOW, ANOTHER, or None if the person cancels.
    """
    act = "Show it"
    if len(sources) == 1:
        act = f"Open “{sources[0].name or sources[0]}” there"
    elif sources:
        act = f"Open these {len(sources)} there"
    body = "Two windows on one catalog see each other's marks; only the first one reads photos."
    choices = (Choice(ANOTHER, "Open another window"), Choice(SHOW, act, primary=True))
    return dialogs.ask(None, Question("Curator is already open on this catalog", body, choices))


def ask_without_answer() -> bool:
    """Ask whether to open another window, because the first one does not answer."""
    body = "It may be busy or hanging. No marks are lost either way."
    choice = Choice(ANOTHER, "Open another window", primary=True)
    question = Question("The open window does not answer", body, (choice,))
    return dialogs.ask(None, question) == ANOTHER


def offer_restore(home: Home) -> bool:
    """Offer to restore the newest intact backup of a damaged or missing catalog.

    If the catalog is missing, also offer to start an empty one.

    Returns:
        Whether there is a catalog now.

    Raises:
        KnownError: it could not be restored; nothing was changed.
    """
    missing = not home.catalog.exists()
    with _wait_cursor():
        backup = backups.newest_intact(home.catalog)
    if backup is None and not missing:
        return False
    answer = dialogs.ask(
        None, _missing_question(home, backup) if missing else _damaged_question(home, backup)
    )
    if answer == NEW:
        create_new_catalog(home.catalog)
        return True
    if answer != RESTORE or backup is None:
        return False
    with _wait_cursor():
        restored = restore(home.catalog, backup.path, redo=True)
    lines = [*recovery.restore_lines(restored), "Photos added since will be found by a new scan."]
    dialogs.ask(
        None, Question("The catalog is restored", "\n".join(lines), (), cancel="Open Curator")
    )
    return True


def _damaged_question(home: Home, backup: Backup | None) -> Question:
    assert backup is not None
    title = recovery.backup_title(backup)
    body = (
        f"{home.catalog} is damaged. The newest intact backup is from {title},"
        f" with {counted(backup.decisions, 'decision')}.\n"
        "Decisions made since then are recovered as far as they can still be read. The damaged"
        " catalog is set aside, not deleted, and no photo is touched."
    )
    choice = Choice(RESTORE, f"Restore the backup from {title}", primary=True)
    return Question("The catalog is damaged", body, (choice,), cancel="Close")


def _missing_question(home: Home, backup: Backup | None) -> Question:
    start_empty = Choice(NEW, "Start empty")
    moved = f"If you moved {home.catalog}, close this, put it back and start again."
    if backup is None:
        body = f"There are backups of it, but none of them can be read.\n{moved}"
        return Question("The catalog is missing", body, (start_empty,), cancel="Close")
    body = (
        f"There is a backup from {recovery.backup_title(backup)}, with"
        f" {counted(backup.decisions, 'decision')}.\n"
        f"{moved} Backups are kept whatever you choose, and no photo is touched."
    )
    choices = (start_empty, Choice(RESTORE, "Restore the backup", primary=True))
    return Question("The catalog is missing", body, choices, cancel="Close")


@contextlib.contextmanager
def _wait_cursor() -> Iterator[None]:
    """Show the wait cursor."""
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QApplication.restoreOverrideCursor()
