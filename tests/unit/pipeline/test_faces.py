"""Measuring faces: after all else a person waits for, once for each proxy, and only if wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from curator.catalog import Catalog
from curator.home import Home
from curator.model import FacesMeasured, StageJob
from curator.pipeline import Pipeline, Progress
from curator.settings import Settings
from curator.stages import STAGES, Stage
from tests import catalogs, fake_stages
from tests.face_data import OPEN
from tests.photos import draw_jpeg

LIMIT_S = 60.0
DIRECT = Qt.ConnectionType.DirectConnection

Make = Callable[..., Pipeline]


@pytest.fixture
def settings(home: Home) -> Settings:
    flags = {"work": {"workers": 1, "timeout_s": LIMIT_S, "backoff_s": 0, "memory_mb": 512}}
    return Settings.load(home, flags)


@pytest.fixture
def make(home: Home, settings: Settings, pipelines: list[Pipeline]) -> Make:
    catalogs.empty(home.catalog)

    def make(inline: bool = True, stages: Sequence[Stage] = fake_stages.MEASURING) -> Pipeline:
        pipeline = Pipeline(home, settings, inline=inline, stages=stages)
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    return make


def measured(home: Home) -> list[int]:
    """List photos in the order their faces were measured in."""
    log = home.cache / "faces.log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def faces(catalog: Catalog) -> dict[int, int]:
    """Count the faces of each photo; photos that are not measured are left out."""
    found = catalog.faces.of(catalog.photos.ids())
    return {photo: len(faces) for photo, faces in found.items()}


def states(catalog: Catalog) -> dict[str, int]:
    """Count photos by the state of their faces; states of none are left out."""
    return {state: count for state, count in catalog.work.counts()["faces"].items() if count}


# --- a folder


def test_every_photo_is_measured_once(make: Make, home: Home, tmp_path: Path) -> None:
    pipeline = make()
    folder = fake_stages.write(tmp_path / "in", "ok", "ok smiling", "ok smiling smiling")
    pipeline.open_folders([folder])
    totals = pipeline.wait_idle()
    assert totals is not None and (totals.converted, totals.measured) == (3, 3)
    with closing(Catalog.open(home.catalog)) as catalog:
        assert faces(catalog) == {1: 0, 2: 1, 3: 2}
    pipeline.rescan()
    assert len(measured(home)) == 3, "a result holds"


@pytest.mark.usefixtures("catalog")
def test_convert_comes_first_for_all_photos_but_those_on_screen(
    make: Make, home: Home, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.pause()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 12)])
    pipeline.focus([9, 7])
    pipeline.resume()
    assert measured(home)[:2] == [9, 7]
    converted = home.cache / "order.log"
    assert len(converted.read_text().split()) == len(measured(home)) == 12


def test_nothing_waits_for_faces(make: Make, home: Home, tmp_path: Path) -> None:
    """The encoder goes on while photos wait for their faces to be measured."""
    stages = (*fake_stages.MEASURING, fake_stages.EMBEDDING[-1])
    pipeline = make(inline=False, stages=stages)
    pipeline.reselect_encoder()
    seen: list[Progress] = []
    analyzed = threading.Event()

    def note(progress: Progress) -> None:
        seen.append(progress)
        if progress.measuring and not progress.waiting and not progress.analyzing:
            analyzed.set()

    pipeline.events.progressed.connect(note, DIRECT)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["face-wait"] * 4)])
    try:
        assert analyzed.wait(LIMIT_S)
    finally:
        (home.cache / "go").touch()
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None and (totals.converted, totals.measured) == (4, 4)


# --- failures


@pytest.mark.slow
def test_a_worker_killed_while_it_measures_costs_one_photo(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make(inline=False)
    wishes = ("ok smiling", "face-crash", "ok", "face-shaky 1 smiling")
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *wishes)])
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None and (totals.converted, totals.failed, totals.measured) == (4, 0, 3)
    [failure] = catalog.work.failures()
    assert (failure.photo_id, failure.stage, failure.attempts) == (2, "faces", 3)
    assert faces(catalog) == {1: 1, 3: 0, 4: 1}
    assert not catalog.photos.get(2).state, "the photo itself can be viewed and rated"


def test_a_file_that_cannot_be_decoded_any_more_is_retried_when_asked(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    folder = fake_stages.write(tmp_path / "in", "face-unreadable", "ok")
    pipeline = make()
    pipeline.open_folders([folder])
    [failure] = catalog.work.failures()
    assert (failure.stage, failure.reason, failure.attempts) == ("faces", "The file is empty.", 1)
    assert pipeline.retry("faces") == 1
    assert states(catalog) == {"done": 1, "failed": 1}


def test_a_photo_too_large_to_measure_is_tried_once(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    make().open_folders([fake_stages.write(tmp_path / "in", "face-greedy", "ok")])
    [failure] = catalog.work.failures(later=True)
    assert (failure.stage, failure.attempts, failure.next_attempt_at) == ("faces", 1, None)


def test_without_its_models_nothing_is_measured_and_all_else_works(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make()
    problems: list[str] = []
    pipeline.events.faces_failed.connect(problems.append, DIRECT)
    (home.cache / "no-models").touch()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 9)])
    totals = pipeline.wait_idle()
    assert totals is not None and (totals.converted, totals.failed, totals.measured) == (9, 0, 0)
    assert problems == ["The face models are damaged. Install Curator again."]
    assert states(catalog) == {"waiting": 9}, "no photo is to blame"
    (home.cache / "no-models").unlink()
    pipeline.stop()
    make()
    assert states(catalog) == {"done": 9}


# --- what a result depends on


def test_a_rating_written_into_the_file_measures_no_face_again(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    runs: list[int] = []
    seen: list[dict[int, int]] = []

    def count(job: StageJob) -> FacesMeasured:
        assert Path(job.path).exists() and Path(job.proxy).exists()
        runs.append(job.photo_id)
        return FacesMeasured(job.fingerprint or "", (OPEN,))

    stages = [replace(stage, run=count) if stage.name == "faces" else stage for stage in STAGES[:3]]
    path = draw_jpeg(tmp_path / "in" / "DSC_1.jpg", size=(60, 40), seed=1)
    pipeline = make(stages=stages)
    pipeline.open_folders([tmp_path / "in"])
    assert runs == [1] and faces(catalog) == {1: 1}
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe\x00\x08rating" + data[2:])  # a JPEG comment
    pipeline.rescan()
    assert catalog.work.counts()["convert"]["done"] == 1
    assert runs == [1], "its proxy is the same"
    draw_jpeg(path, size=(60, 40), seed=2)
    pipeline.events.photos_saved.connect(lambda _: seen.append(faces(catalog)))
    pipeline.rescan()
    assert runs == [1, 1] and seen[-1] == {1: 1}, "another picture has other faces"
    assert {} in seen, "in between the old ones are not shown on the new picture"


def test_a_newer_version_measures_all_again(make: Make, home: Home, tmp_path: Path) -> None:
    first = make()
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    first.stop()
    *others, stage = fake_stages.MEASURING
    make(stages=(*others, replace(stage, version=2)))
    assert len(measured(home)) == 4


def test_a_photo_on_an_unplugged_drive_waits(make: Make, catalog: Catalog, tmp_path: Path) -> None:
    fake_stages.write(tmp_path / "in", "ok")
    pipeline = make(stages=fake_stages.STAGES)
    pipeline.open_folders([tmp_path / "in"])
    pipeline.stop()
    catalog.work.use_stages(fake_stages.MEASURING)
    folder = catalog.folders.all()[0].id
    assert [pending.photo_id for pending in catalog.work.pending("faces", 9)] == [1]
    catalog.volumes.set_away(folder, True)
    assert catalog.work.pending("faces", 9) == []
    assert catalog.volumes.waiting_by_folder() == {}, "it can be viewed and rated"
    catalog.volumes.set_away(folder, False)
    assert [pending.photo_id for pending in catalog.work.pending("faces", 9)] == [1]


# --- the setting


def test_switched_off_everything_measured_is_removed_and_comes_back_when_switched_on(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    pipeline = make()
    changed: list[list[int]] = []
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok smiling", "ok")])
    pipeline.events.photos_saved.connect(changed.append, DIRECT)
    settings.faces.on = False
    pipeline.apply_faces_settings()
    assert faces(catalog) == {} and "faces" not in catalog.work.counts()
    assert changed == [[1, 2]], "the views show it"
    fake_stages.write(tmp_path / "in", "ok smiling")
    pipeline.rescan()
    assert len(measured(home)) == 2
    settings.faces.on = True
    pipeline.apply_faces_settings()
    assert faces(catalog) == {1: 1, 2: 0, 3: 1}


def test_what_an_earlier_run_measured_is_removed_too(
    make: Make, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    first = make()
    first.open_folders([fake_stages.write(tmp_path / "in", "ok smiling")])
    first.stop()
    assert faces(catalog) == {1: 1}
    settings.faces.on = False
    make()
    assert faces(catalog) == {} and catalog.store.value("SELECT count(*) FROM face") == 0


def test_a_running_curator_follows_another_that_switches_it_off(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok smiling")])
    assert catalog.faces.switch(False) == [1]  # as `curator settings faces.on=false` does
    fake_stages.write(tmp_path / "in", "ok smiling")
    pipeline.rescan()
    assert not settings.faces.on and faces(catalog) == {}
    catalog.faces.switch(True)
    pipeline.rescan()
    assert settings.faces.on and faces(catalog) == {1: 1, 2: 1}


def test_a_change_of_the_setting_is_not_taken_back_before_it_is_applied(
    make: Make, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok smiling")])
    settings.faces.on = False  # the person, in the settings
    pipeline.rescan()  # the conductor works on meanwhile
    assert not settings.faces.on
    pipeline.apply_faces_settings()
    assert not catalog.faces.is_on() and faces(catalog) == {}


def test_a_result_that_comes_in_after_switching_off_is_dropped(
    make: Make, home: Home, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:
    pipeline = make(inline=False)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "face-wait smiling")])
    while not measured(home):
        time.sleep(0.005)
    settings.faces.on = False
    pipeline.apply_faces_settings()
    (home.cache / "go").touch()
    assert pipeline.wait_idle(LIMIT_S) is not None
    assert faces(catalog) == {}
