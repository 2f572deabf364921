"""The plug is pulled at any moment: what was decided stays decided, and reading goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Timer

import psutil
import pytest

from curator.catalog import Catalog
from curator.pipeline import Pipeline
from curator.settings import Home, Settings
from tests.photos import draw_jpeg

SERIES = 5
KILLS = 10  # in each series: fifty in all
PHOTOS_EACH = 12  # new ones before each start, so that there is always something to read
ROOT = Path(__file__).parents[2]


def add_photos(folder: Path, drawn: bytes, number: int) -> None:
    """Put new photos into the folder, each with content of its own."""
    folder.mkdir(exist_ok=True)
    for photo in range(number * PHOTOS_EACH, (number + 1) * PHOTOS_EACH):
        (folder / f"IMG_{photo:05}.jpg").write_bytes(drawn + photo.to_bytes(8, "little"))


def cull_until_killed(home: Home, folder: Path, seed: int, after_s: float) -> list[str]:
    """Start a culler, kill it with its workers left to themselves, and give what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.culler", str(home.data), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    assert process.stdout is not None
    with process.stdout:
        opened = process.stdout.readline()
        assert opened == "opened\n", "the culler did not start"
        children = psutil.Process(process.pid).children(recursive=True)
        timer = Timer(after_s, process.kill)
        timer.start()
        said = process.stdout.read()
        timer.join()
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive, "workers outlived the process that started them"
    return [line for line in said.splitlines(keepends=True) if line.endswith("\n")]


def check_decisions(catalog: Catalog, said: list[str]) -> None:
    """Hold every decision that was said to be on disk against the journal and the photos."""
    journal: dict[tuple[str, str, str], object] = {}
    for photo in {line.split()[1] for line in said}:
        for step in catalog.history(int(photo)):
            for change in step.changes:
                journal[str(step.id), photo, change.field] = change.after
    for line in said:
        step_id, photo, field, value = line.split()
        assert (step_id, photo, field) in journal, f"decision {line!r} is lost"
        after = journal[step_id, photo, field]
        assert str(bool(after) if field == "kept" else after) == value


def check_photos(catalog: Catalog) -> None:
    """Each file is one photo, and each photo's marks are what its journal says last."""
    assert catalog.check() == []
    paths: Counter[Path] = Counter()
    for row in catalog.columns():
        detail = catalog.photo(row[0])
        paths.update(file.path for file in detail.files)
        last = {
            change.field: change.after
            for step in catalog.history(detail.id)
            for change in step.changes
        }
        marks = detail.marks
        assert last.get("rating") == marks.rating
        assert last.get("flag") == marks.flag
        assert bool(last.get("kept")) == marks.kept
    assert [path for path, count in paths.items() if count > 1] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("series", range(SERIES))
def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_there_twice(
    home: Home, tmp_path: Path, series: int
) -> None:
    drawn = draw_jpeg(tmp_path / "drawn.jpg", size=(900, 600)).read_bytes()
    folder = tmp_path / "card"
    chance = random.Random(series)
    decided = 0
    for kill in range(KILLS):
        add_photos(folder, drawn, kill)
        said = cull_until_killed(home, folder, kill + KILLS * series, chance.uniform(0.0, 1.2))
        decided += len(said)
        catalog = Catalog.open(home.catalog)
        check_decisions(catalog, said)
        check_photos(catalog)
        catalog.close()
    assert decided > 10 * KILLS, "the culler hardly got to decide anything"
    pipeline = Pipeline(home, Settings.load(home))
    pipeline.start()
    try:
        pipeline.open_folders([folder])
        totals = pipeline.wait_idle(300)
    finally:
        pipeline.stop()
    catalog = Catalog.open(home.catalog)
    try:
        assert totals is not None
        assert totals.found == len(catalog.columns()) == KILLS * PHOTOS_EACH
        assert catalog.failures() == []
        states = {work.state for row in catalog.columns() for work in catalog.photo(row[0]).work}
        assert states == {"done"}
        check_photos(catalog)
    finally:
        catalog.close()
