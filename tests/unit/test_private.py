"""Everything in the home folder is private, whatever the umask, including older files."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curator import atomic, private
from curator.catalog import Catalog, ConductorLock, backups
from curator.cli.output import start_logging, stop_logging
from curator.home import Home
from curator.imaging import proxy
from curator.library import table_cache
from curator.model import KnownError
from curator.settings import Settings, save
from curator.vision.options import VisionOptions, find_key

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")

KEY = "ab" + "0" * 30


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def open_to_others(top: Path) -> list[str]:
    """Return everything in a folder that other users could read, write or enter."""
    found = [top, *top.rglob("*")]
    return [str(path) for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


def fill(home: Home) -> None:
    """Create everything that Curator creates in a home folder."""
    start_logging(home)
    logging.getLogger("curator").info("a line")
    stop_logging()
    home.make()
    catalog = Catalog.open(home.catalog)
    with catalog.store.transaction(), ConductorLock(home):
        proxy.save(np.zeros((40, 60, 3), np.uint8), home.cache, KEY)
    catalog.store.reserve_log()
    backups.make_if_due(home.catalog)
    table_cache.write(home.table_file, "1", {"a": np.zeros(3)})
    settings = Settings.load(home)
    settings.loupe.surround = "gray"
    save(settings, home)
    assert home.catalog.with_name("catalog.db-wal").exists()
    assert open_to_others(home.data) == open_to_others(home.cache) == []
    catalog.close()


def test_everything_in_the_home_folder_is_private(umask: None, tmp_path: Path) -> None:
    fill(Home.at(tmp_path / "above" / "home"))
    assert open_to_others(tmp_path / "above") == []


def test_files_that_an_earlier_version_left_open_become_private(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    fill(home)
    for path in [home.data, *home.data.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    home.make()
    Catalog.open(home.catalog).close()
    reached = [path for path in open_to_others(home.data) if "/cache/" not in path]
    assert reached == [], "and nobody gets into the cache"


@pytest.mark.parametrize("platform", ["data", "cache"])
def test_the_platforms_folders_become_private_whatever_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.delenv("CURATOR_HOME", raising=False)
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_: str(tmp_path / "data"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_: str(tmp_path / "cache"))
    (tmp_path / platform).mkdir(mode=0o755)
    (tmp_path / platform / "notes.txt").touch(0o644)
    Home.at().make()
    assert stat.S_IMODE((tmp_path / platform).stat().st_mode) == 0o700


def test_in_a_shared_home_only_our_files_become_private(tmp_path: Path) -> None:
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


def test_a_rotated_log_stays_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_file_of_the_user_keeps_its_permissions(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        atomic.write(tmp_path / "mimeapps.list", b"", owner_only=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "mimeapps.list").stat().st_mode) == 0o644


def test_a_folder_cannot_be_created_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        private.make_folder(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        private.make_folder(tmp_path / "file" / "below")


SECRETS = [
    ("--set vision.url=http://joe:hunter2@host:1234/v1", "http://***@host:1234/v1"),
    ("http://joe:hun/ter2@host", "http://***@host"),
    ("http://hunter2@host", "http://***@host"),
    ("vision.url=joe:hunter2@host", "vision.url=***@host"),
    ("Authorization: Bearer hunter2", "Authorization: Bearer ***"),
    ("{'api_key': 'hunter2', 'model': 'llava'}", "'model': 'llava'"),
    ("GET /v1/models?api-key=hunter2&n=3", "&n=3"),
    ("CURATOR_VISION_KEY=hunter2", "CURATOR_VISION_KEY=***"),
    ("Incorrect key sk-hunter2 given", "Incorrect key sk-*** given"),
]


@pytest.mark.parametrize(("text", "left"), SECRETS)
def test_passwords_and_keys_are_masked(text: str, left: str) -> None:
    masked = private.mask_secrets(text)
    assert "hunter2" not in masked and "ter2" not in masked and left in masked


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:11434/v1 answers",
        "/photos/joe@home/DSC_1@2x.jpg at 12:30",
        "C:\\Users\\joe@work\\DSC_1.JPG",
        "token of love, the secret garden: 4 photos",
        "decide --pick 1",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert private.mask_secrets(text) == text


def test_a_registered_key_is_masked_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "_known", set())
    monkeypatch.setenv("CURATOR_VISION_KEY", "correct horse")
    assert find_key("http://host") == "correct horse"
    assert private.mask_secrets("refused: correct horse, 401") == "refused: ***, 401"
    for secret in ("battery", "battery staple"):
        private.remember_secret(secret)
    assert private.mask_secrets("it is battery staple") == "it is ***", (
        "the whole of the longer one"
    )


@pytest.mark.parametrize("url", ["http://joe:hunter2@host", "joe:hunter2@host", "x://joe:hunter2@"])
def test_no_message_about_a_server_has_its_password(url: str) -> None:
    options = VisionOptions(provider="openai_compatible", url=url)
    with pytest.raises(KnownError) as refused:
        assert replace(options, url=f"{url}:port").base
    assert "hunter2" not in f"{options.shown_url} {options.server_name} {refused.value}"


FORGED = "is:picked\n2026-01-01 00:00:00,000 1 INFO    curator: forged\x1b[2K\r\u2028gone"


def test_nothing_typed_or_raised_can_forge_a_line_of_the_log(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    start_logging(home)
    try:
        logging.getLogger("curator").info("filter %s", FORGED)
        try:
            raise ValueError(FORGED + " http://joe:hunter2@host")
        except ValueError:
            logging.getLogger("curator.vision").info("failed", exc_info=True)
    finally:
        stop_logging()
    lines = home.log.read_text().split("\n")[:-1]
    begun = [line for line in lines if not line.startswith("    ")]
    assert len(begun) == 2 and begun[0].endswith("filter is:picked")
    assert all(line.isprintable() for line in lines)
    assert "    ValueError: is:picked" in lines
    assert "hunter2" not in home.log.read_text()
