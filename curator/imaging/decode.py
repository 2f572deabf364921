"""File to picture: judged by content, size checked first, upright and sRGB once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from curator.imaging import color, containers, jpeg, raw, stills, tiff
from curator.imaging.pixels import (
    MAX_MEGAPIXELS,
    DecodedImage,
    DecodeOptions,
    Picture,
    Want,
    check_file,
    check_size,
    shrink,
    upright,
)
from curator.model import GoneError, UnreadableError


def decode(
    path: str | Path,
    *,
    want: Want = "preview",
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Picture:
    """Decode a file to an upright sRGB picture, whole.

    Args:
        path: the file.
        want: of a RAW, its full-size preview where there is one, or always the sensor data.
        max_megapixels: the largest picture to decode.

    Raises:
        GoneError: the file is not there.
        UnreadableError: it is no picture, damaged beyond use, or too large; says which.
    """
    return _shown(load(path, DecodeOptions(want, max_megapixels)))


def decode_scaled(
    path: str | Path,
    long_edge_px: int,
    *,
    want: Want = "preview",
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Picture:
    """Decode a file no larger than a view needs; JPEGs and previews several times faster.

    Args:
        path: the file.
        long_edge_px: the picture comes out at this long edge or up to twice that, whatever is
            quickest, and never enlarged. ``full_size`` tells what it would be whole.
        want: as in :func:`decode`.
        max_megapixels: as in :func:`decode`.

    Raises:
        GoneError: the file is not there.
        UnreadableError: as in :func:`decode`.
    """
    found = load(path, DecodeOptions(want, max_megapixels, long_edge_px))
    found.rgb = shrink(found.rgb, long_edge_px, exact=False)
    return _shown(found)


def _shown(found: DecodedImage) -> Picture:
    rgb = upright(color.to_srgb(found.rgb, found.icc), found.orientation)
    return Picture(np.ascontiguousarray(rgb), found.basis, found.damage, found.full_size)


def load(path: str | Path, wish: DecodeOptions, data: bytes | None = None) -> DecodedImage:
    """Decode a file to its stored pixels, for who turns and converts only a small copy.

    Args:
        path: the file.
        wish: which pixels, and how large.
        data: the file's bytes, if at hand (not needed for a RAW).

    Raises:
        GoneError: the file is not there.
        UnreadableError: as in :func:`decode`.
    """
    name = str(path)
    head = data[:65536] if data is not None else read_file(path, 65536)
    form = containers.sniff(head, name)
    if form == "raw":
        try:
            return raw.decode(name, wish)
        except UnreadableError as error:
            return _picture_after_all(name, head, wish, error)
    if not form:
        raise UnreadableError(_no_picture(head))
    data = read_file(path) if data is None else data
    if form == "jpeg":
        return _jpeg(data, wish)
    return stills.decode(data, form, wish.max_megapixels)


def read_file(path: str | Path, size: int = -1) -> bytes:
    """Read a file, or its beginning.

    Raises:
        GoneError: the file is not there.
        UnreadableError: the system will not give it, or it is absurdly large.
    """
    try:
        with Path(path).open("rb") as file:
            if size < 0:
                check_file(file.seek(0, 2))
            file.seek(0)
            return file.read(size)
    except FileNotFoundError as error:
        raise GoneError("The file is no longer there.", "Rescan the folder.") from error
    except OSError as error:
        raise UnreadableError(f"The file cannot be read ({error.strerror or error}).") from error


def _jpeg(data: bytes, wish: DecodeOptions) -> DecodedImage:
    head = containers.read_jpeg_header(data)
    if head.components == 4 and head.width:
        # CMYK needs its profile and Adobe's inversion: Pillow knows both.
        check_size(head.width, head.height, wish.max_megapixels, len(data))
        return stills.decode(data, "jpeg", wish.max_megapixels)
    return jpeg.decode(data, wish, head)


def _picture_after_all(
    path: str, head: bytes, wish: DecodeOptions, error: UnreadableError
) -> DecodedImage:
    """Decode a TIFF picture under a RAW's name; never a RAW's own tiny thumbnail.

    Raises:
        UnreadableError: it is none; the RAW decoder's ``error`` is the reason.
    """
    pages = tiff.directories(tiff.from_bytes(head))
    if not pages or 330 in pages[0].tags or pages[0].number(254) not in (None, 0):
        raise error
    try:
        found = stills.decode(read_file(path), "tiff", wish.max_megapixels)
    except UnreadableError:
        raise error from None
    if max(found.full_size) < raw.USABLE_PX or found.basis != "image":
        raise error
    return found


def _no_picture(head: bytes) -> str:
    if not head:
        return "The file is empty."
    if not any(head):
        return "The file contains only zeros."
    text = head[:512].lstrip()
    if text[:1] in (b"<", b"{") or text[:5] == b"%PDF-":
        return "The file is a document, not a picture."
    if head[4:8] == b"ftyp":
        return "The file is a video or of a kind that cannot be read."
    return "The file is not a picture of a kind that can be read."
