"""Encoders turn pictures into vectors: the table ENCODERS, and which encoder a home uses.

The pipeline selects an encoder before it analyzes photos; the command line and the settings page
show the selection. Only this package imports torch, and only to load CLIP: finding out what is
installed just looks at the disk. To add an encoder, write a module with ``missing(options)``,
``key(options)`` and ``load(options)``, and add a line to ENCODERS::

    encoding = select_encoder(home, settings)     # encoding.sentence is shown to the user
    recipe = encoding.recipe                      # None without an encoder
    encoder = load(recipe.name, recipe.options)   # in the encoder's worker process
    vectors = encoder.encode([rgb, rgb])          # (2, encoder.dimension) float32, unit length
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curator.encoders import open_clip, starter
from curator.encoders.hub import DownloadJob, DownloadPlan
from curator.encoders.open_clip import PACKAGES_GB, clip_command, download_plan, weights_file
from curator.encoders.options import CLIP_PACKAGES, EncoderOptions, EncodingError, Tag
from curator.home import Home, absolute
from curator.installing import install_remedy
from curator.model import KnownError, UsageError
from curator.settings import Settings

__all__ = [
    "ENCODERS",
    "PACKAGES_GB",
    "DownloadJob",
    "DownloadPlan",
    "Encoder",
    "EncoderKind",
    "EncoderOptions",
    "Encoding",
    "EncodingError",
    "Recipe",
    "Tag",
    "available",
    "choose",
    "clip_command",
    "download_plan",
    "encoder_options",
    "load",
    "select_encoder",
    "weights_file",
]


class Encoder(Protocol):
    """A loaded network that turns pictures into vectors.

    Attributes:
        key: identifies the weights; vectors of different keys must never be mixed.
        dimension: length of a vector.
        device: where and in which precision it runs, to show to people ("CPU, bfloat16").
        batch: pictures per run; the encoder lowers this itself when memory runs out.
        scale: factor on the cosine of a picture and a text before the softmax.

    Thread: one at a time.
    """

    key: str
    dimension: int
    scale: float

    @property
    def device(self) -> str: ...  # noqa: D102

    @property
    def batch(self) -> int: ...  # noqa: D102

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
    loaded. ``key`` identifies the installed weights. ``load`` takes seconds.
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
class Recipe:
    """All that a worker process needs to load an encoder; ``key`` identifies its weights."""

    name: str
    key: str
    options: EncoderOptions

    @property
    def supports_text(self) -> bool:
        """Whether the encoder can encode texts into the space of the pictures."""
        return any(kind.supports_text for kind in ENCODERS if kind.name == self.name)

    def on_cpu(self) -> Recipe:
        """Return the same recipe for the CPU."""
        return replace(self, options=replace(self.options, device="cpu"))


@dataclass(frozen=True, slots=True)
class Encoding:
    """The selected encoder; ``recipe`` is None if no photo is analyzed.

    ``sentence`` says which encoder is used, or why none.
    """

    recipe: Recipe | None
    sentence: str


def encoder_options(home: Home, settings: Settings) -> EncoderOptions:
    """Convert the settings to encoder options."""
    chosen = settings.encoder
    return EncoderOptions(
        folder=home.cache / "models",
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
    """Select the encoder of a home; the sentence says if the one in the settings is missing."""
    try:
        return choose(settings.encoder.which, encoder_options(home, settings))
    except KnownError as error:
        return Encoding(None, str(error))


def missing_by_encoder(options: EncoderOptions) -> dict[str, str | None]:
    """Map each encoder to None if it can be loaded, else to what is missing. Needs no torch."""
    return {kind.name: kind.missing(options) for kind in ENCODERS}


def choose(wanted: str, options: EncoderOptions) -> Encoding:
    """Choose the encoder to use.

    Args:
        wanted: ``auto``, ``none`` or a name in ENCODERS.
        options: where to look for weights.

    Raises:
        UsageError: no encoder has that name.
        KnownError: the named encoder is not installed; the remedy says what to do.
    """
    if wanted == "none":
        return Encoding(None, "Similar photos and taste are off in the settings.")
    lacks = missing_by_encoder(options)
    if wanted not in ("auto", *lacks):
        names = ", ".join(("auto", "none", *lacks))
        raise UsageError(f"Encoder {wanted!r} not found.", f"Choose one of {names}.")
    if lacks.get(wanted) is not None:
        raise KnownError(f"The encoder {wanted} cannot be used.", lacks[wanted] or "")
    usable = (kind for kind in ENCODERS if lacks[kind.name] is None)
    kind = next(kind for kind in usable if wanted in ("auto", kind.name))
    sentence = f"Photos are analyzed with {kind.title}"
    if wanted != "auto":
        sentence += ", as chosen."
    else:
        sentence = " ".join(filter(None, (f"{sentence}.", lacks[ENCODERS[0].name])))
    return Encoding(Recipe(kind.name, kind.key(options), options), sentence)


def load(name: str, options: EncoderOptions) -> Encoder:
    """Load an encoder.

    Raises:
        UsageError: no encoder has that name.
        KnownError: it is not installed, or its weights cannot be used.
    """
    kind = next((kind for kind in ENCODERS if kind.name == name), None)
    if kind is None:
        raise UsageError(f"Encoder {name!r} not found.")
    if (lack := kind.missing(options)) is not None:
        raise KnownError(f"The encoder {name} cannot be used.", lack)
    try:
        return kind.load(options)
    except (ImportError, OSError) as error:  # torch is installed but misses a system library
        raise KnownError(
            f"The encoder {name} cannot be loaded ({error}).",
            install_remedy("Install it again", "--force-reinstall", *CLIP_PACKAGES),
        ) from error
