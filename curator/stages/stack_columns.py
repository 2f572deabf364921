"""Photos as columns for making stacks, and by how much two pictures differ.

`stack`, `copies` and `bursts` use it, and the pipeline fills the columns. Nothing here may loop
over photos in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Pairs = tuple[Rows, Rows]
# Returns the similarity of pairs of rows by an encoder: 1.0 the same, 0.0 unrelated, NaN where one
# has no vector.
Likeness = Callable[[Rows, Rows], NDArray[np.float32]]

_HASH_DIGITS = 32
_NO_HASH = "0" * _HASH_DIGITS
_BITS = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)


@dataclass(frozen=True, slots=True)
class StackColumns:
    """Columns with one entry for each photo, (N,).

    Attributes:
        ids: photo ids, all different.
        taken_at: datetime64[us], the camera's wall clock; NaT unknown.
        camera: a number for each camera; -1 unknown.
        exposure_s: NaN unknown.
        ev: exposure value at ISO 100 of the settings (:func:`exposure_value`); NaN unknown.
        width: upright px, 0 unknown.
        height: upright px, 0 unknown.
        phash: (N, 2) uint64, perceptual hashes (:func:`parse_hashes`); zero where the hash is
            unknown or means nothing.
    """

    ids: NDArray[np.int64]
    taken_at: NDArray[np.datetime64]
    camera: NDArray[np.int32]
    exposure_s: NDArray[np.float32]
    ev: NDArray[np.float32]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    phash: NDArray[np.uint64]


def exposure_value(
    exposure_s: NDArray[Any], f_number: NDArray[Any], iso: NDArray[Any]
) -> NDArray[np.float32]:
    """Return the exposure value at ISO 100: log2(N²/t) - log2(ISO/100); NaN without a time.

    An unknown aperture (a lens without contacts, a telescope) counts as 1, an unknown ISO as 100:
    only steps within a bracket matter. (ISO 2720, APEX.)
    """
    known = [np.asarray(column, np.float64) for column in (exposure_s, f_number, iso)]
    time = np.where(known[0] > 0, known[0], np.nan)
    aperture = np.where(known[1] > 0, known[1], 1.0)
    speed = np.where(known[2] > 0, known[2], 100.0)
    return np.log2(aperture**2 / time * 100.0 / speed).astype(np.float32)


def parse_hashes(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """Parse hashes of `curator.imaging.perceptual_hash` into a column (N, 2); None is unknown."""
    digits = "".join([text[:_HASH_DIGITS] if text else _NO_HASH for text in texts])
    return np.frombuffer(bytes.fromhex(digits), np.uint64).reshape(-1, 2).copy()


def differing_bits(phash: NDArray[np.uint64], a: Rows, b: Rows) -> NDArray[np.int16]:
    """Count the bits of 128 in which the hashes of rows ``a`` and ``b`` differ; -1 unknown."""
    bits = count_bits(phash[a] ^ phash[b])
    known = np.asarray(phash.any(axis=1))
    return np.where(known[a] & known[b], bits, np.int16(-1))


def count_bits(words: NDArray[np.uint64]) -> NDArray[np.int16]:
    """Count the bits that are set in each row of words (N, 2)."""
    return np.asarray(_BITS[words.view(np.uint16)].sum(axis=1, dtype=np.int16))


def reliable_times(taken_at: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Replace exact midnight with NaT: a date without a time, or a clock that was reset."""
    midnight = taken_at == taken_at.astype("M8[D]")
    return np.where(midnight, np.datetime64("NaT"), taken_at)


def has_subseconds(taken_at: NDArray[np.datetime64]) -> Mask:
    """Return a mask of times with sub-seconds."""
    whole = taken_at == taken_at.astype("M8[s]")
    return ~np.isnat(taken_at) & ~whole
