"""What a bar is, and what measuring one gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside what it is judged by.

    ``value`` and ``reference`` are in ``unit``. The bar holds if ``value`` is at most ``limit``;
    where ``per_reference`` is set, if value / reference is (or is at least, with ``at_least``).
    """

    what: str
    value: float
    unit: str
    limit: float
    reference: float | None = None
    reference_what: str = ""
    per_reference: bool = False
    at_least: bool = False
    note: str = ""

    @property
    def judged(self) -> float:
        """The number that is compared with the limit."""
        if not self.per_reference or not self.reference:
            return self.value
        if self.at_least:
            return self.reference / self.value if self.value else 0.0
        return self.value / self.reference

    @property
    def holds(self) -> bool:
        """Whether the bar holds."""
        return self.judged >= self.limit if self.at_least else self.judged <= self.limit

    def sentence(self) -> str:
        """Say it in one line."""
        text = f"{self.what}: {number(self.value)} {self.unit}"
        if self.reference is not None:
            text += f" ({self.reference_what} {number(self.reference)} {self.unit})"
        sign, times = ("≥" if self.at_least else "≤"), ("×" if self.per_reference else self.unit)
        judged = f" = {self.judged:.2f} ×" if self.per_reference else ""
        text += (
            f"{judged}; bar {sign} {self.limit:g} {times}: {'holds' if self.holds else 'MISSED'}"
        )
        return f"{text}; {self.note}" if self.note else text


def number(value: float) -> str:
    """Say a number in three digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bar works: a scratch folder of its own, and the photos the user gave, if any.

    ``stock`` is a folder for what takes long to make: bars copy from it, and leave it as it is.
    """

    scratch: Path
    photos: Path | None = None
    stock: Path | None = None


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


def timed(act: Callable[[], object]) -> float:
    """Run something and return how many seconds it took."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def worked(act: Callable[[], object]) -> float:
    """Run something and return how many seconds of processor time this process spent on it."""
    begin = time.process_time()
    act()
    return time.process_time() - begin
