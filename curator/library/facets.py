"""Filters by mouse: the labels, cameras, lenses, dates and faces of a scope, with photo counts.

The sidebar shows them. A click adds the value's search to the text in the search box, so that a
person can always read which filter applies; :func:`with_condition` edits that text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from curator.library import filters
from curator.library.query import FilterError, Group, cut
from curator.library.spans import Mask
from curator.library.statistics import MONTHS, name_queries, plain_name
from curator.library.table import Table
from curator.model import LABELS


@dataclass(frozen=True, slots=True)
class Value:
    """One value that photos have, their number, and the search that finds them.

    ``inside`` is the search of the value that contains it, such as the month of a day; else "".
    """

    title: str
    photos: int
    query: str
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Facet:
    """One property to filter by.

    Attributes:
        title: its name on screen.
        fields: its fields of the search language; clicking a value replaces their terms.
        values: returns the values that the marked photos have.
        optional: whether it is shown only where photos have values.
    """

    title: str
    fields: frozenset[str]
    values: Callable[[Table, Mask], list[Value]]
    optional: bool = False


def _labels(table: Table, among: Mask) -> list[Value]:
    numbers = np.bincount(table.column("label")[among], minlength=len(LABELS)).tolist()
    return [
        Value(label.capitalize(), number, f"label:{label}")
        for label, number in zip(LABELS, numbers, strict=True)
        if label is not None and number
    ]


def _named(column: Literal["camera", "lens"], table: Table, among: Mask) -> list[Value]:
    codes, names = table.capture.names(column)
    numbers = np.bincount(codes[among], minlength=len(names)).tolist()
    queries = name_queries(column, names[1:])
    found = [
        Value(plain_name(name), number, queries[name])
        for name, number in zip(names[1:], numbers[1:], strict=True)
        if number and queries[name]
    ]
    found.sort(key=lambda value: (-value.photos, value.title))
    none = Value("Not recorded", numbers[0], f"{column}:none")
    return [*found, none] if numbers[0] else found


def _dates(table: Table, among: Mask) -> list[Value]:
    """List years, months and days, the latest first."""
    taken = table.column("taken_at")[among]
    dated = taken[~np.isnat(taken)]
    days, counts = np.unique(dated.astype("datetime64[D]"), return_counts=True)
    found: list[Value] = []
    for unit in "YMD":
        starts, codes = np.unique(days.astype(f"datetime64[{unit}]"), return_inverse=True)
        numbers = np.bincount(codes, counts, len(starts)).astype(int).tolist()
        for start, number in zip(starts[::-1], numbers[::-1], strict=True):
            year, *rest = str(start).split("-")
            inside = f"on:{str(start).rpartition('-')[0]}" if rest else ""
            found.append(Value(_date_title(year, rest), number, f"on:{start}", inside))
    undated = len(taken) - len(dated)
    return [*found, Value("No date", undated, "-after:0001")] if undated else found


def _date_title(year: str, rest: list[str]) -> str:
    if not rest:
        return year
    month = MONTHS[int(rest[0]) - 1]
    return f"{int(rest[1])} {month}" if len(rest) > 1 else month


_FACES = {
    "faces:0": "No faces",
    "faces:1": "1 face",
    "faces:2": "2 faces",
    "faces:>=3": "3 or more",
}
_EYES = {
    "eyes:closed": "Closed",
    "eyes:open": "Open",
    "eyes:unknown": "Can't tell",
    "eyes:soft": "Background sharper",
}


def _searched(titles: Mapping[str, str], table: Table, among: Mask) -> list[Value]:
    """Count the photos that each of some searches finds, given their titles."""
    numbers = {
        query: int((filters.mask(filters.parse(query), table) & among).sum()) for query in titles
    }
    return [Value(titles[query], number, query) for query, number in numbers.items() if number]


# Name → facet. To add a facet, add one line.
FACETS: dict[str, Facet] = {
    "label": Facet("Label", frozenset({"label"}), _labels),
    "camera": Facet("Camera", frozenset({"camera"}), lambda t, m: _named("camera", t, m)),
    "lens": Facet("Lens", frozenset({"lens"}), lambda t, m: _named("lens", t, m)),
    "date": Facet("Date", frozenset({"on", "before", "after"}), _dates),
    "faces": Facet("Faces", frozenset({"faces"}), partial(_searched, _FACES), optional=True),
    "eyes": Facet("Eyes", frozenset({"eyes"}), partial(_searched, _EYES), optional=True),
}


def with_condition(expression: str, fields: frozenset[str], query: str) -> str:
    """Replace a search's conditions on some fields with ``query``.

    If ``query`` is what the search has already, these conditions are removed.
    """
    rest = _without(expression, fields)
    if conditions_on(expression, fields) == conditions_on(query, fields):
        return rest
    return f"{rest} {query}".strip()


def conditions_on(
    expression: str, fields: frozenset[str]
) -> frozenset[tuple[tuple[str, bool, str], ...]]:
    """Return the conditions of a search on these fields, to compare them with another search's.

    A group joined by OR with other fields is no such condition.
    """
    return frozenset(
        tuple(sorted((term.field, term.negate, term.text.casefold()) for term in group))
        for group in _groups(expression)
        if all(term.field in fields for term in group)
    )


def _without(expression: str, fields: frozenset[str]) -> str:
    kept: list[str] = []
    position = 0
    for group in _groups(expression):
        if all(term.field in fields for term in group):
            kept.append(expression[position : group[0].start])
            position = group[-1].stop
    return " ".join(part.strip() for part in (*kept, expression[position:]) if part.strip())


def _groups(expression: str) -> Iterator[Group]:
    try:
        yield from cut(expression, tuple(filters.FIELDS)).groups
    except FilterError:  # an invalid search has no conditions
        return
