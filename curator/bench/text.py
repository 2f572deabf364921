"""The bar for reading text in photos: what it costs beyond the networks that find and read it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

from curator.bench.draw import jpeg_bytes, scene
from curator.bench.draw_text import Drawn, draw
from curator.bench.faces import NetworkNotes
from curator.bench.figures import Figure, Reference, Workspace, worked
from curator.bench.photo_sets import LARGE
from curator.imaging.proxy import proxy_path
from curator.model import Kind, KnownError, StageJob
from curator.ocr import models
from curator.stages.convert import convert, decode_photo
from curator.stages.read_text import read_text

_ROUNDS = 3
_LINES = (
    "EXIT 12",
    "Linden Ave",
    "1234",
    "AB-1234 CD",
    "Main Street",
    "TAXI",
    "Pier 39",
    "Gate 27",
)
_CAP_PX = 120


def missing() -> str | None:
    """Return why text cannot be read here; None if it can."""
    return None if models.folder() is not None else str(models.not_installed())


def text(workspace: Workspace) -> list[Figure]:
    """Measure the text of a photo without any and of one with eight lines.

    Figures are processor time of one process, each the least of several.
    """
    bare = "the bare networks with the same inputs"
    without, eight = (_job(workspace, lines) for lines in ((), _LINES))
    spent, networks, _ = _cost(without)
    spent_eight, networks_eight, found = _cost(eight)
    if not {line.replace(" ", "") for line in _LINES} <= {line.replace(" ", "") for line in found}:
        raise KnownError(f"Of {len(_LINES)} drawn lines, only {', '.join(found)} were read.")
    decode = min(worked(partial(decode_photo, eight)) for _ in range(_ROUNDS))
    return [
        Figure(
            "a photo without text", 1000 * spent, "ms", 1500.0, Reference(bare, 1000 * networks)
        ),
        Figure(
            f"a photo with {len(_LINES)} lines, beyond the decode",
            1000 * (spent_eight - decode),
            "ms",
            2500.0,
            Reference(bare, 1000 * networks_eight),
            note=f"12 MP, capitals {_CAP_PX} px high; the decode takes {1000 * decode:.0f} ms",
        ),
    ]


def _job(workspace: Workspace, lines: tuple[str, ...]) -> StageJob:
    """Draw and convert a photo with lines of text; return the job that reads them."""
    width, height = LARGE
    drawn = [
        Drawn(line, (width * (0.3 + 0.4 * (at % 2)), height * (at // 2 + 0.5) / 4), _CAP_PX)
        for at, line in enumerate(lines)
    ]
    path = workspace.scratch / f"text{len(lines)}.jpg"
    path.write_bytes(jpeg_bytes(draw(LARGE, drawn, scene(LARGE, 5).copy()), 92))
    cache = str(workspace.scratch / "cache")
    job = StageJob(1, "read_text", str(path), Kind.IMAGE, cache)
    made = convert(job)
    return replace(
        job, proxy=str(proxy_path(Path(cache), made.proxy)), fingerprint=made.proxy_digest
    )


def _cost(job: StageJob) -> tuple[float, float, list[str]]:
    """Return processor time of the stage and of its networks alone, in s, and what it read.

    Both are measured in turn, so that a busy machine affects both.
    """
    notes = NetworkNotes(models.load)
    with patch.object(models, "load", notes.load):
        found = read_text(job)
    spent = [(worked(partial(read_text, job)), worked(notes.repeat)) for _ in range(_ROUNDS)]
    said = [line.text for line in found.lines]
    return min(each[0] for each in spent), min(each[1] for each in spent), said
