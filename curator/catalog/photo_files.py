"""The tables `file`, `directory` and `photo` at their lowest level: rows in, rows out.

What files mean for a photo (roles, moves, copies) is decided in `identity`. Nothing here opens a
file: a :class:`FileReader` passed in by the caller does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store
from curator.model import FoundFile, KnownError, StageJob, UnavailableError


class FileReader(Protocol):
    """What reads files for the catalog; the module `curator.files` is one.

    All methods raise GoneError for a file that is not there, UnavailableError for one that must
    not or cannot be read now, and another KnownError for one that cannot be read at all.
    """

    def status(self, path: str) -> os.stat_result:
        """Return size, times and everything else `os.stat` knows about a file."""

    def fingerprint(self, path: str) -> str:
        """Return the fingerprint of a file as hex."""

    def sha256(self, path: str) -> str:
        """Return the sha256 of a whole file as hex."""


_FILE = (
    "SELECT file.id, photo_id, directory_id, name, kind, role, size, mtime_ns, fingerprint,"
    " sha256, width, height, missing_since, directory.path"
    " FROM file JOIN directory ON directory.id = directory_id"
)


class FileRow(NamedTuple):
    """A row of the table ``file`` with the path of its directory."""

    id: int
    photo_id: int
    directory_id: int
    name: str
    kind: str
    role: str
    size: int
    mtime_ns: int
    fingerprint: str | None
    sha256: str | None
    width: int | None
    height: int | None
    missing_since: float | None
    directory: str

    @property
    def path(self) -> str:
        """Where the file is, or was."""
        return str(Path(self.directory, self.name))

    def is_there(self, reader: FileReader) -> bool:
        """Whether the content is still at its path: same size and time, or same fingerprint.

        Raises:
            UnavailableError: the file cannot be checked now.
        """
        try:
            status = reader.status(self.path)
            if (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns):
                return True
            return status.st_size == self.size and (
                reader.fingerprint(self.path) == self.fingerprint
            )
        except UnavailableError:
            raise
        except KnownError:
            return False


@dataclass(frozen=True, slots=True)
class Content:
    """What is known about a file's bytes."""

    fingerprint: str | None = None
    sha256: str | None = None


@reports_damage
@dataclass(eq=False)
class PhotoFiles:
    """Finds and inserts files, their directories, and photos without files."""

    _store: Store

    def where(self, where: str, parameters: Sequence[object]) -> list[FileRow]:
        """List the files that match an SQL condition on ``file`` and ``directory``.

        The condition may end with an order and a limit.
        """
        return [FileRow(*row) for row in self._store.rows(f"{_FILE} WHERE {where}", parameters)]

    def where_in(self, condition: str, values: Iterable[object], *before: object) -> list[FileRow]:
        """List the files that match a condition about many values; see :meth:`Store.rows_for`."""
        rows = self._store.rows_for(f"{_FILE} WHERE {condition}", values, *before)
        return [FileRow(*row) for row in rows]

    def disabled_directories(self) -> set[int]:
        """Return the ids of the directories of disabled folders."""
        return set(
            self._store.values(
                "SELECT directory.id FROM folder CROSS JOIN directory ON folder_id = folder.id"
                " WHERE NOT enabled"
            )
        )

    def ensure_directory(self, path: str, folder_id: int | None) -> int:
        """Return the id of a directory's row, inserted if missing.

        A directory without a folder is added to this one.
        """
        row = self._store.row("SELECT id, folder_id FROM directory WHERE path = ?", (path,))
        if row is None:
            return self._store.insert("directory", folder_id=folder_id, path=path)
        if row[1] is None and folder_id is not None:
            self._store.run("UPDATE directory SET folder_id = ? WHERE id = ?", (folder_id, row[0]))
        return int(row[0])

    def add_photo(self, directory_id: int, name: str) -> int:
        """Insert a photo without files; return its id."""
        return self._store.insert(
            "photo", directory_id=directory_id, name=name, added_at=time.time()
        )

    def add(
        self, photo: int, directory_id: int, found: FoundFile, role: str, content: Content
    ) -> int:
        """Insert a file of a photo; return the id of its row."""
        return self._store.insert(
            "file",
            photo_id=photo,
            directory_id=directory_id,
            name=found.name,
            kind=str(found.kind),
            role=role,
            size=found.size,
            mtime_ns=found.mtime_ns,
            fingerprint=content.fingerprint,
            sha256=content.sha256,
        )

    def with_fingerprint(self, fingerprint: str, ignored: int | None = None) -> list[FileRow]:
        """List known files with a fingerprint, present ones first.

        Files of the photo ``ignored`` are left out.
        """
        return self.where(
            "fingerprint = ? AND photo_id IS NOT ? ORDER BY missing_since IS NOT NULL, file.id",
            (fingerprint, ignored),
        )

    def keep_former(self, row: FileRow) -> None:
        """Record a file's present content as a former one, so that a copy of it is recognized."""
        self._store.run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns,"
            " fingerprint, sha256, width, height, missing_since)"
            " SELECT photo_id, directory_id, name, kind, 'former', size, mtime_ns,"
            " fingerprint, sha256, width, height, ? FROM file WHERE id = ?",
            (time.time(), row.id),
        )

    def of_job(self, job: StageJob) -> FileRow | None:
        """Find the file a job was about; see :meth:`of_jobs`."""
        return self.of_jobs([job])[0]

    def of_jobs(self, jobs: Sequence[StageJob]) -> list[FileRow | None]:
        """Find the file each job was about; None where it is no longer its photo's.

        A file on a card may have become a copy meanwhile, because its content was imported. Then it
        is the main file with that content: what was read of one holds for the other.
        """
        rows = {
            (row.photo_id, row.directory, row.name): row
            for row in self.where_in(
                "missing_since IS NULL AND photo_id IN ({})", [job.photo_id for job in jobs]
            )
        }
        main = {row.photo_id: row for row in rows.values() if row.role == "main"}
        found = []
        for job in jobs:
            row = rows.get((job.photo_id, *os.path.split(job.path)))
            if row is not None and row.role == "copy" and row.fingerprint is not None:
                other = main.get(row.photo_id)
                row = other if other and other.fingerprint == row.fingerprint else row
            found.append(row)
        return found

    def main(self, ids: Sequence[int]) -> dict[int, FileRow]:
        """Return the main file of each photo; photos whose main file is missing are left out."""
        condition = "role = 'main' AND missing_since IS NULL AND photo_id IN ({})"
        return {row.photo_id: row for row in self.where_in(condition, ids)}
