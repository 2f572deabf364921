"""RowStore of lessons by place: in memory while they are few, then in a temporary file.

Tens of thousands of ratings and rejects are a quarter of a gigabyte that is hardly ever looked at:
one row when a rating changes, some hundred when the penalty is searched, all when sums are made
anew. What a file holds the system keeps in memory only as long as nobody else needs the room.
"""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from curator.model import KnownError

_FIRST = 64
_AT_ONCE = 1024  # rows read at a time


class RowStore:
    """RowStore of one length, as float64 in memory or as float32 in a file.

    Thread: one at a time.
    """

    def __init__(self, columns: int, scratch: Path | None = None) -> None:
        """Make no rows.

        Args:
            columns: numbers in a row.
            scratch: where the file goes; the system's own place for such files if None.
        """
        self._held: NDArray[np.float64] = np.zeros((0, columns))
        self._columns, self._bytes = columns, columns * 4
        self._scratch = scratch
        self._file: IO[bytes] | None = None

    def first(self, count: int) -> NDArray[np.float64]:
        """Give the first rows as they are, (count, columns); only while they are in memory."""
        assert self._file is None
        return self._held[:count]

    def put(self, place: int, rows: NDArray[Any]) -> None:
        """Write rows from a place on.

        Raises:
            KnownError: the file cannot be written; what those rows were before is lost.
        """
        if self._file is not None:
            with self._room():
                self._file.seek(place * self._bytes)
                self._file.write(np.ascontiguousarray(rows, np.float32).tobytes())
                self._file.flush()
            return
        end = place + len(rows)
        if end > len(self._held):
            larger = np.zeros((max(end, 2 * len(self._held), _FIRST), self._columns))
            larger[: len(self._held)] = self._held
            self._held = larger
        self._held[place:end] = rows

    def take(self, places: Iterable[int]) -> NDArray[np.float64]:
        """Copy some rows, (N, columns).

        Raises:
            OSError: the file cannot be read.
        """
        wanted = list(places)
        if self._file is None:
            return self._held[wanted]
        rows = np.empty((len(wanted), self._columns), np.float32)
        for row, place in zip(rows, wanted, strict=True):
            self._file.seek(place * self._bytes)
            self._file.readinto(row.view(np.uint8))  # type: ignore[attr-defined]
        return rows.astype(np.float64)

    def parts(self, count: int) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Go through the first rows: which they are, and a copy.

        Raises:
            OSError: the file cannot be read.
        """
        for start in range(0, count, _AT_ONCE):
            part = slice(start, min(start + _AT_ONCE, count))
            yield part, self.take(range(part.start, part.stop))

    def leave_memory(self, count: int) -> None:
        """Keep the first rows in a file from now on, as float32.

        Raises:
            KnownError: it cannot be written; they stay in memory.
        """
        with self._room():
            file = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115
            weakref.finalize(self, file.close)
            file.write(self._held[:count].astype(np.float32).tobytes())
            file.flush()
        self._file, self._held = file, np.zeros((0, self._columns))

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = self._scratch or tempfile.gettempdir()
            raise KnownError(
                f"There is no room to learn in {where} ({error.strerror or error}).",
                "Free some disk space there; scores follow.",
            ) from error
