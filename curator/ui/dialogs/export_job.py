"""Planning for the export dialog, and the sentences about a plan and a finished export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from curator.catalog import Catalog, PhotoDetail
from curator.export import ExportReport, Options, Plan, make_plan
from curator.model import counted
from curator.ui.dialogs.jobs import Job
from curator.ui.widgets import words


def planned(job: Job, catalog_path: Path, ids: Sequence[int], options: Options) -> Plan:
    """Plan an export over a catalog connection of this thread.

    Raises:
        KnownError: as :func:`curator.export.make_plan`.
    """
    with closing(Catalog.open(catalog_path)) as catalog:
        options = replace(options, projects=catalog.projects.names_of(ids))
        return make_plan(_details(job, catalog, ids), options)


def _details(job: Job, catalog: Catalog, ids: Sequence[int]) -> Iterator[PhotoDetail]:
    for photo in catalog.photos.details(ids):
        job.check_stopped()
        yield photo


def outcome(plan: Plan) -> str:
    """Summarize a plan in one line: ``185 photos, 212 files, 6.1 GB; 12 already there``."""
    summary = plan.summary()
    files = int(str(summary["files"]))
    new = int(str(summary["new_files"])) + int(str(summary["changed_files"]))
    unchanged = int(str(summary["unchanged_files"]))
    if not files:
        return "Nothing to export."
    size = words.size(plan.bytes_to_write)
    about = "about " if plan.options.form == "jpeg" else ""
    text = f"{words.photos(len(plan.chosen))}, {counted(files, 'file')}"
    text += f", {about}{size} to write" if new else ", all already exported"
    return text + (f"; {words.count(unchanged)} already exported" if unchanged and new else "")


def consequences(plan: Plan) -> str:
    """Return what else a plan does, one sentence a line."""
    lines = []
    withdrawn = "listed as withdrawn in photos.json; the files stay."
    if plan.not_approved:
        lines.append(f"No longer approved: {words.photos(len(plan.not_approved))}, {withdrawn}")
    if plan.not_in_project:
        photos = words.photos(len(plan.not_in_project))
        lines.append(f"No longer in the project: {photos}, {withdrawn}")
    if plan.edited:
        lines.append(
            f"Edited since the last export, and kept: {counted(len(plan.edited), 'file')}."
        )
    if plan.located:
        lines.append(f"Location included in {words.photos(plan.located)}.")
    elif plan.options.removes_location and plan.chosen:
        lines.append("exiftool removes the location from each copy; originals are not changed.")
    if plan.skipped:
        skipped = words.photos(len(plan.skipped))
        lines.append(f"{skipped} cannot be exported: {plan.skipped[0].reason}")
    return "\n".join(lines)


def report_texts(report: ExportReport) -> tuple[str, str]:
    """Return what an export did, and what failed."""
    text = f"{counted(len(report.written), 'file')} written, {words.size(report.bytes)}"
    text += f"; {words.count(report.unchanged)} already exported." if report.unchanged else "."
    if report.cancelled:
        text = f"Stopped. {text} Export again to continue."
    lines = [f"Saved to {report.folder} (with photos.json)"]
    lines += [f"{skip.path}: {skip.reason}" for skip in report.failed[:5]]
    if len(report.failed) > 5:
        lines.append(f"and {len(report.failed) - 5} more that could not be exported")
    return text, "\n".join(lines)
