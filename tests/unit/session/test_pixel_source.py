"""Which pixels of a photo are shown: the camera's JPEG, or the RAW on request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import Catalog, PhotoDetail
from curator.library import captions
from curator.session.pixel_source import shows_raw, source, why_no_choice
from tests.catalogs import fill


@pytest.fixture
def pair(tmp_path: Path) -> PhotoDetail:
    """DSC_0000: a NEF whose preview is full size, and its JPEG."""
    fill(tmp_path / "catalog.db", 1)
    catalog = Catalog.open(tmp_path / "catalog.db")
    detail = replace(catalog.photos.get(1), basis="preview")
    catalog.close()
    assert [file.path.suffix for file in detail.files] == [".NEF", ".JPG"]
    return detail


def only(detail: PhotoDetail, suffix: str, basis: str) -> PhotoDetail:
    """Keep only one file of a photo."""
    files = tuple(file for file in detail.files if file.path.suffix == suffix)
    return replace(detail, files=files, basis=basis)


def looked_at(detail: PhotoDetail, developed: bool | None, zoomed: bool) -> tuple[str, str]:
    found = source(detail, developed, zoomed)
    return Path(found.path).suffix, found.want


@pytest.mark.parametrize("zoomed", [True, False])
def test_r_switches_between_jpeg_and_raw_of_a_pair(pair: PhotoDetail, zoomed: bool) -> None:
    assert looked_at(pair, None, zoomed) == (".JPG", "preview")
    assert looked_at(pair, True, zoomed) == (".NEF", "demosaic")
    assert looked_at(pair, False, zoomed) == (".JPG", "preview")
    assert source(pair, True, zoomed).fingerprint == pair.files[0].fingerprint
    assert why_no_choice(pair) == ""


def test_a_proxy_made_from_sensor_data_stays_in_use_until_zooming(pair: PhotoDetail) -> None:
    old = replace(pair, basis="demosaic")  # cameras of 1999 embed no full-size preview
    assert looked_at(old, None, False) == (".NEF", "preview")
    assert looked_at(old, None, True) == (".JPG", "preview")
    assert shows_raw(old, None, False) and not shows_raw(old, None, True)
    assert looked_at(old, False, False) == (".JPG", "preview")


def test_r_switches_between_preview_and_sensor_data_of_a_single_raw(pair: PhotoDetail) -> None:
    lone = only(pair, ".NEF", "preview")
    assert looked_at(lone, None, True) == (".NEF", "preview")
    assert looked_at(lone, True, True) == (".NEF", "demosaic")
    assert why_no_choice(lone) == ""
    assert why_no_choice(replace(lone, basis="demosaic")) == (
        "DSC_0000 holds no full-size preview: this is the RAW."
    )


def test_a_single_jpeg_has_no_choice(pair: PhotoDetail) -> None:
    lone = only(pair, ".JPG", "image")
    for developed in (None, True, False):
        assert looked_at(lone, developed, True) == (".JPG", "preview")
    assert why_no_choice(lone) == "DSC_0000 has no RAW to switch to."


def test_a_missing_half_leaves_the_other(pair: PhotoDetail) -> None:
    raw, image = pair.files
    without_jpeg = replace(pair, files=(raw, replace(image, missing=True)))
    assert looked_at(without_jpeg, None, True) == (".NEF", "preview")
    without_raw = replace(pair, files=(replace(raw, missing=True), image))
    assert looked_at(without_raw, True, True) == (".JPG", "preview")


def test_pixel_sources_have_texts_for_captions_and_overlays(pair: PhotoDetail) -> None:
    jpeg, raw = source(pair, False, True), source(pair, True, True)
    assert (jpeg.word("image"), jpeg.long_word("image")) == ("JPEG", "camera JPEG")
    assert (raw.word("demosaic"), raw.long_word("demosaic")) == ("RAW", "RAW")
    assert (raw.word("preview"), raw.long_word("preview")) == ("preview", "camera JPEG")
    lone = source(only(pair, ".JPG", "image"), None, True)
    assert lone.long_word("image") == "JPEG"
    assert replace(lone, path="/a/b.tif").word("image") == "TIFF"
    assert replace(lone, path="/a/b.png").word("image") == "PNG"


def test_the_caption_names_the_visible_pixels(pair: PhotoDetail) -> None:
    assert captions.files_line(pair) == "RAW+J · preview"
    assert captions.files_line(pair, "JPEG") == "RAW+J · JPEG"
    assert captions.files_line(only(pair, ".NEF", "preview"), "RAW") == "RAW"
    assert captions.files_line(only(pair, ".JPG", "image"), "JPEG") == ""
