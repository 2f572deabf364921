"""Importing marks from files, as decisions with source ``file``, and keywords, as tags.

Peek and the reading of sidecars bring what they read here. For each field three values are
compared: what file and catalog last agreed on, what the file says now, and what the catalog says.
A new value in a file is imported unless a person has decided that field here: their decision
stays, and the sidecar is in *conflict* until somebody chooses. Keywords never conflict: additions
and removals of both sides hold.

    catalog.metadata.save_readings([(412, [reading])])      # 5 stars, from the file
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from curator.catalog.decisions import Decisions
from curator.catalog.integrity import reports_damage
from curator.catalog.journal import Journal
from curator.catalog.sidecar_files import SidecarFiles, SidecarRow
from curator.catalog.store import Store
from curator.catalog.tags import Tags
from curator.model import FileMarks, FoundFile, Kind, counted

Plain = Mapping[str, Any]

FIELDS = ("rating", "flag", "label")
NO_VALUE = "none"  # how a file says outright that there is no flag or label


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The fields a photo imports, and by path those in which a file contradicts a person."""

    imported: dict[str, object]
    disputed: dict[str, list[str]]


@reports_damage
@dataclass(eq=False)
class MetadataImport:
    """Imports marks and keywords that files contain."""

    _store: Store
    _decisions: Decisions
    _journal: Journal
    _tags: Tags
    _sidecar_files: SidecarFiles

    def save_readings(self, found: Sequence[tuple[int, Sequence[FileMarks]]]) -> list[int]:
        """Import marks as one step of source ``file``, and keywords as tags from files.

        Args:
            found: photo ids with everything read for each; some tens at a time.

        Returns:
            Ids of photos that changed.
        """
        with self._store.transaction():
            self._note_found(found)
            return self.apply_readings(found)

    def preview_readings(
        self, found: Sequence[tuple[int, Sequence[FileMarks]]]
    ) -> dict[int, dict[str, object]]:
        """Return the fields :meth:`save_readings` would import, by photo; changes nothing."""
        imported: dict[int, dict[str, object]] = {}
        with self._store.transaction(keep=False):
            self._note_found(found)
            for asked, readings in found:
                photo = self._decisions.marks([asked])[asked][0]
                rows = {row.path: row for row in self._sidecar_files.where("photo_id", [photo])}
                imported[photo] = self._compare(photo, readings, rows).imported
        return {photo: fields for photo, fields in imported.items() if fields}

    def _note_found(self, found: Sequence[tuple[int, Sequence[FileMarks]]]) -> None:
        """Record the sidecars that were read."""
        self._sidecar_files.note_found([(photo, _sidecars(readings)) for photo, readings in found])

    def apply_readings(self, found: Sequence[tuple[int, Sequence[FileMarks]]]) -> list[int]:
        """Import readings inside a transaction; return ids of photos that changed."""
        changes: dict[int, dict[str, object]] = {}
        with_keywords: list[int] = []
        for asked, readings in found:
            if not readings:
                continue
            photo = self._decisions.marks([asked])[asked][0]
            rows = {row.path: row for row in self._sidecar_files.where("photo_id", [photo])}
            readings = [r for r in readings if not r.path or not _is_stale(r, rows.get(r.path))]
            comparison = self._compare(photo, readings, rows)
            if comparison.imported:
                changes[photo] = comparison.imported
            if self._import_keywords(photo, readings, rows):
                with_keywords.append(photo)
            for reading in readings:
                if reading.path in rows:
                    disputed = comparison.disputed.get(reading.path, ())
                    self._note_reading(rows[reading.path], reading, disputed)
        if changes:
            self._journal.decide(
                changes,
                summary=f"Read from files: {counted(len(changes), 'photo')}",
                context={"from": "file"},
                source="file",
            )
        return list(dict.fromkeys([*changes, *with_keywords]))

    def _compare(
        self, photo: int, readings: Sequence[FileMarks], rows: Mapping[str, SidecarRow]
    ) -> _Comparison:
        """Compare files with their earlier content and with the person's decisions."""
        ours = self.our_marks(photo)
        comparison = _Comparison({}, {})
        for field, (theirs, path) in self._news(photo, readings, rows).items():
            if theirs == ours[field]:
                continue
            if not self._is_persons(photo, field):
                comparison.imported[field] = theirs
            elif path:
                comparison.disputed.setdefault(path, []).append(field)
        return comparison

    def _news(
        self, photo: int, readings: Sequence[FileMarks], rows: Mapping[str, SidecarRow]
    ) -> dict[str, tuple[object, str]]:
        """Return each field's new value in the newest file that has it, and that file's path."""
        intents = self.intents(photo)
        in_sidecars = {field for r in readings if r.path and r.fields for field in r.fields}
        in_sidecars |= {field for row in rows.values() for field in row.base or ()}
        news: dict[str, tuple[object, str]] = {}
        for reading in sorted(readings, key=_age, reverse=True):
            fields = reading.fields
            if fields is None or (reading.path and reading.path not in rows):
                continue
            if any(_same_marks(fields, intent) for intent in intents):
                continue  # we wrote this, but were killed before confirming it
            base = (rows[reading.path].base or {}) if reading.path else {}
            for field in FIELDS:
                if not reading.path and field in in_sidecars:
                    continue  # a sidecar has it; embedded metadata may be years older
                theirs = value(fields, field)
                if theirs != value(base, field):
                    news.setdefault(field, (theirs, reading.path))
        return news

    def intents(self, photo: int) -> list[Plain]:
        """Return what was about to be written to a photo's sidecar and never confirmed."""
        text = self._store.value("SELECT intent FROM unwritten WHERE photo_id = ?", (photo,))
        return [] if text is None else json.loads(text)

    def our_marks(self, photo: int) -> dict[str, object]:
        """Return rating, flag and label of a photo as the catalog has them."""
        row = self._store.row(f"SELECT {', '.join(FIELDS)} FROM photo WHERE id = ?", (photo,))
        assert row is not None
        return dict(zip(FIELDS, row, strict=True))

    def _is_persons(self, photo: int, field: str) -> bool:
        """Whether a person made the newest decision on a field, undone ones left out."""
        newest = self._decisions.standing(self._decisions.family(photo), (field, None))
        return bool(newest and newest[2] == "person")

    def _import_keywords(
        self, photo: int, readings: Sequence[FileMarks], rows: Mapping[str, SidecarRow]
    ) -> bool:
        """Add and remove tags to match the keywords of files; return whether any changed.

        Keywords of the photo's other files stay, whether these were read now or not.
        """
        read = {r.path: r.fields for r in readings if r.fields is not None}
        bases = {path: row.base or {} for path, row in rows.items()}
        keywords = {path: _words(fields) for path, fields in (bases | read).items()}
        before = {path: _words(bases[path]) for path in read.keys() & bases.keys()}
        now = set[str]().union(*keywords.values())
        gone = set[str]().union(*before.values()) - now
        new = set[str]().union(*(keywords[path] - before.get(path, set()) for path in read))
        kept: dict[int, str] = dict(
            self._store.rows(
                "SELECT DISTINCT coalesce(tag.merged_into, tag.id), coalesce(today.name, tag.name)"
                " FROM photo_tag AS t JOIN tag ON tag.id = t.tag_id"
                " LEFT JOIN tag AS today ON today.id = tag.merged_into"
                " WHERE t.photo_id = ? AND t.source = 'file'",
                (photo,),
            )
        )
        removed = {self._tags.id_for_text(word) for word in gone} & set(kept)
        if not removed and {self._tags.id_for_text(word) for word in new} <= kept.keys():
            return False
        paths = [path for fields in read.values() for path in fields.get("hierarchical") or ()]
        names = [name for tag, name in kept.items() if tag not in removed]
        self._tags.set_keywords(photo, [*names, *sorted(new)], paths)
        return True

    def _note_reading(self, row: SidecarRow, reading: FileMarks, disputed: Sequence[str]) -> None:
        """Record what a sidecar says now, and the fields in which it contradicts a person."""
        stored, theirs, state = row.agreed, row.theirs, "failed"
        if reading.fields is not None:
            agreed, base = dict(reading.fields), row.base or {}
            for field in disputed:  # not agreed on: the former value stays
                agreed.pop(field, None)
                if field in base:
                    agreed[field] = base[field]
            theirs = json.dumps(dict(reading.fields)) if disputed else None
            stored, state = json.dumps(agreed), "conflict" if disputed else "synced"
        date = reading.date
        if date == row.metadata_date and reading.digest != row.digest:
            date = ""  # another program changed the file but not its date: go by the mtime
        self._store.run(
            "UPDATE sidecar SET digest = ?, size = ?, mtime_ns = ?, metadata_date = ?, said = ?,"
            " theirs = ?, synced_at = ?, state = ?, reason = ? WHERE id = ?",
            (
                reading.digest,
                reading.size,
                reading.mtime_ns,
                date or None,
                stored,
                theirs,
                time.time(),
                state,
                reading.problem or None,
                row.id,
            ),
        )


