"""Stripping metadata from a file's bytes, for decoders that fail on broken metadata.

`stills` uses it, because broken metadata must never cost the pixels. Each function removes from a
complete file what its pixels do not need, and returns a file that it cannot parse unchanged.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

# PNG (third edition), 11.3: the ancillary chunks that colors depend on.
_PNG_NEEDED = {b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP"}
# TIFF 6.0 and supplements: pixel layout, colors (with the profile), orientation.
_TIFF_NEEDED = frozenset(
    {*range(254, 260), 262, 266, 273, 274, *range(277, 285), 292, 293, 317, *range(320, 326), 332}
    | {330, 338, 339, 340, 341, 347, *range(512, 522), *range(529, 533), 34675}
)
# ISO/IEC 14496-12, 8.11.6: an item's entry ends, after its number and protection, in its type.
_EXIF_ITEM = re.compile(rb"(infe.{4}(?:.{4}|.{6}))Exif", re.DOTALL)
_HEADER = 1 << 20  # bytes at the start of an AVIF that contain its boxes
_MAX_ENTRIES = 512


def _png(data: bytes) -> bytes:
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind[0] < 0x60 or kind in _PNG_NEEDED:  # an upper case first letter: critical
            kept.append(data[at : at + 12 + size])
        at += 12 + size
    return b"".join(kept)


def _avif(data: bytes) -> bytes:
    return _EXIF_ITEM.sub(rb"\1skip", data[:_HEADER]) + data[_HEADER:]


def _tiff(data: bytes) -> bytes:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return data
    start = struct.unpack_from(order + "I", data, 4)[0]
    if start + 2 > len(data):
        return data
    count = struct.unpack_from(order + "H", data, start)[0]
    stripped = bytearray(data)
    for at in range(start + 2, start + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        if at + 12 > len(data):
            break
        if struct.unpack_from(order + "H", data, at)[0] not in _TIFF_NEEDED:
            struct.pack_into(order + "HII", stripped, at + 2, 1, 1, 0)  # one byte, in place
    return bytes(stripped)


STRIPPERS: dict[str, Callable[[bytes], bytes]] = {"png": _png, "avif": _avif, "tiff": _tiff}
"""By format whose decoder may fail on metadata: the function that removes it from a whole file."""
