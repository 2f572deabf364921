"""The catalog: one SQLite file with photos, decisions, work and everything known about them.

    catalog = Catalog.open(home.catalog)
    catalog.journal.decide({412: {"rating": 4}}, summary="4 stars: DSC_0412")
    catalog.photos.get(412).marks.rating        # 4; on disk already
    catalog.close()

A :class:`Catalog` opens the file and owns the parts, which read and write through one `Store`:

    store       connection, transactions, write priority, checkpoints, errors in plain words
    files, sidecar_files, decisions, work       tables, for the parts below
    identity    which files are one photo; merging and splitting photos
    journal     decisions, undo and redo
    scans, results, metadata, vectors, faces, descriptions, text_lines, stacks
                what the pipeline saves
    photos, folders, volumes        what views and the command line read
    tags, vocabulary, projects, text, searches, taste, sidecars     what a person works with
    imports     verified copies from memory cards, which become files of their photos
    rewrites, removal, recovery     safety when files are changed, deleted or restored

No part takes the Catalog, and none imports a part that imports it. `schema` defines the tables and
`migrations` updates older catalogs; `backups`, `restoring` and `integrity` look after the file.
Plain values come out, never models: peewee is used only here.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from collections.abc import Iterator
from pathlib import Path

import peewee

from curator import private
from curator.catalog import backups, disk_reserve, integrity, migrations, restoring
from curator.catalog.backups import Backup
from curator.catalog.decisions import Decisions
from curator.catalog.descriptions import Descriptions
from curator.catalog.faces import Faces
from curator.catalog.fields import FIELDS
from curator.catalog.folders import FolderRow, Folders, absence
from curator.catalog.identity import Identity
from curator.catalog.imports import ImportRow, Imports, KnownFile, KnownPhoto
from curator.catalog.journal import Journal
from curator.catalog.lock import ConductorLock, UseLock
from curator.catalog.metadata_import import MetadataImport
from curator.catalog.photo_files import FileReader, FileRow, PhotoFiles
from curator.catalog.photos import (
    CAPTURE_COLUMNS,
    FileDetail,
    PhotoDetail,
    Photos,
)
from curator.catalog.projects import ProjectRow, Projects, project_name
from curator.catalog.removal import Removal
from curator.catalog.replaying import Recovery, ReplayReport
from curator.catalog.restoring import RestoreReport
from curator.catalog.results import PeekFindings, Results
from curator.catalog.rewrites import NewContent, Rewrites
from curator.catalog.scan import Applied, Examined, Missing, Scan, ScanCount, Scans
from curator.catalog.searches import NAME_LENGTH, SavedSearch, SavedSearches
from curator.catalog.sidecar_files import SidecarFiles
from curator.catalog.sidecars import Conflict, SidecarContent, SidecarCounts, Sidecars, WriteResult
from curator.catalog.stacks import SHOT_COLUMNS, StackChange, Stacks
from curator.catalog.store import (
    DamagedError,
    DiskFullError,
    MissingError,
    Store,
    damaged,
    missing,
    translate,
)
from curator.catalog.tags import TagDetail, Tags, folded, plain_name, tag_name, tag_names
from curator.catalog.taste import (
    Judgment,
    LastRating,
    PredictedRating,
    Preference,
    RepeatRating,
    Taste,
    TasteRow,
)
from curator.catalog.text import TextIndex
from curator.catalog.text_lines import TextLines
from curator.catalog.vectors import EncoderProgress, Vectors
from curator.catalog.verified_copies import CopyLinks, VerifiedCopy
from curator.catalog.vocabulary import TagRow, Vocabulary
from curator.catalog.volumes import Volumes
from curator.catalog.work import BLOCKED, Pending, WorkQueue
from curator.model import CatalogError, KnownError

__all__ = [
    "BLOCKED",
    "CAPTURE_COLUMNS",
    "FIELDS",
    "NAME_LENGTH",
    "SHOT_COLUMNS",
    "Applied",
    "Backup",
    "Catalog",
    "ConductorLock",
    "Conflict",
    "DamagedError",
    "DiskFullError",
    "EncoderProgress",
    "Examined",
    "FileDetail",
    "FileReader",
    "FileRow",
    "FolderRow",
    "ImportRow",
    "Judgment",
    "KnownFile",
    "KnownPhoto",
    "LastRating",
    "Missing",
    "MissingError",
    "NewContent",
    "PeekFindings",
    "Pending",
    "PhotoDetail",
    "PredictedRating",
    "Preference",
    "ProjectRow",
    "RepeatRating",
    "ReplayReport",
    "RestoreReport",
    "SavedSearch",
    "Scan",
    "ScanCount",
    "SidecarContent",
    "SidecarCounts",
    "StackChange",
    "TagDetail",
    "TagRow",
    "TasteRow",
    "UseLock",
    "VerifiedCopy",
    "WriteResult",
    "absence",
    "create_new_catalog",
    "damage_context",
    "folded",
    "is_damaged",
    "plain_name",
    "project_name",
    "restore",
    "tag_name",
    "tag_names",
]


class Catalog:
    """One open catalog: its connection (`store`) and the parts that read and write through it.

    Any number of processes may have the file open, read it and make decisions.

    Thread: the one that opened it, no other; a second thread opens its own.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tags = Tags(store)
        self.files = PhotoFiles(store)
        self.sidecar_files = SidecarFiles(store)
        self.decisions = Decisions(store)
        self.work = WorkQueue(store, self.files)
        self.identity = Identity(
            store, self.files, self.work, self.decisions, self.tags, self.sidecar_files
        )
        self.folders = Folders(store, self.work, self.identity)
        self.volumes = Volumes(store, self.files, self.work, self.folders)
        self.journal = Journal(store, self.decisions, self.tags, self.identity, self.folders)
        self.vocabulary = Vocabulary(store, self.tags, self.journal)
        self.metadata = MetadataImport(
            store, self.decisions, self.journal, self.tags, self.sidecar_files
        )
        self.projects = Projects(store)
        self.sidecars = Sidecars(store, self.sidecar_files, self.metadata, self.tags, self.projects)
        self.scans = Scans(store, self.files, self.work, self.identity, self.sidecar_files)
        self.results = Results(
            store, self.files, self.work, self.identity, self.metadata, self.sidecar_files
        )
        self.descriptions = Descriptions(store, self.work, self.tags)
        self.vectors = Vectors(store, self.work, self.tags)
        self.faces = Faces(store, self.work)
        self.text_lines = TextLines(store, self.work)
        self.taste = Taste(store)
        self.stacks = Stacks(store)
        self.photos = Photos(store, self.tags, self.descriptions, self.faces, self.text_lines)
        self.text = TextIndex(store, self.tags)
        self.searches = SavedSearches(store)
        self.removal = Removal(store, self.identity)
        self.imports = Imports(
            store,
            self.identity,
            self.folders,
            CopyLinks(store, self.files, self.work, self.identity),
        )
        self.rewrites = Rewrites(store, self.files, self.work)
        self.recovery = Recovery(store, self.files, self.work, self.decisions, self.tags)

    @classmethod
    def open(cls, path: str | Path, *, ignore_backups: bool = False) -> Catalog:
        """Open a catalog; create or migrate it first if necessary.

        Args:
            path: the SQLite file.
            ignore_backups: create an empty catalog even if backups of a lost one exist.

        Raises:
            CatalogError: the file is damaged, made by a newer Curator or another program, locked,
                not writable, or lost while backups of it exist. The error says what to do.
        """
        path = Path(path)
        try:
            return cls._opened(path, ignore_backups)
        except DiskFullError:
            if not disk_reserve.spend(path):
                raise
        return cls._opened(path, ignore_backups)

    @classmethod
    def _opened(cls, path: Path, ignore_backups: bool) -> Catalog:
        database: peewee.SqliteDatabase | None = None
        use = UseLock(path)
        try:
            if not ignore_backups:
                _refuse_lost(path)
            private.make_folder(path.parent)
            use.share()
            private.touch(path)  # SQLite gives its log and its index the catalog's rights
            for ending in ("-wal", "-shm"):
                private.restrict(f"{path}{ending}")
            database = Store.connect(path)
            migrations.bring_up_to_date(database, path)
            opened = cls(Store(path, database, use))
            _OPEN.add(opened)
            return opened
        except (peewee.PeeweeException, sqlite3.Error, OSError, ValueError, KnownError) as error:
            if database is not None:
                database.close()
            use.release()
            if isinstance(error, KnownError):
                raise
            known = _open_error(error, path)
            if known is None:
                raise
            raise known from error

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.store.path

    @property
    def is_open(self) -> bool:
        """Whether the catalog has not been closed yet."""
        return self.store.is_open

    def close(self) -> None:
        """Close the connection. The last connection to close checkpoints the write-ahead log."""
        self.store.close()

    def check(self) -> list[str]:
        """Check the whole file and return what is wrong with it; seconds for a large catalog."""
        return self.store.check()


