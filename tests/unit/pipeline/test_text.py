"""Reading text in photos: only where it is wanted, last of all work, and at once on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from curator.catalog import Catalog
from curator.pipeline import Pipeline
from curator.settings import Home, Settings
from curator.stages import Stage
from tests import catalogs, fake_stages

DIRECT = Qt.ConnectionType.DirectConnection
LIMIT_S = 60.0

Make = Callable[..., Pipeline]


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings.load(home, {"work": {"workers": 1, "backoff_s": 0, "memory_mb": 512}})


@pytest.fixture
def make(home: Home, settings: Settings, pipelines: list[Pipeline]) -> Make:
    catalogs.empty(home.catalog)

    def make(inline: bool = True, stages: Sequence[Stage] = fake_stages.READING) -> Pipeline:
        pipeline = Pipeline(home, settings, inline=inline, stages=stages)
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    return make


def read(home: Home) -> list[int]:
    """List photos in the order they were read in."""
    log = home.cache / "text.log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def texts(catalog: Catalog) -> dict[int, list[str]]:
    """Return the text in each photo; photos that were not read are left out."""
    found = catalog.text_lines.of([row[0] for row in catalog.photos.columns()])
    return {photo: [line.text for line in lines] for photo, lines in found.items()}


def test_no_photo_is_read_unasked(make: Make, catalog: Catalog, tmp_path: Path) -> None:
    make().open_folders([fake_stages.write(tmp_path / "in", "ok says:EXIT")])
    assert texts(catalog) == {} and not catalog.work.counts().get("read_text", {}).get("waiting")


def test_a_photo_is_read_when_a_person_asks_also_while_work_is_paused(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok says:EXIT", "ok says:12")])
    pipeline.pause()
    pipeline.read_text(2)
    assert texts(catalog) == {2: ["12"]}
    pipeline.resume()
    assert read(home) == [2]
    pipeline.read_text(2, 1)
    assert read(home) == [2, 2, 1], "again, in this order"


def test_switched_on_all_photos_are_read_once_and_new_ones_follow(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok says:EXIT", "ok")])
    settings.text.automatic = True
    pipeline.apply_text_settings()
    assert texts(catalog) == {1: ["EXIT"], 2: []}
    fake_stages.write(tmp_path / "in", "ok says:TAXI")
    pipeline.rescan()
    totals = pipeline.wait_idle()
    assert totals is not None and totals.texts == 1
    assert texts(catalog) == {1: ["EXIT"], 2: [], 3: ["TAXI"]}
    settings.text.automatic = False
    pipeline.apply_text_settings()
    fake_stages.write(tmp_path / "in", "ok says:BUS")
    pipeline.rescan()
    assert sorted(texts(catalog)) == [1, 2, 3], "what was read stays"
    assert sorted(read(home)) == [1, 2, 3]


def test_all_photos_are_converted_first(
    make: Make, home: Home, settings: Settings, tmp_path: Path
) -> None:
    settings.text.automatic = True
    pipeline = make(inline=False)
    done: list[int] = []
    order = home.cache / "order.log"
    pipeline.events.photos_saved.connect(
        lambda _: done.append(len(order.read_text().split()) if read(home) else -1), DIRECT
    )
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok says:A"] * 20)])
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None and (totals.converted, totals.texts) == (20, 20)
    assert {count for count in done if count >= 0} == {20}, "no text before the last proxy"


def test_a_failure_costs_one_photo_which_can_be_viewed(
    make: Make, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    settings.text.automatic = True
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "text-unreadable", "ok says:A")])
    [failure] = catalog.work.failures()
    assert (failure.photo_id, failure.stage) == (1, "read_text")
    assert texts(catalog) == {2: ["A"]} and not catalog.photos.get(1).state
    assert pipeline.retry("read_text") == 1


def test_without_its_networks_nothing_is_read_and_all_else_works(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    settings.text.automatic = True
    pipeline = make()
    problems: list[str] = []
    pipeline.events.text_failed.connect(problems.append, DIRECT)
    (home.cache / "no-models").touch()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok says:A"] * 3)])
    totals = pipeline.wait_idle()
    assert totals is not None and (totals.converted, totals.failed, totals.texts) == (3, 0, 0)
    assert problems == ["The text models are damaged. Install them again."]
    assert catalog.work.counts()["read_text"]["waiting"] == 3, "no photo is to blame"
    (home.cache / "no-models").unlink()
    pipeline.apply_text_settings()
    assert sorted(texts(catalog)) == [1, 2, 3]
