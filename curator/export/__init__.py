"""TARGETS: how the approved set leaves the house.

An export asks three things in order: :func:`make_plan` says what would happen and touches nothing
(this is the dry run), :func:`write` does it, and the :class:`~curator.export.plan.ExportReport`
says what was done, in numbers and names.

    plan = make_plan(photos_of_the_scope, Options(folder=Path("out"), target="gallery"))
    report = write(plan)

Photos that are not in the scope given are neither exported nor withdrawn. `options` what is wanted,
`sources` which files of a photo that is, `naming` and `claims` what they are called, `plan` what is
to be done, `sizes` how large JPEGs will be, `rendering` and `render` make them, `location` copies
of originals without it, `writing` puts files in place and `manifest` lists them; `place` opens the
target outside of originals, `alone` keeps two exports apart; `presets` choices with a name.
Whatever is done in a target is done in a :mod:`curator.opened_folder`.
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
    """One way out: a name for ``--target``, a title for the dialog, and the act itself.

    ``settle`` brings what was chosen to what the target makes of it (a page is made of JPEGs);
    ``choose`` says which files that is, for a target that makes others.
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
    """Say what exporting a scope would do; see :func:`curator.export.plan.make_plan`.

    Raises:
        UsageError: there is no such target.
        KnownError: as there.
    """
    if options.target not in TARGETS:
        raise UsageError(
            f"There is no export target {options.target}.", f"Targets: {', '.join(TARGETS)}."
        )
    target = TARGETS[options.target]
    return plan.make_plan(photos, target.adapt_options(options), target.choose)


def write(
    plan: Plan,
    progress: Progress = lambda done, total, name: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Do what a plan says, by its target; see :func:`curator.export.writing.write_files`.

    Raises:
        BusyError, KnownError: as there.
    """
    return TARGETS[plan.options.target].write(plan, progress=progress, cancelled=cancelled)
