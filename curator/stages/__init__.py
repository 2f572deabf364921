"""STAGES: what every photo goes through, one file each, run in a worker process.

To add a stage: one module here with a function ``(StageJob) -> result`` and one line in the table.
The function knows only its job, raises UnreadableError or GoneError for the world's faults, and
writes its derived files itself, whole or not at all. Raise ``version`` when results change: just
that stage is then done again for every photo. (`stack` is about all photos together and no row of
the table; it has a version in `curator.pipeline.stacking`.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curator.stages.convert import convert
from curator.stages.describe import describe
from curator.stages.embed import embed
from curator.stages.peek import peek


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a photo's life.

    ``needs`` names the stages that come first; ``lane`` the queue it waits in, so that quick work
    never waits for slow; ``title`` is what the window says of it. ``reads`` is ``file`` for what
    reads originals and ``proxy`` for what reads the proxy: equal bytes are not read again.
    In the lane ``encoder`` the function takes several jobs and gives `curator.model.Embeddings`.
    In the lane ``vision`` it runs on a thread: it waits for a server. ``every``: all photos go
    through it; otherwise only those it was asked for. ``variant`` names what else a result depends
    on, such as the words a model is asked with: with another one it is made again.
    """

    name: str
    version: int
    run: Callable[..., Any]
    needs: tuple[str, ...]
    lane: str
    title: str
    reads: str = "file"
    every: bool = True
    variant: str = ""


STAGES = (
    Stage("peek", 3, peek, (), "peek", "Reading headers"),
    Stage("convert", 4, convert, ("peek",), "convert", "Making proxies"),
    Stage("embed", 2, embed, ("convert",), "encoder", "Analyzing photos", "proxy"),
    Stage("describe", 1, describe, ("convert",), "vision", "Describing photos", "proxy", False),
)
