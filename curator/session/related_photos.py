"""Related photos: approved photos that look alike, have similar ratings, and are in no project yet.

The window suggests a series of such photos; nothing happens until the person makes a project of it.
A series that they dismissed is not suggested again. The same photos always give the same series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from curator.learning.learner import TasteLearner
from curator.library import filters
from curator.library.spans import Ids
from curator.library.table import Table
from curator.model import KnownError
from curator.session.photo_list import PhotoList
from curator.session.projects import ProjectController
from curator.session.services import Services
from curator.session.taste import TasteController

LEAST, MOST = 5, 16
"""Numbers of photos in a series."""
_NEWEST = 2000  # approved photos to compare, each with each
_SAMPLE = 400  # photos to measure how similar any two of the catalog are
_ABOVE = 2.5  # standard deviations above that: one pair in a hundred or so
_STARS_APART = 0.75  # largest difference of the predicted ratings in a series
_SAME_SERIES = 0.5  # a series that shares more of its photos with a dismissed one is not suggested
_REMEMBERED = 200  # dismissed series
_REST_MS = 4000  # after the last mark
_POSITION = ":series"  # the catalog keeps dismissed series under this key; no path equals it


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The photos of a series, by capture time, and a sentence on what they share."""

    photos: tuple[int, ...]
    sentence: str


class RelatedPhotosFinder(QObject):
    """Searches for a series while the person rests, and keeps it to suggest.

    Signals:
        changed: :attr:`suggestion` changed, or a search has ended.

    Attributes:
        suggestion: the series to suggest, or None.
        is_searching: whether the learning thread is to answer yet.

    Thread: GUI only; the search itself runs on the learning thread.
    """

    changed = Signal()

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        taste: TasteController,
        projects: ProjectController,
    ) -> None:
        super().__init__()
        self._catalog, self._settings = services.catalog, services.settings
        self._table, self._taste, self._projects = photos.table, taste, projects
        self.suggestion: Suggestion | None = None
        self.is_searching = False
        self._searched: bytes | None = None  # the candidates of the last search
        self._closed = False
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self.search)
        photos.counts_changed.connect(self._rest.start)
        taste.scores_changed.connect(self._rest.start)

    def close(self) -> None:
        """Stop searching; the learning thread may still answer while it ends."""
        self._closed = True
        self._rest.stop()

    def search(self) -> None:
        """Search for the next series, unless the candidates are those of the last search."""
        if self._closed:
            return
        table = self._table
        ids = candidates(table, self._settings.taste.match_threshold)
        searched = ids.tobytes()
        if searched == self._searched:
            return
        self._searched = searched
        if len(ids) < LEAST:
            self._suggest(None)
            return
        expected = table.scores.expected[table.rows_of(ids)]
        dismissed = self._dismissed()

        def question(learner: TasteLearner) -> tuple[int, ...]:
            return best_series(learner, ids, expected, dismissed)

        def on_answer(answer: tuple[int, ...] | KnownError) -> None:
            if searched == self._searched:
                found = answer if not isinstance(answer, KnownError) else ()
                self._suggest(explained(table, found) if found else None)

        self.is_searching = True
        self._taste.learner.ask(question, on_answer)

    def _suggest(self, suggestion: Suggestion | None) -> None:
        self.is_searching, self.suggestion = False, suggestion
        self.changed.emit()

    def accept(self, name: str) -> None:
        """Make a project of the series.

        Raises:
            UsageError: the name is empty, or taken; nothing was done.
        """
        if self.suggestion is not None:
            photos, projects = self.suggestion.photos, self._projects
            projects.add(projects.create(name), photos, on_screen=False)
            self._suggest(None)

    def dismiss(self) -> None:
        """Do not suggest this series again, nor one that shares most of its photos."""
        if self.suggestion is not None:
            dismissed = [sorted(each) for each in self._dismissed()]
            dismissed = [*dismissed, sorted(self.suggestion.photos)][-_REMEMBERED:]
            self._catalog.folders.save_position(_POSITION, {"dismissed": dismissed})
            self._searched = None
            self._suggest(None)
            self.search()

    def _dismissed(self) -> list[frozenset[int]]:
        stored = (self._catalog.folders.position(_POSITION) or {}).get("dismissed")
        return [frozenset(each) for each in stored] if isinstance(stored, list) else []


