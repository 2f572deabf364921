"""The learner on a thread of its own: it learns after every mark and scores all photos again.

It has its own catalog connection, because reading a hundred thousand vectors takes a second;
results come back to the GUI thread as signals. Requests that arrive while it works are handled
together afterwards: a burst of keys costs one fit, not ten. It must never delay a key press.
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
from curator.learning.learner import TasteLearner
from curator.model import INTERNAL_ERROR, KnownError
from curator.settings import TasteSettings
from curator.taste import Accuracy, Hyperparameters

log = logging.getLogger(__name__)

# The same priority as the workers: at 100,000 photos the first learning keeps both cores busy for
# seconds, and applying a filter meanwhile took up to 240 ms instead of 30.
_NICE = 10


class _Closing(Exception):
    """The window closes during the first learning, which is canceled."""


Question = Callable[[TasteLearner], object]
Answer = Callable[[Any], None]  # gets the answer, or a KnownError


@dataclass
class _Asked:
    """A request: ``ids`` None means that anything may have changed."""

    ids: set[int] | None = field(default_factory=set)
    look: bool = False
    choice: Hyperparameters | None = None
    questions: list[tuple[Question, Answer]] = field(default_factory=list)
    stop: bool = False

    def add(self, other: _Asked) -> None:
        """Merge another request into this one."""
        self.ids = None if self.ids is None or other.ids is None else self.ids | other.ids
        self.look |= other.look
        self.choice = other.choice or self.choice
        self.questions += other.questions
        self.stop |= other.stop


class LearnerThread(QObject):
    """Owns the thread that learns.

    Signals:
        learned(Learned): emitted on that thread after each fit that changed something.
        accuracy_changed(Accuracy): emitted on that thread when the accuracy of predictions
            changed.
        problem(str): why learning or saving fails; emitted once until it succeeds again.

    Thread: any, for every method.
    """

    learned = Signal(object)
    accuracy_changed = Signal(object)
    problem = Signal(str)
    _answered = Signal(object, object)

    def __init__(self, catalog_path: Path, settings: TasteSettings, scratch: Path) -> None:
        """Create it; nothing is read before :meth:`start`."""
        super().__init__()
        self._path, self._settings, self._scratch = catalog_path, settings, scratch
        self._asked: SimpleQueue[_Asked] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="curator-taste", daemon=True)
        self._search: threading.Thread | None = None
        self._closing = threading.Event()
        self._problems: dict[str, str] = {}  # the last problem reported, by the action it prevents
        self._accuracy: Accuracy | None = None
        self._answered.connect(self._tell)

    def start(self) -> None:
        """Learn from everything, then after each change reported here."""
        self._asked.put(_Asked(None, look=True))
        self._thread.start()

    def marks_changed(self, ids: Iterable[int]) -> None:
        """Report that marks of photos changed, by a decision or its undo."""
        self._asked.put(_Asked(set(ids)))

    def vectors_changed(self, ids: Iterable[int] = ()) -> None:
        """Report possible new vectors or another pinned version, and changed photos."""
        self._asked.put(_Asked(set(ids), look=True))

    def everything_changed(self) -> None:
        """Report that another process changed marks or vectors."""
        self._asked.put(_Asked(None, look=True))

    def ask(self, question: Question, tell: Answer) -> None:
        """Ask the learner a question on its thread, after everything reported before.

        Args:
            question: called with the learner; may return anything.
            tell: called on this object's own thread with the answer, or with a KnownError that says
                why there is none; not called once learning has ended.
        """
        self._asked.put(_Asked(questions=[(question, tell)]))

    def _tell(self, tell: Answer, answer: object) -> None:
        tell(answer)  # a bound method: Qt runs it on the thread of this object

    def close(self) -> None:
        """End the thread, and save a version of the taste. Safe to repeat.

        The first learning of a window reads all vectors and is canceled; a later one is awaited.
        """
        self._closing.set()
        self._asked.put(_Asked(stop=True))
        if self._thread.ident is not None:
            self._thread.join()

    # --- the thread

    def _run(self) -> None:
        _step_back()
        try:
            catalog = Catalog.open(self._path)
        except KnownError as error:
            log.warning("Nothing is learned from stars now: %s", error)
            self._only_answer(error)
            return
        try:
            learner = TasteLearner(
                catalog, self._settings, self._scratch, lambda: self._pause(learner)
            )
            self._learn_on(learner)
        except _Closing:
            log.info("closed before anything was learned")
        finally:
            if self._search is not None:
                self._search.join()
            catalog.close()

    def _pause(self, learner: TasteLearner) -> None:
        if self._closing.is_set() and learner.learned is None:
            raise _Closing

    def _only_answer(self, error: KnownError) -> None:
        """Until closing, answer every question with the reason why there is no learner."""
        while not (asked := self._next()).stop:
            for _, tell in asked.questions:
                self._answered.emit(tell, error)

    def _learn_on(self, learner: TasteLearner) -> None:
        while True:
            asked = self._next()
            if asked.stop:
                self._learn_last(learner, asked)
                break
            with self._forgiving("learned"):
                self._turn(learner, asked)
            with self._forgiving("kept as a version"):
                learner.keep_daily()
            for question, tell in asked.questions:
                self._answered.emit(tell, _answer(question, learner))
        with self._forgiving("kept as a version"):
            learner.snapshot("closing")

    def _learn_last(self, learner: TasteLearner, asked: _Asked) -> None:
        """Learn from marks made just before closing, so that the saved version has them."""
        if learner.learned is not None and asked.ids:
            with self._forgiving("learned"):
                learner.update_training(asked.ids)
                learner.fit()

    @contextlib.contextmanager
    def _forgiving(self, what: str) -> Iterator[None]:
        """Report errors instead of ending the thread: full disk, locked catalog, our own bugs."""
        try:
            yield
            self._problems.pop(what, None)
        except _Closing:
            raise
        except KnownError as error:
            said = f"Taste could not be {what}: {error}"
            if self._problems.get(what) != said:
                self._problems[what] = said
                log.warning("%s", said)
                self.problem.emit(said)
        except Exception:
            log.exception("taste could not be %s: a mistake of Curator's", what)

    def _next(self) -> _Asked:
        asked = self._asked.get()
        with contextlib.suppress(Empty):
            while True:
                asked.add(self._asked.get_nowait())
        return asked

    def _turn(self, learner: TasteLearner, asked: _Asked) -> None:
        news = asked.choice is not None
        if asked.choice is not None:
            learner.adopt(asked.choice)
        if asked.look:
            news |= learner.sync_vectors()
        if asked.ids is None or asked.ids:
            news |= learner.update_training(asked.ids)
        news |= learner.learned is None
        if news:
            self.learned.emit(learner.fit())
            self._tell_accuracy(learner.accuracy())
        if asked.look:
            learner.vectors.prepare()
        if news:
            self._begin_search(learner)  # after the rest: one busy core is enough

    def _tell_accuracy(self, accuracy: Accuracy) -> None:
        if accuracy is not self._accuracy:
            self._accuracy = accuracy
            self.accuracy_changed.emit(accuracy)

    def _begin_search(self, learner: TasteLearner) -> None:
        """Tune the model on another thread: with many ratings it takes a second.

        A failed search reports nothing; the next search begins after the next change.
        """
        if self._search is not None and self._search.is_alive():
            return
        job = learner.search()
        if job is not None:
            self._search = threading.Thread(
                target=self._searched, args=(job,), name="curator-taste-search", daemon=True
            )
            self._search.start()

    def _searched(self, job: Callable[[], Hyperparameters]) -> None:
        _step_back()
        with self._forgiving("tuned"):
            self._asked.put(_Asked(choice=job()))


def _step_back() -> None:
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
    except Exception:
        log.exception("a question about taste failed")
        return KnownError(INTERNAL_ERROR)
