"""Encoders turn pictures into vectors: the table ENCODERS, and which one to use.

Only this package imports torch, and only to load an encoder; finding out what is installed just
looks at the disk. To add an encoder, write a module with ``missing(options)``, ``key(options)`` and
``load(options)``, and add a line to ENCODERS::

    choice = choose("auto", options)        # choice.sentence is shown to the user
    encoder = load(choice.name, options)    # in the encoder's worker process
    vectors = encoder.encode([rgb, rgb])    # (2, encoder.dimension) float32, unit length
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curator.encoders import open_clip, starter
from curator.encoders.hub import DownloadJob, DownloadPlan
from curator.encoders.options import EncoderOptions, EncodingError, Tag
from curator.model import KnownError, UsageError

__all__ = [
    "ENCODERS",
    "DownloadJob",
    "DownloadPlan",
    "Encoder",
    "EncoderChoice",
    "EncoderKind",
    "EncoderOptions",
    "EncodingError",
    "Recipe",
    "Tag",
    "available",
    "choose",
    "cosine_to_reference",
    "download_plan",
    "load",
    "models_folder",
    "recipe",
    "supports_text",
    "weights_file",
]


class Encoder(Protocol):
    """A loaded network that turns pictures into vectors.

    Attributes:
        name: its name in ENCODERS.
        key: identifies the weights; vectors of different keys must never be mixed.
        dimension: length of a vector.
        device: where and in which precision it runs, to show to people ("CPU, bfloat16").
        batch: pictures per run; the encoder lowers this itself when memory runs out.
        scale: factor on the cosine of a picture and a text before the softmax.

    Thread: one at a time.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def key(self) -> str: ...  # noqa: D102

    @property
    def dimension(self) -> int: ...  # noqa: D102

    @property
    def device(self) -> str: ...  # noqa: D102

    @property
    def batch(self) -> int: ...  # noqa: D102

    @property
    def scale(self) -> float: ...  # noqa: D102

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (H, W, 3) sRGB pictures into (N, dimension) vectors of unit length."""
        ...

    def encode_with_tags(
        self, pictures: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], list[list[Tag]] | None]:
        """Encode pictures and suggest tags for each, in one run.

        Returns:
            Vectors as of :meth:`encode`, and tags per picture; None if the encoder has no tags.

        Raises:
            EncodingError: one of the pictures cannot be encoded; the others may succeed alone.
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Encode texts into the space of the pictures, (N, dimension); None if unsupported."""
        ...


@dataclass(frozen=True)
class EncoderKind:
    """A row of ENCODERS.

    ``missing`` returns what is not installed, with the remedy, or None if the encoder can be
    loaded. ``key`` identifies the installed weights. ``load`` takes seconds and imports torch.
    ``supports_text``: texts can be encoded into the space of the pictures.
    """

    name: str
    title: str
    missing: Callable[[EncoderOptions], str | None]
    key: Callable[[EncoderOptions], str]
    load: Callable[[EncoderOptions], Encoder]
    supports_text: bool = False


# Best first: "auto" takes the first that can be loaded.
ENCODERS = (
    EncoderKind("open_clip", "CLIP", open_clip.missing, open_clip.key, open_clip.load, True),
    EncoderKind("starter", "the built-in encoder", starter.missing, starter.key, starter.load),
)


@dataclass(frozen=True)
class EncoderChoice:
    """The name of the encoder to use, None for none, and a sentence that explains the choice."""

    name: str | None
    sentence: str


@dataclass(frozen=True)
class Recipe:
    """All that a worker process needs to load an encoder; ``key`` identifies its weights."""

    name: str
    key: str
    options: EncoderOptions

    def on_cpu(self) -> Recipe:
        """Return the same recipe for the CPU."""
        return replace(self, options=replace(self.options, device="cpu"))


def recipe(choice: EncoderChoice, options: EncoderOptions) -> Recipe | None:
    """Return the recipe of the chosen encoder, None for no encoder. Needs no torch."""
    kind = _kind(choice.name)
    return None if kind is None else Recipe(kind.name, kind.key(options), options)


def available(options: EncoderOptions) -> dict[str, str | None]:
    """Map each encoder to None if it can be loaded, else to what is missing. Needs no torch."""
    return {kind.name: kind.missing(options) for kind in ENCODERS}


def choose(wanted: str, options: EncoderOptions) -> EncoderChoice:
    """Choose the encoder to use.

    Args:
        wanted: ``auto``, ``none`` or a name in ENCODERS.
        options: where to look for weights.

    Raises:
        UsageError: no encoder has that name.
        KnownError: the named encoder is not installed; the remedy says what to do.
    """
    if wanted == "none":
        return EncoderChoice(None, "Similar photos and taste are off in the settings.")
    lacks = available(options)
    if wanted != "auto":
        if wanted not in lacks:
            names = ", ".join(("auto", "none", *lacks))
            raise UsageError(f"There is no encoder {wanted!r}.", f"Choose one of {names}.")
        if (lack := lacks[wanted]) is not None:
            raise KnownError(f"The encoder {wanted} cannot be used.", lack)
        return EncoderChoice(wanted, f"Photos are analyzed with {_title(wanted)}, as chosen.")
    found = next((name for name, lack in lacks.items() if lack is None), None)
    if found is None:
        off = "Similar photos and taste are off: no encoder installed."
        return EncoderChoice(None, f"{off} {lacks['starter']}")
    why = lacks[ENCODERS[0].name]
    sentence = f"Photos are analyzed with {_title(found)}."
    return EncoderChoice(found, f"{sentence} {why}" if why else sentence)


def load(name: str, options: EncoderOptions) -> Encoder:
    """Load an encoder. This imports torch.

    Raises:
        KnownError: it is not installed, or its weights cannot be used.
    """
    kind = _kind(name)
    if kind is None:
        raise UsageError(f"There is no encoder {name!r}.")
    if (lack := kind.missing(options)) is not None:
        raise KnownError(f"The encoder {name} cannot be used.", lack)
    try:
        return kind.load(options)
    except (ImportError, OSError) as error:  # torch is installed but misses a system library
        raise KnownError(
            f"The encoder {name} cannot be loaded ({error}).",
            "Reinstall it: pip install --force-reinstall 'curator[taste]'.",
        ) from error


def supports_text(name: str) -> bool:
    """Whether an encoder can encode texts. Needs no torch."""
    kind = _kind(name)
    return kind is not None and kind.supports_text


def cosine_to_reference(
    name: str, options: EncoderOptions, pictures: Sequence[NDArray[np.uint8]]
) -> float:
    """Return the smallest cosine between an encoder's vectors and its float32 reference.

    Loads the encoder twice. The result should be 0.999 or more.
    """
    fast = load(name, options).encode(pictures)
    exact = load(name, options.as_reference()).encode(pictures)
    return float((fast * exact).sum(axis=1).min())


def download_plan(options: EncoderOptions, usual_only: bool = False) -> DownloadPlan:
    """Return size and source of a download of CLIP's weights, without using the network.

    With ``usual_only`` torch is not imported, and weights other than the default are refused.

    Raises:
        KnownError: downloads are not allowed, or the hub has no such weights.
    """
    return open_clip.download_plan(options, usual_only)


def weights_file(options: EncoderOptions) -> Path | None:
    """Find CLIP's weights: the user's checkpoint, else downloaded weights; None if neither."""
    return open_clip.weights_file(options)


def _kind(name: str | None) -> EncoderKind | None:
    return next((kind for kind in ENCODERS if kind.name == name), None)


def _title(name: str) -> str:
    return next(kind.title for kind in ENCODERS if kind.name == name)


def models_folder(cache: Path) -> Path:
    """Return the folder of downloaded weights inside a home's cache."""
    return cache / "models"
