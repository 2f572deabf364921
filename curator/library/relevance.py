"""How well photos match a search: by their words, and by their vectors.

The session and the command line sort by it. Words and vectors give numbers that cannot be compared,
so their ranks are combined. Functions that take a VectorIndex run on the thread that owns it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.learning.vector_index import VectorIndex
from curator.library.filters import VectorMatches
from curator.library.query import Query
from curator.library.spans import Ids, Mask
from curator.library.table import Table
from curator.model import KnownError

MOST = 200
"""The maximum number of photos found by looks: beyond, the order is guesswork."""
WORDS, LOOKS = 1, 2
"""Flags for why a photo was found."""
REASONS = ("", "words", "looks", "words, looks")
_RANK_OFFSET = 60.0
_CLEARLY = 1.0  # standard deviations above the mean cosine of a phrase and all photos
_SAMPLE = 500  # photos to estimate the mean from

Likeness = tuple[Ids, NDArray[np.float32]]
"""Photos, nearest first, and their cosines."""


@dataclass(frozen=True, eq=False)
class Relevance:
    """How well photos match: the best has the smallest ``value``; ``by`` indexes REASONS."""

    ids: Ids
    value: NDArray[np.float32]
    by: NDArray[np.int8]


def relevance(query: Query, table: Table, fits: Mask, vectors: VectorMatches) -> Relevance:
    """Rank the photos that match a query.

    Args:
        query: the query.
        table: all photos.
        fits: (rows,) the photos to rank.
        vectors: photos found by vectors.

    Source: Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods": the sum over rankings of 1 / (60 + rank).
    """
    score, by = np.zeros(table.size), np.zeros(table.size, np.int8)

    def add(found: Ids, why: int) -> None:
        known = found[found < table.rows.id_limit]
        rows = table.rows_of(known)
        rows = rows[rows >= 0]
        rows = rows[fits[rows]]
        score[rows] += 1.0 / (_RANK_OFFSET + 1.0 + np.arange(len(rows)))
        by[rows] |= why

    if query.words:
        ranked = table.text_matches.ranked(_phrases(query))
        add(ranked, WORDS)
        if not len(ranked):  # too many photos have the words to rank by them
            rows = np.flatnonzero(fits & _worded(query, table))
            score[rows] += 1.0 / (_RANK_OFFSET + 1.0)
            by[rows] |= WORDS
        add(np.asarray(vectors.get(query.phrase, ()), np.int64), LOOKS)
    for photo in query.similar:
        add(np.asarray(vectors.get(photo, ()), np.int64), LOOKS)
    rows = np.flatnonzero(score)
    return Relevance(table.ids[rows], -score[rows].astype(np.float32), by[rows])


def _phrases(query: Query) -> list[list[tuple[str, bool]]]:
    return [[(term.text, not term.quoted) for term in group] for group in query.words]


def _worded(query: Query, table: Table) -> Mask:
    found = np.ones(table.size, bool)
    for group in _phrases(query):
        found &= np.logical_or.reduce([table.matching(text, "", how) for text, how in group])
    return found


# --- by vectors


def similar_to_photo(index: VectorIndex, photo_id: int, among: Ids) -> Likeness:
    """Find the photos most similar to a photo, itself first.

    Raises:
        KnownError: the photo is not analyzed yet.
    """
    at = int(index.rows_of([photo_id])[0])
    if at < 0:
        raise KnownError(
            "This photo is not analyzed yet.", "Similar photos can be found once it is."
        )
    row = index.take([at])[0]
    return index.nearest(row[: index.dimension], MOST, among)


def similar_to_phrase(index: VectorIndex, vector: NDArray[np.float32], among: Ids) -> Likeness:
    """Find the photos that match a phrase clearly better than an average photo does.

    Args:
        index: the vectors.
        vector: the phrase, encoded into the space of the images.
        among: the photos to search.
    """
    if not index.size or len(vector) != index.dimension:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    sample = index.take(np.unique(np.linspace(0, index.size - 1, _SAMPLE).astype(np.int64)))
    usual = sample[:, : index.dimension] @ vector
    ids, cosines = index.nearest(vector, MOST, among)
    clear = cosines > usual.mean() + _CLEARLY * usual.std()
    return ids[clear], cosines[clear]
