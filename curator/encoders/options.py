"""What every encoder shares: options, tags, and which packages are missing. Needs no torch."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from curator.model import KnownError


@dataclass(frozen=True)
class EncoderOptions:
    """Which weights to use, and how to run them.

    Attributes:
        folder: the folder of downloaded weights, or None.
        downloads_allowed: whether the user may download weights from the model hub.
        checkpoint: a weights file of the user for open_clip, used instead of downloaded weights.
        model: open_clip's name of the network.
        pretrained: open_clip's tag of its weights; it also determines the preprocessing.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: threads on a CPU; 0 lets torch use every core.
        vocabulary_folder: the folder of the user's vocabulary; None turns zero-shot tags off.
        min_confidence: least confidence of a suggested tag, 0.0-1.0.
        max_tags: most tags for one picture; 0 for none.
        exact: plain float32 on the CPU, as reference for faster paths.
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


class EncodingError(KnownError):
    """A picture could not be encoded; other pictures may succeed."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag an encoder suggests for a picture, with its confidence, 0.0-1.0."""

    name: str
    confidence: float


_NOT_IN_THIS_BUILD = (
    "This build does not include the extra taste. Install Curator with pip to have it (see the"
    " README); your photos and ratings stay."
)


def missing_package(*modules: str) -> str | None:
    """Return which of the modules is not installed, with the remedy, without importing them."""
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    if not lacking:
        return None
    if getattr(sys, "frozen", False):  # nothing can be installed into a packaged program
        return _NOT_IN_THIS_BUILD
    return f"{lacking[0]} is not installed: pip install 'curator[taste]'."
