"""Rows of vectors in a file: stored, multiplied, and searched with a sketch."""

from __future__ import annotations

import io
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from curator.bench.synthetic_catalog import drawn_vectors
from curator.catalog import Catalog
from curator.home import Home
from curator.learning import row_file
from curator.learning import vector_index as archives
from curator.learning.row_file import RowFile
from curator.learning.vector_index import VectorIndex
from curator.learning.vector_sketch import VectorSketch
from curator.model import KnownError
from tests import catalogs, taste_data

DIMENSION, TONES, MANY = 96, 76, 3000


def filled(folder: Path, vectors: np.ndarray, first: int = 1) -> VectorIndex:
    """Return an index of these vectors, with photo ids from ``first``."""
    archive = VectorIndex(folder)
    put(archive, vectors, first)
    return archive


def put(archive: VectorIndex, vectors: np.ndarray, first: int = 1) -> None:
    tones = np.random.default_rng(5).standard_normal((len(vectors), TONES), np.float32)
    blobs = [
        (vector.astype(np.float16).tobytes(), tone.tobytes())
        for vector, tone in zip(vectors, tones, strict=True)
    ]
    archive._add(list(range(first, first + len(vectors))), blobs)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return drawn_vectors(MANY, DIMENSION, np.random.default_rng(0))


def test_a_product_equals_that_of_the_rows_and_ranks_like_float32(
    tmp_path: Path, vectors: np.ndarray
) -> None:
    archive = filled(tmp_path, vectors)
    weights = np.random.default_rng(1).standard_normal(DIMENSION + TONES).astype(np.float32)
    rows = archive.take(range(MANY))
    product = archive.product(weights)
    assert product == pytest.approx(rows @ weights, abs=1e-4)
    weights[DIMENSION:] = 0.0
    exact = vectors.astype(np.float16).astype(np.float32) @ weights[:DIMENSION]
    ranks = (np.argsort(np.argsort(each)) for each in (archive.product(weights), exact))
    assert np.corrcoef(*ranks)[0, 1] > 0.99999
    pair = archive.product(np.column_stack([weights, -weights]))
    assert pair.shape == (MANY, 2) and np.allclose(pair[:, 0], -pair[:, 1])


def test_the_sketch_finds_what_a_full_search_finds(
    tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = filled(tmp_path, vectors)
    asked = [archive.nearest(vectors[place], 10)[0] for place in range(0, MANY, 100)]
    monkeypatch.setattr(archives, "_SKETCHED", 1000)
    monkeypatch.setattr(archives, "_CANDIDATES", MANY // 50)  # 2 % of all, as of 100,000
    archive.prepare()
    assert archive._sketch is not None
    found = [archive.nearest(vectors[place], 10) for place in range(0, MANY, 100)]
    shares = [np.isin(told, exact).mean() for (told, _), exact in zip(found, asked, strict=True)]
    assert np.mean(shares) >= 0.99
    for ids, likeness in found:
        assert likeness[0] == pytest.approx(1.0, abs=1e-2) and list(likeness) == sorted(
            likeness, reverse=True
        )
        assert len(set(ids.tolist())) == 10


def test_vectors_added_or_changed_after_the_sketch_are_found(
    tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_SKETCHED", 1000)
    monkeypatch.setattr(archives, "_CANDIDATES", 100)
    archive = filled(tmp_path, vectors[:-2])
    archive.prepare()
    put(archive, vectors[-2:-1], MANY - 1)
    assert archive.nearest(vectors[-2], 1)[0].tolist() == [MANY - 1]
    put(archive, vectors[-1:], 7)
    assert archive.nearest(vectors[-1], 1)[0].tolist() == [7]
    assert archive.nearest(vectors[6], 1)[0].tolist() != [7]


def test_vectors_without_structure_get_no_sketch(tmp_path: Path) -> None:
    chance = np.random.default_rng(0).standard_normal((2000, 640), np.float32)
    chance /= np.linalg.norm(chance, axis=1, keepdims=True)
    assert VectorSketch.of(chance, tmp_path) is None
    equal = np.ones((50, 8), np.float32) / np.sqrt(8).astype(np.float32)
    assert VectorSketch.of(equal, tmp_path) is None


def test_rows_are_read_as_they_were_put_and_missing_ones_are_an_error(tmp_path: Path) -> None:
    file = RowFile(np.dtype((np.int8, 3)), tmp_path)
    rows = np.arange(18, dtype=np.int8).reshape(6, 3)
    file.put(np.arange(4), rows[:4])
    at = np.array([5, 1, 2, 4, 0])  # unsorted, and some are known
    file.put(at, rows[at] + 50)
    assert file.take(np.array([3, 5, 0])).tolist() == [[9, 10, 11], [65, 66, 67], [50, 51, 52]]
    assert [(start, len(block)) for start, block in file.blocks(6, 4)] == [(0, 4), (4, 2)]
    for missing in (-1, 6):
        with pytest.raises(KnownError, match="cannot be read"):
            file.take(np.array([0, missing]))


def test_a_sketch_that_found_no_room_is_made_later(
    tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_SKETCHED", 1000)
    archive = filled(tmp_path, vectors)
    with monkeypatch.context() as full:
        full.setattr(VectorSketch, "put", Mock(side_effect=KnownError("It is full.")))
        with pytest.raises(KnownError):
            archive.prepare()
    assert archive.nearest(vectors[5], 1)[0].tolist() == [6]
    archive.prepare()
    assert archive._sketch is not None


def test_an_empty_index_returns_nothing(tmp_path: Path) -> None:
    archive = VectorIndex(tmp_path)
    archive.prepare()
    assert len(archive.nearest(np.ones(4, np.float32), 3)[0]) == 0
    assert archive.take([]).shape == (0, 0)
    assert archive.rows_of([3, -1]).tolist() == [-1, -1]


def test_a_full_disk_is_reported_and_the_vectors_are_loaded_later(
    catalog: Catalog, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(catalog.path, 30)
    taste_data.embed(catalog, range(1, 31))
    archive = VectorIndex(home.cache)

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(row_file.tempfile, "TemporaryFile", lambda **_: Full())
        with pytest.raises(KnownError, match="no room to analyze photos"):
            archive.sync(catalog)
    archive._file._file = None  # the disk has room again
    assert set(archive.sync(catalog).tolist()) == set(range(1, 31))
