"""Analyzing photos in the encoder's process: nothing else waits for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from curator import pipeline as package
from curator.catalog import Catalog
from curator.encoders import EncoderOptions, Recipe, select_encoder
from curator.home import Home
from curator.pipeline import Encoding, Pipeline, Progress
from curator.pipeline.encoder_lane import EncoderLane, make_pool
from curator.settings import Settings
from tests import fake_stages, taste_data

LIMIT_S = 240.0  # processes of encoders come last where others have something to do
DIRECT = Qt.ConnectionType.DirectConnection
Make = Callable[..., Pipeline]


@pytest.fixture
def make(home: Home, monkeypatch: pytest.MonkeyPatch, pipelines: list[Pipeline]) -> Make:
    """Make pipelines with an encoder of a name, or with none."""
    flags = {"work": {"workers": 1, "timeout_s": LIMIT_S, "backoff_s": 600, "memory_mb": 512}}

    def make(encoder: str | None = "fake", inline: bool = True, attempts: int = 3) -> Pipeline:
        device = "auto" if encoder == "gpu" else "cpu"
        options = EncoderOptions(device=device)
        recipe = Recipe(encoder, f"{encoder}/1", options) if encoder else None
        monkeypatch.setattr(
            package, "select_encoder", lambda *_: Encoding(recipe, "as the test says")
        )
        settings = Settings.load(home, flags)
        settings.work.attempts = attempts
        pipeline = Pipeline(home, settings, inline=inline, stages=fake_stages.EMBEDDING)
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    return make


def test_every_photo_that_was_read_is_analyzed(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok", "unreadable", "ok")])
    totals = pipeline.wait_idle()
    assert totals is not None
    assert (totals.converted, totals.failed, totals.embedded) == (3, 1, 3)
    assert catalog.vectors.encoders() == {"fake/1": 3}


@pytest.mark.slow
def test_the_encoder_runs_in_its_own_process(make: Make, catalog: Catalog, tmp_path: Path) -> None:
    pipeline = make(inline=False)
    reported: list[Progress] = []
    pipeline.events.progressed.connect(reported.append, DIRECT)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 6)])
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None and totals.embedded == 6
    assert len(pipeline._encoder_pool.processes()) == 1
    assert reported[-1].waiting == reported[-1].analyzing == 0


def test_photos_are_read_without_an_encoder(make: Make, catalog: Catalog, tmp_path: Path) -> None:
    pipeline = make(encoder=None)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    totals = pipeline.wait_idle()
    assert totals is not None and (totals.converted, totals.embedded) == (2, 0)
    assert set(catalog.work.counts()) == {"peek", "convert"}


def test_photos_read_before_an_encoder_came_are_analyzed_later(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(encoder=None)
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    first.stop()
    make()
    assert catalog.vectors.encoders() == {"fake/1": 2}


def test_photos_found_with_an_encoder_and_read_without_are_analyzed_later(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    first = make()
    first.pause()
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    first.stop()
    make(encoder=None).stop()
    assert catalog.work.counts()["convert"]["done"] == 2
    make()
    assert catalog.vectors.encoders() == {"fake/1": 2}


def test_a_photo_changed_while_there_was_no_encoder_is_analyzed_again(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(attempts=1)
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok", "vague")])
    first.stop()
    assert catalog.work.counts()["embed"]["failed"] == 1
    second = make(encoder=None)
    for name in ("001.jpg", "002.jpg"):
        (tmp_path / "in" / name).write_text(f"ok - another {name}")
    second.rescan()
    second.stop()
    make()
    current = (
        "SELECT count(*) FROM vector JOIN photo ON photo.id = photo_id AND source = proxy_digest"
    )
    assert catalog.store.value(current) == 3


def test_another_encoder_analyzes_all_photos_again(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    first = make()
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    first.stop()
    make(encoder="better")
    assert list(catalog.vectors.encoders().items()) == [("better/1", 2), ("fake/1", 2)]


@pytest.mark.parametrize(
    ("encoder", "inline"),
    [("blind", True), pytest.param("deadly", False, marks=pytest.mark.slow)],
)
def test_an_encoder_that_cannot_load_is_reported_once_and_reading_continues(
    make: Make, catalog: Catalog, tmp_path: Path, encoder: str, inline: bool
) -> None:
    pipeline = make(encoder=encoder, inline=inline)
    problems: list[str] = []
    pipeline.events.encoder_failed.connect(problems.append, DIRECT)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 9)])
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None
    assert (totals.converted, totals.failed, totals.embedded) == (9, 0, 0)
    assert len(problems) == 1
    assert not any(catalog.photos.get(photo).state for photo in catalog.photos.ids())
    assert catalog.work.counts()["embed"]["waiting"] > 0, "they wait for an encoder that works"


def test_a_bug_is_logged_and_ends_analyzing(
    make: Make, catalog: Catalog, tmp_path: Path, expected_log: Callable[[str], None]
) -> None:
    expected_log("ZeroDivisionError")
    pipeline = make(encoder="clumsy")
    problems: list[str] = []
    pipeline.events.encoder_failed.connect(problems.append, DIRECT)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 9)])
    assert pipeline.wait_idle() is not None
    assert len(problems) == 1
    assert catalog.work.counts()["embed"]["waiting"] == 7
    assert "taste are off" in pipeline.encoding.sentence


# --- several at once


def calls(home: Home) -> list[tuple[int, str]]:
    """Read how many photos each call of the encoder held, and where it was to run."""
    lines = (home.cache / "calls.log").read_text().split("\n")[:-1]
    return [(int(number), device) for number, device in (line.split() for line in lines)]


def test_the_encoder_gets_as_many_photos_at_once_as_it_names(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(encoder=None)
    first.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 20)])
    first.stop()
    make()
    assert catalog.vectors.encoders() == {"fake/1": 20}
    sizes = [number for number, _ in calls(home)]
    assert sizes[0] == 1, "the first photo is analyzed at once"
    assert max(sizes) == 8 and sum(sizes) == 20


def test_the_next_group_waits_while_one_is_analyzed() -> None:
    pool = make_pool(Settings())
    pool.close()  # each group fails at once, and nobody has heard of it yet
    lane = EncoderLane(0, pool, Settings().work, lambda outcome: None)
    for photo in (1, 2):
        assert lane.room() == 1
        lane.submit(print, [taste_data.job(photo)])
    assert lane.room() == 0
    lane.landed(1)
    assert lane.room() == 1


def test_a_photo_that_cannot_be_encoded_fails_alone(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(encoder=None)
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok", "vague", "ok", "ok")])
    first.stop()
    make(attempts=1)
    assert catalog.vectors.encoders() == {"fake/1": 4}
    (failure,) = catalog.work.failures()
    assert (failure.stage, failure.reason) == (
        "embed",
        "The encoder gave no numbers for a picture.",
    )
    assert not catalog.photos.get(failure.photo_id).state, "it can be culled like any other"


@pytest.mark.slow
def test_an_encoder_killed_by_a_large_group_gets_smaller_ones(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(encoder=None)
    first.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 16)])
    first.stop()
    pipeline = make(encoder="greedy", inline=False)
    assert pipeline.wait_idle(LIMIT_S) is not None
    assert catalog.vectors.encoders() == {"greedy/1": 16}
    sizes = [number for number, _ in calls(home)]
    assert len([size for size in sizes if size > 2]) <= 2, f"too many groups killed it: {sizes}"


@pytest.mark.slow
def test_a_photo_that_kills_the_encoder_fails_alone(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(encoder=None)
    wishes = ["ok"] * 5 + ["poison"] + ["ok"] * 15
    first.open_folders([fake_stages.write(tmp_path / "in", *wishes)])
    first.stop()
    pipeline = make(inline=False, attempts=1)
    assert pipeline.wait_idle(LIMIT_S) is not None
    assert catalog.vectors.encoders() == {"fake/1": 20}
    (failure,) = catalog.work.failures()
    assert failure.stage == "embed" and "encoder's process died" in failure.reason
    assert calls(home)[-1][0] > 2, "the size of the group was not the cause"


@pytest.mark.slow
def test_photos_too_large_for_the_gpu_are_analyzed_on_the_cpu(
    make: Make, home: Home, catalog: Catalog, tmp_path: Path
) -> None:
    pipeline = make(encoder="gpu", inline=False)
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 6)])
    assert pipeline.wait_idle(LIMIT_S) is not None
    assert catalog.vectors.encoders() == {"gpu/1": 6}
    devices = [device for _, device in calls(home)]
    assert devices[0] == "auto" and set(devices[1:]) == {"cpu"}


def test_an_encoder_selected_meanwhile_takes_over(
    make: Make, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = make()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok", "ok")])
    better = Encoding(Recipe("better", "better/1", EncoderOptions()), "a better one came")
    monkeypatch.setattr(package, "select_encoder", lambda *_: better)
    assert pipeline.reselect_encoder().sentence == "a better one came"
    assert pipeline.wait_idle() is not None
    assert list(catalog.vectors.encoders().items()) == [("better/1", 3), ("fake/1", 3)]


# --- which encoder


def test_the_setting_none_selects_no_encoder(home: Home) -> None:
    found = select_encoder(home, Settings.load(home, {"encoder": {"which": "none"}}))
    assert found.recipe is None and "off in the settings" in found.sentence


def test_a_chosen_encoder_that_is_missing_is_named(home: Home) -> None:
    found = select_encoder(home, Settings.load(home, {"encoder": {"which": "open_clip"}}))
    assert found.recipe is None
    assert "open_clip cannot be used" in found.sentence


def test_without_torch_auto_takes_the_starter_and_says_how_to_add_clip(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("CURATOR_ENCODER__WHICH", "auto")
    found = select_encoder(home, Settings.load(home))
    assert found.recipe is not None and found.recipe.name == "starter"
    assert "-m pip install torch open-clip-torch" in found.sentence
