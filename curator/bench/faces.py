"""The bar for measuring faces: what they cost beyond the networks that find and measure them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from curator.bench import face_accuracy
from curator.bench.draw import jpeg_bytes, scene
from curator.bench.draw_faces import draw_face
from curator.bench.figures import Figure, Reference, Workspace, worked, worked_by_all
from curator.bench.photo_sets import LARGE, large_jpegs, many_small
from curator.faces import models
from curator.home import Home
from curator.imaging.proxy import proxy_path
from curator.model import Kind, KnownError, StageJob
from curator.pipeline import Pipeline
from curator.settings import Settings
from curator.stages.convert import convert, decode_photo
from curator.stages.faces import faces as faces_stage

_ROUNDS = 7
_INGESTS = 3
_FILES = 16
_FACES = 4
_FACE_PX = 300


def faces(workspace: Workspace) -> list[Figure]:
    """Measure the faces of a photo without any and of one with four, and ingest with and without.

    Figures of single photos are processor time of one process, each the least of several. If the
    given photos are labelled faces, also measure how often faces and eyes are right.
    """
    labelled = workspace.photos
    if labelled is not None and face_accuracy.has_labels(labelled):
        return [*_costs(replace(workspace, photos=None)), *face_accuracy.accuracy(labelled)]
    return _costs(workspace)


def _costs(workspace: Workspace) -> list[Figure]:
    without, four = (_job(workspace, count) for count in (0, _FACES))
    bare = "the bare networks with the same inputs"
    spent, networks, found = _cost(without)
    spent_four, networks_four, found_four = _cost(four)
    if (found, found_four) != (0, _FACES):
        raise KnownError(f"Of 0 and {_FACES} drawn faces, {found} and {found_four} were found.")
    decode = min(worked(partial(decode_photo, four)) for _ in range(_ROUNDS))
    on, off = _ingest(workspace)
    return [
        Figure("a photo without faces", 1000 * spent, "ms", 30.0, Reference(bare, 1000 * networks)),
        Figure(
            f"a photo with {_FACES} faces, beyond the decode",
            1000 * (spent_four - decode),
            "ms",
            150.0,
            Reference(bare, 1000 * networks_four),
            note=f"12 MP, faces {_FACE_PX} px wide; the decode takes {1000 * decode:.0f} ms",
        ),
        Figure(
            "ingesting a JPEG and its faces, per photo",
            1000 * on,
            "ms",
            1.5,
            Reference("the same with faces off", 1000 * off),
            per_reference=True,
            note="photos without faces; processor time of all processes",
        ),
    ]


def _job(workspace: Workspace, count: int) -> StageJob:
    """Draw and convert a photo with so many faces; return the job that measures them."""
    rgb = scene(LARGE, 5).copy()
    for number in range(count):
        middle = LARGE[0] * (number + 0.5) / count, LARGE[1] / 2
        draw_face(rgb, middle, _FACE_PX)
    path = workspace.scratch / f"faces{count}.jpg"
    path.write_bytes(jpeg_bytes(rgb, 92))
    cache = str(workspace.scratch / "cache")
    job = StageJob(1, "faces", str(path), Kind.IMAGE, cache)
    made = convert(job)
    return replace(
        job, proxy=str(proxy_path(Path(cache), made.proxy)), fingerprint=made.proxy_digest
    )


def _cost(job: StageJob) -> tuple[float, float, int]:
    """Return processor time of the stage and of its networks alone, in s, and the faces it found.

    Both are measured in turn, so that a busy machine affects both. The faces are counted.
    """
    notes = NetworkNotes(models.load)
    with patch.object(models, "load", notes.load):
        found = faces_stage(job)
    spent = [(worked(partial(faces_stage, job)), worked(notes.repeat)) for _ in range(_ROUNDS)]
    return min(each[0] for each in spent), min(each[1] for each in spent), len(found.faces)


class NetworkNotes:
    """Notes what goes into networks, to run these again without anything around them."""

    def __init__(self, load: Callable[..., Any]) -> None:
        """Note what goes into networks that ``load`` returns."""
        self._load = load
        self._runs: list[Callable[[], object]] = []

    def load(self, *given: Any) -> Any:
        """Load a network that is noted."""
        return _Noted(self._load(*given), self._runs)

    def repeat(self) -> None:
        """Run the networks again."""
        for run in self._runs:
            run()


class _Noted:
    """A network whose inputs and outputs are noted."""

    def __init__(self, net: Any, runs: list[Callable[[], object]]) -> None:
        self._net, self._runs = net, runs

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._net, name)
        if name not in ("setInput", "forward"):
            return act

        def noted(*given: Any) -> Any:
            self._runs.append(partial(act, *given))
            return act(*given)

        return noted


def _ingest(workspace: Workspace) -> tuple[float, float]:
    """Ingest JPEGs with faces on and off; return the processor time per photo of each, in s.

    Each is the least of several, in turn.
    """
    folder = large_jpegs(workspace, _FILES)[0].parent
    warm = many_small(workspace.scratch / "warm", _FILES)
    spent = [
        tuple(_ingested(workspace.scratch / f"home-{turn}-{on}", warm, folder, on)
              for on in (True, False))
        for turn in range(_INGESTS)
    ]  # fmt: skip
    on, off = (min(each) for each in zip(*spent, strict=True))
    return on, off


def _ingested(home: Path, warm: Path, folder: Path, on: bool) -> float:
    """Return the processor time per photo, in s, of a pipeline that has ingested others before."""
    settings = Settings()
    settings.encoder.which, settings.faces.on, settings.work.workers = "none", on, 1
    pipeline = Pipeline(Home.at(home).make(), settings)
    pipeline.start()
    try:
        pipeline.open_folders([warm])
        pipeline.wait_idle(120)
        before = worked_by_all()
        pipeline.open_folders([folder])
        totals = pipeline.wait_idle(600)
        if totals is None or totals.converted != _FILES or totals.measured != on * _FILES:
            raise KnownError(f"Some photos of {folder} could not be read.")
        return (worked_by_all() - before) / _FILES
    finally:
        pipeline.stop()
