"""A catalog of any size without any files: rows as if a hundred thousand photos had been read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator import files
from curator.bench.draw import jpeg_bytes, scene
from curator.catalog import Catalog
from curator.imaging.proxy import proxy_path, thumb_path
from curator.model import (
    Capture,
    Converted,
    Embedded,
    Found,
    Group,
    Kind,
    Peeked,
    Quality,
    StageJob,
)
from curator.pipeline.stacking import VERSION
from curator.settings import Home
from curator.stages import STAGES
from curator.taste.tone import TONES

_BATCH = 500
_COMMON = 0.46  # length of the mean vector of the corpus
_BURST, _ALIKE = 5, 0.8  # photos of one motif, and how much of it is in each
_DIRECTORY = 800  # photos in one folder: an evening's
_PICTURES = 2_000  # thumbnails on disk; photos share them, but more than any cache in memory holds


def fill(home: Home, count: int) -> None:
    """Make the catalog of ``home`` hold ``count`` photos that are all read.

    The files they came from are nowhere; thumbnails and proxies are in the cache.
    """
    _pictures(home)
    catalog = Catalog.open(home.catalog)
    try:
        catalog.use_stages(STAGES)
        root = home.data / "photos"
        scan = catalog.begin_scan(catalog.add_folder(root), files)
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            new = scan.apply([_group(root, number) for number in numbers]).new
            pairs = list(zip(new, numbers, strict=True))
            catalog.save_peeked([_peeked(home, root, *pair) for pair in pairs], files)
            catalog.save_converted([_converted(home, root, *pair) for pair in pairs])
        catalog.note_stacks(VERSION)  # nothing to look for: each stands alone
        catalog.checkpoint()
    finally:
        catalog.close()


def embed(home: Home, dimension: int = 1280) -> None:
    """Give every photo of a filled catalog a vector of an encoder there is not, and tones.

    Vectors vary as the starter's do over real photos: along the k-th strongest direction by
    (k + 100) ** -2.3, which is a little less structure than the corpus has, and photos come in
    bursts.
    """
    catalog = Catalog.open(home.catalog)
    chance = np.random.default_rng(1)
    try:
        ids = sorted(row[0] for row in catalog.columns())
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            vectors = drawn_vectors(len(some), dimension, chance)
            tones = chance.standard_normal((len(some), TONES), np.float32)
            catalog.save_embedded(
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
        catalog.checkpoint()
    finally:
        catalog.close()


def drawn_vectors(count: int, dimension: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Draw unit vectors, (count, dimension) float32, like those of real photos in bursts."""
    spread = (np.arange(dimension) + 100.0) ** -1.15
    spread *= np.sqrt((1.0 - _COMMON**2) / np.square(spread).sum())
    motifs, own = chance.standard_normal((2, count, dimension), np.float32)
    motifs = motifs[np.arange(count) // _BURST * _BURST]
    vectors = (_ALIKE * motifs + np.sqrt(1.0 - _ALIKE**2) * own) * spread.astype(np.float32)
    vectors[:, -1] += _COMMON  # what all photos have in common
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _digests(catalog: Catalog, ids: list[int]) -> list[tuple[int, str]]:
    return [(photo.id, photo.proxy_digest or "") for photo in catalog.details(ids)]


def _path(root: Path, number: int) -> Path:
    return root / f"{number // _DIRECTORY:04}" / f"DSC_{number:06}.JPG"


def _group(root: Path, number: int) -> Group:
    path = _path(root, number)
    found = Found(str(path), Kind.IMAGE, 6_000_000 + number, 1_700_000_000_000_000_000 + number)
    return Group(str(path.parent), path.stem, (found,))


def _job(home: Home, root: Path, photo: int, number: int, stage: str) -> StageJob:
    return StageJob(photo, stage, str(_path(root, number)), Kind.IMAGE, str(home.cache))


def _capture(number: int) -> Capture:
    taken = datetime(2015, 1, 1) + timedelta(seconds=97 * number)
    return Capture(taken, 60, "Test One", iso=400, width=6000, height=4000)


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
    return _job(home, root, photo, number, "convert"), converted


def _key(number: int) -> str:
    return f"{number % _PICTURES:064x}"[::-1]  # the cache spreads files by the first characters


def _pictures(home: Home) -> None:
    """Put thumbnails and proxies into the cache, each picture another crop of one scene."""
    large = scene((1440 + _PICTURES // 10, 960), 1)
    proxy = jpeg_bytes(large[:, :1440], 88)
    for number in range(_PICTURES):
        key = _key(number)
        small = np.ascontiguousarray(large[number % 600 :, number // 10 :][:240, :360])
        for path, data in (
            (thumb_path(home.cache, key), jpeg_bytes(small, 80)),
            (proxy_path(home.cache, key), proxy),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
