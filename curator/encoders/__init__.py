"""Picture to vector: ENCODERS, and which one is used.

The only package that imports torch, and only when an encoder is loaded; asking what is here costs
a look at the disk. To add an encoder: one module with ``missing(options)``, ``key(options)`` and
``load(options)``, and one line in ENCODERS::

    choice = choose("auto", options)        # choice.sentence goes on screen
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
    "Choice",
    "DownloadJob",
    "DownloadPlan",
    "Encoder",
    "EncoderKind",
    "EncoderOptions",
    "EncodingError",
    "Recipe",
    "Tag",
    "agreement",
    "available",
    "choose",
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
        key: which weights these are; vectors of different keys never mix.
        dimension: length of a vector.
        device: where it runs and how, for people ("CPU, bf16").
        batch: pictures it takes at once; it lowers this itself when memory runs out.
        scale: what it multiplies the cosine of a picture and words with, to say how sure it is.

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
        """Encode, and name what is in each picture; None for the names if it knows no words.

        One run for both.

        Raises:
            EncodingError: one of the pictures cannot be encoded; alone, the others may be.
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Encode words into the pictures' space, (N, dimension); None if it has no words."""
        ...


@dataclass(frozen=True)
class EncoderKind:
    """A row of ENCODERS.

    ``missing`` says what is not here, with the remedy, or None when it can be loaded. ``key``
    names the weights that are here; ``load`` takes seconds and imports torch. ``words``: it has a
    place for words among the pictures.
    """

    name: str
    title: str
    missing: Callable[[EncoderOptions], str | None]
    key: Callable[[EncoderOptions], str]
    load: Callable[[EncoderOptions], Encoder]
    words: bool = False


# Best first: "auto" takes the first that can be loaded.
ENCODERS = (
    EncoderKind("open_clip", "CLIP", open_clip.missing, open_clip.key, open_clip.load, words=True),
    EncoderKind("starter", "the built-in starter", starter.missing, starter.key, starter.load),
)


@dataclass(frozen=True)
class Choice:
    """Which encoder is used (None: none) and a plain sentence that says so and why."""

    name: str | None
    sentence: str


@dataclass(frozen=True)
class Recipe:
    """All a worker process needs to load an encoder; ``key`` says whose vectors it makes."""

    name: str
    key: str
    options: EncoderOptions

    def on_cpu(self) -> Recipe:
        """Give the same encoder, kept off the GPU."""
        return replace(self, options=replace(self.options, device="cpu"))


def recipe(choice: Choice, options: EncoderOptions) -> Recipe | None:
    """Write down how to load what was chosen; None if nothing was. No torch needed."""
    kind = _kind(choice.name)
    return None if kind is None else Recipe(kind.name, kind.key(options), options)


def available(options: EncoderOptions) -> dict[str, str | None]:
    """Map each encoder to None if it can be loaded, else to what is missing. No torch needed."""
    return {kind.name: kind.missing(options) for kind in ENCODERS}


def choose(wanted: str, options: EncoderOptions) -> Choice:
    """Settle which encoder to use.

    Args:
        wanted: ``auto``, ``none`` or a name in ENCODERS.
        options: where weights may be.

    Raises:
        UsageError: no encoder has that name.
        KnownError: the one asked for by name is not here; says what to do.
    """
    if wanted == "none":
        return Choice(None, "Similar photos and taste are off in the settings.")
    lacks = available(options)
    if wanted != "auto":
        if wanted not in lacks:
            names = ", ".join(("auto", "none", *lacks))
            raise UsageError(f"There is no encoder {wanted!r}.", f"Choose one of {names}.")
        if (lack := lacks[wanted]) is not None:
            raise KnownError(f"The encoder {wanted} cannot be used.", lack)
        return Choice(wanted, f"Photos are analyzed with {_title(wanted)}, as chosen.")
    here = next((name for name, lack in lacks.items() if lack is None), None)
    if here is None:
        return Choice(
            None, f"Similar photos and taste are off: no encoder installed. {lacks['starter']}"
        )
    if here == ENCODERS[0].name:
        return Choice(here, f"Photos are analyzed with {_title(here)}: its weights are here.")
    return Choice(here, f"Photos are analyzed with {_title(here)}. {lacks[ENCODERS[0].name]}")


def load(name: str, options: EncoderOptions) -> Encoder:
    """Load an encoder; torch is imported now.

    Raises:
        KnownError: not here, or its weights cannot be used; one sentence and the remedy.
    """
    kind = _kind(name)
    if kind is None:
        raise UsageError(f"There is no encoder {name!r}.")
    if (lack := kind.missing(options)) is not None:
        raise KnownError(f"The encoder {name} cannot be used.", lack)
    try:
        return kind.load(options)
    except (ImportError, OSError) as error:  # torch is here, and what it needs of the system not
        raise KnownError(
            f"The encoder {name} cannot be loaded ({error}).",
            "Install what compares photos again: pip install --force-reinstall 'curator[taste]'.",
        ) from error


def supports_text(name: str) -> bool:
    """Tell whether an encoder can be asked in words; no torch needed."""
    kind = _kind(name)
    return kind is not None and kind.words


def agreement(name: str, options: EncoderOptions, pictures: Sequence[NDArray[np.uint8]]) -> float:
    """Compare the path an encoder runs by with plain float32: the least cosine over pictures.

    Loads the encoder twice. The bar is 0.999.
    """
    fast = load(name, options).encode(pictures)
    exact = load(name, options.exactly()).encode(pictures)
    return float((fast * exact).sum(axis=1).min())


def download_plan(options: EncoderOptions, usual_only: bool = False) -> DownloadPlan:
    """Say what fetching CLIP's weights would bring, and from where; asks nothing of the network.

    With ``usual_only`` torch is not imported, and other weights than the usual are refused.

    Raises:
        KnownError: it is not allowed, or the hub has no such weights.
    """
    return open_clip.download_plan(options, usual_only)


def weights_file(options: EncoderOptions) -> Path | None:
    """Find CLIP's weights: a checkpoint of one's own, else downloaded ones; None without."""
    return open_clip.weights_file(options)


def _kind(name: str | None) -> EncoderKind | None:
    return next((kind for kind in ENCODERS if kind.name == name), None)


def _title(name: str) -> str:
    return next(kind.title for kind in ENCODERS if kind.name == name)


def models_folder(cache: Path) -> Path:
    """Give the folder of downloaded weights inside a home's cache."""
    return cache / "models"
