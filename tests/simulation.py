"""Simulated raters of real photos, to measure how fast different learners learn.

A rater's preference mixes hidden attributes that no learner sees (content as seen by another
network, light, composition), a preferred value of one of them, and noise; thresholds of the rater
turn it into stars. Learners predict the ratings of held-out folders; stacks are never split. The
learners:

    standardized   StandardScaler + Ridge(1.0), the usual method
    plain          Ridge(1.0) on unit vectors
    taste          curator.taste on the same vectors
    archive        the same in the space of all photos of the training folders
    tone           the same with tone measures, as in Curator
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.learning.learner import COMPARISON_WEIGHT
from curator.taste.accuracy import rank_correlation
from curator.taste.explain import informative
from curator.taste.space import Array, Rows, Space
from curator.taste.training import TrainingSet
from tests.taste_models import fit

Indices = NDArray[np.intp]
Predict = Callable[[Indices], NDArray[np.floating]]
HELD_OUT = 0.35
STRICTNESS = (6.0, 8.0, 9.0, 7.0, 4.0)
"""Dirichlet weights of the shares of photos with 1 to 5 stars."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Photos to rate.

    ``rows`` (N, D + T), the first ``dimension`` columns unit vectors; ``content`` (N, A) and
    ``light`` (N, B) hidden attributes, each column of unit variance; ``folders`` and ``stacks``
    (N,) ids.
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

    def stars(self, seed: int, content_share: float | None = None, noise: float = 0.5) -> Array:
        """Return the stars a rater gives to every photo.

        Args:
            seed: selects the rater.
            content_share: weight of content, 0.0-1.0; a random 0.3-0.9 if None.
            noise: standard deviation of the noise, relative to that of the preference.
        """
        rng = np.random.default_rng(seed)
        share = rng.uniform(0.3, 0.9) if content_share is None else content_share
        decay = 1.0 / np.sqrt(1.0 + np.arange(self.content.shape[1]))
        content = self.content @ (rng.standard_t(4, self.content.shape[1]) * decay)
        relevant = rng.random(self.light.shape[1]) < 0.4
        light = self.light @ (rng.standard_normal(self.light.shape[1]) * relevant)
        preferred = rng.integers(self.light.shape[1])
        light = light - np.abs(self.light[:, preferred] - rng.standard_normal())
        liking = np.sqrt(share) * _unit(content) + np.sqrt(1 - share) * _unit(light)
        mood = _unit(liking) + noise * rng.standard_normal(len(liking))
        cuts = np.quantile(mood, np.cumsum(rng.dirichlet(STRICTNESS))[:4])
        stars: Array = 1.0 + np.searchsorted(cuts, mood).astype(np.float64)
        return stars


Learner = Callable[[Scene, Indices, Array, Indices], Predict]
"""Called with scene, rated indices, all stars and the training pool; returns a predictor."""


def _vectors(scene: Scene) -> Array:
    return scene.rows[:, : scene.dimension].astype(np.float64)


def _ridge(x: Array, y: Array, penalty: float) -> tuple[Array, float]:
    middle, mean = x.mean(axis=0), float(y.mean())
    centred = x - middle
    alpha = np.linalg.solve(centred @ centred.T + penalty * np.eye(len(x)), y - mean)
    weights = centred.T @ alpha
    return weights, mean - float(weights @ middle)


