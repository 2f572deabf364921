"""What a stage's save function is given and what it returns; used by every stage and the pipeline.

The results of one call are saved in one short transaction where possible, because a decision waits
for the write lock. A save function must not open files: what it has to know from files it returns
as a question, which is answered beside the conductor. The answer comes back as the job's result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curator.model import StageJob

if TYPE_CHECKING:
    from curator.catalog import Catalog, FileReader

    Question = Callable[[Catalog, FileReader], object]
    Save = Callable[[Catalog, Sequence[tuple[StageJob, Any]]], "Saved"]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save function did.

    Attributes:
        changed: ids of photos whose rows changed.
        questions: by photo id, what has to be found out from files before this result can be
            saved. It is called with a catalog to read from and a file reader, on a thread that may
            wait for a drive; what it returns is saved as the result of the same job.
    """

    changed: Sequence[int]
    questions: Mapping[int, Question] = field(default_factory=dict)
