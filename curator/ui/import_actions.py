"""Everything a window shows of imports: the offer, the dialog, the page and the status line.

The main window is its parent. An inserted card is only offered; nothing opens or is copied by
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from curator.cards import Card
from curator.model import bidi_safe, counted
from curator.session import Session
from curator.session.imports import EarlierImport, ImportController
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.pages.import_page import ImportPage, status_text
from curator.ui.panels.status_line import StatusLine
from curator.ui.widgets import dialogs
from curator.ui.widgets.dialogs import Choice, Question

_CARD, _DONE, _INTERRUPTED = "card", "import", "interrupted import"


class ImportActions(QObject):
    """Opens dialog and page, and reports on cards and on the import of one window.

    Args:
        window: the parent of dialogs.
        session: the window's session.
        notifications: the window's notification bar.
        status: the window's status line.
        run: runs a command by name.

    Thread: GUI.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        notifications: NotificationBar,
        status: StatusLine,
        run: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._run = window, session, run
        self._notifications, self._status = notifications, status
        self._imports = session.imports
        self.page: ImportPage | None = None
        session.requests.import_requested.connect(self.open)
        session.cards.card_appeared.connect(self._offer)
        session.cards.card_gone.connect(lambda card: notifications.withdraw(_key(card)))
        self._imports.progressed.connect(self._show_progress)
        self._imports.changed.connect(self._show_progress)
        self._imports.ended.connect(self._report_end)
        status.importing.make_clickable(self.open_page, "Show the import")
        interrupted = self._imports.interrupted()
        if interrupted is not None:
            self._offer_again(interrupted)

    # --- dialog and page

    def open(self, *paths: str) -> None:
        """Open the dialog with these cards chosen, or all; the page while an import runs."""
        if self._imports.is_running:
            self.open_page()
            return
        from curator.ui.dialogs.import_dialog import ImportDialog  # see `window_actions`

        self._withdraw_offers()
        dialog = ImportDialog(self._session, paths, self.open_page, self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_page(self) -> None:
        """Open the page, unless it is open."""
        if self.page is not None:
            return
        self._notifications.withdraw(_DONE)
        self.page = ImportPage(self._session, partial(self._run, "cull"), self._window)
        self.page.finished.connect(self._close_page)
        self.page.open()

    def _close_page(self) -> None:
        page, self.page = self.page, None
        if page is not None:
            page.deleteLater()

    # --- cards

    def _offer(self, card: Card) -> None:
        """Offer to import from a card that was inserted, once for each insertion."""
        if not self._session.settings.importing.offer or self._imports.is_running:
            return
        text = f"{bidi_safe(card.label)} inserted"
        act = partial(self.open, card.path)
        self._notifications.post(Notification(_key(card), text, "Import…", act))

    def _withdraw_offers(self) -> None:
        for card in self._session.cards.cards:
            self._notifications.withdraw(_key(card))

    def _offer_again(self, interrupted: EarlierImport) -> None:
        """Offer to continue an import that was interrupted."""
        cards = " and ".join(map(bidi_safe, interrupted.cards))
        done, files = self._imports.copied(interrupted), interrupted.files
        of = f" after {done:,} of {counted(files, 'file')}" if files else ""
        text = f"The import of {cards} was interrupted{of}"
        act = partial(self._imports.continue_import, interrupted)
        offer = Notification(_INTERRUPTED, text, "Continue", act)
        self._notifications.post(offer, first=True)

    # --- the import

    def _show_progress(self) -> None:
        imports = self._imports
        if imports.is_running:
            self._withdraw_offers()
        text = status_text(imports.progress) if imports.is_running else ""
        self._status.show_import(text)

    def _report_end(self) -> None:
        """Announce the result; the page, if it is open, shows it anyway."""
        report, problem = self._imports.report, self._imports.problem
        text = report.sentence if report is not None else problem
        self._session.messages.announce(text)
        if self.page is None:
            done = Notification(_DONE, text, "Show report", self.open_page)
            self._notifications.post(done, first=True)


def may_close(window: QWidget, imports: ImportController) -> bool:
    """Whether a window may close: no import runs, or the person stops it."""
    if not imports.is_running or imports.is_stopping:
        return True
    question = Question(
        "An import is running. Stop it?",
        "Files that were copied and verified stay. Import again to copy the others; nothing"
        " that was verified is copied twice.",
        (Choice("stop", "Stop the import", primary=True),),
        cancel="Keep importing",
    )
    return dialogs.ask(window, question) == "stop"


def _key(card: Card) -> str:
    return f"{_CARD} {card.path}"
