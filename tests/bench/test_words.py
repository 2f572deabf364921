"""Precision at 10 of thirty searches for kinds of things, over photos of the corpus.

What the photos show was seen by eye (`tests/data/words/seen.tsv`). They get names as a camera gives
them, so that only the tags of the starter encoder and words in the files themselves count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.encoders import EncoderOptions, missing_by_encoder
from curator.library import text_matches
from curator.library.filters import mask, parse
from curator.library.nouns import Nouns
from curator.library.relevance import relevance
from curator.library.sort_orders import sorted_ids
from curator.library.table import Table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEEN = Path(__file__).resolve().parents[1] / "data" / "words" / "seen.tsv"
# What is typed → the word of SEEN that says whether a photo fits.
SEARCHES = {
    **{word: word for word in ("vehicle", "food", "building", "animal", "flower", "boat", "cat")},
    **{word: word for word in ("fish", "fruit", "mammal", "furniture", "drink", "rodent", "beach")},
    **{word: word for word in ("house", "bear", "book", "toy", "clock", "person", "airplane")},
    "birds": "bird",
    "dogs": "dog",
    "insects": "insect",
    "automobile": "car",
    "mountains": "mountain",
    "reptiles": "reptile",
    "musical instrument": "instrument",
    "bottles": "bottle",
    "church": "church",
}
Found = dict[str, tuple[int, int, int]]
"""Search → fitting photos among the first ten, photos among the first ten, fitting photos."""


@pytest.fixture(scope="module")
def photos(corpus: Path) -> dict[str, frozenset[str]]:
    """What each photo shows, by its path in the corpus."""
    rows = (line.split("\t") for line in SEEN.read_text("utf-8").splitlines()[1:])
    return {path: frozenset(words.split()) for path, words in rows}


@pytest.fixture(scope="module")
def catalog(
    corpus: Path, photos: dict[str, frozenset[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Catalog]:
    """A library of these photos, analyzed by the starter; the n-th is named IMG_n."""
    if lack := missing_by_encoder(EncoderOptions())["starter"]:
        pytest.skip(lack)
    folder, home = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("home")
    for number, path in enumerate(photos):
        shutil.copy(corpus / path, folder / f"IMG_{number:04}{Path(path).suffix}")
    words = ["ingest", str(folder), "--encoder", "starter", "--home", str(home)]
    environment = os.environ | {"CURATOR_FACES__ON": "false"}
    subprocess.run([sys.executable, "-m", "curator", *words], check=True, env=environment)
    opened = Catalog.open(home / "catalog.db")
    opened.text.update_all()
    yield opened
    opened.close()


def found(catalog: Catalog, photos: dict[str, frozenset[str]]) -> Found:
    """Search for all words."""
    table, shown, answer = Table(catalog), list(photos.values()), {}
    for text, word in SEARCHES.items():
        query = parse(text)
        fits = mask(query, table) & table.alive()
        ranked = relevance(query, table, fits, {})
        table.scores.set_sort_values("relevance", ranked.ids, ranked.value)
        first = sorted_ids(table, fits, "relevance", units=False)[:10].tolist()
        right = sum(word in shown[int(table.name(photo).removeprefix("IMG_"))] for photo in first)
        answer[text] = right, len(first), sum(word in words for words in shown)
    return answer


def precision_at_10(answer: Found) -> float:
    """Return the mean share of fitting photos among the first ten, or as many as fit at all."""
    return float(np.mean([right / min(10, fitting) for right, _, fitting in answer.values()]))


def correct(answer: Found) -> float:
    """Return the share of fitting photos among those shown first."""
    right, shown, _ = np.sum(list(answer.values()), axis=0)
    return float(right / max(shown, 1))


def test_kinds_find_what_tags_alone_do_not(
    catalog: Catalog, photos: dict[str, frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = found(catalog, photos)
    monkeypatch.setattr(text_matches, "nouns", lambda: Nouns({}, {}, {}, {}, frozenset(), {}))
    words = found(catalog, photos)
    for text, (right, shown, fitting) in kinds.items():
        print(f"{text}: {right} of {shown} fit, of {fitting}; by words alone {words[text][:2]}")
    figures = [f"{precision_at_10(each):.3f}, {correct(each):.2f}" for each in (kinds, words)]
    print("precision at 10, and share of fitting ones: kinds {}; words {}".format(*figures))
    assert len(SEARCHES) == 30
    assert precision_at_10(kinds) >= 0.5 and correct(kinds) >= 0.65, "0.556 and 0.72 measured"
    assert precision_at_10(words) <= 0.15, "0.108 measured"
