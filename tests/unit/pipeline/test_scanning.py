"""Scanning beside reading: the first photos are shown before all are found."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from curator.catalog import Catalog, FileReader
from curator.model import CatalogError, path_label
from curator.pipeline import scanning
from curator.pipeline.file_probe import PatientReader
from curator.pipeline.scanning import Batch, Part, Request, Scanner, Walk
from curator.stages import STAGES

WITHIN_S = 60.0
FILES = 80


class Scanning:
    """A scan of :data:`FILES` photos under way, which is reported to advance."""

    def __init__(self, catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        for number in range(FILES):
            (folder / f"DSC_{number:04}.JPG").write_bytes(number.to_bytes(4, "big"))
        catalog.work.use_stages(STAGES)
        self._came = threading.Event()
        self.scanner = Scanner(catalog, self._came.set, False, lambda *_: True)
        reader = self.scanner.reader
        monkeypatch.setattr(reader, "fingerprint", lambda path: pytest.fail(f"opened {path}"))
        scan = catalog.scans.begin(catalog.folders.add(folder), reader)
        self.scanner.ask(Request([Part([str(folder)], True, True, scan)]))
        walk = self.scanner._walk
        assert walk is not None
        self.walk = walk

    def advance(self) -> int:
        """Take in what comes next; give how many photos that was."""
        deadline = time.monotonic() + WITHIN_S
        while not self.scanner.waiting:
            assert time.monotonic() < deadline
            self._came.wait(0.01)
        return len(self.scanner.advance()[0])

    def is_held(self) -> bool:
        """Whether more was found, although nothing is written yet."""
        deadline = time.monotonic() + WITHIN_S
        while not self.walk.waiting():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return self.scanner.busy and not self.scanner.waiting

    def end(self) -> int:
        """Take in all that is left; give how many photos that was."""
        rest = 0
        while self.scanner.busy:
            rest += self.advance()
        return rest


@pytest.mark.parametrize("first_s", [1000.0, 0.0])
def test_the_first_photos_go_ahead_alone_until_one_was_read(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_s: float
) -> None:
    monkeypatch.setattr(scanning, "_FIRST_S", first_s)
    scanning_ = Scanning(catalog, tmp_path / "photos", monkeypatch)
    first = scanning_.advance()
    assert 0 < first < FILES
    if first_s:
        assert scanning_.is_held()
        scanning_.scanner.note_read()
    assert first + scanning_.end() == FILES


@pytest.mark.parametrize("screens_s", [1000.0, 0.0])
def test_the_first_screens_are_read_before_the_rest_is_found(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screens_s: float
) -> None:
    lead, screens = 30, 20
    monkeypatch.setattr(scanning, "_LEAD", lead)
    monkeypatch.setattr(scanning, "_SCREENS", screens)
    monkeypatch.setattr(scanning, "_SCREENS_S", screens_s)
    scanning_ = Scanning(catalog, tmp_path / "photos", monkeypatch)
    found = scanning_.advance()
    scanning_.scanner.note_read()
    if screens_s:
        for read in range(1, screens):
            while not scanning_.is_held():
                assert found < lead + read  # no farther ahead than that
                found += scanning_.advance()
            assert lead <= found - read < lead + scanning._BATCH
            scanning_.scanner.note_read()
        assert found < FILES and not scanning_.is_held()
    assert found + scanning_.end() == FILES


def test_unchanged_files_are_compared_in_larger_batches(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(400):
        (folder / f"DSC_{number:04}.JPG").write_bytes(number.to_bytes(4, "big"))
    catalog.work.use_stages(STAGES)
    owner = catalog.folders.add(folder)

    def sizes() -> list[int]:
        """Scan the folder, and return the number of files in each batch."""
        reader = PatientReader(inline=True)
        part = Part([str(folder)], True, True, catalog.scans.begin(owner, reader))
        found = []
        for step in Walk(Request([part]), reader, lambda *_: True, lambda: None).steps(catalog):
            if isinstance(step, Batch) and step.examined is not None:
                found.append(len(step.groups))
                catalog.scans.write(part.scan, step.examined)
        return found

    first, again = sizes(), sizes()
    assert sum(first) == sum(again) == 400
    assert max(first[1:]) <= 12 < first[0]
    assert max(again) <= 96 and len(again) < len(first) / 4
    (folder / "DSC_0001.JPG").write_bytes(b"changed")
    assert max(sizes()[1:3]) <= 24, "what changed is written in small batches"


def test_a_walk_repeated_for_a_folder_that_went_away_counts_once(
    catalog: Catalog, tmp_path: Path
) -> None:
    catalog.work.use_stages(STAGES)
    scanner = Scanner(catalog, lambda: None, True, lambda *_: True)
    parts = []
    for name in ("card", "disk"):
        parts.append(one_photo(catalog, scanner.reader, tmp_path / name))
        (tmp_path / name / "film.mp4").touch()
    scanner.ask(Request(parts))  # both were walked
    scanner.cancel_away([row for row in catalog.folders.all() if row.path.endswith("card")])
    reported = None
    while scanner.busy:
        reported = scanner.advance()[1] or reported
    assert reported is not None and reported.sentence == "1 photo; 1 video skipped"


def test_a_scan_that_could_not_be_reported_is_reported_later(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.work.use_stages(STAGES)
    scanner = Scanner(catalog, lambda: None, True, lambda *_: True)
    ended = []
    for name in ("first", "second"):
        parts = [one_photo(catalog, scanner.reader, tmp_path / name)]
        scanner.ask(Request(parts, done=lambda name=name: ended.append(name)))
    count = catalog.scans.count_found
    monkeypatch.setattr(catalog.scans, "count_found", refuse)
    with pytest.raises(CatalogError):
        while scanner.busy:
            scanner.advance()
    monkeypatch.setattr(catalog.scans, "count_found", count)
    reported = []
    while scanner.busy:
        reported += [report for report in scanner.advance()[1:] if report is not None]
    assert [report.new for report in reported] == [1, 1] and ended == ["first", "second"]


def one_photo(catalog: Catalog, reader: FileReader, folder: Path) -> Part:
    """Make a folder of one photo, to be scanned."""
    folder.mkdir()
    (folder / "DSC_1.JPG").write_text(folder.name)
    scan = catalog.scans.begin(catalog.folders.add(folder), reader)
    return Part([str(folder)], True, True, scan)


def refuse(*_: object) -> None:
    raise CatalogError("The catalog is locked by another program.", "Try again in a moment.")


def test_a_drive_is_named_by_its_path() -> None:
    """An empty name would say that a person started the scan."""
    assert (path_label("/photos/2026"), path_label("/")) == ("2026", "/")
