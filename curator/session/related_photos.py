"""Related photos: approved photos that look alike, have similar ratings, and are in no project yet.

The window suggests such a series; nothing happens until the person makes a project of it. A series
they dismissed is not suggested again. The same photos always give the same series.
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
_AMONG = 2000  # the newest approved photos: all pairs of them are compared
_SAMPLE = 400  # photos to measure how similar any two of the catalog are
_ABOVE = 2.5  # standard deviations over that: one pair in a hundred or so
_STARS_APART = 0.75  # largest difference of the predicted ratings in a series
_KNOWN_ALREADY = 0.5  # a series that shares more of its photos with a dismissed one is that one
_REMEMBERED = 200  # dismissals
_REST_MS = 4000  # after the last mark
_PLACE = ":series"  # where the catalog keeps what was dismissed; no path looks like it


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The photos of a series, by capture time, and a sentence that says why they are one."""

    photos: tuple[int, ...]
    sentence: str


class RelatedPhotosFinder(QObject):
    """Looks for series while the person rests, and keeps the one to suggest.

    Signals:
        changed: :attr:`found` changed, or looking has ended.

    Attributes:
        found: the series to suggest, None if there is none.
        looking: whether an answer is awaited.

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
        self.found: Suggestion | None = None
        self.looking = False
        self._asked: bytes | None = None
        self._closed = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_REST_MS)
        self._later.timeout.connect(self.look)
        photos.counts_changed.connect(self._later.start)
        taste.scores_changed.connect(self._later.start)

    def close(self) -> None:
        """Stop searching; the learner's thread may still answer while it ends."""
        self._closed = True
        self._later.stop()

    def look(self) -> None:
        """Look for the next series, unless no photo has come or gone since the last look."""
        if self._closed:
            return
        table = self._table
        ids = candidates(table, self._settings.taste.match_threshold)
        asked = ids.tobytes()
        if asked == self._asked:
            return
        self._asked = asked
        if len(ids) < LEAST:
            self._take(None)
            return
        expected = table.scores.expected_of(ids)
        dismissed = self._dismissed()

        def question(learner: TasteLearner) -> tuple[int, ...]:
            return alike(learner, ids, expected, dismissed)

        def tell(answer: tuple[int, ...] | KnownError) -> None:
            if asked == self._asked:
                found = answer if not isinstance(answer, KnownError) else ()
                self._take(suggestion(table, found) if found else None)

        self.looking = True
        self._taste.learner.ask(question, tell)

    def _take(self, found: Suggestion | None) -> None:
        self.looking, self.found = False, found
        self.changed.emit()

    def accept(self, name: str) -> None:
        """Make a project of the series.

        Raises:
            UsageError: the name is empty, or taken; nothing was done.
        """
        if self.found is not None:
            photos, projects = self.found.photos, self._projects
            projects.add(projects.make(name), photos, on_screen=False)
            self._take(None)

    def dismiss(self) -> None:
        """Do not suggest this series again, nor one that shares most of its photos."""
        if self.found is not None:
            kept = [sorted(each) for each in self._dismissed()]
            kept = [*kept, sorted(self.found.photos)][-_REMEMBERED:]
            self._catalog.folders.save_position(_PLACE, {"dismissed": kept})
            self._asked = None
            self._take(None)
            self.look()

    def _dismissed(self) -> list[frozenset[int]]:
        kept = (self._catalog.folders.position(_PLACE) or {}).get("dismissed")
        return [frozenset(each) for each in kept] if isinstance(kept, list) else []


def candidates(table: Table, threshold: int) -> Ids:
    """Return approved photos in no project, the best frame of each stack, by capture time."""
    rows = np.flatnonzero(
        filters.FILTERS["approved"][1](table, threshold) & table.alive() & ~table.projects.in_any()
    )
    liking = table.column("rating")[rows] * 2 + table.picked()[rows]
    ranks, names = table.ranks.by_time()[rows], table.stacks.names[rows]
    rows, names = (each[np.lexsort((ranks, -liking, names))] for each in (rows, names))
    first = np.ones(len(rows), bool)
    first[1:] = (names[1:] != names[:-1]) | (names[1:] == 0)
    rows = rows[first]
    rows = rows[np.argsort(table.ranks.by_time()[rows])][-_AMONG:]
    return table.ids[rows]


