"""Statistics of a set of photos: verdicts, time, cameras, kinds and stars.

The overview page shows them. Every figure comes with the search that finds its photos, and equals
the number of photos that search finds. All is counted over the columns of a
:class:`~curator.library.table.Table`, a hundred thousand photos in some 20 ms; the catalog is asked
only which photos are of which kind, and that is remembered until it changes.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.library import filters
from curator.library.query import LONGEST, MOST
from curator.library.spans import Mask
from curator.library.table import Table
from curator.library.text_matches import words_of
from curator.model import ContentType

DAY, MONTH, YEAR = "day", "month", "year"
# Unit, numpy type, most bars of a chart, longest gap shown, most gaps that are longer. Those are
# folded: a camera whose clock was reset says 1980.
_STEPS = ((DAY, "datetime64[D]", 62, 4, 2), (MONTH, "datetime64[M]", 240, 9, 8))
_YEARS_FOLDED = 6
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of photos, how many of them are ``kept`` and ``rejected``, and the search for them.

    ``query`` is empty if no search finds exactly these photos.
    """

    name: str
    photos: int
    kept: int = 0
    rejected: int = 0
    query: str = ""

    @property
    def unreviewed(self) -> int:
        """How many are neither kept nor rejected."""
        return self.photos - self.kept - self.rejected


@dataclass(frozen=True, slots=True)
class Period:
    """The photos of a day, a month or a year, with its first day."""

    start: datetime.date
    figure: Figure


@dataclass(frozen=True, slots=True)
class Overview:
    """The statistics of a set of photos.

    Attributes:
        whole: all photos.
        verdicts: all photos, each counted once; figures of 0 are left out.
        starred: the kept photos with stars; ``approved``: those to be exported;
            ``approved_by_file``: those to be exported if ratings read from files counted.
        grain: the length of a period: DAY, MONTH or YEAR.
        periods: from first to last, with empty periods; None stands for a long gap.
        undated: the photos without a capture time.
        first, last: the days of the earliest and latest photo, None without any.
        cameras: most photos first; ``nameless`` counts photos without a camera name.
        kinds: by content type, as described, most photos first.
        stars: the kept photos with 1, 2, ... 5 stars.
    """

    whole: Figure
    verdicts: tuple[Figure, ...]
    starred: Figure
    approved: Figure
    approved_by_file: Figure
    grain: str
    periods: tuple[Period | None, ...]
    undated: Figure
    first: datetime.date | None
    last: datetime.date | None
    cameras: tuple[Figure, ...]
    nameless: Figure
    kinds: tuple[Figure, ...]
    stars: tuple[Figure, ...]


# Verdict → search. The searches exclude each other, so that each photo counts once.
_VERDICTS = (
    ("picked", "is:picked"),
    ("rated, not picked", "is:rated is:kept -is:picked"),
    ("kept", "is:kept -is:rated -is:picked"),
    ("rejected", "is:rejected"),
    ("skipped", "is:skipped"),
    ("not seen yet", "is:unreviewed -is:skipped -is:failed"),
    ("unreadable", "is:unreviewed is:failed"),
)


def overview(table: Table, among: Mask, threshold: int = 70) -> Overview:
    """Compute the statistics of some photos.

    Args:
        table: all photos.
        among: (rows,) the photos to count.
        threshold: the match threshold.
    """
    count = _Counter(table, among, threshold)
    grain, periods, undated = _by_time(count)
    days = count.taken.astype("datetime64[D]")
    cameras, nameless = _by_camera(count)
    return Overview(
        whole=count.found("photos", ""),
        verdicts=tuple(f for name, query in _VERDICTS if (f := count.found(name, query)).photos),
        starred=count.found("with stars", "is:rated is:kept"),
        approved=count.found("approved", "is:approved"),
        approved_by_file=count.found("approved elsewhere", "is:approved-by-file"),
        grain=grain,
        periods=periods,
        undated=undated,
        first=days.min().item() if len(days) else None,
        last=days.max().item() if len(days) else None,
        cameras=cameras,
        nameless=nameless,
        kinds=_by_kind(count),
        stars=tuple(
            count.found(f"{stars} star{'s' * (stars > 1)}", f"rating:{stars} -is:rejected")
            for stars in range(1, 6)
        ),
    )


