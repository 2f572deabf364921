"""Sharpness separates real camera photos from blurred copies of them.

Measured by the area under the ROC curve over all pairs of a photo and a blurred copy: 1.0 means
that every original scores above every blurred copy, 0.5 that the score is useless.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import simplejpeg

from curator.imaging import quality

Luma = npt.NDArray[np.uint8]
BAR = 0.97
KINDS = ("gaussian", "gaussian, noise", "motion", "motion, noise")
OTHERS = ("vertical", "diagonal", "subject")


def camera_photos(corpus: Path) -> list[Path]:
    """Return the corpus's JPEGs that name a camera and have 0.25 MP or more, without copies."""
    found: dict[bytes, Path] = {}
    with (corpus / "MANIFEST.tsv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            size = row["dims"].split("x")
            if not (row["path"].startswith("photos/") and row["make"] and len(size) == 2):
                continue
            if row["format"].startswith("jpeg") and int(size[0]) * int(size[1]) >= 250_000:
                path = corpus / row["path"]
                found.setdefault(path.read_bytes(), path)
    return list(found.values())


def blurred_copies(luma: Luma) -> Iterator[tuple[str, Luma]]:
    """Yield blurred copies by kind: blur first, then the sensor's noise."""
    noise = np.random.default_rng(1).normal(0, 3, luma.shape).astype(np.float32)
    light = luma.astype(np.float32)
    gaussian, motion = cv2.GaussianBlur(light, (0, 0), 1.5), cv2.blur(light, (7, 1))
    diagonal = np.eye(7, dtype=np.float32) / 7
    pictures = (gaussian, gaussian + noise, motion, motion + noise)
    for kind, picture in zip(KINDS, pictures, strict=True):
        yield kind, _levels(picture)
    yield "vertical", _levels(cv2.blur(light, (1, 7)))
    yield "diagonal", _levels(cv2.filter2D(light, -1, diagonal))
    yield "subject", with_soft_background(luma)


def with_soft_background(luma: Luma, sigma: float = 6.0) -> Luma:
    """Blur all but an ellipse of an eighth of the picture."""
    height, width = luma.shape
    mask = np.zeros(luma.shape, np.float32)
    center = (int(width * 0.45), int(height * 0.55))
    cv2.ellipse(mask, center, (width // 5, height // 5), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 4)
    light = luma.astype(np.float32)
    return _levels(cv2.GaussianBlur(light, (0, 0), sigma) * (1 - mask) + light * mask)


def _levels(picture: npt.NDArray[np.float32]) -> Luma:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def auc(sharp: npt.NDArray[np.float64], blurred: npt.NDArray[np.float64]) -> float:
    """Return the share of pairs in the right order, counting ties half."""
    above = (sharp[:, None] > blurred).mean() + 0.5 * (sharp[:, None] == blurred).mean()
    return float(above)


def measured(corpus: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Return the raw sharpness of every photo and of its blurred copies, by kind."""
    found: dict[str, list[float]] = {kind: [] for kind in ("as taken", *KINDS, *OTHERS)}
    photos = camera_photos(corpus)
    assert len(photos) >= 70
    for path in photos:
        luma = simplejpeg.decode_jpeg(path.read_bytes(), "GRAY", strict=False)[:, :, 0]
        found["as taken"].append(quality.sharpness(luma)[0])
        for kind, copy in blurred_copies(luma):
            found[kind].append(quality.sharpness(copy)[0])
    return {kind: np.array(values) for kind, values in found.items()}


@pytest.fixture(scope="module")
def scores(corpus: Path) -> dict[str, npt.NDArray[np.float64]]:
    return measured(corpus)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, "vertical", "diagonal"])
def test_photos_as_taken_score_above_blurred_copies(
    scores: dict[str, npt.NDArray[np.float64]], kind: str
) -> None:
    area = auc(scores["as taken"], scores[kind])
    assert area >= BAR, f"{kind}: {area:.3f}"


@pytest.mark.slow
def test_sharp_subjects_on_soft_backgrounds_score_with_the_sharp(
    scores: dict[str, npt.NDArray[np.float64]],
) -> None:
    for kind in ("gaussian", "motion"):
        area = auc(scores["subject"], scores[kind])
        assert area >= BAR, f"{kind}: {area:.3f}"
    # Compared with fully sharp photos the order should be random.
    assert auc(scores["as taken"], scores["subject"]) < 0.65


@pytest.mark.slow
def test_real_photos_spread_over_the_scale(scores: dict[str, npt.NDArray[np.float64]]) -> None:
    shown = np.array([quality.score(value) for value in scores["as taken"]])
    low, middle, high = np.percentile(shown, [10, 50, 90])
    assert 50 < middle < 80
    assert high - low > 40
    blurred = np.array([quality.score(value) for value in scores["gaussian"]])
    assert np.percentile(blurred, 95) < 25