def alike(
    learner: TasteLearner,
    ids: Ids,
    expected: NDArray[np.float32],
    dismissed: Sequence[frozenset[int]] = (),
) -> tuple[int, ...]:
    """Find the best series among photos, in their order; empty if there is none.

    Args:
        learner: holds the vectors.
        ids: (N,) candidates.
        expected: (N,) predicted ratings, NaN unknown.
        dismissed: series not to find again.

    Thread: the learner's.
    """
    archive = learner.vectors
    places = archive.places(ids)
    there = places >= 0
    if there.sum() < LEAST:
        return ()
    ids, expected = ids[there], expected[there]
    vectors = archive.take(places[there])[:, : archive.dimension]
    few = np.unique(np.linspace(0, archive.size - 1, _SAMPLE).astype(np.int64))
    sample = archive.take(few)[:, : archive.dimension]
    return tuple(ids[grouped(vectors, expected, ids, usual(sample), dismissed)].tolist())


def usual(vectors: NDArray[np.float32]) -> float:
    """Return the cosine from which on two photos look alike: far above that of any two.

    Args:
        vectors: (N, D) of unit length, a sample of all photos.
    """
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    if not len(pairs):
        return 1.0
    return min(float(pairs.mean() + _ABOVE * pairs.std()), 0.98)


def grouped(
    vectors: NDArray[np.float32],
    expected: NDArray[np.float32],
    ids: Ids,
    least: float,
    dismissed: Sequence[frozenset[int]] = (),
) -> NDArray[np.int64]:
    """Find the largest group of photos similar to one in it; of equals, the most similar.

    Args:
        vectors: (N, D) of unit length.
        expected: (N,) predicted ratings, NaN unknown.
        ids: (N,) to compare with dismissed groups.
        least: cosine from which on two photos look alike.
        dismissed: groups not to find again.

    Returns:
        Positions, ascending; empty if no group has LEAST photos.
    """
    near = vectors @ vectors.T
    apart = np.abs(expected[:, None] - expected[None, :])
    near[apart > _STARS_APART] = -1.0  # of NaN, never
    np.fill_diagonal(near, 2.0)  # itself first
    counts = np.minimum((near >= least).sum(axis=1), MOST)
    closest = -np.sort(-near, axis=1)[:, 1:LEAST].mean(axis=1)
    for centre in np.lexsort((np.arange(len(ids)), -closest, -counts)).tolist():
        if counts[centre] < LEAST:
            break
        group = np.argsort(-near[centre], kind="stable")[: counts[centre]]
        photos = set(ids[group].tolist())
        if not any(len(photos & other) > _KNOWN_ALREADY * len(photos) for other in dismissed):
            return np.sort(group)
    return np.zeros(0, np.int64)


def suggestion(table: Table, photos: Sequence[int]) -> Suggestion:
    """Return the photos of a series with a sentence that says why they are one."""
    rows = table.rows_of(photos)
    taken = table.column("taken_at")[rows]
    days = np.unique(taken[~np.isnat(taken)].astype("datetime64[D]"))
    sentence = f"These {len(photos)} approved photos look alike"
    if len(days) == 1:
        sentence += f" and were taken on {days[0]}"
    elif len(days):
        sentence += f" and were taken on {len(days)} days"
    expected = table.scores.expected_of(np.asarray(photos, np.int64))
    expected = expected[~np.isnan(expected)]
    if len(expected) == len(photos):
        low, high = (min(max(float(each), 1.0), 5.0) for each in (expected.min(), expected.max()))
        sentence += f"; by your stars you like them about as much ({low:.1f} to {high:.1f})"
    return Suggestion(tuple(photos), f"{sentence}.")
