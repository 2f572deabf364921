"""Bursts and brackets: frames of one scene, taken by one camera shortly after each other.

`stack` uses it. How short the gaps must be depends on how similar the pictures are, and on the
rhythm: a burst has a pause before and after it. An endless series, such as that of an interval
timer, is no burst. The limits were measured on real frames in `tests/unit/stages/test_stack.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from curator.stages.stack_columns import (
    Likeness,
    Mask,
    Rows,
    StackColumns,
    differing_bits,
    has_subseconds,
)

# Bits of 128 by which two perceptual hashes differ, and the longest gap in s between such frames. A
# camera turned by 5 % of the picture gives 26 bits (95 of 100: at most 41), by 10 % gives 47.
# Different subjects differ by 62 bits, and by 40 or less once in 300 times.
_REACH = ((16, 8.0), (32, 3.0), (40, 1.0), (48, 0.35))
_BLIND_REACH_S = 1.0  # for pictures without a hash yet
_DIFFERENT = _REACH[-1][0]
_AKIN, _AKIN_REACH_S = 0.7, 3.0  # similarity of one scene when the camera was turned further
_UNLIKE = 0.3  # similarity of different scenes; 2 of 100 such pairs reach it
_OTHER_LIGHT = 1.0  # stops between the settings of neighbors: another attempt, not a burst
_SHAPE = 0.05  # relative difference of edges within which frames differ by a RAW's border only
_LONGEST_S = 40.0  # the longest burst; a focus stack stepped by hand took 32
_FASTEST = 60  # frames per second; more means a clock that stands still
_APART = 2.0  # the pause around a burst is at least this many times its longest gap
_LULL = 4.0  # a gap in a burst is at most this many times the usual gap
_CALM_S = 1.0  # shorter gaps never split a burst: many clocks record whole seconds
_SLOW_S = 0.5  # from this usual gap on, frames were taken singly and must resemble the first
_ROUNDS = 24
LONGEST_EXPOSURE_S = 60.0
"""Longer exposures count as this: a wrong header must not reach over the whole library."""

_BRACKET_GAP_S = 4.0  # from the end of one exposure to the start of the next
_BRACKET_STEP = (0.6, 3.4)  # stops
_BRACKET_UNEVEN = 0.5  # stops between the smallest and the largest step
_BRACKETS = range(9, 2, -1)  # frames


def reach_s(exposure_s: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return for each photo how long after its time, in s, the next may be of the same series.

    A frame that comes later decides nothing either, about the series or the pause around it.
    """
    exposure = np.clip(np.nan_to_num(exposure_s), 0, LONGEST_EXPOSURE_S).astype(np.float64)
    return np.maximum(_BRACKET_GAP_S + exposure, _APART * _REACH[0][1] + _CALM_S)


@dataclass(frozen=True, slots=True)
class Series:
    """Runs of frames that belong together: ``start`` and ``stop`` index ``rows``, in time order.

    ``bracket`` is a mask of the runs that are brackets; the others are bursts.
    """

    rows: Rows
    start: Rows
    stop: Rows
    bracket: Mask


@dataclass(frozen=True, slots=True)
class _Line:
    """Photos by camera and time; columns about neighbors have one entry less.

    ``time`` is in s; ``idle`` is the time between two frames in s, less the exposure of the first;
    ``gap`` is the same, but at most ``_CALM_S`` is subtracted. ``bits`` is as
    :func:`differing_bits`, ``stops`` the change of exposure value, ``alike`` the similarity by an
    encoder. ``same`` marks neighbors of the same camera and shape, not at the same instant.
    """

    shots: StackColumns
    rows: Rows
    time: NDArray[np.float64]
    gap: NDArray[np.float64]
    idle: NDArray[np.float64]
    same: Mask
    bits: NDArray[np.int16]
    stops: NDArray[np.float32]
    alike: NDArray[np.float32]


def series(shots: StackColumns, rows: Rows, likeness: Likeness | None) -> Series:
    """Find brackets, and bursts among the rest.

    Args:
        shots: all photos.
        rows: those that may be part of a series; photos without time or camera are left out.
        likeness: called once, for neighbors in time.
    """
    rows = rows[~np.isnat(shots.taken_at[rows]) & (shots.camera[rows] >= 0)]
    rows = rows[np.lexsort((shots.ids[rows], shots.taken_at[rows], shots.camera[rows]))]
    if len(rows) < 2:
        none = np.zeros(0, np.intp)
        return Series(rows, none, none, np.zeros(0, bool))
    line = _line(shots, rows, likeness)
    brackets = _brackets(line)
    taken = np.zeros(len(rows), bool)
    for start, stop in brackets:
        taken[start:stop] = True
    starts, stops = _bursts(line, taken)
    both = np.concatenate([np.array(brackets, np.intp).reshape(-1, 2), np.c_[starts, stops]])
    return Series(rows, both[:, 0], both[:, 1], np.arange(len(both)) < len(brackets))


