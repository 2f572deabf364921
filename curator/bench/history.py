"""The history of runs of `curator bench`: one line of JSON per run, in the home folder."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from curator import __version__, private
from curator.bench.figures import Figure, number
from curator.home import Home
from curator.model import KnownError

_SHOWN = 8  # runs side by side, to fit into 120 columns
# Simulated with five earlier runs and ratios that vary by 5 %: 4 % of runs of unchanged code are
# called slower or faster, 9 % if every tenth run is disturbed; of those with 1.5 times the ratio,
# 97 to 100 % are called slower.
_FEWEST_EARLIER = 5
_LEAST_CHANGE = 0.1
_LEAST_SPREADS = 5

RULE = (
    "Slower or faster: the newest ratio (with --times N, the median of the N newest) differs from"
    f" the median of at least {_FEWEST_EARLIER} earlier ones by more than {100 * _LEAST_CHANGE:g} %"
    f" and {_LEAST_SPREADS} times their spread, the median of their distances from it."
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its time, version and machine, its figures as in the JSON answer, and its options.

    ``count`` and ``photos`` are the options of the same names: the number of photos in the library
    (None in early runs), and the folder of the user's photos ("" for drawn ones).
    """

    at: str
    version: str
    commit: str
    machine: Mapping[str, object]
    figures: Sequence[Mapping[str, Any]] = ()
    count: int | None = None
    photos: str = ""

    def setting(self) -> str:
        """Return machine and options in one line; runs that differ in them are not compared.

        The version of the system does not count, because ratios hardly depend on it.
        """
        machine = self.machine
        system = str(machine["system"]).partition("-")[0]
        count = "unknown number of" if self.count is None else f"{self.count:,}"
        return (
            f"{machine['processor']}, {machine['cores']} cores, {system};"
            f" {count} photos in the library; {self.photos or 'drawn photos'}"
        )

    def where(self) -> str:
        """Return machine, libraries and version in one line."""
        machine = self.machine
        parts = [f"{machine['processor']}, {machine['cores']} cores", str(machine["system"])]
        if "load" in machine:  # missing in early runs
            parts.append(f"load {machine['load']} at the start")
        libraries = machine.get("libraries")
        if isinstance(libraries, Mapping):
            parts += [f"{name} {version}" for name, version in libraries.items()]
        parts.append(f"Curator {self.version} {self.commit}".strip())
        return "; ".join(parts)


def file(home: Home) -> Path:
    """Return the path of the history in a home."""
    return home.data / "bench.jsonl"


def begin(count: int, photos: str = "") -> Run:
    """Return a run with these options that starts now, without figures."""
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    return Run(at, __version__, _commit(), machine(), count=count, photos=photos)


def save(home: Home, run: Run) -> None:
    """Add a run to the history.

    Raises:
        KnownError: the home cannot be written; the history is unchanged.
    """
    try:
        home.data.mkdir(parents=True, exist_ok=True)
        with open(file(home), "a", encoding="utf-8", opener=private.opener) as lines:
            lines.write(json.dumps(asdict(run)) + "\n")
    except OSError as error:
        raise KnownError(
            f"The figures could not be saved in {file(home)} ({error.strerror or error}).",
            "Make the home folder writable, or choose another with --home.",
        ) from error


