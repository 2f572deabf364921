"""Background work of a dialog: one job at a time, and only the last one reports its result."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from curator.model import INTERNAL_ERROR, KnownError

log = logging.getLogger(__name__)


class _Stopped(Exception):
    """The job was stopped."""


class Job(QRunnable):
    """One piece of work, run on the thread of a :class:`JobRunner`."""

    class Signals(QObject):
        """Signals of a job, with the job first; received on the GUI thread."""

        done = Signal(object, object)
        failed = Signal(object, str)
        progressed = Signal(object, int, int, str)

    def __init__(self, work: Callable[[Job], object]) -> None:
        super().__init__()
        self._work = work
        self.signals = Job.Signals()
        self.stopped = False
        self.setAutoDelete(False)

    def check_stopped(self) -> None:
        """End the work here, without a report, if it was stopped."""
        if self.stopped:
            raise _Stopped

    def report_progress(self, done: int, total: int, name: str) -> None:
        """Report how many of ``total`` steps are done, and the name of the next."""
        self.signals.progressed.emit(self, done, total, name)

    def run(self) -> None:
        """Do the work and report its result or its error."""
        try:
            self.signals.done.emit(self, self._work(self))
        except _Stopped:
            return
        except KnownError as error:
            self.signals.failed.emit(self, str(error))
        except Exception:
            log.exception("A job of a dialog failed")
            self.signals.failed.emit(self, INTERNAL_ERROR)


class JobRunner(QObject):
    """Runs one job after the other for a dialog; a dropped job reports nothing.

    Signals:
        failed(str): the reason why the current job failed.
        progressed(int, int, str): steps done, all steps, what is next.

    Thread: GUI; jobs run on a thread of this object's own.
    """

    failed = Signal(str)
    progressed = Signal(int, int, str)

    def __init__(self, dialog: QObject) -> None:
        super().__init__(dialog)
        self._pool = QThreadPool(self, maxThreadCount=1)
        self._job: Job | None = None
        self._on_result: Callable[[Any], None] | None = None
        self._started: list[Job] = []  # a dropped job may still be running

    @property
    def busy(self) -> bool:
        """Whether a job is running whose result is awaited."""
        return self._job is not None

    def start(self, work: Callable[[Job], object], then: Callable[[Any], None]) -> None:
        """Drop the current job and run this one; ``then`` gets its result."""
        self.drop()
        job = self._job = Job(work)
        self._on_result = then
        self._started.append(job)
        queued = Qt.ConnectionType.QueuedConnection
        job.signals.done.connect(self._done, queued)
        job.signals.failed.connect(self._failed, queued)
        job.signals.progressed.connect(self._progressed, queued)
        self._pool.start(job)

    def stop(self) -> None:
        """Ask the current job to end early; its result is still awaited."""
        if self._job is not None:
            self._job.stopped = True

    def drop(self) -> None:
        """Ask the current job to end, and ignore its result."""
        self.stop()
        self._job = None

    def close(self) -> None:
        """Drop the current job and wait for the thread."""
        self.drop()
        self._pool.waitForDone()

    def _done(self, job: Job, result: object) -> None:
        if job is self._job and self._on_result is not None:
            self._job = None
            self._on_result(result)

    def _failed(self, job: Job, text: str) -> None:
        if job is self._job:
            self._job = None
            self.failed.emit(text)

    def _progressed(self, job: Job, done: int, total: int, name: str) -> None:
        if job is self._job:
            self.progressed.emit(done, total, name)
