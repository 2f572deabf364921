"""Scans: match the files found in folders with known, new, moved and missing photos.

The pipeline and the command line scan folders this way; `curator.files` reads the bytes.

    scan = catalog.scans.begin(folder_id, files)
    for batch in batches_of(files.pair(files.walk([path], recursive=True))):
        catalog.scans.apply(scan, batch)                # short transactions
    missing = catalog.scans.find_missing(scan, ["/photos/iceland"])
    catalog.scans.mark_missing(scan, missing)           # known files that are gone
    catalog.scans.count_found([scan])                   # found = new + known

A known path with the same size and time is recognized without opening the file. A known path whose
size or time changed goes to *peek* again, which finds out whether it is still the same photo (see
`results`). A file at an unknown path is opened only if a known file has its size. No file is read
while the write lock is held.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from curator.catalog.identity import Identity, Twin
from curator.catalog.integrity import reports_damage
from curator.catalog.photo_files import Content, FileReader, FileRow, PhotoFiles
from curator.catalog.sidecar_files import FoundSidecars, SidecarFiles
from curator.catalog.store import Store, path_range, paused_chunks, placeholders
from curator.catalog.work import REQUEUE, UNFINISHED, WorkQueue
from curator.model import FileGroup, FoundFile, GoneError, KnownError


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of one batch: ids of new and of changed photos, and groups left out.

    ``left`` are unknown groups that were not added because of ``add=False``. ``stale`` groups were
    not written, because the catalog changed since they were examined: examine them again.
    """

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    left: list[FileGroup] = field(default_factory=list)
    stale: list[FileGroup] = field(default_factory=list)

    def extend(self, more: Applied) -> None:
        """Append the result of a later batch."""
        self.new.extend(more.new)
        self.changed.extend(more.changed)
        self.left.extend(more.left)
        self.stale.extend(more.stale)


@dataclass(frozen=True, slots=True)
class ScanCount:
    """How many photos scans found; pairs and copies count once.

    ``pairs`` of them have both halves. ``elsewhere`` of the new photos have marks from files only.
    """

    new: int
    known: int
    pairs: int = 0
    elsewhere: int = 0

    @property
    def found(self) -> int:
        """The number of all photos found."""
        return self.new + self.known


@dataclass
class _ScannedFile:
    """One file of a group, and what examining it showed.

    Attributes:
        found: the file on disk.
        row: its row, if its path is known and still stands for the same file.
        content: fingerprint and sha256, as far as they were computed.
        twin: a known file with the same content, for a file at an unknown path.
        changed: its row must be updated: its time changed, it is back, or a half was edited.
        peek: peek must read it to find out which photo it is.
        gone: it was deleted after the scan found it.
        costly: whole files must be read to tell, which was not wanted yet.
    """

    found: FoundFile
    row: FileRow | None
    content: Content = field(default_factory=Content)
    twin: Twin | None = None
    changed: bool = False
    peek: bool = False
    gone: bool = False
    costly: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """The result of :meth:`Scans.examine` for some groups of files; input of :meth:`Scans.write`.

    Attributes:
        to_write: new and changed groups.
        beside: unchanged photos, with the sidecars found.
        known: ids of unchanged photos.
        seen: ids of their files.
        sidecars: paths of all sidecars found.
        deferred: groups not examined completely, because that means reading whole files.
    """

    to_write: list[tuple[FileGroup, list[_ScannedFile]]] = field(default_factory=list)
    beside: list[tuple[int, Sequence[FoundFile]]] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    sidecars: set[str] = field(default_factory=set)
    deferred: list[FileGroup] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Missing:
    """The result of :meth:`Scans.find_missing`: files that are gone under some roots.

    ``files`` maps photo ids to file ids; ``sidecars`` are sidecar ids.
    """

    roots: list[str]
    deep: bool
    files: dict[int, list[int]] = field(default_factory=dict)
    sidecars: list[int] = field(default_factory=list)


@dataclass
class Scan:
    """One scan of one folder: what it has found so far. :class:`Scans` fills it.

    Attributes:
        folder_id: the folder; None for files outside of all folders.
        reader: opens the few files in doubt.
        began: when, in Unix time.
        last_photo: the largest id of a photo before the scan.
        last_file: the largest id of a file before the scan.
        known: unchanged photos.
        seen: files that exist, so that the end of the scan need not check them.
        changed: directory and name of the first file of each group written.
        sidecars: paths of the sidecars found.
        directories: id of each directory of the present transaction, by path.
    """

    folder_id: int | None
    reader: FileReader
    began: float
    last_photo: int
    last_file: int
    known: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    changed: list[tuple[str, str]] = field(default_factory=list)
    sidecars: set[str] = field(default_factory=set)
    directories: dict[str, int] = field(default_factory=dict)


