"""The estimated size of an export is close to the written size; for originals it is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import PhotoDetail
from curator.export import Options, write
from curator.export.size_estimates import Proxies, jpeg_bytes
from curator.imaging import proxy
from curator.imaging.decode import decode
from curator.model import Capture
from curator.workers import InlinePool
from tests.photos import draw_jpeg
from tests.unit.export.conftest import STARS, make_plan, photo


@pytest.fixture
def converted(tmp_path: Path) -> list[PhotoDetail]:
    """Two converted photos with proxies."""
    photos = []
    for number, size in enumerate(((1800, 1200), (900, 1350)), 1):
        path = draw_jpeg(tmp_path / "card" / f"DSC_{number}.JPG", size=size, seed=number)
        key = f"{number:032x}"
        proxy.save(decode(path, 1440).rgb, tmp_path / "cache", key, 88)
        made = photo(number, STARS, path, capture=Capture(width=size[0], height=size[1]))
        photos.append(replace(made, proxy=key))
    return photos


@pytest.mark.parametrize(
    "how",
    [
        {"form": "original"},
        {"form": "jpeg", "long_edge_px": 1000, "jpeg_quality": 85, "sharpen": "screen"},
        {"form": "jpeg", "long_edge_px": 5000, "jpeg_quality": 92},
        {"target": "gallery", "long_edge_px": 1600, "jpeg_quality": 88},
    ],
    ids=lambda how: how.get("target") or f"{how['form']} {how.get('long_edge_px', '')}",
)
def test_the_estimated_size_is_close_to_the_written_size(
    converted: list[PhotoDetail], tmp_path: Path, how: dict[str, object]
) -> None:
    options = Options(tmp_path / "out", proxies=Proxies(tmp_path / "cache"), **how)  # type: ignore[arg-type]
    plan = make_plan(converted, options)
    report = write(plan, pool=InlinePool())
    assert report.failed == [] and report.bytes
    if how.get("form") == "original":
        assert plan.bytes_to_write == report.bytes
    assert 0.6 < plan.bytes_to_write / report.bytes < 1.6  # drawings are not photos


def test_the_estimate_depends_on_detail_quality_and_size(tmp_path: Path) -> None:
    proxies = Proxies(tmp_path)
    for key, size in (("plain" * 7, 60_000), ("busy" * 8, 600_000)):
        path = proxy.proxy_path(tmp_path, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    plain, busy = (
        jpeg_bytes((6000, 4000), 2560, 88, "off", proxies, key) for key in ("plain" * 7, "busy" * 8)
    )
    assert 7 < busy / plain < 14
    sizes = [jpeg_bytes((6000, 4000), 2560, quality) for quality in range(60, 101)]
    assert sizes == sorted(sizes)
    assert jpeg_bytes((640, 480), 20000, 88) == jpeg_bytes((640, 480), 640, 88)
    assert jpeg_bytes((0, 0), 2560, 88) > 0


def test_a_missing_proxy_stops_no_plan(tmp_path: Path) -> None:
    assert Proxies(tmp_path).density("56c844", 1000) is None
