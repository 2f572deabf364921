"""Rows of one kind in a temporary file, read through small buffers.

The vectors of a hundred thousand photos are half a gigabyte of float32. The system can take back
the memory that caches a file, but not what a process maps or holds. Reading 2,000 rows one by one
takes 2.6 ms, a map of the file 3.0. The file is gone when the process ends; the catalog remains
the source.

`vector_index` and `vector_sketch` use it. It must never hold more than a part of the rows.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from curator import private
from curator.model import KnownError


class RowFile:
    """Rows of equal size, by index.

    Thread: one.
    """

    def __init__(self, row: np.dtype[Any], scratch: Path) -> None:
        """Start empty; the file is created in the folder ``scratch`` with the first row."""
        self._row, self._scratch = row, scratch
        self._file: IO[bytes] | None = None

    def put(self, at: NDArray[np.int64], rows: NDArray[Any]) -> None:
        """Write rows at these indices, each run of adjacent indices at once.

        Args:
            at: (N,) indices, in any order.
            rows: (N,) of the type of a row; for a type of several numbers (N, numbers).

        Raises:
            KnownError: there is no room on disk; what was stored there is undefined.
        """
        runs = np.split(np.arange(len(at)), np.flatnonzero(np.diff(at) != 1) + 1)
        try:
            if self._file is None:
                private.make_folder(self._scratch)
                self._file = tempfile.TemporaryFile(dir=self._scratch, buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            for run in runs:
                self._file.seek(int(at[run[0]]) * self._row.itemsize)
                left = memoryview(rows[run].tobytes())
                while left:  # on an almost full disk less is written at once
                    left = left[self._file.write(left) :]
        except OSError as error:
            raise KnownError(
                f"There is no room to analyze photos in {self._scratch}"
                f" ({error.strerror or error}).",
                "Free some disk space there; scores follow.",
            ) from error

    def take(self, at: NDArray[np.int64]) -> NDArray[Any]:
        """Read the rows at these indices.

        Args:
            at: (N,) indices of rows that were put.

        Returns:
            (N,) of the type of a row; for a type of several numbers (N, numbers).

        Raises:
            KnownError: the file cannot be read.
        """
        found = np.empty(len(at), self._row)
        for row, index in zip(_bytes_of(found), at.tolist(), strict=True):
            self._read(index, row)
        return found

    def blocks(self, count: int, size: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Read the first ``count`` rows in blocks; all of them must have been put.

        Yields:
            The index of a block's first row, and its rows: ``size`` of them, fewer in the last
            block, of the shape :meth:`take` returns. They are valid until the next block.

        Raises:
            KnownError: the file cannot be read.
        """
        rows = np.empty(min(size, count), self._row)
        for start in range(0, count, size):
            some = rows[: count - start]
            self._read(start, _bytes_of(some))
            yield start, some

    def _read(self, index: int, into: NDArray[np.uint8]) -> None:
        """Fill ``into`` from this row on."""
        assert self._file is not None
        problem = f"row {index} is missing"
        try:
            self._file.seek(index * self._row.itemsize)
            if self._file.readinto(into) == into.nbytes:  # type: ignore[attr-defined]
                return
        except OSError as error:
            problem = error.strerror or str(error)
        raise KnownError(
            f"The temporary file of vectors in {self._scratch} cannot be read ({problem}).",
            "Restart Curator: it is made again.",
        )


def _bytes_of(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a view of the bytes of rows, (N, size of a row)."""
    return rows.view(np.uint8).reshape(len(rows), -1)
