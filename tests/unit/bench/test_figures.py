"""Figures, the table of a run, and the list of bars for `--only`."""

from __future__ import annotations

import argparse
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from curator import bench
from curator.bench import sidecars, stacks
from curator.bench.figures import (
    Bar,
    Figure,
    PairedTimes,
    Reference,
    Workspace,
    percentile,
)
from curator.cli.output import Output, columns
from curator.cli.verbs import parse
from curator.home import Home
from curator.model import KnownError, UsageError

LONGEST = 50  # characters of a figure's text
GREY = Reference("gray decode", 100.0)
PLAIN = Figure("a key", 12.0, "ms", 16.0, Reference("bare drawing", 4.0))
ALONE = Figure("precision", 12.0, "cosine", 16.0, "no speed")
RATIO = Figure("convert", 300.0, "ms", 3.0, GREY, per_reference=True)
FASTER = Figure(
    "preview", 100.0, "ms", 5.0, Reference("demosaic", 500.0), per_reference=True, at_least=True
)

# The rows of the design's table of speed, and the bars that measure them.
DESIGN = {
    "convert JPEGs of 6 MP and more, sharpness": {"convert"},
    "convert a 24 MP RAW with a full-size preview": {"raw"},
    "first photo on screen after opening 10,000 files, 1,000 thumbnails": {"first"},
    "key to painted frame, prefetched and cold": {"keys"},
    "mark to committed": {"commit"},
    "window with a 100,000-photo catalog, grid scroll, memory": {"large"},
    "CLIP on a CPU": {"clip"},
    "refit and re-score 100,000 photos": {"taste"},
    "similar / text search over 100,000 vectors": {"taste", "search"},
    "stacks over 100,000 photos": {"stacks"},
}


@pytest.mark.parametrize("figure", [PLAIN, ALONE, RATIO, FASTER])
def test_a_figure_within_its_limit_holds_and_beyond_it_does_not(figure: Figure) -> None:
    assert figure.holds and "holds" in figure.sentence()
    worse = replace(figure, value=figure.value * 1.5)
    assert not worse.holds and "MISSED" in worse.sentence()


def test_a_sentence_names_figure_reference_ratio_and_bar() -> None:
    assert RATIO.sentence() == "convert: 300 ms (gray decode 100 ms) = 3 ×; bar ≤ 3 ×: holds"
    assert FASTER.sentence() == "preview: 100 ms (demosaic 500 ms) = 5 ×; bar ≥ 5 ×: holds"
    assert PLAIN.sentence() == "a key: 12 ms (bare drawing 4 ms) = 3 ×; bar ≤ 16 ms: holds"
    assert ALONE.sentence() == "precision: 12 cosine; bar ≤ 16 cosine: holds"


def test_a_figure_needs_a_reference_or_the_reason_for_having_none() -> None:
    with pytest.raises(TypeError, match="reference"):
        Figure("a key", 12.0, "ms", 16.0)  # type: ignore[call-arg]


def test_a_ratio_to_nothing_is_none_and_holds_no_bar() -> None:
    missing = replace(RATIO, reference=Reference("gray decode", 0.0))
    assert missing.ratio is None and not missing.holds
    assert replace(missing, per_reference=False, limit=300.0).holds


def test_actions_and_references_are_compared_at_the_same_percentile() -> None:
    pairs = PairedTimes()
    for number in range(1, 101):
        pairs.add(number / 1000, number / 2000)
    figure = pairs.figure("a key", 0.99, 16.0, "bare drawing", "and more")
    assert (figure.what, figure.value, figure.unit) == ("a key, p99", 100.0, "ms")
    assert figure.ratio == pytest.approx(2.0) and not figure.holds
    assert figure.note == "median of 100: 51.0 ms, reference 25.5 ms; and more"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.5) == 51
    assert percentile(values, 0.99) == 100
    assert percentile([7.0], 0.99) == 7


def asked(*only: str, **others: object) -> argparse.Namespace:
    given = {"only": list(only), "photos": None, "stock": None, "history": False, "times": 1}
    given |= {"make_catalog": None, "count": 100, "apart": False, **others}
    return argparse.Namespace(**given)


