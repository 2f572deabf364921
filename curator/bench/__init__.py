"""`curator bench`: measure the speed of Curator against its bars.

A bar is a limit for one figure; each figure is compared with a reference measured in the same run.
:func:`bars` lists the bars. Each runs in its own process and scratch folder, on photos it draws (or
those of ``--photos FOLDER``), so that bars do not influence each other. To compare two versions,
run `curator bench --times 5` in both checkouts with the same ``--home``. The history
shown after the second says which figures changed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from curator.bench import history
from curator.bench.figures import Figure, number, program
from curator.bench.scratch import scratch_folder
from curator.cli.output import columns, size
from curator.home import Home, absolute
from curator.model import KnownError, UsageError

if TYPE_CHECKING:
    from curator.bench.figures import Bar
    from curator.bench.history import Run
    from curator.cli.output import Output


def bars() -> dict[str, Bar]:
    """Return all bars by name. Imports almost all of Curator, so call it only when needed."""
    from curator.bench import (
        card_import,
        compare,
        encoder,
        export,
        face_strip,
        faces,
        growth,
        ingest,
        large_library,
        outside,
        search,
        sidecars,
        stacks,
        start,
        taste,
        text,
        window,
        zoom,
    )
    from curator.bench.figures import Bar, no_bare_python

    # To add a bar, write a function from a Workspace to figures, and add a line here.
    listed = (
        Bar("convert", "convert JPEGs, compared with a gray decode", ingest.convert),
        Bar("raw", "convert a RAW from its preview, compared with a demosaic", ingest.raw),
        Bar("again", "ingest 5,000 unchanged files again", ingest.again, no_bare_python),
        Bar("commit", "from a mark to its commit while the pipeline writes", ingest.commit),
        Bar("start", "start a verb, or the window to its first paint", start.start, no_bare_python),
        Bar("first", "show the first photo of 10,000, and 1,000 thumbnails", window.first),
        Bar("keys", "from a key to the painted photo", window.keys),
        Bar("outside", "from a key to a pixel on a display", outside.outside, outside.missing),
        Bar("zoom", "from a key to the painted 100 % view, panning, memory", zoom.zoom),
        Bar("strip", "the same, with close-ups of the faces beside the photo", face_strip.strip),
        Bar("compare", "drag two to eight photos at 100 %", compare.compare),
        Bar("large", "open, filter, sort and scroll 100,000 photos", large_library.large),
        Bar("flat", "add a photo to 100,000, compared with an empty catalog", growth.flat),
        Bar("starter", "the built-in encoder, compared with its bare network", encoder.starter),
        Bar("clip", "CLIP on this CPU, compared with float32", encoder.clip, encoder.missing),
        Bar("faces", "find and measure faces, compared with the bare networks", faces.faces),
        Bar("text", "read text, compared with the bare networks", text.text, text.missing),
        Bar("stacks", "stack 100,000 photos", stacks.stacks),
        Bar("sidecars", "merge and write 1,000 sidecars of other editors", sidecars.sidecars),
        Bar("export", "export 24 MP JPEGs, compared with Pillow", export.export),
        Bar("import", "import a card, compared with cp", card_import.measure, card_import.missing),
        Bar("search", "search 100,000 photos by words and by similarity", search.search),
        Bar("taste", "new match scores for 100,000 photos after a rating", taste.taste),
    )
    return {bar.name: bar for bar in listed}


def main(home: Home, arguments: argparse.Namespace, output: Output) -> int:
    """Measure the wanted bars and print the figures; return the exit code.

    The exit code is 0 even if bars are missed.

    Args:
        home: stores the history of runs. Bars never use it; each creates its own.
        arguments: ``only`` (names of bars), ``photos`` and ``stock`` (folders, or None),
            ``count`` (photos in the measured library), ``times`` to measure before the history is
            shown, ``history`` to show it only, ``make_catalog`` (a folder, or None) to make a
            library of ``count`` instead.
        output: receives the answer.

    Raises:
        UsageError: no bar has that name.
        KnownError: the only wanted bar could not be measured, or the library could not be made. If
            one of several bars fails, the others are still measured, and the exit code is 1.
    """
    known = bars()
    for name in arguments.only:
        if name not in known:
            raise UsageError(f"There is no bar “{name}”.", f"Bars: {', '.join(known)}.")
    if arguments.make_catalog:
        return _make(Home.at(arguments.make_catalog), arguments.count, output)
    if arguments.history:
        _show_history(home, arguments, output)
        return 0
    complete = True
    with scratch_folder() as stock:
        for _ in range(arguments.times):
            run, succeeded = _run(arguments, arguments.stock or str(stock), output)
            complete = complete and succeeded
            if not arguments.apart:
                history.save(home, run)
    if arguments.times > 1:
        _show_history(home, arguments, output)
    else:
        lines = [*columns(_table(run.figures)), "", *_notes(run.figures), "", run.where()]
        output.answer(run, lines)
    return 0 if complete else 1


def _make(home: Home, count: int, output: Output) -> int:
    from curator.bench import synthetic_library

    synthetic_library.make(home, count, output.note)
    catalog_bytes = home.catalog.stat().st_size
    document = {"home": str(home.data), "photos": count, "bytes": catalog_bytes}
    lines = [f"{count:,} photos, {size(catalog_bytes)} of catalog."]
    output.answer(document, [*lines, f"Open it: curator --home {home.data}"])
    return 0


def _begin(arguments: argparse.Namespace) -> Run:
    photos = str(absolute(arguments.photos)) if arguments.photos else ""
    return history.begin(arguments.count, photos)


def _show_history(home: Home, arguments: argparse.Namespace, output: Output) -> None:
    """Print the figures of earlier runs with the same options on this machine."""
    setting = _begin(arguments).setting()
    recorded = history.runs(home)
    runs = [run for run in recorded if run.setting() == setting]
    found = history.trends(runs, arguments.only, arguments.times)
    others = len(recorded) - len(runs)
    lines = ["No runs are recorded yet."]
    if found:
        lines = [*columns(history.rows(found)), "", *textwrap.wrap(history.RULE, 120)]
    lines.append(f"Machine and options: {setting}.")
    if others:
        lines.append(f"{others:,} runs on other machines or with other options are not shown.")
    output.answer({"setting": setting, "other_runs": others, "figures": found}, lines)


def _run(arguments: argparse.Namespace, stock: str, output: Output) -> tuple[Run, bool]:
    """Measure the wanted bars; a single one in this process, unless it is repeated.

    Returns:
        The run, and whether no bar failed.
    """
    begun = _begin(arguments)
    if len(arguments.only) == 1 and arguments.times == 1:
        (name,) = arguments.only
        figures = [{"bar": name, **each.document()} for each in _measure(bars()[name], arguments)]
        return replace(begun, figures=figures), True
    figures, complete = _measure_all(arguments, stock, output)
    return replace(begun, figures=figures), complete


def _measure_all(
    arguments: argparse.Namespace, stock: str, output: Output
) -> tuple[list[dict[str, Any]], bool]:
    """Measure several bars, each in its own process; they share data that takes long to make.

    Returns:
        The figures, and whether no bar failed.
    """
    known, complete = bars(), True
    figures: list[dict[str, Any]] = []
    for name in arguments.only or known:
        missing = known[name].missing()
        if missing is not None:
            output.note(f"{name}: skipped. {missing}")
            continue
        output.note(f"{name}: {known[name].title} ...")
        try:
            figures += _measure_in_process(name, arguments, stock)
        except KnownError as error:  # keep the figures of the other bars
            output.note(f"{error} {error.remedy}".rstrip())
            complete = False
    return figures, complete


def _measure(bar: Bar, arguments: argparse.Namespace) -> list[Figure]:
    from curator.bench.figures import Workspace

    if (missing := bar.missing()) is not None:
        raise KnownError(f"The bar {bar.name} cannot be measured here.", missing)
    photos, stock = (
        absolute(folder) if folder else None for folder in (arguments.photos, arguments.stock)
    )
    with scratch_folder() as scratch:
        return bar.measure(Workspace(scratch, photos, stock, arguments.count))


def _measure_in_process(
    name: str, arguments: argparse.Namespace, stock: str
) -> list[dict[str, Any]]:
    """Measure a bar in a new process."""
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


def _table(figures: Sequence[Mapping[str, Any]]) -> list[list[object]]:
    """Return the rows of a table of figures with reference, ratio, limit and result."""
    table: list[list[object]] = [["bar", "what", "figure", "reference", "ratio", "limit", ""]]
    for each in figures:
        unit, reference, ratio = each["unit"], each["reference"], each["ratio"]
        table.append(
            [
                each["bar"],
                each["what"],
                f"{number(each['value'])} {unit}",
                "" if reference is None else f"{number(reference)} {unit}",
                "" if ratio is None else f"{number(ratio)} ×",
                Figure.load(each).limit_text,
                "holds" if each["holds"] else "MISSED",
            ]
        )
    return table


def _notes(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines below the table: the reference of each figure, or why it has none."""
    lines = []
    for each in figures:
        reference = each["reference_what"]
        beside = f"reference: {reference}" if reference else each["alone"]
        lines.append(f"{each['what']}: {'; '.join(filter(None, (beside, each['note'])))}")
    return lines
