"""Every file becomes an upright sRGB picture or gives a reason."""

from __future__ import annotations

import io
import os
import shutil
import struct
import sys
import zlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rawpy
from PIL import Image, ImageCms

from curator import deadline
from curator.imaging import decode, exif, raw
from curator.model import GoneError, UnreadableError
from tests.photos import draw_jpeg, scene, write_dng


def near(one: np.ndarray, other: np.ndarray) -> float:
    """Whether two pictures are close, by their mean difference in gray levels."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


def turned(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a picture upright as the EXIF standard describes."""
    return {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: stored.transpose(1, 0, 2)[:, ::-1],
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: stored.transpose(1, 0, 2)[::-1],
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpegs_come_out_upright(tmp_path: Path, orientation: int) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(96, 64), orientation=orientation, quality=97)
    picture = decode.decode(path)
    expected = turned(scene((96, 64), 0), orientation)
    assert near(picture.rgb, expected) < 8
    assert picture.full_size == expected.shape[1::-1]
    capture = exif.read_capture(path)
    assert (capture.width, capture.height) == picture.full_size
    assert capture.orientation == orientation


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("preview", [True, False])
def test_raws_come_out_upright(tmp_path: Path, orientation: int, preview: bool) -> None:
    path = write_dng(tmp_path / "a.dng", size=(192, 128), preview=preview, orientation=orientation)
    picture = decode.decode(path)
    assert picture.basis == ("preview" if preview else "demosaic")
    assert near(picture.rgb, turned(scene((192, 128), 0), orientation)) < 25
    capture = exif.read_capture(path)
    assert (capture.width, capture.height) == picture.full_size == picture.rgb.shape[1::-1]


def test_a_raw_is_judged_by_a_preview_of_nine_tenths(tmp_path: Path) -> None:
    enough = write_dng(tmp_path / "a.dng", size=(640, 480), preview=(576, 432))
    small = write_dng(tmp_path / "b.dng", size=(640, 480), preview=(560, 420))
    assert decode.decode(enough).basis == "preview"
    assert decode.decode(small).basis == "demosaic"
    assert decode.decode(enough, want="demosaic").basis == "demosaic"


def test_a_view_gets_no_more_pixels_than_it_needs(tmp_path: Path) -> None:
    jpeg = draw_jpeg(tmp_path / "a.jpg", size=(1600, 1200))
    raw = write_dng(tmp_path / "a.dng", size=(1600, 1200))
    for path in (jpeg, raw):
        picture = decode.decode(path, 500)
        assert 500 <= picture.rgb.shape[1] < 1000
        assert picture.full_size == (1600, 1200)
        assert decode.decode(path, 5000).rgb.shape == (1200, 1600, 3)


def test_the_content_decides_the_format_before_the_name(tmp_path: Path) -> None:
    jpeg = draw_jpeg(tmp_path / "a.jpg", size=(96, 64))
    for name in ("a.nef", "a.HEIC", "a.tif", "no suffix", "-rf.jpg", "ü 写真.jpg"):
        shutil.copy(jpeg, tmp_path / name)
        assert decode.decode(tmp_path / name).basis == "image"
        assert exif.read_capture(tmp_path / name).camera == "Curator Works Test One"
    dng = write_dng(tmp_path / "b.tif", size=(96, 64))
    assert decode.decode(dng).basis == "preview"  # and not its first page as a picture


@pytest.mark.skipif(sys.platform != "linux", reason="names are text on this system")
def test_files_with_names_that_are_not_text_decode(tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"caf\xe9 \xff")
    for draw, suffix in ((draw_jpeg, ".jpg"), (write_dng, ".dng")):
        path = draw(strange.with_suffix(suffix), size=(96, 64))
        assert decode.decode(path).full_size == (96, 64)
        assert exif.read_capture(path).width == 96


def saved(tmp_path: Path, image: Image.Image, name: str, **how: object) -> Path:
    image.save(tmp_path / name, **how)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.bmp", "a.gif", "a.avif", "a.heic"])
def test_other_formats_decode_to_the_same_picture(tmp_path: Path, name: str) -> None:
    stored = scene((120, 80), 1)
    path = saved(tmp_path, Image.fromarray(stored), name)
    picture = decode.decode(path)
    assert near(picture.rgb, stored) < 25
    assert exif.read_capture(path).width == 120


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    gray = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    path = saved(tmp_path, Image.fromarray(gray), f"a.{suffix}")
    rgb = decode.decode(path).rgb
    assert near(rgb, np.repeat((gray >> 8)[:, :, None], 3, 2)) < 1


