"""Exported JPEGs: sharpness, size and EXIF."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curator.imaging.exif import read_capture
from curator.imaging.export_exif import exif_to_keep
from curator.imaging.export_jpeg import JpegOptions, encode_jpeg, scaled, sharpened
from tests.photos import scene


def edge() -> np.ndarray:
    """Draw an edge between dark and light gray, as soft as from a lens."""
    row = np.clip(np.linspace(-8, 9, 64), 0, 1) * 100 + 80
    return np.repeat(np.repeat(row.astype(np.uint8)[None, :, None], 32, 0), 3, 2)


def test_sharpening_steepens_an_edge_and_print_more_than_screen() -> None:
    steepness = [
        int(np.abs(np.diff(sharpened(edge(), how)[16, :, 0].astype(int))).max())
        for how in ("off", "screen", "print")
    ]
    assert steepness[0] < steepness[1] < steepness[2]
    assert sharpened(edge(), "off") is not None and np.array_equal(sharpened(edge(), "off"), edge())


def test_sharpening_leaves_flat_noise_and_hue_alone() -> None:
    noise = np.random.default_rng(1).integers(-1, 2, (64, 64, 1))
    flat = np.clip(120 + noise, 0, 255).astype(np.uint8).repeat(3, 2)
    assert np.abs(sharpened(flat, "screen").astype(int) - flat).max() <= 1
    tinted = edge() // np.array([1, 2, 3], np.uint8)
    change = sharpened(tinted, "print").astype(int) - tinted
    inside = (tinted > 20).all(axis=2) & (tinted < 235).all(axis=2)
    assert np.ptp(change[inside], axis=1).max() == 0, "the same to all three colors"


def test_scaling_meets_the_long_edge_and_never_enlarges() -> None:
    picture = scene((900, 600), 3)
    assert scaled(picture, 300).shape == (200, 300, 3)
    assert scaled(picture, 5000) is picture
    # Against the whole picture's Lanczos: no step in between costs what one could see.
    best = np.asarray(Image.fromarray(picture).resize((300, 200), Image.Resampling.LANCZOS))
    error = np.mean((scaled(picture, 300).astype(float) - best) ** 2)
    assert 10 * np.log10(255**2 / max(error, 1e-9)) > 40


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A JPEG with everything a phone writes, including maker note and serial number."""
    exif = Image.Exif()
    exif[271], exif[272], exif[274], exif[315] = "Fuji", "X-T3", 6, "Ann"
    exif[33432] = "© Ann Ö".encode()
    camera, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    camera[36867], camera[37521], camera[36881] = "2024:05:04 18:42:07", "12", "+02:00"
    camera[33434], camera[33437], camera[34855], camera[37386] = 0.004, 2.8, 800, 35.0
    camera[42036], camera[42033], camera[37500] = "XF 35mm", "SERIAL-99", b"maker SERIAL-99"
    place[1], place[2], place[3], place[4] = "N", (64.0, 8.0, 30.5), "W", (21.0, 56.0, 0.0)
    path = tmp_path / "phone.jpg"
    Image.fromarray(scene((60, 40), 1)).save(path, exif=exif)
    return path


def test_exported_exif_has_the_allowed_fields_and_no_others(original: Path) -> None:
    before = read_capture(original)
    whole, safe = (exif_to_keep(original, location=on) for on in (True, False))
    how = JpegOptions(exif=whole)
    after = read_capture("x.jpg", encode_jpeg(scene((60, 40), 1), 60, how))
    for name in ("taken_at", "utc_offset_min", "camera", "lens", "exposure_s", "f_number", "iso"):
        assert getattr(after, name) == getattr(before, name) is not None, name
    assert after.latitude == pytest.approx(64.1418, abs=1e-4) == before.latitude
    assert after.orientation == 1 != before.orientation
    assert "© Ann Ö".encode() in whole and b"Ann" in safe
    assert b"SERIAL-99" not in whole
    placeless = read_capture("x.jpg", encode_jpeg(scene((60, 40), 1), 60, JpegOptions(exif=safe)))
    assert (placeless.latitude, placeless.camera) == (None, before.camera)


def test_a_file_without_metadata_gives_no_exif(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(path)
    assert exif_to_keep(path, location=True) == b""
    made = encode_jpeg(np.zeros((8, 8, 3), np.uint8), 8, JpegOptions())
    with Image.open(io.BytesIO(made)) as image:
        assert "exif" not in image.info


@pytest.mark.slow
def test_exif_can_be_built_from_every_real_file(corpus: Path) -> None:
    kept = 0
    for path in sorted(each for each in corpus.rglob("*") if each.is_file()):
        block = exif_to_keep(path, location=True)
        made = encode_jpeg(np.zeros((8, 8, 3), np.uint8), 8, JpegOptions(exif=block))
        before, after = read_capture(path), read_capture("x.jpg", made)
        if block:
            kept += 1
            assert (after.taken_at, after.camera, after.iso) == (
                before.taken_at,
                before.camera,
                before.iso,
            ), path
            assert after.latitude == pytest.approx(before.latitude, abs=1e-4), path
    assert kept > 200
