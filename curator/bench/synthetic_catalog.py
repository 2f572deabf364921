"""Fill a catalog of any size as if its photos, which have no files, had been read."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator import files
from curator.bench.draw import jpeg_bytes, scene
from curator.catalog import Catalog, Scan
from curator.home import Home
from curator.imaging.proxy import proxy_path, thumb_path
from curator.model import (
    Capture,
    Converted,
    Embedded,
    Eye,
    Face,
    FacesMeasured,
    FileGroup,
    FoundFile,
    Kind,
    Peeked,
    Quality,
    StageJob,
)
from curator.pipeline.between_jobs import INDEX_MERGES, INDEX_PART
from curator.pipeline.stacking import VERSION
from curator.stages import STAGES
from curator.taste.tone import TONES

BATCH = 500  # photos per transaction
BURST = 5  # photos of one motif
EVENING = 800  # photos of a day, in one folder
DAYS = 3  # from one evening to the next

_COMMON = 0.46  # length of the mean vector of real photos
_ALIKE = 0.8  # share of its motif in each vector
_PEOPLE = (0, 0, 0, 1, 0, 2, 0, 4)  # faces in the photos of a motif
_PICTURES = 2_000  # thumbnails on disk, shared by photos; more than any cache in memory holds
_SCENES = 20


def fill(home: Home, count: int, pictures: bool = True) -> None:
    """Fill the catalog of ``home`` with ``count`` photos that have been read.

    Their files do not exist, as if their drive was disconnected. With ``pictures`` thumbnails and
    proxies are drawn into the cache.
    """
    if pictures:
        _draw(home, min(count, _PICTURES))
    catalog = Catalog.open(home.catalog)
    try:
        catalog.work.use_stages([stage for stage in STAGES if stage.reads != "proxy"])
        root = home.data / "photos"
        scan = catalog.scans.begin(catalog.folders.add(root), files)
        for start in range(0, count, BATCH):
            read(home, catalog, scan, range(start, min(start + BATCH, count)))
        catalog.stacks.set_made_by(VERSION)  # every photo stays single
        catalog.store.checkpoint()
    finally:
        catalog.close()


def read(home: Home, catalog: Catalog, scan: Scan, numbers: Sequence[int]) -> None:
    """Add photos as if a scan had found them and the stages had read them."""
    root = home.data / "photos"
    new = catalog.scans.apply(scan, [_group(root, number) for number in numbers]).new
    pairs = list(zip(new, numbers, strict=True))
    catalog.results.save_peeks([_peeked(home, root, *pair) for pair in pairs])
    catalog.results.save_converted([_converted(home, root, *pair) for pair in pairs])
    catalog.faces.save([_measured(home, root, *pair) for pair in pairs])


def index(catalog: Catalog) -> None:
    """Add all pending words to the full-text index, in parts as the pipeline does.

    FTS5 merges by the number of merges, not by size: words added all at once would be written
    again after every few hundred further photos.
    """
    while catalog.text.update(INDEX_PART):
        tidy(catalog)
    tidy(catalog)


def tidy(catalog: Catalog) -> None:
    """Merge segments of the full-text index, as the pipeline does after each part."""
    for _ in range(INDEX_MERGES):
        if not catalog.text.merge_some():
            break


def embed(home: Home, dimension: int = 1280) -> None:
    """Store a drawn vector and tone measures for every photo of a catalog.

    Vectors vary like those of the starter over real photos: along the k-th strongest direction by
    (k + 100) ** -2.3, slightly less structure than real photos have. Photos come in bursts. The
    first tone measure follows the rating, so that there is a taste to learn.
    """
    catalog = Catalog.open(home.catalog)
    chance = np.random.default_rng(1)
    try:
        rows = catalog.store.rows("SELECT id, coalesce(rating, 0) FROM photo")
        ratings = {int(photo): int(rating) for photo, rating in rows}
        ids = sorted(ratings)
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            vectors = drawn_vectors(len(some), dimension, chance)
            tones = chance.standard_normal((len(some), TONES), np.float32)
            tones[:, 0] += [ratings[photo] for photo in some]
            catalog.vectors.save(
                [
                    (
                        StageJob(photo, "embed", "", Kind.IMAGE, ""),
                        Embedded(
                            "drawn/1",
                            digest,
                            vectors[at].astype(np.float16).tobytes(),
                            tones[at].tobytes(),
                        ),
                    )
                    for at, (photo, digest) in enumerate(_digests(catalog, some))
                ]
            )
        catalog.store.checkpoint()
    finally:
        catalog.close()


def drawn_vectors(count: int, dimension: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Draw unit vectors, (count, dimension) float32, like those of real photos in bursts."""
    spread = (np.arange(dimension) + 100.0) ** -1.15
    spread *= np.sqrt((1.0 - _COMMON**2) / np.square(spread).sum())
    motifs, own = chance.standard_normal((2, count, dimension), np.float32)
    motifs = motifs[np.arange(count) // BURST * BURST]
    vectors = (_ALIKE * motifs + np.sqrt(1.0 - _ALIKE**2) * own) * spread.astype(np.float32)
    vectors[:, -1] += _COMMON  # the part all photos share
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _digests(catalog: Catalog, ids: list[int]) -> list[tuple[int, str]]:
    return [(photo.id, photo.proxy_digest or "") for photo in catalog.photos.details(ids)]


def _taken(number: int) -> datetime:
    """Return a capture time: an evening every third day, every other motif shot as a burst."""
    evening, position = divmod(number, EVENING)
    motif, frame = divmod(position, BURST)
    between = 0.2 if motif % 2 else 8.0
    seconds = 40.0 * motif + between * frame
    return datetime(2012, 1, 1, 16) + timedelta(days=DAYS * evening, seconds=seconds)


@lru_cache(maxsize=4 * BATCH)  # each is asked for five times
def _path(root: Path, number: int) -> Path:
    taken = _taken(number)
    return root / f"{taken:%Y}" / f"{taken:%Y-%m-%d}" / f"DSC_{number:06}.JPG"


def _group(root: Path, number: int) -> FileGroup:
    path = _path(root, number)
    found = FoundFile(str(path), Kind.IMAGE, 6_000_000 + number, 1_700_000_000_000_000_000 + number)
    return FileGroup(str(path.parent), path.stem, (found,))


def _job(home: Home, root: Path, photo: int, number: int, stage: str) -> StageJob:
    return StageJob(photo, stage, str(_path(root, number)), Kind.IMAGE, str(home.cache))


def _capture(number: int) -> Capture:
    camera = f"Test {('One', 'Two')[number // EVENING % 2]}"
    lens = f"{(24, 35, 50, 85)[number // BURST % 4]}mm F2"
    return Capture(_taken(number), 60, camera, lens, iso=400, width=6000, height=4000)


def _peeked(home: Home, root: Path, photo: int, number: int) -> tuple[StageJob, Peeked]:
    found = _group(root, number).files[0]
    peeked = Peeked(f"{number:032x}", found.size, found.mtime_ns, _capture(number), _key(number))
    return _job(home, root, photo, number, "peek"), peeked


def _converted(home: Home, root: Path, photo: int, number: int) -> tuple[StageJob, Converted]:
    found = _group(root, number).files[0]
    quality = Quality(number % 100, 100 - number % 37, 0.0, 0.0, (0.5, 0.5))
    key = _key(number)
    fingerprint = f"{number:032x}"
    converted = Converted(
        fingerprint, found.size, found.mtime_ns, _capture(number), quality, "image", key, key
    )
    converted = replace(converted, look=look(number))
    return _job(home, root, photo, number, "convert"), converted


def look(number: int) -> str:
    """Return a perceptual hash; those of every second burst differ by a few bits."""
    motif, frame = divmod(number, BURST)
    drawn = hashlib.blake2b(str(motif if motif % 2 else -number).encode(), digest_size=16)
    return f"{int.from_bytes(drawn.digest()) ^ 3 << 25 * frame:032x}080"


def _measured(home: Home, root: Path, photo: int, number: int) -> tuple[StageJob, FacesMeasured]:
    people = range(_PEOPLE[number // BURST % len(_PEOPLE)])
    faces = tuple(_face(number, place) for place in people)
    return _job(home, root, photo, number, "faces"), FacesMeasured(_key(number), faces)


def _face(number: int, place: int) -> Face:
    """Return a face of a group; in one frame of nine its eyes are closed."""
    shut = (number + 2 * place) % 9 == 0
    eye, blink = (Eye.CLOSED, 0.8) if shut else (Eye.OPEN, 0.1)
    left, sharpness = 0.1 + 0.2 * place, float((13 * number + 7 * place) % 100)
    return Face(
        (left, 0.3, 0.12, 0.24),
        720,
        *(0.9, eye, eye, blink, blink, 0.5, 0.0, sharpness),
        left_at=(left + 0.09, 0.4),
        right_at=(left + 0.03, 0.4),
    )


def _key(number: int) -> str:
    return f"{number % _PICTURES:064x}"[::-1]  # the cache spreads files by the first characters


def _draw(home: Home, count: int) -> None:
    """Draw thumbnails and proxies into the cache: crops of a few scenes, one proxy per scene."""
    scenes = min(_SCENES, count)
    for seed in range(scenes):
        large = scene((1440 + count // scenes, 960), seed)
        proxy = jpeg_bytes(large[:, :1440], 88)
        first: Path | None = None
        for step, number in enumerate(range(seed, count, scenes)):
            small = np.ascontiguousarray(large[:720, step:][:, :1080][::3, ::3])
            _write(thumb_path(home.cache, _key(number)), jpeg_bytes(small, 80))
            path = proxy_path(home.cache, _key(number))
            if first is None:
                _write(path, proxy)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(first, path)
            first = first or path


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def link_or_copy(source: str | Path, to: str | Path) -> None:
    """Hard-link a file, which saves 700 MB of proxies, or copy it."""
    try:
        Path(to).hardlink_to(source)
    except OSError:  # this file system has no hard links
        shutil.copyfile(source, to)
