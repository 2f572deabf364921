"""The learner on a thread of its own: it learns after every mark and scores all photos again.

`curator.session.taste` owns it. It has its own catalog connection, because reading a hundred
thousand vectors takes a second; results come back to the GUI thread as signals. Requests that
arrive while it works are handled together afterwards: a burst of keys costs one fit, not ten. It
must never delay a key press.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from curator.catalog import Catalog
from curator.learning.learner import Search, TasteLearner, Value
from curator.model import INTERNAL_ERROR, KnownError
from curator.settings import TasteSettings
from curator.taste import Accuracy, Hyperparameters
from curator.workers import WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)

# The same priority as the workers: at 100,000 photos the first learning keeps both cores busy for
# seconds, and applying a filter meanwhile took up to 240 ms instead of 30.
_NICE = 10
# The process with scikit-learn takes two seconds to start and 120 MB. It ends after this long
# without work.
_IDLE_S = 60.0
_LIMIT_S = 120.0  # of a job there; a search takes 0.1 to 1 s on a free core


class _Closing(Exception):
    """The window closes during the first fit or a search, which is canceled."""


Question = Callable[[TasteLearner], object]
Answer = Callable[[Any], None]  # gets the answer, or a KnownError


@dataclass
class _Request:
    """Work for the thread.

    Attributes:
        ids: photos whose marks changed; None: those of any photo.
        left_out: photos to leave out from now on; None: the same as before.
        sync: whether to look for new vectors and another pinned version.
        hyperparameters: found by a search, to be used from now on.
        questions: to answer after the rest.
        stop: whether to end.
    """

    ids: set[int] | None = field(default_factory=set)
    left_out: frozenset[int] | None = None
    sync: bool = False
    hyperparameters: Hyperparameters | None = None
    questions: list[tuple[Question, Answer]] = field(default_factory=list)
    stop: bool = False

    def add(self, other: _Request) -> None:
        """Merge a later request into this one."""
        self.ids = None if self.ids is None or other.ids is None else self.ids | other.ids
        self.left_out = self.left_out if other.left_out is None else other.left_out
        self.sync |= other.sync
        self.hyperparameters = other.hyperparameters or self.hyperparameters
        self.questions += other.questions
        self.stop |= other.stop


class LearnerThread(QObject):
    """Owns the thread that learns.

    Signals:
        learned(Learned): emitted on that thread after each fit that changed something.
        accuracy_changed(Accuracy): emitted on that thread when the accuracy of predictions
            changed.
        problem(str): why learning or saving a version fails; emitted once until that succeeds
            again.
        rested: emitted on that thread after each minute without a request.

    Thread: any, for every method.
    """

    learned = Signal(object)
    accuracy_changed = Signal(object)
    problem = Signal(str)
    rested = Signal()
    _answered = Signal(object, object)

    def __init__(self, catalog_path: Path, settings: TasteSettings, scratch: Path) -> None:
        """Create it without reading anything; :meth:`start` begins."""
        super().__init__()
        self._path, self._settings, self._scratch = catalog_path, settings, scratch
        self._requests: SimpleQueue[_Request] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="curator-taste", daemon=True)
        self._search: threading.Thread | None = None
        self._pool = make_pool()
        self._closing = threading.Event()
        self._problems: dict[str, str] = {}  # the last problem reported, by the action it prevents
        self._accuracy: Accuracy | None = None
        self._answered.connect(self._deliver)

    def start(self) -> None:
        """Learn from everything, then after each change reported here."""
        self.everything_changed()
        self._thread.start()

    def marks_changed(self, ids: Iterable[int]) -> None:
        """Report that marks of photos changed, by a decision or its undo."""
        self._requests.put(_Request(set(ids)))

    def leave_out(self, ids: Iterable[int]) -> None:
        """Learn from all photos but these from now on; see :meth:`TasteLearner.leave_out`."""
        self._requests.put(_Request(left_out=frozenset(ids)))

    def vectors_changed(self, ids: Iterable[int] = ()) -> None:
        """Report marks that changed, and that vectors or the pinned version may have changed."""
        self._requests.put(_Request(set(ids), sync=True))

    def everything_changed(self) -> None:
        """Report that marks of any photo or vectors may have changed."""
        self._requests.put(_Request(None, sync=True))

    def ask(self, question: Question, callback: Answer) -> None:
        """Ask the learner a question on its thread, after everything reported before.

        Args:
            question: called with the learner; may return anything.
            callback: called on this object's own thread with the answer, or with a KnownError that
                says why there is none; not called once the thread has ended.
        """
        self._requests.put(_Request(questions=[(question, callback)]))

    def _deliver(self, callback: Answer, answer: object) -> None:
        callback(answer)  # this method is bound, so Qt runs it on the thread of this object

    def close(self) -> None:
        """Save a version of the taste and end the thread. Safe to repeat.

        The first fit of a window reads all vectors and is canceled; a later one is awaited.
        """
        self._closing.set()
        self._pool.close()
        self._requests.put(_Request(stop=True))
        if self._thread.ident is not None:
            self._thread.join()

    # --- the thread

    def _run(self) -> None:
        _lower_priority()
        try:
            catalog = Catalog.open(self._path)
        except KnownError as error:
            log.warning("nothing is learned from ratings now: %s", error)
            while not (request := self._next()).stop:
                for _, callback in request.questions:
                    self._answered.emit(callback, error)
            return
        try:
            learner = TasteLearner(
                catalog,
                self._settings,
                self._scratch,
                lambda: self._pause(learner),
                self._run_job,
            )
            self._serve(learner)
        except _Closing:
            log.info("closed before anything was learned")
        finally:
            if self._search is not None:
                self._search.join()
            catalog.close()

    def _pause(self, learner: TasteLearner) -> None:
        if self._closing.is_set() and learner.learned is None:
            raise _Closing

    def _serve(self, learner: TasteLearner) -> None:
        """Handle requests until closing, and save a version."""
        while not (request := self._next()).stop:
            with self._problems_reported("learned"):
                self._learn(learner, request)
            with self._problems_reported("kept as a version"):
                learner.save_daily_version()
            for question, callback in request.questions:
                self._answered.emit(callback, _answer(question, learner))
        if learner.learned is not None:
            with self._problems_reported("learned"):  # from all marks, for the version
                changed = learner.leave_out(())
                if request.ids:
                    changed |= learner.update_training(request.ids)
                if changed:
                    learner.fit()
        with self._problems_reported("kept as a version"):
            learner.save_version("closing")

    @contextlib.contextmanager
    def _problems_reported(self, what: str) -> Iterator[None]:
        """Report errors instead of ending the thread: full disk, locked catalog, our own bugs."""
        try:
            yield
            self._problems.pop(what, None)
        except _Closing:
            raise
        except KnownError as error:
            problem = f"Taste could not be {what}: {error}"
            if self._problems.get(what) != problem:
                self._problems[what] = problem
                log.warning("%s", problem)
                self.problem.emit(problem)
        except Exception:
            log.exception("taste could not be %s: a mistake of Curator's", what)

    def _next(self) -> _Request:
        """Wait for a request; return it merged with all that have come since."""
        request = None
        while request is None:
            try:
                request = self._requests.get(timeout=_IDLE_S)
            except Empty:
                self._pool.end_idle()
                _return_memory()
                self.rested.emit()
        with contextlib.suppress(Empty):
            while True:
                request.add(self._requests.get_nowait())
        return request

    def _learn(self, learner: TasteLearner, request: _Request) -> None:
        """Fit and report, if anything changed."""
        changed = learner.learned is None
        if request.hyperparameters is not None:
            learner.adopt(request.hyperparameters)
            changed = True
        if request.sync:
            changed |= learner.sync_vectors()
        if request.left_out is not None:
            changed |= learner.leave_out(request.left_out)
        if request.ids is None or request.ids:
            changed |= learner.update_training(request.ids)
        if changed:
            begins, learned = learner.learned is None, learner.fit()
            if begins:  # a list that waits for scores needs to know whether to trust them
                self._report_accuracy(learner)
            self.learned.emit(learned)
            self._report_accuracy(learner)
        if request.sync:
            with self._problems_reported("prepared for finding similar photos"):
                learner.vectors.prepare()
        if request.ids is None or request.hyperparameters is not None:
            _return_memory()
        if changed:
            self._begin_search(learner)  # after the rest: one busy core is enough

    def _report_accuracy(self, learner: TasteLearner) -> None:
        if (accuracy := learner.accuracy()) is not self._accuracy:
            self._accuracy = accuracy
            self.accuracy_changed.emit(accuracy)

    def _begin_search(self, learner: TasteLearner) -> None:
        """Search the hyperparameters in another process, while a thread waits for them.

        If the search fails, the next begins after the next change.
        """
        if self._search is not None and self._search.is_alive():
            return
        job = learner.search()
        if job is not None:
            self._search = threading.Thread(
                target=self._run_search, args=(job,), name="curator-taste-search", daemon=True
            )
            self._search.start()

    def _run_search(self, job: Search) -> None:
        with contextlib.suppress(_Closing), self._problems_reported("tuned"):
            self._requests.put(_Request(hyperparameters=self._run_job(job)))

    def _run_job(self, job: Callable[[], Value]) -> Value:
        """Run a long job in another process.

        Some import scikit-learn, which would hold 120 MB here for good.
        """
        try:
            return self._pool.run(job, timeout_s=_LIMIT_S)
        except WorkerCancelled:
            raise _Closing from None


def make_pool() -> WorkerPool:
    """Make a pool for the one process with scikit-learn; it starts with its first job."""
    pool = WorkerPool(1, memory_mb=2048, name="taste", keeps_memory=True)
    return pool.named("learn your taste", "Learning your taste")


def _return_memory() -> None:
    """Return freed memory to the system: at a million photos 110 MB of learning, 60 MB of searches.

    By itself glibc returns only what lies behind everything in use.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def _lower_priority() -> None:
    """Lower the priority of this thread below all others of the window."""
    QThread.currentThread().setPriority(QThread.Priority.LowPriority)
    if sys.platform == "linux":  # Qt cannot do it there, but each thread has its own niceness
        with contextlib.suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, os.getpid()) + _NICE
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def _answer(question: Question, learner: TasteLearner) -> object:
    """Answer a question; a bug in the question must not end the thread."""
    try:
        return question(learner)
    except KnownError as error:
        return error
    except _Closing:
        return KnownError("The window was closed.")
    except Exception:
        log.exception("a question about taste failed")
        return KnownError(INTERNAL_ERROR)
