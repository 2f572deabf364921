"""Having files in an export folder: verified, never over anybody's, and true at any moment.

Every file is written under a temporary name, read back, compared, and only then given its own
name, which it never takes from a file that an export did not write. A run that is stopped at any
moment leaves whole files and a true manifest; the next run picks up what the unfinished one had
written.
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
from curator.export.name_allocator import INTENT, FileAction, meant
from curator.export.plan import ExportReport, Plan, PlannedFile, PlannedPhoto, Skipped
from curator.export.render_queue import RenderQueue
from curator.export.sources import Source
from curator.model import KnownError, UnreadableError
from curator.opened_folder import OpenedFolder, OutsideError, file_id
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

_CHUNK = 1 << 20
_SPARE = 16 << 20  # bytes left free for the manifest and the file system's own books
_SAVE_EVERY_S = 2.0  # the manifest of 10,000 photos is some 15 MB: not after each photo
# The photo's name is at fault, not the disk: too long for it, or with signs it does not take.
_BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)

Progress = Callable[[int, int, str], None]


class _TakenError(Exception):
    """The name belongs to a file that no export wrote; the caller tries another name."""


@dataclass
class Run:
    """What one export holds on to while it goes."""

    plan: Plan
    report: ExportReport
    folder: OpenedFolder
    renderings: RenderQueue
    removals: LocationRemover
    saved_at: float = field(default_factory=monotonic)


WriteFile = Callable[[Run, PlannedPhoto, PlannedFile], FileEntry]
"""Has one file in the folder, and says what it is."""


def write_files(
    plan: Plan,
    *,
    pool: WorkerPool | None,
    progress: Progress,
    cancelled: Callable[[], bool],
    bring: WriteFile | None = None,
    finish: Callable[[Run], None] = lambda run: None,
) -> ExportReport:
    """Do what the plan says. Running it twice changes nothing the second time.

    Args:
        plan: from :func:`~curator.export.plan.make_plan`, made just before.
        pool: decodes the originals of JPEGs; one is made and closed if none is given.
        progress: told photos done, photos in all, and the name of the one just done.
        cancelled: asked before each photo; what is written by then stays, with its entries.
        bring: has one file in the folder and says what it is; copies and JPEGs unless given.
        finish: does what is to be done once all files are there.

    Raises:
        BusyError: another export into the folder is under way.
        KnownError: the folder is full or cannot be written; photos exported by then stay, whole
            and listed, and nothing is half-written. Or another export was there since the plan
            was made, or the folder holds originals by now; nothing was written.

    Thread: any; only one export into a folder at a time.
    """
    target = plan.options.folder
    report = ExportReport(target, edited=list(plan.edited))
    if not target.exists() and all(item.action is FileAction.KEEP for item in plan.items()):
        return report
    renderings, removals = RenderQueue(plan, pool), LocationRemover(plan.options.exiftool, pool)
    try:
        with target_folder.open_to_write(target, plan.originals) as folder, exclusive(folder):
            manifest.unchanged(plan.manifest, folder)
            run = Run(plan, report, folder, renderings, removals)
            try:
                _prepare(run)
                _settle_entries(run)
                _export_all(run, bring or _bring, progress, cancelled)
                _save(run)
                folder.remove(INTENT)
            except OSError as error:
                raise _stopped(run, error) from error
            finish(run)
    except OSError as error:
        raise stopped(target, error, _done(plan, report), plan.bytes_to_write) from error
    finally:
        renderings.close()
        removals.close()
    return report


def _prepare(run: Run) -> None:
    """Sweep what a killed run left, see that all fits, note what is meant."""
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
            f"The export needs {_size(plan.bytes_to_write)} and {folder.path} has {_size(free)}"
            " free.",
            "Free some space or choose another folder; nothing was written.",
        )
    names = {item.name: meant(item.slot, plan.options) for item in to_write}
    if names:
        folder.write(INTENT, json.dumps(names).encode())


def _export_all(
    run: Run, bring: WriteFile, progress: Progress, cancelled: Callable[[], bool]
) -> None:
    chosen = run.plan.chosen
    for number, each in enumerate(chosen, 1):
        if cancelled():
            run.report.cancelled = True
            return
        _export(run, each, bring)
        progress(number, len(chosen), Path(each.items[0].name).name)
        if monotonic() - run.saved_at > _SAVE_EVERY_S:
            _save(run)


def _settle_entries(run: Run) -> None:
    """WriteFile the manifest's entries up to today's decisions: refreshed, and withdrawn."""
    plan, book = run.plan, run.plan.manifest
    for entry, photo, clause in plan.refreshed:
        entry.update(plan.describe(photo, clause))
    leaving = [(entry, plan.describe(photo, None)) for entry, photo in plan.leaving]
    leaving = [(entry, {**told, "reason": _why(told)}) for entry, told in leaving]
    out = {"clause": None, "reason": "no longer in the project"}
    for entry, told in (*leaving, *((entry, out) for entry in plan.gone)):
        book.drop(entry)
        book.withdrawn.append({**entry, **told})
        run.report.withdrawn += [record["filename"] for record in entry["files"]]


def _why(entry: Entry) -> str:
    return "rejected" if entry["flag"] == "reject" else "no longer approved"


def _export(run: Run, chosen: PlannedPhoto, bring: WriteFile) -> None:
    """WriteFile one photo's files into the folder and its entry into the manifest."""
    records: list[FileEntry] = []
    for item in chosen.items:
        try:
            records.append(bring(run, chosen, item))
        except KnownError as error:
            log.info("not exported: %s: %s", item.slot.source.path, error)
            run.report.failed.append(Skipped(str(item.slot.source.path), str(error)))
            if item.slot.edge is not None:
                return  # the other sizes are of the same original; what went out before stays
    if not records:
        return
    options, book = run.plan.options, run.plan.manifest
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
        book.photos.append(entry)
        return
    _supersede(run, chosen, entry)
    if "reason" in old:  # it had been withdrawn, and is approved again
        book.drop(old)
        book.photos.append(entry)
    else:
        old.clear()
        old.update(entry)


