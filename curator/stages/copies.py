"""Copies: the same picture under other names, saved again, resized or lightly edited.

`stack` uses it. Copies have nearly the same perceptual hash and the same shape. If both have a
capture time, it must be the same moment, so that a series from a tripod is not taken for copies.
If both have the same hundredth of a second, they come from one exposure: then stronger edits are
recognized, too, and with an encoder also crops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curator.stages.stack_columns import (
    Likeness,
    Mask,
    Pairs,
    Rows,
    StackColumns,
    count_bits,
    differing_bits,
    has_subseconds,
)

BANDS = 8
"""Parts of 16 bits of a perceptual hash; copies agree in one of them."""
NEIGHBORS = 8
"""Neighbors of a photo in each band that are compared: keeps 10,000 similar photos linear."""
CROWD = 64
"""If more photos have one hash, they are a series from a tripod or documents, not copies."""

_SAME = 7  # bits of 128 a copy may differ by; 8 bands find every such pair
_RESAVED = 3  # bits, for files of the same size, camera and second
_EDITED = 24  # bits, for files with the same instant
_CROPPED = 40  # bits, for files with the same instant that an encoder finds similar
_SHAPE = 0.02  # relative difference of two aspects that rounding or a trimmed edge may cause
_UNLIKE, _AKIN = 0.3, 0.7  # similarity that all copies exceed, and that of one scene
_MOST = 32  # larger groups of copies are not believed
_ODD = np.uint64(0x9E3779B97F4A7C15)  # mixes two words into one (2^64 over the golden ratio)
_INSTANT = np.timedelta64(10, "ms")  # cameras and programs round


def originals(shots: StackColumns, likeness: Likeness | None, similar: Pairs | None = None) -> Rows:
    """Return for each row the row it is a copy of: the largest with a time, or itself.

    Args:
        shots: all photos.
        likeness: called once, for pairs that look the same.
        similar: the result of :func:`similar_pairs`, if it is known.
    """
    everyone = np.arange(len(shots.ids))
    a, b = _pairs(shots, [similar] if similar else similar_pairs(shots.phash))
    possible = _copies(shots, a, b, _CROPPED)
    a, b = a[possible], b[possible]
    agree = _copies(shots, a, b, _EDITED)
    if likeness is not None and a.size:
        alike = likeness(a, b)
        agree = (agree & ~(alike < _UNLIKE)) | (alike >= _AKIN)
    a, b = a[agree], b[agree]
    if not a.size:
        return everyone
    crowd = _components(len(everyone), a, b)
    crowd = np.where(np.bincount(crowd, minlength=len(everyone))[crowd] > _MOST, everyone, crowd)
    pixels = shots.width.astype(np.int64) * shots.height
    order = np.lexsort((shots.ids, -pixels, np.isnat(shots.taken_at), crowd))
    first = order[np.r_[True, crowd[order][1:] != crowd[order][:-1]]]
    best = np.empty(len(everyone), np.intp)
    best[crowd[first]] = first
    best = best[crowd]
    # Hashes may drift from copy to copy, so each photo must be a copy of the best itself.
    others = np.flatnonzero(best != everyone)
    stray = others[~_copies(shots, others, best[others], _CROPPED)]
    best[stray] = stray
    return best


def _pairs(shots: StackColumns, similar: list[Pairs]) -> Pairs:
    """Return pairs of rows worth comparing, each once: similar hashes, and the same instant."""
    count = len(shots.ids)
    a, b = _once(similar, count)
    if a.size:
        crowd = _components(count, a, b)
        few = np.bincount(crowd, minlength=count)[crowd[a]] <= CROWD
        a, b = a[few], b[few]
    return _once([(a, b), *_same_instant(shots)], count)


def _once(found: list[Pairs], count: int) -> Pairs:
    """Join lists of pairs, smaller row first, each pair once."""
    codes = [np.minimum(a, b) * count + np.maximum(a, b) for a, b in found]
    every = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.intp)
    return every // max(count, 1), every % max(count, 1)


def similar_pairs(phash: NDArray[np.uint64]) -> list[Pairs]:
    """Find pairs of hashes equal in one band, and similar elsewhere.

    Rows are sorted by :func:`band_key`, so that in a crowded band the most similar rows are
    neighbors. Hashes that more than ``CROWD`` photos share are left out.
    """
    rows = np.flatnonzero(phash.any(axis=1))
    _, where, times = np.unique(whole_key(phash[rows]), return_inverse=True, return_counts=True)
    rows = rows[times[where] <= CROWD]
    known, found = phash[rows], []
    for band in range(BANDS):
        key = band_key(known, band)
        order = np.argsort(key, kind="stable")
        bucket = key[order] >> np.uint64(48)
        for step in range(1, min(NEIGHBORS, len(rows) - 1) + 1):
            same = np.flatnonzero(bucket[step:] == bucket[:-step])
            if not same.size:
                break
            a, b = rows[order[same]], rows[order[same + step]]
            near = differing_bits(phash, a, b) <= _SAME
            found.append((a[near], b[near]))
    return found


def band_key(phash: NDArray[np.uint64], band: int) -> NDArray[np.uint64]:
    """Return what hashes (N, 2) are sorted by in a band: its bits, and those of the next three."""
    words = np.ascontiguousarray(phash).view(np.uint16)
    # In reverse, because the first of the four words is the highest.
    four = words[:, [(band + at) % BANDS for at in (3, 2, 1, 0)]]
    return np.ascontiguousarray(four).view(np.uint64)[:, 0]


def whole_key(phash: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a number for each hash (N, 2), equal for equal hashes."""
    return phash[:, 0] * _ODD + phash[:, 1]


