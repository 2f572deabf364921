"""More time for large files: readers announce a file's size, and workers extend its time limit.

A worker sets the limit before it knows the file. The code that reads the file calls `announce_size`
as soon as the size is known; the worker process has registered `set_listener` and extends the
limit. Outside a worker process announcing does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

# The time limit is meant for files up to this size; a file twice as large gets twice the time.
PLAIN_MEGAPIXELS, PLAIN_MB = 50.0, 100.0
MAX_FACTOR = 20.0  # for 2 GB, the largest file that is read

_listener: Callable[[float], None] | None = None
_granted = 1.0  # times the limit


def announce_size(*, megapixels: float = 0.0, megabytes: float = 0.0) -> None:
    """Announce the size of the file or picture that is about to be decoded.

    A smaller picture inside the file does not shorten the time already granted.
    """
    global _granted
    times = min(max(megapixels / PLAIN_MEGAPIXELS, megabytes / PLAIN_MB), MAX_FACTOR)
    if _listener is not None and times > _granted:
        _granted = times
        _listener(times)


def set_listener(listener: Callable[[float], None] | None) -> None:
    """Set the function to call when the current job may take longer; None for nobody.

    It is called with the factor by which the time limit grows.
    """
    global _listener, _granted
    _listener, _granted = listener, 1.0
