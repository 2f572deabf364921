"""The bar of growth: what one photo more costs, with none in the catalog and with 100,000."""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from statistics import median

from curator import files
from curator.bench.figures import Figure, Pairs, Place, Reference, worked
from curator.bench.photo_sets import many_small
from curator.bench.synthetic_catalog import fill, read, tidy
from curator.bench.synthetic_library import lent
from curator.catalog import Catalog, Scan
from curator.model import KnownError
from curator.pipeline import Pipeline
from curator.settings import Home, Settings

_SOME = 32  # photos in one transaction, as the pipeline saves them
_ROUND = 10 * _SOME
_ROUNDS = 12
_FIRST = 5_000_000  # numbers no photo of a library has
_CARDS = (20, 300, 300)  # photos of cards; the first is for what comes once a start
_SIZE = (600, 400)
_MERGED = (
    "median of {} rounds, the worst {:.2f} ms beside {:.2f} ms: at times the index of words merges"
    " what many photos wrote"
)
_NOTE = (
    "cards of 300; stacks of all photos are looked for anew at the end of each, a good part of"
    " the difference; it moves by a tenth from run to run"
)


def flat(place: Place) -> list[Figure]:
    """Take photos into an empty catalog and into a library, turn by turn, and compare.

    Figures are processor time of this process in the median round: what the catalog does for a
    photo, and all that the pipeline does, from the look for files to the words in the index.
    """
    library = lent(place)
    saved, ingested = _saved(place, library), _ingested(place, library)
    merged = _MERGED.format(_ROUNDS, 1000 * max(saved.spent), 1000 * max(saved.bare))
    return [
        _figure("a photo more with {} in the catalog", place, saved, merged),
        _figure("a drawn JPEG read with {} in the catalog", place, ingested, _NOTE),
    ]


def _figure(what: str, place: Place, spent: Pairs, note: str) -> Figure:
    """Judge the processor time of a photo among those of a library (s), beside that among none."""
    more, alone = (1000 * median(each) for each in (spent.spent, spent.bare))
    beside = Reference("with none", alone)
    what = what.format(f"{place.count:,}")
    return Figure(what, more, "ms", 1.2, beside, per_reference=True, note=note)


def _saved(place: Place, library: Home) -> Pairs:
    """Save scan, header, proxy and words of photos, and count, as the pipeline does."""
    empty, pairs = Home.at(place.scratch / "empty").make(), Pairs()
    fill(empty, 0, pictures=False)
    with ExitStack() as opened:
        catalogs, takings = [], []
        for home in (empty, library):
            catalog = opened.enter_context(closing(Catalog.open(home.catalog)))
            catalogs.append(catalog)
            scan = catalog.scans.begin(catalog.folders.add(home.data / "photos"), files)
            takings.append(partial(_take, home, catalog, scan))
        for turn in range(_ROUNDS):
            first = _FIRST + turn * _ROUND
            alone, more = (worked(partial(take, first)) / _ROUND for take in takings)
            pairs.add(more, alone)
            for catalog in catalogs:
                catalog.store.checkpoint()
    return pairs


def _take(home: Home, catalog: Catalog, scan: Scan, first: int) -> None:
    """Take a round of photos in."""
    for start in range(first, first + _ROUND, _SOME):
        read(home, catalog, scan, range(start, start + _SOME))
        catalog.text.update(_SOME)
        tidy(catalog)
        catalog.work.unfinished()


def _ingested(place: Place, library: Home) -> Pairs:
    """Read cards of drawn JPEGs by the pipeline itself, on this thread and without an encoder."""
    drawn = iter(sorted(many_small(place.scratch / "drawn", sum(_CARDS), _SIZE).iterdir()))
    pairs = Pairs()
    settings = Settings()
    settings.encoder.which = "none"
    with ExitStack() as running:
        pipelines = []
        for home in (Home.at(place.scratch / "fresh").make(), library):
            pipelines.append(Pipeline(home, settings, inline=True))
            pipelines[-1].start()
            running.callback(pipelines[-1].stop)
        for number, count in enumerate(_CARDS):
            card = place.scratch / f"card {number}"
            card.mkdir()
            for photo in islice(drawn, count):
                photo.rename(card / photo.name)
            alone, more = (
                worked(partial(pipeline.open_folders, [card])) / count for pipeline in pipelines
            )
            if number:
                pairs.add(more, alone)
            if any(_read_of(pipeline) != count for pipeline in pipelines):
                raise KnownError("Not all drawn photos could be read.")
    return pairs


def _read_of(pipeline: Pipeline) -> int:
    totals = pipeline.wait_idle(0)
    return 0 if totals is None else totals.converted
