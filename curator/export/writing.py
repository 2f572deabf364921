"""Writing the files of an export: verified, never over foreign files, and consistent at any time.

All targets are written here. A copy or JPEG is written under a temporary name, read back,
compared and only then renamed; it never replaces a file that no export wrote. A run stopped at any
moment leaves complete files and a valid manifest; the next run adopts what this one had written.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from curator import atomic, naming
from curator.catalog import PhotoDetail
from curator.export import manifest, target_folder
from curator.export.location_removal import LocationRemover
from curator.export.manifest import Entry, FileEntry, WrittenFile
from curator.export.name_allocator import INTENT, FileAction, identity_of
from curator.export.plan import ExportReport, Plan, PlannedFile, PlannedPhoto, Skipped
from curator.export.render_queue import RenderQueue
from curator.export.sources import Source
from curator.model import KnownError, UnreadableError, file_size
from curator.opened_folder import OpenedFolder, OutsideError, file_id
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

_CHUNK = 1 << 20
_SPARE = 16 << 20  # bytes left free for the manifest and the file system's own data
_SAVE_EVERY_S = 2.0  # not after each photo: the manifest of 10,000 photos has some 15 MB
# The photo's name is at fault, not the disk: too long, or with characters the disk refuses.
_BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)

Progress = Callable[[int, int, str], None]


class _TakenError(Exception):
    """Another file, a folder or a link has the name; the caller tries another one."""


@dataclass
class Run:
    """The state of one running export."""

    plan: Plan
    report: ExportReport
    folder: OpenedFolder
    render_queue: RenderQueue
    location_remover: LocationRemover
    saved_at: float = field(default_factory=monotonic)


WriteFile = Callable[[Run, PlannedPhoto, PlannedFile], FileEntry]
"""Writes one planned file unless the folder has it already, and returns its record."""


def write_files(
    plan: Plan,
    pool: WorkerPool | None,
    progress: Progress,
    cancelled: Callable[[], bool],
    write_file: WriteFile,
    finish: Callable[[Run], None],
) -> ExportReport:
    """Carry out a plan, as :func:`curator.export.write` describes.

    Args:
        plan: what to write.
        pool: the worker processes; see there.
        progress: see there.
        cancelled: see there.
        write_file: writes one file and returns its record.
        finish: called after all files are written, while the folder is still locked.
    """
    target = plan.options.folder
    report = ExportReport(target, edited=list(plan.edited))
    if not target.exists() and all(item.action is FileAction.KEEP for item in plan.files()):
        return report
    render_queue = RenderQueue(plan, pool)
    location_remover = LocationRemover(plan.options.exiftool, pool)
    try:
        with (
            target_folder.open_to_write(target, plan.originals) as folder,
            target_folder.exclusive(folder),
        ):
            manifest.check_unchanged(plan.manifest, folder)
            run = Run(plan, report, folder, render_queue, location_remover)
            try:
                _prepare(run)
                _update_entries(run)
                _write_all(run, write_file, progress, cancelled)
                _save(run)
                folder.remove(INTENT)
            except OSError as error:
                raise _save_and_explain(run, error) from error
            finish(run)
    except OSError as error:
        raise target_error(target, error, _done(report, plan), plan.bytes_to_write) from error
    finally:
        render_queue.close()
        location_remover.close()
    return report


def _prepare(run: Run) -> None:
    """Remove leftovers of killed runs, check the free space, and record the names to write."""
    plan, folder = run.plan, run.folder
    to_write = [item for item in plan.files() if item.action is not FileAction.KEEP]
    if plan.options.subfolder:
        folder.make_folder(plan.options.subfolder)
        with folder.inside(plan.options.subfolder) as subfolder:
            subfolder.remove_leftovers()
    folder.remove_leftovers()
    free = shutil.disk_usage(folder.path).free
    if to_write and plan.bytes_to_write + _SPARE > free:
        raise KnownError(
            f"The export needs {file_size(plan.bytes_to_write)}, but {folder.path} has only"
            f" {file_size(free)} free.",
            "Free some space or choose another folder. Nothing was written.",
        )
    names = {item.name: identity_of(item.output, plan.options) for item in to_write}
    if names:
        folder.write(INTENT, json.dumps(names).encode())


def _write_all(
    run: Run, write_file: WriteFile, progress: Progress, cancelled: Callable[[], bool]
) -> None:
    chosen = run.plan.chosen
    for number, each in enumerate(chosen, 1):
        if cancelled():
            run.report.cancelled = True
            return
        _write_photo(run, each, write_file)
        progress(number, len(chosen), Path(each.files[0].name).name)
        if monotonic() - run.saved_at > _SAVE_EVERY_S:
            _save(run)


def _update_entries(run: Run) -> None:
    """Update the manifest's entries to the current marks, and withdraw those not approved."""
    plan, current = run.plan, run.plan.manifest
    for entry, photo, clause in plan.refreshed:
        entry.update(plan.describe(photo, clause))
    withdrawn: list[tuple[Entry, Entry]] = []
    for entry, photo in plan.not_approved:
        details = plan.describe(photo, None)
        reason = "rejected" if details["flag"] == "reject" else "no longer approved"
        withdrawn.append((entry, details | {"reason": reason}))
    for entry in plan.not_in_project:
        withdrawn.append((entry, {"clause": None, "reason": "no longer in the project"}))
    for entry, changes in withdrawn:
        current.drop(entry)
        current.withdrawn.append({**entry, **changes})
        run.report.withdrawn += [record["filename"] for record in entry["files"]]


