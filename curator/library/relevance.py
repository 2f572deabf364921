"""How well photos match a search: by their words, and by their vectors.

The session and the command line sort by it. Words and vectors give numbers that cannot be compared,
so their ranks are combined. Words in names and texts come first, then tags that are kinds of a word
by their confidence, then suggested tags that only mention it, as house finch does for "house", then
words that only begin as typed. Functions that take a VectorIndex run on
the thread that owns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.learning.vector_index import VectorIndex
from curator.library.filters import VectorMatches
from curator.library.query import ANYWHERE, Query
from curator.library.spans import Ids, Mask
from curator.library.table import Table
from curator.library.text_matches import KindMatches, KindReason
from curator.model import KnownError

MOST = 200
"""The maximum number of photos found by looks: beyond, the order is guesswork."""
WORDS, LOOKS = 1, 2
"""Flags for why a photo was found."""
REASONS = ("", "words", "looks", "words, looks")
_RANK_OFFSET = 60.0
_MENTIONED = 0.009  # how well a certain tag matches that only mentions a word: below every kind
_BEGUN = 0.00005  # how well a word matches of which only the beginning was typed
_CLEARLY = 1.0  # standard deviations above the mean cosine of a phrase and all photos
_NO_ROWS: Ids = np.zeros(0, np.int64)
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

    def add(rows: Ids, ranks: Ids, why: int) -> None:
        score[rows] += 1.0 / (_RANK_OFFSET + 1.0 + ranks)
        by[rows] |= why

    def add_nearest(key: str | int) -> None:
        rows = table.rows.rows_of_known(np.asarray(vectors.get(key, ()), np.int64))
        rows = rows[fits[rows]]
        add(rows, np.arange(len(rows)), LOOKS)

    if query.words or query.kinds:
        add(*_by_words(query, table, fits), WORDS if query.words else 0)
    if query.words:
        add_nearest(query.phrase)
    for photo in query.similar:
        add_nearest(photo)
    rows = np.flatnonzero(score)
    return Relevance(table.ids[rows], -score[rows].astype(np.float32), by[rows])


# --- by words


def _by_words(query: Query, table: Table, fits: Mask) -> tuple[Ids, Ids]:
    """Return the rows that words and kinds find, and their ranks; equal matches share one."""
    phrases = _phrases(query)
    ranked = table.rows.rows_of_known(table.text_matches.ranked(phrases)) if phrases else _NO_ROWS
    place = np.full(table.size, len(ranked))
    place[ranked] = np.arange(len(ranked))
    strength: NDArray[np.float32] | Mask | None = _strength(query, table)
    if strength is None:  # with no kinds; nothing is ranked if too many photos have the words
        strength = place < len(ranked) if len(ranked) else _worded(query, table)
    rows = np.flatnonzero(fits & (strength > 0))
    order = np.lexsort((place[rows], -strength[rows].astype(np.float32)))
    rows = rows[order]
    new = (np.diff(place[rows]) != 0) | (np.diff(strength[rows]) != 0)
    return rows, np.append(0, np.cumsum(new))[: len(rows)]


def _phrases(query: Query) -> list[list[tuple[str, bool]]]:
    return [[(term.text, not term.quoted) for term in group] for group in query.words]


def _worded(query: Query, table: Table) -> Mask:
    found = np.ones(table.size, bool)
    for group in _phrases(query):
        found &= np.logical_or.reduce([table.matching(text, "", how) for text, how in group])
    return found


def _strength(query: Query, table: Table) -> NDArray[np.float32] | None:
    """Return how well photos match the words, 0.0-1.0; None if no tag is a kind of any of them."""
    terms = [term for group in query.words for term in group]
    kinds = {
        term: _confidence(table.text_matches.kinds(term.text), table)
        for term in terms
        if term.finds_kinds
    }
    for term, found in kinds.items():
        mentions = _confidence(table.text_matches.kinds(term.text, mentioned=True), table)
        mentions[mentions < 1] *= _MENTIONED
        np.maximum(found, mentions, out=found)
    compound = table.text_matches.kinds(query.compound)
    found_any = len(compound.ids) or query.kinds or any(each.any() for each in kinds.values())
    if not found_any:
        return None
    total = np.ones(table.size, np.float32)
    for group in query.words:
        best = np.zeros(table.size, np.float32)
        for term in group:
            begun = table.matching(term.text, prefix=not term.quoted)
            sure = kinds.get(term)
            # Tags with the word are among these, as certain as they are.
            column = "-tag" if sure is not None and sure.any() else ""
            whole = table.matching(term.text, column, prefix=False)
            for each in (begun * np.float32(_BEGUN), whole, *([] if sure is None else [sure])):
                np.maximum(best, each, out=best)
        total *= best
    np.maximum(total, _confidence(compound, table), out=total)
    for group in query.kinds:
        best = np.full(table.size, _BEGUN, np.float32)  # for tags in the group that are no kinds
        for term in group:
            if term.finds_kinds:
                np.maximum(best, _confidence(table.text_matches.kinds(term.text), table), out=best)
        total *= best
    return total


def _confidence(kinds: KindMatches, table: Table) -> NDArray[np.float32]:
    """Return by row how certain it is, 0.0-1.0, that a photo shows a kind of a word."""
    found, known = np.zeros(table.size, np.float32), table.knows(kinds.ids)
    found[table.rows_of(kinds.ids[known])] = kinds.confidence[known] / np.float32(100)
    return found


def kind_reasons(query: Query, table: Table, photo_ids: Sequence[int]) -> dict[int, KindReason]:
    """Return which tags found photos by a searched word, and how certain they are.

    Tags that are kinds of a word come before those that only mention one.
    """
    terms = [
        term for group in query.groups for term in group if term.finds_kinds and not term.negate
    ]
    find = table.text_matches.kinds
    matches = [find(query.compound), *(find(term.text) for term in terms)]
    matches += [find(term.text, mentioned=True) for term in terms if term.field == ANYWHERE]
    found: dict[int, KindReason] = {}
    for each in matches:
        found = each.reasons(photo_ids) | found
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
