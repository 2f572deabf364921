"""Pixels of originals in memory: recent ones stay, within the budget."""

from __future__ import annotations

import threading
import weakref
from dataclasses import replace

import pytest
from PySide6.QtCore import QThreadPool

from curator.model import READ_ELSEWHERE, KnownError
from curator.session import Session
from curator.session.pixel_source import Source
from curator.stages.frame import Crop
from curator.ui.loupe.fullres_cache import FullresCache, PixelRequest
from tests.gui.darkroom import Darkroom

SIZE = (60, 40)
WHOLE = 60 * 40 * 3
BUDGET = 5 * WHOLE


@pytest.fixture
def pipeline(dressed: object) -> Darkroom:
    return Darkroom(SIZE)


@pytest.fixture
def originals(session: Session, monkeypatch: pytest.MonkeyPatch) -> FullresCache:
    monkeypatch.setattr(FullresCache, "budget_bytes", BUDGET)
    return FullresCache(session)


def wish(number: int, weight: int = WHOLE, overlays: frozenset[str] = frozenset()) -> PixelRequest:
    source = Source(f"/photos/DSC_{number:04d}.JPG", "preview", f"{number:032x}")
    return PixelRequest(number, source, 0, overlays=overlays, guessed_bytes=weight)


def deliver(pipeline: Darkroom, originals: FullresCache, qtbot) -> None:
    while pipeline.requests:
        with qtbot.waitSignal(originals.arrived):
            pipeline.deliver()


@pytest.mark.slow
def test_the_budget_holds_over_two_thousand_steps(originals, pipeline, qtbot) -> None:
    heaviest = 0
    for step in range(0, 2_000):
        wishes = [wish(number % 60) for number in (step, step + 1, step - 1, step + 2)]
        originals.want(wishes)
        if step % 10 == 0:
            deliver(pipeline, originals, qtbot)
            assert all(originals.pixels(one) for one in wishes)
        heaviest = max(heaviest, originals.nbytes)
    assert WHOLE * 4 <= heaviest <= BUDGET


def test_crops_are_read_with_the_picture_and_only_once(originals, pipeline, qtbot) -> None:
    crops = (Crop((0.5, 0.5, 0.1, 0.1), (6, 4)), Crop((0.0, 0.0, 0.5, 0.5), (10, 10)))
    both = replace(wish(1), crops=crops)
    originals.want([both])
    (request,) = pipeline.requests
    assert request.pixels and request.crops == crops
    deliver(pipeline, originals, qtbot)
    sizes = [frame.image.size().toTuple() for frame in originals.crops(both)]
    assert sizes == [(6, 4), (10, 10)]
    assert originals.pixels(both) is not None
    originals.want([both, replace(wish(1), pixels=False, crops=crops[:1])])
    (request,) = pipeline.requests
    assert not request.pixels and request.crops == crops[:1]
    assert originals.crops(replace(wish(2), crops=crops)) is None


def test_the_least_urgent_is_evicted_first(originals, pipeline, qtbot) -> None:
    originals.want([wish(number) for number in range(5)])
    deliver(pipeline, originals, qtbot)
    heavy = [wish(0), wish(1), wish(9, overlays=frozenset({"clipping"})), wish(2), wish(3)]
    originals.want(heavy)
    deliver(pipeline, originals, qtbot)
    assert [originals.pixels(one) is not None for one in heavy] == [True, True, True, True, False]
    assert originals.pixels(wish(4)) is None
    assert originals.nbytes <= BUDGET


@pytest.mark.parametrize("how", ["evicted", "idle"])
def test_memory_is_never_freed_on_the_gui_thread(originals, pipeline, qtbot, how: str) -> None:
    originals.want([wish(0)])
    deliver(pipeline, originals, qtbot)
    threads: list[int] = []
    kept = originals.pixels(wish(0)).frame.pixels
    weakref.finalize(kept, lambda: threads.append(threading.get_ident()))
    del kept
    if how == "idle":
        originals.want([])
        originals._release_idle()
    else:
        originals.want([wish(number) for number in range(1, 6)])
        deliver(pipeline, originals, qtbot)
    QThreadPool.globalInstance().waitForDone()
    assert threads and threads[0] != threading.get_ident()


def test_requests_beyond_the_budget_are_ignored_except_the_first(originals, pipeline) -> None:
    originals.want([wish(0, 2 * BUDGET), wish(1)])
    assert [pipeline.photo(request) - 1 for request in pipeline.requests] == [0]
    originals.want([wish(number) for number in range(20)])
    assert [pipeline.photo(request) - 1 for request in pipeline.requests] == [0, 1, 2, 3, 4]
    assert {request.limit_bytes for request in pipeline.requests} == {int(BUDGET * 0.7)}


def test_a_failure_is_retried_only_after_it_was_out_of_view(originals, pipeline, qtbot) -> None:
    originals.want([wish(1), wish(2)])
    with qtbot.waitSignal(originals.failed) as failed:
        pipeline.refuse(KnownError("The file is empty."))
    assert failed.args == [1, "The file is empty."]
    originals.want([wish(1), wish(3)])
    assert [pipeline.photo(request) - 1 for request in pipeline.requests] == [3]
    assert originals.reason(wish(1)) == "The file is empty."
    originals.want([wish(3)])
    originals.want([wish(1)])
    assert [pipeline.photo(request) - 1 for request in pipeline.requests] == [1]
    assert originals.reason(wish(1)) is None


def test_memory_is_released_after_a_while_without_requests(originals, pipeline, qtbot) -> None:
    originals.want([wish(1)])
    deliver(pipeline, originals, qtbot)
    originals._idle.setInterval(0)
    with qtbot.waitSignal(originals._idle.timeout):
        originals.want([])
    assert originals.nbytes == 0 and originals.pixels(wish(1)) is None


def test_the_budget_is_the_megabytes_of_the_settings(session) -> None:
    session.settings.loupe.originals_mb = 300
    assert FullresCache(session).budget_bytes == 300 * 1024 * 1024


def test_without_a_pipeline_there_is_a_reason(originals, session) -> None:
    session.pipeline = None
    originals.want([wish(1)])
    assert originals.reason(wish(1)) == READ_ELSEWHERE
