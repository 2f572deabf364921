"""Perceptual hashes: similar for copies, different for other pictures."""

from __future__ import annotations

import cv2
import numpy as np

from curator.imaging.perceptual_hash import perceptual_hash
from tests.photos import jpeg_bytes, pixels_of, scene

SCENE = scene((900, 600), 1)


def bits(one: np.ndarray, other: np.ndarray) -> int:
    """Count the bits in which two hashes differ."""
    return (int(perceptual_hash(one)[:32], 16) ^ int(perceptual_hash(other)[:32], 16)).bit_count()


def test_a_hash_is_a_line_of_digits() -> None:
    text = perceptual_hash(SCENE)
    assert len(text) == 35 and int(text, 16)


def test_copies_have_similar_hashes_after_any_usual_change() -> None:
    small = np.asarray(cv2.resize(SCENE, (300, 200), interpolation=cv2.INTER_AREA), np.uint8)
    saved = pixels_of(jpeg_bytes(SCENE, 40))
    brighter = np.clip(SCENE.astype(np.float32) * 1.2, 0, 255).astype(np.uint8)
    for copy in (small, saved, brighter, np.ascontiguousarray(SCENE[6:-6, 9:-9])):
        assert bits(SCENE, copy) <= 7


def test_other_and_mirrored_pictures_have_other_hashes() -> None:
    assert min(bits(SCENE, scene((900, 600), seed)) for seed in range(2, 8)) > 30
    assert bits(SCENE, np.ascontiguousarray(SCENE[:, ::-1])) > 30


def test_black_fog_and_a_plain_sky_have_no_hash() -> None:
    chance = np.random.default_rng(1)
    black = chance.normal(3, 2, (400, 600, 3)).clip(0, 255).astype(np.uint8)
    fog = chance.normal(180, 4, (400, 600, 3)).clip(0, 255).astype(np.uint8)
    sky = np.repeat(np.linspace(90, 220, 400).astype(np.uint8)[:, None], 600, 1)
    for flat in (black, fog, np.repeat(sky[:, :, None], 3, 2)):
        assert perceptual_hash(flat)[:32] == "0" * 32


def test_brightness_is_in_tenths_of_a_stop_below_white() -> None:
    def gray(level: int) -> int:
        return int(perceptual_hash(np.full((90, 90, 3), level, np.uint8))[32:])

    assert (gray(255), gray(0)) == (0, 127)
    assert gray(186) == 10, "half of white's light"
    assert gray(136) == 20


def test_any_shape_has_a_hash() -> None:
    for height, width in ((1, 1), (1, 500), (3000, 2), (90, 72)):
        assert len(perceptual_hash(np.full((height, width, 3), 9, np.uint8))) == 35
