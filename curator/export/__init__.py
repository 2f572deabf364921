"""TARGETS: how the approved set leaves the house.

An export asks three things in order: :func:`~curator.export.plan.make_plan` says what would
happen and touches nothing (this is the dry run), the target's ``write`` does it, and the
:class:`~curator.export.plan.Report` says what was done, in numbers and names.

    plan = make_plan(photos_of_the_scope, Options(folder=Path("out")))
    report = TARGETS["folder"].write(plan)

Photos that are not in the scope given are neither exported nor withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curator.export import folder
from curator.export.plan import Options, Plan, Report, make_plan

__all__ = ["TARGETS", "Options", "Plan", "Report", "Target", "make_plan"]


@dataclass(frozen=True, slots=True)
class Target:
    """One way out: a name for ``--target``, a title for the dialog, and the act itself."""

    name: str
    title: str
    write: Callable[..., Report]


# To add a target: write a module with a `write(plan, *, pool, progress, cancelled) -> Report` and
# add one line here. The command line, the dialog and one parametrised test follow.
TARGETS: dict[str, Target] = {
    target.name: target for target in (Target("folder", "Folder with a manifest", folder.write),)
}