def is_similar(one: NDArray[np.uint64], other: NDArray[np.uint64], band: int) -> Mask:
    """Return a mask of the pairs that are equal in a band, and similar elsewhere.

    Args:
        one: hashes (..., 2).
        other: hashes of the same shape.
        band: its number.
    """
    differ = one ^ other
    same = differ.view(np.uint16)[..., band] == 0
    same[same] = count_bits(differ[same]) <= _SAME
    return np.asarray(same)


def _same_instant(shots: StackColumns) -> list[Pairs]:
    """Find neighbors in time within an instant."""
    rows = np.flatnonzero(~np.isnat(shots.taken_at))
    rows = rows[np.lexsort((shots.ids[rows], shots.taken_at[rows]))]
    found = []
    for step in range(1, min(3, len(rows) - 1) + 1):
        a, b = rows[:-step], rows[step:]
        near = shots.taken_at[b] - shots.taken_at[a] <= _INSTANT
        found.append((a[near], b[near]))
    return found


def _copies(shots: StackColumns, a: Rows, b: Rows, edited: int) -> Mask:
    """Return a mask of the pairs that are one picture, by hash and by capture data.

    For pictures of the same instant, ``edited`` bits of difference are allowed.
    """
    bits = differing_bits(shots.phash, a, b)
    taken = shots.taken_at
    timed = ~(np.isnat(taken[a]) | np.isnat(taken[b]))
    exact = has_subseconds(taken[a]) & has_subseconds(taken[b])
    instant = exact & (np.abs(taken[a] - taken[b]) <= _INSTANT)
    moment = np.where(exact, instant, taken[a].astype("M8[s]") == taken[b].astype("M8[s]"))
    camera = shots.camera
    known = (camera[a] >= 0) & (camera[b] >= 0)
    same_camera = known & (camera[a] == camera[b])
    same_size = (shots.width[a] == shots.width[b]) & (shots.height[a] == shots.height[b])
    # These may be frames of a burst, taken within one second of a clock without sub-seconds.
    doubtful = same_camera & same_size & timed & ~exact
    near = (bits >= 0) & (bits <= np.where(doubtful, _RESAVED, _SAME)) & _same_shape(shots, a, b)
    near &= (~timed | moment) & (~known | same_camera)
    return near | (instant & same_camera & (bits >= 0) & (bits <= edited))


def _same_shape(shots: StackColumns, a: Rows, b: Rows) -> Mask:
    one = shots.width[a].astype(np.float64) * shots.height[b]
    other = shots.width[b].astype(np.float64) * shots.height[a]
    return (one > 0) & (other > 0) & (np.abs(one - other) <= _SHAPE * np.maximum(one, other))


def _components(count: int, a: Rows, b: Rows) -> Rows:
    """Return for each row the smallest row connected to it; each pass doubles its reach."""
    label = np.arange(count)
    while True:
        low = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[b], low)
        label = label[label]
        if np.array_equal(label, before):
            return label
