"""Hash a file as its disk holds it, not as the system's cache remembers it.

    with folder.open(name) as file:
        sha256, cache_answered = hash_past_cache(file.fileno(), mount)

The import reads every copy back with it, and a file of the card for the second time. Asking the
system to forget a file is only a request. So it is checked afterwards, and where it was not met,
or cannot be checked, the result says that the cache may have answered. Never report more.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from io import FileIO

import numpy as np

from curator.volumes import Mount

# A multiple of every sector size, as Windows requires for reads without its cache. A larger block
# leaves the processor's cache before it is hashed: with 1 MiB it took 6 % more processor time.
_BLOCK_BYTES = 1 << 18
# These answer from caches that no request of ours reaches: FUSE programs read the disk through the
# cache of its device, virtual machines through their host's, and ZFS has a cache of its own.
_HAS_OWN_CACHE = ("fuse", "virtiofs", "zfs")
_MS_INVALIDATE = 2  # of msync(2), on Linux and macOS


def hash_past_cache(
    handle: int, mount: Mount | None = None, stopped: Callable[[], bool] = lambda: False
) -> tuple[str, bool]:
    """Read a file from its disk and compute its sha256.

    Args:
        handle: the file, open for reading; its content is synced to disk.
        mount: the volume it is on. A network drive may answer from its own cache, so that without
            a volume the result is that the cache may have answered.
        stopped: asked before each block of 256 KiB.

    Returns:
        The sha256 in hex, empty if stopped; and whether a cache may have answered.

    Raises:
        OSError: the disk fails.
    """
    size, done, digest = os.fstat(handle).st_size, 0, hashlib.sha256()
    answers = mount is None or mount.network or mount.kind.startswith(_HAS_OWN_CACHE)
    with (
        _opened_past_cache(handle) as (file, is_past_cache),
        mmap.mmap(-1, _BLOCK_BYTES) as aligned,  # Windows requires whole pages
        memoryview(aligned) as block,
    ):
        answers |= not is_past_cache
        while done < size:
            if stopped():
                return "", answers
            count = file.readinto(block)
            if not count:
                break
            digest.update(block[:count])
            done += count
    return digest.hexdigest(), answers


def drop_cache(handle: int) -> bool:
    """Remove a file from the system's cache; return whether nothing of it is left there.

    On Windows nothing can be removed: there only :func:`hash_past_cache` reads from the disk.

    Args:
        handle: the file, open for reading; its content is synced to disk.
    """
    size = os.fstat(handle).st_size
    if sys.platform == "win32" or not size:
        return not size
    pages = np.ones(-(-size // mmap.PAGESIZE), np.uint8)
    system = ctypes.CDLL(None, use_errno=True)
    try:
        mapped = mmap.mmap(handle, size, prot=mmap.PROT_READ)
    except OSError:  # a file system that cannot map files
        return False
    with mapped:
        start = ctypes.c_void_p(np.frombuffer(mapped, np.uint8).ctypes.data)
        if sys.platform == "linux":
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            import fcntl

            fcntl.fcntl(handle, fcntl.F_NOCACHE, 1)  # do not fill the cache; it may still answer
            system.msync(start, ctypes.c_size_t(size), _MS_INVALIDATE)
        failed = system.mincore(start, ctypes.c_size_t(size), ctypes.c_void_p(pages.ctypes.data))
    return not failed and not (pages & 1).any()


@contextlib.contextmanager
def _opened_past_cache(handle: int) -> Iterator[tuple[FileIO, bool]]:
    """Yield a file to be read from its start without the cache, and whether that is certain."""
    again = _reopened(handle)
    if again is not None:
        with FileIO(again) as file:
            yield file, True
        return
    is_gone = drop_cache(handle)
    with FileIO(handle, closefd=False) as file:
        file.seek(0)
        yield file, is_gone


def _reopened(handle: int) -> int | None:
    """Open a file again by its handle, without Windows' cache; None on other systems.

    None as well where the drive allows no such reads.
    """
    if sys.platform != "win32":
        return None
    import msvcrt

    reopen = ctypes.windll.kernel32.ReOpenFile
    reopen.restype, reopen.argtypes = ctypes.c_void_p, (ctypes.c_void_p, *[ctypes.c_ulong] * 3)
    # GENERIC_READ; share reading, writing and deleting; NO_BUFFERING and SEQUENTIAL_SCAN
    again = reopen(msvcrt.get_osfhandle(handle), 0x80000000, 7, 0x20000000 | 0x08000000)
    if again in (None, ctypes.c_void_p(-1).value):
        return None
    return msvcrt.open_osfhandle(again, os.O_RDONLY | os.O_BINARY)
