"""How often faces and eyes are right, over a folder of labelled faces, such as ``../shared/faces``.

The folder has ``closed/`` and ``open/`` with one face a picture, and ``groups/`` with pictures of
several, whose boxes are in ``training.xml`` and ``testing.xml`` as dlib writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from curator.bench.figures import Figure
from curator.faces.detector import Found
from curator.faces.measuring import find, measure
from curator.imaging.pixels import Image, shrink
from curator.model import Eye, Face

Boxes = list[tuple[float, float, float, float]]
Measured = dict[int | None, list[Face | None]]

WIDTHS = (None, 128, 64, 48, 32, 24, 16)
"""Widths at which faces are measured, in px of the original; None for the picture's own."""

_PROXY_PX = 1440
_OVERLAP = 0.35  # part of the union that a found box and a labelled one share
_SMILING = 0.6
_SMALL_PX = 30
_CANVAS = (1440, 960)


def has_labels(folder: Path) -> bool:
    """Whether a folder has labelled faces."""
    return all((folder / name).is_dir() for name in ("closed", "open", "groups"))


def accuracy(folder: Path) -> list[Figure]:
    """Return the figures for eyes and for finding faces."""
    figures = []
    shut, awake = measured(folder / "closed"), measured(folder / "open")
    for width in WIDTHS:
        figures += _figures(shut[width], awake[width], width)
    found, labelled, others = boxes_found(folder / "groups")
    none = "none: the labels are the reference"
    small, pasted = small_faces_found(folder / "groups", _SMALL_PX)
    return [
        *figures,
        Figure("labelled faces found", found, f"of {labelled}", labelled - 1, none, at_least=True,
               note=f"{others} other boxes"),
        Figure(f"faces {_SMALL_PX} px wide found, {pasted} pasted into a picture",
               100 * small / pasted, "%", 80.0, none, at_least=True),
    ]  # fmt: skip


def _figures(shut: list[Face | None], awake: list[Face | None], width: int | None) -> list[Figure]:
    none = "none: the labels are the reference"
    of = f"of {len(shut)} closed and {len(awake)} open"
    size = "own size" if width is None else f"{width} px"
    area = separation(shut, awake)
    limit = 0.99 if width is None or width >= 48 else 0.5
    figures = [Figure(f"closed against open eyes, {size}, AUC", area, "", limit, none,
                      at_least=True, note=of)]  # fmt: skip
    if width is None or width >= 48:
        smiling = [face for face in awake if face and (face.smile or 0) > _SMILING]
        figures += [
            Figure(f"closed eyes called closed, {size}", 100 * told(shut), "%",
                   95.0, none, at_least=True, note=of),
            Figure(f"open eyes called closed, {size}", 100 * told(awake), "%", 2.0, none),
            Figure(f"laughing faces called closed, {size}", 100 * told(smiling), "%", 3.0,
                   none, note=f"of {len(smiling)} with a smile over {_SMILING}"),
        ]  # fmt: skip
    if width is not None and width < 32:
        words = sum(face is not None and face.eyes is not Eye.UNKNOWN for face in shut + awake)
        figures.append(Figure(f"faces with a word for their eyes, {size}", words, "", 0, none))
    return figures


def told(faces: list[Face | None] | list[Face]) -> float:
    """Return the share of faces whose eyes are called closed; a face not found counts as missed."""
    return float(np.mean([face is not None and face.eyes is Eye.CLOSED for face in faces]))


def separation(shut: list[Face | None], awake: list[Face | None]) -> float:
    """Return the area under the ROC curve of the mean blink of both eyes."""
    above, below = (np.array([_blink(face) for face in faces]) for faces in (shut, awake))
    pairs = above[:, None] - below
    return float((pairs > 0).mean() + 0.5 * (pairs == 0).mean())


def _blink(face: Face | None) -> float:
    if face is None or face.left_blink is None or face.right_blink is None:
        return 0.0
    return (face.left_blink + face.right_blink) / 2


def measured(folder: Path) -> Measured:
    """Measure the main face of every picture of a folder at all :data:`WIDTHS`.

    A face that is not found is None; one narrower than a width is left out there. Crops are padded
    by half on each side, as a face in a photo has something around it.
    """
    faces: Measured = {width: [] for width in WIDTHS}
    for path in sorted(folder.glob("*.jpg")):
        rgb = padded(np.asarray(simplejpeg.decode_jpeg(path.read_bytes())))
        found = find(shrink(rgb, _PROXY_PX))[:1]
        for width, measured_there in faces.items():
            if not found:
                measured_there.append(None)
                continue
            scale = 1.0 if width is None else width / (found[0].box[2] * rgb.shape[1])
            if scale <= 1:
                measured_there.append(_at(rgb, found, scale))
    return faces


