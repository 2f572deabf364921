"""Rows of training samples by index: in memory while they are few, then in a temporary file.

`training` uses it. Tens of thousands of samples take a quarter of a gigabyte and are rarely read:
one row when a rating changes, some hundred for a search of the hyperparameters. The system caches a
file in memory only while no other program needs that memory.
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

_FIRST_ROWS = 64
_BLOCK = 1024  # rows read at a time


class RowStore:
    """Rows of equal length, as float64 in memory or as float32 in a file.

    Thread: one at a time.
    """

    def __init__(self, columns: int, scratch: Path | None = None) -> None:
        """Start empty.

        Args:
            columns: length of a row.
            scratch: the folder for the file; None for the system's folder for temporary files.
        """
        self._in_memory: NDArray[np.float64] = np.zeros((0, columns))
        self._columns, self._bytes = columns, columns * 4
        self._scratch = scratch
        self._file: IO[bytes] | None = None

    def first(self, count: int) -> NDArray[np.float64]:
        """Return a view of the first rows, (count, columns); only while they are in memory."""
        assert self._file is None
        return self._in_memory[:count]

    def put(self, start: int, rows: NDArray[Any]) -> None:
        """Write rows at consecutive indices from ``start``.

        Raises:
            KnownError: the file cannot be written; the former content of those rows is lost.
        """
        if self._file is not None:
            with self._explain_write_error():
                self._file.seek(start * self._bytes)
                self._file.write(np.ascontiguousarray(rows, np.float32).tobytes())
                self._file.flush()
            return
        end = start + len(rows)
        if end > len(self._in_memory):
            larger = np.zeros((max(end, 2 * len(self._in_memory), _FIRST_ROWS), self._columns))
            larger[: len(self._in_memory)] = self._in_memory
            self._in_memory = larger
        self._in_memory[start:end] = rows

    def take(self, indices: Iterable[int]) -> NDArray[np.float64]:
        """Return a copy of some rows, (N, columns).

        Raises:
            OSError: the file cannot be read.
        """
        wanted = list(indices)
        if self._file is None:
            return self._in_memory[wanted]
        rows = np.empty((len(wanted), self._columns), np.float32)
        for row, index in zip(rows, wanted, strict=True):
            self._file.seek(index * self._bytes)
            self._file.readinto(row.view(np.uint8))  # type: ignore[attr-defined]
        return rows.astype(np.float64)

    def parts(self, count: int) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield the first ``count`` rows in blocks: the slice, and a copy of its rows.

        Raises:
            OSError: the file cannot be read.
        """
        for start in range(0, count, _BLOCK):
            part = slice(start, min(start + _BLOCK, count))
            yield part, self.take(range(part.start, part.stop))

    def move_to_file(self, count: int) -> None:
        """Move the first rows to a temporary file, as float32.

        Raises:
            KnownError: the file cannot be written; the rows stay in memory.
        """
        with self._explain_write_error():
            file = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115
            weakref.finalize(self, file.close)
            file.write(self._in_memory[:count].astype(np.float32).tobytes())
            file.flush()
        self._file, self._in_memory = file, np.zeros((0, self._columns))

    @contextlib.contextmanager
    def _explain_write_error(self) -> Iterator[None]:
        """Turn an OSError of the temporary file into a KnownError."""
        try:
            yield
        except OSError as error:
            where = self._scratch or tempfile.gettempdir()
            raise KnownError(
                f"Taste cannot write its temporary file in {where} ({error.strerror or error}).",
                "Free disk space there, or make the folder writable, and rate another photo.",
            ) from error
