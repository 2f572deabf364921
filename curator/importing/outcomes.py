"""What became of each file of an import at each destination; records it, and sums it up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from curator.catalog import Catalog, VerifiedCopy
from curator.files import kind_of
from curator.importing.credits import Credited
from curator.importing.lanes import Job, Lane
from curator.importing.plan import ImportPlan, PlannedFile, PlannedItem, counted_items
from curator.importing.report import (
    DestinationProgress,
    DestinationReport,
    DestinationState,
    FileFailure,
    ImportReport,
    shortened,
)
from curator.model import Kind, KnownError, counted

_RECORD_S, _RECORD_FILES = 0.5, 64
_RATE_S = 5.0


@dataclass(eq=False)
class _Place:
    """The outcomes at one destination, by file."""

    lane: Lane
    jobs: Sequence[Job]
    copies: dict[Job, VerifiedCopy] = field(default_factory=dict)
    kept: set[Job] = field(default_factory=set)
    found: set[Job] = field(default_factory=set)  # there already, and equal
    failed: dict[Job, str] = field(default_factory=dict)
    done_bytes: int = 0
    sidecars: int = 0
    rates: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def wanted(self) -> int:
        return len(self.jobs) - len(self.kept)

    @property
    def wanted_bytes(self) -> int:
        return sum(job.planned.file.size for job in self.jobs if job not in self.kept)

    @property
    def verified(self) -> int:
        """The number of files verified in this import."""
        return len(self.copies) - len(self.kept)

    @property
    def unfinished(self) -> int:
        return self.wanted - self.verified - len(self.failed)


class Outcomes:
    """The outcomes of one import.

    Thread: the run's.

    Attributes:
        run_id: the id of the import in the catalog.
        jobs: the files of all items, in order.
        problems: what else went wrong, a sentence each.
    """

    def __init__(self, plan: ImportPlan, catalog: Catalog, lanes: Sequence[Lane]) -> None:
        """Begin to record an import.

        Raises:
            CatalogError: the catalog cannot be written.
        """
        self._plan, self._catalog = plan, catalog
        self._begun = time.time()
        planned = ((file, _kind(item, file)) for item in plan.items for file in item.files)
        self.jobs = [
            Job(number, file, kind, list(file.actions))
            for number, (file, kind) in enumerate(planned)
        ]
        named: dict[str, Job] = {}
        for job in self.jobs:
            job.after = named.get(job.planned.name)
            named[job.planned.name] = job
        self._places = [_Place(lane, self.jobs) for lane in lanes]
        for place in self._places:
            for job in self.jobs:
                copy = job.planned.verified[place.lane.index]
                if copy is not None:
                    place.copies[job] = copy
                    place.kept.add(job)
        self._totals = [place.wanted_bytes for place in self._places]
        self._unrecorded: list[VerifiedCopy] = []
        self._doubted: list[VerifiedCopy] = []  # no longer vouched for
        self._recorded_at = time.monotonic()
        self._unrecordable = ""
        self.problems: list[str] = []
        volumes = dict(filter(None, (lane.anchor.on_volume() for lane in lanes)))
        request = {**plan.request.as_json(), "files": len(self.jobs)}
        self._was_killed = catalog.imports.unfinished() is not None
        self.run_id = catalog.imports.begin(request, plan.request.job, volumes)

    # --- as it happens

    def wanted(self, lane: Lane) -> dict[int, Job]:
        """Return the files to copy or to check at a destination, numbered in order."""
        kept = self._places[lane.index].kept
        return {job.number: job for job in self.jobs if job not in kept}

    def verified(self, lane: int, job: Job, copy: VerifiedCopy, found: bool) -> None:
        """Note that a file is verified; ``found``: it was there already."""
        place = self._places[lane]
        place.copies[job] = copy
        place.failed.pop(job, None)
        if found:
            place.found.add(job)
        place.done_bytes += copy.size
        self._unrecorded.append(copy)

    def failed(self, lane: int, job: Job, reason: str) -> None:
        """Note that a file was given up at a destination."""
        self._places[lane].failed[job] = reason

    def doubt(self, job: Job, reason: str) -> None:
        """Vouch for a file nowhere any more: which of its readings was right is not known."""
        for place in self._places:
            copy = place.copies.pop(job, None)
            if copy is not None:
                place.done_bytes -= copy.size
                self._doubted.append(copy)
            place.found.discard(job)
            place.failed[job] = reason

    def has_failed(self, lane: int, job: Job) -> bool:
        """Whether a file was given up at a destination."""
        return job in self._places[lane].failed

    def is_open(self, lane: int, job: Job) -> bool:
        """Whether a file is neither verified nor given up at a destination."""
        place = self._places[lane]
        return job not in place.copies and job not in place.failed

    def copy_of(self, job: Job) -> VerifiedCopy | None:
        """Return a verified copy of a file, at any destination."""
        copies = (place.copies.get(job) for place in self._places)
        return next((copy for copy in copies if copy is not None), None)

    def record(self, now: bool = False) -> None:
        """Record verified copies in the catalog, some at a time; ``now``: all of them.

        While the catalog cannot be written, they are kept and tried again: they are on disk.
        """
        late = time.monotonic() - self._recorded_at > _RECORD_S
        waiting = len(self._unrecorded) + len(self._doubted)
        if not waiting or not (now or late or waiting >= _RECORD_FILES):
            return
        self._recorded_at = time.monotonic()
        try:
            library = str(self._places[0].lane.anchor.path)
            self._catalog.imports.record(self.run_id, self._unrecorded, library)
            self._catalog.imports.forget(self._doubted)
        except KnownError as error:
            self._unrecordable = f"Verified copies could not be recorded in the catalog: {error}"
            return
        self._unrecorded, self._doubted, self._unrecordable = [], [], ""

    def progress(self) -> list[DestinationProgress]:
        """Return the progress of each destination."""
        return [self._progress(place) for place in self._places]

    def _progress(self, place: _Place) -> DestinationProgress:
        lane, now = place.lane, time.monotonic()
        rates, total = place.rates, self._totals[lane.index]
        rates.append((now, lane.written))
        while now - rates[0][0] > _RATE_S:
            rates.popleft()
        seconds, moved = now - rates[0][0], lane.written - rates[0][1]
        rate = moved / seconds if seconds > 0.5 else 0.0
        state, left = lane.state, total - place.done_bytes
        if state is DestinationState.COPYING and not place.unfinished:
            state = DestinationState.DONE
        return DestinationProgress(
            lane.anchor.path, state, place.verified, place.wanted, place.done_bytes, total, rate,
            left / rate if rate and state is DestinationState.COPYING else None,
            len(place.failed), lane.trouble,
        )  # fmt: skip

    # --- in the end

    def items_at(self, lane: Lane) -> list[list[VerifiedCopy]]:
        """Return the copies of each item at a destination, main file first; none if none is new.

        What an import verified that was killed has no checksum list and no sidecars yet.
        """
        place, jobs = self._places[lane.index], iter(self.jobs)
        if not place.verified and not self._was_killed:
            return []
        items = [list(islice(jobs, len(item.files))) for item in self._plan.items]
        return [[place.copies[job] for job in item if job in place.copies] for item in items]

    def note_sidecars(self, lane: Lane, credited: Credited) -> None:
        """Note the sidecars that were written at a destination."""
        self._places[lane.index].sidecars = len(credited.changed) + len(credited.created)
        self.problems += [f"{name}: {reason}" for name, reason in credited.problems]
        if credited.without:
            without = counted(len(credited.without), "photo")
            self.problems.append(
                f"{without} at {lane.anchor.label} got no sidecar: the app chosen in the settings"
                " reads none beside JPEG, TIFF, DNG and HEIC files."
            )

    def report(self, lists: Sequence[str], why: str) -> ImportReport:
        """Return the report, without the names of the cards.

        Args:
            lists: the path of the checksum list of each destination, or empty.
            why: why the import ended early, empty if it did not.
        """
        failures = tuple(
            FileFailure(job.planned.file.relative, str(place.lane.anchor.path), reason)
            for place in self._places
            for job, reason in place.failed.items()
        )
        unfinished = any(place.unfinished for place in self._places)
        everywhere = {
            job for job in self.jobs if all(job in place.copies for place in self._places)
        }
        done = {job.planned for job in everywhere}
        places = [
            self._destination(place, checksums, why)
            for place, checksums in zip(self._places, lists, strict=True)
        ]
        return ImportReport(
            run_id=self.run_id,
            photos=sum(
                all(planned in done for planned in item.files)
                for item in self._plan.items
                if item.item.photo_files
            ),
            files=len(everywhere),
            destinations=tuple(places),
            known=len(self._plan.known),
            failures=failures,
            left=tuple(self._left(failures, places)),
            complete=not unfinished,
            problems=tuple(filter(None, (self._unrecordable, *self.problems))),
            seconds=round(time.time() - self._begun, 3),
        )

    def _destination(self, place: _Place, checksums: str, why: str) -> DestinationReport:
        return DestinationReport(
            path=str(place.lane.anchor.path),
            verified=place.verified - len(place.found),
            checked=len(place.found),
            kept=len(place.kept),
            failed=len(place.failed),
            unfinished=place.unfinished,
            bytes=place.done_bytes,
            checksums=checksums,
            sidecars=place.sidecars,
            reason=(place.lane.trouble or why) if place.unfinished else "",
            cache_answered=any(copy.cache_answered for copy in place.copies.values()),
        )

    def _left(
        self, failures: Sequence[FileFailure], places: Sequence[DestinationReport]
    ) -> list[str]:
        """Return why the cards are not safe to format, a clause each."""
        plan, contents = self._plan, self._plan.contents
        left = [
            f"{counted(place.unfinished, 'file')} not copied to {place.path}"
            + (f" ({place.reason.rstrip('.')})" if place.reason else "")
            for place in places
            if place.unfinished
        ]
        if failures:
            paths = list(dict.fromkeys(failure.path for failure in failures))
            left.append(f"{counted(len(paths), 'file')} failed ({shortened(paths)})")
        unread = [path for path, _ in (*plan.unreadable, *contents.unreadable)]
        if unread:
            files = counted(len(unread), "file")
            left.append(f"{files} could not be read ({shortened(unread)})")
        deleted = [known.item for known in plan.known if known.deleted]
        unproved = [known.item for known in plan.known if not (known.proved or known.deleted)]
        if unproved:
            left.append(
                f"no verified copy of {counted_items(unproved)} in your library was found"
                " (check them before you format)"
            )
        if deleted:
            left.append(f"{counted_items(deleted)} you deleted before, not copied again")
        if plan.edited:
            files = counted(len(plan.edited), "file")
            left.append(f"{files} changed since they were imported ({shortened(plan.edited)})")
        if plan.held_back:
            left.append(f"{counted_items(plan.held_back)} not kept and not copied")
        if contents.others:
            others = [file.relative for file in contents.others]
            files = counted(len(others), "other file")
            left.append(f"{files} only on the card ({shortened(others)})")
        return left


def _kind(item: PlannedItem, file: PlannedFile) -> Kind | None:
    """Return the kind of a photo's file; None for a companion, a video or a recording."""
    if file not in item.files[: item.item.photo_files]:
        return None
    return kind_of(file.file.relative)
