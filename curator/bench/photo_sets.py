"""Folders of photos for the bars, drawn or copied from the user's photos."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from curator.bench.draw import draw_jpeg
from curator.bench.figures import Workspace
from curator.imaging.exif import read_capture
from curator.model import KnownError

LARGE = (4000, 3000)  # 12 MP
LEAST_PIXELS = 6_000_000


def large_jpegs(workspace: Workspace, count: int, size: tuple[int, int] = LARGE) -> list[Path]:
    """Return JPEGs of 6 MP and more in a new folder: drawn, or copies of the user's photos.

    Raises:
        KnownError: the user's folder has no JPEG of that size.
    """
    folder = workspace.scratch / "large"
    folder.mkdir()
    if workspace.photos is None:
        drawn = [
            draw_jpeg(folder / f"L{number:04}.jpg", size=size, seed=number % 8, quality=92)
            if number < 8
            else _copy(folder / f"L{number % 8:04}.jpg", folder / f"L{number:04}.jpg", number)
            for number in range(count)
        ]
        _settle()
        return drawn
    found: list[Path] = []
    for path in sorted(workspace.photos.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg"):
            capture = read_capture(path)
            if (capture.width or 0) * (capture.height or 0) >= LEAST_PIXELS:
                found.append(_copy(path, folder / f"L{len(found):04}.jpg", len(found)))
        if len(found) == count:
            break
    if not found:
        raise KnownError(
            f"{workspace.photos} has no JPEG of 6 megapixels or more.", "Choose another folder."
        )
    _settle()
    return found


def many_small(
    folder: Path, count: int, size: tuple[int, int] = (240, 160), quality: int = 90
) -> Path:
    """Make a folder of many small camera JPEGs.

    Folders of different names have no content in common. In a folder every file has a size of its
    own, as nearly all files of a camera have: those of equal size may be copies, and are compared.
    """
    folder.mkdir(parents=True)
    drawn = [
        draw_jpeg(folder / f"kind{n}.jpg", size=size, seed=n, quality=quality) for n in range(20)
    ]
    kinds = [path.read_bytes() for path in drawn]
    for path in drawn:
        path.unlink()
    longest, own = max(map(len, kinds)), zlib.crc32(folder.name.encode()).to_bytes(4, "big")
    for number in range(count):
        data = kinds[number % len(kinds)] + own
        (folder / f"DSC_{number:06}.JPG").write_bytes(data.ljust(longest + 4 + number, b"\0"))
    _settle()
    return folder


def _settle() -> None:
    """Wait until files just drawn are on disk, which would keep it busy while a bar measures."""
    if hasattr(os, "sync"):  # Windows has none
        os.sync()


def _copy(source: Path, to: Path, number: int) -> Path:
    to.write_bytes(source.read_bytes() + number.to_bytes(4, "big"))
    return to
