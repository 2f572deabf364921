"""The photos of one catalog by row: ids, numbers and texts as columns.

`Table` fills them. The indexes beside it (folders, stacks, projects, scores, capture data) know
these rows, never the table itself. A photo keeps its row for life.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.library.columns import (
    FLAG_CODE,
    MARKS,
    NUMBERS,
    STATE_CODE,
    TEXTS,
    padded,
)
from curator.library.spans import Ids, Mask
from curator.library.texts import Texts, split
from curator.model import FLAGS, LABELS, Flag, Marks

_FIRST_CAPACITY = 1024


class PhotoRows:
    """Columns over rows, and the row of each photo id.

    Thread: the table's.

    Attributes:
        size: rows in use.
        rev: the catalog revision that the rows are of.
        cameras: the names of cameras, by the numbers in the column ``camera``; the first is "".
    """

    def __init__(self) -> None:
        self.size = 0
        self.rev = 0
        self._row_by_id = np.full(_FIRST_CAPACITY, -1, np.int64)  # an array, as ids are dense
        self._ids: Ids = np.zeros(_FIRST_CAPACITY, np.int64)
        self.cameras = [""]
        self._camera_numbers = {"": 0}
        self._numbers = {name: np.zeros(_FIRST_CAPACITY, dtype) for name, dtype in NUMBERS.items()}
        self._texts = {name: Texts() for name in TEXTS}

    # --- filling

    def add(self, ids: Ids) -> tuple[Ids, int]:
        """Return the rows of photos, with new rows for new ids, and the number of new ids."""
        self._reach(int(ids.max(initial=0)))
        fresh = ids[self._row_by_id[ids] < 0]
        self.reserve(self.size + len(fresh))
        self._row_by_id[fresh] = np.arange(self.size, self.size + len(fresh))
        self.size += len(fresh)
        rows = self._row_by_id[ids]
        self._ids[rows] = ids
        return rows, len(fresh)

    def reserve(self, count: int) -> None:
        """Allocate at least so many rows."""
        if count <= len(self._ids):
            return
        capacity = max(count, 2 * len(self._ids))
        self._ids = padded(self._ids, capacity)
        self._numbers = {name: padded(column, capacity) for name, column in self._numbers.items()}

    def set_numbers(self, rows: Ids, columns: Mapping[str, NDArray[Any]]) -> None:
        """Set the numeric columns in some rows."""
        for name, column in self._numbers.items():
            column[rows] = columns[name]

    def set_texts(self, rows: Ids, columns: Mapping[str, str], fresh: int) -> bool:
        """Set the text columns, joined by NULs, in some rows, of which ``fresh`` are new.

        Returns:
            Whether the name of a known photo changed.
        """
        renamed = False
        known = rows < len(self._texts["name"])
        for name, texts in self._texts.items():
            if fresh == len(rows):  # all new, in the order of their rows
                texts.extend_joined(columns[name])
                continue
            values = np.array(split(columns[name]), object)
            changed = texts.set(rows[known], values[known].tolist())
            renamed |= changed and name == "name"
            texts.extend(values[~known].tolist())
        return renamed

    def pack_texts(self) -> bool:
        """Pack a column of which many texts changed; return whether there was one.

        It takes 2 ms with 12,000 photos. Texts not packed take several times the memory.
        """
        return any(texts.pack_if_many() for texts in self._texts.values())

    def camera_numbers(self, joined: str) -> Ids:
        """Return the numbers of cameras whose names are joined by NULs; a new name gets one."""
        names = [name or "" for name in split(joined)]
        self._number_cameras(names)
        return np.array([*map(self._camera_numbers.__getitem__, names)])

    def _number_cameras(self, names: Sequence[str]) -> None:
        numbers = self._camera_numbers
        for name in dict.fromkeys(names):
            numbers.setdefault(name, len(numbers))
        self.cameras += [*numbers][len(self.cameras) :]

    # --- saving and restoring

    def dump(self, rows: Ids, capacity: int) -> dict[str, NDArray[Any]]:
        """Return some rows, ascending, as arrays for :meth:`restore`.

        Args:
            rows: (N,) which.
            capacity: the length of the numeric columns; after the rows is room for more photos.
        """
        columns = {"id": self._ids, **self._numbers}
        dumped = {name: padded(column[rows], capacity) for name, column in columns.items()}
        for name, texts in self._texts.items():
            dumped[name], dumped[f"{name}.ends"] = texts.dump(rows)
        cameras = Texts()
        cameras.extend(self.cameras)
        dumped["cameras"], dumped["cameras.ends"] = cameras.dump(np.arange(len(cameras)))
        return dumped | {"size": np.array(len(rows)), "rev": np.array(self.rev)}

    def restore(self, dumped: Mapping[str, NDArray[Any]]) -> None:
        """Use what :meth:`dump` returned, without copying it."""
        self.size, self.rev = int(dumped["size"]), int(dumped["rev"])
        self._ids = dumped["id"]
        self._numbers = {name: dumped[name] for name in NUMBERS}
        for name, texts in self._texts.items():
            texts.restore(dumped[name], dumped[f"{name}.ends"])
        cameras = Texts()
        cameras.restore(dumped["cameras"], dumped["cameras.ends"])
        self._number_cameras([str(name) for name in cameras])
        self._reach(int(self.ids.max(initial=0)))
        self._row_by_id[self.ids] = np.arange(self.size)

    def release_texts(self) -> None:
        """Return the memory of texts to the system, as far as a file holds them."""
        for texts in self._texts.values():
            texts.release()

    def _reach(self, photo_id: int) -> None:
        if photo_id >= len(self._row_by_id):
            wider = np.full(max(photo_id + 1, 2 * len(self._row_by_id)), -1, np.int64)
            wider[: len(self._row_by_id)] = self._row_by_id
            self._row_by_id = wider

    # --- columns

    @property
    def capacity(self) -> int:
        """The number of rows allocated."""
        return len(self._ids)

    @property
    def ids(self) -> Ids:
        """Photo ids by row."""
        return self._ids[: self.size]

    def column(self, name: str) -> NDArray[Any]:
        """Return one numeric column, a view of length ``size``."""
        return self._numbers[name][: self.size]

    def texts(self, name: str) -> Texts:
        """Return one column of text (``name``, ``thumb``, ``proxy``)."""
        return self._texts[name]

    def numbers_at(self, rows: Ids, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return numeric columns in some rows, by name."""
        return {name: self._numbers[name][rows] for name in names}

    def texts_at(self, rows: Ids, names: Sequence[str]) -> list[list[Any]]:
        """Return text columns in some rows, in the order of ``names``."""
        return [self._texts[name].at(rows) for name in names]

    # --- from ids to rows

    def row(self, photo_id: int) -> int:
        """Return the row of a known photo."""
        return self._row_by_id.item(photo_id)

    def rows_of(self, ids: Sequence[int] | Ids) -> NDArray[np.int64]:
        """Return the rows of known photos, in the same order."""
        return self._row_by_id[np.asarray(ids, np.int64)]

    def __contains__(self, photo_id: object) -> bool:
        """Whether a photo of this id is known."""
        return (
            isinstance(photo_id, int)
            and 0 <= photo_id < len(self._row_by_id)
            and self._row_by_id.item(photo_id) >= 0
        )

    def knows(self, ids: Ids) -> Mask:
        """Mark the ids of known photos."""
        inside = (ids >= 0) & (ids < len(self._row_by_id))
        found: Mask = inside.copy()
        found[inside] = self._row_by_id[ids[inside]] >= 0
        return found

    def rows_of_known(self, ids: Ids) -> Ids:
        """Return the rows of those of the ids whose photos are known, in the same order."""
        return self._row_by_id[ids[self.knows(ids)]]

    def marked(self, ids: Sequence[int] | Ids) -> Mask:
        """Mark the rows of photos; unknown ids are ignored."""
        wanted = np.asarray(ids, np.int64)
        rows = self._row_by_id[wanted[wanted < len(self._row_by_id)]]
        found = np.zeros(self.size, bool)
        found[rows[rows >= 0]] = True
        return found

    # --- masks and marks

    def rejected(self) -> Mask:
        """Mark the photos flagged as rejects."""
        return self.column("flag") == FLAG_CODE[Flag.REJECT]

    def picked(self) -> Mask:
        """Mark the picks."""
        return self.column("flag") == FLAG_CODE[Flag.PICK]

    def kept(self) -> Mask:
        """Mark the photos whose verdict is kept: as :attr:`Marks.verdict`, by column."""
        kept = self.column("kept") | self.picked() | (self.column("rating") > 0)
        return kept & ~self.rejected()

    def unreviewed(self) -> Mask:
        """Mark the photos that are neither kept nor rejected."""
        return ~(self.kept() | self.rejected())

    def failed(self) -> Mask:
        """Mark the photos that could not be read."""
        return self.column("state") == STATE_CODE["failed"]

    def failed_at(self, rows: Ids) -> Mask:
        """Return whether the photos of some rows could not be read."""
        failed: Mask = self._numbers["state"][rows] == STATE_CODE["failed"]
        return failed

    def marks(self, photo_id: int) -> Marks:
        """Return the four fields a person decides."""
        row = self.row(photo_id)
        return _decoded(*(self._numbers[name].item(row) for name in MARKS))

    def marks_of(self, photo_ids: Sequence[int]) -> list[Marks]:
        """Return the marks of several photos, in the same order."""
        rows = self.rows_of(photo_ids)
        fields = (self._numbers[name][rows].tolist() for name in MARKS)
        return [_decoded(*coded) for coded in zip(*fields, strict=True)]


@lru_cache(maxsize=1024)
def _decoded(flag: int, rating: int, label: int, kept: bool) -> Marks:
    """Decode the columns of MARKS; equal marks are one object."""
    return Marks(FLAGS[flag], rating or None, LABELS[label], kept)
