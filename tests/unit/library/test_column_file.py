"""Columns in a mapped file: they come back as written, and a damaged file is refused."""

from __future__ import annotations

import json
import os
import re
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from curator.library import column_file
from curator.library.column_file import DamagedFileError


def columns() -> dict[str, NDArray[np.generic]]:
    return {
        "id": np.arange(1000),
        "taken": np.array(["2024-05-17T10:00:00.25", "NaT"], "M8[us]"),
        "sharp": np.linspace(0, 100, 7, dtype="f4").reshape(7, 1)[:, 0],
        "eyes": np.arange(12.0).reshape(3, 4)[:, ::2],
        "kept": np.array([True, False, True]),
        "none": np.zeros(0, np.uint8),
        "rev": np.array(12),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.columns"
    column_file.write(path, "version 1", columns())
    return path


def test_columns_read_as_they_were_written(path: Path) -> None:
    label, found = column_file.read(path)
    assert label == "version 1" and found.keys() == columns().keys()
    for name, column in columns().items():
        assert found[name].dtype == column.dtype and found[name].shape == column.shape
        np.testing.assert_array_equal(found[name], column)


def test_a_change_in_memory_never_reaches_the_file(path: Path) -> None:
    before = path.read_bytes()
    _, found = column_file.read(path)
    found["id"][:] = 0
    del found
    assert path.read_bytes() == before


def test_a_file_may_be_replaced_while_its_columns_are_in_use(path: Path) -> None:
    _, found = column_file.read(path)
    column_file.write(path, "version 2", {"id": np.zeros(1000, int)})
    assert found["id"].tolist() == list(range(1000))
    assert column_file.read(path)[0] == "version 2"


def mapped_kb(path: Path) -> int:
    """Return how much of a file is in the memory of this process."""
    maps = re.split(r"(?m)^(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text())
    (entry,) = [entry for entry in maps if str(path) in entry]
    return int(re.findall(r"Rss: +(\d+)", entry)[0])


def test_memory_of_a_read_only_column_is_released_and_no_change_is_lost(path: Path) -> None:
    texts = np.random.default_rng(1).integers(0, 255, 1 << 20, np.uint8)
    column_file.write(path, "", {"before": np.ones(9), "texts": texts, "after": np.ones(9)})
    _, found = column_file.read(path)
    found["before"][:], found["after"][:] = 2, 3  # in the first and the last page of the texts
    found["texts"][5000] = 0
    column_file.release(found["texts"])
    assert found["texts"][5000] == 0, "a column that may change keeps its pages"

    found["texts"][5000] = texts[5000]
    found["texts"].flags.writeable = False
    assert found["texts"].tolist() == texts.tolist()
    held = mapped_kb(path) if sys.platform == "linux" else 0
    column_file.release(found["texts"])
    if sys.platform == "linux":
        assert mapped_kb(path) < held - 900
    assert found["texts"].tolist() == texts.tolist()
    assert found["before"].tolist() == [2] * 9 and found["after"].tolist() == [3] * 9
    column_file.release(np.zeros(5000))  # of no file


def test_every_flipped_bit_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    chance = np.random.default_rng(1)
    places = [0, 16, 20, 24, 100, len(content) - 1, *chance.integers(0, len(content), 60).tolist()]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(chance.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(DamagedFileError):
            column_file.read(path)


@pytest.mark.parametrize("size", [0, 10, 30, 200, -1, -64])
def test_a_file_of_another_length_is_refused(path: Path, size: int) -> None:
    whole = path.stat().st_size
    os.truncate(path, size % whole)
    with pytest.raises(DamagedFileError):
        column_file.read(path)


def test_a_longer_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(64))
    with pytest.raises(DamagedFileError):
        column_file.read(path)


@pytest.mark.parametrize(
    "header",
    [
        [],
        {"size": 0, "check": 0, "columns": {}},
        {"size": 0, "check": 0, "columns": [], "label": ""},
    ],
)
def test_a_header_of_another_program_is_refused(path: Path, header: object) -> None:
    content = json.dumps(header).encode()
    prefix = column_file._PREFIX.pack(column_file._MAGIC, len(content), zlib.crc32(content))
    path.write_bytes(prefix + content)
    with pytest.raises(DamagedFileError):
        column_file.read(path)


def test_a_header_that_could_not_be_read_is_not_written(path: Path) -> None:
    with pytest.raises(ValueError, match="too large"):
        column_file.write(path, "x" * column_file._LARGEST_HEADER, {})
    assert column_file.read(path)[0] == "version 1"


def test_on_windows_columns_are_read_into_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_file, "_MAPS", False)
    monkeypatch.delattr(column_file.mmap, "mmap")
    test_columns_read_as_they_were_written(path)


def test_only_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "texts.columns"
    column_file.write(path, "", {"a": np.array([b"text"])})
    with pytest.raises(DamagedFileError, match="are not stored"):
        column_file.read(path)


def test_a_missing_file_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        column_file.read(tmp_path / "none")
