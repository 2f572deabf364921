"""Text, as the pipeline reads it: only photos with text are decoded again, and upright."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from curator.bench.draw_text import Drawn, draw
from curator.imaging import proxy
from curator.model import GoneError, Kind, StageJob
from curator.stages.convert import convert
from curator.stages.read_text import read_text, text_of_file
from tests.photos import draw_jpeg
from tests.text_data import needs_models


def job(path: Path, cache: Path) -> StageJob:
    """Convert a photo, and return the job that reads its text."""
    first = StageJob(1, "convert", str(path), Kind.IMAGE, str(cache), long_edge_px=640)
    done = convert(first)
    return replace(
        first,
        stage="read_text",
        fingerprint=done.proxy_digest,
        proxy=str(proxy.proxy_path(cache, done.proxy)),
    )


@needs_models
def test_a_turned_photo_is_read_upright_on_the_pixels_of_the_original(tmp_path: Path) -> None:
    upright = Image.fromarray(draw((1200, 1600), [Drawn("Gate 27", (300, 1200), 44)]))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn off
    path = tmp_path / "DSC_1.jpg"
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=92)
    asked = job(path, tmp_path / "cache")
    found = read_text(asked)
    assert found.source == asked.fingerprint
    [line] = found.lines
    assert line.text == "Gate 27"
    (x, y), (to_x, _), *_ = line.corners
    assert 0.1 < x < 0.25 < to_x < 0.45 and 0.7 < y < 0.76
    lines, size = text_of_file(asked)
    assert [each.text for each in lines] == ["Gate 27"], "without a proxy, too"
    assert size == (1200, 1600)


@needs_models
def test_a_photo_without_text_is_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = draw_jpeg(tmp_path / "DSC_1.jpg", size=(320, 240), seed=1)
    asked = job(path, tmp_path / "cache")
    monkeypatch.delattr(sys.modules[read_text.__module__], "decode_photo")
    assert read_text(asked).lines == ()


def test_without_its_proxy_the_remedy_is_to_make_it_again(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "DSC_1.jpg", size=(320, 240), seed=1)
    asked = job(path, tmp_path / "cache")
    Path(asked.proxy).unlink()
    with pytest.raises(GoneError, match="curator backfill convert"):
        read_text(asked)
