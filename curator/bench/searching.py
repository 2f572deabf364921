"""The bar of search: words and looks over a hundred thousand photos, and what a mark pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from curator.bench.figures import Figure, Place, percentile, timed
from curator.bench.filling import drawn_vectors, embed, fill
from curator.catalog import Catalog
from curator.model import ContentType, Described
from curator.pipeline.indexing import PART
from curator.session import Table
from curator.session.archive import Archive
from curator.session.filters import mask, parse
from curator.session.relevance import looking_like, relevance
from curator.settings import Home

_PHOTOS = 100_000
_WORDS = 4000
_TURNS = 40
_BATCH = 500


def search(place: Place) -> list[Figure]:
    """Describe photos in drawn words, have those read, and look for some, seldom and frequent."""
    home = Home.at(place.scratch / "home").make()
    fill(home, _PHOTOS)
    embed(home)
    catalog = Catalog.open(home.catalog)
    try:
        words, told = _describe(catalog)
        parts: list[float] = []
        while _kept(parts, lambda: catalog.fold_text(PART)):
            pass
        catalog.checkpoint()
        table, archive = Table(catalog), Archive(home.cache)
        archive.sync(catalog)
        archive.prepare()
        return [*_by_words(table, words, told), *_marks(table, words), _by_looks(archive, table),
                _reading(parts)]  # fmt: skip
    finally:
        catalog.close()


def _kept(spent: list[float], act: Callable[[], bool]) -> bool:
    answers: list[bool] = []
    spent.append(timed(lambda: answers.append(act())))
    return answers[0]


def _describe(catalog: Catalog) -> tuple[list[str], list[str]]:
    """Say something of every photo, the k-th word as often as in a language: by 1 / (k + 5)."""
    chance = np.random.default_rng(2)
    letters = np.array(list("abdefghiklmnoprstu"))
    words = ["".join(chance.choice(letters, 3 + number % 7)) for number in range(_WORDS)]
    shares = 1.0 / (np.arange(_WORDS) + 5.0)
    texts: list[str] = []
    ids = sorted(row[0] for row in catalog.columns())
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH]
        drawn = chance.choice(words, (len(some), 24), p=shares / shares.sum()).tolist()
        texts += map(" ".join, drawn)
        digests = {photo.id: photo.proxy_digest or "" for photo in catalog.details(some)}
        catalog.save_described(
            [
                (photo, _described(digests[photo], told))
                for photo, told in zip(some, drawn, strict=True)
            ]
        )
    return words, texts


def _described(source: str, words: list[str]) -> Described:
    subject, mood, light = " ".join(words[:6]), " ".join(words[6:8]), " ".join(words[8:18])
    tags = tuple((word, 50) for word in dict.fromkeys(words[18:]))
    return Described("drawn", "1", source, subject, ContentType.OTHER, light, mood, tags)


def _asked(words: list[str]) -> Iterator[str]:
    """Draw searches: one word or two, whole or begun, from the commonest to the rarest."""
    for turn in range(_TURNS):
        word = words[int((turn / _TURNS) ** 3 * (_WORDS - 1))]
        yield (word, word[:2], f"{word} {words[turn]}", f"DSC_{turn:03}")[turn % 4]


def _by_words(table: Table, words: list[str], told: list[str]) -> list[Figure]:
    spent, scans = [], []
    for text in _asked(words):
        query, begun = parse(text), text.split()[0]
        spent.append(timed(lambda query=query: _found(table, query)))  # type: ignore[misc]
        scans.append(timed(lambda begun=begun: [begun in each for each in told]))  # type: ignore[misc]
    return [
        Figure(
            f"words found and ranked among {_PHOTOS:,} photos, p95 of {_TURNS}",
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
        f"what looks like a phrase among {_PHOTOS:,} vectors, median",
        1000 * percentile(spent, 0.5),
        "ms",
        30.0,
        1000 * timed(lambda: archive.product(weights)),
        "every vector compared",
        note=f"slowest {1000 * max(spent):.0f} ms; beside encoding the phrase",
    )


def _reading(parts: list[float]) -> Figure:
    return Figure(
        f"words of {PART} photos read into the index, p99",
        1000 * percentile(parts, 0.99),
        "ms",
        20.0,
        note=f"slowest {1000 * max(parts):.0f} ms; {_PHOTOS:,} photos in {sum(parts):.0f} s",
    )
