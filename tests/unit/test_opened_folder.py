"""A folder held open: operations stay inside it, even if links appear in between."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from curator import atomic, opened_folder
from curator.model import UnreadableError
from curator.opened_folder import FileState, OpenedFolder, OutsideError, file_id
from tests.drives import Stick

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")


@pytest.fixture(params=["held open", "by its path"])
def folder(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenedFolder]:
    """A folder with a file and a subfolder, opened as on this system, then as on Windows."""
    (tmp_path / "out" / "sub").mkdir(parents=True)
    (tmp_path / "out" / "a").write_text("a")
    (tmp_path / "out" / "sub" / "b").write_text("b")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "b").write_text("b")
    if request.param == "by its path":
        monkeypatch.setattr(opened_folder, "_BY_HANDLE", False)
    with OpenedFolder.at(tmp_path / "out") as opened:
        yield opened


@pytest.fixture(params=["renames exclusively", "links", "neither"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the disk offer less and less: as ext4, as NFS, and as exFAT by FUSE."""
    if request.param != "renames exclusively":
        monkeypatch.setattr(opened_folder, "_rename_exclusively", lambda *_: False)
    if request.param == "neither":

        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)


def put(folder: OpenedFolder, name: str, text: str = "new") -> None:
    with folder.create(name) as file:
        file.write(text.encode())


def rename(folder: OpenedFolder, old: str, new: str) -> None:
    seen = folder.file_state(old)
    assert seen is not None
    folder.rename(old, new, seen)


