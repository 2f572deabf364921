"""What every encoder shares: options, tags, and which packages are missing. Needs no torch."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.installing import install_remedy
from curator.model import KnownError

CLIP_PACKAGES = ("torch", "open-clip-torch")
"""What the extra `clip` adds, as pip names it."""


@dataclass(frozen=True)
class EncoderOptions:
    """Which weights to use, and how to run them.

    Attributes:
        folder: the folder of downloaded weights, or None.
        downloads_allowed: whether the user may download weights from the model hub.
        checkpoint: a weights file of the user for open_clip, used instead of downloaded weights.
        model: open_clip's name of the network.
        pretrained: open_clip's tag of its weights; it also determines the preprocessing.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``, for open_clip; the starter uses the CPU.
        threads: threads on a CPU; 0 for every core.
        vocabulary_folder: the folder of the user's vocabulary; None turns zero-shot tags off.
        min_confidence: least confidence of a suggested tag, 0.0-1.0.
        max_tags: most tags for one picture; 0 for none.
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


class EncodingError(KnownError):
    """A picture could not be encoded; other pictures may succeed."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag an encoder suggests for a picture, with its confidence, 0.0-1.0."""

    name: str
    confidence: float


def unit_rows(vectors: NDArray[np.float32], remedy: str = "") -> NDArray[np.float32]:
    """Return vectors scaled to length 1.

    Args:
        vectors: (N, dimension).
        remedy: what a person can do about a wrong vector.

    Raises:
        EncodingError: a vector is zero or not a number, which would silently give wrong scores.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 1e-6)).all():
        raise EncodingError("The encoder failed on a picture (no numbers).", remedy)
    return (vectors / lengths).astype(np.float32)


def missing_package(*modules: str) -> str | None:
    """Return which of the modules of CLIP is not installed, with the remedy; imports nothing."""
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    if not lacking:
        return None
    return f"{lacking[0]} is not installed. {install_remedy('Install it', *CLIP_PACKAGES)}"
