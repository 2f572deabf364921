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

from curator import files, whole
from curator.export import manifest, naming
from curator.export.claims import INTENT, Act, meant
from curator.export.manifest import Entry, FileEntry, Written
from curator.export.plan import Chosen, Item, Plan, Report, Skipped
from curator.export.rendering import Renderings
from curator.export.sources import Source
from curator.export.whole import put
from curator.model import KnownError, UnreadableError
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

_CHUNK = 1 << 20
_SPARE = 16 << 20  # bytes left free for the manifest and the file system's own books
_SAVE_EVERY_S = 2.0  # the manifest of 10,000 photos is some 15 MB: not after each photo
# The photo's name is at fault, not the disk: too long for it, or with signs it does not take.
_BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)

Progress = Callable[[int, int, str], None]


class _Changed(Exception):
    """The file of that name is not what an export wrote; take another name."""


@dataclass
class Run:
    """What one export holds on to while it goes."""

    plan: Plan
    report: Report
    renderings: Renderings
    bring: Callable[[Run, Chosen, Item], FileEntry]
    saved_at: float = field(default_factory=monotonic)

    @property
    def folder(self) -> Path:
        """Where to."""
        return self.plan.options.folder


def write_files(
    plan: Plan,
    *,
    pool: WorkerPool | None,
    progress: Progress,
    cancelled: Callable[[], bool],
    bring: Callable[[Run, Chosen, Item], FileEntry] | None = None,
) -> Report:
    """Do what the plan says. Running it twice changes nothing the second time.

    Args:
        plan: from :func:`~curator.export.plan.make_plan`, made just before.
        pool: decodes the originals of JPEGs; one is made and closed if none is given.
        progress: told photos done, photos in all, and the name of the one just done.
        cancelled: asked before each photo; what is written by then stays, with its entries.
        bring: has one file in the folder and says what it is; copies and JPEGs unless given.

    Raises:
        KnownError: the folder is full or cannot be written; photos exported by then stay, whole
            and listed, and nothing is half-written.

    Thread: any; only one export into a folder at a time.
    """
    report = Report(plan.options.folder, edited=list(plan.edited))
    run = Run(plan, report, Renderings(plan, pool), bring or _bring)
    try:
        _prepare(run)
        _settle_entries(run)
        for number, chosen in enumerate(plan.chosen, 1):
            if cancelled():
                run.report.cancelled = True
                break
            _export(run, chosen)
            progress(number, len(plan.chosen), Path(chosen.items[0].name).name)
            if monotonic() - run.saved_at > _SAVE_EVERY_S:
                _save(run)
        _save(run)
        (run.folder / INTENT).unlink(missing_ok=True)
    except OSError as error:
        raise _stopped(run, error) from error
    finally:
        run.renderings.close()
    return run.report


def _prepare(run: Run) -> None:
    """Make the folder, sweep what a killed run left, see that all fits, note what is meant."""
    plan, folder = run.plan, run.folder
    to_write = [item for item in plan.items() if item.act is not Act.KEEP]
    if not to_write and not folder.exists():
        return
    (folder / plan.options.inside).mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".curator-*.part"):
        left.unlink()
    free = shutil.disk_usage(folder).free
    if to_write and plan.bytes_to_write + _SPARE > free:
        raise KnownError(
            f"The export needs {_size(plan.bytes_to_write)} and {folder} has {_size(free)} free.",
            "Free some space or choose another folder; nothing was written.",
        )
    names = {item.name: meant(item.slot, plan.options) for item in to_write}
    if names:
        put(folder, INTENT, json.dumps(names).encode())


def _settle_entries(run: Run) -> None:
    """Bring the manifest's entries up to today's decisions: refreshed, and withdrawn."""
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


def _export(run: Run, chosen: Chosen) -> None:
    """Bring one photo's files into the folder and its entry into the manifest."""
    records: list[FileEntry] = []
    for item in chosen.items:
        try:
            records.append(run.bring(run, chosen, item))
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


