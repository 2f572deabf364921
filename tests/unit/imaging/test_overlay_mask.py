"""Overlays of a zoomed picture stay fixed to it, at every zoom and position."""

from __future__ import annotations

import numpy as np
import pytest

from curator.imaging import screen
from curator.imaging.overlay import CLIPPING, KINDS, PEAKING, TILES, Overlay, measure
from curator.imaging.overlay_mask import draw
from tests.photos import scene

WHOLE = (300, 200)


@pytest.fixture(scope="module")
def spots() -> np.ndarray:
    """Draw a gray picture with a blown and a black rectangle."""
    rgb = np.full((200, 300, 3), 128, np.uint8)
    rgb[40:80, 60:120] = 255
    rgb[120:160, 200:280] = 0
    return rgb


def over(found: Overlay, zoom: float, area: tuple[int, int, int, int] | None = None) -> np.ndarray:
    size = round(WHOLE[0] * zoom), round(WHOLE[1] * zoom)
    layer = draw(found, WHOLE, size, area or (0, 0, *size))
    assert layer is not None
    return layer


@pytest.mark.parametrize("zoom", [0.25, 0.5, 1.0, 2.0, 8.0])
def test_only_clipped_areas_are_covered(spots: np.ndarray, zoom: float) -> None:
    layer = over(measure(spots, {CLIPPING}), zoom)
    alpha = layer[:, :, 3]
    wanted = np.zeros((200, 300), bool)
    wanted[40:80, 60:120] = wanted[120:160, 200:280] = True
    if zoom < 1:
        step = round(1 / zoom)
        assert np.array_equal(alpha > 0, wanted[::step, ::step])
    else:
        times = round(zoom)
        assert np.array_equal(alpha > 0, wanted.repeat(times, 0).repeat(times, 1))


def test_highlights_are_white_and_shadows_black_under_lines_that_lean_apart(
    spots: np.ndarray,
) -> None:
    layer = over(measure(spots, {CLIPPING}), 1.0)
    high, low = layer[40:80, 60:120, 0], layer[120:160, 200:280, 0]
    assert (high == 255).mean() == pytest.approx(2 / 3, abs=0.02)
    assert (low == 0).mean() == pytest.approx(2 / 3, abs=0.02)
    assert np.array_equal(high[1:, :-1], high[:-1, 1:])  # up to the right
    assert np.array_equal(low[1:, 1:], low[:-1, :-1])  # down to the right
    row = (high[0] != 255).astype(int)
    ends = np.flatnonzero(np.diff(row))
    assert set(np.diff(ends)) == {2, 4}  # lines of 2 px, 4 px apart


@pytest.mark.parametrize("zoom", [0.5, 1.0, 2.0, 8.0])
def test_a_part_is_drawn_as_in_the_full_picture(spots: np.ndarray, zoom: float) -> None:
    found = measure(spots, KINDS)
    whole = over(found, zoom)
    width, height = round(150 * zoom), round(90 * zoom)
    for x, y in ((0, 0), (31, 17), (77, 45)):
        area = (round(x * zoom) + 1, round(y * zoom) + 1, width, height)
        part = whole[area[1] : area[1] + height, area[0] : area[0] + width]
        assert np.array_equal(over(found, zoom, area), part)


def test_where_nothing_is_clipped_nothing_is_drawn() -> None:
    found = measure(np.full((200, 300, 3), 128, np.uint8), {CLIPPING})
    assert draw(found, WHOLE, WHOLE, (0, 0, *WHOLE)) is None


@pytest.mark.parametrize("kind", [TILES, PEAKING])
def test_a_sharp_subject_keeps_its_brightness_or_is_drawn_in_white(kind: str) -> None:
    picture = scene((1200, 800), 0, "subject")
    layer = draw(measure(picture, {kind}), (1200, 800), (600, 400), (0, 0, 600, 400))
    assert layer is not None
    inside, outside = layer[150:250, 220:380].astype(int), layer[:100].astype(int)
    if kind == TILES:
        assert np.median(inside[..., 3]) < 20 < 100 < np.median(outside[..., 3])
    else:
        assert inside[..., 0].mean() > 10 * outside[..., 0].mean()
        assert outside[..., 3].min() > 100


def test_without_pixel_marks_the_shares_are_drawn(spots: np.ndarray) -> None:
    found = measure(spots, {CLIPPING})
    exact = over(found, 2.0)[..., 3] > 0
    found.marks = None
    assert (exact ^ (over(found, 2.0)[..., 3] > 0)).mean() < 0.02


# --- cutting and scaling


def test_from_200_percent_on_pixels_can_be_told_apart() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    for times in (2, 4, 8):
        where = screen.cut((30, 20), (30 * times, 20 * times), (5 * times, 3 * times, 40, 40))
        shown = screen.scaled(picture[where.rows, where.columns], where)
        assert (where.x, where.y) == (5 * times, 3 * times)
        exact = picture[where.rows, where.columns].repeat(times, 0).repeat(times, 1)
        assert np.array_equal(shown, exact)


def test_at_100_percent_nothing_is_copied() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    where = screen.cut((30, 20), (30, 20), (4, 5, 10, 11))
    shown = screen.scaled(picture[where.rows, where.columns], where)
    assert np.shares_memory(shown, picture)
    assert shown.shape == (11, 10, 3)


def test_a_smaller_picture_does_not_shimmer_as_it_is_panned() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (400, 600, 3), np.uint8)
    whole_cut = screen.cut((600, 400), (150, 100), (0, 0, 150, 100))
    whole = screen.scaled(picture, whole_cut)
    for x in range(0, 40, 3):
        where = screen.cut((600, 400), (150, 100), (x, 7, 60, 50))
        shown = screen.scaled(picture[where.rows, where.columns], where)
        part = whole[where.y : where.y + where.height, where.x : where.x + where.width]
        assert np.array_equal(shown, part)


def test_only_the_visible_part_of_a_panorama_is_cut_at_800_percent() -> None:
    pano = np.zeros((20, 60_000, 3), np.uint8)
    pano[:, 59_990:] = (9, 8, 7)
    size = (480_000, 160)
    where = screen.cut((60_000, 20), size, (479_000, 10, 1000, 100))
    shown = screen.scaled(pano[where.rows, where.columns], where)
    assert (where.x, where.width, shown.shape[1]) == (479_000, 1000, 1000)
    assert shown[50, 919].tolist() == [0, 0, 0] and shown[50, 920].tolist() == [9, 8, 7]


def test_one_pixel_can_be_enlarged() -> None:
    where = screen.cut((1, 1), (8, 8), (0, 0, 8, 8))
    assert screen.scaled(np.full((1, 1, 3), 7, np.uint8), where).shape == (8, 8, 3)
