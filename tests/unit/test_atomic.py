"""Files are written atomically, and only leftovers of ended processes are removed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curator import atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_atomically(tmp_path: Path) -> None:
    atomic.write(tmp_path / "a", b"old")
    atomic.write(tmp_path / "a", b"new", sync=False)
    assert (tmp_path / "a").read_bytes() == b"new" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_if_a_step_fails_the_old_file_stays_and_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a"
    atomic.write(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), refuse)
    with pytest.raises(OSError, match="Input/output error") as caught:
        atomic.write(path, b"new")
    assert (caught.value.errno, caught.value.filename) == (5, str(path))
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a"]


def test_leftovers_of_ended_processes_are_removed_and_files_of_running_ones_stay(
    tmp_path: Path,
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead = tmp_path / f".curator-{child.pid}-0123456789ab.tmp"
    log = tmp_path / f"{dead.name}-journal"
    mine = atomic.temporary_path(tmp_path / "a")
    foreign = [tmp_path / ".curator-notes.tmp", tmp_path / ".new-photo.jpg"]
    for path in (dead, log, mine, *foreign):
        path.touch()
    atomic.remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted(path.name for path in (mine, *foreign))


def test_leftovers_are_removed_although_another_process_has_the_id_now(tmp_path: Path) -> None:
    left = atomic.temporary_path(tmp_path / "a")  # our process id, but from before we started
    left.touch()
    os.utime(left, (1_000_000_000, 1_000_000_000))
    atomic.remove_leftovers(tmp_path)
    atomic.remove_leftovers(tmp_path / "not there")
    assert names(tmp_path) == []


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no fcntl")
def test_macos_flushes_a_file_past_the_memory_of_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    import fcntl

    flushed: list[str] = []

    def full(handle: int, what: int) -> None:
        flushed.append("full")
        if fails:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(atomic.sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", full)
    monkeypatch.setattr(os, "fsync", lambda _: flushed.append("as far as the disk"))
    with (tmp_path / "a").open("wb") as file:
        atomic.sync(file.fileno())
    assert flushed == ["full", "as far as the disk"][: 1 + fails]
