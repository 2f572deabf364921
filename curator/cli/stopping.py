"""End in order when a signal asks for it, as when the system shuts down or a terminal closes.

Left alone, SIGTERM and SIGHUP end a process on the spot: nothing decided is lost, but the
write-ahead log stays as long as it was, and nobody is told anything.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from curator.model import Stopped

_NUMBERS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def _stop(number: int) -> None:
    raise Stopped(number)


@contextlib.contextmanager
def on_signal(stop: Callable[[int], None] = _stop) -> Iterator[None]:
    """Call ``stop`` with the number of the first signal that asks to end; raise unless given.

    A second one ends the process at once, which costs nothing that was decided. What somebody
    chose to ignore, as nohup does, stays ignored. Elsewhere than on the main thread nothing
    changes.

    Raises:
        Stopped: in the block, where ``stop`` is not given.
    """
    before: dict[int, Any] = {}

    def first(number: int, _: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        stop(number)

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.getsignal(each) for each in _NUMBERS}
        before = {each: how for each, how in before.items() if how not in (None, signal.SIG_IGN)}
    try:
        for each in before:
            signal.signal(each, first)
        yield
    finally:
        for each, how in before.items():
            signal.signal(each, how)
