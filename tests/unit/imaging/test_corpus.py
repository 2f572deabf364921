"""Real files: each decodes or gives a reason, and stays unchanged."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from curator.imaging import decode, exif, quality
from curator.model import KnownError, UnreadableError

_NO_PHOTOS = {".tsv", ".md", ".xmp", ".aae", ".json", ".pp3"}
_PLAIN = re.compile(r"[A-Z][^<>{}\n]{8,200}\.$")


@pytest.mark.slow
def test_every_file_decodes_or_says_why(corpus: Path) -> None:
    decoded, odd = 0, []
    files = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    for path in (path for path in files if path.suffix.lower() not in _NO_PHOTOS):
        capture = exif.read_capture(path)
        try:
            picture = decode.decode(path, 1440)
        except KnownError as error:
            if not _PLAIN.match(str(error)):
                odd.append(f"{path}: {error}")
            continue
        decoded += 1
        rgb = picture.rgb
        if not (rgb.ndim == 3 and rgb.shape[2] == 3 and rgb.dtype == np.uint8 and rgb.size):
            odd.append(f"{path}: {rgb.shape} {rgb.dtype}")
        if (
            capture.width
            and abs(rgb.shape[1] * capture.height / rgb.shape[0] / capture.width - 1) > 0.3
        ):
            odd.append(f"{path}: {rgb.shape}, header {capture.width} x {capture.height}")
        quality.measure(np.ascontiguousarray(rgb))
    assert not odd, "\n".join(odd)
    assert decoded >= 700


@pytest.mark.parametrize(
    ("folder", "count"), [("orientation/recurser", 9), ("orientation/pillow/avif", 8)]
)
def test_all_orientations_of_one_scene_look_the_same(corpus: Path, folder: str, count: int) -> None:
    found = [
        decode.decode(path, 256).rgb[::8, ::8]
        for path in sorted((corpus / folder).iterdir())
        if path.name.startswith(("Portrait_", "rot"))
    ]
    assert len(found) == count
    for other in found[1:]:
        assert other.shape == found[0].shape
        assert np.abs(other.astype(int) - found[0]).mean() < 12


@pytest.mark.parametrize(
    ("name", "basis", "size", "camera"),
    [
        ("pairs-derived/DSC_0001.NEF", "demosaic", (2012, 1324), "NIKON D1"),
        ("pairs-derived/CRW_0002.CRW", "demosaic", (2176, 1448), "Canon EOS D30"),
        ("kodak/RAW_KODAK_DC50_é.KDC", "demosaic", (768, 512), None),
        ("nikon/metadata-extractor/Issue 247-1.nef", "image", (2000, 3008), "NIKON D70s"),
    ],
)
def test_real_raws_decode_at_their_full_size(
    corpus: Path, name: str, basis: str, size: tuple[int, int], camera: str | None
) -> None:
    """Not as the 160 px thumbnail that a TIFF reader finds, and JPEGs as JPEGs."""
    path = corpus / "raw" / name
    picture = decode.decode(path)
    assert picture.basis == basis
    assert picture.full_size == picture.rgb.shape[1::-1] == size
    found = exif.read_capture(path)
    assert found.taken_at is not None
    assert camera is None or found.camera == camera
    assert (found.width, found.height) == size


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raw/canon/Canon-R6-pruned.CR3", "ends early"),
        ("raw/gopro/Hero6/GOPR0024.GPR", "not supported"),
        ("raw/stubs/exiftool/Panasonic.rw2", "ends early"),
        ("raw/stubs/exiftool/PhaseOne.iiq", "RAW"),
        ("hostile/derived/bombs/png_30000x30000_1bit.png", "too short"),
        ("hostile/derived/bombs/tiff_header_4Gpx.tif", "too short"),
        ("hostile/derived/zero/zero_byte.cr2", "empty"),
        ("hostile/derived/wrong-type/html_named.cr2", "document"),
        ("hostile/derived/wrong-type/text_named.jpg", "not a picture"),
    ],
)
def test_an_undecodable_file_gives_its_reason(corpus: Path, name: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        decode.decode(corpus / name)
    exif.read_capture(corpus / name)


@pytest.mark.parametrize(
    "name",
    [
        "hostile/derived/truncated/jpg_trunc50.jpg",
        "hostile/derived/truncated/heic_trunc95.HEIC",
        "hostile/libvips/truncated.gif",
    ],
)
def test_a_damaged_file_is_shown_and_marked_as_damaged(corpus: Path, name: str) -> None:
    assert "missing" in (decode.decode(corpus / name, 800).damage or "")


def test_a_raw_of_zeros_is_never_taken_for_an_intact_one(corpus: Path) -> None:
    path = corpus / "hostile/derived/zeroed/dng_zeros_after_half.dng"
    assert decode.decode(path).damage


@pytest.mark.parametrize("name", ["CanonRaw.cr3", "FujiFilm.raf", "Minolta.mrw", "Panasonic.rw2"])
def test_headers_of_many_makers_are_read(corpus: Path, name: str) -> None:
    found = exif.read_capture(corpus / "raw/stubs/exiftool" / name)
    assert found.camera
    assert found.taken_at
    assert found.width
