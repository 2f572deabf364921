"""The bar for search: by words and by similarity in 100,000 photos, and again after a mark."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from curator.bench import baselines
from curator.bench.figures import Figure, PairedTimes, Workspace, timed
from curator.bench.synthetic_catalog import drawn_vectors, tidy
from curator.bench.synthetic_library import describe, descriptions, library_copy, vocabulary
from curator.catalog import Catalog
from curator.learning.vector_index import VectorIndex
from curator.library.filters import mask, parse
from curator.library.query import Query
from curator.library.relevance import relevance, similar_to_phrase
from curator.library.table import Table
from curator.pipeline.between_jobs import INDEX_PART

_TURNS = 40
_READ = 8_000  # photos that get another description


def search(workspace: Workspace) -> list[Figure]:
    """Search a library for rare and frequent words, and index changed descriptions."""
    home = library_copy(workspace)
    catalog = Catalog.open(home.catalog)
    try:
        table, index, words = Table(catalog), VectorIndex(home.cache), vocabulary()
        index.sync(catalog)
        index.prepare()
        return [
            _by_words(table, words, home.catalog),
            _after_mark(table, words),
            _by_picture(index, table),
            _reading(catalog, workspace.scratch),
        ]
    finally:
        catalog.close()


def _searches(words: list[str]) -> Iterator[str]:
    """Yield searches: one or two words, complete or as prefix, from frequent to rare ones."""
    for turn in range(_TURNS):
        word = words[int((turn / _TURNS) ** 3 * (len(words) - 1))]
        yield (word, word[:2], f"{word} {words[turn]}", f"DSC_{turn:03}")[turn % 4]


def _by_words(table: Table, words: list[str], catalog: Path) -> Figure:
    pairs = PairedTimes()
    match = "SELECT rowid FROM photo_text WHERE photo_text MATCH ?"
    for text in _searches(words):
        spent = timed(_found, table, parse(text))
        begun = " ".join(f'"{word}"*' for word in text.split())
        pairs.add(spent, timed(baselines.rows, catalog, match, begun))
    what = f"words found and ranked among {len(table.ids):,} photos"
    return pairs.figure(what, 0.95, 50.0, "a query of SQLite's full-text index, unranked")


def _found(table: Table, query: Query) -> None:
    relevance(query, table, mask(query, table), {})


def _after_mark(table: Table, words: list[str]) -> Figure:
    """Filter again, as after each mark during a search; the words are already found then."""
    query, pairs = parse(f"{words[0][:2]} is:unreviewed sharpness:>10"), PairedTimes()
    numbers = np.random.default_rng(6).random(len(table.ids))
    first = timed(mask, query, table)
    for _ in range(_TURNS):
        compared = timed(lambda: np.flatnonzero((numbers > 0.2) & (numbers < 0.8)))
        pairs.add(timed(mask, query, table), compared)
    beside = "numpy comparing as many numbers twice"
    note = f"the first time {1000 * first:.0f} ms"
    return pairs.figure("filtering again after a mark", 0.95, 8.0, beside, note)


def _by_picture(index: VectorIndex, table: Table) -> Figure:
    phrases, pairs = (
        drawn_vectors(_TURNS, index.dimension, np.random.default_rng(3)),
        PairedTimes(),
    )
    among, vectors = table.ids[table.alive()], baselines.vectors(index)
    for each in phrases:
        spent = timed(similar_to_phrase, index, each, among)
        pairs.add(spent, timed(np.matmul, vectors, each))
    what = f"photos that look like a phrase, of {len(among):,}"
    note = f"slowest {1000 * max(pairs.spent):.0f} ms; without encoding the phrase"
    return pairs.figure(what, 0.5, 30.0, baselines.PRODUCT, note)


def _reading(catalog: Catalog, scratch: Path) -> Figure:
    """Change the descriptions of some photos, and index them."""
    every = catalog.photos.ids()
    ids = every[:: max(1, len(every) // _READ)]
    describe(catalog, ids, seed=5)
    texts = (" ".join(words) for words in descriptions(len(ids) + INDEX_PART, seed=5))
    pairs, more, tidied = PairedTimes(), [True], 0.0
    with baselines.index(scratch) as insert:
        while more[-1]:
            spent = timed(lambda: more.append(catalog.text.update(INDEX_PART)))
            pairs.add(spent, insert(list(itertools.islice(texts, INDEX_PART))))
            tidied += timed(tidy, catalog)
    what = f"indexing the words of {INDEX_PART} photos"
    note = f"slowest {1000 * max(pairs.spent):.0f} ms; {len(ids):,} photos in "
    note += f"{sum(pairs.spent):.1f} s, and {tidied:.1f} s to merge them"
    return pairs.figure(what, 0.99, 20.0, "adding as many rows to an index with plain SQLite", note)
