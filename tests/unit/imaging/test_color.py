"""Colors are converted as the profile defines, whatever its name; expected values are computed."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from curator.imaging import color, decode, spaces
from curator.library.captions import MEASURED
from curator.model import Kind, Quality, StageJob
from curator.stages.convert import decode_photo, measure_and_shrink
from curator.stages.frame import DecodeRequest, frame
from tests.photos import draw_jpeg, pixels_of, scene
from tests.profiles import P3_XYZ, PROPHOTO_XYZ, SRGB_CURVE, SRGB_XYZ, curve, profile
from tests.unit.imaging.test_deep import tiff

LINEAR, SRGB = curve(1.0), curve(*SRGB_CURVE)
RGB_SAVERS = {
    "a.png": {},
    "a.tif": {},
    "a.webp": {"lossless": True},
    "a.jpg": {"quality": 98, "subsampling": 0},
    "a.avif": {"quality": 98, "subsampling": "4:4:4"},
    "a.heic": {"quality": 98},
}


def encoded(light: np.ndarray) -> np.ndarray:
    """Encode light as sRGB (IEC 61966-2-1), in levels of 255."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def light_of(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def by_matrix(rgb: np.ndarray, curve_of: Callable, xyz: tuple) -> np.ndarray:
    """Compute the sRGB picture in floats: curve, primaries, sRGB's primaries, curve."""
    light = curve_of(rgb / 255.0)
    back = np.linalg.inv(np.array(SRGB_XYZ).T)
    return encoded(light @ (back @ np.array(xyz).T).T)


def off(shown: np.ndarray, expected: np.ndarray) -> float:
    assert shown.shape == expected.shape
    return float(np.abs(shown - expected).mean())


