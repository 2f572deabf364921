"""`curator bench`: the speed bars of the design, each with its reference from the same run.

BARS is the list. Each bar runs in a process of its own, in a scratch folder of its own, on photos
it draws (or those of ``--photos FOLDER``), so that none profits or suffers from another.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.model import KnownError, UsageError
from curator.settings import Home, absolute

if TYPE_CHECKING:
    from curator.bench.figures import Bar, Figure
    from curator.cli.output import Output


def bars() -> dict[str, Bar]:
    """Return all bars by name; imported late, because they import everything."""
    from curator.bench import (
        comparing,
        encoding,
        exporting,
        learning,
        reading,
        searching,
        sidecars,
        stacks,
        window,
        zooming,
    )
    from curator.bench.figures import Bar

    # To add a bar: a function from a Place to figures, and one line here.
    listed = (
        Bar("convert", "converting JPEGs against a bare grey decode", reading.convert),
        Bar("raw", "a RAW by its preview against a full demosaic", reading.raw),
        Bar("again", "a second ingest of 5,000 unchanged files", reading.again),
        Bar("commit", "a mark to its commit, with the pipeline writing", reading.commit),
        Bar("first", "the first photo of 10,000, and 1,000 thumbnails", window.first),
        Bar("keys", "a key to the painted photo", window.keys),
        Bar("zoom", "a key to the painted 100 % crop, panning, memory", zooming.zoom),
        Bar("compare", "two to eight photos side by side, dragged at 100 %", comparing.compare),
        Bar("large", "a window on 100,000 photos", window.large),
        Bar("clip", "CLIP on this CPU against a float32 loop", encoding.clip, encoding.missing),
        Bar("stacks", "which of 100,000 photos belong together", stacks.stacks),
        Bar("sidecars", "1,000 sidecars of other editors, merged and written", sidecars.sidecars),
        Bar("export", "JPEGs of 24 MP against a loop with Pillow", exporting.export),
        Bar("search", "words and looks among 100,000 photos", searching.search),
        Bar("taste", "one star more, and new scores for 100,000 photos", learning.taste),
    )
    return {bar.name: bar for bar in listed}


def main(home: Home, arguments: argparse.Namespace, output: Output) -> int:
    """Measure the bars asked for and say each figure; a missed bar is no failure.

    Args:
        home: not touched: every bar makes a home of its own.
        arguments: ``only`` (names of bars) and ``photos`` (a folder, or None).
        output: where the answer goes.

    Raises:
        UsageError: there is no bar of that name.
        KnownError: a bar could not be measured here.
    """
    known = bars()
    names = arguments.only or list(known)
    for name in names:
        if name not in known:
            raise UsageError(f"There is no bar {name}.", f"Bars: {', '.join(known)}.")
    if arguments.only and len(names) == 1:
        found = _measure(known[names[0]], arguments.photos)
        output.answer([_plain(figure) for figure in found], [f.sentence() for f in found])
        return 0
    figures: list[dict[str, Any]] = []
    for name in names:
        lack = known[name].missing()
        if lack is not None:
            output.note(f"{name}: left out. {lack}")
            continue
        output.note(f"{name}: {known[name].title} ...")
        figures += _apart(name, arguments.photos)
    output.answer(figures, [f"{figure['bar']:<8} {figure['sentence']}" for figure in figures])
    return 0


def _measure(bar: Bar, photos: str | None) -> list[Figure]:
    from curator.bench.figures import Place

    if (lack := bar.missing()) is not None:
        raise KnownError(f"The bar {bar.name} cannot be measured here.", lack)
    given = absolute(photos) if photos else None
    with tempfile.TemporaryDirectory(prefix="curator-bench-") as scratch:
        return bar.measure(Place(Path(scratch), given))


def _apart(name: str, photos: str | None) -> list[dict[str, Any]]:
    """Measure one bar in a process of its own."""
    program = (
        [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "curator"]
    )
    words = ["bench", "--json", "--only", name, *(["--photos", photos] if photos else [])]
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    done = subprocess.run(
        [*program, *words], stdout=subprocess.PIPE, text=True, check=False, env=environment
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"error": f"The process ended with {done.returncode}.", "remedy": ""}
    if isinstance(answer, dict):
        raise KnownError(
            f"The bar {name} could not be measured: {answer['error']}", answer["remedy"]
        )
    return [{"bar": name, **figure} for figure in answer]


def _plain(figure: Figure) -> dict[str, Any]:
    return {
        "what": figure.what,
        "value": figure.value,
        "unit": figure.unit,
        "reference": figure.reference,
        "reference_what": figure.reference_what,
        "ratio": figure.judged if figure.per_reference else None,
        "limit": figure.limit,
        "holds": figure.holds,
        "note": figure.note,
        "sentence": figure.sentence(),
    }
