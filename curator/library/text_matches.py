"""Caches results of the text index until the index changes, so that marks cost no new search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np

from curator.catalog import Catalog
from curator.library.spans import Ids, Mask

_KEPT = 64  # answers to remember; each has some hundred thousand ids at most
_WORD = re.compile(r"[^\W_]+")
Question = tuple[str | bool, ...]


def words_of(name: str) -> list[str]:
    """Split a name into words as the text index does, ignoring case and accents."""
    bare = name.casefold()
    if not bare.isascii():
        letters = unicodedata.normalize("NFKD", bare)
        bare = "".join(char for char in letters if not unicodedata.combining(char))
    return _WORD.findall(bare)


class TextMatches:
    """Photos found by words, as masks over the rows of a table.

    Thread: the catalog's.
    """

    def __init__(self, catalog: Catalog, marked: Callable[[Ids], Mask]) -> None:
        """Set up without asking; ``marked`` turns photo ids into a mask."""
        self._catalog, self._marked = catalog, marked
        self._answers: dict[Question, Ids] = {}
        self._ranked: dict[tuple[object, ...], Ids] = {}
        self._revs = (-1, -1)

    def matching(self, text: str, column: str = "", prefix: bool = True) -> Mask:
        """Mark photos that contain words; see `TextIndex.photos_with`."""
        return self._of(
            ("words", text, column, prefix), self._catalog.text.photos_with, text, column, prefix
        )

    def without(self, what: str) -> Mask:
        """Mark photos without a tag, project, camera or lens."""
        return self._of(("without", what), self._catalog.text.photos_without, what)

    def tagged(self, name: str) -> Mask:
        """Mark photos with a tag."""
        return self._of(("tag", name), self._catalog.tags.photos_with, name, True)

    def typed(self, content_type: str) -> Mask:
        """Mark photos described as of a content type."""
        return self._of(("type", content_type), self._catalog.text.photos_of_type, content_type)

    def ranked(self, groups: Sequence[Sequence[tuple[str, bool]]]) -> Ids:
        """List photos by how well their words match, best first; empty if too many match."""
        self._look()
        asked = tuple(map(tuple, groups))
        if asked not in self._ranked:
            self._ranked[asked] = self._catalog.text.ranked(groups)
        return self._ranked[asked]

    @property
    def rev(self) -> tuple[int, int]:
        """The revision of the answers; a new value means that words changed somewhere."""
        return self._catalog.tags.revision(), self._catalog.text.revision()

    def _look(self) -> None:
        """Forget answers that are outdated, or when too many are remembered."""
        rev = self.rev
        if rev != self._revs or len(self._answers) > _KEPT:
            self._answers, self._ranked, self._revs = {}, {}, rev

    def _of(self, asked: Question, ask: Callable[..., Sequence[int] | Ids], *about: object) -> Mask:
        self._look()
        if asked not in self._answers:
            self._answers[asked] = np.asarray(ask(*about), np.int64)
        return self._marked(self._answers[asked])
