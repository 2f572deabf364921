"""The scores learned last, in a file of the cache, so that verbs learn anew only after a change.

`curator.cli.scores` reads and writes it, and names the state of the catalog it is valid for. The
window has a learner that keeps up with every mark, and needs no file. A file that is missing,
damaged or of another state is never an error: the verb then learns. It loads no learner.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator import arrays, atomic

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Scores:
    """What a learned taste says about photos, without its model.

    Attributes:
        name: the name of the model, "" without one.
        sentence: how far learning has come.
        has_match: whether photos have match scores.
        ids: photos with a prediction, (N,).
        predicted: their predicted ratings in stars.
        match: their match scores, 0-100; NaN without scores.
    """

    name: str
    sentence: str
    has_match: bool
    ids: NDArray[np.int64]
    predicted: NDArray[np.float32]
    match: NDArray[np.float32]

    def by_id(self) -> dict[int, int]:
        """Return the match scores by photo id; empty without scores."""
        if not self.has_match:
            return {}
        return dict(zip(self.ids.tolist(), self.match.astype(int).tolist(), strict=True))


def load(path: Path, state: str) -> Scores | None:
    """Load the scores of a state of the catalog; None if the file is not of that state."""
    try:
        held = arrays.load(path)
        if held["state"].item() != state:
            return None
        return Scores(
            held["name"].item(),
            held["sentence"].item(),
            held["has_match"].item(),
            held["ids"],
            held["predicted"],
            held["match"],
        )
    except FileNotFoundError:
        return None
    except (arrays.DamagedArraysError, KeyError, ValueError) as error:
        log.info("taste is learned anew, %s is damaged: %s", path.name, error)
        return None


def save(path: Path, state: str, scores: Scores) -> None:
    """Save the scores of a state; a failure is only logged, as the next verb learns again."""
    try:
        atomic.write(path, arrays.dump(asdict(scores) | {"state": state}), sync=False)
    except OSError as error:
        log.info("the next command learns taste again: %s", error)
