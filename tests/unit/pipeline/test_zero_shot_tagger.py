"""Tags suggested from vectors: the vocabulary is encoded once, and no picture is read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.encoders import EncoderOptions, Recipe, zero_shot
from curator.home import Home
from curator.model import KnownError
from curator.pipeline.zero_shot_tagger import ZeroShotTagger
from curator.settings import Settings
from curator.workers import WorkerCrashed
from tests import catalogs, taste_data

WORDS = ("harbor", "meadow", "lens cap")


class Speaker:
    """Replaces the encoder's process: the vectors of the words are the axes."""

    size = 0

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.trouble: Exception | None = None

    def processes(self) -> int:
        return 1

    def run(
        self, act: Callable[..., Any], recipe: Recipe, sentences: list[str], timeout_s: float
    ) -> Any:
        self.asked.append(sentences)
        if self.trouble is not None:
            raise self.trouble
        return np.eye(
            len(sentences) // len(zero_shot.TEMPLATES), 4, dtype=np.float32
        ).tobytes(), 20.0


@pytest.fixture
def catalog(home: Home) -> Any:
    catalogs.fill(home.catalog, 6)
    opened = Catalog.open(home.catalog)
    yield opened
    opened.close()


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings.load(home)


@pytest.fixture
def make(
    home: Home, catalog: Catalog, speaker: Speaker, settings: Settings
) -> Callable[[], ZeroShotTagger]:
    """Make a tagger as the next start would; the vocabulary is in the home."""
    list_words(home.data, WORDS)

    def make() -> ZeroShotTagger:
        namer = ZeroShotTagger(catalog, speaker, settings, home.cache)  # type: ignore[arg-type]
        namer.use(
            Recipe("open_clip", taste_data.ENCODER, EncoderOptions(vocabulary_folder=home.data))
        )
        return namer

    return make


def list_words(folder: Path, words: tuple[str, ...]) -> None:
    (folder / zero_shot.FILE).write_text("[Things]\n" + "\n".join(words), "utf-8")


def see(catalog: Catalog, photo: int, *along: float) -> None:
    vector = np.array(along, np.float16)
    vector /= np.linalg.norm(vector)
    seen = taste_data.result(catalog, photo, taste_data.ENCODER, vector, np.ones(76, np.float32))
    assert catalog.vectors.save([(taste_data.job(photo), seen)]) == [photo]


def name_all(namer: ZeroShotTagger) -> list[int]:
    found = []
    for _ in range(50):
        namer._next_at = 0.0
        found += namer.advance(calm=True)
        if not namer.waiting:
            break
    return found


def names(catalog: Catalog, photo: int) -> list[tuple[str, str]]:
    return [(tag.name, tag.state) for tag in catalog.photos.get(photo).tags]


def test_photos_get_the_tags_nearest_to_their_vectors(
    catalog: Catalog, make: Callable[[], ZeroShotTagger], speaker: Speaker
) -> None:
    see(catalog, 2, 1, 0, 0, 0)
    see(catalog, 3, 1, 1, 0, 0)
    namer = make()
    assert sorted(name_all(namer)) == [2, 3]
    assert names(catalog, 2) == [("harbor", "suggested")]
    assert sorted(names(catalog, 3)) == [("harbor", "suggested"), ("meadow", "suggested")]
    assert catalog.photos.get(3).tags[0].source == "encoder"
    assert catalog.photos.get(3).tags[0].confidence == 50
    assert {row.name: row.category for row in catalog.vocabulary.all()}["harbor"] == "Things"
    see(catalog, 4, 0, 1, 0, 0)
    namer.touch()
    assert name_all(namer) == [4] and len(speaker.asked) == 1


def test_the_next_start_repeats_nothing(
    catalog: Catalog, make: Callable[[], ZeroShotTagger], speaker: Speaker
) -> None:
    see(catalog, 2, 1, 0, 0, 0)
    name_all(make())
    assert name_all(make()) == []
    see(catalog, 3, 1, 0, 0, 0)
    assert name_all(make()) == [3]
    assert len(speaker.asked) == 1, "the encoded vocabulary was saved"


@pytest.mark.parametrize("damage", [b"", b"PK\3\4" + bytes(40)])
def test_a_damaged_vocabulary_file_is_made_again(
    catalog: Catalog, make: Callable[[], ZeroShotTagger], home: Home, damage: bytes
) -> None:
    see(catalog, 2, 1, 0, 0, 0)
    name_all(make())
    (kept,) = (home.cache / "words").iterdir()
    kept.write_bytes(damage)
    see(catalog, 3, 1, 0, 0, 0)
    assert name_all(make()) == [3]
    assert kept.stat().st_size > len(damage)


def test_another_vocabulary_tags_all_photos_again_without_pictures(
    catalog: Catalog, make: Callable[[], ZeroShotTagger], home: Home, settings: Settings
) -> None:
    see(catalog, 2, 1, 0, 0, 0)
    see(catalog, 3, 1, 1, 0, 0)
    name_all(make())
    tag = catalog.tags.ids(["meadow"])["meadow"]
    catalog.journal.decide({3: {("tag", tag): "removed"}}, summary="no meadow")
    before = catalog.store.rows("SELECT photo_id, rev FROM vector")
    list_words(home.data, ("pier", "meadow"))
    assert sorted(name_all(make())) == [2, 3]
    assert names(catalog, 2) == [("pier", "suggested")]
    assert names(catalog, 3) == [("pier", "suggested")], "a removed tag is not suggested again"
    assert catalog.store.rows("SELECT photo_id, rev FROM vector") == before
    settings.tags.threshold = 60
    assert sorted(name_all(make())) == [2, 3]
    assert names(catalog, 3) == [], "its confidence is below the threshold"


def test_an_encoder_without_text_tags_nothing(
    catalog: Catalog, make: Callable[[], ZeroShotTagger], speaker: Speaker, home: Home
) -> None:
    see(catalog, 2, 1, 0, 0, 0)
    namer = make()
    namer.use(Recipe("starter", taste_data.ENCODER, EncoderOptions(vocabulary_folder=home.data)))
    assert not namer.waiting and name_all(namer) == [] and speaker.asked == []


@pytest.mark.parametrize(
    "trouble",
    [WorkerCrashed("It died."), KnownError("No such weights."), OSError("A library is not here.")],
)
def test_an_encoder_that_fails_on_texts_stops_nothing(
    catalog: Catalog,
    make: Callable[[], ZeroShotTagger],
    speaker: Speaker,
    trouble: Exception,
    expected_log: Callable[[str], None],
) -> None:
    expected_log("no tags are suggested")
    see(catalog, 2, 1, 0, 0, 0)
    speaker.trouble = trouble
    namer = make()
    assert name_all(namer) == [] and not namer.waiting
    namer.touch()
    assert name_all(namer) == [] and len(speaker.asked) == 1, "the next start tries again"


def test_a_vocabulary_that_cannot_be_read_suggests_nothing(
    make: Callable[[], ZeroShotTagger],
    home: Home,
    speaker: Speaker,
    expected_log: Callable[[str], None],
) -> None:
    expected_log(r"vocabulary\.txt cannot be read")
    namer = make()
    (home.data / zero_shot.FILE).write_bytes(b"\xff\xfe")
    namer.use(Recipe("open_clip", taste_data.ENCODER, EncoderOptions(vocabulary_folder=home.data)))
    assert not namer.waiting and speaker.asked == []
