"""A scan beside what reads: who opens a folder sees its first photos before all are known."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from curator.catalog import Catalog, Unread
from curator.pipeline import scanning
from curator.pipeline.reading import Reader, Readers
from curator.pipeline.scanning import Part, Request, Scanner
from curator.stages import STAGES

WITHIN_S = 60.0
FILES = 80


@pytest.mark.parametrize("first_s", [1000.0, 0.0])
def test_the_first_photos_go_ahead_alone_until_one_was_read(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_s: float
) -> None:
    monkeypatch.setattr(scanning, "_FIRST_S", first_s)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"DSC_{number:04}.JPG").write_bytes(number.to_bytes(4, "big"))
    catalog.use_stages(STAGES)
    came = threading.Event()
    readers = Readers()

    def look(_: Reader, lacking: Unread, __: object) -> None:
        raise AssertionError(f"met, and looked for again: {lacking.wanted}")

    monkeypatch.setattr(readers, "start", look)
    scanner = Scanner(catalog, came.set, readers, False, lambda *_: True)
    reader = Reader()
    scan = catalog.begin_scan(catalog.add_folder(folder), reader)
    scanner.ask(Request(reader, [Part([str(folder)], True, True, scan)]))
    walk = scanner._walk
    assert walk is not None

    def advance() -> int:
        deadline = time.monotonic() + WITHIN_S
        while not scanner.waiting:
            assert time.monotonic() < deadline
            came.wait(0.01)
        return len(scanner.advance()[0])

    first = advance()
    assert 0 < first < FILES
    if first_s:
        deadline = time.monotonic() + WITHIN_S
        while not walk.waiting():  # more was found
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert scanner.busy and not scanner.waiting
        scanner.go_on()
    while scanner.busy:
        first += advance()
    assert first == FILES
    walk.join()
