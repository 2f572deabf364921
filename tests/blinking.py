"""Shut the eyes of a face in a picture, to make a burst in which somebody blinks."""

from __future__ import annotations

import cv2
import numpy as np

from curator.faces import landmarks
from curator.faces.detector import Found
from curator.imaging.pixels import Image

BOTH = (0, 1)  # the person's left eye and right eye
# Landmarks of the lids, per eye as in `landmarks.EYE_CORNERS`, seen from the ear.
_UPPER_LIDS = ((466, 388, 387, 386, 385, 384, 398), (246, 161, 160, 159, 158, 157, 173))
_LOWER_LIDS = ((249, 390, 373, 374, 380, 381, 382), (7, 163, 144, 145, 153, 154, 155))


def blink(rgb: Image, face: Found, eyes: tuple[int, ...] = BOTH) -> Image:
    """Return a copy of a picture in which a face's eyes are shut.

    The skin above each eye is stretched down to the lower lid, with the lashes at its edge.

    Args:
        rgb: (H, W, 3) uint8 upright.
        face: the face to change, as `find` returns it for this picture.
        eyes: 0 for the person's left eye, 1 for the right one.
    """
    size = np.array(rgb.shape[1::-1], np.float64)
    low, high = np.array(face.box[:2]) * size, np.array(face.box[:2]) * size
    high = high + np.array(face.box[2:]) * size
    mesh = landmarks.fit(rgb, np.concatenate([low, high]), np.array(face.points[:2]) * size)
    shut = rgb
    for side in eyes:
        shut = _shut(shut, mesh, side)
    return shut


def _shut(rgb: Image, mesh: landmarks.Mesh, side: int) -> Image:
    corners = [landmarks.EYE_CORNERS[side][end] for end in (0, 1)]
    upper = mesh.points[[corners[0], *_UPPER_LIDS[side], corners[1]], :2]
    lower = mesh.points[[corners[0], *_LOWER_LIDS[side], corners[1]], :2]
    width = mesh.eye_width(side)
    left, right = (int(f(upper[:, 0])) for f in (np.min, np.max))
    columns = np.arange(max(left, 0), min(right + 1, rgb.shape[1]))
    order = np.argsort(upper[:, 0])
    lid = np.interp(columns, upper[order, 0], upper[order, 1])
    order = np.argsort(lower[:, 0])
    end = np.interp(columns, lower[order, 0], lower[order, 1])
    begin = lid - 0.35 * width  # the skin between the brow and the eye
    top, bottom = int(begin.min()), int(end.max() + 0.15 * width) + 1
    rows = np.arange(max(top, 0), min(bottom, rgb.shape[0]))
    if not len(rows) or not len(columns):
        return rgb
    y = rows[:, None].astype(np.float32)
    share = (lid - begin) / np.maximum(end - begin, 1e-3)
    moved = begin + (y - begin) * share
    from_y = np.where((y >= begin) & (y <= end), moved, y).astype(np.float32)
    from_x = np.broadcast_to(columns, from_y.shape).astype(np.float32)
    shut = rgb.copy()
    shut[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = cv2.remap(
        rgb, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return shut