def runs(home: Home) -> list[Run]:
    """Return the recorded runs, oldest first, skipping lines that a crash cut off.

    Raises:
        KnownError: the history exists and cannot be read.
    """
    try:
        lines = file(home).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KnownError(
            f"{file(home)} cannot be read ({error.strerror or error}).", "Check its permissions."
        ) from error
    found = []
    for line in lines:
        try:
            found.append(Run(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


@dataclass(frozen=True, slots=True)
class MedianAndSpread:
    """The median of some numbers, and their spread: the median of their distances from it."""

    median: float
    spread: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> MedianAndSpread:
        """Compute the median and spread of at least one number."""
        middle = median(numbers)
        return cls(middle, median(abs(each - middle) for each in numbers))

    def __str__(self) -> str:
        return f"{number(self.median)} ± {self.spread:.2g}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure in a run, its reference and ratio; None where the run lacks them."""

    at: str
    version: str
    value: float | None = None
    reference: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure over the last runs of its bar, oldest first, and whether it changed.

    ``limit`` is that of the last run; ``missed`` is how many of the runs exceed it. ``value`` and
    ``ratio`` are over all runs. ``newest`` is the median ratio of the newest run or runs and
    ``earlier`` that of the runs before, None if they are too few. ``verdict`` follows :data:`RULE`.
    """

    bar: str
    what: str
    unit: str
    reference: str
    limit: str
    missed: int
    runs: Sequence[Measurement]
    value: MedianAndSpread
    ratio: MedianAndSpread | None
    earlier: MedianAndSpread | None
    newest: float | None
    verdict: str


def trends(runs: Sequence[Run], only: Sequence[str] = (), times: int = 1) -> list[Trend]:
    """Return each figure of the newest run of each bar over the last runs of that bar.

    A value changes with the load of the machine. If the ratio changed as well, it was the program.

    Args:
        runs: with the same setting, oldest first.
        only: names of the wanted bars; empty for all.
        times: how many of the newest runs are compared, as their median, with those before.
    """
    found = []
    for bar in dict.fromkeys(figure["bar"] for run in runs for figure in run.figures):
        if only and bar not in only:
            continue
        measured = [
            (
                run,
                {
                    _comparison_key(each): Figure.load(each)
                    for each in run.figures
                    if each["bar"] == bar
                },
            )
            for run in runs
        ]
        measured = [(run, figures) for run, figures in measured if figures]
        measured = measured[-max(_SHOWN, times + _FEWEST_EARLIER) :]
        new = max(1, sum(any(each["bar"] == bar for each in run.figures) for run in runs[-times:]))
        for key in measured[-1][1]:
            series = [(run, figures.get(key)) for run, figures in measured]
            found.append(_trend(bar, series, new))
    return found


def _comparison_key(figure: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what two figures must have in common to be compared."""
    return figure["what"], figure["unit"], figure["reference_what"]


def _trend(bar: str, series: Sequence[tuple[Run, Figure | None]], new: int) -> Trend:
    """Return the trend of a figure that the last run has; ``new`` runs are compared with others."""
    figures = [figure for _, figure in series if figure is not None]
    last = figures[-1]
    before, after = _ratios(series[:-new]), _ratios(series[-new:])
    ratios = before + after
    earlier = MedianAndSpread.of(before) if len(before) >= _FEWEST_EARLIER else None
    newest = median(after) if after else None
    return Trend(
        bar,
        last.what,
        last.unit,
        "" if isinstance(last.reference, str) else last.reference.what,
        last.limit_text,
        sum(not replace(figure, limit=last.limit).holds for figure in figures),
        [_measurement(run, figure) for run, figure in series],
        MedianAndSpread.of([figure.value for figure in figures]),
        MedianAndSpread.of(ratios) if ratios else None,
        earlier,
        newest,
        _verdict(last, earlier, newest),
    )


def _ratios(series: Sequence[tuple[Run, Figure | None]]) -> list[float]:
    return [figure.ratio for _, figure in series if figure is not None and figure.ratio is not None]


def _measurement(run: Run, figure: Figure | None) -> Measurement:
    version = run.commit or run.version
    if figure is None:
        return Measurement(run.at, version)
    reference = None if isinstance(figure.reference, str) else figure.reference.value
    return Measurement(run.at, version, figure.value, reference, figure.ratio)


def _verdict(figure: Figure, earlier: MedianAndSpread | None, newest: float | None) -> str:
    """Judge the newest ratio by the earlier ones, as :data:`RULE` says."""
    if newest is None:
        return "no reference"
    if earlier is None:
        return "too few runs"
    room = max(_LEAST_CHANGE * earlier.median, _LEAST_SPREADS * earlier.spread)
    if abs(newest - earlier.median) <= room:
        return "within noise"
    more, less = ("slower", "faster") if figure.unit in ("ms", "s") else ("larger", "smaller")
    return more if (newest > earlier.median) != figure.at_least else less


def rows(trends: Sequence[Trend]) -> list[list[object]]:
    """Return a table of trends: a heading per bar, then the values and ratios of each figure."""
    table: list[list[object]] = []
    for bar, group in groupby(trends, lambda trend: trend.bar):
        figures = list(group)
        runs = figures[0].runs
        table += [
            [bar, _series(run.at[5:10] for run in runs), "median ± spread"],
            ["", _series(run.at[11:16] for run in runs), ""],
            ["", _series(_short(run.version) for run in runs), ""],
        ]
        for trend in figures:
            values = [run.value for run in trend.runs]
            verdict = trend.verdict
            if trend.newest and trend.earlier and verdict != "within noise":
                verdict += f", {number(trend.newest)} after {number(trend.earlier.median)}"
            measured = len(values) - values.count(None)
            missed = f"missed {trend.missed} of {measured}" if trend.missed else "held"
            table += [
                [trend.what, _series(map(_number, values)), f"{trend.value} {trend.unit}"],
                [
                    f"  {verdict}; {trend.limit} {missed}",
                    _series(_number(run.ratio) for run in trend.runs),
                    f"{trend.ratio} ×" if trend.ratio else "",
                ],
            ]
    return table


def _series(cells: Iterable[str]) -> str:
    return " ".join(cell.rjust(5) for cell in cells)


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def _short(version: str) -> str:
    """Shorten a version or commit to five characters, keeping the mark of changed files."""
    return f"{version[:4]}+" if version.endswith("+") else version[:5]


def machine() -> dict[str, object]:
    """Return facts about the machine, with its load (processes over one minute)."""
    import numpy
    import simplejpeg
    from PIL import features
    from PySide6.QtCore import qVersion

    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "load": round(psutil.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {
            "Python": platform.python_version(),
            "Qt": qVersion(),
            "numpy": numpy.__version__,
            "libjpeg-turbo": str(features.version("libjpeg_turbo")),  # Pillow's
            "simplejpeg": simplejpeg.__version__,  # contains its own libjpeg-turbo
            "SQLite": sqlite3.sqlite_version,
        },
    }


def _processor() -> str:
    """Return the name of the processor as its maker spells it, if the system reports it."""
    if sys.platform == "linux":
        try:
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        for line in text.splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """Return the commit of the checkout this runs from, with "+" if files changed since.

    Outside a checkout, return "".
    """
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), "describe", "--always", "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # git is not installed
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
