"""The loupe gets the pixels it asked for last, and a slow original is never in its way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from curator.model import KnownError
from curator.pipeline import frames
from curator.pipeline.frames import FrameKey, Frames
from curator.settings import Work
from curator.stages.frame import Frame
from curator.workers import WorkerPool
from tests import fake_stages

LIMIT_S = 60.0


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Frames]:
    monkeypatch.setattr(frames, "frame", fake_stages.frame)
    lane = Frames(Work(timeout_s=30), WorkerPool(2, memory_mb=512, nice=0))
    yield lane
    lane.close()


def key(folder: Path, wish: str, number: int, edge: int | None = 30) -> FrameKey:
    folder.mkdir(exist_ok=True)
    path = folder / f"{number}.jpg"
    path.write_text(f"{wish} - picture {number}")
    return FrameKey(number, str(path), "preview", edge)


def test_pixels_come_whole_and_at_an_edge(lane: Frames, tmp_path: Path) -> None:
    answers: SimpleQueue[Frame | KnownError] = SimpleQueue()
    for edge, size in ((None, (60, 90, 3)), (30, (20, 30, 3))):
        lane.request(key(tmp_path, "ok", 7, edge), answers.put)
        answer = answers.get(timeout=LIMIT_S)
        assert isinstance(answer, Frame)
        assert answer.array.shape == size
        assert answer.array[5, 5, 1] == 7
        assert answer.full_size == (90, 60)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("unreadable", "The file is empty."),
        ("crash", "Reading it crashed the decoder."),
        ("gone", "The file is not there any more."),
    ],
)
def test_there_is_a_reason_for_no_pixels(
    lane: Frames, tmp_path: Path, wish: str, reason: str
) -> None:
    answers: SimpleQueue[Frame | KnownError] = SimpleQueue()
    lane.request(key(tmp_path, wish, 1), answers.put)
    answer = answers.get(timeout=LIMIT_S)
    assert isinstance(answer, KnownError)
    assert answer.args[0] == reason


def test_a_mistake_of_ours_is_logged_and_told(
    lane: Frames, tmp_path: Path, expected_log: Callable[[str], None]
) -> None:
    expected_log("decoding .* failed(.|\n)*ZeroDivisionError")
    answers: SimpleQueue[Frame | KnownError] = SimpleQueue()
    lane.request(key(tmp_path, "mistake", 1), answers.put)
    assert isinstance(answers.get(timeout=LIMIT_S), KnownError)


def test_equal_requests_are_one(lane: Frames, tmp_path: Path) -> None:
    answers: SimpleQueue[Frame | KnownError] = SimpleQueue()
    wanted = key(tmp_path, "wait", 3)
    for _ in range(3):
        lane.request(wanted, answers.put)
    let_go(tmp_path)
    got = [answers.get(timeout=LIMIT_S) for _ in range(3)]
    assert got[0] is got[1] is got[2]


def test_asking_for_something_else_gives_up_what_waits(lane: Frames, tmp_path: Path) -> None:
    answers: SimpleQueue[tuple[int, Frame | KnownError]] = SimpleQueue()

    def ask(wish: str, number: int) -> None:
        lane.request(key(tmp_path, wish, number), lambda answer: answers.put((number, answer)))

    ask("wait", 1)
    while not lane.is_busy(1):
        threading.Event().wait(0.005)
    ask("wait", 2)
    while not lane.is_busy(2):
        threading.Event().wait(0.005)
    for number in range(3, 9):
        ask("ok", number)
    let_go(tmp_path)
    got = sorted(answers.get(timeout=LIMIT_S)[0] for _ in range(3))
    assert got == [1, 2, 8]
    lane.close()
    assert answers.empty()


def test_what_takes_long_makes_way(
    lane: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "STALE_S", 0.0)
    answers: SimpleQueue[tuple[int, object]] = SimpleQueue()
    for number in (1, 2):
        lane.request(key(tmp_path, "hang", number), lambda a, n=number: answers.put((n, a)))
        while not lane.is_busy(number):
            threading.Event().wait(0.005)
    lane.request(key(tmp_path, "ok", 3), lambda a: answers.put((3, a)))
    number, answer = answers.get(timeout=LIMIT_S)
    assert number == 3
    assert isinstance(answer, Frame)


def test_closing_calls_nobody(lane: Frames, tmp_path: Path) -> None:
    answers: SimpleQueue[object] = SimpleQueue()
    lane.request(key(tmp_path, "hang", 1), answers.put)
    lane.request(key(tmp_path, "hang", 2), answers.put)
    lane.close()
    lane.request(key(tmp_path, "ok", 3), answers.put)
    assert answers.empty()


def test_a_callback_that_fails_is_logged(
    lane: Frames, tmp_path: Path, expected_log: Callable[[str], None]
) -> None:
    expected_log("a callback for .* failed")
    answers: SimpleQueue[object] = SimpleQueue()

    def broken(answer: object) -> None:
        raise ZeroDivisionError

    wanted = key(tmp_path, "wait", 1)
    lane.request(wanted, broken)
    lane.request(wanted, answers.put)
    let_go(tmp_path)
    assert isinstance(answers.get(timeout=LIMIT_S), Frame)


def let_go(folder: Path) -> None:
    (folder / "go").touch()
