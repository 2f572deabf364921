"""Zooming to 100 % shows the pixels of the original, and of no other file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from curator.home import Home
from curator.imaging import decode
from curator.ui.loupe import pan_zoom
from curator.ui.loupe.loupe_view import LoupeView
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg, write_dng

SIZE = (1800, 1200)


@pytest.mark.slow
def test_an_evening_at_100_percent(
    qtbot: QtBot, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pan_zoom, "PEEK_S", 60.0)  # a tap stays one on a busy machine
    shoot = tmp_path / "shoot"
    write_dng(shoot / "A_PAIR.DNG", size=SIZE, seed=1)
    draw_jpeg(shoot / "A_PAIR.JPG", size=SIZE, seed=1)
    gone = draw_jpeg(shoot / "B_GONE.JPG", size=SIZE, seed=2)
    changed = draw_jpeg(shoot / "C_CHANGED.JPG", size=SIZE, seed=3)
    cv2.imwrite(str(shoot / "D_ONE.png"), np.full((1, 1, 3), 200, np.uint8))
    evening = Evening(qtbot, home).open(shoot, photos=4)
    try:
        gone.unlink()
        draw_jpeg(changed, size=SIZE, seed=9)  # as an editor saves over it
        evening.press("E", "Home", "Z").until(lambda: "100 % · RAW+J · JPEG" in said(evening))
        assert shows(evening, shoot / "A_PAIR.JPG")
        evening.press("R").until(lambda: "100 % · RAW+J · RAW" in said(evening))
        evening.press("J").until(lambda: " · RAW · Highlights" in said(evening))
        evening.press("J", "R").until(lambda: "100 % · RAW+J · JPEG" in said(evening))
        evening.press("Right").until(lambda: "proxy 1,440 px: the file is no" in said(evening))
        evening.press("Right").until(lambda: shows(evening, changed))
        evening.press("Right").until(lambda: loupe(evening).is_full_resolution)
        assert evening.name() == "D_ONE"
    finally:
        evening.close()


def loupe(evening: Evening) -> LoupeView:
    return evening.window.loupe


def said(evening: Evening) -> str:
    """Return the loupe's accessible description."""
    loupe(evening).grab()
    return loupe(evening).accessibleName()


def shows(evening: Evening, path: Path) -> bool:
    """Whether the middle of the loupe has exactly the pixels of a file, without overlays."""
    view = loupe(evening)
    if not view.is_full_resolution:
        return False
    place, picture = view.place(), decode.decode(path).rgb
    image = view.grab().toImage()
    x, y = view.width() // 2, view.height() // 2
    spots = [(x + dx, y + dy) for dx in range(-200, 200, 7) for dy in range(-150, 150, 7)]
    found = [image.pixelColor(*spot).getRgb()[:3] for spot in spots]
    wanted = [tuple(picture[row - place.y(), column - place.x()]) for column, row in spots]
    return sum(a == b for a, b in zip(found, wanted, strict=True)) > 0.98 * len(spots)
