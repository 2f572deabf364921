"""The search language: what the search box, saved searches and ``--filter`` accept.

    is:picked rating:>=4 harbor        picked, four stars or more, "harbor" in any of its words
    -is:rejected sharpness:<30         not rejected, soft
    is:undecided match:>=60            not judged yet, and rather to your taste
    camera:x100 before:2024-05 label:red tag:"sea lion"
    tag:harbor OR tag:port             one of them

    camera:none                        the camera wrote no name of its own

Words are looked for by their beginnings in file names, tags, projects, descriptions, cameras and
folders, case and accents apart; in quotes they stand as written. How an expression is cut is in
`query`; what a field means is here, one implementation for window and command line: masks over the
rows of a :class:`~curator.session.table.Table`.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from curator import files
from curator.catalog.text import WITHOUT
from curator.model import ContentType, Label, StackKind
from curator.session.columns import LABELS
from curator.session.query import TEXT, FilterError, Group, Query, Term, cut
from curator.session.table import Table
from curator.session.units import Ids, Mask
from curator.stages.stack import KIND_CODE

__all__ = ["FIELDS", "FILTERS", "Field", "FilterError", "Near", "mask", "parse"]

# Name → (title on screen, mask). To add a filter: one line.
FILTERS: dict[str, tuple[str, Callable[[Table, int], Mask]]] = {
    "undecided": ("Undecided", lambda table, _: table.undecided()),
    "passed-over": (
        "Passed over",
        lambda table, _: table.undecided() & ~table.failed() & table.column("seen_at").astype(bool),
    ),
    "through": ("Through", lambda table, _: table.through()),
    "picked": ("Picked", lambda table, _: table.picked()),
    "rejected": ("Rejected", lambda table, _: table.rejected()),
    "rated": ("Rated", lambda table, _: table.column("rating") > 0),
    "match": ("Match", lambda table, threshold: table.match >= threshold),
    "approved": (
        "Approved",
        lambda table, threshold: _approved(table, threshold),
    ),
    "failed": ("Unreadable", lambda table, _: table.failed()),
    "missing": ("Missing", lambda table, _: table.missing()),
    "stack": ("Stacks", lambda table, _: table.stacks.shared()),
    "proposed": ("Proposed", lambda table, _: table.stacks.proposed()),
    "pair": ("RAW+JPEG", lambda table, _: table.column("pair").astype(bool)),
}

Near = Mapping[str | int, Ids]
"""What was asked of vectors: photos near to a phrase, or like a photo, the nearest first."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
    "=": operator.eq,
}
_NUMBER = re.compile(r"(>=|<=|>|<|=)?(\d{1,6}(?:\.\d{1,6})?)", re.ASCII)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_KINDS = (*StackKind, "hand")


def _approved(table: Table, threshold: int) -> Mask:
    """Mark the approved photos: :func:`curator.model.approval` by column, for counts in passing."""
    rating = table.column("rating")
    picked = table.picked() & ~np.isin(rating, (1, 2))
    matched = (rating == 3) & (table.match >= threshold)
    return table.through() & ((rating >= 4) | picked | matched)


@dataclass(frozen=True, slots=True)
class Field:
    """What stands before a colon.

    Attributes:
        about: what it looks at, in a few words.
        example: of a value.
        holds: marks the photos for which a term of it does, given the match threshold.
        values: all its values, where they are known beforehand.
        check: refuses a value that is none, by :class:`FilterError`.
    """

    about: str
    example: str
    holds: Callable[[Term, Table, int], Mask]
    values: Sequence[str] = ()
    check: Callable[[Term], None] = lambda term: None


def _one_of(values: Sequence[str], term: Term) -> None:
    if term.text.lower() not in values:
        raise term.mistake(f"{term.field}:{term.text} is none of {', '.join(values)}")


def _number(term: Term) -> None:
    if not _NUMBER.fullmatch(term.text):
        raise term.mistake(f"{term.field}: wants a number, as in {term.field}:>=3")


def _date(term: Term) -> None:
    if not _DATE.fullmatch(term.text):
        raise term.mistake(f"{term.field}: wants a date, as in {term.field}:2024-05")
    try:
        np.datetime64(term.text)
    except ValueError as error:
        raise term.mistake(f"{term.text} is no date") from error


def _photo(term: Term) -> None:
    if not (term.text.isascii() and term.text.isdigit() and len(term.text) < 16):
        raise term.mistake("similar: wants the number of a photo")
    if term.negate:
        raise term.mistake("similar: cannot be turned round")


def _words(column: str, term: Term, table: Table, _: int) -> Mask:
    if column in WITHOUT and _is_none(term):
        return table.lexicon.without(column)
    return table.lexicon.worded(term.text, column, prefix=not term.quoted)


def _is_none(term: Term) -> bool:
    """Tell whether none is asked for; in quotes it is a name."""
    return term.text.lower() == "none" and not term.quoted


def _tagged(term: Term, table: Table, _: int) -> Mask:
    if _is_none(term):
        return table.lexicon.without("tag")
    return table.lexicon.tagged(term.text)


def _compared(term: Term, table: Table, _: int) -> Mask:
    sign, number = _NUMBER.fullmatch(term.text).groups()  # type: ignore[union-attr]
    values = table.match if term.field == "match" else table.column(term.field)
    compared: Mask = _COMPARE[sign or ""](values, float(number))  # of what has no value, never
    return compared


