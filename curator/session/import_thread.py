"""The thread on which imports are planned and run, with a catalog connection of its own.

:class:`~curator.session.imports.ImportController` owns it. Cards and destinations may take minutes
to answer, or never do; the window waits for neither. Nothing here knows a Qt object.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from curator import cards
from curator.cards import DCIM, Card
from curator.catalog import Catalog, FolderRow
from curator.importing.report import ImportProgress, ImportReport
from curator.importing.request import ImportRequest
from curator.model import INTERNAL_ERROR, KnownError
from curator.pipeline.file_probe import open_beside
from curator.session.import_engine import ImportEngine

if TYPE_CHECKING:
    from curator.importing.plan import ImportPlan
    from curator.importing.run import ImportRun

log = logging.getLogger(__name__)

_REPORT_S = 0.25  # at least, between two reports of progress
_CLOSE_S = 5.0  # for the file being copied; one that hangs ends with the process


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """How many of the files on the cards were read for the plan."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The answer to a request: its plan, or why there is none."""

    request: ImportRequest
    plan: ImportPlan | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CardCopied:
    """The folder of a card that is away, and of which everything was copied."""

    folder: FolderRow


@dataclass(frozen=True, slots=True)
class CardSettled:
    """The folder of such a card was removed from the catalog."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an import: its report, or why it could not run."""

    report: ImportReport | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Ejected:
    """A card was ejected, or could not be, because of ``problem``."""

    card: Card
    problem: str = ""


News = ReadProgress | Planned | ImportProgress | CardCopied | CardSettled | Ejected | Ended


@contextlib.contextmanager
def reported(what: str) -> Iterator[None]:
    """Log an error of work that nobody waits for; it is tried again later."""
    try:
        yield
    except KnownError as error:
        log.warning("%s: %s", what, error)
    except Exception:
        log.exception(what)


class ImportThread:
    """Plans and runs imports one after the other.

    Thread: any, for every method.
    """

    def __init__(self, path: Path, engine: ImportEngine, notify: Callable[[News], None]) -> None:
        """Make the thread; it starts with the first job.

        Args:
            path: of the catalog.
            engine: does the work.
            notify: gets the news, on this thread.
        """
        self._path, self._engine, self._notify = path, engine, notify
        self._jobs: SimpleQueue[Callable[[Catalog], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="curator-import", daemon=True)
        self._lock = threading.Lock()
        self._wanted: ImportRequest | None = None
        self._run: ImportRun | None = None
        self._stopped = self._closed = False
        self._reported_at = 0.0

    # --- planning

    def plan(self, request: ImportRequest) -> None:
        """Plan an import; only the last request is answered."""
        self._wanted = request
        self._put(lambda catalog: self._plan(request, catalog))

    def forget_plan(self) -> None:
        """Answer no request any more, and forget what was read from the cards."""
        self._wanted = None
        self._put(lambda catalog: self._forget())

    def forget_cards(self) -> None:
        """Forget what was read from cards: another card may be mounted where one was removed."""
        self._put(lambda catalog: self._engine.forget())

    def _plan(self, request: ImportRequest, catalog: Catalog) -> None:
        if request is not self._wanted:
            return

        def is_outdated() -> bool:
            return self._closed or self._wanted is None or self._wanted.cards != request.cards

        try:
            plan = self._engine.plan(request, catalog, self._report_reading, is_outdated)
            if plan is None:
                return
            answer = Planned(request, plan)
        except KnownError as error:
            answer = Planned(request, problem=str(error))
        except Exception:
            log.exception("an import could not be planned")
            answer = Planned(request, problem=INTERNAL_ERROR)
        if request is self._wanted:
            self._report(answer)

    def _forget(self) -> None:
        if self._wanted is None:  # the dialog may have opened again
            self._engine.forget()

    def _report_reading(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_S or done == total:
            self._reported_at = now
            self._report(ReadProgress(done, total))

    # --- running

    def run(self, plan: ImportPlan) -> None:
        """Run an import after what was asked for before."""
        self._wanted, self._stopped = None, False
        self._put(lambda catalog: self._import(plan, catalog))

    def pause(self) -> None:
        """Pause the import that runs."""
        with self._lock:
            if self._run is not None:
                self._run.pause()

    def resume(self) -> None:
        """Resume the import that was paused."""
        with self._lock:
            if self._run is not None:
                self._run.resume()

    def stop(self) -> None:
        """Stop the import that runs or is about to."""
        with self._lock:
            self._stopped = True
            if self._run is not None:
                self._run.stop()

    def _import(self, plan: ImportPlan, catalog: Catalog) -> None:
        ended = Ended(problem=INTERNAL_ERROR)
        try:
            self._engine.forget()
            run = self._engine.start(plan, catalog, self._report)
            with self._lock:
                self._run = run
                if self._stopped:
                    run.stop()
            ended = Ended(run.run())
        except KnownError as error:
            log.info("the import failed: %s", error)
            ended = Ended(problem=str(error))
        except Exception:
            log.exception("the import failed")
        finally:
            with self._lock:
                self._run = None
        self._report(ended)

    # --- cards that are away

    def find_copied(self) -> None:
        """Report the folders of imported cards that are away and were copied completely.

        A folder deeper on a drive that was imported as well is no card, and stays in the catalog.
        """
        self._put(self._find_copied)

    def _find_copied(self, catalog: Catalog) -> None:
        with reported("copied cards could not be found"):
            rows = catalog.imports.all()
            imported = {card for row in rows for card in row.request.get("cards", ())}
            for folder in catalog.folders.all():
                is_card = folder.path in imported and (folder.within or "") in ("", DCIM)
                if is_card and folder.away and catalog.imports.is_copied(folder.id):
                    self._report(CardCopied(folder))

    def settle(self, folder: FolderRow) -> None:
        """Remove the folder of a card that was copied; its photos stay by their copies."""
        self._put(lambda catalog: self._settle(folder, catalog))

    def _settle(self, folder: FolderRow, catalog: Catalog) -> None:
        with reported("a copied card could not be removed"):
            if catalog.imports.settle_card(folder.id):
                self._report(CardSettled())

    def eject(self, card: Card) -> None:
        """Eject a card; report the result."""
        self._put(lambda catalog: self._eject(card))

    def _eject(self, card: Card) -> None:
        try:
            cards.eject(card)
        except KnownError as error:
            self._report(Ejected(card, str(error)))
        else:
            self._report(Ejected(card))

    # --- the thread

    def _report(self, news: News) -> None:
        if not self._closed:
            self._notify(news)

    def _put(self, job: Callable[[Catalog], None]) -> None:
        self._jobs.put(job)
        if self._thread.ident is None and not self._closed:
            self._thread.start()

    def _work(self) -> None:
        try:
            catalog = open_beside(self._path)
        except KnownError as error:
            log.warning("nothing can be imported: %s", error)
            self._report(Ended(problem=str(error)))
            return
        with contextlib.closing(catalog):
            while (job := self._jobs.get()) is not None and not self._closed:
                job(catalog)
            self._engine.forget()

    def close(self) -> None:
        """Stop everything, and wait a moment for the thread."""
        self._wanted = None
        self.stop()
        self._closed = True
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)
