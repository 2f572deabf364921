"""Proxies and thumbnails: the JPEGs Curator makes for display, named by the original's content."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import simplejpeg

from curator import atomic, private
from curator.imaging.pixels import Image, shrink
from curator.model import UnreadableError

THUMB_PX = 360  # long edge: the largest grid tile
THUMB_QUALITY = 80


def proxy_path(cache: str | Path, key: str) -> Path:
    """Return the path of a key's proxy."""
    return Path(cache) / "proxies" / key[:2] / f"{key}.jpg"


def thumb_path(cache: str | Path, key: str) -> Path:
    """Return the path of a key's thumbnail."""
    return Path(cache) / "thumbs" / key[:2] / f"{key}.jpg"


def _save(path: Path, data: bytes) -> None:
    """Write a file atomically, without waiting for the disk; create its folder if needed.

    Raises:
        OSError: it could not be written, for example on a full disk; an older file stays.
    """
    write = partial(atomic.write, path, data, work=path.parent.parent, sync=False)
    try:
        write()
    except FileNotFoundError:  # the first file in its folder
        private.make_folder(path.parent)
        write()


def encode(rgb: Image, quality: int) -> bytes:
    """Encode ``rgb`` as JPEG, 4:2:0, without metadata."""
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality, "RGB", "420"))


def save(rgb: Image, cache: str | Path, key: str, quality: int = 88) -> bytes:
    """Write proxy and thumbnail of an upright sRGB picture that has the proxy's size.

    The thumbnail is written first: so if a proxy exists, both do.

    Args:
        rgb: (H, W, 3) uint8 sRGB upright.
        cache: the folder of derived files.
        key: the cache key, 32 hex digits.
        quality: JPEG quality of the proxy.

    Returns:
        The proxy's bytes.

    Raises:
        OSError: it could not be written, for example on a full disk.
    """
    save_thumbnail(rgb, cache, key)
    data = encode(rgb, quality)
    _save(proxy_path(cache, key), data)
    return data


def save_thumbnail(rgb: Image, cache: str | Path, key: str) -> None:
    """Write the thumbnail of an upright sRGB picture of any size.

    Raises:
        OSError: it could not be written, for example on a full disk.
    """
    _save(thumb_path(cache, key), encode(shrink(rgb, THUMB_PX), THUMB_QUALITY))


def long_edge_px(jpeg: bytes) -> int:
    """Read the long edge out of a JPEG's header.

    Raises:
        UnreadableError: it is not a JPEG.
    """
    try:
        return max(simplejpeg.decode_jpeg_header(jpeg)[:2])
    except ValueError as error:
        raise UnreadableError("This is not a JPEG.") from error


def shrink_jpeg(jpeg: bytes, long_edge_px: int, quality: int = 88) -> bytes:
    """Scale down one of Curator's own JPEGs; other JPEGs may only be decoded in workers.

    Raises:
        UnreadableError: it cannot be decoded.
    """
    try:
        rgb = simplejpeg.decode_jpeg(jpeg, "RGB")
    except ValueError as error:
        raise UnreadableError("This JPEG cannot be read.") from error
    return encode(shrink(rgb, long_edge_px), quality)
