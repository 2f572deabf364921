"""How far SQLite's write-ahead log is filled, read from the log itself.

Its file says little: it never shrinks below what was reserved, and stays when it is used again
from the start. But each frame carries the salts of the log's header while it is of the present
round (sqlite.org/fileformat2.html, 4). Nothing is locked on this file, so that opening and closing
it beside SQLite is harmless; of the catalog itself that would drop SQLite's locks.
"""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

from curator import atomic

_HEADER, _FRAME = 32, 24  # bytes, before the pages and before each


def reaches(log: Path, offset: int) -> bool:
    """Whether the log holds a frame of the present round that ends beyond ``offset`` bytes.

    Takes some 40 us. A log that is not there, or cannot be read, reaches nowhere.
    """
    with contextlib.suppress(OSError, struct.error), atomic.open_plain(log) as file:
        head = file.read(_HEADER)
        (page,) = struct.unpack_from(">I", head, 8)
        size = _FRAME + page
        file.seek(_HEADER + (max(offset - _HEADER, 0) // size) * size)
        frame = file.read(_FRAME)
        return page > 0 and len(frame) == _FRAME and frame[8:16] == head[16:24]
    return False
