"""A column of texts, one per row: UTF-8 bytes in one array, and later changes in a dict.

A million names as Python strings are 70 MB and half a second of reading. As bytes, which may be
those of a mapped file, a text is decoded when it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog.photos import NO_TEXT
from curator.library import column_file
from curator.library.spans import Ids

_MANY = 1000  # texts that are worth packing at once


class Texts:
    """Texts by row, None among them.

    Thread: the table's.
    """

    def __init__(self) -> None:
        self._packed = np.zeros(0, np.uint8)  # each text ends with a NUL
        self._ends: Ids = np.zeros(0, np.int64)  # where each text ends in those bytes, its NUL
        self._parts: list[tuple[NDArray[np.uint8], Ids]] = []  # packed, to be appended to these
        self._changed: dict[int, str | None] = {}  # texts by row that are not packed
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, row: int) -> str | None:
        """Return the text of a row."""
        self._join_parts()
        if row in self._changed:
            return self._changed[row]
        begin = self._ends.item(row - 1) + 1 if row else 0
        return _decoded(self._packed.data[begin : self._ends.item(row)])

    def at(self, rows: Ids) -> list[Any]:
        """Return the texts of some rows, which is faster than one by one."""
        self._join_parts()
        changed = self._changed
        if not len(self._ends):
            return [changed[row] for row in rows.tolist()]
        packed = np.minimum(rows, len(self._ends) - 1)  # rows behind these are in the dict
        ends = self._ends[packed]
        begins = np.where(packed > 0, self._ends[packed - 1] + 1, 0)
        texts = self._packed.data
        places = zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True)
        return [
            changed[row] if row in changed else _decoded(texts[begin:end])
            for row, begin, end in places
        ]

    def __iter__(self) -> Iterator[str | None]:
        """Return the texts of all rows, which is faster than one by one."""
        self._join_parts()
        found: list[Any] = _unpack(self._packed)
        found += [None] * (self._size - len(found))
        for row, text in self._changed.items():
            found[row] = text
        return iter(found)

    def extend(self, texts: Sequence[str | None]) -> None:
        """Append rows."""
        if self._takes_part(len(texts)):
            self._parts.append(_pack(texts))
        else:
            self._changed.update(enumerate(texts, self._size))
        self._size += len(texts)

    def extend_joined(self, joined: str) -> None:
        """Append rows joined by NULs, `NO_TEXT` for None; many are not split."""
        packed, ends = _ended(f"{joined}\0")
        if self._takes_part(len(ends)):
            self._parts.append((packed, ends))
            self._size += len(ends)
        else:
            self.extend(split(joined))

    def _takes_part(self, count: int) -> bool:
        """Whether so many texts are packed at once, as all before them are."""
        packed = len(self._ends) + sum(len(ends) for _, ends in self._parts)
        return packed == self._size and count >= min(self._size, _MANY)

    def set(self, rows: Ids, texts: Sequence[str | None]) -> bool:
        """Set the texts of some rows; return whether any of them was another one before."""
        now = zip(rows.tolist(), texts, self.at(rows), strict=True)
        changed = {row: text for row, text, before in now if text != before}
        self._changed.update(changed)
        return bool(changed)

    def pack_if_many(self) -> bool:
        """Pack all texts again if many are in the dict, which takes several times the memory.

        Returns:
            Whether it did.
        """
        many = len(self._changed) > max(_MANY, self._size // 8)
        if many:
            self.restore(*_pack(list(self)))
        return many

    def _join_parts(self) -> None:
        if self._parts:
            parts = [(self._packed, self._ends), *self._parts]
            begins = np.cumsum([0, *(len(packed) for packed, _ in parts)])
            self._packed = np.concatenate([packed for packed, _ in parts])
            ends = (ends + begin for (_, ends), begin in zip(parts, begins[:-1], strict=True))
            self._ends = np.concatenate([*ends])
            self._parts = []

    # --- saving and restoring

    def dump(self, rows: Ids) -> tuple[NDArray[np.uint8], Ids]:
        """Return the texts of some rows for :meth:`restore`.

        Args:
            rows: (N,) which, ascending.

        Returns:
            (bytes,) the texts in UTF-8, each followed by a NUL, and (N,) the index of each NUL.
        """
        self._join_parts()
        if not self._changed and len(rows) == self._size:
            return self._packed, self._ends
        texts = list(self)
        return _pack([texts[row] for row in rows.tolist()])

    def restore(self, packed: NDArray[np.uint8], ends: Ids) -> None:
        """Use packed texts, without copying them; they become read-only."""
        self._packed, self._ends, self._parts, self._changed = packed, ends, [], {}
        packed.flags.writeable = ends.flags.writeable = False
        self._size = len(ends)

    def release(self) -> None:
        """Return the memory of texts in a mapped file to the system until they are read again."""
        column_file.release(self._packed)
        column_file.release(self._ends)


def _pack(texts: Sequence[str | None]) -> tuple[NDArray[np.uint8], Ids]:
    listed = [NO_TEXT if text is None else text for text in texts]
    packed, ends = _joined(listed)
    if len(ends) != len(listed):  # no file is named with a NUL, but a damaged catalog may say so
        packed, ends = _joined([text.replace("\0", "") for text in listed])
    return packed, ends


def _joined(texts: Sequence[str]) -> tuple[NDArray[np.uint8], Ids]:
    return _ended("\0".join([*texts, ""]))


def _ended(texts: str) -> tuple[NDArray[np.uint8], Ids]:
    packed = np.frombuffer(texts.encode("utf-8", "surrogatepass"), np.uint8)
    return packed, np.flatnonzero(packed == 0)


def split(joined: str) -> list[str | None]:
    """Return texts that are joined by NULs, one at least."""
    return [None if text == NO_TEXT else text for text in joined.split("\0")]


def _unpack(packed: NDArray[np.uint8]) -> list[str | None]:
    return split(packed.tobytes().decode("utf-8", "surrogatepass"))[:-1]


def _decoded(packed: memoryview) -> str | None:
    text = str(packed, "utf-8", "surrogatepass")
    return None if text == NO_TEXT else text
