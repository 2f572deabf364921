"""The bar of search: words and looks over a hundred thousand photos, and what a mark pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from curator.bench.figures import Figure, Place, percentile, timed
from curator.bench.filling import drawn_vectors
from curator.bench.library import DESCRIBED, PHOTOS, describe, lent, sayings, vocabulary
from curator.catalog import Catalog
from curator.pipeline.indexing import PART
from curator.session import Table
from curator.session.archive import Archive
from curator.session.filters import mask, parse
from curator.session.relevance import looking_like, relevance

_TURNS = 40
_READ = 8_000  # photos of which something else is said


def search(place: Place) -> list[Figure]:
    """Look for words, seldom and frequent, in a library; and have others said of some photos."""
    home = lent(place)
    catalog = Catalog.open(home.catalog)
    try:
        table, archive = Table(catalog), Archive(home.cache)
        archive.sync(catalog)
        archive.prepare()
        told = [" ".join(said) for said in sayings(int(DESCRIBED * PHOTOS))]
        words = vocabulary()
        found = [*_by_words(table, words, told), *_marks(table, words), _by_looks(archive, table)]
        return [*found, _reading(catalog)]
    finally:
        catalog.close()


def _kept(spent: list[float], act: Callable[[], bool]) -> bool:
    answers: list[bool] = []
    spent.append(timed(lambda: answers.append(act())))
    return answers[0]


def _asked(words: list[str]) -> Iterator[str]:
    """Draw searches: one word or two, whole or begun, from the commonest to the rarest."""
    for turn in range(_TURNS):
        word = words[int((turn / _TURNS) ** 3 * (len(words) - 1))]
        yield (word, word[:2], f"{word} {words[turn]}", f"DSC_{turn:03}")[turn % 4]


def _by_words(table: Table, words: list[str], told: list[str]) -> list[Figure]:
    spent, scans = [], []
    for text in _asked(words):
        query, begun = parse(text), text.split()[0]
        spent.append(timed(lambda query=query: _found(table, query)))  # type: ignore[misc]
        scans.append(timed(lambda begun=begun: [begun in each for each in told]))  # type: ignore[misc]
    return [
        Figure(
            f"words found and ranked among {PHOTOS:,} photos, p95 of {_TURNS}",
            1000 * percentile(spent, 0.95),
            "ms",
            50.0,
            1000 * percentile(scans, 0.95),
            "a look at every photo's words",
            note=f"median {1000 * percentile(spent, 0.5):.1f} ms",
        )
    ]


def _found(table: Table, query: object) -> None:
    fits = mask(query, table)  # type: ignore[arg-type]
    relevance(query, table, fits, {})  # type: ignore[arg-type]


def _marks(table: Table, words: list[str]) -> list[Figure]:
    """Ask again what fits, as each mark under a search does; the words are known by then."""
    query = parse(f"{words[0][:2]} is:undecided sharpness:>10")
    first = timed(lambda: mask(query, table))
    spent = [timed(lambda: mask(query, table)) for _ in range(_TURNS)]
    return [
        Figure(
            "what fits a search, worked out after a mark, p95",
            1000 * percentile(spent, 0.95),
            "ms",
            8.0,
            1000 * first,
            "the first time",
        )
    ]


def _by_looks(archive: Archive, table: Table) -> Figure:
    phrases = drawn_vectors(_TURNS, archive.dimension, np.random.default_rng(3))
    among = table.ids[table.alive()]
    spent = [timed(lambda each=each: looking_like(archive, each, among)) for each in phrases]  # type: ignore[misc]
    weights = np.zeros(archive.columns, np.float32)
    weights[: archive.dimension] = phrases[0]
    return Figure(
        f"what looks like a phrase among {PHOTOS:,} vectors, median",
        1000 * percentile(spent, 0.5),
        "ms",
        30.0,
        1000 * timed(lambda: archive.product(weights)),
        "every vector compared",
        note=f"slowest {1000 * max(spent):.0f} ms; beside encoding the phrase",
    )


def _reading(catalog: Catalog) -> Figure:
    """Say something else of some photos, and have that read."""
    ids = sorted(int(row[0]) for row in catalog.columns())[:: PHOTOS // _READ]
    describe(catalog, ids, seed=5)
    parts: list[float] = []
    while _kept(parts, lambda: catalog.fold_text(PART)):
        pass
    return Figure(
        f"words of {PART} photos read into the index, p99",
        1000 * percentile(parts, 0.99),
        "ms",
        20.0,
        note=f"slowest {1000 * max(parts):.0f} ms; {len(ids):,} photos in {sum(parts):.1f} s",
    )
