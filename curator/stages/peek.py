"""Peek: read headers only: identity, capture data, embedded thumbnail and metadata, sidecars.

It runs in a worker process, takes milliseconds for a file of any size, and must decode no picture
but the embedded thumbnail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from curator import files
from curator.model import FileMarks, KnownError, Peeked, StageJob
from curator.stages.saving import Saved

if TYPE_CHECKING:
    from curator.catalog import Catalog, FileReader, PeekFindings


def peek(job: StageJob) -> Peeked:
    """Read a photo's headers, in milliseconds for any size.

    The embedded thumbnail is saved if the cache has no thumbnail and its aspect is the picture's.
    It may be smaller than Curator's own thumbnails; convert replaces it.

    Raises:
        GoneError: the file is not there.
        UnreadableError: the system will not let it be read.
        OSError: the cache cannot be written.
    """
    # Imported here: the window's process imports the table of stages, and never decodes.
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
    marks = _read_marks(job)
    return Peeked(key, status.st_size, status.st_mtime_ns, capture, thumb, half, marks)


def save_peeked(
    catalog: Catalog, results: Sequence[tuple[StageJob, Peeked | PeekFindings]]
) -> Saved:
    """Save what headers contain, and identify the photo that a file belongs to.

    If the content is known from another file, or replaced other content, files have to be compared
    first; the PeekFindings come back here as the result.
    """
    peeked = [(job, found) for job, found in results if isinstance(found, Peeked)]
    saved = catalog.results.save_peeks(peeked) if peeked else None
    changed = [] if saved is None else list(saved.changed)
    for job, found in results:
        if not isinstance(found, Peeked):
            changed += catalog.results.save_examined_peek(job, found)
    doubtful = [] if saved is None else saved.doubtful
    questions = {job.photo_id: partial(_look_into, job, found) for job, found in doubtful}
    return Saved(changed, questions)


def _look_into(job: StageJob, result: Peeked, catalog: Catalog, reader: FileReader) -> PeekFindings:
    return catalog.results.examine_peek(job, result, reader)


def _read_marks(job: StageJob) -> tuple[FileMarks, ...]:
    """Read sidecars and embedded metadata; of a pair, the RAW's takes precedence."""
    from curator import sidecar
    from curator.imaging import embedded_metadata
    from curator.sidecar import batch

    metadata = sidecar.SidecarMetadata()
    for path in filter(None, (job.path, job.fallback)):
        with contextlib.suppress(KnownError):  # the photo itself fails with the reason
            found = embedded_metadata.read(path)
            inside = sidecar.read_embedded(found.packets, found.keywords, found.rating)
            metadata = metadata.filled_by(inside.metadata)
    return (*batch.read_all(job.sidecars), *batch.embedded(metadata))
