"""TARGETS: the ways to export the approved set.

An export has three steps: :func:`make_plan` plans it and changes nothing (this is the dry run),
:func:`write` carries the plan out, and the :class:`~curator.export.plan.ExportReport` it returns
lists what was done.

    plan = make_plan(photos_of_the_scope, Options(folder=Path("out"), target="gallery"))
    report = write(plan)

Photos outside the given scope are neither exported nor withdrawn. The modules:

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
    target_folder      opens the target, never inside originals
    folder_lock        one export into a folder at a time
    presets            named choices

All operations in a target go through :mod:`curator.opened_folder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from curator.catalog import PhotoDetail
from curator.export import folder, gallery, plan, sidecar
from curator.export.options import Options
from curator.export.plan import ExportReport, Plan
from curator.export.writing import Progress
from curator.model import UsageError

__all__ = ["TARGETS", "ExportReport", "Options", "Plan", "Target", "make_plan", "write"]


def _as_given(options: Options) -> Options:
    return options


@dataclass(frozen=True, slots=True)
class Target:
    """An export target: a name for ``--target``, a title for the dialog, and its functions.

    ``adapt_options`` changes the chosen options to those the target needs (a page needs JPEGs).
    ``choose`` plans the files of the photos. ``write`` carries out a plan.
    """

    name: str
    title: str
    write: Callable[..., ExportReport]
    adapt_options: Callable[[Options], Options] = _as_given
    choose: plan.Choose = plan.choose


# To add a target: write a module with a `write(plan, *, pool, progress, cancelled)` that returns an
# ExportReport, and add one line here. The command line, the dialog and one parametrized test use
# this table.
TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("folder", "Folder", folder.write),
        Target("gallery", "Web gallery", gallery.write, gallery.adapt_options),
        Target("sidecar", "Sidecars", sidecar.write, sidecar.adapt_options, sidecar.choose),
    )
}


def make_plan(photos: Iterable[PhotoDetail], options: Options) -> Plan:
    """Plan the export of a scope; see :func:`curator.export.plan.make_plan`.

    Raises:
        UsageError: the target is unknown.
        KnownError: as there.
    """
    if options.target not in TARGETS:
        raise UsageError(
            f"Unknown export target {options.target}.", f"Targets: {', '.join(TARGETS)}."
        )
    target = TARGETS[options.target]
    return plan.make_plan(photos, target.adapt_options(options), target.choose)


def write(
    plan: Plan,
    progress: Progress = lambda done, total, name: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Carry out a plan with its target; see :func:`curator.export.writing.write_files`.

    Raises:
        BusyError, KnownError: as there.
    """
    return TARGETS[plan.options.target].write(plan, progress=progress, cancelled=cancelled)
