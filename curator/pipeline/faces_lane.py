"""The lane that measures faces: beside all other work, once all photos are converted.

`dispatch` fills it. It must hold up nothing: neither the encoder nor the vision model waits for
faces, and without the face models everything else works.
"""

from __future__ import annotations

from curator.catalog import Catalog, Pending
from curator.model import StageJob
from curator.networks import ModelError
from curator.pipeline.lanes import FailureEffect, Lane, Round
from curator.stages import Stage


class FacesLane(Lane):
    """Measures faces in the processes that convert photos, when these have nothing to convert.

    A lane of its own, because in that of convert its jobs would count as photos left to convert,
    for which the encoder waits.
    """

    def choose(self, catalog: Catalog, stage: Stage, now: Round) -> tuple[list[Pending], bool]:
        """Choose the photos to start; later stages need not stay behind these."""
        found, _ = super().choose(catalog, stage, now)
        return found, now.behind

    def handle_failure(
        self, catalog: Catalog, job: StageJob, error: Exception
    ) -> FailureEffect | None:
        """Put a photo back if the face models cannot be loaded: no photo can be measured."""
        if not isinstance(error, ModelError):
            return None
        catalog.work.put_back(job.stage, [job.photo_id])
        return FailureEffect(broken=error)
