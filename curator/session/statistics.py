"""Counts over the scope: filters of the sidebar, progress of the mode, what is approved.

The sidebar, the status line and the finish page show them. Nothing here changes the list.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

from curator.library import filters
from curator.library.sort_orders import sorted_ids
from curator.model import Pass, View
from curator.session.photo_list import PhotoList
from curator.session.services import Services

# Pace is the median of the last 100 decisions; longer gaps are pauses, not work; and before 20
# decisions an estimate would only swing (DESIGN section 6).
_PACE_DECISIONS = 100
_PAUSE_S = 30.0
_LEAST_DECISIONS = 20


class DecisionPace:
    """Seconds per decision, as a running median."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_PACE_DECISIONS)
        self._last: float | None = None

    def decided(self, now: float) -> None:
        """Record a decision at the monotonic time ``now``, in seconds."""
        if self._last is not None and now - self._last <= _PAUSE_S:
            self._gaps.append(now - self._last)
        self._last = now

    @property
    def seconds(self) -> float | None:
        """Median seconds per decision, or None while there are too few."""
        if len(self._gaps) < _LEAST_DECISIONS:
            return None
        return max(statistics.median(self._gaps), 0.05)


@dataclass(frozen=True, slots=True)
class PassProgress:
    """The progress of a mode over its scope, as numbers of photos.

    Attributes:
        total: what the mode asks about: while rating the kept photos, else all readable ones.
        decided: how many of these are done: while rating those with stars, else with a verdict.
        seen: unreviewed photos that the person rested on.
        unrated: kept photos without stars.
        seconds_each: median time per decision; None while too few were made.
    """

    mode: Pass
    total: int
    decided: int
    seen: int
    picked: int
    kept: int
    rejected: int
    unrated: int
    seconds_each: float | None = None

    @property
    def left(self) -> int:
        """Photos the mode still asks about."""
        return self.total - self.decided

    @property
    def text(self) -> str:
        """The text in the middle of the status line, empty while browsing."""
        if self.mode is Pass.BROWSE:
            return ""
        parts = [self.mode.capitalize(), f"{self.decided:,} of {self.total:,}"]
        if self.mode is Pass.CULL:
            if self.picked:
                parts.append(f"{self.picked:,} picked")
            if self.seen:
                parts.append(f"{self.seen:,} skipped")
        else:
            parts.append(f"{self.unrated:,} without stars")
        if self.seconds_each is not None and self.left:
            parts.append(f"{60 / self.seconds_each:.0f}/min")
            minutes = self.left * self.seconds_each / 60
            parts.append(f"about {minutes:.0f} min" if minutes >= 1 else "under a minute")
        return " · ".join(parts)


class ScopeStatistics:
    """Counts the photos of the scope, listed or not.

    Attributes:
        pace: how fast the person decides in the open mode.

    Thread: GUI only; each answer takes milliseconds at 100,000 photos.
    """

    def __init__(self, services: Services, photos: PhotoList) -> None:
        self._catalog, self._settings = services.catalog, services.settings
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._membership = photos.membership
        self.pace = DecisionPace()

    @property
    def _threshold(self) -> int:
        return self._settings.taste.match_threshold

    def restart_pace(self) -> None:
        """Restart measuring the pace, for a newly opened mode or scope."""
        self.pace = DecisionPace()

    def counts(self) -> dict[str, int]:
        """Count the photos of the scope: ``all``, and by filter; ``stack`` counts stacks."""
        scope = self._membership.in_scope()
        masks = filters.filter_masks(self._table, self._threshold)
        found = {name: mask & scope for name, mask in masks.items()}
        stacks = {"stack": self._table.stacks.number(found["stack"])}
        return {"all": int(scope.sum())} | {n: int(m.sum()) for n, m in found.items()} | stacks

    def count_of(self, name: str) -> int:
        """Return the number of photos in the scope that a filter holds for."""
        return int(self._membership.of_filter(name).sum())

    def progress(self) -> PassProgress:
        """Return the progress of the mode over its scope."""
        table, mode, view_state = self._table, self._criteria.mode, self._view_state
        scope = self._membership.in_scope() & ~table.failed()
        kept = scope & table.kept()
        rejected = scope & table.rejected()
        if mode is Pass.CULL and self._criteria.include_rated:
            to_cull = self._membership.to_cull()
            kept, rejected = kept & ~to_cull, rejected & ~to_cull
        rated = kept & (table.column("rating") > 0)
        unreviewed = scope & ~kept & ~rejected
        seen = unreviewed & table.column("seen")
        current = self._photos.current
        if view_state.view is not View.GRID and not view_state.finished and current is not None:
            seen[table.rows_of([current])[0]] = False  # not skipped while it is on screen
        total, decided = int(scope.sum()), int(kept.sum() + rejected.sum())
        if mode is Pass.RATE:
            total, decided = int(kept.sum()), int(rated.sum())
        return PassProgress(
            mode,
            total,
            decided,
            int(seen.sum()),
            int((scope & table.picked()).sum()),
            int(kept.sum()),
            int(rejected.sum()),
            int(kept.sum() - rated.sum()),
            self.pace.seconds,
        )

    def scope_ids(self, name: str = "") -> list[int]:
        """Return the photos of the scope by capture time; with a name, those of that filter."""
        mask = self._membership.of_filter(name) if name else self._membership.in_scope()
        return sorted_ids(self._table, mask, "taken", units=False).tolist()

    def rejected_bytes(self) -> int:
        """Return the bytes that deleting the scope's rejects frees; copies are not deleted."""
        return self._catalog.photos.file_bytes(self.scope_ids("rejected"), copies=False)

    def clause_of(self, photo_id: int) -> str | None:
        """Return the clause that approves a photo for export, None if none does."""
        return filters.clause_of(self._table, self._threshold, photo_id)

    def approved(self) -> dict[int, str]:
        """Return the approved photos of the scope, by id, each with its clause."""
        clauses = filters.approved(self._table, self._threshold)
        here = set(self._table.ids[self._membership.in_scope()].tolist())
        return {photo: clause for photo, clause in clauses.items() if photo in here}

    def is_fresh(self) -> bool:
        """Whether no photo of the scope has a verdict, except from marks read from files."""
        decided = ~self._table.unreviewed() & ~self._table.column("elsewhere")
        return not (self._membership.in_scope() & decided).any()

    def count_rated_elsewhere(self) -> int:
        """Count the photos of the scope with a verdict from marks that were read from files."""
        marked = self._table.column("elsewhere") & ~self._table.unreviewed()
        return int((self._membership.in_scope() & marked).sum())
