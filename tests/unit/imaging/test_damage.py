"""Damage that no decoder reports is found, and intact pictures are not called damaged."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curator.bench.draw import draw_jpeg, jpeg_bytes, scene
from curator.imaging import containers, damage, decode
from curator.imaging.pixels import MAX_MEGAPIXELS, DecodeOptions


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return draw_jpeg(tmp_path / "a.jpg", size=(640, 480), thumbnail=False)


def flipped(path: Path, share: float) -> None:
    """Flip the bits of eight bytes in the coded picture, at a share of its length."""
    data = bytearray(path.read_bytes())
    body = containers.read_jpeg_header(bytes(data)).body
    at = body + 20 + int((len(data) - body - 40) * share)
    for byte in range(at, at + 8):
        data[byte] = (data[byte] ^ 0x55) & 0xFE  # never a marker
    path.write_bytes(data)


@pytest.mark.parametrize("long_edge", [None, 200])
def test_a_jpeg_with_flipped_bits_is_damaged_at_any_size(
    photo: Path, long_edge: int | None
) -> None:
    flipped(photo, 0.5)
    found = decode.load(photo, DecodeOptions("preview", MAX_MEGAPIXELS, long_edge))
    assert found.damage == "The file is damaged: parts of the picture may be wrong."


def test_the_corpus_file_with_flipped_bits_is_damaged(corpus: Path) -> None:
    assert decode.decode(corpus / "hostile/derived/bitflip/jpg_body.jpg").damage


def test_zeros_before_the_end_are_padding_not_damage(photo: Path) -> None:
    whole = photo.read_bytes()
    assert whole[-2:] == b"\xff\xd9"
    photo.write_bytes(whole[:-2] + bytes(500) + whole[-2:])
    assert decode.decode(photo).damage is None


def test_garbage_in_the_header_does_not_hide_damage_of_the_picture(photo: Path) -> None:
    flipped(photo, 0.5)
    data = photo.read_bytes()
    at = data.index(b"\xff\xdb")
    photo.write_bytes(data[:at] + bytes(7) + data[at:])
    assert decode.decode(photo).damage


SIZE = (1600, 1200)


def shifted(step: int) -> np.ndarray:
    """Draw a scene whose blocks are all lighter from the middle of a row of blocks on."""
    rgb = scene(SIZE, 3, "soft").astype(np.int16)
    rgb[320:336, 640:] += step
    rgb[336:] += step
    return np.clip(rgb, 0, 255).astype(np.uint8)


def test_light_that_jumps_in_the_middle_of_a_row_of_blocks_is_damage(tmp_path: Path) -> None:
    """One flipped bit of a block's mean value shifts all following blocks; no decoder notices."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_bytes(shifted(25), 90))
    assert decode.decode(path).damage
    path.write_bytes(jpeg_bytes(shifted(0), 90))
    assert decode.decode(path).damage is None


def test_a_frame_a_horizon_and_a_picture_in_the_picture_are_not_damage() -> None:
    framed = shifted(0)
    framed[:16], framed[-16:], framed[:, :16] = 0, 255, 30
    horizon = shifted(0)
    horizon[640:] //= 2
    inside = shifted(0)
    inside[320:800, 640:960] = scene((320, 480), 5)
    for rgb in (framed, horizon, inside):
        assert not damage.is_shifted(rgb, (16, 16))


def test_small_and_flat_pictures_are_not_damaged() -> None:
    for height, width in ((1, 1), (16, 16), (40, 700), (700, 40)):
        assert not damage.is_shifted(np.full((height, width, 3), 90, np.uint8), (16, 16))


def test_the_units_of_a_jpeg_are_read_from_its_header() -> None:
    for sampling, unit in ((0, (8, 8)), (1, (16, 8)), (2, (16, 16))):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64)).save(buffer, "jpeg", subsampling=sampling)
        assert containers.read_jpeg_header(buffer.getvalue()).unit == unit
