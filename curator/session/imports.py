"""Importing from memory cards in the window: plans, one running import, and what follows it.

    imports.make_plan(request)          # planned(Planned): for the last request only
    imports.start(plan)                 # progressed, ended; goes on when the dialog closes
    imports.toggle_pause(); imports.stop()

When an import starts, its cards are opened as folders, so that the photographer culls while they
are copied. Once a card is away and everything on it was copied, the window shows the folder of the
copies instead. Nothing on a card is ever changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator import cards
from curator.cards import Card
from curator.catalog import FolderRow
from curator.catalog.imports import ImportRow
from curator.importing.report import DestinationReport, FileFailure, ImportProgress, ImportReport
from curator.importing.request import ImportRequest
from curator.model import KnownError, path_label
from curator.session.cards import CardWatcher
from curator.session.import_engine import ImportEngine
from curator.session.import_thread import (
    CardCopied,
    CardSettled,
    Ejected,
    Ended,
    ImportThread,
    News,
    Planned,
    ReadProgress,
)
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.sources import SourceController, folder_scope

if TYPE_CHECKING:
    from curator.importing.plan import ImportPlan

_SETTLE_MS = 2000  # how often to check whether the catalog knows that a card is away
_SETTLES = 30
_EARLIER = 20


@dataclass(frozen=True, slots=True)
class EarlierImport:
    """An import of this catalog; without a report it is running or was interrupted.

    ``files`` is how many it planned to copy; 0 if that is not known.
    """

    run_id: int
    started_at: float
    cards: tuple[str, ...]
    request: ImportRequest
    report: ImportReport | None
    files: int = 0


class ImportController(QObject):
    """Plans and runs the imports of one window, one at a time.

    Signals:
        planned(Planned): the answer to the last request for a plan.
        reading(ReadProgress): cards are being read for a plan.
        progressed: :attr:`progress` changed.
        changed: an import started or ended, or a card is about to be ejected.
        ended: an import ended; see :attr:`report` and :attr:`problem`.

    Attributes:
        progress: that of the import that runs or ran last; None before the first.
        report: that of the import that ran last in this window; None if there is none.
        problem: why the last import could not run, or empty.

    Thread: GUI only.
    """

    planned = Signal(object)
    reading = Signal(object)
    progressed = Signal()
    changed = Signal()
    ended = Signal()
    _news = Signal(object)

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        sources: SourceController,
        watcher: CardWatcher,
    ) -> None:
        super().__init__()
        self._catalog, self._messages = services.catalog, services.messages
        self._photos, self._sources, self._cards = photos, sources, watcher
        self._pipeline = services.pipeline
        self._thread = ImportThread(
            services.catalog.path, ImportEngine(services.settings, self._give_way), self._news.emit
        )
        self._plan: ImportPlan | None = None
        self._continued: ImportRequest | None = None
        self.is_running = self.is_stopping = False
        self.progress: ImportProgress | None = None
        self.report: ImportReport | None = None
        self.problem = ""
        self._news.connect(self._take)
        self._settles = 0
        self._settling = QTimer(self, interval=_SETTLE_MS)
        self._settling.timeout.connect(self._settle)
        watcher.card_gone.connect(self._on_card_gone)
        self._settle_soon()  # a card may have been removed after the last window closed

    # --- planning

    def make_plan(self, request: ImportRequest) -> None:
        """Plan an import in the background; :attr:`planned` follows, for the last request only."""
        self._thread.plan(request)

    def forget_plan(self) -> None:
        """Answer no request any more; what was read from the cards is forgotten."""
        if not self.is_running:
            self._thread.forget_plan()

    def kept_on(self, paths: Sequence[Path]) -> int:
        """Count the photos in some folders that were kept, picked or rated."""
        table = self._photos.table
        kept = table.kept() & table.alive()
        return sum(int((kept & table.folders.inside(str(path))).sum()) for path in paths)

    # --- the import

    @property
    def source(self) -> str:
        """The names of the cards of the last import: ``EOS_DIGITAL``."""
        paths = self._plan.request.cards if self._plan is not None else ()
        return " and ".join(self.name_of(path) for path in paths)

    @property
    def destination(self) -> str:
        """The first destination of the last import; empty before the first."""
        return str(self._plan.request.destinations[0]) if self._plan is not None else ""

    def name_of(self, path: Path) -> str:
        """Return the name of a card for people, or that of a folder."""
        card = self._cards.at(str(path))
        return card.label if card is not None else path_label(path)

    def start(self, plan: ImportPlan) -> None:
        """Start an import, and open its cards as folders.

        Raises:
            KnownError: an import is running; nothing was started.
        """
        if self.is_running:
            raise KnownError(
                "An import is running.", "Start the next one when it is done, or stop it."
            )
        self._plan, self.progress, self.report, self.problem = plan, None, None, ""
        self.is_running, self.is_stopping = True, False
        self._thread.run(plan)
        self.changed.emit()
        self._messages.say_errors(lambda: self._sources.open_cards(plan.request.cards))

    def toggle_pause(self) -> None:
        """Pause the import, or resume it."""
        if self.progress is not None and self.progress.paused:
            self._thread.resume()
        else:
            self._thread.pause()

    def stop(self) -> None:
        """Stop the import; what was verified stays."""
        self.is_stopping = self.is_running
        self._thread.stop()
        self.changed.emit()

    def _take(self, news: News) -> None:
        """Take news from the thread."""
        if isinstance(news, ReadProgress):
            self.reading.emit(news)
        elif isinstance(news, Planned):
            self._on_planned(news)
        elif isinstance(news, Ended):
            self._end(news)
        elif isinstance(news, Ejected):
            free = f"{news.card.label} was ejected. You can remove it."
            self._messages.announce(news.problem or free)
        elif isinstance(news, CardCopied):
            self._follow_copies(news.folder)
        elif isinstance(news, CardSettled):
            self._photos.refresh()
        elif self.is_running:
            self.progress = news
            self.progressed.emit()

    def _on_planned(self, answer: Planned) -> None:
        if answer.request is not self._continued:
            self.planned.emit(answer)
            return
        self._continued = None
        if answer.plan is None:
            self._messages.announce(answer.problem)
        else:
            self.start(answer.plan)

    def _end(self, end: Ended) -> None:
        if not self.is_running:  # no plan either: the catalog cannot be opened
            self._messages.announce(end.problem)
            return
        self.is_running = self.is_stopping = False
        self.report, self.problem = end.report, end.problem
        self.changed.emit()
        self.ended.emit()
        self._settle_soon()

    def _give_way(self) -> bool:
        """Whether a photo on screen is being read. Thread: the import's."""
        return self._pipeline is not None and self._pipeline.reads_for_screen

    # --- earlier imports

    def earlier(self) -> list[EarlierImport]:
        """List the latest imports of this catalog, the newest first."""
        return [_earlier(row) for row in self._catalog.imports.all()[:_EARLIER]]

    def interrupted(self) -> EarlierImport | None:
        """Return the last import if its process was killed."""
        row = self._catalog.imports.unfinished()
        return _earlier(row) if row is not None else None

    def copied(self, earlier: EarlierImport) -> int:
        """Count the files that an import verified."""
        return self._catalog.imports.count_files(earlier.run_id)

    def continue_import(self, earlier: EarlierImport) -> None:
        """Plan an interrupted import again, and start it; what is verified is not copied again."""
        self._continued = earlier.request
        self._messages.announce("Reading the card again…")
        self._thread.plan(earlier.request)

    def open_photos(self, folder: str) -> None:
        """Show the photos of an import, on their card or in the folder of its first destination."""
        scope, shown = self._photos.criteria.scope, [folder]
        if self._plan is not None and folder == self.destination:
            shown += map(str, self._plan.request.cards)
        if scope.kind != "folder" or not any(Path(scope.key).is_relative_to(at) for at in shown):
            self._sources.open_scope(folder_scope(Path(folder)))

    # --- cards that were removed or copied

    def _on_card_gone(self) -> None:
        self._thread.forget_cards()
        self._settle_soon()

    def ejectable(self, report: ImportReport | None) -> Card | None:
        """Return the card of a report if the system can eject it."""
        names = report.cards if report is not None else ()
        found = (card for card in self._cards.cards if card.label in names)
        return next((card for card in found if cards.can_eject(card)), None)

    def eject(self, card: Card) -> None:
        """Eject a card; the status line shows the result."""
        self._thread.eject(card)

    def _settle_soon(self) -> None:
        """Look for copied cards until the catalog knows that they are away."""
        self._settles = _SETTLES
        self._settling.start()

    def _settle(self) -> None:
        self._settles -= 1
        if self._settles <= 0:
            self._settling.stop()
        if not self.is_running:
            self._thread.find_copied()

    def _follow_copies(self, card: FolderRow) -> None:
        """Show the copies of a card that is away, if the card is shown; remove its folder."""
        scope, table = self._photos.criteria.scope, self._photos.table
        if scope.kind == "folder" and Path(scope.key).is_relative_to(card.path):
            here = table.folders.inside(scope.key) & table.alive()
            places = set(np.unique(table.column("directory_id")[here]).tolist())
            folders = [table.folders.directories[place] for place in places]
            copies = [path for path in folders if not Path(path).is_relative_to(card.path)]
            if len(copies) < len(folders) or not copies:  # not all are known to the window yet
                return
            self._sources.follow_copies(os.path.commonpath(copies))
        self._thread.settle(card)

    def close(self) -> None:
        """Stop what runs; an import that is running is offered again at the next start."""
        self._settling.stop()
        self._thread.close()


def report_from(summary: Mapping[str, Any]) -> ImportReport | None:
    """Return a report from the summary in the catalog; None for one of another version."""
    try:
        known = (each.name for each in fields(ImportReport))
        values = {name: summary[name] for name in known if name in summary}
        values["destinations"] = tuple(DestinationReport(**each) for each in values["destinations"])
        values["failures"] = tuple(FileFailure(**each) for each in values["failures"])
        for name in ("cards", "left", "problems"):
            values[name] = tuple(values[name])
        return ImportReport(**values)
    except (KeyError, TypeError):
        return None


def _earlier(row: ImportRow) -> EarlierImport:
    known = {each.name for each in fields(ImportRequest)}
    values = {name: value for name, value in row.request.items() if name in known}
    paths = {name: tuple(map(Path, values.get(name, ()))) for name in ("cards", "destinations")}
    request = ImportRequest(**{**values, **paths})
    report = report_from(row.report) if row.report is not None else None
    names = report.cards if report is not None else [path_label(p) for p in request.cards]
    return EarlierImport(
        row.id, row.started_at, tuple(names), request, report, int(row.request.get("files", 0))
    )
