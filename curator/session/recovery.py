"""Sentences about a backup and about a restored catalog, for the window and the terminal."""

from __future__ import annotations

from curator.catalog import Backup, RestoreReport
from curator.library.captions import format_time
from curator.model import counted


def backup_title(backup: Backup) -> str:
    """Return when a backup was made, and its size: "yesterday 18:04 (12,031 photos)"."""
    day = format_time(backup.made_at)
    day = f"today {day}" if " " not in day else day
    return f"{day} ({counted(backup.photos, 'photo')})"


def restore_lines(restored: RestoreReport) -> list[str]:
    """Return what was restored and recovered, and where the former catalog is."""
    backup, redone = restored.backup, restored.redone
    decisions = counted(backup.decisions, "decision")
    lines = [f"The catalog is now the backup from {backup_title(backup)}, with {decisions}."]
    if restored.aside is None:
        return [*lines, "Decisions made since then are lost with the missing catalog."]
    if redone is not None:
        if redone.photos:
            lines.append(f"Recovered {counted(redone.photos, 'photo')} added since then.")
        if redone.decisions:
            lines.append(f"Recovered {counted(redone.decisions, 'decision')} made since then.")
        if redone.orphaned:
            number = counted(redone.orphaned, "decision")
            lines.append(f"{number} about photos that could not be read: lost.")
        if not redone.whole:
            which = "Later decisions" if redone.decisions else "Decisions made since then"
            lines.append(f"{which} could not be read in the damaged catalog.")
        elif not redone.related:
            lines.append("The damaged catalog does not continue this backup: nothing recovered.")
        elif not redone.steps:
            lines.append("No decisions were made since then.")
    return [*lines, f"The former catalog is kept: {restored.aside}"]
