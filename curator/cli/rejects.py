"""The verb about rejects: list them with their size, restore them, or delete their files."""

from __future__ import annotations

from typing import Any

from curator import removal
from curator.catalog import PhotoDetail
from curator.cli.invocation import Invocation
from curator.cli.output import bar, columns, size
from curator.cli.photos import in_order
from curator.model import UsageError, counted
from curator.removal import RemovalPlan


def rejects(invocation: Invocation) -> None:
    """List rejected photos, restore them, or delete their files.

    `restore` is one undo step. `empty` lists exactly which files would be removed: both files of
    pairs, and sidecars that belong only to them. Then it asks, unless --yes is given, and moves
    them to the trash, or with --permanent deletes them. Other files beside them and copies in other
    folders stay.

    Raises:
        UsageError: ``--permanent`` was given without ``empty``.
    """
    invocation.update_folders()
    act = invocation.arguments.act
    if invocation.arguments.permanent and act != "empty":
        raise UsageError("--permanent goes with `rejects empty`.")
    removal.note_interrupted(invocation.catalog.removal)
    photos = list(in_order(invocation, _rejected(invocation)))
    if act == "restore":
        _restore(invocation, [photo.id for photo in photos])
    elif act == "empty":
        _empty(invocation, photos)
    else:
        _list(invocation, photos)


def _rejected(invocation: Invocation) -> list[int]:
    from curator.library.sort_orders import sorted_ids
    from curator.library.table import Table

    catalog, table = invocation.catalog, Table(invocation.catalog)
    ids = sorted_ids(table, table.rejected() & table.alive(), "taken", units=False).tolist()
    if invocation.arguments.photos:
        wanted = {catalog.photos.find(name) for name in invocation.arguments.photos}
        ids = [photo_id for photo_id in ids if photo_id in wanted]
    return list(ids)


def _list(invocation: Invocation, photos: list[PhotoDetail]) -> None:
    listed: list[dict[str, Any]] = [
        {
            "id": photo.id,
            "name": photo.name,
            "path": photo.path,
            "files": [file.path for file in photo.files],
            "bytes": sum(file.size for file in photo.files if not file.missing),
        }
        for photo in photos
    ]
    total = sum(photo["bytes"] for photo in listed)
    lines = columns([(p["id"], p["name"], size(p["bytes"]), p["path"]) for p in listed])
    invocation.output.answer(listed, [*lines, f"{counted(len(listed), 'reject')}, {size(total)}."])


def _restore(invocation: Invocation, ids: list[int]) -> None:
    step = invocation.catalog.journal.decide(
        {photo_id: {"flag": None} for photo_id in ids},
        summary=f"Restore: {counted(len(ids), 'photo')}",
        context={"from": "command line"},
    )
    invocation.output.answer(
        {"restored": ids, "step": step.id or None},
        [f"{counted(len(ids), 'reject')} restored." if ids else "No rejects."],
    )


def _empty(invocation: Invocation, photos: list[PhotoDetail]) -> None:
    permanent, catalog = invocation.arguments.permanent, invocation.catalog
    shown = removal.plan(photos, permanently=permanent)
    for line in _listed(shown):
        invocation.output.note(line)
    where = "deleted permanently" if permanent else "moved to the trash"
    sentence = f"{counted(len(shown.going), 'file')}, {size(shown.bytes)} will be {where}."
    if shown.going and not invocation.confirm(sentence, "No files were deleted."):
        return
    with bar("Removing") as advance:
        report = removal.remove(
            shown,
            [catalog.photos.get(photo.id) for photo in photos],
            delete=removal.delete_permanently if permanent else removal.trash,
            ledger=catalog.removal,
            progress=advance,
        )
    document = {
        "removed": report.removed,
        "photos": report.photos,
        "bytes": report.bytes,
        "left": [{"path": path, "reason": reason} for path, reason in report.left],
        "stays": shown.staying(),
    }
    freed = "freed" if permanent else "freed once the trash is emptied"
    lines = [f"{path}: {reason}" for path, reason in report.left]
    lines.append(
        f"{counted(len(report.removed), 'file')} of {counted(report.photos, 'photo')} {where}:"
        f" {size(report.bytes)}, {freed}."
    )
    invocation.output.answer(document, lines)


def _listed(shown: RemovalPlan) -> list[str]:
    """Return lines that list each file to be removed, and which stay and why."""
    lines = columns([(size(file.size), file.path) for file in shown.going])
    others = [file.path for file in shown.files if not file.ticked and not file.stays]
    if others:
        lines += ["Other files next to them are kept:", *(f"  {path}" for path in others)]
    lines += [f"{counted(n, 'file')} skipped: {why}" for why, n in shown.staying().items()]
    return lines
