"""One file and one line add a stage, a provider, an encoder, an export target or a command.

Each test adds an entry to its table and uses it through the public functions. Nothing else is
changed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from curator import encoders, export, vision
from curator.catalog import Catalog
from curator.commands import COMMANDS, command, run
from curator.encoders import EncoderKind, EncoderOptions, Tag
from curator.export import Options, Target
from curator.export.writing import Run
from curator.home import Home
from curator.model import KnownError, StageJob, UnreadableError
from curator.pipeline import Pipeline
from curator.settings import Settings
from curator.stages import STAGES, LaneKind, Stage
from curator.stages.saving import Saved
from curator.vision import Provider, VisionOptions
from tests.ollama import Ollama
from tests.photos import draw_jpeg

PHOTOS = 3


@contextmanager
def pipeline(home: Home, *stages: Stage, **flags: dict[str, Any]) -> Iterator[Pipeline]:
    """Run a pipeline in this process, with photos to read already opened."""
    settings = Settings.load(home, {"encoder": {"which": "none"}, **flags})
    made = Pipeline(home, settings, inline=True, stages=stages)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three photos."""
    for number in range(PHOTOS):
        draw_jpeg(tmp_path / "in" / f"DSC_{number}.jpg", size=(60, 40), seed=number)
    return tmp_path / "in"


# --- a stage

tries: Counter[int] = Counter()


def mood(job: StageJob) -> str:
    """Name a mood by a proxy's bytes; photo 2 fails at first."""
    tries[job.photo_id] += 1
    if job.photo_id == 2 and tries[2] == 1:
        raise UnreadableError("The mood of this photo cannot be read.")
    return hashlib.sha256(Path(job.path).read_bytes()).hexdigest()[:6]


def save_mood(catalog: Catalog, results: Sequence[tuple[StageJob, str]]) -> Saved:
    """Save moods as suggested tags."""
    with catalog.store.transaction():
        for job, tag in results:
            catalog.tags.suggest(job.photo_id, "encoder", [(tag, 50)])
        catalog.work.mark_done("mood", {job.photo_id: job.fingerprint for job, _ in results})
    return Saved([job.photo_id for job, _ in results])


MOOD = Stage(
    "mood",
    1,
    mood,
    save_mood,
    ("convert",),
    LaneKind.PIXELS,
    "Feeling moods",
    "Mood",
    reads="proxy",
)
READ = tuple(stage for stage in STAGES if stage.reads == "file")


def test_a_stage_is_run_saved_retried_and_backfilled(
    home: Home, catalog: Catalog, folder: Path
) -> None:
    tries.clear()
    with pipeline(home, *READ, MOOD) as reading:
        reading.open_folders([folder])
        assert tries == {1: 1, 2: 1, 3: 1}
        [failure] = catalog.work.failures()
        assert (failure.photo_id, failure.stage) == (2, "mood")
        assert failure.reason == "The mood of this photo cannot be read."
        assert catalog.photos.get(1).tags and not catalog.photos.get(2).tags
        assert reading.retry("mood") == 1
        assert catalog.work.failures() == [] and catalog.photos.get(2).tags
        assert catalog.work.counts()["mood"]["done"] == PHOTOS
    with pipeline(home, *READ, MOOD) as again:
        again.rescan()
        assert tries == {1: 1, 2: 2, 3: 1}, "a result holds"
    with pipeline(home, *READ, replace(MOOD, version=2)):
        assert tries == {1: 2, 2: 3, 3: 2}, "a newer version is a backfill"
    assert catalog.work.counts()["convert"]["done"] == PHOTOS


def test_a_mistake_while_saving_costs_only_that_photo(
    home: Home, catalog: Catalog, folder: Path, expected_log: Any
) -> None:
    expected_log("saving the result of mood for .* failed")

    def save(catalog: Catalog, results: Sequence[tuple[StageJob, str]]) -> Saved:
        if any(job.photo_id == 1 for job, _ in results):
            raise ZeroDivisionError("a bug in a stage")
        return save_mood(catalog, results)

    tries.update({2: 1})
    with pipeline(home, *READ, replace(MOOD, save=save)) as reading:
        reading.open_folders([folder])
    assert [failure.photo_id for failure in catalog.work.failures()] == [1]
    assert catalog.work.counts()["mood"]["done"] == PHOTOS - 1