def _supersede(run: Run, chosen: PlannedPhoto, new: Entry) -> None:
    """Name the files of the old entry that the new one no longer speaks of and that stay."""
    old = chosen.entry
    assert old is not None
    names = {naming.folded(record["filename"]) for record in new["files"]}
    gone = [
        record
        for record in old["files"]
        if naming.folded(record["filename"]) not in names and _is_there(run, record["filename"])
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


def _is_there(run: Run, name: str) -> bool:
    try:
        return run.folder.status(name) is not None
    except OutsideError:
        return False


def _bring(run: Run, chosen: PlannedPhoto, item: PlannedFile) -> FileEntry:
    """Have one file in the folder, and say what it is."""
    slot, private = item.slot, run.plan.options.private
    if item.action is FileAction.KEEP and item.known is not None:
        run.report.kept += 1
        moved = {} if private else {"original_path": str(slot.source.path)}
        return {**item.known, **moved}
    if (
        item.action is FileAction.RENAME
        and item.known is not None
        and _renamed(run, item, item.known)
    ):
        moved = {} if private else {"original_path": str(slot.source.path)}
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
                f"The disk of the export takes no file named {name} ({error.strerror}).",
                "Rename the original, or give exported files another name.",
            ) from error
        break
    if item.known is not None and item.known["filename"] != name:
        _retire(run, item.known, name)
    return manifest.record(slot, name, written, private=private)


def _renamed(run: Run, item: PlannedFile, known: FileEntry) -> bool:
    """Give a file that an earlier run wrote its new name; False where it was changed since."""
    old = run.folder.file_state(known["filename"])
    if old is None or old.sha256 != known["sha256"]:
        return False
    try:
        run.folder.rename(known["filename"], item.name, old)
    except FileExistsError:
        return False
    run.report.written.append(item.name)
    return True


