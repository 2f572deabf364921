"""Originals we wrote into: another content, the same photo, and nothing to be done again.

What a file is going to hold is noted before it does, as one of the contents it is known by: killed
at any moment between, the next scan still knows the photo.

    row = catalog.main_files([412])[412]
    catalog.expect_content(row, content)     # then the file is replaced
    catalog.save_rewritten(row, content)
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from curator.catalog.identity import FileRow
from curator.catalog.integrity import judging
from curator.catalog.photo_files import PhotoFiles
from curator.catalog.store import Store
from curator.catalog.work import WorkQueue


@dataclass(frozen=True, slots=True)
class NewContent:
    """What a file holds from now on; size in bytes, time in ns."""

    fingerprint: str
    sha256: str
    size: int
    mtime_ns: int


@judging
class Rewrites:
    """The part of the catalog that follows what we write into originals."""

    def __init__(self, store: Store, files: PhotoFiles, work: WorkQueue) -> None:
        self._store = store
        self._files = files
        self._work = work

    def expect(self, row: FileRow, content: NewContent) -> None:
        """Note what a file is about to hold, so that it is known whoever meets it first."""
        with self._store.transaction():
            self._cancel(row, content)
            self._store.run(
                "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns,"
                " fingerprint, sha256, missing_since) VALUES (?, ?, ?, ?, 'former', ?, ?, ?, ?, ?)",
                (
                    row.photo_id,
                    row.directory_id,
                    row.name,
                    row.kind,
                    content.size,
                    content.mtime_ns,
                    content.fingerprint,
                    content.sha256,
                    time.time(),
                ),
            )

    def cancel(self, row: FileRow, content: NewContent) -> None:
        """Take back what was expected: the file was not replaced."""
        with self._store.transaction():
            self._cancel(row, content)

    def save(self, row: FileRow, content: NewContent) -> None:
        """Note that a file holds what was expected; what was made of its picture holds on.

        If a scan was faster, it is as that settled it.
        """
        with self._store.transaction():
            self._cancel(row, content)
            now = self._files.where("file.id = ? AND fingerprint = ?", (row.id, row.fingerprint))
            if not now:
                return
            self._files.keep_former(row)
            self._store.run(
                "UPDATE file SET fingerprint = ?, sha256 = ?, size = ?, mtime_ns = ? WHERE id = ?",
                (content.fingerprint, content.sha256, content.size, content.mtime_ns, row.id),
            )
            self._store.run_many(
                "UPDATE work SET source = ?1 || ?2 WHERE photo_id = ?3 AND stage = ?4"
                " AND state = 'done' AND source = ?5 || ?2",
                [
                    (content.fingerprint, rule.variant, row.photo_id, rule.name, row.fingerprint)
                    for rule in self._work.stages()
                    if rule.reads == "file"
                ],
            )

    def _cancel(self, row: FileRow, content: NewContent) -> None:
        self._store.run(
            "DELETE FROM file WHERE photo_id = ? AND directory_id = ? AND name = ?"
            " AND role = 'former' AND fingerprint = ?",
            (row.photo_id, row.directory_id, row.name, content.fingerprint),
        )
