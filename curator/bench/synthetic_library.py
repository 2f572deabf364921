"""Make the catalog of a large library without photo files, for bars and `bench --make-catalog`.

Photos lie in folders by day, half of their motifs shot as bursts. All are analyzed and their faces
measured, and most are described; the older ones are culled, and some are rated, tagged and in
projects.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from curator.bench.figures import PHOTOS, Workspace, program
from curator.bench.replication import repeat
from curator.bench.synthetic_catalog import BATCH, EVENING, embed, fill, index, link_or_copy
from curator.catalog import Catalog
from curator.home import Home
from curator.library import table_cache
from curator.model import ContentType, Described, KnownError, Label, SuggestedTag
from curator.pipeline.stacking import FILE, Stacker
from curator.settings import Settings
from curator.settings import save as save_settings

_READ = 8_000  # photos saved by the catalog's own code; further photos repeat their rows
DESCRIBED = 0.7  # share of all photos
_CULLED = 0.6  # share of all photos
_TAGGED = 0.05  # share of the culled photos that are tagged by hand
_WORDS = 4000  # size of the vocabulary
_DESCRIPTION_WORDS = 24  # per photo
_PROJECT = 250  # photos per project
_SEARCHES = {
    "Best of all": "rating:>=4",
    "To look at again": "is:skipped sharpness:>40",
    "Red and picked": "label:red is:picked",
    "Sharp 85 mm": "lens:85mm sharpness:>60 -is:rejected",
}
# The results of a cull: share of the photos, and the decision.
_VERDICTS: tuple[tuple[float, dict[str, object]], ...] = (
    (0.40, {"flag": "reject"}),
    (0.25, {"kept": True}),
    (0.06, {"kept": True, "flag": "pick"}),
    (0.03, {"kept": True, "rating": 2}),
    (0.08, {"kept": True, "rating": 3}),
    (0.05, {"kept": True, "rating": 4}),
    (0.02, {"kept": True, "rating": 5, "label": str(Label.RED)}),
    (0.11, {}),  # skipped
)

Progress = Callable[[str], None]


def make(
    home: Home, count: int = PHOTOS, progress: Progress = lambda text: None, pictures: bool = True
) -> None:
    """Make a home as if a photographer had worked with it for years.

    The photo files do not exist, as if their drive was disconnected; everything derived from them
    does.

    Args:
        home: must not have a catalog yet.
        count: number of photos.
        progress: called with a line before each step.
        pictures: whether to draw thumbnails and proxies, which takes longest.

    Raises:
        KnownError: the home has a catalog already, or the disk is full; partial data stays.
    """
    if home.catalog.exists():
        raise KnownError(
            f"{home.data} already has a catalog.", "Choose a folder that does not exist yet."
        )
    home.make()
    # The vectors are drawn, so no encoder must replace them when the window opens.
    settings = Settings()
    settings.encoder.which = "none"
    save_settings(settings, home)
    progress(f"{count:,} photos: adding ...")
    fill(home, min(count, _READ), pictures)
    catalog = Catalog.open(home.catalog)
    try:
        progress("stacking ...")
        _stack(catalog)
        progress("describing ...")
        ids = catalog.photos.ids()
        describe(catalog, ids[: int(DESCRIBED * len(ids))])
        index(catalog)
        catalog.store.checkpoint()
        progress("culling ...")
        _cull(catalog, ids[: int(_CULLED * len(ids))])
        index(catalog)
        catalog.store.checkpoint()
    finally:
        catalog.close()
    progress("repeating rows ...")
    repeat(home.catalog, count, home.data / "photos")
    progress("adding vectors ...")
    embed(home)
    catalog = Catalog.open(home.catalog)
    try:
        progress("stacking ...")
        _stack(catalog, home.cache / FILE)
        table_cache.save(catalog, home.table_file)
    finally:
        catalog.close()


def library_copy(workspace: Workspace) -> Home:
    """Return the home of a copy of the library that all bars of a run share."""
    stock = workspace.stock or workspace.scratch / "stock"
    shared = stock / f"library-{workspace.count}"
    if not shared.exists():
        shutil.rmtree(stock / "begun", ignore_errors=True)
        # In another process, so that its memory does not count as memory of the bar.
        words = ["bench", "--make-catalog", str(stock / "begun"), "--count", str(workspace.count)]
        if subprocess.run([*program(), *words], check=False, stdout=subprocess.DEVNULL).returncode:
            raise KnownError("The library could not be made.", "See the messages above.")
        (stock / "begun").rename(shared)
    before, home = Home.at(shared), Home.at(workspace.scratch / "home").make()
    shutil.copyfile(before.catalog, home.catalog)
    shutil.copyfile(before.settings_file, home.settings_file)
    # Files of the cache are never changed in place, so links are safe.
    shutil.copytree(before.cache, home.cache, copy_function=link_or_copy, dirs_exist_ok=True)
    return home


def vocabulary() -> list[str]:
    """Return drawn words, the most frequent first."""
    chance = np.random.default_rng(2)
    letters = np.array(list("abdefghiklmnoprstu"))
    return ["".join(chance.choice(letters, 3 + number % 7)) for number in range(_WORDS)]


def descriptions(count: int, seed: int = 3) -> Iterator[list[str]]:
    """Draw the words of descriptions; the frequency of the k-th word is 1 / (k + 5)."""
    chance, words = np.random.default_rng(seed), np.array(vocabulary())
    limits = np.cumsum(1.0 / (np.arange(_WORDS) + 5.0))
    for start in range(0, count, BATCH):
        among = chance.random((min(BATCH, count - start), _DESCRIPTION_WORDS)) * limits[-1]
        yield from words[np.searchsorted(limits, among)].tolist()


def describe(catalog: Catalog, ids: Sequence[int], seed: int = 3) -> None:
    """Save descriptions of drawn words and tags."""
    texts = descriptions(len(ids), seed)
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        digests = {photo.id: photo.proxy_digest or "" for photo in catalog.photos.details(some)}
        catalog.descriptions.save(
            [(photo, _described(digests[photo], next(texts), photo)) for photo in some]
        )


def _described(source: str, words: list[str], photo: int) -> Described:
    subject, mood, light = " ".join(words[:6]), " ".join(words[6:8]), " ".join(words[8:18])
    tags = tuple(SuggestedTag(word, 50) for word in dict.fromkeys(words[18:]))
    kinds = tuple(ContentType)
    return Described("drawn", "1", source, subject, kinds[photo % len(kinds)], light, mood, tags)


def _stack(catalog: Catalog, file: Path | None = None) -> None:
    """Stack the bursts as the pipeline does, and save what it knows then."""
    catalog.stacks.set_made_by(None)
    stacker = Stacker(catalog, file)
    while stacker.waiting:
        stacker.advance(True, ())
    stacker.save()


def _cull(catalog: Catalog, ids: Sequence[int]) -> None:
    """Cull photos evening by evening, and mark all of them as seen."""
    chance = np.random.default_rng(4)
    shares = np.array([share for share, _ in _VERDICTS])
    names = vocabulary()[:200]
    tags = catalog.tags.ids(names, make=True)
    for start in range(0, len(ids), EVENING):
        some = ids[start : start + EVENING]
        choices = chance.choice(len(_VERDICTS), len(some), p=shares / shares.sum()).tolist()
        changes: dict[int, dict[str | tuple[str, int], object]] = {
            photo: dict(_VERDICTS[choice][1]) for photo, choice in zip(some, choices, strict=True)
        }
        for photo in chance.choice(some, int(_TAGGED * len(some)), replace=False).tolist():
            changes[photo]["tag", tags[names[photo % len(names)]]] = "confirmed"
        kept = [photo for photo, choice in zip(some, choices, strict=True) if choice > 1]
        kept = kept[:_PROJECT]
        if start // EVENING % 3 == 0 and kept:
            project = catalog.projects.create(f"Evening {1 + start // EVENING:,}")
            for position, photo in enumerate(kept):
                changes[photo]["project", project] = float(position)
        catalog.photos.mark_seen(some)
        catalog.journal.decide(changes, summary=f"Culled {len(some)} photos")
    for name, expression in _SEARCHES.items():
        catalog.searches.save(name, expression)
