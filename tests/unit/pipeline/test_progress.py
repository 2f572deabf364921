"""Progress: counts add up, and the rate is that of the last seconds, if enough is done."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from curator.model import FileGroup, KnownError
from curator.pipeline.ingest import check_sources
from curator.pipeline.progress import WorkCounts
from curator.pipeline.scanning import Request


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_the_pace() -> None:
    clock = Clock()
    counts = WorkCounts(clock)
    assert counts.progress(50, False, False).left_s is None
    counts.count(0, 0)
    for _ in range(10):
        clock.now += 1
        counts.count(3, 1)
    progress = counts.progress(60, False, False)
    assert (progress.found, progress.done, progress.failed, progress.waiting) == (100, 30, 10, 60)
    assert progress.rate_per_s == pytest.approx(4.0)
    assert progress.left_s == pytest.approx(15.0)


def test_the_pace_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    counts = WorkCounts(clock)
    for photos, seconds in ((100, 60), (2, 60)):
        for _ in range(seconds):
            clock.now += 1
            counts.count(photos, 0)
    assert counts.progress(10, False, False).rate_per_s == pytest.approx(2.0, rel=0.06)


def test_no_rate_is_shown_for_too_few_photos() -> None:
    clock = Clock()
    counts = WorkCounts(clock)
    counts.count(0, 0)
    clock.now += 1
    counts.count(5, 0)
    assert counts.progress(1000, False, False).left_s is None


@pytest.mark.parametrize(("scanning", "paused"), [(True, False), (False, True)])
def test_no_time_is_left_while_scanning_or_paused(scanning: bool, paused: bool) -> None:
    clock = Clock()
    counts = WorkCounts(clock)
    counts.count(0, 0)
    clock.now += 1
    counts.count(100, 0)
    assert counts.progress(100, False, False).left_s is not None
    assert counts.progress(100, scanning, paused).left_s is None


def test_a_pause_does_not_count_as_slow() -> None:
    clock = Clock()
    counts = WorkCounts(clock)
    counts.count(0, 0)
    clock.now += 1
    counts.count(20, 0)
    counts.hold()
    clock.now += 15
    counts.count(0, 0)
    clock.now += 1
    counts.count(20, 0)
    progress = counts.progress(40, False, False)
    assert progress.done == 40
    assert progress.rate_per_s == pytest.approx(20.0)


def test_a_sample_is_fair() -> None:
    groups = [FileGroup("/in", f"{number}", ()) for number in range(20)]
    part: Any = SimpleNamespace()
    drawn: Counter[str] = Counter()
    chance = random.Random(1)
    for _ in range(2000):
        request = Request([part], sample=5)
        request.draw(part, groups[:7], chance)
        request.draw(part, groups[7:], chance)
        assert len({group.name for _, group in request.drawn}) == 5
        drawn.update(group.name for _, group in request.drawn)
    # 500 each is expected, with a standard deviation of 19.
    assert max(abs(drawn[group.name] - 500) for group in groups) < 95


def test_sources_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert check_sources(["a/b/..", tmp_path / "a"]) == [tmp_path / "a"]
    with pytest.raises(KnownError, match=r"nowhere does not exist\. Check the name"):
        check_sources(["a", "nowhere"])
