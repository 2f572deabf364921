"""Runs of the bench are kept in the home, a line each, and laid side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curator.bench import history
from curator.settings import Home


def figure(bar: str, what: str, value: float, holds: bool = True) -> dict[str, Any]:
    return {"bar": bar, "what": what, "value": value, "unit": "ms", "ratio": None, "holds": holds}


def test_a_run_is_kept_with_what_it_was_measured_on(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert history.runs(home) == [] and history.rows([]) == []
    history.keep(home, [figure("keys", "a key", 12.0)])
    history.keep(home, [figure("keys", "a key", 17.0, holds=False)])
    first, second = history.runs(home)
    assert [run.figures[0]["value"] for run in (first, second)] == [12.0, 17.0]
    assert first.version and first.machine["cores"] and first.machine["processor"]


def test_figures_are_laid_side_by_side_and_a_miss_is_named(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    history.keep(home, [figure("keys", "a key", 12.0)])
    history.keep(home, [figure("zoom", "a crop", 40.0), figure("keys", "a key", 17.0, False)])
    head, *rows = history.rows(history.runs(home))
    assert head[:3] == ["bar", "figure", "unit"] and len(head) == 5
    assert rows == [
        ["keys", "a key", "ms", "12", "17 missed"],
        ["zoom", "a crop", "ms", "", "40"],
    ]
    (_, only) = history.rows(history.runs(home), ["zoom"])
    assert only == ["zoom", "a crop", "ms", "40"]


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    history.keep(home, [figure("keys", "a key", 12.0)])
    with history.file(home).open("a", encoding="utf-8") as lines:
        lines.write('{"at": "2026-')
    assert len(history.runs(home)) == 1
