"""Embed, as the encoder's process calls it: proxies in, vectors or errors out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curator import encoders
from curator.encoders import EncoderOptions, EncodingError, Tag
from curator.model import Embedded, GoneError, Kind, KnownError, StageJob, UnreadableError
from curator.stages.embed import embed
from curator.taste.tone import TONES
from tests.photos import draw_jpeg


class Stub:
    """Encodes a picture as three numbers and a tag; it fails on a white picture."""

    batch = 5
    key = "stub/1"

    def encode_with_tags(
        self, pictures: list[np.ndarray]
    ) -> tuple[np.ndarray, list[list[Tag]] | None]:
        if any(rgb.min() == 255 for rgb in pictures):
            raise EncodingError("The encoder gave no numbers for a picture.")
        vectors = np.tile(np.array([0.0, 0.6, 0.8], np.float32), (len(pictures), 1))
        return vectors, [[Tag("harbor", 0.756)] for _ in pictures]


RECIPE = encoders.Recipe("stub", "stub/1", EncoderOptions())


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(encoders, "load", lambda name, options: Stub())
    monkeypatch.setattr(sys.modules["curator.stages.embed"], "_HELD", {})
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # embed sets it; that ends with the test
    yield


def job(path: Path, encoder: object = RECIPE) -> StageJob:
    return StageJob(7, "embed", str(path), Kind.IMAGE, "", fingerprint="d1", encoder=encoder)


def test_results_carry_the_key_of_the_weights(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(60, 40))
    before = path.read_bytes()
    answer = embed([job(path)])
    (found,) = answer.results
    assert isinstance(found, Embedded)
    assert (found.encoder, found.source, found.tags) == ("stub/1", "d1", (("harbor", 76),))
    assert np.frombuffer(found.vector, np.float16).tolist() == pytest.approx(
        [0, 0.6, 0.8], abs=1e-3
    )
    assert np.isfinite(np.frombuffer(found.tone, np.float32)).all()
    assert len(found.tone) == 4 * TONES
    assert answer.at_once == 5
    assert path.read_bytes() == before


def test_each_photo_of_a_group_fails_alone(tmp_path: Path) -> None:
    good = draw_jpeg(tmp_path / "a.jpg", size=(60, 40))
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    white = tmp_path / "white.jpg"
    Image.new("RGB", (60, 40), "white").save(white)
    paths = [good, tmp_path / "gone.jpg", tmp_path / "b.jpg", white, good]
    kinds = [type(result) for result in embed([job(path) for path in paths]).results]
    assert kinds == [Embedded, GoneError, UnreadableError, EncodingError, Embedded]


def test_weights_that_changed_are_refused(tmp_path: Path) -> None:
    other = encoders.Recipe("stub", "stub/2", EncoderOptions())
    with pytest.raises(KnownError, match="have changed"):
        embed([job(draw_jpeg(tmp_path / "a.jpg", size=(60, 40)), other)])


def test_without_an_encoder_embed_raises(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="no encoder"):
        embed([job(draw_jpeg(tmp_path / "a.jpg", size=(60, 40)), None)])


def test_an_encoder_that_cannot_load_fails_no_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(name: str, options: EncoderOptions) -> None:
        raise KnownError("weights.pt is cut off.")

    monkeypatch.setattr(encoders, "load", damaged)
    with pytest.raises(KnownError, match="cut off"):
        embed([job(draw_jpeg(tmp_path / "a.jpg", size=(60, 40)))])
