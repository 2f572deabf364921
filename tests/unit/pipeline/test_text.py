"""Reading text in photos: only where it is wanted, last of all work, and at once on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Pipeline, RequestNews
from curator.pipeline.text_lane import NOT_HERE
from curator.settings import Settings
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
    found = catalog.text_lines.of(catalog.photos.ids())
    return {photo: [line.text for line in lines] for photo, lines in found.items()}


def reported(pipeline: Pipeline) -> list[RequestNews]:
    """Return a list that collects what became of requested photos."""
    news: list[RequestNews] = []
    pipeline.events.text_ended.connect(news.append, DIRECT)
    return news


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


@pytest.mark.parametrize("restart", [False, True])
def test_switched_off_while_the_networks_are_broken_no_photo_waits(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path, restart: bool
) -> None:
    settings.text.automatic = True
    pipeline = make()
    (home.cache / "no-models").touch()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok says:A"] * 3)])
    assert catalog.work.counts()["read_text"]["waiting"] == 3
    settings.text.automatic = False
    if restart:
        pipeline.stop()
        pipeline = make()
    else:
        pipeline.apply_text_settings()
    assert catalog.work.counts()["read_text"]["waiting"] == 0
    (home.cache / "no-models").unlink()
    pipeline.read_text(2)
    assert texts(catalog) == {2: ["A"]}, "only on request from now on"


def test_each_requested_photo_is_reported_once_and_no_other(
    make: Make, home: Home, settings: Settings, tmp_path: Path
) -> None:
    settings.text.automatic = True
    pipeline = make()
    news = reported(pipeline)
    wishes = ("ok says:EXIT", "ok", "text-unreadable", "ok says:A")
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *wishes)])
    assert news == [] and sorted(read(home)) == [1, 2, 3, 4], "nobody asked"
    pipeline.read_text(1, 2, 3)
    assert news == [RequestNews(1), RequestNews(2), RequestNews(3, "The file is empty.")]
    pipeline.read_text(1)
    assert news[3:] == [RequestNews(1)], "again"


def test_an_attempt_that_is_repeated_is_reported_and_so_is_its_end(
    make: Make, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "text-gone")])
    news = reported(pipeline)
    pipeline.read_text(1)
    pipeline.retry("read_text")
    pipeline.retry("read_text")
    assert [each.again for each in news] == [True, True, False]
    assert {each.reason for each in news} == {"The file is not there any more."}


def test_a_photo_on_an_unplugged_drive_is_reported_and_read_once_it_is_back(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok says:A")])
    pipeline.open_folders([fake_stages.write(tmp_path / "drive", "ok says:B")])
    news = reported(pipeline)
    [folder] = [row.id for row in catalog.folders.all() if row.path.endswith("drive")]
    catalog.volumes.set_away(folder, True)
    pipeline.read_text(1, 2)
    assert news == [RequestNews(1), RequestNews(2, NOT_HERE)]
    catalog.volumes.set_away(folder, False)
    pipeline.apply_text_settings()
    assert texts(catalog) == {1: ["A"], 2: ["B"]} and len(news) == 2


def test_photos_that_wait_for_the_networks_are_reported(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok says:A"] * 5)])
    news = reported(pipeline)
    (home.cache / "no-models").touch()
    pipeline.read_text(*range(1, 6))
    reason = "The text models are damaged. Install them again."
    assert sorted(news, key=lambda each: each.photo_id) == [
        RequestNews(photo, reason) for photo in range(1, 6)
    ]
    (home.cache / "no-models").unlink()
    pipeline.read_text(1)
    assert news[5:] == [RequestNews(1)] and len(texts(catalog)) == 5, "the others are read, too"


@pytest.mark.parametrize("automatic", [False, True])
def test_the_text_in_a_retouched_photo_is_read_again(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path, automatic: bool
) -> None:
    settings.text.automatic = automatic
    pipeline = make()
    folder = fake_stages.write(tmp_path / "in", "ok says:EXIT", "ok says:A")
    pipeline.open_folders([folder])
    pipeline.read_text(1)
    before = len(read(home))
    (home.cache / "no-models").touch()
    (folder / "000.jpg").write_text("ok says:TAXI - retouched")
    pipeline.rescan()
    assert 1 not in texts(catalog), "what the former picture said is not there any more"
    catalog.text.update_all()
    assert catalog.text.photos_with("exit", "text").tolist() == []
    (home.cache / "no-models").unlink()
    pipeline.apply_text_settings()
    assert texts(catalog) == {1: ["TAXI"]} | ({2: ["A"]} if automatic else {})
    assert read(home)[before:] == [1, 1], "the other photo is as it was"
