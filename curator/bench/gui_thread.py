"""Find the events that block the GUI thread: how long each took, and in which function.

Bars use it beside their figures. The program itself never does.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import FrameType, MethodType

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

import curator

LONG_S = 0.004  # an event that takes longer, without its paints, is recorded
_SAMPLE_EVERY_S = 0.001
_FUNCTIONS = 5  # named of each stack
_PAINTS = (QEvent.Type.Paint, QEvent.Type.UpdateRequest, QEvent.Type.Expose)
_SOURCES = Path(curator.__file__).parent
_BENCH = _SOURCES / "bench"

Handler = Callable[[QObject, QEvent], bool]


@dataclass(frozen=True, slots=True)
class LongEvent:
    """An event that kept the GUI thread for LONG_S or longer.

    Attributes:
        seconds: how long, without the paints inside.
        processor_s: processor time of the thread, without the paints inside; the rest was spent
            waiting: for the disk, a core, a lock, or another thread of Python.
        what: the type of the event and the class of its receiver.
        where: the function that ran most of the time, then its callers; empty if unknown.
    """

    seconds: float
    processor_s: float
    what: str
    where: str

    def __str__(self) -> str:
        spent = f"{1000 * self.seconds:.1f} ms ({1000 * self.processor_s:.1f} of processor)"
        return f"{spent} in {self.what}{self.where and f', {self.where}'}"


@dataclass
class _Running:
    """The event being handled now; times are those of the watch's clocks, in seconds."""

    begin: float
    processor: float
    painting: bool = False
    painted: float = 0.0
    painted_processor: float = 0.0
    collected: float = 0.0
    samples: Counter[str] = field(default_factory=Counter)


class EventWatch:
    """Measures the events of the GUI thread that are not paints.

    Args:
        clock: seconds.
        processor: seconds of processor time of the calling thread.

    Attributes:
        found: the long events so far.
        longest_s: the longest event so far, even if it was not long.
        most_processor_s: the most processor time of an event so far.

    Thread: GUI.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        processor: Callable[[], float] = time.thread_time,
    ) -> None:
        self.found: list[LongEvent] = []
        self.longest_s = self.most_processor_s = 0.0
        self._clock, self._processor = clock, processor
        self._running: _Running | None = None
        self._sampling = False

    def deliver(self, handle: Handler, receiver: QObject, event: QEvent) -> bool:
        """Deliver an event with ``handle`` and measure it; return its result."""
        running, paints = self._running, event.type() in _PAINTS
        if running is None:
            return handle(receiver, event) if paints else self._measure(handle, receiver, event)
        if running.painting or not paints:
            return handle(receiver, event)
        running.painting, begin, processor = True, self._clock(), self._processor()
        try:
            return handle(receiver, event)
        finally:
            running.painted += self._clock() - begin
            running.painted_processor += self._processor() - processor
            running.painting = False

    def _measure(self, handle: Handler, receiver: QObject, event: QEvent) -> bool:
        what = f"{event.type().name} of {type(receiver).__name__}"  # both may be deleted by it
        self._running = running = _Running(self._clock(), self._processor())
        self._sample_every(LONG_S / 2, _SAMPLE_EVERY_S)
        try:
            return handle(receiver, event)
        finally:
            self._sample_every(0.0)
            self._running = None
            seconds = self._clock() - running.begin - running.painted
            processor = self._processor() - running.processor - running.painted_processor
            self.longest_s = max(self.longest_s, seconds)
            self.most_processor_s = max(self.most_processor_s, processor)
            if seconds >= LONG_S:
                where = _most_common(running.samples)
                if running.collected > seconds / 2:
                    where = "garbage collection"
                self.found.append(LongEvent(seconds, processor, what, where))

    # --- what it was doing

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample the stack of the GUI thread, which must be the main thread, in long events.

        A signal interrupts it: another thread that held its frames would keep alive, and then
        destroy, Qt's objects. Windows has no such signals: events have no ``where`` there.
        """
        if sys.platform == "win32":
            yield
            return
        before = signal.signal(signal.SIGALRM, self._sample)
        gc.callbacks.append(self._note_collection)
        self._sampling = True
        try:
            yield
        finally:
            self._sampling = False
            gc.callbacks.remove(self._note_collection)
            signal.signal(signal.SIGALRM, before)

    def _sample_every(self, first_s: float, then_s: float = 0.0) -> None:
        if self._sampling and sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, first_s, then_s)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        if self._running is not None and not self._running.painting:
            self._running.samples[_stack(frame)] += 1

    def _note_collection(self, phase: str, _info: object) -> None:
        if self._running is not None and threading.current_thread() is threading.main_thread():
            self._running.collected += self._clock() if phase == "stop" else -self._clock()


def _most_common(samples: Counter[str]) -> str:
    return "".join(name for name, _ in samples.most_common(1))


def _stack(frame: FrameType | None) -> str:
    """Return the innermost functions of Curator in a stack, without those of bars."""
    names: list[str] = []
    while frame is not None and len(names) < _FUNCTIONS:
        module = _module(frame.f_code.co_filename)
        if module:
            names.append(f"{module}.{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(names)


@cache  # samples are taken inside the events that are measured
def _module(file: str) -> str:
    """Return the name of a module of Curator; empty for other code and for bars."""
    path = Path(file)
    own = path.is_relative_to(_SOURCES) and not path.is_relative_to(_BENCH)
    return path.stem if own else ""


@contextmanager
def watched(qt: QApplication) -> Iterator[EventWatch]:
    """Watch all events of the GUI thread until the context ends.

    The program's own application is watched, and only here: each event costs more meanwhile.
    """
    watch = EventWatch()

    def notify(_: QApplication, receiver: QObject, event: QEvent) -> bool:
        """Deliver an event; Qt calls this in any thread with an event loop."""
        if threading.current_thread() is not threading.main_thread():
            return QApplication.notify(qt, receiver, event)
        return watch.deliver(partial(QApplication.notify, qt), receiver, event)

    qt.notify = MethodType(notify, qt)  # type: ignore[method-assign]
    try:
        with watch.sampling():
            yield watch
    finally:
        del qt.notify
