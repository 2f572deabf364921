"""When the loupe reads originals: not while the next key comes before the decode would end."""

from __future__ import annotations

import pytest

from curator.ui.loupe.pace import StepPace

LEAST, WORK = 0.04, 0.2


class Hand:
    """Steps on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pace = StepPace(lambda: self.now)

    def step(self, after_s: float) -> float:
        self.now += after_s
        self.pace.step()
        return self.pace.delay_s(LEAST, WORK)


def test_the_first_photos_are_read_at_once() -> None:
    assert Hand().step(0.0) == LEAST


@pytest.mark.parametrize("every_s", [0.03, 0.125, 0.2])
def test_nothing_is_read_while_keys_come_faster_than_it_ends(every_s: float) -> None:
    hand = Hand()
    hand.step(0.0)
    for _ in range(10):
        assert hand.step(every_s) > every_s


def test_at_an_easy_pace_each_photo_is_read_at_once() -> None:
    hand = Hand()
    assert {hand.step(0.3) for _ in range(10)} == {LEAST}


def test_a_hand_that_slows_down_is_followed_within_three_steps() -> None:
    hand = Hand()
    for _ in range(10):
        hand.step(0.1)
    for _ in range(3):
        delay = hand.step(0.5)
    assert delay == LEAST


def test_after_a_pause_the_pace_is_unknown() -> None:
    hand = Hand()
    for _ in range(10):
        hand.step(0.1)
    assert hand.step(5.0) == LEAST
