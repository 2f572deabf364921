"""The columns of a table of photos, and their types."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.model import FLAGS, STATES

FLAG_CODE = {value: code for code, value in enumerate(FLAGS)}
STATE_CODE = {value: code for code, value in enumerate(STATES)}


# Column → dtype. NaN: not measured.
NUMBERS: dict[str, str] = {
    "directory_id": "i4",
    "taken_at": "datetime64[us]",
    "added_at": "f8",
    "width": "i4",
    "height": "i4",
    "turn": "i1",
    "sharpness": "f4",
    "exposure": "f4",
    "light": "f4",
    "faces": "f4",
    "eyes_open": "f4",
    "eyes_closed": "f4",
    "eye_sharpness": "f4",
    "damaged": "?",
    "flag": "i1",
    "rating": "i1",
    "label": "i1",
    "kept": "?",
    "elsewhere": "?",
    "camera": "i4",  # see `PhotoRows.cameras`
    "seen": "?",
    "pair": "?",
    "state": "i1",
    "gone": "?",  # merged, removed or emptied
    "stack": "i8",
    "stacked": "i8",
    "stack_kind": "i1",
}
TEXTS = ("name", "thumb", "proxy")
MARKS = ("flag", "rating", "label", "kept")  # the fields a person decides
DRAWN = (
    "width",
    "height",
    "turn",
    "seen",
    "pair",
    "taken_at",
    "sharpness",
    "exposure",
    "eye_sharpness",
    "damaged",
)
ORDERING = ("taken_at", "gone", "directory_id")  # a change may move a photo in a list


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
