"""The history of bench runs: saved in the home, and judged by the noise of earlier runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator import bench
from curator.bench import history
from curator.bench.figures import Bar, Figure, Reference, Workspace
from curator.bench.history import Run, Trend
from curator.cli.output import Output, columns
from curator.cli.verbs import parse
from curator.home import Home

KEY = Figure("a key", 12.0, "ms", 16.0, Reference("bare drawing", 4.0))
QUIET = [4.0, 4.1, 3.9, 4.0, 4.05, 3.95]  # references of a quiet machine


def run(*figures: Figure, bar: str = "keys", **more: Any) -> Run:
    begun = replace(history.begin(100_000), at="2026-11-20T17:24:01+00:00", commit="c38a6517")
    return replace(begun, figures=[{"bar": bar, **each.document()} for each in figures], **more)


def timed(value: float, reference: float, figure: Figure = KEY) -> Figure:
    return replace(figure, value=value, reference=Reference("bare drawing", reference))


def trend(figures: Sequence[Figure], times: int = 1) -> Trend:
    """Return the trend of a figure over a run each."""
    (found,) = history.trends([run(each) for each in figures], times=times)
    return found


def usual(times: float = 3.0) -> list[Figure]:
    """Return six runs whose ratio is about ``times``, within 3 %."""
    noise = [1.0, 1.01, 0.98, 1.03, 0.99, 1.0]
    return [timed(times * bare * by, bare) for bare, by in zip(QUIET, noise, strict=True)]


def test_a_slow_machine_is_noise_and_a_slow_program_is_not() -> None:
    slow_machine = trend([*usual(), timed(24.0, 8.0)])
    assert slow_machine.runs[-1].value == 24.0 and slow_machine.newest == 3.0
    assert slow_machine.verdict == "within noise"
    slow_program = trend([*usual(), timed(18.0, 4.0)])
    assert slow_program.verdict == "slower"
    assert (slow_program.earlier, slow_program.newest) == (trend(usual()).ratio, 4.5)
    assert trend([*usual(), timed(8.0, 4.0)]).verdict == "faster"
    fast_machine = trend([*usual(), timed(12.0, 2.0)])
    assert fast_machine.verdict == "slower", "although it took as long as before"


def test_a_small_change_or_one_that_occurs_anyway_is_noise() -> None:
    assert trend([*usual(), timed(4 * 3.2, 4.0)]).verdict == "within noise", "less than 10 %"
    ratios = [2.0, 4.0, 3.0, 2.5, 3.5, 3.0]
    noisy = [timed(4 * each, 4.0) for each in ratios]
    assert trend([*noisy, timed(4 * 4.5, 4.0)]).verdict == "within noise"
    once = [*usual()[:5], timed(40.0, 4.0)]
    assert trend([*once, timed(18.0, 4.0)]).verdict == "slower", "one outlier hides nothing"


def test_four_earlier_runs_are_too_few() -> None:
    worse = timed(40.0, 4.0)
    assert trend([*usual()[:4], worse]).verdict == "too few runs"
    assert trend([*usual()[:4], worse]).earlier is None
    assert trend([*usual()[:5], worse]).verdict == "slower"
    assert trend([worse]).verdict == "too few runs"


def test_the_newest_runs_are_judged_by_their_median() -> None:
    disturbed = [timed(12.0, 4.0), timed(12.1, 4.0), timed(40.0, 4.0)]
    assert trend([*usual(), *disturbed]).verdict == "slower"
    assert trend([*usual(), *disturbed], times=3).verdict == "within noise"
    assert trend([*usual(), *disturbed], times=3).newest == pytest.approx(12.1 / 4)


def test_a_bar_that_failed_is_not_replaced_by_an_earlier_run() -> None:
    failed = [run(timed(3.0, 1.0), bar="zoom") for _ in range(2)]
    runs = [*map(run, usual()), *failed, run(timed(18.0, 4.0))]
    (found,) = history.trends(runs, only=["keys"], times=3)
    assert found.newest == 4.5


def test_what_is_better_when_higher_and_what_is_no_time_are_named_right() -> None:
    faster = replace(KEY, limit=2.0, per_reference=True, at_least=True)
    before = [timed(4.0, 12.0, faster) for _ in range(5)]
    assert trend([*before, timed(6.0, 12.0, faster)]).verdict == "slower"
    assert trend([*before, timed(3.0, 12.0, faster)]).verdict == "faster"
    memory = replace(KEY, unit="MB")
    assert trend([memory] * 5 + [timed(20.0, 4.0, memory)]).verdict == "larger"
    alone = replace(KEY, reference="not a speed")
    assert trend([alone] * 5 + [replace(alone, value=40.0)]).verdict == "no reference"


def test_a_figure_is_not_compared_with_one_that_has_another_reference() -> None:
    other = replace(KEY, reference=Reference("drawing with shadows", 12.0))
    found = trend([*usual(), other])
    assert (found.reference, found.verdict) == ("drawing with shadows", "too few runs")
    assert [each.value for each in found.runs] == [None] * 6 + [12.0]


def test_misses_are_counted_by_the_newest_limit() -> None:
    figures = [replace(KEY, value=value, limit=30.0) for value in (12.0, 17.0, 25.0)]
    found = trend([*figures, KEY])
    assert (found.limit, found.missed) == ("≤ 16 ms", 2)


def test_the_table_shows_the_last_eight_runs_of_each_bar_in_120_columns() -> None:
    long = replace(KEY, what="x" * 50, value=0.5714, reference=Reference("bare", 0.1234), limit=0.1)
    runs = [run(long, commit="")] * 3 + [run(long, KEY)] * 7 + [run(replace(long, value=0.8123))]
    runs[-2] = run(KEY, KEY, bar="zoom")
    lines = columns(history.rows(history.trends(runs)))
    assert max(map(len, lines)) <= 120
    words = [" ".join(line.split()) for line in lines]
    assert words[:6] == [
        f"keys {'11-20 ' * 8}median ± spread",
        " ".join(["17:24"] * 8),
        " ".join(["0.1.0", *["c38a6"] * 7]),
        f"{long.what} {'0.571 ' * 7}0.812 0.571 ± 0 ms",
        f"slower, 6.58 after 4.63; ≤ 0.1 ms missed 8 of 8 {'4.63 ' * 7}6.58 4.63 ± 0 ×",
        "zoom 11-20 median ± spread",
    ]
    assert words[-1] == "too few runs; ≤ 16 ms held 3 3 ± 0 ×"
    assert [each.bar for each in history.trends(runs, ["zoom"])] == ["zoom"]
    assert history.rows([]) == history.rows(history.trends([])) == []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


@pytest.fixture
def answer(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """Run ``curator bench`` with a bar ``keys`` that is measured in this process."""
    bar = Bar("keys", "a key", lambda workspace: [KEY])

    def apart(name: str, *_: object) -> list[dict[str, Any]]:
        return [{"bar": name, **each.document()} for each in bar.measure(Workspace(home.data))]

    monkeypatch.setattr(bench, "bars", lambda: {"keys": bar})
    monkeypatch.setattr(bench, "_measure_in_process", apart)

    def run(*words: str) -> dict[str, Any]:
        assert bench.main(home, parse(["bench", *words]), Output(True)) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return run


def test_each_repetition_is_saved_and_the_history_answered(
    home: Home, answer: Callable[..., dict[str, Any]]
) -> None:
    answer("--only", "keys", "--times", "2")
    (figure,) = answer("--only", "keys", "--times", "3")["figures"]
    assert len(history.runs(home)) == len(figure["runs"]) == 5
    assert (figure["bar"], figure["what"], figure["unit"]) == ("keys", "a key", "ms")
    assert figure["runs"][0] | {"at": "", "version": ""} == {
        "at": "", "version": "", "value": 12.0, "reference": 4.0, "ratio": 3.0
    }  # fmt: skip
    assert figure["value"] == {"median": 12.0, "spread": 0.0}
    assert figure["ratio"] == {"median": 3.0, "spread": 0.0}
    assert (figure["verdict"], figure["missed"]) == ("too few runs", 0)


def test_runs_with_other_options_or_on_other_machines_are_left_out(
    home: Home, answer: Callable[..., dict[str, Any]]
) -> None:
    for words in (["--count", "300"], ["--photos", str(home.data)], []):
        answer(*words)
    begun = history.begin(100_000)
    other = begun.machine | {"cores": 1}  # type: ignore[operator]
    history.save(home, run(KEY, machine=other))
    history.save(home, run(KEY, count=None))  # an early run
    newer = str(begun.machine["system"]).partition("-")[0] + "-next-version"
    history.save(home, run(KEY, machine={**begun.machine, "system": newer}))
    for words, count in ([], 2), (["--count", "300"], 1), (["--photos", str(home.data)], 1):
        found = answer("--history", *words)
        assert len(found["figures"][0]["runs"]) == count
        assert found["other_runs"] == 6 - count
    assert answer("--history", "--count", "5") | {"setting": ""} == {
        "setting": "", "other_runs": 6, "figures": []
    }  # fmt: skip


def test_a_run_is_saved_with_its_machine_and_version(home: Home) -> None:
    assert history.runs(home) == []
    history.save(home, run(KEY))
    history.save(home, run(replace(KEY, value=17.0)))
    first, second = history.runs(home)
    assert [Figure.load(each.figures[0]).value for each in (first, second)] == [12.0, 17.0]
    assert first.version and first.machine["cores"] and first.machine["processor"]
    assert f"load {first.machine['load']} at the start" in first.where()


def test_a_line_cut_off_by_a_crash_is_skipped(home: Home) -> None:
    history.save(home, run(KEY))
    with history.file(home).open("a", encoding="utf-8") as lines:
        lines.write('{"at": "2026-')
    assert len(history.runs(home)) == 1
