"""Embed, as the encoder's process calls it: a proxy in, numbers or a reason out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator import encoders
from curator.encoders import EncoderOptions
from curator.model import GoneError, Kind, StageJob, UnreadableError
from curator.stages.embed import embed
from curator.taste.tone import TONES
from tests.photos import draw_jpeg


def job(path: Path, encoder: object = None) -> StageJob:
    return StageJob(7, "embed", str(path), Kind.IMAGE, "", fingerprint="d1", encoder=encoder)


def test_a_proxy_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(GoneError):
        embed(job(tmp_path / "gone.jpg"))


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(UnreadableError):
        embed(job(tmp_path / "a.jpg"))


def test_without_an_encoder_nothing_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no encoder"):
        embed(job(draw_jpeg(tmp_path / "a.jpg", size=(60, 40))))


class Stub:
    """Three numbers a picture, of length 1."""

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        return np.tile(np.array([0.0, 0.6, 0.8], np.float32), (len(pictures), 1))


def test_vector_and_tone_come_as_bytes_under_the_name_of_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "load", lambda name, options: Stub())
    recipe = encoders.Recipe("stub", "stub/1", EncoderOptions())
    path = draw_jpeg(tmp_path / "a.jpg", size=(60, 40))
    before = path.read_bytes()
    found = embed(job(path, recipe))
    assert (found.encoder, found.source) == ("stub/1", "d1")
    assert np.frombuffer(found.vector, np.float16).tolist() == pytest.approx(
        [0, 0.6, 0.8], abs=1e-3
    )
    assert np.isfinite(np.frombuffer(found.tone, np.float32)).all()
    assert len(found.tone) == 4 * TONES
    assert path.read_bytes() == before
