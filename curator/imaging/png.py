"""The metadata of a PNG, in chunks before or after the picture data.

Pillow returns chunks after the picture data only once that is decoded, and ignores metadata that
older programs wrote as text. All reads are bounded, and nothing raises on content.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from curator.imaging import tiff

_MAX_CHUNKS = 100_000  # a picture of 800 MB in libpng's chunks of 8 KiB
_MAX = 16 << 20  # bytes of one chunk of metadata, compressed and decompressed
_MAX_TEXTS = 8
_XMP_WORD = b"XML:com.adobe.xmp"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
# ImageMagick and others write a line for the name, one for the length, then hex digits.
_PROFILE = re.compile(rb"Raw profile type (exif|APP1|xmp)\Z", re.IGNORECASE)


@dataclass(slots=True)
class PngMetadata:
    """EXIF as a TIFF structure, the XMP packet, and the values of cICP; empty if absent.

    ``tried`` counts the texts decompressed: a small file may contain thousands of huge ones.
    """

    exif: bytes = b""
    xmp: bytes = b""
    cicp: bytes = b""
    tried: int = 0


def read_metadata(read: tiff.Read) -> PngMetadata:
    """Read the metadata of a PNG.

    Args:
        read: ``read(offset, size)`` of the file; picture data is skipped.
    """
    found = PngMetadata()
    at = 8
    for _ in range(_MAX_CHUNKS):
        head = read(at, 8)
        if len(head) < 8:
            break
        size, kind = struct.unpack(">I4s", head)
        if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"cICP") and size <= _MAX:
            _read_chunk(found, kind, read(at + 8, size))
        elif kind == b"IEND" or size > 0x7FFFFFFF:
            break
        at += 12 + size
    return found


def _read_chunk(found: PngMetadata, kind: bytes, data: bytes) -> None:
    if kind == b"eXIf":
        found.exif = _tiff(data)  # takes precedence over EXIF written as text
    elif kind == b"cICP":
        found.cicp = data
    else:
        word, _, rest = data.partition(b"\0")
        profile = _PROFILE.match(word)
        if (word != _XMP_WORD and not profile) or found.tried >= _MAX_TEXTS:
            return
        found.tried += 1
        text = _text(kind, rest)
        if not profile:
            found.xmp = found.xmp or text
            return
        block = _decode_hex(text)
        if block.startswith(_JPEG_XMP):
            found.xmp = found.xmp or block[len(_JPEG_XMP) :]
        elif profile[1].lower() == b"xmp":
            found.xmp = found.xmp or block
        else:
            found.exif = found.exif or _tiff(block)


def _text(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _decompress(rest[1:])
    parts = rest[2:].split(b"\0", 2)  # after flag and method: language, translated keyword
    if len(parts) < 3:
        return b""
    return _decompress(parts[2]) if rest[:1] == b"\1" else parts[2]


def _decompress(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MAX)
    except zlib.error:
        return b""


def _decode_hex(text: bytes) -> bytes:
    """Decode the hex digits after a name and a length."""
    digits = b"".join(text.split()[2:])
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""


def _tiff(block: bytes) -> bytes:
    return block[6:] if block[:6] == b"Exif\0\0" else block
