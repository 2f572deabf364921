"""Imports from memory cards: which copies were verified, and the report of each import.

The import records every copy here as soon as it is verified; what is not recorded is proved again
after a kill, never copied twice. A photo's copy at the first destination becomes its main file.

    run = catalog.imports.begin({"cards": [...]}, job="Wedding")
    catalog.imports.record(run, copies, library="/photos")      # again and again
    catalog.imports.finish(run, {"sentence": "Safe to format ..."})
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from curator import atomic
from curator.catalog.folders import Folders
from curator.catalog.identity import Identity
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, chunks, paused_chunks
from curator.catalog.verified_copies import CopyLinks, VerifiedCopy
from curator.model import Flag, Kind, Marks, NotFoundError, Verdict

_AT_ONCE = 5  # copies in one transaction, some 3 ms, for which a decision may have to wait
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import; without ``ended_at`` it is running or was killed. Times are Unix times."""

    id: int
    started_at: float
    ended_at: float | None
    job: str
    request: dict[str, Any]
    report: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file with certain content, as the catalog knows it.

    Attributes:
        path: where it is, or was.
        size: in bytes, when last seen.
        mtime_ns: its modification time, when last seen.
        sha256: of the content; None if it was never read completely.
        missing: whether the last scan did not find it.
        away: whether its folder could not be reached at the last check.
        changed: it had the content once, and the photo's metadata or picture was edited since.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str | None
    missing: bool
    away: bool
    changed: bool = False


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """A photo of the catalog that has, or had, a file with certain content.

    ``files`` are the files with that content, present ones first. ``emptied``: the person deleted
    them with the rejects.
    """

    photo_id: int
    verdict: Verdict
    files: tuple[KnownFile, ...]
    emptied: bool


