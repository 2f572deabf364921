"""A figure judges itself by its bar, and the list of bars is what `--only` takes."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from curator import bench
from curator.bench.figures import Bar, Figure, Place, percentile
from curator.cli.output import Output
from curator.model import UsageError
from curator.settings import Home

PLAIN = Figure("a key", 12.0, "ms", 16.0)
RATIO = Figure("convert", 300.0, "ms", 3.0, 100.0, "grey decode", per_reference=True)
FASTER = Figure("preview", 100.0, "ms", 5.0, 500.0, "demosaic", per_reference=True, at_least=True)


@pytest.mark.parametrize("figure", [PLAIN, RATIO, FASTER])
def test_a_figure_at_its_bar_holds_and_beyond_it_does_not(figure: Figure) -> None:
    assert figure.holds and "holds" in figure.sentence()
    worse = replace(figure, value=figure.value * 1.5)
    assert not worse.holds and "MISSED" in worse.sentence()


def test_a_sentence_names_figure_reference_ratio_and_bar() -> None:
    assert RATIO.sentence() == "convert: 300 ms (grey decode 100 ms) = 3.00 ×; bar ≤ 3 ×: holds"
    assert FASTER.sentence() == "preview: 100 ms (demosaic 500 ms) = 5.00 ×; bar ≥ 5 ×: holds"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.5) == 51
    assert percentile(values, 0.99) == 100
    assert percentile([7.0], 0.99) == 7


def asked(*only: str, **others: object) -> argparse.Namespace:
    given = {"only": list(only), "photos": None, "stock": None, "history": False}
    given |= {"make_catalog": None, "count": 100, "apart": False, **others}
    return argparse.Namespace(**given)


def test_one_bar_is_measured_in_a_scratch_folder_that_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places: list[Place] = []

    def measure(place: Place) -> list[Figure]:
        places.append(place)
        assert place.scratch.is_dir()
        return [RATIO]

    monkeypatch.setattr(bench, "bars", lambda: {"one": Bar("one", "a bar", measure)})
    home = Home.at(tmp_path / "home")
    assert bench.main(home, asked("one"), Output(True)) == 0
    (figure,) = json.loads(capsys.readouterr().out)
    assert (figure["ratio"], figure["holds"], figure["limit"]) == (3.0, True, 3.0)
    assert not places[0].scratch.exists() and not home.catalog.exists()


def test_an_unknown_bar_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="limbo") as caught:
        bench.main(Home.at(tmp_path), asked("limbo"), Output(False))
    assert "convert" in caught.value.remedy


def test_every_bar_of_the_design_for_the_spine_is_there() -> None:
    spine = ["convert", "raw", "again", "commit", "first", "keys", "large"]
    assert {*spine, "clip", "stacks", "taste", "search", "flat"} <= set(bench.bars())
