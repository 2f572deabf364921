"""Groups of short jobs: few calls of processes, and no photo fails because of another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from curator.catalog import Pending
from curator.model import Kind, StageJob, UnreadableError
from curator.pipeline import headers_lane
from curator.pipeline.headers_lane import HeadersLane
from curator.pipeline.lanes import Outcome
from curator.settings import Settings
from curator.workers import InlinePool, WorkerCancelled
from tests import taste_data

PENDING = Pending(1, "peek", "/in/a.jpg", Kind.IMAGE, None, None, 0, None, None)


class Pool(InlinePool):
    """Counts the jobs of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.tokens: list[object] = []
        self.canceled: list[object] = []

    def run(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        self.calls.append(len(arguments[1]) if len(arguments) > 1 else 1)
        self.tokens.append(more["token"])
        return super().run(function, *arguments, **more)

    def cancel(self, token: object) -> bool:
        self.canceled.append(token)
        return True


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def outcomes() -> list[Outcome]:
    return []


@pytest.fixture
def lane(pool: Pool, outcomes: list[Outcome]) -> HeadersLane:
    return HeadersLane(0, 64, pool, Settings().work, outcomes.append)


def run(job: StageJob) -> int:
    if job.photo_id == 3:
        raise UnreadableError("It is empty.")
    return 10 * job.photo_id


def jobs(*photos: int) -> list[StageJob]:
    return [taste_data.job(photo) for photo in photos]


def sizes(lane: HeadersLane, *attempts: int) -> list[int]:
    found = [replace(PENDING, attempts=tried) for tried in attempts]
    return [len(group) for group in lane.groups(found)]


def test_a_group_is_one_call_and_each_photo_gets_its_result(
    lane: HeadersLane, pool: Pool, outcomes: list[Outcome]
) -> None:
    lane.submit(run, jobs(1, 2, 4))
    assert pool.calls == [3]
    assert [(each.job.photo_id, each.result) for each in outcomes] == [(1, 10), (2, 20), (4, 40)]


def test_a_photo_that_fails_fails_alone(
    lane: HeadersLane, pool: Pool, outcomes: list[Outcome]
) -> None:
    lane.submit(run, jobs(2, 3, 4))
    assert pool.calls == [3, 1, 1, 1]
    assert [each.result for each in outcomes] == [20, None, 40]
    assert isinstance(outcomes[1].error, UnreadableError)


def test_groups_grow_while_they_are_quick_and_shrink_on_a_slow_drive(
    lane: HeadersLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sizes(lane, 0, 0) == [1, 1], "the first photo is shown at once"
    now = [0.0]
    monkeypatch.setattr(headers_lane, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def takes(seconds: float) -> Callable[[StageJob], None]:
        def wait(_: StageJob) -> None:
            now[0] += seconds

        return wait

    for size in (1, 2, 4):
        lane.submit(takes(0.001), jobs(*range(size)))
    assert sizes(lane, *[0] * 20) == [8, 8, 4]
    lane.submit(takes(0.1), jobs(1, 2))
    assert sizes(lane, 0, 0) == [1, 1]


def test_new_jobs_wait_until_there_is_room_for_a_whole_group(lane: HeadersLane) -> None:
    for size in (1, 2, 4, 8):
        lane.submit(run, jobs(*[1] * size))
    assert lane.room() == 63
    lane.submit(run, jobs(*range(64)))
    for photo in range(15):
        lane.landed(photo)
    assert lane.room() == 0
    lane.landed(15)
    assert lane.room() == 16


def test_a_photo_tried_before_goes_alone(lane: HeadersLane) -> None:
    for size in (1, 2, 4):
        lane.submit(run, jobs(*[1] * size))
    assert sizes(lane, 0, 1, 0, 1) == [2, 1, 1]


def test_canceling_a_photo_ends_the_process_of_its_group(
    lane: HeadersLane, pool: Pool, outcomes: list[Outcome]
) -> None:
    lane.submit(run, jobs(1, 2))
    lane.cancel([2])
    assert pool.canceled == pool.tokens
    lane.submit(run, jobs(1, 2))
    assert pool.calls == [2, 1], "the photo that was not canceled is read alone"
    assert isinstance(outcomes[-1].error, WorkerCancelled)
    assert lane.in_flight == {1, 2}
    for photo in (1, 2):
        lane.landed(photo)
    assert not lane.in_flight
