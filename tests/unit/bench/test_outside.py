"""The bar from outside: colors that tell photos apart, and when a key counts as answered."""

from __future__ import annotations

import pytest

from curator.bench import outside
from curator.model import KnownError


def test_each_photo_has_a_color_of_its_own_that_survives_decoding() -> None:
    for number in range(outside._PHOTOS):
        color = outside._color(number)
        assert outside.photo_of([level + 5 for level in color]) == number
    assert outside.photo_of((25, 25, 25)) is None


class FakeViewer:
    """A viewer on a clock of its own: each photo appears some time after its key."""

    def __init__(self, late_s: list[float]) -> None:
        self.now, self.late_s = 0.0, late_s
        self.keys: list[float] = []

    def press(self) -> None:
        self.keys.append(self.now)

    def photo(self) -> int:
        shown = zip(self.keys, self.late_s, strict=False)
        return max((n for n, (at, late) in enumerate(shown, 1) if self.now >= at + late), default=0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def stepped(self, every_s: float) -> list[float]:
        count = len(self.late_s)
        return outside.stepped(self.press, self.photo, count, every_s, lambda: self.now, self.sleep)


def test_each_key_is_timed_to_its_own_photo() -> None:
    late = [0.010, 0.030, 0.020]
    assert FakeViewer(late).stepped(0.1) == [pytest.approx(each, abs=0.001) for each in late]


def test_keys_keep_their_pace_and_a_skipped_photo_counts_with_the_next() -> None:
    viewer = FakeViewer([0.5, 0.1, 0.1])  # the first is never seen: the second is there before it
    times = viewer.stepped(0.1)
    assert viewer.keys == [pytest.approx(at, abs=0.001) for at in (0, 0.1, 0.2)]
    assert times == [pytest.approx(each, abs=0.002) for each in (0.2, 0.1, 0.1)]


def test_a_photo_that_never_comes_is_an_error() -> None:
    with pytest.raises(KnownError, match="Photo 2 "):
        FakeViewer([0.01, 60.0]).stepped(0.1)
