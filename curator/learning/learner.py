"""Learning a person's taste from the catalog: ratings go in, scores come out.

    learner = TasteLearner(catalog, settings.taste, home.cache)
    learner.sync_vectors()            # new vectors, and the pinned version
    learner.update_training()         # ratings, rejects and comparisons: all, or of some photos
    learned = learner.fit()           # one solve, one product; Learned.scores by Learned.ids

The command line uses it once, the window keeps one on a thread of its own (`learner_thread`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from curator import taste
from curator.catalog import Catalog, Judgment, PredictedRating, Preference, TasteRow
from curator.learning import comparisons, versions
from curator.learning.vector_index import VectorIndex
from curator.learning.versions import Pinned
from curator.model import KnownError, counted
from curator.settings import TasteSettings

MIN_RATINGS = taste.MIN_RATINGS
# A reject is weaker evidence than a rating: it may be the third of three good frames. It counts as
# less than one star. All rejects of a stack together weigh as much as one reject.
_REJECT_STARS, _REJECT_WEIGHT = 0.5, 0.5
# 40 comparisons beside 25, 50 and 100 ratings: rank correlation x 1.20, 1.08, 1.025 on 30 simulated
# raters of real photos; weights of 0.25 or 1 instead of 0.5 gain a little less.
COMPARISON_WEIGHT = 0.5
_SAMPLE = 4000  # rows the feature space is built from
_TAUGHT = 1000  # training examples added at a time
_GROWN = 2.0  # growth of the index after which the feature space is built again
_DAY_S = 86_400.0
# A photo similar to one of the last 30 rated within ten minutes does not test a prediction: the
# earlier rating gives it away. Similar are pairs far outside the scatter of all pairs. Of simulated
# people with bursts among their photos the lower bound then holds for 85 to 100 %, whatever their
# order, instead of 0 to 65 % (`tests/bench/test_taste.py`).
_JUST_RATED, _JUST_S = 30, 600.0
_ALIKE, _PAIRS_OF = 3.0, 400  # standard deviations over the median, of the pairs of so many photos
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Learned:
    """The present state of the learned taste.

    ``ids``, ``predicted`` (stars, float32, not stretched) and ``scores`` (0-100, int16) go
    together; they are empty while there is no ``model``. ``stars`` counts rated photos, ``taught``
    those with a vector, ``vectors`` the analyzed photos, ``damaged`` those whose vector cannot be
    used. ``alike``: all ratings are equal, so that there is nothing to learn. ``pinned`` is the
    version in use instead of the learned model; ``problem`` is why that version cannot be used.
    """

    encoder: str
    stars: int
    taught: int
    vectors: int
    damaged: int = 0
    alike: bool = False
    pinned: int | None = None
    problem: str = ""
    model: taste.TasteModel | None = None
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    predicted: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    scores: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))

    @property
    def ready(self) -> bool:
        """Whether there are scores."""
        return self.model is not None

    @property
    def name(self) -> str:
        """A name of the model: its encoder and the number of ratings."""
        if self.pinned is not None:
            return f"{self.encoder}, version {self.pinned}"
        return f"{self.encoder}, {self.taught} ratings"

    def by_id(self) -> dict[int, int]:
        """Return the match scores by photo id."""
        return dict(zip(self.ids.tolist(), self.scores.tolist(), strict=True))

    @property
    def sentence(self) -> str:
        """One sentence about how far learning is."""
        if self.problem:
            return self.problem
        if self.pinned is not None:
            return f"Taste is pinned to version {self.pinned}."
        if self.ready:
            of = "" if self.taught == self.stars else f" of {self.stars:,}"
            return f"Taste is ready: learned from {self.taught:,}{of} photos with stars."
        if self.stars < MIN_RATINGS:
            missing = MIN_RATINGS - self.stars
            return f"Rate {missing} more photo{'s' * (missing > 1)} to start predictions."
        if not self.vectors:
            return "Your rated photos are not analyzed yet, so taste cannot learn from them."
        if self.alike:
            return (
                f"All {counted(self.taught, 'photo')} with stars have equally many: nothing tells"
                " what you like more."
            )
        return f"{MIN_RATINGS - self.taught} photos with stars are still to be compared."


class Moved(NamedTuple):
    """A photo's match score by one version and by a later one."""

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
    ) -> None:
        """Start with nothing read; ``scratch`` is the folder of a temporary file.

        ``pause`` is called between the parts of long work. If it raises, the work ends half-way and
        the learner must not be used afterwards.
        """
        self.catalog = catalog
        self._pause = pause
        self.vectors = VectorIndex(scratch)
        self.learned: Learned | None = None  # by the last :meth:`fit`
        self._settings = settings
        self._known: dict[int, Judgment] = {}
        self._starred: dict[int, int] = {}  # those of them with stars, and how many
        self._stacks: dict[int, set[int]] = {}  # stack → those of it that are known
        self._comparisons = comparisons.Comparisons()
        self._training: taste.TrainingSet | None = None
        self._spaced_at = 0
        self._epoch: float | None = None
        self._half_life_days = settings.half_life_days
        self._pinned: Pinned | None = None
        self._kept_on: datetime.date | None = None
        self._accuracy: taste.Accuracy | None = None  # of the ratings and vectors known now
        self._alike_from: tuple[str, float, float] = ("", 0, 1.0)  # encoder, archive size, cosine

    # --- reading the catalog

    def sync_vectors(self) -> bool:
        """Read new vectors, the pinned version and the settings; return whether any changed.

        Raises:
            KnownError: the disk is full; the next call reads the missing vectors.
        """
        pinned, encoder = self._pinned, self.vectors.encoder
        weighed = self._half_life_days == self._settings.half_life_days
        if self.catalog.taste.pinned() != (pinned and pinned.number):
            self._pinned = Pinned.read(self.catalog)
        try:
            wanted = self._pinned.encoder if self._pinned else None
            fresh = self.vectors.sync(self.catalog, wanted, self._pause)
        except Exception:
            self._training = None  # their vectors may be of the former encoder
            raise
        if len(fresh) or encoder != self.vectors.encoder:
            self._accuracy = None
        news = len(fresh) > 0 or encoder != self.vectors.encoder or not weighed
        if encoder != self.vectors.encoder or not weighed:
            self._half_life_days = self._settings.half_life_days
            self._training = None
        if self._training is not None and self.vectors.size < _GROWN * self._spaced_at:
            ids = fresh.tolist()
            self._update_examples({self._known[id_].stack for id_ in ids if id_ in self._known})
            self._add_comparisons(self._comparisons.of(ids))
        elif len(fresh):
            self._training = None  # the archive's structure changed: a new space
        return news or pinned is not self._pinned

    def update_training(self, ids: Collection[int] | None = None) -> bool:
        """Read ratings, rejects and comparisons: of all photos, or of those that changed.

        Returns:
            Whether the training data changed.
        """
        found = self.catalog.taste.ratings(
            None if ids is None else sorted(ids), self._settings.from_files
        )
        told = {example.photo_id: example for example in found if _is_informative(example)}
        before = self._known.keys() if ids is None else self._known.keys() & set(ids)
        touched: set[int] = set()
        for photo in before | told.keys():
            old, new = self._known.get(photo), told.get(photo)
            if old == new:
                continue
            if any(each is not None and each.rating is not None for each in (old, new)):
                self._accuracy = None
            if old is not None:
                touched.add(old.stack)
                self._forget(old)
            if new is not None:
                touched.add(new.stack)
                self._known[photo] = new
                if _has_stars(new):
                    self._starred[photo] = new.rating or 0
                self._stacks.setdefault(new.stack, set()).add(photo)
        news = self._comparisons.refresh(self.catalog, ids)
        if self._training is not None:
            self._update_examples(touched)
            for name in news.gone:
                self._training.remove(name)
            self._add_comparisons(news.fresh)
        return bool(touched or news)

    def _forget(self, example: Judgment) -> None:
        del self._known[example.photo_id]
        self._starred.pop(example.photo_id, None)
        others = self._stacks[example.stack]
        others.discard(example.photo_id)
        if not others:
            del self._stacks[example.stack]
        if self._training is not None:
            self._training.remove(example.photo_id)

    # --- training examples

    def _update_examples(self, stacks: Collection[int]) -> None:
        """Replace the training examples of these stacks."""
        assert self._training is not None
        photos = [photo for stack in stacks for photo in self._stacks.get(stack, ())]
        compared = self._compared(dict.fromkeys(photos))
        rated: list[tuple[Judgment, float]] = []  # with the share of a whole example
        against: list[tuple[Judgment, Judgment, float]] = []
        for stack in stacks:
            known = [self._known[photo] for photo in sorted(self._stacks.get(stack, ()))]
            seen = [example for example in known if example.photo_id in compared]
            rated += [(each, 1.0) for each in seen if _has_stars(each)]
            rejected = [each for each in seen if each.rejected]
            if not any(each.kept for each in known):
                rated += [(each, 1.0 / len(rejected)) for each in rejected]
                continue
            # A reject beside a frame that was kept says nothing about the subject, only which
            # frame is better. It is ignored until the kept frame has a vector.
            best = max((each for each in seen if each.kept), key=_preference_key, default=None)
            if best is not None:
                against += [(each, best, 1.0 / len(rejected)) for each in rejected]
        self._add_ratings(rated)
        self._add_rejects(against)

    def _add_ratings(self, examples: Sequence[tuple[Judgment, float]]) -> None:
        assert self._training is not None
        for some in self._parts(examples):
            told = [example for example, _ in some]
            stars = [_REJECT_STARS if each.rejected else float(each.rating or 0) for each in told]
            self._training.add(
                [each.photo_id for each in told],
                self._rows(told),
                stars,
                self._strength(told) * [share for _, share in some],
                [each.stack for each in told],
            )

    def _add_rejects(self, examples: Sequence[tuple[Judgment, Judgment, float]]) -> None:
        assert self._training is not None
        for some in self._parts(examples):
            rejected = [example for example, _, _ in some]
            self._training.add_comparisons(
                [each.photo_id for each in rejected],
                self._rows([best for _, best, _ in some]),
                self._rows(rejected),
                self._strength(rejected) * [share for _, _, share in some],
                [each.stack for each in rejected],
            )

    def _add_comparisons(self, preferences: Sequence[Preference]) -> None:
        """Add comparisons of photos that both have a vector."""
        sides = [[each.winner for each in preferences], [each.loser for each in preferences]]
        seen = [self.vectors.places(side) for side in sides]
        both = np.flatnonzero((seen[0] >= 0) & (seen[1] >= 0)) if preferences else np.zeros(0, int)
        if not len(both):
            return
        usable = [preferences[place] for place in both.tolist()]
        better, worse = (self.vectors.take(places[both]) for places in seen)
        assert self._training is not None
        self._training.add_comparisons(
            [comparisons.key(each) for each in usable],
            better,
            worse,
            COMPARISON_WEIGHT * self._recency([each.decided_at for each in usable]),
            [each.stack for each in usable],
        )

    def _parts(self, examples: Sequence[Value]) -> Iterator[Sequence[Value]]:
        """Split training examples into parts: adding a row takes eight times its memory."""
        for start in range(0, len(examples), _TAUGHT):
            self._pause()
            yield examples[start : start + _TAUGHT]

    def _rows(self, examples: Sequence[Judgment]) -> NDArray[np.float32]:
        return self.vectors.take(self.vectors.places([example.photo_id for example in examples]))

    def _strength(self, examples: Sequence[Judgment]) -> NDArray[np.float64]:
        weights = np.array([_REJECT_WEIGHT if example.rejected else 1.0 for example in examples])
        return weights * self._recency([example.decided_at for example in examples])

    def _recency(self, times: Sequence[float]) -> NDArray[np.float64]:
        if self._epoch is None:
            self._epoch = min(times)
        return taste.recency(times, self._half_life_days * _DAY_S, self._epoch)

    def _rebuild_training(self) -> taste.TrainingSet:
        """Build the feature space of all vectors, and put all training data into it."""
        size = self.vectors.size
        sample = self.vectors.take(np.arange(0, size, max(size // _SAMPLE, 1)))
        space = taste.Space.of(sample, self.vectors.dimension)
        self._training, self._spaced_at = (
            taste.TrainingSet(space, scratch=self.vectors.scratch),
            size,
        )
        self._update_examples(list(self._stacks))
        self._add_comparisons(self._comparisons.all())
        return self._training

    def opinions(self) -> dict[int, float]:
        """Return the rating of each photo, by id; a reject counts as less than one star.

        Left out are photos without a vector, and rejects with a kept frame in their stack.
        """
        told = {}
        for example in self._known.values():
            if _has_stars(example):
                told[example.photo_id] = float(example.rating or 0)
            elif example.rejected and not any(
                self._known[photo].kept for photo in self._stacks[example.stack]
            ):
                told[example.photo_id] = _REJECT_STARS
        return self._compared(told)

    def _compared(self, told: Mapping[int, Value]) -> dict[int, Value]:
        """Keep only the photos with a vector."""
        seen = self.vectors.places(list(told)) >= 0
        pairs = zip(told.items(), seen.tolist(), strict=True)
        return {photo: value for (photo, value), here in pairs if here}

    # --- learning

    def fit(self) -> Learned:
        """Fit the model and score all photos; needs at least MIN_RATINGS ratings."""
        archive = self.vectors
        rated = self._compared(self._starred)
        known = Learned(
            archive.encoder, len(self._starred), len(rated), archive.size, len(archive.damaged)
        )
        if self._pinned is not None:
            known = self._by_version(known, self._pinned)
        elif known.taught >= MIN_RATINGS:
            alike = len(set(rated.values())) == 1
            if alike and not any(each.rejected for each in self._known.values()):
                known = replace(known, alike=True)
            else:
                known = self._scored(known, (self._training or self._rebuild_training()).fit())
        self.learned = known
        return known

    def _by_version(self, known: Learned, pinned: Pinned) -> Learned:
        """Score by the pinned version; without scores if it cannot be used."""
        known, model = replace(known, pinned=pinned.number), pinned.model
        if model is None:
            return replace(known, problem=pinned.problem)
        if known.vectors and self.vectors.columns == model.space.columns:
            return self._scored(known, model)
        problem = (
            f"Taste is pinned to version {pinned.number}, which was learned from other vectors than"
            " there are now and says nothing about them. Unpin it."
        )
        return replace(known, problem=problem)

    def _scored(self, known: Learned, model: taste.TasteModel) -> Learned:
        predicted = self._predict_all(model)
        return replace(
            known,
            model=model,
            ids=self.vectors.ids.copy(),
            predicted=predicted,
            scores=model.scores(predicted),
        )

    def _predict_all(self, model: taste.TasteModel) -> NDArray[np.float32]:
        """Predict the rating of every photo: :meth:`TasteModel.rating`, read in blocks."""
        return self.vectors.product(model.weights) + np.float32(model.bias)

    def accuracy(self) -> taste.Accuracy:
        """Return how well ratings were predicted so far.

        Computed again only after ratings or vectors changed: it takes a tenth of a second at
        10,000 ratings.
        """
        if self._accuracy is None:
            self._accuracy = accuracy_of(self.predictions())
        return self._accuracy

    def predictions(self) -> list[PredictedRating]:
        """Read what was predicted before each rating, oldest first.

        A photo similar to one rated just before has no prediction, as it would test nothing.
        """
        found = self.catalog.taste.predictions()
        return [
            told._replace(expected=None) if away else told
            for told, away in zip(found, self._follow_similar(found).tolist(), strict=True)
        ]

    def _follow_similar(self, found: Sequence[PredictedRating]) -> NDArray[np.bool_]:
        """Mark the ratings of photos similar to a photo rated just before."""
        away = np.zeros(len(found), bool)
        places = self.vectors.places([told.photo_id for told in found])
        seen = np.flatnonzero(places >= 0)
        times = np.array([told.made_at for told in found])
        least = self._least_alike()
        for start in range(0, len(seen), _TAUGHT):
            self._pause()
            part = seen[max(start - _JUST_RATED, 0) : start + _TAUGHT]
            away[part] |= follows_similar(self._vectors(places[part]), times[part], least)
        return away

    def _least_alike(self) -> float:
        """Return the cosine above which two photos count as similar."""
        archive = self.vectors
        encoder, size, least = self._alike_from
        if archive.size and (encoder != archive.encoder or archive.size >= _GROWN * size):
            some = np.arange(0, archive.size, -(-archive.size // _PAIRS_OF))
            least = least_alike(self._vectors(some))
            self._alike_from = archive.encoder, archive.size, least
        return least

    def _vectors(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return vectors at unit length, without tone."""
        vectors = self.vectors.take(places)[:, : self.vectors.dimension]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def search(self) -> Callable[[], taste.Hyperparameters] | None:
        """Return the hyperparameter search that is due, for another thread; None if none is."""
        examples = self._training
        return examples.search_job() if examples is not None and examples.search_due else None

    def adopt(self, choice: taste.Hyperparameters) -> None:
        """Use the result of a search, from the next :meth:`fit` on."""
        if self._training is not None:
            self._training.use(choice)

    # --- versions

    def keep_daily(self) -> int | None:
        """Save a version after the first fit of a day; return its number, None if not due."""
        today = datetime.date.today()
        if self._kept_on == today or self.learned is None or not self.learned.ready:
            return None
        self._kept_on = today
        newest = next(iter(self.catalog.taste.versions()), None)
        if newest is not None and datetime.date.fromtimestamp(newest.made_at) == today:
            return None
        return self.snapshot("daily")

    def snapshot(self, reason: str) -> int | None:
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
        if newest is not None and self._holds(newest, learned):
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
                learned.taught,
                accuracy.correlation if enough else None,
                accuracy.error if enough else None,
                accuracy.mean_error if enough else None,
                reason,
                versions.to_blob(learned.model),
            )
        )

    def _holds(self, newest: TasteRow, learned: Learned) -> bool:
        same = (newest.encoder, newest.ratings) == (learned.encoder, learned.taught)
        return same and newest.made_at >= self.catalog.journal.last_decision_at()

    def keep(self) -> int:
        """Save a version by hand and return its number.

        Raises:
            KnownError: there is no model yet, or a version is pinned.
        """
        learned = self.learned or self.fit()
        if learned.pinned is not None:
            raise KnownError(
                f"Taste is pinned to version {learned.pinned}: what was learned since is not in "
                "use.",
                "Unpin it, then keep a version.",
            )
        number = self.snapshot("hand")
        if number is None:
            raise KnownError("There is nothing to keep yet.", learned.sentence)
        return number

    def moved(self, number: int, most: int = 6) -> list[Moved]:
        """Return the photos whose match changed most from the version before to this one.

        The version before is the previous one of the same encoder; without one the list is empty.

        Raises:
            NotFoundError: there is no version of that number.
            KnownError: one of the two is damaged, or made with another encoder than the one in use.
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
                f"Version {number} of taste was learned with another encoder than photos are"
                " compared by now."
            )
        before, now = (model.scores(self._predict_all(model)) for model in models)
        furthest = np.argsort(-np.abs(now - before), kind="stable")[:most]
        return [
            Moved(int(self.vectors.ids[place]), int(before[place]), int(now[place]))
            for place in furthest.tolist()
            if before[place] != now[place]
        ]


def accuracy_of(predicted: Sequence[PredictedRating]) -> taste.Accuracy:
    """Compute the accuracy of predictions stored before ratings, oldest first."""
    return taste.accuracy(*prediction_columns(predicted))


def follows_similar(
    vectors: NDArray[np.float32], rated_at_s: NDArray[np.float64], least: float
) -> NDArray[np.bool_]:
    """Mark photos similar to a photo that was rated just before them.

    Args:
        vectors: (N, D) of unit length, in the order they were rated.
        rated_at_s: (N,) Unix times.
        least: the cosine above which two photos are similar.
    """
    away = np.zeros(len(vectors), bool)
    for back in range(1, min(_JUST_RATED, len(vectors) - 1) + 1):
        near = np.einsum("ij,ij->i", vectors[back:], vectors[:-back]) >= least
        away[back:] |= near & (rated_at_s[back:] - rated_at_s[:-back] <= _JUST_S)
    return away


def least_alike(vectors: NDArray[np.float32]) -> float:
    """Return the cosine above which photos count as similar, from unit vectors (N, D)."""
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    if not len(pairs):
        return 1.0
    usual = float(np.median(pairs))  # medians, so that similar pairs do not widen the scatter
    return usual + _ALIKE * 1.4826 * float(np.median(np.abs(pairs - usual)))


def prediction_columns(ratings: Sequence[PredictedRating]) -> tuple[list[float], list[int]]:
    """Return predictions (NaN for none) and ratings, as `curator.taste` takes them."""
    predicted = [np.nan if each.expected is None else each.expected for each in ratings]
    return predicted, [each.rating for each in ratings]


def learn_once(catalog: Catalog, settings: TasteSettings, scratch: Path) -> TasteLearner:
    """Learn from all ratings once, for the command line. A second at 100,000 photos."""
    learner = TasteLearner(catalog, settings, scratch)
    if (
        catalog.taste.count_rated(settings.from_files) >= MIN_RATINGS
        or catalog.taste.pinned() is not None
    ):
        learner.sync_vectors()
    learner.update_training()
    learner.fit()
    return learner


def _is_informative(example: Judgment) -> bool:
    """Whether a photo is a training example, or the kept frame its stack's rejects lost to."""
    return example.rating is not None or example.rejected or (example.kept and example.stack > 0)


def _has_stars(example: Judgment) -> bool:
    return example.rating is not None and not example.rejected


def _preference_key(example: Judgment) -> tuple[int, int]:
    """Return the sort key for the kept frames of a stack: by rating, then by id."""
    return example.rating or 0, -example.photo_id
