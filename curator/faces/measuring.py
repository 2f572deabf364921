"""Measure faces on the pixels of the original: eyes, smile, turn of the head, sharpness.

A proxy is too small for that: a face 125 px wide on 24 megapixels has 30 px there. Eyes have a word
only where it can be told: on faces of 32 px and more, turned toward the camera. The thresholds were
chosen on the pictures that `tests/bench/test_faces.py` measures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.faces import landmarks
from curator.faces.detector import Found, find
from curator.faces.landmarks import Mesh
from curator.imaging import color, quality
from curator.imaging.pixels import Image, shrink
from curator.model import Eye, Face

__all__ = ["find", "measure"]

_Array = npt.NDArray[Any]

MOST = 100  # faces of one photo, the largest; more are counted only, as each takes 25 ms
_TINY_PX = 16  # of the original; smaller faces are counted only
_WORD_PX = 32  # smaller faces get no words for their eyes
# Blink from which an eye is closed: 0.374 + (16 / width in px)³. Small faces are soft, and soft
# eyes look narrow: of faces with open eyes 2 % lie beyond 0.37, 0.375, 0.39, 0.40, 0.46 and 0.52
# at 170, 128, 64, 48, 40 and 32 px. Chosen on half of the faces, 400 times, such thresholds find
# 95.7 ± 1.7 % of the closed eyes of the other half, with 2.2 ± 1.2 % false alarms.
_CLOSED, _CLOSED_SMALL = 0.374, 16.0
_OTHER = 0.375  # share of the other eye's blink in the word for an eye: people rarely wink
# Sunglasses: the skin around the eyes is this dark compared with the rest of the face, and the eyes
# are hardly darker. Of lenses drawn on open eyes 90 to 97 % are; 0.7 % of open and 0.3 % of closed.
_SHADED, _FLAT = 0.6, 0.2
_PRESENCE = 0.3  # how sure the mesh must be of a face to measure it,
_WORD_PRESENCE = 0.6  # and to have words for its eyes
# Beyond, the farther eye is hidden, and the nearer one looks half shut: of four such faces with
# open eyes two had a blink of 0.5.
_TURNED_DEG = 40.0
_TILTED_DEG = 60.0  # beyond, upside down too, the detector's points often mislead the mesh
_EYE_REACH = (0.6, 0.35)  # half the region of an eye, across and down, in widths of the eye
_EYE_PX = 12  # a smaller region says nothing about sharpness
_REACH = 1.1  # half the patch around a face, in the longer side of its box
_PATCH_PX = 384  # the face's patch for the mesh is scaled down to at most about this


def measure(found: Sequence[Found], rgb: Image, icc: bytes | None = None) -> list[Face]:
    """Measure the :data:`MOST` largest faces, and return all of them, largest first.

    Args:
        found: the faces, as :func:`find` returns them.
        rgb: (H, W, 3) uint8, the original upright at full resolution; may be a view, as
            :func:`pixels.upright_view` returns it, since only patches around faces are read.
        icc: its color profile, as in :func:`color.to_srgb`.

    Raises:
        ModelError: a network is missing or damaged.
    """
    noise = quality.noise_floor(rgb) if found else 0.0
    width = rgb.shape[1]
    faces = [Face(each.box, max(1, round(each.box[2] * width)), each.score) for each in found]
    pairs = sorted(zip(faces, found, strict=True), key=lambda pair: -pair[0].size_px)
    measured = [_measured(face, each, rgb, icc, noise) for face, each in pairs[:MOST]]
    return measured + [face for face, _ in pairs[MOST:]]


def _measured(face: Face, found: Found, rgb: Image, icc: bytes | None, noise: float) -> Face:
    size = np.array(rgb.shape[1::-1], np.float64)
    low, extent = np.array(found.box[:2]) * size, np.array(found.box[2:]) * size
    if face.size_px < _TINY_PX:
        return face
    reach = _REACH * float(max(extent))
    corner = np.floor(np.maximum(low + extent / 2 - reach, 0)).astype(int)
    end = np.ceil(np.minimum(low + extent / 2 + reach, size)).astype(int)
    if (end <= corner).any():
        return face
    patch = np.ascontiguousarray(rgb[corner[1] : end[1], corner[0] : end[0]])
    wanted = round(max(patch.shape[:2]) * _PATCH_PX / float(max(extent) * 1.5))
    small = shrink(patch, wanted, halved=True)  # bilinear: 5 ms less for a large face
    scale = max(small.shape[:2]) / max(patch.shape[:2])
    box = (np.concatenate([low, low + extent]) - np.tile(corner, 2)) * scale
    eyes = (np.array(found.points[:2]) * size - corner) * scale
    shown = color.to_srgb(small, icc)
    mesh = landmarks.fit(shown, box, eyes)
    if mesh.presence < _PRESENCE:
        return face
    covered = _covered(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), mesh)
    described = _described(face, mesh, scale, (corner, size), covered)
    return replace(described, eye_sharpness=_eye_sharpness(mesh, scale, patch, icc, noise))


def _described(
    face: Face, mesh: Mesh, scale: float, placed: tuple[_Array, _Array], covered: bool
) -> Face:
    """Return a face with what its mesh says.

    Args:
        face: the face as found.
        mesh: its mesh, in px of the scaled patch.
        scale: px of the mesh per px of the patch.
        placed: the patch's corner and the picture's size, (x, y) in px.
        covered: whether something is over the eyes.
    """
    shapes = landmarks.expressions(mesh)
    blinks = [float(shapes[index]) for index in landmarks.BLINK]
    centers = [(mesh.eye_center(side) / scale + placed[0]) / placed[1] for side in (0, 1)]
    told = (
        face.size_px >= _WORD_PX
        and mesh.presence >= _WORD_PRESENCE
        and abs(mesh.roll_deg) <= _TILTED_DEG
        and abs(mesh.yaw_deg) <= _TURNED_DEG
        and not covered
    )
    words = [_word(face.size_px, mesh.yaw_deg, side, blinks) for side in (0, 1)]
    return replace(
        face,
        left=words[0] if told else Eye.UNKNOWN,
        right=words[1] if told else Eye.UNKNOWN,
        left_blink=round(blinks[0], 3),
        right_blink=round(blinks[1], 3),
        smile=round(float(shapes[list(landmarks.SMILE)].mean()), 3),
        yaw_deg=round(mesh.yaw_deg, 1),
        left_at=(float(centers[0][0]), float(centers[0][1])),
        right_at=(float(centers[1][0]), float(centers[1][1])),
    )


def _word(size_px: int, yaw_deg: float, side: int, blinks: Sequence[float]) -> Eye:
    """Return the word for an eye; ``side`` 0 is the left one."""
    # Of a turned head, one eye says little about the other.
    share = _OTHER * max(0.0, 1 - abs(yaw_deg) / _TURNED_DEG)
    blink = (1 - share) * blinks[side] + share * blinks[1 - side]
    return Eye.CLOSED if blink >= _CLOSED + (_CLOSED_SMALL / size_px) ** 3 else Eye.OPEN


def _covered(luma: _Array, mesh: Mesh) -> bool:
    """Whether something dark lies over both eyes and the skin around them: sunglasses."""
    down = np.array([-math.sin(math.radians(mesh.roll_deg)), math.cos(math.radians(mesh.roll_deg))])
    around, within = [], []
    for side in (0, 1):
        center, width = mesh.eye_center(side), mesh.eye_width(side)
        places = (center + 0.42 * width * down, center - 0.36 * width * down, center)
        below, above, middle = (_level(luma, place, 0.1 * width) for place in places)
        around.append(max(below, above))
        within.append(middle)
    width = mesh.eye_width(0)
    skin = np.median([_level(luma, mesh.points[at, :2], 0.2 * width) for at in landmarks.SKIN])
    lit, dark = float(np.mean(around)), float(np.mean(within))
    return lit < _SHADED * skin and lit - dark < _FLAT * skin


def _level(luma: _Array, center: _Array, reach: float) -> float:
    """Return the median level of a square; 0 outside the picture."""
    low = np.maximum(np.floor(center - reach), 0).astype(int)
    high = np.floor(center + reach).astype(int) + 1
    part = luma[low[1] : max(high[1], 0), low[0] : max(high[0], 0)]
    return float(np.median(part)) if part.size else 0.0


def _eye_sharpness(
    mesh: Mesh, scale: float, patch: Image, icc: bytes | None, noise: float
) -> float | None:
    """Return the sharpness of the sharper eye, 0-100, or None if both are too small.

    The nearer eye is what photographers focus on. Compare with `judging.eyes_soft`.
    """
    found = []
    for side in (0, 1):
        center, width = mesh.eye_center(side) / scale, mesh.eye_width(side) / scale
        reach = np.array(_EYE_REACH) * width
        low = np.maximum(np.floor(center - reach), 0).astype(int)
        high = np.ceil(center + reach).astype(int)
        region = patch[low[1] : high[1], low[0] : high[0]]
        if min(region.shape[:2]) >= _EYE_PX:
            luma = cv2.cvtColor(color.toned(region, icc), cv2.COLOR_RGB2GRAY)
            found.append(quality.region_sharpness(luma, noise))
    return quality.score(max(found)) if found else None
