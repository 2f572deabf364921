"""Ratings and keywords in pictures: where each format stores them, and robustness."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, TiffImagePlugin

from curator.imaging import containers, decode, image_headers, stills, tiff
from curator.imaging import exif as exif_reader
from curator.imaging.embedded_metadata import EmbeddedMetadata
from curator.imaging.embedded_metadata import read as read_embedded_metadata
from curator.model import Capture, GoneError

PACKET = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>the packet</x:xmpmeta>"
PICTURE = Image.new("RGB", (64, 48), (90, 120, 40))


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xda\0\x02\xff\xd9"


def xmp(data: bytes = PACKET) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + data)


def more(digest: bytes, whole: int, offset: int, part: bytes) -> bytes:
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest + struct.pack(">II", whole, offset)
    return segment(0xE1, head + part)


def iptc(*values: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, r, n, len(v)) + v for r, n, v in values)


def photoshop(data: bytes, name: bytes = b"") -> bytes:
    named = bytes([len(name)]) + name
    named += b"\0" * (len(named) % 2)
    other = b"8BIM" + struct.pack(">H", 0x03ED) + b"\0\0" + struct.pack(">I", 3) + b"abc\0"
    own = b"8BIM" + struct.pack(">H", 0x0404) + named + struct.pack(">I", len(data)) + data
    return segment(0xED, b"Photoshop 3.0\0" + other + own)


def exif(rating: int) -> bytes:
    entry = struct.pack("<HHII", 0x4746, 3, 1, rating)
    return b"II*\0\x08\0\0\0\x01\0" + entry + b"\0" * 4


def at(tmp_path: Path, name: str, data: bytes) -> EmbeddedMetadata:
    path = tmp_path / name
    path.write_bytes(data)
    return read_embedded_metadata(path)


def test_packet_keywords_and_rating_of_a_jpeg_are_read(tmp_path: Path) -> None:
    words = iptc((1, 90, b"\x1b%G"), (2, 5, b"title"), (2, 25, "Ísland".encode()), (2, 25, b"sea"))
    data = jpeg(segment(0xE1, b"Exif\0\0" + exif(4)), xmp(), photoshop(words, b"odd"))
    assert at(tmp_path, "a.jpg", data) == EmbeddedMetadata((PACKET,), ("Ísland", "sea"), 4)


def test_keywords_without_an_encoding_are_read_as_western_european(tmp_path: Path) -> None:
    data = jpeg(photoshop(iptc((2, 25, "Größe".encode("cp1252")), (2, 25, "Größe".encode()))))
    assert at(tmp_path, "a.jpg", data).keywords == ("Größe", "Größe")


def test_an_extended_packet_is_put_together_in_any_order(tmp_path: Path) -> None:
    ours, old = b"A" * 32, b"B" * 32
    main = PACKET.replace(b"packet", b"packet " + ours)
    data = jpeg(
        more(old, 4, 0, b"rest"),
        more(ours, 10, 5, b"world"),
        xmp(main),
        more(ours, 10, 0, b"hello"),
    )
    assert at(tmp_path, "a.jpg", data).packets == (main, b"helloworld")


@pytest.mark.parametrize("suffix", ["png", "webp", "heic", "avif", "tif", "dng"])
def test_packet_and_rating_of_other_formats_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "heic":
        heif = pillow_heif.from_pillow(PICTURE)
        heif.info["xmp"], heif.info["exif"] = PACKET, b"Exif\0\0" + exif(3)
        heif.save(path)
    elif suffix in ("tif", "dng"):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags.tagtype[700], tags.tagtype[0x4746] = 1, 3
        tags[700], tags[0x4746] = PACKET * 3000, 3  # larger than any other tag may be
        tags.tagtype[33723], tags[33723] = 7, iptc((2, 25, b"sea"))
        PICTURE.save(path, "TIFF", tiffinfo=tags)
    elif suffix == "png":
        text = b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET
        path.write_bytes(with_chunks(path, (b"iTXt", text), (b"eXIf", exif(3))))
    else:
        PICTURE.save(path, xmp=PACKET, exif=b"Exif\0\0" + exif(3))
    found = read_embedded_metadata(path)
    many = PACKET * 3000 if suffix in ("tif", "dng") else PACKET
    assert found == EmbeddedMetadata((many,), ("sea",) if suffix in ("tif", "dng") else (), 3)


def with_chunks(path: Path, *chunks: tuple[bytes, bytes]) -> bytes:
    PICTURE.save(path)
    data = path.read_bytes()
    made = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return data[:33] + made + data[33:]  # after IHDR


def test_a_fujifilm_raw_has_the_metadata_of_its_jpeg(tmp_path: Path) -> None:
    head = (b"FUJIFILMCCD-RAW " + b"\0" * 68 + struct.pack(">I", 200)).ljust(200, b"\0")
    assert at(tmp_path, "a.raf", head + jpeg(xmp())).packets == (PACKET,)


def test_the_packet_of_a_canon_raw_is_read_from_its_box(tmp_path: Path) -> None:
    kind = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    boxes = struct.pack(">I4s4s4x", 16, b"ftyp", b"crx ")
    boxes += struct.pack(">I4sQ", 1, b"moov", 24) + b"\0" * 8
    boxes += struct.pack(">I4s", 24 + len(PACKET), b"uuid") + kind + PACKET
    assert at(tmp_path, "a.cr3", boxes).packets == (PACKET,)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        jpeg(),
        jpeg(xmp(b"")),
        jpeg(more(b"A" * 32, 2**32 - 1, 2**31, b"x"), more(b"A" * 32, 4, 3, b"long")),
        jpeg(segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0short")),
        jpeg(segment(0xED, b"Photoshop 3.0\08BIM\x04\x04")),
        jpeg(photoshop(b"\x1c\x02\x19\xff\xff")),
        jpeg(photoshop(b"\x1c\x02\x19")),
        b"FUJIFILMCCD-RAW ",
        struct.pack(">I4s4s4x", 16, b"ftyp", b"crx ") + struct.pack(">I4s", 0, b"uuid") * 9,
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 700, 1, 2**31, 8),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
        b"RIFF\0\0\0\0WEBPXMP \xff\xff\xff\x7f",
    ],
    ids=range(16),
)
def test_broken_files_have_no_metadata(tmp_path: Path, data: bytes) -> None:
    found = at(tmp_path, "a.jpg" if data[:2] == b"\xff\xd8" else "a.nef", data)
    assert (found.packets, found.keywords, found.rating) == ((), (), None)


def test_a_missing_file_raises_gone_error(tmp_path: Path) -> None:
    with pytest.raises(GoneError):
        read_embedded_metadata(tmp_path / "a.jpg")


def test_no_real_file_raises(corpus: Path) -> None:
    paths = sorted(p for p in (corpus / "hostile").rglob("*") if p.is_file())
    assert sum(bool(read_embedded_metadata(path).packets) for path in paths) > 20


@pytest.mark.parametrize("form", ["heif", "avif", "webp"])
def test_a_header_agrees_with_the_decoder(tmp_path: Path, form: str) -> None:
    """Size, turn, EXIF and XMP come from the boxes; the decoder would read the whole file."""
    notes = Image.Exif()
    notes[271], notes[272], notes[274] = "Maker", "Model 1", 6
    path = tmp_path / f"a.{form}"
    PICTURE.save(path, form, exif=notes, xmp=PACKET)
    head = image_headers.read_header(tiff.from_bytes(path.read_bytes()), form)
    assert head is not None and (head.crop or (head.width, head.height)) == (64, 48)
    assert head.xmp == PACKET and b"Model 1" in head.exif
    found = exif_reader.read_capture(path)
    assert found.camera == "Maker Model 1"
    assert found.orientation == (1 if form == "heif" else 6)
    assert (found.width, found.height) == decode.decode(path).full_size


@pytest.mark.parametrize("form", ["heif", "avif", "webp"])
def test_a_truncated_header_never_raises(form: str) -> None:
    buffer = io.BytesIO()
    PICTURE.save(buffer, form, exif=exif(3), xmp=PACKET)
    data = buffer.getvalue()
    for end in range(0, len(data), 3):
        image_headers.read_header(tiff.from_bytes(data[:end]), form)
    for at_ in range(12, min(len(data), 400)):
        broken = data[:at_] + b"\xff\xff\xff\xff" + data[at_ + 4 :]
        image_headers.read_header(tiff.from_bytes(broken), form)


@pytest.mark.slow
def test_headers_of_real_files_agree_with_their_decoders(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header of every decodable HEIC, AVIF and WebP has its size, orientation and packet."""
    compared = 0
    for path in sorted(corpus.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        form = containers.sniff(data[:65536], str(path))
        if form not in ("heif", "avif", "webp"):
            continue
        file = io.BytesIO(data)
        here = stills.capture(file, form)
        with monkeypatch.context() as patched:
            patched.setattr(stills, "_head", lambda file, form: None)
            there = stills.capture(file, form)
        if there != Capture():
            compared += 1
            assert replace(here, subject=there.subject) == there, path
    assert compared > 100
