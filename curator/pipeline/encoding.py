"""Which encoder compares photos here, settled once when the pipeline is made; no torch needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curator import encoders
from curator.encoders import EncoderOptions, Recipe
from curator.model import KnownError
from curator.settings import Home, Settings
from curator.stages import Stage
from curator.workers import WorkerPool

LANE = "encoder"
NICE = 19  # behind the decoders: photos to look at go before photos to compare
FREED_S = 60.0  # an encoder that has nothing to do gives its memory back after this long


@dataclass(frozen=True, slots=True)
class Encoding:
    """What was settled: ``recipe`` None means that nothing is compared; ``sentence`` says why."""

    recipe: Recipe | None
    sentence: str


def options(home: Home, settings: Settings) -> EncoderOptions:
    """Put the settings in the words of `curator.encoders`."""
    chosen = settings.encoder
    return EncoderOptions(
        folder=encoders.models_folder(home.cache),
        checkpoint=Path(chosen.checkpoint).expanduser() if chosen.checkpoint else None,
        model=chosen.model,
        pretrained=chosen.pretrained,
        device=chosen.device,
        threads=os.cpu_count() or 1,
    )


def settled(home: Home, settings: Settings) -> Encoding:
    """Settle the encoder of a home; one that was asked for and is not here is none, and said."""
    told = options(home, settings)
    try:
        choice = encoders.choose(settings.encoder.which, told)
        return Encoding(encoders.recipe(choice, told), choice.sentence)
    except KnownError as error:
        return Encoding(None, str(error))


def possible(stages: Sequence[Stage], encoding: Encoding) -> tuple[Stage, ...]:
    """Leave out the stage that needs an encoder where there is none."""
    return tuple(stage for stage in stages if stage.lane != LANE or encoding.recipe is not None)


def make_pool(memory_mb: int) -> WorkerPool:
    """Make the one process that holds the encoder; it starts with the first photo to compare."""
    stages = ("curator.stages",)
    return WorkerPool(1, memory_mb=memory_mb, nice=NICE, name="encoder", preload=stages)
