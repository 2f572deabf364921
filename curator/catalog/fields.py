"""The fields a person can decide about a photo: plain fields and relations.

A plain field is a column of the table ``photo``. A relation is about the photo and something else,
whose id is stored with the field: a tag, a project (the value is the position in it), or the photo
that was preferred less. The journal sets, undoes and redoes both kinds in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from curator.model import Fields, Flag, Label, NotFoundError, UsageError

NOTHING: dict[str, object] = {
    "flag": None,
    "rating": None,
    "label": None,
    "kept": 0,
    "stacked": None,
    "elsewhere": 0,
    "apart": 0,
}
"""The plain fields, each with its value when nobody has decided anything."""

FIELDS = tuple(NOTHING)
VERDICT = frozenset({"flag", "rating", "kept"})
"""Setting one of these fields reviews the photo."""

FieldKey = tuple[str, int | None]
"""A field as the journal names it: its name, and the id of the other thing or None."""

_WORDS = {"flag": tuple(map(str, Flag)), "label": tuple(map(str, Label))}

STANDS = "s.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM step WHERE reverts = s.id)"
"""SQL: the step s was not undone."""

NOT_REMOVED = "p.merged_into IS NULL AND p.removed_at IS NULL"
"""SQL: the photo p was neither merged into another nor removed with its folder.

Taste also learns from the marks of photos whose files were deleted with the rejects.
"""
PRESENT = f"{NOT_REMOVED} AND p.emptied_at IS NULL"
"""SQL: the photo p is not gone: neither merged, nor removed, nor emptied (its files deleted)."""
SHOWN = (
    f"{PRESENT} AND NOT EXISTS (SELECT 1 FROM directory AS d JOIN folder AS f"
    " ON f.id = d.folder_id WHERE d.id = p.directory_id AND NOT f.enabled)"
)
"""SQL: the photo p is present, and its folder is not disabled: the window shows it."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A field about a photo and something else, kept as rows of another table; None is no row.

    Attributes:
        noun: what the other end is, for messages.
        find: SQL that finds the present id of the other end by an id.
        read: SQL with the parameters (photo, about).
        upsert: SQL with the parameters (photo, about, value).
        delete: SQL with the parameters (photo, about).
        merge: SQL with the parameters (survivor, photo), for a photo merged into another.
        counter: grows whenever a decision changes one of the rows.
    """

    noun: str
    find: str
    read: str
    upsert: str
    delete: str
    merge: tuple[str, ...]
    counter: str


RELATIONS: dict[str, Relation] = {
    "tag": Relation(
        noun="tag",
        find="SELECT coalesce(merged_into, id) FROM tag WHERE id = ?",
        read="SELECT state FROM photo_tag WHERE photo_id = ? AND tag_id = ? AND source = 'person'",
        upsert="INSERT INTO photo_tag (photo_id, tag_id, source, confidence, state)"
        " VALUES (?, ?, 'person', 100, ?)"
        " ON CONFLICT (photo_id, tag_id, source) DO UPDATE SET state = excluded.state",
        delete="DELETE FROM photo_tag WHERE photo_id = ? AND tag_id = ? AND source = 'person'",
        merge=(),  # together with suggestions: `Tags.merge_photo`
        counter="tags_rev",
    ),
    "project": Relation(
        noun="project",
        find="SELECT id FROM project WHERE id = ?",
        read="SELECT place FROM photo_project WHERE photo_id = ? AND project_id = ?",
        upsert="INSERT INTO photo_project (photo_id, project_id, place) VALUES (?, ?, ?)"
        " ON CONFLICT (photo_id, project_id) DO UPDATE SET place = excluded.place",
        delete="DELETE FROM photo_project WHERE photo_id = ? AND project_id = ?",
        merge=(
            "UPDATE OR IGNORE photo_project SET photo_id = ?1 WHERE photo_id = ?2",
            # No decision records this, so readers have to read all positions again.
            "INSERT INTO meta (key, value) SELECT 'projects_anew', '1'"
            " WHERE EXISTS (SELECT 1 FROM photo_project WHERE photo_id IN (?1, ?2))"
            " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
        ),
        counter="projects_rev",
    ),
    "over": Relation(
        noun="photo",
        find="SELECT coalesce(merged_into, id) FROM photo WHERE id = ?",
        read="SELECT 1 FROM duel WHERE winner_id = ? AND loser_id = ?",
        upsert="INSERT OR IGNORE INTO duel (winner_id, loser_id) SELECT ?1, ?2 WHERE ?3",
        delete="DELETE FROM duel WHERE winner_id = ? AND loser_id = ?",
        merge=(
            "UPDATE OR IGNORE duel SET winner_id = ?1 WHERE winner_id = ?2 AND loser_id <> ?1",
            "UPDATE OR IGNORE duel SET loser_id = ?1 WHERE loser_id = ?2 AND winner_id <> ?1",
        ),
        counter="duels_rev",
    ),
}

_MAY_BE_NONE = frozenset({*FIELDS, *RELATIONS} - {"kept", "apart", "elsewhere"})


def checked(fields: Fields) -> dict[FieldKey, object]:
    """Convert fields and values to what the catalog stores.

    Raises:
        UsageError: a field does not exist or cannot have this value.
    """
    found: dict[FieldKey, object] = {}
    for key, value in fields.items():
        name, about = key if isinstance(key, tuple) else (key, None)
        if (name in RELATIONS) != (about is not None):
            raise UsageError(f"Unknown field {name}.")
        found[name, about] = _value(name, value)
    return found


def nothing(name: str) -> object:
    """Return the value of a field nobody has decided; None for relations."""
    return NOTHING.get(name)


def unknown(name: str, about: int) -> NotFoundError:
    """Return the error for a relation to something that does not exist."""
    return NotFoundError(f"{RELATIONS[name].noun.capitalize()} {about} not found.")


def _value(name: str, value: Any) -> object:
    if isinstance(value, Enum):
        value = value.value
    if value is None and name in _MAY_BE_NONE:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    match name:
        case "kept" | "apart":
            fits, rule = value in (True, False), f"{name.capitalize()} is yes or no"
        case "rating":
            fits, rule = whole and value in range(1, 6), "A rating is 1 to 5 or none"
        case "flag" | "label":
            fits, rule = value in _WORDS[name], f"A {name} is {', '.join(_WORDS[name])} or none"
        case "stacked":
            fits, rule = whole and value >= 0, "A stack is a number or none"
        case "project":
            fits = whole or isinstance(value, float)
            rule = "A place in a project is a number or none"
        case "over":
            fits, rule = value in (True, 1), "One photo is preferred over another, or not"
        case "tag":
            fits = value in ("confirmed", "removed")
            rule = "A tag is confirmed, removed or left open"
        case _:
            raise UsageError(f"Unknown field {name}.")
    if not fits:
        raise UsageError(f"{rule}, not {value}.")
    return int(value) if name in ("kept", "apart", "over") else value
