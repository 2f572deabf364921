"""`curator bench` runs from end to end: every bar gives figures, with its reference beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curator import bench

# These compare processor time with processor time of the same run: no clock decides.
STEADY = ("convert", "raw", "flat")


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
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", bench.bars())
def test_a_bar_can_be_measured(name: str, tmp_path: Path, stock: Path) -> None:
    if (lack := bench.bars()[name].missing()) is not None:
        pytest.skip(lack)
    # A busy neighbour can spoil even a ratio of processor times; not three in a row.
    for _ in range(3 if name in STEADY else 1):
        figures = measured(name, tmp_path, stock)
        if all(figure["holds"] for figure in figures):
            break
    assert figures
    for figure in figures:
        print(figure["sentence"])
        assert figure["value"] > 0 and figure["limit"] > 0
        if name in STEADY:
            assert figure["reference"] > 0
            assert figure["holds"], figure["sentence"]
