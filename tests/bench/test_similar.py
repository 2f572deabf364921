"""The recall of the vector sketch, with real photos and with 100,000 drawn vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator.bench.synthetic_catalog import drawn_vectors
from curator.learning import vector_index as archives
from curator.learning.vector_index import VectorIndex
from tests.bench.scene import corpus, pictures
from tests.unit.learning.test_vector_index import filled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ASKED, NEAREST = 100, 10
SHARE = 50  # one of so many photos is compared exactly, like 2,000 of 100,000


def recall(archive: VectorIndex, vectors: np.ndarray) -> float:
    """Return the share of the most similar photos that the index finds."""
    assert archive._sketch is not None
    shares = []
    for index in np.linspace(0, len(vectors) - 1, ASKED).astype(int):
        found, _ = archive.nearest(vectors[index], NEAREST)
        similarity = vectors.astype(np.float32) @ vectors[index]
        # Any photos of equal similarity will do.
        least = np.partition(similarity, -NEAREST)[-NEAREST]
        shares.append(np.mean(similarity[found - 1] >= least - 1e-4))
    return float(np.mean(shares))


def crops(shown: list[np.ndarray], rounds: int) -> list[np.ndarray]:
    """Return random crops of photos, to get an archive of realistic size and content."""
    chance, found = np.random.default_rng(0), []
    for rgb in shown * rounds:
        share = chance.uniform(0.3, 0.95)
        height, width = (int(edge * share) for edge in rgb.shape[:2])
        top = chance.integers(0, rgb.shape[0] - height + 1)
        left = chance.integers(0, rgb.shape[1] - width + 1)
        found.append(np.ascontiguousarray(rgb[top : top + height, left : left + width]))
    return found


def test_the_nearest_real_photos_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = pytest.importorskip("curator.encoders")
    pytest.importorskip("torch")
    shown, _ = pictures(corpus())
    encoder = encoders.load("starter", encoders.EncoderOptions(threads=2))
    vectors = np.vstack([encoder.encode(shown), encoder.encode(crops(shown, 3))])
    archive = filled(tmp_path, vectors)
    monkeypatch.setattr(archives, "_SKETCHED", 1000)
    monkeypatch.setattr(archives, "_CANDIDATES", len(vectors) // SHARE)
    archive.prepare()
    found = recall(archive, vectors)
    print(f"\n{len(vectors):,} vectors of real photos and parts of them, {len(vectors) // SHARE}"
          f" compared exactly: {100 * found:.1f} % of the nearest {NEAREST} found")  # fmt: skip
    assert found >= 0.99


def test_the_nearest_of_a_hundred_thousand_drawn_are_found(tmp_path: Path) -> None:
    vectors = drawn_vectors(100_000, 1280, np.random.default_rng(3))
    archive = filled(tmp_path, vectors)
    archive.prepare()
    found = recall(archive, vectors)
    print(f"\n100,000 drawn vectors: {100 * found:.1f} % of the nearest {NEAREST} found")
    assert found >= 0.99
