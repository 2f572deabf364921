"""The folders that measurements write to."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from curator.bench.scratch import scratch_folder


def test_a_scratch_folder_goes_with_its_files() -> None:
    with scratch_folder() as folder:
        (folder / "photos").mkdir()
        (folder / "photos" / "a.jpg").write_bytes(b"a")
    assert not folder.exists()


@pytest.mark.skipif(shutil.which("lsattr") is None, reason="needs lsattr")
def test_its_subfolders_are_spread_over_an_ext4_disk() -> None:
    with scratch_folder() as folder:
        listed = subprocess.run(["lsattr", "-d", folder], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"The disk keeps no flags: {listed.stderr.strip()}")
    assert "T" in listed.stdout.split()[0]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a disk without flags")
def test_a_disk_without_flags_serves_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    with scratch_folder() as folder:
        assert folder.parent == Path("/dev/shm")
        (folder / "a.jpg").write_bytes(b"a")
