"""What the window says of sidecars: how many wait, who contradicts, what was rated elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from curator.model import Pass, counted
from curator.session import Session
from curator.ui.dialogs.sidecars_dialog import SidecarsDialog
from curator.ui.panels.notification_bar import Offer, OfferLine
from curator.ui.panels.status_line import StatusLine


class SidecarParts(QObject):
    """The parts of one window that are about sidecars.

    Args:
        window: the parent of the dialog.
        session: what is on the table.
        offers: where something is offered.
        status: where it says how many wait.
        run: runs a command by name.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        offers: OfferLine,
        status: StatusLine,
        run: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._offers, self._run = window, session, offers, run
        self._status = status
        self._conflicts = 0
        self._found_in = ""  # the scope in which some were rated elsewhere
        self._offered = 0  # so many, as it is offered now
        status.sidecars.press_to(self.open, "Show what is to be written, and why it waits")
        session.sidecars.changed.connect(self.refresh)
        session.view_changed.connect(self._withdraw)
        session.counts_changed.connect(self._recount)
        self.refresh()

    def open(self) -> None:
        """Show what writing the sidecars of the scope would change."""
        session = self._session
        chosen = session.selection if len(session.selection) > 1 else ()
        ids = sorted(chosen) or session.scope_ids()
        of = counted(len(ids), "photo") if chosen else session.scope.title
        dialog = SidecarsDialog(session, ids, of, self._window)
        dialog.exec()
        dialog.deleteLater()

    def refresh(self) -> None:
        """Say how many wait, and offer to choose where two contradict."""
        news = self._session.sidecars.news
        text = f"{counted(news.pending, 'sidecar')} pending" if news.pending else ""
        self._status.show_sidecars(text, news.reason)
        if news.conflicts > self._conflicts:
            says = "contradicts" if news.conflicts == 1 else "contradict"
            self._offers.offer(
                Offer(
                    "conflicts",
                    f"{counted(news.conflicts, 'sidecar')} changed elsewhere {says} your marks",
                    "Choose…",
                    self.open,
                    once=False,
                )
            )
        elif not news.conflicts:
            self._offers.withdraw("conflicts")
        self._conflicts = news.conflicts

    def scanned(self, new: int) -> None:
        """Offer to cull what came with marks from elsewhere, if any of ``new`` photos did."""
        number = self._session.marked_elsewhere() if new else 0
        if number and not self._session.with_elsewhere:
            self._found_in, self._offered = self._session.scope.key, number
            self._offers.offer(
                Offer(
                    "elsewhere",
                    _elsewhere(number),
                    "Include in cull",
                    lambda: self._run("cull_elsewhere"),
                    once=False,
                )
            )

    def _recount(self) -> None:
        """Correct the number offered: more was read, or a person judged some here."""
        number = self._session.marked_elsewhere() if self._offered else 0
        if number == self._offered:
            return
        self._offered = number if self._offers.amend("elsewhere", _elsewhere(number)) else 0
        if not number:
            self._offers.withdraw("elsewhere")

    def _withdraw(self) -> None:
        session = self._session
        away = session.scope.key != self._found_in
        if away or session.with_elsewhere or session.pass_ is Pass.RATE:
            self._offered = 0
            self._offers.withdraw("elsewhere")


def _elsewhere(number: int) -> str:
    return f"{number:,} already rated in other apps"
