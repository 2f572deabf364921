"""Running an import: read each card once, feed the destinations, record what they verified.

    run = ImportRun(plan, catalog, progressed=show, give_way=reads_on_screen, waits=True)
    report = run.run()          # blocks; pause(), resume() and stop() from any thread

The thread of :meth:`ImportRun.run` reads the cards, one file after the other, and hashes the bytes
while the lanes (`lanes`) write them. A file goes to all destinations that can take it now; one that
is slower or away gets it later, from a second reading, so that it holds up no other. Two readings
that differ mean a failing card. What is verified is recorded in the catalog (`outcomes`); what is
not recorded is proved again by the next import, and never copied twice.
"""

from __future__ import annotations

import contextlib
import errno
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from queue import Empty, SimpleQueue

from curator import cards
from curator.catalog import Catalog
from curator.importing.anchor import Anchor
from curator.importing.checksums import checksum_list, list_name
from curator.importing.credits import write_sidecars
from curator.importing.destinations import is_on
from curator.importing.lanes import Job, Lane, Outcome, Result, Writing
from curator.importing.outcomes import Outcomes
from curator.importing.plan import Action, ImportPlan
from curator.importing.reading import ReadError, Reading
from curator.importing.report import DestinationState, ImportProgress, ImportReport, slowest
from curator.model import KnownError
from curator.sidecar import PROFILES

_ATTEMPTS = 2
_PROGRESS_S = 0.25
_CHECK_S = 1.0  # how often to look for a card or a drive that is away
_TURN_S = 0.02
_LEAVING_S = 0.5
_PUT_S = 0.1
_STALL_S = 0.5  # how long a destination without room may hold up the others
_GIVE_WAY_S, _GIVE_WAY_TURN_S = 0.1, 0.01  # per block, while photos on screen are read
_DIFFERS = "Two readings of it differ: the card or its reader may be failing."


class _StoppedError(Exception):
    """The person stopped the import."""


