"""ICC profiles as bytes: the curve inside one.

Only what LittleCMS behind Pillow does not hand out; nothing here raises on content.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Curve = Callable[[Floats], Floats]


def curve_of(icc: bytes) -> Curve | None:
    """Read the curve of a profile from value to light; of RGB that of green. None if it has none.

    Source: ICC.1:2022, 7.3 (tag table), 10.6 (curv) and 10.18 (para).
    """
    try:
        count = min(struct.unpack_from(">I", icc, 128)[0], 100)
        tags = {
            icc[at : at + 4]: struct.unpack_from(">II", icc, at + 4)
            for at in range(132, 132 + 12 * count, 12)
        }
        at, size = tags.get(b"kTRC") or tags.get(b"gTRC") or (0, 0)
        data = icc[at : at + size]
        if data[:4] == b"curv":
            return _tabled(data)
        return _parametric(data) if data[:4] == b"para" else None
    except struct.error:
        return None


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
    if kind in (1, 2):  # Y = (aX + b)^g + c from -b/a on, below that c
        if not a:
            return None
        e, f, d, c = c, c, -b / a, 0.0
    elif kind == 0:
        d = 0.0

    def curve(value: Floats) -> Floats:
        power = np.maximum(a * value + b, 0.0) ** g + e
        return np.clip(np.where(value >= d, power, c * value + f), 0.0, 1.0)

    return curve
