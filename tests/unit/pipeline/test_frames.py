"""Originals for the loupe: the most urgent first, and a slow one never delays it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

from curator.model import KnownError
from curator.pipeline import frames
from curator.pipeline.frames import FrameDecoder
from curator.settings import WorkSettings
from curator.stages.frame import DecodeRequest, Frame, Want
from curator.workers import WorkerPool
from tests import fake_stages

LIMIT_S = 60.0


class Answers:
    """Takes what a lane delivers."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[tuple[DecodeRequest, Frame | KnownError]] = SimpleQueue()

    def __call__(self, request: DecodeRequest, answer: Frame | KnownError) -> None:
        self.queue.put((request, answer))

    def one(self) -> tuple[DecodeRequest, Frame | KnownError]:
        return self.queue.get(timeout=LIMIT_S)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> Iterator[FrameDecoder]:
    monkeypatch.setattr(frames, "frame", fake_stages.frame)
    lane = FrameDecoder(WorkSettings(timeout_s=30), WorkerPool(2, memory_mb=512, nice=0))
    yield lane
    lane.close()


def request(folder: Path, wish: str, number: int, want: Want = "preview") -> DecodeRequest:
    folder.mkdir(exist_ok=True)
    path = folder / f"{number}.jpg"
    path.write_text(f"{wish} - picture {number}")
    return DecodeRequest(str(path), want)


def until_busy(lane: FrameDecoder, one: DecodeRequest) -> None:
    """Wait until a process works on it; before that nothing can be called off."""
    while one not in [worker.token for worker in lane._pool._busy]:
        threading.Event().wait(0.005)


def test_frames_come_in_the_requested_order(
    lane: FrameDecoder, tmp_path: Path, answers: Answers
) -> None:
    wanted = [request(tmp_path, "ok", number) for number in (7, 8, 9)]
    lane.request(wanted, answers)
    got = dict(answers.one() for _ in wanted)
    assert list(got) == wanted
    for one, frame in got.items():
        assert isinstance(frame, Frame) and frame.array is not None
        assert frame.array.shape == (60, 90, 3)
        assert frame.array[5, 5, 1] == int(Path(one.path).stem)


def test_one_slow_decode_says_nothing_about_the_next(
    lane: FrameDecoder, tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    typical = lane.full_s("preview")
    took_s = iter([4.0, 0.25, 0.5, 1.0])
    now = 0.0

    def decoded(*_: object, **__: object) -> Frame:
        nonlocal now
        now += next(took_s)
        return Frame(None, "image", None, (90, 60))

    monkeypatch.setattr(frames, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(lane._pool, "run", decoded)
    estimates = []
    for number in range(4):
        lane.request([request(tmp_path, "ok", number)], answers)
        answers.one()
        estimates.append(lane.full_s("preview"))
    assert estimates == [4.0, 0.25, 0.25, 0.25]
    assert lane.full_s("demosaic") == typical


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("unreadable", "The file is empty."),
        ("crash", "Reading it ended in a crash."),
        ("gone", "The file is not there any more."),
    ],
)
def test_a_file_without_pixels_gives_the_reason(
    lane: FrameDecoder, tmp_path: Path, answers: Answers, wish: str, reason: str
) -> None:
    lane.request([request(tmp_path, wish, 1)], answers)
    _, answer = answers.one()
    assert isinstance(answer, KnownError)
    assert answer.args[0] == reason


def test_a_bug_is_logged_and_reported(
    lane: FrameDecoder, tmp_path: Path, answers: Answers, expected_log: Callable[[str], None]
) -> None:
    expected_log("decoding .* failed(.|\n)*ZeroDivisionError")
    lane.request([request(tmp_path, "mistake", 1)], answers)
    assert isinstance(answers.one()[1], KnownError)


def test_a_frame_requested_twice_is_decoded_once(
    lane: FrameDecoder, tmp_path: Path, answers: Answers
) -> None:
    wanted = request(tmp_path, "wait", 3)
    for _ in range(3):
        lane.request([wanted], answers)
    let_go(tmp_path)
    assert answers.one()[0] == wanted
    lane.request([request(tmp_path, "ok", 4)], answers)
    assert Path(answers.one()[0].path).stem == "4"


def test_prefetching_leaves_a_process_free_for_the_most_urgent(
    lane: FrameDecoder, tmp_path: Path, answers: Answers
) -> None:
    here, ahead, further = (request(tmp_path, "wait", number) for number in (1, 2, 3))
    lane.request([here, ahead, further], answers)
    until_busy(lane, here)
    assert lane.is_reading
    assert not lane.is_busy(ahead.path)  # one process is left for whatever becomes urgent
    now = request(tmp_path, "ok", 4)
    lane.request([now, ahead], answers)
    assert answers.one()[0] == now
    let_go(tmp_path)
    assert {answers.one()[0] for _ in range(2)} == {here, ahead}
    assert not lane.is_busy(further.path)


def test_a_slow_decode_is_killed_for_an_urgent_one(
    lane: FrameDecoder, tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "STALE_S", 0.0)
    for number in (1, 2):
        slow = request(tmp_path, "hang", number)
        lane.request([slow], answers)
        until_busy(lane, slow)
    lane.request([request(tmp_path, "ok", 3)], answers)
    one, answer = answers.one()
    assert Path(one.path).stem == "3"
    assert isinstance(answer, Frame)


def test_an_unwanted_demosaic_is_killed_at_once(
    lane: FrameDecoder, tmp_path: Path, answers: Answers
) -> None:
    for number in (1, 2):
        slow = request(tmp_path, "hang", number, "demosaic")
        lane.request([slow], answers)
        until_busy(lane, slow)
    lane.request([request(tmp_path, "ok", 3)], answers)
    assert Path(answers.one()[0].path).stem == "3"


def test_closing_calls_nobody(lane: FrameDecoder, tmp_path: Path, answers: Answers) -> None:
    lane.request([request(tmp_path, "hang", 1), request(tmp_path, "hang", 2)], answers)
    lane.close()
    lane.request([request(tmp_path, "ok", 3)], answers)
    assert answers.queue.empty()


def test_a_callback_that_fails_is_logged(
    lane: FrameDecoder, tmp_path: Path, answers: Answers, expected_log: Callable[[str], None]
) -> None:
    expected_log("a callback for .* failed")

    def broken(one: DecodeRequest, answer: object) -> None:
        answers(one, answer)
        raise ZeroDivisionError

    wanted = [request(tmp_path, "ok", 1), request(tmp_path, "ok", 2)]
    lane.request(wanted[:1], broken)
    answers.one()
    lane.request(wanted[1:], answers)
    assert answers.one()[0] == wanted[1]


def let_go(folder: Path) -> None:
    (folder / "go").touch()
