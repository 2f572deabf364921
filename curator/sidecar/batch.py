"""Reading and writing many sidecars in a worker process: plain data in, plain data out.

job = job_for(photo_id, (path, kind), metadata.as_json(), known, PROFILES["lightroom"])
write([job])        # read, compare with what is known, merge, write, read back
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import Any

from curator.model import FileMarks, Kind, KnownError
from curator.sidecar import merging, paths, reading
from curator.sidecar.sidecar_data import (
    PROFILES,
    ChangedError,
    Profile,
    SidecarContent,
    SidecarError,
    SidecarMetadata,
)

_PARALLEL = 2

KnownSidecars = Mapping[str, tuple[str, Mapping[str, Any] | None]]
"""The known sidecars of a photo: path -> (digest, metadata after the last read or write)."""


@dataclass(frozen=True, slots=True)
class SidecarJob:
    """One sidecar to write, or (``dry``) only to compare.

    ``metadata`` is what it should state, ``base`` what it stated after the last read or write, None
    if there was none; both are as from `SidecarMetadata.as_json`. ``digest`` is that of its bytes
    after the last read or write, empty if there was none. ``profile`` is a name in PROFILES.
    """

    photo_id: int
    path: str
    metadata: Mapping[str, Any]
    base: Mapping[str, Any] | None
    digest: str
    profile: str
    dry: bool = False


class Outcome(StrEnum):
    """The outcome of writing a sidecar."""

    WRITTEN = "written"
    SAME = "same"  # nothing to change
    CHANGED = "changed"  # another program wrote it after we read it; we left it alone
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SidecarResult:
    """The result of one job.

    ``now`` is the metadata in the file after writing or, if another program changed it, as found;
    None if there is no file. ``lines`` describe what was or would be changed. ``problem`` is the
    reason why it could not be written.
    """

    photo_id: int
    path: str
    outcome: Outcome
    now: FileMarks | None = None
    lines: tuple[str, ...] = ()
    problem: str = ""


def job_for(
    photo_id: int,
    file: tuple[str, Kind],
    metadata: Mapping[str, Any],
    known: KnownSidecars,
    profile: Profile,
) -> SidecarJob | None:
    """Build the job of a photo; None if this editor reads no sidecar for its file.

    Args:
        photo_id: the photo.
        file: path and kind of its main file.
        metadata: the metadata to write.
        known: its sidecars; an existing name in another case (``.XMP``) is used unchanged.
        profile: the editor to write for.
    """
    path, kind = Path(file[0]), file[1]
    name = paths.name_for(profile, path.name, kind)
    if name is None:
        return None
    wanted = str(path.with_name(name))
    path_on_disk = next((each for each in known if each.casefold() == wanted.casefold()), wanted)
    digest, base = known.get(path_on_disk, ("", None))
    return SidecarJob(photo_id, path_on_disk, metadata, base, digest, profile.name)


def write(jobs: Sequence[SidecarJob]) -> tuple[SidecarResult, ...]:
    """Write sidecars, a few in parallel; a failure affects only its own sidecar.

    Most of the time is spent waiting for syncs to disk, which run well in parallel.
    """
    if len(jobs) < _PARALLEL:
        return tuple(map(_write_guarded, jobs))
    with ThreadPoolExecutor(_PARALLEL) as threads:
        return tuple(threads.map(_write_guarded, jobs))


def read(path: str) -> FileMarks:
    """Read the metadata of a sidecar; a problem is part of the result and never raised."""
    try:
        data = paths.load(Path(path))
        if data is None:
            return FileMarks(path, "", 0, 0, "", None, "It is no longer there.")
        return _file_marks(path, data)
    except KnownError as error:
        return _unreadable(path, str(error))


def read_all(files: Sequence[str]) -> tuple[FileMarks, ...]:
    """Read several sidecars."""
    return tuple(map(read, files))


def embedded(metadata: SidecarMetadata) -> tuple[FileMarks, ...]:
    """Return the metadata embedded in an original in the form of `read`, if it states anything."""
    return (FileMarks("", "", 0, 0, "", metadata.as_json()),) if metadata else ()


def _write_guarded(job: SidecarJob) -> SidecarResult:
    try:
        return _write(job)
    except ChangedError:
        return SidecarResult(job.photo_id, job.path, Outcome.CHANGED, read(job.path))
    except KnownError as error:
        return SidecarResult(job.photo_id, job.path, Outcome.FAILED, problem=str(error))


def _write(job: SidecarJob) -> SidecarResult:
    path, profile = Path(job.path), PROFILES[job.profile]
    if not path.parent.is_dir():
        raise SidecarError(
            f"The folder {path.parent} does not exist.", "Connect its drive, then write again."
        )
    paths.check(path)
    data = paths.load(path)
    if paths.digest(data) != job.digest and data is not None:
        return SidecarResult(job.photo_id, job.path, Outcome.CHANGED, _file_marks(job.path, data))
    # If the sidecar is gone, so is its base: everything is new to a new file.
    base = None if job.base is None or data is None else SidecarMetadata.from_json(dict(job.base))
    metadata = SidecarMetadata.from_json(dict(job.metadata))
    new = merging.merge(data, metadata, base, profile)
    if new == (data or b""):
        now = None if data is None else _file_marks(job.path, data)
        return SidecarResult(job.photo_id, job.path, Outcome.SAME, now)
    if job.dry:
        lines = tuple(merging.difference(data, metadata, base, profile))
        return SidecarResult(job.photo_id, job.path, Outcome.WRITTEN, lines=lines)
    paths.write(path, new, paths.digest(data))
    return SidecarResult(job.photo_id, job.path, Outcome.WRITTEN, _file_marks(job.path, new))


def _file_marks(path: str, data: bytes) -> FileMarks:
    try:
        content = reading.read(data)
    except KnownError as error:
        return replace(_unreadable(path, str(error)), digest=paths.digest(data))
    status = Path(path).stat()
    return FileMarks(
        path,
        paths.digest(data),
        status.st_size,
        status.st_mtime_ns,
        _date(content),
        content.metadata.as_json(),
    )


def _unreadable(path: str, problem: str) -> FileMarks:
    try:
        status = Path(path).stat()
    except OSError:
        return FileMarks(path, "", 0, 0, "", None, problem)
    return FileMarks(path, "", status.st_size, status.st_mtime_ns, "", None, problem)


def _date(content: SidecarContent) -> str:
    date = content.metadata_date
    return "" if date is None else date.astimezone(UTC).isoformat()
