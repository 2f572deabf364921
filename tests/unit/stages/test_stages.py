"""Peek and convert, as the pipeline calls them: a job in, a result or an error out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from curator.files import fingerprint
from curator.imaging import proxy, tiff
from curator.model import GoneError, Kind, StageJob, UnreadableError
from curator.stages import STAGES
from curator.stages.convert import convert
from curator.stages.peek import peek
from tests.photos import draw_jpeg, pixels_of, write_dng


def job(path: Path, cache: Path, **more: object) -> StageJob:
    kind = Kind.RAW if path.suffix == ".dng" else Kind.IMAGE
    made = StageJob(7, "convert", str(path), kind, str(cache))
    return replace(made, **more)  # type: ignore[arg-type]


READING = [stage for stage in STAGES if stage.reads == "file"]


@pytest.mark.parametrize("stage", READING, ids=lambda stage: stage.name)
def test_every_stage_of_the_table_raises_plain_errors(tmp_path: Path, stage: object) -> None:
    names = [known.name for known in STAGES]
    assert set(stage.needs) <= set(names[: names.index(stage.name)])  # type: ignore[attr-defined]
    with pytest.raises(GoneError):
        stage.run(job(tmp_path / "gone.jpg", tmp_path / "cache"))  # type: ignore[attr-defined]
    path = draw_jpeg(tmp_path / "a.jpg", size=(300, 200))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    result = stage.run(job(path, tmp_path / "cache"))  # type: ignore[attr-defined]
    assert result.fingerprint == fingerprint(path)
    assert (result.size, result.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_peek_reads_the_block_of_a_jpeg_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tiff.Read] = []
    directories = tiff.directories

    def noted(bytes_of: tiff.Read) -> list[tiff.Directory]:
        read.append(bytes_of)
        return directories(bytes_of)

    monkeypatch.setattr(tiff, "directories", noted)
    tiff.cached_directories.cache_clear()
    for seed in (1, 2):  # what is remembered of one photo is not said of the next
        path = draw_jpeg(tmp_path / f"{seed}.jpg", size=(300, 200), seed=seed, iso=100 * seed)
        assert peek(job(path, tmp_path / "cache")).capture.iso == 100 * seed
    assert len(read) == 2


def test_peek_takes_the_embedded_thumbnail_upright(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    path = draw_jpeg(tmp_path / "a.jpg", size=(600, 400), orientation=6)
    found = peek(job(path, cache))
    assert found.thumb == found.fingerprint
    thumb = pixels_of(proxy.thumb_path(cache, found.thumb).read_bytes())
    assert thumb.shape[:2] == (160, 107)
    raw = peek(job(write_dng(tmp_path / "a.dng", size=(600, 400)), cache))
    assert raw.thumb is not None


def test_peek_leaves_thumbnails_that_do_not_fit(tmp_path: Path) -> None:
    none = draw_jpeg(tmp_path / "a.jpg", thumbnail=False)
    assert peek(job(none, tmp_path / "cache")).thumb is None
    padded = tmp_path / "b.jpg"
    tall = draw_jpeg(tmp_path / "tall.jpg", size=(400, 600), seed=1).read_bytes()
    wide = draw_jpeg(tmp_path / "wide.jpg", size=(600, 400), seed=1).read_bytes()
    cut = 4 + int.from_bytes(wide[4:6], "big")
    padded.write_bytes(wide[:cut] + tall[4 + int.from_bytes(tall[4:6], "big") :])
    assert peek(job(padded, tmp_path / "cache")).thumb is None


def test_peek_never_fails_for_content(tmp_path: Path) -> None:
    path = tmp_path / "a.nef"
    path.write_bytes(b"II*\0\x08\0\0\0\xff\xff" + bytes(100))
    assert peek(job(path, tmp_path / "cache")).capture.taken_at is None


@pytest.mark.parametrize("orientation", [1, 6])
def test_convert_writes_an_upright_proxy_and_measures(tmp_path: Path, orientation: int) -> None:
    cache = tmp_path / "cache"
    path = draw_jpeg(tmp_path / "a.jpg", size=(1800, 1200), orientation=orientation, look="subject")
    done = convert(job(path, cache, long_edge_px=800))
    data = proxy.proxy_path(cache, done.proxy).read_bytes()
    assert hashlib.sha256(data).hexdigest() == done.proxy_digest
    shape = pixels_of(data).shape[:2]
    thumb = pixels_of(proxy.thumb_path(cache, done.proxy).read_bytes()).shape[:2]
    upright = orientation == 1
    assert shape == ((533, 800) if upright else (800, 533))
    assert thumb == ((240, 360) if upright else (360, 240))
    assert (done.capture.width, done.capture.height) == ((1800, 1200) if upright else (1200, 1800))
    assert done.basis == "image"
    assert done.damage is None
    assert done.quality.sharpness > 50
    assert done.quality.sharpest is not None
    assert all(0.3 < part < 0.7 for part in done.quality.sharpest)


def test_converting_twice_gives_the_same_proxy(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg")
    first = convert(job(path, tmp_path / "cache"))
    assert convert(job(path, tmp_path / "other")).proxy_digest == first.proxy_digest


def test_a_raw_with_a_full_size_preview_says_so(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert convert(job(write_dng(tmp_path / "a.dng"), cache)).basis == "preview"
    assert convert(job(write_dng(tmp_path / "b.dng", preview=False), cache)).basis == "demosaic"


def test_the_other_half_of_a_pair_replaces_a_broken_raw(tmp_path: Path) -> None:
    raw = write_dng(tmp_path / "a.dng", size=(1200, 800), preview=(600, 400))
    raw.write_bytes(raw.read_bytes()[:4000])
    jpeg = draw_jpeg(tmp_path / "a.jpg", size=(600, 400))
    done = convert(job(raw, tmp_path / "cache", fallback=str(jpeg)))
    assert done.basis == "fallback"
    assert done.damage is not None
    assert "other file of the pair" in done.damage
    assert done.fingerprint == fingerprint(raw)
    assert (done.capture.width, done.capture.height) == (600, 400)
    assert done.capture.camera == "Curator Works Test One"


def test_without_another_half_the_raws_error_is_given(tmp_path: Path) -> None:
    raw = write_dng(tmp_path / "a.dng", preview=False)
    raw.write_bytes(raw.read_bytes()[:4000])
    for fallback in (None, str(tmp_path / "gone.jpg")):
        with pytest.raises(UnreadableError, match="RAW"):
            convert(job(raw, tmp_path / "cache", fallback=fallback))
    assert not (tmp_path / "cache").exists()


def test_the_largest_picture_is_a_setting(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(2000, 1000))
    with pytest.raises(UnreadableError, match="limit is 1"):
        convert(job(path, tmp_path / "cache", max_megapixels=1))
