"""Clean up when a signal ends the process, as at shutdown or when a terminal closes.

Without this, SIGTERM and SIGHUP end a process immediately: no marks are lost, but the write-ahead
log stays long, and the person gets no message.
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
    """Call ``stop`` with the first signal that asks to end; without ``stop``, raise Stopped.

    A second signal ends the process immediately; no marks are lost. Signals that the caller
    ignores, as nohup does, stay ignored. Off the main thread this does nothing.

    Raises:
        Stopped: inside the block, without ``stop``.
    """
    before: dict[int, Any] = {}

    def first(number: int, _: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        stop(number)

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.getsignal(each) for each in _NUMBERS}
        before = {
            each: handler
            for each, handler in before.items()
            if handler not in (None, signal.SIG_IGN)
        }
    try:
        for each in before:
            signal.signal(each, first)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
