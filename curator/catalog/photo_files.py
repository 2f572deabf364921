"""The tables `file`, `directory` and `photo` at their lowest level: rows in, rows out.

What files mean for a photo (roles, moves, copies) is decided in `identity`. Nothing here opens a
file: a :class:`FileReader` passed in by the caller does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, chunks, marks
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
class PhotoFiles:
    """Finds and inserts files, their directories, and photos without files."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def where(self, where: str, parameters: Sequence[object]) -> list[FileRow]:
        """Return the files that match an SQL condition on ``file`` and ``directory``."""
        return [FileRow(*row) for row in self._store.rows(f"{_FILE} WHERE {where}", parameters)]

    def disabled_directories(self) -> set[int]:
        """Return the ids of the directories of disabled folders."""
        rows = self._store.rows(
            "SELECT directory.id FROM folder JOIN directory ON folder_id = folder.id"
            " WHERE NOT enabled"
        )
        return {row[0] for row in rows}

    def ensure_directory(self, path: str, folder_id: int | None) -> int:
        """Return the id of a directory's row, inserted if missing; adopt a directory without a
        folder.
        """
        row = self._store.row("SELECT id, folder_id FROM directory WHERE path = ?", (path,))
        if row is None:
            number = self._store.run(
                "INSERT INTO directory (folder_id, path) VALUES (?, ?)", (folder_id, path)
            ).lastrowid
            assert number is not None
            return number
        if row[1] is None and folder_id is not None:
            self._store.run("UPDATE directory SET folder_id = ? WHERE id = ?", (folder_id, row[0]))
        return int(row[0])

    def add_photo(self, directory_id: int, name: str) -> int:
        """Insert a photo without files; return its id."""
        number = self._store.run(
            "INSERT INTO photo (directory_id, name, added_at) VALUES (?, ?, ?)",
            (directory_id, name, time.time()),
        ).lastrowid
        assert number is not None
        return number

    def add(
        self, photo: int, directory_id: int, found: FoundFile, role: str, content: Content
    ) -> int:
        """Insert a file of a photo; return the id of its row."""
        number = self._store.run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns,"
            " fingerprint, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                photo,
                directory_id,
                found.name,
                str(found.kind),
                role,
                found.size,
                found.mtime_ns,
                content.fingerprint,
                content.sha256,
            ),
        ).lastrowid
        assert number is not None
        return number

    def with_fingerprint(self, fingerprint: str, but_for: int | None = None) -> list[FileRow]:
        """List known files with a fingerprint, files that are there first."""
        return self.where(
            "fingerprint = ? AND photo_id IS NOT ? ORDER BY missing_since IS NOT NULL, file.id",
            (fingerprint, but_for),
        )

    def keep_former(self, row: FileRow) -> None:
        """Remember a file's present content as a former one, so that a copy of it is recognized."""
        self._store.run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns,"
            " fingerprint, sha256, width, height, missing_since)"
            " SELECT photo_id, directory_id, name, kind, 'former', size, mtime_ns,"
            " fingerprint, sha256, width, height, ? FROM file WHERE id = ?",
            (time.time(), row.id),
        )

    def of_job(self, job: StageJob) -> FileRow | None:
        """Find the file a job was about; None if it is no longer its photo's."""
        return self.of_jobs([job])[0]

    def of_jobs(self, jobs: Sequence[StageJob]) -> list[FileRow | None]:
        """Find the file each job was about; None where it is no longer its photo's."""
        rows = {
            (row.photo_id, row.directory, row.name): row
            for part in chunks([job.photo_id for job in jobs])
            for row in self.where(
                f"photo_id IN ({marks(len(part))}) AND missing_since IS NULL", part
            )
        }
        return [rows.get((job.photo_id, *os.path.split(job.path))) for job in jobs]

    def main(self, ids: Sequence[int]) -> dict[int, FileRow]:
        """Return the main file of each photo, left out where it is missing."""
        return {
            row.photo_id: row
            for part in chunks(list(ids))
            for row in self.where(
                f"role = 'main' AND missing_since IS NULL AND photo_id IN ({marks(len(part))})",
                part,
            )
        }
