"""Frames: decoded to the exact size, in the order requested, within the budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtGui import QImage

from curator.home import Home
from curator.imaging import proxy
from curator.settings import Settings
from curator.ui.widgets.frames import PROXY, THUMB, Frame, FrameRequest, FrameStore, Pictures
from tests.conftest import GRACE_S
from tests.gui import swatches

MB = 1 << 20


def jpeg(number: int, size: tuple[int, int] = (300, 200)) -> bytes:
    return proxy.encode(swatches.picture(number, size), 92)


class Desk:
    """Reads JPEGs by number; can block the reader, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.missing: set[str] = set()

    def __call__(self, want: FrameRequest) -> bytes:
        assert self.gate.wait(GRACE_S)
        self.read.append(want.key)
        if want.key in self.missing:
            raise FileNotFoundError(2, "No such file")
        return jpeg(int(want.key))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def make_store(qapp: object, desk: Desk) -> Iterator[Callable[..., FrameStore]]:
    made: list[FrameStore] = []

    def make(budget: int = 64 * MB, threads: int = 1) -> FrameStore:
        made.append(FrameStore(desk, budget, threads))
        return made[-1]

    yield make
    desk.gate.set()
    for store in made:
        store.close()


def thumbs(*numbers: int, size: tuple[int, int] = (90, 60)) -> list[FrameRequest]:
    return [FrameRequest(THUMB, str(number), size) for number in numbers]


def test_a_frame_has_the_requested_size_and_blits_unscaled(make_store, qtbot) -> None:
    store = make_store()
    want = FrameRequest(PROXY, "7", (156, 104))
    with qtbot.waitSignal(store.arrived) as arrived:
        store.want("view", [want])
    image = store.get(want).image
    assert (image.width(), image.height()) == (156, 104)
    assert image.format() is QImage.Format.Format_RGB32
    assert image.colorSpace().description()
    assert swatches.shows(image, 120, 50, 7)
    assert arrived.args == [{want}]


@pytest.mark.parametrize(
    ("turn", "dark"), [(0, (20, 50)), (1, (50, 20)), (2, (130, 50)), (3, (50, 130))]
)
def test_a_frame_is_rotated(make_store, qtbot, turn: int, dark: tuple[int, int]) -> None:
    store = make_store()
    want = FrameRequest(PROXY, "4", (100, 150) if turn % 2 else (150, 100), turn)
    with qtbot.waitSignal(store.arrived):
        store.want("view", [want])
    image = store.get(want).image
    assert (image.width(), image.height()) == want.size
    assert not swatches.shows(image, *dark, 4)
    assert swatches.shows(image, image.width() - 1 - dark[0], image.height() - 1 - dark[1], 4)


def test_a_picture_of_another_aspect_is_not_distorted(make_store, qtbot) -> None:
    store = make_store()
    want = FrameRequest(PROXY, "4", (100, 100))
    with qtbot.waitSignal(store.arrived):
        store.want("view", [want])
    image = store.get(want).image
    assert (image.width(), image.height()) == (100, 67)


def test_the_most_urgent_is_decoded_first_and_dropped_requests_never(
    make_store, desk, qtbot
) -> None:
    store = make_store()
    desk.gate.clear()
    store.want("view", thumbs(0, 1, 2, 3))
    store.want("view", thumbs(5, 2, 6))
    desk.gate.set()
    qtbot.waitUntil(lambda: all(store.get(want) for want in thumbs(5, 2, 6)))
    assert [key for key in desk.read if key != "0"] == ["5", "2", "6"]


def test_the_view_that_asked_last_is_served_first(make_store, desk, qtbot) -> None:
    store = make_store()
    desk.gate.clear()
    store.want("filmstrip", thumbs(0, 1, 2))
    store.want("grid", thumbs(8, 9))
    desk.gate.set()
    qtbot.waitUntil(lambda: len(store) == 5)
    assert desk.read.index("9") < desk.read.index("1")


