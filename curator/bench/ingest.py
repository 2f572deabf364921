"""The bars for reading photos: convert, RAW previews, a second ingest, and marks meanwhile."""

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

import simplejpeg

from curator import app
from curator.bench import baselines
from curator.bench.draw import write_dng
from curator.bench.figures import (
    Figure,
    PairedTimes,
    Reference,
    Workspace,
    one_core,
    program,
    timed,
    worked,
    worked_by_all,
)
from curator.bench.photo_sets import large_jpegs, many_small
from curator.catalog import Catalog
from curator.home import Home
from curator.imaging.decode import decode
from curator.imaging.quality import sharpness
from curator.model import Flag, Kind, KnownError, StageJob
from curator.pipeline import Pipeline
from curator.settings import Settings
from curator.stages.convert import convert as convert_stage

_LARGE_FILES = 16
_SMALL_FILES = 5_000
_MARKS = 400
# The least work of a second ingest: start Python, and read size and time of each file.
_STAT_FILES = "import os, sys; print(len([each.stat() for each in os.scandir(sys.argv[1])]))"
_MARK_EVERY_S = 0.02  # 50 per second, six times a fast hand, so that many coincide with a write


def convert(workspace: Workspace) -> list[Figure]:
    """Ingest JPEGs of 6 MP and more on one core, compared with a gray decode.

    Figures are processor time of all processes involved, which is steady on a busy machine. The
    note has the elapsed time.
    """
    photos = large_jpegs(workspace, _LARGE_FILES)
    megapixels = sum(_pixels(path) for path in photos) / 1e6
    with one_core() as pinned:
        gray = [worked(lambda: _decode_gray(photos))]
        spent, clock = _ingest(workspace, photos[0].parent)
        gray.append(worked(lambda: _decode_gray(photos)))
        pixels = [decode(path).rgb for path in photos[:4]]
        sharp = min(worked(lambda: [sharpness(rgb) for rgb in pixels]) for _ in range(3))
        four = min(worked(lambda: _decode_gray(photos[:4])) for _ in range(3))
    note = f"{len(photos)} files, {megapixels / len(photos):.1f} MP each; elapsed"
    note += f" {1000 * clock / len(photos):.0f} ms per photo"
    note += "" if pinned else "; this system cannot restrict a process to one core"
    return [
        Figure(
            "ingesting a JPEG, per photo",
            1000 * spent / len(photos),
            "ms",
            2.5,
            Reference("bare gray decode", 1000 * min(gray) / len(photos)),
            per_reference=True,
            note=note,
        ),
        Figure(
            "measuring sharpness, per photo",
            1000 * sharp / 4,
            "ms",
            0.6,
            Reference("bare gray decode", 1000 * four / 4),
            per_reference=True,
        ),
    ]


def _pixels(path: Path) -> int:
    height, width = simplejpeg.decode_jpeg_header(path.read_bytes())[:2]
    return int(height) * int(width)


def _decode_gray(photos: Sequence[Path]) -> None:
    for path in photos:
        simplejpeg.decode_jpeg(path.read_bytes(), "GRAY")


def _settings(**work: int) -> Settings:
    settings = Settings()
    settings.encoder.which, settings.faces.on = "none", False  # measure reading only
    for name, value in work.items():
        setattr(settings.work, name, value)
    return settings


def _ingest(workspace: Workspace, folder: Path) -> tuple[float, float]:
    """Ingest a folder after a warm-up; return processor time and elapsed time, in seconds."""
    warm = many_small(workspace.scratch / "warm", 12)
    pipeline = Pipeline(Home.at(workspace.scratch / "home").make(), _settings(workers=1))
    pipeline.start()
    try:
        pipeline.open_folders([warm])
        pipeline.wait_idle(120)
        before, begin = worked_by_all(), time.perf_counter()
        pipeline.open_folders([folder])
        totals = pipeline.wait_idle(600)
        if totals is None or totals.failed or not totals.converted:
            raise KnownError(f"Some photos of {folder} could not be read.")
        return worked_by_all() - before, time.perf_counter() - begin
    finally:
        pipeline.stop()


