"""Results of the catalog's text index, cached until the index changes.

`Table` keeps them, so that a mark does not repeat the search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np

from curator.catalog import Catalog
from curator.library.spans import Ids, Mask

_CACHED = 64  # results; each has some hundred thousand ids at most
_WORD = re.compile(r"[^\W_]+")


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
        """Create an empty cache; ``marked`` turns photo ids into a mask."""
        self._catalog, self._marked = catalog, marked
        self._found: dict[tuple[object, ...], Ids] = {}
        self._ranked: dict[tuple[object, ...], Ids] = {}
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
            self._found, self._ranked, self._revs = {}, {}, rev

    def _mask(
        self, kind: str, search: Callable[..., Sequence[int] | Ids], *arguments: object
    ) -> Mask:
        self._drop_outdated()
        key = kind, *arguments
        if key not in self._found:
            self._found[key] = np.asarray(search(*arguments), np.int64)
        return self._marked(self._found[key])
