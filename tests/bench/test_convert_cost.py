"""The cost of convert and sharpness, relative to a bare decode of the same files.

Measured as processor time of one thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
import simplejpeg

from curator.imaging import pixels, quality
from curator.model import Kind, StageJob
from curator.stages.convert import convert
from tests.photos import write_dng

Act = Callable[[], object]


def cost(act: Act, times: int = 3) -> float:
    """Return the least processor time of a call, in seconds."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        act()
        spent.append(time.process_time() - begin)
    return min(spent)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture
def large(corpus: Path) -> list[Path]:
    """Real camera JPEGs of 6 MP and more."""
    with (corpus / "MANIFEST.tsv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    found = []
    for row in rows:
        size = row["dims"].split("x")
        if not row["path"].startswith(("photos/", "bursts/")) or len(size) != 2:
            continue
        if row["format"].startswith("jpeg baseline") and int(size[0]) * int(size[1]) >= 6e6:
            found.append(corpus / row["path"])
    assert len(found) >= 20
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_convert_costs_no_more_than_three_bare_decodes(large: list[Path], tmp_path: Path) -> None:
    bare = whole = 0.0
    for path in large:
        data = path.read_bytes()
        job = StageJob(1, "convert", str(path), Kind.IMAGE, str(tmp_path))
        bare += cost(lambda data=data: simplejpeg.decode_jpeg(data, "GRAY"))
        whole += cost(lambda job=job: convert(job))
    assert whole / bare <= 3.0, f"{whole / bare:.2f}"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_sharpness_costs_at_most_six_tenths_of_a_bare_decode(large: list[Path]) -> None:
    bare = measuring = 0.0
    for path in large:
        data = path.read_bytes()
        rgb = simplejpeg.decode_jpeg(data)
        bare += cost(lambda data=data: simplejpeg.decode_jpeg(data, "GRAY"))
        measuring += cost(lambda rgb=rgb: quality.sharpness(rgb, pixels.block_average(rgb, 2)))
    assert measuring / bare <= 0.6, f"{measuring / bare:.2f}"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_raw_with_its_preview_converts_five_times_faster(tmp_path: Path) -> None:
    jobs = []
    for name, preview in (("with", True), ("without", False)):
        path = write_dng(tmp_path / f"{name}.dng", size=(6000, 4000), preview=preview)
        jobs.append(StageJob(1, "convert", str(path), Kind.RAW, str(tmp_path)))
    quick, slow = (cost(lambda job=job: convert(job), 4) for job in jobs)
    assert slow / quick >= 5, f"{slow / quick:.1f}"