def soft(size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Draw colors without edges, which codecs hardly change: (H, W, 3)."""
    across, down = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    return np.rint(255 * np.stack([across, down, (across + 1 - down) / 2], -1)).astype(np.uint8)


def saved(path: Path, pixels: np.ndarray, **how: object) -> Path:
    Image.fromarray(pixels).save(path, **how)
    return path


def proxied(path: Path) -> tuple[Quality, np.ndarray]:
    """Return the measures of convert, and the picture for its proxy."""
    job = StageJob(1, "convert", str(path), Kind.IMAGE, "")
    return measure_and_shrink(decode_photo(job)[0], job.long_edge_px)


@pytest.mark.parametrize("file", RGB_SAVERS)
@pytest.mark.parametrize(
    ("name", "trc", "power", "xyz"),
    [
        ("Linear sRGB", LINEAR, lambda value: value, SRGB_XYZ),
        ("sRGB built-in (linear)", LINEAR, lambda value: value, SRGB_XYZ),
        (
            "ProPhoto, not sRGB",
            curve(1.8),
            lambda value: value ** (461 / 256),
            PROPHOTO_XYZ,
        ),
        ("Display P3", SRGB, light_of, P3_XYZ),
    ],
    ids=("linear", "gimp", "prophoto", "p3"),
)
def test_a_profile_is_recognized_by_its_content(
    tmp_path: Path, file: str, name: str, trc: bytes, power: Callable, xyz: tuple
) -> None:
    path = tmp_path / file
    picture = soft()
    saved(path, picture, icc_profile=profile(name, trc, xyz), **RGB_SAVERS[file])
    lossy = file in ("a.jpg", "a.avif", "a.heic")
    assert off(decode.decode(path).rgb, by_matrix(picture, power, xyz)) < (3 if lossy else 1)


def test_an_srgb_profile_with_any_name_changes_nothing() -> None:
    picture = scene((64, 48), 0)
    for icc in (profile("Camera 7", SRGB), ImageCms.createProfile("sRGB")):
        data = icc if isinstance(icc, bytes) else ImageCms.ImageCmsProfile(icc).tobytes()
        assert color.to_srgb(picture, data) is picture
        assert color.toned(picture, data) is picture


@pytest.mark.parametrize("file", ["a.png", "a.tif", "a.webp", "a.jpg"])
@pytest.mark.parametrize(
    ("trc", "power"),
    [
        (LINEAR, lambda value: value),
        (curve(2.8), lambda value: value ** (717 / 256)),
        (curve(1.8), lambda value: value ** (461 / 256)),
        (SRGB, light_of),
    ],
    ids=("linear", "2.8", "1.8", "srgb"),
)
def test_gray_profiles_are_applied(tmp_path: Path, file: str, trc: bytes, power: Callable) -> None:
    gray = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    icc = profile("Gray of some kind", trc, None)
    if file == "a.webp":  # it has no gray
        gray = np.repeat(gray[:, :, None], 3, axis=2)
        icc = profile("Gray of some kind", trc)
    how = {"quality": 98} if file == "a.jpg" else {"lossless": True} if "webp" in file else {}
    path = saved(tmp_path / file, gray, icc_profile=icc, **how)
    expected = encoded(power(gray / 255.0))
    expected = expected if expected.ndim == 3 else np.repeat(expected[:, :, None], 3, axis=2)
    assert off(decode.decode(path).rgb, expected) < 1


def test_gray_agrees_with_littlecms() -> None:
    """From level 8 on; below, its table of linear light is coarse: 6 where the formula has 13."""
    gray = np.tile(np.arange(256, dtype=np.uint8), (2, 1))
    for trc in (LINEAR, curve(2.8), SRGB):
        icc = profile("Gray", trc, None)
        theirs = ImageCms.profileToProfile(
            Image.fromarray(gray),
            ImageCms.ImageCmsProfile(io.BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
        )
        ours = color.to_srgb(np.repeat(gray[:, :, None], 3, axis=2), icc)
        assert np.abs(ours.astype(int) - np.asarray(theirs))[:, 8:].max() <= 1


@pytest.mark.parametrize("file", ["a.png", "a.tif"])
def test_sixteen_bits_of_gray_keep_their_dark_steps(tmp_path: Path, file: str) -> None:
    gray = np.tile(np.linspace(0, 1500, 256).astype(np.uint16), (16, 1))  # all 0-5 in 8 bits
    path = saved(tmp_path / file, gray, icc_profile=profile("Linear", LINEAR, None))
    shown = decode.decode(path).rgb[:, :, 0]
    assert off(shown, encoded(gray / 65535.0)) < 0.5
    assert len(np.unique(shown)) > 40


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("file", ["a.png", "a.tif"])
def test_sixteen_bits_of_color_keep_their_dark_steps(
    tmp_path: Path, file: str, orientation: int
) -> None:
    """Linear light of darktable and GIMP: in 8 bits all below a tenth of the tones is banded."""
    dark = np.linspace(0, 1500, 64 * 64).reshape(64, 64)
    values = np.stack([dark, dark.T, dark / 2], -1).astype(np.uint16)
    path = tmp_path / file
    icc = profile("Linear", LINEAR)
    if file == "a.tif":
        path.write_bytes(tiff(values, orientation=orientation, extra={34675: icc}))
    else:
        rows = b"".join(b"\0" + row.tobytes() for row in values.astype(">u2"))
        exif = Image.Exif()
        exif[274] = orientation
        parts = (
            chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)),
            chunk(b"iCCP", b"x\0\0" + zlib.compress(icc)),
            chunk(b"eXIf", exif.tobytes()[6:]),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    expected = encoded(values / 65535.0)
    shown = decode.decode(path).rgb
    assert off(shown, expected if orientation == 1 else np.rot90(expected, -1)) < 0.5


def test_a_profile_for_other_colors_is_ignored(tmp_path: Path) -> None:
    picture = soft()
    gray = profile("Gray", LINEAR, None)
    for name in ("a.png", "a.jpg"):
        path = saved(tmp_path / name, picture, icc_profile=gray, **RGB_SAVERS[name])
        assert off(decode.decode(path).rgb, picture.astype(float)) < 3
    steep = profile("x", curve(-900.0, 3.0, 0.0, 9.0, 0.5), None)
    tall = profile("x", curve(900.0, 300.0, 1.0, 9.0, 0.5), None)
    assert color.gray16(steep).shape == color.gray16(tall).shape == (65536,)
    for broken in (gray[:140], gray[:128] + b"\xff" * 60, profile("x", curve(0.0), None)):
        path = saved(tmp_path / "b.png", picture[:, :, 0].copy(), icc_profile=broken)
        assert off(decode.decode(path).rgb[:, :, 0], picture[:, :, 0].astype(float)) < 1


def test_exposure_and_clipping_are_measured_on_the_picture_as_shown(tmp_path: Path) -> None:
    """Of a dark picture in linear light, hardly any of the lowest levels is black."""
    light = np.tile(np.linspace(0.0015, 0.5, 512), (256, 1))
    linear = np.rint(255 * np.repeat(light[:, :, None], 3, axis=2)).astype(np.uint8)
    path = saved(tmp_path / "a.png", linear, icc_profile=profile("Linear sRGB", LINEAR))
    plain = saved(tmp_path / "b.png", np.rint(encoded(linear / 255.0)).astype(np.uint8))
    seen = [proxied(file) for file in (path, plain)]
    assert seen[0][0] == seen[1][0]
    assert off(seen[0][1], seen[1][1].astype(float)) < 0.5
    looks = [
        frame(DecodeRequest(str(file), overlays=frozenset({"clipping"})), 100)
        for file in (path, plain)
    ]
    overlays = [look.measured() for look in looks]
    assert overlays[0] is not None
    assert overlays[1] is not None
    assert np.array_equal(overlays[0].shares, overlays[1].shares)
    assert off(looks[0].array, looks[1].array.astype(float)) < 0.5


def test_an_export_as_jpeg_has_the_colors_shown(tmp_path: Path) -> None:
    from curator.export.render import RenderJob, render

    picture = soft((200, 150))
    path = saved(tmp_path / "a.png", picture, icc_profile=profile("Linear sRGB", LINEAR))
    job = RenderJob(str(path), (200,), 98, "off", "none", 0)
    made = pixels_of(render(job).contents[0])
    assert off(made, by_matrix(picture, lambda value: value, SRGB_XYZ)) < 2


def test_a_loupe_at_full_size_has_the_colors_of_the_proxy(tmp_path: Path) -> None:
    gray = draw_jpeg(tmp_path / "a.jpg", size=(96, 64), icc=profile("sRGB (linear)", LINEAR))
    shown = frame(DecodeRequest(str(gray)), 100).array
    small = proxied(gray)[1]
    assert shown is not None
    assert off(shown, small.astype(float)) < 0.5


# --- colors named in numbers, without a profile

P3_POINTS = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_POINTS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, *chunks: bytes, icc: bytes = b"") -> Path:
    saved(path, soft(), **({"icc_profile": icc} if icc else {}))
    whole = path.read_bytes()
    path.write_bytes(whole[:33] + b"".join(chunks) + whole[33:])
    return path


GAMA = {gamma: chunk(b"gAMA", struct.pack(">I", gamma)) for gamma in (45455, 100000, 55556, 0)}
CHRM = chunk(b"cHRM", struct.pack(">8I", *P3_POINTS))
PLAIN_CHRM = chunk(b"cHRM", struct.pack(">8I", *SRGB_POINTS))
IS_SRGB = chunk(b"sRGB", b"\0")
CICP = {codes: chunk(b"cICP", bytes([*codes, 0, 1])) for codes in ((12, 13), (1, 13), (1, 8))}
AS_IT_IS, AS_LIGHT, AS_P3 = "as it is", "as light", "as P3"


@pytest.mark.parametrize(
    ("chunks", "icc", "meant"),
    [
        ((GAMA[45455],), b"", AS_IT_IS),
        ((GAMA[45455], PLAIN_CHRM), b"", AS_IT_IS),
        ((GAMA[0],), b"", AS_IT_IS),
        ((GAMA[100000],), b"", AS_LIGHT),
        ((GAMA[100000], IS_SRGB), b"", AS_IT_IS),
        ((GAMA[100000],), profile("P3", SRGB, P3_XYZ), AS_P3),
        ((GAMA[45455], CHRM), b"", AS_P3),
        ((CICP[12, 13],), b"", AS_P3),
        ((CICP[1, 13],), profile("Linear", LINEAR), AS_IT_IS),
        ((CICP[1, 8], IS_SRGB, GAMA[45455]), b"", AS_LIGHT),
    ],
)
def test_chunks_of_a_png_name_its_colors_in_the_order_of_its_standard(
    tmp_path: Path, chunks: tuple[bytes, ...], icc: bytes, meant: str
) -> None:
    picture = soft()
    expected = {
        AS_IT_IS: picture.astype(float),
        AS_LIGHT: by_matrix(picture, lambda value: value, SRGB_XYZ),
        AS_P3: by_matrix(picture, light_of, P3_XYZ),
    }[meant]
    assert off(decode.decode(png(tmp_path / "a.png", *chunks, icc=icc)).rgb, expected) < 1


def coded(path: Path, primaries: int, transfer: int) -> Path:
    """Encode a HEIC or AVIF that states its colors by code points."""
    if path.suffix == ".heic":
        saved(path, soft(), quality=98)
    else:
        saved(path, soft(), quality=98, subsampling="4:4:4")
    whole = path.read_bytes()
    at = whole.index(b"colrnclx") + 8
    path.write_bytes(whole[:at] + struct.pack(">HH", primaries, transfer) + whole[at + 4 :])
    return path


@pytest.mark.parametrize("name", ["a.heic", "a.avif"])
def test_code_points_of_heic_and_avif_name_their_colors(tmp_path: Path, name: str) -> None:
    plain = decode.decode(coded(tmp_path / name, 1, 13)).rgb
    assert np.array_equal(plain, decode.decode(coded(tmp_path / name, 2, 2)).rgb)
    p3 = decode.decode(coded(tmp_path / name, 12, 13)).rgb
    assert off(p3, by_matrix(plain, light_of, P3_XYZ)) < 1
    linear = decode.decode(coded(tmp_path / name, 1, 8)).rgb
    assert off(linear, by_matrix(plain, lambda value: value, SRGB_XYZ)) < 1


@pytest.mark.parametrize(
    ("transfer", "white"),
    [(16, 148), (18, 191)],  # PQ and HLG have paper white (203 nits) at 58 % and 75 %
)
def test_hdr_is_shown_with_its_highlights_rolled_off(
    tmp_path: Path, transfer: int, white: int
) -> None:
    picture = decode.decode(coded(tmp_path / "a.heic", 1, transfer))
    assert "rolled off" in MEASURED[picture.basis]
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    icc = spaces.of_code_points(1, transfer)
    shown = color.to_srgb(ramp, icc)[0, :, 1].astype(int)
    assert (np.diff(shown) >= 0).all()
    assert 215 < shown[white] < 250
    assert shown[255] >= 253
    assert shown[white // 2] < 110


def test_impossible_chromaticities_are_ignored() -> None:
    assert spaces.of_png(0.45455, (0.0,) * 8) is None
    assert spaces.of_png(None, (0.3127, 0.329, 0.64, 0.33, 0.64, 0.33, 0.64, 0.33)) is None
    assert spaces.of_code_points(200, 13) is None
    assert spaces.of_code_points(1, 200) is None