def standardized(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn like scikit-learn's StandardScaler and Ridge(alpha=1.0)."""
    x = _vectors(scene)
    spread = x[rated].std(axis=0)
    scaled = (x - x[rated].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weights, bias = _ridge(scaled[rated], stars[rated], 1.0)
    return lambda indices: scaled[indices] @ weights + bias


def plain(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn like Ridge(alpha=1.0) on unit vectors."""
    x = _vectors(scene)
    weights, bias = _ridge(x[rated], stars[rated], 1.0)
    return lambda indices: x[indices] @ weights + bias


def taste(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn with fit() from the vectors alone."""
    rows = scene.rows[:, : scene.dimension]
    model = fit(rows[rated], stars[rated], groups=scene.stacks[rated])
    return lambda indices: model.rating(rows[indices])


def archive(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn in the space of all photos of the training folders."""
    rows = scene.rows[:, : scene.dimension]
    space = Space.of(rows[pool])
    model = fit(rows[rated], stars[rated], groups=scene.stacks[rated], space=space)
    return lambda indices: model.rating(rows[indices])


def tone(scene: Scene, rated: Indices, stars: Array, pool: Indices) -> Predict:
    """Learn from vectors and tone measures in the space of the archive."""
    space = Space.of(scene.rows[pool], scene.dimension)
    model = fit(scene.rows[rated], stars[rated], groups=scene.stacks[rated], space=space)
    return lambda indices: model.rating(scene.rows[indices])


LEARNERS: Mapping[str, Learner] = {
    "standardized": standardized,
    "plain": plain,
    "taste": taste,
    "archive": archive,
    "tone": tone,
}


def compare(
    scene: Scene,
    raters: int = 60,
    counts: tuple[int, ...] = (50, 100),
    splits: int = 2,
    content_share: float | None = None,
) -> dict[str, Array]:
    """Return each learner's rank correlation on held-out folders, (raters, counts)."""
    found = {name: np.zeros((raters, len(counts))) for name in LEARNERS}
    for rater in range(raters):
        stars = scene.stars(rater, content_share)
        for split in range(splits):
            learn, judge = scene.split(1000 * rater + split)
            pool = np.sort(learn)
            for column, count in enumerate(counts):
                for name, learner in LEARNERS.items():
                    predict = learner(scene, learn[:count], stars, pool)
                    value = rank_correlation(predict(judge), stars[judge]) / splits
                    found[name][rater, column] += value
    return found


def ratio(one: Array, other: Array, seed: int = 0) -> tuple[float, float]:
    """Return the ratio of two means and its lower 5 % bound, paired by rater (bootstrap)."""
    drawn = np.random.default_rng(seed).integers(0, len(one), (4000, len(one)))
    bound = np.quantile(one[drawn].mean(axis=1) / other[drawn].mean(axis=1), 0.05)
    return float(one.mean() / other.mean()), float(bound)


@dataclass(frozen=True)
class OrderGain:
    """Ratings needed in informative order relative to random order, for equal correlation.

    ``same`` is for unrated photos of the rated folders, ``other`` for other folders; ``reached``
    has the correlation of each.
    """

    same: float
    other: float
    reached: tuple[float, float]


def informative_order(scene: Scene, raters: int = 30, at: int = 60, step: int = 10) -> OrderGain:
    """Measure the ratings that informative order needs to reach random order at ``at`` ratings.

    Correlations are averaged over raters first, and interpolated linearly between steps.
    """
    counts = np.array(range(20, 2 * at + 1, step))
    curves = np.zeros((2, 2, len(counts)))  # order (random, informative) x place x count
    for rater in range(raters):
        stars = scene.stars(rater)
        learn, other = scene.split(1000 * rater)
        rng = np.random.default_rng(rater)
        stacks = rng.permutation(np.unique(scene.stacks[learn]))
        out = np.isin(scene.stacks[learn], stacks[: len(stacks) // 4])
        same, pool = learn[out], learn[~out]
        space = Space.of(scene.rows[np.sort(pool)], scene.dimension)
        for order in range(2):
            asked = _asked(scene, pool, space, counts.tolist(), order == 1)
            for column, indices in enumerate(asked):
                groups = scene.stacks[indices]
                model = fit(scene.rows[indices], stars[indices], groups=groups, space=space)
                for where, judge in enumerate((same, other)):
                    predicted = model.rating(scene.rows[judge])
                    curves[order, where, column] += rank_correlation(predicted, stars[judge])
    curves /= raters
    goal = curves[0, :, list(counts).index(at)]
    needed = [_crossing(counts, curves[1, where], float(goal[where])) for where in range(2)]
    return OrderGain(needed[0] / at, needed[1] / at, (float(goal[0]), float(goal[1])))


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
            predicted = training.fit().rating(scene.rows[judge])
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


def _crossing(counts: NDArray[np.intp], curve: Array, goal: float) -> float:
    """Return where the running maximum of a curve first reaches a goal."""
    rising = np.maximum.accumulate(curve)
    if rising[-1] < goal:
        return float("inf")
    first = int(np.argmax(rising >= goal))
    if first == 0:
        return float(counts[0])
    below, above = rising[first - 1], rising[first]
    part = (goal - below) / max(above - below, 1e-12)
    return float(counts[first - 1] + part * (counts[first] - counts[first - 1]))


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


def hidden_content(features: NDArray[np.float32], directions: int = 24) -> Array:
    """Convert another network's (N, F) features to independent attributes of unit variance."""
    centered = features.astype(np.float64) - features.mean(axis=0)
    left, _, _ = np.linalg.svd(centered, full_matrices=False)
    return left[:, :directions] * np.sqrt(len(centered))


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
    cuts = np.quantile(liking, np.cumsum(rng.dirichlet(STRICTNESS))[:4])
    stars = 1.0 + np.searchsorted(cuts, liking)
    own_scenes = scene < scenes // 3 if bursts else np.ones(len(scene), bool)
    rated = rng.permutation(np.flatnonzero(own_scenes))[:count]
    left = ~own_scenes if bursts else ~np.isin(np.arange(len(scene)), rated)
    rated = rated[_rating_order(order, stars[rated], scene[rated], rng)]
    training, predicted = TrainingSet(Space.of(rows)), np.full(len(rated), np.nan)
    for at, photo in enumerate(rated):
        if at >= 20 and np.ptp(stars[rated[:at]]) > 0:
            predicted[at] = training.fit().rating(rows[[photo]])[0]
        training.add([int(photo)], rows[[photo]], [stars[photo]], [1.0], [int(photo)])
    truth = rank_correlation(training.fit().rating(rows[left]), stars[left])
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
