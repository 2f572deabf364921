"""Which photos the search in force finds, and why.

Words and fields are answered from the table at once. What vectors answer comes later from
:mod:`curator.session.search` and joins here. Nothing here asks the catalog or another thread.
"""

from __future__ import annotations

import numpy as np

from curator.library import filters
from curator.library.query import Query
from curator.library.relevance import REASONS, relevance
from curator.library.spans import Ids
from curator.library.table import Mask, Table
from curator.session.criteria import RELEVANCE, ListCriteria, parsed
from curator.settings import Settings


class SearchMatches:
    """The matches of the search in force.

    Attributes:
        reasons: by photo id, what found it: words, looks, or how similar it is.

    Thread: GUI only.
    """

    def __init__(self, table: Table, settings: Settings, criteria: ListCriteria) -> None:
        self._table, self._settings, self._criteria = table, settings, criteria
        self._by_vector: dict[str | int, Ids] = {}
        self._similarity: dict[int, float] = {}
        self.reasons: dict[int, str] = {}

    def forget(self) -> None:
        """Drop the answers of the last search."""
        self._by_vector, self._similarity, self.reasons = {}, {}, {}
        self._criteria.forget_search()

    def add(self, key: str | int, ids: Ids, similarity: np.ndarray) -> None:
        """Add what vectors answered.

        Args:
            key: the phrase, or the photo, that was asked about.
            ids: (N,) photos that look like it.
            similarity: (N,) cosines.
        """
        self._by_vector = {**self._by_vector, key: ids}
        if isinstance(key, int):
            self._similarity = dict(zip(ids.tolist(), similarity.tolist(), strict=True))

    def of_query(self, query: Query) -> Mask:
        """Mark the photos a search finds; vectors count for the search in force alone."""
        if not query.groups:
            return np.zeros(self._table.size, bool)
        near = self._by_vector if query == self._criteria.query else {}
        return filters.mask(query, self._table, self._settings.taste.match_threshold, near)

    def of(self, expression: str) -> Mask:
        """Mark the photos an expression finds; none if it is no longer valid."""
        return self.of_query(parsed(expression))

    def rank(self, fits: Mask) -> None:
        """Compute how well each photo of the list matches, before it is sorted by that."""
        self.reasons = {}
        query = self._criteria.query
        found = relevance(query, self._table, fits, self._by_vector)
        self._table.scores.set_answer(RELEVANCE, found.ids, found.value)
        if self._by_vector and query.words:
            pairs = zip(found.ids.tolist(), found.by.tolist(), strict=True)
            self.reasons = {photo: REASONS[why] for photo, why in pairs}
        elif query.similar:
            self.reasons = {photo: f"{like:.2f}" for photo, like in self._similarity.items()}
