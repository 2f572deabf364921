"""The sentences about a plan for an import: how many, which names, what stays, whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from curator.importing import report
from curator.importing.card_files import ItemKind
from curator.importing.plan import ImportPlan, Room
from curator.model import bidi_safe, counted
from curator.ui.widgets import words

_MOST = 40  # lines of the tooltip


def act(plan: ImportPlan) -> str:
    """Return what the button does: ``Import 904 photos``; for proved copies ``Check 3 photos``."""
    new = plan.new
    items = new or plan.items
    photos = sum(item.item.kind is ItemKind.PHOTO for item in items)
    what = words.photos(photos) if photos else counted(len(items), "file")
    return f"{'Import' if new or not items else 'Check'} {what}"


def contents(plan: ImportPlan, card: object) -> str:
    """Return what is on one card: ``904 photos, 12 videos · 21.4 GB``."""
    items = [item for item in plan.contents.items if item.main.card == card]
    kinds = [(ItemKind.PHOTO, "photo"), (ItemKind.VIDEO, "video"), (ItemKind.AUDIO, "recording")]
    counts = [(sum(item.kind is kind for item in items), name) for kind, name in kinds]
    text = ", ".join(counted(number, name) for number, name in counts if number)
    return f"{text} · {words.size(sum(i.bytes for i in items))}" if text else "No photos"


def folder_examples(plan: ImportPlan) -> list[str]:
    """Return the folders that the import uses, in the order of capture."""
    names = (PurePosixPath(file.name).parent for item in plan.items for file in item.files)
    return [str(folder) for folder in dict.fromkeys(names) if folder.name]


def name_examples(plan: ImportPlan) -> list[str]:
    """Return the names of the first files, and an ellipsis for the others."""
    names = [PurePosixPath(file.name).name for item in plan.items for file in item.files[:2]]
    return [*names[: report.NAMED], *(["…"] if len(names) > report.NAMED else [])]


def shortened(names: Sequence[str]) -> str:
    """Join names for a line of the dialog, at most three; its tooltip has more."""
    return report.shortened([*map(bidi_safe, names)])


def room(found: Room) -> str:
    """Return the room at a destination: ``21.4 GB of 412.0 GB free``."""
    if not found.is_enough:
        short = words.size(found.needed - found.free)
        return f"Not enough room: {words.size(found.needed)} needed, {short} too little."
    return f"{words.size(found.needed)} needed · {words.size(found.free)} free"


def consequences(plan: ImportPlan) -> tuple[str, str]:
    """Return what the sentence of a plan leaves out, line by line, and names for a tooltip."""
    lines: list[str] = []
    names: list[str] = []

    def add(line: str, details: Sequence[str] = ()) -> None:
        lines.append(line)
        names.extend((line.partition(":")[0], *details) if details else ())

    if plan.renamed:
        pairs = [f"{old.rpartition('/')[2]} → {new}" for old, new in plan.renamed]
        number = counted(len(pairs), "file")
        verb = "gets" if len(pairs) == 1 else "get"
        add(f"{number} {verb} another name: {shortened(pairs)}", pairs)
    if plan.undated:
        add(f"{words.photos(plan.undated)} without a capture time: dated by the file.")
    if plan.unreadable:
        reasons = [f"{path}: {reason}" for path, reason in plan.unreadable]
        number = counted(len(reasons), "file")
        add(f"{number} cannot be read and will not be copied: {shortened(reasons)}", reasons)
    if plan.contents.others:
        others = [file.relative for file in plan.contents.others]
        files, verb = counted(len(others), "other file"), "stays" if len(others) == 1 else "stay"
        add(f"{files} {verb} on the card: {shortened(others)}", others)
    where = [each.where[0] for each in plan.known if each.where]
    names += ["In the library already", *where] if where else []
    return "\n".join(lines), "\n".join(names[:_MOST])
