"""Overlays of drawn pictures, with every expected pixel known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from curator.imaging import overlay, overlay_mask, quality
from curator.imaging.overlay import (
    CLIPPING,
    HIGHLIGHT,
    HISTOGRAM,
    KINDS,
    PEAK,
    PEAKING,
    SHADOW,
    TILES,
    Overlay,
    measure,
)
from tests.photos import scene


def edges(blur_px: float = 0.0, size: tuple[int, int] = (256, 256)) -> np.ndarray:
    """Draw bars 32 px wide, dark and bright, as ``rgb``."""
    bars = np.where(np.arange(size[0]) // 32 % 2, 200, 60).astype(np.float32)
    luma = np.broadcast_to(bars, size[::-1]).copy()
    if blur_px:
        luma = cv2.GaussianBlur(luma, (0, 0), blur_px)
    return np.repeat(np.rint(luma).astype(np.uint8)[:, :, None], 3, axis=2)


def peaks(rgb: np.ndarray) -> np.ndarray:
    marks = measure(rgb, {PEAKING}).marks
    assert marks is not None
    return marks & PEAK > 0


# --- clipping


def clipped() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a picture with known blown and black pixels; not a multiple of 4 px in size."""
    rgb = np.full((301, 207, 3), 128, np.uint8)
    high, low = np.zeros((2, 301, 207), bool)
    high[10:20, 30:60] = high[130, 77] = True  # on both sides of a band of rows
    low[200:205, 100:150] = True
    rgb[high] = (254, 10, 10)  # one channel is enough
    rgb[low] = (1, 0, 1)
    rgb[50:60, 50:60] = 253
    rgb[70:80, 50:60] = (0, 0, 2)  # dark, but blue
    return rgb, high, low


def test_clipping_marks_exactly_the_blown_and_the_black_pixels() -> None:
    rgb, high, low = clipped()
    found = measure(rgb, {CLIPPING})
    assert found.marks is not None and found.clipped is not None
    assert np.array_equal(found.marks == HIGHLIGHT, high)
    assert np.array_equal(found.marks == SHADOW, low)
    assert found.clipped == (high.mean(), low.mean()) == quality.clipping(rgb)


def test_the_small_copy_has_the_marked_share_of_each_4_by_4_pixels() -> None:
    rgb, high, _ = clipped()
    shares = measure(rgb, {CLIPPING}).shares
    assert shares is not None and shares.shape == (76, 52, 3)
    padded = np.zeros((304, 208))
    padded[:301, :207] = high
    wanted = padded.reshape(76, 4, 52, 4).mean(axis=(1, 3)) * 255
    assert np.abs(shares[:, :, 0] - wanted).max() <= 1
    assert not shares[:, :, 2].any()


# --- histogram


def test_the_histogram_counts_every_pixel_once_per_channel() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (311, 97, 3), np.uint8)
    counts = measure(rgb, {HISTOGRAM}).histogram
    assert counts is not None
    for channel in range(3):
        assert np.array_equal(
            counts[channel], np.bincount(rgb[..., channel].ravel(), minlength=256)
        )


# --- focus peaking


def test_peaking_marks_sharp_edges_and_nothing_else() -> None:
    marked = peaks(edges())
    beside = np.zeros(256, bool)
    for edge in range(32, 256, 32):
        beside[edge - 1 : edge + 1] = True
    assert marked[:, beside].all()
    assert not marked[:, ~beside].any()


@pytest.mark.parametrize("blur_px", [1.5, 3.0])
def test_peaking_leaves_blurred_edges_alone(blur_px: float) -> None:
    assert peaks(edges(0.7)).mean() > 0.01
    assert not peaks(edges(blur_px)).any()


def test_peaking_does_not_mark_grain() -> None:
    grain = np.random.default_rng(2).normal(0, 4, (512, 512, 1))
    noisy = np.clip(np.rint(edges(3.0, (512, 512)) + grain), 0, 255).astype(np.uint8)
    assert peaks(noisy).mean() < 0.001


