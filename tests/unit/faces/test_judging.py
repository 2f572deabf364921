"""Whether the focus missed the eyes, from two scores."""

from __future__ import annotations

import numpy as np

from curator.faces.judging import eyes_soft


def test_only_eyes_clearly_softer_than_the_photo_are_soft() -> None:
    eyes = np.array([60.0, 40.0, 10.0, 0.0, 2.0, 90.0])
    photo = np.array([75.0, 75.0, 75.0, 60.0, 8.0, 20.0])
    assert eyes_soft(eyes, photo).tolist() == [False, False, True, True, False, False]


def test_what_was_not_measured_is_not_soft() -> None:
    nothing = float("nan")
    assert not eyes_soft([nothing, 10.0, nothing], [80.0, nothing, nothing]).any()


def test_an_empty_column_gives_an_empty_mask() -> None:
    assert eyes_soft([], []).shape == (0,)
