"""A call that ends in time: a strict limit over all of it, and a way to give it up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from curator.vision.errors import Cancelled

T = TypeVar("T")

POLL_S = 0.05  # how long after a person's cancel the connection closes, at most


class TimeUpError(Exception):
    """The limit is over, however busily the other side was still sending."""


class _Unwaited(ThreadPoolExecutor):
    """Runs what a loop leaves to threads, looking names up, and never waits for it.

    The system may look for a name server for half a minute, and cannot be told to stop; a thread
    that is left alone with that keeps neither a call nor the program from ending.
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
    """Run a coroutine in a loop of its own; its connections close when it is given up.

    The libraries' own time limits are of one read each, which a slow drip never exceeds, and a
    blocking read cannot be called off from outside: hence a loop, one a call.

    Args:
        work: what to do.
        timeout_s: the strict limit; None: none.
        cancelled: asked every POLL_S from this thread.

    Raises:
        TimeUpError: the limit is over.
        Cancelled: as asked.
    """
    import asyncio

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(_Unwaited())
        ends = None if timeout_s is None else loop.time() + timeout_s
        task = loop.create_task(work)
        while not task.done():
            left = POLL_S if ends is None else min(POLL_S, ends - loop.time())
            reason: Exception | None = None
            if cancelled():
                reason = Cancelled()
            elif left <= 0:
                reason = TimeUpError()
            if reason is not None:
                task.cancel()
                await asyncio.wait({task})
                raise reason
            await asyncio.wait({task}, timeout=left)
        return task.result()

    return asyncio.run(guarded())
