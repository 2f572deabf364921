"""The bar of taste: from a decision on disk to new scores for a hundred thousand photos."""

from __future__ import annotations

import time

import numpy as np
import psutil

from curator.bench.figures import Figure, Place, percentile
from curator.bench.library import PHOTOS, lent
from curator.catalog import Catalog
from curator.session.archive import Archive
from curator.session.pupil import Pupil
from curator.settings import Taste

_RATED = 300
_TURNS = 15
_ASKED = 20
_NEAREST = 10


def taste(place: Place) -> list[Figure]:
    """Rate photos one by one; each time learn anew and score all, as the window's thread does."""
    home = lent(place)
    catalog = Catalog.open(home.catalog)
    try:
        ids = [int(row[0]) for row in catalog.columns()]
        catalog.decide({photo: {"rating": 1 + photo % 5} for photo in ids[:_RATED]}, summary="")
        pupil = Pupil(catalog, Taste(), home.cache)
        before = _resident_mb()
        begin = time.perf_counter()
        pupil.look()
        read = time.perf_counter() - begin
        pupil.study()
        pupil.learn()
        pupil.archive.prepare()
        spent = [_one_more(pupil, photo) for photo in ids[_RATED : _RATED + _TURNS]]
        asked = range(0, PHOTOS, PHOTOS // _ASKED)
        looked = [_similar(pupil.archive, place) for place in asked]
        held = _resident_mb() - before
    finally:
        catalog.close()
    note = f"slowest {1000 * max(spent):.0f} ms; vectors read at the start in {read:.1f} s"
    what = f"refit and re-score of {PHOTOS:,} photos, median of {_TURNS}"
    nearest = [seconds for seconds, _ in looked]
    found = sum(share for _, share in looked) / len(looked)
    return [
        Figure(what, 1000 * percentile(spent, 0.5), "ms", 150.0, note=note),
        Figure(
            f"nearest of {PHOTOS:,} vectors, median of {_ASKED}",
            1000 * percentile(nearest, 0.5),
            "ms",
            30.0,
            note=f"slowest {1000 * max(nearest):.0f} ms; {100 * found:.1f} % of the nearest found",
        ),
        Figure("resident memory that learning adds", held, "MB", 150.0),
    ]


def _one_more(pupil: Pupil, photo: int) -> float:
    """Rate one photo more; return how long it takes until all have new scores, in s."""
    pupil.catalog.decide({photo: {"rating": 1 + photo % 5}}, summary="")
    begin = time.perf_counter()
    pupil.study([photo])
    pupil.learn()
    return time.perf_counter() - begin


def _similar(archive: Archive, place: int) -> tuple[float, float]:
    """Find the ten photos nearest to one; return the seconds, and how many of them are right."""
    row = archive.take([place])[0]
    begin = time.perf_counter()
    found = archive.nearest(row[: archive.dimension], _NEAREST)[0]
    spent = time.perf_counter() - begin
    row[archive.dimension :] = 0.0
    exact = np.argpartition(-archive.product(row), _NEAREST)[:_NEAREST]
    return spent, float(np.isin(archive.ids[exact], found).mean())


def _resident_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6
