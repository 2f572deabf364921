"""File to picture: the format is judged by content, and the size is checked before decoding.

Worker processes use it for every original. :func:`load` returns stored pixels; :func:`decode`
also turns them upright and converts them to sRGB.
"""

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
    opened,
    shrink,
    upright,
)
from curator.model import UnreadableError


def decode(
    path: str | Path,
    long_edge_px: int | None = None,
    *,
    want: Want = "preview",
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Picture:
    """Decode a file to an upright sRGB picture.

    Args:
        path: the file.
        long_edge_px: None for full size. Otherwise the result has this long edge or up to twice
            that, whichever is fastest, and is never enlarged; this is several times faster for
            JPEGs and previews. ``full_size`` is the size of the full picture.
        want: for a RAW, its full-size preview if it has one, or always the sensor data.
        max_megapixels: the largest picture to decode.

    Raises:
        GoneError: the file does not exist.
        UnreadableError: it is not a picture, too damaged, or too large; the message says which.
    """
    found = load(path, DecodeOptions(want, max_megapixels, long_edge_px))
    rgb = found.rgb if long_edge_px is None else shrink(found.rgb, long_edge_px, exact=False)
    rgb = upright(color.to_srgb(rgb, found.icc), found.orientation)
    return Picture(np.ascontiguousarray(rgb), found.basis, found.damage, found.full_size)


def load(path: str | Path, options: DecodeOptions, data: bytes | None = None) -> DecodedImage:
    """Decode a file to its stored pixels, for callers that turn and convert only a small copy.

    Args:
        path: the file.
        options: which pixels, and how large.
        data: the file's bytes, if already read (not needed for a RAW).

    Raises:
        GoneError: the file does not exist.
        UnreadableError: as in :func:`decode`.
    """
    name = str(path)
    head = data[:65536] if data is not None else read_file(path, 65536)
    form = containers.sniff(head, name)
    if form == "raw":
        try:
            return raw.decode(name, options)
        except UnreadableError as error:
            return _tiff_named_as_raw(name, head, options, error)
    if not form:
        raise UnreadableError(_no_picture_reason(head))
    data = read_file(path) if data is None else data
    if form == "jpeg":
        return _jpeg(data, options)
    return stills.decode(data, form, options.max_megapixels)


def read_file(path: str | Path, size: int = -1) -> bytes:
    """Read a file, or its first ``size`` bytes.

    Raises:
        GoneError: the file does not exist.
        UnreadableError: it cannot be read, or is larger than any photo.
    """
    with opened(path) as file:
        if size < 0:
            check_file(file.seek(0, 2))
        file.seek(0)
        return file.read(size)


def _jpeg(data: bytes, options: DecodeOptions) -> DecodedImage:
    head = containers.read_jpeg_header(data)
    if head.components == 4 and head.width:
        # CMYK needs its profile and Adobe's inversion; Pillow applies both.
        check_size(head.width, head.height, options.max_megapixels, len(data))
        return stills.decode(data, "jpeg", options.max_megapixels)
    return jpeg.decode(data, options, head)


def _tiff_named_as_raw(
    path: str, head: bytes, options: DecodeOptions, error: UnreadableError
) -> DecodedImage:
    """Decode a TIFF picture that has a RAW's name, but never a RAW's own tiny thumbnail.

    Raises:
        UnreadableError: it is not such a picture; re-raises the RAW decoder's ``error``.
    """
    pages = tiff.directories(tiff.from_bytes(head))
    if not pages or 330 in pages[0].tags or pages[0].number(254) not in (None, 0):
        raise error
    try:
        found = stills.decode(read_file(path), "tiff", options.max_megapixels)
    except UnreadableError:
        raise error from None
    if max(found.full_size) < raw.USABLE_PX or found.basis != "image":
        raise error
    return found


def _no_picture_reason(head: bytes) -> str:
    if not head:
        return "The file is empty."
    if not any(head):
        return "The file contains only zeros."
    text = head[:512].lstrip()
    if text[:1] in (b"<", b"{") or text[:5] == b"%PDF-":
        return "The file is a document, not a picture."
    if head[4:8] == b"ftyp":
        return "The file is a video, or in a format that Curator cannot read."
    return "The file is not a picture in a format that Curator can read."