def candidates(table: Table, threshold: int) -> Ids:
    """Return the newest approved photos in no project, by capture time.

    Of each stack only the best frame: a pick counts as half a star.

    Args:
        table: with all the photos.
        threshold: the match score from which on a photo is a match.
    """
    approved = filters.FILTERS["approved"].mask(table, threshold)
    rows = np.flatnonzero(approved & table.alive() & ~table.projects.in_any())
    preference = table.column("rating")[rows] * 2 + table.picked()[rows]
    ranks, names = table.ranks.by_time()[rows], table.stacks.names[rows]
    order = np.lexsort((ranks, -preference, names))
    rows, names = rows[order], names[order]
    first = np.ones(len(rows), bool)
    first[1:] = (names[1:] != names[:-1]) | (names[1:] == 0)
    return table.ids[table.ranks.in_time_order(rows[first])[-_NEWEST:]]


def best_series(
    learner: TasteLearner,
    ids: Ids,
    expected: NDArray[np.float32],
    dismissed: Sequence[frozenset[int]],
) -> tuple[int, ...]:
    """Find the best series among photos, in their order; empty if there is none.

    Args:
        learner: holds the vectors.
        ids: (N,) candidates.
        expected: (N,) predicted ratings, NaN unknown.
        dismissed: series not to find again.

    Thread: the learner's.
    """
    index = learner.vectors
    rows = index.rows_of(ids)
    known = rows >= 0
    if known.sum() < LEAST:
        return ()
    ids, expected = ids[known], expected[known]
    vectors = index.take(rows[known])[:, : index.dimension]
    few = np.unique(np.linspace(0, index.size - 1, _SAMPLE).astype(np.int64))
    least = least_similarity(index.take(few)[:, : index.dimension])
    return tuple(ids[largest_group(vectors, expected, ids, least, dismissed)].tolist())


def least_similarity(vectors: NDArray[np.float32]) -> float:
    """Return the cosine from which on two photos look alike: far above that of most pairs.

    Args:
        vectors: (N, D) of unit length, a sample of all photos.
    """
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    if not len(pairs):
        return 1.0
    return min(float(pairs.mean() + _ABOVE * pairs.std()), 0.98)


def largest_group(
    vectors: NDArray[np.float32],
    expected: NDArray[np.float32],
    ids: Ids,
    least: float,
    dismissed: Sequence[frozenset[int]] = (),
) -> NDArray[np.int64]:
    """Find the largest group of photos that are similar to one of them.

    Of equally large groups, the one with the most similar photos; at most MOST photos.

    Args:
        vectors: (N, D) of unit length.
        expected: (N,) predicted ratings, NaN unknown.
        ids: (N,) the photos, to compare with dismissed groups.
        least: cosine from which on two photos look alike.
        dismissed: groups not to find again.

    Returns:
        Positions, ascending; empty if no group has LEAST photos.
    """
    similarity = vectors @ vectors.T
    apart = np.abs(expected[:, None] - expected[None, :])
    similarity[apart > _STARS_APART] = -1.0  # unknown ratings (NaN) exclude no pair
    np.fill_diagonal(similarity, 2.0)  # each photo comes first in its own group
    counts = np.minimum((similarity >= least).sum(axis=1), MOST)
    closest = -np.sort(-similarity, axis=1)[:, 1:LEAST].mean(axis=1)
    for center in np.lexsort((np.arange(len(ids)), -closest, -counts)).tolist():
        if counts[center] < LEAST:
            break
        group = np.argsort(-similarity[center], kind="stable")[: counts[center]]
        photos = set(ids[group].tolist())
        if not any(len(photos & other) > _SAME_SERIES * len(photos) for other in dismissed):
            return np.sort(group)
    return np.zeros(0, np.int64)


def explained(table: Table, photos: Sequence[int]) -> Suggestion:
    """Return the photos of a series with a sentence on what they share."""
    rows = table.rows_of(photos)
    taken = table.column("taken_at")[rows]
    days = np.unique(taken[~np.isnat(taken)].astype("datetime64[D]"))
    sentence = f"These {len(photos)} approved photos look alike"
    if len(days) == 1:
        sentence += f" and were taken on {days[0]}"
    elif len(days):
        sentence += f" and were taken on {len(days)} days"
    expected = table.scores.expected[table.rows_of(photos)]
    expected = expected[~np.isnan(expected)]
    if len(expected) == len(photos):
        low, high = (min(max(float(each), 1.0), 5.0) for each in (expected.min(), expected.max()))
        sentence += f"; predicted ratings {low:.1f} to {high:.1f}"
    return Suggestion(tuple(photos), f"{sentence}.")