@reports_damage
@dataclass(eq=False)
class Imports:
    """Records imports and their verified copies, and finds what is known already."""

    _store: Store
    _identity: Identity
    _folders: Folders
    _links: CopyLinks

    # --- the imports

    def begin(
        self,
        request: Mapping[str, object],
        job: str,
        volumes: Mapping[str, tuple[str, str]] = _NOTHING,
    ) -> int:
        """Record that an import begins; return its id.

        Args:
            request: what was asked for, JSON-able.
            job: the name of the job.
            volumes: destination → key of its volume and path within, as in `curator.volumes`, by
                which :meth:`verified` finds copies when the drive has another mount point.
        """
        with self._store.transaction(durable=True):
            run = self._store.insert(
                "import_run",
                started_at=time.time(),
                process=os.getpid(),
                job=job,
                request=json.dumps(dict(request)),
            )
            for path, (key, within) in volumes.items():
                self._store.insert(
                    "import_destination", run_id=run, path=path, volume=key, within=within
                )
        return run

    def finish(self, run_id: int, report: Mapping[str, object]) -> None:
        """Record that an import ended, whether or not everything was copied."""
        with self._store.transaction(durable=True):
            self._store.run(
                "UPDATE import_run SET ended_at = ?, report = ? WHERE id = ?",
                (time.time(), json.dumps(dict(report)), run_id),
            )

    def all(self) -> list[ImportRow]:
        """List all imports, the newest first."""
        return [_import(row) for row in self._store.rows(f"{_IMPORTS} ORDER BY id DESC")]

    def get(self, run_id: int) -> ImportRow:
        """Return an import.

        Raises:
            NotFoundError: it does not exist.
        """
        row = self._store.row(f"{_IMPORTS} WHERE id = ?", (run_id,))
        if row is None:
            raise NotFoundError(f"Import {run_id} not found.")
        return _import(row)

    def unfinished(self) -> ImportRow | None:
        """Return the last import if its process was killed; running imports do not count."""
        for row in self._store.rows(
            f"{_IMPORTS.replace('report', 'report, process')} ORDER BY id DESC"
        ):
            found = _import(row[:-1])
            if found.ended_at is not None:
                return None
            if atomic.writer_is_gone(row[-1], found.started_at):
                return found
        return None

    # --- verified copies

    def record(self, run_id: int, copies: Sequence[VerifiedCopy], library: str | Path) -> None:
        """Record verified copies, a few in each transaction.

        If it fails some may be recorded; recording them again does no harm.

        Args:
            run_id: the import, from :meth:`begin`.
            copies: at any destinations, of any files; a pair may come in two calls.
            library: the first destination. Copies of photos there become their main files.
        """
        for some in chunks(copies, _AT_ONCE):
            with self._store.transaction():
                self._record(run_id, some, Path(library))

    def _record(self, run_id: int, copies: Sequence[VerifiedCopy], library: Path) -> None:
        now = time.time()
        paths = {copy.destination for copy in copies}
        destinations = {path: self._destination(run_id, path) for path in paths}
        self._store.run_many(
            "INSERT INTO verified_copy (destination_id, name, card, source, kind, fingerprint,"
            " sha256, size, mtime_ns, cache_answered, verified_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    destinations[copy.destination],
                    copy.name,
                    copy.card,
                    copy.source,
                    copy.kind,
                    copy.fingerprint,
                    copy.sha256,
                    copy.size,
                    copy.mtime_ns,
                    copy.cache_answered,
                    now,
                )
                for copy in copies
            ],
        )
        self._links.add([copy for copy in copies if Path(copy.destination) == library])

    def count_files(self, run_id: int) -> int:
        """Count the files of the cards that an import verified at any destination."""
        return self._store.value(
            "SELECT count(*) FROM (SELECT DISTINCT card, source FROM verified_copy AS c"
            " JOIN import_destination AS d ON d.id = c.destination_id WHERE d.run_id = ?)",
            (run_id,),
        )

    def forget(self, copies: Iterable[VerifiedCopy]) -> None:
        """Forget verified copies: later readings of the card differed."""
        with self._store.transaction():
            self._store.run_many(
                "DELETE FROM verified_copy WHERE fingerprint = ? AND name = ? AND sha256 = ?"
                " AND destination_id IN (SELECT id FROM import_destination WHERE path = ?)",
                [(copy.fingerprint, copy.name, copy.sha256, copy.destination) for copy in copies],
            )

    def _destination(self, run_id: int, path: str) -> int:
        number = self._store.value(
            "SELECT id FROM import_destination WHERE run_id = ? AND path = ?", (run_id, path)
        )
        return number or self._store.insert("import_destination", run_id=run_id, path=path)

    def verified(
        self, fingerprints: Iterable[str], mounted: Mapping[str, str] = _NOTHING
    ) -> dict[str, list[VerifiedCopy]]:
        """Find the copies that imports verified, by fingerprint; the newest last.

        A file may have been changed or deleted since: compare size and time.

        Args:
            fingerprints: of contents; those without copies are left out of the result.
            mounted: key of each volume mounted now → its mount point. The paths of copies on these
                are where they are today.
        """
        found: dict[str, dict[tuple[str, str], VerifiedCopy]] = {}
        for row in self._store.rows_for(
            "SELECT path, volume, within, card, source, fingerprint, sha256, size, name, mtime_ns,"
            " cache_answered, kind FROM verified_copy AS c JOIN import_destination AS d"
            " ON d.id = c.destination_id WHERE fingerprint IN ({}) ORDER BY c.id",
            dict.fromkeys(fingerprints),
        ):
            path, volume, within, card, source, fingerprint, sha256, size, name, *rest = row
            mtime_ns, cached, kind = rest
            if volume in mounted:
                path = str(Path(mounted[volume], *within.split("/")))
            copy = VerifiedCopy(
                card,
                source,
                fingerprint,
                sha256,
                size,
                path,
                name,
                mtime_ns,
                bool(cached),
                Kind(kind) if kind else None,
            )
            copies = found.setdefault(fingerprint, {})
            copies.pop((path, name), None)  # verified again since
            copies[path, name] = copy
        return {fingerprint: [*copies.values()] for fingerprint, copies in found.items()}

    def photos(self, fingerprints: Iterable[str]) -> dict[str, KnownPhoto]:
        """Find the photos that have, or had, a file with one of these fingerprints."""
        best: dict[str, tuple[tuple[bool, bool, int], KnownPhoto]] = {}
        files: dict[tuple[str, int], list[Row]] = {}
        for row in self._store.rows_for(_KNOWN, dict.fromkeys(fingerprints)):
            files.setdefault((row[0], row[1]), []).append(row)
        for (fingerprint, number), rows in files.items():
            flag, rating, kept, hidden = rows[0][2:6]
            known = sorted((KnownFile(*_known_file(row)) for row in rows), key=_presence)
            here = any(not file.missing for file in known)
            emptied = not here and any(row[6] for row in rows)
            marks = Marks(Flag(flag) if flag else None, rating, None, bool(kept))
            photo = KnownPhoto(number, marks.verdict, tuple(known), emptied)
            rank = (bool(hidden), not here, number)
            if fingerprint not in best or rank < best[fingerprint][0]:
                best[fingerprint] = (rank, photo)
        return {fingerprint: photo for fingerprint, (_, photo) in best.items()}

    # --- folders

    def add_library(self, path: str | Path, is_new: bool) -> int:
        """Add the first destination to the catalog, unless it is in a folder that shows it.

        A folder that was added without its subfolders gets them, for the copies are in subfolders.

        Args:
            path: the destination.
            is_new: it did not exist or was empty. Otherwise the new folder is ``sampled``: scans
                add no photos but those imported.

        Returns:
            The id of the folder that contains it.
        """
        return self._folders.ensure(path, sampled=not is_new)

    def is_copied(self, folder_id: int) -> bool:
        """Whether every present file in a card's folder has a present copy in another folder."""
        return not self._store.value(
            "SELECT EXISTS (SELECT 1 FROM directory AS d JOIN file AS f ON f.directory_id = d.id"
            " WHERE d.folder_id = ?1 AND f.missing_since IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM file AS c JOIN directory AS cd ON cd.id = c.directory_id"
            " WHERE c.photo_id = f.photo_id AND c.fingerprint = f.fingerprint"
            " AND c.missing_since IS NULL AND cd.folder_id IS NOT ?1))",
            (folder_id,),
        )

    def settle_card(self, folder_id: int) -> bool:
        """Remove the folder of a card that is away, if everything on it was copied.

        Its photos stay in the catalog by their copies, with their marks. If the card comes back,
        its files are recognized as copies.

        Returns:
            Whether the folder was removed.
        """
        away = self._store.value("SELECT away_since FROM folder WHERE id = ?", (folder_id,))
        if away is None or not self.is_copied(folder_id):
            return False
        photos = self._store.values(
            "SELECT DISTINCT photo_id FROM directory JOIN file ON directory_id = directory.id"
            " WHERE folder_id = ? AND missing_since IS NULL ORDER BY photo_id",
            (folder_id,),
        )
        for part in paused_chunks(photos):  # a key press need not wait for all of them
            with self._store.transaction():
                self._store.run(
                    "UPDATE file SET missing_since = ?1 WHERE missing_since IS NULL"
                    " AND photo_id IN (SELECT value FROM json_each(?2)) AND directory_id IN"
                    " (SELECT id FROM directory WHERE folder_id = ?3)",
                    (time.time(), json.dumps(part), folder_id),
                )
                self._identity.sync(part)
        self._folders.remove(folder_id, keep_photos=True)
        return True


