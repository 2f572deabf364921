"""Previewing a file: the same scores as in the catalog, and nothing written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from curator import encoders
from curator.faces import measuring
from curator.files import fingerprint
from curator.imaging import proxy
from curator.model import GoneError, Kind, KnownError, StageJob, UnreadableError
from curator.networks import ModelError
from curator.stages.convert import convert
from curator.stages.embed import embed, embed_proxy
from curator.stages.file_preview import decode_file
from tests.face_data import OPEN
from tests.photos import draw_jpeg, write_dng
from tests.unit.stages.test_embed import RECIPE, Stub


def job(path: Path, cache: Path | str = "") -> StageJob:
    return StageJob(0, "file_preview", str(path), Kind.IMAGE, str(cache), long_edge_px=640)


@pytest.mark.parametrize("name", ["a.jpg", "a.dng"])
def test_a_preview_has_the_scores_of_convert_and_changes_nothing(tmp_path: Path, name: str) -> None:
    write = draw_jpeg if name.endswith("jpg") else write_dng
    path = write(tmp_path / "card" / name, size=(900, 600), seed=3)
    before = path.read_bytes(), path.stat().st_mtime_ns
    seen = decode_file(job(path), 300)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == [name]
    known = convert(job(path, tmp_path / "cache"))
    assert (seen.capture, seen.quality) == (known.capture, known.quality)
    assert (seen.basis, seen.fingerprint) == (known.basis, known.fingerprint)
    assert seen.size == path.stat().st_size
    assert seen.form == ("jpeg" if name == "a.jpg" else "raw")
    assert seen.proxy == proxy.proxy_path(tmp_path / "cache", known.proxy).read_bytes()
    assert seen.picture is not None and seen.picture.array.shape == (200, 300, 3)


def test_the_picture_is_upright_and_never_enlarged(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(90, 60), orientation=6)
    seen = decode_file(job(path), 3000)
    assert seen.picture is not None and seen.picture.array.shape == (90, 60, 3)
    assert decode_file(job(path)).picture is None


def test_faces_are_measured_if_asked_and_missing_networks_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(900, 600))
    monkeypatch.setattr(measuring, "find", lambda small: [small.shape])
    monkeypatch.setattr(measuring, "measure", lambda found, rgb, icc: [OPEN] * len(found))
    assert decode_file(job(path)).faces is None
    assert decode_file(job(path), faces=True).faces == (OPEN,)

    def fail(small: object) -> None:
        raise ModelError("The face models are missing.", "Install Curator again.")

    monkeypatch.setattr(measuring, "find", fail)
    seen = decode_file(job(path), faces=True)
    assert seen.faces is None and seen.quality is not None


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("{}")
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, error, reason in (
        ("notes.jpg", UnreadableError, "The file is a document, not a picture."),
        ("pipe.jpg", UnreadableError, "This is not a file."),
        (".", UnreadableError, "This is not a file."),
        ("gone.jpg", GoneError, "The file is no longer there."),
    ):
        with pytest.raises(error) as caught:
            decode_file(job(tmp_path / name), 100)
        assert caught.value.args[0] == reason


def test_a_file_has_the_vector_of_its_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "load", lambda name, options: Stub())
    monkeypatch.setattr(sys.modules["curator.stages.embed"], "_HELD", {})
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    path = draw_jpeg(tmp_path / "a.jpg", size=(900, 600))
    found = embed_proxy(RECIPE, decode_file(job(path)).proxy)
    key = convert(job(path, tmp_path)).proxy
    assert key == fingerprint(path)
    place = str(proxy.proxy_path(tmp_path, key))
    (known,) = embed(
        [StageJob(1, "embed", place, Kind.IMAGE, "", fingerprint="d", encoder=RECIPE)]
    ).results
    assert (found.encoder, found.vector, found.tone, found.tags) == (
        known.encoder,  # type: ignore[union-attr]
        known.vector,  # type: ignore[union-attr]
        known.tone,  # type: ignore[union-attr]
        (("harbor", 76),),
    )
    assert np.isfinite(np.frombuffer(found.tone, "<f4")).all()
    with pytest.raises(KnownError):
        embed_proxy(RECIPE, b"no picture")
