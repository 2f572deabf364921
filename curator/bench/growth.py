"""The bar of growth: what one photo more costs the catalog, empty and with 100,000 in it."""

from __future__ import annotations

from curator import files
from curator.bench.figures import Figure, Place, Reference, worked
from curator.bench.filling import fill, read
from curator.bench.library import PHOTOS, lent
from curator.catalog import Catalog
from curator.settings import Home

_SOME = 32  # photos in one transaction, as the pipeline saves them
_PHOTOS = 1_000
_ROUNDS = 3
_FIRST = 5_000_000  # numbers no photo of a library has


def flat(place: Place) -> list[Figure]:
    """Take photos into an empty catalog and into a library, turn by turn, and compare.

    Figures are seconds of processor time of this process: scan, header, proxy and words of each
    photo saved, and counts asked for, as the pipeline does.
    """
    empty = Home.at(place.scratch / "empty").make()
    fill(empty, 0, pictures=False)
    homes: dict[Home, list[float]] = {empty: [], lent(place): []}
    for turn in range(_ROUNDS):
        for home, spent in homes.items():
            spent.append(_taken_in(home, _FIRST + turn * _PHOTOS // _ROUNDS))
    first, last = (1000 * min(spent) / (_PHOTOS // _ROUNDS) for spent in homes.values())
    what = f"a photo more with {PHOTOS:,} in the catalog"
    return [Figure(what, last, "ms", 1.2, Reference("with none", first), per_reference=True)]


def _taken_in(home: Home, first: int) -> float:
    catalog = Catalog.open(home.catalog)
    try:
        catalog.fold_all_text()
        scan = catalog.begin_scan(catalog.add_folder(home.data / "photos"), files)

        def take() -> None:
            for start in range(first, first + _PHOTOS // _ROUNDS, _SOME):
                stop = min(start + _SOME, first + _PHOTOS // _ROUNDS)
                read(home, catalog, scan, range(start, stop))
                catalog.fold_text(_SOME)
                catalog.unfinished()

        return worked(take)
    finally:
        catalog.close()
