"""What the bars said in earlier runs: a line of JSON a run, in the home."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from curator import __version__, private
from curator.bench.figures import number
from curator.model import KnownError
from curator.settings import Home

_SHOWN = 4  # runs side by side: they fit 120 columns


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when, of what, where, and its figures as the bench answers them."""

    at: str
    version: str
    commit: str
    machine: Mapping[str, object]
    figures: Sequence[Mapping[str, Any]] = ()

    def plain(self) -> dict[str, object]:
        """Give it as one JSON object."""
        return {
            "at": self.at,
            "version": self.version,
            "commit": self.commit,
            "machine": dict(self.machine),
            "figures": [dict(figure) for figure in self.figures],
        }

    def where(self) -> str:
        """Say in one line what was measured on what."""
        machine = self.machine
        told = [f"{machine['processor']}, {machine['cores']} cores", str(machine["system"])]
        if "load" in machine:  # earlier runs did not say
            told.append(f"load {machine['load']} at the start")
        libraries = machine.get("libraries")
        if isinstance(libraries, Mapping):
            told += [f"{name} {version}" for name, version in libraries.items()]
        told.append(f"Curator {self.version} {self.commit}".strip())
        return "; ".join(told)


def file(home: Home) -> Path:
    """Where the runs of a home are kept."""
    return home.data / "bench.jsonl"


def begin() -> Run:
    """Note when, of what and where a run begins; it has no figures yet."""
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    return Run(at, __version__, _commit(), machine())


def keep(home: Home, run: Run) -> None:
    """Add a run to the history.

    Raises:
        KnownError: the home cannot be written; the history is as it was.
    """
    try:
        home.data.mkdir(parents=True, exist_ok=True)
        with open(file(home), "a", encoding="utf-8", opener=private.opener) as lines:
            lines.write(json.dumps(run.plain()) + "\n")
    except OSError as error:
        raise KnownError(
            f"The figures could not be kept in {file(home)} ({error.strerror or error}).",
            "Make the home writable, or name another with --home.",
        ) from error


def runs(home: Home) -> list[Run]:
    """Read the runs kept, oldest first; a line that is none, cut off by a crash, is left out.

    Raises:
        KnownError: the history is there and cannot be read.
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


def rows(kept: Sequence[Run], only: Sequence[str] = ()) -> list[list[object]]:
    """Lay runs side by side, the newest last: two rows a figure, itself and its ratio.

    An absolute figure moves with the machine's hour; how it moved beside its ratio says whether
    it was the program.

    Args:
        kept: runs, oldest first; the last few of those with a figure that is wanted are shown.
        only: names of bars; none for all.
    """
    wanted = [
        (run, {(f["bar"], f["what"]): f for f in run.figures if not only or f["bar"] in only})
        for run in kept
    ]
    wanted = [(run, figures) for run, figures in wanted if figures][-_SHOWN:]
    if not wanted:
        return []
    keys = list(dict.fromkeys(key for _, figures in wanted for key in figures))
    table: list[list[object]] = [
        ["bar", "figure", "unit", *(f"{run.at[5:10]} {run.at[11:16]}" for run, _ in wanted)],
        ["", "", "", *(run.commit[:7] for run, _ in wanted)],
    ]
    for bar, what in keys:
        found = [figures.get((bar, what)) for _, figures in wanted]
        unit = next(each["unit"] for each in found if each)
        table.append([bar, what, unit, *(_cell(each, "value") for each in found)])
        if any(each and each["ratio"] is not None for each in found):
            table.append(["", "", "×", *(_cell(each, "ratio") for each in found)])
    return table


def _cell(figure: Mapping[str, Any] | None, name: str) -> str:
    """Say a figure or its ratio; that it missed its bar stands with the one that is judged."""
    if figure is None or figure[name] is None:
        return ""
    # Earlier runs have a ratio only where that is judged.
    by_ratio = figure.get("per_reference", figure["ratio"] is not None)
    missed = not figure["holds"] and by_ratio == (name == "ratio")
    return f"{number(figure[name])}{' missed' if missed else ''}"


def machine() -> dict[str, object]:
    """Say what figures are measured on, and how much it has to do just now (processes, 1 min)."""
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
            "simplejpeg": simplejpeg.__version__,  # which has one of its own
            "SQLite": sqlite3.sqlite_version,
        },
    }


def _processor() -> str:
    """Name the processor as its maker does, where the system tells."""
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
    """Name the commit of the checkout this runs from; empty where it is none."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # no git here
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
