"""The pace of decisions and the progress text of a mode."""

from __future__ import annotations

from curator.model import Pass
from curator.session.statistics import DecisionPace, PassProgress


def cull(**given: int | float | None) -> PassProgress:
    numbers = {
        "total": 100,
        "decided": 40,
        "seen": 7,
        "picked": 3,
        "kept": 30,
        "rejected": 10,
        "unrated": 30,
    } | given
    return PassProgress(Pass.CULL, **numbers)  # type: ignore[arg-type]


def test_no_estimate_before_twenty_decisions() -> None:
    pace = DecisionPace()
    for second in range(20):
        pace.decided(float(second))
    assert pace.seconds is None
    pace.decided(20.0)
    assert pace.seconds == 1.0


def test_pauses_are_left_out_of_the_estimate() -> None:
    pace = DecisionPace()
    moment = 0.0
    for number in range(60):
        moment += 2.0 if number % 2 else 31.0
        pace.decided(moment)
    assert pace.seconds == 2.0


def test_the_median_ignores_a_few_slow_ones() -> None:
    pace = DecisionPace()
    moment = 0.0
    for number in range(41):
        moment += 25.0 if number % 10 == 0 else 1.0
        pace.decided(moment)
    assert pace.seconds == 1.0


def test_the_cull_line_has_counts_and_an_estimate() -> None:
    line = cull(total=3012, decided=1204, picked=61, seen=412, seconds_each=60 / 38).text
    assert line == ("Cull · 1,204 of 3,012 · 61 picked · 412 skipped · 38/min · about 48 min")


def test_the_rate_line_counts_stars() -> None:
    progress = PassProgress(Pass.RATE, 772, 118, 0, 61, 772, 1828, 654)
    assert progress.text == "Rate · 118 of 772 · 654 without stars"


def test_browsing_has_no_progress() -> None:
    assert PassProgress(Pass.BROWSE, 5, 0, 0, 0, 0, 0, 0).text == ""
