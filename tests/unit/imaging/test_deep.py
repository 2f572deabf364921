"""Pictures with more tones than a screen, shown through a curve that is named; never RAWs."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curator.files import is_picture_name
from curator.imaging import decode, exif
from curator.library.captions import MEASURED
from curator.model import UnreadableError
from tests.profiles import PROPHOTO_XYZ, SRGB_XYZ, curve, profile

RAMP = np.tile(np.linspace(0, 1, 48), (32, 1))
COLORS = np.stack([RAMP, RAMP[:, ::-1], RAMP / 2], -1)


def tiff(
    values: np.ndarray, *, orientation: int = 1, extra: dict[int, bytes] | None = None
) -> bytes:
    """Build a plain TIFF of any number type; ``extra`` are tags of bytes."""
    height, width, *rest = values.shape
    samples = rest[0] if rest else 1
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    shorts = {
        258: [values.itemsize * 8] * samples,
        259: [1],
        262: [2 if samples >= 3 else 1],
        274: [orientation],
        277: [samples],
        339: [kind] * samples,
    }
    longs = {256: width, 257: height, 273: 0, 278: height, 279: len(data)}
    tags = {tag: (3, struct.pack(f"<{len(v)}H", *v)) for tag, v in shorts.items()}
    tags |= {tag: (4, struct.pack("<I", value)) for tag, value in longs.items()}
    tags |= {tag: (1, part) for tag, part in (extra or {}).items()}
    after = 8 + 2 + 12 * len(tags) + 4
    tags[273] = (4, struct.pack("<I", after + sum(len(v) for _, v in tags.values() if len(v) > 4)))
    entries, more = b"", b""
    for tag, (form, value) in sorted(tags.items()):
        count = len(value) // {1: 1, 3: 2, 4: 4}[form]
        place = struct.pack("<I", after + len(more)) if len(value) > 4 else value.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, form, count) + place
        more += value if len(value) > 4 else b""
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + more + data


def encoded(light: Any) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def shown(path: Path, content: bytes) -> decode.Picture:
    path.write_bytes(content)
    return decode.decode(path)


def colored(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 3 else np.repeat(values[:, :, None], 3, axis=2)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("values", [RAMP, COLORS], ids=["gray", "rgb"])
def test_floats_between_0_and_1_are_shown_unchanged(
    tmp_path: Path, values: np.ndarray, kind: str
) -> None:
    picture = shown(tmp_path / "a.tif", tiff(values.astype(kind)))
    assert np.abs(picture.rgb - colored(encoded(values))).max() < 1
    assert "tone curve applied for viewing" in MEASURED[picture.basis]
    assert picture.full_size == (48, 32)
    found = exif.read_capture(tmp_path / "a.tif")
    assert (found.width, found.height) == (48, 32)


def test_a_profile_of_floats_is_applied(tmp_path: Path) -> None:
    for trc, xyz, expected in (
        (curve(1.0), SRGB_XYZ, encoded(COLORS)),
        (curve(2.0), SRGB_XYZ, encoded(COLORS**2)),
        (curve(1.0), PROPHOTO_XYZ, None),
    ):
        icc = profile("Any", trc, xyz)
        rgb = shown(tmp_path / "a.tif", tiff(COLORS.astype("f4"), extra={34675: icc})).rgb
        if expected is None:
            expected = encoded(COLORS @ (np.linalg.inv(np.array(SRGB_XYZ).T) @ np.array(xyz).T).T)
        assert np.abs(rgb - expected).mean() < 1


@pytest.mark.parametrize("scale", [1e-5, 40.0, 6e4])
def test_floats_of_any_range_are_tone_mapped(tmp_path: Path, scale: float) -> None:
    """The rest stays visible beside a sun a thousand times as bright."""
    values = (RAMP**3 * scale).astype("f4")
    values[3:5, 3:5] = 1000 * scale
    values[9, 9] = np.nan
    values[9, 10] = np.inf
    rgb = shown(tmp_path / "a.tif", tiff(values)).rgb[:, :, 0]
    assert rgb[4, 4] > 230
    assert 60 < np.median(rgb) < 200
    assert (np.diff(rgb[20].astype(int)) >= 0).all()


@pytest.mark.parametrize("value", [0.0, -5.0, 1e-30, 1e300, -1e300, np.nan, np.inf])
def test_absurd_numbers_become_black_or_white(tmp_path: Path, value: float) -> None:
    values = np.full((40, 40), value)
    assert shown(tmp_path / "a.tif", tiff(values)).rgb.std() == 0
    values[3:20] = 0.5
    assert shown(tmp_path / "a.tif", tiff(values)).rgb.shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((RAMP * (2**32 - 1)).astype("u4"), RAMP),
        ((COLORS * (2**32 - 1)).astype("u4"), COLORS),
        ((RAMP * 65535).astype("i4"), RAMP),
        ((RAMP * 2_000_000 - 1_000_000).astype("i4"), RAMP),
        ((RAMP * 60000 - 30000).astype("i2"), RAMP),
        ((RAMP * 1000).astype("u4"), RAMP),
    ],
)
def test_long_integers_are_scaled(tmp_path: Path, values: np.ndarray, expected: np.ndarray) -> None:
    picture = shown(tmp_path / "a.tif", tiff(values))
    assert np.abs(picture.rgb - colored(255 * expected)).max() <= 1
    assert "scaled for viewing" in MEASURED[picture.basis]


def test_deep_pictures_come_out_upright(tmp_path: Path) -> None:
    picture = shown(tmp_path / "a.tif", tiff(RAMP.astype("f4"), orientation=6))
    assert picture.rgb.shape == (48, 32, 3)
    assert picture.rgb[0].max() == 0
    found = exif.read_capture(tmp_path / "a.tif")
    assert (found.width, found.height) == picture.full_size == (32, 48)


@pytest.mark.parametrize("form", ["<", ">"])
@pytest.mark.parametrize("values", [RAMP, COLORS], ids=["gray", "rgb"])
def test_portable_float_maps(tmp_path: Path, values: np.ndarray, form: str) -> None:
    head = b"Pf" if values.ndim == 2 else b"PF"
    head += b"\n48 32\n" + (b"-1.0\n" if form == "<" else b"1.0\n")
    picture = shown(tmp_path / "a.pfm", head + values[::-1].astype(form + "f4").tobytes())
    assert np.abs(picture.rgb - colored(encoded(values))).max() < 1
    assert picture.basis == "float"
    assert exif.read_capture(tmp_path / "a.pfm").width == 48


@pytest.mark.parametrize(
    ("name", "content", "row"),
    [
        ("a.pbm", b"P1\n3 1\n0 1 0\n", (255, 0, 255)),
        ("a.pbm", b"P4\n3 1\n\x40", (255, 0, 255)),
        ("a.pgm", b"P2\n# drawn by hand\n3 1\n100\n0 50 100\n", (0, 128, 255)),
        ("a.pgm", b"P5\n3 1\n255\n\x00\x64\xff", (0, 100, 255)),
        ("a.pgm", b"P5\n3 1\n65535\n\x00\x00\x80\x00\xff\xff", (0, 128, 255)),
        ("a.ppm", b"P3\n1 1\n255\n9 80 200\n", ((9, 80, 200),)),
        ("a.pnm", b"P6\n1 1\n65535\n\x00\x00\x80\x00\xff\xff", ((0, 128, 255),)),
    ],
)
def test_portable_maps(tmp_path: Path, name: str, content: bytes, row: Any) -> None:
    assert is_picture_name(name)
    rgb = shown(tmp_path / name, content).rgb
    expected = np.array(row) if np.ndim(row) == 2 else np.repeat(np.array(row)[:, None], 3, axis=1)
    assert np.abs(rgb[0] - expected).max() <= 1
    assert exif.read_capture(tmp_path / name).width == len(expected)


def test_gray_with_premultiplied_transparency_is_shown_on_white(tmp_path: Path) -> None:
    values = np.zeros((8, 8, 2), np.uint8)
    values[:4] = (60, 255)
    path = tmp_path / "a.tif"
    Image.fromarray(values).save(path)
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<HHI", 338, 3, 1))
    struct.pack_into("<H", content, at + 8, 1)  # associated alpha: Pillow's mode La
    picture = shown(path, bytes(content))
    assert (picture.rgb[1, 1] == 60).all()
    assert (picture.rgb[6, 6] == 255).all()


def test_unsupported_or_too_large_deep_pictures_are_refused(tmp_path: Path) -> None:
    for values, reason in (
        (RAMP.astype("f2"), "16-bit"),
        (np.zeros((8, 8, 5), "f4"), "four channels"),
    ):
        with pytest.raises(UnreadableError, match=reason):
            shown(tmp_path / "a.tif", tiff(values))
    path = tmp_path / "b.tif"
    path.write_bytes(tiff(np.zeros((600, 500), "f4")))
    with pytest.raises(UnreadableError, match="megapixels"):
        decode.decode(path, max_megapixels=1)
    width = struct.pack("<HHI", 256, 4, 1)
    small = tiff(np.zeros((8, 8), "f4"))
    huge = small.replace(width + b"\x08\0\0\0", width + b"\0\0\0\x30")
    for name, content in (
        ("c.tif", huge),
        ("c.pfm", b"PF\n200000 200000\n-1.0\n" + bytes(64)),
        ("c.ppm", b"P6\n200000 200000\n255\n" + bytes(64)),
        ("d.pfm", b"PF\nx y\n"),
        ("d.ppm", b"P6\n9 9\n255\n"),
        ("e.tif", tiff(RAMP.astype("f4"))[:60]),
    ):
        with pytest.raises(UnreadableError):
            shown(tmp_path / name, content)
        exif.read_capture(tmp_path / name)


def test_a_raw_is_never_shown_as_floats(tmp_path: Path) -> None:
    """With a RAW's name or a DNG's version, only LibRaw may decode it."""
    plain = tiff(np.tile(RAMP, (20, 20)).astype("f4"))
    dng = tiff(np.tile(RAMP, (20, 20)).astype("f4"), extra={50706: b"\1\4\0\0"})
    for name, content in (("a.nef", plain), ("a.dng", dng), ("a.tif", dng)):
        with pytest.raises(UnreadableError, match="RAW"):
            shown(tmp_path / name, content)
