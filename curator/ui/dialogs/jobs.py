"""What a dialog has done off its thread: one thing at a time, and only the last one is heard."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from curator.model import INTERNAL_ERROR, KnownError

log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Nobody wants any more what is being worked out."""


class Job(QRunnable):
    """One thing to be done, on the dialog's thread."""

    class Signals(QObject):
        """What a job says, itself first; received on the GUI thread."""

        done = Signal(object, object)
        failed = Signal(object, str)
        progressed = Signal(object, int, int, str)

    def __init__(self, work: Callable[[Job], object]) -> None:
        super().__init__()
        self._work = work
        self.said = Job.Signals()
        self.stopped = False
        self.setAutoDelete(False)

    def check_stopped(self) -> None:
        """End the work here and say nothing of it, if nobody wants it any more."""
        if self.stopped:
            raise _Stopped

    def tell(self, done: int, total: int, name: str) -> None:
        """Say how far it is."""
        self.said.progressed.emit(self, done, total, name)

    def run(self) -> None:
        """Do the work; say what came of it."""
        try:
            self.said.done.emit(self, self._work(self))
        except _Stopped:
            return
        except KnownError as error:
            self.said.failed.emit(self, str(error))
        except Exception:
            log.exception("What a dialog had done failed")
            self.said.failed.emit(self, INTERNAL_ERROR)


class JobRunner(QObject):
    """Does one thing after the other for a dialog; what was dropped is not heard of again.

    Signals:
        failed: what is being done cannot be; says why.
        progressed: how far it is: done, of how many, at what.

    Thread: GUI; the work runs on a thread of this object's own.
    """

    failed = Signal(str)
    progressed = Signal(int, int, str)

    def __init__(self, dialog: QObject) -> None:
        super().__init__(dialog)
        self._pool = QThreadPool(self, maxThreadCount=1)
        self._job: Job | None = None
        self._then: Callable[[Any], None] | None = None
        self._started: list[Job] = []  # kept: one that is dropped may still be running

    @property
    def busy(self) -> bool:
        """Whether something is being done that somebody waits for."""
        return self._job is not None

    def start(self, work: Callable[[Job], object], then: Callable[[Any], None]) -> None:
        """Do this instead of what is being done; ``then`` gets what came of it."""
        self.drop()
        job = self._job = Job(work)
        self._then = then
        self._started.append(job)
        queued = Qt.ConnectionType.QueuedConnection
        job.said.done.connect(self._done, queued)
        job.said.failed.connect(self._failed, queued)
        job.said.progressed.connect(self._progressed, queued)
        self._pool.start(job)

    def stop(self) -> None:
        """Have what is being done end early; it still says what came of it."""
        if self._job is not None:
            self._job.stopped = True

    def drop(self) -> None:
        """Have what is being done end soon; what it still says is not listened to."""
        self.stop()
        self._job = None

    def close(self) -> None:
        """Drop what is being done, and wait for the thread."""
        self.drop()
        self._pool.waitForDone()

    def _done(self, job: Job, result: object) -> None:
        if job is self._job and self._then is not None:
            self._job = None
            self._then(result)

    def _failed(self, job: Job, text: str) -> None:
        if job is self._job:
            self._job = None
            self.failed.emit(text)

    def _progressed(self, job: Job, done: int, total: int, name: str) -> None:
        if job is self._job:
            self.progressed.emit(done, total, name)
