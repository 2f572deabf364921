"""Arrays are loaded as dumped, and any damage raises one error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator import arrays

HELD = {"places": np.arange(60, dtype=np.float32).reshape(6, 10), "scale": np.float64(0.5)}


@pytest.mark.parametrize("packed", [False, True])
def test_dumped_arrays_are_loaded_by_name(tmp_path: Path, packed: bool) -> None:
    content = arrays.dump({**HELD, "said": "a text"}, compressed=packed)
    (tmp_path / "held").write_bytes(content)
    for source in (content, tmp_path / "held"):
        found = arrays.load(source)
        assert sorted(found) == ["places", "said", "scale"]
        assert np.array_equal(found["places"], HELD["places"])
        assert found["places"].dtype == np.float32
        assert (float(found["scale"]), str(found["said"])) == (0.5, "a text")


def test_any_damage_raises_the_same_error() -> None:
    content = arrays.dump({"scale": np.float64(0.5)}, compressed=True)
    faults = 0
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 0x41
        for damaged in (bytes(flipped), content[:place]):
            try:
                arrays.load(damaged)
            except arrays.DamagedArraysError:
                faults += 1
    assert faults > len(content), "each cut, and some of the flips"


def test_pickles_and_lone_arrays_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "lone.npy", HELD["places"])
    pickled = arrays.dump({"thing": np.array([{}])})
    for source in (pickled, tmp_path / "lone.npy", b"", b"PK"):
        with pytest.raises(arrays.DamagedArraysError):
            arrays.load(source)


def test_a_missing_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        arrays.load(tmp_path / "none.npz")
