"""Proxies and thumbnails on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from curator.imaging import pixels, proxy
from tests.photos import pixels_of, scene

KEY = "ab" + "0" * 30


def test_a_proxy_and_its_thumbnail_are_written(tmp_path: Path) -> None:
    picture = scene((1440, 960), 0)
    data = proxy.save(picture, tmp_path, KEY)
    assert proxy.proxy_path(tmp_path, KEY).read_bytes() == data
    assert proxy.proxy_path(tmp_path, KEY).parent.name == "ab"
    thumb = pixels_of(proxy.thumb_path(tmp_path, KEY).read_bytes())
    assert max(thumb.shape) == proxy.THUMB_PX
    assert pixels_of(data).shape == picture.shape
    assert b"Exif" not in data
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [f"{KEY}.jpg"] * 2


@pytest.mark.parametrize("size", [(6000, 4000), (5472, 3648), (2900, 1900), (1500, 1000)])
def test_shrinking_keeps_aspect_and_brightness(size: tuple[int, int]) -> None:
    picture = np.repeat(scene((size[0] // 4 or 1, size[1] // 4 or 1), 4), 4, 0).repeat(4, 1)
    small = pixels.shrink(picture, 720)
    height, width = picture.shape[:2]
    assert max(small.shape) == min(720, width)
    assert small.shape[1] / small.shape[0] == pytest.approx(width / height, rel=0.01)
    expected = cv2.resize(picture, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - expected).mean() < 3


def test_a_picture_is_never_enlarged() -> None:
    picture = scene((300, 200), 0)
    assert pixels.shrink(picture, 1440) is picture
