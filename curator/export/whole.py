"""Small files of an export's own, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def put(folder: Path, name: str, content: bytes) -> bool:
    """Write a file of the export's own (manifest, page) whole; say whether anything had to change.

    Raises:
        OSError: the folder cannot be written; the old file stays.
    """
    path = folder / name
    if path.exists() and path.read_bytes() == content:
        return False
    part = folder / f".curator-{name}.part"
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return True
