"""The decided fields of photos at present, and the decisions that were not undone.

The journal, `identity` and `replaying` are built on this. Nothing here writes a step of the
journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from curator.catalog.fields import FIELDS, RELATIONS, STANDS, FieldKey, unknown
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, placeholders
from curator.model import Change, NotFoundError


@reports_damage
@dataclass(eq=False)
class Decisions:
    """Reads and writes the decided fields of photos and their relations."""

    _store: Store

    def current_id(self, name: str, about: int | None) -> int | None:
        """Return the present id of a relation's other end, which may have been merged.

        None for a plain field.

        Raises:
            NotFoundError: it does not exist.
        """
        if about is None:
            return None
        found = self._store.value(RELATIONS[name].find, (about,))
        if found is None:
            raise unknown(name, about)
        return int(found)

    def value_before(self, photo: int, current: Row, name: str, about: int | None) -> object:
        """Return the present value of a field; ``current`` has the values of FIELDS."""
        if about is None:
            return current[FIELDS.index(name)]
        return self._store.value(RELATIONS[name].read, (photo, about))

    def marks(self, ids: Iterable[int]) -> dict[int, tuple[int, Row]]:
        """Read the plain fields of photos: given id → (present id, values of FIELDS).

        Raises:
            NotFoundError: a photo does not exist.
        """
        asked = list(ids)
        sql = f"SELECT id, merged_into, {', '.join(FIELDS)} FROM photo WHERE id IN ({{}})"
        found = {row[0]: (row[1] or row[0], row[2:]) for row in self._store.rows_for(sql, asked)}
        for photo in asked:
            if photo not in found:
                raise NotFoundError(
                    f"Photo {photo} not found.", "`curator photos` lists all photos."
                )
            target = found[photo][0]
            if target != photo:
                found[photo] = self.marks([target])[target]
        return found

    def apply(self, changes: Collection[Change]) -> None:
        """Set fields and relations of photos to the values after changes."""
        for fields, values in _by_fields(changes).items():
            setting = ", ".join(f"{name} = ?" for name in fields)
            self._store.run_many(f"UPDATE photo SET {setting} WHERE id = ?", values)
        for name in dict.fromkeys(change.field for change in changes if change.about is not None):
            relation = RELATIONS[name]
            rows = [
                (change.photo_id, change.about, change.after)
                for change in changes
                if change.field == name
            ]
            self._store.run_many(relation.delete, [row[:2] for row in rows if row[2] is None])
            self._store.run_many(relation.upsert, [row for row in rows if row[2] is not None])
            self._store.increment(relation.counter)

    def family(self, photo: int) -> list[int]:
        """Return the ids of a photo and of all photos merged into it."""
        sql = "SELECT id FROM photo WHERE merged_into = ?"
        return [photo, *self._store.values(sql, (photo,))]

    def standing(self, photos: Sequence[int], field: FieldKey, ignored: int = 0) -> Row | None:
        """Return (id, value, source) of the newest decision on a field that was not undone.

        None without any. ``ignored`` is a step to leave out.
        """
        return self._store.row(
            "SELECT d.id, d.after, s.source FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            f" WHERE d.photo_id IN ({placeholders(len(photos))}) AND d.field = ? AND d.about IS ?"
            f" AND {STANDS} AND s.id <> ? ORDER BY d.id DESC LIMIT 1",
            (*photos, *field, ignored),
        )


def _by_fields(changes: Iterable[Change]) -> dict[tuple[str, ...], list[list[object]]]:
    """Group changes as rows of new values and photo id, by the fields that change together.

    One update per photo: each fires triggers, makes a revision, and delays a waiting mark.
    """
    photos: dict[int, dict[str, object]] = {}
    for change in changes:
        if change.about is None:
            photos.setdefault(change.photo_id, {})[change.field] = change.after
    rows: dict[tuple[str, ...], list[list[object]]] = {}
    for photo, values in photos.items():
        rows.setdefault(tuple(values), []).append([*values.values(), photo])
    return rows