def test_a_bar_is_measured_in_a_scratch_folder_that_is_removed_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspaces: list[Workspace] = []

    def measure(workspace: Workspace) -> list[Figure]:
        workspaces.append(workspace)
        assert workspace.scratch.is_dir()
        return [RATIO]

    monkeypatch.setattr(bench, "bars", lambda: {"one": Bar("one", "a bar", measure)})
    home = Home.at(tmp_path / "home")
    assert bench.main(home, asked("one"), Output(True)) == 0
    run = json.loads(capsys.readouterr().out)
    (figure,) = run["figures"]
    assert (figure["ratio"], figure["holds"], figure["limit"]) == (3.0, True, 3.0)
    assert (figure["unit"], figure["reference"], figure["per_reference"]) == ("ms", 100.0, True)
    assert {"processor", "cores", "load", "system", "libraries"} <= set(run["machine"])
    assert {"Python", "Qt", "numpy", "libjpeg-turbo"} <= set(run["machine"]["libraries"])
    assert run["at"] and run["version"]
    assert not workspaces[0].scratch.exists() and not home.catalog.exists()


def test_the_measured_library_has_the_number_of_photos_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    bar = Bar("one", "a bar", lambda workspace: counts.append(workspace.count) or [RATIO])
    monkeypatch.setattr(bench, "bars", lambda: {"one": bar, "two": replace(bar, name="two")})

    run = subprocess.run

    def here(words: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Measure in this process instead of another."""
        if "bench" not in words:
            return run(words, **options)
        assert bench.main(home, parse(words[words.index("bench") :]), Output(True)) == 0
        return subprocess.CompletedProcess(words, 0, json.dumps({"figures": []}))

    monkeypatch.setattr(subprocess, "run", here)
    home = Home.at(tmp_path / "home")
    for words in (["--only", "one"], ["--only", "one", "--count", "300"], ["--count", "20"]):
        assert bench.main(home, parse(["bench", *words]), Output(True)) == 0
    assert counts == [100_000, 300, 20, 20]


def test_the_error_about_an_unknown_bar_lists_all_bars(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="limbo") as caught:
        bench.main(Home.at(tmp_path), asked("limbo"), Output(False))
    assert "convert" in caught.value.remedy


def test_all_bars_run_if_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(bench, "_measure_in_process", lambda name, *_: ran.append(name) or [])
    lacks = [name for name, bar in bench.bars().items() if bar.missing()]
    assert bench.main(Home.at(tmp_path / "home"), asked(), Output(True)) == 0
    assert [*ran, *lacks] == sorted(bench.bars(), key=[*ran, *lacks].index)
    assert set.union(*DESIGN.values()) <= set(ran) | set(lacks)
    assert set(lacks) <= {"clip"}, "which needs more than a plain install"


def test_the_other_bars_are_measured_if_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def apart(name: str, *_: object) -> list[dict[str, object]]:
        if name == "raw":
            raise KnownError("The bar raw could not be measured.")
        return [{"bar": name, **PLAIN.document()}]

    monkeypatch.setattr(bench, "_measure_in_process", apart)
    home = Home.at(tmp_path / "home")
    assert bench.main(home, asked("convert", "raw", "keys"), Output(True)) == 1
    told = capsys.readouterr()
    assert [each["bar"] for each in json.loads(told.out)["figures"]] == ["convert", "keys"]
    assert "The bar raw could not be measured." in told.err


def test_the_table_has_figure_reference_ratio_and_bar_and_fits_a_terminal() -> None:
    long = replace(PLAIN, what="x" * LONGEST, value=1234.5, reference=Reference("bare", 1000.4))
    figures = [{"bar": "sidecars", **each.document()} for each in (long, ALONE, FASTER)]
    lines = columns(bench._table(figures))
    assert max(map(len, lines)) <= 120
    rows = [" ".join(line.split()) for line in lines]
    assert rows[0] == "bar what figure reference ratio limit"
    assert rows[1].endswith("x 1,234 ms 1,000 ms 1.23 × ≤ 16 ms MISSED")
    assert rows[2] == "sidecars precision 12 cosine ≤ 16 cosine holds"
    assert rows[3] == "sidecars preview 100 ms 500 ms 5 × ≥ 5 × holds"
    notes = bench._notes(figures)
    assert notes[1:] == ["precision: no speed", "preview: reference: demosaic"]


@pytest.mark.parametrize(
    ("bar", "what", "count"), [(stacks, "_PHOTOS", 500), (sidecars, "_COUNT", 5)]
)
def test_a_bar_measures_figures_with_references(
    bar: ModuleType, what: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar, what, count)
    measure = bench.bars()[bar.__name__.rpartition(".")[2]].measure
    figures = measure(Workspace(tmp_path))
    assert len(figures) >= 2
    for figure in figures:
        assert figure.ratio is not None and figure.ratio > 0 and len(figure.what) <= LONGEST
