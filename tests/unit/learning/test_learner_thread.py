"""The learner thread survives errors and answers every request."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import NoReturn
from unittest.mock import Mock

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from curator import workers
from curator.catalog import Catalog
from curator.catalog.vectors import Vectors
from curator.home import Home
from curator.learning import learner_thread
from curator.learning.learner import Learned, TasteLearner
from curator.learning.learner_thread import LearnerThread, make_pool
from curator.learning.vector_index import VectorIndex
from curator.model import KnownError
from curator.settings import Settings
from curator.workers import WorkerCrashed, WorkerPool, WorkerTimeout, WorkerUnavailable
from tests import catalogs, misbehaving, taste_data
from tests.conftest import ExpectedLog


@pytest.fixture
def taste(
    expected_log: ExpectedLog, qtbot: QtBot, home: Home, catalog: Catalog
) -> Iterator[LearnerThread]:
    catalogs.fill(catalog.path, 5)
    live = LearnerThread(catalog.path, Settings.load(home).taste, home.cache)
    yield live
    live.close()


def broken(*_: object) -> None:
    raise RuntimeError("a bug")


def answer_of(qtbot: QtBot, taste: LearnerThread) -> object:
    answers: list[object] = []
    taste.ask(lambda _: "here", answers.append)
    qtbot.waitUntil(lambda: bool(answers))
    return answers[0]


def test_an_error_in_learning_is_logged_and_the_thread_continues(
    qtbot: QtBot,
    taste: LearnerThread,
    expected_log: ExpectedLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected_log("taste could not be learned")
    with monkeypatch.context() as bug:
        bug.setattr(TasteLearner, "update_training", broken)
        taste.start()
        assert answer_of(qtbot, taste) == "here"
    with qtbot.waitSignal(taste.learned):
        taste.everything_changed()
    assert any(each.exc_info for each in expected_log.records), "the traceback is in the log"


def test_a_failed_search_is_logged_and_not_repeated(
    qtbot: QtBot,
    taste: LearnerThread,
    expected_log: ExpectedLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected_log("taste could not be tuned")
    begun: list[TasteLearner] = []

    def search(learner: TasteLearner) -> object:
        begun.append(learner)
        return broken

    monkeypatch.setattr(TasteLearner, "search", search)
    taste.start()
    assert answer_of(qtbot, taste) == "here"
    taste.everything_changed()
    assert answer_of(qtbot, taste) == "here"
    assert len(begun) == 1


def test_taste_is_learned_where_similar_photos_find_no_room(
    qtbot: QtBot,
    taste: LearnerThread,
    expected_log: ExpectedLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected_log("prepared for finding similar photos: It is full")
    search = Mock(return_value=None)
    monkeypatch.setattr(VectorIndex, "prepare", Mock(side_effect=KnownError("It is full.")))
    monkeypatch.setattr(TasteLearner, "search", search)
    problems: list[str] = []
    taste.problem.connect(problems.append)
    taste.start()
    assert answer_of(qtbot, taste) == "here"
    search.assert_called_once()
    assert problems == ["Taste could not be prepared for finding similar photos: It is full."]


def test_without_a_catalog_requests_get_an_error(
    qtbot: QtBot, home: Home, expected_log: ExpectedLog
) -> None:
    home.catalog.parent.mkdir(parents=True, exist_ok=True)
    home.catalog.write_bytes(b"no catalog at all " * 100)
    expected_log("nothing is learned from ratings now")
    taste = LearnerThread(home.catalog, Settings.load(home).taste, home.cache)
    taste.start()
    try:
        assert isinstance(answer_of(qtbot, taste), KnownError)
        assert isinstance(answer_of(qtbot, taste), KnownError)
    finally:
        taste.close()


def test_closing_cancels_the_initial_loading_of_vectors(
    qtbot: QtBot, taste: LearnerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def endless(*_: object) -> list[tuple[int, int, bytes, bytes]]:
        read.append(1)
        return [(len(read), 1, b"", b"")]

    monkeypatch.setattr(Vectors, "encoders", lambda self: {"drawn": 1})
    monkeypatch.setattr(Vectors, "read", endless)
    monkeypatch.setattr(VectorIndex, "_add", lambda *_: np.zeros(0, np.int64))
    taste.start()
    qtbot.waitUntil(lambda: len(read) > 2)
    taste.close()  # would not return if it waited for the vectors


@pytest.mark.slow
def test_a_search_runs_in_a_process_that_ends_when_idle(
    qtbot: QtBot, home: Home, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = WorkerPool(1, memory_mb=2048, name="taste", keeps_memory=True)
    monkeypatch.setattr(learner_thread, "make_pool", lambda: pool)
    monkeypatch.setattr(learner_thread, "_IDLE_S", 1.0)
    catalogs.fill(catalog.path, 60)
    vectors = taste_data.embed(catalog, range(1, 61))
    taste_data.rate(catalog, vectors, range(1, 41))
    taste = LearnerThread(catalog.path, Settings.load(home).taste, home.cache)
    learned: list[Learned] = []
    taste.learned.connect(learned.append)
    taste.start()
    try:
        qtbot.waitUntil(lambda: len(learned) == 1, timeout=60_000)
        assert learned[0].has_match, "searched before anything is shown"
        taste_data.rate(catalog, vectors, range(41, 46))
        taste.marks_changed(range(41, 46))
        qtbot.waitUntil(lambda: len(learned) == 3)
        first, at_once, searched = (each.model for each in learned)
        assert first and at_once and searched and at_once.count == searched.count
        assert first.penalty == at_once.penalty != searched.penalty
        assert len(pool.processes()) == 1
        qtbot.waitUntil(lambda: not pool.processes())
    finally:
        taste.close()


def test_errors_of_its_process_speak_of_taste_not_of_reading_photos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with contextlib.closing(make_pool()) as pool:
        with pytest.raises(WorkerTimeout) as late:
            pool.run(time.sleep, 1000, timeout_s=0.2)
        with pytest.raises(WorkerCrashed) as crashed:
            pool.run(misbehaving.abort, timeout_s=60)

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(workers, "_Worker", refuse)
    with (
        contextlib.closing(make_pool()) as pool,
        pytest.raises(WorkerUnavailable) as refused,
    ):
        pool.run(time.sleep, 0, timeout_s=60)
    assert [str(each.value.args[0]) for each in (late, crashed, refused)] == [
        "Learning your taste took longer than 0.2 s.",
        "Learning your taste ended in a crash.",
        "No process could be started to learn your taste (Resource temporarily unavailable).",
    ]


@pytest.mark.slow
def test_closing_does_not_wait_for_a_search(
    qtbot: QtBot, taste: LearnerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = WorkerPool(1, memory_mb=2048, name="taste")
    monkeypatch.setattr(taste, "_pool", pool)
    monkeypatch.setattr(TasteLearner, "search", lambda _: partial(time.sleep, 1000))
    taste.start()
    assert answer_of(qtbot, taste) == "here"
    qtbot.waitUntil(lambda: bool(pool.processes()))
    taste.close()
    assert not pool.processes()


@pytest.mark.skipif(sys.platform != "linux", reason="a thread's niceness is Linux's")
def test_learning_yields_to_the_window(qtbot: QtBot, taste: LearnerThread) -> None:
    taste.start()
    answers: list[int] = []

    def niceness(_: TasteLearner) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    taste.ask(niceness, answers.append)
    qtbot.waitUntil(lambda: bool(answers))
    ours = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert answers[0] == min(ours + 10, 19)