def _supersede(run: Run, chosen: Chosen, new: Entry) -> None:
    """Name the files of the old entry that the new one no longer speaks of and that stay."""
    old = chosen.entry
    assert old is not None
    names = {naming.folded(record["filename"]) for record in new["files"]}
    gone = [
        record
        for record in old["files"]
        if naming.folded(record["filename"]) not in names
        and (run.folder / record["filename"]).exists()
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


def _bring(run: Run, chosen: Chosen, item: Item) -> FileEntry:
    """Have one file in the folder, and say what it is."""
    slot, private = item.slot, run.plan.options.private
    if item.act is Act.KEEP and item.known is not None:
        run.report.kept += 1
        moved = {} if private else {"original_path": str(slot.source.path)}
        return {**item.known, **moved}
    if item.act is Act.RENAME and item.known is not None and _renamed(run, item, item.known):
        moved = {} if private else {"original_path": str(slot.source.path)}
        return {**item.known, **moved, "filename": item.name}
    name = item.name
    while True:
        try:
            written = _written(run, chosen, item, name)
        except _Changed:
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


def _renamed(run: Run, item: Item, known: FileEntry) -> bool:
    """Give a file that an earlier run wrote its new name; False where it was changed since."""
    old, new = run.folder / known["filename"], run.folder / item.name
    if not old.exists() or files.sha256(old) != known["sha256"]:
        return False
    if _is_same(old, new):
        old.rename(new)
    else:
        try:
            _name(old, new)
        except _Changed:
            return False
        old.unlink(missing_ok=True)
    run.report.written.append(item.name)
    return True


def _is_same(old: Path, new: Path) -> bool:
    """Say whether a disk takes two names for one, as it does where they differ in case alone."""
    return new.exists() and old.samefile(new)


def _retire(run: Run, known: FileEntry, name: str) -> None:
    """Remove a file that has been written anew under another name, if nobody changed it since."""
    old = run.folder / known["filename"]
    if not old.exists() or _is_same(old, run.folder / name):
        return
    if files.sha256(old) == known["sha256"]:
        old.unlink()


def _written(run: Run, chosen: Chosen, item: Item, name: str) -> Written:
    """Write one file under ``name``, or adopt the equal one that is there.

    Raises:
        _Changed: another file has that name.
    """
    final = run.folder / name
    part = run.folder / f".curator-{os.getpid()}.part"  # a long name has no room for more
    pixels = None
    try:
        if item.slot.edge is None:
            sha = original_sha = _copy(item.slot.source, part)
        else:
            content, pixels, original_sha = run.renderings.take(chosen, item.slot.edge)
            sha = hashlib.sha256(content).hexdigest()
            _fill(part, content)
        if final.exists():
            there = files.sha256(final)
            if there == sha:
                run.report.kept += 1
                return Written(sha, original_sha, final.stat().st_size, pixels)
            if item.act is not Act.REPLACE or item.known is None or there != item.known["sha256"]:
                raise _Changed(name)
        if files.sha256(part) != sha:
            raise OSError(errno.EIO, "what was written reads back differently")
        if final.exists():
            part.replace(final)  # what an earlier run made, and nobody touched
        else:
            _name(part, final)
        run.report.written.append(name)
        size = final.stat().st_size
        run.report.bytes += size
    finally:
        part.unlink(missing_ok=True)
    return Written(sha, original_sha, size, pixels)


def _fill(part: Path, content: bytes) -> None:
    with part.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def _copy(file: Source, part: Path) -> str:
    """Copy an original with its time stamp; return the sha256 of what was read.

    Raises:
        UnreadableError: the original cannot be read; faults of the target stay an OSError.
    """
    digest = hashlib.sha256()
    try:
        source = file.path.open("rb")
    except OSError as error:
        raise UnreadableError(
            f"The original cannot be read ({error.strerror or error})."
        ) from error
    with source, part.open("wb") as target:
        while chunk := _read(source.read):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
        status = os.fstat(source.fileno())
    os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    return digest.hexdigest()


def _read(read: Callable[[int], bytes]) -> bytes:
    """Read a chunk of an original: its disk's faults are that photo's, not the export's."""
    try:
        return read(_CHUNK)
    except OSError as error:
        raise UnreadableError(
            f"The original cannot be read ({error.strerror or error})."
        ) from error


def _name(part: Path, final: Path) -> None:
    """Give a finished file its name without ever taking it from another.

    Raises:
        _Changed: a file of that name has appeared.
    """
    try:
        os.link(part, final)  # fails if the name is taken, unlike a rename
    except FileExistsError as error:
        raise _Changed(final.name) from error
    except OSError:  # no hard links here (FAT, some network drives)
        if final.exists():
            raise _Changed(final.name) from None
        os.replace(part, final)  # noqa: PTH105


def _next_free(run: Run, item: Item, name: str) -> str:
    """Find the next name with a number that neither disk, manifest nor plan has."""
    plan = run.plan
    taken = plan.manifest.names() | {naming.folded(other.name) for other in plan.items()}
    ending = naming.safe_ending(item.slot.ending)
    path = Path(name)
    stem = path.name.removesuffix(ending)
    number = 2
    while True:
        candidate = (path.parent / naming.joined(stem, number, ending)).as_posix()
        if naming.folded(candidate) not in taken and not (run.folder / candidate).exists():
            return candidate
        number += 1


def _save(run: Run) -> None:
    if run.folder.exists():
        manifest.save(run.plan.manifest, run.folder)
    run.saved_at = monotonic()


def _stopped(run: Run, error: OSError) -> KnownError:
    """Save what is true so far, if the disk still takes it, and put the fault in one sentence."""
    try:
        _save(run)
    except OSError as again:  # the next run adopts the files by the names it meant to write
        log.info("the manifest could not be brought up to date: %s", again)
    done = f"{run.report.photos} of {len(run.plan.chosen)} photos were exported"
    return stopped(run.folder, error, done, run.plan.bytes_to_write - run.report.bytes)


def stopped(folder: Path, error: OSError, done: str, missing: int = 0) -> KnownError:
    """Put a fault of the target folder in one sentence; ``missing`` bytes were to come."""
    if whole.is_full(error):
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
