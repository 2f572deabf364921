"""Simulated raters of real photos, to measure how fast different learners learn.

A rater's preference mixes hidden attributes that no learner sees (content as seen by another
network, light, composition), what only this photo has, and noise; thresholds of the rater turn it
into stars. How much each part counts is calibrated to people (:data:`SHARED`). Learners predict the
ratings of held-out folders; stacks are never split. The learners:

    standardized   scikit-learn's StandardScaler and Ridge(1.0) on unit vectors, the usual method
    plain          scikit-learn's Ridge(1.0) on unit vectors
    vectors        curator.taste on the same vectors, in the space of the training folders
    curator        the same with tone measures, as in Curator
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from curator.learning.learner import COMPARISON_WEIGHT
from curator.taste.accuracy import rank_correlation
from curator.taste.explain import informative
from curator.taste.space import Array, Rows, Space
from curator.taste.training import TrainingSet
from tests.taste_models import fit, tuned

Indices = NDArray[np.intp]
Predict = Callable[[Indices], NDArray[np.floating]]
HELD_OUT = 0.35

SHARED, SHARED_HERE = 1.04, 0.21
"""Variance that people share, by theme and by single photo. These and the next figures are those of
170,325 ratings of beauty in seven steps that 757 people gave 900 photos of 248 themes (Brielmann
and Pelli 2019)."""
PRIVATE, PRIVATE_HERE = 0.75, 0.91
"""Variance of one person's own taste, by theme and by single photo."""
NOISE = 0.11
"""Variance from one rating to the next. The same person again: rank correlation 0.918, 67 % the
same step."""
STEPS = np.array([0.113, 0.087, 0.098, 0.160, 0.234, 0.167, 0.141])
STARS = np.array([0.148, 0.131, 0.226, 0.287, 0.208])
"""Shares of the seven steps, and of five stars: the areas under the same histogram."""
SESSION_STARS = (6.0, 8.0, 9.0, 7.0, 4.0)
"""Dirichlet weights of the shares of photos with 1 to 5 stars in a rating session."""
STRICTNESS = 10.0
"""Sum of the Dirichlet weights of a person's shares: for those people, 7 to 24 by star."""
CROWD = 12
"""Simulated people who share a part of their taste."""
KINDS: Mapping[str, tuple[float, float]] = {
    "content": (1.0, 1.0),
    "both": (0.3, 0.7),
    "light": (0.0, 0.0),
}
"""Kinds of raters, by the weight of content in what they like about a photo."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Photos to rate.

    ``rows`` (N, D + T), the first ``dimension`` columns unit vectors; ``content`` (N, A) and
    ``light`` (N, B) hidden attributes; ``folders`` and ``stacks`` (N,) ids.
    """

    rows: Rows
    dimension: int
    content: Array
    light: Array
    folders: NDArray[np.intp]
    stacks: NDArray[np.intp]

    def split(self, seed: int) -> tuple[Indices, Indices]:
        """Hold out whole folders; return (shuffled indices to learn from, indices to judge by)."""
        rng = np.random.default_rng(seed)
        names = rng.permutation(np.unique(self.folders))
        out = np.zeros(len(self.rows), dtype=bool)
        for name in names:
            members = self.folders == name
            if out.sum() + members.sum() <= HELD_OUT * len(out) + 10:
                out |= members
        shared = np.isin(self.stacks, self.stacks[out])
        return rng.permutation(np.flatnonzero(~out & ~shared)), np.flatnonzero(out)

    def stars(self, seed: int, kind: str = "both", sitting: int = 0, steps: Array = STARS) -> Array:
        """Return the stars a rater gives to every photo.

        Args:
            seed: selects the rater; CROWD neighbors share a part of their taste.
            kind: one of KINDS.
            sitting: another number is the same rater on another day.
            steps: the mean share of photos in each step; five stars by default.
        """
        crowd, person = (np.random.default_rng([part, seed // (CROWD if part else 1)])
                         for part in (1, 0))  # fmt: skip
        liking = np.zeros(len(self.rows))
        for rng, theme, here in ((crowd, SHARED, SHARED_HERE), (person, PRIVATE, PRIVATE_HERE)):
            liking += np.sqrt(theme) * self._theme(rng, kind)
            liking += np.sqrt(here) * rng.standard_normal(len(liking))
        shares = person.dirichlet(STRICTNESS * steps)
        day = np.random.default_rng([2, seed, sitting])
        mood = liking + np.sqrt(NOISE) * day.standard_normal(len(liking))
        cuts = np.quantile(mood, np.cumsum(shares)[:-1])
        stars: Array = 1.0 + np.searchsorted(cuts, mood).astype(np.float64)
        return stars

    def _theme(self, rng: np.random.Generator, kind: str) -> Array:
        """Return what a random taste of this kind likes about the photos, of unit variance."""
        share = rng.uniform(*KINDS[kind])
        content = self.content @ rng.standard_normal(self.content.shape[1])
        relevant = rng.random(self.light.shape[1]) < 0.4
        light = self.light @ (rng.standard_normal(self.light.shape[1]) * relevant)
        preferred = rng.integers(self.light.shape[1])
        light = light - np.abs(self.light[:, preferred] - rng.standard_normal())
        return _unit(np.sqrt(share) * _unit(content) + np.sqrt(1 - share) * _unit(light))


Learner = Callable[[Scene, Indices, Array, Indices], Predict]
"""Called with scene, rated indices, all stars and the training pool; returns a predictor."""


def standardized(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn with scikit-learn's StandardScaler and Ridge(1.0)."""
    x = scene.rows[:, : scene.dimension]
    model = make_pipeline(StandardScaler(), Ridge(1.0)).fit(x[rated], stars[rated])
    return lambda indices: model.predict(x[indices])


def plain(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn with scikit-learn's Ridge(1.0) on unit vectors."""
    x = scene.rows[:, : scene.dimension]
    model = Ridge(1.0).fit(x[rated], stars[rated])
    return lambda indices: model.predict(x[indices])


def vectors(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn from vectors in the space of all photos of the training folders."""
    rows = scene.rows[:, : scene.dimension]
    model = fit(rows[rated], stars[rated], groups=scene.stacks[rated], space=Space.of(rows[pool]))
    return lambda indices: model.rating(rows[indices])


def curator(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn from vectors and tone measures in the space of the archive."""
    space = Space.of(scene.rows[pool], scene.dimension)
    model = fit(scene.rows[rated], stars[rated], groups=scene.stacks[rated], space=space)
    return lambda indices: model.rating(scene.rows[indices])


LEARNERS: Mapping[str, Learner] = {
    "standardized": standardized,
    "plain": plain,
    "vectors": vectors,
    "curator": curator,
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """How well each learner predicts held-out folders, (raters, counts) each.

    ``correlation`` is the rank correlation; ``pairs`` the share of pairs inside one folder, of
    different stars, that are ordered as the rater does.
    """

    correlation: dict[str, Array]
    pairs: dict[str, Array]


def compare(
    scene: Scene,
    kind: str,
    raters: int = 60,
    counts: tuple[int, ...] = (50, 100),
    splits: int = 2,
) -> Comparison:
    """Compare the learners on raters of a kind."""
    found = Comparison(
        *({name: np.zeros((raters, len(counts))) for name in LEARNERS} for _ in range(2))
    )
    for rater in range(raters):
        stars = scene.stars(rater, kind)
        for split in range(splits):
            learn, judge = scene.split(1000 * rater + split)
            pool = np.sort(learn)
            for column, count in enumerate(counts):
                for name, learner in LEARNERS.items():
                    predicted = learner(scene, learn[:count], stars, pool)(judge)
                    value = rank_correlation(predicted, stars[judge])
                    found.correlation[name][rater, column] += value / splits
                    right = pairs_right(predicted, stars[judge], scene.folders[judge])
                    found.pairs[name][rater, column] += right / splits
    return found


def pairs_right(predicted: NDArray[np.floating], stars: Array, folders: Indices) -> float:
    """Return the share of pairs inside one folder that are ordered as the stars order them."""
    better = (stars[:, None] > stars) & (folders[:, None] == folders)
    difference = (predicted[:, None] - predicted)[better]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def ratio(one: Array, other: Array, seed: int = 0) -> tuple[float, float]:
    """Return the ratio of two means and its lower 5 % bound, paired by rater (bootstrap)."""
    drawn = np.random.default_rng(seed).integers(0, len(one), (4000, len(one)))
    bound = np.quantile(one[drawn].mean(axis=1) / other[drawn].mean(axis=1), 0.05)
    return float(one.mean() / other.mean()), float(bound)


def informative_order(scene: Scene, raters: int) -> Array:
    """Return the rank correlation with ratings in random and in informative order, (2, 2, raters).

    The second axis holds unrated photos of the rated folders and those of other folders. Averaged
    over 20, 40, 60 and 80 ratings. How many fewer ratings reach the same correlation cannot be told
    from this many raters: groups of 60 say 0.58 to 1.19 times as many.
    """
    counts = [20, 40, 60, 80]
    found = np.zeros((2, 2, raters))
    for rater in range(raters):
        stars = scene.stars(rater)
        learn, other = scene.split(1000 * rater)
        rng = np.random.default_rng(rater)
        stacks = rng.permutation(np.unique(scene.stacks[learn]))
        out = np.isin(scene.stacks[learn], stacks[: len(stacks) // 4])
        same, pool = learn[out], learn[~out]
        space = Space.of(scene.rows[np.sort(pool)], scene.dimension)
        for order in range(2):
            for indices in _asked(scene, pool, space, counts, order == 1):
                groups = scene.stacks[indices]
                model = fit(scene.rows[indices], stars[indices], groups=groups, space=space)
                for where, judge in enumerate((same, other)):
                    predicted = model.rating(scene.rows[judge])
                    found[order, where, rater] += rank_correlation(predicted, stars[judge])
    return found / len(counts)


def compared_pairs(scene: Scene, raters: int = 20, count: int = 50, pair_count: int = 40) -> Array:
    """Return the rank correlation without and with comparisons of pairs, (2, raters).

    A pair has two unrated photos; the one the rater prefers wins.
    """
    found = np.zeros((2, raters))
    for rater in range(raters):
        stars = scene.stars(rater)
        learn, judge = scene.split(1000 * rater)
        rng = np.random.default_rng(rater)
        space = Space.of(scene.rows[np.sort(learn)], scene.dimension)
        rated, pairs = learn[:count], rng.choice(learn[count:], (pair_count, 2))
        liking = stars + rng.uniform(-0.5, 0.5, len(stars))  # with equal stars either may win
        better, worse = np.where(np.diff(liking[pairs]) > 0, pairs[:, ::-1], pairs).T
        training = TrainingSet(space)
        groups = scene.stacks[rated].tolist()
        training.add(rated.tolist(), scene.rows[rated], stars[rated], np.ones(count), groups)
        for column in range(2):
            predicted = tuned(training).rating(scene.rows[judge])
            found[column, rater] = rank_correlation(predicted, stars[judge])
            training.add_comparisons(
                [("over", number) for number in range(pair_count)],
                scene.rows[better],
                scene.rows[worse],
                np.full(pair_count, COMPARISON_WEIGHT),
                scene.stacks[better].tolist(),
            )
    return found


def _asked(
    scene: Scene, pool: Indices, space: Space, counts: list[int], chosen: bool
) -> list[Indices]:
    """Return the photos rated at each count, in random or informative order."""
    if not chosen:
        return [pool[:count] for count in counts]
    asked: list[Indices] = []
    rated: Indices = pool[:0]
    for count in counts:
        rest = np.setdiff1d(pool, rated)
        rows = scene.rows[rest]
        known = scene.rows[rated]
        picks = informative(rows, scene.rows[pool], known, count - len(rated), space)
        rated = np.concatenate([rated, rest[picks]])
        asked.append(rated)
    return asked


def hidden_light(pictures: list[NDArray[np.uint8]]) -> Array:
    """Return measures of light and composition for raters, unlike the learner's tone measures.

    (N, 15): brightness, contrast, saturation, colorfulness, warmth, busyness, direction of
    lines, symmetry, bright middle, contrasty middle, richness of tones, aspect, deep shadow, white,
    light from above; each uniform by rank.
    """
    found = np.array([_light_measures(rgb) for rgb in pictures])
    spread = found.argsort(axis=0).argsort(axis=0) / len(found) - 0.5
    return spread * np.sqrt(12.0)


def _light_measures(rgb: NDArray[np.uint8]) -> list[float]:
    x = rgb.astype(np.float64) / 255.0
    luma = x @ [0.299, 0.587, 0.114]
    height, width = luma.shape
    most, least = x.max(axis=2), x.min(axis=2)
    opponent = x[..., 0] - x[..., 1], (x[..., 0] + x[..., 1]) / 2 - x[..., 2]
    across = float(np.abs(np.diff(luma, axis=1)).mean())
    down = float(np.abs(np.diff(luma, axis=0)).mean())
    middle = luma[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    share = np.histogram(luma, 32, (0, 1))[0] / luma.size
    third = max(height // 3, 1)
    return [
        luma.mean(),
        luma.std(),
        ((most - least) / (most + 1e-3)).mean(),
        np.hypot(opponent[0].std(), opponent[1].std())
        + 0.3 * np.hypot(opponent[0].mean(), opponent[1].mean()),
        (x[..., 0] - x[..., 2]).mean(),
        across + down,
        np.log((across + 1e-3) / (down + 1e-3)),
        -np.abs(luma - luma[:, ::-1]).mean(),
        middle.mean() - luma.mean(),
        middle.std() - luma.std(),
        -(share[share > 0] * np.log(share[share > 0])).sum(),
        np.log(width / height),
        (luma < 0.08).mean(),
        (luma > 0.95).mean(),
        luma[:third].mean() - luma[-third:].mean(),
    ]


def hidden_content(features: NDArray[np.float32], main: int = 24) -> Array:
    """Convert another network's (N, F) features to independent attributes of content, (N, A).

    Half of their variance is as the photos vary, and half in ``main`` directions: people like whole
    subjects, and finer themes in them.
    """
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    centered = unit.astype(np.float64) - unit.mean(axis=0)
    left, values, _ = np.linalg.svd(centered, full_matrices=False)
    variance = values**2 / (values**2).sum()
    subjects = 1.0 / np.arange(1, min(main, len(values)) + 1)
    variance[: len(subjects)] += subjects / subjects.sum()
    return left * np.sqrt(len(left) * variance / 2)


def stacks_of(vectors: Rows, alike: float = 0.9) -> NDArray[np.intp]:
    """Group near-copies: photos linked by a cosine over ``alike`` get the lowest index of them."""
    near = vectors @ vectors.T > alike
    label = np.arange(len(vectors))
    while True:
        lowest = np.where(near, label[None, :], len(label)).min(axis=1)
        if (lowest == label).all():
            return label
        label = lowest


def _unit(values: Array) -> Array:
    return (values - values.mean()) / max(float(values.std()), 1e-9)


ORDERS = ("random", "scenes", "liked scenes", "batches", "stars up")
"""Orders in which people rate: random; scene by scene, randomly or least liked first; ten of equal
stars at a time; all of one star, then all of two."""


@dataclass(frozen=True, eq=False)
class RatingSession:
    """The photos a person rated, in order, with the prediction before each rating.

    ``vectors`` (N, D), ``predicted`` (N,) NaN without a prediction, ``stars`` (N,); ``truth`` is
    the rank correlation of the last model on the unrated photos.
    """

    vectors: Rows
    predicted: Array
    stars: Array
    truth: float


def rating_session(
    seed: int, order: str, *, bursts: bool = False, count: int = 100
) -> RatingSession:
    """Simulate a person who rates photos of drawn scenes, with a prediction before each rating.

    Args:
        seed: selects the person and the photos.
        order: one of ORDERS.
        bursts: scenes are bursts, and the unrated photos are of other scenes.
        count: number of rated photos.
    """
    rng = np.random.default_rng(seed)
    scenes, hidden, spread = 60, 16, 0.25 if bursts else 0.7
    scene = rng.integers(scenes, size=700)
    kind = rng.standard_normal((scenes, hidden))[scene]
    kind = kind + spread * rng.standard_normal(kind.shape)
    seen = kind @ rng.standard_normal((hidden, 64))
    seen += 2.5 * spread / 0.7 * rng.standard_normal(seen.shape)
    if bursts:
        seen += 2.5 * rng.standard_normal((scenes, 64))[scene]
    rows = (seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float32)
    own = 0.2 if bursts else 0.0  # part of a scene's appeal that vectors do not show
    liking = np.sqrt(0.7 - own) * _unit(kind @ rng.standard_t(4, hidden))
    liking += np.sqrt(own) * rng.standard_normal(scenes)[scene]
    liking += np.sqrt(0.3 + 0.16) * rng.standard_normal(len(liking))
    cuts = np.quantile(liking, np.cumsum(rng.dirichlet(SESSION_STARS))[:4])
    stars = 1.0 + np.searchsorted(cuts, liking)
    own_scenes = scene < scenes // 3 if bursts else np.ones(len(scene), bool)
    rated = rng.permutation(np.flatnonzero(own_scenes))[:count]
    left = ~own_scenes if bursts else ~np.isin(np.arange(len(scene)), rated)
    rated = rated[_rating_order(order, stars[rated], scene[rated], rng)]
    training, predicted = TrainingSet(Space.of(rows)), np.full(len(rated), np.nan)
    for at, photo in enumerate(rated):
        if at >= 20 and np.ptp(stars[rated[:at]]) > 0:
            model = training.fit() if at % 5 else tuned(training)
            predicted[at] = model.rating(rows[[photo]])[0]
        training.add([int(photo)], rows[[photo]], [stars[photo]], [1.0], [int(photo)])
    truth = rank_correlation(tuned(training).rating(rows[left]), stars[left])
    return RatingSession(rows[rated], predicted, stars[rated], truth)


def _rating_order(order: str, stars: Array, scene: Indices, rng: np.random.Generator) -> Indices:
    """Return the order in which the photos are rated, as indices."""
    anyhow = rng.random(len(stars))
    if order == "scenes":
        return np.lexsort((anyhow, rng.permutation(scene.max() + 1)[scene]))
    if order == "liked scenes":
        sums = np.bincount(scene, stars) / np.maximum(np.bincount(scene), 1)
        return np.lexsort((anyhow, scene, sums[scene]))
    if order == "stars up":
        return np.lexsort((anyhow, stars))
    if order == "batches":
        rank = np.argsort(np.lexsort((anyhow, stars)))
        return np.lexsort((anyhow, rng.permutation(len(stars) // 10 + 1)[rank // 10]))
    return np.argsort(anyhow)
