"""All tags of all photos in memory, for counts, completions and searches for kinds of things.

The tag cloud, completions and the chips of a selection need counts over a million rows within
milliseconds, where SQL takes seconds. The index reads all tags in pieces at first use; from then on
it reads those of changed photos. The table owns it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog, folded
from curator.catalog.store import numbers
from curator.library.nouns import nouns
from curator.library.spans import Ids

CONFIRMED = 100
"""The confidence of a confirmed tag; suggestions have less."""
_AT_ONCE = 1500  # photos read at a time: some 8 ms
_COMPLETIONS = 8
_NO_IDS: Ids = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag with its number of photos, and on how many of them it is confirmed."""

    name: str
    count: int
    confirmed: int
    category: str | None = None


@dataclass(frozen=True, slots=True)
class TagGroup:
    """Tags of one kind, such as birds: its name, the number of its photos, and the tags.

    The photos are those a search for the kind finds: also those of more special groups.
    """

    name: str
    count: int
    tags: tuple[TagCount, ...]


class TagIndex:
    """Which photo has which tag, how certain it is, in columns: a row for each pair.

    Attributes:
        complete: whether everything written up to the last :meth:`read` has been read.
        serial: grows whenever tags of photos have been read.

    Thread: the owner of ``catalog``.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._rev, self._tags_rev = 0, -1
        self._photo = self._tag = np.zeros(0, np.int32)
        self._sure = np.zeros(0, np.int8)  # confidence, 100 if confirmed
        self._encoder = np.zeros(0, bool)  # whether the encoder suggests it
        self._was_read = np.zeros(0, bool)  # by photo id: whether it may have rows here
        self._names: dict[int, str] = {}
        self._categories: dict[int, str | None] = {}
        self._present: Ids = _NO_IDS  # by tag id: the tag it was merged into, or itself
        self._by_use: list[TagCount] = []
        self._folded: list[str] = []  # the names of these, folded
        self._counted_at = -1  # the serial they were counted at
        self.complete = False
        self.serial = 0

    def read(self) -> bool:
        """Read the next photos whose tags may have changed; return whether there are more."""
        rev = self._catalog.tags.revision()
        if rev != self._tags_rev:
            self._tags_rev, self.complete = rev, False
            self._read_names()
        if self.complete:
            return False
        last, ids, pairs, states, sure = self._catalog.tags.links(self._rev, _AT_ONCE)
        self._rev = last
        photos = numbers(ids)
        self.complete = len(photos) < _AT_ONCE
        if len(photos):
            pairs_ = numbers(pairs).reshape(-1, 2)
            self._replace(photos, pairs_, numbers(states), numbers(sure))
            self.serial += 1
        return not self.complete

    def read_all(self) -> None:
        """Read all changes: half a second for the first time at 100,000 photos, else little."""
        while self.read():
            pass

    def _read_names(self) -> None:
        rows = self._catalog.tags.rows()
        self._present = np.arange(max((row[0] for row in rows), default=0) + 1)
        for tag, _, _, into in rows:
            self._present[tag] = into or tag
        self._names = {row[0]: row[1] for row in rows}
        self._categories = {row[0]: row[2] for row in rows}
        self._counted_at = -1

    def _replace(self, ids: Ids, pairs: Ids, states: Ids, sure: Ids) -> None:
        """Replace the tags of photos, with values from `curator.catalog.tags.Tags.links`.

        Args:
            ids: of all these photos.
            pairs: (N, 2) ids of photo and tag.
            states: (N,) 3 confirmed and 4 removed by the person, 2 from a file, suggested 1 by the
                encoder and 0 by a vision model.
            sure: (N,) confidences of suggestions, 0-100.
        """
        missing = int(ids.max()) + 1 - len(self._was_read)
        if missing > 0:
            more = np.zeros(max(missing, len(self._was_read)), bool)
            self._was_read = np.append(self._was_read, more)
        known = ids[self._was_read[ids]]
        self._was_read[ids] = True
        if len(known):
            changed = np.zeros(len(self._was_read), bool)
            changed[known] = True
            stay = ~changed[self._photo]
            self._photo, self._tag = self._photo[stay], self._tag[stay]
            self._sure, self._encoder = self._sure[stay], self._encoder[stay]
        if not len(pairs):
            return
        photo, tag = pairs.T
        if int(tag.max()) >= len(self._present):  # a tag created since the names were read
            self._read_names()
        present = self._present[tag]
        # Of several states of a tag and those merged into it, the highest rank counts: the person's
        # on the tag itself, then the person's on a merged tag (confirmed before removed), a file's,
        # the most confident machine's. See `curator.catalog.tags.EFFECTIVE_TAGS`.
        yes, no, own = states == 3, states == 4, tag == present
        encoder = states == 1
        rank = np.select([yes & own, no & own, yes, no], [7, 6, 5, 4], np.maximum(states, 1))
        # One sort finds it. A number holds, from its high bits: photo and tag, 3 bits of rank, 7 of
        # confidence, and whether the encoder suggests it.
        packed = photo * len(self._present) + present
        packed = ((packed << 3 | rank) << 7 | sure) << 1 | encoder
        packed.sort()
        key, rank, sure, encoder = packed >> 11, packed >> 8 & 7, packed >> 1 & 127, packed & 1 > 0
        stay = np.append(key[1:] != key[:-1], True) & (rank != 4) & (rank != 6)
        photo, present = np.divmod(key[stay], len(self._present))
        self._photo = np.concatenate([self._photo, photo.astype(np.int32)])
        self._tag = np.concatenate([self._tag, present.astype(np.int32)])
        sure = np.where(rank > 1, CONFIRMED, np.minimum(sure, CONFIRMED - 1))[stay]
        self._sure = np.concatenate([self._sure, sure.astype(np.int8)])
        self._encoder = np.concatenate([self._encoder, encoder[stay]])

    def having(self, tags: Collection[int]) -> tuple[Ids, Ids, Ids, NDArray[np.bool_]]:
        """Return the rows of some tags.

        Returns:
            photos, tags, confidences (CONFIRMED if confirmed), and whether the encoder suggests it.
        """
        rows = self._rows(tags)
        found = (column[rows].astype(np.int64) for column in (self._photo, self._tag, self._sure))
        photo, tag, sure = found
        return photo, tag, sure, self._encoder[rows]

    def counts(self, photos: Ids | None = None) -> list[TagCount]:
        """Return the tags of these photos, or of all photos if None; the most used first."""
        tag, sure = self._tag, self._sure == CONFIRMED
        if photos is not None:
            among = self._by_photo(photos)[self._photo]
            tag, sure = tag[among], sure[among]
        counts = np.bincount(tag, minlength=1)
        confirmed = np.bincount(tag[sure], minlength=len(counts))
        used = np.flatnonzero(counts)
        used = used[np.argsort(-counts[used], kind="stable")]
        return [
            TagCount(
                self._names.get(each, ""),
                int(counts[each]),
                int(confirmed[each]),
                self._categories.get(each),
            )
            for each in used.tolist()
        ]

    def groups(self, tags: Sequence[TagCount], photos: Ids) -> list[TagGroup]:
        """Return the groups that two or more of some tags belong to.

        Args:
            tags: as of :meth:`counts` for these photos.
            photos: the photos to count.
        """
        inside: dict[str, list[TagCount]] = {}
        for tag in tags:
            for group in nouns().groups_of(tag.name, tag.category):
                inside.setdefault(group, []).append(tag)
        groups = [group for group, some in inside.items() if len(some) > 1]
        bits = np.zeros(len(self._present), np.uint64)  # by tag: in which groups it is
        for number in np.flatnonzero(np.bincount(self._tag)).tolist():
            name = self._names.get(number, "")
            known = nouns().all_groups_of(name, self._categories.get(number))
            bits[number] = sum(1 << at for at, group in enumerate(groups) if group in known)
        rows = np.flatnonzero(bits[self._tag] > 0)
        rows = rows[np.argsort(self._photo[rows], kind="stable")]
        having, first = np.unique(self._photo[rows], return_index=True)
        of_photo = np.bitwise_or.reduceat(bits[self._tag[rows]], first) if len(rows) else bits[:0]
        of_photo = of_photo[self._by_photo(photos)[having]]
        return [
            TagGroup(group, int((of_photo & np.uint64(1 << at) > 0).sum()), tuple(inside[group]))
            for at, group in enumerate(groups)
        ]

    def _rows(self, tags: Collection[int]) -> Ids:
        wanted = np.zeros(len(self._present), bool)
        wanted[list(tags)] = True
        return np.flatnonzero(wanted[self._tag])

    def _by_photo(self, photos: Ids) -> NDArray[np.bool_]:
        """Mark photos by id, up to the last one with tags."""
        wanted = np.zeros(int(self._photo.max(initial=0)) + 1, bool)
        wanted[photos[photos < len(wanted)]] = True
        return wanted

    def completions(self, text: str) -> list[TagCount]:
        """Return at most eight tags: named so, beginning so, with a word beginning so.

        Within each group the most used tags come first.
        """
        self._count()
        wanted = folded(text.strip())
        same, begins, inside = [], [], []
        for tag, name in zip(self._by_use, self._folded, strict=True):
            if name == wanted:
                same.append(tag)
            elif name.startswith(wanted):
                begins.append(tag)
            elif f" {wanted}" in name:
                inside.append(tag)
        return [*same, *begins, *inside][:_COMPLETIONS]

    def kinds_of(self, word: str) -> list[TagCount]:
        """Return the tags that are kinds of a word, the most used first, without the word."""
        self._count()
        own = nouns().singular(word)
        return [
            tag
            for tag in self._by_use
            if nouns().is_kind(tag.name, word, tag.category) and nouns().singular(tag.name) != own
        ]

    def _count(self) -> None:
        if self._counted_at != self.serial:
            self._by_use = self.counts()
            self._folded = [folded(each.name) for each in self._by_use]
            self._counted_at = self.serial
