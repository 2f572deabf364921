"""Functions for worker processes that fail as decoders do on broken photos."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from curator import deadline
from curator.model import UnreadableError
from curator.workers import Pixels, share


def double(number: int) -> int:
    return 2 * number


def process_id() -> int:
    return os.getpid()


def priority() -> int:
    return os.nice(0)


def loaded(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in sys.modules]


def page_faults(size: int) -> int:
    """Fill as many bytes of memory as a picture takes, and return the page faults that it took."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(b"x") * size
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def abort() -> None:
    os.abort()


def segfault() -> None:
    ctypes.string_at(0)


def chatter() -> None:
    for stream in (1, 2):
        os.write(stream, b"Unexpected end of file\n")


def hang() -> None:
    threading.Event().wait()


def hang_holding_the_interpreter() -> None:
    ctypes.PyDLL(None).pause()


def large(megapixels: float) -> str:
    """Announce a picture of that size."""
    deadline.announce_size(megapixels=megapixels)
    return "done"


def eat(mb: int) -> int:
    held = [np.ones(10_000_000, np.uint8) for _ in range(mb // 10)]
    threading.Event().wait()
    return len(held)


def unreadable() -> None:
    raise UnreadableError("The file is empty.", "Copy it again.")


def disk_full() -> None:
    raise OSError(28, "No space left on device", "/somewhere")


def mistake() -> None:
    raise ZeroDivisionError("ours")


def unpicklable() -> object:
    return threading.Lock()


def gradient(height: int, width: int) -> Pixels:
    rows = np.arange(height, dtype=np.uint32)[:, None, None]
    columns = np.arange(width, dtype=np.uint32)[None, :, None]
    return share(((rows * 7 + columns * 3 + np.arange(3)) % 251).astype(np.uint8))


def share_and_abort() -> None:
    share(np.zeros((500, 500, 3), np.uint8))
    os.abort()


def share_and_hang(marker: str | None = None) -> None:
    share(np.zeros((500, 500, 3), np.uint8))
    if marker:
        Path(marker).touch()
    threading.Event().wait()


def share_two_and_fail() -> None:
    share(np.zeros(5000, np.uint8))
    share(np.zeros(5000, np.uint8))
    raise UnreadableError("The file is empty.")


def count_a_while(seconds: float) -> float:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return seconds
