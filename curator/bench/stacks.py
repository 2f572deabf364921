"""The bar for stacks: stack 100,000 photos, and how the time grows with their number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from curator.bench.figures import Figure, Reference, Workspace, timed
from curator.faces.people import FaceColumns, compare
from curator.stages.stack import Candidates, group, propose
from curator.stages.stack_columns import StackColumns

_PHOTOS = 100_000
_LARGER = 10
_WITH_FACES = 30_000  # stacked photos
_START = np.datetime64("2015-01-01T08:00:00", "us")
_SECOND = 1_000_000  # us


def stacks(workspace: Workspace) -> list[Figure]:
    """Stack photos, compare the people in stacks, and suggest the best of each stack."""
    small, large = draw(_PHOTOS // _LARGER), draw(_PHOTOS)
    group(small)
    fewer = min(timed(lambda: group(small)) for _ in range(5))
    more, sort = _paired(lambda: group(large), lambda: _sorted(large))
    found = group(large)
    frames = _measured(found.stack, found.kind)
    best, least = _paired(
        lambda: propose(frames), lambda: np.lexsort((frames.sharpness, frames.stack))
    )
    photo, faces = _faces(found.stack)
    people, ordered = _paired(
        lambda: compare(faces, photo, found.stack), lambda: np.lexsort((faces.size_px, photo))
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
        Figure(
            f"comparing the people in {_WITH_FACES:,} stacked photos",
            1000 * people,
            "ms",
            500.0,
            Reference("numpy sorting the faces", 1000 * ordered),
            note=f"{len(photo):,} faces",
        ),
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


def _faces(stack: NDArray[np.int64]) -> tuple[NDArray[np.int64], FaceColumns]:
    """Draw one to four people in a row for each stack, seen by a camera that pans a little.

    Returns:
        The photo of each face, and the faces.
    """
    chance = np.random.default_rng(3)
    photos = np.flatnonzero(stack)[:_WITH_FACES]
    people = 1 + stack[photos] % 4
    photo = np.repeat(photos, people)
    number = np.arange(len(photo)) - np.repeat(np.cumsum(people) - people, people)
    width = 0.06 + 0.01 * number
    panned = chance.normal(0.0, 0.02, (len(stack), 2))[photo]
    moved = chance.normal(0.0, 0.005, (len(photo), 2))
    left, top = (panned + moved).T + np.stack([0.1 + 0.2 * number, 0.3 + 0.02 * number])
    blink = chance.random(len(photo)) ** 3
    sharpness = chance.uniform(20, 80, len(photo))
    box = np.stack([left, top, width, 1.5 * width], axis=1)
    return photo, FaceColumns(
        stack[photo], photo, box, 6000 * width, blink, blink > 0.36, sharpness
    )


def _measured(stack: NDArray[np.int64], kind: NDArray[np.int8]) -> Candidates:
    chance = np.random.default_rng(2)
    scores = chance.uniform(0, 100, (3, len(stack))).astype(np.float32)
    pixels = np.full(len(stack), 24_000_000)
    return Candidates(stack, kind, scores[0], scores[1], scores[2] / 10, pixels, pixels > 0)
