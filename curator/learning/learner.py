"""Learning a person's taste from the catalog: ratings go in, scores come out.

    learner = TasteLearner(catalog, settings.taste, home.cache)
    learner.sync_vectors()            # new vectors, and the pinned version
    learner.update_training()         # ratings, rejects and comparisons: all, or of some photos
    learned = learner.fit()           # one solve, one product: learned.scores of learned.ids

The command line learns once (:func:`learn_once`); the window keeps a learner on a thread of its own
(`learner_thread`).
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from curator import taste
from curator.catalog import Catalog, PredictedRating, Preference, TasteRow
from curator.learning import versions
from curator.learning.judgments import (
    Examples,
    Judgments,
    Marks,
    examples,
    has_stars,
    latest_last,
)
from curator.learning.stored_scores import Scores
from curator.learning.vector_index import VectorIndex
from curator.learning.versions import Pinned
from curator.model import KnownError, counted
from curator.settings import TasteSettings

MIN_RATINGS = taste.MIN_RATINGS
NO_MATCH = (
    "No match scores yet: predictions are too close together to tell your photos apart. Rate more"
    " photos."
)
"""Why photos have predicted ratings, but no match scores."""
# A reject counts as less than one star, but weighs less than a rating: it may be the third of three
# good frames. All rejects of a stack together weigh as much as one.
_REJECT_STARS, REJECT_WEIGHT = 0.5, 0.5
# 40 comparisons beside 25, 50 and 100 ratings: rank correlation x 1.20, 1.08, 1.025 on 30 simulated
# raters of real photos; weights of 0.25 or 1 instead of 0.5 gain a little less.
COMPARISON_WEIGHT = 0.5
_SAMPLE = 4000  # rows the feature space is built from
_BATCH = 1000  # training examples added at a time
_GROWN = 2.0  # growth of the index after which the feature space is built again
_DAY_S = 86_400.0
# A photo similar to one of the last 30 rated within ten minutes does not test a prediction: the
# earlier rating gives it away. Two photos are similar if their cosine is far above that of most
# pairs. The lower bound of the accuracy then holds for 85 to 100 % of simulated people with bursts
# among their photos, in whatever order they rate; without it for 0 to 65 %
# (`tests/bench/test_taste.py`).
_RECENT_RATINGS, _RECENT_S = 30, 600.0
_SIMILAR = 3.0  # standard deviations above the median cosine of pairs
_PAIRED = 400  # photos whose pairs are compared for that
Value = TypeVar("Value")
Search = Callable[[], taste.Hyperparameters]  # picklable, for another process


class JobRunner(Protocol):
    """Runs a picklable job without arguments in another process, and returns its result."""

    def __call__(self, job: Callable[[], Value], /) -> Value:
        """Run the job."""
        ...


def _here(job: Callable[[], Value]) -> Value:
    return job()


@dataclass(frozen=True, eq=False)
class Learned:
    """The present state of the learned taste.

    Attributes:
        ratings: the number of rated photos.
        usable: the number of rated photos with a vector.
        vectors: the number of analyzed photos.
        damaged: the number of photos whose vector cannot be used.
        all_equal: whether all ratings are equal, so that there is nothing to learn.
        pinned: the version in use instead of the learned model.
        problem: why the pinned version cannot be used.
        model: the model in use, None while there is none.
        ids: photos with a score, (N,); empty without a model.
        predicted: their predicted ratings in stars.
        scores: their match scores, 0-100, from the same prediction; NaN while the model has none.
    """

    encoder: str
    ratings: int
    usable: int
    vectors: int
    damaged: int = 0
    all_equal: bool = False
    pinned: int | None = None
    problem: str = ""
    model: taste.TasteModel | None = None
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    predicted: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def ready(self) -> bool:
        """Whether ratings are predicted."""
        return self.model is not None

    @property
    def has_match(self) -> bool:
        """Whether photos have match scores."""
        return self.model is not None and self.model.match.separates

    @property
    def name(self) -> str:
        """A name of the model: its encoder, and its version or number of ratings."""
        if self.pinned is not None:
            return f"{self.encoder}, version {self.pinned}"
        return f"{self.encoder}, {self.usable} ratings"

    def by_id(self) -> dict[int, int]:
        """Return the match scores by photo id; empty while the model has none."""
        return self.without_model().by_id()

    def without_model(self) -> Scores:
        """Return what was learned about photos."""
        return Scores(
            self.name, self.sentence, self.has_match, self.ids, self.predicted, self.scores
        )

    @property
    def sentence(self) -> str:
        """How far learning has come, in one sentence."""
        if self.problem:
            return self.problem
        if self.pinned is not None:
            pinned = f"Taste is pinned to version {self.pinned}."
            return pinned if self.has_match else f"{pinned} {NO_MATCH}"
        if self.ready:
            of = "" if self.usable == self.ratings else f" of {self.ratings:,}"
            learned_from = f"Learned from {self.usable:,}{of} photos with stars."
            return learned_from if self.has_match else f"{learned_from} {NO_MATCH}"
        if self.ratings < MIN_RATINGS:
            missing = MIN_RATINGS - self.ratings
            return f"Rate {missing} more photo{'s' * (missing > 1)} to start predictions."
        if not self.vectors:
            return "Your rated photos are not analyzed yet, so taste cannot learn from them."
        if self.all_equal:
            return f"All {self.usable} rated photos have the same rating: nothing to learn yet."
        more = counted(MIN_RATINGS - self.usable, "more rated photo")
        return f"Predictions start after the analysis of {more}."


class ScoreChange(NamedTuple):
    """A photo's match score by a version and by the version before it."""

    photo_id: int
    before: int
    now: int


