"""The grammar of a search: an expression, cut into terms. What terms mean is in `filters`.

    sea lion "Café Paris" -is:rejected rating:>=4 tag:harbor OR tag:port

All terms must hold; of terms joined by OR one is enough; ``-`` turns one round; quotes keep spaces
together. A field's name stands before a colon. Whatever is typed is either an expression or a
:class:`FilterError` that says where it is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from curator.model import UsageError

LONGEST = 1000
"""Characters of an expression, at most."""
MOST = 32
"""Terms of an expression, at most: each is looked up."""
TEXT = "text"
"""The field of a word that stands alone."""
_TERM = re.compile(r'(-)?(?:([^\W\d_]+):)?(?:"([^"]*)"|([^\s"]*))')
_OR = re.compile(r"OR(?=\s|$)")
_QUOTED = re.compile(r'"[^"]*"')
_NO_COLON = re.compile(r"([^\W\d_]+)\s*(>=|<=|==|=|>|<)\s*([^\s\"]*)")


class FilterError(UsageError):
    """The expression cannot be understood.

    Attributes:
        position: index of the character where it stops making sense, from 0.
        length: characters from there that make none.
    """

    def __init__(self, message: str, position: int, length: int = 1) -> None:
        super().__init__(f"{message} (at character {position + 1}).")
        self.position = position
        self.length = max(length, 1)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; ``negate`` turns it round.

    ``start`` and ``stop`` are where it stands in the expression, ``at`` where its value begins;
    ``quoted``: the value stands in quotation marks.
    """

    field: str
    text: str
    negate: bool
    quoted: bool
    start: int
    at: int
    stop: int

    def mistake(self, message: str) -> FilterError:
        """Say that the value makes no sense."""
        return FilterError(message, self.at, self.stop - self.at)


Group = tuple[Term, ...]
"""Terms of which one has to hold."""


@dataclass(frozen=True)
class Query:
    """An expression that was understood: groups, all of which must hold."""

    groups: tuple[Group, ...]

    @cached_property
    def words(self) -> tuple[Group, ...]:
        """The groups that look for words and for nothing else, none of them turned round."""
        return tuple(group for group in self.groups if _is_words(group))

    @cached_property
    def fields(self) -> tuple[Group, ...]:
        """The other groups."""
        return tuple(group for group in self.groups if not _is_words(group))

    @cached_property
    def phrase(self) -> str:
        """What is looked for, in words: what can be asked of a network that knows pictures."""
        return " ".join(term.text for group in self.words for term in group)

    @cached_property
    def similar(self) -> tuple[int, ...]:
        """The photos that others are to be like."""
        return tuple(
            int(term.text)
            for group in self.groups
            for term in group
            if term.field == "similar" and not term.negate
        )

    @property
    def is_ranked(self) -> bool:
        """Whether some photos fit it better than others."""
        return bool(self.words or self.similar)


def _is_words(group: Group) -> bool:
    return all(term.field == TEXT and not term.negate for term in group)


def cut(expression: str, fields: Sequence[str]) -> Query:
    """Cut an expression into terms.

    Args:
        expression: what was typed.
        fields: the names of fields there are.

    Raises:
        FilterError: it is none; says where.
    """
    if len(expression) > LONGEST:
        raise FilterError(f"A search has at most {LONGEST:,} characters", LONGEST)
    groups: list[list[Term]] = []
    position, joins, count = 0, False, 0
    while (position := _skipped(expression, position)) < len(expression):
        joining = _OR.match(expression, position)
        if joining is not None:
            if joins or not groups:
                raise FilterError("OR wants something on both sides", position, 2)
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
        raise FilterError("OR wants something on both sides", where, 2)
    return Query(tuple(map(tuple, groups)))


class Slip(NamedTuple):
    """A field without its colon: what ``stands`` there, ``rating>=3``, and what was ``meant``."""

    stands: str
    meant: str


def slip(text: str, fields: Sequence[str], at: int = 0) -> Slip | None:
    """Tell whether a field that is to stand at a place of a text stands without its colon."""
    found = _NO_COLON.match(text, at)
    if found is None or found[1].lower() not in fields:
        return None
    sign = "" if found[2].startswith("=") else found[2]
    return Slip(found[0].strip(), f"{found[1].lower()}:{sign}{found[3]}")


def small_or(expression: str) -> bool:
    """Tell whether "or" stands between words, where it is a word as any other."""
    words = _QUOTED.sub('""', expression).split()
    return any(word != "OR" and word.lower() == "or" for word in words[1:-1])


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
    field = (name or TEXT).lower()
    if name is not None and field not in fields:
        raise FilterError(f"There is no field {field}:", found.start(2), len(name) + 1)
    if name is None and quoted is None and (wrong := slip(expression, fields, at)):
        raise FilterError(f"{wrong.stands} wants a colon: {wrong.meant}", at, len(wrong.stands))
    if not value.strip():
        what = f"{field}: wants a value" if name else "Here is nothing to look for"
        raise FilterError(what, start, stop - start)
    return Term(field, value, no is not None, quoted is not None, start, at, stop)
