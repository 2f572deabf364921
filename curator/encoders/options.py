"""What an encoder is told, and what it says beside a vector: plain data, torch not needed."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from curator.model import KnownError


@dataclass(frozen=True)
class EncoderOptions:
    """Which weights, where, and how to run them.

    Attributes:
        folder: where downloaded weights lie; None if there is no such place.
        hub: whether weights may be fetched from the model hub when a person asks for it.
        checkpoint: a weights file of one's own for open_clip, used instead of downloaded ones.
        model: open_clip's name of the network.
        pretrained: open_clip's tag of its weights; also says how pictures are prepared.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: threads on a CPU; 0 lets torch take every core.
        words: the folder whose vocabulary goes before the usual one; None: no words are asked.
        min_confidence: of a tag an encoder suggests, 0.0-1.0.
        max_tags: for one picture; 0 suggests none.
        exact: plain float32 on the CPU, one path for all: the reference of :func:`agreement`.
    """

    folder: Path | None = None
    downloads_allowed: bool = True
    checkpoint: Path | None = None
    model: str = "ViT-L-14"
    pretrained: str = "laion2b_s32b_b82k"
    device: str = "auto"
    threads: int = 0
    vocabulary_folder: Path | None = None
    min_confidence: float = 0.2
    max_tags: int = 3
    exact: bool = False

    def exactly(self) -> EncoderOptions:
        """Give the same options for the float32 reference."""
        return dataclasses.replace(self, exact=True, device="cpu")


class EncodingError(KnownError):
    """A picture could not be encoded; others may be."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A word an encoder has for a picture: suggested, never decided; confidence 0.0-1.0."""

    name: str
    confidence: float


_NOT_IN_THIS_BUILD = (
    "The extra taste is not in this build: install Curator with pip to have it (its README says"
    " how); photos and marks stay."
)


def missing_package(*modules: str) -> str | None:
    """Say which of some modules is not installed, and the remedy; nothing is imported."""
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    if not lacking:
        return None
    if getattr(sys, "frozen", False):  # nothing can be installed into a packaged program
        return _NOT_IN_THIS_BUILD
    return f"{lacking[0]} is not installed: pip install 'curator[taste]'."
