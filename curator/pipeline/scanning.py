"""Walking folders beside the conductor, and what one request to open folders asks for.

A walk runs on a thread of its own, because a network drive may take minutes; it hands over groups
of files in small batches, so that the first photo is worked on while the walk goes on.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import files
from curator.catalog import Catalog, FolderRow, Scan, Unread
from curator.files import WalkReport
from curator.model import CatalogError, FileGroup, FoundFile, KnownError
from curator.pipeline.file_probe import Reader, Readers, Wish
from curator.pipeline.folder_watcher import Looked
from curator.pipeline.progress import ScanReport

log = logging.getLogger(__name__)

# The first photos go ahead alone; then batches that hold the write lock for a few ms.
_FIRST_BATCH = 24
_BATCH = 12
_BATCH_S = 0.05
# Until a first photo was read, at most: the processes that read load what they read with, and share
# the machine with a scan of thousands of files, while whoever opened them looks at empty tiles.
_FIRST_S = 2.0
# The first screens of a scan are read before the rest of it is found: until so many were read the
# scan is no more than its lead ahead of them. Both take the same interpreter, and a list ten
# thousand long is of no more use to somebody who looks at its first thousand tiles. A drive on
# which reading hangs does not keep the rest from being found.
_SCREENS = 1_000
_LEAD = 240
_SCREENS_S = 6.0
_AHEAD = 3  # batches the walk may be ahead of the conductor: memory stays bounded


@dataclass
class Part:
    """One folder, or some single files, of a request.

    Attributes:
        sources: what is walked.
        recursive: whether to go into subfolders.
        add: False makes nothing new: a sampled folder is not filled up by a re-scan.
        scan: the catalog's side of it.
        found: what a walk of the sources would find, where somebody looked already.
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
        part: whose.
        groups: the files.
        add: whether what is new becomes photos.
        read: what was read to tell what they are.
    """

    part: Part
    groups: list[FileGroup]
    add: bool
    read: list[Wish] = field(default_factory=list)


@dataclass
class Request:
    """One request to open or re-scan folders, and what came of it so far.

    ``watched`` names the folder whose change brought it about, where nobody asked; ``done`` is
    called at its end. ``changed`` are photos of parts that have ended.
    """

    reader: Reader
    parts: list[Part]
    sample: int | None = None
    report: WalkReport = field(default_factory=WalkReport)
    problems: list[str] = field(default_factory=list)
    drawn: list[tuple[Part, FileGroup]] = field(default_factory=list)
    unknown: int = 0
    changed: list[int] = field(default_factory=list)
    watched: str = ""
    done: Callable[[], None] = lambda: None

    def draw(self, part: Part, groups: Iterable[FileGroup], chance: random.Random) -> None:
        """Keep a fair sample of photos not known before, of any number that comes by.

        Source: Vitter 1985, "Random Sampling with a Reservoir", algorithm R.
        """
        assert self.sample is not None
        for group in groups:
            self.unknown += 1
            if len(self.drawn) < self.sample:
                self.drawn.append((part, group))
                continue
            place = chance.randrange(self.unknown)
            if place < self.sample:
                self.drawn[place] = (part, group)

    def told(self, catalog: Catalog) -> ScanReport:
        """Put the report together; copies that nobody knew to be such yet count apart.

        Until the headers of all are read nobody knows how many were rated elsewhere: it is not
        said then, rather than too small a number.
        """
        count = catalog.scans.count_met([part.scan for part in self.parts])
        if self.watched:
            said = f"{count.new:,} new in {self.watched}" if count.new else ""
            return ScanReport(count.found, count.new, count.known, count.pairs, said, watched=True)
        problems = [*self.problems]
        problems += [f"{path}: {reason}" for path, reason in self.report.unreadable]
        elsewhere = 0 if catalog.scans.awaits_headers() else count.elsewhere
        sentence = self.report.sentence(count.found, count.pairs, elsewhere)
        return ScanReport(
            count.found, count.new, count.known, count.pairs, sentence, tuple(problems)
        )


def rescanned(catalog: Catalog, folder_id: int | None, reader: Reader) -> Request:
    """Prepare to scan a folder again, or all that are switched on; those away are told of."""
    request = Request(reader, [])
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
    return f"{row.path} is not there now{drive}."


def watched(
    catalog: Catalog, folder: Path, folder_id: int, looked: Sequence[Looked], reader: Reader
) -> Request:
    """Prepare to scan what changed in a watched folder, and nothing else of it."""
    parts: list[Part] = []
    for deep in (True, False):
        places = [each for each in looked if each.deep is deep]
        if places:
            scan = catalog.scans.begin(folder_id, reader)
            found = [file for each in places for file in each.found]
            sources = [each.directory for each in places]
            parts.append(Part(sources, deep, True, scan, found))
    # Where all of it happened, if that is one place.
    name = folder.name if len(looked) > 1 else Path(looked[0].directory).name
    return Request(reader, parts, watched=name or str(folder))


class Walk(threading.Thread):
    """Walks the parts of one request and lays groups of files ready, in batches.

    It is never more than a few batches ahead of whoever takes them in.

    Thread: its own; ``wake`` is called there.
    """

    def __init__(self, request: Request, wake: Callable[[], None]) -> None:
        super().__init__(name="curator-walk", daemon=True)
        self.request = request
        self.done = False
        self._wake = wake
        self._batches: SimpleQueue[tuple[Part, list[FileGroup]]] = SimpleQueue()
        self._ahead: threading.Semaphore | None = threading.Semaphore(_AHEAD)
        self._stopped = False

    def walk_here(self) -> None:
        """Walk on the calling thread, without waiting for batches to be taken."""
        self._ahead = None
        self.run()

    def take(self) -> tuple[Part, list[FileGroup]] | None:
        """Take a batch in; None if there is none now."""
        try:
            batch = self._batches.get_nowait()
        except Empty:
            return None
        if self._ahead is not None:
            self._ahead.release()
        return batch

    def waiting(self) -> bool:
        """Say whether there is something to take in."""
        return not self._batches.empty()

    def stop(self) -> None:
        """Have it end at the next batch."""
        self._stopped = True
        if self._ahead is not None:
            self._ahead.release()

    def run(self) -> None:
        """Walk everything; a folder that cannot be read is told of, and the rest goes on."""
        try:
            for part in self.request.parts:
                self._walk(part)
        except Exception:
            log.exception("the walk failed")
            self.request.problems.append("Curator made a mistake in a scan (see the log).")
        self.done = True
        self._wake()

    def _walk(self, part: Part) -> None:
        batch: list[FileGroup] = []
        wanted, since = _FIRST_BATCH, time.monotonic()
        request = self.request
        try:
            for group in files.pair(self._found(part)):
                if self._stopped:
                    return
                batch.append(group)
                if len(batch) >= wanted or time.monotonic() - since > _BATCH_S:
                    self._lay_ready(part, batch)
                    batch, wanted, since = [], _BATCH, time.monotonic()
        except KnownError as error:
            request.problems.append(str(error))
        if batch:
            self._lay_ready(part, batch)

    def _found(self, part: Part) -> Iterable[FoundFile]:
        if part.found is not None:
            return part.found
        return files.walk(part.sources, part.recursive, self.request.report)

    def _lay_ready(self, part: Part, batch: list[FileGroup]) -> None:
        if self._ahead is not None:
            self._ahead.acquire()
        self._batches.put((part, batch))
        self._wake()


class Scanner:
    """Scans requested folders one request after the other.

    Thread: the conductor's, which owns the catalog.
    """

    def __init__(
        self,
        catalog: Catalog,
        wake: Callable[[], None],
        readers: Readers,
        inline: bool,
        is_here: Callable[[int | None, Reader], bool],
    ) -> None:
        """Make a scanner.

        Args:
            catalog: what is found goes there.
            wake: has the conductor look what came; any thread.
            readers: read what tells files apart.
            inline: walk on the calling thread.
            is_here: says whether a folder is here: nothing is missing in one that is away.
        """
        self._catalog = catalog
        self._wake = wake
        self._readers = readers
        self._inline = inline
        self._is_here = is_here
        self._queued: list[Request] = []
        self._walk: Walk | None = None
        self._unsaid: Request | None = None  # ended; what its headers tell is to be said
        # Read, or drawn: to be taken in (again). None: what tells how a scan ended was looked at.
        self._ready: SimpleQueue[Batch | None] = SimpleQueue()
        self._reading = 0
        self._alone_until: float | None = None  # the first photos, until one of them was read
        self._lead_until = 0.0  # in this scan: photos not read yet go first
        self._new = self._read = 0  # photos, in this scan
        self._chance = random.Random()

    def ask(self, request: Request) -> None:
        """Scan this after what was asked for before."""
        self._queued.append(request)
        self._next()

    @property
    def busy(self) -> bool:
        """Whether a scan is under way."""
        return self._walk is not None

    @property
    def asked(self) -> bool:
        """Whether a scan is under way that somebody asked for."""
        return self._walk is not None and not self._walk.request.watched

    @property
    def waiting(self) -> bool:
        """Whether :meth:`advance` has something to do right now."""
        if self._is_to_be_said():
            return True
        if self._walk is None or self._gives_way():
            return False
        if not self._ready.empty() or (self._reading < _AHEAD and self._walk.waiting()):
            return True
        return self._walk.done and not self._reading  # its end is to be noticed

    def go_on(self) -> None:
        """Take note that a photo was read: the first ones need not go alone any more."""
        self._alone_until = 0.0
        self._read += 1

    def _gives_way(self) -> bool:
        """Say whether photos that were found are to be read before more are."""
        now = time.monotonic()
        ahead = self._read < _SCREENS and self._new - self._read >= _LEAD
        return now < (self._alone_until or 0.0) or (ahead and now < self._lead_until)

    def advance(self) -> tuple[list[int], ScanReport | None]:
        """Take one batch in, in one short transaction.

        Returns:
            Ids of photos that are new or changed, and the report if this was the end of a scan,
            or if by now the headers of all it found are read.

        Raises:
            CatalogError: the catalog cannot be written; the batch is taken in the next time.
        """
        if self._is_to_be_said():
            return [], self._say_again()
        if self._walk is None:
            return [], None
        request = self._walk.request
        done = self._walk.done  # before taking: batches are laid ready before it is set
        batch = self._next_batch()
        if batch is not None:
            return self._take_in(request, batch), None
        if not done or self._reading:
            return [], None
        if request.drawn:
            self._lay_drawn(request)
            return [], None
        if not self._finish(request):
            return [], None
        return self._end(request)

    def _finish(self, request: Request) -> bool:
        """Note what is missing in the parts; False if first it has to be looked at."""
        for part in request.parts:
            folder = part.scan.folder_id
            try:
                request.changed += part.scan.finish(
                    part.sources,
                    part.found is None or part.recursive,
                    partial(self._is_here, folder, request.reader),
                )
            except Unread as unread:
                self._reading += 1
                self._readers.start(request.reader, unread, self._laying(None))
                return False
        return True

    def _end(self, request: Request) -> tuple[list[int], ScanReport]:
        report = request.told(self._catalog)
        if not request.watched:
            self._unsaid = request if self._catalog.scans.awaits_headers() else None
        self._walk = None  # from here on nothing can keep the next from its turn
        request.done()
        self._next()
        return request.changed, report

    def _is_to_be_said(self) -> bool:
        return self._unsaid is not None and not self._catalog.scans.awaits_headers()

    def _say_again(self) -> ScanReport | None:
        """Tell of a scan again now that all headers are read, if they told more than it did."""
        request, self._unsaid = self._unsaid, None
        assert request is not None
        if not self._catalog.scans.counts_outdated([part.scan for part in request.parts]):
            return None
        return replace(request.told(self._catalog), again=True)

    def give_up(self, away: Sequence[FolderRow]) -> None:
        """Scan folders no more that went away: a walk there may never end.

        Of several folders the others are scanned; where there is none, that was all.
        """
        gone = {row.id: row for row in away}
        for queued in self._queued:
            self._let_go(queued, gone)
        if self._walk is None or not self._let_go(self._walk.request, gone):
            return
        request = self._walk.request
        self._walk.stop()
        self._ready, self._reading = SimpleQueue(), 0
        self._walk, request.drawn, request.unknown = None, [], 0
        if request.parts:
            request.report = WalkReport()  # what is left is walked from its beginning
        self._queued.insert(0, request)
        self._next()

    @staticmethod
    def _let_go(request: Request, away: Mapping[int, FolderRow]) -> bool:
        """Take the parts in folders that are away out of a request; say whether there were any."""
        gone = [part for part in request.parts if part.scan.folder_id in away]
        request.problems += [_not_there(away[part.scan.folder_id or 0]) for part in gone]
        request.parts = [part for part in request.parts if part not in gone]
        return bool(gone)

    def _next_batch(self) -> Batch | None:
        if not self._ready.empty():
            batch = self._ready.get_nowait()
            self._reading -= batch is None or bool(batch.read)
            return batch
        if self._walk is None or self._reading >= _AHEAD:
            return None
        walked = self._walk.take()
        return None if walked is None else Batch(*walked, walked[0].add)

    def _take_in(self, request: Request, batch: Batch) -> list[int]:
        """Take a batch in, or have read first what it takes to tell its files apart."""
        try:
            applied = batch.part.scan.apply(batch.groups, batch.add)
        except Unread as unread:
            batch.read += unread.wanted
            self._reading += 1
            self._readers.start(request.reader, unread, self._laying(batch))
            return []
        except CatalogError:
            self._reading += bool(batch.read)
            self._ready.put(batch)
            raise
        request.reader.forget(batch.read)
        if applied.new and not self._inline:
            now = time.monotonic()
            if self._alone_until is None:
                self._alone_until = now + _FIRST_S
            if not self._new:
                self._lead_until = now + _SCREENS_S
            self._new += len(applied.new)
        if request.sample is not None and not batch.add:
            request.draw(batch.part, applied.left, self._chance)
        return [*applied.new, *applied.changed]

    def _laying(self, batch: Batch | None) -> Callable[[], None]:
        """Give what lays a batch ready that can be told apart now, or the end; any thread."""
        ready = self._ready  # of this scan: it may be given up meanwhile

        def lay() -> None:
            ready.put(batch)
            self._wake()

        return lay

    def _lay_drawn(self, request: Request) -> None:
        """Lay the sample ready, to be made photos of."""
        for part in request.parts:
            groups = [group for owner, group in request.drawn if owner is part]
            for start in range(0, len(groups), _BATCH):
                self._ready.put(Batch(part, groups[start : start + _BATCH], True))
        request.drawn = []

    def stop(self) -> None:
        """Have the walk end; its thread may sit in a slow directory and is not waited for."""
        if self._walk is not None:
            self._walk.stop()

    def _next(self) -> None:
        if self._walk is not None or not self._queued:
            return
        self._walk, self._new, self._read = Walk(self._queued.pop(0), self._wake), 0, 0
        if self._inline:
            self._walk.walk_here()
        else:
            self._walk.start()
