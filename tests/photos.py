"""Photos drawn for tests; the package does the drawing, because `curator bench` needs it too."""

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

__all__ = ["TAKEN", "Image", "Look", "Shot", "draw_jpeg", "jpeg_bytes", "scene", "write_dng"]
