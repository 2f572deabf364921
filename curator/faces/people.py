"""The people in a stack: whose face is whose over its frames, and in which frames a face is best.

The stack index finds the suggested best frame with it, the face table its columns. A person is
compared with themselves first, because narrow or laughing eyes are not closed; nobody is compared
between stacks, and whose face is whose is never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.faces import judging
from curator.faces.tracking import Floats, Ids, track
from curator.model import Eye, Face

Mask = NDArray[np.bool_]

VERSION = 1  # of :func:`compare`; grows when its results change, so that stored ones are dropped
# Blinks of 258 faces with closed eyes are 0.43 to 0.82 (5 to 95 %), of 579 with open eyes 0.02 to
# 0.35; of those that smile 1 % are above 0.48.
_ENOUGH = 3  # frames from which a person's eyes are judged against their own
_SHUT = 0.3  # eyes that are shut by so much more than where they are most open are closed
_HARDLY = 0.15  # eyes that are shut by less than this more are as open as ever
_NEVER_OPEN = 0.55  # a person whose eyes are shut this far in all frames has them closed
_MAIN = 0.4  # smaller faces, as a share of the largest person's, are in the background
_JUDGEABLE_PX = 48  # eyes of smaller faces are measured too unreliably to choose a frame by
_OFTEN = 3  # who is in less than one in so many frames does not decide
_CELLS = 8  # a look is the mean color of this many rows and columns


@dataclass(frozen=True, slots=True)
class FaceColumns:
    """The faces of the frames of stacks, one entry per face, (N,).

    Attributes:
        stack: the stack of the face's photo; numbers above 0.
        frame: the number of the photo in its stack, in the order of time.
        box: (N, 4) left, top, width and height as fractions of the picture.
        size_px: width in px of the original.
        blink: how far the eye is shut that is shut further, 0-1; NaN if neither can be judged.
        closed: whether an eye is closed, judged by this face alone.
        sharpness: of the eyes, 0-100; NaN not measured.
    """

    stack: Ids
    frame: Ids
    box: Floats
    size_px: Floats
    blink: Floats
    closed: Mask
    sharpness: Floats


def columns(frames: Sequence[Sequence[Face | None]]) -> FaceColumns:
    """Return the faces of one stack as columns; None is left out."""
    found = [(at, face) for at, faces in enumerate(frames) for face in faces if face is not None]
    faces = [face for _, face in found]
    return FaceColumns(
        stack=np.ones(len(found), np.int64),
        frame=np.array([at for at, _ in found], np.int64),
        box=np.array([face.box for face in faces], np.float64).reshape(-1, 4),
        size_px=np.array([face.size_px for face in faces], np.float64),
        blink=np.array([_blink(face) for face in faces], np.float64),
        closed=np.array([face.eyes is Eye.CLOSED for face in faces], bool),
        sharpness=np.array([face.eye_sharpness for face in faces], np.float64),
    )


def _blink(face: Face) -> float:
    eyes = (face.left, face.left_blink), (face.right, face.right_blink)
    known = [blink for eye, blink in eyes if eye is not Eye.UNKNOWN and blink is not None]
    return max(known, default=np.nan)


# --- whose face is whose


def match(
    frames: Sequence[Sequence[Face]], looks: Sequence[Sequence[Floats]] | None = None
) -> list[list[int | None]]:
    """Match the people of a stack over its frames, by place and size.

    A camera that moved is allowed for. Who could be confused with somebody else appears as a new
    person from that frame on, unless looks tell them apart.

    Args:
        frames: the faces of each frame, in the order of time.
        looks: what each face looks like (:func:`look`).

    Returns:
        For each person, the person with the largest face first, the position of their face among
        the faces of each frame; None where they are not found.
    """
    faces = columns(frames)
    vectors = [vector for of_frame in looks or () for vector in of_frame]
    person = track(faces.stack, faces.frame, faces.box, np.array(vectors) if vectors else None)
    size = _medians(faces.size_px, person)
    found: list[list[int | None]] = [[None] * len(frames) for _ in size]
    position = 0
    for at, of_frame in enumerate(frames):
        for place in range(len(of_frame)):
            found[person[position]][at] = place
            position += 1
    return [found[number] for number in np.argsort(-size, kind="stable")]


def look(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a face looks like, as a unit vector: the product of two says how alike they are.

    Args:
        rgb: (H, W, 3) a crop of the face with some hair and collar, at least 8 px wide and high.
    """
    height, width = (side // _CELLS * _CELLS for side in rgb.shape[:2])
    cells = rgb[:height, :width].reshape(_CELLS, height // _CELLS, _CELLS, width // _CELLS, 3)
    colors = cells.mean(axis=(1, 3), dtype=np.float32)
    vector = (colors - colors.mean()).ravel()
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _medians(values: Floats, person: Ids) -> Floats:
    """Return the lower median of each person's values, (people,); NaN counts as the largest."""
    order = np.lexsort((values, person))
    counts = np.bincount(person)
    sorted_values: Floats = values[order]
    return sorted_values[np.cumsum(counts) - counts + (counts - 1) // 2]


# --- one person over the frames


def judged(faces: Sequence[Face | None]) -> list[Eye]:
    """Return the eyes of one person in each frame, judged against their other frames.

    Eyes that are as far shut in all frames are narrow or laughing, not closed, unless they are
    shut all the way. What cannot be judged is unknown.
    """
    found = columns([[face] for face in faces])
    closed = _closed(found, np.zeros(len(found.frame), np.int64))
    eyes = [Eye.UNKNOWN] * len(faces)
    for at, blink, is_closed in zip(found.frame, found.blink, closed, strict=True):
        if not np.isnan(blink):
            eyes[at] = Eye.CLOSED if is_closed else Eye.OPEN
    return eyes


def soft(faces: Sequence[Face | None]) -> list[bool]:
    """Whether the eyes of one person are visibly softer in each frame than in their sharpest.

    Frames with closed eyes set no standard, because lashes are sharper than eyes.
    """
    sharpness = _sharpness(faces)
    seen = np.array([eyes is not Eye.CLOSED for eyes in judged(faces)], bool)
    best = np.nanmax(sharpness[seen], initial=0.0)
    softer: list[bool] = judging.softer(sharpness, best).tolist()
    return softer


def ranked(faces: Sequence[Face | None]) -> list[int]:
    """Return the frames of one person, the best first: open eyes, then sharp eyes."""
    order = [Eye.OPEN, Eye.UNKNOWN, Eye.CLOSED]
    eyes = np.array([order.index(eye) for eye in judged(faces)], np.int64)
    absent = np.array([face is None for face in faces], bool)
    ranks: list[int] = np.lexsort((-_sharpness(faces), eyes, absent)).tolist()
    return ranks


def _sharpness(faces: Sequence[Face | None]) -> Floats:
    return np.array([None if face is None else face.eye_sharpness for face in faces], np.float64)


def _closed(faces: FaceColumns, person: Ids) -> Mask:
    """Mark the faces with closed eyes, each judged against the same person's other frames."""
    known = np.flatnonzero(~np.isnan(faces.blink))
    blink, who = faces.blink[known], person[known]
    frames = np.bincount(who, minlength=1)
    most_open = np.full(len(frames), np.inf)
    np.minimum.at(most_open, who, blink)
    more, least = blink - most_open[who], most_open[who]
    counts = (more >= _HARDLY) | (least >= _NEVER_OPEN) | (frames[who] < _ENOUGH)
    closed: Mask = np.zeros(len(person), bool)
    closed[known] = (more >= _SHUT) | (faces.closed[known] & counts)
    return closed


# --- which frame


class FrameEyes(NamedTuple):
    """What speaks for each photo by the eyes of the people in its stack, one entry per photo (N,).

    Only the main people count: those with large faces who are in many of the frames.

    Attributes:
        people: the main people of the stack; 0 if there are none, and eyes say nothing.
        open: how many of them have open eyes here.
        closed: how many have closed eyes here.
        softer: how much softer their eyes are here than in each one's sharpest frame, of the one
            who loses most; NaN not measured.
        sharpness: of the eyes of the one whose eyes are softest here; NaN not measured.
    """

    people: Floats
    open: Floats
    closed: Floats
    softer: Floats
    sharpness: Floats

    @classmethod
    def none(cls, count: int) -> FrameEyes:
        """Return what is known of photos without faces."""
        people, opened, closed = np.zeros((3, count), np.float32)
        softer, sharpness = np.full((2, count), np.nan, np.float32)
        return cls(people, opened, closed, softer, sharpness)


def compare(faces: FaceColumns, photo: Ids, stacks: Ids) -> FrameEyes:
    """Compare the people in the frames of stacks.

    Args:
        faces: the faces of all frames.
        photo: (N,) the position of each face's photo in the result.
        stacks: (photos,) the stack of each photo; the faces of stacks are those of its photos.
    """
    found = FrameEyes.none(len(stacks))
    if not len(photo):
        return found
    person = track(faces.stack, faces.frame, faces.box)
    main = _main(faces, person)
    names, of_stack = np.unique(stacks, return_inverse=True)
    of_person = np.zeros(int(person.max()) + 1, np.int64)
    of_person[person] = of_stack[photo]
    found.people[:] = np.bincount(of_person[main], minlength=len(names))[of_stack]
    closed = _closed(faces, person)
    decides = main[person]
    np.add.at(found.closed, photo[decides & closed], 1)
    np.add.at(found.open, photo[decides & ~closed & ~np.isnan(faces.blink)], 1)
    measured = decides & ~np.isnan(faces.sharpness)
    best = np.full(len(main), -np.inf)
    # Lashes of closed eyes are sharp, too: they set nobody's mark.
    seen = measured & ~closed
    np.maximum.at(best, person[seen], faces.sharpness[seen])
    loss = np.maximum(best[person] - faces.sharpness, 0.0)
    np.fmax.at(found.softer, photo[measured], loss[measured].astype(np.float32))
    np.fmin.at(found.sharpness, photo[measured], faces.sharpness[measured].astype(np.float32))
    return found


def _main(faces: FaceColumns, person: Ids) -> Mask:
    """Mark the people who decide which frame is best, (people,)."""
    count = int(person.max()) + 1
    stack = np.zeros(count, np.int64)
    _, stack[person] = np.unique(faces.stack, return_inverse=True)
    frames = np.zeros(int(stack.max()) + 1, np.int64)
    pairs = np.unique(np.stack([stack[person], faces.frame]), axis=1)
    np.add.at(frames, pairs[0], 1)
    often = np.bincount(person, minlength=count) * _OFTEN >= frames[stack]
    width = _medians(faces.box[:, 2], person)
    largest = np.zeros(len(frames))
    np.maximum.at(largest, stack[often], width[often])
    readable = _medians(faces.size_px, person) >= _JUDGEABLE_PX
    main: Mask = often & readable & (width >= _MAIN * largest[stack])
    return main
