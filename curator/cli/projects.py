"""Verbs about projects: list them, add and remove photos, change the projects themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curator.catalog import ProjectRow
from curator.cli.invocation import Invocation
from curator.cli.output import columns, step_document
from curator.model import Changes, Field, NotFoundError, UsageError, counted

if TYPE_CHECKING:
    import numpy as np


def projects(invocation: Invocation) -> None:
    """List projects, or the photos of a project in its order."""
    arguments, catalog = invocation.arguments, invocation.catalog
    if arguments.name is not None:
        row = catalog.projects.find(arguments.name)
        ids = catalog.projects.members(row.id)
        photos = {photo.id: photo for photo in catalog.photos.details(ids)}
        listed: list[dict[str, Any]] = [
            {"id": photo, "name": photos[photo].name, "path": photos[photo].path} for photo in ids
        ]
        head = [f"{row.name}: {counted(row.count or 0, 'photo')}", *row.notes.splitlines()]
        lines = columns([(each["id"], each["name"], each["path"]) for each in listed])
        invocation.output.answer(_project_document(row) | {"photos": listed}, [*head, *lines])
        return
    approved = {} if arguments.removed else _approved(invocation)
    rows = catalog.projects.all(removed=arguments.removed)
    documents = [_project_document(row) | {"approved": approved.get(row.id, 0)} for row in rows]
    heads = ("name", "photos", "approved", "notes")
    table = [
        (row.name, row.count or 0, approved.get(row.id, 0), " ".join(row.notes.split())[:60])
        for row in rows
    ]
    nothing = "No deleted projects." if arguments.removed else "No projects yet."
    invocation.output.answer(documents, columns([heads, *table]) if rows else [nothing])


def _project_document(row: ProjectRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "notes": row.notes,
        "cover": row.cover,
        "made_at": row.made_at,
        "count": row.count,
    }


def _approved(invocation: Invocation) -> dict[int, int]:
    """Count each project's approved photos, as the window does."""
    from curator.cli.scores import scored
    from curator.library.filters import FILTERS

    table, _ = scored(invocation)
    threshold = invocation.settings.taste.match_threshold
    mask: np.ndarray = FILTERS["approved"].mask(table, threshold) & table.alive()
    return {row.id: int(mask[table.projects.inside(row.id)].sum()) for row in table.projects.rows}


def project(invocation: Invocation) -> None:
    """Add photos to a project, remove them, or change the project itself.

    Raises:
        UsageError: too few or too many words follow the name, or a new name is taken.
        NotFoundError: there is no such project or photo; nothing was changed.
    """
    _ACTS[invocation.arguments.act](invocation, invocation.arguments.words)


def _add(invocation: Invocation, words: list[str]) -> None:
    catalog, name = invocation.catalog, invocation.arguments.name
    ids = _photos(invocation, words)
    try:
        row = catalog.projects.find(name)
    except NotFoundError:
        catalog.projects.create(name)
        row = catalog.projects.find(name)
    members = set(catalog.projects.members(row.id))
    new = [photo for photo in ids if photo not in members]
    start = catalog.projects.last_position(row.id)
    _decide(
        invocation,
        row,
        {photo: start + number for number, photo in enumerate(new, 1)},
        f"Added {{}} to {row.name}",
        f"All these photos are in {row.name} already.",
    )


def _remove(invocation: Invocation, words: list[str]) -> None:
    row = invocation.catalog.projects.find(invocation.arguments.name)
    _decide(
        invocation,
        row,
        dict.fromkeys(_photos(invocation, words)),
        f"Removed {{}} from {row.name}",
        f"None of these photos is in {row.name}.",
    )


def _decide(
    invocation: Invocation,
    row: ProjectRow,
    positions: dict[int, float] | dict[int, None],
    summary: str,
    nothing: str,
) -> None:
    """Set the positions of photos in a project, None to remove, as one undo step."""
    catalog = invocation.catalog
    members = set(catalog.projects.members(row.id))
    changing = [photo for photo in positions if (photo in members) is (positions[photo] is None)]
    what = counted(len(changing), "photo")
    if len(changing) == 1:
        what = catalog.photos.get(changing[0]).name
    summary = summary.replace("{}", what, 1)
    step = catalog.journal.decide(
        _changes(row, {photo: positions[photo] for photo in changing}),
        summary=summary,
        context={"from": "command line", "act": "project", "what": what},
    )
    document = {"project": row.name, **step_document(step)}
    invocation.output.answer(document, [summary if step.id else nothing])


def _changes(row: ProjectRow, positions: Mapping[int, float | None]) -> Changes:
    """Return the changes that give photos these positions in a project."""
    changes: dict[int, dict[Field, object]] = {
        photo: {("project", row.id): position} for photo, position in positions.items()
    }
    return changes


