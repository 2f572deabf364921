"""A complete workflow with real keys in a real window, from a folder to the exported set."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from curator.model import Pass, Verdict, View
from curator.ui.dialogs.export_dialog import ExportDialog
from tests.journeys.evening import Evening, answer
from tests.photos import TAKEN, draw_jpeg, draw_series, write_dng


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Eight photos a minute apart: six JPEGs, a RAW+JPEG pair, and a file without a picture."""
    folder = draw_series(tmp_path / "Iceland", 6)
    last = TAKEN + timedelta(minutes=6)
    draw_jpeg(folder / "DSC_0006.JPG", seed=6, taken=last)
    write_dng(folder / "DSC_0006.DNG", size=(600, 400), seed=6, taken=last)
    (folder / "DSC_0007.jpg").write_bytes(b"\xff\xd8\xff\xe1 gone wrong")
    return folder


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


def test_from_a_folder_to_the_approved_set(evening: Evening, shoot: Path, tmp_path: Path) -> None:
    before = digest(shoot)
    session = evening.open(shoot, photos=8).session
    assert session.statistics.counts()["failed"] == 1
    assert evening.name() == "DSC_0000"
    evening.reads("1 unreadable")

    # Pass 1: cull, with a mis-press and its undo.
    evening.press("Return")
    assert (session.criteria.mode, session.view_state.view) == (Pass.CULL, View.LOUPE)
    evening.press("X").reads("Rejected DSC_0000 · Ctrl+Z")
    evening.press("Space", "P", "X")
    assert evening.name() == "DSC_0004"
    evening.press("Ctrl+Z").reads("Undid reject, DSC_0003")
    assert evening.name() == "DSC_0003"
    evening.press("Space", "Right", "Space", "Space")
    evening.until(lambda: session.view_state.finished)
    evening.reads("Rate the 5")
    assert session.statistics.progress().left == 1

    # Pass 2: rate what came through, unrated first.
    evening.press("Alt+2")
    assert session.criteria.mode is Pass.RATE
    assert len(session.ids) == 5
    evening.press("5", "Right", "4", "Right", "3")
    evening.press("Right", "Right", "2")

    # Export what is approved: 5 and 4 stars; the pick got 4 of them.
    target = tmp_path / "out"
    exported: list[str] = []

    def export(dialog: ExportDialog) -> None:
        dialog.folder.setText(str(target))
        evening.until(lambda: dialog.go.isEnabled())
        exported.append(dialog.go.text())
        dialog.go.click()
        evening.until(lambda: dialog.report is not None)
        dialog.accept()

    answer(ExportDialog, export)
    evening.press("Ctrl+Shift+E")
    evening.until(lambda: exported and (target / "photos.json").exists())
    assert exported == ["Export 2 photos"]
    manifest = json.loads((target / "photos.json").read_text("utf-8"))
    assert [photo["rating"] for photo in manifest["photos"]] == [5, 4]
    assert digest(shoot) == before

    # Tomorrow: the same frame.
    here = evening.name()
    evening.again().until(lambda: evening.name() == here)
    assert evening.session.criteria.mode is Pass.RATE
    assert evening.session.view_state.view is View.LOUPE


@pytest.mark.slow
def test_a_pair_is_one_photo_and_its_reject_takes_both_halves(
    evening: Evening, shoot: Path
) -> None:
    session = evening.open(shoot, photos=8).session
    pair = next(int(i) for i in session.ids if session.tile(int(i)).pair)
    assert {file.path.name for file in session.detail(pair).files} == {
        "DSC_0006.JPG",
        "DSC_0006.DNG",
    }
    session.navigator.go_to(pair)
    evening.press("E", "X")
    assert session.table.verdict(pair) is Verdict.REJECTED


@pytest.mark.slow
def test_letters_typed_into_the_search_field_mark_nothing(evening: Evening, shoot: Path) -> None:
    session = evening.open(shoot, photos=8).session
    evening.press("/").type("px3").press("Return")
    evening.until(lambda: session.criteria.filter == "px3")
    assert not len(session.ids)
    assert session.statistics.progress().rejected == 0
    evening.press("Esc", "Esc")  # the first takes the offer to start the cull away
    evening.until(lambda: session.criteria.filter == "")
    assert len(session.ids) == 8


@pytest.mark.slow
def test_a_batch_is_rejected_from_the_grid_and_undone_at_once(
    evening: Evening, shoot: Path
) -> None:
    session = evening.open(shoot, photos=8).session
    evening.press("Ctrl+A", "X").reads("Rejected 8 photos · Ctrl+Z")
    assert session.statistics.counts()["rejected"] == 8
    evening.press("Ctrl+Z").reads("Undid reject, 8 photos")
    assert session.statistics.counts()["rejected"] == 0


@pytest.mark.slow
def test_the_original_is_shown_at_100_percent(evening: Evening, shoot: Path) -> None:
    draw_jpeg(shoot / "DSC_0009.jpg", size=(3000, 2000), seed=9, taken=TAKEN - timedelta(hours=1))
    session = evening.open(shoot, photos=9).session
    evening.press("E", "Z")
    assert session.view_state.zoom == 1.0
    evening.reads("100 %")
    evening.press("Z")
    assert session.view_state.zoom is None
