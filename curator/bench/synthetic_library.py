"""A library of years in a catalog, without any files: `curator bench --make-catalog` and the bars.

Photos in folders by day, half of their motifs shot as bursts, all compared with each other, most
of them described; the older ones culled, some rated, tagged and put into projects.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from curator.bench.figures import PHOTOS, Place, program
from curator.bench.replication import repeat
from curator.bench.synthetic_catalog import BATCH, EVENING, embed, fill, index
from curator.catalog import Catalog
from curator.library import table_cache
from curator.model import ContentType, Described, KnownError, Label, SuggestedTag
from curator.pipeline.stacking import Stacker
from curator.settings import Home, Settings
from curator.settings import save as save_settings

_READ = 8_000  # photos that go through all of the catalog's own code; more repeat these
DESCRIBED = 0.7  # shares of all photos
_CULLED = 0.6
_TAGGED = 0.05  # of those culled: by hand, a machine tags what it describes
_WORDS = 4000
_SAID = 24  # words of a photo
_PROJECT = 250  # photos in one
_SEARCHES = {
    "Best of all": "rating:>=4",
    "To look at again": "is:skipped sharpness:>40",
    "Red and picked": "label:red is:picked",
    "Sharp 85 mm": "lens:85mm sharpness:>60 -is:rejected",
}
# What a cull leaves behind: how often, and what was decided.
_VERDICTS: tuple[tuple[float, dict[str, object]], ...] = (
    (0.40, {"flag": "reject"}),
    (0.25, {"kept": True}),
    (0.06, {"kept": True, "flag": "pick"}),
    (0.03, {"kept": True, "rating": 2}),
    (0.08, {"kept": True, "rating": 3}),
    (0.05, {"kept": True, "rating": 4}),
    (0.02, {"kept": True, "rating": 5, "label": str(Label.RED)}),
    (0.11, {}),  # passed over
)

Tell = Callable[[str], None]


def make(
    home: Home, count: int = PHOTOS, tell: Tell = lambda text: None, pictures: bool = True
) -> None:
    """Make a home that looks as if a photographer had worked in it for years.

    The files are nowhere, as on a drive that is away; all that is derived from them is there.

    Args:
        home: where; nothing may be in its catalog.
        count: photos.
        tell: gets a line before each step.
        pictures: whether there are to be thumbnails and proxies, which take the longest.

    Raises:
        KnownError: there is a catalog already, or no room; what was begun stays.
    """
    if home.catalog.exists():
        raise KnownError(
            f"{home.data} holds a catalog already.", "Name a folder that does not exist yet."
        )
    home.make()
    # Nothing is to be compared anew when somebody opens it: the vectors are drawn, too.
    settings = Settings()
    settings.encoder.which = "none"
    save_settings(settings, home)
    tell(f"{count:,} photos: read ...")
    fill(home, min(count, _READ), pictures)
    catalog = Catalog.open(home.catalog)
    try:
        tell("stacked ...")
        _stack(catalog)
        tell("described ...")
        ids = [int(photo) for photo in sorted(row[0] for row in catalog.photos.columns())]
        describe(catalog, ids[: int(DESCRIBED * len(ids))])
        index(catalog)
        catalog.store.checkpoint()
        tell("culled ...")
        _cull(catalog, ids[: int(_CULLED * len(ids))])
        index(catalog)
        catalog.store.checkpoint()
    finally:
        catalog.close()
    tell("repeated ...")
    repeat(home.catalog, count, home.data / "photos")
    tell("compared ...")
    embed(home)
    catalog = Catalog.open(home.catalog)
    try:
        table_cache.save(catalog, home.table_file)
    finally:
        catalog.close()


def lent(place: Place) -> Home:
    """Give a bar a library of its own: a copy of the one that all bars of a run share."""
    stock = place.stock or place.scratch / "stock"
    whole = stock / f"library-{place.count}"
    if not whole.exists():
        shutil.rmtree(stock / "begun", ignore_errors=True)
        # In a process of its own: what drawing takes would count as memory of what is measured.
        words = ["bench", "--make-catalog", str(stock / "begun"), "--count", str(place.count)]
        if subprocess.run([*program(), *words], check=False, stdout=subprocess.DEVNULL).returncode:
            raise KnownError("The library could not be drawn.", "Why is said above.")
        (stock / "begun").rename(whole)
    before, home = Home.at(whole), Home.at(place.scratch / "home").make()
    shutil.copyfile(before.catalog, home.catalog)
    shutil.copyfile(before.settings_file, home.settings_file)
    shutil.copytree(before.cache, home.cache, copy_function=_link, dirs_exist_ok=True)
    return home


def _link(source: str, to: str) -> None:
    """Give a picture of the cache, which is never changed in place, another name."""
    try:
        Path(to).hardlink_to(source)
    except OSError:
        shutil.copyfile(source, to)


def vocabulary() -> list[str]:
    """Draw words, the most frequent first."""
    chance = np.random.default_rng(2)
    letters = np.array(list("abdefghiklmnoprstu"))
    return ["".join(chance.choice(letters, 3 + number % 7)) for number in range(_WORDS)]


def sayings(count: int, seed: int = 3) -> Iterator[list[str]]:
    """Draw what is said of photos, the k-th word as often as in a language: by 1 / (k + 5)."""
    chance, words = np.random.default_rng(seed), np.array(vocabulary())
    limits = np.cumsum(1.0 / (np.arange(_WORDS) + 5.0))
    for start in range(0, count, BATCH):
        among = chance.random((min(BATCH, count - start), _SAID)) * limits[-1]
        yield from words[np.searchsorted(limits, among)].tolist()


def describe(catalog: Catalog, ids: Sequence[int], seed: int = 3) -> None:
    """Say something of photos, in drawn words and tags."""
    told = sayings(len(ids), seed)
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        digests = {photo.id: photo.proxy_digest or "" for photo in catalog.photos.details(some)}
        catalog.descriptions.save(
            [(photo, _described(digests[photo], next(told), photo)) for photo in some]
        )


def _described(source: str, words: list[str], photo: int) -> Described:
    subject, mood, light = " ".join(words[:6]), " ".join(words[6:8]), " ".join(words[8:18])
    tags = tuple(SuggestedTag(word, 50) for word in dict.fromkeys(words[18:]))
    kinds = tuple(ContentType)
    return Described("drawn", "1", source, subject, kinds[photo % len(kinds)], light, mood, tags)


def _stack(catalog: Catalog) -> None:
    """Stack the bursts as the pipeline does."""
    catalog.stacks.set_made_by(None)
    stacker = Stacker(catalog)
    while stacker.waiting:
        stacker.advance(True, ())


def _cull(catalog: Catalog, ids: Sequence[int]) -> None:
    """Judge photos, an evening at a time; seen are all of them."""
    chance = np.random.default_rng(4)
    shares = np.array([share for share, _ in _VERDICTS])
    names = vocabulary()[:200]
    tags = catalog.tags.ids(names, make=True)
    for start in range(0, len(ids), EVENING):
        some = ids[start : start + EVENING]
        fates = chance.choice(len(_VERDICTS), len(some), p=shares / shares.sum()).tolist()
        changes: dict[int, dict[str | tuple[str, int], object]] = {
            photo: dict(_VERDICTS[fate][1]) for photo, fate in zip(some, fates, strict=True)
        }
        for photo in chance.choice(some, int(_TAGGED * len(some)), replace=False).tolist():
            changes[photo]["tag", tags[names[photo % len(names)]]] = "confirmed"
        kept = [photo for photo, fate in zip(some, fates, strict=True) if fate > 1][:_PROJECT]
        if start // EVENING % 3 == 0 and kept:
            project = catalog.projects.create(f"Evening {1 + start // EVENING:,}")
            for place, photo in enumerate(kept):
                changes[photo]["project", project] = float(place)
        catalog.photos.mark_seen(some)
        catalog.journal.decide(changes, summary=f"Culled {len(some)} photos")
    for name, expression in _SEARCHES.items():
        catalog.searches.save(name, expression)
