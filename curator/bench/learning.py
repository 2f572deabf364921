"""The bar of taste: from a decision on disk to new scores for a hundred thousand photos."""

from __future__ import annotations

import time

import numpy as np

from curator.bench.figures import Figure, Place, percentile, timed
from curator.bench.filling import embed, fill
from curator.catalog import Catalog
from curator.session.archive import Archive
from curator.session.pupil import Pupil
from curator.settings import Home, Taste

_PHOTOS = 100_000
_RATED = 300
_TURNS = 15


def taste(place: Place) -> list[Figure]:
    """Rate photos one by one; each time learn anew and score all, as the window's thread does."""
    home = Home.at(place.scratch / "home").make()
    fill(home, _PHOTOS)
    embed(home)
    catalog = Catalog.open(home.catalog)
    try:
        ids = [int(row[0]) for row in catalog.columns()]
        catalog.decide({photo: {"rating": 1 + photo % 5} for photo in ids[:_RATED]}, summary="")
        pupil = Pupil(catalog, Taste(), home.cache)
        begin = time.perf_counter()
        pupil.look()
        read = time.perf_counter() - begin
        pupil.study()
        pupil.learn()
        spent = [_one_more(pupil, photo) for photo in ids[_RATED : _RATED + _TURNS]]
        nearest = min(timed(lambda: _similar(pupil.archive)) for _ in range(5))
    finally:
        catalog.close()
    note = f"slowest {1000 * max(spent):.0f} ms; vectors read at the start in {read:.1f} s"
    what = f"refit and re-score of {_PHOTOS:,} photos, median of {_TURNS}"
    return [
        Figure(what, 1000 * percentile(spent, 0.5), "ms", 150.0, note=note),
        Figure(f"nearest of {_PHOTOS:,} vectors", 1000 * nearest, "ms", 30.0),
    ]


def _one_more(pupil: Pupil, photo: int) -> float:
    """Rate one photo more; return how long it takes until all have new scores, in s."""
    pupil.catalog.decide({photo: {"rating": 1 + photo % 5}}, summary="")
    begin = time.perf_counter()
    pupil.study([photo])
    pupil.learn()
    return time.perf_counter() - begin


def _similar(archive: Archive) -> np.ndarray:
    """Find the photos nearest to the first, as `curator similar` does."""
    return archive.nearest(archive.take([0])[0, : archive.dimension], 10)[0]
