"""Decoded pictures: as stored in a file, and upright in sRGB as the rest of Curator uses them.

The size limits are here, too: every decoder must check a picture's size before it decodes a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from curator import deadline
from curator.model import GoneError, UnreadableError

Image = npt.NDArray[np.uint8]
_Array = npt.NDArray[Any]

Want = Literal["preview", "demosaic"]

MAX_MEGAPIXELS = 400  # the default of the setting work.max_megapixels
_MAX_FILE = 2_000_000_000  # bytes; larger files are not photos and must not fill memory
# A file that claims more than _LARGE pixels must have one byte per _PIXELS_A_BYTE of them: even a
# flat JPEG has at least one bit per 8 x 8 block. Otherwise a few flipped bits in the header of a
# 10 KB file would cost a minute and 4 GB for an empty picture.
_LARGE = 50_000_000
_PIXELS_A_BYTE = 8 * 8 * 8
# One thread per picture: the pool of worker processes uses all cores already, and more threads
# would only compete with it.
cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """Options for decoding a file.

    Attributes:
        want: for a RAW, its full-size preview if it has one, or always the sensor data.
        max_megapixels: the largest picture to decode.
        long_edge_px: a picture of at least this long edge is enough; None for full size.
        shrunk_to_px: the caller uses only luma and a copy with this long edge. If that is half the
            size or less, chroma need not be interpolated: the copy comes out the same.
        small_preview: if a RAW's sensor data is unreadable, return a preview that is not full size.
        check_damage: search for damage that decoders do not report (`curator.imaging.damage`).
    """

    want: Want = "preview"
    max_megapixels: float = MAX_MEGAPIXELS
    long_edge_px: int | None = None
    shrunk_to_px: int | None = None
    small_preview: bool = True
    check_damage: bool = True


@dataclass(slots=True)
class DecodedImage:
    """Pixels as stored: not yet turned upright, not yet converted to sRGB.

    ``rgb``: (H, W, 3) uint8 in the colors of ``icc`` (None: sRGB). ``orientation``: EXIF 1-8.
    ``full_size``: upright (width, height) of the full picture, even if ``rgb`` is scaled.
    ``basis`` and ``damage``: as in :class:`curator.model.Converted`.
    """

    rgb: Image
    orientation: int
    icc: bytes | None
    full_size: tuple[int, int]
    basis: str = "image"
    damage: str | None = None


@dataclass(slots=True)
class Picture:
    """A picture ready to be shown.

    ``rgb`` (H, W, 3) uint8 sRGB upright; the rest as in :class:`DecodedImage`.
    """

    rgb: Image
    basis: str
    damage: str | None
    full_size: tuple[int, int]


@contextmanager
def opened(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file to read.

    Raises:
        GoneError: the file does not exist.
        UnreadableError: it cannot be opened, or not be read inside the ``with``.
    """
    try:
        with Path(path).open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise GoneError("The file is no longer there.", "Rescan the folder.") from error
    except OSError as error:
        raise UnreadableError(f"The file cannot be read ({error.strerror or error}).") from error


def check_file(file_bytes: int) -> None:
    """Refuse a file that is too large before it is read; other large files get more time.

    Raises:
        UnreadableError: it is larger than 2 GB.
    """
    if file_bytes > _MAX_FILE:
        raise UnreadableError("The file is larger than 2 GB.")
    deadline.announce_size(megabytes=file_bytes / 1e6)


def check_size(
    width: int, height: int, max_megapixels: float, file_bytes: int | None = None
) -> None:
    """Refuse a picture with an impossible size before it is decoded; other large ones get time.

    Args:
        width: width in px, according to the header.
        height: height in px, according to the header.
        max_megapixels: the largest picture to decode.
        file_bytes: size of the file, for formats in which a large picture needs a large file.

    Raises:
        UnreadableError: it has no pixels, too many, or more than the file can hold.
    """
    if width <= 0 or height <= 0:
        raise UnreadableError("The file is damaged: the picture has no width or no height.")
    if file_bytes is not None and width * height > plausible_pixels(file_bytes):
        raise UnreadableError(
            f"The file is damaged: it is far too short for the {width:,} x {height:,} pixels"
            " that its header states."
        )
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise UnreadableError(
            f"The picture has {megapixels:,.0f} megapixels; the limit is {max_megapixels:,.0f}.",
            "To read it, raise “Largest photo, megapixels” in the settings.",
        )
    deadline.announce_size(megapixels=megapixels)


