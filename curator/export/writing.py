"""Writing the files of an export: verified, never over foreign files, and consistent at any time.

Every target uses it. Each file is written under a temporary name, read back, compared and only then
renamed; it never replaces a file that no export wrote. A run stopped at any moment leaves complete
files and a correct manifest; the next run adopts what the unfinished one had written.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from curator import atomic
from curator.export import manifest, naming, target_folder
from curator.export.folder_lock import exclusive
from curator.export.location_removal import LocationRemover
from curator.export.manifest import Entry, FileEntry, WrittenFile
from curator.export.name_allocator import INTENT, FileAction, identity_of
from curator.export.plan import ExportReport, Plan, PlannedFile, PlannedPhoto, Skipped
from curator.export.render_queue import RenderQueue
from curator.export.sources import Source
from curator.model import KnownError, UnreadableError
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
    """The name belongs to a file that no export wrote; the caller tries another name."""


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
"""Makes sure that one file is in the folder, and returns its record."""


def write_files(
    plan: Plan,
    *,
    pool: WorkerPool | None,
    progress: Progress,
    cancelled: Callable[[], bool],
    write_file: WriteFile | None = None,
    finish: Callable[[Run], None] = lambda run: None,
) -> ExportReport:
    """Carry out a plan. Running it again changes nothing.

    Args:
        plan: from :func:`~curator.export.plan.make_plan`, made just before.
        pool: decodes the originals of JPEGs; one is started and closed if none is given.
        progress: called with photos done, photos in all, and the name of the last photo.
        cancelled: called before each photo; files and entries written before it returns True stay.
        write_file: writes one file and returns its record; by default copies and JPEGs.
        finish: called after all files are written.

    Raises:
        BusyError: another export into the folder is running.
        KnownError: the folder is full or cannot be written; the photos exported so far stay,
            complete and listed. Or the folder changed after planning, because of another export
            or because it contains originals now; then nothing was written.

    Thread: any; only one export into a folder at a time.
    """
    target = plan.options.folder
    report = ExportReport(target, edited=list(plan.edited))
    if not target.exists() and all(item.action is FileAction.KEEP for item in plan.items()):
        return report
    render_queue, location_remover = (
        RenderQueue(plan, pool),
        LocationRemover(plan.options.exiftool, pool),
    )
    try:
        with target_folder.open_to_write(target, plan.originals) as folder, exclusive(folder):
            manifest.unchanged(plan.manifest, folder)
            run = Run(plan, report, folder, render_queue, location_remover)
            try:
                _prepare(run)
                _update_entries(run)
                _export_all(run, write_file or _write_file, progress, cancelled)
                _save(run)
                folder.remove(INTENT)
            except OSError as error:
                raise _stopped(run, error) from error
            finish(run)
    except OSError as error:
        raise stopped(target, error, _done(plan, report), plan.bytes_to_write) from error
    finally:
        render_queue.close()
        location_remover.close()
    return report


def _prepare(run: Run) -> None:
    """Remove leftovers of killed runs, check the free space, and record the names to write."""
    plan, folder = run.plan, run.folder
    to_write = [item for item in plan.items() if item.action is not FileAction.KEEP]
    below = plan.options.inside
    if below:
        folder.make_folder(below)
        with folder.inside(below) as pictures:
            pictures.remove_leftovers()
    folder.remove_leftovers()
    for name in folder.names():
        ours = name.startswith(".curator-") and name.endswith(".part")  # before version 0.2
        if ours and folder.is_file(name):
            folder.remove(name)
    free = shutil.disk_usage(folder.path).free
    if to_write and plan.bytes_to_write + _SPARE > free:
        raise KnownError(
            f"The export needs {_size(plan.bytes_to_write)}, but {folder.path} has only"
            f" {_size(free)} free.",
            "Free some space or choose another folder. Nothing was written.",
        )
    names = {item.name: identity_of(item.output, plan.options) for item in to_write}
    if names:
        folder.write(INTENT, json.dumps(names).encode())


def _export_all(
    run: Run, write_file: WriteFile, progress: Progress, cancelled: Callable[[], bool]
) -> None:
    chosen = run.plan.chosen
    for number, each in enumerate(chosen, 1):
        if cancelled():
            run.report.cancelled = True
            return
        _export(run, each, write_file)
        progress(number, len(chosen), Path(each.items[0].name).name)
        if monotonic() - run.saved_at > _SAVE_EVERY_S:
            _save(run)


def _update_entries(run: Run) -> None:
    """Update the manifest's entries to the current marks, and withdraw those not approved."""
    plan, current = run.plan, run.plan.manifest
    for entry, photo, clause in plan.refreshed:
        entry.update(plan.describe(photo, clause))
    leaving = [(entry, plan.describe(photo, None)) for entry, photo in plan.leaving]
    leaving = [
        (entry, {**details, "reason": _withdrawal_reason(details)}) for entry, details in leaving
    ]
    out = {"clause": None, "reason": "no longer in the project"}
    for entry, details in (*leaving, *((entry, out) for entry in plan.gone)):
        current.drop(entry)
        current.withdrawn.append({**entry, **details})
        run.report.withdrawn += [record["filename"] for record in entry["files"]]


