"""Photos that were compared, and a person who likes what points one way: for tests of taste."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from curator.catalog import Catalog
from curator.learning.learner import Learned, learn_once
from curator.model import Embedded, Kind, StageJob
from curator.settings import TasteSettings
from curator.taste.tone import TONES

ENCODER = "test/1"


def embed(
    catalog: Catalog, ids: Iterable[int], encoder: str = ENCODER, dimension: int = 16
) -> dict[int, np.ndarray]:
    """Give photos vectors, the same for the same ids; return them by id."""
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


def digests(catalog: Catalog, ids: Iterable[int]) -> dict[int, str]:
    """Say which bytes the proxies of photos have now."""
    return {photo.id: photo.proxy_digest or "" for photo in catalog.photos.details(list(ids))}


def job(photo: int) -> StageJob:
    """Make the job that embeds a photo."""
    return StageJob(photo, "embed", "", Kind.IMAGE, "")


def result(
    catalog: Catalog, photo: int, encoder: str, vector: np.ndarray, tone: np.ndarray
) -> Embedded:
    """Make what embedding gives, of the proxy the photo has now."""
    return Embedded(encoder, digests(catalog, [photo])[photo], vector.tobytes(), tone.tobytes())


def stars(vector: np.ndarray) -> int:
    """Say how many stars the person gives: the more it points along the first axis."""
    return int(np.clip(round(3 + 5 * float(vector[0])), 1, 5))


def rate(
    catalog: Catalog,
    vectors: Mapping[int, np.ndarray],
    ids: Iterable[int],
    *,
    foreseen: bool = False,
) -> None:
    """Have the person rate photos, one step each; where ``foreseen``, as was predicted."""
    for photo in ids:
        given = stars(vectors[photo])
        told = {photo: float(given)} if foreseen else None
        catalog.journal.decide(
            {photo: {"rating": given, "kept": True}}, summary="rated", expected=told
        )


def learned_now(catalog: Catalog, settings: TasteSettings, scratch: Path) -> Learned:
    """Give what is learned from all there is; see :func:`learn_once`."""
    learned = learn_once(catalog, settings, scratch).learned
    assert learned is not None
    return learned
