"""Match people over the frames of a stack by the place and size of their faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curator.model import Face

_FAR = 1.2  # widths of a face that a person moves between two frames at most
_SOFT = 0.7  # of the person's sharpest eyes


def match(frames: Sequence[Sequence[Face]]) -> list[list[int | None]]:
    """Return for each person the place of their face in each frame, or None.

    Args:
        frames: the faces of each frame, largest first, in the order of capture.
    """
    people: list[list[int | None]] = []
    latest: list[Face] = []
    for number, faces in enumerate(frames):
        pairs = sorted(
            (_distance(latest[person], face), person, place)
            for person in range(len(people))
            for place, face in enumerate(faces)
        )
        taken: set[int] = set()
        for distance, person, place in pairs:
            if distance > _FAR or place in taken or len(people[person]) > number:
                continue
            taken.add(place)
            people[person].append(place)
            latest[person] = faces[place]
        for places in people:
            places += [None] * (number + 1 - len(places))
        for place, face in enumerate(faces):
            if place not in taken:
                people.append([None] * number + [place])
                latest.append(face)
    return people


def soft(faces: Sequence[Face]) -> list[bool]:
    """Whether the eyes of one person are much softer in a frame than in their sharpest."""
    values = [face.eye_sharpness for face in faces]
    best = max((value for value in values if value is not None), default=0.0)
    return [value is not None and value < _SOFT * best for value in values]


def _distance(one: Face, other: Face) -> float:
    """Return the distance of two faces in widths, plus how much they differ in size."""
    (x, y, width, height), (u, v, wide, high) = one.box, other.box
    apart = np.hypot(
        (x + width / 2 - u - wide / 2) / width, (y + height / 2 - v - high / 2) / height
    )
    return float(apart + abs(np.log(wide / width)))
