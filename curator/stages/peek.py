"""Peek: headers only. Identity, capture data, and the thumbnail the camera put into the file."""

from __future__ import annotations

import contextlib

from curator import files
from curator.model import KnownError, Peeked, StageJob


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
    from curator.imaging import embedded, exif, proxy

    status = files.status(job.path)
    key = files.fingerprint(job.path)
    capture = exif.read_capture(job.path)
    thumb = None
    if proxy.thumb_path(job.cache, key).exists():
        thumb = key
    elif (small := embedded.thumbnail(job.path, capture)) is not None:
        proxy.make_thumb(small, job.cache, key)
        thumb = key
    half = None
    if job.fallback:
        with contextlib.suppress(KnownError):
            half = files.fingerprint(job.fallback)
    return Peeked(key, status.st_size, status.st_mtime_ns, capture, thumb, half)
