"""When match scores begin for simulated raters of real photos, and what they say; -s prints."""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import Space
from curator.taste.accuracy import ranks
from curator.taste.match import LEVELS
from tests.bench.scene import corpus_scene
from tests.simulation import KINDS, Scene
from tests.taste_models import fit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

COUNTS = (20, 30, 50, 100, 140, 200)
RATERS = 16


@pytest.fixture(scope="module")
def scene() -> Scene:
    return corpus_scene()


def measure(scene: Scene, kind: str, count: int) -> np.ndarray:
    """Return figures of each rater, (RATERS, 5).

    They are: whether there are scores, interdecile range of the places of unrated photos, the same
    of the former scores (predicted stars, stretched), AUC of 4 and 5 stars, and the mean difference
    between the share of photos below a score and that score.
    """
    space, found = Space.of(scene.rows, scene.dimension), []
    for rater in range(RATERS):
        rng = np.random.default_rng(rater)
        stars = scene.stars(rater, kind if kind in KINDS else "both")
        if kind not in KINDS:
            stars = rng.permutation(stars)
        stacks = rng.permutation(np.unique(scene.stacks))
        out = np.isin(scene.stacks, stacks[: len(stacks) // 4])
        rated = rng.permutation(np.flatnonzero(~out))[:count]
        groups = scene.stacks[rated]
        model = fit(scene.rows[rated], stars[rated], groups=groups, space=space)
        predicted = model.rating(scene.rows[out])
        places = np.interp(predicted, model.match.places, LEVELS)
        stretch = np.clip(stars[rated].std() / model.match.places.std(), 1.0, 6.0)
        former = np.clip((model.mean + (predicted - model.mean) * stretch - 1) * 25, 0, 100)
        below = [(places < score).mean() - score / 100 for score in range(10, 100, 10)]
        liked = stars[out] >= 4
        auc = (ranks(predicted)[liked].mean() - (liked.sum() + 1) / 2) / max((~liked).sum(), 1)
        width, before = (np.ptp(np.quantile(each, (0.1, 0.9))) for each in (places, former))
        found.append((model.match.separates, width, before, auc, np.abs(below).mean()))
    return np.array(found)


@pytest.mark.parametrize("kind", [*KINDS, "dice"])
def test_scores_begin_when_they_say_something(scene: Scene, kind: str) -> None:
    print()
    shares, scored = [], []
    for count in COUNTS:
        found = measure(scene, kind, count)
        has = found[:, 0] > 0
        scored.append(found[has])
        shares.append(float(has.mean()))
        _, width, before, auc, miss = found.mean(axis=0)
        with_scores = f"{found[has, 3].mean():.2f}" if has.any() else "-"
        print(
            f"{kind:8s}{count:4d} ratings: {has.mean():4.0%} of raters have scores, eight in ten"
            f" within {width:.0f} points (before {before:.0f}), share below off by {miss:.2f},"
            f" AUC {auc:.2f} ({with_scores} with scores)"
        )
    if kind != "dice":
        # Over all counts: at the first ones a single rater has scores, which says little.
        _, width, _, auc, miss = np.concatenate(scored).mean(axis=0)
        assert width > 60 and miss < 0.1 and auc > 0.6
    assert shares[0] <= 0.1
    assert max(shares) <= 0.15 if kind == "dice" else shares[-1] >= 0.8
