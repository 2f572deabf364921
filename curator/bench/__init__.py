"""`curator bench`: the speed bars of the design, each with its reference from the same run.

:func:`bars` lists them. Each bar runs in a process of its own, in a scratch folder of its own, on
photos it draws (or those of ``--photos FOLDER``), so that none profits or suffers from another.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.bench import history
from curator.bench.figures import number, program
from curator.cli.output import columns, size
from curator.model import KnownError, UsageError
from curator.settings import Home, absolute

if TYPE_CHECKING:
    from curator.bench.figures import Bar, Figure
    from curator.cli.output import Output


def bars() -> dict[str, Bar]:
    """Return all bars by name; imported late, because they import everything."""
    from curator.bench import (
        compare,
        encoder,
        export,
        growth,
        ingest,
        large_library,
        search,
        sidecars,
        stacks,
        taste,
        window,
        zoom,
    )
    from curator.bench.figures import Bar

    # To add a bar: a function from a Place to figures, and one line here.
    listed = (
        Bar("convert", "converting JPEGs against a bare grey decode", ingest.convert),
        Bar("raw", "a RAW by its preview against a full demosaic", ingest.raw),
        Bar("again", "a second ingest of 5,000 unchanged files", ingest.again, ingest.missing),
        Bar("commit", "a mark to its commit, with the pipeline writing", ingest.commit),
        Bar("first", "the first photo of 10,000, and 1,000 thumbnails", window.first),
        Bar("keys", "a key to the painted photo", window.keys),
        Bar("zoom", "a key to the painted 100 % crop, panning, memory", zoom.zoom),
        Bar("compare", "two to eight photos side by side, dragged at 100 %", compare.compare),
        Bar("large", "a window on 100,000 photos: filters, orders, scrolling", large_library.large),
        Bar("flat", "a photo more among 100,000, against among none", growth.flat),
        Bar("clip", "CLIP on this CPU against a float32 loop", encoder.clip, encoder.missing),
        Bar("stacks", "which of 100,000 photos belong together", stacks.stacks),
        Bar("sidecars", "1,000 sidecars of other editors, merged and written", sidecars.sidecars),
        Bar("export", "JPEGs of 24 MP against a loop with Pillow", export.export),
        Bar("search", "words and looks among 100,000 photos", search.search),
        Bar("taste", "one star more, and new scores for 100,000 photos", taste.taste),
    )
    return {bar.name: bar for bar in listed}


def main(home: Home, arguments: argparse.Namespace, output: Output) -> int:
    """Measure the bars asked for and say each figure; a missed bar is no failure, exit code 0.

    Args:
        home: where the history is kept; no bar touches it, each makes a home of its own.
        arguments: ``only`` (names of bars), ``photos`` and ``stock`` (folders, or None),
            ``count`` (photos of the library they measure), ``history`` to show earlier runs
            instead, ``make_catalog`` (a folder, or None) to make a library of ``count`` instead.
        output: where the answer goes.

    Raises:
        UsageError: there is no bar of that name.
        KnownError: the only bar asked for could not be measured here, a library not be made. Of
            several bars the others are measured, and the exit code is 1.
    """
    known = bars()
    for name in arguments.only:
        if name not in known:
            raise UsageError(f"There is no bar {name}.", f"Bars: {', '.join(known)}.")
    if arguments.make_catalog:
        return _make(Home.at(arguments.make_catalog), arguments.count, output)
    if arguments.history:
        return _tell_history(home, arguments.only, output)
    begun, whole = history.begin(), True
    if len(arguments.only) == 1:
        name = arguments.only[0]
        found = _measure(known[name], arguments)
        figures = [{"bar": name, **_plain(figure)} for figure in found]
    else:
        figures, whole = _all(arguments, output)
    run = replace(begun, figures=figures)
    if not arguments.apart:
        history.keep(home, run)
    output.answer(run.plain(), [*columns(_table(figures)), "", *_notes(figures), "", run.where()])
    return 0 if whole else 1


def _make(home: Home, count: int, output: Output) -> int:
    from curator.bench import synthetic_library

    synthetic_library.make(home, count, output.note)
    taken = home.catalog.stat().st_size
    output.answer(
        {"home": str(home.data), "photos": count, "bytes": taken},
        [
            f"{count:,} photos, {size(taken)} of catalog.",
            f"Open it: curator --home {home.data}",
        ],
    )
    return 0


def _tell_history(home: Home, only: Sequence[str], output: Output) -> int:
    kept = history.runs(home)
    lines = columns(history.rows(kept, only))
    output.answer([run.plain() for run in kept], lines or ["Nothing was measured here yet."])
    return 0


def _all(arguments: argparse.Namespace, output: Output) -> tuple[list[dict[str, Any]], bool]:
    """Measure several bars, each in a process of its own; they share what takes long to make.

    Returns:
        The figures, and whether each bar that can be measured here was.
    """
    known, whole = bars(), True
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="curator-bench-") as stock:
        for name in arguments.only or known:
            lack = known[name].missing()
            if lack is not None:
                output.note(f"{name}: left out. {lack}")
                continue
            output.note(f"{name}: {known[name].title} ...")
            try:
                figures += _apart(name, arguments, arguments.stock or stock)
            except KnownError as error:  # a quarter of an hour of others is not lost for it
                output.note(f"{error} {error.remedy}".rstrip())
                whole = False
    return figures, whole


def _measure(bar: Bar, arguments: argparse.Namespace) -> list[Figure]:
    from curator.bench.figures import Place

    if (lack := bar.missing()) is not None:
        raise KnownError(f"The bar {bar.name} cannot be measured here.", lack)
    given, kept = (
        absolute(folder) if folder else None for folder in (arguments.photos, arguments.stock)
    )
    with tempfile.TemporaryDirectory(prefix="curator-bench-") as scratch:
        return bar.measure(Place(Path(scratch), given, kept, arguments.count))


def _apart(name: str, arguments: argparse.Namespace, stock: str) -> list[dict[str, Any]]:
    """Measure one bar in a process of its own."""
    words = ["bench", "--json", "--apart", "--only", name, "--stock", stock]
    words += ["--count", str(arguments.count)]
    words += ["--photos", arguments.photos] if arguments.photos else []
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    done = subprocess.run(
        [*program(), *words], stdout=subprocess.PIPE, text=True, check=False, env=environment
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"error": f"The process ended with {done.returncode}.", "remedy": ""}
    if "error" in answer:
        raise KnownError(
            f"The bar {name} could not be measured: {answer['error']}", answer["remedy"]
        )
    return list(answer["figures"])


def _table(figures: Sequence[dict[str, Any]]) -> list[list[object]]:
    """Lay figures out: what, beside what, how many times that, what it is to be, whether it is."""
    table: list[list[object]] = [["bar", "what", "figure", "reference", "ratio", "limit", ""]]
    for each in figures:
        unit, sign = each["unit"], "≥" if each["at_least"] else "≤"
        reference, ratio = each["reference"], each["ratio"]
        table.append(
            [
                each["bar"],
                each["what"],
                f"{number(each['value'])} {unit}",
                "" if reference is None else f"{number(reference)} {unit}",
                "" if ratio is None else f"{number(ratio)} ×",
                f"{sign} {each['limit']:g} {'×' if each['per_reference'] else unit}",
                "holds" if each["holds"] else "MISSED",
            ]
        )
    return table


def _notes(figures: Sequence[dict[str, Any]]) -> list[str]:
    """Say below the table what references are, or why there is none, and what else was seen."""
    said = []
    for each in figures:
        beside = f"beside {each['reference_what']}" if each["reference_what"] else each["alone"]
        said.append(f"{each['what']}: {'; '.join(filter(None, (beside, each['note'])))}")
    return said


def _plain(figure: Figure) -> dict[str, Any]:
    from curator.bench.figures import Reference

    beside = figure.beside
    reference = beside if isinstance(beside, Reference) else None
    return {
        "what": figure.what,
        "value": figure.value,
        "unit": figure.unit,
        "reference": reference and reference.value,
        "reference_what": reference.what if reference else "",
        "alone": "" if isinstance(beside, Reference) else beside.why,
        "ratio": figure.ratio,
        "limit": figure.limit,
        "per_reference": figure.per_reference,
        "at_least": figure.at_least,
        "holds": figure.holds,
        "note": figure.note,
        "sentence": figure.sentence(),
    }
