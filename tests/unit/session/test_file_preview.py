"""A file preview fills as results arrive; its match equals that of the same photo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.model import Capture, Embedded, GoneError, KnownError, Quality, UnreadableError
from curator.pipeline import Encoding
from curator.session import FilePreviewLoader, Session
from curator.session.file_preview import FilePreview, capture_lines, clipping_line, form_name
from curator.stages.file_preview import DecodedFile
from curator.taste.tone import TONES
from tests import taste_data
from tests.unit.session.test_taste import Open, open_at, vectors

__all__ = ["open_at", "vectors"]  # fixtures used here, too

CAPTURE = Capture(
    taken_at=datetime(2024, 5, 4, 18, 42, 7),
    utc_offset_min=-210,
    camera="Curator Works Test One",
    lens="TW 24-70mm F2.8",
    exposure_s=0.004,
    f_number=2.8,
    iso=800,
    focal_length_mm=50,
    latitude=64.14661,
    longitude=-21.94263,
    width=6000,
    height=4000,
)
SEEN = DecodedFile(
    "jpeg", 8_400_000, "f" * 32, CAPTURE, Quality(72, 94, 0.012, 0), "image", None, b"", None
)


class FilePreviewer(QObject):
    """A pipeline with only its file previewer, which is itself; the test provides the results."""

    encoding = Encoding(None, "Photos are analyzed with the test.")

    @property
    def file_previews(self) -> FilePreviewer:
        return self

    def request(
        self, path: str, screen_px: int, recipe: None, tell: Callable[[object], None]
    ) -> None:
        self.wanted, self.tell = (path, screen_px), tell

    def describe(self, proxy: bytes, tell: Callable[[object], None]) -> None:
        self.proxy, self.tell_description = proxy, tell

    def cancel(self) -> None:
        self.wanted = None


@pytest.fixture
def load(qtbot: QtBot) -> Iterator[Callable[..., FilePreviewLoader]]:
    loaders: list[FilePreviewLoader] = []

    def make(session: Session, path: str = "/card/DSC_0412.JPG") -> FilePreviewLoader:
        session.pipeline = FilePreviewer()  # type: ignore[assignment]
        services = replace(session.services, pipeline=session.pipeline)
        parts = session.table, session.watcher, session.taste, session.explanations
        loaders.append(FilePreviewLoader(Path(path), services, *parts))
        loaders[-1].begin(2880)
        return loaders[-1]

    yield make
    for each in loaders:
        each.close()


def embedded(photo: int, encoder: str = taste_data.ENCODER) -> Embedded:
    """The encoder's result for a photo, as tests.taste_data stores it in the catalog."""
    rng = np.random.default_rng(photo)
    vector = rng.normal(size=16)
    vector /= np.linalg.norm(vector)
    tone = rng.normal(size=TONES).astype(np.float32)
    half = vector.astype(np.float32).astype(np.float16)
    return Embedded(encoder, "", half.tobytes(), tone.tobytes(), (("harbor", 76),))


def test_scores_come_first_then_tags_then_the_match(open_at: Open, load, qtbot: QtBot) -> None:
    session = open_at(40)
    loader = load(session)
    previews: list[FilePreview] = []
    loader.changed.connect(previews.append)
    session.pipeline.tell(SEEN)
    assert (
        previews[0].quality == SEEN.quality
        and previews[0].form == "JPEG"
        and previews[0].photo is None
    )
    assert (
        previews[0].encoder_sentence == "Photos are analyzed with the test."
        and previews[0].tags is None
    )
    with qtbot.waitSignal(loader.changed, check_params_cb=lambda preview: preview.why is not None):
        session.pipeline.tell(embedded(50))
    assert [tag.name for tag in previews[1].tags or ()] == ["harbor"]
    assert (previews[1].tags or ())[0].state == "suggested"
    why = previews[-1].why
    assert why is not None and why.match == session.tile(50).match
    assert why.expected == pytest.approx(session.table.scores.expected_of(50), abs=1e-2)


