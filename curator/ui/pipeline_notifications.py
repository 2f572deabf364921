"""Reports the pipeline's work in the window: scans, progress, drives that return, and problems.

The main window creates one if it has a pipeline. Messages go to the status line and the
notification bar; nothing here may move a photo or change which photos are shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from curator.model import Pass
from curator.pipeline import FolderNews, Pipeline, Progress, ScanReport, Totals
from curator.session import Session
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.notices.sidecar_notices import SidecarNotices
from curator.ui.panels.status_line import StatusLine

log = logging.getLogger(__name__)


class PipelineNotifications(QObject):
    """Shows in one window what its pipeline reports.

    Args:
        session: the window's session.
        pipeline: the pipeline.
        state: facts the window keeps between runs; changed in place.
        bars: get the messages.
        run: runs a command by name.
        parent: a widget of the GUI thread, because signals from other threads arrive there.

    Attributes:
        scanning: whether folders are being scanned now.

    Signals:
        scanning_changed(bool): a scan began or ended.

    Thread: GUI.
    """

    scanning_changed = Signal(bool)

    def __init__(
        self,
        session: Session,
        pipeline: Pipeline,
        state: dict[str, Any],
        bars: tuple[StatusLine, NotificationBar, SidecarNotices],
        run: Callable[[str], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._pipeline, self._state = session, pipeline, state
        self._status, self._notifications, self._sidecars = bars
        self._run = run
        self.scanning = False
        self._summary = ""  # of the last scan
        self._count = 0  # photos of the scope once all files of that scan were read
        self._offered_scope: str | None = None  # the scope for which a cull is offered
        pipeline.events.progressed.connect(self._show_progress)
        pipeline.events.scan_ended.connect(self._report_scan)
        pipeline.events.idle.connect(self._report_idle)
        pipeline.events.paused_by.connect(self._report_problem)
        pipeline.events.folders_changed.connect(self._report_drives)
        pipeline.events.encoder_failed.connect(session.messages.announce)
        pipeline.events.faces_failed.connect(session.messages.announce)
        pipeline.events.text_failed.connect(session.messages.announce)
        pipeline.events.backup_failed.connect(session.messages.announce)
        pipeline.events.watching_limited.connect(session.messages.announce)
        session.criteria.scope_changed.connect(self._withdraw_cull)

    def _show_progress(self, progress: Progress) -> None:
        self._status.progressed(progress)
        if progress.scanning != self.scanning:
            self.scanning = progress.scanning
            self.scanning_changed.emit(self.scanning)

    def _report_scan(self, report: ScanReport) -> None:
        for problem in report.problems:
            log.warning("scan: %s", problem)
        session = self._session
        if report.watched:
            if report.sentence:
                session.messages.announce(report.sentence)
            return
        if report.again:
            session.refresh()  # the last headers may not have been loaded yet
            self._sidecars.scanned(report.new)
            self._correct(_summary(report))
            return
        self._summary = _summary(report)
        browsing = session.criteria.mode is Pass.BROWSE and len(session.ids)
        if browsing and report.new and session.statistics.is_fresh():
            action = f"Start the cull{session.preferences.hint('enter')}"
            self._offered_scope = session.criteria.scope.key
            offer = Notification("start", self._summary, action, lambda: self._run("cull"))
            self._notifications.post(offer)
        else:
            session.messages.announce(self._summary)

    def _withdraw_cull(self) -> None:
        """Withdraw the offer to start a cull once another scope is shown."""
        if self._offered_scope not in (None, self._session.criteria.scope.key):
            self._offered_scope = None
            self._notifications.withdraw("start")

    def _report_drives(self, news: FolderNews) -> None:
        """Report drives that came back, until others are away."""
        if news.back:
            text = "; ".join(dict.fromkeys(back.sentence for back in news.back))
            self._notifications.post(Notification("back", text), first=True)
        elif news.away:
            self._notifications.withdraw("back")

    def _report_idle(self, totals: Totals) -> None:
        """Correct the summary of the last scan, now that all files have been read.

        Until then copies count as photos. Photos that came later are added to the summary.
        """
        self._session.refresh()
        self._sidecars.scanned(totals.new)
        self.report_encoder()
        here, summary = self._session.statistics.counts()["all"], self._summary
        if totals.scans:
            summary, self._count = _summary(totals.scans[-1]), here
        self._correct(summary, f"; {here - self._count:,} more since" if here > self._count else "")

    def _correct(self, summary: str, since: str = "") -> None:
        """Correct the summary in the offer to cull; without an offer, announce a new summary."""
        before, self._summary = self._summary, summary
        offered = self._offered_scope is not None
        updated = offered and self._notifications.update_text("start", summary + since)
        if not updated and summary != before and self._session.criteria.mode is Pass.BROWSE:
            self._session.messages.announce(summary)

    def _report_problem(self, text: str) -> None:
        self._notifications.post(Notification("problem", text, "Resume", self._pipeline.resume))

    def report_encoder(self) -> None:
        """Report once, when there are photos, that no encoder is installed, and the remedy."""
        session = self._session
        if session.settings.encoder.which == "none" or not session.table.alive().any():
            return
        encoding = self._pipeline.encoding
        if encoding.recipe is None and self._state.get("encoder") != encoding.sentence:
            self._state["encoder"] = encoding.sentence
            session.messages.announce(encoding.sentence)


def _summary(report: ScanReport) -> str:
    """Return what a scan found, and its first problem."""
    return "; ".join([report.sentence, *report.problems[:1]])
