"""The drives of the tests fail as asked: a harness that does not fail proves nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator import volumes
from curator.opened_folder import OpenedFolder
from tests.faulty_drive import Faults, FaultyDrive, Traits

NAME, SIZE = "DCIM/IMG_0001.JPG", 300_000


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDrive]:
    made = FaultyDrive(tmp_path, "EOS_DIGITAL", monkeypatch)
    (made.files / "DCIM").mkdir()
    (made.files / NAME).write_bytes(os.urandom(SIZE))
    yield made
    made.close()


def test_a_drive_fails_as_asked(drive: FaultyDrive) -> None:
    photo, content = drive.plug() / NAME, (drive.files / NAME).read_bytes()
    assert photo.with_name("img_0001.jpg").read_bytes() == content
    assert drive.changes() == [] and drive.bytes_read()[NAME] >= SIZE
    drive.fail(Faults(unreadable={NAME: 200_000}))
    with pytest.raises(OSError) as error:
        photo.read_bytes()
    assert error.value.errno == errno.EIO
    drive.fail(Faults(cut={NAME: 200_000}))
    assert photo.stat().st_size == SIZE
    assert photo.read_bytes() == content[:200_000]
    drive.fail(Faults(unsteady={NAME: 200_000}))
    assert photo.read_bytes() != content
    drive.fail(Faults(changing={NAME: 200_000}))
    assert photo.read_bytes() == content
    assert photo.read_bytes() != content
    drive.fail(Faults(room=1000, forgotten={"b$": 1}, refused=":"))
    assert os.statvfs(photo).f_bavail == 0
    (photo.parent / "b").write_bytes(b"abc")
    assert (drive.files / "DCIM" / "b").read_bytes() != b"abc"
    for name, number in (("a", errno.ENOSPC), ("a:b", errno.EINVAL)):
        with pytest.raises(OSError) as error:
            (photo.parent / name).write_bytes(bytes(2000))
        assert error.value.errno == number
    with pytest.raises(PermissionError):
        os.link(photo.parent / "b", photo.parent / "c")
    assert "write\tDCIM/b\t3" in drive.changes()


def test_a_drive_is_pulled_out_and_comes_back_elsewhere(drive: FaultyDrive) -> None:
    card = drive.plug()
    first = volumes.mount_of(card / NAME)
    assert first is not None and (first.label, first.removable) == ("EOS_DIGITAL", True)
    drive.fail(Faults(gone_after=100_000))
    with pytest.raises(OSError) as error:
        (card / NAME).read_bytes()
    assert error.value.errno in (errno.ENOTCONN, errno.ECONNABORTED)
    drive.wait_until_gone()
    assert not card.exists()
    drive.fail(Faults())
    again = drive.plug("EOS_DIGITAL1")
    assert (again / NAME).read_bytes() == (drive.files / NAME).read_bytes()
    second = volumes.mount_of(again)
    assert second is not None and second.key == first.key and second.path == str(again)


def test_a_rename_works_where_a_hard_link_has_an_id_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with sshfs and other FUSE programs."""
    drive = FaultyDrive(tmp_path, "SERVER", monkeypatch, Traits())
    try:
        with OpenedFolder.at(drive.plug()) as folder:
            for name in ("a", "b"):
                folder.write(name, name.encode())
            state = folder.file_state("a")
            assert state is not None
            with pytest.raises(FileExistsError):
                folder.rename("a", "b", state)
            folder.rename("a", "c", state)
            assert sorted(folder.names()) == ["b", "c"] and folder.read("c") == b"a"
    finally:
        drive.close()
