"""The rows of a RowStore are the same from a file as from memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator.model import KnownError
from curator.taste.row_store import RowStore


@pytest.fixture
def numbers() -> np.ndarray:
    return np.random.default_rng(7).random((1500, 6)).astype(np.float32).astype(np.float64)


def test_rows_are_read_back_from_memory_and_from_a_file(
    numbers: np.ndarray, tmp_path: Path
) -> None:
    rows = RowStore(6, tmp_path)
    rows.put(0, numbers[:1200])
    np.testing.assert_array_equal(rows.take([3, 1199, 0]), numbers[[3, 1199, 0]])
    rows.move_to_file(1200)
    rows.put(1200, numbers[1200:])
    rows.put(5, numbers[9:10])
    numbers[5] = numbers[9]
    np.testing.assert_array_equal(rows.take([3, 1499, 5, 0]), numbers[[3, 1499, 5, 0]])
    whole = np.concatenate([some for _, some in rows.parts(1500)])
    np.testing.assert_array_equal(whole, numbers)


def test_rows_stay_in_memory_if_the_file_cannot_be_written(
    numbers: np.ndarray, tmp_path: Path
) -> None:
    rows = RowStore(6, tmp_path / "not there")
    rows.put(0, numbers[:10])
    with pytest.raises(KnownError, match="cannot write its temporary file"):
        rows.move_to_file(10)
    np.testing.assert_array_equal(rows.take(range(10)), numbers[:10])
