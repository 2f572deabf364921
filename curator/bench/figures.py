"""Bars and the figures they measure: the data classes of `curator bench`, and clocks for it."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil

from curator.installing import is_frozen

PHOTOS = 100_000
"""Default number of photos in the measured library."""

_SHARES = {0.5: "median", 0.95: "p95", 0.99: "p99", 1.0: "worst"}


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference of a figure: the least work needed, done by bare libraries.

    ``value`` was measured in the same run, in the figure's unit.
    """

    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number with its reference, or the reason why it has none, and its limit.

    The bar holds if ``value`` is at most ``limit``, or with ``at_least`` at least ``limit``. With
    ``per_reference`` the limit applies to the ratio instead.
    """

    what: str
    value: float
    unit: str
    limit: float
    reference: Reference | str
    per_reference: bool = False
    at_least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure divided by its reference; with ``at_least`` the reference by the figure."""
        if isinstance(self.reference, str):
            return None
        parts = self.value, self.reference.value
        above, below = reversed(parts) if self.at_least else parts
        return above / below if below else None

    @property
    def judged(self) -> float:
        """The number to compare with the limit; NaN for an undefined ratio."""
        if not self.per_reference:
            return self.value
        return math.nan if self.ratio is None else self.ratio

    @property
    def holds(self) -> bool:
        """Whether the bar holds."""
        return self.judged >= self.limit if self.at_least else self.judged <= self.limit

    @property
    def limit_text(self) -> str:
        """The limit as a text: ``≤ 16 ms``."""
        sign, times = ("≥" if self.at_least else "≤"), ("×" if self.per_reference else self.unit)
        return f"{sign} {self.limit:g} {times}"

    def sentence(self) -> str:
        """Return the figure, its reference and the result in one line."""
        text = f"{self.what}: {number(self.value)} {self.unit}"
        if isinstance(self.reference, Reference):
            text += f" ({self.reference.what} {number(self.reference.value)} {self.unit})"
        if self.ratio is not None:
            text += f" = {number(self.ratio)} ×"
        text += f"; bar {self.limit_text}: {'holds' if self.holds else 'MISSED'}"
        return f"{text}; {self.note}" if self.note else text

    def document(self) -> dict[str, Any]:
        """Return the figure as a JSON object."""
        given = self.reference
        reference = None if isinstance(given, str) else given
        return asdict(self) | {
            "reference": reference and reference.value,
            "reference_what": reference.what if reference else "",
            "alone": given if isinstance(given, str) else "",
            "ratio": self.ratio,
            "holds": self.holds,
            "sentence": self.sentence(),
        }

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Figure:
        """Return the figure of a JSON object."""
        given = {each.name: document[each.name] for each in fields(cls)}
        if given["reference"] is None:
            given["reference"] = document["alone"]
        else:
            given["reference"] = Reference(document["reference_what"], given["reference"])
        return cls(**given)


@dataclass
class PairedTimes:
    """Seconds of many actions and of the reference right after each, so noise affects both."""

    spent: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def add(self, spent: float, bare: float) -> None:
        """Add the seconds of an action and of its reference."""
        self.spent.append(spent)
        self.bare.append(bare)

    def figure(
        self, what: str, share: float, limit: float, reference: str, note: str = ""
    ) -> Figure:
        """Return the figure of a percentile in ms, with the reference at the same percentile.

        Args:
            what: the action.
            share: 0.5, 0.95, 0.99, or 1.0 for the worst; appended to ``what``.
            limit: ms.
            reference: the reference.
            note: an additional remark.
        """
        value, bare = (1000 * percentile(each, share) for each in (self.spent, self.bare))
        middle, usual = (1000 * percentile(each, 0.5) for each in (self.spent, self.bare))
        times = f"median of {len(self.spent)}: {middle:.1f} ms, reference {usual:.1f} ms"
        return Figure(
            f"{what}, {_SHARES[share]}",
            value,
            "ms",
            limit,
            Reference(reference, bare),
            note=f"{times}; {note}" if note else times,
        )


def number(value: float) -> str:
    """Format a number with three digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders a bar works with: its own scratch folder, and the user's photos, if given.

    ``stock`` is a folder for data that takes long to make; bars copy from it and never
    change it. ``count`` is the number of photos in the library to measure.
    """

    scratch: Path
    photos: Path | None = None
    stock: Path | None = None
    count: int = PHOTOS


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name for ``--only``, a title, and the function that measures it.

    ``missing`` returns what it needs that is not installed, with the remedy; None if nothing.
    """

    name: str
    title: str
    measure: Callable[[Workspace], list[Figure]]
    missing: Callable[[], str | None] = lambda: None


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0-1) of the values lie, the larger neighbor."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def one_core() -> Iterator[bool]:
    """Restrict this process and its children to one core; yields whether the system can."""
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
    """Call a function and return the seconds it took."""
    begin = time.perf_counter()
    act(*given)
    return time.perf_counter() - begin


def worked(act: Callable[[], object]) -> float:
    """Call a function and return the processor time it took in this process, in seconds."""
    begin = time.process_time()
    act()
    return time.process_time() - begin


def worked_by_all() -> float:
    """Return the processor time of this process and its children, in seconds."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


def no_bare_python() -> str | None:
    """Return why a bar that needs a bare Python cannot run here; None if it can."""
    return "It needs a bare Python, which this build does not include." if is_frozen() else None


def program() -> list[str]:
    """Return the command that starts Curator in another process."""
    return [sys.executable] if is_frozen() else [sys.executable, "-m", "curator"]


def resident_mb() -> float:
    """Return the memory this process holds, in MB."""
    return float(psutil.Process().memory_info().rss / 1e6)


def held_mb() -> float:
    """Return the memory without pages of files and shared memory, in MB; on Linux alone."""
    memory = psutil.Process().memory_info()
    return float((memory.rss - getattr(memory, "shared", 0)) / 1e6)
