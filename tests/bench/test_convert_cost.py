"""The cost of convert and sharpness, relative to a bare decode of the same files.

Measured as processor time of one thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import pytest
import simplejpeg

from curator.imaging import pixels, quality
from curator.model import Kind, StageJob
from curator.stages.convert import convert
from tests.photos import write_dng

Act = Callable[[], object]


def costs(*acts: Act) -> list[float]:
    """Return the least processor time of each, in seconds; they take turns, as machines change."""
    spent: list[list[float]] = [[] for _ in acts]
    for _ in range(5):
        for act, times in zip(acts, spent, strict=True):
            begin = time.process_time()
            act()
            times.append(time.process_time() - begin)
    return [min(times) for times in spent]


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
        decode = partial(simplejpeg.decode_jpeg, path.read_bytes(), "GRAY")
        job = StageJob(1, "convert", str(path), Kind.IMAGE, str(tmp_path))
        least = costs(decode, partial(convert, job))
        bare, whole = bare + least[0], whole + least[1]
    assert whole / bare <= 3.0, f"{whole / bare:.2f}"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_sharpness_costs_at_most_six_tenths_of_a_bare_decode(large: list[Path]) -> None:
    bare = measuring = 0.0
    for path in large:
        data = path.read_bytes()
        rgb = simplejpeg.decode_jpeg(data)
        least = costs(
            partial(simplejpeg.decode_jpeg, data, "GRAY"),
            lambda rgb=rgb: quality.sharpness(rgb, pixels.block_average(rgb, 2)),
        )
        bare, measuring = bare + least[0], measuring + least[1]
    assert measuring / bare <= 0.6, f"{measuring / bare:.2f}"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_raw_with_its_preview_converts_five_times_faster(tmp_path: Path) -> None:
    jobs = []
    for name, preview in (("with", True), ("without", False)):
        path = write_dng(tmp_path / f"{name}.dng", size=(6000, 4000), preview=preview)
        jobs.append(StageJob(1, "convert", str(path), Kind.RAW, str(tmp_path)))
    quick, slow = costs(*(partial(convert, job) for job in jobs))
    assert slow / quick >= 5, f"{slow / quick:.1f}"