def _withdrawal_reason(entry: Entry) -> str:
    return "rejected" if entry["flag"] == "reject" else "no longer approved"


def _export(run: Run, chosen: PlannedPhoto, write_file: WriteFile) -> None:
    """Write one photo's files, and its entry in the manifest."""
    records: list[FileEntry] = []
    for item in chosen.items:
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
    _keep_replaced_records(run, chosen, entry)
    if "reason" in old:  # it was withdrawn before and is approved again
        current.drop(old)
        current.photos.append(entry)
    else:
        old.clear()
        old.update(entry)


def _keep_replaced_records(run: Run, chosen: PlannedPhoto, new: Entry) -> None:
    """List the files of the old entry that the new one no longer contains as withdrawn."""
    old = chosen.entry
    assert old is not None
    names = {naming.folded(record["filename"]) for record in new["files"]}
    gone = [
        record
        for record in old["files"]
        if naming.folded(record["filename"]) not in names and _exists(run, record["filename"])
    ]
    if gone:
        today = {file.fingerprint for file in chosen.photo.files}
        left_out = all(record.get("fingerprint") in today for record in gone)
        reason = "left out since" if left_out else "replaced by a newer version"
        passed = {**old, "files": gone, "clause": None, "reason": reason}
        passed |= {
            key: gone[0][key] for key in ("filename", "original_path", "sha256") if key in gone[0]
        }
        run.plan.manifest.withdrawn.append(passed)
        run.report.withdrawn += [record["filename"] for record in gone]


def _exists(run: Run, name: str) -> bool:
    try:
        return run.folder.status(name) is not None
    except OutsideError:
        return False


def _write_file(run: Run, chosen: PlannedPhoto, item: PlannedFile) -> FileEntry:
    """Make sure that one file is in the folder, and return its record."""
    output, private = item.output, run.plan.options.private
    if item.action is FileAction.KEEP and item.known is not None:
        run.report.unchanged += 1
        moved = {} if private else {"original_path": str(output.source.path)}
        return {**item.known, **moved}
    if (
        item.action is FileAction.RENAME
        and item.known is not None
        and _renamed(run, item, item.known)
    ):
        moved = {} if private else {"original_path": str(output.source.path)}
        return {**item.known, **moved, "filename": item.name}
    name = item.name
    while True:
        try:
            written = _written(run, chosen, item, name)
        except _TakenError:
            name = _next_free(run, item, name)
            continue
        except OSError as error:
            if error.errno not in _BAD_NAME:
                raise
            raise KnownError(
                f"The export's disk refuses the file name {name} ({error.strerror}).",
                "Rename the original, or choose other names for exported files.",
            ) from error
        break
    if item.known is not None and item.known["filename"] != name:
        _remove_renamed(run, item.known, name)
    return manifest.record(output, name, written, private=private)