def _at(rgb: Image, found: list[Found], scale: float) -> Face:
    if scale < 1:
        smaller = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rgb = np.asarray(smaller, np.uint8)
    return measure(found, rgb)[0]


def padded(rgb: Image) -> Image:
    """Return a picture with gray around it, twice as wide and high."""
    down, across = rgb.shape[0] // 2, rgb.shape[1] // 2
    gray = (127, 127, 127)
    framed = cv2.copyMakeBorder(rgb, down, down, across, across, cv2.BORDER_CONSTANT, value=gray)
    return np.asarray(framed, np.uint8)


def labelled_boxes(groups: Path) -> Iterator[tuple[Path, Boxes]]:
    """Yield pictures of groups and their faces' boxes (left, top, width, height) in px.

    Boxes marked "ignore" are left out.
    """
    for name in ("training.xml", "testing.xml"):
        for image in ElementTree.parse(groups / name).iter("image"):
            boxes = [
                tuple(float(box.attrib[edge]) for edge in ("left", "top", "width", "height"))
                for box in image.iter("box")
                if box.attrib.get("ignore") != "1"
            ]
            yield groups / image.attrib["file"], boxes  # type: ignore[misc]


def boxes_found(groups: Path) -> tuple[int, int, int]:
    """Return how many labelled faces were found, how many there are, and the other boxes."""
    found = labelled = every = 0
    for path, boxes in labelled_boxes(groups):
        rgb = np.asarray(simplejpeg.decode_jpeg(path.read_bytes()))
        seen = in_px(find(shrink(rgb, _PROXY_PX)), rgb)
        found += matched(boxes, seen)
        labelled, every = labelled + len(boxes), every + len(seen)
    return found, labelled, every - found


def in_px(found: list[Found], rgb: Image) -> Boxes:
    """Return boxes of found faces in px of a picture."""
    height, width = rgb.shape[:2]
    return [(x * width, y * height, w * width, h * height) for x, y, w, h in (f.box for f in found)]


def matched(boxes: Boxes, seen: Boxes, overlap: float = _OVERLAP) -> int:
    """Return how many boxes one of the seen boxes lies over."""
    return sum(any(_overlap(box, other) >= overlap for other in seen) for box in boxes)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def small_faces_found(groups: Path, width_px: int) -> tuple[int, int]:
    """Return how many faces of a pasted group were found, and how many there are."""
    canvas, boxes = small_group(groups, width_px)
    return matched(boxes, in_px(find(canvas), canvas), 0.25), len(boxes)


def small_group(groups: Path, width_px: int) -> tuple[Image, Boxes]:
    """Paste every labelled face into one picture of 1440 x 960 px, scaled to the same width.

    Each comes with once its width around it, at the places of a grid in random order, over one of
    the pictures blurred beyond recognition.
    """
    pictures = list(labelled_boxes(groups))
    rgbs = [np.asarray(simplejpeg.decode_jpeg(path.read_bytes())) for path, _ in pictures]
    canvas = np.asarray(cv2.GaussianBlur(cv2.resize(rgbs[0], _CANVAS), (0, 0), 15), np.uint8)
    step = int(3.2 * width_px)
    grid = [(x, y) for y in range(step // 2, _CANVAS[1] - step // 2, step)
            for x in range(step // 2, _CANVAS[0] - step // 2, step)]  # fmt: skip
    np.random.default_rng(0).shuffle(grid)
    places, pasted = iter(grid), []
    for rgb, (_, boxes) in zip(rgbs, pictures, strict=True):
        for box in boxes:
            pasted.append(_paste(canvas, rgb, box, next(places), width_px))
    return canvas, pasted


def _paste(
    canvas: npt.NDArray[np.uint8],
    rgb: Image,
    box: tuple[float, float, float, float],
    place: tuple[int, int],
    width_px: int,
) -> tuple[float, float, float, float]:
    left, top, width, height = box
    x0, y0 = max(int(left - width), 0), max(int(top - width), 0)
    part = rgb[y0 : int(top + height + width), x0 : int(left + 2 * width)]
    scale = width_px / width
    part = np.asarray(
        cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    across, down = place[0] - part.shape[1] // 2, place[1] - part.shape[0] // 2
    canvas[down : down + part.shape[0], across : across + part.shape[1]] = part
    corner = (across + (left - x0) * scale, down + (top - y0) * scale)
    return (*corner, width_px, height * scale)
