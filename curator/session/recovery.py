"""Sentences about a backup and about a restored catalog, for the window and the terminal."""

from __future__ import annotations

from curator.catalog import Backup, RestoreReport
from curator.library.captions import when
from curator.model import counted


def titled(backup: Backup) -> str:
    """Return which backup it is: "yesterday 18:04 (12,031 photos)"."""
    day = when(backup.made_at)
    day = f"today {day}" if " " not in day else day
    return f"{day} ({counted(backup.photos, 'photo')})"


def told(restored: RestoreReport) -> list[str]:
    """Return what was restored, what became of decisions since, and where the old catalog is."""
    backup, redone = restored.backup, restored.redone
    lines = [
        f"The catalog is that of {titled(backup)}, with {counted(backup.decisions, 'decision')}."
    ]
    if restored.aside is None:
        lines.append("What was decided since is lost with the catalog that was gone.")
    elif redone is not None:
        if redone.photos:
            lines.append(f"{counted(redone.photos, 'photo')} added since could be taken over.")
        if redone.decisions:
            number = counted(redone.decisions, "decision")
            lines.append(f"{number} made since could be read in the damaged one and made again.")
        if redone.orphaned:
            number = counted(redone.orphaned, "decision")
            lines.append(f"{number} made since, about photos that could not be read: lost.")
        if not redone.whole:
            what = "What was decided after those" if redone.decisions else "What was decided since"
            lines.append(f"{what} could not be read in the damaged one.")
        elif not redone.related:
            lines.append(
                "The damaged one did not come of it: nothing decided there was made again."
            )
        elif not redone.steps:
            lines.append("Nothing was decided since.")
    if restored.aside is not None:
        lines.append(f"The former catalog is kept: {restored.aside}")
    return lines