def _labelled(term: Term, table: Table, _: int) -> Mask:
    text = term.text.lower()
    return table.column("label") == (0 if text == "none" else LABELS.index(Label(text)))


def _timed(term: Term, table: Table, _: int) -> Mask:
    taken, limit = table.column("taken_at"), np.datetime64(term.text)
    before: Mask = taken < (limit + 1 if term.field == "on" else limit)
    if term.field == "before":
        return before
    after: Mask = taken >= limit
    return after & before if term.field == "on" else after


def _stacked(term: Term, table: Table, _: int) -> Mask:
    text, by_hand = term.text.lower(), table.column("stacked") > 0
    if text == "hand":
        return by_hand & table.stacks.shared()
    of_kind: Mask = table.column("stack_kind") == KIND_CODE[StackKind(text)]
    return of_kind & ~by_hand & table.stacks.shared()


def _text(column: str, about: str, example: str) -> Field:
    return Field(about, example, partial(_words, column))


# Name → what it means. To add a field: one line.
FIELDS: dict[str, Field] = {
    "is": Field(
        "how it stands",
        "picked",
        lambda term, table, threshold: FILTERS[term.text.lower()][1](table, threshold),
        tuple(FILTERS),
        partial(_one_of, tuple(FILTERS)),
    ),
    "rating": Field("stars, 0 for none", ">=4", _compared, check=_number),
    "label": Field(
        "colour", "red", _labelled, (*Label, "none"), partial(_one_of, (*Label, "none"))
    ),
    "tag": Field("a whole tag, or none", "harbor", _tagged),
    "project": _text("project", "name of a project, or none", "iceland"),
    "type": Field(
        "what kind of picture",
        "portrait",
        lambda term, table, _: table.lexicon.typed(term.text.lower()),
        tuple(ContentType),
        partial(_one_of, tuple(ContentType)),
    ),
    "camera": _text("camera", "name of the camera, or none", "x100"),
    "lens": _text("lens", "name of the lens, or none", "35mm"),
    "before": Field("taken before", "2024-05", _timed, check=_date),
    "after": Field("taken from then on", "2024-05-17", _timed, check=_date),
    "on": Field("taken in that year, month or day", "2024-05", _timed, check=_date),
    "name": _text("name", "file name", "DSC_04"),
    "folder": _text("folder", "name of its folder", "iceland"),
    "subject": _text("subject", "what is in it, as described", "boat"),
    "mood": _text("mood", "its mood, as described", "calm"),
    "light": _text("light", "its light, as described", "backlit"),
    "match": Field("match with your taste, 0-100", ">=70", _compared, check=_number),
    "sharpness": Field("sharpness, 0-100", "<30", _compared, check=_number),
    "exposure": Field("exposure, 0-100", "<50", _compared, check=_number),
    "stack": Field("kind of stack", "burst", _stacked, _KINDS, partial(_one_of, _KINDS)),
    "similar": Field(
        "like a photo, by its number", "412", lambda _, table, __: table.marked(()), check=_photo
    ),
}


def _is_of_words(character: str) -> bool:
    """Tell whether the index knows a character: letters, marks, digits and emoji."""
    category = unicodedata.category(character)
    return category[0] in "LNM" or category in ("Co", "So")


@lru_cache(maxsize=64)
def parse(expression: str) -> Query:
    """Understand an expression: cut it into terms and check each.

    Raises:
        FilterError: an unknown field, filter, label, number or date; says where.
    """
    query = cut(expression, tuple(FIELDS))
    for group in query.groups:
        for term in group:
            if term.field != TEXT:
                FIELDS[term.field].check(term)
            elif not any(_is_of_words(character) for character in term.text):
                raise term.mistake("Here is no letter or digit to look for")
    return Query(tuple(tuple(map(_without_suffix, group)) for group in query.groups))


def _without_suffix(term: Term) -> Term:
    """Look for a whole file name by its stem: the names of photos are kept without suffix."""
    stem = term.text.rpartition(".")[0]
    if stem and term.field in (TEXT, "name") and files.is_picture_name(term.text):
        return replace(term, text=stem, quoted=True)
    return term


def mask(query: Query, table: Table, threshold: int = 70, near: Near | None = None) -> Mask:
    """Mark the rows for which every group holds.

    Args:
        query: what was asked.
        table: the photos.
        threshold: the match threshold.
        near: what was asked of vectors; a photo near to the phrase fits its words.
    """
    near = near or {}
    found = np.ones(table.size, bool)
    for group in query.words:
        found &= _any(group, table, threshold, near)
    if query.phrase in near and query.words:
        found |= table.marked(near[query.phrase])
    for group in query.fields:
        found &= _any(group, table, threshold, near)
    return found


def _any(group: Group, table: Table, threshold: int, near: Near) -> Mask:
    found = np.zeros(table.size, bool)
    for term in group:
        if term.field == "similar":
            holds = table.marked(near.get(int(term.text), ()))
        elif term.field == TEXT:
            holds = table.lexicon.worded(term.text, prefix=not term.quoted)
        else:
            holds = FIELDS[term.field].holds(term, table, threshold)
        found |= ~holds if term.negate else holds
    return found
