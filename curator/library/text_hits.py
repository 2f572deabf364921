"""Which lines of text in a photo a search found: to explain the hit, and to mark it on the photo.

The text index says which photos match. This repeats its rules on the lines of one photo, for the
loupe, the inspector and the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from curator.catalog import Catalog
from curator.catalog.text import as_indexed, other_spellings
from curator.library.query import ANYWHERE, Query, Term
from curator.library.text_matches import words_of
from curator.model import TextLine, bidi_safe

FIELD = "text"
"""The field of the search language for text in photos."""


def hits(query: Query, lines: Sequence[TextLine]) -> list[int]:
    """Return the places of the lines with what a search looks for, ascending.

    Words without a field count, too: they also find text in photos. Of words that are in quotes or
    joined by a hyphen and go on in another line, each line with one of them is a hit.
    """
    found: set[int] = set()
    words = [_words(line.text) for line in lines]
    for term in _terms(query):
        phrase, begins = words_of(as_indexed(term.text)), not term.quoted
        if not phrase:
            continue  # symbols only: every line would begin with nothing
        joined = ["".join(phrase)]
        places = {
            place
            for place, (written, spellings) in enumerate(words)
            if _has(written, phrase, begins)
            or any(_has([each], joined, begins) for each in spellings + written)
        }
        if (
            not places
            and len(phrase) > 1
            and _has([w for each, _ in words for w in each], phrase, begins)
        ):
            places = {
                place
                for place, (written, _) in enumerate(words)
                if any(_has(written, [word], False) for word in phrase)
            }
        found |= places
    return sorted(found)


def reason(query: Query, lines: Sequence[TextLine]) -> str:
    """Return why the text in a photo matches a search, "text: EXIT 12"; empty if it does not."""
    found = hits(query, lines)
    if not found:
        return ""
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return f"text: {bidi_safe(lines[found[0]].text)}{more}"


class TextHits:
    """Why photos match a search by the text in them, cached until words change.

    Thread: the catalog's.
    """

    def __init__(self, catalog: Catalog, revision: Callable[[], object]) -> None:
        """Create an empty cache; ``revision`` returns another value after words changed."""
        self._catalog, self._revision = catalog, revision
        self._found: dict[int, str] = {}
        self._key: tuple[Query, object] | None = None

    def reasons(self, query: Query, photo_ids: Sequence[int]) -> dict[int, str]:
        """Return why some of the photos match, "text: EXIT 12"; those that do not are left out."""
        if not any(True for _ in _terms(query)):
            return {}
        key = query, self._revision()
        if key != self._key:
            self._found, self._key = {}, key
        if missing := [photo for photo in photo_ids if photo not in self._found]:
            lines = self._catalog.text_lines.of(missing)
            self._found |= {photo: reason(query, lines.get(photo, ())) for photo in missing}
        return {photo: self._found[photo] for photo in photo_ids if self._found[photo]}


def _terms(query: Query) -> Iterable[Term]:
    return (
        term
        for group in query.groups
        for term in group
        if term.field in (ANYWHERE, FIELD) and not term.negate
    )


def _words(text: str) -> tuple[list[str], list[str]]:
    """Return the words of a line, and its numbers in other spellings."""
    spellings = [word for each in other_spellings(text) for word in words_of(each)]
    return words_of(as_indexed(text)), spellings


def _has(words: Sequence[str], phrase: Sequence[str], begins: bool) -> bool:
    """Whether words contain a phrase; with ``begins``, its last word may go on."""
    if not phrase:
        return False
    *first, last = phrase
    size = len(phrase)
    return any(
        [*words[at : at + size - 1]] == first
        and (words[at + size - 1].startswith(last) if begins else words[at + size - 1] == last)
        for at in range(len(words) - size + 1)
    )
