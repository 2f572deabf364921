"""Run every bar of `curator bench` from end to end and check its figures.

The assertions are about ratios to bare libraries in the same run, never about seconds, which change
by half with the load of the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curator import bench

# Load changes seconds, but not memory, precision or figures limited by their ratio.
CLOCK = ("ms", "s")
# Largest ratio to the reference: two to three times the ratio measured, idle and busy. It replaces
# the bar of a figure that is a ratio of two tails, or of the differences of two short times. For
# figures not listed, load changes the tail more than that of the reference.
MAX_RATIO: dict[str, dict[str, float]] = {
    "convert": {
        "ingesting a JPEG, per photo": 3.2,
    },
    "flat": {
        "ingesting a JPEG into a catalog of 100,000": 1.2,
    },
    "commit": {
        "mark to commit with the pipeline writing, p99": 5,
        "mark to commit with the pipeline idle, p99": 8,
    },
    "large": {
        "window on 100,000 photos, thumbnails painted": 2,
        "the same without the cached table": 5,
        "changing the filter until painted, worst": 6,
        "changing the order until painted, worst": 4,
        "changing the scope until painted, worst": 4,
    },
    "strip": {
        "key to painted photo with face close-ups, p99": 3,
    },
    "import": {
        "second destination, processor time": 2,
    },
    "stacks": {
        "stacking 100,000 photos": 30,
    },
    "sidecars": {
        "1,000 sidecars merged and written": 12,
        "1,000 sidecars already up to date": 15,
    },
    "search": {
        "words found and ranked among 100,000 photos, p95": 5,
        "photos that look like a phrase, of 100,000, median": 2,
    },
    "taste": {
        "refit and re-score of 100,000 photos, median": 9,
        "most similar of 100,000 vectors, median": 1.5,
    },
}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the library of 100,000 photos that all bars share."""
    return tmp_path_factory.mktemp("stock")


def measured(name: str, home: Path, stock: Path) -> list[dict[str, Any]]:
    words = ["--home", home, "bench", "--only", name, "--stock", stock, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "curator", *words], stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done.stdout
    found: list[dict[str, Any]] = json.loads(done.stdout)["figures"]
    return found


def beyond(name: str, figures: list[dict[str, Any]]) -> list[str]:
    """Return the figures that exceed their largest ratio, or miss a limit other than seconds."""
    most = MAX_RATIO.get(name, {})
    assert set(most) <= {figure["what"] for figure in figures}
    return [figure["sentence"] for figure in figures if _is_beyond(figure, most)]


def _is_beyond(figure: dict[str, Any], most: dict[str, float]) -> bool:
    if figure["what"] in most:
        return (figure["ratio"] or 0.0) > most[figure["what"]]
    return not figure["holds"] and (figure["per_reference"] or figure["unit"] not in CLOCK)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", bench.bars())
def test_a_bar_can_be_measured(name: str, tmp_path: Path, stock: Path) -> None:
    if (lack := bench.bars()[name].missing()) is not None:
        pytest.skip(lack)
    # Load can spoil even a ratio, but not three times in a row.
    for _ in range(3):
        figures = measured(name, tmp_path, stock)
        if not beyond(name, figures):
            break
    assert figures
    for figure in figures:
        print(figure["sentence"])
        assert figure["value"] > 0 and figure["limit"] > 0
        assert (figure["ratio"] or 0) > 0 or figure["alone"], "a reference or a reason"
        assert len(figure["what"]) <= 50, "the table must fit a terminal"
    assert beyond(name, figures) == []
