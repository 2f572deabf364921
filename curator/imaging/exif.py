"""Reading capture data from the header of any file.

Peek, convert and file previews use it. It reads headers only and must never raise on their content.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import IO

from curator.imaging import containers, embedded_metadata, exif_fields, raw, stills, tiff, xmp
from curator.imaging.pixels import opened
from curator.model import Capture

HEADER_BYTES = 262144  # read to find the frame header of a JPEG; more if that is not enough


def read_capture(path: str | Path, data: bytes | None = None) -> Capture:
    """Read capture data and size from a file's header, for every format Curator decodes.

    Args:
        path: the file.
        data: its bytes, if already read.

    Returns:
        The capture data; fields that are missing or absurd are None.

    Raises:
        GoneError: the file does not exist.
        UnreadableError: it cannot be read.
    """
    with io.BytesIO(data) if data is not None else opened(path) as file:
        return _read(file, str(path))


def _read(file: IO[bytes], name: str) -> Capture:
    read = tiff.from_file(file)
    head = read(0, HEADER_BYTES)
    form = containers.sniff(head[:65536], name)
    if form == "jpeg":
        segments = _jpeg_header(head, read)
        directories = list(tiff.cached_directories(segments.exif))
        found = exif_fields.sized(
            exif_fields.capture_of(directories), segments.width, segments.height
        )
    elif form == "raw":
        directories = containers.raw_directories(read)
        found = raw.completed(exif_fields.capture_of(directories), name, file)
    elif form == "tiff":
        directories = tiff.directories(read)
        page = directories[0] if directories else tiff.Directory("page", 0)
        found = exif_fields.capture_of(directories)
        if page.number(274) is None:  # as Pillow turns it
            turned = xmp.orientation(embedded_metadata.read_open(file, name).packets)
            found = replace(found, orientation=turned or 1)
        found = exif_fields.sized(found, page.number(256), page.number(257))
    else:
        return stills.capture(file, form) if form else Capture()
    if exif_fields.is_complete(found):
        return found
    more = embedded_metadata.read_open(file, name)
    moment = exif_fields.digitized(directories)
    found = xmp.completed(found, more.packets, moment, more.created, more.digitized)
    if form == "raw":
        found = exif_fields.with_first_moment(found, [exif_fields.file_changed_at(directories)])
    return found


def _jpeg_header(head: bytes, read: tiff.Read) -> containers.JpegHeader:
    found = containers.read_jpeg_header(head)
    if not found.complete and not found.width and len(head) == HEADER_BYTES:
        found = containers.read_jpeg_header(read(0, 16 * HEADER_BYTES))
    return found
