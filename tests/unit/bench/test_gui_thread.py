"""The watch over the GUI thread: what took long, without the paints inside."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from curator.bench.gui_thread import LONG_S, EventWatch, watched
from curator.ui.widgets import words

TIMER, PAINT = QEvent.Type.Timer, QEvent.Type.Paint


class Clock:
    """Seconds that pass only when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> bool:
        self.now += seconds
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> EventWatch:
    return EventWatch(clock, clock)


def deliver(watch: EventWatch, kind: QEvent.Type, act: Callable[[], bool]) -> bool:
    return watch.deliver(lambda *_: act(), QObject(), QEvent(kind))


def test_a_long_event_is_named(watch: EventWatch, clock: Clock) -> None:
    assert deliver(watch, TIMER, lambda: clock.spend(2 * LONG_S))
    (found,) = watch.found
    assert found.seconds == watch.longest_s == 2 * LONG_S
    assert found.processor_s == watch.most_processor_s == 2 * LONG_S
    assert str(found).startswith("8.0 ms") and "Timer of QObject" in str(found)


def test_a_short_event_only_counts_as_the_longest(watch: EventWatch, clock: Clock) -> None:
    deliver(watch, TIMER, lambda: clock.spend(LONG_S / 2))
    assert not watch.found and watch.longest_s == watch.most_processor_s == LONG_S / 2


def test_waiting_is_no_processor_time(clock: Clock) -> None:
    watch = EventWatch(clock, Clock())
    deliver(watch, TIMER, lambda: clock.spend(2 * LONG_S))
    (found,) = watch.found
    assert found.seconds == watch.longest_s == 2 * LONG_S
    assert found.processor_s == watch.most_processor_s == 0


def test_an_application_is_watched_only_for_a_while(qapp: QApplication) -> None:
    with watched(qapp) as watch:
        qapp.sendEvent(qapp, QEvent(TIMER))
    seen = watch.most_processor_s
    assert seen > 0
    qapp.sendEvent(qapp, QEvent(TIMER))
    assert watch.most_processor_s == seen and "notify" not in vars(qapp)


def test_paints_do_not_count_alone_or_inside_another_event(watch: EventWatch, clock: Clock) -> None:
    paint = lambda: deliver(watch, PAINT, lambda: clock.spend(9 * LONG_S))  # noqa: E731
    paint()
    assert watch.longest_s == watch.most_processor_s == 0

    def repainted() -> bool:
        paint()
        return clock.spend(LONG_S)

    deliver(watch, TIMER, repainted)
    assert [event.seconds for event in watch.found] == [pytest.approx(LONG_S)]
    assert watch.most_processor_s == pytest.approx(LONG_S)


def test_an_event_inside_another_is_part_of_it(watch: EventWatch, clock: Clock) -> None:
    deliver(watch, TIMER, lambda: deliver(watch, TIMER, lambda: clock.spend(LONG_S)))
    assert len(watch.found) == 1


def test_the_watch_goes_on_after_an_error(watch: EventWatch, clock: Clock) -> None:
    def fail() -> bool:
        clock.spend(LONG_S)
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):
            deliver(watch, TIMER, fail)
    assert len(watch.found) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal for the samples")
def test_a_long_event_names_the_function_that_ran(watch: EventWatch, clock: Clock) -> None:
    def sampled() -> bool:
        signal.raise_signal(signal.SIGALRM)
        return clock.spend(LONG_S)

    def collected() -> bool:
        gc.callbacks[-1]("start", {})
        clock.spend(LONG_S)
        gc.callbacks[-1]("stop", {})
        return True

    with watch.sampling():
        deliver(watch, TIMER, lambda: not words.joined(sampled() and "" for _ in "x"))
        deliver(watch, TIMER, collected)
    assert [event.where for event in watch.found] == [
        "words.<genexpr> < words.joined",
        "garbage collection",
    ]
