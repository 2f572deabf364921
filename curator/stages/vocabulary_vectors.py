"""Encoding the vocabulary into the space of the pictures; runs in the encoder's process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curator.stages.embed import _encoder  # the one this process holds

if TYPE_CHECKING:
    from curator.encoders import Recipe


def words(recipe: Recipe, sentences: Sequence[str]) -> tuple[bytes, float] | None:
    """Encode the sentences of a vocabulary; minutes for a thousand on a CPU.

    Returns:
        (W, dimension) float32 of unit length, and the factor the network applies to cosines; None
        if it encodes no texts.

    Raises:
        KnownError: the encoder cannot be loaded.
    """
    from curator.encoders import zero_shot

    encoder = _encoder(recipe)
    found = zero_shot.word_vectors(encoder, sentences)
    return None if found is None else (found.tobytes(), encoder.scale)
