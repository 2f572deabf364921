"""Questions to the learner: a photo's score and similar photos, and the most useful next ratings.

Asked by the inspector, the preview of a file, the sort orders and the command line. Each function
runs on the learner's thread and returns photo ids and plain numbers, so that the answer can be
drawn without reading vectors again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator import taste
from curator.learning.learner import NO_MATCH, TasteLearner
from curator.model import Embedded, KnownError

_SIMILAR = 12  # photos in the strip of similar photos; `curator similar` has its own number
_DAMAGED = (
    "The analysis of this photo is damaged. `curator backfill embed` analyzes all photos again."
)
_EACH = 3  # similar photos shown as reasons, rated high and rated low each
# Uncertainty, as shares of the noise in a person's own ratings, up to which a prediction is called
# fairly and somewhat sure.
_FAIRLY_SURE, _SOMEWHAT_SURE = 0.6, 0.9
_RANKED = 200  # photos that the informative order ranks; others get no rank
# Largest samples of the unrated photos, of the archive (600 do as well as all photos), and of the
# rated photos, to find the informative ones among.
_CANDIDATES, _POOL, _RATED = 1500, 600, 800
_AT_ONCE = 2000  # rows read at a time

SimilarPhoto = tuple[int, float]
"""A photo and its similarity, a cosine."""


@dataclass(frozen=True, slots=True)
class Why:
    """What the model predicts for a photo, and why.

    All of one model: ``match`` is 0-100, None while the model has no scores; ``expected`` and
    ``std`` are in stars; ``certainty`` is the std in words.
    ``high`` are the most similar photos with 4 or more stars, ``low`` those with 2 or fewer, or
    rejected.
    """

    match: int | None
    expected: float
    std: float
    certainty: str
    high: tuple[SimilarPhoto, ...]
    low: tuple[SimilarPhoto, ...]

    @property
    def stars(self) -> float:
        """The predicted rating, limited to 1-5, which the linear model may exceed."""
        return min(max(self.expected, 1.0), 5.0)

    @property
    def meaning(self) -> str:
        """The meaning of the match, or why there is none, as a sentence."""
        if self.match is None:
            return NO_MATCH
        return f"Expected to please you more than {self.match} % of the photos you rated."


@dataclass(frozen=True, slots=True)
class Insight:
    """A photo's similar photos and explanation; ``missing`` says why a part is absent."""

    photo_id: int
    similar: tuple[SimilarPhoto, ...] = ()
    why: Why | None = None
    missing: str = ""


def explain_photo(learner: TasteLearner, photo_id: int) -> Insight:
    """Return the photos similar to a photo, and why it gets its score."""
    vectors, learned = learner.vectors, learner.learned
    index = vectors.rows_of([photo_id])[0]
    if index < 0:
        damaged = photo_id in vectors.damaged
        missing = _DAMAGED if damaged else "This photo is not analyzed yet."
        return Insight(photo_id, missing=missing)
    row = vectors.take([index])[0]
    nearest = zip(*vectors.nearest(row[: vectors.dimension], _SIMILAR + 1), strict=True)
    others = [(int(each), float(cosine)) for each, cosine in nearest if each != photo_id]
    similar = tuple(others[:_SIMILAR])
    if learned is None or learned.model is None:
        return Insight(photo_id, similar, missing=learned.sentence if learned else "")
    return Insight(photo_id, similar, _why(learner, learned.model, photo_id, row))


def explain_picture(learner: TasteLearner, found: Embedded) -> Why:
    """Return what the model predicts for a picture that need not be in the catalog.

    Args:
        learner: the learner.
        found: the encoder's result for the picture.

    Raises:
        KnownError: there is no taste yet, or it uses another encoder; says what is missing.
    """
    learned = learner.learned or learner.fit()
    if learned.model is None:
        raise KnownError(learned.sentence)
    if learned.encoder != found.encoder:
        raise KnownError(
            "Taste was learned with another encoder and cannot score this picture.",
            "Wait until all photos are analyzed again, or unpin the version.",
        )
    row = np.concatenate(
        [np.frombuffer(found.vector, "<f2").astype(np.float32), np.frombuffer(found.tone, "<f4")]
    )
    return _why(learner, learned.model, None, row)


def _why(
    learner: TasteLearner, model: taste.TasteModel, photo_id: int | None, row: NDArray[np.float32]
) -> Why:
    ids, stars = learner.judged_photos()
    others = np.flatnonzero(ids != photo_id)
    high: list[SimilarPhoto] = []
    low: list[SimilarPhoto] = []
    for start in range(0, len(others), _AT_ONCE):
        some = others[start : start + _AT_ONCE]
        rows = learner.vectors.take(learner.vectors.rows_of(ids[some]))
        found = taste.evidence(row, rows, stars[some], _EACH, model.space)
        for best, new in ((high, found.high), (low, found.low)):
            best += [(int(ids[some[index]]), cosine) for index, cosine in new]
            best.sort(key=lambda photo: -photo[1])
            del best[_EACH:]
    expected, std = model.rating(row), float(model.std(row)[0])
    return Why(
        int(model.scores(expected)[0]) if model.match.separates else None,
        float(expected[0]),
        std,
        _in_words(std, model.noise),
        tuple(high),
        tuple(low),
    )


def _in_words(std: float, noise: float) -> str:
    if std < _FAIRLY_SURE * noise:
        return "fairly sure: you rated many similar photos"
    if std < _SOMEWHAT_SURE * noise:
        return "somewhat sure: you rated some similar photos"
    return "unsure: you rated few similar photos"


# --- what orders sort by


def uncertainties(learner: TasteLearner, ids: Sequence[int]) -> NDArray[np.float32]:
    """Return how unsure the model is of photos, in stars; NaN without a prediction.

    Raises:
        KnownError: there is no taste yet; says what is missing.
    """
    model = _model(learner)
    rows = learner.vectors.rows_of(ids)
    found = np.full(len(rows), np.nan, np.float32)
    analyzed = np.flatnonzero(rows >= 0)
    for start in range(0, len(analyzed), _AT_ONCE):
        some = analyzed[start : start + _AT_ONCE]
        found[some] = model.std(learner.vectors.take(rows[some]))
    return found


def information_gain(learner: TasteLearner, ids: Sequence[int]) -> NDArray[np.float32]:
    """Rank photos by how much their rating would improve all predictions, 0 first.

    NaN for photos without a vector, those that the model was learned from, and all after the first
    _RANKED.

    Raises:
        KnownError: there is no taste yet; says what is missing.
    """
    space, vectors, rated = _model(learner).space, learner.vectors, learner.judged_photos()[0]
    rows = vectors.rows_of(ids)
    some = _sample(np.flatnonzero((rows >= 0) & ~np.isin(ids, rated)), _CANDIDATES)
    chosen = taste.informative(
        vectors.take(rows[some]),
        vectors.take(_sample(np.arange(vectors.size), _POOL)),
        vectors.take(_sample(vectors.rows_of(rated), _RATED)),
        _RANKED,
        space,
    )
    found = np.full(len(rows), np.nan, np.float32)
    found[some[chosen]] = np.arange(len(chosen))
    return found


def _model(learner: TasteLearner) -> taste.TasteModel:
    learned = learner.learned
    if learned is None or learned.model is None:
        raise KnownError(learned.sentence if learned else "Nothing was learned yet.")
    return learned.model


def _sample(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most ``most`` rows, evenly spread and always the same."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
