"""Real people's choices between two photos, to compare learners by people instead of simulations.

Their table and pictures are public (github.com/Loni0111/preference_study: 22 people, the same 400
pairs of 400 photos of flowers and of 340 of houses) but carry no license, so they are only measured
with: CURATOR_CHOICES names the folder, with ``flowers`` and ``houses`` in it.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from curator.encoders import EncoderOptions, load
from curator.imaging import decode
from curator.taste import tone
from tests.simulation import LEARNERS, Array, Indices, Scene

KINDS = ("flowers", "houses")
_LEFT, _RIGHT = "z", "m"
_NEUTRAL = 3.0  # stars; a photo chosen has one more, the other one less


def folder() -> Path:
    """Return the folder of the choices; skip the test if it is not here."""
    found = Path(os.environ.get("CURATOR_CHOICES") or "-")
    if not found.is_dir():
        pytest.skip("the choices of real people are not here (CURATOR_CHOICES)")
    return found


def read(kind: Path) -> tuple[Scene, Indices, Array]:
    """Return the photos, the pairs shown (P, 2), and who liked the left photo better (people, P).

    1.0 means that the person chose the left photo, -1.0 the right one.
    """
    paths = sorted((kind / "images").iterdir())
    index = {path.name: row for row, path in enumerate(paths)}
    people = []
    for path in sorted((kind / "data").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            people.append([row for row in csv.DictReader(lines) if row["image_left"]])
    pairs = np.array(
        [[index[Path(row[side]).name] for side in ("image_left", "image_right")]
         for row in people[0]]
    )  # fmt: skip
    signs = {_LEFT: 1.0, _RIGHT: -1.0}
    chosen = np.array([[signs[row["key_resp_2.keys"]] for row in rows] for rows in people])
    shown = [decode.decode(path, 1440).rgb for path in paths]
    vectors = load("starter", EncoderOptions(threads=1)).encode(shown)
    rows = np.hstack([vectors, [tone.measure(rgb) for rgb in shown]]).astype(np.float32)
    alone, none = np.arange(len(rows)), np.zeros((len(rows), 0))
    return Scene(rows, vectors.shape[1], none, none, alone, alone), pairs, chosen


def share_predicted(
    scene: Scene, pairs: Indices, chosen: Array, count: int, draws: int = 3
) -> dict[str, float]:
    """Return how many choices between new photos each learner predicts after ``count`` choices.

    The chosen photo of a pair learned from counts as four stars, the other as two.
    """
    found: dict[str, list[float]] = {name: [] for name in LEARNERS}
    everything = np.arange(len(scene.rows))
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(pairs))
        learn, judge = order[:count], order[count:]
        judge = judge[~np.isin(pairs[judge], pairs[learn]).any(axis=1)]
        for person in chosen:
            given = np.outer(person[learn], [1.0, -1.0]) + _NEUTRAL
            shown, times = np.bincount(pairs[learn].ravel()), pairs[learn].ravel()
            stars = np.bincount(times, given.ravel()) / np.maximum(shown, 1)
            stars = np.append(stars, np.zeros(len(everything) - len(stars)))
            rated = np.flatnonzero(shown)
            for name, learner in LEARNERS.items():
                left, right = learner(scene, rated, stars, everything)(everything)[pairs[judge]].T
                found[name].append(float(((left > right) == (person[judge] > 0)).mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}
