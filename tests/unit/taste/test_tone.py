"""Tone measures: light and color of a picture in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.taste import tone


def flat(*color: int, size=(90, 120)) -> np.ndarray:
    return np.tile(np.array(color, np.uint8), (*size, 1))


def test_light_and_color_are_told_apart():
    assert tone.measure(flat(0, 0, 0))[2] == pytest.approx(0, abs=0.01)
    assert tone.measure(flat(255, 255, 255))[2] == pytest.approx(1, abs=0.01)
    assert tone.measure(flat(128, 128, 128))[7] == pytest.approx(0, abs=0.01)
    red, blue = tone.measure(flat(255, 0, 0)), tone.measure(flat(0, 0, 255))
    assert red[10] > 0.5 and blue[11] < -0.5  # means of red-green and blue-yellow


def test_a_bright_sky_is_above():
    sky = flat(30, 30, 30)
    sky[:45] = 220
    lightness = tone.measure(sky)[28:44].reshape(4, 4)
    assert (lightness[:2] > 0.2).all() and (lightness[2:] < -0.2).all()


def test_a_picture_and_its_thumbnail_measure_alike():
    rng = np.random.default_rng(0)
    big = np.kron(rng.integers(0, 255, (12, 16, 3), np.uint8), np.ones((80, 80, 1), np.uint8))
    big, small = tone.measure(big), tone.measure(big[::4, ::4])
    detail = slice(22, 24)
    np.testing.assert_allclose(np.delete(big, detail), np.delete(small, detail), atol=0.05)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 400), st.integers(0, 99))
def test_any_picture_can_be_measured(height, width, seed):
    rgb = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    found = tone.measure(rgb)
    assert found.shape == (tone.TONES,) and found.dtype == np.float32
    assert np.isfinite(found).all()


def test_an_array_that_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="picture"):
        tone.measure(np.zeros((5, 5), np.uint8))


def test_every_part_has_the_same_weight():
    assert (tone.WEIGHTS**2).sum() == pytest.approx(1)
    assert (tone.WEIGHTS[28:44] ** 2).sum() == pytest.approx(0.1)
