"""Decode an original for the loupe: not a stage of a photo's life, but run where stages run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from curator.workers import Pixels, share

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Frame:
    """An original's pixels, ready to be looked at.

    ``array`` is (H, W, 3) uint8 sRGB, upright; ``basis`` and ``damage`` as in
    `curator.model.Converted`; ``full_size`` is (width, height) px of the whole picture.
    """

    pixels: Pixels
    basis: str
    damage: str | None
    full_size: tuple[int, int]

    @property
    def array(self) -> np.ndarray:
        """The pixels; whatever is made from them keeps their memory."""
        return self.pixels.array


def frame(
    path: str,
    want: Literal["preview", "demosaic"],
    long_edge_px: int | None,
    max_megapixels: int,
) -> Frame:
    """Decode an original, whole or at least ``long_edge_px`` large.

    Raises:
        UnreadableError: there is no picture in it; the message says why.
        GoneError: it is not there.
    """
    # Imported here: the window's process knows this function, and never decodes.
    from curator.imaging import decode

    if long_edge_px is None:
        picture = decode.decode(path, want=want, max_megapixels=max_megapixels)
    else:
        picture = decode.decode_scaled(path, long_edge_px, want=want, max_megapixels=max_megapixels)
    return Frame(share(picture.rgb), picture.basis, picture.damage, picture.full_size)
