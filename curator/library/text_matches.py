"""What the catalog found for words, kept until it changes: a mark under a search asks nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np

from curator.catalog import Catalog
from curator.library.spans import Ids, Mask

_KEPT = 64  # answers; some hundred thousand ids at the most each
_WORD = re.compile(r"[^\W_]+")
Question = tuple[str | bool, ...]


def words_of(name: str) -> list[str]:
    """Cut a name into words as the full-text index does, case and accents apart."""
    bare = name.casefold()
    if not bare.isascii():
        letters = unicodedata.normalize("NFKD", bare)
        bare = "".join(char for char in letters if not unicodedata.combining(char))
    return _WORD.findall(bare)


class TextMatches:
    """Answers about words, as masks over the rows of a table.

    Thread: one, that of the catalog.
    """

    def __init__(self, catalog: Catalog, marked: Callable[[Ids], Mask]) -> None:
        """Make it; ``marked`` gives the rows of photos."""
        self._catalog, self._marked = catalog, marked
        self._answers: dict[Question, Ids] = {}
        self._ranked: dict[tuple[object, ...], Ids] = {}
        self._revs = (-1, -1)

    def matching(self, text: str, column: str = "", prefix: bool = True) -> Mask:
        """Mark photos with words; see :meth:`TextIndex.photos_with`."""
        return self._of(
            ("words", text, column, prefix), self._catalog.text.photos_with, text, column, prefix
        )

    def without(self, what: str) -> Mask:
        """Mark photos that have none of it; see :meth:`TextIndex.photos_without`."""
        return self._of(("without", what), self._catalog.text.photos_without, what)

    def tagged(self, name: str) -> Mask:
        """Mark photos with a tag of that name."""
        return self._of(("tag", name), self._catalog.tags.photos_with, name, True)

    def typed(self, content_type: str) -> Mask:
        """Mark photos described as of a content type."""
        return self._of(("type", content_type), self._catalog.text.photos_of_type, content_type)

    def ranked(self, groups: Sequence[Sequence[tuple[str, bool]]]) -> Ids:
        """List photos by how well their words fit, best first; empty where that tells nothing."""
        self._look()
        asked = tuple(map(tuple, groups))
        if asked not in self._ranked:
            self._ranked[asked] = self._catalog.text.ranked(groups)
        return self._ranked[asked]

    @property
    def rev(self) -> tuple[int, int]:
        """What the answers are of: another value says that words changed somewhere."""
        return self._catalog.tags.revision(), self._catalog.text.revision()

    def _look(self) -> None:
        """Forget what is no longer so, or was asked long ago."""
        rev = self.rev
        if rev != self._revs or len(self._answers) > _KEPT:
            self._answers, self._ranked, self._revs = {}, {}, rev

    def _of(self, asked: Question, ask: Callable[..., Sequence[int] | Ids], *about: object) -> Mask:
        self._look()
        if asked not in self._answers:
            self._answers[asked] = np.asarray(ask(*about), np.int64)
        return self._marked(self._answers[asked])
