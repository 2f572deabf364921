"""Learn one person's taste from their stars, live and honestly: numpy in, numpy out.

Ridge regression over photo vectors with tone measures beside them, in a space shaped by the whole
archive, its penalty chosen by leave-one-stack-out. No Qt, no catalog, no other library::

    lessons = TrainingSet(Space.of(archive_rows, dimension=1280))
    lessons.add([17], rows[[17]], [4], [1.0], [17])       # photo 17 got four stars
    model = lessons.fit()                                 # one solve
    model.rating(archive_rows); model.match_score(archive_rows)

A row is a photo's unit vector, or vector and tone (:func:`curator.taste.tone.measure`) behind it.
Who wants to know how good it is asks :func:`accuracy` with the predictions stored before each
rating; why a photo scores as it does, :func:`evidence`; what to rate next, :func:`informative`.
"""

from __future__ import annotations

from curator.taste.accuracy import Accuracy, accuracy, learning_curve, rank_correlation
from curator.taste.explain import Evidence, evidence, informative
from curator.taste.hyperparameters import Hyperparameters
from curator.taste.model import TasteModel
from curator.taste.space import BadVectorsError, Space
from curator.taste.training import MIN_RATINGS, TrainingSet, fit, recency

__all__ = [
    "MIN_RATINGS",
    "Accuracy",
    "BadVectorsError",
    "Evidence",
    "Hyperparameters",
    "Space",
    "TasteModel",
    "TrainingSet",
    "accuracy",
    "evidence",
    "fit",
    "informative",
    "learning_curve",
    "rank_correlation",
    "recency",
]