def test_peaking_finds_the_subject_on_a_soft_background() -> None:
    marked = peaks(scene((900, 600), 0, "subject"))
    inside = marked[200:400, 300:600]
    assert inside.mean() > 0.03
    assert (marked.sum() - inside.sum()) / (marked.size - inside.size) < inside.mean() / 50


# --- sharpness map


def test_the_sharpness_map_tells_a_sharp_subject_from_a_soft_background() -> None:
    tiles = measure(scene((1200, 800), 0, "subject"), {TILES}).tiles
    assert tiles is not None and tiles.shape == (13, 19)
    inside, outside = tiles[5:8, 7:12], np.delete(tiles, np.s_[3:10], axis=0)
    assert np.median(inside) > 60
    assert np.percentile(outside, 95) < 20


def test_the_sharpness_map_agrees_with_the_score() -> None:
    picture = scene((1200, 800), 0)
    tiles = quality.sharpness_map(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    found = quality.measure(picture)
    assert found.sharpest is not None
    column, row = (int(found.sharpest[0] * 1200 // 64), int(found.sharpest[1] * 800 // 64))
    assert tiles[row, column] >= np.percentile(tiles, 95)
    assert np.sort(tiles, axis=None)[-8:].mean() == pytest.approx(found.sharpness, abs=12)


def test_a_clear_sky_is_nowhere_sharp() -> None:
    sky = np.linspace(90, 200, 640)[:, None] + np.random.default_rng(3).normal(0, 1, (640, 640))
    assert quality.sharpness_map(np.rint(sky).astype(np.uint8)).max() < 5


# --- odd pictures


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (65, 1), (2, 129)])
def test_the_smallest_pictures_have_overlays(size: tuple[int, int]) -> None:
    width, height = size
    found = measure(np.full((height, width, 3), 255, np.uint8), KINDS)
    assert found.marks is not None and found.shares is not None and found.tiles is not None
    assert (found.marks == HIGHLIGHT).all()
    assert found.shares.shape[:2] == (-(-height // 4), -(-width // 4))
    assert found.tiles.shape == (-(-height // 64), -(-width // 64))
    assert found.histogram is not None and found.histogram[:, 255].tolist() == [width * height] * 3


def test_only_requested_overlays_are_measured() -> None:
    assert measure(edges(), ()) == Overlay(frozenset())
    for kind in KINDS:
        found = measure(edges(), {kind})
        assert (found.marks is not None) == (kind in (CLIPPING, PEAKING))
        assert (found.tiles is not None) == (kind == TILES)
        assert (found.histogram is not None) == (kind == HISTOGRAM)


def test_results_do_not_depend_on_bands_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = scene((300, 420), 4)
    whole = measure(picture, {CLIPPING, PEAKING}).marks
    monkeypatch.setattr(overlay, "_BAND", 1 << 20)
    assert np.array_equal(measure(picture, {CLIPPING, PEAKING}).marks, whole)


# --- drawing parts


@pytest.mark.parametrize("kinds", [{CLIPPING}, {PEAKING}, {TILES}, {CLIPPING, TILES}])
@pytest.mark.parametrize("marks", [True, False], ids=["marks", "only their small copy"])
@pytest.mark.parametrize("scale", [1.0, 0.8])
def test_parts_fit_together_where_they_are_said_to(
    kinds: set[str], marks: bool, scale: float
) -> None:
    rgb = scene((600, 400), 3).copy()
    rgb[::3, ::5] = 255
    found = measure(rgb, kinds)
    if not marks:
        found = replace(found, marks=None)
    size = round(600 * scale), round(400 * scale)
    whole = overlay_mask.draw(found, (600, 400), size, (0, 0, 300, 200))
    parts = [
        overlay_mask.draw(found, (600, 400), size, (left, 0, width, 200))
        for left, width in ((0, 101), (101, 199))
    ]
    if whole is None or any(part is None for part in parts):
        pytest.fail("nothing was drawn")
    if overlay_mask.is_seamless(found, (600, 400), size):
        assert np.array_equal(np.hstack(parts), whole)
    else:
        assert scale < 1 or (not marks and kinds != {TILES})
