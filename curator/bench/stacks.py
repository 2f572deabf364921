"""The bar for stacks: stack 100,000 photos, and how the time grows with their number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from curator.bench.figures import Figure, Reference, Workspace, timed
from curator.stages.stack import Candidates, group, propose
from curator.stages.stack_columns import StackColumns

_PHOTOS = 100_000
_LARGER = 10
_START = np.datetime64("2015-01-01T08:00:00", "us")
_SECOND = 1_000_000  # us


def stacks(workspace: Workspace) -> list[Figure]:
    """Stack photos and suggest the best of each stack, for two library sizes."""
    small, large = draw(_PHOTOS // _LARGER), draw(_PHOTOS)
    group(small)
    fewer = min(timed(lambda: group(small)) for _ in range(5))
    more, sort = _paired(lambda: group(large), lambda: _sorted(large))
    found = group(large)
    frames = _measured(found.stack, found.kind)
    best, least = _paired(
        lambda: propose(frames), lambda: np.lexsort((frames.sharpness, frames.stack))
    )
    stacked = int((found.stack > 0).sum())
    made = len(np.unique(found.stack)) - 1
    note = f"{stacked:,} photos in {made:,} stacks"
    sorting = Reference("numpy sorting times, and eight parts of the perceptual hashes", sort)
    grouping = Reference(f"stacking {_PHOTOS // _LARGER:,}", fewer)
    ranking = Reference("numpy sorting stacks and sharpness", 1000 * least)
    return [
        Figure(f"stacking {_PHOTOS:,} photos", more, "s", 5.0, sorting, note=note),
        Figure(
            f"stacking, growth with {_LARGER} times the photos",
            more,
            "s",
            2.0 * _LARGER,
            grouping,
            per_reference=True,
        ),
        Figure(f"suggesting the best of {made:,} stacks", 1000 * best, "ms", 50.0, ranking),
    ]


def _sorted(shots: StackColumns) -> None:
    np.lexsort((shots.taken_at, shots.camera))
    np.argsort(shots.phash.view(np.uint16), axis=0)


def _paired(act: Callable[[], object], reference: Callable[[], object]) -> tuple[float, float]:
    """Run an action and its reference in turn; return the best time of each, in seconds."""
    turns = [(timed(act), timed(reference)) for _ in range(3)]
    return min(spent for spent, _ in turns), min(bare for _, bare in turns)


def draw(count: int, seed: int = 1) -> StackColumns:
    """Draw the columns of photos: singles, bursts, brackets, copies, time lapses, black frames.

    A tenth has no capture time, a fiftieth no perceptual hash.
    """
    chance = np.random.default_rng(seed)
    scene, frame = _scenes(chance, count)
    first = np.r_[True, scene[1:] != scene[:-1]]
    burst = chance.random(scene[-1] + 1) < 0.5  # the other scenes are shot one by one
    pause = chance.lognormal(4.0, 1.2, count) + 5.0
    step = np.where(burst[scene], 0.12, chance.uniform(4.0, 20.0, count))
    timer = slice(count // 2, count // 2 + count // 50)
    step[timer], first[timer] = 2.0, False
    scene[timer] = scene[timer.start]
    taken = _START + np.cumsum(np.where(first, pause, step) * _SECOND).astype("m8[us]")
    bracket = (chance.random(scene[-1] + 1) < 0.05)[scene] & (frame < 3)
    stops = np.where(bracket, np.array([0, -2, 2])[frame % 3], 0).astype(np.float32)
    phash = _hashes(chance, scene, moved=0.06)
    width, height = np.full(count, 6000, np.int32), np.full(count, 4000, np.int32)
    camera = (scene % 2).astype(np.int32)

    copy = np.flatnonzero(chance.random(count) < 0.05)[1:]
    phash[copy] = phash[copy - 1]
    width[copy], height[copy] = 3000, 2000
    taken[chance.random(count) < 0.1] = np.datetime64("NaT")
    taken[copy] = np.datetime64("NaT")
    phash[chance.random(count) < 0.02] = 0
    exposure = (0.004 * 2.0**-stops).astype(np.float32)
    ids = np.arange(1, count + 1)
    return StackColumns(ids, taken, camera, exposure, 10 + stops, width, height, phash)


def _scenes(chance: np.random.Generator, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return each photo's scene number and frame number; half the scenes have one or two photos."""
    sizes = np.minimum(chance.geometric(0.25, count), 40)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), count)) + 1]
    scene = np.repeat(np.arange(len(sizes)), sizes)[:count]
    start = np.cumsum(sizes) - sizes
    return scene, np.arange(count) - start[scene]


def _hashes(
    chance: np.random.Generator, scene: NDArray[np.intp], moved: float
) -> NDArray[np.uint64]:
    """Draw a perceptual hash for each scene, and flip a share of its bits in each photo."""
    hashes = chance.integers(0, 2, (scene.max() + 1, 128), np.uint8)[scene]
    hashes ^= (chance.random(hashes.shape, np.float32) < moved).astype(np.uint8)
    return np.packbits(hashes, axis=1).view(np.uint64)


def _measured(stack: NDArray[np.int64], kind: NDArray[np.int8]) -> Candidates:
    chance = np.random.default_rng(2)
    scores = chance.uniform(0, 100, (3, len(stack))).astype(np.float32)
    pixels = np.full(len(stack), 24_000_000)
    return Candidates(stack, kind, scores[0], scores[1], scores[2] / 10, pixels, pixels > 0)
