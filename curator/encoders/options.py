"""What an encoder is told, and what it says beside a vector: plain data, torch not needed."""

from __future__ import annotations

import dataclasses
import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EncoderOptions:
    """Which weights, where, and how to run them.

    Attributes:
        folder: where downloaded weights lie; None if none are allowed.
        checkpoint: a weights file of one's own for open_clip, used instead of downloaded ones.
        model: open_clip's name of the network.
        pretrained: open_clip's tag of its weights; also says how pictures are prepared.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: threads on a CPU; 0 lets torch take every core.
        exact: plain float32 on the CPU, one path for all: the reference of :func:`agreement`.
    """

    folder: Path | None = None
    checkpoint: Path | None = None
    model: str = "ViT-L-14"
    pretrained: str = "laion2b_s32b_b82k"
    device: str = "auto"
    threads: int = 0
    exact: bool = False

    def exactly(self) -> EncoderOptions:
        """Give the same options for the float32 reference."""
        return dataclasses.replace(self, exact=True, device="cpu")


@dataclass(frozen=True, slots=True)
class Tag:
    """A word an encoder has for a picture: suggested, never decided; confidence 0.0-1.0."""

    name: str
    confidence: float
    source: str = "encoder"


def absent(*modules: str) -> str | None:
    """Say which of some modules is not installed, and the remedy; nothing is imported."""
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    if not lacking:
        return None
    return f"{lacking[0]} is not installed: pip install 'curator[taste]'."
