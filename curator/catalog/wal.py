"""How much of SQLite's write-ahead log is in use, read from the log itself.

The size of the file says little: it never shrinks below what was reserved, and SQLite starts over
at its beginning. But each frame in use carries the salts of the log's header
(sqlite.org/fileformat2.html, 4). Nothing locks this file, so opening and closing it beside SQLite
is harmless; doing that with the catalog itself would drop SQLite's locks.
"""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

from curator import atomic

_HEADER, _FRAME = 32, 24  # bytes, before the pages and before each


def reaches(log: Path, offset: int) -> bool:
    """Whether a frame in use ends beyond ``offset`` bytes of the log.

    Takes some 40 us. A log that is missing or cannot be read reaches nowhere.
    """
    with contextlib.suppress(OSError, struct.error), atomic.open_plain(log) as file:
        head = file.read(_HEADER)
        (page,) = struct.unpack_from(">I", head, 8)
        size = _FRAME + page
        file.seek(_HEADER + (max(offset - _HEADER, 0) // size) * size)
        frame = file.read(_FRAME)
        return page > 0 and len(frame) == _FRAME and frame[8:16] == head[16:24]
    return False
