"""Scanning folders in small batches, so that the first photos are read while the scan continues.

`ingest` uses it. Each batch has two phases. A :class:`Walk` finds files and examines them, on a
thread and a catalog connection of its own, because a network drive may take minutes. The
:class:`Scanner` then writes the batch on the conductor's thread, which must never wait for a drive.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import files
from curator.catalog import Catalog, Examined, FileReader, FolderRow, Missing, Scan
from curator.files import WalkReport
from curator.model import CatalogError, FileGroup, FoundFile, KnownError, path_label
from curator.pipeline.events import ScanReport
from curator.pipeline.file_probe import PatientReader, open_beside
from curator.pipeline.folder_watcher import ChangedDirectory

log = logging.getLogger(__name__)

# The first batch is larger; later ones hold the write lock for a few ms.
_FIRST_BATCH = 24
_BATCH = 12
# The most in a batch: as long as nothing has to be written, each batch is twice as large as the
# last, because a query costs more than the rows it returns.
_UNCHANGED_BATCH = 96
_BATCH_S = 0.05
# How long the scan waits until one of the first photos has been read. Worker processes are still
# starting, and the scan would slow them down while the photographer looks at empty tiles.
_FIRST_S = 2.0
# The first screens of photos are read before the rest is found: until _SCREENS photos are read, the
# scan stays at most _LEAD photos ahead. Both need the same interpreter, and 10,000 empty tiles are
# of no more use than 1,000. After _SCREENS_S the scan continues in any case: reading may hang.
_SCREENS = 1_000
_LEAD = 240
_SCREENS_S = 6.0
_AHEAD = 3  # batches the walk may be ahead of the conductor: memory stays bounded
_CLOSE_S = 2.0
_BUG = "Unexpected error in a scan. `curator logs` shows the details."


@dataclass
class Part:
    """One folder, or some single files, of a request.

    Attributes:
        sources: the paths to walk.
        recursive: whether to include subfolders.
        add: whether new files become photos; not in a re-scan of a sampled folder.
        scan: the catalog's part of the scan.
        found: the files in the sources, if they were listed already; None to walk the sources.
    """

    sources: list[str]
    recursive: bool
    add: bool
    scan: Scan
    found: Sequence[FoundFile] | None = None


@dataclass
class Batch:
    """Some groups of files on their way into the catalog.

    Attributes:
        part: the part of the request they belong to.
        groups: the files.
        add: whether new files become photos.
        examined: the findings about the files; None if that failed with ``error``.
        error: why they have to be examined again.
    """

    part: Part
    groups: list[FileGroup]
    add: bool
    examined: Examined | None = None
    error: CatalogError | None = None


@dataclass
class GoneFiles:
    """The known files that are no longer in a part of a request.

    ``missing`` is None if its folder is away, or if finding them failed with ``error``.
    """

    part: Part
    missing: Missing | None = None
    error: CatalogError | None = None


Step = Batch | GoneFiles


@dataclass
class Request:
    """One request to open or re-scan folders, and its results so far.

    Attributes:
        parts: the folders and files to scan.
        sample: add only this many new photos, drawn at random; None adds all.
        report: what the walk found and skipped.
        problems: folders that could not be scanned, a sentence each.
        drawn: the sample so far.
        unknown: how many photos were drawn from.
        changed: ids of photos that changed because files are missing.
        again: batches to examine once more, because the catalog changed before they were written.
        changed_folder: the name of the folder whose change or return started the scan; empty if
            a person did.
        done: called at the end of the scan.
    """

    parts: list[Part]
    sample: int | None = None
    report: WalkReport = field(default_factory=WalkReport)
    problems: list[str] = field(default_factory=list)
    drawn: list[tuple[Part, FileGroup]] = field(default_factory=list)
    unknown: int = 0
    changed: list[int] = field(default_factory=list)
    again: list[Batch] = field(default_factory=list)
    changed_folder: str = ""
    done: Callable[[], None] = lambda: None

    def draw(self, part: Part, groups: Iterable[FileGroup], chance: random.Random) -> None:
        """Add new photos to the sample; each has the same chance, however many follow.

        Source: Vitter 1985, "Random Sampling with a Reservoir", algorithm R.
        """
        assert self.sample is not None
        for group in groups:
            self.unknown += 1
            if len(self.drawn) < self.sample:
                self.drawn.append((part, group))
                continue
            index = chance.randrange(self.unknown)
            if index < self.sample:
                self.drawn[index] = (part, group)

    def summarize(self, catalog: Catalog) -> ScanReport:
        """Return the report so far. Copies that are not recognized yet count as photos.

        The number of photos rated in other apps is left out until all headers are read.
        """
        count = catalog.scans.count_found([part.scan for part in self.parts])
        if self.changed_folder:
            news = f"{count.new:,} new in {self.changed_folder}" if count.new else ""
            return ScanReport(count.found, count.new, count.known, count.pairs, news, watched=True)
        unreadable = (f"{path}: {reason}" for path, reason in self.report.unreadable)
        elsewhere = 0 if catalog.scans.awaits_headers() else count.elsewhere
        sentence = self.report.sentence(count.found, count.pairs, elsewhere)
        problems = (*self.problems, *unreadable)
        return ScanReport(count.found, count.new, count.known, count.pairs, sentence, problems)


def rescanned(catalog: Catalog, folder_id: int | None, reader: FileReader) -> Request:
    """Prepare to scan a folder again, or all that are switched on; being away is a problem."""
    request = Request([])
    for row in catalog.folders.all():
        if row.id == folder_id or (folder_id is None and row.enabled):
            if row.away:
                request.problems.append(_not_there(row))
                continue
            scan = catalog.scans.begin(row.id, reader)
            request.parts.append(Part([row.path], row.recursive, not row.sampled, scan))
    return request


def _not_there(row: FolderRow) -> str:
    drive = f": {row.volume_name} is not connected" if row.volume_name else ""
    return f"{row.path} is not there{drive}."


def rescanned_changes(
    catalog: Catalog,
    folder: Path,
    folder_id: int,
    changes: Sequence[ChangedDirectory],
    reader: FileReader,
) -> Request:
    """Prepare to scan only the changed directories of a watched folder."""
    parts: list[Part] = []
    for deep in (True, False):
        changed = [each for each in changes if each.deep is deep]
        if changed:
            scan = catalog.scans.begin(folder_id, reader)
            found = [file for each in changed for file in each.found]
            sources = [each.directory for each in changed]
            parts.append(Part(sources, deep, True, scan, found))
    # If only one directory changed, the report names it.
    named = folder if len(changes) > 1 else changes[0].directory
    return Request(parts, changed_folder=path_label(named))


IsHere = Callable[[Catalog, int | None, FileReader], bool]


class Walk:
    """Finds the files of one request and examines them, batch after batch.

    Thread: the conductor's; after :meth:`start`, :meth:`steps` runs on the walk's own thread.
    """

    def __init__(
        self, request: Request, reader: FileReader, is_here: IsHere, wake: Callable[[], None]
    ) -> None:
        """Make a walk of a request.

        Args:
            request: what to walk.
            reader: reads files.
            is_here: whether a folder is here; while its drive is away, no file is missing.
            wake: called on the walk's thread when a step is ready.
        """
        self.request = request
        self.done = False
        self._reader, self._is_here, self._wake = reader, is_here, wake
        self._ready: SimpleQueue[Step] = SimpleQueue()
        self._room = threading.Semaphore(_AHEAD)
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._batch = _FIRST_BATCH  # groups in the next batch

    def steps(self, catalog: Catalog) -> Iterator[Step | None]:
        """Walk everything and yield the steps to write.

        None asks the caller to write all former steps first. A folder that cannot be read becomes a
        problem of the request, and the rest is walked.

        Args:
            catalog: the connection of the calling thread.
        """
        deferred: list[Batch] = []  # comparing whole files must not hold up all others
        for part in self.request.parts:
            for groups in self._batches(part):
                batch = self._examine(catalog, Batch(part, groups, part.add), prove=False)
                self._batch = _BATCH
                if batch.examined is not None:
                    if not batch.examined.to_write:
                        self._batch = min(max(_BATCH, 2 * len(groups)), _UNCHANGED_BATCH)
                    copies = batch.examined.deferred
                    deferred += [Batch(part, [group], part.add) for group in copies]
                yield batch
        yield from self._examine_again(catalog)
        for batch in deferred:
            yield self._examine(catalog, batch)
        yield from self._examine_again(catalog)
        if self.request.drawn:
            for batch in _of_sample(self.request):
                yield self._examine(catalog, batch)
            yield from self._examine_again(catalog)
        for part in self.request.parts:
            step = self._find_gone(catalog, part)
            yield step
            while step.error is not None:
                yield None
                step = self._find_gone(catalog, part)
                yield step

    def _examine_again(self, catalog: Catalog) -> Iterator[Step | None]:
        yield None
        while self.request.again:
            again, self.request.again = self.request.again, []
            for batch in again:
                yield self._examine(catalog, Batch(batch.part, batch.groups, batch.add))
            yield None

    def _examine(self, catalog: Catalog, batch: Batch, prove: bool = True) -> Batch:
        try:
            examined = catalog.scans.examine(batch.part.scan, batch.groups, prove)
            return replace(batch, examined=examined)
        except CatalogError as error:
            return replace(batch, error=error)

    def _find_gone(self, catalog: Catalog, part: Part) -> GoneFiles:
        deep = part.found is None or part.recursive
        try:
            missing = catalog.scans.find_missing(part.scan, part.sources, deep)
            here = self._is_here(catalog, part.scan.folder_id, self._reader)
        except CatalogError as error:
            return GoneFiles(part, error=error)
        return GoneFiles(part, missing if here else None)

    def _batches(self, part: Part) -> Iterator[list[FileGroup]]:
        batch: list[FileGroup] = []
        since = time.monotonic()
        try:
            for group in files.pair(self._found(part)):
                if self._stopped:
                    return
                batch.append(group)
                if len(batch) >= self._batch or time.monotonic() - since > _BATCH_S:
                    yield batch
                    batch, since = [], time.monotonic()
        except KnownError as error:
            if not self._stopped:
                self.request.problems.append(str(error))
        if batch:
            yield batch

    def _found(self, part: Part) -> Iterable[FoundFile]:
        if part.found is not None:
            return part.found
        return files.walk(part.sources, part.recursive, self.request.report)

    # --- on a thread of its own

    def start(self, path: Path) -> None:
        """Walk on a new thread, only a few steps ahead of the conductor.

        Args:
            path: of the catalog.
        """
        self._thread = threading.Thread(
            target=self._run, args=(path,), name="curator-walk", daemon=True
        )
        self._thread.start()

    def take(self) -> Step | None:
        """Return the next step; None if none is ready. Call :meth:`written` after each."""
        with contextlib.suppress(Empty):
            return self._ready.get_nowait()
        return None

    def written(self) -> None:
        """Note that a step was written, so that the thread may prepare another."""
        self._room.release()

    def waiting(self) -> bool:
        """Whether a step is ready."""
        return not self._ready.empty()

    def stop(self) -> None:
        """End the walk at the next batch; until then its thread may wait for a slow drive."""
        self._stopped = True
        self._room.release(_AHEAD)

    def close(self) -> None:
        """End the walk and wait for its thread; one that hangs is left to end with the process."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _run(self, path: Path) -> None:
        try:
            with contextlib.closing(open_beside(path)) as catalog:
                for step in self.steps(catalog):
                    for _ in range(_AHEAD if step is None else 1):
                        self._room.acquire()
                    if self._stopped:
                        return
                    if step is None:
                        self._room.release(_AHEAD)
                    else:
                        self._ready.put(step)
                        self._wake()
        except Exception as error:
            known = isinstance(error, KnownError)
            if not known:
                log.exception("the walk failed")
            self.request.problems.append(str(error) if known else _BUG)
        self.done = True
        self._wake()


