"""Sidecars with real keys: write marks, read those of other programs, resolve conflicts."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer

import psutil
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.imaging.embedded_metadata import read as read_embedded_metadata
from curator.model import Label, Pass
from curator.sidecar import read
from curator.ui.dialogs.sidecars_dialog import SidecarsDialog
from curator.ui.widgets import dialogs
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg
from tests.sidecars import change, xmp

ROOT = Path(__file__).parents[2]
KILLS = 5


@pytest.fixture
def evening(qtbot: QtBot, home: Home) -> Iterator[Evening]:
    made = Evening(qtbot, home)
    yield made
    made.close()


def darktable(home: Home) -> None:
    home.settings_file.write_text(json.dumps({"sidecars": {"profile": "darktable"}}))


def originals(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.glob("*.jpg")
    }


def when_open(act: Callable[[SidecarsDialog], None]) -> None:
    """Call a function with the dialog as soon as it has compared the files."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, SidecarsDialog) and not dialog.sentence.text().startswith("Compar"):
            try:
                act(dialog)
            finally:
                dialog.close()
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)


@pytest.mark.slow
def test_marks_are_written_read_back_and_conflicts_resolved(
    evening: Evening, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "Iceland"
    for number in range(3):
        draw_jpeg(folder / f"DSC_{number}.jpg", seed=number)
    (folder / "DSC_2.xmp").write_bytes(xmp(4, "Red", ("Sea",)))
    darktable(home)
    before = originals(folder)

    # What was rated elsewhere shows its stars, and the cull asks about the others.
    evening.open(folder, photos=3)
    session = evening.session
    ids = {session.table.name(photo): photo for photo in session.statistics.scope_ids()}
    evening.until(lambda: session.table.marks(ids["DSC_2"]).rating == 4)
    assert session.table.marks(ids["DSC_2"]).label is Label.RED
    evening.press("Alt+1").reads("1 already rated in other apps")
    assert len(session.ids) == 2
    evening.window.run("include_rated_externally")  # type: ignore[attr-defined]
    assert session.criteria.mode is Pass.CULL and len(session.ids) == 3

    # A mark goes out when asked, and only then.
    session.navigator.go_to(ids["DSC_0"])
    sidecar = folder / "DSC_0.jpg.xmp"
    evening.press("3")
    assert not sidecar.exists()
    evening.press("Ctrl+S").reads("Wrote DSC_0.jpg.xmp")
    assert read(sidecar.read_bytes()).metadata.rating == 3

    # Another program changes it meanwhile: nothing of theirs is lost, and a person chooses.
    change(sidecar, b'Rating="3"', b'Rating="5"')
    evening.press("2", "Ctrl+S").reads("1 sidecar changed elsewhere")
    assert read(sidecar.read_bytes()).metadata.rating == 5

    def choose(dialog: SidecarsDialog) -> None:
        sides = [dialog.conflicts.index(0, column).data() for column in (1, 2)]
        assert sides == ["2 stars", "5 stars"]
        assert dialog.conflicts.index(0, 4).data() == "Take the file's"  # it is the newer
        dialog.sides.setFocus()
        dialog.sides.selectRow(0)
        QTest.keyClick(dialog.sides, " ")
        assert dialog.conflicts.index(0, 4).data() == "Keep mine"
        dialog.files.click()
        dialog.apply.click()

    when_open(choose)
    session.requests.sidecars_requested.emit()
    assert session.table.marks(ids["DSC_0"]).rating == 5 and not session.sidecars.conflicts()
    evening.window.activateWindow()
    evening.until(evening.window.isActiveWindow)
    evening.window.setFocus()
    evening.press("Ctrl+Z", "Ctrl+S")
    evening.until(lambda: read(sidecar.read_bytes()).metadata.rating == 2)
    assert originals(folder) == before


@pytest.mark.slow
def test_ratings_of_other_programs_are_shown(
    evening: Evening, home: Home, tmp_path: Path, corpus: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    theirs = corpus / "sidecars"
    for name in ("20240121_102400.JPG", "20240128_185808.JPG"):
        for suffix in ("", ".xmp"):
            data = (theirs / "pigallery2" / f"{name}{suffix}").read_bytes()
            (folder / f"{name}{suffix}").write_bytes(data)
    draw_jpeg(folder / "A.jpg", seed=1)
    edit = (theirs / "darktable-tests" / "exposure.xmp").read_bytes()
    (folder / "A.jpg.xmp").write_bytes(edit)
    evening.open(folder, photos=3)
    table = evening.session.table
    stars = {table.name(photo): photo for photo in evening.session.statistics.scope_ids()}
    evening.until(lambda: table.marks(stars["A"]).rating == 1)
    evening.until(lambda: table.marks(stars["20240121_102400"]).rating == 3)
    tags = evening.session.catalog.photos.get(stars["20240121_102400"]).tags
    assert ("Travel", "file", "confirmed") in [(t.name, t.source, t.state) for t in tags]
    assert (folder / "A.jpg.xmp").read_bytes() == edit


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_while_writing_sidecars_lose_no_marks(home: Home, tmp_path: Path) -> None:
    """Kill a process that marks and undoes while it writes sidecars; files stay complete."""
    folder = tmp_path / "card"
    for number in range(16):
        draw_jpeg(folder / f"IMG_{number:02}.jpg", seed=number, size=(60, 40))
        (folder / f"IMG_{number:02}.jpg.xmp").write_bytes(xmp(1, keywords=(f"Word {number}",)))
    chance = random.Random(6)
    for seed in range(KILLS):
        write_until_killed(home, folder, seed, chance.uniform(0.3, 1.5))
        for path in folder.glob("*.xmp"):
            said = read(path.read_bytes()).metadata
            number = path.name[4:6].lstrip("0") or "0"
            assert said.keywords == (f"Word {number}",), path.name
            assert b'crs:Exposure2012="+0.35"' in path.read_bytes()
    finish_writing(home, folder)
    catalog = Catalog.open(home.catalog)
    try:
        assert catalog.sidecars.conflicts() == [] and catalog.sidecars.outstanding().unwritten == 0
        for photo in catalog.photos.details(catalog.photos.ids()):
            said = read(Path(f"{photo.path}.xmp").read_bytes()).metadata
            assert (said.rating or None) == photo.marks.rating, photo.name
    finally:
        catalog.close()


def write_until_killed(home: Home, folder: Path, seed: int, after_s: float) -> None:
    process = start_scribe(home, folder, seed)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "writing\n"
        children = psutil.Process(process.pid).children(recursive=True)
        timer = Timer(after_s, process.kill)
        timer.start()
        process.wait()
        timer.join()
    psutil.wait_procs(children, timeout=30)


def finish_writing(home: Home, folder: Path) -> None:
    process = start_scribe(home, folder, -1)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.read().endswith("done\n")
    assert process.wait() == 0


def start_scribe(home: Home, folder: Path, seed: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.scribe", str(home.data), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )


@pytest.mark.slow
def test_marks_are_embedded_only_after_a_confirmation_with_their_number(
    evening: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path / "Iceland"
    for number in range(3):
        draw_jpeg(folder / f"DSC_{number}.jpg", seed=number)
    before = originals(folder)
    evening.open(folder, photos=3)
    session = evening.session
    ids = {session.table.name(photo): photo for photo in session.statistics.scope_ids()}
    session.navigator.go_to(ids["DSC_1"])
    evening.press("4", "Ctrl+S").reads("ignore the sidecars of 1 photo")
    asked: list[str] = []
    answers: list[str | None] = [None, "embed"]

    def ask(parent: object, question: dialogs.Question) -> str | None:
        asked.append(question.title)
        return answers[len(asked) - 1]

    monkeypatch.setattr(dialogs, "ask", ask)

    def embed(dialog: SidecarsDialog) -> None:
        seen = len(asked)
        dialog.embed.click()
        evening.until(lambda: len(asked) > seen)

    when_open(embed)
    session.requests.sidecars_requested.emit()
    assert asked == ["Change 1 original?"] and originals(folder) == before
    when_open(embed)
    session.requests.sidecars_requested.emit()
    evening.reads("Embedded in 1 original")
    now = originals(folder)
    assert {name for name in now if now[name] != before[name]} == {"DSC_1.jpg"}
    (packet,) = read_embedded_metadata(folder / "DSC_1.jpg").packets
    assert read(packet).metadata.rating == 4
    evening.again()
    assert len(evening.session.statistics.scope_ids()) == 3
