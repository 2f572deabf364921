"""How long work on one file may take: its time limit grows with what the file turns out to hold.

A limit is set before anybody has looked into the file. What reads it announces its size as soon as
that is known (`larger`), and whoever set the limit grants more time by it (`listen`: a process of
`curator.workers`). Elsewhere nobody listens, and announcing does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

# A limit is meant for files up to here; twice as large may take twice as long.
PLAIN_MEGAPIXELS, PLAIN_MB = 50.0, 100.0
MOST = 20.0  # times the limit: 2 GB, the largest file that is read

_listener: Callable[[float], None] | None = None
_granted = 1.0  # times the limit


def larger(*, megapixels: float = 0.0, megabytes: float = 0.0) -> None:
    """Announce the size of what is read now, before it is decoded.

    What was granted to the file is not taken back by a picture in it that is smaller.
    """
    global _granted
    times = min(max(megapixels / PLAIN_MEGAPIXELS, megabytes / PLAIN_MB), MOST)
    if _listener is not None and times > _granted:
        _granted = times
        _listener(times)


def listen(listener: Callable[[float], None] | None) -> None:
    """Call this, for one job, each time it may take longer: how many times its limit; or nobody."""
    global _listener, _granted
    _listener, _granted = listener, 1.0
