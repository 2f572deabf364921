"""The types of a stage's save function, for every stage and the pipeline.

A save function should save all results of a call in one short transaction, because a decision waits
for the write lock. It must not open files: what it needs to know from files it returns as a
question, which is answered on another thread. Then it is called again with the answer as the
result.
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
        questions: by photo id, a function that finds out from files what is needed to save this
            result. It gets a catalog to read and a file reader, on a thread that may wait for a
            drive. Its answer is saved as the result of the same job.
    """

    changed: Sequence[int]
    questions: Mapping[int, Question] = field(default_factory=dict)