_IMPORTS = "SELECT id, started_at, ended_at, job, request, report FROM import_run"
# A former content is known by the file that has replaced it, which is the same photo.
_KNOWN = (
    "SELECT f.fingerprint, p.id, p.flag, p.rating, p.kept,"
    " p.removed_at IS NOT NULL OR p.emptied_at IS NOT NULL, now.emptied_at IS NOT NULL,"
    " d.path, now.name, now.size, now.mtime_ns, iif(f.role = 'former', NULL, f.sha256),"
    " now.missing_since IS NOT NULL, folder.away_since IS NOT NULL, f.role = 'former'"
    " FROM file AS f JOIN photo AS p ON p.id = f.photo_id"
    " JOIN file AS now ON f.role <> 'former' AND now.id = f.id OR f.role = 'former'"
    " AND now.photo_id = f.photo_id AND now.kind = f.kind AND now.role <> 'former'"
    " JOIN directory AS d ON d.id = now.directory_id LEFT JOIN folder ON folder.id = d.folder_id"
    " WHERE f.fingerprint IN ({}) ORDER BY f.id"
)


def _import(row: Row) -> ImportRow:
    number, started, ended, job, request, report = row
    return ImportRow(
        number, started, ended, job, json.loads(request), json.loads(report) if report else None
    )


def _known_file(row: Row) -> tuple[Any, ...]:
    directory, name, size, mtime_ns, sha256, missing, away, changed = row[7:]
    return (
        str(Path(directory, name)),
        size,
        mtime_ns,
        sha256,
        *map(bool, (missing, away, changed)),
    )


def _presence(file: KnownFile) -> tuple[bool, bool, bool]:
    return file.missing, file.away, file.changed
