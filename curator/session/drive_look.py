"""Looks at drives on a thread of its own, because one that hangs must never block the window."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from PySide6.QtCore import QObject, QTimer, Signal

log = logging.getLogger(__name__)

_COLLECT_MS = 50

Question = Callable[[], object]


class DriveLook(QObject):
    """Asks one question after the other; while one is not answered, it asks no other.

    The thread puts its answers into a queue and holds no Qt object: it may outlive the window if a
    drive never answers. It is started once, not for every question: a start waits for the new
    thread, up to 23 ms while the pipeline works.

    Signals:
        ended: the last question was answered, or failed.
        answered(object): the answer, after that.

    Thread: GUI only.
    """

    ended = Signal()
    answered = Signal(object)

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._questions: SimpleQueue[Question | None] = SimpleQueue()
        self._answers: SimpleQueue[list[object]] = SimpleQueue()
        self._timer = QTimer(self, interval=_COLLECT_MS)  # runs while an answer is due
        self._timer.timeout.connect(self._collect)
        queues = self._questions, self._answers
        threading.Thread(target=_answer, args=queues, name=name, daemon=True).start()

    def ask(self, question: Question) -> None:
        """Call a function on the thread, unless an earlier one has not returned yet."""
        if not self._timer.isActive():
            self._questions.put(question)
            self._timer.start()

    def close(self) -> None:
        """Take no answer any more, and end the thread."""
        self._timer.stop()
        self._questions.put(None)

    def _collect(self) -> None:
        """Take the answer once it is there."""
        if self._answers.empty():
            return
        self._timer.stop()
        self.ended.emit()
        for answer in self._answers.get():
            self.answered.emit(answer)


def _answer(questions: SimpleQueue[Question | None], answers: SimpleQueue[list[object]]) -> None:
    """Answer questions until None comes; a question that fails has an empty list as its answer."""
    while (question := questions.get()) is not None:
        try:
            answers.put([question()])
        except Exception:  # the next look may succeed
            log.exception("drives could not be looked at")
            answers.put([])
