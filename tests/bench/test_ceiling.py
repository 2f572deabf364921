"""How true the Taste page is for simulated people; -s prints the figures.

People rate photos twice with a known agreement (`tests.raters`). Forecasts are compared with what
the same people reach after twice the ratings, on stacks that were held out.
"""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import Space, TrainingSet, ceiling, rank_correlation
from tests.raters import AGREEMENTS, FIVE_STARS, OASIS, person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ASKED = 300  # times a person is asked for repeats


@pytest.mark.parametrize("shares", [OASIS, FIVE_STARS], ids=["7 points", "5 stars"])
def test_agreement_and_ceiling_are_found_with_honest_intervals(shares):
    print()
    held = {repeats: [] for repeats in (0, 10, 20, 50, 100)}
    for wanted in AGREEMENTS:
        somebody, rng = person(wanted, shares), np.random.default_rng(1)
        truth, cells = somebody.agreement, [f"{somebody.agreement:.3f}:"]
        for repeats, holds in held.items():
            found = [somebody.asked(repeats, rng) for _ in range(ASKED)]
            values = np.array([each.value for each in found])
            reach = np.array([each.ceiling for each in found])
            holds.append(np.mean([each.low <= truth <= each.high for each in found]))
            near = (
                np.mean(np.abs(values - truth) <= 0.03),
                np.mean(np.abs(reach - np.sqrt(truth)) <= 0.03),
            )
            cells.append(f"{repeats} repeats {values.mean():.3f}, within 0.03 {near[0]:.0%},"
                         f" ceiling {near[1]:.0%}, holds {holds[-1]:.0%};")  # fmt: skip
        print(" ".join(cells))
        assert abs(values.mean() - truth) <= 0.03
        if wanted >= 0.85:
            assert near[1] >= 0.9
        if wanted >= 0.9:
            assert near[0] >= 0.9
    for repeats, holds in held.items():
        assert np.mean(holds) >= 0.9, f"{repeats} repeats"
        assert np.min(holds) >= 0.85, f"{repeats} repeats"


PHOTOS, HELD_OUT = 2400, 1500


def scene(seed: int):
    """Return rows and stacks: photos that differ in many directions, in stacks of three."""
    rng = np.random.default_rng(seed)
    stacks = np.arange(PHOTOS) // 3
    spread = (1.0 + np.arange(256)) ** (-rng.choice([0.6, 1.0, 1.5]) / 2)
    middle = rng.standard_normal((PHOTOS // 3, 256))[stacks]
    rows = (0.8 * middle + 0.6 * rng.standard_normal((PHOTOS, 256))) * spread
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), stacks


def rated_twice(rows: np.ndarray, seed: int):
    """Return two ratings of every photo by a person who likes some directions, and other things."""
    rng = np.random.default_rng(1000 + seed)
    decay = (1.0 + np.arange(rows.shape[1])) ** rng.choice([0.0, 0.5, 1.0])
    seen = rows @ (rng.standard_t(4, rows.shape[1]) / decay)
    visible, noise = rng.uniform(0.4, 1.0), rng.choice([0.3, 0.5, 0.8])
    liking = np.sqrt(visible) * (seen - seen.mean()) / seen.std()
    liking += np.sqrt(1 - visible) * rng.standard_normal(len(rows))
    moods = liking + noise * rng.standard_normal((2, len(rows)))
    cuts = np.quantile(moods, np.cumsum(rng.dirichlet((6, 8, 9, 7, 4)))[:4])
    return 1.0 + np.searchsorted(cuts, moods)


def reached(space: Space, rows, stars, stacks, learn, judge):
    """Learn from some photos; return the model, and its rank correlation on others."""
    training = TrainingSet(space)
    training.add(
        learn.tolist(), rows[learn], stars[learn], np.ones(len(learn)), stacks[learn].tolist()
    )
    training.use(training.search_job()())
    model = training.fit()
    return model, rank_correlation(model.rating(rows[judge]), stars[judge])


def test_forecasts_come_true():
    """Compare forecasts with the gain of twice the ratings, for 40 people at 50 to 400 ratings."""
    said: list[tuple[float, float, float]] = []  # forecast, true gain, claimed error
    hardly, silent = [], 0
    for seed in range(40):
        rows, stacks = scene(seed)
        first, again = rated_twice(rows, seed)
        space, order = Space.of(rows), np.random.default_rng(seed).permutation(PHOTOS // 3)
        out = np.isin(stacks, order[: HELD_OUT // 3])
        judge = np.flatnonzero(out)
        pool = np.random.default_rng(seed).permutation(np.flatnonzero(~out))
        most = float(np.sqrt(rank_correlation(first, again)))
        for count in (50, 100, 200, 400):
            learn = pool[:count]
            model, now = reached(space, rows, first, stacks, learn, judge)
            measured = ceiling.learning_scores(
                space.map(rows[learn]), first[learn], stacks[learn], model.penalty
            )
            assert measured is not None
            found = ceiling.forecast(*measured, count, most)
            if found is None:
                silent += 1
                continue
            more = found.more or count
            then = reached(space, rows, first, stacks, pool[: count + more], judge)[1]
            if found.more:
                said.append((found.gain, then - now, found.error))
            else:
                hardly.append(then - now)
    gain, truth, error = np.array(said).T
    inside = float(np.mean(np.abs(gain - truth) <= 1.645 * error))
    print(f"\n{len(gain)} forecasts: {gain.mean():.3f} more, true {truth.mean():.3f}, off by"
          f" {np.abs(gain - truth).mean():.3f}, inside the 90 % range {inside:.0%};"
          f" {len(hardly)} times hardly: true {np.mean(hardly):.3f}, over 0.05"
          f" {np.mean(np.array(hardly) > 0.05):.0%}; {silent} times nothing said")  # fmt: skip
    assert abs(gain.mean() - truth.mean()) <= 0.02 and inside >= 0.8
    assert np.mean(hardly) <= 0.025 and np.mean(np.array(hardly) > 0.05) <= 0.08
