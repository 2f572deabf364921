"""Reading and writing many sidecars in a worker process: plain data in, plain data out.

job = job_for(photo, metadata, known, PROFILES["lightroom"])
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

_AT_ONCE = 2

Known = Mapping[str, tuple[str, Mapping[str, Any] | None]]
"""The known sidecars of a photo: path -> (digest, metadata after the last read or write)."""


@dataclass(frozen=True, slots=True)
class SidecarJob:
    """One sidecar to write, or (``dry``) only to compare.

    ``metadata`` is what it should say; ``base`` is what it said after the last read or write, None
    if there was none. Both are as from `SidecarMetadata.as_json`. ``digest`` is of its bytes at
    that time, empty if there was no file.
    """

    photo_id: int
    path: str
    metadata: Mapping[str, Any]
    base: Mapping[str, Any] | None
    digest: str
    profile: str
    dry: bool = False


class Outcome(StrEnum):
    """What came of a sidecar."""

    WRITTEN = "written"
    SAME = "same"  # it says so already, or there is nothing to say
    CHANGED = "changed"  # by another program since it was read: left alone
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SidecarResult:
    """What came of one job.

    ``now`` is what the file says: afterwards, or where it was changed, as it was found; None
    where there is no file. ``lines`` say what was, or would be, different. ``problem`` is why it
    could not be written.
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
    known: Known,
    profile: Profile,
) -> SidecarJob | None:
    """Say what is to be done for a photo, None where this editor reads no sidecar of its file.

    Args:
        photo_id: the photo.
        file: path and kind of its main file.
        metadata: what its sidecar is to say.
        known: its sidecars; one of that name in other letters (``.XMP``) is used as it is.
        profile: the editor it is for.
    """
    path, kind = Path(file[0]), file[1]
    name = paths.name_for(profile, path.name, kind)
    if name is None:
        return None
    wanted = str(path.with_name(name))
    there = next((each for each in known if each.casefold() == wanted.casefold()), wanted)
    digest, base = known.get(there, ("", None))
    return SidecarJob(photo_id, there, metadata, base, digest, profile.name)


def write(jobs: Sequence[SidecarJob]) -> tuple[SidecarResult, ...]:
    """Write sidecars, a few at a time; what fails costs that one alone.

    Most of the time is waiting for the disk to have them, which a few do as fast as one.
    """
    if len(jobs) < _AT_ONCE:
        return tuple(map(_write_guarded, jobs))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return tuple(threads.map(_write_guarded, jobs))


def read(path: str) -> FileMarks:
    """Read what one sidecar says; what the world does wrong is in the answer."""
    try:
        data = paths.load(Path(path))
        if data is None:
            return FileMarks(path, "", 0, 0, "", None, "It is no longer there.")
        return _reading(path, data)
    except KnownError as error:
        return _unreadable(path, str(error))


def read_all(paths: Sequence[str]) -> tuple[FileMarks, ...]:
    """Read several sidecars."""
    return tuple(read(path) for path in paths)


def embedded(metadata: SidecarMetadata) -> tuple[FileMarks, ...]:
    """Give what an original carries inside as a reading, if it says anything."""
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
            f"The folder {path.parent} is not there.", "Connect its drive, then write again."
        )
    paths.check(path)
    data = paths.load(path)
    if paths.digest(data) != job.digest and data is not None:
        return SidecarResult(job.photo_id, job.path, Outcome.CHANGED, _reading(job.path, data))
    # Gone since: what was agreed on went with it, and all we have to say is news to a new file.
    base = None if job.base is None or data is None else SidecarMetadata.from_json(dict(job.base))
    metadata = SidecarMetadata.from_json(dict(job.metadata))
    new = merging.merge(data, metadata, base, profile)
    if new == (data or b""):
        now = None if data is None else _reading(job.path, data)
        return SidecarResult(job.photo_id, job.path, Outcome.SAME, now)
    if job.dry:
        lines = tuple(merging.difference(data, metadata, base, profile))
        return SidecarResult(job.photo_id, job.path, Outcome.WRITTEN, lines=lines)
    paths.write(path, new, paths.digest(data))
    return SidecarResult(job.photo_id, job.path, Outcome.WRITTEN, _reading(job.path, new))


def _reading(path: str, data: bytes) -> FileMarks:
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
