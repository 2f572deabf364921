"""The grammar of a search: it parses an expression into terms. `filters` says what terms mean.

    sea lion "Café Paris" -is:rejected rating:>=4 tag:harbor OR tag:port

All terms must match; of terms joined by OR one is enough; ``-`` negates a term; quotes keep words
together. A field's name comes before a colon. Any text is either an expression or raises a
:class:`FilterError` with the position of the mistake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from curator.library.nouns import nouns
from curator.model import UsageError

LONGEST = 1000
"""The maximum number of characters in an expression."""
MOST = 32
"""The maximum number of terms in an expression: each is looked up."""
ANYWHERE = ""
"""The field of a word without a field name."""
_TERM = re.compile(r'(-)?(?:([^\W\d_]+):)?(?:"([^"]*)"|([^\s"]*))')
_OR = re.compile(r"OR(?=\s|$)")
_QUOTED = re.compile(r'"[^"]*"')
_NO_COLON = re.compile(r"([^\W\d_]+)\s*(>=|<=|==|=|>|<)\s*([^\s\"]*)")


class FilterError(UsageError):
    """The expression cannot be parsed.

    Attributes:
        position: index of the first wrong character, from 0.
        length: number of wrong characters.
    """

    def __init__(self, message: str, position: int, length: int = 1) -> None:
        super().__init__(f"{message} (at character {position + 1}).")
        self.position = position
        self.length = max(length, 1)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, which ``negate`` inverts.

    ``start`` and ``stop`` are its position in the expression, ``at`` that of its value; ``quoted``:
    the value is in quotation marks; ``literal``: it stands for itself only without them, too.
    """

    field: str
    text: str
    negate: bool
    quoted: bool
    start: int
    at: int
    stop: int
    literal: bool = False

    @property
    def finds_kinds(self) -> bool:
        """Whether a word or tag also finds what is a kind of it."""
        return self.field in (ANYWHERE, "tag") and not self.quoted and not self.literal

    def mistake(self, message: str) -> FilterError:
        """Return an error about this term's value."""
        return FilterError(message, self.at, self.stop - self.at)


Group = tuple[Term, ...]
"""Terms of which one must match."""


@dataclass(frozen=True)
class Query:
    """A parsed expression: groups that must all match."""

    groups: tuple[Group, ...]

    @cached_property
    def words(self) -> tuple[Group, ...]:
        """The groups that search for words only, none of them negated."""
        return tuple(group for group in self.groups if _is_words(group))

    @cached_property
    def fields(self) -> tuple[Group, ...]:
        """The other groups."""
        return tuple(group for group in self.groups if not _is_words(group))

    @cached_property
    def phrase(self) -> str:
        """The words of the search as one text, which an encoder that knows words can compare."""
        return " ".join(term.text for group in self.words for term in group)

    @cached_property
    def compound(self) -> str:
        """The words of the search as one name ("hot dog"); empty if they cannot be one."""
        names = all(len(group) == 1 and group[0].finds_kinds for group in self.words)
        return self.phrase if names and 1 < len(self.words) < 5 else ""

    @cached_property
    def kinds(self) -> tuple[Group, ...]:
        """The groups that search for tags only, and for kinds of things: ``tag:bird``."""
        return tuple(
            group
            for group in self.groups
            if all(term.field == "tag" and not term.negate for term in group)
            and any(term.finds_kinds and nouns().kinds(term.text) for term in group)
        )

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags or kinds of things it searches for, except those in quotes."""
        terms = (term for group in self.groups for term in group if not term.negate)
        tags = (term.text for term in terms if term.field == "tag" and term.finds_kinds)
        return tuple(text for text in tags if text.lower() != "none")

    @cached_property
    def similar(self) -> tuple[int, ...]:
        """The ids of the photos to find similar photos of."""
        return tuple(
            int(term.text)
            for group in self.groups
            for term in group
            if term.field == "similar" and not term.negate
        )

    @property
    def is_ranked(self) -> bool:
        """Whether photos match it to different degrees: by words, by kinds, or by similarity."""
        return bool(self.words or self.kinds or self.similar)


def _is_words(group: Group) -> bool:
    return all(term.field == ANYWHERE and not term.negate for term in group)


def cut(expression: str, fields: Sequence[str]) -> Query:
    """Parse an expression into terms, without checking their values.

    Args:
        expression: the text.
        fields: the names of all fields.

    Raises:
        FilterError: the expression is not valid.
    """
    if len(expression) > LONGEST:
        raise FilterError(f"A search has at most {LONGEST:,} characters", LONGEST)
    groups: list[list[Term]] = []
    position, joins, count = 0, False, 0
    while (position := _skipped(expression, position)) < len(expression):
        joining = _OR.match(expression, position)
        if joining is not None:
            if joins or not groups:
                raise FilterError("OR needs a term on both sides", position, 2)
            joins, where, position = True, position, joining.end()
            continue
        term = _term(expression, position, fields)
        position, count = term.stop, count + 1
        if count > MOST:
            raise FilterError(f"A search has at most {MOST} terms", term.start)
        if joins:
            groups[-1].append(term)
        else:
            groups.append([term])
        joins = False
    if joins:
        raise FilterError("OR needs a term on both sides", where, 2)
    return Query(tuple(map(tuple, groups)))


class Slip(NamedTuple):
    """A field typed without its colon: ``text`` as typed (``rating>=3``), and ``corrected``."""

    text: str
    corrected: str


def slip(text: str, fields: Sequence[str], at: int = 0) -> Slip | None:
    """Return the field without a colon that begins at a position; None if there is none."""
    found = _NO_COLON.match(text, at)
    if found is None or found[1].lower() not in fields:
        return None
    sign = "" if found[2].startswith("=") else found[2]
    return Slip(found[0].strip(), f"{found[1].lower()}:{sign}{found[3]}")


def small_or(expression: str) -> bool:
    """Whether an "or" that is not in capitals stands between words: it is searched as a word."""
    words = _QUOTED.sub('""', expression).split()
    return any(word != "OR" and word.lower() == "or" for word in words[1:-1])


def asks_for_match(expression: str) -> bool:
    """Whether a search asks for match scores, which photos may not have yet."""
    words = _QUOTED.sub('""', expression).lower().split()
    return any(word.lstrip("-").startswith(("is:match", "match:")) for word in words)


def _skipped(expression: str, position: int) -> int:
    while position < len(expression) and expression[position].isspace():
        position += 1
    return position


def _term(expression: str, position: int, fields: Sequence[str]) -> Term:
    found = _TERM.match(expression, position)
    assert found is not None  # each of its parts may be empty
    no, name, quoted, bare = found.groups()
    start, stop = found.span()
    value = quoted if quoted is not None else bare
    at = stop - len(value) - (1 if quoted is not None else 0)
    if expression[stop : stop + 1] == '"' and quoted is None and not bare:
        raise FilterError("A quotation mark is not closed", stop, len(expression) - stop)
    field = (name or ANYWHERE).lower()
    if name is not None and field not in fields:
        raise FilterError(f"Unknown field “{field}:”", found.start(2), len(name) + 1)
    if name is None and quoted is None and (wrong := slip(expression, fields, at)):
        raise FilterError(f"{wrong.text} needs a colon: {wrong.corrected}", at, len(wrong.text))
    if not value.strip():
        what = f"{field}: needs a value" if name else "A search term is empty"
        raise FilterError(what, start, stop - start)
    return Term(field, value, no is not None, quoted is not None, start, at, stop)
