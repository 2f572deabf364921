"""Real file systems to copy to, each mounted for one test; tests skip where that is not permitted.

    with mounted("exfat", tmp_path, monkeypatch) as folder: ...

`tests.drives.Stick` can be pulled out, `tests.faulty_drive.FaultyDrive` fails as well.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.drives import Stick, run
from tests.faults import small_disk
from tests.faulty_drive import CARD, FaultyDrive, Traits

READY_S = 10.0
APPLE = Traits(folds_names=True, decomposes_names=True)  # HFS+: É.jpg is E + ´, and é.JPG


@contextmanager
def _stick(top: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    stick = Stick(top, kind.upper(), monkeypatch, kind)  # type: ignore[arg-type]
    try:
        yield stick.plug(kind)
    finally:
        stick.close()


@contextmanager
def _faulty(top: Path, traits: Traits, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    drive = FaultyDrive(top, "FAULTY", monkeypatch, traits)
    try:
        yield drive.plug()
    finally:
        drive.close()


@contextmanager
def _fat(top: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Mount a real FAT16: folds case, short names beside long ones, times in steps of 2 s."""
    if sys.platform != "linux":
        pytest.skip("mounts are Linux's here")
    image, at = top / "fat.img", top / "fat"
    at.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    try:
        run("mkfs.fat", "-F", "16", "-n", "EOS_DIGITAL", str(image))
        run("fusefat", "-o", "rw+", str(image), str(at))
        until = time.monotonic() + READY_S
        while not at.is_mount() and time.monotonic() < until:
            time.sleep(0.005)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=False)


@contextmanager
def _memory(top: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with small_disk(top / "memory", 64) as disk:
        yield disk.path


_Made = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Path]]
KINDS: dict[str, _Made] = {
    "ext4": lambda top, patch: _stick(top, "ext4", patch),
    "exfat": lambda top, patch: _stick(top, "exfat", patch),
    "fat": _fat,
    "tmpfs": _memory,
    "folding": lambda top, patch: _faulty(top, CARD, patch),
    "decomposing": lambda top, patch: _faulty(top, APPLE, patch),
}


def mounted(kind: str, top: Path, monkeypatch: pytest.MonkeyPatch) -> AbstractContextManager[Path]:
    """Mount a new, empty file system of one of :data:`KINDS`; yield its mount point."""
    return KINDS[kind](top, monkeypatch)


@contextmanager
def write_protected(mount_point: Path) -> Iterator[None]:
    """Mount a file system read-only for a while, as the switch of a card does."""
    run("mount", "-o", "remount,ro", str(mount_point))
    try:
        yield
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            run("mount", "-o", "remount,rw", str(mount_point))
