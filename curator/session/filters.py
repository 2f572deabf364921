"""The filter language: what the search box, the filter menu and ``--filter`` accept.

    is:picked rating:>=4 harbor        picked, four stars or more, "harbor" in name or tags
    -is:rejected sharpness:<30         not rejected, soft
    is:undecided match:>=60            not judged yet, and rather to your taste
    camera:x100 before:2024-05 label:red tag:"sea lion"

Words are looked for in file names and tags, all of them must hold, ``-`` negates, quotes keep
spaces together; what has no value is neither more nor less. A mistake is a :class:`FilterError`
that says where. One implementation serves the window and the command line: masks over the rows
of a :class:`~curator.session.table.Table`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from curator.model import Label, UsageError
from curator.session.table import LABELS, Mask, Table

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

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
    "=": operator.eq,
}
_TERM = re.compile(r'(?P<no>-)?(?:(?P<field>[a-z_]+):)?(?P<text>"[^"]*"|[^\s"]+)')
_NUMBER = re.compile(r"(>=|<=|>|<|=)?(\d+(?:\.\d+)?)")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def _approved(table: Table, threshold: int) -> Mask:
    """Mark the approved photos: :func:`curator.model.approval` by column, for counts in passing."""
    rating = table.column("rating")
    picked = table.picked() & ~np.isin(rating, (1, 2))
    matched = (rating == 3) & (table.match >= threshold)
    return table.through() & ((rating >= 4) | picked | matched)


class FilterError(UsageError):
    """The expression cannot be understood.

    Attributes:
        position: index of the character where it stops making sense, from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1}).")
        self.position = position


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; ``negate`` turns it round."""

    field: str
    text: str
    negate: bool
    position: int


def parse(expression: str) -> tuple[Term, ...]:
    """Split an expression into terms and check each.

    Raises:
        FilterError: an unknown field, filter, label, number or date; says where.
    """
    terms, position = [], 0
    for found in _TERM.finditer(expression):
        if expression[position : found.start()].strip():
            raise FilterError("A quotation mark is not closed", position)
        position = found.end()
        field = found["field"] or "text"
        text = found["text"].strip('"')
        term = Term(field, text, bool(found["no"]), found.start("text"))
        _check(term)
        terms.append(term)
    if expression[position:].strip():
        raise FilterError("A quotation mark is not closed", position)
    return tuple(terms)


def _check(term: Term) -> None:
    where = term.position
    if term.field == "is":
        if term.text not in FILTERS:
            raise FilterError(f"is:{term.text} is none of {', '.join(FILTERS)}", where)
    elif term.field in ("rating", "sharpness", "exposure", "match"):
        if not _NUMBER.fullmatch(term.text):
            raise FilterError(f"{term.field}: wants a number, as in {term.field}:>=3", where)
    elif term.field == "label":
        if term.text not in {*Label, "none"}:
            raise FilterError(f"label: is one of {', '.join(Label)} or none", where)
    elif term.field in ("before", "after"):
        if not _DATE.fullmatch(term.text) or _month(term.text) not in range(1, 13):
            raise FilterError(f"{term.field}: wants a date, as in {term.field}:2024-05", where)
        try:
            np.datetime64(term.text)
        except ValueError as error:
            raise FilterError(f"{term.text} is no date", where) from error
    elif term.field not in ("text", "name", "camera", "tag"):
        raise FilterError(f"There is no field {term.field}:", where)


def _month(text: str) -> int:
    return int(text[5:7] or 1)


def mask(terms: tuple[Term, ...], table: Table, threshold: int = 70) -> Mask:
    """Mark the rows for which every term holds; ``threshold`` is the match threshold."""
    found = np.ones(table.size, bool)
    for term in terms:
        holds = _holds(term, table, threshold)
        found &= ~holds if term.negate else holds
    return found


def _holds(term: Term, table: Table, threshold: int) -> Mask:
    if term.field == "is":
        return FILTERS[term.text][1](table, threshold)
    if term.field == "tag":
        return table.tagged(term.text, whole=True)
    if term.field == "text":
        named = _holds(replace(term, field="name"), table, threshold)
        return named | table.tagged(term.text, whole=False)
    if term.field in ("name", "camera"):
        wanted = term.text.casefold()
        texts = table.strings(term.field)
        return np.fromiter(
            (text is not None and wanted in str(text).casefold() for text in texts),
            bool,
            table.size,
        )
    if term.field == "label":
        code = 0 if term.text == "none" else LABELS.index(Label(term.text))
        return table.column("label") == code
    if term.field in ("before", "after"):
        taken = table.column("taken_at")
        limit = np.datetime64(term.text)
        holds: Mask = taken < limit if term.field == "before" else taken >= limit
        return holds
    sign, number = _NUMBER.fullmatch(term.text).groups()  # type: ignore[union-attr]
    values = table.match if term.field == "match" else table.column(term.field)
    compared: Mask = _COMPARE[sign or ""](values, float(number))  # of what has no value, never
    return compared
