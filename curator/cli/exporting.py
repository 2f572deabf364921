"""The export verb: plan, then write, with progress on a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from curator.cli.invocation import Invocation
from curator.cli.output import bar, size
from curator.cli.scores import scored
from curator.home import absolute
from curator.model import NotFoundError, counted

if TYPE_CHECKING:
    from curator.export import ExportReport, Options, Plan
    from curator.learning.stored_scores import Scores
    from curator.library.table import Table


def export(invocation: Invocation) -> int | None:
    """Export the approved photos as copies, JPEGs or a web gallery, with a photos.json.

    Returns:
        1 if nothing was exported although photos were to be, else None.
    """
    from curator.export import make_plan, write

    invocation.update_folders()
    settings = invocation.settings
    table, known = scored(invocation)
    options = _options(invocation, table, known)
    project = invocation.arguments.project
    if project is not None:
        ids, options = _project(invocation, project, options)
    else:
        ids = _scope(invocation, table)
    if invocation.arguments.photos:
        ids, options = _chosen(invocation, ids), replace(options, partial=True)
    options = replace(options, projects=invocation.catalog.projects.names_of(ids))
    plan = make_plan(invocation.catalog.photos.details(ids), options)
    if invocation.arguments.dry_run:
        lines = _planned(plan, settings.approval.rule)
        invocation.output.answer({"dry_run": True, **plan.summary()}, lines)
        return None
    with bar("Exporting", len(plan.chosen)) as advance:
        report = write(plan, progress=advance)
    document = {**plan.summary(), **report.summary(), "dry_run": False}
    invocation.output.answer(document, _reported(plan, report))
    return 1 if not report.photos and (plan.skipped or report.failed) else None


def _options(invocation: Invocation, table: Table, known: Scores | None) -> Options:
    from curator.export.presets import find
    from curator.library.approval import chosen_clauses
    from curator.library.export_options import base_options
    from curator.library.filters import approved

    arguments, settings = invocation.arguments, invocation.settings
    given = {
        "target": arguments.target,
        "form": arguments.form,
        "long_edge_px": arguments.long_edge,
        "jpeg_quality": arguments.quality,
        "sharpen": arguments.sharpen,
        "metadata": "no_location" if arguments.no_location else arguments.metadata,
        "pair": arguments.pair,
        "names": arguments.names,
    }
    choices = settings.export
    if arguments.preset:
        choices = find(invocation.home, arguments.preset).choices
    rule = settings.approval.rule
    given = {name: value for name, value in given.items() if value is not None}
    choices = choices.model_copy(update=given)
    folder, sources = absolute(arguments.folder), invocation.catalog.folders.all()
    return replace(
        base_options(settings, invocation.home, folder, choices, sources),
        clauses=approved(table, settings.taste.match_threshold),
        approve=chosen_clauses(rule, arguments.approve) if arguments.approve else None,
        scores=known.by_id() if known else {},
        match_model=known.name if known else None,
        title=arguments.title or "",
    )


def _project(invocation: Invocation, name: str, options: Options) -> tuple[list[int], Options]:
    """Return the photos of a project in their order, and its options."""
    project = invocation.catalog.projects.find(name)
    ids = invocation.catalog.projects.members(project.id)
    options = replace(options, project=project.name, order=tuple(ids), notes=project.notes)
    return ids, options


def _scope(invocation: Invocation, table: Table) -> list[int]:
    """Return the photos of ``--scope FOLDER``, or of all folders that are switched on."""
    rows = table.alive()
    if invocation.arguments.scope:
        folder = absolute(invocation.arguments.scope)
        inside = table.folders.inside(str(folder))
        if not inside.any():
            raise NotFoundError(
                f"The catalog has no photos in {folder}.", "`curator folders` lists its folders."
            )
        rows &= inside
    return list(table.ids[rows].tolist())


def _chosen(invocation: Invocation, scope: list[int]) -> list[int]:
    """Return the photos named on the command line, in the order of the scope.

    Raises:
        NotFoundError: one of them is not in the catalog, or not in the scope.
    """
    named = {invocation.catalog.photos.find(word): word for word in invocation.arguments.photos}
    outside = named.keys() - set(scope)
    if outside:
        raise NotFoundError(
            f"{named[min(outside)]} is not among the photos to export from.",
            "Leave out --project or --scope, or name photos that are in it.",
        )
    return [photo for photo in scope if photo in named]


def _planned(plan: Plan, rule: str) -> list[str]:
    from curator.library.approval import NO_SCORES, all_clauses

    summary = plan.summary()
    new = int(str(summary["new_files"])) + int(str(summary["changed_files"]))
    about = "about " if plan.options.jpeg_edges else ""
    clauses = all_clauses(rule)
    width = max(len(clause.title) for clause in clauses)
    lines = []
    for clause in clauses:
        line = f"{clause.title:<{width}}{plan.approved[clause.name]:>7,}"
        unscored = not plan.options.scores and clause.needs_scores
        lines.append(f"{line}  {NO_SCORES}" if unscored else line)
    lines.append(
        f"{counted(len(plan.chosen), 'photo')}, {counted(new, 'file')} to write"
        f" ({about}{size(plan.bytes_to_write)}), {summary['unchanged_files']:,} unchanged."
    )
    lines += _location(plan)
    withdrawn = plan.withdrawn()
    lines += [f"no longer approved, the file stays: {entry['filename']}" for entry in withdrawn]
    lines += [f"edited since its export, not overwritten: {name}" for name in plan.edited]
    lines += [f"{skip.path}: {skip.reason}" for skip in plan.skipped]
    return lines


def _location(plan: Plan) -> list[str]:
    """Return the lines that say whether exported files contain locations."""
    if plan.located:
        number = counted(plan.located, "photo")
        return [f"location included: {number} with GPS (--no-location removes it)"]
    if plan.options.removes_location and plan.chosen:
        return ["location removed from each copy by exiftool"]
    return [] if plan.options.location else ["location removed"]


def _reported(plan: Plan, report: ExportReport) -> list[str]:
    lines = [
        f"{counted(report.photos, 'photo')} in {report.folder}:"
        f" {counted(len(report.written), 'file')} written"
        f" ({size(report.bytes)}), {report.unchanged:,} there already."
    ]
    lines += _location(plan)
    lines += [f"no longer approved, the file stays: {name}" for name in report.withdrawn]
    lines += [f"edited since its export, not overwritten: {name}" for name in report.edited]
    lines += [f"{skip.path}: {skip.reason}" for skip in (*plan.skipped, *report.failed)]
    return lines
