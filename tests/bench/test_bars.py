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
STEADY = ("convert", "raw")


def measured(name: str, home: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "curator", "--home", home, "bench", "--only", name, "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", bench.bars())
def test_a_bar_can_be_measured(name: str, tmp_path: Path) -> None:
    if (lack := bench.bars()[name].missing()) is not None:
        pytest.skip(lack)
    # A busy neighbour can spoil even a ratio of processor times; not three in a row.
    for _ in range(3 if name in STEADY else 1):
        figures = measured(name, tmp_path)
        if all(figure["holds"] for figure in figures):
            break
    assert figures
    for figure in figures:
        print(figure["sentence"])
        assert figure["value"] > 0 and figure["limit"] > 0
        if name in STEADY:
            assert figure["reference"] > 0
            assert figure["holds"], figure["sentence"]
