"""TARGETS: the ways to export the approved set.

An export has three steps: :func:`make_plan` plans it and changes nothing (this is the dry run),
:func:`write` carries the plan out, and the :class:`~curator.export.plan.ExportReport` it returns
lists what was done.

    plan = make_plan(photos, Options(folder=Path("out"), clauses=approved, target="gallery"))
    report = write(plan)

Photos that are not given to `make_plan` are neither exported nor withdrawn. The modules:

    options            what to export and how
    sources            the files to export of a photo
    naming             file names from a template
    name_allocator     names that are free
    plan               what an export will do
    size_estimates     the size of JPEGs before they are made
    render             makes the JPEGs of a photo; render_queue does so ahead
    location_removal   copies of originals without their location
    writing            writes the files and verifies them
    manifest           photos.json
    target_folder      opens and locks the target, never inside originals
    gallery, sidecar   what these targets do differently; page makes the gallery's page
    presets            named choices

All operations in a target go through :mod:`curator.opened_folder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from curator.catalog import PhotoDetail
from curator.export import gallery, plan, sidecar, writing
from curator.export.options import Options
from curator.export.plan import ExportReport, Plan
from curator.model import UsageError
from curator.workers import WorkerPool

__all__ = ["TARGETS", "ExportReport", "Options", "Plan", "Target", "make_plan", "write"]


def _unchanged(options: Options) -> Options:
    return options


def _do_nothing(_run: writing.Run) -> None:
    return


@dataclass(frozen=True, slots=True)
class Target:
    """An export target: its name in options and settings, and what it does its own way.

    ``adapt_options`` changes the chosen options to those the target needs (a page needs JPEGs).
    ``plan_files`` plans the files of the photos, ``write_file`` writes one of them and returns its
    record, and ``finish`` is called after the last one. By default a target copies originals or
    makes JPEGs.
    """

    name: str
    adapt_options: Callable[[Options], Options] = _unchanged
    plan_files: plan.PlanFiles = plan.plan_files
    write_file: writing.WriteFile = writing.write_file
    finish: Callable[[writing.Run], None] = _do_nothing


# To add a target: write a module with the functions in which it differs, and add one line here; the
# command line has it then. The dialog and presets offer the names in `ExportSettings.target`.
TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("folder"),
        Target("gallery", gallery.adapt_options, finish=gallery.write_page),
        Target(
            "sidecar", sidecar.adapt_options, sidecar.plan_files, sidecar.write_file, sidecar.sync
        ),
    )
}


def make_plan(photos: Iterable[PhotoDetail], options: Options) -> Plan:
    """Plan an export; see :func:`curator.export.plan.make_plan`.

    Raises:
        UsageError: the target is unknown.
        KnownError: as there.
    """
    if options.target not in TARGETS:
        raise UsageError(
            f"Unknown export target {options.target}.", f"Targets: {', '.join(TARGETS)}."
        )
    target = TARGETS[options.target]
    return plan.make_plan(photos, target.adapt_options(options), target.plan_files)


def write(
    plan: Plan,
    *,
    pool: WorkerPool | None = None,
    progress: writing.Progress = lambda done, total, name: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Carry out a plan with its target. Running it again changes nothing.

    Args:
        plan: from :func:`make_plan`, made just before.
        pool: decodes the originals of JPEGs; one is started and closed if none is given.
        progress: called with photos done, photos in all, and the name of the last file.
        cancelled: called before each photo; files and entries written before it returns True stay.

    Raises:
        BusyError: another export into the folder is running.
        KnownError: the folder is full or cannot be written; the photos exported so far stay,
            complete and listed. Or the folder changed after planning, because of another export
            or because it contains originals now; then nothing was written.

    Thread: any; only one export into a folder at a time.
    """
    target = TARGETS[plan.options.target]
    return writing.write_files(plan, pool, progress, cancelled, target.write_file, target.finish)
