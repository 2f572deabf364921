"""Bars about reading: convert, RAW previews, a second ingest, and marks while all that goes on."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psutil
import simplejpeg

from curator.bench import baselines
from curator.bench.draw import write_dng
from curator.bench.figures import Figure, Pairs, Place, Reference, one_core, program, timed, worked
from curator.bench.photo_sets import large_jpegs, many_small
from curator.catalog import Catalog
from curator.imaging.decode import decode
from curator.imaging.quality import sharpness
from curator.model import Flag, Kind, KnownError, StageJob
from curator.pipeline import Pipeline
from curator.settings import Home, Settings
from curator.stages.convert import convert as convert_stage

_LARGE_FILES = 16
_SMALL_FILES = 5_000
_MARKS = 400
# What a second ingest cannot do without: Python, and a look at each file.
_LOOK = "import os, sys; print(len([each.stat() for each in os.scandir(sys.argv[1])]))"
_MARK_EVERY_S = 0.02  # 50 a second, six times what a hand does, so that many meet a write


def convert(place: Place) -> list[Figure]:
    """Convert JPEGs of 6 MP and more through the catalog, on one core, against a grey decode.

    Figures are seconds of processor time of all processes involved: on one core and a quiet
    machine the same as seconds on the clock, which are in the note, and steady on a busy one.
    """
    photos = large_jpegs(place, _LARGE_FILES)
    megapixels = sum(_pixels(path) for path in photos) / 1e6
    with one_core() as pinned:
        grey = [worked(lambda: _grey(photos))]
        spent, clock = _through_the_catalog(place, photos[0].parent)
        grey.append(worked(lambda: _grey(photos)))
        pixels = [decode(path).rgb for path in photos[:4]]
        sharp = min(worked(lambda: [sharpness(rgb) for rgb in pixels]) for _ in range(3))
        four = min(worked(lambda: _grey(photos[:4])) for _ in range(3))
    note = f"{len(photos)} files, {megapixels / len(photos):.1f} MP each; on the clock"
    note += f" {1000 * clock / len(photos):.0f} ms a photo"
    note += "" if pinned else "; this system cannot keep a process on one core"
    return [
        Figure(
            "convert through the catalog, a photo",
            1000 * spent / len(photos),
            "ms",
            3.0,
            Reference("bare grey decode", 1000 * min(grey) / len(photos)),
            per_reference=True,
            note=note,
        ),
        Figure(
            "sharpness, a photo",
            1000 * sharp / 4,
            "ms",
            0.6,
            Reference("bare grey decode", 1000 * four / 4),
            per_reference=True,
        ),
    ]


def _pixels(path: Path) -> int:
    height, width = simplejpeg.decode_jpeg_header(path.read_bytes())[:2]
    return int(height) * int(width)


def _grey(photos: Sequence[Path]) -> None:
    for path in photos:
        simplejpeg.decode_jpeg(path.read_bytes(), "GRAY")


def _settings(**work: int) -> Settings:
    settings = Settings()
    settings.encoder.which = "none"  # reading is measured, not comparing
    for name, value in work.items():
        setattr(settings.work, name, value)
    return settings


def _through_the_catalog(place: Place, folder: Path) -> tuple[float, float]:
    """Ingest a folder with workers that are warm; return seconds of work and on the clock."""
    warm = many_small(place.scratch / "warm", 12)
    pipeline = Pipeline(Home.at(place.scratch / "home").make(), _settings(workers=1))
    pipeline.start()
    try:
        pipeline.open_folders([warm])
        pipeline.wait_idle(120)
        before, begin = _work_done(), time.perf_counter()
        pipeline.open_folders([folder])
        totals = pipeline.wait_idle(600)
        if totals is None or totals.failed or not totals.converted:
            raise KnownError(f"The photos of {folder} could not all be read.")
        return _work_done() - before, time.perf_counter() - begin
    finally:
        pipeline.stop()


def _work_done() -> float:
    """Return seconds of processor time of this process and those it started."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