def _of_sample(request: Request) -> Iterator[Batch]:
    """Cut the photos drawn for a sample into batches to be added."""
    for part in request.parts:
        groups = [group for owner, group in request.drawn if owner is part]
        for start in range(0, len(groups), _BATCH):
            yield Batch(part, groups[start : start + _BATCH], True)


class Scanner:
    """Scans requested folders one request after the other.

    Thread: the conductor's, which owns the catalog.
    """

    def __init__(
        self, catalog: Catalog, wake: Callable[[], None], inline: bool, is_here: IsHere
    ) -> None:
        """Make a scanner.

        Args:
            catalog: where files and photos are written.
            wake: wakes the conductor; any thread.
            inline: walk on the calling thread.
            is_here: whether a folder is here; while its drive is away, no file is missing.
        """
        self._catalog, self._wake = catalog, wake
        self._inline, self._is_here = inline, is_here
        self.reader = PatientReader(inline)
        self._queued: list[Request] = []
        self._stopped = False
        self._walk: Walk | None = None
        self._steps: Iterator[Step | None] = iter(())  # of the walk, inline
        self._unmarked: GoneFiles | None = None  # could not be written yet
        self._to_report: Request | None = None  # ended; its final report waits for all headers
        self._hold_until: float | None = None  # no more photos before one of the first was read
        self._lead_until = 0.0  # until then this scan stays at most _LEAD photos ahead
        self._new = self._read = 0  # photos in this scan
        self._chance = random.Random()

    def ask(self, request: Request) -> None:
        """Scan this after all earlier requests."""
        self._queued.append(request)
        self._next()

    @property
    def busy(self) -> bool:
        """Whether a scan is under way."""
        return self._walk is not None

    @property
    def is_requested(self) -> bool:
        """Whether a scan that a person requested is under way."""
        return self._walk is not None and not self._walk.request.changed_folder

    @property
    def reads_first_screens(self) -> bool:
        """Whether the first screens of photos of a scan are still being read."""
        unread = self._walk is not None or self._read < self._new
        return unread and self._read < _SCREENS and time.monotonic() < self._lead_until

    @property
    def waiting(self) -> bool:
        """Whether :meth:`advance` has something to do right now."""
        if self._may_report_again():
            return True
        if self._walk is None or self._gives_way():
            return False
        if self._inline or self._unmarked is not None or self._walk.waiting():
            return True
        return self._walk.done  # advance() ends the scan

    def note_read(self) -> None:
        """Note that the header of a photo was read, so that more may be added."""
        self._hold_until = 0.0
        self._read += 1

    def _gives_way(self) -> bool:
        """Whether photos already found must be read before more are added."""
        now = time.monotonic()
        ahead = self._read < _SCREENS and self._new - self._read >= _LEAD
        return now < (self._hold_until or 0.0) or (ahead and now < self._lead_until)

    def advance(self) -> tuple[list[int], ScanReport | None]:
        """Write one step of the walk, in short transactions.

        Returns:
            Ids of photos that are new or changed; and the report at the end of a scan, once more
            when all headers are read if they revealed something.

        Raises:
            CatalogError: the catalog cannot be written; the step is written the next time.
        """
        if self._may_report_again():
            return [], self._report_again()
        walk = self._walk
        if walk is None:
            return [], None
        done = walk.done  # read first: the last step is ready before ``done`` is set
        step = self._unmarked or self._next_step(walk)
        if step is None:
            return self._end(walk.request) if done else ([], None)
        if isinstance(step, Batch):
            try:
                return self._write(walk.request, step), None
            except CatalogError:
                walk.request.again.append(step)  # its files are examined again
                raise
            finally:
                walk.written()
        self._unmarked = step if step.error is None else None
        self._mark_gone(walk.request, step)
        self._unmarked = None
        walk.written()
        return [], None

    def _next_step(self, walk: Walk) -> Step | None:
        if not self._inline:
            return walk.take()
        for step in self._steps:
            if step is not None:
                return step
        walk.done = True
        return None

    def _mark_gone(self, request: Request, step: GoneFiles) -> None:
        if step.error is not None:
            if self._walk is not None:
                self._walk.written()
            raise step.error
        if step.missing is not None:
            request.changed += self._catalog.scans.mark_missing(step.part.scan, step.missing)

    def _write(self, request: Request, batch: Batch) -> list[int]:
        if batch.examined is None:
            assert batch.error is not None
            raise batch.error
        applied = self._catalog.scans.write(batch.part.scan, batch.examined, batch.add)
        if applied.stale:
            request.again.append(replace(batch, groups=applied.stale))
        if applied.new and not self._inline:
            now = time.monotonic()
            if self._hold_until is None:
                self._hold_until = now + _FIRST_S
            if not self._new:
                self._lead_until = now + _SCREENS_S
            self._new += len(applied.new)
        if request.sample is not None and not batch.add:
            request.draw(batch.part, applied.left, self._chance)
        return [*applied.new, *applied.changed]

    def _end(self, request: Request) -> tuple[list[int], ScanReport]:
        report = request.summarize(self._catalog)
        if not request.changed_folder:
            self._to_report = request if self._catalog.scans.awaits_headers() else None
        self._walk = None  # only now: after an error above, the end is tried again
        request.done()
        self._next()
        return request.changed, report

    def _may_report_again(self) -> bool:
        return self._to_report is not None and not self._catalog.scans.awaits_headers()

    def _report_again(self) -> ScanReport | None:
        """Return the report of the last scan with what the headers revealed; None if nothing."""
        request, self._to_report = self._to_report, None
        assert request is not None
        if not self._catalog.scans.counts_outdated([part.scan for part in request.parts]):
            return None
        return replace(request.summarize(self._catalog), again=True)

    def cancel_away(self, away: Sequence[FolderRow]) -> None:
        """Stop scanning folders that are away, because a walk there may never end.

        The other folders of the request are scanned.
        """
        rows = {row.id: row for row in away}
        for queued in self._queued:
            self._drop_parts(queued, rows)
        if self._walk is None or not self._drop_parts(self._walk.request, rows):
            return
        request = self._walk.request
        self._walk.stop()
        self._walk, self._unmarked = None, None
        request.drawn, request.unknown, request.again = [], 0, []
        if request.parts:
            request.report = WalkReport()  # the remaining parts are walked from the beginning
        self._queued.insert(0, request)
        self._next()

    @staticmethod
    def _drop_parts(request: Request, away: Mapping[int, FolderRow]) -> bool:
        """Remove parts in folders that are away from a request; return whether there were any."""
        gone = [part for part in request.parts if part.scan.folder_id in away]
        request.problems += [_not_there(away[part.scan.folder_id or 0]) for part in gone]
        request.parts = [part for part in request.parts if part not in gone]
        return bool(gone)

    def stop(self) -> None:
        """End the walk, and start no other: requests may still arrive while all else closes."""
        self._stopped = True
        self.reader.stop()
        if self._walk is not None:
            self._walk.close()

    def _next(self) -> None:
        if self._walk is not None or not self._queued or self._stopped:
            return
        self._walk = Walk(self._queued.pop(0), self.reader, self._is_here, self._wake)
        self._new = self._read = 0
        if self._inline:
            self._steps = self._walk.steps(self._catalog)
        else:
            self._walk.start(self._catalog.path)
