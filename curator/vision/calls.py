"""Run a coroutine with a strict time limit and a way to cancel it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from curator.vision.errors import Cancelled

T = TypeVar("T")

POLL_S = 0.05  # a canceled connection closes within this time


class TimeLimitError(Exception):
    """The time limit is over, even if the other side is still sending."""


class _DaemonThreads(ThreadPoolExecutor):
    """Runs the loop's blocking calls (looking up host names) on daemon threads.

    The system may search for a name server for half a minute and cannot be interrupted. A daemon
    thread keeps neither the call nor the program from ending.
    """

    def submit(self, act: Callable[..., Any], /, *about: Any, **how: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(act(*about, **how))
            except Exception as error:
                future.set_exception(error)

        future.set_running_or_notify_cancel()
        threading.Thread(target=work, name="curator-names", daemon=True).start()
        return future


def run(work: Coroutine[Any, Any, T], timeout_s: float | None, cancelled: Callable[[], bool]) -> T:
    """Run a coroutine in its own event loop, and close its connections when it is canceled.

    The time limits of the libraries apply to each read, so a slow drip never exceeds them, and a
    blocking read cannot be interrupted from outside. Hence one event loop per call.

    Args:
        work: the coroutine.
        timeout_s: the strict limit; None for no limit.
        cancelled: called every POLL_S on this thread.

    Raises:
        TimeLimitError: the limit is over.
        Cancelled: ``cancelled`` returned True.
    """
    import asyncio

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(_DaemonThreads())
        ends = None if timeout_s is None else loop.time() + timeout_s
        task = loop.create_task(work)
        while not task.done():
            left = POLL_S if ends is None else min(POLL_S, ends - loop.time())
            reason: Exception | None = None
            if cancelled():
                reason = Cancelled()
            elif left <= 0:
                reason = TimeLimitError()
            if reason is not None:
                task.cancel()
                await asyncio.wait({task})
                raise reason
            await asyncio.wait({task}, timeout=left)
        return task.result()

    return asyncio.run(guarded())