def _write_photo(run: Run, chosen: PlannedPhoto, write_file: WriteFile) -> None:
    """Write one photo's files, and its entry in the manifest."""
    records: list[FileEntry] = []
    for item in chosen.files:
        try:
            records.append(write_file(run, chosen, item))
        except KnownError as error:
            log.info("not exported: %s: %s", item.output.source.path, error)
            run.report.failed.append(Skipped(str(item.output.source.path), str(error)))
            if item.output.edge is not None:
                return  # the other sizes need the same original; earlier files stay
    if not records:
        return
    options, current = run.plan.options, run.plan.manifest
    entry = manifest.compose(
        run.plan.describe(chosen.photo, chosen.clause),
        records,
        form=options.rendering,
        turn=chosen.photo.turn,
        names=options.names,
        seq=chosen.seq,
    )
    run.report.photos += 1
    old = chosen.entry
    if old is None:
        current.photos.append(entry)
        return
    _keep_replaced_records(run, chosen.photo, old, entry)
    if "reason" in old:  # it was withdrawn before and is approved again
        current.drop(old)
        current.photos.append(entry)
    else:
        old.clear()
        old.update(entry)


def _keep_replaced_records(run: Run, photo: PhotoDetail, old: Entry, new: Entry) -> None:
    """List the files of the old entry that the new one no longer contains as withdrawn."""
    names = {naming.folded(record["filename"]) for record in new["files"]}
    replaced = [
        record
        for record in old["files"]
        if naming.folded(record["filename"]) not in names and _exists(run, record["filename"])
    ]
    if replaced:
        today = {file.fingerprint for file in photo.files}
        left_out = all(record.get("fingerprint") in today for record in replaced)
        reason = "left out since" if left_out else "replaced by a newer version"
        first = replaced[0]
        main = {k: first[k] for k in ("filename", "original_path", "sha256") if k in first}
        run.plan.manifest.withdrawn.append(
            {**old, **main, "files": replaced, "clause": None, "reason": reason}
        )
        run.report.withdrawn += [record["filename"] for record in replaced]


def _exists(run: Run, name: str) -> bool:
    try:
        return run.folder.status(name) is not None
    except OutsideError:
        return False


def write_file(run: Run, chosen: PlannedPhoto, item: PlannedFile) -> FileEntry:
    """Copy one original or write one JPEG, unless the folder has it already; return its record.

    Raises:
        KnownError: the original cannot be read, or the disk refuses the name.
        OSError: the folder cannot be written.
    """
    output, known, name = item.output, item.known, item.name
    public = run.plan.options.public
    path_now = {} if public else {"original_path": str(output.source.path)}
    if known is not None and item.action is FileAction.KEEP:
        run.report.unchanged += 1
        return {**known, **path_now}
    if known is not None and item.action is FileAction.RENAME and _rename(run, known, name):
        return {**known, **path_now, "filename": name}
    while True:
        try:
            written = _write_as(run, chosen, item, name)
            break
        except _TakenError:
            name = _next_free(run, item, name)
        except OSError as error:
            if error.errno not in _BAD_NAME:
                raise
            raise KnownError(
                f"The export's disk refuses the file name {name} ({error.strerror}).",
                "Rename the original, or choose other names for exported files.",
            ) from error
    if known is not None and known["filename"] != name:
        _remove_renamed(run, known, name)
    return manifest.record(output, name, written, public=public)


def _rename(run: Run, known: FileEntry, name: str) -> bool:
    """Rename a file that an earlier run wrote; return False if it was changed since."""
    old = run.folder.file_state(known["filename"])
    if old is None or old.sha256 != known["sha256"]:
        return False
    try:
        run.folder.rename(known["filename"], name, old)
    except FileExistsError:
        return False
    run.report.written.append(name)
    return True


def _remove_renamed(run: Run, known: FileEntry, name: str) -> None:
    """Remove the old file of a photo written under another name, if nobody changed it since."""
    old, new = run.folder.file_state(known["filename"]), run.folder.status(name)
    if old is None or (new is not None and file_id(new) == old.file_id):
        return  # gone, or the same file: a disk may ignore that the names differ in case
    if old.sha256 == known["sha256"]:
        run.folder.remove(known["filename"], old)


