"""Simulated raters over real photos: how fast a learner learns, measured before anyone has rated.

A rater's liking mixes hidden attributes that no learner sees (content as another network sees it,
light, composition), with one sweet spot and noise, and is cut into stars at their own thresholds.
Learners rate photos of folders held out, stacks never split. The learners:

    standardised   StandardScaler + Ridge(1.0), the usual thing
    plain          Ridge(1.0) on unit vectors
    taste          curator.taste.fit on the same vectors
    archive        the same in the space of the unrated photos of the training folders
    tone           the same with tone measures beside the vector: what Curator uses
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
from curator.taste.training import TrainingSet, fit

Places = NDArray[np.intp]
Predict = Callable[[Places], NDArray[np.floating]]
HELD_OUT = 0.35
STRICTNESS = (6.0, 8.0, 9.0, 7.0, 4.0)
"""Dirichlet weights of how many photos get 1 to 5 stars."""


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

    def split(self, seed: int) -> tuple[Places, Places]:
        """Hold whole folders out: (places to learn from, shuffled; places to judge by)."""
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
        """Rate every photo as one rater would.

        Args:
            seed: whose taste.
            content_share: how much of it is content, 0.0-1.0; their own (0.3-0.9) when None.
            noise: standard deviation of their mood over that of their taste.
        """
        rng = np.random.default_rng(seed)
        share = rng.uniform(0.3, 0.9) if content_share is None else content_share
        decay = 1.0 / np.sqrt(1.0 + np.arange(self.content.shape[1]))
        content = self.content @ (rng.standard_t(4, self.content.shape[1]) * decay)
        caring = rng.random(self.light.shape[1]) < 0.4
        light = self.light @ (rng.standard_normal(self.light.shape[1]) * caring)
        sweet = rng.integers(self.light.shape[1])
        light = light - np.abs(self.light[:, sweet] - rng.standard_normal())
        liking = np.sqrt(share) * _unit(content) + np.sqrt(1 - share) * _unit(light)
        mood = _unit(liking) + noise * rng.standard_normal(len(liking))
        cuts = np.quantile(mood, np.cumsum(rng.dirichlet(STRICTNESS))[:4])
        stars: Array = 1.0 + np.searchsorted(cuts, mood).astype(np.float64)
        return stars


Learner = Callable[[Scene, Places, Array, Places], Predict]
"""Given scene, rated places, all stars and the training pool, predicts the places asked for."""


def _vectors(scene: Scene) -> Array:
    return scene.rows[:, : scene.dimension].astype(np.float64)


def _ridge(x: Array, y: Array, penalty: float) -> tuple[Array, float]:
    middle, mean = x.mean(axis=0), float(y.mean())
    centred = x - middle
    alpha = np.linalg.solve(centred @ centred.T + penalty * np.eye(len(x)), y - mean)
    weights = centred.T @ alpha
    return weights, mean - float(weights @ middle)


def standardised(scene: Scene, rated: Places, stars: Array, pool: Places) -> Predict:
    """Learn as scikit-learn's StandardScaler and Ridge(alpha=1.0) would."""
    x = _vectors(scene)
    spread = x[rated].std(axis=0)
    scaled = (x - x[rated].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weights, bias = _ridge(scaled[rated], stars[rated], 1.0)
    return lambda places: scaled[places] @ weights + bias


def plain(scene: Scene, rated: Places, stars: Array, pool: Places) -> Predict:
    """Learn as Ridge(alpha=1.0) on unit vectors would."""
    x = _vectors(scene)
    weights, bias = _ridge(x[rated], stars[rated], 1.0)
    return lambda places: x[places] @ weights + bias


def taste(scene: Scene, rated: Places, stars: Array, pool: Places) -> Predict:
    """Learn by fit() on the vectors alone."""
    rows = scene.rows[:, : scene.dimension]
    model = fit(rows[rated], stars[rated], groups=scene.stacks[rated])
    return lambda places: model.rating(rows[places])


def archive(scene: Scene, rated: Places, stars: Array, pool: Places) -> Predict:
    """Learn in the space of the training folders' photos, rated or not."""
    rows = scene.rows[:, : scene.dimension]
    space = Space.of(rows[pool])
    model = fit(rows[rated], stars[rated], groups=scene.stacks[rated], space=space)
    return lambda places: model.rating(rows[places])


def tone(scene: Scene, rated: Places, stars: Array, pool: Places) -> Predict:
    """Learn with everything there is: vectors, tone and the archive's space."""
    space = Space.of(scene.rows[pool], scene.dimension)
    model = fit(scene.rows[rated], stars[rated], groups=scene.stacks[rated], space=space)
    return lambda places: model.rating(scene.rows[places])


LEARNERS: Mapping[str, Learner] = {
    "standardised": standardised,
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
    """Give every learner's rank correlation on held-out folders, (raters, counts)."""
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
    """Give (mean of one over mean of other, its lower 5 % bound), paired by rater (bootstrap)."""
    drawn = np.random.default_rng(seed).integers(0, len(one), (4000, len(one)))
    bound = np.quantile(one[drawn].mean(axis=1) / other[drawn].mean(axis=1), 0.05)
    return float(one.mean() / other.mean()), float(bound)


@dataclass(frozen=True)
class Teaching:
    """Ratings asked in informative order over ratings in random order, for equal correlation.

    ``same`` on photos held out of the folders rated, ``other`` on other folders; ``reached`` is
    the correlation meant for each.
    """

    same: float
    other: float
    reached: tuple[float, float]


def teaching(scene: Scene, raters: int = 30, at: int = 60, step: int = 10) -> Teaching:
    """Measure how many ratings the informative order needs for what random order reaches at ``at``.

    Correlations are averaged over raters first; between steps the curve is read off linearly.
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
            for column, places in enumerate(asked):
                groups = scene.stacks[places]
                model = fit(scene.rows[places], stars[places], groups=groups, space=space)
                for where, judge in enumerate((same, other)):
                    predicted = model.rating(scene.rows[judge])
                    curves[order, where, column] += rank_correlation(predicted, stars[judge])
    curves /= raters
    goal = curves[0, :, list(counts).index(at)]
    needed = [_crossing(counts, curves[1, where], float(goal[where])) for where in range(2)]
    return Teaching(needed[0] / at, needed[1] / at, (float(goal[0]), float(goal[1])))


def duelled(scene: Scene, raters: int = 20, count: int = 50, fought: int = 40) -> Array:
    """Give the rank correlation without and with duels beside the ratings, (2, raters).

    Each duel is between two photos not rated; whom the rater likes more wins.
    """
    found = np.zeros((2, raters))
    for rater in range(raters):
        stars = scene.stars(rater)
        learn, judge = scene.split(1000 * rater)
        rng = np.random.default_rng(rater)
        space = Space.of(scene.rows[np.sort(learn)], scene.dimension)
        rated, pairs = learn[:count], rng.choice(learn[count:], (fought, 2))
        liking = stars + rng.uniform(-0.5, 0.5, len(stars))  # of equal stars either may win
        better, worse = np.where(np.diff(liking[pairs]) > 0, pairs[:, ::-1], pairs).T
        lessons = TrainingSet(space)
        groups = scene.stacks[rated].tolist()
        lessons.add(rated.tolist(), scene.rows[rated], stars[rated], np.ones(count), groups)
        for column in range(2):
            predicted = lessons.fit().rating(scene.rows[judge])
            found[column, rater] = rank_correlation(predicted, stars[judge])
            lessons.add_comparisons(
                [("over", number) for number in range(fought)],
                scene.rows[better],
                scene.rows[worse],
                np.full(fought, COMPARISON_WEIGHT),
                scene.stacks[better].tolist(),
            )
    return found


def _asked(
    scene: Scene, pool: Places, space: Space, counts: list[int], chosen: bool
) -> list[Places]:
    """Give the photos rated by each count, in random or informative order."""
    if not chosen:
        return [pool[:count] for count in counts]
    asked: list[Places] = []
    rated: Places = pool[:0]
    for count in counts:
        rest = np.setdiff1d(pool, rated)
        rows = scene.rows[rest]
        known = scene.rows[rated] if len(rated) else None
        picks = informative(rows, scene.rows[pool], count - len(rated), known, space)
        rated = np.concatenate([rated, rest[picks]])
        asked.append(rated)
    return asked


def _crossing(counts: NDArray[np.intp], curve: Array, goal: float) -> float:
    """Read off where a curve, made never to fall, first reaches a goal."""
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
    """Measure what raters look at beside content, by other means than the learner's tone.

    (N, 15): brightness, contrast, saturation, colourfulness, warmth, busyness, direction of
    lines, symmetry, bright middle, contrasty middle, richness of tones, aspect, deep shadow, white,
    light from above; each spread evenly by rank.
    """
    found = np.array([_look(rgb) for rgb in pictures])
    spread = found.argsort(axis=0).argsort(axis=0) / len(found) - 0.5
    return spread * np.sqrt(12.0)


def _look(rgb: NDArray[np.uint8]) -> list[float]:
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
    """Turn another network's (N, F) features into independent attributes of unit variance."""
    centred = features.astype(np.float64) - features.mean(axis=0)
    left, _, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :directions] * np.sqrt(len(centred))


def stacks_of(vectors: Rows, alike: float = 0.9) -> NDArray[np.intp]:
    """Group near-copies: photos chained by a cosine over ``alike`` share the lowest place."""
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
"""How people come to rate: anyhow; scene by scene, in any order or the worst liked first; ten of
equal stars at a time; all of one star, then all of two."""


@dataclass(frozen=True, eq=False)
class Evening:
    """Photos one person rated, in order, with what was predicted before each.

    ``vectors`` (N, D), ``predicted`` (N,) NaN where nothing was, ``stars`` (N,); ``truth`` is the
    rank correlation of the last model over the photos that were not rated.
    """

    vectors: Rows
    predicted: Array
    stars: Array
    truth: float


def evening(seed: int, order: str, *, bursts: bool = False, count: int = 100) -> Evening:
    """Let one person rate photos of drawn scenes one by one, each predicted before.

    Args:
        seed: whose taste, of which photos.
        order: one of ORDERS.
        bursts: scenes are bursts, and the photos not rated are of other scenes.
        count: photos rated.
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
    own = 0.2 if bursts else 0.0  # of a scene's worth, what nobody can see
    liking = np.sqrt(0.7 - own) * _unit(kind @ rng.standard_t(4, hidden))
    liking += np.sqrt(own) * rng.standard_normal(scenes)[scene]
    liking += np.sqrt(0.3 + 0.16) * rng.standard_normal(len(liking))
    cuts = np.quantile(liking, np.cumsum(rng.dirichlet(STRICTNESS))[:4])
    stars = 1.0 + np.searchsorted(cuts, liking)
    own_scenes = scene < scenes // 3 if bursts else np.ones(len(scene), bool)
    rated = rng.permutation(np.flatnonzero(own_scenes))[:count]
    left = ~own_scenes if bursts else ~np.isin(np.arange(len(scene)), rated)
    rated = rated[_sitting(order, stars[rated], scene[rated], rng)]
    lessons, predicted = TrainingSet(Space.of(rows)), np.full(len(rated), np.nan)
    for at, photo in enumerate(rated):
        if at >= 20 and np.ptp(stars[rated[:at]]) > 0:
            predicted[at] = lessons.fit().rating(rows[[photo]])[0]
        lessons.add([int(photo)], rows[[photo]], [stars[photo]], [1.0], [int(photo)])
    truth = rank_correlation(lessons.fit().rating(rows[left]), stars[left])
    return Evening(rows[rated], predicted, stars[rated], truth)


def _sitting(order: str, stars: Array, scene: Places, rng: np.random.Generator) -> Places:
    """Return in which order photos are rated."""
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