class TasteLearner:
    """Keeps the training data and the model up to date with small updates.

    Thread: one, that of the catalog.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: TasteSettings,
        scratch: Path,
        pause: Callable[[], None] = lambda: None,
        run_job: JobRunner = _here,
    ) -> None:
        """Create a learner that has read nothing.

        Args:
            catalog: the catalog to learn from.
            settings: read at every call of :meth:`sync_vectors` and :meth:`update_training`.
            scratch: the folder for temporary files.
            pause: called between the parts of long work. If it raises, the work ends half-way and
                the learner must not be used afterwards.
            run_job: runs a job in another process and returns its result.
        """
        self.catalog = catalog
        self._pause, self.run_job = pause, run_job
        self.vectors = VectorIndex(scratch)
        self.learned: Learned | None = None  # by the last :meth:`fit`
        self._settings = settings
        self._judgments = Judgments()
        self._left_out: frozenset[int] = frozenset()  # photos whose marks are not learned from
        self._comparisons: dict[Hashable, Preference] = {}  # those in effect, by key
        self._training: taste.TrainingSet | None = None
        self._space_size = 0  # vectors when the feature space was built
        self._epoch: float | None = None
        self._half_life_days = settings.half_life_days
        self._pinned: Pinned | None = None
        self._version_day: datetime.date | None = None
        self._accuracy: taste.Accuracy | None = None  # of the ratings and vectors known now
        self._similar_from: tuple[str, float, float] = ("", 0, 1.0)  # encoder, vectors, cosine

    # --- reading the catalog

    def sync_vectors(self) -> bool:
        """Read new vectors, the pinned version and the half-life; return whether any changed.

        Raises:
            KnownError: the disk is full; the next call reads the missing vectors.
        """
        pinned, encoder = self._pinned, self.vectors.encoder
        if self.catalog.taste.pinned() != (pinned and pinned.number):
            self._pinned = Pinned.read(self.catalog)
        wanted = self._pinned.encoder if self._pinned else None
        with self._dropped_on_error():  # its vectors may be of the former encoder
            fresh = self.vectors.sync(self.catalog, wanted, self._pause)
        switched = encoder != self.vectors.encoder
        reweighted = self._half_life_days != self._settings.half_life_days
        self._half_life_days = self._settings.half_life_days
        if len(fresh) or switched:
            self._accuracy = None
        grown = len(fresh) > 0 and self.vectors.size >= _GROWN * self._space_size
        if switched or reweighted or grown:  # grown: the vectors may have another structure
            self._training = None
        elif self._training is not None:
            marks = self._judgments.marks
            with self._dropped_on_error():
                self._update_examples(marks["stack"][np.isin(marks["photo_id"], fresh)])
                self._add_comparisons(list(self._comparisons_of(fresh.tolist()).values()))
        return len(fresh) > 0 or switched or reweighted or pinned is not self._pinned

    def update_training(self, ids: Collection[int] | None = None) -> bool:
        """Read ratings, rejects and comparisons: of all photos, or of those that changed.

        Returns:
            Whether the training data changed.

        Raises:
            KnownError: the disk is full; the next :meth:`fit` has all that was read.
        """
        found = self.catalog.taste.ratings(
            None if ids is None else sorted(ids), self._settings.from_files
        )
        wanted = (each for each in found if each.photo_id not in self._left_out)
        gone, new = self._judgments.update(wanted, ids)
        stacks = np.union1d(gone["stack"], new["stack"])  # with a changed frame
        if (gone["rating"] > 0).any() or (new["rating"] > 0).any():
            self._accuracy = None
        known = self._comparisons if ids is None else self._comparisons_of(ids)
        compared = {_comparison_key(each): each for each in self.catalog.taste.preferences(ids)}
        undone = known.keys() - compared.keys()
        fresh = [each for key, each in compared.items() if self._comparisons.get(key) != each]
        for key in undone:
            del self._comparisons[key]
        self._comparisons |= compared
        if self._training is not None:
            with self._dropped_on_error():
                for photo in gone["photo_id"].tolist():
                    self._training.remove(photo)
                self._update_examples(stacks)
                for key in undone:
                    self._training.remove(key)
                self._add_comparisons(fresh)
        return bool(len(stacks) or fresh or undone)

    def leave_out(self, ids: Collection[int]) -> bool:
        """Learn from all photos but these, so that they are predicted as if they had no marks.

        Returns:
            Whether the training data changed.

        Raises:
            KnownError: as :meth:`update_training`.
        """
        changed, self._left_out = self._left_out.symmetric_difference(ids), frozenset(ids)
        return bool(changed) and self.update_training(changed)

    def _comparisons_of(self, ids: Iterable[int]) -> dict[Hashable, Preference]:
        """Return the known comparisons that involve any of these photos."""
        wanted = set(ids)
        return {
            key: each
            for key, each in self._comparisons.items()
            if each.winner in wanted or each.loser in wanted
        }

    # --- training examples

    def _examples(self, stacks: NDArray[np.int64] | None = None) -> Examples:
        """Return the training examples of these stacks; None for all."""
        marks = self._judgments.of_stacks(stacks)
        return examples(marks, self._is_analyzed(marks))

    def _update_examples(self, stacks: NDArray[np.int64] | None = None) -> None:
        """Replace the training examples of these stacks; None for all."""
        assert self._training is not None
        found = self._examples(stacks)
        for part in self._batches(len(found.rated)):
            rated = found.rated[part]
            self._training.add(
                rated["photo_id"].tolist(),
                self._rows(rated),
                _ratings(rated),
                self._weights(rated) * found.rated_shares[part],
                rated["stack"].tolist(),
            )
        for part in self._batches(len(found.rejected)):
            best, rejected = found.best[part], found.rejected[part]
            self._training.add_comparisons(
                rejected["photo_id"].tolist(),
                self._rows(best),
                self._rows(rejected),
                self._weights(rejected) * found.rejected_shares[part],
                rejected["stack"].tolist(),
            )

    def _add_comparisons(self, preferences: Sequence[Preference]) -> None:
        """Add comparisons of two photos with vectors; others wait for their vectors.

        A comparison says nothing about how good either photo is, only which is better.
        """
        winners = self.vectors.rows_of([each.winner for each in preferences])
        losers = self.vectors.rows_of([each.loser for each in preferences])
        both = np.flatnonzero((winners >= 0) & (losers >= 0))
        if not len(both):
            return
        usable = [preferences[index] for index in both.tolist()]
        assert self._training is not None
        self._training.add_comparisons(
            [_comparison_key(each) for each in usable],
            self.vectors.take(winners[both]),
            self.vectors.take(losers[both]),
            COMPARISON_WEIGHT * self._recency([each.decided_at for each in usable]),
            [each.stack for each in usable],
        )

    def _batches(self, count: int) -> Iterator[slice]:
        """Split training examples into batches: adding a row takes eight times its memory."""
        for start in range(0, count, _BATCH):
            self._pause()
            yield slice(start, start + _BATCH)

    def _rows(self, marks: Marks) -> NDArray[np.float32]:
        return self.vectors.take(self.vectors.rows_of(marks["photo_id"]))

    def _weights(self, marks: Marks) -> NDArray[np.float64]:
        weights = np.where(marks["rejected"], REJECT_WEIGHT, 1.0)
        return weights * self._recency(marks["decided_at"])

    def _recency(self, times: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        if self._epoch is None:
            self._epoch = float(np.min(times))
        return taste.recency(times, self._half_life_days * _DAY_S, self._epoch)

    def _rebuild_training(self) -> taste.TrainingSet:
        """Build the feature space of all vectors, and put all training data into it."""
        self._space_size = size = self.vectors.size
        sample = self.vectors.take(np.arange(0, size, max(size // _SAMPLE, 1)))
        space = taste.Space.of(sample, self.vectors.dimension)
        self._training = training = taste.TrainingSet(space, self.vectors.scratch)
        with self._dropped_on_error():
            self._update_examples()
            self._add_comparisons(list(self._comparisons.values()))
            known = self._similar_model(training.ratings)
        if known is not None and known.match.measured:  # until the next search
            training.use(known.hyperparameters)
        return training

    def _similar_model(self, ratings: int) -> taste.TasteModel | None:
        """Return a model of almost the same ratings: the one in use, or the newest version.

        Args:
            ratings: how many there are to learn from, including rejects that count as ratings.
        """
        learned, encoder = self.learned, self.vectors.encoder
        now = (learned.encoder, learned.pinned) if learned is not None else None
        if learned is not None and learned.model is not None and now == (encoder, None):
            return learned.model
        newest = versions.newest(self.catalog, encoder)
        if newest is None:
            return None
        made_at, model = newest
        later = int(np.count_nonzero(self._judgments.marks["decided_at"] > made_at))
        later += sum(each.decided_at > made_at for each in self._comparisons.values())
        changed = max(later, abs(model.count - ratings))
        return model if changed < taste.SEARCH_EVERY else None

    @contextlib.contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        """Drop the training set if an update fails half-way; the next fit builds it again."""
        try:
            yield
        except Exception:
            self._training = None
            raise

    def rated_photos(self) -> Marks:
        """Return the rated photos, analyzed or not; the latest ratings come last."""
        rated = self._judgments.marks[has_stars(self._judgments.marks)]
        return rated[latest_last(rated)]

    def choices(self) -> tuple[Marks, Marks]:
        """Return pairs of photos of a stack, both analyzed: the best ones kept, and the rejects.

        The latest choices come last.
        """
        found = self._examples()
        latest = latest_last(found.rejected)
        return found.best[latest], found.rejected[latest]

    def judged_photos(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return ids and ratings of photos; a reject counts as less than one star.

        Left out are photos without a vector, and rejects with a kept frame in their stack.
        """
        rated = self._examples().rated
        return rated["photo_id"], _ratings(rated)

    def _is_analyzed(self, marks: Marks) -> NDArray[np.bool_]:
        return self.vectors.rows_of(marks["photo_id"]) >= 0

    # --- learning

    def fit(self) -> Learned:
        """Fit the model and score all photos; needs at least MIN_RATINGS ratings."""
        vectors = self.vectors
        marks = self._judgments.marks
        rated = marks[has_stars(marks)]
        usable = rated[self._is_analyzed(rated)]
        learned = Learned(
            vectors.encoder, len(rated), len(usable), vectors.size, len(vectors.damaged)
        )
        if self._pinned is not None:
            learned = self._by_version(learned, self._pinned)
        elif learned.usable >= MIN_RATINGS:
            equal = len(np.unique(usable["rating"])) == 1
            if equal and not marks["rejected"].any():
                learned = replace(learned, all_equal=True)
            else:
                training = self._training or self._rebuild_training()
                if not training.searched:
                    training.use(self.run_job(training.search_job()))
                learned = self._scored(learned, training.fit())
        self.learned = learned
        return learned

    def _by_version(self, learned: Learned, pinned: Pinned) -> Learned:
        """Score by the pinned version; without scores if it cannot be used."""
        problem = pinned.problem
        if pinned.model is not None:
            if learned.vectors and self.vectors.columns == pinned.model.space.columns:
                return self._scored(replace(learned, pinned=pinned.number), pinned.model)
            problem = (
                f"Taste is pinned to version {pinned.number}, which was learned from other vectors"
                " and cannot score these photos. Unpin it."
            )
        return replace(learned, pinned=pinned.number, problem=problem)

    def _scored(self, learned: Learned, model: taste.TasteModel) -> Learned:
        predicted, ids = self._predict_all(model), self.vectors.ids.copy()
        scores = model.scores(predicted)
        return replace(learned, model=model, ids=ids, predicted=predicted, scores=scores)

    def _predict_all(self, model: taste.TasteModel) -> NDArray[np.float32]:
        """Predict the rating of every photo: :meth:`TasteModel.rating`, read in blocks."""
        return self.vectors.product(model.weights) + np.float32(model.bias)

    def accuracy(self) -> taste.Accuracy:
        """Return how well ratings were predicted so far.

        Computed again only after ratings or vectors changed, because it takes a tenth of a second
        at 10,000 ratings.
        """
        if self._accuracy is None:
            self._accuracy = accuracy_of(self.predictions())
        return self._accuracy

    def predictions(self) -> list[PredictedRating]:
        """Read what was predicted before each rating, oldest first.

        The prediction is None for a photo similar to one rated just before: it would test nothing.
        """
        found = self.catalog.taste.predictions()
        similar = self._follow_similar(found).tolist()
        return [
            each._replace(expected=None) if after_similar else each
            for each, after_similar in zip(found, similar, strict=True)
        ]

    def _follow_similar(self, found: Sequence[PredictedRating]) -> NDArray[np.bool_]:
        """Mark the ratings of photos similar to a photo rated just before."""
        similar = np.zeros(len(found), bool)
        rows = self.vectors.rows_of([each.photo_id for each in found])
        analyzed = np.flatnonzero(rows >= 0)
        times = np.array([each.made_at for each in found])
        cosine = self._similar_cosine()
        for start in range(0, len(analyzed), _BATCH):
            self._pause()
            part = analyzed[max(start - _RECENT_RATINGS, 0) : start + _BATCH]
            similar[part] |= follows_similar(self._vectors(rows[part]), times[part], cosine)
        return similar

    def _similar_cosine(self) -> float:
        """Return the cosine above which two photos count as similar."""
        vectors = self.vectors
        encoder, size, cosine = self._similar_from
        if vectors.size and (encoder != vectors.encoder or vectors.size >= _GROWN * size):
            some = np.arange(0, vectors.size, -(-vectors.size // _PAIRED))
            cosine = similar_cosine(self._vectors(some))
            self._similar_from = vectors.encoder, vectors.size, cosine
        return cosine

    def _vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors in some rows at unit length, without tone."""
        vectors = self.vectors.take(rows)[:, : self.vectors.dimension]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def search(self) -> Search | None:
        """Return the hyperparameter search that is due, for another process; None if none is."""
        training = self._training
        return training.search_job() if training is not None and training.search_due else None

    def adopt(self, choice: taste.Hyperparameters) -> None:
        """Use the result of a search, from the next :meth:`fit` on."""
        if self._training is not None:
            self._training.use(choice)

    # --- versions

    def save_daily_version(self) -> int | None:
        """Save a version after the first fit of a day; return its number, None if not due."""
        today = datetime.date.today()
        if self._version_day == today or self.learned is None or not self.learned.ready:
            return None
        if self._left_out:  # soon learned from again; a version is of all ratings
            return None
        self._version_day = today
        newest = next(iter(self.catalog.taste.versions()), None)
        if newest is not None and datetime.date.fromtimestamp(newest.made_at) == today:
            return None
        return self.save_version("daily")

    def save_version(self, reason: str) -> int | None:
        """Save a version of the model, unless the newest version equals it.

        Args:
            reason: ``daily``, ``closing`` or ``hand``; by hand, an equal version is marked as kept.

        Returns:
            The number of the version saved, or by hand of the equal one; else None.
        """
        learned = self.learned
        if learned is None or learned.model is None or learned.pinned is not None:
            return None
        newest = next(iter(self.catalog.taste.versions()), None)
        now = (learned.encoder, learned.usable)
        if (
            newest is not None
            and (newest.encoder, newest.ratings) == now
            and newest.made_at >= self.catalog.journal.last_decision_at()
        ):
            if reason != "hand":
                return None
            self.catalog.taste.keep_version(newest.id)
            return newest.id
        accuracy = self.accuracy()
        enough = accuracy.count >= MIN_RATINGS
        return self.catalog.taste.save_version(
            TasteRow(
                0,
                0.0,
                learned.encoder,
                learned.usable,
                accuracy.correlation if enough else None,
                accuracy.error if enough else None,
                accuracy.mean_error if enough else None,
                reason,
                versions.to_blob(learned.model),
            )
        )

    def keep_version(self) -> int:
        """Save a version by hand and return its number.

        Raises:
            KnownError: there is no model yet, or a version is pinned.
        """
        learned = self.learned or self.fit()
        if learned.pinned is not None:
            raise KnownError(
                f"Taste is pinned to version {learned.pinned}, so nothing newer is in use.",
                "Unpin it, then keep a version.",
            )
        number = self.save_version("hand")
        if number is None:
            raise KnownError("There is nothing to keep yet.", learned.sentence)
        return number

    def score_changes(self, number: int, most: int = 6) -> list[ScoreChange]:
        """Return the photos whose match changed most from the version before to this one.

        The version before is the previous one of the same encoder; without it the list is empty.

        Raises:
            NotFoundError: there is no version of that number.
            KnownError: one of the two is damaged, has no match scores, or was made with another
                encoder than the one in use.
        """
        listed = self.catalog.taste.versions()
        encoder = self.catalog.taste.version(number).encoder
        earlier = [row.id for row in listed if row.id < number and row.encoder == encoder]
        if not earlier:
            return []
        models = [versions.read(self.catalog, each) for each in (earlier[0], number)]
        if encoder != self.vectors.encoder or any(
            model.space.columns != self.vectors.columns for model in models
        ):
            raise KnownError(
                f"Version {number} of taste was learned with another encoder than the one in use."
            )
        for version, model in zip((earlier[0], number), models, strict=True):
            if not model.match.separates:
                raise KnownError(f"Version {version} has no match scores to compare.", NO_MATCH)
        before, now = (model.scores(self._predict_all(model)) for model in models)
        furthest = np.argsort(-np.abs(now - before), kind="stable")[:most]
        return [
            ScoreChange(int(self.vectors.ids[row]), int(before[row]), int(now[row]))
            for row in furthest.tolist()
            if before[row] != now[row]
        ]


def accuracy_of(predicted: Sequence[PredictedRating]) -> taste.Accuracy:
    """Compute the accuracy of predictions stored before ratings, oldest first."""
    return taste.accuracy(*prediction_columns(predicted))


def follows_similar(
    vectors: NDArray[np.float32], rated_at_s: NDArray[np.float64], cosine: float
) -> NDArray[np.bool_]:
    """Mark photos similar to a photo that was rated just before them.

    Args:
        vectors: (N, D) of unit length, in the order they were rated.
        rated_at_s: (N,) Unix times.
        cosine: from which on two photos are similar.
    """
    found = np.zeros(len(vectors), bool)
    for back in range(1, min(_RECENT_RATINGS, len(vectors) - 1) + 1):
        similar = np.einsum("ij,ij->i", vectors[back:], vectors[:-back]) >= cosine
        found[back:] |= similar & (rated_at_s[back:] - rated_at_s[:-back] <= _RECENT_S)
    return found


def similar_cosine(vectors: NDArray[np.float32]) -> float:
    """Return the cosine from which on photos are similar, from (N, D) unit vectors."""
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    if not len(pairs):
        return 1.0
    usual = float(np.median(pairs))  # medians, so that similar pairs do not widen the scatter
    return usual + _SIMILAR * 1.4826 * float(np.median(np.abs(pairs - usual)))


def prediction_columns(ratings: Sequence[PredictedRating]) -> tuple[list[float], list[int]]:
    """Return predictions (NaN for none) and ratings, as `curator.taste` takes them."""
    predicted = [np.nan if each.expected is None else each.expected for each in ratings]
    return predicted, [each.rating for each in ratings]


def learn_once(catalog: Catalog, settings: TasteSettings, scratch: Path) -> TasteLearner:
    """Learn from all ratings once, for the command line; takes a second at 100,000 photos.

    Vectors are read only if there are enough ratings, or a version is pinned. The hyperparameters
    are those of the newest version if hardly any judgment was made since; else they are searched,
    as in the window, which takes another second.
    """
    learner = TasteLearner(catalog, settings, scratch)
    if (
        catalog.taste.count_rated(settings.from_files) >= MIN_RATINGS
        or catalog.taste.pinned() is not None
    ):
        learner.sync_vectors()
    learner.update_training()
    learner.fit()
    return learner


def _comparison_key(comparison: Preference) -> Hashable:
    """Return the key of a comparison as a training example; a rating's key is the photo's id."""
    return ("over", comparison.winner, comparison.loser)


def _ratings(marks: Marks) -> NDArray[np.float64]:
    """Return the ratings that photos count as, (N,)."""
    return np.where(marks["rejected"], _REJECT_STARS, marks["rating"])
