"""Copies that an import verified, and how each becomes a file of its photo.

While a card is imported its photos are in the catalog by their files on the card. A verified copy
at the first destination takes over: it becomes the main file (or half) of the photo and the card's
file a copy, so that the photo goes on when the card is pulled. Content and marks are the same;
nothing is read or processed again. `imports` uses this.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from curator.catalog.identity import Identity, Twin
from curator.catalog.integrity import reports_damage
from curator.catalog.photo_files import Content, FileRow, PhotoFiles
from curator.catalog.store import Store
from curator.catalog.work import WorkQueue
from curator.model import HALF_SUFFIXES, FoundFile, Kind


@dataclass(frozen=True, slots=True)
class VerifiedCopy:
    """A copy that was read back from its disk and equals what was read from the card.

    Attributes:
        card: the root of the card it came from.
        source: its path on the card, relative to ``card``, with ``/``.
        fingerprint: of the content (`curator.files.fingerprint`).
        sha256: of the content, in hex.
        size: in bytes.
        destination: the destination folder, absolute.
        name: its path relative to ``destination``, with ``/``.
        mtime_ns: its modification time as the destination stores it. A file of another size or time
            is no longer the copy that was verified.
        cache_answered: the system could not be made to read the disk itself, so that its cache may
            have answered.
        kind: of a photo's file; None for videos, recordings and companions.
    """

    card: str
    source: str
    fingerprint: str
    sha256: str
    size: int
    destination: str
    name: str
    mtime_ns: int
    cache_answered: bool = False
    kind: Kind | None = None

    @property
    def path(self) -> str:
        """The absolute path of the copy."""
        return str(Path(self.destination, *self.name.split("/")))

    @property
    def source_path(self) -> str:
        """The absolute path of the file on the card."""
        return str(Path(self.card, *self.source.split("/")))


@reports_damage
@dataclass(eq=False)
class CopyLinks:
    """Adds verified copies to the photos they are copies of."""

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue
    _identity: Identity

    def add(self, copies: Sequence[VerifiedCopy]) -> None:
        """Add copies to their photos; a photo not in the catalog yet is added with its work.

        What is not a photo's file is left out. Only inside a transaction.
        """
        new: list[int] = []
        changed: list[int] = []
        for copy in copies:
            self._add(copy, new, changed)
        self._work.add_photos(new)
        self._store.run_many(  # the card was away when it was tried last
            "UPDATE work SET next_attempt_at = NULL, reason = NULL"
            " WHERE photo_id = ? AND state = 'waiting' AND next_attempt_at IS NOT NULL",
            [(photo,) for photo in changed],
        )
        sidecars = self._store.run(  # on the card none are written
            "UPDATE unwritten SET reason = NULL, tried_at = NULL WHERE reason IS NOT NULL"
            " AND photo_id IN (SELECT value FROM json_each(?))",
            (json.dumps(changed),),
        )
        if sidecars.rowcount:
            self._store.increment("sidecars_rev")
        self._identity.sync(changed)

    def _add(self, copy: VerifiedCopy, new: list[int], changed: list[int]) -> None:
        source = self._row_at(copy.source_path, copy)
        here = self._row_at(copy.path, copy)
        others = [
            *filter(None, [source]),
            *(row for row in self._rows_with(copy) if row.path != copy.path and row != source),
        ]
        kind = copy.kind or next((Kind(row.kind) for row in (*others, here) if row), None)
        if kind is None:
            return
        changed += self._replace_row(copy) if here is None else []
        if source is not None:
            self._store.run(
                "UPDATE file SET fingerprint = ?, sha256 = ? WHERE id = ?",
                (copy.fingerprint, copy.sha256, source.id),
            )
        directory = self._directory(str(PurePath(copy.path).parent))
        found = FoundFile(copy.path, kind, copy.size, copy.mtime_ns)
        content = Content(copy.fingerprint, copy.sha256)
        if here is not None:
            changed += self._unite(here, others[0].photo_id) if others else []
        elif others:
            gone = next((row for row in others if row.missing_since is not None), None)
            if gone is not None and gone.photo_id != others[0].photo_id:
                gone = None
            twin = Twin(gone or others[0], moved=gone is not None)
            self._identity.attach(others[0].photo_id, directory, found, content, twin)
        else:
            self._add_unknown(directory, found, content, new)
        row = self._row_at(copy.path)
        assert row is not None
        if source is None:
            self._add_source(row.photo_id, copy, kind)
        size = (source.width, source.height) if source is not None else (None, None)
        self._store.run(
            "UPDATE file SET fingerprint = ?, sha256 = ?, size = ?, mtime_ns = ?,"
            " width = coalesce(width, ?), height = coalesce(height, ?) WHERE id = ?",
            (copy.fingerprint, copy.sha256, copy.size, copy.mtime_ns, *size, row.id),
        )
        if self._store.run(
            "UPDATE file SET role = 'copy'"
            " WHERE photo_id = ? AND role = 'main' AND fingerprint = ?",
            (row.photo_id, copy.fingerprint),
        ).rowcount:
            self._store.run("UPDATE file SET role = 'main' WHERE id = ?", (row.id,))
        self._identity.bring_back(row.photo_id)
        changed.append(row.photo_id)

    def _row_at(self, path: str, copy: VerifiedCopy | None = None) -> FileRow | None:
        """Return the present file at a path, if its content is not known to differ from a copy's.

        A file whose fingerprint was not read yet counts as equal if its size is.
        """
        where = PurePath(path)
        rows = self._files.where(
            "directory.path = ? AND name = ? AND missing_since IS NULL",
            (str(where.parent), where.name),
        )
        equal = [
            row
            for row in rows
            if copy is None
            or (row.size == copy.size and row.fingerprint in (None, copy.fingerprint))
        ]
        return equal[0] if equal else None

    def _rows_with(self, copy: VerifiedCopy) -> list[FileRow]:
        """List the known files with the content of a copy, by the rules of `identity`.

        Without a sha256 the fingerprint decides for a file that is gone, and for a photo with a
        capture time.
        """
        if not copy.size:
            return []
        return [
            row
            for row in self._files.with_fingerprint(copy.fingerprint)
            if row.sha256 == copy.sha256
            or (
                row.sha256 is None
                and (row.missing_since is not None or self._identity.is_dated(row.photo_id))
            )
        ]

    def _replace_row(self, copy: VerifiedCopy) -> list[int]:
        """Mark a file missing in whose place a copy is now; return its photo."""
        replaced = self._row_at(copy.path)
        if replaced is None:
            return []
        self._store.run(
            "UPDATE file SET missing_since = ? WHERE id = ?", (time.time(), replaced.id)
        )
        return [replaced.photo_id]

    def _directory(self, path: str) -> int:
        """Return the id of a directory, which belongs to an enabled folder if one contains it."""
        row = self._store.row(
            "SELECT directory.id FROM directory JOIN folder ON folder.id = folder_id"
            " WHERE directory.path = ? AND enabled",
            (path,),
        )
        if row is not None:
            return int(row[0])
        folder = self._folder_of(path)
        number = self._files.ensure_directory(path, folder)
        if folder is not None:
            self._store.run("UPDATE directory SET folder_id = ? WHERE id = ?", (folder, number))
        return number

    def _folder_of(self, directory: str) -> int | None:
        """Return the enabled folder that contains a directory, the nearest above it."""
        found: int | None = self._store.value(
            "SELECT id FROM folder WHERE enabled AND (path = ?1 OR recursive"
            " AND substr(?1, 1, length(rtrim(path, ?2)) + 1) = rtrim(path, ?2) || ?2)"
            " ORDER BY length(path) DESC LIMIT 1",
            (directory, os.sep),
        )
        return found

    def _add_source(self, photo: int, copy: VerifiedCopy, kind: Kind) -> None:
        """Add the file on a card whose folder is in the catalog, if no scan has come to it yet.

        Whole files on a card are never read to compare them, so a scan might add another photo.
        """
        directory = str(PurePath(copy.source_path).parent)
        folder = self._folder_of(directory)
        if folder is None or self._row_at(copy.source_path) is not None:
            return
        found = FoundFile(copy.source_path, kind, copy.size, copy.mtime_ns)
        content = Content(copy.fingerprint, copy.sha256)
        self._files.add(
            photo, self._files.ensure_directory(directory, folder), found, "copy", content
        )

    def _unite(self, here: FileRow, photo: int) -> list[int]:
        """Let a file that a scan added already belong to the photo it is a copy of.

        Returns:
            The photo it belonged to, which has other files.
        """
        if here.photo_id == photo:
            return []
        has_others = self._store.value(
            "SELECT EXISTS (SELECT 1 FROM file WHERE photo_id = ? AND id <> ?"
            " AND missing_since IS NULL)",
            (here.photo_id, here.id),
        )
        if has_others and self._identity.split_among([here.photo_id, photo]):
            # A person split the pair: each half is a photo.
            self._store.run("UPDATE file SET photo_id = ? WHERE id = ?", (photo, here.id))
            return [here.photo_id]
        self._identity.merge([here.photo_id, photo])
        return []

    def _add_unknown(
        self, directory: int, found: FoundFile, content: Content, new: list[int]
    ) -> None:
        """Add a file of a new photo, or the half of a pair whose other half is there."""
        photo = self._partner(directory, found)
        if photo is not None:
            self._files.add(photo, directory, found, "half", content)
            return
        photo = self._files.add_photo(directory, PurePath(found.name).stem)
        self._files.add(photo, directory, found, "main", content)
        new.append(photo)

    def _partner(self, directory: int, found: FoundFile) -> int | None:
        """Return the photo of the other half of a pair in the same directory, as `files.pair`."""
        stem = PurePath(found.name).stem
        rows = [
            row
            for row in self._files.where(
                "directory_id = ? AND name > ? AND name < ? AND missing_since IS NULL",
                (directory, f"{stem}.", f"{stem}/"),
            )
            if PurePath(row.name).stem == stem
        ]
        halves = [
            row
            for row in rows
            if {row.kind, found.kind} == {Kind.RAW, Kind.IMAGE}
            and PurePath(found.name if row.kind == Kind.RAW else row.name).suffix.lower()
            in HALF_SUFFIXES
        ]
        complete = {row.photo_id for row in rows if row.kind == found.kind}
        complete |= self._identity.split_among([row.photo_id for row in halves])
        return next((row.photo_id for row in halves if row.photo_id not in complete), None)