@reports_damage
@dataclass(eq=False)
class Scans:
    """Begins scans, and compares the files they find with the catalog.

    Files are examined (:meth:`examine`, :meth:`find_missing`) before anything is written
    (:meth:`write`, :meth:`mark_missing`). Examining may take long, so another thread may do it
    through a catalog of its own.
    """

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue
    _identity: Identity
    _sidecar_files: SidecarFiles

    def begin(self, folder_id: int | None, reader: FileReader) -> Scan:
        """Begin a scan; ``reader`` (`curator.files`) opens the few files in doubt."""
        photo, file = (
            self._store.value(f"SELECT coalesce(max(id), 0) FROM {table}")
            for table in ("photo", "file")
        )
        return Scan(folder_id, reader, time.time(), photo, file)

    # --- a batch

    def apply(self, scan: Scan, groups: Sequence[FileGroup], add: bool = True) -> Applied:
        """Examine some groups of files and write them, for callers that may wait for files.

        Args:
            scan: the scan that found them.
            groups: as `curator.files.pair` returns them; some hundreds at a time.
            add: as for :meth:`write`.

        Raises:
            CatalogError: part of the batch was not written; it will be when the batch comes again.
        """
        done = Applied()
        while groups:  # fewer each time: the first group of a batch is never stale
            part = self.write(scan, self.examine(scan, groups), add)
            done.extend(part)
            groups = part.stale
        fresh = set(done.new)
        changed = [photo for photo in dict.fromkeys(done.changed) if photo not in fresh]
        return Applied(done.new, changed, done.left)

    def examine(self, scan: Scan, groups: Sequence[FileGroup], prove: bool = True) -> Examined:
        """Compare groups of files with the catalog; opens files in doubt, writes nothing.

        Args:
            scan: the scan that found them.
            groups: as `curator.files.pair` returns them.
            prove: read whole files to prove copies; otherwise such groups are deferred.
        """
        files_by_group = self._match_paths(groups)
        sizes = self._known_sizes(files_by_group, scan.last_file)
        examined = Examined()
        for group, files in zip(groups, files_by_group, strict=True):
            examined.sidecars.update(sidecar.path for sidecar in group.sidecars)
            photos = {file.row.photo_id for file in files if file.row is not None}
            if len(photos) == 1 and all(_unchanged(file) for file in files):
                examined.known.update(photos)
                examined.seen.update(file.row.id for file in files if file.row is not None)
                if group.sidecars:
                    examined.beside.append((next(iter(photos)), group.sidecars))
                continue
            for file in files:
                if files[0].peek and file.row is not None and file.row.role == "half":
                    file.peek = True  # both changed: peek resolves them together
                else:
                    self._examine(scan, file, sizes, prove)
            if any(file.costly for file in files):
                examined.deferred.append(group)
            elif present := [file for file in files if not file.gone]:
                examined.to_write.append((group, present))
        return examined

    def write(self, scan: Scan, examined: Examined, add: bool = True) -> Applied:
        """Write the result of :meth:`examine`, a few groups in each transaction.

        Args:
            scan: the scan that found the files.
            examined: from :meth:`examine`.
            add: False adds no photos: for a re-scan of a sampled folder, and before a sample is
                drawn from ``left``.

        Raises:
            CatalogError: part of the batch was not written; it will be when the batch comes again.
        """
        scan.sidecars |= examined.sidecars
        scan.known |= examined.known
        scan.seen |= examined.seen
        done = Applied()
        if self._sidecar_files.has_news(examined.beside):
            with self._store.transaction():
                self._requeue_for_sidecars(examined.beside)
        groups = deque(examined.to_write)
        while groups:
            done.extend(self._write_groups(scan, groups, add))
        return done

    def _write_groups(
        self, scan: Scan, groups: deque[tuple[FileGroup, list[_ScannedFile]]], add: bool
    ) -> Applied:
        """Take groups and write them in one transaction, until it should end."""
        done = Applied()
        beside: list[tuple[int, Sequence[FoundFile]]] = []
        scan.directories.clear()
        with self._store.transaction():
            while groups:
                group, files = groups.popleft()
                if any(self._is_stale(file) for file in files):
                    done.stale.append(group)
                else:
                    photo = self._write_group(scan, group, files, add, done)
                    if photo is not None and group.sidecars:
                        beside.append((photo, group.sidecars))
                if self._store.should_commit:
                    break
            self._work.add_photos(done.new)
            self._requeue_for_sidecars(beside)
            self._identity.sync(done.changed)
        return done

    def _requeue_for_sidecars(self, beside: FoundSidecars) -> None:
        """Queue peek for photos with new or changed sidecars."""
        photos = self._sidecar_files.note_found(beside)
        self._requeue_peek(photos)
        self._work.refresh_ready(photos)

    def _requeue_peek(self, photos: Sequence[int]) -> None:
        """Queue peek again for photos, except where it is running now."""
        self._store.run_many(
            f"{REQUEUE} WHERE photo_id = ? AND stage = 'peek' AND state <> 'running'",
            [(photo,) for photo in photos],
        )

    def _is_stale(self, file: _ScannedFile) -> bool:
        """Whether the row or twin of a file changed after it was examined.

        An earlier group of the batch may have used it, or a person deleted it.
        """
        rows = [row for row in (file.row, file.twin.row if file.twin else None) if row is not None]
        known = "SELECT photo_id, directory_id, name, missing_since FROM file WHERE id = ?"
        return any(
            self._store.row(known, (row.id,))
            != (row.photo_id, row.directory_id, row.name, row.missing_since)
            for row in rows
        )

    def _match_paths(self, groups: Sequence[FileGroup]) -> list[list[_ScannedFile]]:
        """Find the rows of the groups' paths, preferring present files to missing ones."""
        by_directory: dict[str, list[str]] = {}
        for group in groups:
            names = by_directory.setdefault(group.directory, [])
            names.extend(found.name for found in group.files)
        rows: dict[tuple[str, str], FileRow] = {}
        for directory, names in by_directory.items():
            for row in self._files.where_in(
                "directory.path = ? AND name IN ({}) AND role <> 'former'"
                " ORDER BY missing_since IS NULL, file.id",
                names,
                directory,
            ):
                rows[directory, row.name] = row
        return [
            [_ScannedFile(found, rows.get((group.directory, found.name))) for found in group.files]
            for group in groups
        ]

    def _known_sizes(
        self, files_by_group: Sequence[Sequence[_ScannedFile]], last_file: int
    ) -> set[int]:
        """Return the sizes of new or changed files that a file known before this scan has.

        Cameras that do not compress make files of equal size: two new files of one size are left to
        peek, or the first scan of a card would open them all.
        """
        asked = {f.found.size for files in files_by_group for f in files if not _unchanged(f)} - {0}
        sql = (
            "SELECT DISTINCT size FROM file WHERE id <= ? AND fingerprint IS NOT NULL"
            " AND size IN ({})"
        )
        return {row[0] for row in self._store.rows_for(sql, asked, last_file)}

    def _examine(self, scan: Scan, file: _ScannedFile, sizes: set[int], prove: bool) -> None:
        """Identify a file that is new or changed; opens it only when in doubt."""
        row, found, reader = file.row, file.found, scan.reader
        if row is not None and (row.missing_since or 0.0) >= scan.began:
            file.gone = found.path in _gone([found.path], reader)
        if file.gone or (row is not None and _same(row, found)):
            return
        if row is not None and row.missing_since is None and row.role == "main":
            file.peek = True  # resolved there, where capture time and camera are read
            return
        try:
            if row is not None and row.fingerprint is not None:
                file.content = Content(reader.fingerprint(found.path))
                if file.content.fingerprint == row.fingerprint:
                    file.changed = True  # only its time changed
                    return
            elif found.size in sizes:
                file.content = Content(reader.fingerprint(found.path))
        except KnownError:
            file.peek = True  # gone or unreadable: peek reports it
            if row is not None and row.missing_since is not None:
                file.row = None
            return
        if row is not None and row.role == "half" and row.missing_since is None:
            file.changed = True  # only the half was edited; the RAW identifies the photo
            return
        if row is not None:
            file.row = None if row.missing_since is not None else row
        if file.content.fingerprint is not None and found.size:
            twins = self._files.with_fingerprint(file.content.fingerprint)
            file.costly = not prove and self._identity.reads_whole(found.path, twins, reader)
            if file.costly:
                return
            file.twin = self._identity.find_twin(found.path, twins, reader)
            if file.twin is not None and file.twin.sha256 is not None:
                file.content = Content(file.content.fingerprint, file.twin.sha256)

    def _write_group(
        self,
        scan: Scan,
        group: FileGroup,
        files: Sequence[_ScannedFile],
        add: bool,
        done: Applied,
    ) -> int | None:
        """Write one group as a known or new photo; return the photo's id."""
        if len(files) > 1 and self._identity.split_among(_photos_of(files)):
            # A person split the pair: each half is a photo.
            halves = [(replace(group, files=(file.found,)), [file]) for file in files]
            written = [self._write_group(scan, *half, add, done) for half in halves]
            return next((photo for photo in written if photo is not None), None)
        for file in files:
            self._drop_edited_copy(file, done.changed)
        photos = _photos_of(files)
        if not photos and not add:
            done.left.append(group)
            return None
        directory = scan.directories.get(group.directory)
        if directory is None:
            directory = self._files.ensure_directory(group.directory, scan.folder_id)
            scan.directories[group.directory] = directory
        scan.changed.append((group.directory, group.files[0].name))
        if not photos:
            photo = self._files.add_photo(directory, group.name)
            for file, role in zip(files, ("main", "half"), strict=False):
                scan.seen.add(self._files.add(photo, directory, file.found, role, file.content))
            done.new.append(photo)
            return photo
        done.changed.extend(photos)
        photo = self._identity.merge(photos)
        for file in files:
            if file.row is None:
                self._identity.attach(photo, directory, file.found, file.content, file.twin)
            else:
                self._update(file)
                scan.seen.add(file.row.id)
        self._identity.bring_back(photo)
        if any(file.row is not None and file.row.missing_since is not None for file in files):
            # The file is back: retry what failed because it was missing.
            self._store.run(f"{REQUEUE} WHERE photo_id = ? AND state = 'failed'", (photo,))
        if any(file.peek for file in files):
            self._requeue_peek([photo])
        return photo

    def _drop_edited_copy(self, file: _ScannedFile, changed: list[int]) -> None:
        """Delete the row of an edited copy, which is now a photo of its own."""
        row = file.row
        if row is None or row.role != "copy" or file.changed or file.peek:
            return
        if _same(row, file.found):
            return
        self._store.run("DELETE FROM file WHERE id = ?", (row.id,))
        changed.append(row.photo_id)
        file.row = None

    def _update(self, file: _ScannedFile) -> None:
        """Save what changed about a file known by its path."""
        assert file.row is not None
        if file.peek:
            return  # size and time stay those of the known content; peek updates them
        found, fingerprint = file.found, file.content.fingerprint or file.row.fingerprint
        digest = file.row.sha256 if fingerprint == file.row.fingerprint else None
        self._store.run(
            "UPDATE file SET size = ?, mtime_ns = ?, fingerprint = ?, sha256 = ?,"
            " missing_since = NULL, emptied_at = NULL WHERE id = ?",
            (found.size, found.mtime_ns, fingerprint, digest, file.row.id),
        )

    # --- the end of a scan

    def find_missing(self, scan: Scan, roots: list[str], deep: bool = True) -> Missing:
        """Find the known files under ``roots`` that the scan did not find; writes nothing.

        Args:
            scan: the scan.
            roots: the folders walked, or single files.
            deep: False if subfolders were not walked: files in them count only if the whole
                subfolder is gone.
        """
        missing = Missing(roots, deep)
        for root in roots:
            for row in self._gone_under(root, scan, deep):
                missing.files.setdefault(row.photo_id, []).append(row.id)
            missing.sidecars.extend(self._gone_sidecars(root, scan, deep))
        return missing

    def mark_missing(self, scan: Scan, missing: Missing) -> list[int]:
        """Mark files as missing; return ids of the photos whose rows changed.

        Not for a folder that is away (a drive): all of its files would be missing. They would
        keep their photos, but a person looking for lost files would find thousands.

        Raises:
            CatalogError: some files may not be marked; the next scan marks them.
        """
        now = time.time()
        for part in paused_chunks(list(missing.files)):
            with self._store.transaction():
                self._store.run_many(
                    "UPDATE file SET missing_since = ? WHERE id = ?",
                    [(now, file) for photo in part for file in missing.files[photo]],
                )
                self._identity.sync(part)
        if missing.deep and scan.folder_id is not None:
            with self._store.transaction():
                self._store.run(
                    "UPDATE folder SET scanned_at = ? WHERE id = ?"
                    f" AND path IN ({placeholders(len(missing.roots))})",
                    (now, scan.folder_id, *missing.roots),
                )
        self._sidecar_files.remove(missing.sidecars)
        return list(missing.files)

    def _gone_under(self, root: str, scan: Scan, deep: bool) -> list[FileRow]:
        """List known files under a root that are gone."""
        inside, end = path_range(root)
        live = self._store.rows(
            "SELECT file.id FROM directory JOIN file ON directory_id = directory.id"
            " WHERE missing_since IS NULL AND (directory.path = ?"
            " OR (directory.path = ? AND name = ?)"
            " OR (? AND directory.path > ? AND directory.path < ?))",
            (root, str(PurePath(root).parent), PurePath(root).name, deep, inside, end),
        )
        unseen = sorted({row[0] for row in live} - scan.seen)
        rows = self._files.where_in("file.id IN ({})", unseen)
        lost = _gone((row.path for row in rows), scan.reader)
        gone = [row for row in rows if row.path in lost]
        if not deep:
            paths = self._store.rows(
                "SELECT path FROM directory WHERE path > ? AND path < ?", (inside, end)
            )
            below = sorted({inside + path[len(inside) :].split(os.sep, 1)[0] for (path,) in paths})
            for path in _gone(below, scan.reader):
                gone += self._gone_under(path, scan, True)
        return gone

    def _gone_sidecars(self, root: str, scan: Scan, deep: bool) -> list[int]:
        """List known sidecars under a root that are gone, though their folder still exists."""
        lost = {
            path: number
            for number, path in self._sidecar_files.below(root, deep)
            if path not in scan.sidecars
        }
        gone = _gone(lost, scan.reader)
        lost_folders = _gone({str(PurePath(path).parent) for path in gone}, scan.reader)
        return [lost[path] for path in gone if str(PurePath(path).parent) not in lost_folders]

    def count_found(self, scans: Sequence[Scan]) -> ScanCount:
        """Count the photos of scans begun together; a photo found by two of them counts once.

        Photos merged later count once only after that: when their headers were read.
        """
        ids = set[int]().union(*(self._photos_found_by(scan) for scan in scans))
        began = min((scan.last_photo for scan in scans), default=0)
        new = [number for number in ids if number > began]
        pairs = self._store.rows_for(
            "SELECT DISTINCT photo_id FROM file WHERE role = 'half'"
            " AND missing_since IS NULL AND photo_id IN ({})",
            ids,
        )
        elsewhere = self._store.rows_for(
            "SELECT id FROM photo WHERE elsewhere AND (kept OR flag IS NOT NULL"
            " OR rating IS NOT NULL) AND id IN ({})",
            new,
        )
        return ScanCount(len(new), len(ids) - len(new), len(pairs), len(elsewhere))

    def awaits_headers(self) -> bool:
        """Whether headers of reachable files are still to be read."""
        return any(
            self._store.value(
                f"SELECT EXISTS (SELECT 1 FROM work WHERE stage = 'peek' AND {state})"
            )
            for state in UNFINISHED
        )

    def counts_outdated(self, scans: Sequence[Scan]) -> bool:
        """Whether headers showed that a photo added since is a copy or has marks."""
        began = min((scan.last_photo for scan in scans), default=0)
        more = "id > ? AND (elsewhere OR merged_into IS NOT NULL)"
        return bool(
            self._store.value(f"SELECT EXISTS (SELECT 1 FROM photo WHERE {more})", (began,))
        )

    def _photos_found_by(self, scan: Scan) -> set[int]:
        """Return the present ids of the photos a scan found."""
        ids = {
            row[0]
            for row in self._store.rows_for(
                "SELECT coalesce(merged_into, id) FROM photo WHERE id IN ({})", scan.known
            )
        }
        for directory, name in scan.changed:
            number = self._store.value(
                "SELECT photo_id FROM file JOIN directory ON directory.id = directory_id"
                " WHERE path = ? AND name = ? ORDER BY missing_since IS NOT NULL, file.id DESC",
                (directory, name),
            )
            if number is not None:
                ids.add(number)
        return ids


def _photos_of(files: Sequence[_ScannedFile]) -> set[int]:
    """Return the photos that files are known to belong to, by path or by content."""
    photos = {f.row.photo_id for f in files if f.row is not None}
    return photos | {f.twin.row.photo_id for f in files if f.twin is not None and f.row is None}


def _same(row: FileRow, found: FoundFile) -> bool:
    return (row.size, row.mtime_ns) == (found.size, found.mtime_ns)


def _unchanged(file: _ScannedFile) -> bool:
    row = file.row
    return row is not None and row.missing_since is None and _same(row, file.found)


def _gone(paths: Iterable[str], reader: FileReader) -> set[str]:
    """Return the paths that do not exist; paths that cannot be checked do not count as gone."""
    gone: set[str] = set()
    for path in paths:
        try:
            reader.status(path)
        except GoneError:
            gone.add(path)
        except KnownError:
            continue
    return gone
