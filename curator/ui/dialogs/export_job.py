"""The plan of the export dialog, and the words for what is to come of it and what came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from curator.catalog import Catalog, PhotoDetail
from curator.export import ExportReport, Options, Plan, make_plan
from curator.model import counted
from curator.ui.dialogs.jobs import Job
from curator.ui.widgets import words


def planned(job: Job, catalog_path: Path, ids: Sequence[int], options: Options) -> Plan:
    """Work out a plan over a connection of this thread's own.

    Raises:
        KnownError: as :func:`curator.export.make_plan`.
    """
    catalog = Catalog.open(catalog_path)
    try:
        options = replace(options, projects=catalog.projects.names_of(ids))
        return make_plan(_details(job, catalog, ids), options)
    finally:
        catalog.close()


def _details(job: Job, catalog: Catalog, ids: Sequence[int]) -> Iterator[PhotoDetail]:
    for photo in catalog.photos.details(ids):
        job.check_stopped()
        yield photo


def outcome(plan: Plan) -> str:
    """Say the dry run in one line: ``185 photos, 212 files, 6.1 GB; 12 already there``."""
    told = plan.summary()
    files = int(str(told["files"]))
    new = int(str(told["new_files"])) + int(str(told["changed_files"]))
    there = int(str(told["unchanged_files"]))
    if not files:
        return "Nothing to export."
    size = words.size(plan.bytes_to_write)
    about = "about " if plan.options.form == "jpeg" else ""
    text = f"{words.photos(len(plan.chosen))}, {counted(files, 'file')}"
    text += f", {about}{size} to write" if new else ", all already there"
    return text + (f"; {words.count(there)} already there" if there and new else "")


def consequences(plan: Plan) -> str:
    """Say what else the plan found, one sentence a line."""
    lines = []
    if plan.leaving:
        lines.append(
            f"{words.photos(len(plan.leaving))} no longer approved: marked as withdrawn in "
            "photos.json, files stay."
        )
    if plan.gone:
        lines.append(
            f"{words.photos(len(plan.gone))} no longer in the project: marked as withdrawn, "
            "files stay."
        )
    if plan.edited:
        lines.append(f"{counted(len(plan.edited), 'file')} there were changed since: kept.")
    if plan.located:
        lines.append(f"Location included: {words.photos(plan.located)} say where they were taken.")
    elif plan.options.removes_location and plan.chosen:
        lines.append("exiftool removes the location from each copy; originals stay as they are.")
    if plan.skipped:
        lines.append(f"{words.photos(len(plan.skipped))} cannot go: {plan.skipped[0].reason}")
    return "\n".join(lines)


def told(report: ExportReport) -> tuple[str, str]:
    """Say what an export did, and what it could not do."""
    text = f"{counted(len(report.written), 'file')} written, {words.size(report.bytes)}"
    text += f"; {words.count(report.unchanged)} were there already." if report.unchanged else "."
    if report.cancelled:
        text = f"Stopped. {text} Export again to go on where it stopped."
    lines = [f"Saved to {report.folder} (with photos.json)"]
    lines += [f"{skip.path}: {skip.reason}" for skip in report.failed[:5]]
    if len(report.failed) > 5:
        lines.append(f"and {len(report.failed) - 5} more that could not be exported")
    return text, "\n".join(lines)
