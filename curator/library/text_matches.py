"""What the catalog finds by words and tags, cached until either changes.

`Table` keeps it, so that a mark does not repeat the search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.library.nouns import joined, nouns
from curator.library.spans import Ids, Mask
from curator.library.tag_index import CONFIRMED, TagIndex

_CACHED = 64  # results
_CACHED_BYTES = 64e6  # a word found in half of a million photos holds 2 MB, a kind of things 16
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
    """Why a photo was found by a word: it has tags that are kinds of it, or mention it.

    Attributes:
        tags: at most two of those that make the confidence.
        more: how many others make it, too.
        word: the word searched for.
        confidence: how certain the photo shows what they name; CONFIRMED if a person says so.
        told: whether the tags are kinds that need an explanation: heron is a bird.
        mentioned: whether the tags only mention the word, as house finch does for "house".
    """

    tags: Sequence[str]
    more: int
    word: str
    confidence: int
    told: bool
    mentioned: bool

    @property
    def short(self) -> str:
        """The tags and how certain they are: "heron 61 %"."""
        tags = joined(self.tags, self.more)
        return tags if self.confidence == CONFIRMED else f"{tags} {self.confidence} %"

    def __str__(self) -> str:
        """Return the reason in words: "heron is a bird, suggested 61 %"."""
        why = joined(self.tags, self.more)
        if self.mentioned:
            why = f"tag {why}"
        elif self.told:
            why = nouns().sentence(self.tags, self.word, self.more)
        return why if self.confidence == CONFIRMED else f"{why}, suggested {self.confidence} %"


@dataclass(frozen=True, eq=False)
class KindMatches:
    """Photos whose tags are kinds of a word, or mention it: a search for birds finds herons.

    What the encoder suggests shares one certainty, so its confidences add up. Those of a vision
    model do not, and the confidences of both are never added.

    Attributes:
        word: the word searched for.
        mentioned: whether the tags only mention the word.
        ids: (N,) the photos, ascending.
        confidence: (N,) 1-99; 100 if one of the tags is confirmed.
        tags: the ids of the tags that make the confidence, of all photos, the most confident of
            each first.
        starts: (N,) where those of a photo begin.
        names: the names of the tags by id.
    """

    word: str
    mentioned: bool
    ids: Ids
    confidence: NDArray[np.int64]
    tags: Ids
    starts: Ids
    names: Mapping[int, str]

    def reasons(self, photo_ids: Sequence[int]) -> dict[int, KindReason]:
        """Return why some photos were found, except by a confirmed tag that is the word itself."""
        if not len(self.ids):
            return {}
        found, stops = {}, np.append(self.starts[1:], len(self.tags))
        for photo, place in zip(photo_ids, np.searchsorted(self.ids, photo_ids), strict=True):
            if place < len(self.ids) and self.ids[place] == photo:
                sure = int(self.confidence[place])
                tags = [self.names[t] for t in self.tags[self.starts[place] : stops[place]]]
                same = self._is_word(tags)
                if not same or sure < CONFIRMED:
                    shown = tags[:_NAMED]
                    more = len(tags) - len(shown)
                    found[photo] = KindReason(
                        shown, more, self.word, sure, not same, self.mentioned
                    )
        return found

    def _is_word(self, tags: Sequence[str]) -> bool:
        """Whether one of some tags is the word itself."""
        own = nouns().singular(self.word)
        return any(nouns().singular(tag) == own for tag in tags)


class TextMatches:
    """Photos found by words, as masks over the rows of a table.

    Thread: the catalog's.
    """

    def __init__(self, catalog: Catalog, tags: TagIndex, marked: Callable[[Ids], Mask]) -> None:
        """Create an empty cache; ``marked`` turns photo ids into a mask."""
        self._catalog, self._tags, self._marked = catalog, tags, marked
        self._found: dict[tuple[object, ...], NDArray[np.int32]] = {}
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
            mentioned: instead by other tags with the word in their names, as "car wheel" for "car".
        """
        self._drop_outdated()
        if (word, mentioned) not in self._kinds:
            self._kinds[word, mentioned] = self._find_kinds(word, mentioned)
        return self._kinds[word, mentioned]

    def _find_kinds(self, word: str, mentioned: bool) -> KindMatches:
        wanted, written = nouns().kinds(word), words_of(word)
        names = {}
        for tag, name, category, merged in self._catalog.tags.rows() if wanted else ():
            if merged is None:
                is_kind = not wanted.isdisjoint(nouns().above(name, category))
                inside = len(written) == 1 and written[0] in words_of(name)
                if inside and not is_kind if mentioned else is_kind:
                    names[tag] = name
        if not names:
            return KindMatches(word, mentioned, _NO_IDS, _NO_IDS, _NO_IDS, _NO_IDS, {})
        self._tags.read_all()
        photo, tag, sure, encoder = self._tags.having(names)
        order = np.lexsort((-sure, photo))
        photo, tag, sure, encoder = photo[order], tag[order], sure[order], encoder[order]
        ids, of_photo = np.unique(photo, return_inverse=True)
        total = np.bincount(of_photo[encoder], sure[encoder], len(ids)).astype(np.int64)
        total = np.minimum(total, CONFIRMED - 1)
        single = np.full(len(ids), -1)
        np.maximum.at(single, of_photo[~encoder], sure[~encoder])
        confidence = np.maximum(np.maximum(total, single), 1)
        # Those that make the number: all of the encoder, or the first of the others.
        others = np.flatnonzero(~encoder)
        counts = np.zeros(len(photo), bool)
        counts[others[np.unique(photo[others], return_index=True)[1]]] = True
        counts = np.where((total > single)[of_photo], encoder, counts)
        starts = np.unique(photo[counts], return_index=True)[1]
        return KindMatches(word, mentioned, ids, confidence, tag[counts], starts, names)

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
        held = sum(each.nbytes for each in self._found.values())
        held += sum(each.nbytes for each in self._ranked.values())
        held += sum(4 * each.ids.nbytes for each in self._kinds.values())
        if rev != self._revs or len(self._found) > _CACHED or held > _CACHED_BYTES:
            self._found, self._ranked, self._kinds, self._revs = {}, {}, {}, rev

    def _mask(
        self, kind: str, search: Callable[..., Sequence[int] | Ids], *arguments: object
    ) -> Mask:
        self._drop_outdated()
        key = kind, *arguments
        if key not in self._found:
            self._found[key] = np.asarray(search(*arguments), np.int32)
        return self._marked(self._found[key].astype(np.int64))