def plausible_pixels(file_bytes: int) -> int:
    """Return the number of pixels that a file of this size can have."""
    return max(_LARGE, _PIXELS_A_BYTE * file_bytes)


def upright(rgb: _Array, orientation: int) -> _Array:
    """Turn stored pixels upright by their EXIF orientation (1-8)."""
    if orientation in (5, 7):
        rgb = cv2.transpose(rgb)
        return rgb if orientation == 5 else cv2.flip(rgb, -1)
    if orientation in (2, 4):
        return cv2.flip(rgb, 1 if orientation == 2 else 0)
    turn = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
    return cv2.rotate(rgb, turn[orientation]) if orientation in turn else rgb


def upright_view(rgb: _Array, orientation: int) -> _Array:
    """Return stored pixels upright without copying them, for whoever reads only parts."""
    if orientation >= 5:
        rgb = rgb.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    across = -1 if orientation in (2, 3, 6, 7) else 1
    return rgb[::down, ::across]


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return (width, height) of a stored picture after turning it upright."""
    return (height, width) if orientation >= 5 else (width, height)


def shrink(rgb: _Array, long_edge_px: int, *, exact: bool = True, halved: bool = False) -> _Array:
    """Scale a picture down to a long edge; a smaller picture is returned unchanged.

    It is halved by area as often as possible and then scaled bilinearly. The result differs by
    42-54 dB from a single area average, which takes longer than decoding (58 against 50 ms at
    12 MP).

    Args:
        rgb: (H, W, 3) uint8.
        long_edge_px: the wanted long edge.
        exact: otherwise only halve, and stay at or above the wanted size.
        halved: whether the caller has halved it already.
    """
    height, width = rgb.shape[:2]
    scale = long_edge_px / max(width, height)
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    while max(rgb.shape[:2]) >= 2 * long_edge_px and min(rgb.shape[:2]) >= 4:
        rgb, halved = block_average(rgb, 2), True
    if scale >= 1 or not exact or rgb.shape[1::-1] == wanted:
        return rgb
    return cv2.resize(rgb, wanted, interpolation=cv2.INTER_LINEAR if halved else cv2.INTER_AREA)


def scaled_center(rgb: Image, short_edge_px: int, side_px: int) -> Image:
    """Scale a picture to a short edge and return the square in its center, as networks want it.

    Equals torchvision's Resize (bicubic, with antialiasing) and CenterCrop.

    Args:
        rgb: (H, W, 3) uint8.
        short_edge_px: the short edge of the scaled picture.
        side_px: the side of the square, not larger than that.
    """
    from PIL import Image as Pillow

    height, width = rgb.shape[:2]
    short = min(width, height)
    size = (int(short_edge_px * width / short), int(short_edge_px * height / short))
    # With `box` Pillow computes the square alone in half the time, but sometimes a bit differently.
    scaled = np.asarray(Pillow.fromarray(rgb).resize(size, Pillow.Resampling.BICUBIC))
    left, top = (round((edge - side_px) / 2) for edge in size)
    return scaled[top : top + side_px, left : left + side_px]


def block_average(rgb: _Array, step: int) -> _Array:
    """Average blocks of ``step`` x ``step``; up to ``step`` - 1 rows and columns are dropped."""
    height, width = (edge // step for edge in rgb.shape[:2])
    return cv2.resize(
        rgb[: height * step, : width * step], (width, height), interpolation=cv2.INTER_AREA
    )


def medians(values: _Array) -> _Array:
    """Return the median along the last axis.

    For rows of some dozens numpy's takes three times as long, and its first call imports numpy.ma
    for 13 ms, while a person waits for the first thumbnails.
    """
    ordered, middle = np.sort(values, axis=-1), values.shape[-1] // 2
    if values.shape[-1] % 2:
        return ordered[..., middle]
    return (ordered[..., middle - 1] + ordered[..., middle]) / 2


def blank_share(rgb: _Array) -> float:
    """Return the share of rows at the stored end that are a single flat color (0-1).

    Decoders leave such rows where data is missing. Only every 4th row and 8th column is checked.
    """
    rows = rgb[::-4, ::8]
    flat = (rows == rows[0, 0]).all(axis=(1, 2))
    alive = np.flatnonzero(~flat)
    return 1.0 if alive.size == 0 else float(alive[0]) / len(flat)