# --- a vision provider


def test_a_provider_describes_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def models(options: VisionOptions, key: str) -> list[str]:
        return ["llava"]

    row = Provider(
        "aviary",
        "Aviary",
        chat_url=lambda options: f"{options.url}/v1",
        models=models,
        has=lambda names, model: model in names,
    )
    monkeypatch.setitem(vision.PROVIDERS, "aviary", row)
    picture = draw_jpeg(tmp_path / "bird.jpg", size=(60, 40)).read_bytes()
    with Ollama() as server:
        options = VisionOptions(provider="aviary", url=server.url, model="llava")
        assert vision.describe(picture, options).subject
        health = vision.check(options)
        assert health.ok and health.models == ("llava",)
    with pytest.raises(KnownError, match="Unknown vision provider 'zoo'"):
        vision.describe(picture, replace(options, provider="zoo"))


# --- an encoder


class Average:
    """Encodes a picture as its average color."""

    key, dimension, device, batch, scale = "average/1", 3, "CPU", 8, 1.0

    def encode(self, pictures: Sequence[Any]) -> np.ndarray:
        colors = np.array([picture.mean(axis=(0, 1)) + 1 for picture in pictures], np.float32)
        return colors / np.linalg.norm(colors, axis=1, keepdims=True)

    def encode_with_tags(
        self, pictures: Sequence[Any]
    ) -> tuple[np.ndarray, list[list[Tag]] | None]:
        return self.encode(pictures), None

    def encode_texts(self, texts: Sequence[str]) -> None:
        """Know no words."""


def test_an_encoder_analyzes_photos(
    home: Home, catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = EncoderKind(
        "average",
        "average color",
        missing=lambda options: None,
        key=lambda options: Average.key,
        load=lambda options: Average(),
    )
    monkeypatch.setattr(encoders, "ENCODERS", (kind, *encoders.ENCODERS))
    assert encoders.choose("average", EncoderOptions()).recipe is not None
    stages = [stage for stage in STAGES if stage.lane is not LaneKind.VISION]
    with pipeline(home, *stages, encoder={"which": "auto"}) as reading:
        assert "average color" in reading.encoding.sentence
        reading.open_folders([folder])
    assert catalog.vectors.encoders() == {Average.key: PHOTOS}


# --- an export target


def test_a_target_adds_a_file_of_its_own(
    home: Home, catalog: Catalog, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_names(run: Run) -> None:
        """Write the names of the exported files into a text file."""
        run.folder.write("names.txt", "\n".join(sorted(run.report.written)).encode())

    monkeypatch.setitem(export.TARGETS, "names", Target("names", finish=write_names))
    with pipeline(home, *READ) as reading:
        reading.open_folders([folder])
    catalog.journal.decide({1: {"rating": 5}, 3: {"rating": 4}}, summary="Rated")
    photos = [catalog.photos.get(number) for number in (1, 2, 3)]
    approved = {1: "rating:>=4", 3: "rating:>=4"}
    options = Options(folder=tmp_path / "out", target="names", clauses=approved)
    plan = export.make_plan(photos, options)
    assert export.write(plan).photos == 2
    assert (tmp_path / "out" / "names.txt").read_text() == "DSC_0.jpg\nDSC_2.jpg"


# --- a command


def test_a_command_is_in_the_table_and_runs_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    session: Any = SimpleNamespace(messages=SimpleNamespace(say=said.append))
    monkeypatch.setattr("curator.commands.registry.COMMANDS", dict(COMMANDS))
    from curator.commands import registry

    @command("Whistle", "Files")
    def whistle(session: Any) -> None:
        """Whistle once."""
        session.messages.say("Whistled")

    @command("Sulk", "Files")
    def sulk(session: Any) -> None:
        """Refuse to work."""
        raise KnownError("Not today.")

    assert registry.COMMANDS["whistle"].help == "Whistle once."
    run(session, "whistle")
    assert said == ["Whistled"]
    run(session, "sulk")
    assert said[-1] == "Not today."
    with pytest.raises(KeyError):
        run(session, "hum")
