"""The export verb: plan, then do, with progress on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from curator.catalog import PhotoDetail
from curator.cli.invocation import Invocation
from curator.cli.output import size
from curator.cli.progress import bar
from curator.cli.tastes import scored
from curator.export import TARGETS, Options, Plan, Report, make_plan
from curator.model import Clause, NotFoundError, counted
from curator.settings import absolute

if TYPE_CHECKING:
    from curator.session import Learned, Table

TITLES = {Clause.STARS: "4-5 stars", Clause.PICK: "picked, no stars", Clause.MATCH: "3 and match"}


def export(invocation: Invocation) -> None:
    """Copy the approved photos of the scope into a folder, or say what that would do."""
    table, known = scored(invocation)
    plan = make_plan(_scope(invocation, table), _options(invocation, known))
    if invocation.arguments.dry_run:
        invocation.output.answer({"dry_run": True, **plan.summary()}, _planned(plan))
        return
    with bar("Exporting", len(plan.chosen)) as advance:
        report = TARGETS[invocation.arguments.target].write(plan, progress=advance)
    document = {**plan.summary(), **report.summary(), "dry_run": False}
    invocation.output.answer(document, _reported(report))


def _options(invocation: Invocation, known: Learned | None) -> Options:
    arguments, settings = invocation.arguments, invocation.settings
    return Options(
        folder=absolute(arguments.folder),
        approve=arguments.approve or frozenset(Clause),
        form=arguments.form or settings.export.form,
        long_edge_px=arguments.long_edge or settings.export.long_edge_px,
        jpeg_quality=settings.export.jpeg_quality,
        threshold=settings.taste.match_threshold,
        location=not arguments.no_location,
        sources=tuple(Path(row.path) for row in invocation.catalog.folders() if row.recursive),
        scores=known.by_id() if known else {},
        match_model=known.name if known else None,
    )


def _scope(invocation: Invocation, table: Table) -> list[PhotoDetail]:
    """Read the photos of the scope: those of ``--scope FOLDER``, or of every folder that is on."""
    rows = table.alive()
    if invocation.arguments.scope:
        folder = absolute(invocation.arguments.scope)
        inside = table.inside(str(folder))
        if not inside.any():
            raise NotFoundError(
                f"No photo of the catalog lies in {folder}.", "`curator folders` lists those read."
            )
        rows &= inside
    return list(invocation.catalog.details(table.ids[rows].tolist()))


def _planned(plan: Plan) -> list[str]:
    summary = plan.summary()
    new = int(str(summary["new_files"]))
    lines = [f"{TITLES[clause]:<18}{plan.approved[clause]:>7,}" for clause in Clause]
    lines.append(
        f"{counted(len(plan.chosen), 'photo')}, {counted(new, 'file')} to write"
        f" ({size(plan.bytes_to_write)}), {summary['unchanged_files']:,} there already."
    )
    lines += [f"withdrawn, the file stays: {entry['filename']}" for entry, _ in plan.leaving]
    lines += [f"changed since its export, left as it is: {name}" for name in plan.edited]
    lines += [f"{skip.path}: {skip.reason}" for skip in plan.skipped]
    return lines


def _reported(report: Report) -> list[str]:
    lines = [
        f"{counted(report.photos, 'photo')} in {report.folder}:"
        f" {counted(len(report.written), 'file')} written"
        f" ({size(report.bytes)}), {report.kept:,} there already."
    ]
    lines += [f"withdrawn, the file stays: {name}" for name in report.withdrawn]
    lines += [f"changed since its export, left as it is: {name}" for name in report.edited]
    lines += [f"{skip.path}: {skip.reason}" for skip in report.failed]
    return lines
