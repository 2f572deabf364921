"""`curator bench` runs from end to end: every bar gives figures, with its reference beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from curator import bench

# These compare processor time with processor time of the same run: no clock decides.
STEADY = ("convert", "raw")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", bench.bars())
def test_a_bar_can_be_measured(name: str, tmp_path: Path) -> None:
    if (lack := bench.bars()[name].missing()) is not None:
        pytest.skip(lack)
    done = subprocess.run(
        [sys.executable, "-m", "curator", "--home", tmp_path, "bench", "--only", name, "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    figures = json.loads(done.stdout)
    assert figures
    for figure in figures:
        print(figure["sentence"])
        assert figure["value"] > 0 and figure["limit"] > 0
        if name in STEADY:
            assert figure["reference"] > 0
            assert figure["holds"], figure["sentence"]