@pytest.mark.parametrize(
    ("rated", "encoder", "reason"),
    [
        (19, taste_data.ENCODER, "Rate 1 more photo to start predictions."),
        (20, "other/1", "learned with another encoder"),
    ],
)
def test_without_a_match_the_reason_is_shown(
    open_at: Open, load, qtbot: QtBot, rated: int, encoder: str, reason: str
) -> None:
    session = open_at(rated)
    loader = load(session)
    session.pipeline.tell(SEEN)
    with qtbot.waitSignal(loader.changed, check_params_cb=lambda preview: preview.unmatched != ""):
        session.pipeline.tell(embedded(50, encoder))
    assert reason in loader.preview.unmatched and loader.preview.why is None


def test_no_match_is_shown_for_an_unreviewed_photo_of_the_catalog(
    open_at: Open, load, catalog: Catalog
) -> None:
    session = open_at(40)
    loader = load(session, str(catalog.photos.get(50).path))
    session.pipeline.tell(SEEN)
    assert loader.preview.photo == 50
    session.pipeline.tell(embedded(50))
    assert loader.preview.unmatched == "Hidden until you decide." and loader.preview.why is None


def test_a_copy_is_recognized_by_its_content(open_at: Open, load, catalog) -> None:
    session = open_at(0)
    loader = load(session, "/elsewhere/copy.jpg")
    key = catalog.photos.get(7).files[0].fingerprint
    session.pipeline.tell(replace(SEEN, fingerprint=key))
    assert loader.preview.photo == 7


def test_an_unreadable_file_is_explained_in_a_sentence(open_at: Open, load) -> None:
    session = open_at(0)
    for error, message in (
        (UnreadableError("The file is empty."), "The file is empty."),
        (GoneError("The file is no longer there.", "Scan again."), "The file is no longer there."),
    ):
        loader = load(session)
        session.pipeline.tell(error)
        assert loader.preview.refused == message and loader.preview.quality is None


def test_without_a_pipeline_the_reading_process_is_named(open_at: Open) -> None:
    loader = open_at(0).preview_file(Path("/card/a.jpg"))
    loader.begin(100)
    assert loader.preview.refused.startswith("Another Curator window or command is reading photos")
    loader.close()


def test_an_encoder_error_is_shown_beside_the_scores(open_at: Open, load) -> None:
    session = open_at(0)
    loader = load(session)
    session.pipeline.tell(SEEN)
    session.pipeline.tell(KnownError("Analyzing it took too long."))
    assert loader.preview.encoder_sentence == "Analyzing it took too long."
    assert loader.preview.quality is not None and not loader.preview.refused


def test_a_closed_preview_reports_nothing(open_at: Open, load) -> None:
    session = open_at(0)
    loader = load(session)
    tell = session.pipeline.tell
    loader.close()
    assert session.pipeline.wanted is None
    tell(SEEN)
    assert loader.preview == FilePreview(Path("/card/DSC_0412.JPG"))


# --- texts


def test_capture_data_is_summarized_in_lines() -> None:
    assert capture_lines(CAPTURE) == [
        "4 May 2024, 18:42:07 UTC−3:30",
        "64.1466° N  21.9426° W",
        "Curator Works Test One",
        "TW 24-70mm F2.8",
        "1/250 · f/2.8 · ISO 800 · 50 mm",
    ]
    assert capture_lines(Capture()) == []


@pytest.mark.parametrize(
    ("high", "low", "text"),
    [
        (0, 0, "nothing clipped"),
        (0.012, 0.0001, "clipped: 1.2 % highlights"),
        (0.5, 0.25, "clipped: 50.0 % highlights, 25.0 % shadows"),
    ],
)
def test_clipping_in_words(high: float, low: float, text: str) -> None:
    assert clipping_line(Quality(50, 50, high, low)) == text


@pytest.mark.parametrize(
    ("form", "name", "text"),
    [
        ("jpeg", "a.nef", "JPEG"),
        ("raw", "a.nef", "NEF · RAW"),
        ("raw", "a.raw", "RAW"),
        ("webp", "a", "WebP"),
        ("", "a.tif", "TIFF"),
    ],
)
def test_a_format_is_recognized_by_content(form: str, name: str, text: str) -> None:
    assert form_name(form, Path(name)) == text