ACTS: dict[str, Callable[[OpenedFolder], object]] = {
    "status": lambda folder: folder.status("sub/b"),
    "read": lambda folder: folder.read("sub/b"),
    "seen": lambda folder: folder.file_state("sub/b"),
    "names": lambda folder: folder.names("sub"),
    "inside": lambda folder: folder.inside("sub").close(),
    "make": lambda folder: folder.make_folder("sub/deeper/still"),
    "create": lambda folder: put(folder, "sub/c"),
    "write": lambda folder: folder.write("sub/b", b"new"),
    "remove": lambda folder: folder.remove("sub/b"),
    "rename": lambda folder: rename(folder, "sub/b", "c"),
    "rename into": lambda folder: rename(folder, "a", "sub/c"),
    "replace": lambda folder: folder.replace("a", "sub/b"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("thing", ["link", "closed", "file"])
def test_nothing_is_done_through_a_link_a_closed_folder_or_a_file(
    tmp_path: Path, folder: OpenedFolder, act: Callable[[OpenedFolder], object], thing: str
) -> None:
    sub = tmp_path / "out" / "sub"
    if thing == "closed":
        folder._closed = [file_id(sub.stat())]
    else:
        sub.rename(tmp_path / "aside")
        sub.symlink_to(tmp_path / "theirs") if thing == "link" else sub.write_text("in the way")
    with pytest.raises(OutsideError):
        act(folder)
    assert [path.read_text() for path in (tmp_path / "theirs").iterdir()] == ["b"]
    assert (tmp_path / "out" / "a").read_text() == "a"


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("call", ["open", "mkdir", "rename", "replace", "unlink"])
def test_a_link_that_appears_right_before_an_operation_is_not_followed(
    tmp_path: Path, act: Callable[[OpenedFolder], object], call: str
) -> None:
    for name in ("out/sub", "theirs"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "b").write_text("b")
    (tmp_path / "out" / "a").write_text("a")
    sub, swapped = tmp_path / "out" / "sub", []
    where: Any = opened_folder if call == "rename" else os
    call = "_rename_exclusively" if call == "rename" else call
    real = getattr(where, call)

    def late(*args: Any, **more: Any) -> Any:
        if not swapped:  # another program, at the worst moment
            swapped.append(sub.rename(tmp_path / "aside"))
            sub.symlink_to(tmp_path / "theirs")
        return real(*args, **more)

    with OpenedFolder.at(tmp_path / "out") as folder, mock.patch.object(where, call, late):
        try:
            act(folder)
        except OutsideError:
            assert swapped
    assert [path.read_text() for path in (tmp_path / "theirs").iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["", ".", "..", "../theirs/b", "/a", "sub//b", "sub/../a", "a\0"])
def test_an_invalid_name_is_refused(folder: OpenedFolder, name: str) -> None:
    for act in (folder.status, folder.read, folder.remove, folder.make_folder):
        with pytest.raises(OutsideError):
            act(name)


def test_only_plain_files_are_opened_and_anything_else_can_be_replaced(
    tmp_path: Path, folder: OpenedFolder
) -> None:
    (tmp_path / "out" / "link").symlink_to(tmp_path / "theirs" / "b")
    (tmp_path / "out" / "nowhere").symlink_to(tmp_path / "theirs" / "new")
    os.mkfifo(tmp_path / "out" / "pipe")
    for name in ("link", "nowhere", "pipe", "sub"):
        with pytest.raises(OutsideError):
            folder.read(name)
        assert folder.file_state(name) is None and not folder.is_file(name)
        with pytest.raises(FileExistsError):
            put(folder, name)
    assert all(folder.write(name, b"ours") for name in ("link", "nowhere", "pipe"))
    assert {path.name for path in (tmp_path / "theirs").iterdir()} == {"b"}
    assert folder.read("nowhere") == b"ours" and folder.read("none") is None


def test_a_rename_never_replaces_another_file(
    tmp_path: Path, folder: OpenedFolder, disk: None
) -> None:
    (tmp_path / "out" / "nowhere").symlink_to(tmp_path / "none")
    for name in ("sub/b", "nowhere", "sub"):
        with pytest.raises(FileExistsError):
            rename(folder, "a", name)
    rename(folder, "a", "sub/c")

    rename(folder, "sub/c", "d")
    assert (sorted(folder.names()), folder.names("sub")) == (["d", "nowhere", "sub"], ["b"])


def race(folder: OpenedFolder) -> None:
    """Have two threads rename a file each to one name, many times; one wins, the other keeps it."""
    for turn in range(20):
        put(folder, "one", "one")
        put(folder, "two", "two")
        files = {name: folder.file_state(name) for name in ("one", "two")}
        start = threading.Barrier(2)

        def contend(name: str, new: str, seen: FileState, start: threading.Barrier = start) -> bool:
            start.wait(10)
            try:
                folder.rename(name, new, seen)
            except FileExistsError:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            won = [
                threads.submit(contend, name, f"photo{turn}", seen)
                for name, seen in files.items()
                if seen is not None
            ]
        assert sorted(each.result() for each in won) == [False, True]
        winner, loser = ("one", "two") if won[0].result() else ("two", "one")
        assert folder.read(f"photo{turn}") == winner.encode()
        assert folder.read(loser) == loser.encode() and folder.status(winner) is None
        folder.remove(loser)


def test_of_two_renames_to_one_name_one_wins_and_nothing_is_lost(
    folder: OpenedFolder, disk: None
) -> None:
    race(folder)


def test_a_rename_on_a_real_exfat_never_replaces_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Stick(tmp_path, "EOS_DIGITAL", monkeypatch, "exfat")
    try:
        with OpenedFolder.at(card.plug("EOS_DIGITAL")) as folder:
            race(folder)
            put(folder, "DSC_0001.JPG", "theirs")
            put(folder, "new", "ours")
            for name in ("DSC_0001.JPG", "dsc_0001.jpg"):
                with pytest.raises(FileExistsError):
                    rename(folder, "new", name)
            rename(folder, "new", "DSC_0002.JPG")
            assert folder.read("DSC_0001.JPG") == b"theirs"
            assert {"DSC_0002.JPG", "DSC_0001.JPG"} < set(folder.names())
    finally:
        card.close()


def test_a_disk_that_fails_to_store_a_name_is_reported(
    folder: OpenedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not folder.has_handle:
        pytest.skip("without a handle nothing can be flushed")

    def failing(number: int) -> Callable[[int], None]:
        def sync(_: int) -> None:
            raise OSError(number, os.strerror(number))

        return sync

    monkeypatch.setattr(os, "fsync", failing(errno.EINVAL))
    folder.sync()
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        folder.sync()


def test_no_name_is_taken_before_the_whole_file_has_it(
    folder: OpenedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    def killed(*_: object, **__: object) -> None:
        raise SystemExit  # what a kill leaves there stays for good

    monkeypatch.setattr(opened_folder, "_rename_exclusively", lambda *_: False)
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(SystemExit):
        rename(folder, "a", "c")
    assert sorted(folder.names()) == ["a", "sub"]


def test_a_disk_that_fails_a_rename_leaves_no_empty_file(
    folder: OpenedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(opened_folder, "_rename_exclusively", lambda *_: False)
    monkeypatch.setattr(os, "link", broken)
    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="Input/output error"):
        rename(folder, "a", "c")
    assert sorted(folder.names()) == ["a", "sub"]


def test_a_file_that_was_replaced_is_left_alone(tmp_path: Path, folder: OpenedFolder) -> None:
    seen = folder.file_state("a")
    assert seen is not None
    (tmp_path / "out" / "a").unlink()
    (tmp_path / "out" / "a").write_text("theirs")
    put(folder, "mine")
    folder.remove("a", seen)
    for act in (
        lambda: folder.rename("a", "c", seen),
        lambda: folder.replace("mine", "a", seen),
    ):
        with pytest.raises(OutsideError, match="Another program"):
            act()
    assert folder.read("a") == b"theirs" and "c" not in folder.names()


def test_a_link_swapped_in_during_a_rename_is_detected(
    tmp_path: Path, folder: OpenedFolder, disk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = opened_folder._rename_exclusively, []

    def late(*names: Any) -> bool:
        calls.append(names)
        if len(calls) == 1:  # later ones put it back
            (tmp_path / "out" / "a").unlink()
            (tmp_path / "out" / "a").symlink_to(tmp_path / "theirs" / "b")
        return real(*names)

    monkeypatch.setattr(opened_folder, "_rename_exclusively", late)
    with pytest.raises(OutsideError, match="Another program"):
        rename(folder, "a", "c")
    assert "c" not in folder.names() and (tmp_path / "out" / "a").is_symlink()


def test_mode_and_times_go_to_the_file_that_was_written(
    tmp_path: Path, folder: OpenedFolder
) -> None:
    theirs = tmp_path / "theirs" / "b"
    before = theirs.stat()
    with folder.create("new", mode=0o640, times_ns=(1_000_000_000, 2_000_000_000)) as file:
        file.write(b"ours")
        if folder._handle is not None:  # by its path, a system that has links is not meant
            (tmp_path / "out" / "new").rename(tmp_path / "out" / "made")
            (tmp_path / "out" / "new").hardlink_to(theirs)
    made = tmp_path / "out" / ("made" if folder._handle is not None else "new")
    assert (stat.S_IMODE(made.stat().st_mode), made.stat().st_mtime) == (0o640, 2)
    after = theirs.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


def test_a_folder_that_is_moved_stays_the_one_that_was_opened(
    tmp_path: Path, folder: OpenedFolder
) -> None:
    (tmp_path / "out").rename(tmp_path / "moved")
    (tmp_path / "out").symlink_to(tmp_path / "theirs")
    if folder._handle is None:
        with pytest.raises(OutsideError):
            folder.write("b", b"ours")
    else:
        folder.write("b", b"ours")
        assert (tmp_path / "moved" / "b").read_bytes() == b"ours"
    assert (tmp_path / "theirs" / "b").read_text() == "b"


def test_its_parents_are_known_whatever_its_path(tmp_path: Path, folder: OpenedFolder) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out" / "sub")
    with OpenedFolder.at(tmp_path / "link") as opened:
        above = list(opened.above())
    wanted = [tmp_path / "out" / "sub", tmp_path / "out", *(tmp_path / "out").parents]
    assert above == [file_id(path.stat()) for path in wanted]
    assert above[0] == opened.file_id and above[1] == folder.file_id


def test_folders_are_created_and_leftovers_removed(tmp_path: Path, folder: OpenedFolder) -> None:
    folder.make_folder("x/y/z")
    folder.make_folder("x/y")
    assert (tmp_path / "out" / "x" / "y" / "z").is_dir()
    left = ".curator-1-0123456789ab.tmp"
    put(folder, left)
    os.utime(tmp_path / "out" / left, (1, 1))  # the first process of a system is younger
    with folder.temporary("x/a") as mine:
        put(folder, mine)
        folder.remove_leftovers()
        assert folder.status(left) is None and folder.status(mine) is not None
        assert atomic.writer_pid(Path(mine).name) == os.getpid() and mine.startswith("x/")
    assert folder.status(mine) is None


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may read everything")
def test_a_file_we_may_not_read_is_reported(tmp_path: Path, folder: OpenedFolder) -> None:
    (tmp_path / "out" / "a").chmod(0)
    with pytest.raises(UnreadableError, match="a cannot be read"):
        folder.file_state("a")
