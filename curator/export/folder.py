"""The folder target: verified copies with their sidecars, or JPEGs; a manifest beside them."""

from __future__ import annotations

from collections.abc import Callable

from curator.export.plan import ExportReport, Plan
from curator.export.writing import Progress, write_files
from curator.workers import WorkerPool


def write(
    plan: Plan,
    *,
    pool: WorkerPool | None = None,
    progress: Progress = lambda done, total, name: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Carry out the plan; see :func:`curator.export.writing.write_files`."""
    return write_files(plan, pool=pool, progress=progress, cancelled=cancelled)