# The catalogs this process opened: if the file of one that is still open is gone, it was moved.
_OPEN: weakref.WeakSet[Catalog] = weakref.WeakSet()


def _open_error(error: Exception, path: Path) -> CatalogError | None:
    """Return why a catalog cannot be opened; None if it is our bug."""
    # peewee wraps SQLite's errors; the wrapped one has the code.
    cause = error.__context__ if isinstance(error, peewee.PeeweeException) else error
    if isinstance(cause, UnicodeDecodeError):  # SQLite's message quotes a broken schema
        return damaged(path)
    if isinstance(cause, sqlite3.Error):
        return translate(cause, path)
    if isinstance(error, OSError):
        return CatalogError(
            f"The catalog {path} cannot be opened ({error.strerror or error}).",
            "Choose another home folder with --home or CURATOR_HOME.",
        )
    return None


@contextlib.contextmanager
def damage_context(path: Path) -> Iterator[None]:
    """Re-raise errors caused by a damaged catalog as DamagedError.

    Raises:
        DamagedError: the block failed with an error that damage can cause, and the catalog is
            damaged.
    """
    try:
        yield
    except integrity.DAMAGE_ERRORS as error:
        if not path.exists() or not is_damaged(path):
            raise
        raise damaged(path) from error


def is_damaged(path: Path) -> bool:
    """Whether a catalog is damaged or missing; reads all of it, which takes seconds if it is large.

    A catalog of a newer Curator and a file of another program do not count as damaged.
    """
    if not path.exists():
        return True
    try:
        opened = Catalog.open(path)
    except CatalogError as error:
        return isinstance(error, DamagedError)
    try:
        return bool(opened.check())
    finally:
        opened.close()


