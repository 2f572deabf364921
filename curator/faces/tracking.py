"""Which faces of a stack's frames are one person: by place and size, and by looks where given.

`people` uses it. All stacks are worked on together, frame by frame, so that ten thousands of photos
take a fraction of a second. Where two people could be confused, both go on as new people: it is
better to compare nobody than to compare a person with somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.int64]
Boxes = NDArray[np.floating[Any]]
"""Left, top, width and height, then the looks if given; NaN for no face."""

_FARTHEST = 2.5  # a person moves by this many widths of their face from frame to frame, at most
_BY_SIZE = 2.0  # cost of a face e times as large, in widths of a face
_LEAST_MARGIN = 0.35  # with a smaller advantage over a mix-up, nobody knows who is who
_BY_LOOKS = 5.0  # cost of looks that have nothing in common, in widths of a face
_UNLIKE = 0.6  # looks that differ more are of two people
_IN_STEP = 0.4  # faces that moved alike, to within this many widths, show that the camera moved
_VOTERS, _LEADERS = 6, 3  # the largest faces that vote on a camera's move, and that propose one
_BANDS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96)  # faces in a frame; stacks in between are alike
_AT_ONCE = 1 << 20  # values worked on at a time, so that memory stays bounded
_PROPOSALS = 12  # faces to which each of those may have moved


def track(stack: Ids, frame: Ids, box: Floats, looks: Floats | None = None) -> Ids:
    """Return the number of each face's person; faces of one person have the same number.

    Args:
        stack: (N,) the stack of each face; people of different stacks are different.
        frame: (N,) the number of the face's photo in its stack, in the order of time.
        box: (N, 4) left, top, width and height, as fractions of the picture.
        looks: (N, D) unit vectors; the product of two is near 1 for faces that look alike.

    Returns:
        (N,) numbers from 0 up; a person appears once in a frame at most.
    """
    person = np.zeros(len(stack), np.int64)
    if not len(stack):
        return person
    order = np.lexsort((-box[:, 2], frame, stack))
    about = (box if looks is None else np.hstack([box, looks]))[order]
    # Frames as runs of faces, stacks as runs of frames; then the stack, the frame in it and the
    # position in that of each face.
    first_face, faces = _runs(stack[order], frame[order])
    first_frame, frames = _runs(stack[order][first_face])
    of_stack = np.repeat(np.repeat(np.arange(len(frames)), frames), faces)
    of_frame = np.repeat(np.arange(len(faces)) - np.repeat(first_frame, frames), faces)
    position = np.arange(len(order)) - np.repeat(first_face, faces)
    most = np.maximum.reduceat(faces, first_frame)
    count = 0
    for stacks in _parts(frames, most):
        row = np.full(len(frames), -1)
        row[stacks] = np.arange(len(stacks))
        here = np.flatnonzero(row[of_stack] >= 0)
        where = row[of_stack[here]], of_frame[here], position[here]
        shape = len(stacks), frames[stacks[0]], most[stacks].max(), about.shape[1]
        padded = np.full(shape, np.nan, np.float32)
        padded[where] = about[here]
        found = _track(padded, frames[stacks])[where]
        people = found.max() + 1
        person[order[here]] = count + where[0] * people + found
        count += len(stacks) * people
    return np.asarray(np.unique(person, return_inverse=True)[1], np.int64)


def _runs(*columns: Ids) -> tuple[Ids, Ids]:
    """Return where runs of equal rows begin, and their lengths."""
    begins = np.ones(len(columns[0]), bool)
    begins[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    first = np.flatnonzero(begins)
    return first, np.diff(np.append(first, len(begins)))


def _parts(frames: Ids, most: Ids) -> Iterator[Ids]:
    """Yield the stacks in parts of about the same size, which are padded and matched together.

    Args:
        frames: how many frames each stack has; in each part, the longest is first.
        most: how many faces its fullest frame has.
    """
    band = np.searchsorted(_BANDS, most)
    for number in np.unique(band):
        stacks = np.flatnonzero(band == number)
        stacks = stacks[np.argsort(-frames[stacks], kind="stable")]
        widest = int(most[stacks].max())
        values = len(stacks) * widest * max(widest, int(frames[stacks[0]]))
        yield from np.array_split(stacks, 1 + values // _AT_ONCE)


def _track(faces: Boxes, frames: Ids) -> Ids:
    """Number the people of stacks, (S, frames, faces); each stack counts from 0.

    Args:
        faces: (S, frames, faces, values), the longest stacks first.
        frames: (S,) how many frames each stack has.
    """
    found = np.full(faces.shape[:3], -1, np.int64)
    people = faces[:, 0].copy()  # as last seen
    there = ~np.isnan(people[..., 0])
    found[:, 0] = np.where(there, np.arange(faces.shape[2]), -1)
    count = there.sum(axis=1)
    for frame in range(1, faces.shape[1]):
        going = int((frames > frame).sum())
        now, known = faces[:going, frame], people[:going]
        if faces.shape[2] > 1:
            known[..., :2] += _camera_move(known, now)[:, None]
        costs = _costs(known, now)
        who, unsure = _assign(costs)
        stacks, numbers = np.nonzero(unsure >= 0)
        known[stacks, unsure[stacks, numbers]] = np.nan
        fresh = (who < 0) & ~np.isnan(now[..., 0])
        who = np.where(fresh, count[:going, None] + np.cumsum(fresh, axis=1) - 1, who)
        count[:going] += fresh.sum(axis=1)
        more = int(count.max()) - people.shape[1]
        if more > 0:
            space = np.full((len(people), more, people.shape[2]), np.nan, np.float32)
            people = np.concatenate([people, space], axis=1)
        stacks, numbers = np.nonzero(who >= 0)
        people[stacks, who[stacks, numbers]] = now[stacks, numbers]
        found[:going, frame] = who
    return found


def _centers(faces: Boxes) -> Boxes:
    centers: Boxes = faces[..., :2] + faces[..., 2:4] / 2
    return centers


def _camera_move(people: Boxes, faces: Boxes) -> Boxes:
    """Return how far everybody moved because the camera did, (S, 2) fractions; 0 without a sign.

    The move that the most faces agree on, two at least; of several such moves the shortest.
    """
    by_size = np.argsort(-people[..., 2], axis=1)[:, :_VOTERS]  # NaN last
    voters = np.take_along_axis(people, by_size[..., None], axis=1)
    size = voters[:, :, None, 2:4]
    moves = _centers(faces)[:, None] - _centers(voters)[:, :, None]
    moves[np.abs(np.log(faces[:, None, :, 2] / size[..., 0])) > _IN_STEP] = np.nan  # not alike
    move = np.zeros((len(people), 2), np.float32)
    votes = _votes(moves[:, None], size)[:, 0]
    unsure = np.flatnonzero(votes < (~np.isnan(voters[..., 0])).sum(axis=1))
    if not unsure.size:
        return move
    moves, size = moves[unsure], size[unsure]
    proposed = moves[:, :_LEADERS, :_PROPOSALS].reshape(len(unsure), -1, 2)
    agreed = _votes(moves[:, None] - proposed[:, :, None, None], size)
    rank = agreed - np.nan_to_num(np.abs(proposed).sum(axis=2)) / 4
    best = rank.argmax(axis=1)
    every = np.arange(len(unsure))
    better = (agreed[every, best] > 1) & (rank[every, best] > votes[unsure])
    move[unsure[better]] = proposed[every, best][better]
    return move


def _votes(moves: Boxes, size: Boxes) -> Ids:
    """Count the people who have a face where they are expected, (S, M).

    Args:
        moves: (S, M, people, faces, 2) how far each face is from there; NaN for other faces.
        size: (S, people, 1, 2) width and height of the people's faces.
    """
    x, y = moves[..., 0] / size[:, None, ..., 0], moves[..., 1] / size[:, None, ..., 1]
    near: Ids = (x * x + y * y < _IN_STEP**2).any(axis=3).sum(axis=2)
    return near


def _costs(people: Boxes, faces: Boxes) -> Floats:
    """Return what speaks against each face being each person, (S, people, faces); inf for no."""
    size = people[:, :, None, 2:4]
    apart = (_centers(faces)[:, None] - _centers(people)[:, :, None]) / size
    cost = np.hypot(apart[..., 0], apart[..., 1])
    cost += _BY_SIZE * np.abs(np.log(faces[:, None, :, 2] / size[..., 0]))
    if people.shape[2] == 4:
        return np.where(cost < _FARTHEST, cost, np.inf)
    unlike = 1 - np.einsum("spd,sfd->spf", people[..., 4:], faces[..., 4:])
    return np.where((cost < 2 * _FARTHEST) & (unlike < _UNLIKE), cost + _BY_LOOKS * unlike, np.inf)


def _assign(costs: Floats) -> tuple[Ids, Ids]:
    """Assign people to faces, the cheapest pair first.

    Returns:
        (S, faces) the person of each face, -1 for none; and those who could be somebody else.
    """
    stacks, people, faces = costs.shape
    who = np.full((stacks, faces), -1, np.int64)
    left, every = costs.copy(), np.arange(stacks)
    for _ in range(min(people, faces)):
        person, face = np.divmod(left.reshape(stacks, -1).argmin(axis=1), faces)
        rows = np.flatnonzero(np.isfinite(left[every, person, face]))
        if not rows.size:
            break
        person, face = person[rows], face[rows]
        who[rows, face] = person
        left[rows, person], left[rows, :, face] = np.inf, np.inf
    unsure = np.where(_margins(costs, who) < _LEAST_MARGIN, who, -1)
    return np.where(unsure >= 0, -1, who), unsure


def _margins(costs: Floats, who: Ids) -> Floats:
    """Return by how much the cheapest mix-up of each assigned face costs more, (S, faces).

    Args:
        costs: (S, people, faces).
        who: (S, faces) the assigned people, -1 for none.
    """
    taken = who >= 0
    # The cost of each face for the person of each face; its diagonal is what was paid.
    mixed = np.take_along_axis(costs, np.maximum(who, 0)[:, :, None], axis=1)
    mixed = np.where(taken[:, :, None], mixed, np.inf)
    paid = np.where(taken, np.diagonal(mixed, axis1=1, axis2=2), 0.0)
    # Two people change places, or a person goes to a face that nobody has.
    swap = mixed + np.where(taken[:, None], np.swapaxes(mixed, 1, 2), 0.0) - paid[:, None]
    own = np.arange(who.shape[1])
    swap[:, own, own] = np.inf
    # Somebody who is not in this frame takes the face.
    absent = np.ones(costs.shape[:2], bool)
    rows, faces = np.nonzero(taken)
    absent[rows, who[rows, faces]] = False
    instead = np.where(absent[:, :, None], costs, np.inf).min(axis=1)
    return np.where(taken, np.minimum(swap.min(axis=2), instead) - paid, np.inf)
