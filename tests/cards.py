"""Memory cards drawn for tests: photos, pairs, companions, videos, and what stays on a card.

    card = draw_card(tmp_path / "EOS_DIGITAL", photos=6)
    to_copy = must_be_copied(card)       # {"DCIM/100CANON/IMG_0001.JPG": sha256, ...}

All files differ in content, so that a test can tell them apart by their bytes alone. The EXIF time
and the modification time of photo ``n`` are ``n`` minutes after `TAKEN`.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.photos import TAKEN, draw_jpeg, write_dng

EACH_FOLDER = 5  # photos, then the next folder: 100CANON, 101CANON ...
# What is on a card and belongs to nobody's photos; cameras and computers put it there.
SYSTEM_FILES = (
    "DCIM/CANONMSC/M0100.CTG",
    "DCIM/100CANON/._IMG_0001.JPG",
    "DCIM/100CANON/.DS_Store",
    "MISC/AUTPRINT.MRK",
    ".Trashes/501/IMG_0009.JPG",
    ".Spotlight-V100/Store-V2/store.db",
    "System Volume Information/IndexerVolumeGuid",
)
COPIED = frozenset({".jpg", ".dng", ".cr3", ".nef", ".xmp", ".wav", ".thm", ".mp4", ".mov"})


def draw_card(
    root: Path,
    photos: int = 6,
    *,
    first: int = 1,
    pairs: bool = True,
    maker: str = "CANON",
    size: int = 0,
    seed: str = "",
) -> Path:
    """Draw a card and return its root.

    Of each five photos the first is a pair, the second has a sidecar, the third a voice memo, and
    the fifth is followed by a video with its thumbnail.

    Args:
        root: is created.
        photos: how many.
        first: the number of the first, as in ``IMG_0001``.
        pairs: whether there are RAWs; they are the large files.
        maker: of the camera; the end of the folders' names.
        size: of each JPEG in bytes, at least.
        seed: of the content; cards drawn with another one have no content in common.
    """
    for number in range(photos):
        folder = root / "DCIM" / f"{100 + number // EACH_FOLDER}{maker}"
        stem, kind = f"IMG_{first + number:04}", number % EACH_FOLDER
        taken = TAKEN.replace(microsecond=0) + timedelta(minutes=number)
        mark = f"{seed}/{root.name}/{stem}/".encode()
        write(folder / f"{stem}.JPG", jpeg(taken, mark, size), taken)
        if kind == 0 and pairs:
            write(folder / f"{stem}.DNG", dng(taken, mark), taken)
        if kind == 1:
            write(folder / f"{stem}.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" + mark, taken)
        if kind == 2:
            write(folder / f"{stem}.WAV", b"RIFF" + mark + bytes(4000), taken)
        if kind == 4:
            write(folder / f"MVI_{first + number:04}.MP4", _video(mark), taken)
            write(folder / f"MVI_{first + number:04}.THM", jpeg(taken, mark + b"thm"), taken)
    for name in SYSTEM_FILES:
        write(root / name.replace("CANON/", f"{maker}/"), name.encode(), TAKEN)
    return root


def draw_many(root: Path, photos: int) -> Path:
    """Draw a card of very many tiny photos, 999 a folder as cameras number them."""
    for number in range(photos):
        folder = root / "DCIM" / f"{100 + number // 999}CANON"
        name = f"IMG_{1 + number % 999:04}.JPG"
        taken = TAKEN.replace(microsecond=0) + timedelta(seconds=number)
        write(folder / name, jpeg(taken, f"{number}".encode()), taken)
    return root


def must_be_copied(card: Path) -> dict[str, str]:
    """Return the sha256 of what an import has to copy, by path; knows nothing of Curator."""
    found = {}
    for path in sorted(card.rglob("*")):
        relative = path.relative_to(card)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and path.suffix.lower() in COPIED:
            found[relative.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def write(path: Path, content: bytes, modified: datetime) -> Path:
    """Write a file with the modification time a camera gives it; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified.timestamp(), modified.timestamp()))
    return path


def jpeg(taken: datetime, mark: bytes, size: int = 0) -> bytes:
    """Return a JPEG with a capture time and a mark that makes it unique."""
    return _padded(_dated(_drawn("jpg"), taken), mark, size)


def dng(taken: datetime, mark: bytes) -> bytes:
    """Return a RAW with a capture time and a mark that makes it unique."""
    return _padded(_dated(_drawn("dng"), taken), mark, 0)


def _dated(drawn: bytes, taken: datetime) -> bytes:
    return drawn.replace(
        f"{TAKEN:%Y:%m:%d %H:%M:%S}".encode(), f"{taken:%Y:%m:%d %H:%M:%S}".encode()
    )


def _padded(content: bytes, mark: bytes, size: int) -> bytes:
    """Append a mark and, up to a size, bytes that repeat nowhere else."""
    noise = hashlib.shake_128(mark).digest(max(0, size - len(content) - len(mark)))
    return content + mark + noise


def _video(mark: bytes) -> bytes:
    return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + hashlib.shake_128(mark).digest(30_000)


@lru_cache
def _drawn(kind: str) -> bytes:
    """Draw the photo that all others are copies of; only its time differs."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"one.{kind}")
        small = (160, 120)
        made = draw_jpeg(path, size=small) if kind == "jpg" else write_dng(path, size=small)
        return made.read_bytes()
