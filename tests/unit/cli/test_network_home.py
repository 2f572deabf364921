"""A home on a network drive is refused in a sentence without access to the drive."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from curator.cli import invocation
from curator.home import Home
from curator.model import KnownError
from curator.volumes import Mount
from tests.unit.cli.conftest import Type

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of another system")


def mount(path: Path | str, kind: str, network: bool = False) -> Mount:
    return Mount("device", str(path), kind, None, "", False, network)


def refused(home: Path, *mounts: Mount) -> str:
    try:
        invocation.refuse_network_home(Home.at(home), (mount("/", "ext4"), *mounts))
    except KnownError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.rclone", "9p"])
def test_a_home_on_a_network_drive_is_refused_with_a_remedy(kind: str) -> None:
    said = refused(Path("/mnt/nas/curator"), mount("/mnt/nas", kind, network=True))
    assert f"network drive ({kind})" in said and "CURATOR_HOME" in said


@pytest.mark.parametrize("kind", ["ext4", "fuseblk", "fuse.ntfs-3g", "exfat", "btrfs", "virtiofs"])
def test_a_local_drive_is_accepted(kind: str) -> None:
    assert refused(Path("/mnt/usb/curator"), mount("/mnt/usb", kind)) == ""


def test_windows_drives_in_wsl_are_refused_and_a_sandbox_is_accepted() -> None:
    assert refused(Path("/mnt/c/curator"), mount("/mnt/c", "drvfs"))
    assert refused(Path("/root/curator"), mount("/", "9p", network=True)) == ""
    assert refused(Path("/root/curator"), mount("/", "nfs", network=True))


def test_a_path_beside_a_network_drive_is_accepted() -> None:
    assert refused(Path("/mnt/nas2/curator"), mount("/mnt/nas", "nfs", network=True)) == ""
    inner = (mount("/mnt/nas", "nfs", network=True), mount("/mnt/nas/disk", "ext4"))
    assert refused(Path("/mnt/nas/disk/curator"), *inner) == ""


def test_a_link_to_a_network_drive_is_followed_without_access_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nas = tmp_path / "nas"
    nas.mkdir()
    (tmp_path / "home").symlink_to(nas / "curator")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    touched: list[str] = []
    real = Path.is_symlink

    def look(path: Path) -> bool:
        touched.append(str(path))
        return real(path)

    monkeypatch.setattr(Path, "is_symlink", look)
    drive = mount(nas, "nfs4", network=True)
    assert refused(tmp_path / "home" / "deep", drive)
    assert refused(tmp_path / "x" / ".." / "nas" / "curator", drive)
    assert refused(tmp_path / "round" / "home", drive) == ""
    assert touched and not [path for path in touched if path.startswith(str(nas))]


def test_every_verb_refuses_before_creating_anything(
    curator: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocation, "mounted", lambda: (mount(tmp_path, "cifs", network=True),))
    for words in (["status"], ["doctor"], []):
        said = curator(*words)
        assert said.code == 1 and "network drive (cifs)" in said.err
    assert list(tmp_path.iterdir()) == []
