"""One reading of a file on a card: its blocks in order, then its hash and its fingerprint."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from curator import atomic, files
from curator.importing.readback import drop_cache

BLOCK = 1 << 20


class ReadError(Exception):
    """A file cannot be read completely; the text says why."""


class Reading:
    """Reads a file once, in blocks of 1 MiB.

    Args:
        path: the file.
        again: it was read before, so read the card and not the cache.

    Attributes:
        sha256: of the bytes read, in hex; empty until all blocks were read.
        fingerprint: of the same bytes, as `curator.files.fingerprint` computes it.
    """

    def __init__(self, path: Path, again: bool = False) -> None:
        self._path, self._again = path, again
        self.sha256 = self.fingerprint = ""

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks.

        Raises:
            ReadError: it cannot be read, is shorter than its size, or changes meanwhile.
        """
        digest, edges, done = hashlib.sha256(), files.EdgeHash(), 0
        try:
            with atomic.open_plain(self._path) as file:
                number = file.fileno()
                before = os.fstat(number)
                if self._again:
                    drop_cache(number)
                while block := os.read(number, BLOCK):
                    done += len(block)
                    digest.update(block)
                    edges.add(block)
                    yield block
                after = os.fstat(number)
        except OSError as error:
            at = f" after {_mb(done)} MB" if done else ""
            raise ReadError(f"It cannot be read{at} ({error.strerror or error}).") from error
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise ReadError("It changed while it was being copied.")
        if done != before.st_size:
            raise ReadError(f"Only {_mb(done)} of {_mb(before.st_size)} MB could be read.")
        self.sha256, self.fingerprint = digest.hexdigest(), edges.hexdigest()


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
