"""Compare figures of faces with those of their photo: whether the focus missed the eyes.

Numpy only, over whole columns; the library filters with it, the window explains with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Both scores are logistic in log(ratio), so their logits compare ratios. The photo's score is that
# of its sharpest tiles and lies above the eyes' even in perfect focus: by 1 at the median of 47
# real portraits, by 2.25 in 6 % of them. Of the same with the face blurred by 1.5 to 3 px, with and
# without noise, 82-89 % lie beyond; with the background or everything blurred 0-3 %.
_MARGIN = 2.25
# Between frames of one person: a blur of 0.7 px lowers it by 1.0 to 1.6, another hand by 0.5.
_VISIBLE = 0.9
_FLOOR = 2.0  # scores below are as good as none


def eyes_soft(eye_sharpness: npt.ArrayLike, sharpness: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether something else in a photo is clearly sharper than the eyes of its main face.

    Args:
        eye_sharpness: `Face.eye_sharpness`, 0-100; NaN where not measured.
        sharpness: `Quality.sharpness` of the photos, 0-100; NaN where not measured.

    Returns:
        A mask; False where either is NaN.
    """
    eyes, photo = _logit(eye_sharpness), _logit(sharpness)
    return np.asarray(photo - eyes > _MARGIN)


def softer(eye_sharpness: npt.ArrayLike, best: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether eyes are visibly softer than in the best frame of the same person.

    Args:
        eye_sharpness: `Face.eye_sharpness`, 0-100; NaN where not measured.
        best: of the same eyes in another frame.

    Returns:
        A mask; False where either is NaN.
    """
    return np.asarray(_logit(best) - _logit(eye_sharpness) > _VISIBLE)


def _logit(score: npt.ArrayLike) -> npt.NDArray[Any]:
    share = np.clip(np.asarray(score, np.float64), _FLOOR, 100 - _FLOOR) / 100
    return np.log(share / (1 - share))
