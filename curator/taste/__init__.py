"""Learn one person's taste from their ratings: numpy in, numpy out.

The model is a ridge regression over photo vectors and tone measures, in a space learned from the
whole archive. Its penalty is chosen by leaving out one stack at a time; the fit after a
rating is one solve of numpy, equal to scikit-learn's `Ridge`. `curator.learning` feeds it from the
catalog; nothing here may import Qt or the catalog, and scikit-learn loads at first use::

    training = TrainingSet(Space.of(archive_rows, dimension=1280))
    training.add([17], rows[[17]], [4], [1.0], [17])      # photo 17 was rated four stars
    training.use(training.search_job()())                 # a search, in another process if wanted
    model = training.fit()                                # one solve
    predicted = model.rating(rows); model.scores(predicted)

A row is a photo's unit vector, optionally followed by its tone measures
(:func:`curator.taste.tone.measure`). :func:`accuracy` judges predictions that were stored before
each rating, :func:`evidence` explains a score by similar rated photos, and :func:`informative`
picks the photos to rate next.
"""

from __future__ import annotations

from curator.taste.accuracy import Accuracy, accuracy, learning_curve, rank_correlation
from curator.taste.explain import Evidence, evidence, informative
from curator.taste.hyperparameters import Hyperparameters
from curator.taste.model import TasteModel
from curator.taste.space import BadVectorsError, Space
from curator.taste.training import MIN_RATINGS, SEARCH_EVERY, TrainingSet, recency

__all__ = [
    "MIN_RATINGS",
    "SEARCH_EVERY",
    "Accuracy",
    "BadVectorsError",
    "Evidence",
    "Hyperparameters",
    "Space",
    "TasteModel",
    "TrainingSet",
    "accuracy",
    "evidence",
    "informative",
    "learning_curve",
    "rank_correlation",
    "recency",
]
