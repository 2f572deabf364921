"""Previewing one file: results in order, canceled at once, and plain reasons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from curator import encoders
from curator.encoders import EncoderOptions
from curator.home import Home
from curator.model import INTERNAL_ERROR, Embedded, KnownError
from curator.pipeline.file_preview import FilePreviewer, decode_in_worker
from curator.settings import Settings
from curator.stages.file_preview import DecodedFile
from curator.workers import WorkerBug, WorkerCancelled, WorkerMemory, WorkerPool
from tests.conftest import ExpectedLog
from tests.photos import draw_jpeg

LIMIT_S = 60.0
RECIPE = encoders.Recipe("stub", "stub/1", EncoderOptions())
EMBEDDED = Embedded("stub/1", "", b"", b"", (("harbor", 76),))


class Pool(WorkerPool):
    """Answers without processes: decodes here, or raises, or holds a file until it is cancelled."""

    def __init__(self, answer: object = None) -> None:
        super().__init__(1, memory_mb=1)
        self.answer = answer
        self.asked: SimpleQueue[object] = SimpleQueue()
        self.cancelled: dict[object, threading.Event] = {}

    def run(self, function: Callable[..., object], *arguments: object, **how: object) -> object:  # type: ignore[override]
        token = how.get("token")
        held = self.cancelled.setdefault(token, threading.Event())
        self.asked.put(token)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        if "held" in str(token):
            assert held.wait(LIMIT_S)
            raise WorkerCancelled("Reading was stopped.")
        return function(*arguments)

    def cancel(self, token: object) -> bool:
        self.cancelled.setdefault(token, threading.Event()).set()
        return True


@pytest.fixture
def previewer(home: Home) -> Iterator[Callable[..., FilePreviewer]]:
    made: list[FilePreviewer] = []

    def make(pool: Pool, encoder: Pool | None = None) -> FilePreviewer:
        made.append(FilePreviewer(Settings.load(home), pool, encoder or Pool(EMBEDDED)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def reported() -> SimpleQueue[DecodedFile | Embedded | KnownError]:
    return SimpleQueue()


def test_the_picture_comes_first_then_the_encoders_result(
    previewer, reported, tmp_path: Path
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(300, 200))
    previewer(Pool()).request(str(path), 100, RECIPE, reported.put)
    first = reported.get(timeout=LIMIT_S)
    assert isinstance(first, DecodedFile) and first.picture is not None
    assert first.picture.array.shape == (67, 100, 3)
    assert reported.get(timeout=LIMIT_S) == EMBEDDED


def test_requesting_another_file_cancels_the_first(previewer, reported, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(30, 20))
    pool = Pool()
    looking = previewer(pool)
    looking.request("held.jpg", 100, None, reported.put)
    assert pool.asked.get(timeout=LIMIT_S) == "held.jpg"
    looking.request(str(path), 100, None, reported.put)
    assert isinstance(reported.get(timeout=LIMIT_S), DecodedFile)
    looking.close()
    assert reported.empty(), "the first request was canceled"


def test_a_canceled_preview_calls_nobody(previewer, reported, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(30, 20))
    encoder = Pool(EMBEDDED)
    looking = previewer(Pool(), encoder)

    def give_up(what: object) -> None:
        reported.put(what)
        looking._wanted = None  # as give_up does, which waits for this very call

    looking.request(str(path), 100, RECIPE, give_up)
    assert isinstance(reported.get(timeout=LIMIT_S), DecodedFile)
    looking.close()
    assert reported.empty() and encoder.asked.empty()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WorkerMemory("Reading it needs more than 4,096 MB."), "needs more than"),
        (OSError(5, "Input/output error"), "cannot be read (Input/output error)"),
        (WorkerBug("ours"), INTERNAL_ERROR),
    ],
)
def test_a_file_that_cannot_be_decoded_gives_the_reason(
    previewer, reported, error: Exception, reason: str, expected_log: ExpectedLog
) -> None:
    if isinstance(error, WorkerBug):
        expected_log("decoding a.jpg failed: ours")
    previewer(Pool(error)).request("a.jpg", 100, RECIPE, reported.put)
    answer = reported.get(timeout=LIMIT_S)
    assert isinstance(answer, KnownError) and reason in str(answer)


def test_a_crashed_encoder_leaves_the_picture(previewer, reported, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(30, 20))
    dead = Pool(WorkerMemory("Reading it needs more than 1 MB."))
    previewer(Pool(), dead).request(str(path), 100, RECIPE, reported.put)
    assert isinstance(reported.get(timeout=LIMIT_S), DecodedFile)
    assert "Analyzing it needs more memory" in str(reported.get(timeout=LIMIT_S))


@pytest.mark.slow
def test_no_hostile_file_crashes_or_hangs(corpus: Path, home: Home) -> None:
    pool = WorkerPool(1, memory_mb=4096, nice=0)
    try:
        for path in sorted((corpus / "hostile").rglob("*")):
            if path.is_file():
                try:
                    assert decode_in_worker(pool, str(path), Settings.load(home), 1440).proxy
                except KnownError as error:
                    assert str(error)[-1] in ".!?"
    finally:
        pool.close()


@pytest.mark.slow
def test_a_panorama_of_120_megapixels_is_decoded(tmp_path: Path, home: Home) -> None:
    path = draw_jpeg(tmp_path / "wide.jpg", size=(60_000, 2000))
    pool = WorkerPool(1, memory_mb=4096, nice=0)
    try:
        found = decode_in_worker(pool, str(path), Settings.load(home), 2880)
    finally:
        pool.close()
    assert (found.capture.width, found.capture.height) == (60_000, 2000)
    assert found.picture is not None and found.picture.array.shape[:2] == (96, 2880)
