"""The opened folder changes: a card is copied into it, another editor writes files."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from curator.model import Flag, View
from curator.pipeline import ScanReport, file_stability
from tests.journeys.evening import Evening
from tests.photos import TAKEN, Shot, draw_jpeg, write_dng

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{stars}"/>
 </rdf:RDF>
</x:xmpmeta>
"""


def shoot(path: Path, number: int) -> Path:
    """Draw a photo, taken a minute after the previous one."""
    return draw_jpeg(path, seed=number, shot=Shot(taken=TAKEN + timedelta(minutes=number)))


def copy_in_pieces(source: Path, to: Path, evening: Evening) -> None:
    """Copy a file in pieces, like a slow card, running events in between."""
    whole = source.read_bytes()
    with to.open("wb") as file:
        for start in range(0, len(whole), len(whole) // 5):
            file.write(whole[start : start + len(whole) // 5])
            file.flush()
            evening.qtbot.wait(1)


def names(evening: Evening) -> list[str]:
    """Return the names of the photos in the list, in its order."""
    return [evening.session.table.name(int(photo)) for photo in evening.session.ids]


def states(evening: Evening) -> dict[str, str]:
    table = evening.session.table
    return {table.name(int(p)): table.state(int(p)) for p in evening.session.ids}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the wait for a stable file to a fifth."""
    monkeypatch.setattr(file_stability, "QUIET_S", 0.2)
    monkeypatch.setattr(file_stability, "APART_S", 0.2)
    monkeypatch.setattr(file_stability, "_WRITTEN_NS", 200_000_000)


@pytest.fixture
def iceland(tmp_path: Path) -> Path:
    folder = tmp_path / "Iceland"
    for number in (1, 2, 4):
        shoot(folder / f"DSC_{number}.jpg", number)
    return folder


def test_a_photo_is_added_renamed_removed_and_rated_in_another_program(
    evening: Evening, iceland: Path, tmp_path: Path
) -> None:
    evening.open(iceland, photos=3)
    session = evening.session
    session.navigator.go_to(int(session.ids[2]))
    assert evening.name() == "DSC_4"

    # Copied in pieces it appears once, whole, at its place; what one looks at stays.
    copy_in_pieces(shoot(tmp_path / "card.jpg", 3), iceland / "DSC_3.jpg", evening)
    evening.reads("1 new in Iceland")
    evening.until(lambda: evening.all_read(4))
    evening.until(lambda: names(evening) == ["DSC_1", "DSC_2", "DSC_3", "DSC_4"])
    assert evening.name() == "DSC_4"
    assert not any(states(evening).values())

    # Renamed, its stars stay with it.
    evening.press("Left", "5")
    assert evening.name() == "DSC_3"
    third = session.current
    assert third is not None
    (iceland / "DSC_3.jpg").rename(iceland / "Geysir.jpg")
    evening.until(lambda: "Geysir" in names(evening))
    assert session.table.marks(third).rating == 5 and session.table.name(third) == "Geysir"
    assert len(session.ids) == 4

    # Removed, it is missing and still to be seen.
    (iceland / "DSC_1.jpg").unlink()
    evening.until(lambda: states(evening)["DSC_1"] == "missing")
    first = next(int(p) for p in session.ids if session.table.name(int(p)) == "DSC_1")
    session.navigator.go_to(first)
    session.viewer.set_view(View.LOUPE)
    evening.until(lambda: first in session.viewer.painted)
    session.viewer.set_view(View.GRID)

    # Four stars given elsewhere arrive.
    (iceland / "DSC_2.jpg.xmp").write_text(XMP.format(stars=4))
    second = next(int(p) for p in session.ids if session.table.name(int(p)) == "DSC_2")
    evening.until(lambda: session.table.marks(second).rating == 4)
    (iceland / "DSC_2.jpg.xmp").write_text(XMP.format(stars=2))
    evening.until(lambda: session.table.marks(second).rating == 2)


def test_folders_move_within_a_watched_folder(evening: Evening, tmp_path: Path) -> None:
    here, there = tmp_path / "Card", tmp_path / "VectorIndex"
    shoot(there / "DSC_9.jpg", 9)
    for number in (1, 2, 3):
        shoot(here / "day 1" / f"DSC_{number}.jpg", number)
    evening.open(here, there, photos=4)
    session = evening.session
    session.sources.open_scope(session.sources.scopes()[0].scope)
    evening.until(lambda: len(session.ids) == 4)
    ids = {session.table.name(int(p)): int(p) for p in session.ids}
    session.navigator.go_to(ids["DSC_2"])
    evening.press("5")

    def lies(name: str) -> str:
        return session.table.folders.directory_of(ids[name])

    (here / "day 1").rename(here / "Reykjavik")
    evening.until(lambda: all(lies(f"DSC_{n}") == str(here / "Reykjavik") for n in (1, 2, 3)))
    shutil.move(here / "Reykjavik" / "DSC_2.jpg", there / "DSC_2.jpg")
    evening.until(lambda: lies("DSC_2") == str(there))
    evening.until(lambda: not any(states(evening).values()))
    assert session.table.marks(ids["DSC_2"]).rating == 5
    assert len(session.table.ids) == 4
    shutil.rmtree(here / "Reykjavik")
    evening.until(lambda: sorted(states(evening).values()) == ["", "", "missing", "missing"])


def test_photos_are_added_during_a_cull_until_watching_is_turned_off(
    evening: Evening, iceland: Path
) -> None:
    evening.open(iceland, photos=3)
    session, table = evening.session, evening.session.table

    # A JPEG comes, and its RAW after it: one photo.
    shoot(iceland / "DSC_5.jpg", 5)
    evening.reads("1 new in Iceland")
    write_dng(iceland / "DSC_5.dng", seed=5, shot=Shot(taken=TAKEN + timedelta(minutes=5)))
    evening.until(lambda: table.column("pair").sum() == 1)
    assert len(table.ids) == 4

    # In a cull under way nothing moves: taken before all others, the photo comes behind them.
    evening.press("Alt+1")
    before = names(evening)
    assert evening.name() == "DSC_1"
    evening.press("Right")
    shoot(iceland / "DSC_0.jpg", 0)
    evening.until(lambda: len(session.ids) == 5)
    assert (names(evening), evening.name()) == ([*before, "DSC_0"], "DSC_2")

    # The setting counts at once.
    assert session.pipeline is not None
    watcher = session.pipeline._conductor.ingest._watcher
    session.settings.scan.watch = False
    evening.window.window_actions.apply_settings({"scan.watch"})  # type: ignore[attr-defined]
    evening.until(lambda: not watcher._folders)
    session.settings.scan.watch = True
    evening.window.window_actions.apply_settings({"scan.watch"})  # type: ignore[attr-defined]
    evening.until(lambda: watcher._folders and all(w.ready for w in watcher._folders.values()))
    shoot(iceland / "DSC_6.jpg", 6)
    evening.until(lambda: len(session.ids) == 6)


def test_three_thousand_files_copied_during_a_cull_are_added_once_in_few_scans(
    evening: Evening, tmp_path: Path
) -> None:
    card, folder = tmp_path / "card", tmp_path / "Iceland"
    whole = shoot(card / "0.jpg", 0).read_bytes()
    shoot(folder / "first.jpg", 1)
    shoot(folder / "second.jpg", 2)
    evening.open(folder, photos=2)
    pipeline = evening.session.pipeline
    assert pipeline is not None
    evening.press("Alt+1")
    scans: list[ScanReport] = []
    pipeline.events.scan_ended.connect(scans.append, Qt.ConnectionType.DirectConnection)
    for number in range(3000):
        (folder / f"{number:04}.jpg").write_bytes(whole + b"%d" % number)
        if number == 1500:
            evening.press("X")
    evening.until(lambda: evening.session.catalog.folders.all(counted=True)[0].photos == 3002)
    paths = [
        file.path
        for photo in evening.session.catalog.photos.ids()
        for file in evening.session.catalog.photos.get(photo).files
    ]
    assert len(set(paths)) == len(paths) == 3002
    assert sum(report.new for report in scans) == 3000
    assert len(scans) < 30
    marks = evening.session.table.marks(evening.session.table.ids[0])
    assert marks.flag is Flag.REJECT