class _Counter:
    """Counts photos and their verdicts, by any code a row has."""

    def __init__(self, table: Table, among: Mask, threshold: int) -> None:
        self.table, self._among, self._threshold = table, among, threshold
        self.rows = np.flatnonzero(among)
        verdict = np.zeros(table.size, np.int64)
        verdict[table.kept()] = 1
        verdict[table.rejected()] = 2
        self._verdict = verdict[self.rows]
        taken = table.column("taken_at")[self.rows]
        self.dated = ~np.isnat(taken)
        self.taken = taken[self.dated]

    def found(self, name: str, query: str) -> Figure:
        """Count the photos that a search finds."""
        mask = self._among
        if query:
            mask = mask & filters.mask(filters.parse(query), self.table, self._threshold)
        of = self._verdict[mask[self.rows]]
        number = np.bincount(of, minlength=3)
        return Figure(name, len(of), int(number[1]), int(number[2]), query)

    def by(self, codes: Codes, kinds: int, only: Mask | None = None) -> list[list[int]]:
        """Count by code.

        Args:
            codes: (N,) the codes of the counted rows, or of those marked by ``only``.
            kinds: the number of different codes, which are 0 to ``kinds`` - 1.
            only: (R,) which of the counted rows the codes are of; None for all.

        Returns:
            [unreviewed, kept, rejected] for each code.
        """
        verdict = self._verdict if only is None else self._verdict[only]
        counted = np.bincount(codes * 3 + verdict, minlength=3 * kinds)
        return counted.reshape(kinds, 3).tolist()


def _figure(name: str, query: str, numbers: Sequence[int]) -> Figure:
    return Figure(name, sum(numbers), numbers[1], numbers[2], query)


# --- by time


def _by_time(count: _Counter) -> tuple[str, tuple[Period | None, ...], Figure]:
    """Count by day, month or year, whichever gives a chart of readable length."""
    undated = count.found("without a date", "-after:0001")
    if not len(count.taken):
        return MONTH, (), undated
    for grain, unit, most, folded, folds in _STEPS:  # noqa: B007
        starts, codes = np.unique(count.taken.astype(unit), return_inverse=True)
        empty = np.diff(starts).astype(np.int64) - 1
        long = empty > folded
        if len(starts) + empty[~long].sum() <= most and long.sum() <= folds:
            break
    else:
        grain, folded = YEAR, _YEARS_FOLDED
        starts, codes = np.unique(count.taken.astype("datetime64[Y]"), return_inverse=True)
    numbers = count.by(codes, len(starts), count.dated)
    return grain, tuple(_with_gaps(starts, numbers, grain, folded)), undated


def _with_gaps(
    starts: NDArray[np.datetime64], numbers: list[list[int]], grain: str, folded: int
) -> Iterator[Period | None]:
    """Insert empty periods between those with photos, and None for gaps longer than ``folded``."""
    before = starts[0] - 1
    for start, number in zip(starts, numbers, strict=True):
        empty = int((start - before).astype(int)) - 1
        if empty > folded:
            yield None
        else:
            for step in range(empty):
                yield _period(before + 1 + step, grain, (0, 0, 0))
        yield _period(start, grain, number)
        before = start


def _period(start: np.datetime64, grain: str, numbers: Sequence[int]) -> Period:
    day = start.astype("datetime64[D]").item()
    month = f"{MONTHS[day.month - 1]} {day.year}"
    name = {DAY: f"{day.day} {month}", MONTH: month, YEAR: str(day.year)}[grain]
    return Period(day, _figure(name, f"on:{start}" if sum(numbers) else "", numbers))


# --- by camera


def _by_camera(count: _Counter) -> tuple[tuple[Figure, ...], Figure]:
    rows = count.table.rows
    none, *named = count.by(rows.column("camera")[count.rows], len(rows.cameras))
    nameless = _figure("no camera named", "", none)
    counted = dict(zip(rows.cameras[1:], named, strict=True))
    here = {name: numbers for name, numbers in counted.items() if sum(numbers)}
    queries = name_queries("camera", [*counted])
    figures = [_figure(plain_name(name), queries[name], numbers) for name, numbers in here.items()]
    return tuple(sorted(figures, key=lambda figure: (-figure.photos, figure.name))), nameless


def name_queries(field: str, names: Sequence[str]) -> dict[str, str]:
    """Return a search for each camera or lens; that for "Canon EOS 5D" finds no 5D Mark II.

    The search is empty for a name that none can find.
    """
    words = {name: f" {' '.join(words_of(name))} " for name in names}
    queries = {}
    for name in names:
        longer = [
            other for other in names if words[name] in words[other] and words[other] != words[name]
        ]
        terms = [
            f'{field}:"{plain_name(name)}"',
            *(f'-{field}:"{plain_name(other)}"' for other in longer),
        ]
        query = " ".join(terms)
        fits = words[name].strip() and len(terms) < MOST and len(query) < LONGEST
        queries[name] = query if fits else ""
    return queries


def plain_name(name: str) -> str:
    """Return a name without characters that cannot appear on screen or in quotes."""
    clean = (" " if unicodedata.category(c) in ("Cc", "Cs") or c == '"' else c for c in name)
    return " ".join("".join(clean).split())


# --- by kind


def _by_kind(count: _Counter) -> tuple[Figure, ...]:
    found = [count.found(kind.replace("_", " "), f"type:{kind}") for kind in ContentType]
    return tuple(sorted((f for f in found if f.photos), key=lambda figure: -figure.photos))