@pytest.mark.slow
def test_memory_stays_within_the_budget_over_hundreds_of_frames(make_store, qtbot) -> None:
    budget = 20 * 90 * 60 * 4
    store = make_store(budget, threads=2)
    heaviest = 0
    for start in range(0, 400, 8):
        wanted = thumbs(*(number % 90 for number in range(start, start + 8)))
        store.want("view", wanted)
        qtbot.waitUntil(lambda wanted=wanted: all(store.get(want) for want in wanted))
        heaviest = max(heaviest, store.nbytes)
    assert heaviest <= budget
    assert len(store) > 10


def test_requested_frames_are_evicted_last(make_store, qtbot) -> None:
    store = make_store(4 * 90 * 60 * 4)
    wanted = thumbs(0, 1, 2)
    store.want("view", wanted)
    qtbot.waitUntil(lambda: len(store) == 3)
    for number in range(40, 50):
        other = thumbs(number)[0]
        store.want("view", [*wanted, other])
        qtbot.waitUntil(lambda other=other: store.get(other) is not None)
        store.want("view", wanted)
    assert all(store.get(want) for want in wanted)
    assert store.nbytes <= store.budget_bytes


def test_requests_beyond_the_budget_are_not_read(make_store, desk, qtbot) -> None:
    store = make_store(3 * 90 * 60 * 4)
    store.want("view", thumbs(*range(20)))
    qtbot.waitUntil(lambda: len(store) == 3)
    store.close()
    assert desk.read == ["0", "1", "2"]


def test_a_missing_picture_fails_once_and_is_retried_when_it_may_exist(
    make_store, desk, qtbot
) -> None:
    store = make_store()
    desk.missing = {"3"}
    (want,) = thumbs(3)
    with qtbot.waitSignal(store.arrived):
        store.want("view", [want])
    assert store.get(want) is None
    assert "not in the cache" in store.failure(want)
    store.want("view", [want])
    store.close()
    assert desk.read == ["3"]
    desk.missing = set()
    store.clear_failures(["3"])
    with qtbot.waitSignal(store.arrived):
        store.want("view", [want])
    assert store.get(want) is not None


def test_a_damaged_picture_affects_no_other(qapp, qtbot) -> None:
    store = FrameStore(lambda want: b"\xff\xd8 no" if want.key == "1" else jpeg(2), MB)
    try:
        bad, good = thumbs(1, 2)
        store.want("view", [bad, good])
        qtbot.waitUntil(lambda: store.get(good) is not None and store.failure(bad) is not None)
        assert "damaged" in store.failure(bad)
    finally:
        store.close()


def test_another_size_is_shown_only_for_the_same_picture(make_store, qtbot) -> None:
    store = make_store()
    (small,) = thumbs(5)
    with qtbot.waitSignal(store.arrived):
        store.want("view", [small])
    assert store.best(small._replace(size=(180, 120))) is store.get(small)
    assert store.best(small._replace(key="6")) is None
    assert store.best(small._replace(turn=1)) is None


def test_a_frame_may_be_a_part_of_a_larger_picture_without_a_copy() -> None:
    whole = swatches.picture(1, (30, 20))
    whole[7:, 11:] = (10, 200, 30)
    frame = Frame.of(whole[5:15, 10:25])
    assert frame.image.format() is QImage.Format.Format_RGB888
    assert frame.image.size().toTuple() == (15, 10)
    assert frame.image.pixelColor(1, 2).getRgb()[:3] == (10, 200, 30)
    assert frame.image.pixelColor(14, 9).getRgb()[:3] == (10, 200, 30)
    assert swatches.shows(frame.image, 5, 1, 1)


def test_thumbnails_and_proxies_come_from_the_cache(home: Home, qapp, qtbot) -> None:
    swatches.lay_out(home.cache, [1])
    pictures = Pictures(home, Settings.load(home))
    try:
        thumb, proxy_ = (
            FrameRequest(THUMB, swatches.key(1), None),
            FrameRequest(PROXY, swatches.key(1), None),
        )
        pictures.thumbs.want("view", [thumb])
        pictures.frames.want("view", [proxy_])
        qtbot.waitUntil(lambda: bool(pictures.thumbs.get(thumb) and pictures.frames.get(proxy_)))
        assert swatches.shows(pictures.frames.get(proxy_).image, 70, 30, 1)
    finally:
        pictures.close()
