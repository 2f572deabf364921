"""What is in a home is its owner's alone, whatever the umask, and what was there before, too."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curator import private, whole
from curator.catalog import Catalog, ConductorLock, backups
from curator.cli.output import start_logging, stop_logging
from curator.imaging import proxy
from curator.session import snapshot
from curator.settings import Home, Settings, save

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")

KEY = "ab" + "0" * 30


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def open_to_others(top: Path) -> list[str]:
    """List what of a folder anybody else could read, write or enter."""
    found = [top, *top.rglob("*")]
    return [str(path) for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


def fill(home: Home) -> None:
    """Have everything made that Curator makes in a home."""
    start_logging(home)
    logging.getLogger("curator").info("a line")
    stop_logging()
    home.make()
    catalog = Catalog.open(home.catalog)
    with catalog._writing(), ConductorLock(home):
        proxy.make(np.zeros((40, 60, 3), np.uint8), home.cache, KEY)
    catalog.reserve_room()
    backups.keep(home.catalog)
    snapshot.write(home.table_file, "1", {"a": np.zeros(3)})
    settings = Settings.load(home)
    settings.loupe.surround = 2
    save(settings, home)
    assert home.catalog.with_name("catalog.db-wal").exists()
    assert open_to_others(home.data) == open_to_others(home.cache) == []
    catalog.close()


def test_all_that_is_made_in_a_home_is_the_owners_alone(umask: None, tmp_path: Path) -> None:
    fill(Home.at(tmp_path / "above" / "home"))
    assert open_to_others(tmp_path / "above") == []


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    fill(home)
    for path in [home.data, *home.data.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    home.make()
    Catalog.open(home.catalog).close()
    reached = [path for path in open_to_others(home.data) if "/cache/" not in path]
    assert reached == [], "and nobody gets into the cache"


@pytest.mark.parametrize("platform", ["data", "cache"])
def test_the_platforms_folders_are_ours_whatever_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.delenv("CURATOR_HOME", raising=False)
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_: str(tmp_path / "data"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_: str(tmp_path / "cache"))
    (tmp_path / platform).mkdir(mode=0o755)
    (tmp_path / platform / "notes.txt").touch(0o644)
    Home.at().make()
    assert stat.S_IMODE((tmp_path / platform).stat().st_mode) == 0o700


def test_in_a_home_among_other_things_only_what_is_ours_is_closed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    linked = tmp_path / "elsewhere.json"
    for name in ("letter.txt", "cache/browser.db", "backups/disk.img"):
        path = shared / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for path in (linked, shared / "curator.log", shared / "keys.toml"):
        path.touch()
    (shared / "settings.json").symlink_to(linked)
    for path in [linked, shared, *shared.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    home = Home.at(shared)
    linked.write_text("{}")
    home.make()
    Catalog.open(home.catalog).close()
    assert sorted(Path(path).name for path in open_to_others(shared)) == sorted(
        ["shared", "letter.txt", "cache", "browser.db", "backups", "disk.img", "settings.json"]
    )
    assert stat.S_IMODE(linked.stat().st_mode) == 0o644


def test_a_rotated_log_stays_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.cli.output._LOG_BYTES", 300)
    home = Home.at(tmp_path / "home")
    before = os.umask(0)
    try:
        start_logging(home)
        for number in range(20):
            logging.getLogger("curator").info("line %d of a long evening", number)
    finally:
        stop_logging()
        os.umask(before)
    assert len(list(home.data.glob("curator.log*"))) == 3 and open_to_others(home.data) == []


def test_a_file_of_the_persons_keeps_what_others_may_do(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        whole.put(tmp_path / "mimeapps.list", b"", owners=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "mimeapps.list").stat().st_mode) == 0o644


def test_a_folder_where_a_file_is_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        private.make_folder(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        private.make_folder(tmp_path / "file" / "below")
