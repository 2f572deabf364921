"""Photos drawn for tests, with the drawing code of `curator bench`."""

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
    "jpeg_bytes",
    "pixels_of",
    "scene",
    "write_dng",
]


def pixels_of(jpeg: bytes) -> Image:
    """Decode a JPEG that Curator wrote: (H, W, 3) uint8."""
    return simplejpeg.decode_jpeg(jpeg, "RGB")
