"""An engine that plans and copies nothing, for tests of the window around an import.

Tests that copy files use `curator.importing` itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from curator.cards import Card
from curator.catalog import Catalog
from curator.importing.card_files import CardContents, CardFile, CardItem, ItemKind
from curator.importing.plan import Action, ImportPlan, PlannedFile, PlannedItem, Room
from curator.importing.report import (
    DestinationProgress,
    DestinationReport,
    DestinationState,
    FileFailure,
    ImportProgress,
    ImportReport,
)
from curator.importing.request import ImportRequest
from curator.model import KnownError
from curator.volumes import Mount


def card(path: Path, label: str = "EOS_DIGITAL") -> Card:
    """Return a card that is mounted at a path."""
    return Card(Mount("/dev/sdx", str(path), "exfat", f"key {label}", label, True, False))


class FakeRun:
    """An import that advances only when a test says so."""

    def __init__(self, engine: FakeEngine, plan: ImportPlan) -> None:
        self._engine, self._plan = engine, plan
        self.calls: list[str] = []
        self.may_end = threading.Event()

    def run(self) -> ImportReport:
        assert self.may_end.wait(60)
        if isinstance(self._engine.report, Exception):
            raise self._engine.report
        return self._engine.report

    def pause(self) -> None:
        self.calls.append("pause")
        self._engine.show(paused=True)

    def resume(self) -> None:
        self.calls.append("resume")
        self._engine.show()

    def stop(self) -> None:
        self.calls.append("stop")
        self.may_end.set()


class FakeEngine:
    """Plans imports of invented photos, and runs them without copying.

    Attributes:
        photos: how many photos are on each card.
        free: the room at each destination, in bytes.
        asked: the requests planned so far.
        renamed: for the plan.
        problem: why no plan can be made; empty to make it.
        report: the result of the next import, or its error.
        runs: the imports started so far.
    """

    def __init__(self) -> None:
        self.photos, self.free = 904, 1 << 40
        self.asked: list[ImportRequest] = []
        self.renamed: list[tuple[str, str]] = []
        self.problem = ""
        self.report: ImportReport | Exception = safe_report()
        self.runs: list[FakeRun] = []
        self._progressed: Callable[[ImportProgress], None] = lambda _: None

    def plan(
        self,
        request: ImportRequest,
        catalog: Catalog,
        progressed: Callable[[int, int], None],
        stopped: Callable[[], bool],
    ) -> ImportPlan:
        self.asked.append(request)
        if self.problem:
            raise KnownError(self.problem)
        items = [self._item(request, root, n) for root in request.cards for n in range(self.photos)]
        plan = ImportPlan(request, CardContents([item.item for item in items]), items)
        plan.renamed = self.renamed
        needed = sum(item.bytes for item in plan.contents.items)
        plan.rooms = [Room(each, needed, self.free) for each in request.destinations]
        return plan

    @staticmethod
    def _item(request: ImportRequest, root: Path, number: int) -> PlannedItem:
        name = f"IMG_{number + 1:04d}.CR3"
        file = CardFile(root, f"DCIM/100CANON/{name}", 24_000_000, 0)
        folder = "2026/2026-11-22" if "{date" in request.folders else request.job
        copies = len(request.destinations)
        planned = PlannedFile(
            file, f"{number}", f"{folder}/{name}", (Action.COPY,) * copies, (None,) * copies
        )
        return PlannedItem(CardItem(ItemKind.PHOTO, (file,), 1), (planned,))

    def start(
        self, plan: ImportPlan, catalog: Catalog, progressed: Callable[[ImportProgress], None]
    ) -> FakeRun:
        self._progressed = progressed
        self.runs.append(FakeRun(self, plan))
        return self.runs[-1]

    def show(self, *, files: int = 320, paused: bool = False, reason: str = "") -> None:
        """Report progress of the import that runs, with two destinations."""
        self._progressed(
            ImportProgress(
                (
                    progress("/photos/library", files, 84_000_000, 360),
                    progress("/backup/T7", files // 2, 42_000_000, 700),
                ),
                paused,
                reason,
                slowest=1,
                current="DCIM/100CANON/IMG_0321.CR3",
            )
        )

    def forget(self) -> None:
        """Do nothing: nothing was read."""


def progress(path: str, files: int, rate: float, left_s: float) -> DestinationProgress:
    """Return the progress of one destination of 904 files."""
    return DestinationProgress(
        Path(path),
        DestinationState.COPYING,
        files,
        904,
        files * 24_000_000,
        904 * 24_000_000,
        rate,
        left_s,
    )


def safe_report() -> ImportReport:
    """Return the report of an import after which the card may be formatted."""
    places = (
        DestinationReport("/photos/library", verified=904, bytes=904 * 24_000_000),
        DestinationReport("/backup/T7", verified=900, checked=4, bytes=904 * 24_000_000),
    )
    return ImportReport(7, 904, 904, places, cards=("EOS_DIGITAL",), are_cards=True)


def unsafe_report() -> ImportReport:
    """Return the report of an import that could not read a file."""
    name, reason = "DCIM/100CANON/IMG_0412.CR3", "It cannot be read (Input/output error)."
    failures = tuple(FileFailure(name, at, reason) for at in ("/photos/library", "/backup/T7"))
    places = (
        DestinationReport("/photos/library", verified=903, failed=1, bytes=903 * 24_000_000),
        DestinationReport("/backup/T7", verified=903, failed=1, bytes=903 * 24_000_000),
    )
    left = (f"1 file failed ({name})",)
    cards = ("EOS_DIGITAL",)
    return ImportReport(
        8, 903, 903, places, cards=cards, are_cards=True, failures=failures, left=left
    )
