"""Names of sidecars, and writing them atomically."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from curator import opened_folder
from curator.model import Kind
from curator.sidecar import (
    PROFILES,
    ChangedError,
    SidecarError,
    digest,
    load,
    name_for,
    paths,
    write,
)


@pytest.mark.parametrize(
    ("profile", "file", "kind", "name"),
    [
        ("lightroom", "DSC_1.NEF", Kind.RAW, "DSC_1.xmp"),
        ("lightroom", "a.b.CR3", Kind.RAW, "a.b.xmp"),
        ("lightroom", "DSC_1.JPG", Kind.IMAGE, None),  # never base.xmp from a pair's JPEG
        ("lightroom", "DSC_1.DNG", Kind.RAW, None),  # Lightroom reads what is inside
        ("lightroom", "DSC_1.HEIC", Kind.IMAGE, None),
        ("darktable", "DSC_1.NEF", Kind.RAW, "DSC_1.NEF.xmp"),
        ("darktable", "DSC_1.JPG", Kind.IMAGE, "DSC_1.JPG.xmp"),
        ("digikam", "-x 🌋.jpg", Kind.IMAGE, "-x 🌋.jpg.xmp"),
    ],
)
def test_each_editor_has_its_sidecar_names(
    profile: str, file: str, kind: Kind, name: str | None
) -> None:
    assert name_for(PROFILES[profile], file, kind) == name


def test_a_sidecar_is_created_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250 + ".xmp")
    write(path, b"one", digest(None))
    path.chmod(0o640)
    write(path, b"two", digest(b"one"))
    assert load(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_nlink == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_sidecar_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(b"theirs")
    for expected in (digest(b"before"), digest(None)):
        with pytest.raises(ChangedError):
            write(path, b"ours", expected)
    assert path.read_bytes() == b"theirs"
    path.unlink()
    with pytest.raises(ChangedError):
        write(path, b"ours", digest(b"before"))
    assert list(tmp_path.iterdir()) == []


def test_a_sidecar_created_at_the_same_moment_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xmp"

    def late(*names: Any) -> bool:
        path.write_bytes(b"theirs")  # another program, right after our check
        return rename(*names)

    rename = opened_folder._rename_exclusively
    monkeypatch.setattr(opened_folder, "_rename_exclusively", late)
    with pytest.raises(ChangedError):
        write(path, b"ours", digest(None))
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(b"before")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if fails == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SidecarError, match="No space left on device"):
        write(path, b"ours", digest(b"before"))
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_protected_file_a_missing_folder_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(b"before")
    path.chmod(0o444)
    with pytest.raises(SidecarError, match="write-protected"):
        write(path, b"ours", digest(b"before"))
    assert path.read_bytes() == b"before"
    with pytest.raises(SidecarError):
        write(tmp_path / "gone" / "a.xmp", b"ours", digest(None))
    (tmp_path / "folder.xmp").mkdir()
    with pytest.raises(SidecarError):
        load(tmp_path / "folder.xmp")
    with pytest.raises(SidecarError):
        write(tmp_path / "folder.xmp", b"ours", digest(None))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.xmp", "folder.xmp"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_link_is_read_through_and_never_written_through(tmp_path: Path) -> None:
    real, link, nowhere = tmp_path / "real.xmp", tmp_path / "link.xmp", tmp_path / "nowhere.xmp"
    real.write_bytes(b"before")
    link.symlink_to(real)
    nowhere.symlink_to(tmp_path / "home" / "new.xmp")
    assert (load(link), load(nowhere)) == (b"before", None)
    (tmp_path / "home").mkdir()
    for path, there in ((link, b"before"), (nowhere, None)):
        with pytest.raises(SidecarError, match="is a link"):
            write(path, b"after", digest(there))
        with pytest.raises(SidecarError, match="is a link"):
            paths.check(path)
    assert real.read_bytes() == b"before" and not list((tmp_path / "home").iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_in_place_of_a_sidecar_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xmp")
    with pytest.raises(SidecarError, match="not a file"):
        load(tmp_path / "a.xmp")
    with pytest.raises(SidecarError, match="not a file"):
        write(tmp_path / "a.xmp", b"ours", digest(None))


def test_a_sidecar_is_written_on_a_disk_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write(tmp_path / "a.xmp", b"ours", digest(None))
    assert load(tmp_path / "a.xmp") == b"ours"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_sidecar_that_is_too_large_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(SidecarError, match="larger than 16 MB"):
        load(path)
    assert load(tmp_path / "none.xmp") is None
