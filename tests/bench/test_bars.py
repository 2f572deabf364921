"""`curator bench` runs from end to end: every bar gives figures, each with its reference beside it.

What is asserted are ratios to bare libraries in the same run, never seconds: these move by half
with the machine's hour, its ratios do not.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curator import bench

# A busy neighbour moves seconds, but not memory, a likeness, or a bar that is a ratio itself: these
# have to hold.
CLOCK = ("ms", "s")
# How many references seconds may be: two to three times what they are here, idle and busy. What is
# not listed has a tail that a busy neighbour moves more than the reference's.
MOST: dict[str, dict[str, float]] = {
    "commit": {
        "mark to commit with the pipeline writing, p99": 10,
        "mark to commit with the pipeline idle, p99": 6,
    },
    "large": {
        "window on 100,000 photos, thumbnails painted": 2,
        "the same with nothing kept, all read": 5,
        "another filter, painted, worst": 6,
        "another order, painted, worst": 4,
        "another scope, painted, worst": 4,
    },
    "stacks": {
        "stacks of 100,000 photos": 30,
    },
    "sidecars": {
        "1,000 sidecars merged and written": 12,
        "1,000 sidecars that say so already": 15,
    },
    "search": {
        "words found and ranked among 100,000 photos, p95": 5,
        "what looks like a phrase, of 100,000, median": 2,
    },
    "taste": {
        "refit and re-score of 100,000 photos, median": 9,
        "nearest of 100,000 vectors, median": 1.5,
    },
}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the bars share: a library of 100,000 photos is drawn once."""
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
    """Say which figures miss a bar that is no time, or are more references than they may be."""
    most = MOST.get(name, {})
    assert set(most) <= {figure["what"] for figure in figures}
    return [
        figure["sentence"]
        for figure in figures
        if ((figure["per_reference"] or figure["unit"] not in CLOCK) and not figure["holds"])
        or (figure["ratio"] or 0.0) > most.get(figure["what"], math.inf)
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", bench.bars())
def test_a_bar_can_be_measured(name: str, tmp_path: Path, stock: Path) -> None:
    if (lack := bench.bars()[name].missing()) is not None:
        pytest.skip(lack)
    # A busy neighbour can spoil even a ratio; not three in a row.
    for _ in range(3):
        figures = measured(name, tmp_path, stock)
        if not beyond(name, figures):
            break
    assert figures
    for figure in figures:
        print(figure["sentence"])
        assert figure["value"] > 0 and figure["limit"] > 0
        assert (figure["ratio"] or 0) > 0 or figure["alone"], "neither reference nor reason"
        assert len(figure["what"]) <= 50, "the table is wider than a terminal"
    assert beyond(name, figures) == []
