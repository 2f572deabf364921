"""Looks at drives on a thread of its own, because one that hangs must never block the window."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

log = logging.getLogger(__name__)

_COLLECT_MS = 50


class DriveLook(QObject):
    """Asks one question after the other; while one is not answered, it asks no other.

    The thread writes its answer into a plain list and holds no Qt object: it may outlive the window
    if a drive never answers.

    Signals:
        ended: the last question was answered, or failed.
        answered(object): the answer, after that.

    Thread: GUI only.
    """

    ended = Signal()
    answered = Signal(object)

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._name = name
        self._thread: threading.Thread | None = None
        self._answers: list[object] = []  # the thread appends its answer
        self._timer = QTimer(self, interval=_COLLECT_MS)
        self._timer.timeout.connect(self._collect)

    def ask(self, question: Callable[[], object]) -> None:
        """Call a function on the thread, unless an earlier one has not returned yet."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._answers = []
        self._thread = threading.Thread(
            target=_answer, args=(question, self._answers), name=self._name, daemon=True
        )
        self._thread.start()
        self._timer.start()

    def close(self) -> None:
        """Take no answer any more."""
        self._timer.stop()

    def _collect(self) -> None:
        """Take the answer once the thread has ended."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._timer.stop()
        self.ended.emit()
        if self._answers:
            self.answered.emit(self._answers.pop())


def _answer(question: Callable[[], object], answers: list[object]) -> None:
    try:
        answers.append(question())
    except Exception:  # the next look may succeed
        log.exception("drives could not be looked at")
