"""Peek: headers only. Identity, capture data, and the thumbnail the camera put into the file.

And what is said of the photo by its sidecars, or inside it.
"""

from __future__ import annotations

import contextlib

from curator import files
from curator.model import FileMarks, KnownError, Peeked, StageJob


def peek(job: StageJob) -> Peeked:
    """Read what a photo's headers say, in milliseconds, whatever its size.

    A thumbnail is only taken where the cache has none and the embedded one has the picture's
    aspect; it may be smaller than ours, and convert replaces it.

    Raises:
        GoneError: the file is not there.
        UnreadableError: the system will not let it be read.
        OSError: the cache cannot be written.
    """
    # Imported here: the window's process knows the table of stages, and decodes nothing.
    from curator.imaging import embedded_thumbnail, exif, proxy

    status = files.status(job.path)
    key = files.fingerprint(job.path)
    capture = exif.read_capture(job.path)
    thumb = None
    if proxy.thumb_path(job.cache, key).exists():
        thumb = key
    elif (small := embedded_thumbnail.thumbnail(job.path, capture)) is not None:
        proxy.save_thumbnail(small, job.cache, key)
        thumb = key
    half = None
    if job.fallback:
        with contextlib.suppress(KnownError):
            half = files.fingerprint(job.fallback)
    readings = _said_of(job)
    return Peeked(key, status.st_size, status.st_mtime_ns, capture, thumb, half, readings)


def _said_of(job: StageJob) -> tuple[FileMarks, ...]:
    """Read the sidecars, and what RAW and JPEG carry inside: the RAW's goes before the JPEG's."""
    from curator import sidecar
    from curator.imaging import embedded_metadata
    from curator.sidecar import batch

    metadata = sidecar.SidecarMetadata()
    for path in filter(None, (job.path, job.fallback)):
        with contextlib.suppress(KnownError):  # what cannot be read is told of as a photo
            carried = embedded_metadata.read(path)
            inside = sidecar.read_embedded(carried.packets, carried.keywords, carried.rating)
            metadata = metadata.filled_by(inside.metadata)
    return (*batch.read_all(job.sidecars), *batch.embedded(metadata))