def _retire(run: Run, known: FileEntry, name: str) -> None:
    """Remove a file that has been written anew under another name, if nobody changed it since."""
    old, new = run.folder.file_state(known["filename"]), run.folder.status(name)
    if old is None or (new is not None and file_id(new) == old.file_id):
        return  # gone; or a disk that takes both for one, as where they differ in case alone
    if old.sha256 == known["sha256"]:
        run.folder.remove(known["filename"], old)


def _written(run: Run, chosen: PlannedPhoto, item: PlannedFile, name: str) -> WrittenFile:
    """Write one file under ``name``, or adopt the equal one that is there.

    Raises:
        _TakenError: another file has that name.
    """
    folder, pixels = run.folder, None
    with folder.temporary(name) as temporary:
        if item.slot.edge is None:
            source, original_sha = item.slot.source, ""
            if run.plan.options.removes_location:
                source, original_sha = run.removals.take(source)
            sha = _copy(source, folder, temporary)
            original_sha = original_sha or sha
        else:
            content, pixels, original_sha = run.renderings.take(chosen, item.slot.edge)
            sha = hashlib.sha256(content).hexdigest()
            with folder.create(temporary) as target:
                target.write(content)
        there = folder.file_state(name)
        if there is None and folder.status(name) is not None:
            raise _TakenError(name)  # by a folder or a link
        if there is not None:
            if there.sha256 == sha:
                run.report.kept += 1
                return WrittenFile(sha, original_sha, there.size, pixels)
            ours = item.known is not None and there.sha256 == item.known["sha256"]
            if item.action is not FileAction.REPLACE or not ours:
                raise _TakenError(name)
        made = folder.file_state(temporary)
        if made is None or made.sha256 != sha:
            raise OSError(errno.EIO, "the file reads back differently than it was written")
        try:
            folder.commit(temporary, name, there, made)
        except FileExistsError as error:
            raise _TakenError(name) from error
        run.report.written.append(name)
        run.report.bytes += made.size
    return WrittenFile(sha, original_sha, made.size, pixels)


def _copy(file: Source, folder: OpenedFolder, part: str) -> str:
    """Copy an original with its time stamp; return the sha256 of what was read.

    Raises:
        UnreadableError: the original cannot be read; faults of the target stay an OSError.
    """
    digest = hashlib.sha256()
    try:
        source = atomic.open_plain(file.path)  # a pipe in its place must not hold the export up
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
    """Read a chunk of an original: its disk's faults are that photo's, not the export's."""
    try:
        return read(_CHUNK)
    except OSError as error:
        raise UnreadableError(
            f"The original cannot be read ({error.strerror or error})."
        ) from error


def _next_free(run: Run, item: PlannedFile, name: str) -> str:
    """Find the next name with a number that neither disk, manifest nor plan has."""
    plan = run.plan
    taken = plan.manifest.names() | {naming.folded(other.name) for other in plan.items()}
    ending = naming.safe_ending(item.slot.ending)
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
    """Save what is true so far, if the disk still takes it, and put the fault in one sentence."""
    try:
        _save(run)
    except (KnownError, OSError) as again:  # the next run adopts the files by the names it meant
        log.info("the manifest could not be brought up to date: %s", again)
    missing = run.plan.bytes_to_write - run.report.bytes
    return stopped(run.folder.path, error, _done(run.plan, run.report), missing)


def _done(plan: Plan, report: ExportReport) -> str:
    return f"{report.photos} of {len(plan.chosen)} photos were exported"


def stopped(folder: Path, error: OSError, done: str, missing: int = 0) -> KnownError:
    """Put a fault of the target folder in one sentence; ``missing`` bytes were to come."""
    if atomic.is_full(error):
        room = f"some {_size(missing)}" if missing > 0 else "some space"
        what, remedy = "is full", f"Free {room} and export again; it goes on where it stopped."
    elif error.errno in (errno.ENOENT, errno.EIO, errno.ENODEV, errno.ENXIO):
        what, remedy = f"went away ({error.strerror})", "Connect its drive and export again."
    else:
        what = f"cannot be written ({error.strerror or error})"
        remedy = "Choose a folder that can be written."
    return KnownError(f"{folder} {what}; {done}, and nothing is half-written.", remedy)


def _size(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
