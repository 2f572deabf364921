"""Draw imaginary landscapes for screenshots, free of any rights.

The same seed gives the same landscape in the same light. Distant ridges are paler than near ones,
and water mirrors the picture above it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

Color = tuple[float, float, float]
# Colors of the sky at the zenith and the horizon, of the nearest ridge and of the sun.
LIGHTS: tuple[tuple[Color, Color, Color, Color], ...] = (
    ((44, 62, 104), (246, 176, 120), (24, 26, 36), (255, 226, 170)),  # after sunset
    ((92, 142, 196), (226, 232, 228), (34, 52, 44), (255, 255, 246)),  # noon
    ((120, 96, 132), (250, 206, 168), (46, 34, 52), (255, 240, 214)),  # dawn
    ((92, 100, 108), (196, 200, 200), (30, 36, 40), (226, 230, 230)),  # rain coming
    ((12, 20, 44), (58, 84, 124), (6, 10, 18), (236, 240, 255)),  # night
    ((196, 150, 92), (252, 226, 168), (72, 44, 26), (255, 250, 224)),  # dust
)


def paint(seed: int, size: tuple[int, int] = (1800, 1200), drift: float = 0.0) -> np.ndarray:
    """Draw a landscape; ``drift`` moves the boat, for the frames of a series.

    Returns:
        rgb (H, W, 3) uint8.
    """
    width, height = size
    rng = np.random.default_rng(seed)
    zenith, horizon, near, sun = (np.array(c, np.float32) for c in LIGHTS[seed % len(LIGHTS)])
    line = float(rng.uniform(0.52, 0.68)) * height
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lowness = np.clip(y / line, 0, 1)[..., None] ** 1.4
    image = zenith * (1 - lowness) + horizon * lowness
    cloud = np.clip(_noise(rng, (height, width), 5, 1.9) - 0.2, 0, 1)[..., None]
    image += (sun - image) * cloud * 0.45 * lowness
    at = rng.uniform(0.2, 0.8) * width, line * rng.uniform(0.35, 0.9)
    far = np.hypot(x - at[0], y - at[1]) / height
    glow = np.exp(-((far / 0.32) ** 2)) * 0.55 + (far < rng.uniform(0.018, 0.04)) * 0.9
    image += (sun - image) * np.clip(glow, 0, 1)[..., None]
    water = seed % 3 != 1
    ridges = int(rng.integers(2, 5))
    for number in range(ridges):
        depth = (number + 1) / ridges
        crest = _crest(rng, width, rough=0.5 + depth * 0.3)
        top = line - height * (0.05 + 0.2 * (1 - depth)) * (0.4 + crest) + height * 0.06 * depth
        if depth == 1 and not water:
            top += height * 0.12
        tone = horizon * (1 - depth) * 0.8 + near * (0.2 + 0.8 * depth)
        grain = 1 + 0.18 * _noise(rng, (height, width), 24, 1.2)[..., None] * depth
        image = np.where((y > top[None, :])[..., None], tone * grain, image)
    if water:
        image = _mirrored(image, line, rng)
        image = _boat(image, (0.3 + 0.25 * rng.random() + drift, line + height * 0.09), near)
    edge = 1 - 0.28 * (np.hypot(x / width - 0.5, y / height - 0.5) / 0.7) ** 2.2
    image = image * edge[..., None] + rng.normal(0, 2.2, (height, width, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def save(path: Path, rgb: np.ndarray, taken: datetime, aperture: float = 8.0) -> None:
    """Write a JPEG with EXIF, like a camera."""
    exif = Image.Exif()
    exif[271], exif[272] = "Curator Works", "Test One"
    shot = exif.get_ifd(0x8769)
    shot[36867] = taken.strftime("%Y:%m:%d %H:%M:%S")
    shot[37521] = f"{taken.microsecond // 1000:03d}"
    shot[33434], shot[33437], shot[34855], shot[37386] = 1 / 250, aperture, 200, 35.0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, quality=92, exif=exif)


def _noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: int, stretch: float
) -> np.ndarray:
    """Return soft noise, about -1 to 1, stretched horizontally; (H, W) float32."""
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        count = cells << octave
        grid = rng.normal(0, 1, (count, max(2, int(count / stretch)))).astype(np.float32)
        total += cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    return total / 1.9


def _crest(rng: np.random.Generator, width: int, rough: float) -> np.ndarray:
    """Return the outline of a ridge, 0 to 1; (W,) float32."""
    total = np.zeros(width, np.float32)
    for octave in range(7):
        knots = rng.normal(0, 1, (1, 4 << octave)).astype(np.float32)
        total += cv2.resize(knots, (width, 1), interpolation=cv2.INTER_LINEAR)[0] * rough**octave
    total -= total.min()
    return total / max(float(total.max()), 1e-3)


def _mirrored(image: np.ndarray, line: float, rng: np.random.Generator) -> np.ndarray:
    """Draw water below the horizon: the picture above it, upside down, darker and rippled."""
    height, width = image.shape[:2]
    start = int(line)
    below = np.arange(start, height)
    ripple = (
        _noise(rng, (height - start, width), 40, 0.25) * np.linspace(1, 14, len(below))[:, None]
    )
    rows = np.clip(2 * start - below[:, None] - np.abs(ripple) * 2, 0, start - 1).astype(np.int32)
    columns = np.clip(np.arange(width)[None, :] + ripple, 0, width - 1).astype(np.int32)
    depth = np.linspace(0.86, 0.5, len(below))[:, None, None]
    return np.concatenate([image[:start], image[rows, columns] * depth])


def _boat(image: np.ndarray, at: tuple[float, float], tone: np.ndarray) -> np.ndarray:
    """Draw a sailing boat on the water."""
    height, width = image.shape[:2]
    x, y, unit = at[0] * width, at[1], height * 0.02
    canvas = np.ascontiguousarray(image, np.float32)
    hull = [(-2.4, 0), (2.6, 0), (1.9, 0.8), (-1.8, 0.8)]
    sails = [[(-0.1, -0.3), (-0.1, -5.4), (-2.2, -0.3)], [(0.2, -0.3), (0.2, -4.8), (2.2, -0.4)]]
    for shape, color in ((hull, tone * 0.7), *((sail, (236, 232, 222)) for sail in sails)):
        points = np.array([(x + a * unit, y + b * unit) for a, b in shape])
        cv2.fillPoly(
            canvas, [(points * 16).astype(np.int32)], tuple(map(float, color)), cv2.LINE_AA, 4
        )
    return canvas
