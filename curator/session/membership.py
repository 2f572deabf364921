"""Which photos of the table belong to the scope, to the search in force and to the list.

Words and fields of a search are answered from the table at once. Answers from vectors come later
from :mod:`curator.session.search` and are kept here. Masks are over the rows of the table and are
computed at each call, in milliseconds. Nothing here asks the catalog or another thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curator.library import filters
from curator.library.relevance import REASONS, kind_reasons, relevance
from curator.library.spans import Ids, Mask
from curator.library.table import Table
from curator.model import Pass
from curator.session.criteria import RELEVANCE, ListCriteria, parsed
from curator.settings import Settings


class Membership:
    """Answers which photos belong where, by the present criteria.

    Thread: GUI only.
    """

    def __init__(self, table: Table, settings: Settings, criteria: ListCriteria) -> None:
        self._table, self._settings, self._criteria = table, settings, criteria
        self._by_vector: dict[str | int, Ids] = {}
        self._similarity: dict[int, float] = {}
        self._reasons: dict[int, str] = {}

    # --- the scope

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
            mask &= self.found_by(self._criteria.scope.expression)
        return mask

    def has_in_scope(self, photo_id: int) -> bool:
        """Whether a photo is in the scope."""
        return bool(self.in_scope()[self._table.rows_of([photo_id])[0]])

    def may_be_in_scope(self, photo_ids: Ids) -> bool:
        """Whether any of some known photos may be in the scope; quick where it is a folder."""
        scope, rows = self._criteria.scope, self._table.rows_of(photo_ids)
        if scope.kind == "folder":
            return self._table.folders.are_any_inside(scope.key, rows)
        return bool(self.in_scope()[rows].any())

    def of_filter(self, name: str) -> Mask:
        """Mark the photos of the scope that match one of FILTERS."""
        holds = filters.FILTERS[name].mask(self._table, self._settings.taste.match_threshold)
        return self.in_scope() & holds

    def to_cull(self) -> Mask:
        """Mark unreviewed photos and, if included, photos with marks from files."""
        mask = self._table.unreviewed()
        if self._criteria.include_rated:
            mask |= self._table.column("elsewhere")
        return mask

    # --- the list

    def fits(self) -> Mask:
        """Mark the photos the list would hold if it were opened now."""
        mask = self.in_scope()
        if self._criteria.mode is Pass.CULL:
            mask &= self.to_cull() & ~self._table.failed()
        elif self._criteria.mode is Pass.RATE:
            mask &= self._table.kept()
        elif self._criteria.filter:
            mask &= self.found_by(self._criteria.filter)
        return mask

    def first_fitting(self, photo_ids: Sequence[int]) -> int | None:
        """Return the first of some photos that the list would hold if it were opened now."""
        fits = self.fits()[self._table.rows_of(photo_ids)]
        return next((photo for photo, fit in zip(photo_ids, fits, strict=True) if fit), None)

    def may_stay(self) -> Mask:
        """Mark the photos that stay in a list until it is opened again.

        For example, a photo removed from a project stays listed.
        """
        return self._table.alive() if self._criteria.scope.follows_marks else self.in_scope()

    # --- the search

    def found_by(self, expression: str) -> Mask:
        """Mark the photos a search finds; none if it is empty or no longer valid.

        Answers from vectors count for the search in force only.
        """
        query = parsed(expression)
        if not query.groups:
            return np.zeros(self._table.size, bool)
        by_vector = self._by_vector if query == self._criteria.query else {}
        return filters.mask(query, self._table, self._settings.taste.match_threshold, by_vector)

    def add_similar(self, key: str | int, ids: Ids, similarity: np.ndarray) -> None:
        """Add the photos that look like a part of the search in force.

        Args:
            key: the phrase or the photo that vectors were compared with.
            ids: (N,) photos that look like it.
            similarity: (N,) cosines.
        """
        self._by_vector = {**self._by_vector, key: ids}
        if isinstance(key, int):
            self._similarity = dict(zip(ids.tolist(), similarity.tolist(), strict=True))

    def forget_search(self) -> None:
        """Drop the answers of the last search, and the order chosen for it."""
        self._by_vector, self._similarity, self._reasons = {}, {}, {}
        self._criteria.forget_search()

    def reasons(self, photo_ids: Sequence[int], in_full: bool = False) -> dict[int, str]:
        """Return why the search in force found photos: words, looks, a similarity, or a tag.

        Args:
            photo_ids: photos of the list.
            in_full: "heron is a bird, suggested 61 %" instead of "heron 61 %".
        """
        found = {photo: self._reasons[photo] for photo in photo_ids if photo in self._reasons}
        if self._criteria.is_searching:
            found |= self._table.text_hits.reasons(self._criteria.query, photo_ids)
            kinds = kind_reasons(self._criteria.query, self._table, photo_ids)
            found |= {
                photo: str(reason) if in_full else reason.short for photo, reason in kinds.items()
            }
        return found

    def rank(self) -> None:
        """Compute how well each photo of the list matches the search, before sorting by that."""
        query, self._reasons = self._criteria.query, {}
        if not self._criteria.is_ranked:
            return
        found = relevance(query, self._table, self.fits(), self._by_vector)
        self._table.scores.set_sort_values(RELEVANCE, found.ids, found.value)
        if self._by_vector and query.words:
            pairs = zip(found.ids.tolist(), found.by.tolist(), strict=True)
            self._reasons = {photo: REASONS[why] for photo, why in pairs}
        elif query.similar:
            self._reasons = {photo: f"{like:.2f}" for photo, like in self._similarity.items()}