def raw(workspace: Workspace) -> list[Figure]:
    """Convert a 24 MP RAW from its full-size preview, compared with a full demosaic."""
    jobs = []
    for name, preview in (("preview", True), ("demosaic", False)):
        path = write_dng(
            workspace.scratch / f"{name}.dng", size=(6000, 4000), seed=3, preview=preview
        )
        jobs.append(StageJob(1, "convert", str(path), Kind.RAW, str(workspace.scratch / "cache")))
    quick, slow = (min(worked(partial(convert_stage, job)) for _ in range(2)) for job in jobs)
    return [
        Figure(
            "converting a 24 MP RAW with a full-size preview",
            1000 * quick,
            "ms",
            5.0,
            Reference("converting it by demosaic", 1000 * slow),
            per_reference=True,
            at_least=True,
        )
    ]


def again(workspace: Workspace) -> list[Figure]:
    """Ingest 5,000 unchanged files a second time: the whole command, with the start of Python.

    The encoder is off: it would take minutes the first time and no time the second.
    """
    folder = many_small(workspace.scratch / "many", _SMALL_FILES)
    ingest = partial(_command, workspace, "ingest", str(folder), "--encoder", "none")
    first = timed(ingest)
    pairs, answers = PairedTimes(), []
    for _ in range(2):
        again = timed(lambda: answers.append(ingest()))
        stat_files = [sys.executable, "-c", _STAT_FILES, str(folder)]
        pairs.add(again, timed(subprocess.check_output, stat_files))
    if (answers[-1]["found"], answers[-1]["new"]) != (_SMALL_FILES, 0):
        raise KnownError(f"The second ingest found new files: {answers[-1]}")
    return [
        Figure(
            f"second ingest of {_SMALL_FILES:,} unchanged files",
            min(pairs.spent),
            "s",
            1.0,
            Reference("starting Python and reading size and time of each file", min(pairs.bare)),
            note=f"the first took {first:.1f} s",
        )
    ]


def _command(workspace: Workspace, *words: str) -> dict[str, object]:
    done = subprocess.run(
        [*program(), "--home", workspace.scratch / "home", *words, "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    return dict(json.loads(done.stdout))


def commit(workspace: Workspace) -> list[Figure]:
    """Measure marks from the call to the commit, while the pipeline writes and while it is idle."""
    app.tune_process()  # else a collection visits all that was imported, for some 50 ms
    home = Home.at(workspace.scratch / "home").make()
    pipeline = Pipeline(home, _settings())
    pipeline.start()
    catalog = Catalog.open(home.catalog)
    try:
        pipeline.open_folders([many_small(workspace.scratch / "first", 200)])
        pipeline.wait_idle(120)
        ids = catalog.photos.ids()
        with baselines.commits(workspace.scratch) as row:
            calm = _marked(catalog, ids, row, lambda done: done < _MARKS)
            pipeline.open_folders([many_small(workspace.scratch / "more", 6_000)])
            busy = _marked(catalog, ids, row, lambda n: n < _MARKS or _is_writing(pipeline, n))
    finally:
        catalog.close()
        pipeline.stop()
    return [
        busy.figure("mark to commit with the pipeline writing", 0.99, 10.0, baselines.COMMIT),
        calm.figure("mark to commit with the pipeline idle", 0.99, 10.0, baselines.COMMIT),
    ]


def _is_writing(pipeline: Pipeline, done: int) -> bool:
    """Whether the pipeline still writes; False after three times as many marks."""
    return done < 3 * _MARKS and pipeline.wait_idle(0.0) is None


def _marked(
    catalog: Catalog, ids: list[int], row: Callable[[], float], more: Callable[[int], bool]
) -> PairedTimes:
    """Mark photos at an even pace, with the commit of a bare row in between."""
    pairs, pace = PairedTimes(), threading.Event()
    decide = partial(catalog.journal.decide, summary="bench")
    for number in itertools.takewhile(more, itertools.count()):
        flag = (Flag.PICK, Flag.REJECT, None)[(number // len(ids)) % 3]
        change = {ids[number % len(ids)]: {"flag": flag, "rating": 1 + number % 5}}
        spent = timed(decide, change)
        pace.wait(_MARK_EVERY_S / 2)
        pairs.add(spent, row())
        pace.wait(_MARK_EVERY_S / 2)
    return pairs