def _is_stale(reading: FileMarks, row: SidecarRow | None) -> bool:
    """Whether a sidecar was written or read again after this reading.

    The row of an unread or unreadable sidecar cannot tell: a scan may have changed it since.
    """
    if row is None or row.state not in ("synced", "conflict"):
        return False
    return (reading.size, reading.mtime_ns) != (row.size, row.mtime_ns)


def _sidecars(readings: Sequence[FileMarks]) -> list[FoundFile]:
    return [FoundFile(r.path, Kind.SIDECAR, r.size, r.mtime_ns) for r in readings if r.path]


def value(fields: Plain, field: str) -> object:
    """Return a field as the catalog holds it: a missing field, "none" and 0 stars become None."""
    found = fields.get(field)
    return None if found in (None, 0, NO_VALUE) else found


def _words(fields: Plain) -> set[str]:
    return set(fields.get("keywords") or ())


def _same_marks(one: Plain, other: Plain) -> bool:
    return all(value(one, field) == value(other, field) for field in FIELDS)


def _age(reading: FileMarks) -> tuple[bool, float]:
    """Return a sort key by how new readings are; embedded metadata comes before any sidecar."""
    return bool(reading.path), seconds(reading.date, reading.mtime_ns)


def seconds(date: str | None, mtime_ns: int) -> float:
    """Return when a file was changed, in Unix time: by its own metadata date, else by its mtime."""
    if date:
        changed = datetime.fromisoformat(date)
        return (changed if changed.tzinfo else changed.replace(tzinfo=UTC)).timestamp()
    return mtime_ns / 1e9
