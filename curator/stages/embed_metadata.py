"""Embedding marks in copies of originals by exiftool, and verifying them, in a worker process.

`curator.pipeline.metadata_embedding` runs it and replaces the originals with the copies. Curator
makes the XMP packet (`curator.sidecar.merge` with the packet in the file); exiftool only writes it
into the copy. It runs in the photo's folder with names that Curator made: a photo's name must never
be an argument. A copy is good if its picture is the same, bit by bit, and Curator reads the
intended metadata from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator import exiftool, files, sidecar
from curator.model import KnownError, UnreadableError
from curator.sidecar import PROFILES, SidecarMetadata

if TYPE_CHECKING:
    from curator.imaging.pixels import Want

_PREFIX = ".curator-embed-"
_PROFILE = PROFILES["lightroom"]
_BATCH_S, _FILE_S = 20.0, 20.0  # for exiftool to start, and for each file
_JPEG_ROOM = 60_000  # bytes of a packet that always fit one segment of a JPEG
_WANTS: tuple[Want, ...] = ("demosaic", "preview")
# Segments of a JPEG that exiftool rewrites: EXIF (which we read again), XMP, and the index of
# further pictures, whose positions change.
_REWRITTEN = {0xE1: (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"), 0xE2: (b"MPF\0",)}
CHANGED = "The file changed since Curator read it. Rescan its folder, then try again."


@dataclass(frozen=True, slots=True)
class MetadataJob:
    """One original to embed marks in; size and time are the catalog's, ``fields`` its metadata.

    ``fields`` is as `SidecarMetadata.as_json`.
    """

    photo_id: int
    path: str
    size: int
    mtime_ns: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MetadataResult:
    """The result for one original: ``lines`` are the changes; none if it is up to date.

    ``made`` is the verified copy to replace it with; fingerprint, sha256, size and time are the
    copy's. ``problem`` tells why the original is skipped.
    """

    photo_id: int
    path: str
    lines: tuple[str, ...] = ()
    problem: str = ""
    made: str = ""
    fingerprint: str = ""
    sha256: str = ""
    size: int = 0
    mtime_ns: int = 0


def compare(jobs: Sequence[MetadataJob]) -> tuple[MetadataResult, ...]:
    """Return what embedding marks would change; reads headers, writes nothing."""
    return tuple(_compare(job)[0] for job in jobs)


def make(jobs: Sequence[MetadataJob], program: str) -> tuple[MetadataResult, ...]:
    """Make a verified copy beside each original that is not up to date.

    Args:
        jobs: a few originals, in any folders.
        program: from `curator.exiftool.find`.
    """
    done: dict[int, MetadataResult] = {}
    folders: dict[Path, list[_Copy]] = {}
    for job in jobs:
        found, packet = _compare(job)
        done[job.photo_id] = found
        if found.lines and not found.problem:
            try:
                copy = _make_copy(job, found, packet)
                folders.setdefault(copy.path.parent, []).append(copy)
            except KnownError as error:
                done[job.photo_id] = replace(found, problem=str(error))
    for folder, copies in folders.items():
        try:
            answer = _run(program, folder, copies)
            for copy in copies:
                done[copy.job.photo_id] = _verify(copy, answer)
        finally:
            for copy in copies:
                _remove_temporary(copy, keep=bool(done[copy.job.photo_id].made))
    return tuple(done[job.photo_id] for job in jobs)


def remove_leftover_copies(folder: Path) -> None:
    """Remove copies that a killed run left in a folder."""
    with contextlib.suppress(OSError):
        for left in folder.glob(f"{_PREFIX}*"):
            left.unlink()


@dataclass(frozen=True, slots=True)
class _Copy:
    """An original (links resolved), its copy's name in the same folder, and its new packet."""

    job: MetadataJob
    found: MetadataResult
    path: Path
    name: str
    packet: bytes

    @property
    def made(self) -> Path:
        return self.path.with_name(self.name)


def _compare(job: MetadataJob) -> tuple[MetadataResult, bytes]:
    """Read a file's metadata; return what would change, and its new packet."""
    from curator.imaging import embedded_metadata

    result = MetadataResult(job.photo_id, job.path)
    try:
        status = files.status(job.path)
        if (status.st_size, status.st_mtime_ns) != (job.size, job.mtime_ns):
            return replace(result, problem=CHANGED), b""
        embedded = embedded_metadata.read(job.path)
        existing = embedded.packets[0] if embedded.packets else None
        inside = sidecar.read(existing).metadata if existing else SidecarMetadata()
        # Everything in the file was imported, so a person removed what the catalog lacks.
        wanted = _spell_as_in_file(SidecarMetadata.from_json(dict(job.fields)), inside)
        lines = sidecar.difference(existing, wanted, inside, _PROFILE)
        if not lines:
            return result, b""
        if len(embedded.packets) > 1:
            raise UnreadableError(
                "Its metadata fills more than one block, which Curator does not rewrite."
            )
        if not stat.S_IMODE(status.st_mode) & stat.S_IWUSR:
            raise UnreadableError(
                "The file is write-protected.", "Make it writable, then try again."
            )
        packet = sidecar.merge(existing, wanted, inside, _PROFILE)
        if len(packet) > _JPEG_ROOM:
            raise UnreadableError("Its metadata would not fit one block.")
    except KnownError as error:
        return replace(result, problem=str(error)), b""
    return replace(result, lines=tuple(lines)), packet


