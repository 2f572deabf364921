"""Decoded pictures: as a file stores them, and upright in sRGB as everyone else sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from curator import deadline
from curator.model import UnreadableError

Image = npt.NDArray[np.uint8]
_Any = npt.NDArray[Any]

Want = Literal["preview", "demosaic"]

MAX_MEGAPIXELS = 400  # the default of the setting work.max_megapixels
_MAX_FILE = 2_000_000_000  # bytes; larger pictures are not photos, and must not fill memory
# What says it is larger than _LARGE pixels must have a byte for _PIXELS_A_BYTE of them: a JPEG has
# at least a bit for each block of 8 x 8, however flat it is. A few bits flipped in a header of
# 10 KB otherwise cost a minute and 4 GB, to make a picture of nothing.
_LARGE = 50_000_000
_PIXELS_A_BYTE = 8 * 8 * 8
# One thread a picture: the pool of worker processes shares out the cores, and a second layer of
# threads would only contend with it.
cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """What is wanted of a file.

    Attributes:
        want: of a RAW, its full-size preview where there is one, or always the sensor data.
        max_megapixels: the largest picture to decode.
        long_edge_px: a picture of at least this will do; None for full size.
        shrunk_to_px: the caller looks at luma and at a copy of this long edge only. Where that
            is half or less, chroma need not be interpolated: the copy comes out the same.
        small_preview: where a RAW's sensor data is unreadable, give a preview that is not full
            size, marked as damaged.
    """

    want: Want = "preview"
    max_megapixels: float = MAX_MEGAPIXELS
    long_edge_px: int | None = None
    shrunk_to_px: int | None = None
    small_preview: bool = True


@dataclass(slots=True)
class DecodedImage:
    """Pixels as stored: not yet turned upright, not yet converted to sRGB.

    ``rgb`` (H, W, 3) uint8 in the colors of ``icc`` (None: sRGB), ``orientation`` EXIF 1-8,
    ``full_size`` the upright (width, height) of the whole picture even if ``rgb`` is scaled,
    ``basis`` and ``damage`` as in :class:`curator.model.Converted`.
    """

    rgb: Image
    orientation: int
    icc: bytes | None
    full_size: tuple[int, int]
    basis: str = "image"
    damage: str | None = None


@dataclass(slots=True)
class Picture:
    """A picture ready to look at.

    ``rgb`` (H, W, 3) uint8 sRGB upright; the rest as in :class:`DecodedImage`.
    """

    rgb: Image
    basis: str
    damage: str | None
    full_size: tuple[int, int]


def check_file(file_bytes: int) -> None:
    """Refuse a file before it is read into memory; a large one that is not is given more time.

    Raises:
        UnreadableError: it is larger than 2 GB.
    """
    if file_bytes > _MAX_FILE:
        raise UnreadableError("The file is larger than 2 GB and is not read.")
    deadline.announce_size(megabytes=file_bytes / 1e6)


def check_size(
    width: int, height: int, max_megapixels: float, file_bytes: int | None = None
) -> None:
    """Refuse a picture before it is decoded: bombs, and sizes no picture has.

    A large one that is not refused is given more time.

    Args:
        width: as the header says, px.
        height: the same.
        max_megapixels: the largest picture to decode.
        file_bytes: of the file, where a large picture has to have many.

    Raises:
        UnreadableError: no pixels at all, too many, or more than the file can hold.
    """
    if width <= 0 or height <= 0:
        raise UnreadableError("The file says the picture has no width or no height.")
    if file_bytes is not None and width * height > plausible_pixels(file_bytes):
        raise UnreadableError(
            f"The file is damaged: it says the picture has {width:,} x {height:,} pixels, "
            "but is far too short for one."
        )
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise UnreadableError(
            f"The picture has {megapixels:,.0f} megapixels; the limit is {max_megapixels:,.0f}.",
            'Raise "Largest picture, megapixels" in the settings to read it.',
        )
    deadline.announce_size(megapixels=megapixels)


def plausible_pixels(file_bytes: int) -> int:
    """Say how many pixels a file of so many bytes may claim to have."""
    return max(_LARGE, _PIXELS_A_BYTE * file_bytes)


def upright(rgb: _Any, orientation: int) -> _Any:
    """Turn stored pixels upright by their EXIF orientation (1-8)."""
    if orientation in (5, 7):
        rgb = cv2.transpose(rgb)
        return rgb if orientation == 5 else cv2.flip(rgb, -1)
    if orientation in (2, 4):
        return cv2.flip(rgb, 1 if orientation == 2 else 0)
    turn = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
    return cv2.rotate(rgb, turn[orientation]) if orientation in turn else rgb


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Give (width, height) of a stored picture once it is upright."""
    return (height, width) if orientation >= 5 else (width, height)


def shrink(rgb: _Any, long_edge_px: int, *, exact: bool = True, halved: bool = False) -> _Any:
    """Scale a picture down to a long edge; a smaller one is returned as it is.

    Halved by area as often as that goes, the rest bilinear. Against an area average of the whole,
    which costs more than decoding did (58 against 50 ms at 12 MP), that is 42-54 dB.

    Args:
        rgb: (H, W, 3) uint8.
        long_edge_px: wanted.
        exact: otherwise only halve, and stay at or above what is wanted.
        halved: the caller has halved it already.
    """
    height, width = rgb.shape[:2]
    scale = long_edge_px / max(width, height)
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    while max(rgb.shape[:2]) >= 2 * long_edge_px and min(rgb.shape[:2]) >= 4:
        rgb, halved = block_average(rgb, 2), True
    if scale >= 1 or not exact or rgb.shape[1::-1] == wanted:
        return rgb
    return cv2.resize(rgb, wanted, interpolation=cv2.INTER_LINEAR if halved else cv2.INTER_AREA)


def block_average(rgb: _Any, step: int) -> _Any:
    """Average blocks of ``step`` x ``step``; up to ``step`` - 1 rows and columns are dropped."""
    height, width = (edge // step for edge in rgb.shape[:2])
    return cv2.resize(
        rgb[: height * step, : width * step], (width, height), interpolation=cv2.INTER_AREA
    )


def blank_share(rgb: _Any) -> float:
    """Give the share of rows, counted from the stored end, that are one flat color (0-1).

    What a decoder leaves where data was missing; looked at on every 4th row and 8th column.
    """
    rows = rgb[::-4, ::8]
    flat = (rows == rows[0, 0]).all(axis=(1, 2))
    alive = np.flatnonzero(~flat)
    return 1.0 if alive.size == 0 else float(alive[0]) / len(flat)
