"""Originals that Curator writes metadata into: they stay the same photo, and no stage runs again.

The new content is recorded before the file is replaced, as one of the contents the file is known
by: killed at any moment in between, the next scan still recognizes the photo.

    row = catalog.files.main([412])[412]
    catalog.rewrites.expect(row, content)       # then the file is replaced
    catalog.rewrites.save(row, content)
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from curator.catalog.integrity import reports_damage
from curator.catalog.photo_files import FileRow, PhotoFiles
from curator.catalog.store import Store
from curator.catalog.work import WorkQueue


@dataclass(frozen=True, slots=True)
class NewContent:
    """The content of a file after writing; size in bytes, time in ns."""

    fingerprint: str
    sha256: str
    size: int
    mtime_ns: int


@reports_damage
@dataclass(eq=False)
class Rewrites:
    """Records content before and after Curator writes into an original."""

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue

    def expect(self, row: FileRow, content: NewContent) -> None:
        """Record what a file is about to contain, so that a scan recognizes it."""
        with self._store.transaction():
            self.cancel(row, content)
            self._store.insert(
                "file",
                photo_id=row.photo_id,
                directory_id=row.directory_id,
                name=row.name,
                kind=row.kind,
                role="former",
                missing_since=time.time(),
                **asdict(content),
            )

    def cancel(self, row: FileRow, content: NewContent) -> None:
        """Withdraw the expected content: the file was not replaced."""
        with self._store.transaction():
            self._store.run(
                "DELETE FROM file WHERE photo_id = ? AND directory_id = ? AND name = ?"
                " AND role = 'former' AND fingerprint = ?",
                (row.photo_id, row.directory_id, row.name, content.fingerprint),
            )

    def save(self, row: FileRow, content: NewContent) -> None:
        """Record that a file has the expected content; the results of its stages stay valid.

        If a scan was faster, what it recorded stays.
        """
        with self._store.transaction():
            self.cancel(row, content)
            if not self._files.where("file.id = ? AND fingerprint = ?", (row.id, row.fingerprint)):
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
                    if rule.holds_for == "file"
                ],
            )
