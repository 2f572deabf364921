"""Embedding marks in originals, only after a person asked for it and agreed to how many.

    program = exiftool.find(settings)                # KnownError: how to get it
    found = find_changes(catalog, lone(catalog, ids))    # the dry run: touches nothing
    embed_some(catalog, [each.photo_id for each in found][:BATCH], program)

The sidecars dialog and ``curator sidecar embed`` use it. Each original is replaced by a verified
copy in one step. The catalog knows both contents before that, so that the file stays the same photo
even if the process is killed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from curator import atomic
from curator.cards import COPY_FIRST, Protection
from curator.catalog import Catalog, FileRow, NewContent, SidecarContent
from curator.model import KnownError, counted
from curator.sidecar import PROFILES, name_for
from curator.stages import embed_metadata
from curator.stages.embed_metadata import CHANGED, MetadataJob, MetadataResult

BATCH = 8  # originals copied and verified in one go
TIMEOUT_S = 600.0
_READ_BATCH = 64  # originals whose headers are read in one go
_PROFILE = PROFILES["lightroom"]  # Lightroom reads no sidecars of these files
_AWAY = "The file is not there. Connect its drive."
_UNREAD = "The file has not been read yet. Try again in a moment."

Compare = Callable[[Sequence[MetadataJob]], Sequence[MetadataResult]]
Make = Callable[[Sequence[MetadataJob], str], Sequence[MetadataResult]]


def lone(found: Sequence[SidecarContent]) -> list[SidecarContent]:
    """Return the photos that a person marked and of which Lightroom reads no sidecar."""
    return [
        each
        for each in found
        if each.decided and name_for(_PROFILE, Path(each.path).name, each.kind) is None
    ]


def find_changes(
    catalog: Catalog, ids: Sequence[int], run: Compare = embed_metadata.compare
) -> tuple[list[MetadataResult], list[MetadataResult]]:
    """Return which originals would change, and which are skipped and why; writes nothing.

    Args:
        catalog: has the marks.
        ids: of photos; those with sidecars are skipped.
        run: reads headers, in this process or in a worker.
    """
    change: list[MetadataResult] = []
    left: list[MetadataResult] = []
    protection = Protection()
    for start in range(0, len(ids), _READ_BATCH):
        jobs, _, without_job = _jobs(catalog, ids[start : start + _READ_BATCH])
        for result in (*without_job, *run(jobs)):
            if result.problem:
                left.append(result)
            elif result.lines and (reason := _reason(protection, result.path)):
                left.append(replace(result, lines=(), problem=reason))
            elif result.lines:
                change.append(result)
    return change, left


def embed_some(
    catalog: Catalog, ids: Sequence[int], program: str, run: Make = embed_metadata.make
) -> list[MetadataResult]:
    """Embed the marks of a few photos in their originals; return the result of each.

    A result with ``problem`` was not written. One with only ``lines`` was; without lines it was up
    to date.

    Args:
        catalog: has the marks.
        ids: of a few photos.
        program: from :func:`curator.exiftool.find`.
        run: makes the copies, in this process or in a worker.
    """
    found, rows, done = _jobs(catalog, ids)
    protection = Protection()
    reasons = {job.path: _reason(protection, job.path) for job in found}
    jobs = [job for job in found if not reasons[job.path]]
    done += [
        MetadataResult(job.photo_id, job.path, problem=reasons[job.path])
        for job in found
        if reasons[job.path]
    ]
    for folder in {Path(os.path.realpath(job.path)).parent for job in jobs}:
        embed_metadata.remove_leftover_copies(folder)
    results: Sequence[MetadataResult] = ()
    try:
        results = run(jobs, program) if jobs else ()
        done += [
            _replaced(catalog, rows[result.photo_id], result) if result.made else result
            for result in results
        ]
    finally:
        for result in results:
            if result.made:
                with contextlib.suppress(OSError):
                    Path(result.made).unlink(missing_ok=True)
    return done


def sentence(done: Sequence[MetadataResult]) -> str:
    """Summarize the results in one line."""
    written = sum(bool(each.lines) and not each.problem for each in done)
    left = [each for each in done if each.problem]
    parts = [f"Embedded in {counted(written, 'original')}" if written else "Nothing embedded"]
    if left:
        parts.append(f"{len(left):,} skipped: {Path(left[0].path).name}: {left[0].problem}")
    if written:
        parts.append("in Lightroom: Metadata > Read Metadata from Files")
    return " · ".join(parts)


def _reason(protection: Protection, path: str) -> str:
    """Return why an original must not be changed, such as on a memory card; empty if it may."""
    return protection.reason(os.path.realpath(path), COPY_FIRST)


def _jobs(
    catalog: Catalog, ids: Sequence[int]
) -> tuple[list[MetadataJob], dict[int, FileRow], list[MetadataResult]]:
    """Return the jobs, the catalog's rows of the files, and results for photos without a job.

    Their file is not there, or has not been read yet.
    """
    wanted = lone(catalog.sidecars.to_write(ids))
    rows = catalog.files.main([each.photo_id for each in wanted])
    jobs, left = [], []
    for each in wanted:
        row = rows.get(each.photo_id)
        if row is None or not Path(each.path).exists():
            left.append(MetadataResult(each.photo_id, each.path, problem=_AWAY))
        elif row.fingerprint is None:
            left.append(MetadataResult(each.photo_id, each.path, problem=_UNREAD))
        else:
            jobs.append(MetadataJob(each.photo_id, each.path, row.size, row.mtime_ns, each.fields))
    return jobs, rows, left


def _replaced(catalog: Catalog, row: FileRow, result: MetadataResult) -> MetadataResult:
    """Replace an original with its verified copy, and update the catalog."""
    content = NewContent(result.fingerprint, result.sha256, result.size, result.mtime_ns)
    path = Path(os.path.realpath(result.path))
    catalog.rewrites.expect(row, content)
    try:
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (row.size, row.mtime_ns):
            raise KnownError(CHANGED)
        Path(result.made).replace(path)
        atomic.sync_folder(path.parent)
    except (KnownError, OSError) as error:
        catalog.rewrites.cancel(row, content)
        why = str(error) if isinstance(error, KnownError) else error.strerror or str(error)
        return replace(result, made="", problem=f"Not changed: {why}")
    catalog.rewrites.save(row, content)
    return replace(result, made="")