def _spell_as_in_file(wanted: SidecarMetadata, inside: SidecarMetadata) -> SidecarMetadata:
    """Return the wanted metadata, with keywords spelled as in the file where both mean one tag.

    A keyword may be longer than the name of its tag, so this keeps long keywords in the file.
    """
    from curator.catalog.tags import folded, known_as

    ours = {folded(word): word for word in wanted.keywords or ()}
    theirs = {key: word for word in inside.keywords or () for key in known_as(word)}
    kept = [
        path
        for path in inside.hierarchical or ()
        if known_as(path.rpartition("|")[2]) & ours.keys()
    ]
    return replace(
        wanted,
        keywords=tuple(theirs.get(tag, word) for tag, word in ours.items()),
        hierarchical=tuple(dict.fromkeys([*kept, *(wanted.hierarchical or ())])),
    )


def _make_copy(job: MetadataJob, found: MetadataResult, packet: bytes) -> _Copy:
    path = Path(os.path.realpath(job.path))
    suffix = path.suffix.lower()
    ending = suffix if suffix.isascii() and suffix[1:].isalnum() else ".jpg"
    copy = _Copy(job, found, path, f"{_PREFIX}{secrets.token_hex(8)}{ending}", packet)
    try:
        shutil.copyfile(path, copy.made)
        copy.made.with_suffix(".packet").write_bytes(packet)
    except OSError as error:
        _remove_temporary(copy, keep=False)
        raise UnreadableError(
            f"No copy can be made beside it ({error.strerror or error})."
        ) from error
    return copy


def _run(program: str, folder: Path, copies: Sequence[_Copy]) -> exiftool.Answer:
    """Put each packet into its copy; copies that failed are found by verifying them."""
    lines: list[str] = []
    for copy in copies:
        packet = Path(copy.name).with_suffix(".packet").name
        lines += ["-overwrite_original", f"-xmp<=./{packet}", f"./{copy.name}", "-execute"]
    timeout_s = _BATCH_S + _FILE_S * len(copies)
    try:
        return exiftool.run(program, lines, folder, timeout_s)
    except exiftool.ExiftoolError as error:
        return exiftool.Answer("", f"Error: it {error}")


def _verify(copy: _Copy, answer: exiftool.Answer) -> MetadataResult:
    """Check that a copy has the same picture and the metadata that was to be written."""
    from curator.imaging import embedded_metadata, exif

    found, made = copy.found, copy.made
    try:
        status = files.status(copy.path)
        if (status.st_size, status.st_mtime_ns) != (copy.job.size, copy.job.mtime_ns):
            return replace(found, problem=CHANGED)
        inside = embedded_metadata.read(made).packets
        if not inside or sidecar.read(inside[0]).metadata != sidecar.read(copy.packet).metadata:
            why = answer.complaint(copy.name)
            because = f" ({why})" if why else ""
            return replace(found, problem=f"exiftool could not write into it{because}.")
        if not _same_picture(copy.path, made):
            return replace(found, problem="Not changed: the picture would not stay the same.")
        if exif.read_capture(str(copy.path)) != exif.read_capture(str(made)):
            return replace(found, problem="Not changed: its capture data would be lost.")
        made.chmod(stat.S_IMODE(status.st_mode))
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(made, status.st_uid, status.st_gid)
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        now = made.stat()
        return replace(
            found,
            made=str(made),
            fingerprint=files.fingerprint(made),
            sha256=files.sha256(made),
            size=now.st_size,
            mtime_ns=now.st_mtime_ns,
        )
    except KnownError as error:
        return replace(found, problem=str(error))
    except OSError as error:
        return replace(found, problem=f"Its copy cannot be read ({error.strerror or error}).")


def _same_picture(before: Path, after: Path) -> bool:
    """Whether two files hold the same picture: a JPEG's coded bytes, else the pixels."""
    with before.open("rb") as file:
        jpeg = file.read(3) == b"\xff\xd8\xff"
    if jpeg:
        return _jpeg_parts(before.read_bytes()) == _jpeg_parts(after.read_bytes())
    return _pixels(before) == _pixels(after)


def _pixels(path: Path) -> list[tuple[tuple[int, ...], str]]:
    """Return sizes and hashes of a file's pixels; of a DNG, of demosaic and preview."""
    from curator.imaging import decode
    from curator.imaging.pixels import DecodeOptions

    pictures = [decode.load(path, DecodeOptions(want=want)).rgb for want in _WANTS]
    return [(rgb.shape, hashlib.sha256(rgb.tobytes()).hexdigest()) for rgb in pictures]


def _jpeg_parts(data: bytes) -> tuple[list[tuple[int, str]], str]:
    """Return the segments of a JPEG that exiftool does not rewrite, and the rest of it.

    The rest begins with the first scan: all coded bytes, later scans, and appended data.
    """
    parts: list[tuple[int, str]] = []
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if not segment.startswith(_REWRITTEN.get(marker, ())):
            parts.append((marker, hashlib.sha256(segment).hexdigest()))
        at += 2 + length
    return sorted(parts), hashlib.sha256(data[at:]).hexdigest()


def _remove_temporary(copy: _Copy, keep: bool) -> None:
    """Remove temporary files beside a photo; ``keep`` the copy itself."""
    with contextlib.suppress(OSError):
        for left in copy.path.parent.glob(f"{Path(copy.name).stem}.*"):
            if not (keep and left.name == copy.name):
                left.unlink()
