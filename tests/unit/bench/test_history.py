"""The history of bench runs: saved in the home, and shown side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from curator.bench import history
from curator.home import Home

EARLIER = (  # a run from before every figure had a reference
    '{"at": "2026-11-20T17:24:01+00:00", "version": "0.1.0", "commit": "c38a651", "machine":'
    ' {"processor": "x", "cores": 2, "system": "y", "python": "3.11.7"}, "figures": [{"bar":'
    ' "keys", "what": "a key", "value": 12.5, "unit": "ms", "reference": null, "reference_what":'
    ' "", "ratio": null, "limit": 16.0, "at_least": false, "holds": true, "note": ""}, {"bar":'
    ' "convert", "what": "a photo", "value": 300.0, "unit": "ms", "reference": 90.0,'
    ' "reference_what": "bare", "ratio": 3.33, "limit": 3.0, "at_least": false, "holds": false,'
    ' "note": ""}]}'
)


def figure(bar: str, what: str, value: float, **more: Any) -> dict[str, Any]:
    plain = {"ratio": value / 5, "per_reference": False, "holds": True}
    return {"bar": bar, "what": what, "value": value, "unit": "ms", **plain, **more}


def save(home: Home, *figures: dict[str, Any]) -> None:
    history.save(home, replace(history.begin(), figures=figures))


def test_a_run_is_saved_with_its_machine_and_version(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert history.runs(home) == [] and history.rows([]) == []
    save(home, figure("keys", "a key", 12.0))
    save(home, figure("keys", "a key", 17.0, holds=False))
    first, second = history.runs(home)
    assert [run.figures[0]["value"] for run in (first, second)] == [12.0, 17.0]
    assert first.version and first.machine["cores"] and first.machine["processor"]
    assert f"load {first.machine['load']} at the start" in first.where()


def test_figures_and_ratios_are_shown_side_by_side_and_misses_are_marked(
    tmp_path: Path,
) -> None:
    home = Home.at(tmp_path / "home")
    alone = figure("clip", "alike", 1.0, ratio=None)
    save(home, figure("keys", "a key", 12.0), alone)
    worse = figure("raw", "a RAW", 20.0, holds=False, per_reference=True)
    save(home, worse, figure("keys", "a key", 17.0, holds=False))
    dates, commits, *rows = history.rows(history.runs(home))
    assert dates[:3] == ["bar", "figure", "unit"] and len(dates) == len(commits) == 5
    assert rows == [
        ["keys", "a key", "ms", "12", "17 missed"],
        ["", "", "×", "2.4", "3.4"],
        ["clip", "alike", "ms", "1", ""],
        ["raw", "a RAW", "ms", "", "20"],
        ["", "", "×", "", "4 missed"],
    ]
    assert [row[1] for row in history.rows(history.runs(home), ["raw"])] == [
        "figure",
        "",
        "a RAW",
        "",
    ]


def test_figures_renamed_since_are_shown_in_one_row(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    save(home, figure("zoom", "panning at 100 %, a frame, p95", 12.0))
    save(home, figure("zoom", "panning at 100 %, per frame, p95", 11.0))
    assert history.rows(history.runs(home))[2] == [
        "zoom", "panning at 100 %, per frame, p95", "ms", "12", "11"
    ]  # fmt: skip


def test_runs_from_before_ratios_are_still_read(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home").make()
    history.file(home).write_text(EARLIER + "\n", encoding="utf-8")
    save(home, figure("keys", "a key", 10.0))
    assert history.rows(history.runs(home))[2:] == [
        ["keys", "a key", "ms", "12.5", "10"],
        ["", "", "×", "", "2"],
        ["convert", "a photo", "ms", "300", ""],
        ["", "", "×", "3.33 missed", ""],
    ]
    assert history.runs(home)[0].where() == "x, 2 cores; y; Curator 0.1.0 c38a651"


def test_a_line_cut_off_by_a_crash_is_skipped(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    save(home, figure("keys", "a key", 12.0))
    with history.file(home).open("a", encoding="utf-8") as lines:
        lines.write('{"at": "2026-')
    assert len(history.runs(home)) == 1