def _write_as(run: Run, chosen: PlannedPhoto, item: PlannedFile, name: str) -> WrittenFile:
    """Write one file under ``name``, or adopt an identical one that exists.

    Raises:
        _TakenError: another file has that name.
    """
    folder, pixels = run.folder, None
    with folder.temporary(name) as temporary:
        if item.output.edge is None:
            source, original_sha = item.output.source, ""
            if run.plan.options.removes_location:
                source, original_sha = run.location_remover.copy(source)
            sha = _copy(source, folder, temporary)
            original_sha = original_sha or sha
        else:
            content, pixels, original_sha = run.render_queue.jpeg(chosen, item.output.edge)
            sha = hashlib.sha256(content).hexdigest()
            with folder.create(temporary) as target:
                target.write(content)
        existing = folder.file_state(name)
        if existing is None and folder.status(name) is not None:
            raise _TakenError(name)  # by a folder or a link
        if existing is not None:
            if existing.sha256 == sha:
                run.report.unchanged += 1
                return WrittenFile(sha, original_sha, existing.size, pixels)
            ours = item.known is not None and existing.sha256 == item.known["sha256"]
            if item.action is not FileAction.REPLACE or not ours:
                raise _TakenError(name)
        made = folder.file_state(temporary)
        if made is None or made.sha256 != sha:
            raise OSError(errno.EIO, "the file reads back differently than it was written")
        try:
            folder.commit(temporary, name, existing, made)
        except FileExistsError as error:
            raise _TakenError(name) from error
        run.report.written.append(name)
        run.report.bytes += made.size
    return WrittenFile(sha, original_sha, made.size, pixels)


def _copy(file: Source, folder: OpenedFolder, temporary: str) -> str:
    """Copy an original with its time stamp; return the sha256 of the content read.

    Raises:
        UnreadableError: the original cannot be read.
        OSError: the copy cannot be written.
    """
    digest = hashlib.sha256()
    try:
        source = atomic.open_plain(file.path)  # a pipe must not block the export
    except OSError as error:
        raise _unreadable(error) from error
    with source:
        status = os.fstat(source.fileno())
        times_ns = (status.st_atime_ns, status.st_mtime_ns)
        with folder.create(temporary, times_ns=times_ns) as target:
            for chunk in _chunks(source):
                digest.update(chunk)
                target.write(chunk)
    return digest.hexdigest()


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := source.read(_CHUNK):
            yield chunk
    except OSError as error:  # it fails this photo, not the export
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> UnreadableError:
    return UnreadableError(f"The original cannot be read ({error.strerror or error}).")


def _next_free(run: Run, item: PlannedFile, name: str) -> str:
    """Return the next numbered name that is neither on disk nor in the manifest or plan."""
    plan = run.plan
    taken = plan.manifest.names() | {naming.folded(other.name) for other in plan.files()}
    ending = naming.safe_ending(item.output.ending)
    path = Path(name)
    stem = path.name.removesuffix(ending)
    number = 2
    while True:
        candidate = (path.parent / naming.joined(stem, number, ending)).as_posix()
        if naming.folded(candidate) not in taken and run.folder.status(candidate) is None:
            return candidate
        number += 1


def _save(run: Run) -> None:
    manifest.save(run.plan.manifest, run.folder)
    run.saved_at = monotonic()


def _save_and_explain(run: Run, error: OSError) -> KnownError:
    """Save the manifest, if still possible, and return the error for a failed run."""
    try:
        _save(run)
    except (KnownError, OSError) as again:  # the next run adopts the files by their names
        log.info("the manifest could not be updated: %s", again)
    missing = run.plan.bytes_to_write - run.report.bytes
    return target_error(run.folder.path, error, _done(run.report, run.plan), missing)


def _done(report: ExportReport, plan: Plan) -> str:
    return f"{report.photos} of {len(plan.chosen)} photos were exported"


def target_error(folder: Path, error: OSError, done: str, missing: int = 0) -> KnownError:
    """Return the error for a fault of the target folder; ``missing`` bytes are still to write."""
    if atomic.is_full(error):
        room = f"some {file_size(missing)}" if missing > 0 else "some space"
        what, remedy = "is full", f"Free {room} and export again; it continues where it stopped."
    elif error.errno in (errno.ENOENT, errno.EIO, errno.ENODEV, errno.ENXIO):
        what = f"is no longer reachable ({error.strerror})"
        remedy = "Connect its drive and export again."
    else:
        what = f"cannot be written ({error.strerror or error})"
        remedy = "Choose a writable folder."
    return KnownError(f"{folder} {what}. {done}; no file is incomplete.", remedy)
