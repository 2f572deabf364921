"""The bar for growth: the cost of adding a photo to an empty catalog and to 100,000 photos.

`curator bench --only flat --count 1000000` measures it with a million photos.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from statistics import median

from curator import files
from curator.bench.figures import Figure, PairedTimes, Reference, Workspace, worked
from curator.bench.photo_sets import many_small
from curator.bench.synthetic_catalog import fill, read, tidy
from curator.bench.synthetic_library import library_copy
from curator.catalog import Catalog, Scan
from curator.home import Home
from curator.model import KnownError
from curator.pipeline import Pipeline
from curator.settings import Settings

_SOME = 32  # photos per transaction; the pipeline chooses by time
_ROUND = 10 * _SOME
_ROUNDS = 12
_FIRST = 5_000_000  # numbers that no photo of the library has
_CARDS = (20, *[60] * 12)  # photos per card; the first card is a warm-up
_SIZE = (600, 400)
_MERGED = (
    "median of {} rounds; the worst took {:.2f} ms, reference {:.2f} ms, because the word index"
    " merges the words of many photos at times"
)
_NOTE = (
    "median of {} cards of {}; the first card of {} after the start took {:.0f} ms per photo,"
    " reference {:.0f} ms"
)


def flat(workspace: Workspace) -> list[Figure]:
    """Add photos to an empty catalog and to a library in turn, and compare.

    Figures are processor time of this process in the median round, for the work of the catalog
    alone and for the whole pipeline, from the scan to the word index.
    """
    library = library_copy(workspace)
    saved, (ingested, first) = _saved(workspace, library), _ingested(workspace, library)
    started = (1000 * first.spent[0], 1000 * first.bare[0])
    note = _NOTE.format(len(ingested.spent), _CARDS[1], _CARDS[0], *started)
    merged = _MERGED.format(_ROUNDS, 1000 * max(saved.spent), 1000 * max(saved.bare))
    return [
        _figure("saving a photo in a catalog of {}", workspace, saved, 1.2, merged),
        _figure("ingesting a JPEG into a catalog of {}", workspace, ingested, 1.05, note),
    ]


def _figure(what: str, workspace: Workspace, spent: PairedTimes, limit: float, note: str) -> Figure:
    """Return the median time per photo in a library, compared with an empty catalog."""
    in_library, in_empty = (1000 * median(each) for each in (spent.spent, spent.bare))
    reference = Reference("the same with an empty catalog", in_empty)
    what = what.format(f"{workspace.count:,}")
    return Figure(what, in_library, "ms", limit, reference, per_reference=True, note=note)


def _saved(workspace: Workspace, library: Home) -> PairedTimes:
    """Save photos in both catalogs as the pipeline does, from the scan to the words."""
    empty, pairs = Home.at(workspace.scratch / "empty").make(), PairedTimes()
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
    """Save a round of photos."""
    for start in range(first, first + _ROUND, _SOME):
        read(home, catalog, scan, range(start, start + _SOME))
        catalog.text.update(_SOME)
        tidy(catalog)
        catalog.work.unfinished()


def _ingested(workspace: Workspace, library: Home) -> tuple[PairedTimes, PairedTimes]:
    """Ingest cards of drawn JPEGs with the pipeline, on this thread and without an encoder.

    Returns:
        The times per photo, and those of the first card after the start.
    """
    drawn = iter(sorted(many_small(workspace.scratch / "drawn", sum(_CARDS), _SIZE).iterdir()))
    pairs, first = PairedTimes(), PairedTimes()
    settings = Settings()
    settings.encoder.which = "none"
    with ExitStack() as running:
        pipelines = []
        for home in (Home.at(workspace.scratch / "fresh").make(), library):
            pipelines.append(Pipeline(home, settings, inline=True))
            pipelines[-1].start()
            running.callback(pipelines[-1].stop)
        for number, count in enumerate(_CARDS):
            card = workspace.scratch / f"card {number}"
            card.mkdir()
            for photo in islice(drawn, count):
                photo.rename(card / photo.name)
            # In turn: what runs second may find the caches of the processor in another state.
            spent = {
                turn: worked(partial(pipelines[turn].open_folders, [card])) / count
                for turn in (number % 2, 1 - number % 2)
            }
            (pairs if number else first).add(spent[1], spent[0])
            if any(_read_of(pipeline) != count for pipeline in pipelines):
                raise KnownError("Not all drawn photos could be read.")
    return pairs, first


def _read_of(pipeline: Pipeline) -> int:
    totals = pipeline.wait_idle(0)
    return 0 if totals is None else totals.converted
