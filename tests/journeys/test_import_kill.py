"""Two hundred kills of an import at random moments, and the imports that complete it.

After each kill the auditor compares the bytes on card and destinations: nothing under a real name
is in part, nothing is copied twice, what the catalog calls verified is. The next import copies only
what was not there under its real name, and leaves no temporary file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from curator.catalog import Catalog
from curator.home import Home
from tests import catalogs
from tests.cards import draw_card
from tests.filesystems import mounted
from tests.import_audit import Audit
from tests.journeys.test_kill import Outcome, Victims, start_victims

KILLS = 160  # and 40 to an exFAT drive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is a word of POSIX systems"),
]


@pytest.fixture
def victims(tmp_path: Path) -> Iterator[Victims]:
    with start_victims(tmp_path) as started:
        yield started


class Scene:
    """A card, two destinations and a home that begins empty again and again."""

    def __init__(self, top: Path, library: Path, backup: Path) -> None:
        self.card = draw_card(top / "EOS_DIGITAL", 4)
        self.places = [library, backup]
        self.audit = Audit([self.card], self.places)
        self.home = Home.at(top / "home").make()
        self.args: dict[str, Any] = {
            "home": str(self.home.data),
            "cards": [str(self.card)],
            "destinations": [str(place) for place in self.places],
        }

    def begin_again(self) -> None:
        for folder in (*self.places, self.home.data):
            shutil.rmtree(folder, ignore_errors=True)
        self.home.make()
        catalogs.empty(self.home.catalog)

    def inodes(self) -> dict[tuple[Path, str], tuple[int, int]]:
        """Return what identifies each copy under its real name."""
        found = {}
        for place in self.places:
            for name in self.audit.copies(place):
                status = (place / name).stat()
                found[place, name] = (status.st_ino, status.st_mtime_ns)
        return found

    def check_after_kill(self) -> None:
        self.audit.check()
        with contextlib.closing(Catalog.open(self.home.catalog)) as catalog:
            assert catalog.check() == []
            self.audit.check_catalog(catalog)

    def check_completed(self, outcome: Outcome, before: dict[Any, tuple[int, int]]) -> None:
        """Check an import that nobody disturbed, given the copies there were before it."""
        self.audit.check_finished()
        after = self.inodes()
        assert before.items() <= after.items(), "a copy was written again"
        assert outcome.said[-2] == "safe True\n", outcome.said
        files = self.audit.wanted.total()
        for place, line in zip(self.places, outcome.said[-4:-2], strict=True):
            copied, *there = map(int, line.split()[1:])
            assert sum(there) == sum(folder == place for folder, _ in before)
            assert copied == files - sum(there)


def killed_again_and_again(victims: Victims, scene: Scene, kills: int) -> set[int]:
    """Kill imports; return how many copies there were after the kills."""
    scene.begin_again()
    usual = victims.run("import_from_cards", **scene.args)
    scene.check_completed(usual, {})
    seen: set[int] = set()

    def fresh(turn: int) -> dict[str, Any]:
        if turn % 3 != 2:  # else the import that continues a killed one is killed, too
            scene.begin_again()
        return scene.args

    for turn, _ in enumerate(victims.kills(kills, "import_from_cards", usual, fresh)):
        scene.check_after_kill()
        seen.add(len(scene.inodes()))
        if turn % 3 != 1:
            before = scene.inodes()
            scene.check_completed(victims.run("import_from_cards", **scene.args), before)
    return seen


def test_a_killed_import_lies_about_nothing_and_the_next_completes_it(
    victims: Victims, tmp_path: Path
) -> None:
    scene = Scene(tmp_path, tmp_path / "library", tmp_path / "backup")
    seen = killed_again_and_again(victims, scene, KILLS)
    assert len(seen) >= 8, "the kills all came at the same stage"


def test_a_killed_import_to_exfat_lies_about_nothing(
    victims: Victims, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted("exfat", tmp_path, monkeypatch) as drive:
        scene = Scene(tmp_path, tmp_path / "library", drive / "backup")
        assert len(killed_again_and_again(victims, scene, 200 - KILLS)) >= 5


def test_two_imports_into_one_folder_at_once_lose_and_overwrite_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cards with the same names, and one card twice, on a disk with hard links and without."""
    with (
        mounted("exfat", tmp_path, monkeypatch) as drive,
        start_victims(tmp_path) as one,
        start_victims(tmp_path) as two,
    ):
        homes = [Home.at(tmp_path / name).make() for name in ("one", "two")]
        cards = [draw_card(tmp_path / name, 6, seed=name) for name in ("EOS", "NIKON")]
        for turn in range(12):
            folder = (drive if turn % 2 else tmp_path) / f"photos {turn}"
            own = cards if turn % 4 < 2 else cards[:1] * 2
            audit = Audit(set(own), [folder])
            for home in homes:
                home.catalog.unlink(missing_ok=True)
                catalogs.empty(home.catalog)
            orders = [
                victims.begin(
                    "import_from_cards",
                    {"home": str(home.data), "cards": [str(card)], "destinations": [str(folder)]},
                )
                for victims, home, card in zip((one, two), homes, own, strict=True)
            ]
            for outcome in [order() for order in orders]:
                assert outcome.ended == "done", outcome.said
                assert outcome.said[-2] == "safe True\n", outcome.said
            audit.check_finished()
            for home in homes:
                with contextlib.closing(Catalog.open(home.catalog)) as catalog:
                    audit.check_catalog(catalog)


def test_the_command_line_is_killed_and_its_next_start_completes_the_import(
    tmp_path: Path, home: Home
) -> None:
    card = draw_card(tmp_path / "EOS_DIGITAL", 60)
    library = tmp_path / "library"
    audit = Audit([card], [library])
    command = [sys.executable, "-m", "curator", "import", str(card), "--to", str(library)]
    for files in (1, 30, 60):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            workers: list[psutil.Process] = []
            while run.poll() is None and len(list(library.rglob("*.*"))) < files:
                with contextlib.suppress(psutil.Error):
                    workers = psutil.Process(run.pid).children(recursive=True) or workers
                time.sleep(0.002)
            run.kill()
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert not alive, "workers outlived the process that started them"
        audit.check()
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            audit.check_catalog(catalog)
    before = {name: (library / name).stat().st_ino for name in audit.copies(library)}
    assert 0 < len(before) < audit.wanted.total()
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["safe"] is True, report
    audit.check_finished()
    assert {name: (library / name).stat().st_ino for name in before} == before
