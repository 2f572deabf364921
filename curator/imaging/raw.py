"""RAW files with LibRaw: the embedded preview if it is full size, otherwise the sensor data."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import IO, Any

import numpy as np
import rawpy

from curator import deadline
from curator.imaging import containers, exif_fields, jpeg
from curator.imaging.pixels import (
    DecodedImage,
    DecodeOptions,
    Image,
    blank_share,
    check_file,
    check_size,
    upright_size,
)
from curator.model import Capture, UnreadableError, UnsupportedError

log = logging.getLogger(__name__)

FULL_SIZE = 0.9  # share of the sensor's long edge from which a preview counts as full size
USABLE_PX = 320  # a smaller preview is not shown, even if there is nothing else
# No RAW compression needs less than half a bit per pixel. LibRaw "decodes" such stubs to noise.
_LEAST_BYTES = 1 / 16
# LibRaw's flip: bit 0 mirrors, bit 1 turns upside down, bit 2 swaps the axes.
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)
_REASONS = (
    (
        rawpy.LibRawFileUnsupportedError,
        "This kind of RAW is not supported, or the file is damaged.",
    ),
    (rawpy.LibRawIOError, "The RAW file ends early: its picture data is incomplete."),
    (rawpy.LibRawTooBigError, "The RAW file states a size larger than any camera's."),
    (rawpy.LibRawUnsufficientMemoryError, "There is not enough memory for this RAW file."),
    (rawpy.LibRawDataError, "The RAW file's picture data is damaged."),
)
# Canon's CIFF (CRW) stores make and model in one record, which rawpy does not return.
_MAX_CIFF = 32 << 20  # bytes; those cameras had 3 to 11 megapixels
_CIFF_MODEL = re.compile(rb"Canon\0(Canon [ -~]{2,30})\0")


def decode(path: str, options: DecodeOptions) -> DecodedImage:
    """Decode a RAW.

    Args:
        path: the file.
        options: which pixels, and how large.

    Raises:
        UnreadableError: nothing can be shown; the first error is the reason.
    """
    with _open(path) as raw:
        width, height, orientation = _size(raw)
        check_size(width, height, options.max_megapixels)
        preview = _preview(raw)  # first, because an error elsewhere makes the object unusable
        size = upright_size(width, height, orientation)
        if options.want == "preview" and preview and preview[1] >= FULL_SIZE * max(width, height):
            try:
                return _decode_preview(preview[0], orientation, size, options)
            except UnreadableError as error:
                log.debug("preview of %s not readable, trying sensor data: %s", path, error)
        try:
            size_bytes = os.path.getsize(path)  # noqa: PTH202
            deadline.announce_size(megabytes=size_bytes / 1e6)
            if size_bytes < width * height * _LEAST_BYTES:
                raise rawpy.LibRawIOError("shorter than any compression makes it")
            return _demosaic(raw, orientation, size, options.long_edge_px)
        except (rawpy.LibRawError, ValueError, MemoryError) as error:
            if options.small_preview and preview and preview[1] >= USABLE_PX:
                shown = _decode_preview(preview[0], orientation, size, options)
                shown.basis = "small preview"
                if not isinstance(error, rawpy.LibRawFileUnsupportedError):
                    shown.damage = f"Only a small preview can be read. {_reason(error)}"
                return shown
            raise _unreadable(error) from error


def completed(found: Capture, path: str, file: IO[bytes]) -> Capture:
    """Add to a RAW's capture data what only LibRaw provides: size, orientation, old formats.

    Args:
        found: the capture data from its directories.
        path: the file; ``file`` is the same file, opened.
        file: used if the path cannot be opened.

    Returns:
        The completed capture data; never raises on content.
    """
    try:
        with _open(path, file) as raw:
            width, height, orientation = _size(raw)
            found = replace(found, orientation=orientation)
            found = exif_fields.sized(found, width, height)
            if found.taken_at is None and found.camera is None:
                found = _from_libraw(raw, found, file)
    except (UnreadableError, rawpy.LibRawError, ValueError, OverflowError, MemoryError) as error:
        log.debug("header of %s not readable: %s", path, error)
    return found


@contextmanager
def _open(path: str, file: IO[bytes] | None = None) -> Iterator[Any]:
    try:
        raw = _read(path, file)
    except (rawpy.LibRawError, UnicodeError, ValueError, MemoryError) as error:
        raise _unreadable(error) from error
    try:
        yield raw
    finally:
        raw.close()


def _read(path: str, file: IO[bytes] | None) -> Any:
    """Open by path, so that LibRaw reads only what it needs; by content if that fails."""
    if os.path.exists(path):  # noqa: PTH110 (the name may not be valid text)
        with contextlib.suppress(UnicodeError):  # rawpy cannot encode some names
            return rawpy.imread(path)
    try:
        with contextlib.nullcontext(file) if file is not None else Path(path).open("rb") as raw:
            check_file(raw.seek(0, os.SEEK_END))
            raw.seek(0)
            return rawpy.imread(io.BytesIO(raw.read()))
    except OSError as error:
        raise UnreadableError(f"The file cannot be read ({error.strerror or error}).") from error


def _size(raw: Any) -> tuple[int, int, int]:
    sizes = raw.sizes
    flip = sizes.flip if 0 <= sizes.flip < 8 else 0
    return sizes.width, sizes.height, _ORIENTATIONS[flip]


def _preview(raw: Any) -> tuple[bytes, int] | None:
    """Extract the embedded JPEG and its long edge in px."""
    try:
        thumb = raw.extract_thumb()
    except (rawpy.LibRawError, ValueError, MemoryError):
        return None
    if thumb.format != rawpy.ThumbFormat.JPEG:
        return None
    head = containers.read_jpeg_header(thumb.data)
    return (thumb.data, max(head.width, head.height)) if head.width else None


def _decode_preview(
    data: bytes, orientation: int, size: tuple[int, int], options: DecodeOptions
) -> DecodedImage:
    shown = jpeg.decode(data, options)
    # LibRaw does not turn previews. Most are stored like the sensor, some are already upright.
    upright_already = orientation >= 5 and shown.rgb.shape[0] > shown.rgb.shape[1]
    shown.orientation = 1 if upright_already else orientation
    shown.full_size, shown.basis = size, "preview"
    return shown


def _demosaic(
    raw: Any, orientation: int, size: tuple[int, int], long_edge_px: int | None
) -> DecodedImage:
    """Develop sensor data plainly: camera white balance, sRGB, no automatic brightening.

    Automatic brightening clips 1 % of every picture and would make clipping a constant.
    """
    half = bool(long_edge_px and max(size) >= 2 * long_edge_px)
    rgb = raw.postprocess(
        use_camera_wb=True,
        no_auto_bright=True,
        gamma=(2.4, 12.92),
        output_color=rawpy.ColorSpace.sRGB,
        demosaic_algorithm=rawpy.DemosaicAlgorithm.PPG,
        half_size=half,
        user_flip=0,
        output_bps=8,
    )
    if rgb.shape[2] != 3:  # a monochrome sensor has one channel
        rgb = np.repeat(rgb[:, :, :1], 3, 2)
    rgb = np.ascontiguousarray(rgb)
    return DecodedImage(rgb, orientation, None, size, "demosaic", _missing(rgb))


def _missing(rgb: Image) -> str | None:
    """Return what is missing if the end of a frame is a single flat color; None if nothing is.

    Sensors have noise: no real row is flat over its full width, unless it is blown to white. LibRaw
    reports no error for such a frame.
    """
    share = blank_share(rgb)
    if share < 0.02 or rgb[-1, -1].max() >= 250:
        return None
    if share > 0.97:
        raise ValueError("nothing but one color")
    return f"The file is damaged: the last {100 * share:.0f} % of the picture is missing."


def _from_libraw(raw: Any, found: Capture, file: IO[bytes]) -> Capture:
    """Get exposure and time from LibRaw; it unpacks the RAW, so only if nothing else has them."""
    other = raw.other
    aperture, iso = (
        exif_fields.within(other.aperture, 0.1, 1000),
        exif_fields.within(other.iso_speed, 1, 1e7),
    )
    taken = other.timestamp
    if taken is not None and taken.tzinfo is not None:
        taken = taken.astimezone(UTC).replace(tzinfo=None)
    file.seek(0)
    model = _CIFF_MODEL.search(file.read(_MAX_CIFF))
    return replace(
        found,
        taken_at=taken if taken and taken.year > 1970 else None,
        camera=model.group(1).decode("ascii") if model else None,
        exposure_s=exif_fields.within(other.shutter_speed, 1e-7, 1e5),
        f_number=round(aperture, 1) if aperture else None,
        iso=round(iso) if iso else None,
        focal_length_mm=exif_fields.within(other.focal_length, 0.1, 10000),
    )


def _unreadable(error: BaseException) -> UnreadableError:
    unknown = isinstance(error, rawpy.LibRawFileUnsupportedError)
    return (UnsupportedError if unknown else UnreadableError)(_reason(error))


def _reason(error: BaseException) -> str:
    for kind, sentence in _REASONS:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, MemoryError):
        return "There is not enough memory for this RAW file."
    return "The RAW file is damaged and cannot be developed."
