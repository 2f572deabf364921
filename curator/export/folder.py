"""The folder target: verified copies or JPEGs, and a manifest beside them.

Every file is written under a temporary name, read back, compared, and only then given its own
name, which it never takes from another file. A run that is stopped at any moment leaves whole
files and a true manifest; the next run picks up what the unfinished one had written.
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

from curator import files
from curator.catalog import FileDetail
from curator.export import manifest
from curator.export.manifest import Entry, FileEntry
from curator.export.plan import INTENT, Act, Chosen, Item, Plan, Report, Skipped
from curator.model import KnownError, UnreadableError
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

_CHUNK = 1 << 20
_SPARE = 16 << 20  # bytes left free for the manifest and the file system's own books
_SAVE_EVERY_S = 2.0  # the manifest of 10,000 photos is some 15 MB: not after each photo
_MAX_MEGAPIXELS = 2000  # convert has judged the photo by the user's own limit; this is a backstop
_TIMEOUT_S = 120.0
# The photo's name is at fault, not the disk: too long for it, or with signs it does not take.
_BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)

Progress = Callable[[int, int, str], None]


class _Changed(Exception):
    """The file of that name is not what the unfinished run wrote; take another name."""


@dataclass
class _Run:
    """What one export holds on to while it goes."""

    plan: Plan
    pool: WorkerPool | None
    report: Report
    saved_at: float = field(default_factory=monotonic)

    @property
    def folder(self) -> Path:
        return self.plan.options.folder


def write(
    plan: Plan,
    *,
    pool: WorkerPool | None = None,
    progress: Progress = lambda done, total, name: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report:
    """Do what the plan says. Running it twice changes nothing the second time.

    Args:
        plan: from :func:`~curator.export.plan.make_plan`, made just before.
        pool: decodes the originals of JPEG exports; one is made and closed if none is given.
        progress: told photos done, photos in all, and the name of the one just done.
        cancelled: asked before each photo; what is written by then stays, with its entries.

    Raises:
        KnownError: the folder is full or cannot be written; photos exported by then stay, whole
            and listed, and nothing is half-written.

    Thread: any; only one export into a folder at a time.
    """
    folder = plan.options.folder
    run = _Run(plan, pool, Report(folder, edited=list(plan.edited)))
    own_pool = pool is None and plan.options.form == "jpeg" and _writes(plan)
    try:
        _prepare(run)
        if own_pool:
            run.pool = WorkerPool(1, memory_mb=4096, name="export")
        _settle_entries(run)
        for number, chosen in enumerate(plan.chosen, 1):
            if cancelled():
                run.report.cancelled = True
                break
            _export(run, chosen)
            progress(number, len(plan.chosen), str(chosen.items[0].name))
            if monotonic() - run.saved_at > _SAVE_EVERY_S:
                _save(run)
        _save(run)
        (folder / INTENT).unlink(missing_ok=True)
    except OSError as error:
        raise _stopped(run, error) from error
    finally:
        if own_pool and run.pool is not None:
            run.pool.close()
    return run.report


def _writes(plan: Plan) -> bool:
    return any(item.act is not Act.KEEP for item in plan.items())


def _prepare(run: _Run) -> None:
    """Make the folder, sweep what a killed run left, see that all fits, note what is meant."""
    plan, folder = run.plan, run.folder
    if not _writes(plan) and not folder.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".curator-*.part"):
        left.unlink()
    free = shutil.disk_usage(folder).free
    if plan.bytes_to_write + _SPARE > free:
        raise KnownError(
            f"The export needs {_size(plan.bytes_to_write)} and {folder} has {_size(free)} free.",
            "Free some space or choose another folder; nothing was written.",
        )
    names = {
        item.name: [str(item.file.path), plan.options.rendering]
        for item in plan.items()
        if item.act is not Act.KEEP
    }
    if names:
        _write_whole(folder / INTENT, json.dumps(names).encode())


def _settle_entries(run: _Run) -> None:
    """Bring the manifest's entries up to today's decisions: refreshed, and withdrawn."""
    book, options = run.plan.manifest, run.plan.options
    for entry, photo, clause in run.plan.refreshed:
        entry.update(options.describe(photo, clause))
    for entry, photo in run.plan.leaving:
        told = options.describe(photo, None)
        book.drop(entry)
        book.withdrawn.append({**entry, **told, "reason": _why(told)})
        run.report.withdrawn += [record["filename"] for record in entry["files"]]


def _why(entry: Entry) -> str:
    return "rejected" if entry["flag"] == "reject" else "no longer approved"


def _export(run: _Run, chosen: Chosen) -> None:
    """Bring one photo's files into the folder and its entry into the manifest."""
    records: list[FileEntry] = []
    for item in chosen.items:
        try:
            records.append(_bring(run, item, chosen.photo.turn))
        except KnownError as error:
            log.info("not exported: %s: %s", item.file.path, error)
            run.report.failed.append(Skipped(str(item.file.path), str(error)))
    if not records:
        return
    options, book = run.plan.options, run.plan.manifest
    told = options.describe(chosen.photo, chosen.clause)
    entry = manifest.compose(chosen.photo, told, options.rendering, records)
    run.report.photos += 1
    old = chosen.entry
    if old is None:
        book.photos.append(entry)
        return
    _supersede(run, old, entry)
    if "reason" in old:  # it had been withdrawn, and is approved again
        book.drop(old)
        book.photos.append(entry)
    else:
        old.clear()
        old.update(entry)


