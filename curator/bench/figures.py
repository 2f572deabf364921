"""What a bar is, and what measuring one gives."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PHOTOS = 100_000
"""Photos of the library that bars measure, where nobody says otherwise."""

_SHARES = {0.5: "median", 0.95: "p95", 0.99: "p99", 1.0: "worst"}


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is set beside: the least that has to be done, by bare libraries.

    ``value`` was measured in the same run, in the figure's unit.
    """

    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Why there is nothing a figure could be set beside."""

    why: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside its reference, and what it is judged by.

    The bar holds if ``value`` is at most ``limit``, or at least, with ``at_least``; where
    ``per_reference`` is set, it is the ratio that has to.
    """

    what: str
    value: float
    unit: str
    limit: float
    beside: Reference | Alone
    per_reference: bool = False
    at_least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many references the figure is; with ``at_least``, how many of it a reference is."""
        if isinstance(self.beside, Alone):
            return None
        parts = self.value, self.beside.value
        above, below = reversed(parts) if self.at_least else parts
        return above / below if below else None

    @property
    def judged(self) -> float:
        """The number that is compared with the limit; NaN for a ratio there is not."""
        if not self.per_reference:
            return self.value
        return math.nan if self.ratio is None else self.ratio

    @property
    def holds(self) -> bool:
        """Whether the bar holds."""
        return self.judged >= self.limit if self.at_least else self.judged <= self.limit

    def sentence(self) -> str:
        """Say it in one line."""
        text = f"{self.what}: {number(self.value)} {self.unit}"
        if isinstance(self.beside, Reference):
            text += f" ({self.beside.what} {number(self.beside.value)} {self.unit})"
        if self.ratio is not None:
            text += f" = {number(self.ratio)} ×"
        sign, times = ("≥" if self.at_least else "≤"), ("×" if self.per_reference else self.unit)
        text += f"; bar {sign} {self.limit:g} {times}: {'holds' if self.holds else 'MISSED'}"
        return f"{text}; {self.note}" if self.note else text


@dataclass
class Pairs:
    """Seconds of many acts, and of the bare reference right after each: noise meets both."""

    spent: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def add(self, spent: float, bare: float) -> None:
        """Take one act, and its reference."""
        self.spent.append(spent)
        self.bare.append(bare)

    def figure(self, what: str, share: float, limit: float, beside: str, note: str = "") -> Figure:
        """Give the act in ms at a percentile, beside the reference at the same.

        Args:
            what: the act.
            share: 0.5, 0.95, 0.99, or 1.0 for the worst; said behind ``what``.
            limit: ms.
            beside: the reference.
            note: what else is to be said.
        """
        value, bare = (1000 * percentile(each, share) for each in (self.spent, self.bare))
        middle, usual = (1000 * percentile(each, 0.5) for each in (self.spent, self.bare))
        said = f"{len(self.spent)} of them, median {middle:.1f} ms beside {usual:.1f} ms"
        return Figure(
            f"{what}, {_SHARES[share]}",
            value,
            "ms",
            limit,
            Reference(beside, bare),
            note=f"{said}; {note}" if note else said,
        )


def number(value: float) -> str:
    """Say a number in three digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bar works: a scratch folder of its own, and the photos the user gave, if any.

    ``stock`` is a folder for what takes long to make: bars copy from it, and leave it as it is.
    ``count`` is how many photos the library has that is lent to them.
    """

    scratch: Path
    photos: Path | None = None
    stock: Path | None = None
    count: int = PHOTOS


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of BARS: a name for ``--only``, what it shows, and how it is measured.

    ``missing`` says what is not installed that it needs, with the remedy.
    """

    name: str
    title: str
    measure: Callable[[Place], list[Figure]]
    missing: Callable[[], str | None] = lambda: None


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0-1) of the values lie, the larger neighbour."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def one_core() -> Iterator[bool]:
    """Keep this process, and those it starts, on one core; yields whether the system can."""
    process = psutil.Process()
    try:
        before = process.cpu_affinity()
        process.cpu_affinity([before[-1]])
    except (AttributeError, OSError, psutil.Error):  # macOS has no such thing
        yield False
        return
    try:
        yield True
    finally:
        process.cpu_affinity(before)


def timed(act: Callable[..., object], *given: object) -> float:
    """Run something on what it is given and return how many seconds it took."""
    begin = time.perf_counter()
    act(*given)
    return time.perf_counter() - begin


def worked(act: Callable[[], object]) -> float:
    """Run something and return how many seconds of processor time this process spent on it."""
    begin = time.process_time()
    act()
    return time.process_time() - begin


def program() -> list[str]:
    """Give the words that start Curator in a process of its own; a bundle is the program itself."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "curator"]


def resident_mb() -> float:
    """Return the memory this process holds, in MB."""
    return float(psutil.Process().memory_info().rss / 1e6)
