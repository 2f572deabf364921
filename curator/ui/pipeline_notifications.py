"""What goes on behind the window, in its words: what a scan found, what is read, what is wrong."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from curator.model import Pass
from curator.pipeline import News, Pipeline, ScanReport, Totals
from curator.pipeline import Progress as Work
from curator.ui.panels.notification_bar import Offer

if TYPE_CHECKING:
    from curator.ui.main_window import MainWindow

log = logging.getLogger(__name__)


class PipelineNotifications(QObject):
    """Passes on to a window what its pipeline says.

    Attributes:
        scanning: folders are being walked now.

    Thread: GUI.
    """

    def __init__(self, window: MainWindow, pipeline: Pipeline, memory: dict[str, Any]) -> None:
        super().__init__(window)  # in the window's thread, where signals of another are to arrive
        self._window, self._pipeline, self._memory = window, pipeline, memory
        self._session = window.session
        self.scanning = False
        self._found = ""  # what the last scan said
        self._count = 0  # photos of the scope once all that scan found was read
        self._offered: str | None = None  # the scope whose cull is offered
        pipeline.progressed.connect(self._progressed)
        pipeline.scanned.connect(self._scanned)
        pipeline.idle.connect(self._settled)
        pipeline.problem.connect(self._problem)
        pipeline.presence_told.connect(self._present)
        pipeline.encoder_said.connect(self._session.announce)
        pipeline.no_backup.connect(self._session.announce)
        pipeline.unwatched.connect(self._session.announce)
        self._session.view_changed.connect(self._look)

    def _progressed(self, work: Work) -> None:
        self._window.status.progressed(work)
        if work.scanning != self.scanning:
            self.scanning = work.scanning
            self._window.empty_list.scanning(work.scanning)
            self._window.refresh()

    def _scanned(self, report: ScanReport) -> None:
        for problem in report.problems:
            log.warning("scan: %s", problem)
        if report.watched:
            if report.sentence:
                self._session.announce(report.sentence)
            return
        session = self._session
        if report.again:
            session.refresh()  # what the last headers said may not have been taken over yet
            self._window.sidecars.scanned(report.new)
            self._correct(_told(report))
            return
        text = self._found = _told(report)
        fresh = session.pass_ is Pass.BROWSE and len(session.ids) and session.is_fresh()
        if fresh and report.new:
            key = session.keys.get("enter")
            act = f"Start the cull ({key})" if key else "Start the cull"
            self._offered = session.scope.key
            self._window.offers.offer(
                Offer("start", text, act, lambda: self._window.run("cull"), once=False)
            )
        else:
            session.announce(text)

    def _look(self) -> None:
        """Take the offer to start back where another scope is on the table."""
        if self._offered not in (None, self._session.scope.key):
            self._offered = None
            self._window.offers.withdraw("start")

    def _present(self, news: News) -> None:
        """Say of drives that are back what goes on."""
        if news.back:
            text = "; ".join(dict.fromkeys(back.sentence for back in news.back))
            self._window.offers.offer(Offer("back", text, once=False), first=True)
        elif news.away:
            self._window.offers.withdraw("back")

    def _settled(self, totals: Totals) -> None:
        """Correct what the scan said: copies counted as photos until read, others came since."""
        self._session.refresh()
        self._window.sidecars.scanned(totals.new)
        self.say_encoder()
        here, found = self._session.counts()["all"], self._found
        if totals.scans:
            found, self._count = _told(totals.scans[-1]), here
        self._correct(found, f"; {here - self._count:,} more since" if here > self._count else "")

    def _correct(self, found: str, since: str = "") -> None:
        """Say in place of what the last scan said that it found this, and what came since."""
        before, self._found = self._found, found
        amended = self._offered is not None and self._window.offers.amend("start", found + since)
        if not amended and found != before and self._session.pass_ is Pass.BROWSE:
            self._session.announce(found)

    def _problem(self, text: str) -> None:
        self._window.offers.offer(
            Offer("problem", text, "Go on", self._pipeline.resume, once=False)
        )

    def say_encoder(self) -> None:
        """Say once that nothing compares photos here, and what to do: once there are any."""
        session = self._session
        if session.settings.encoder.which == "none" or not session.table.alive().any():
            return
        encoding = self._pipeline.encoding
        if encoding.recipe is None and self._memory.get("encoder") != encoding.sentence:
            self._memory["encoder"] = encoding.sentence
            session.announce(encoding.sentence)


def _told(report: ScanReport) -> str:
    """Say what a scan found, and the first of its problems."""
    return "; ".join([report.sentence, *report.problems[:1]])
