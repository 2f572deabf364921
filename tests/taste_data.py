"""Analyzed photos and a simulated person who rates them, for tests of taste."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from curator.catalog import Catalog
from curator.learning.learner import Learned, TasteLearner, learn_once
from curator.model import Embedded, Kind, StageJob
from curator.settings import TasteSettings
from curator.taste.tone import TONES
from tests import catalogs

ENCODER = "test/1"


def embed(
    catalog: Catalog, ids: Iterable[int], encoder: str = ENCODER, dimension: int = 16
) -> dict[int, np.ndarray]:
    """Save a vector for each photo, always the same for an id; return them by id."""
    vectors = {}
    results = []
    for photo, digest in digests(catalog, ids).items():
        rng = np.random.default_rng(photo)
        vector = rng.normal(size=dimension)
        vectors[photo] = vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        tone = rng.normal(size=TONES).astype(np.float32)
        made = Embedded(encoder, digest, vector.astype(np.float16).tobytes(), tone.tobytes())
        results.append((job(photo), made))
    catalog.vectors.save(results)
    return vectors


def analyzed(catalog: Catalog, count: int) -> dict[int, np.ndarray]:
    """Fill an empty catalog with photos that have vectors and no marks; return the vectors."""
    catalogs.fill(catalog.path, count)
    everyone = range(1, count + 1)
    nothing = {"rating": None, "flag": None, "kept": False}
    catalog.journal.decide(dict.fromkeys(everyone, nothing), summary="a fresh mind")
    return embed(catalog, everyone)


def digests(catalog: Catalog, ids: Iterable[int]) -> dict[int, str]:
    """Return the digests of the photos' current proxies, by id."""
    return {photo.id: photo.proxy_digest or "" for photo in catalog.photos.details(list(ids))}


def job(photo: int) -> StageJob:
    """Return the job to embed a photo."""
    return StageJob(photo, "embed", "", Kind.IMAGE, "")


def result(
    catalog: Catalog, photo: int, encoder: str, vector: np.ndarray, tone: np.ndarray
) -> Embedded:
    """Return the result of embedding the photo's current proxy."""
    return Embedded(encoder, digests(catalog, [photo])[photo], vector.tobytes(), tone.tobytes())


def stars(vector: np.ndarray) -> int:
    """Return the person's rating: it grows with the first component of the vector."""
    return int(np.clip(round(3 + 5 * float(vector[0])), 1, 5))


def rate(
    catalog: Catalog,
    vectors: Mapping[int, np.ndarray],
    ids: Iterable[int],
    *,
    predicted: bool = False,
) -> None:
    """Rate photos as the person does, one step each; with ``predicted``, exactly as predicted."""
    for photo in ids:
        given = stars(vectors[photo])
        told = {photo: float(given)} if predicted else None
        catalog.journal.decide(
            {photo: {"rating": given, "kept": True}}, summary="rated", expected=told
        )


def searched(learner: TasteLearner) -> Learned:
    """Fit, search the hyperparameters if that is due, and fit with them, as the window does."""
    learned = learner.fit()
    job = learner.search()
    if job is None:
        return learned
    learner.adopt(job())
    return learner.fit()


def learned_now(catalog: Catalog, settings: TasteSettings, scratch: Path) -> Learned:
    """Return what a new learner learns from the catalog; see :func:`learn_once`."""
    learned = learn_once(catalog, settings, scratch).learned
    assert learned is not None
    return learned
