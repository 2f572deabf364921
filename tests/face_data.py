"""Measured faces for tests that need no picture of one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from curator.bench.draw import jpeg_bytes, scene
from curator.bench.draw_faces import draw_face
from curator.catalog import Catalog
from curator.model import Eye, Face, FacesMeasured, Kind, StageJob

OPEN = Face(
    box=(0.4, 0.3, 0.1, 0.15),
    size_px=600,
    score=0.9,
    left=Eye.OPEN,
    right=Eye.OPEN,
    left_blink=0.1,
    right_blink=0.1,
    smile=0.5,
    yaw_deg=3.0,
    eye_sharpness=60.0,
    left_at=(0.47, 0.36),
    right_at=(0.43, 0.36),
)
CLOSED = replace(OPEN, left=Eye.CLOSED, right=Eye.CLOSED, left_blink=0.9, right_blink=0.9)
UNKNOWN = replace(
    OPEN, left=Eye.UNKNOWN, right=Eye.UNKNOWN, left_blink=None, right_blink=None, size_px=20
)


def at(face: Face, x: float, y: float = 0.3) -> Face:
    """Return a face moved to another place, its eyes with it."""
    left, top, _, _ = face.box
    over, down = x - left, y - top
    moved = [
        (eye[0] + over, eye[1] + down) if eye else None for eye in (face.left_at, face.right_at)
    ]
    return replace(face, box=(x, y, *face.box[2:]), left_at=moved[0], right_at=moved[1])


def save(catalog: Catalog, faces: Mapping[int, Sequence[Face]]) -> None:
    """Save faces of photos whose proxies are in the catalog, as the stage would."""
    results = []
    for photo, found in faces.items():
        digest = catalog.store.value("SELECT proxy_digest FROM photo WHERE id = ?", (photo,))
        job = StageJob(photo, "faces", "", Kind.IMAGE, "", fingerprint=digest)
        results.append((job, FacesMeasured(digest, tuple(found))))
    columns = "(photo_id, stage, version, state)"
    waiting = f"INSERT OR IGNORE INTO work {columns} VALUES (?, 'faces', 1, 'waiting')"
    with catalog.store.transaction():
        catalog.store.run_many(waiting, [(photo,) for photo in faces])
    assert catalog.faces.save(results) == list(faces)


def draw(path: Path, *people: Eye, size: tuple[int, int] = (2000, 1500)) -> Path:
    """Write a JPEG of people side by side whose faces are found, with open or closed eyes.

    The first face is the largest, and each further one a little smaller.
    """
    rgb = scene(size, 5).copy()
    for number, eyes in enumerate(people):
        middle = size[0] * (number + 0.5) / len(people), size[1] / 2
        draw_face(rgb, middle, 0.08 * size[0] * 0.9**number, shut=eyes is Eye.CLOSED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg_bytes(rgb))
    return path


def pictures() -> Path:
    """Return the folder of real faces for measuring; skip the test where there is none."""
    corpus = Path(os.environ.get("CURATOR_CORPUS", "../shared/corpus"))
    folder = corpus.parent / "faces"
    if not folder.is_dir():
        pytest.skip(f"no pictures of faces at {folder}")
    return folder