def _photos(invocation: Invocation, words: list[str]) -> list[int]:
    if not words:
        raise UsageError("No photos were named.", "Name photos by id or by path.")
    return list(dict.fromkeys(invocation.catalog.photos.find(word) for word in words))


def _new(invocation: Invocation, words: list[str]) -> None:
    _check_no_words(words)
    invocation.catalog.projects.create(invocation.arguments.name)
    row = invocation.catalog.projects.find(invocation.arguments.name)
    invocation.output.answer(_project_document(row), [f"Created {row.name}."])


def _rename(invocation: Invocation, words: list[str]) -> None:
    row = invocation.catalog.projects.find(invocation.arguments.name)
    invocation.catalog.projects.rename(row.id, _one(words, "the new name"))
    after = invocation.catalog.projects.find(words[0])
    invocation.output.answer(_project_document(after), [f"Renamed {row.name} to {after.name}."])


def _delete(invocation: Invocation, words: list[str]) -> None:
    _check_no_words(words)
    row = invocation.catalog.projects.find(invocation.arguments.name)
    invocation.catalog.projects.remove(row.id)
    stay = f"its {counted(row.count, 'photo')} stay in the catalog" if row.count else "empty"
    line = f"Deleted {row.name}; {stay}. `curator project restore` restores it."
    invocation.output.answer(_project_document(row), [line])


def _restore(invocation: Invocation, words: list[str]) -> None:
    _check_no_words(words)
    row = invocation.catalog.projects.find(invocation.arguments.name, removed=True)
    invocation.catalog.projects.restore(row.id)
    line = f"Restored {row.name}: {counted(row.count or 0, 'photo')}."
    invocation.output.answer(_project_document(row), [line])


def _notes(invocation: Invocation, words: list[str]) -> None:
    row = invocation.catalog.projects.find(invocation.arguments.name)
    if words:
        invocation.catalog.projects.set_notes(row.id, _one(words, "the notes, in quotes"))
        row = invocation.catalog.projects.find(invocation.arguments.name)
    invocation.output.answer(_project_document(row), row.notes.splitlines() or ["No notes."])


def _cover(invocation: Invocation, words: list[str]) -> None:
    catalog = invocation.catalog
    row = catalog.projects.find(invocation.arguments.name)
    word = _one(words, "a photo, or none")
    photo = None if word == "none" else catalog.photos.find(word)
    if photo is not None:
        _require_members(invocation, row, [photo])
    catalog.projects.set_cover(row.id, photo)
    cover = "The first photo" if photo is None else catalog.photos.get(photo).name
    after = catalog.projects.find(row.name)
    invocation.output.answer(_project_document(after), [f"{cover} is the cover of {row.name}."])


def _move(invocation: Invocation, words: list[str]) -> None:
    """Move these photos to the front, in this order; the rest keeps its order."""
    catalog = invocation.catalog
    row = catalog.projects.find(invocation.arguments.name)
    first = _photos(invocation, words)
    members = _require_members(invocation, row, first)
    after = list(dict.fromkeys([*first, *members]))
    moved = [] if after == members else after
    step = catalog.journal.decide(
        _changes(row, {photo: float(position) for position, photo in enumerate(moved, 1)}),
        summary=f"Ordered {row.name}",
        context={"from": "command line", "act": "order", "what": row.name},
    )
    document = {"project": row.name, "step": step.id or None, "photos": after}
    line = f"Ordered {row.name}." if step.id else "Already in that order."
    invocation.output.answer(document, [line])


def _require_members(invocation: Invocation, row: ProjectRow, photos: Sequence[int]) -> list[int]:
    """Return the photos of a project in its order, if all of these are among them.

    Raises:
        UsageError: a photo is not in the project.
    """
    catalog = invocation.catalog
    members = catalog.projects.members(row.id)
    outside = set(photos) - set(members)
    if outside:
        raise UsageError(
            f"{catalog.photos.get(min(outside)).name} is not in {row.name}.",
            "Add it to the project first.",
        )
    return members


def _check_no_words(words: list[str]) -> None:
    if words:
        raise UsageError(
            f"{words[0]} is one word too many.", "Put a name of several words in quotes."
        )


def _one(words: list[str], what: str) -> str:
    if len(words) != 1:
        raise UsageError(
            f"Expected {what} after the project's name.", "Put several words in quotes."
        )
    return words[0]


_ACTS: dict[str, Callable[[Invocation, list[str]], None]] = {
    "add": _add,
    "remove": _remove,
    "new": _new,
    "rename": _rename,
    "delete": _delete,
    "restore": _restore,
    "notes": _notes,
    "cover": _cover,
    "move": _move,
}
ACTS = tuple(_ACTS)
