"""STAGES: the steps every photo goes through, one module each, and how each result is saved.

To add a stage: one module here and one line in the table. The module has a function that turns a
`StageJob` into a result, and a function that saves results. Nothing else in Curator names a stage
to run or save it: the pipeline reads this table.

The job function gets only its job. It raises UnreadableError or GoneError for faults of the file
and writes derived files itself, atomically. It runs in a worker process (`describe` on a thread),
so a module here must not import the window or the catalog at its top. The save function runs on the
conductor's thread: it makes one or a few short transactions and must open no file. Raise
``version`` when results change: then that stage is done again for every photo.

(`stack` groups all photos together and is not in the table; its version is in
`curator.pipeline.stacking`.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from curator.stages.convert import convert, save_converted
from curator.stages.describe import describe, save_described
from curator.stages.embed import embed, save_embedded
from curator.stages.faces import faces, save_faces
from curator.stages.peek import peek, save_peeked
from curator.stages.read_text import read_text, save_text

if TYPE_CHECKING:
    from curator.stages.saving import Save

__all__ = ["STAGES", "LaneKind", "Stage"]


class LaneKind(StrEnum):
    """The queue a stage's jobs wait in, so that quick work never waits for slow work."""

    HEADERS = "peek"  # worker processes; many short jobs
    PIXELS = "convert"  # worker processes; one decode each
    FACES = "faces"  # worker processes; no stage waits for it
    ENCODER = "encoder"  # the encoder's process; it gets a list of jobs and returns Embeddings
    VISION = "vision"  # threads that wait for a server
    TEXT = "text"  # worker processes, while no other lane works


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a photo's life.

    Attributes:
        name: in lower case; the catalog keeps results under it.
        version: raise it when results change.
        run: the job function, ``(StageJob) -> result``; pickled by name.
        save: saves results of ``run``; see `curator.stages.saving.Save`.
        needs: names of the stages that come first.
        lane: the queue its jobs wait in.
        title: what the window calls it while it runs.
        noun: what the window calls its result.
        reads: ``file`` if it reads originals, ``proxy`` if it reads proxies, ``both`` if it reads
            the original behind a proxy. Results are made again when the original's bytes change, or
            for ``proxy`` and ``both`` the proxy's. All but ``proxy`` wait for the photo's drive.
        every: whether all photos go through it, or only those for which it is requested.
        variant: what else results depend on, such as a prompt; they are made again when it changes.
    """

    name: str
    version: int
    run: Callable[..., Any]
    save: Save
    needs: tuple[str, ...]
    lane: LaneKind
    title: str
    noun: str
    reads: str = "file"
    every: bool = True
    variant: str = ""


STAGES = (
    Stage("peek", 3, peek, save_peeked, (), LaneKind.HEADERS, "Reading headers", "Headers"),
    Stage(
        "convert", 4, convert, save_converted, ("peek",), LaneKind.PIXELS, "Making proxies", "Image"
    ),
    Stage(
        "faces",
        1,
        faces,
        save_faces,
        ("convert",),
        LaneKind.FACES,
        "Measuring faces",
        "Faces",
        reads="both",
    ),
    Stage(
        "embed",
        2,
        embed,
        save_embedded,
        ("convert",),
        LaneKind.ENCODER,
        "Analyzing photos",
        "Analysis",
        reads="proxy",
    ),
    Stage(
        "describe",
        1,
        describe,
        save_described,
        ("convert",),
        LaneKind.VISION,
        "Describing photos",
        "Description",
        reads="proxy",
        every=False,
    ),
    Stage(
        "read_text",
        1,
        read_text,
        save_text,
        ("convert",),
        LaneKind.TEXT,
        "Reading text",
        "Text",
        reads="both",
        every=False,
    ),
)
