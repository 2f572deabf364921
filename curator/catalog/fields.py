"""The fields a person can decide about a photo: plain fields and relations.

A plain field is a column of the table ``photo``. A relation is about the photo and something else,
whose id is stored with the field: a tag, a project (the value is the position in it), or the photo
that was preferred less. The journal sets, undoes and redoes both kinds in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

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

HERE = "p.merged_into IS NULL AND p.removed_at IS NULL"
"""SQL: the photo p was neither merged into another nor removed with its folder."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A field about a photo and something else, kept as rows of another table; None is no row.

    Attributes:
        noun: what the other end is, for messages.
        known: SQL that finds the present id of the other end by an id.
        read: SQL with the parameters (photo, about).
        put: SQL with the parameters (photo, about, value).
        take: SQL with the parameters (photo, about).
        move: SQL with the parameters (survivor, photo), for a photo merged into another.
        rev: the counter that grows whenever one of the rows changes.
    """

    noun: str
    known: str
    read: str
    put: str
    take: str
    move: tuple[str, ...]
    rev: str


RELATIONS: dict[str, Relation] = {
    "tag": Relation(
        noun="tag",
        known="SELECT coalesce(merged_into, id) FROM tag WHERE id = ?",
        read="SELECT state FROM photo_tag WHERE photo_id = ? AND tag_id = ? AND source = 'person'",
        put="INSERT INTO photo_tag (photo_id, tag_id, source, confidence, state)"
        " VALUES (?, ?, 'person', 100, ?)"
        " ON CONFLICT (photo_id, tag_id, source) DO UPDATE SET state = excluded.state",
        take="DELETE FROM photo_tag WHERE photo_id = ? AND tag_id = ? AND source = 'person'",
        move=(),  # together with suggestions: `Tags.merge_photo`
        rev="tags_rev",
    ),
    "project": Relation(
        noun="project",
        known="SELECT id FROM project WHERE id = ?",
        read="SELECT place FROM photo_project WHERE photo_id = ? AND project_id = ?",
        put="INSERT INTO photo_project (photo_id, project_id, place) VALUES (?, ?, ?)"
        " ON CONFLICT (photo_id, project_id) DO UPDATE SET place = excluded.place",
        take="DELETE FROM photo_project WHERE photo_id = ? AND project_id = ?",
        move=(
            "UPDATE OR IGNORE photo_project SET photo_id = ?1 WHERE photo_id = ?2",
            # No decision records this, so readers have to read all positions again.
            "INSERT INTO meta (key, value) SELECT 'projects_anew', '1'"
            " WHERE EXISTS (SELECT 1 FROM photo_project WHERE photo_id IN (?1, ?2))"
            " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
        ),
        rev="projects_rev",
    ),
    "over": Relation(
        noun="photo",
        known="SELECT coalesce(merged_into, id) FROM photo WHERE id = ?",
        read="SELECT 1 FROM duel WHERE winner_id = ? AND loser_id = ?",
        put="INSERT OR IGNORE INTO duel (winner_id, loser_id) SELECT ?1, ?2 WHERE ?3",
        take="DELETE FROM duel WHERE winner_id = ? AND loser_id = ?",
        move=(
            "UPDATE OR IGNORE duel SET winner_id = ?1 WHERE winner_id = ?2 AND loser_id <> ?1",
            "UPDATE OR IGNORE duel SET loser_id = ?1 WHERE loser_id = ?2 AND winner_id <> ?1",
        ),
        rev="duels_rev",
    ),
}

_MAY_BE_NONE = frozenset({*FIELDS, *RELATIONS} - {"elsewhere"})


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
    """Return the value of a field without any decision."""
    return NOTHING.get(name)


def unknown(name: str, about: int) -> NotFoundError:
    """Return the error for a relation to something that does not exist."""
    return NotFoundError(f"{RELATIONS[name].noun.capitalize()} {about} not found.")


def _value(name: str, value: object) -> object:
    if isinstance(value, Enum):
        value = value.value
    if name in ("kept", "apart"):
        return int(bool(_held(value in (True, False), value, f"{name.capitalize()} is yes or no")))
    if value is None and name in _MAY_BE_NONE:
        return None
    number = isinstance(value, int) and not isinstance(value, bool)
    if name == "rating":
        return _held(number and value in range(1, 6), value, "A rating is 1 to 5 or none")
    if name == "stacked":
        return _held(number and value >= 0, value, "A stack is a number or none")  # type: ignore[operator]
    if name == "project":
        whole = isinstance(value, (int, float)) and not isinstance(value, bool)
        return _held(whole, value, "A place in a project is a number or none")
    if name == "over":
        return _held(value in (True, 1), value, "One photo is preferred over another, or not") and 1
    if name == "tag":
        known = value in ("confirmed", "removed")
        return _held(known, value, "A tag is confirmed, removed or left open")
    if name in _WORDS:
        names = _WORDS[name]
        return _held(value in names, value, f"A {name} is {', '.join(names)} or none")
    raise UsageError(f"Unknown field {name}.")


def _held(fits: object, value: object, rule: str) -> object:
    if not fits:
        raise UsageError(f"{rule}, not {value}.")
    return value