def _supersede(run: _Run, old: Entry, new: Entry) -> None:
    """Name the files of the old entry that the new one no longer speaks of; they stay."""
    names = {record["filename"] for record in new["files"]}
    gone = [record for record in old["files"] if record["filename"] not in names]
    if gone:
        passed = {**old, "files": gone, "clause": None, "reason": "replaced by a newer version"}
        passed |= {key: gone[0][key] for key in ("filename", "original_path", "sha256")}
        run.plan.manifest.withdrawn.append(passed)
        run.report.withdrawn += [record["filename"] for record in gone]


def _bring(run: _Run, item: Item, turn: int) -> FileEntry:
    """Have one file in the folder, and say what it is."""
    if item.act is Act.KEEP and item.known is not None:
        run.report.kept += 1
        return {**item.known, "original_path": str(item.file.path)}
    name = item.name
    while True:
        try:
            written = _written(run, item, name, turn)
        except _Changed:
            name = _next_free(run, name)
            continue
        except OSError as error:
            if error.errno not in _BAD_NAME:
                raise
            raise KnownError(
                f"The disk of the export takes no file named {name} ({error.strerror}).",
                "Rename the original.",
            ) from error
        return manifest.record(item.file, name, written)


def _written(run: _Run, item: Item, name: str, turn: int) -> tuple[str, str, os.stat_result]:
    """Write one file under ``name``, or adopt the equal one that is there.

    Raises:
        _Changed: another file has that name.
    """
    final = run.folder / name
    part = run.folder / f".curator-{os.getpid()}.part"  # a long name has no room for more
    try:
        if run.plan.options.form == "original":
            sha = original_sha = _copy(item.file, part)
        else:
            sha, original_sha = _render(run, item.file, part, turn)
        if final.exists():
            if files.sha256(final) != sha:
                raise _Changed(name)
            run.report.kept += 1
        else:
            if files.sha256(part) != sha:
                raise OSError(errno.EIO, "what was written reads back differently")
            _name(part, final)
            run.report.written.append(name)
            run.report.bytes += final.stat().st_size
    finally:
        part.unlink(missing_ok=True)
    return sha, original_sha, final.stat()


def _copy(file: FileDetail, part: Path) -> str:
    """Copy an original with its time stamp; return the sha256 of what was read.

    Raises:
        UnreadableError: the original cannot be read; faults of the target stay an OSError.
    """
    digest = hashlib.sha256()
    try:
        source = Path(file.path).open("rb")  # noqa: SIM115 - its faults are told apart
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


def _render(run: _Run, file: FileDetail, part: Path, turn: int) -> tuple[str, str]:
    from curator.export.render import RenderJob, render  # decoders: no price for copying

    options = run.plan.options
    job = RenderJob(
        str(file.path), options.long_edge_px, options.jpeg_quality, turn, _MAX_MEGAPIXELS
    )
    content, original_sha = (
        render(job) if run.pool is None else run.pool.run(render, job, timeout_s=_TIMEOUT_S)
    )
    with part.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    return hashlib.sha256(content).hexdigest(), original_sha


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


def _next_free(run: _Run, name: str) -> str:
    """Find the next name with a number that neither disk, manifest nor plan has."""
    taken = run.plan.manifest.names() | {item.name.casefold() for item in run.plan.items()}
    path = Path(name)
    number = 2
    while True:
        candidate = f"{path.stem}-{number}{path.suffix}"
        if candidate.casefold() not in taken and not (run.folder / candidate).exists():
            return candidate
        number += 1


def _save(run: _Run) -> None:
    if run.folder.exists():
        manifest.save(run.plan.manifest, run.folder)
    run.saved_at = monotonic()


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".curator-{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stopped(run: _Run, error: OSError) -> KnownError:
    """Save what is true so far, if the disk still takes it, and put the fault in one sentence."""
    try:
        _save(run)
    except OSError as again:  # the next run adopts the files by the names it meant to write
        log.info("the manifest could not be brought up to date: %s", again)
    done = f"{run.report.photos} of {len(run.plan.chosen)} photos were exported"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what, remedy = "is full", "Free some space and export again; it goes on where it stopped."
    else:
        what = f"cannot be written ({error.strerror or error})"
        remedy = "Choose a folder that can be written."
    return KnownError(f"{run.folder} {what}; {done}, and nothing is half-written.", remedy)


def _size(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
