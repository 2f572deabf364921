"""Counts over the scope: filters of the sidebar, progress of the mode, what is approved."""

from __future__ import annotations

from curator.library import filters
from curator.library.sort_orders import sorted_ids
from curator.library.table import Mask
from curator.model import Pass, View
from curator.session.photo_list import PhotoList
from curator.session.progress import Pace, Progress
from curator.session.services import Services


class ScopeStatistics:
    """Counts the photos of the scope, also those not in the list.

    Attributes:
        pace: how fast the person decides in the open mode.

    Thread: GUI only; each answer takes milliseconds at 100,000 photos.
    """

    def __init__(self, services: Services, photos: PhotoList) -> None:
        self._catalog, self._settings = services.catalog, services.settings
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._membership = photos.membership
        self.pace = Pace()

    @property
    def _threshold(self) -> int:
        return self._settings.taste.match_threshold

    def restart_pace(self) -> None:
        """Restart measuring the pace, for a newly opened mode or scope."""
        self.pace = Pace()

    def in_scope(self) -> Mask:
        """Mark the photos of the scope, by row of the table."""
        return self._membership.in_scope()

    def counts(self) -> dict[str, int]:
        """Return the number of photos in the scope, ``all`` and by filter; of stacks, stacks."""
        scope = self.in_scope()
        masks = filters.filter_masks(self._table, self._threshold)
        found = {name: mask & scope for name, mask in masks.items()}
        stacks = {"stack": self._table.stacks.number(found["stack"])}
        return {"all": int(scope.sum())} | {n: int(m.sum()) for n, m in found.items()} | stacks

    def count_of(self, name: str) -> int:
        """Return the number of photos in the scope that a filter holds for."""
        return int(self._membership.of_filter(name).sum())

    def progress(self) -> Progress:
        """Return how far the mode has come over its scope."""
        table, mode, view_state = self._table, self._criteria.mode, self._view_state
        scope = self.in_scope() & ~table.failed()
        through = scope & table.kept()
        rejected = scope & table.rejected()
        if mode is Pass.CULL and self._criteria.include_rated:
            to_cull = self._membership.to_cull()
            through, rejected = through & ~to_cull, rejected & ~to_cull
        rated = through & (table.column("rating") > 0)
        unreviewed = scope & ~through & ~rejected
        seen = unreviewed & table.column("seen_at").astype(bool)
        current = self._photos.current
        if view_state.view is not View.GRID and not view_state.finished and current is not None:
            seen[table.rows_of([current])[0]] = False  # not skipped while it is on screen
        total, decided = int(scope.sum()), int(through.sum() + rejected.sum())
        if mode is Pass.RATE:
            total, decided = int(through.sum()), int(rated.sum())
        return Progress(
            mode,
            total,
            decided,
            int(seen.sum()),
            int((scope & table.picked()).sum()),
            int(through.sum()),
            int(rejected.sum()),
            int(through.sum() - rated.sum()),
            self.pace.seconds,
        )

    def scope_ids(self, name: str = "") -> list[int]:
        """Return the photos of the scope by capture time; with a name, those of that filter."""
        mask = self._membership.of_filter(name) if name else self.in_scope()
        return sorted_ids(self._table, mask, "taken", units=False).tolist()

    def rejected_bytes(self) -> int:
        """Return the size that deleting the scope's rejects frees: copies elsewhere stay."""
        return self._catalog.photos.file_bytes(self.scope_ids("rejected"), copies=False)

    def clause_of(self, photo_id: int) -> str | None:
        """Return the clause that approves a photo for export, None if none does."""
        return filters.clause_of(self._table, self._threshold, photo_id)

    def approved(self) -> dict[int, str]:
        """Return the approved photos of the scope, by id, each with its clause."""
        clauses = filters.approved(self._table, self._threshold)
        here = set(self._table.ids[self.in_scope()].tolist())
        return {photo: clause for photo, clause in clauses.items() if photo in here}

    def is_fresh(self) -> bool:
        """Whether nobody has decided anything in this scope yet."""
        decided = ~self._table.unreviewed() & ~self._table.column("elsewhere")
        return not (self.in_scope() & decided).any()

    def count_rated_elsewhere(self) -> int:
        """Count the photos of the scope whose verdict comes from a file only."""
        marked = self._table.column("elsewhere") & ~self._table.unreviewed()
        return int((self.in_scope() & marked).sum())
