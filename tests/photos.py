"""Photos drawn for tests, with the drawing code of `curator bench`."""

from datetime import timedelta
from pathlib import Path

import simplejpeg

from curator.bench.draw import (
    TAKEN,
    Image,
    Look,
    Shot,
    draw_jpeg,
    jpeg_bytes,
    scene,
    write_dng,
)

__all__ = [
    "TAKEN",
    "Image",
    "Look",
    "Shot",
    "draw_jpeg",
    "draw_series",
    "jpeg_bytes",
    "pixels_of",
    "scene",
    "write_dng",
]


def pixels_of(jpeg: bytes) -> Image:
    """Decode a JPEG that Curator wrote: (H, W, 3) uint8."""
    return simplejpeg.decode_jpeg(jpeg, "RGB")


def draw_series(folder: Path, count: int, **options: object) -> Path:
    """Draw DSC_0000.jpg and so on, all different and a minute apart; return the folder.

    Args:
        folder: is created.
        count: number of photos.
        **options: of :func:`draw_jpeg`.
    """
    for number in range(count):
        taken = TAKEN + timedelta(minutes=number)
        draw_jpeg(folder / f"DSC_{number:04}.jpg", seed=number, taken=taken, **options)
    return folder
