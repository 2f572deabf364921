"""Reading a copy back: the disk answers, not the memory of what was written to it."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curator import volumes
from curator.importing import readback
from curator.importing.readback import drop_cache, hash_past_cache
from curator.opened_folder import OpenedFolder, OutsideError
from curator.volumes import Mount
from tests.drives import Stick

DISK = Mount("/dev/sdb1", "/media/T7", "exfat", "ABCD-1234", "T7", True, False)
CONTENT = bytes(range(256)) * 5000 + b"the end"  # more than a block, and no whole page


def write(folder: OpenedFolder, name: str, content: bytes) -> None:
    with folder.create(name) as file:
        file.write(content)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 1, len(CONTENT)])
def test_the_hash_is_that_of_the_content_wherever_the_file_was_read_to(
    tmp_path: Path, size: int
) -> None:
    with OpenedFolder.at(tmp_path) as folder:
        write(folder, "a", CONTENT[:size])
        with folder.open("a") as file:
            file.seek(7)
            assert hash_past_cache(file.fileno(), DISK)[0] == sha256(CONTENT[:size])


def test_a_disk_that_holds_something_else_than_was_written_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = Stick(tmp_path, "T7", monkeypatch)
    try:
        at = stick.plug("T7")
        mount = volumes.mount_of(at)
        with OpenedFolder.at(at) as folder:
            write(folder, "a", b"written" * 10_000)
            with folder.open("a") as file:
                assert hash_past_cache(file.fileno(), mount) == (sha256(b"written" * 10_000), False)
            with Path(stick.device).open("r+b") as disk:  # a flash cell loses a bit
                disk.seek(disk.read().index(b"written" * 10_000))
                disk.write(b"W")
                disk.flush()
                os.fsync(disk.fileno())
            damaged = b"W" + (b"written" * 10_000)[1:]
            assert folder.read("a") == b"written" * 10_000, "the cache still remembers"
            with folder.open("a") as file:
                assert hash_past_cache(file.fileno(), mount) == (sha256(damaged), False)
    finally:
        stick.close()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="a disk in memory, as Linux has")
def test_a_file_that_cannot_leave_memory_is_said_to_be_answered_by_it(tmp_path: Path) -> None:
    name = f"curator-{os.getpid()}"
    with OpenedFolder.at(Path("/dev/shm")) as folder:
        write(folder, name, CONTENT)
        try:
            with folder.open(name) as file:
                assert not drop_cache(file.fileno())
                assert hash_past_cache(file.fileno(), DISK) == (sha256(CONTENT), True)
        finally:
            folder.remove(name)


@pytest.mark.parametrize(
    "mount",
    [
        None,
        Mount("//nas/photos", "/mnt/nas", "cifs", "nas", "photos on nas", False, True),
        Mount("/dev/sdb1", "/media/T7", "fuseblk", "ABCD-1234", "T7", True, False),
    ],
)
def test_a_volume_with_a_cache_of_its_own_or_none_known_may_have_answered_from_it(
    tmp_path: Path, mount: Mount | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "drop_cache", lambda _: True)
    with OpenedFolder.at(tmp_path) as folder:
        write(folder, "a", CONTENT)
        with folder.open("a") as file:
            assert hash_past_cache(file.fileno(), DISK) == (sha256(CONTENT), False)
            assert hash_past_cache(file.fileno(), mount) == (sha256(CONTENT), True)


def test_it_stops_between_two_blocks(tmp_path: Path) -> None:
    asked = iter([False, True])
    with OpenedFolder.at(tmp_path) as folder:
        write(folder, "a", CONTENT)
        with folder.open("a") as file:
            assert hash_past_cache(file.fileno(), DISK, lambda: next(asked))[0] == ""
    assert not list(asked)


def test_a_link_that_took_the_place_of_the_copy_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(CONTENT)
    (tmp_path / "a").symlink_to(tmp_path / "theirs")
    with (
        OpenedFolder.at(tmp_path) as folder,
        pytest.raises(OutsideError),
        folder.open("a") as file,
    ):
        hash_past_cache(file.fileno(), DISK)


def test_reads_are_of_whole_pages_and_end_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses any other read without its cache, even one at the end of the file."""
    lengths: list[int] = []

    class Disk(io.BytesIO):
        def readinto(self, block: object) -> int:
            assert isinstance(block, memoryview) and self.tell() % 4096 == 0
            lengths.append(len(block))
            return super().readinto(block)

    @contextmanager
    def opened(_: int) -> Iterator[tuple[io.BytesIO, bool]]:
        yield Disk(CONTENT), True

    monkeypatch.setattr(readback, "_opened_past_cache", opened)
    with OpenedFolder.at(tmp_path) as folder:
        write(folder, "a", CONTENT)
        with folder.open("a") as file:
            assert hash_past_cache(file.fileno(), DISK) == (sha256(CONTENT), False)
    assert set(lengths) == {readback._BLOCK_BYTES} and len(lengths) == 5
