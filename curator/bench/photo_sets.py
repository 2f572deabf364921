"""Folders of photos for the bars, drawn or copied from the user's photos."""

from __future__ import annotations

import os
import random
from pathlib import Path

from curator.bench.draw import draw_jpeg
from curator.bench.figures import Workspace
from curator.imaging.exif import read_capture
from curator.model import KnownError

LARGE = (4000, 3000)  # 12 MP
LEAST_PIXELS = 6_000_000
_TAIL_BYTES = 4096  # at most, after the end of a small JPEG


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

    Folders of different names have no content in common. Sizes hardly ever agree, as with files of
    a camera: files of the same size may be copies, and Curator compares them.
    """
    folder.mkdir(parents=True)
    drawn = [
        draw_jpeg(folder / f"kind{n}.jpg", size=size, seed=n, quality=quality) for n in range(20)
    ]
    kinds = [path.read_bytes() for path in drawn]
    for path in drawn:
        path.unlink()
    chance = random.Random(folder.name)
    for number in range(count):
        tail = number.to_bytes(4, "big") + chance.randbytes(chance.randrange(4, _TAIL_BYTES))
        (folder / f"DSC_{number:06}.JPG").write_bytes(kinds[number % len(kinds)] + tail)
    _settle()
    return folder


def _settle() -> None:
    """Wait until files just drawn are on disk, which would keep it busy while a bar measures."""
    if hasattr(os, "sync"):  # Windows has none
        os.sync()


def _copy(source: Path, to: Path, number: int) -> Path:
    to.write_bytes(source.read_bytes() + number.to_bytes(4, "big"))
    return to