def _renamed(run: Run, item: PlannedFile, known: FileEntry) -> bool:
    """Rename a file that an earlier run wrote; return False if it was changed since."""
    old = run.folder.file_state(known["filename"])
    if old is None or old.sha256 != known["sha256"]:
        return False
    try:
        run.folder.rename(known["filename"], item.name, old)
    except FileExistsError:
        return False
    run.report.written.append(item.name)
    return True


def _remove_renamed(run: Run, known: FileEntry, name: str) -> None:
    """Remove the old file of a photo written under another name, if nobody changed it since."""
    old, new = run.folder.file_state(known["filename"]), run.folder.status(name)
    if old is None or (new is not None and file_id(new) == old.file_id):
        return  # gone, or the same file: a disk may ignore that the names differ in case
    if old.sha256 == known["sha256"]:
        run.folder.remove(known["filename"], old)


def _written(run: Run, chosen: PlannedPhoto, item: PlannedFile, name: str) -> WrittenFile:
    """Write one file under ``name``, or adopt an identical one that exists.

    Raises:
        _TakenError: another file has that name.
    """
    folder, pixels = run.folder, None
    with folder.temporary(name) as temporary:
        if item.output.edge is None:
            source, original_sha = item.output.source, ""
            if run.plan.options.removes_location:
                source, original_sha = run.location_remover.take(source)
            sha = _copy(source, folder, temporary)
            original_sha = original_sha or sha
        else:
            content, pixels, original_sha = run.render_queue.take(chosen, item.output.edge)
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


def _copy(file: Source, folder: OpenedFolder, part: str) -> str:
    """Copy an original with its time stamp; return the sha256 of the content read.

    Raises:
        UnreadableError: the original cannot be read.
        OSError: the copy cannot be written.
    """
    digest = hashlib.sha256()
    try:
        source = atomic.open_plain(file.path)  # a pipe must not block the export
    except OSError as error:
        raise UnreadableError(
            f"The original cannot be read ({error.strerror or error})."
        ) from error
    with source:
        status = os.fstat(source.fileno())
        times_ns = (status.st_atime_ns, status.st_mtime_ns)
        with folder.create(part, times_ns=times_ns) as target:
            while chunk := _read(source.read):
                digest.update(chunk)
                target.write(chunk)
    return digest.hexdigest()


def _read(read: Callable[[int], bytes]) -> bytes:
    """Read a chunk of an original; an error fails that photo, not the export."""
    try:
        return read(_CHUNK)
    except OSError as error:
        raise UnreadableError(
            f"The original cannot be read ({error.strerror or error})."
        ) from error


def _next_free(run: Run, item: PlannedFile, name: str) -> str:
    """Return the next numbered name that is neither on disk nor in the manifest or plan."""
    plan = run.plan
    taken = plan.manifest.names() | {naming.folded(other.name) for other in plan.items()}
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


def _stopped(run: Run, error: OSError) -> KnownError:
    """Save the manifest, if still possible, and return the error for a failed run."""
    try:
        _save(run)
    except (KnownError, OSError) as again:  # the next run adopts the files by their names
        log.info("the manifest could not be updated: %s", again)
    missing = run.plan.bytes_to_write - run.report.bytes
    return stopped(run.folder.path, error, _done(run.plan, run.report), missing)


def _done(plan: Plan, report: ExportReport) -> str:
    return f"{report.photos} of {len(plan.chosen)} photos were exported"


def stopped(folder: Path, error: OSError, done: str, missing: int = 0) -> KnownError:
    """Return the error for a fault of the target folder; ``missing`` bytes are still to write."""
    if atomic.is_full(error):
        room = f"some {_size(missing)}" if missing > 0 else "some space"
        what, remedy = "is full", f"Free {room} and export again; it continues where it stopped."
    elif error.errno in (errno.ENOENT, errno.EIO, errno.ENODEV, errno.ENXIO):
        what = f"is no longer reachable ({error.strerror})"
        remedy = "Connect its drive and export again."
    else:
        what = f"cannot be written ({error.strerror or error})"
        remedy = "Choose a writable folder."
    return KnownError(f"{folder} {what}. {done}; no file is incomplete.", remedy)


def _size(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
