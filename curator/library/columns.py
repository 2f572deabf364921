"""The columns of a table of photos, and how values of the catalog become numbers in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.model import FLAGS, STATES

FLAG_CODE = {value: code for code, value in enumerate(FLAGS)}
STATE_CODE = {value: code for code, value in enumerate(STATES)}


def _or_zero(values: Iterable[object]) -> list[object]:
    return [value or 0 for value in values]


def _or_minus_one(values: Iterable[object]) -> list[object]:
    return [-1 if value is None else value for value in values]


def _present(values: Iterable[object]) -> list[object]:
    return [value is not None for value in values]


# Column → (dtype, conversion of catalog values where numpy has none of its own; None becomes NaN).
NUMBERS: dict[str, tuple[str, Callable[[Iterable[object]], list[object]] | None]] = {
    "directory_id": ("i4", None),
    "taken_at": ("datetime64[us]", None),
    "added_at": ("f8", None),
    "width": ("i4", _or_zero),
    "height": ("i4", _or_zero),
    "turn": ("i1", None),
    "sharpness": ("f4", None),
    "exposure": ("f4", None),
    "light": ("f4", None),
    "faces": ("f4", None),  # NaN: not measured
    "eyes_open": ("f4", None),
    "eyes_closed": ("f4", None),
    "eye_sharpness": ("f4", None),
    "damaged": ("?", None),
    "flag": ("i1", None),
    "rating": ("i1", None),
    "label": ("i1", None),
    "kept": ("?", None),
    "elsewhere": ("?", None),
    "camera": ("i4", None),  # see `PhotoRows.cameras`
    "seen_at": ("?", None),
    "pair": ("?", None),
    "state": ("i1", None),
    "merged_into": ("?", _present),
    "stack": ("i8", _or_zero),
    "stacked": ("i8", _or_minus_one),
    "stack_kind": ("i1", None),
}
TEXTS = ("name", "thumb", "proxy")
MARKS = ("flag", "rating", "label", "kept")  # the fields a person decides
DRAWN = (
    "width",
    "height",
    "turn",
    "seen_at",
    "pair",
    "taken_at",
    "sharpness",
    "exposure",
    "eye_sharpness",
    "damaged",
)
ORDERING = ("taken_at", "merged_into", "directory_id")  # a change may move a photo in a list


def widened(column: NDArray[Any], size: int) -> NDArray[Any]:
    """Return a copy of a column of floats, padded with NaN to a length."""
    grown = np.full(size, np.nan, column.dtype)
    grown[: len(column)] = column
    return grown


def padded(columns: NDArray[Any], size: int) -> NDArray[Any]:
    """Return columns, one or several of the same type, padded with zeros to a length."""
    room = [(0, 0)] * (columns.ndim - 1) + [(0, max(size - columns.shape[-1], 0))]
    return np.pad(columns, room)


def as_measure(value: float) -> float | None:
    """Return a value of a column of scores as a float; None for NaN."""
    return None if math.isnan(value) else float(value)


def as_score(value: float) -> int | None:
    """Return a value of a column of scores as an int; None for NaN."""
    return None if math.isnan(value) else int(value)
