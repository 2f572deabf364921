"""What the system says of volumes is read right: names with spaces, links, shares, the nearest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from curator import volumes
from curator.volumes import Mount, find_folder, mount_of, within

TABLE = r"""
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 8:17 / /media/ada/T7\040Shield rw,nosuid shared:5 - exfat {device} rw,uid=1000
31 27 0:50 / /mnt/nas rw - cifs //NAS/Photos rw
32 27 0:51 /trip /srv/trip rw - btrfs {device} rw
33 27 0:5 / /tmp rw - tmpfs tmpfs rw
"""


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "dev-sdb1"
    device.touch()
    for which, name in (("by-uuid", "4A21-0F3C"), ("by-label", r"T7\x20Shield")):
        (tmp_path / "disk" / which).mkdir(parents=True)
        (tmp_path / "disk" / which / name).symlink_to(device)
    (tmp_path / "mountinfo").write_text(TABLE.replace("{device}", "/dev/sdb1").strip())
    real = volumes.os.path.realpath
    monkeypatch.setattr(
        volumes.os.path, "realpath", lambda p: str(device) if str(p) == "/dev/sdb1" else real(p)
    )
    monkeypatch.setattr(volumes, "_MOUNTINFO", tmp_path / "mountinfo")
    monkeypatch.setattr(volumes, "_DISKS", tmp_path / "disk")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's table of mounts")
@pytest.mark.usefixtures("system")
def test_the_table_of_mounts_is_read() -> None:
    found = {mount.path: mount for mount in volumes.mounted()}
    stick = found["/media/ada/T7 Shield"]
    assert (stick.key, stick.label, stick.kind) == ("4A21-0F3C", "T7 Shield", "exfat")
    nas = found["/mnt/nas"]
    assert (nas.key, nas.label, nas.network) == ("//nas/photos", "Photos on NAS", True)
    assert found["/srv/trip"].key == "4A21-0F3C:/trip"  # a part of a volume is one of its own
    assert (found["/tmp"].key, found["/"].label) == (None, "/")


@pytest.mark.parametrize(
    ("said", "text", "pulled"),
    [("removable", "1\n", True), ("device/type", "SD\n", True), ("removable", "0\n", False)],
)
def test_a_card_in_a_reader_is_removable(
    tmp_path: Path, said: str, text: str, pulled: bool
) -> None:
    part = tmp_path / "mmcblk0" / "mmcblk0p1"  # as Linux describes a drive and a partition of it
    part.mkdir(parents=True)
    (part / "partition").write_text("1\n")
    (part.parent / "device").mkdir()
    (part.parent / said).write_text(text)
    assert volumes._has_removable_disk(part) is pulled


def mount(path: str, key: str | None) -> Mount:
    return Mount("/dev/x", path, "ext4", key, key or "", False, False)


def test_a_path_is_on_the_innermost_volume_that_contains_it(tmp_path: Path) -> None:
    top = str(tmp_path)
    table = (mount(tmp_path.anchor, "root"), mount(top, "a"), mount(top, "b"))
    found = mount_of(tmp_path / "not" / "there", table)
    assert found is not None and found.key == "b"  # the last one hides what it is mounted over
    assert within(tmp_path / "not" / "there", found) == "not/there"
    beside = mount_of(tmp_path.with_name(tmp_path.name + "2"), table)
    assert beside is not None and beside.key == "root"


def test_a_folder_is_found_on_its_volume_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "E" / "trip").mkdir(parents=True)
    table = (mount(tmp_path.anchor, "root"), mount(str(tmp_path / "E"), "t7"))
    place = find_folder(str(tmp_path / "T7" / "trip"), "t7", "trip", table)
    assert (place.path, place.within, place.own) == (str(tmp_path / "E" / "trip"), "trip", True)
    gone = find_folder(str(tmp_path / "T7" / "other"), "t7", "other", table)
    assert (gone.path, gone.plugged) == ("", True)
