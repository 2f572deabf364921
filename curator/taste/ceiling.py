"""What can be reached: how well people agree with themselves, and what more ratings would bring.

Nobody gives a photo the same stars every time, so a perfect knowledge of somebody's taste would not
predict every rating either. Ratings given twice show how much can be reached
(:func:`agreement`); the learning curve of the ratings given so far shows whether more of them help
(:func:`learning_scores`, :func:`forecast`). :func:`predict_pairs` and :func:`share` judge the
choice between photos of a stack.

`learning.report` feeds it from the catalog. scikit-learn is imported when it is first needed: never
call :func:`learning_scores` or :func:`predict_pairs` on the GUI thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.model import counted
from curator.taste.accuracy import rank_correlation

Array = NDArray[np.float64]
Groups = NDArray[np.intp]

LITERATURE = 0.918
"""Rank correlation of real people's ratings with their second ratings of the same pictures: 757
people, 170,325 ratings of the pictures of OASIS (Brielmann and Pelli 2019)."""
SPREAD = 0.75
"""Standard deviation between people of log(1 - agreement), assumed: with it 95 % of people lie
between 0.64 and 0.98. Real raters of one data set say little about photographers, so it is wide."""
KURTOSIS, KURTOSIS_WORTH = 8.0, 30
"""Kurtosis of the differences between two ratings, and the number of repeats it counts for. Most
differences are 0, so it is above the 3 of a normal distribution, and few repeats cannot show it."""
WIDTH = 2.2
"""Half the width of an interval in standard deviations, chosen by `tests/bench/test_ceiling.py` and
together with KURTOSIS: with 1.96 and a kurtosis of 6 the interval held the truth for 80 % of people
who agree far less than most and gave 10 repeats, now for 90 %. If a person's ratings are sometimes
wholly random, it may be 76 %."""

FEWEST, MOST = 50, 800
"""Ratings from which on a forecast is tried, and the most that are used: 0.1 to 0.6 s."""
FOLDS, REPEATS = 5, 2
SIZES = (0.25, 0.5, 0.75, 1.0)
SCATTER = 0.25
"""Which photos happen to be rated moves the gain of one person by this / sqrt(ratings) around the
forecast. With it 90 % ranges held 88 to 90 % of the gains of 72 people like those of
`tests/bench/test_ceiling.py`, and 82 % where a forecast was made for the 40 people there."""
NOTICEABLE = 0.03
"""Smallest gain in rank correlation worth a forecast."""
WORTHWHILE = 0.05
"""A forecast names the ratings for this gain, if twice the ratings give that much."""


@dataclass(frozen=True)
class Agreement:
    """How well a person agrees with themselves.

    Attributes:
        value: rank correlation of two ratings of the same photos, LITERATURE without repeats.
        low: lower end of the interval that holds the true value for 9 of 10 people.
        high: upper end.
        repeats: number of photos rated twice.
        same: how many of them got the same stars again.
        assumed: weight of LITERATURE in :attr:`value`: 1.0 without repeats, 0.5 with a dozen.
    """

    value: float
    low: float
    high: float
    repeats: int
    same: int
    assumed: float

    @property
    def sentence(self) -> str:
        """The agreement in words, and how much of it is assumed."""
        return (
            f"You agree with yourself {self.value:.2f} ({self.low:.2f} to {self.high:.2f})."
            f" {self.reason}"
        )

    @property
    def reason(self) -> str:
        """Why it is not perfect, in one or two sentences."""
        if not self.repeats:
            return "Assumed from other people, until photos you rated come back to be rated again."
        again = f"{self.same:,} of {counted(self.repeats, 'repeated photo')} got the same stars"
        much = "mostly" if self.assumed >= 0.5 else "partly"
        assumed = f"; {much} assumed from other people" if self.assumed >= 0.2 else ""
        return f"{again}{assumed}."

    @property
    def ceiling(self) -> float:
        """The rank correlation of a perfect prediction with ratings given once.

        It is the square root of the agreement: two ratings differ by the noise of both, a rating
        and the stable taste behind it only by the noise of one (correction for attenuation,
        Spearman 1904). For ranks of five stars this is at most 0.01 too high up to an agreement of
        0.95, as a person's stars are coarser than their taste.
        """
        return float(np.sqrt(max(self.value, 0.0)))

    def reached(self, correlation: float) -> float:
        """Return the share of :attr:`ceiling` that predictions reach, 0.0-1.0."""
        return min(max(correlation, 0.0) / self.ceiling, 1.0) if self.ceiling > 0 else 0.0


def agreement(first: ArrayLike, again: ArrayLike, ratings: ArrayLike) -> Agreement | None:
    """Estimate how well a person agrees with themselves, from photos rated twice.

    Stars become ranks among all ratings. Two ratings of a photo differ by twice the variance of
    the noise, whichever photos were repeated; its share of the variance of all ratings is
    1 - agreement. Repeats of weak photos only, or of good ones, therefore do not lower the figure
    as they lower their own correlation (restriction of range). The mean with LITERATURE is
    weighted by precision on the scale of log(1 - agreement), which for high agreement is Fisher's
    z: LITERATURE is worth about a dozen repeats.

    Args:
        first: (N,) stars of the repeated photos.
        again: (N,) stars of the same photos, rated again.
        ratings: (M,) stars of all rated photos.

    Returns:
        None if all ratings are equal: then nobody can tell.
    """
    given = [np.asarray(each, np.float64) for each in (ratings, first, again)]
    stars, place = np.unique(np.concatenate(given), return_inverse=True)
    every, one, two = np.split(place, np.cumsum([len(each) for each in given])[:2])
    share = np.bincount(every, minlength=len(stars)) / max(len(every), 1)
    rank = np.cumsum(share) - share / 2
    variance = float(share @ (rank - share @ rank) ** 2)
    if variance <= 0:
        return None
    noise = (rank[one] - rank[two]) ** 2 / (2 * variance)
    mean = float(noise.mean()) if len(noise) else 0.0
    kurtosis = KURTOSIS
    if mean > 0:
        own = len(noise) * float((noise**2).mean()) / mean**2
        kurtosis = (KURTOSIS_WORTH * KURTOSIS + own) / (KURTOSIS_WORTH + len(noise))
    assumed, known = SPREAD**-2, len(noise) / (kurtosis - 1)  # precisions of the logarithm
    noise_share = (assumed * (1 - LITERATURE) + known * mean) / (assumed + known)
    factor = float(np.exp(WIDTH / np.sqrt(assumed + known)))
    low, high = (max(1 - noise_share * each, -1.0) for each in (factor, 1 / factor))
    same = int((one == two).sum())
    return Agreement(1 - noise_share, low, high, len(noise), same, assumed / (assumed + known))


@dataclass(frozen=True)
class Forecast:
    """What more ratings would bring.

    Attributes:
        more: number of further ratings; 0 if even twice the ratings would hardly help.
        gain: what they would add to the rank correlation.
        error: standard deviation of :attr:`gain`.
    """

    more: int
    gain: float
    error: float


def learning_scores(
    rows: Array, stars: Array, groups: Groups, penalty: float
) -> tuple[NDArray[np.intp], Array] | None:
    """Measure how well a model predicts held-out groups when it learns from fewer ratings.

    Args:
        rows: (N, C) columns that ridge regression penalizes equally.
        stars: (N,) ratings.
        groups: (N,) ids of stacks; photos of a stack are held out together.
        penalty: of the model, relative to the mean square of the rows.

    Returns:
        (S,) numbers of ratings learned from and (S, F) rank correlations, one per fold; None if
        there are too few ratings or groups.
    """
    if len(stars) < FEWEST or len(np.unique(groups)) < 2 * FOLDS or np.ptp(stars) == 0:
        return None
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.model_selection import GroupKFold, learning_curve

    centered = rows - rows.mean(axis=0)
    gram = centered @ centered.T
    model = KernelRidge(alpha=penalty * float(np.trace(gram)) / len(gram), kernel="precomputed")
    found = []
    for turn in range(REPEATS):
        sizes, _, scores = learning_curve(
            model,
            gram,
            stars - stars.mean(),
            groups=groups,
            cv=GroupKFold(FOLDS, shuffle=True, random_state=turn),
            train_sizes=SIZES,
            scoring=lambda model, x, y: rank_correlation(model.predict(x), y),
            shuffle=True,
            random_state=turn,
        )
        found.append(scores)
    return sizes, np.concatenate(found, axis=1)


def forecast(sizes: ArrayLike, scores: Array, ratings: int, ceiling: float) -> Forecast | None:
    """Forecast what up to as many further ratings would bring; None if that cannot be known.

    The rank correlation after n ratings is taken as ``c sqrt(n / (n + t))``, with c below the
    ceiling: the accuracy of ridge regression when n is small beside its degrees of freedom t
    (Daetwyler, Villanueva and Woolliams 2008, for predictions from genes). All curves that fit the
    measured points count, by their likelihood.

    Args:
        sizes: of :func:`learning_scores`.
        scores: of :func:`learning_scores`.
        ratings: the number of ratings given.
        ceiling: the greatest rank correlation possible.
    """
    at, mean = np.asarray(sizes, np.float64), scores.mean(axis=1)
    if mean[-1] <= 0:
        return None
    best, slow = np.meshgrid(np.linspace(0.02, max(ceiling, 0.04), 60), np.geomspace(3, 5000, 60))

    def curve(count: ArrayLike) -> Array:
        number = np.asarray(count, np.float64)[..., None, None]
        value: Array = best * np.sqrt(number / (number + slow))
        return value

    # Folds differ in how easy their photos are, which moves all points together, and by chance.
    easy = scores.mean(axis=0)
    rest = scores - mean[:, None] - easy + easy.mean()
    chance = np.sqrt((rest**2).sum() / max((len(at) - 1) * (len(easy) - 1), 1) / len(easy)) + 0.004
    covariance = chance**2 * np.eye(len(at)) + float(easy.var(ddof=1)) / FOLDS
    off = curve(at) - mean[:, None, None]
    cost = np.einsum("iab,ij,jab->ab", off, np.linalg.inv(covariance), off)
    weight = np.exp((cost.min() - cost) / 2)
    weight /= weight.sum()

    more = np.maximum(np.linspace(ratings / 10, ratings, 10).round(-1).astype(int), 10)
    gains = curve(ratings + more) - curve(ratings)
    gain = (weight * gains).sum(axis=(1, 2))
    error = np.sqrt((weight * (gains[-1] - gain[-1]) ** 2).sum() + SCATTER**2 / ratings)
    twice = float(gain[-1])
    if twice >= max(NOTICEABLE, error):
        enough = int(np.searchsorted(gain, min(WORTHWHILE, twice)))
        return Forecast(int(more[enough]), float(gain[enough]), float(error))
    if twice < NOTICEABLE / 2 and twice + error < NOTICEABLE * 1.5:
        return Forecast(0, twice, float(error))
    return None


@dataclass(frozen=True)
class Share:
    """A share of right choices, with the interval that holds it in 9 of 10 cases."""

    value: float
    low: float
    high: float


def share(right: ArrayLike, groups: ArrayLike) -> Share:
    """Return the share of right choices among pairs, of which those of a group are alike.

    Wilson's interval for as many independent pairs as the groups are worth (Kish 1965): pairs of
    a group may all be right or wrong together.

    Args:
        right: (N,) 1 for a right choice, 0 for a wrong one, 0.5 for none.
        groups: (N,) ids of stacks. N may not be 0.
    """
    value = float(np.asarray(right, np.float64).mean())
    sizes = np.unique(np.asarray(groups), return_counts=True)[1]
    count, z = float(sizes.sum() ** 2 / (sizes**2).sum()), 1.645
    middle = (value + z**2 / (2 * count)) / (1 + z**2 / count)
    spread = np.sqrt(value * (1 - value) / count + z**2 / (4 * count**2)) * z / (1 + z**2 / count)
    return Share(value, float(middle - spread), float(middle + spread))


def predict_pairs(
    rows: Array,
    targets: Array,
    weights: Array,
    groups: Groups,
    penalty: float,
    pairs: NDArray[np.bool_],
) -> Array | None:
    """Predict which photo of a pair is better, by models that learned nothing of its stack.

    Args:
        rows: (N, C) columns of ratings, centered, and of pairs: the better photo's minus the
            other's.
        targets: (N,) stars minus their mean, and of pairs how much better.
        weights: (N,) > 0.
        groups: (N,) ids of stacks.
        penalty: of the model, relative to the mean square of the rows.
        pairs: (N,) which rows are pairs.

    Returns:
        Predicted differences of the pairs in stars, (P,), above 0 if the better photo is preferred;
        None if there are too few stacks.
    """
    if len(np.unique(groups)) < 2 * FOLDS:
        return None
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.model_selection import GroupKFold, cross_val_predict

    gram = rows @ rows.T
    share_of_all = weights / weights.mean()
    square = float((share_of_all * np.diag(gram)).mean())
    predicted: Array = cross_val_predict(
        KernelRidge(alpha=penalty * max(square, 1e-9), kernel="precomputed"),
        gram,
        targets,
        groups=groups,
        cv=GroupKFold(FOLDS),
        params={"sample_weight": share_of_all},
    )
    return predicted[pairs]
