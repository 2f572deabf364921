"""The bar for taste: from a rating on disk to new match scores for 100,000 photos."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from curator import app
from curator.bench import baselines
from curator.bench.figures import Figure, PairedTimes, Reference, Workspace, resident_mb, timed
from curator.bench.synthetic_library import library_copy
from curator.catalog import Catalog
from curator.learning.learner import TasteLearner
from curator.learning.learner_thread import make_pool
from curator.learning.vector_index import VectorIndex
from curator.settings import TasteSettings

_RATED = 300
_TURNS = 15
_ASKED = 20
_NEAREST = 10


def taste(workspace: Workspace) -> list[Figure]:
    """Rate photos one by one, and fit and score all photos each time, as the window does."""
    app.tune_process()
    home = library_copy(workspace)
    catalog, pool = Catalog.open(home.catalog), make_pool()
    try:
        ids = catalog.photos.ids()
        catalog.journal.decide(
            {photo: {"rating": 1 + photo % 5} for photo in ids[:_RATED]}, summary=""
        )
        learner = TasteLearner(
            catalog,
            TasteSettings(),
            home.cache,
            run_job=lambda job: pool.run(job, timeout_s=120.0),
        )
        before = resident_mb()
        read = timed(learner.sync_vectors)
        learner.update_training()
        learner.fit()
        learner.vectors.prepare()
        _one_more(learner, ids[-1])
        held = resident_mb() - before  # measured before the references allocate memory
        vectors = baselines.vectors(learner.vectors)
        learned, nearest, shares = PairedTimes(), PairedTimes(), []
        _ridge(vectors, _RATED)  # imports scikit-learn
        for turn, photo in enumerate(ids[_RATED : _RATED + _TURNS], _RATED):
            spent = _one_more(learner, photo)
            learned.add(spent, timed(_ridge, vectors, turn))
        for at in range(0, len(ids), max(1, len(ids) // _ASKED)):
            spent, exact, share = _similar(learner.vectors, vectors, at)
            nearest.add(spent, exact)
            shares.append(share)
    finally:
        pool.close()
        catalog.close()
    return [
        learned.figure(
            f"refit and re-score of {len(ids):,} photos",
            0.5,
            80.0,
            "scikit-learn's Ridge, and a float32 product",
            f"slowest {1000 * max(learned.spent):.0f} ms; vectors read before in {read:.1f} s",
        ),
        nearest.figure(
            f"most similar of {len(ids):,} vectors",
            0.5,
            30.0,
            baselines.PRODUCT,
            f"slowest {1000 * max(nearest.spent):.0f} ms; "
            f"{100 * sum(shares) / len(shares):.1f} % of the nearest found",
        ),
        Figure(
            "resident memory that learning adds",
            held,
            "MB",
            200.0,
            Reference("all vectors held as float32", vectors.nbytes / 1e6),
        ),
    ]


def _one_more(learner: TasteLearner, photo: int) -> float:
    """Rate one more photo; return the seconds until all photos have new scores."""
    learner.catalog.journal.decide({photo: {"rating": 1 + photo % 5}}, summary="")
    begin = time.perf_counter()
    learner.update_training([photo])
    learner.fit()
    return time.perf_counter() - begin


def _ridge(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Fit to the first vectors with scikit-learn, and score all by one product."""
    from sklearn.linear_model import Ridge

    stars = 1.0 + np.arange(count) % 5
    ridge = Ridge(alpha=1.0).fit(vectors[:count].astype(np.float64), stars)
    return np.asarray(vectors @ ridge.coef_.astype(np.float32) + np.float32(ridge.intercept_))


def _similar(
    index: VectorIndex, vectors: NDArray[np.float32], at: int
) -> tuple[float, float, float]:
    """Find the ten photos most similar to a photo, with the index and by comparing all vectors.

    Returns:
        The seconds of both, and the share of the most similar photos that the index found.
    """
    asked = vectors[at]
    begin = time.perf_counter()
    found = index.nearest(asked, _NEAREST)[0]
    middle = time.perf_counter()
    exact = np.argpartition(-(vectors @ asked), _NEAREST)[:_NEAREST]
    end = time.perf_counter()
    return middle - begin, end - middle, float(np.isin(index.ids[exact], found).mean())
