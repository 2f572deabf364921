"""Which photos of the table belong to the scope and to the list.

All answers are masks over the rows of the table, computed at each call in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

from curator.library import filters
from curator.library.table import Mask, Table
from curator.model import Pass
from curator.session.criteria import ListCriteria
from curator.session.search_matches import SearchMatches
from curator.settings import Settings


class Membership:
    """Answers which photos belong where, by the present criteria.

    Thread: GUI only.
    """

    def __init__(
        self, table: Table, settings: Settings, criteria: ListCriteria, matches: SearchMatches
    ) -> None:
        self._table, self._settings = table, settings
        self._criteria, self._matches = criteria, matches

    def in_folder_or_project(self) -> Mask:
        """Mark the photos of the scope; for a saved search, all photos it searches."""
        scope, mask = self._criteria.scope, self._table.alive()
        if scope.kind == "folder":
            mask &= self._table.folders.inside(scope.key)
        elif scope.project is not None:
            mask &= self._table.projects.inside(scope.project)
        return mask

    def in_scope(self) -> Mask:
        """Mark the photos of the scope."""
        mask = self.in_folder_or_project()
        if self._criteria.scope.kind == "search":
            mask &= self._matches.of(self._criteria.scope.expression)
        return mask

    def of_filter(self, name: str) -> Mask:
        """Mark the photos of the scope that match one of FILTERS."""
        holds = filters.FILTERS[name][1](self._table, self._settings.taste.match_threshold)
        return self.in_scope() & holds

    def to_cull(self) -> Mask:
        """Mark the photos of a cull: unreviewed photos and, if included, photos with marks from
        files.
        """
        mask = self._table.unreviewed()
        if self._criteria.include_rated:
            mask |= self._table.column("elsewhere")
        return mask

    def fits(self) -> Mask:
        """Mark the photos the list would hold if it were opened now."""
        mask = self.in_scope()
        if self._criteria.mode is Pass.CULL:
            mask &= self.to_cull() & ~self._table.failed()
        elif self._criteria.mode is Pass.RATE:
            mask &= self._table.kept()
        elif self._criteria.filter:
            mask &= self._matches.of(self._criteria.filter)
        return mask

    def first_fitting(self, photo_ids: Sequence[int]) -> int | None:
        """Return the first of some photos that the list would hold if it were opened now."""
        fits = self.fits()[self._table.rows_of(photo_ids)]
        return next((photo for photo, fit in zip(photo_ids, fits, strict=True) if fit), None)

    def has_in_scope(self, photo_id: int) -> bool:
        """Whether a photo is in the scope."""
        return bool(self.in_scope()[self._table.rows_of([photo_id])[0]])

    def may_stay(self) -> Mask:
        """Mark the photos that stay in a list until it is opened again.

        For example, a photo removed from a project stays listed.
        """
        return self._table.alive() if self._criteria.scope.follows_marks else self.in_scope()