def restore(catalog: Path, backup: Path, *, redo: bool) -> RestoreReport:
    """Replace a catalog that no process has open with a backup; see :func:`restoring.restore`.

    Args:
        catalog: the SQLite file; it is set aside, not deleted.
        backup: what to restore.
        redo: replay the decisions made since, as far as they can be read. False returns to the
            state of the backup.

    Raises:
        BusyError: somebody has the catalog open.
        CatalogError: the backup is damaged, or the disk is too full; the catalog is unchanged.
    """

    def replay(copy: Path, former: Path) -> ReplayReport:
        restored = Catalog.open(copy)
        try:
            return restored.recovery.replay(former)
        finally:
            restored.close()

    return restoring.restore(catalog, backup, replay if redo else None)


def create_new_catalog(path: Path) -> None:
    """Create an empty catalog in place of a lost one, whose backups stay.

    The newest backup is kept permanently: backups of the new catalog never replace it.

    Raises:
        BusyError: somebody has a catalog open there.
        CatalogError: a catalog exists there, or none can be created.
    """
    with UseLock(path) as lock:
        lock.exclude_others()
        if path.exists() and path.stat().st_size:
            raise CatalogError(f"A catalog exists at {path}.", "`curator` opens it.")
        restoring.set_log_aside(path)
        backups.hold_newest(path)
    Catalog.open(path, ignore_backups=True).close()


def _refuse_lost(path: Path) -> None:
    """Refuse to create an empty catalog silently where backups show that one is lost.

    Raises:
        CatalogError: this process has the catalog open, but its file was moved: decisions go to
            the moved file.
        DamagedError: the file is gone (MissingError), or is empty, which SQLite would
            take for a new catalog.
    """
    try:
        empty = path.stat().st_size == 0
    except FileNotFoundError:
        if any(each.path == path and each.is_open for each in list(_OPEN)):
            raise CatalogError(
                f"The catalog {path} was moved while it was open.",
                "Close Curator, then move it back or start with --home and its new folder.",
            ) from None
        if backups.files(path):
            raise missing(path) from None
        return
    if empty and backups.files(path):
        raise damaged(path)
