"""Reports on sidecars: how many are pending, which conflict, and ratings from other apps.

The status line shows the number of pending ones; the rest is posted to the notification bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from curator.model import Pass, counted
from curator.session import Session
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.panels.status_line import SHOW_PENDING, StatusLine
from curator.ui.widgets import words


class SidecarNotices(QObject):
    """The sidecar messages of one window.

    Args:
        window: the parent of the dialog.
        session: the window's session.
        notifications: the window's notification bar.
        status: the window's status line.
        run: runs a command by name.
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
        self._conflicts = 0
        self._rated_scope = ""  # where photos rated in other apps were found
        self._rated_shown = 0  # their number, as posted
        status.sidecars.make_clickable(self.open, SHOW_PENDING)
        session.sidecars.changed.connect(self.refresh)
        for changed in (session.criteria.scope_changed, session.criteria.mode_changed):
            changed.connect(self._withdraw_rated)
        session.photos.counts_changed.connect(self._update_rated)
        self.refresh()

    def open(self) -> None:
        """Open the sidecars dialog for the selection, or for the scope."""
        session = self._session
        chosen = session.photos.selection if len(session.photos.selection) > 1 else ()
        ids = sorted(chosen) or session.statistics.scope_ids()
        self._open_for(ids, counted(len(ids), "photo") if chosen else session.criteria.scope.title)

    def _open_conflicts(self) -> None:
        """Open the dialog for all photos of the catalog whose sidecars conflict with marks."""
        ids = sorted({conflict.photo_id for conflict in self._session.sidecars.conflicts()})
        self._open_for(ids, counted(len(ids), "photo"))

    def _open_for(self, ids: Sequence[int], of: str) -> None:
        from curator.ui.dialogs.sidecars_dialog import SidecarsDialog  # see `window_actions`

        dialog = SidecarsDialog(self._session, ids, of, self._window)
        dialog.exec()
        dialog.deleteLater()

    def refresh(self) -> None:
        """Show how many sidecars are pending, and post how many conflict."""
        news = self._session.sidecars.news
        text = f"{counted(news.pending, 'sidecar')} pending" if news.pending else ""
        self._status.show_sidecars(text, news.reason)
        if news.conflicts > self._conflicts:
            text = words.conflicts(news.conflicts)
            self._notifications.post(
                Notification("conflicts", text, "Choose…", self._open_conflicts)
            )
        elif not news.conflicts:
            self._notifications.withdraw("conflicts")
        self._conflicts = news.conflicts

    def scanned(self, new: int) -> None:
        """Offer to cull photos that other apps rated, after a scan found ``new`` photos."""
        number = self._session.statistics.count_rated_elsewhere() if new else 0
        if number and not self._session.criteria.include_rated:
            self._rated_scope, self._rated_shown = self._session.criteria.scope.key, number
            include = partial(self._run, "include_rated_externally")
            text = _rated_text(number)
            self._notifications.post(Notification("elsewhere", text, "Include in cull", include))

    def _update_rated(self) -> None:
        """Correct the number posted, as photos are read or marked."""
        number = self._session.statistics.count_rated_elsewhere() if self._rated_shown else 0
        if number == self._rated_shown:
            return
        posted = self._notifications.update_text("elsewhere", _rated_text(number))
        self._rated_shown = number if posted else 0
        if not number:
            self._notifications.withdraw("elsewhere")

    def _withdraw_rated(self) -> None:
        session = self._session
        moved = session.criteria.scope.key != self._rated_scope
        if moved or session.criteria.include_rated or session.criteria.mode is Pass.RATE:
            self._rated_shown = 0
            self._notifications.withdraw("elsewhere")


def _rated_text(number: int) -> str:
    return f"{number:,} already rated in other apps"
