"""What the catalog finds by words and tags, cached until either changes.

`Table` keeps it, so that a mark does not repeat the search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.library.nouns import nouns
from curator.library.spans import Ids, Mask
from curator.library.tag_index import CONFIRMED, TagIndex

_CACHED = 64  # results; each has some hundred thousand ids at most
_NO_IDS: Ids = np.zeros(0, np.int64)
_NAMED = 2  # tags of a photo that explain why it was found
_WORD = re.compile(r"[^\W_]+")


def words_of(name: str) -> list[str]:
    """Split a name into words as the text index does, ignoring case and accents."""
    bare = name.casefold()
    if not bare.isascii():
        letters = unicodedata.normalize("NFKD", bare)
        bare = "".join(char for char in letters if not unicodedata.combining(char))
    return _WORD.findall(bare)


class KindReason(NamedTuple):
    """Why a photo was found by a word: its tags are kinds of it, with this confidence."""

    tags: str
    word: str
    confidence: int

    @property
    def short(self) -> str:
        """The tags and how certain they are: "heron 61 %"."""
        return self.tags if self.confidence == CONFIRMED else f"{self.tags} {self.confidence} %"

    def __str__(self) -> str:
        """Return the reason in words: "heron is a bird, suggested 61 %"."""
        why = nouns().sentence([self.tags], self.word)
        return why if self.confidence == CONFIRMED else f"{why}, suggested {self.confidence} %"


@dataclass(frozen=True, eq=False)
class KindMatches:
    """Photos whose tags are kinds of a word: a search for birds finds herons.

    Attributes:
        word: the word searched for.
        ids: (N,) the photos, ascending.
        confidence: (N,) 1-99, summed over the tags of a photo; 100 if one of them is confirmed.
        tags: the ids of the tags of all photos, the most confident of each first.
        starts: (N,) where those of a photo begin.
        names: the names of the tags by id.
    """

    word: str
    ids: Ids
    confidence: NDArray[np.int64]
    tags: Ids
    starts: Ids
    names: dict[int, str]

    def reasons(self, photo_ids: Sequence[int]) -> dict[int, KindReason]:
        """Return why some photos were found, except by a tag that is the word itself."""
        if not len(self.ids):
            return {}
        found, stops = {}, np.append(self.starts[1:], len(self.tags))
        for photo, place in zip(photo_ids, np.searchsorted(self.ids, photo_ids), strict=True):
            if place < len(self.ids) and self.ids[place] == photo:
                sure = int(self.confidence[place])
                most = 1 if sure == CONFIRMED else _NAMED
                tags = self.tags[self.starts[place] : stops[place]][:most].tolist()
                if nouns().singular(self.names[tags[0]]) != nouns().singular(self.word):
                    names = " or ".join(self.names[tag] for tag in tags)
                    found[photo] = KindReason(names, self.word, sure)
        return found


class TextMatches:
    """Photos found by words, as masks over the rows of a table.

    Thread: the catalog's.
    """

    def __init__(self, catalog: Catalog, tags: TagIndex, marked: Callable[[Ids], Mask]) -> None:
        """Create an empty cache; ``marked`` turns photo ids into a mask."""
        self._catalog, self._tags, self._marked = catalog, tags, marked
        self._found: dict[tuple[object, ...], Ids] = {}
        self._ranked: dict[tuple[object, ...], Ids] = {}
        self._kinds: dict[tuple[str, bool], KindMatches] = {}
        self._revs = (-1, -1)

    def matching(self, text: str, column: str = "", prefix: bool = True) -> Mask:
        """Mark photos that contain words, as `curator.catalog.text` finds them."""
        return self._mask("words", self._catalog.text.photos_with, text, column, prefix)

    def without(self, what: str) -> Mask:
        """Mark photos without a tag, project, camera or lens."""
        return self._mask("without", self._catalog.text.photos_without, what)

    def tagged(self, name: str) -> Mask:
        """Mark photos with a tag."""
        return self._mask("tag", self._catalog.tags.photos_with, name)

    def kinds(self, word: str, mentioned: bool = False) -> KindMatches:
        """Find photos by tags that are kinds of a word, a plural or another word for it.

        Args:
            word: as typed; one that is in no table finds nothing.
            mentioned: also by tags with the word in their names, as "car wheel" for "car".
        """
        self._drop_outdated()
        if (word, mentioned) not in self._kinds:
            self._kinds[word, mentioned] = self._find_kinds(word, mentioned)
        return self._kinds[word, mentioned]

    def _find_kinds(self, word: str, mentioned: bool) -> KindMatches:
        wanted, written = nouns().kinds(word), words_of(word)
        names = {
            tag: name
            for tag, name, _, merged in (self._catalog.tags.rows() if wanted else ())
            if merged is None
            and (
                not wanted.isdisjoint(nouns().above(name))
                or (mentioned and len(written) == 1 and written[0] in words_of(name))
            )
        }
        if not names:
            return KindMatches(word, _NO_IDS, _NO_IDS, _NO_IDS, _NO_IDS, {})
        self._tags.read_all()
        photo, tag, sure = self._tags.having(names)
        order = np.lexsort((-sure, photo))
        ids, first = np.unique(photo[order], return_index=True)
        total = np.add.reduceat(sure[order], first) if len(ids) else _NO_IDS
        confirmed = sure[order][first] == CONFIRMED
        confidence = np.where(confirmed, CONFIRMED, np.clip(total, 1, CONFIRMED - 1))
        return KindMatches(word, ids, confidence, tag[order], first, names)

    def typed(self, content_type: str) -> Mask:
        """Mark photos described as of a content type."""
        return self._mask("type", self._catalog.text.photos_of_type, content_type)

    def ranked(self, groups: Sequence[Sequence[tuple[str, bool]]]) -> Ids:
        """List photos by how well their words match, best first; empty if too many match."""
        self._drop_outdated()
        key = tuple(map(tuple, groups))
        if key not in self._ranked:
            self._ranked[key] = self._catalog.text.ranked(groups)
        return self._ranked[key]

    @property
    def rev(self) -> tuple[int, int]:
        """The revision of tags and texts; a new value means that words changed somewhere."""
        return self._catalog.tags.revision(), self._catalog.text.revision()

    def _drop_outdated(self) -> None:
        """Empty the cache if the index changed, or if too much is cached."""
        rev = self.rev
        if rev != self._revs or len(self._found) > _CACHED:
            self._found, self._ranked, self._kinds, self._revs = {}, {}, {}, rev

    def _mask(
        self, kind: str, search: Callable[..., Sequence[int] | Ids], *arguments: object
    ) -> Mask:
        self._drop_outdated()
        key = kind, *arguments
        if key not in self._found:
            self._found[key] = np.asarray(search(*arguments), np.int64)
        return self._marked(self._found[key])