def _line(shots: StackColumns, rows: Rows, likeness: Likeness | None) -> _Line:
    a, b = rows[:-1], rows[1:]
    time = shots.taken_at[rows].astype("M8[us]").astype(np.int64) / 1e6
    between = np.diff(time)
    exposure = np.minimum(np.nan_to_num(shots.exposure_s[a]), LONGEST_EXPOSURE_S)
    idle = np.maximum(between - exposure, 0)
    gap = np.maximum(between - np.minimum(exposure, _CALM_S), 0)
    same = shots.camera[a] == shots.camera[b]
    for edge in (shots.width, shots.height):
        long = np.maximum(edge[a], edge[b])
        same &= (np.abs(edge[a] - edge[b]) <= _SHAPE * long) | (edge[a] == 0) | (edge[b] == 0)
    bits = differing_bits(shots.phash, a, b)
    # The same millisecond means a copy of one exposure, or two cameras of one model.
    same &= ~((between == 0) & has_subseconds(shots.taken_at[a]))
    stops = np.diff(shots.ev[rows])
    alike = np.full(len(a), np.nan, np.float32)
    asked = np.flatnonzero(same & (np.minimum(idle, gap) <= _REACH[0][1]) & (bits <= _DIFFERENT))
    if likeness is not None and asked.size:
        alike[asked] = likeness(a[asked], b[asked])
    return _Line(shots, rows, time, gap, idle, same, bits, stops, alike)


# --- brackets


def _brackets(line: _Line) -> list[tuple[int, int]]:
    """Find runs whose settings step evenly: upwards, downwards, or outwards from the middle."""
    linked = line.same & (line.idle <= _BRACKET_GAP_S) & (line.bits <= _DIFFERENT)
    linked &= ~(line.alike < _UNLIKE) & (np.abs(line.stops) >= _BRACKET_STEP[0])
    ev = line.shots.ev[line.rows]
    before = np.r_[0, np.cumsum(linked)]
    found: list[tuple[int, int]] = []
    taken = np.zeros(len(ev), bool)
    for size in _BRACKETS:
        starts = np.arange(len(ev) - size + 1)
        starts = starts[before[starts + size - 1] - before[starts] == size - 1]
        if not starts.size:
            continue
        settings = sliding_window_view(ev, size)[starts]
        for start in starts[_stepped(settings)].tolist():
            if not taken[start : start + size].any():
                taken[start : start + size] = True
                found.append((start, start + size))
    return found


def _stepped(settings: NDArray[np.float32]) -> Mask:
    """Return a mask of the rows of exposure values (K, size) that are brackets."""
    size = settings.shape[1]
    steps = np.diff(np.sort(settings, axis=1), axis=1)
    least, most = steps.min(axis=1), steps.max(axis=1)
    even = (least >= _BRACKET_STEP[0]) & (most <= _BRACKET_STEP[1])
    even &= most - least <= _BRACKET_UNEVEN
    rank = settings.argsort(axis=1).argsort(axis=1)
    way = np.diff(rank, axis=1)
    outwards = np.abs(rank - size // 2) == (np.arange(size) + 1) // 2
    regular = (way == 1).all(axis=1) | (way == -1).all(axis=1) | outwards.all(axis=1)
    return even & regular


# --- bursts


def _bursts(line: _Line, taken: Mask) -> tuple[Rows, Rows]:
    """Find bursts; ``taken`` is a mask of rows that are part of a bracket already."""
    reach = np.full(len(line.gap), -1.0)
    for bits, seconds in reversed(_REACH):
        reach[line.bits <= bits] = seconds
    reach[line.alike >= _AKIN] = np.maximum(reach, _AKIN_REACH_S)[line.alike >= _AKIN]
    reach[line.bits < 0] = _BLIND_REACH_S
    able = line.same & (reach > 0) & ~(line.alike < _UNLIKE)
    able &= ~(np.abs(line.stops) > _OTHER_LIGHT) & ~taken[1:] & ~taken[:-1]
    link = able & (line.gap <= reach)
    late = able & ~link  # links that only their gap breaks: then the rhythm around counts
    for _ in range(_ROUNDS):
        unsteady = _thin_out(line, link, late)
        if not unsteady.size:
            break
    else:
        link[unsteady] = False  # no rhythm was found, so this is no burst
    starts = np.flatnonzero(link & ~np.r_[False, link[:-1]])
    stops = np.flatnonzero(link & ~np.r_[link[1:], False]) + 2
    return starts, stops


def _thin_out(line: _Line, link: Mask, late: Mask) -> Rows:
    """Cut links that break a burst's rhythm or leave its scene; return all links of such bursts."""
    inside = np.flatnonzero(link)
    if not inside.size:
        return inside
    opens = np.r_[True, np.diff(inside) > 1]
    run = np.cumsum(opens) - 1
    at = np.flatnonzero(opens)
    first, count = inside[at], np.diff(np.r_[at, len(inside)])
    last = first + count  # of the photos in the run, `first` is the first
    gap = line.gap[inside]
    longest = np.maximum.reduceat(gap, at)
    usual = gap[np.lexsort((gap, run))][at + (count - 1) // 2]
    none = np.array([np.inf])
    around = np.r_[np.where(late, line.gap, np.inf), none, none]
    pause = np.minimum(around[first - 1], around[last])  # infinite before the first, after the last
    limit = np.maximum(_CALM_S, _LULL * usual)
    limit = np.where(pause < _APART * longest, np.minimum(limit, pause / _APART), limit)
    length = line.time[last] - line.time[first]
    limit = np.where(length > _LONGEST_S, np.minimum(limit, longest / 2), limit)
    limit[count >= _FASTEST * (length + 1)] = -1.0
    cut = gap > limit[run]
    link[inside[cut]] = False
    late[inside[cut]] = True

    slow = (usual > _SLOW_S)[run]
    rows = line.rows
    bits = differing_bits(line.shots.phash, rows[first[run[slow]]], rows[inside[slow] + 1])
    strayed, runs = inside[slow][bits > _DIFFERENT], run[slow][bits > _DIFFERENT]
    strayed = strayed[np.r_[True, np.diff(runs) > 0]] if strayed.size else strayed
    link[strayed] = False
    changed = np.zeros(len(at), bool)
    changed[run[cut]] = True
    changed[runs] = True
    return inside[changed[run]]