def raw(place: Place) -> list[Figure]:
    """Convert a 24 MP RAW by its full-size preview, against the same by full demosaic."""
    jobs = []
    for name, preview in (("preview", True), ("demosaic", False)):
        path = write_dng(place.scratch / f"{name}.dng", size=(6000, 4000), seed=3, preview=preview)
        jobs.append(StageJob(1, "convert", str(path), Kind.RAW, str(place.scratch / "cache")))
    quick, slow = (min(worked(_act(job)) for _ in range(2)) for job in jobs)
    return [
        Figure(
            "convert a 24 MP RAW with a full-size preview",
            1000 * quick,
            "ms",
            5.0,
            Reference("by demosaic", 1000 * slow),
            per_reference=True,
            at_least=True,
        )
    ]


def _act(job: StageJob) -> Callable[[], object]:
    return lambda: convert_stage(job)


def missing() -> str | None:
    """Say why a second ingest cannot be measured here: a bundle has no bare Python beside it."""
    if getattr(sys, "frozen", False):
        return "It is set beside a bare Python, which this build has not."
    return None


def again(place: Place) -> list[Figure]:
    """Ingest 5,000 unchanged files a second time: the whole command, start of Python included.

    Without an encoder, which would take minutes over them the first time and nothing the second.
    """
    folder = many_small(place.scratch / "many", _SMALL_FILES)
    ingest = partial(_command, place, "ingest", str(folder), "--encoder", "none")
    first = timed(ingest)
    pairs, answers = Pairs(), []
    for _ in range(2):
        again = timed(lambda: answers.append(ingest()))
        look = [sys.executable, "-c", _LOOK, str(folder)]
        pairs.add(again, timed(subprocess.check_output, look))
    if (answers[-1]["found"], answers[-1]["new"]) != (_SMALL_FILES, 0):
        raise KnownError(f"The second ingest found something new: {answers[-1]}")
    return [
        Figure(
            f"second ingest of {_SMALL_FILES:,} unchanged files",
            min(pairs.spent),
            "s",
            2.0,
            Reference("Python started, and each file looked at", min(pairs.bare)),
            note=f"the first took {first:.1f} s",
        )
    ]


def _command(place: Place, *words: str) -> dict[str, object]:
    done = subprocess.run(
        [*program(), "--home", place.scratch / "home", *words, "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    return dict(json.loads(done.stdout))


def commit(place: Place) -> list[Figure]:
    """Mark photos while the pipeline writes what it converts; from the call to the commit."""
    sys.setswitchinterval(0.0005)  # as in the window
    home = Home.at(place.scratch / "home").make()
    pipeline = Pipeline(home, _settings())
    pipeline.start()
    catalog = Catalog.open(home.catalog)
    try:
        pipeline.open_folders([many_small(place.scratch / "first", 200)])
        pipeline.wait_idle(120)
        ids = [row[0] for row in catalog.photos.columns()]
        with baselines.commits(place.scratch) as row:
            calm = _marked(catalog, ids, row, lambda done: done < _MARKS)
            pipeline.open_folders([many_small(place.scratch / "more", 6_000)])
            busy = _marked(catalog, ids, row, lambda done: done < _MARKS or _meets(pipeline, done))
    finally:
        catalog.close()
        pipeline.stop()
    return [
        busy.figure("mark to commit with the pipeline writing", 0.99, 10.0, baselines.COMMIT),
        calm.figure("mark to commit with the pipeline idle", 0.99, 10.0, baselines.COMMIT),
    ]


def _meets(pipeline: Pipeline, done: int) -> bool:
    """Say whether marks still meet writes, up to three times as many marks."""
    return done < 3 * _MARKS and pipeline.wait_idle(0.0) is None


def _marked(
    catalog: Catalog, ids: list[int], row: Callable[[], float], more: Callable[[int], bool]
) -> Pairs:
    """Mark photo after photo at an even pace, committing a bare row in between."""
    pairs, pace = Pairs(), threading.Event()
    decide = partial(catalog.journal.decide, summary="bench")
    for number in itertools.takewhile(more, itertools.count()):
        flag = (Flag.PICK, Flag.REJECT, None)[(number // len(ids)) % 3]
        change = {ids[number % len(ids)]: {"flag": flag, "rating": 1 + number % 5}}
        spent = timed(decide, change)
        pace.wait(_MARK_EVERY_S / 2)
        pairs.add(spent, row())
        pace.wait(_MARK_EVERY_S / 2)
    return pairs
