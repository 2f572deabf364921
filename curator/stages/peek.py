"""Peek: headers only. Identity, capture data, and the thumbnail the camera put into the file."""

from __future__ import annotations

import contextlib
import os

from curator.files import fingerprint
from curator.model import GoneError, KnownError, Peeked, StageJob, UnreadableError


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

    try:
        status = os.stat(job.path)  # noqa: PTH116 (a name need not be valid text)
    except FileNotFoundError as error:
        raise GoneError("The file is no longer there.", "Rescan the folder.") from error
    except OSError as error:
        raise UnreadableError(f"The file cannot be read ({error.strerror or error}).") from error
    key = fingerprint(job.path)
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
            half = fingerprint(job.fallback)
    return Peeked(key, status.st_size, status.st_mtime_ns, capture, thumb, half)
