"""ICC profiles as bytes: reading tone curve and primaries, and building new profiles.

It contains only what Pillow's LittleCMS does not provide; nothing here raises on content.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Curve = Callable[[Floats], Floats]


# Linear sRGB to XYZ as stored in profiles, relative to D50 (sRGB v2 profiles of HP and the ICC).
_SRGB_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)

# Bradford, and the white of profiles: ICC.1:2022, annex E and 7.2.16.
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


def curve_of(icc: bytes) -> Curve | None:
    """Return a profile's curve from value to light; for RGB that of green; None without a curve.

    Source: ICC.1:2022, 10.6 (curv) and 10.18 (para).
    """
    tags = _tags(icc)
    data = tags.get(b"kTRC") or tags.get(b"gTRC") or b""
    try:
        found = {b"curv": _tabled, b"para": _parametric}[data[:4]](data)
    except (KeyError, struct.error):
        return None
    return None if found is None else lambda value: _bounded(found, value)


def _bounded(curve: Curve, value: Floats) -> Floats:
    """Apply a curve, limited to 0-1 even if its numbers are absurd."""
    with np.errstate(all="ignore"):
        return np.clip(np.nan_to_num(curve(value)), 0.0, 1.0)


def to_srgb_light(icc: bytes) -> Floats | None:
    """Return the matrix from a profile's light to linear sRGB; None if it has no primaries."""
    tags = _tags(icc)
    parts = [tags.get(name, b"")[8:20] for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    if any(len(part) != 12 for part in parts):
        return None
    columns = [[value / 65536 for value in struct.unpack(">3i", part)] for part in parts]
    return np.linalg.inv(_SRGB_XYZ) @ np.array(columns).T


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """Read the tag table: ICC.1:2022, 7.3."""
    if len(icc) < 132:
        return {}
    count = min(struct.unpack_from(">I", icc, 128)[0], 100, (len(icc) - 132) // 12)
    found = {}
    for at in range(132, 132 + 12 * count, 12):
        name, start, size = struct.unpack_from(">4sII", icc, at)
        found[name] = icc[start : start + size]
    return found


def _tabled(data: bytes) -> Curve | None:
    count = struct.unpack_from(">I", data, 8)[0]
    if count > (len(data) - 12) // 2:
        return None
    table = np.frombuffer(data, ">u2", count, 12).astype(np.float64)
    if count == 0:
        return lambda value: value
    if count == 1:
        gamma = table[0] / 256
        return (lambda value: value**gamma) if gamma else None
    return lambda value: np.interp(value, np.linspace(0, 1, count), table / 65535)


def _parametric(data: bytes) -> Curve | None:
    kind = struct.unpack_from(">H", data, 8)[0]
    if kind > 4:
        return None
    found = [part / 65536 for part in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", data, 12)]
    g, a, b, c, d, e, f = [*found, *(1, 0, 0, 0, 0, 0, 0)[len(found) - 1 :]][:7]
    if g <= 0:
        return None
    if kind in (1, 2):  # Y = (aX + b)^g + c from -b/a on, and c below
        if not a:
            return None
        e, f, d, c = c, c, -b / a, 0.0
    elif kind == 0:
        d = 0.0

    def curve(value: Floats) -> Floats:
        power = np.maximum(a * value + b, 0.0) ** g + e
        return np.where(value >= d, power, c * value + f)

    return curve


Point = tuple[float, float]


def build_profile(points: tuple[Point, Point, Point, Point], curve: Curve) -> bytes | None:
    """Build an RGB profile from the x and y of white, red, green and blue, and a curve.

    Returns None if the points are not valid colors. Source: ICC.1:2022, 8.3 and annex E; the
    profile has version 2.
    """
    try:
        parts = [np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in points]
        white, primaries = parts[0], np.array(parts[1:]).T
        cone = _BRADFORD @ white
        adapted = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cone) @ _BRADFORD
        xyz = adapted @ primaries @ np.diag(np.linalg.solve(primaries, white))
    except (ZeroDivisionError, np.linalg.LinAlgError):
        return None
    if not np.isfinite(xyz).all() or np.abs(xyz).max() > 10:
        return None
    steps = np.rint(65535 * np.clip(curve(np.linspace(0, 1, 4096)), 0, 1)).astype(">u2")
    shape = struct.pack(">4s4xI", b"curv", 4096) + steps.tobytes()
    tags = {b"wtpt": _xyz(_D50)}
    for at, name in enumerate((b"r", b"g", b"b")):
        tags |= {name + b"XYZ": _xyz(xyz[:, at]), name + b"TRC": shape}
    begin = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, begin + len(body), len(content))
        body += content
    head = struct.pack(">I4xI4s4s4s", begin + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp"
    head = head.ljust(68, b"\0") + _xyz(_D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _xyz(parts: Floats) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65536 * float(part)) for part in parts))