def test_cmyk_keeps_its_colors(tmp_path: Path) -> None:
    red = Image.new("RGB", (64, 64), (220, 20, 30)).convert("CMYK")
    path = saved(tmp_path, red, "a.jpg", quality=95)
    assert decode.decode(path).rgb[30, 30] == pytest.approx((220, 20, 30), abs=12)


def test_transparency_is_shown_on_white(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGBA", (16, 16), (0, 0, 0, 0)), "a.png")
    assert decode.decode(path).rgb.min() == 255


def test_profiles_are_converted_once(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = decode.decode(draw_jpeg(tmp_path / "a.jpg", size=(96, 64))).rgb
    tagged = decode.decode(draw_jpeg(tmp_path / "b.jpg", size=(96, 64), icc=srgb)).rgb
    assert np.array_equal(plain, tagged)
    broken = decode.decode(draw_jpeg(tmp_path / "c.jpg", size=(96, 64), icc=b"x" * 200)).rgb
    assert np.array_equal(plain, broken)


def test_a_wide_profile_makes_colors_stronger(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # An sRGB profile whose red primary is moved outwards and which no longer calls itself sRGB.
    at = lab.index(b"rXYZ", 128)
    offset = struct.unpack(">I", lab[at + 4 : at + 8])[0]
    wide = bytearray(lab.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")))
    struct.pack_into(">i", wide, offset + 8, round(0.61 * 65536))
    rgb = np.full((64, 64, 3), (150, 100, 100), np.uint8)
    image = Image.fromarray(rgb)
    path = saved(tmp_path, image, "a.png", icc_profile=bytes(wide))
    shown = decode.decode(path).rgb[5, 5]
    assert shown[0] > 155


def test_half_a_jpeg_is_shown_and_marked_as_damaged(tmp_path: Path) -> None:
    whole = draw_jpeg(tmp_path / "a.jpg", size=(640, 480)).read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) * 6 // 10])
    picture = decode.decode(tmp_path / "b.jpg")
    assert picture.damage is not None
    assert "missing" in picture.damage
    assert near(picture.rgb[:150], scene((640, 480), 0)[:150]) < 15


def test_garbage_between_segments_is_not_damage(tmp_path: Path) -> None:
    whole = draw_jpeg(tmp_path / "a.jpg", size=(96, 64), thumbnail=False).read_bytes()
    at = whole.index(b"\xff\xdb")
    (tmp_path / "b.jpg").write_bytes(whole[:at] + b"\0\0\0" + whole[at:])
    assert decode.decode(tmp_path / "b.jpg").damage is None


def test_a_raw_zeroed_from_the_middle_is_damaged(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "a.dng", size=(400, 300), preview=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    picture = decode.decode(path)
    assert picture.damage is not None
    assert "%" in picture.damage


def test_a_truncated_raw_shows_its_small_preview_and_says_so(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "a.dng", size=(640, 480), preview=(400, 300))
    path.write_bytes(path.read_bytes()[:100_000])  # the preview comes first
    picture = decode.decode(path)
    assert picture.basis == "small preview"
    assert picture.rgb.shape == (300, 400, 3)
    assert picture.full_size == (640, 480)
    assert picture.damage is not None
    assert picture.damage.startswith("Only a small preview can be read.")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableError, match="RAW"):
        decode.decode(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (bytes(5000), "only zeros"),
        (b"<html><body>not found</body></html>", "document"),
        (b"\xff\xd8\xff\xe0", "picture data is cut off or missing"),
        (b"II*\0\x08\0\0\0\0\0", "TIFF"),
        (b"\x89PNG\r\n\x1a\nxxxx", "PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", "RAW"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(200), "RAW"),
        (b"anything else at all", "not a picture"),
    ],
)
def test_a_file_that_is_not_a_picture_gives_its_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=reason) as caught:
        decode.decode(path)
    assert str(caught.value).endswith(".")
    exif.read_capture(path)  # and headers never raise


def test_decompression_bombs_are_refused_before_decoding(tmp_path: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", 200_000, 200_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(png)
    with pytest.raises(UnreadableError, match="far too short"):
        decode.decode(tmp_path / "a.png")
    jpeg = bytearray(draw_jpeg(tmp_path / "b.jpg", size=(64, 64), thumbnail=False).read_bytes())
    at = jpeg.index(b"\xff\xc0")
    struct.pack_into(">HH", jpeg, at + 5, 65000, 65000)
    (tmp_path / "b.jpg").write_bytes(jpeg)
    with pytest.raises(UnreadableError, match="65,000 x 65,000 pixels"):
        decode.decode(tmp_path / "b.jpg")


def test_the_limit_of_megapixels_is_a_setting(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(2000, 1000))
    with pytest.raises(UnreadableError, match="2 megapixels"):
        decode.decode(path, max_megapixels=1)


def test_a_missing_file_raises_gone_error(tmp_path: Path) -> None:
    for read in (decode.decode, exif.read_capture):
        with pytest.raises(GoneError):
            read(tmp_path / "gone.jpg")


def test_capture_data_of_jpeg_and_raw(tmp_path: Path) -> None:
    fields: dict[str, object] = {
        "taken": datetime(2023, 12, 31, 23, 59, 58, 340000),
        "offset_min": -210,
        "gps": (-33.8568, 151.2153),
        "orientation": 6,
        "subject": (150, 100),
    }
    paths = (
        draw_jpeg(tmp_path / "a.jpg", **fields),  # type: ignore[arg-type]
        write_dng(tmp_path / "a.dng", **fields),  # type: ignore[arg-type]
    )
    for path in paths:
        found = exif.read_capture(path)
        assert found.taken_at == fields["taken"]
        assert found.utc_offset_min == -210
        assert (found.camera, found.lens) == ("Curator Works Test One", "TW 24-70mm F2.8")
        assert (found.exposure_s, found.f_number) == pytest.approx((1 / 250, 2.8))
        assert (found.iso, found.focal_length_mm) == (800, 50)
        assert (found.latitude, found.longitude) == pytest.approx((-33.8568, 151.2153), abs=1e-5)
        assert (found.width, found.height, found.orientation) == (400, 600, 6)
        assert found.subject == pytest.approx((0.75, 0.25))


def test_capture_data_inside_other_formats(tmp_path: Path) -> None:
    jpeg = Image.open(io.BytesIO(draw_jpeg(tmp_path / "a.jpg", size=(96, 64)).read_bytes()))
    block = jpeg.info["exif"]
    for name in ("a.png", "a.webp", "a.avif", "a.heic"):
        path = saved(tmp_path, jpeg, name, exif=block)
        found = exif.read_capture(path)
        assert found.camera == "Curator Works Test One", name
        assert found.taken_at == datetime(2024, 5, 4, 18, 42, 7, 120000), name
        assert (found.width, found.height) == (96, 64), name


def test_a_large_nearly_empty_picture_is_not_called_damaged(tmp_path: Path) -> None:
    """Two bits per block: a bit of its mean in each of two passes."""
    flat = Image.new("L", (7248, 7248), 128)
    path = saved(tmp_path, flat, "a.jpg", optimize=True, progressive=True)
    assert 7248 * 7248 / path.stat().st_size > 250
    picture = decode.decode(path, 800)
    assert picture.full_size == (7248, 7248) and picture.damage is None


def test_a_raw_of_an_unknown_kind_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise rawpy.LibRawFileUnsupportedError("unknown")

    monkeypatch.setattr(raw, "_demosaic", unknown)
    path = write_dng(tmp_path / "a.dng", size=(1200, 800), preview=(600, 400))
    picture = decode.decode(path)
    assert (picture.basis, picture.damage) == ("small preview", None)


def test_large_pictures_and_files_announce_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(600, 400))
    raw_path = write_dng(tmp_path / "a.dng", size=(600, 400), preview=False)
    asked: list[float] = []
    monkeypatch.setattr(deadline, "_listener", asked.append)
    monkeypatch.setattr(deadline, "_granted", 1.0)
    decode.decode(path)
    assert asked == []
    monkeypatch.setattr(deadline, "PLAIN_MEGAPIXELS", 0.12)
    decode.decode(path)
    deadline.set_listener(asked.append)
    decode.decode(raw_path)
    assert asked == [2.0, 2.0]
    monkeypatch.setattr(deadline, "PLAIN_MB", path.stat().st_size / 3e6)
    decode.read_file(path)
    assert asked[2:] == [pytest.approx(3.0)]
    decode.decode(path)
    assert len(asked) == 3, "what was granted to a large file is not taken back by its picture"
