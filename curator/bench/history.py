"""The history of runs of `curator bench`: one line of JSON per run, in the home folder."""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from curator import __version__, private
from curator.bench.figures import number
from curator.home import Home
from curator.model import KnownError

_SHOWN = 4  # runs side by side, to fit into 120 columns
# Former texts of figures, so that runs of earlier versions stay comparable.
_RENAMED = (
    (r", a frame\b", ", per frame"),
    (r"^CLIP (\S+), a photo$", r"CLIP \1, per photo"),
    (r"^CLIP against open_clip's float32, least of", "precision of CLIP, worst of"),
    (r"^export a 24 MP JPEG", "exporting a 24 MP JPEG"),
    (r"^the same as a gallery's three sizes$", "exporting it as a gallery in three sizes"),
    (r"^a photo more with (\S+) in the catalog$", r"saving a photo in a catalog of \1"),
    (r"^a drawn JPEG read with (\S+) in the catalog$", r"ingesting a JPEG into a catalog of \1"),
    (r"^convert through the catalog, a photo$", "ingesting a JPEG, per photo"),
    (r"^sharpness, a photo$", "measuring sharpness, per photo"),
    (r"^convert a 24 MP RAW", "converting a 24 MP RAW"),
    (r"^nearest of (\S+) vectors", r"most similar of \1 vectors"),
    (r"^what fits a search, after a mark", "filtering again after a mark"),
    (r"^what looks like a phrase, of", "photos that look like a phrase, of"),
    (r"^words of (\S+) photos read into the index", r"indexing the words of \1 photos"),
    (r"sidecars that say so already$", "sidecars already up to date"),
    (r"^stacks of (\S+) photos$", r"stacking \1 photos"),
    (r"^how that grows, (\d+) times the photos$", r"stacking, growth with \1 times the photos"),
    (r"^a proposal for each of (\S+) stacks$", r"suggesting the best of \1 stacks"),
    (r"^the same with nothing kept, all read$", "the same without the cached table"),
    (r"^another (filter|order|scope), painted", r"changing the \1 until painted"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its time, version and machine, and its figures as in the JSON answer."""

    at: str
    version: str
    commit: str
    machine: Mapping[str, object]
    figures: Sequence[Mapping[str, Any]] = ()

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


def begin() -> Run:
    """Return a run that starts now, without figures."""
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    return Run(at, __version__, _commit(), machine())


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


def rows(runs: Sequence[Run], only: Sequence[str] = ()) -> list[list[object]]:
    """Return a table of runs side by side, newest last, with two rows per figure: value and ratio.

    A value changes with the load of the machine. If the ratio changed as well, it was the program.

    Args:
        runs: oldest first; the last few that have a wanted figure are shown.
        only: names of the wanted bars; empty for all.
    """
    wanted = [
        (
            run,
            {
                (f["bar"], _renamed(f["what"])): f
                for f in run.figures
                if not only or f["bar"] in only
            },
        )
        for run in runs
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
    """Format a value or a ratio, with "missed" if the limit applies to it and was missed."""
    if figure is None or figure[name] is None:
        return ""
    # Early runs have a ratio only if the limit applies to it.
    by_ratio = figure.get("per_reference", figure["ratio"] is not None)
    missed = not figure["holds"] and by_ratio == (name == "ratio")
    return f"{number(figure[name])}{' missed' if missed else ''}"


def _renamed(what: str) -> str:
    """Return the present text of a figure, from that of any version."""
    for pattern, text in _RENAMED:
        what = re.sub(pattern, text, what)
    return what


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
    """Return the commit of the checkout this runs from; "" outside a checkout."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # git is not installed
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
