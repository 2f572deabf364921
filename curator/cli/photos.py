"""Verbs about photos: list them, mark them, undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from curator.catalog import PhotoDetail
from curator.cli.faces import faces_document
from curator.cli.invocation import Invocation
from curator.cli.output import columns, step_document
from curator.cli.scores import predictions_for, scored
from curator.cli.text import text_document
from curator.model import (
    STACK_KINDS,
    Label,
    Marks,
    Step,
    UsageError,
    counted,
    keep_fields,
    pick_fields,
    rating_fields,
    reject_fields,
)

if TYPE_CHECKING:
    from curator.library.table import Table


def photos(invocation: Invocation) -> None:
    """List photos, filtered and sorted as in the window."""
    from curator.library.filters import approved, mask, parse
    from curator.library.sort_orders import ORDERS, sorted_ids

    arguments = invocation.arguments
    if arguments.sort not in ORDERS:
        raise UsageError(f"--sort must be one of {', '.join(ORDERS)}, not {arguments.sort}.")
    query = parse(arguments.filter)
    if query.groups:
        invocation.index_words()
    table, _ = scored(invocation)
    threshold = invocation.settings.taste.match_threshold
    clauses = approved(table, threshold)
    rows = mask(query, table, threshold) & table.alive()
    question = ORDERS[arguments.sort].question
    if question is not None:  # only the learner knows the values to sort by
        found = table.ids[rows]
        answer = question(invocation.learner, found.tolist())
        table.scores.set_sort_values(arguments.sort, found, answer)
    ids = sorted_ids(table, rows, arguments.sort, arguments.reverse, units=False).tolist()
    ids = ids[: arguments.limit]
    stacks, projects = _stacks(table), invocation.catalog.projects.names_of(ids)
    listed = [
        _listed(detail)
        | {"match_score": table.scores.match_of(detail.id), "projects": projects.get(detail.id, ())}
        | {"approved": clauses.get(detail.id)}
        | stacks.get(detail.id, {})
        for detail in in_order(invocation, ids)
    ]
    heads = ("id", "name", "taken", "verdict", "stars", "flag", "label", "sharpness", "match", "")
    lines = columns([heads, *(_line(photo) for photo in listed)]) if listed else ["No photos."]
    invocation.output.answer(listed, lines)


def in_order(invocation: Invocation, ids: list[int]) -> Iterable[PhotoDetail]:
    """Read photos in the order of ``ids``; photos merged away meanwhile are left out."""
    found = {detail.id: detail for detail in invocation.catalog.photos.details(ids)}
    return [found[photo_id] for photo_id in ids if photo_id in found]


def _listed(photo: PhotoDetail) -> dict[str, Any]:
    marks, capture = photo.marks, photo.capture
    return {
        "id": photo.id,
        "name": photo.name,
        "path": photo.path,
        "files": [file.path for file in photo.files],
        "status": photo.state or ("ok" if photo.quality is not None else "waiting"),
        "reason": photo.reason,
        "verdict": marks.verdict,
        "kept": marks.kept,
        "seen": photo.seen_at is not None,
        "taken_at": capture.taken_at,
        **capture.facts(),
        "sharpness": photo.scores.sharpness if photo.scores else None,
        "exposure": photo.scores.exposure if photo.scores else None,
        "faces": faces_document(photo.faces, (capture.width or 0, capture.height or 0)),
        "text": text_document(photo.text, (capture.width or 0, capture.height or 0)),
        "basis": photo.basis,
        "damage": photo.damage,
        "rating": marks.rating,
        "flag": marks.flag,
        "label": marks.label,
        "match_score": None,
        "approved": None,
        "tags": [asdict(tag) for tag in photo.tags],
        "stack": None,
        "stack_kind": None,
        "proposed": False,
        "projects": [],
    }


def _stacks(table: Table) -> dict[int, dict[str, Any]]:
    """Describe the stack of each stacked photo, by photo id, as fields of its JSON.

    ``stack`` is the smallest photo id in it, ``stack_kind`` is ``hand`` if the stack was made by
    hand, and ``proposed`` whether this photo is its suggested best.
    """
    import numpy as np

    rows = np.flatnonzero(table.stacks.shared())
    _, where = np.unique(table.stacks.names[rows], return_inverse=True)
    smallest = np.full(len(rows), np.iinfo(np.int64).max)
    np.minimum.at(smallest, where, table.ids[rows])
    columns = (
        table.ids[rows],
        smallest[where],
        table.column("stack_kind")[rows],
        table.column("stacked")[rows] > 0,
        table.stacks.suggested_at(rows),
    )
    return {
        photo: {
            "stack": stack,
            "stack_kind": "hand" if by_hand else STACK_KINDS[kind],
            "proposed": proposed,
        }
        for photo, stack, kind, by_hand, proposed in zip(
            *(column.tolist() for column in columns), strict=True
        )
    }


def _line(photo: dict[str, Any]) -> tuple[object, ...]:
    taken = photo["taken_at"]
    return (
        photo["id"],
        photo["name"],
        taken.strftime("%Y-%m-%d %H:%M:%S") if taken else "",
        photo["verdict"].value,
        "*" * (photo["rating"] or 0),
        photo["flag"] or "",
        photo["label"] or "",
        photo["sharpness"],
        photo["match_score"],
        "" if photo["status"] == "ok" else photo["status"],
    )


def mark(invocation: Invocation) -> None:
    """Rate, flag or label photos, as one undo step."""
    arguments, catalog = invocation.arguments, invocation.catalog
    act, fields = _decision(arguments)
    ids = list(dict.fromkeys(catalog.photos.find(name) for name in arguments.photos))
    marked = {photo.id: photo for photo in catalog.photos.details(ids)}
    what = marked[ids[0]].name if len(ids) == 1 else counted(len(ids), "photo")
    changes = {photo_id: fields(marked[photo_id].marks) for photo_id in ids}
    step = catalog.journal.decide(
        changes,
        summary=f"{act}: {what}",
        context={"from": "command line"},
        expected=predictions_for(invocation, changes),
    )
    line = step.summary if step.id else f"{what}: {act.lower()} already."
    invocation.output.answer(step_document(step), [line])


def _decision(arguments: Any) -> tuple[str, Callable[[Marks], dict[str, object]]]:
    """Return the name of the step and the fields it sets, the same as by key in the window."""
    if arguments.rate is not None:
        stars = counted(arguments.rate, "star") if arguments.rate else "No stars"
        return stars, lambda marks: rating_fields(marks, arguments.rate)
    if arguments.keep:
        return "Keep", keep_fields
    if arguments.pick:
        return "Pick", pick_fields
    if arguments.reject:
        return "Reject", reject_fields
    if arguments.unflag:
        return "Unflag", lambda _: {"flag": None}
    if arguments.label:
        label = None if arguments.label == "none" else Label(arguments.label)
        return f"{label or 'No'} label".capitalize(), lambda _: {"label": label}
    return "Clear", lambda _: {"flag": None, "rating": None, "label": None, "kept": False}


def undo(invocation: Invocation) -> None:
    """Undo the last mark, or the last N, including those made in the window."""
    _repeat(invocation, invocation.catalog.journal.undo, "undone", "Nothing to undo.")


def redo(invocation: Invocation) -> None:
    """Redo what was undone."""
    _repeat(invocation, invocation.catalog.journal.redo, "redone", "Nothing to redo.")


def _repeat(
    invocation: Invocation, move: Callable[[], Step | None], name: str, nothing: str
) -> None:
    steps: list[Step] = []
    while len(steps) < invocation.arguments.times and (step := move()) is not None:
        steps.append(step)
    document = {
        name: [
            {
                "step": step.id,
                "summary": step.summary,
                "photos": sorted({change.photo_id for change in step.changes}),
            }
            for step in steps
        ]
    }
    invocation.output.answer(document, [step.summary for step in steps] or [nothing])
