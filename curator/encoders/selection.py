"""Which encoder a home uses: the settings, in the words of this package.

The pipeline asks before it compares photos, the command line and the settings page to show it.
Nothing here loads torch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from curator import encoders
from curator.encoders import EncoderOptions, Recipe
from curator.model import KnownError
from curator.settings import Home, Settings, absolute


@dataclass(frozen=True, slots=True)
class Encoding:
    """The selected encoder: without a ``recipe`` no photo is compared; ``sentence`` says why."""

    recipe: Recipe | None
    sentence: str


def encoder_options(home: Home, settings: Settings) -> EncoderOptions:
    """Convert the settings to encoder options."""
    chosen = settings.encoder
    return EncoderOptions(
        folder=encoders.models_folder(home.cache),
        downloads_allowed=chosen.hub,
        checkpoint=absolute(chosen.checkpoint) if chosen.checkpoint else None,
        model=chosen.model,
        pretrained=chosen.pretrained,
        device=chosen.device,
        threads=os.cpu_count() or 1,
        vocabulary_folder=home.data,
        min_confidence=settings.tags.threshold / 100,
        max_tags=settings.tags.most,
    )


def select_encoder(home: Home, settings: Settings) -> Encoding:
    """Select the encoder of a home; the sentence says if the chosen one is missing."""
    options = encoder_options(home, settings)
    try:
        choice = encoders.choose(settings.encoder.which, options)
        return Encoding(encoders.recipe(choice, options), choice.sentence)
    except KnownError as error:
        return Encoding(None, str(error))
