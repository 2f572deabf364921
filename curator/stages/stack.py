"""Stack: photos shown as one, because of a burst, a bracket or copies of one picture.

The pipeline and the session use it. It works on all photos together, columns in, columns out, so
it is no line of STAGES. `group` finds the photos that belong together (`copies`, `bursts`),
`propose` suggests the best frame of each stack, and `reason` explains that in words. A suggestion
must never decide anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.faces.people import FrameEyes
from curator.model import STACK_KINDS, StackKind, counted
from curator.stages.bursts import series
from curator.stages.copies import originals
from curator.stages.stack_columns import (
    Likeness,
    Mask,
    Pairs,
    Rows,
    StackColumns,
    reliable_times,
)

Ids = NDArray[np.int64]
Codes = NDArray[np.int8]
Floats = NDArray[np.floating[Any]]

# A stack's kind as a number, for columns.
KIND_CODE: dict[StackKind | None, int] = {kind: code for code, kind in enumerate(STACK_KINDS)}

_AS_SHARP = 4.0  # points of sharpness too small to see
_EYES_AS_SHARP = 5.0  # points of eye sharpness too small to see
_SOFT_EYES = 20.0  # below, eyes are soft; a blur of 1.5 px scores 8 to 18
_SPOILED = 50.0  # points of exposure below the best that open eyes do not make up for
_NOTABLE_STOPS = 0.5  # a difference in light worth mentioning
_SMALLER = 0.9  # frames with fewer pixels than this share of the largest do not compete


@dataclass(frozen=True, slots=True)
class Stacks:
    """The stack of each photo: the smallest id in it, 0 for none; ``kind`` by KIND_CODE."""

    stack: Ids
    kind: Codes


def group(
    shots: StackColumns, likeness: Likeness | None = None, similar: Pairs | None = None
) -> Stacks:
    """Group photos that belong together.

    Of each set of copies, one photo takes part in brackets and bursts, and the others follow it.
    A stack that holds only copies of one picture is a duplicate; any other is a bracket or burst.

    Args:
        shots: all photos that may be stacked, in any order.
        likeness: similarity of pictures by an encoder; called once for pairs that look the same
            and once for neighbors in time. Dissimilar pairs are never joined.
        similar: pairs of rows with similar hashes, found among more photos than ``shots``; None:
            they are looked for here.

    Returns:
        Stacks in the rows of ``shots``.

    Thread: any; linear, nearly all of it in numpy.
    """
    count = len(shots.ids)
    shots = replace(shots, taken_at=reliable_times(shots.taken_at))
    original = originals(shots, likeness, similar)
    found = series(shots, np.flatnonzero(original == np.arange(count)), likeness)
    # The stack of each row is the row its series begins with, or else the original's.
    leader = np.arange(count)
    kind = np.full(count, KIND_CODE[StackKind.DUPLICATE], np.int8)
    length = found.stop - found.start
    run = np.repeat(np.arange(len(length)), length)
    number = np.arange(len(run)) - np.repeat(np.cumsum(length) - length, length)
    frames = found.rows[found.start[run] + number]
    leader[frames] = found.rows[found.start[run]]
    codes = KIND_CODE[StackKind.BURST], KIND_CODE[StackKind.BRACKET]
    kind[frames] = np.where(found.bracket[run], codes[1], codes[0])
    leader, kind = leader[original], kind[original]
    alone = np.bincount(leader, minlength=count)[leader] < 2
    smallest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(smallest, leader, shots.ids)
    return Stacks(np.where(alone, 0, smallest[leader]), np.where(alone, 0, kind).astype(np.int8))


# --- which frame of a stack


@dataclass(frozen=True, slots=True)
class Candidates:
    """The columns for suggesting the best frame, one entry per photo (N,).

    Attributes:
        stack: the stack of each photo, as the person sees it; 0 for none.
        kind: by KIND_CODE, as grouped automatically; 0 for none.
        sharpness: 0-100, NaN not measured.
        exposure: 0-100, 100 nothing clipped; NaN not measured.
        light: mean light in stops (any zero point), NaN unknown.
        pixels: width x height, 0 unknown.
        able: whether a frame may be suggested: it is read, undamaged and not rejected.
        eyes: of the people in each frame; None if no faces are measured.
    """

    stack: Ids
    kind: Codes
    sharpness: NDArray[np.float32]
    exposure: NDArray[np.float32]
    light: NDArray[np.float32]
    pixels: Ids
    able: Mask
    eyes: FrameEyes | None = None


def propose(frames: Candidates) -> Mask:
    """Mark one frame of each stack: the sharpest of a burst, the largest of duplicates.

    If a burst shows people, the frames with the most open eyes compete, of these the ones with the
    fewest closed eyes, and of these the ones with the sharpest eyes. A frame whose exposure is
    spoiled does not compete with them.

    Among frames whose difference in sharpness nobody sees, the best exposed is taken, then the
    sharpest, then the first. Nothing is suggested for a stack with a frame of a bracket, nor while
    a frame that may be suggested is not measured yet, because a suggestion must not jump about.

    Returns:
        (N,) bool.
    """
    rows = np.flatnonzero(frames.stack > 0)
    proposed = np.zeros(len(frames.stack), bool)
    if not rows.size:
        return proposed
    names, where = np.unique(frames.stack[rows], return_inverse=True)
    kind, able = frames.kind[rows], frames.able[rows]
    unknown = able & np.isnan(frames.sharpness[rows])
    barred = np.zeros(len(names), bool)
    barred[where[unknown | (kind == KIND_CODE[StackKind.BRACKET])]] = True
    barred |= np.bincount(where, minlength=len(names)) < 2
    able = able & ~barred[where]
    rows, where = rows[able], where[able]
    copies = np.ones(len(names), bool)
    copies[where[frames.kind[rows] != KIND_CODE[StackKind.DUPLICATE]]] = False

    pixels = frames.pixels[rows]
    largest = np.zeros(len(names), np.int64)
    np.maximum.at(largest, where, pixels)
    share = np.where(copies[where], 1.0, _SMALLER)
    fair = pixels >= share * largest[where]
    rows, where = rows[fair], where[fair]
    if frames.eyes is not None:
        decide = (frames.eyes.people[rows] > 0) & ~copies[where]
        for value, slack in _criteria(frames, frames.eyes):
            near = _near_best(np.where(decide, value[rows], 0.0), where, slack)
            rows, where, decide = rows[near], where[near], decide[near]
    sharp = _near_best(frames.sharpness[rows], where, _AS_SHARP)
    rows, where = rows[sharp], where[sharp]
    sharpness, exposure = frames.sharpness[rows], np.nan_to_num(frames.exposure[rows])
    order = np.lexsort((rows, -sharpness, -exposure, where))
    first = np.r_[True, where[order][1:] != where[order][:-1]] if order.size else order
    proposed[rows[order[first]]] = True
    return proposed


def _criteria(frames: Candidates, eyes: FrameEyes) -> list[tuple[Floats, float]]:
    """Return what frames with people compete by, and how far behind the best a frame may be."""
    return [
        (np.nan_to_num(frames.exposure), _SPOILED),
        (eyes.open, 0.0),
        (-eyes.closed, 0.0),
        (-np.nan_to_num(eyes.softer, nan=np.inf), _EYES_AS_SHARP),
    ]


def _near_best(value: Floats, where: NDArray[np.intp], slack: float) -> Mask:
    """Mark the values that are at most ``slack`` below the best of their stack, (N,)."""
    best = np.full(int(where.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(best, where, value)
    near: Mask = value >= best[where] - slack
    return near


def reason(frames: Candidates, row: int) -> str:
    """Return in words why a frame is suggested: ``sharpest of 6``.

    Args:
        frames: the columns given to :func:`propose`.
        row: a row that it marked.
    """
    rows = np.flatnonzero(frames.stack == frames.stack[row])
    count = len(rows)
    others = rows[rows != row]
    rivals = others[frames.able[others]]
    if np.all(frames.kind[rows] == KIND_CODE[StackKind.DUPLICATE]) and (
        frames.pixels[row] > frames.pixels[others].max(initial=0)
    ):
        return f"largest of {count}"
    rivals = rivals[frames.pixels[rivals] >= _SMALLER * frames.pixels[row]]
    words = _eyes_words(frames, row, others, rivals) if frames.eyes is not None else ""
    words = words or _sharpness_words(frames, row, rivals, f"of {count}")
    return words + _light_words(frames, row, others)


def _sharpness_words(frames: Candidates, row: int, rivals: Rows, among: str) -> str:
    if frames.sharpness[row] >= frames.sharpness[rivals].max(initial=-np.inf):
        return f"sharpest {among}"
    return f"as sharp as any {among}, and better exposed"


def _eyes_words(frames: Candidates, row: int, others: Rows, rivals: Rows) -> str:
    """Return what speaks for a frame by the eyes in it; empty if they say nothing."""
    eyes = frames.eyes
    assert eyes is not None
    if not eyes.people[row]:
        return ""

    def alike(rows: Rows) -> Rows:
        same = (eyes.open[rows] == eyes.open[row]) & (eyes.closed[rows] == eyes.closed[row])
        return rows[same]

    count, such = len(others) + 1, len(alike(others)) + 1
    words = _open_words(eyes, row, others, such)
    if such == 1:
        return words
    among = f"of {such}"
    if words and such < count:
        words, among = f"{words}, as in {counted(such - 1, 'other frame')}", "of these"
    same = alike(rivals)
    if np.isnan(eyes.softer[row]) or not eyes.open[row]:
        sharp = _sharpness_words(frames, row, same, among)
    elif such == count and max(eyes.sharpness[row], *eyes.sharpness[others]) < _SOFT_EYES:
        sharp = "soft eyes in every frame, sharpest here"
    elif eyes.softer[row] <= np.nanmin(eyes.softer[same], initial=np.inf):
        sharp = f"sharpest eyes {among}"
    else:
        sharper = same[eyes.softer[same] < eyes.softer[row]]
        exposed = frames.exposure[row] > np.nan_to_num(frames.exposure[sharper]).max()
        sharp = f"eyes as sharp as any {among}{', and better exposed' if exposed else ''}"
    return f"{words}; {sharp}" if words else sharp


def _open_words(eyes: FrameEyes, row: int, others: Rows, such: int) -> str:
    """Return whose eyes are open in a frame, given how many frames are alike in this."""
    people, opened, closed = (int(each[row]) for each in (eyes.people, eyes.open, eyes.closed))
    if opened == people:
        whose = "open eyes" if people == 1 else "everyone's eyes open"
        only = f"the only frame of {len(others) + 1} with {whose}"
        return only if such == 1 else "eyes open" if people == 1 else whose
    if closed and eyes.closed[others].all():
        if not opened:
            return "eyes closed in every frame" if people == 1 else "no open eyes in any frame"
        return f"someone blinks in every frame; eyes open in {opened} of {people} faces"
    if opened:
        none = "" if closed else ", none closed"
        return f"eyes open in {opened} of {people} faces{none}"
    return "no closed eyes" if eyes.closed[others].any() else ""


def _light_words(frames: Candidates, row: int, others: NDArray[np.intp]) -> str:
    light = frames.light[others]
    light = light[~np.isnan(light)]
    if not light.size or np.isnan(frames.light[row]):
        return ""
    stops = float(frames.light[row] - np.median(light))
    if abs(stops) < _NOTABLE_STOPS:
        return ""
    than = "its neighbor" if len(others) == 1 else "its neighbors"
    return f"; {abs(stops):.1f} stops {'brighter' if stops > 0 else 'darker'} than {than}"