class ImportRun:
    """One import, run once.

    Thread: :meth:`run` on one thread, which owns the catalog; the others on any.
    """

    def __init__(
        self,
        plan: ImportPlan,
        catalog: Catalog,
        *,
        progressed: Callable[[ImportProgress], None] = lambda progress: None,
        give_way: Callable[[], bool] = lambda: False,
        waits: bool = False,
        profile: str = "lightroom",
    ) -> None:
        """Prepare; nothing is touched before :meth:`run`.

        Args:
            plan: what to do.
            catalog: where verified copies and the report are recorded.
            progressed: called at most four times a second.
            give_way: whether a photo on screen waits to be read; asked before each block.
            waits: wait for a card or a destination that is away; otherwise end without it.
            profile: of the editor that reads the sidecars, if the request asks for them.
        """
        self._plan, self._catalog = plan, catalog
        self._progressed, self._give_way, self._waits = progressed, give_way, waits
        self._profile = PROFILES[profile]
        self._going = threading.Event()
        self._going.set()
        self._stopping = False
        self._results: SimpleQueue[Result] = SimpleQueue()
        self._cards: dict[Path, Anchor] = {}
        self._labels: list[str] = []  # of the cards
        self._are_cards = True
        self._gone: set[Path] = set()  # cards that were pulled out
        self._lanes: list[Lane] = []
        self._todo: list[dict[int, Job]] = []  # by lane, in order
        self._current = ""
        self._looked_at = self._shown_at = 0.0

    # --- any thread

    def pause(self) -> None:
        """Stop reading after the present block, until :meth:`resume`."""
        self._going.clear()

    def resume(self) -> None:
        """Continue after :meth:`pause`."""
        self._going.set()

    def stop(self) -> None:
        """End soon; what is verified stays, and the next import continues from there."""
        self._stopping = True
        self._going.set()

    # --- the run

    def run(self) -> ImportReport:
        """Copy and verify everything; return what is where.

        Raises:
            KnownError: a card or a destination cannot be opened, or the catalog cannot be written;
                nothing was copied.
        """
        begun = time.time()
        try:
            self._open()
            why = self._work()
            lists = [self._complete(lane, list_name(begun)) for lane in self._lanes]
        finally:
            for lane in self._lanes:
                lane.finish()
                lane.close()
        report = replace(
            self._outcomes.report(lists, why), cards=tuple(self._labels), are_cards=self._are_cards
        )
        self._catalog.imports.finish(report.run_id, report.summary())
        return report

    def _work(self) -> str:
        """Copy everything; return why it ended early, or empty."""
        self._outcomes = Outcomes(self._plan, self._catalog, self._lanes)
        self._todo = [self._outcomes.wanted(lane) for lane in self._lanes]
        why = ""
        try:
            self._copy_all()
        except _StoppedError:
            why = "It was stopped."
        for lane in self._lanes:
            lane.finish()
        self._collect()
        self._outcomes.record(now=True)
        return why or self._waiting()

    def _open(self) -> None:
        planned = (file.name for item in self._plan.items for file in item.files)
        folders = {".", *(str(PurePosixPath(name).parent) for name in planned)}
        path = Path()
        try:
            for path in self._plan.request.cards:
                self._cards[path] = Anchor(path)
                card = cards.card_of(path)
                self._labels.append(card.label if card is not None else path.name)
                self._are_cards &= card is not None
            for index, path in enumerate(self._plan.request.destinations):
                is_new = self._make_folder(path)
                if not index:
                    self._catalog.imports.add_library(path, is_new)
                lane = Lane(index, Anchor(path), self._results)
                self._lanes.append(lane)
                lane.sweep(folders)
        except OSError as error:
            raise KnownError(
                f"{path} cannot be used ({error.strerror or error}).",
                "Check that its drive is connected, or choose another folder.",
            ) from error

    def _make_folder(self, path: Path) -> bool:
        """Create a destination, but not at the empty mount point of a drive that left meanwhile.

        Returns:
            Whether it is new, or empty.
        """
        device = next((room.device for room in self._plan.rooms if room.destination == path), 0)
        if device and not is_on(path, device):
            raise OSError(errno.ENODEV, "its drive is no longer connected", str(path))
        path.mkdir(parents=True, exist_ok=True)
        return not any(path.iterdir())

    def _complete(self, lane: Lane, name: str) -> str:
        """Write sidecars, where asked for, and the checksum list; return the path of the list.

        The list is left out if nothing is new, and so are sidecars that state more than the card's.
        A destination that does not answer is left alone.
        """
        if lane.is_silent:
            return ""
        try:
            items = self._outcomes.items_at(lane)
            credited = write_sidecars(self._plan.request, lane.anchor.path, items, self._profile)
            self._outcomes.note_sidecars(lane, credited)
            copies = [copy for copies in items for copy in copies]
            listed = [copy for copy in copies if copy.name not in credited.changed]
            return lane.write_file(name, checksum_list(listed)) if copies else ""
        except (OSError, KnownError) as error:  # full or away; the report says so
            self._outcomes.problems.append(f"{lane.anchor.label}: {error}")
            return ""

    def _copy_all(self) -> None:
        while True:
            self._turn()
            job, lanes = self._choose()
            if job is not None:
                self._copy(job, lanes)
            elif not self._may_continue():
                return
            else:
                self._collect(_TURN_S)

    def _turn(self) -> None:
        """Take in results, record them, show progress; wait here while paused.

        Raises:
            _StoppedError: the person stopped the import.
        """
        self._collect()
        self._outcomes.record()
        self._show()
        while not self._going.wait(_PROGRESS_S):
            self._collect()
            self._outcomes.record()
            self._show()
        if self._stopping:
            raise _StoppedError

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown_at < _PROGRESS_S:
            return
        self._shown_at = now
        places = self._outcomes.progress()
        paused = not self._going.is_set()
        self._progressed(
            ImportProgress(tuple(places), paused, self._waiting(), slowest(places), self._current)
        )

    def _waiting(self) -> str:
        """Return why files cannot be read, or empty."""
        gone = [self._cards[card].label for card in self._cards if card in self._gone]
        return f"{' and '.join(gone)} was removed. Insert it again to continue." if gone else ""

    # --- what is next

    def _choose(self) -> tuple[Job | None, list[Lane]]:
        """Return the next file to read, and the destinations that can take it now.

        The destination that is furthest decides. A slower one joins in when it can, and gets what
        it missed at the end.
        """
        ready = [lane for lane in self._lanes if lane.is_ready and self._todo[lane.index]]
        for lane in sorted(ready, key=lambda lane: len(self._todo[lane.index])):
            todo = self._todo[lane.index]
            number = next((n for n, job in todo.items() if self._can_start(lane.index, job)), None)
            if number is None:
                continue
            job = todo[number]
            lanes = [
                each
                for each in ready
                if number in self._todo[each.index] and self._can_start(each.index, job)
            ]
            for each in lanes:
                del self._todo[each.index][number]
            return job, lanes
        return None, []

    def _can_start(self, lane: int, job: Job) -> bool:
        """Whether a file can be read now, and nothing before it has the same name."""
        if self._gone and self._source(job) is None:
            return False
        return job.after is None or not self._outcomes.is_open(lane, job.after)

    def _source(self, job: Job) -> Path | None:
        """Return where a file can be read: the card, or a verified copy while that is away."""
        file = job.planned.file
        if file.card not in self._gone:
            return Path(self._cards[file.card].path, *file.relative.split("/"))
        copy = self._outcomes.copy_of(job)
        return None if copy is None else Path(copy.path)

    def _may_continue(self) -> bool:
        """Whether there is, or may be, something left to do; look for what is away."""
        if any(lane.in_flight and not lane.is_silent for lane in self._lanes):
            return True
        if not any(self._todo) and not any(lane.in_flight for lane in self._lanes):
            return False
        if time.monotonic() - self._looked_at < _CHECK_S:
            return True
        self._looked_at = time.monotonic()
        return self._find_again() or self._waits

    def _find_again(self) -> bool:
        """Look for cards and destinations that are away; return whether one is back."""
        back = {card for card in self._gone if self._cards[card].find_again()}
        self._gone -= back
        for lane, todo in zip(self._lanes, self._todo, strict=True):
            if lane.state is not DestinationState.COPYING and todo:
                needed = next(iter(todo.values())).planned.file.size
                back |= {lane.anchor.path} if lane.reopen(needed) else set()
        return bool(back)

    # --- one file

    def _copy(self, job: Job, lanes: Sequence[Lane]) -> None:
        """Read one file and feed it to the destinations that copy or check it."""
        self._current = job.planned.file.relative
        writings = {
            lane: lane.begin(job) for lane in lanes if job.actions[lane.index] is Action.COPY
        }
        checking = [lane for lane in lanes if lane not in writings]
        card, whole = job.planned.file.card, False
        try:
            self._read(job, dict(writings))
            whole = True
        except ReadError as error:
            if card in self._gone or not self._is_leaving(card):
                for lane in lanes:
                    self._attempt_failed(lane.index, job, str(error))
            else:
                self._gone.add(card)
        finally:
            for writing in writings.values():
                writing.end(whole)
            for lane in checking:
                if whole:
                    lane.check(job)
                else:
                    self._again(lane.index, job)

    def _is_leaving(self, card: Path) -> bool:
        """Whether a card whose file could not be read is being pulled out.

        Its files fail at once, but it stays mounted until the desktop unmounts it.
        """
        until = time.monotonic() + _LEAVING_S
        while self._cards[card].is_here():
            if time.monotonic() > until:
                return False
            time.sleep(_TURN_S)
        return True

    def _read(self, job: Job, writings: dict[Lane, Writing]) -> None:
        """Read a file once, feeding its blocks; set its hash and fingerprint.

        Raises:
            ReadError: it cannot be read, changes, or differs from an earlier reading.
            _StoppedError: the person stopped the import.
        """
        source = self._source(job)
        assert source is not None
        reading = Reading(source, again=bool(job.sha256 or job.attempts))
        for block in reading.blocks():
            self._turn()
            self._wait_for_screen()
            self._feed(writings, block)
        known, job.sha256, job.fingerprint = job.sha256, reading.sha256, reading.fingerprint
        if known and known != reading.sha256:
            for todo in self._todo:
                todo.pop(job.number, None)
            self._outcomes.doubt(job, _DIFFERS)
            raise ReadError(_DIFFERS)
        if not known and reading.fingerprint != job.planned.fingerprint:
            raise ReadError(_DIFFERS)

    def _feed(self, writings: dict[Lane, Writing], block: bytes) -> None:
        """Hand a block to the lanes; one that holds up the others loses this file for now."""
        for lane, writing in list(writings.items()):
            begun = time.monotonic()
            while not writing.put(block, _PUT_S):
                self._turn()
                stalled = time.monotonic() - begun > _STALL_S
                if stalled and (lane.is_silent or any(each.is_starving for each in writings)):
                    writings.pop(lane).end(whole=False)
                    break

    def _wait_for_screen(self) -> None:
        """Let photos on screen be read first, for a moment."""
        until = time.monotonic() + _GIVE_WAY_S
        while self._give_way() and time.monotonic() < until:
            time.sleep(_GIVE_WAY_TURN_S)

    # --- results

    def _collect(self, timeout_s: float = 0.0) -> None:
        """Take in the results of the lanes; wait for the first up to ``timeout_s``."""
        with contextlib.suppress(Empty):
            self._take(self._results.get(bool(timeout_s), timeout_s))
            while True:
                self._take(self._results.get_nowait())

    def _take(self, result: Result) -> None:
        lane, job = result.lane, result.job
        self._lanes[lane].in_flight -= 1
        if result.copy is not None:
            found = result.outcome is Outcome.CHECKED
            if not self._outcomes.has_failed(lane, job):
                self._outcomes.verified(lane, job, result.copy, found)
            return
        if result.outcome is Outcome.OTHER:
            job.actions[lane] = Action.COPY
        elif result.outcome is Outcome.UNEQUAL:
            label = self._lanes[lane].anchor.label
            reason = f"It reads back differently from {label}: the drive may be failing."
            self._attempt_failed(lane, job, reason)
        elif result.outcome is Outcome.FAILED:
            self._attempt_failed(lane, job, result.reason)
        self._again(lane, job)

    def _attempt_failed(self, lane: int, job: Job, reason: str) -> None:
        """Count a failed attempt; give the file up after the last."""
        job.attempts[lane] = job.attempts.get(lane, 0) + 1
        if job.attempts[lane] >= _ATTEMPTS:
            self._outcomes.failed(lane, job, reason)

    def _again(self, lane: int, job: Job) -> None:
        """Put a file back among those to do, unless it was given up."""
        if not self._outcomes.has_failed(lane, job):
            self._todo[lane][job.number] = job
