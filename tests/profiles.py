"""ICC profiles for tests, built byte by byte (ICC.1:2022), with any name."""

from __future__ import annotations

import struct

SRGB_XYZ = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
PROPHOTO_XYZ = ((0.7977, 0.2880, 0.0000), (0.1352, 0.7119, 0.0000), (0.0313, 0.0001, 0.8249))
P3_XYZ = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def curve(*parts: float) -> bytes:
    """Return a gamma as ``curv``, or five numbers as a parametric curve like that of sRGB."""
    if len(parts) == 1:
        return struct.pack(">4s4xIH2x", b"curv", 1, round(parts[0] * 256))
    return struct.pack(">4s4xH2x5i", b"para", 3, *(round(part * 65536) for part in parts))


def profile(
    name: str, trc: bytes, xyz: tuple[tuple[float, float, float], ...] | None = SRGB_XYZ
) -> bytes:
    """Return a display profile for RGB or, without primaries, for gray."""
    tags = {
        b"desc": struct.pack(">4s4xI", b"desc", len(name) + 1) + name.encode() + bytes(79),
        b"wtpt": _xyz((0.9642, 1.0, 0.8249)),
        b"cprt": b"text\0\0\0\0none\0",
    }
    if xyz is None:
        tags[b"kTRC"] = trc
    else:
        tags |= {
            key + b"XYZ": _xyz(part) for key, part in zip((b"r", b"g", b"b"), xyz, strict=True)
        }
        tags |= {key + b"TRC": trc for key in (b"r", b"g", b"b")}
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for key, data in tags.items():
        table += struct.pack(">4sII", key, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    space = b"GRAY" if xyz is None else b"RGB "
    header = struct.pack(">I4xI4s4s4s", at + len(body), 0x02400000, b"mntr", space, b"XYZ ")
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


def _xyz(parts: tuple[float, float, float]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(part * 65536) for part in parts))
