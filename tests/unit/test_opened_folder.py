"""A folder held open: operations stay inside it, even if links appear in between."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from curator import atomic, opened_folder
from curator.model import UnreadableError
from curator.opened_folder import OpenedFolder, OutsideError, file_id

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
@pytest.mark.parametrize("call", ["open", "mkdir", "link", "replace", "unlink"])
def test_a_link_that_appears_right_before_an_operation_is_not_followed(
    tmp_path: Path, act: Callable[[OpenedFolder], object], call: str
) -> None:
    for name in ("out/sub", "theirs"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "b").write_text("b")
    (tmp_path / "out" / "a").write_text("a")
    sub, swapped = tmp_path / "out" / "sub", []
    real = getattr(os, call)

    def late(*args: Any, **more: Any) -> Any:
        if not swapped:  # another program, at the worst moment
            swapped.append(sub.rename(tmp_path / "aside"))
            sub.symlink_to(tmp_path / "theirs")
        return real(*args, **more)

    with OpenedFolder.at(tmp_path / "out") as folder, mock.patch.object(os, call, late):
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
    tmp_path: Path, folder: OpenedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "nowhere").symlink_to(tmp_path / "none")
    for name in ("sub/b", "nowhere", "sub"):
        with pytest.raises(FileExistsError):
            rename(folder, "a", name)
    rename(folder, "a", "sub/c")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # as on a card
    with pytest.raises(FileExistsError):
        rename(folder, "sub/c", "sub/b")
    rename(folder, "sub/c", "d")
    assert (sorted(folder.names()), folder.names("sub")) == (["d", "nowhere", "sub"], ["b"])


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
    tmp_path: Path, folder: OpenedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def late(*args: Any, **more: Any) -> None:
        (tmp_path / "out" / "a").unlink()
        (tmp_path / "out" / "a").symlink_to(tmp_path / "theirs" / "b")
        real(*args, **more)

    monkeypatch.setattr(os, "link", late)
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
