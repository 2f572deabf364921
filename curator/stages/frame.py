"""Decoding an original for the loupe, in a worker process; it is no line of STAGES.

`curator.pipeline.frames` runs it. Pixels of another file must never be shown as the photo's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from curator import files
from curator.model import KnownError, UnreadableError
from curator.workers import Pixels, share

if TYPE_CHECKING:
    import numpy as np

    from curator.imaging.overlay import Overlay
    from curator.imaging.pixels import DecodedImage

Want = Literal["preview", "demosaic"]


class ChangedError(KnownError):
    """The file is not the one the catalog has: its pixels must not be shown as the photo's."""


class Crop(NamedTuple):
    """A part of a picture, at the size it is shown.

    A box of nearly as many pixels as ``size`` is not resized: it is cut at 100 %.

    Attributes:
        box: left, top, width and height as fractions (0-1) of the upright picture, before the
            user's turn.
        size: (width, height) px, with the user's turn applied.
    """

    box: tuple[float, float, float, float]
    size: tuple[int, int]

    def long_edge_px(self, turn: int) -> float:
        """Return the long edge of a picture in which the box has as many pixels as ``size``."""
        width, height = self.size[::-1] if turn % 2 else self.size
        return max(width / self.box[2], height / self.box[3])


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """A request for the pixels of one file.

    Attributes:
        path: the file.
        want: for a RAW, its full-size preview if it has one, or always the sensor data.
        fingerprint: of the expected content; None accepts any.
        turn: the user's quarter turns clockwise, 0-3.
        size: (width, height) px with ``turn`` applied, ready for the screen; None for all pixels.
        pixels: whether the picture itself is wanted.
        overlays: names from :data:`curator.imaging.overlay.KINDS`.
        limit_bytes: a whole picture that is larger is halved until it fits; overlays come without
            ``marks`` if three times their bytes exceed the limit.
        crops: parts wanted besides the picture; cut before it is halved.
    """

    path: str
    want: Want = "preview"
    fingerprint: str | None = None
    turn: int = 0
    size: tuple[int, int] | None = None
    pixels: bool = True
    overlays: frozenset[str] = frozenset()
    limit_bytes: int = 1 << 31
    crops: tuple[Crop, ...] = ()

    @property
    def long_edge_px(self) -> int | None:
        """The least long edge of the decoded picture that suffices; None for all pixels."""
        if self.overlays or (self.pixels and self.size is None):
            return None
        sizes = max(self.size) if self.pixels and self.size else 1
        return math.ceil(max([sizes, *(crop.long_edge_px(self.turn) for crop in self.crops)]))


@dataclass(frozen=True, slots=True)
class Frame:
    """The decoded pixels of an original.

    ``pixels`` are uint8 sRGB, upright and turned: (H, W, 3) RGB for the whole picture, (H, W, 4)
    BGRX for a size, None if not requested. ``basis`` and ``damage`` are as in
    `curator.model.Converted`; ``full_size`` is (width, height) px of the whole picture, turned.
    The large arrays of ``overlay``, marks and shares, are in ``planes``, in shared memory;
    :meth:`measured` returns the overlay with them. ``row`` has the crops side by side, for
    :meth:`crops`.
    """

    pixels: Pixels | None
    basis: str
    damage: str | None
    full_size: tuple[int, int]
    overlay: Overlay | None = None
    planes: tuple[Pixels | None, Pixels] | None = None
    row: Pixels | None = None

    @property
    def array(self) -> np.ndarray | None:
        """The pixels; views of this array keep their shared memory alive."""
        return None if self.pixels is None else self.pixels.array

    def measured(self) -> Overlay | None:
        """Return the overlay with its arrays."""
        if self.overlay is None or self.planes is None:
            return self.overlay
        marks, shares = self.planes
        return replace(
            self.overlay, marks=None if marks is None else marks.array, shares=shares.array
        )

    def crops(self, requested: Sequence[Crop]) -> list[np.ndarray]:
        """Return the requested crops: (H, W, 4) BGRX views, which keep the memory of all alive."""
        if self.row is None:
            return []
        ends = itertools.accumulate(crop.size[0] for crop in requested)
        return [
            self.row.array[: crop.size[1], end - crop.size[0] : end]
            for crop, end in zip(requested, ends, strict=True)
        ]


def frame(request: DecodeRequest, max_megapixels: int) -> Frame:
    """Decode an original once; return its pixels, crops, and the overlays measured on them.

    Raises:
        UnreadableError: the file has no such picture; the message says why.
        GoneError: the file is not there.
        ChangedError: the file is not the expected one, or changed while it was read.
    """
    # Imported here: the window's process imports this module, and never decodes.
    from curator.imaging import color, decode, overlay, pixels, screen

    before = files.status(request.path)
    if request.fingerprint is not None and files.fingerprint(request.path) != request.fingerprint:
        raise ChangedError("The file has changed since it was read.")
    options = pixels.DecodeOptions(
        request.want, max_megapixels, request.long_edge_px, check_damage=False
    )
    found = decode.load(request.path, options)
    after = files.status(request.path)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ChangedError("The file is being written.")
    if request.want == "demosaic" and found.basis in ("preview", "small preview"):
        raise UnreadableError(found.damage or "The RAW cannot be developed.")
    upright = pixels.upright(found.rgb, found.orientation)
    rgb = screen.turned(upright, request.turn)
    width, height = found.full_size
    size = (height, width) if request.turn % 2 else (width, height)
    seen = Frame(None, found.basis, found.damage, size)
    if request.crops:
        parts = [screen.crop(upright, *crop, request.turn) for crop in request.crops]
        row = color.to_srgb(screen.row_of(parts), found.icc)
        seen = replace(seen, row=share(screen.from_rgb(row, None)))
    if request.overlays:
        toned = color.toned(rgb, found.icc)
        seen = _measured(seen, overlay.measure(toned, request.overlays), request.limit_bytes)
    return replace(seen, pixels=share(_shown(rgb, found, request))) if request.pixels else seen


def _measured(seen: Frame, found: Overlay, limit_bytes: int) -> Frame:
    """Add an overlay with its arrays in shared memory; for a huge picture, only the small array."""
    if found.marks is None or found.shares is None:
        return replace(seen, overlay=found)
    marks = share(found.marks) if 3 * found.marks.nbytes <= limit_bytes else None
    planes = marks, share(found.shares)
    return replace(seen, overlay=replace(found, marks=None, shares=None), planes=planes)


def _shown(rgb: np.ndarray, found: DecodedImage, request: DecodeRequest) -> np.ndarray:
    """Return upright pixels ready to be painted."""
    import numpy as np

    from curator.imaging import color, pixels, screen

    if request.size is not None:
        rgb = pixels.shrink(rgb, max(request.size), exact=False)
        return screen.from_rgb(color.to_srgb(rgb, found.icc), request.size)
    while rgb.nbytes > request.limit_bytes:
        rgb = pixels.block_average(rgb, 2)
    return np.ascontiguousarray(color.to_srgb(rgb, found.icc))
