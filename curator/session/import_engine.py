"""Plans and runs the imports of a window with `curator.importing`; cards are read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curator.catalog import Catalog
from curator.importing.report import ImportProgress
from curator.importing.request import ImportRequest
from curator.settings import Settings
from curator.workers import WorkerCancelled, WorkerPool

if TYPE_CHECKING:  # loaded for the first import, not for the first paint of a window
    from curator.importing.card_files import CardContents
    from curator.importing.headers import FileFacts
    from curator.importing.plan import ImportPlan
    from curator.importing.run import ImportRun


@dataclass
class ImportEngine:
    """Plans and runs imports.

    Thread: that of the imports.
    """

    settings: Settings
    give_way: Callable[[], bool]
    _read: dict[tuple[Path, ...], tuple[CardContents, dict[Path, FileFacts]]] = field(
        default_factory=dict
    )
    _pool: WorkerPool | None = None

    def plan(
        self,
        request: ImportRequest,
        catalog: Catalog,
        progressed: Callable[[int, int], None],
        stopped: Callable[[], bool],
    ) -> ImportPlan | None:
        """Plan an import; cards that were read before are not read again.

        Returns:
            The plan; None if reading was stopped.

        Raises:
            KnownError: a template is invalid, or a card or a destination cannot be used.
        """
        from curator.importing.plan import make_plan

        try:
            contents, facts = self._contents(request.cards, progressed, stopped)
        except WorkerCancelled:
            return None
        return make_plan(request, contents, facts, catalog)

    def _contents(
        self,
        cards: tuple[Path, ...],
        progressed: Callable[[int, int], None],
        stopped: Callable[[], bool],
    ) -> tuple[CardContents, dict[Path, FileFacts]]:
        from curator.importing.card_files import find_files
        from curator.importing.headers import make_pool, read_headers

        if cards not in self._read:
            if self._pool is None:
                self._pool = make_pool(self.settings.work.memory_mb)
            contents = find_files(cards)
            facts = read_headers(contents, self._pool, progressed=progressed, stopped=stopped)
            self._read[cards] = contents, facts
        return self._read[cards]

    def start(
        self,
        plan: ImportPlan,
        catalog: Catalog,
        progressed: Callable[[ImportProgress], None],
    ) -> ImportRun:
        """Return an import that is ready to run."""
        from curator.importing.run import ImportRun

        return ImportRun(
            plan,
            catalog,
            progressed=progressed,
            give_way=self.give_way,
            waits=True,
            profile=self.settings.sidecars.profile,
        )

    def forget(self) -> None:
        """Forget what was read from cards, and end the worker processes."""
        self._read.clear()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
