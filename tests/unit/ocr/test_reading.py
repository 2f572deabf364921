"""Finding and reading text: drawn lines have known words and places."""

from __future__ import annotations

import math

import numpy as np
import pytest

from curator.bench.draw import scene
from curator.bench.draw_text import Drawn, draw
from curator.ocr import reader
from curator.ocr.finder import Line, find
from curator.ocr.reader import read
from tests.text_data import needs_models

SIGNS = (
    Drawn("EXIT 12", (160, 70), 36),
    Drawn("Linden Ave", (430, 120), 20),
    Drawn("1234", (120, 240), 16),
    Drawn("Main Street", (430, 250), 18, 25),
    Drawn("TAXI", (250, 330), 26, 90),
)


@needs_models
def test_drawn_lines_are_read_where_they_are() -> None:
    picture = draw((600, 420), SIGNS)
    lines = read(find(picture), 1.0, picture)
    found = {line.text: np.array(line.corners) * (600, 420) for line in lines}
    assert sorted(found) == sorted(sign.text for sign in SIGNS)
    for sign in SIGNS:
        corners = found[sign.text]
        assert np.abs(corners.mean(axis=0) - sign.middle).max() < 8, sign
        along = corners[1] - corners[0]
        turned = math.degrees(math.atan2(along[1], along[0])) - sign.degrees
        assert abs(math.remainder(turned, 360)) < 8, sign
        height = np.linalg.norm(corners[3] - corners[0])
        assert sign.cap_px < height < 2.5 * sign.cap_px, sign


@needs_models
def test_lines_are_read_on_the_original_which_is_larger_and_upside_down() -> None:
    original = np.ascontiguousarray(
        draw((1800, 900), [Drawn("Pier 39", (900, 450), 60)])[::-1, ::-1]
    )
    small = original[::3, ::3]
    [line] = read(find(np.ascontiguousarray(small)), 3.0, original)
    assert line.text == "Pier 39" and line.confidence > 0.9
    assert line.corners[0][0] > line.corners[1][0], "it begins at the right"


@needs_models
def test_a_photo_without_text_has_none() -> None:
    picture = scene((480, 320), 3)
    assert read(find(picture), 1.0, picture) == []


@pytest.mark.parametrize(
    ("said", "confidence", "text"),
    [
        ("EXIT", 0.9, "EXIT"),
        ("  EXIT\u3000 12 ", 0.9, "EXIT 12"),
        ("a\x00b\x1b[31m\u202ec\u2069\ud800", 0.9, "ab[31mc"),
        ("EXIT", 0.6, None),
        ("7", 0.9, None),
        ("7", 0.97, "7"),
        ("eeeeee", 0.99, None),
        ("10000", 0.99, "10000"),
        ("1111", 0.999, "1111"),
        ("22222", 0.999, "22222"),
        ("7777", 0.9, None),
        ("0000", 0.99, None),
        ("111111", 0.999, None),
        ("--- . ---", 0.99, None),
        ("", 0.0, None),
    ],
)
def test_what_is_not_surely_text_is_left_out(
    monkeypatch: pytest.MonkeyPatch, said: str, confidence: float, text: str | None
) -> None:
    monkeypatch.setattr(reader, "_read", lambda strip: (said, confidence))
    lines = read([Line((50, 50), 40, 10, 0.0, 0.9)], 1.0, np.zeros((100, 100, 3), np.uint8))
    assert [line.text for line in lines] == ([] if text is None else [text])


def test_lines_at_the_edge_stay_inside_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_read", lambda strip: ("EXIT", 0.99))
    picture = np.zeros((100, 100, 3), np.uint8)
    places = [(0.0, 0.0), (100.0, 100.0), (50.0, -40.0), (400.0, 50.0)]
    lines = read([Line(place, 60, 20, 0.3, 0.9) for place in places], 1.0, picture)
    corners = np.array([line.corners for line in lines])
    assert len(lines) == 2 and corners.min() >= 0 and corners.max() <= 1
