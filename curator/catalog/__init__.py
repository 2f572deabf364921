"""The catalog: one SQLite file that holds photos, decisions, work and places; peewee stays inside.

    catalog = Catalog.open(home.catalog)
    catalog.decide({412: {"rating": 4}}, summary="4 stars: DSC_0412")
    catalog.photo(412).marks.rating        # 4; on disk already
    catalog.close()

`schema` is what there is, `migrations` how it came to be, `store` the connection, `wal` how long
its log is, `journal` the decisions, `identity` which files are one photo, `scan`, `work` and
`results` what the conductor brings, `tastes` vectors and what is learned from, `tags` words for
photos and `vocabulary` the words themselves, `text` finds photos by their words, `readings` what
files say and `sidecars` what they are to say, `stacks` which photos the machine shows as one,
`projects` which a person puts together, `folders` and `photos` what others read, `volumes` where
folders went. `backups` are kept of it, `restoring` puts one back and `replaying` makes again what
happened since; `soundness` finds damage. Plain values come out, never models.
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
from curator.catalog.fields import FIELDS
from curator.catalog.folders import FolderRow, Folders, absence
from curator.catalog.identity import Identity
from curator.catalog.journal import Journal
from curator.catalog.lock import ConductorLock, UseLock
from curator.catalog.metadata_import import MetadataImport
from curator.catalog.photo_files import FileReader, FileRow, PhotoFiles
from curator.catalog.photos import (
    CAPTURE_COLUMNS,
    PHOTO_COLUMNS,
    FileDetail,
    PhotoDetail,
    Photos,
    WorkDetail,
)
from curator.catalog.projects import ProjectRow, Projects, project_name
from curator.catalog.removal import Removal
from curator.catalog.replaying import Recovery, ReplayReport
from curator.catalog.restoring import RestoreReport
from curator.catalog.results import PeekFindings, Results
from curator.catalog.rewrites import NewContent, Rewrites
from curator.catalog.scan import Applied, Looked, Missing, Scan, ScanCount, Scans
from curator.catalog.searches import NAME_LENGTH, SavedSearch, SavedSearches
from curator.catalog.sidecar_files import SidecarFiles, SidecarRow
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
from curator.catalog.taste import Judgment, PredictedRating, Preference, Taste, TasteRow
from curator.catalog.text import TextIndex
from curator.catalog.vectors import EncoderProgress, Vectors
from curator.catalog.vocabulary import TagRow, Vocabulary
from curator.catalog.volumes import Volumes
from curator.catalog.work import BLOCKED, Pending, WorkQueue
from curator.model import CatalogError, KnownError

__all__ = [
    "BLOCKED",
    "CAPTURE_COLUMNS",
    "FIELDS",
    "NAME_LENGTH",
    "PHOTO_COLUMNS",
    "SHOT_COLUMNS",
    "Applied",
    "Backup",
    "Catalog",
    "ConductorLock",
    "Conflict",
    "DamagedError",
    "DiskFullError",
    "EncoderProgress",
    "FileDetail",
    "FileReader",
    "FileRow",
    "FolderRow",
    "Judgment",
    "Looked",
    "Missing",
    "MissingError",
    "NewContent",
    "PeekFindings",
    "Pending",
    "PhotoDetail",
    "PredictedRating",
    "Preference",
    "ProjectRow",
    "ReplayReport",
    "RestoreReport",
    "SavedSearch",
    "Scan",
    "ScanCount",
    "SidecarContent",
    "SidecarCounts",
    "SidecarRow",
    "StackChange",
    "TagDetail",
    "TagRow",
    "TasteRow",
    "UseLock",
    "WorkDetail",
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

    Any number of processes may have the file open, read and decide. One object is one connection.

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
        self.sidecars = Sidecars(store, self.sidecar_files, self.metadata, self.tags)
        self.scans = Scans(store, self.files, self.work, self.identity, self.sidecar_files)
        self.results = Results(
            store, self.files, self.work, self.identity, self.metadata, self.sidecar_files
        )
        self.descriptions = Descriptions(store, self.work, self.tags)
        self.vectors = Vectors(store, self.work, self.tags)
        self.taste = Taste(store)
        self.stacks = Stacks(store)
        self.photos = Photos(store, self.tags, self.descriptions)
        self.projects = Projects(store)
        self.text = TextIndex(store, self.tags)
        self.searches = SavedSearches(store)
        self.removal = Removal(store, self.identity)
        self.rewrites = Rewrites(store, self.files, self.work)
        self.recovery = Recovery(
            store, self.files, self.work, self.decisions, self.tags, self.descriptions
        )

    @classmethod
    def open(cls, path: str | Path, *, anew: bool = False) -> Catalog:
        """Open a catalog; create or migrate it first if necessary.

        Args:
            path: the SQLite file.
            anew: create an empty catalog even if backups of a lost one exist.

        Raises:
            CatalogError: the file is damaged, made by a newer Curator or another program, locked,
                not writable, or lost while backups of it exist. The error says what to do.
        """
        path = Path(path)
        try:
            return cls._opened(path, anew)
        except DiskFullError:
            if not disk_reserve.spend(path):
                raise
        return cls._opened(path, anew)

    @classmethod
    def _opened(cls, path: Path, anew: bool) -> Catalog:
        database: peewee.SqliteDatabase | None = None
        use = UseLock(path)
        try:
            if not anew:
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
            known = _said_at_open(error, path)
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


# Those of this process: where one of them is gone, its home was moved from under it.
_OPEN: weakref.WeakSet[Catalog] = weakref.WeakSet()


def _said_at_open(error: Exception, path: Path) -> CatalogError | None:
    """Say why a catalog cannot be opened; None if it is a mistake of ours."""
    # peewee dresses SQLite's errors up; the one underneath has the code.
    cause = error.__context__ if isinstance(error, peewee.PeeweeException) else error
    if isinstance(cause, UnicodeDecodeError):  # what SQLite says quotes a schema that is no text
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
    """Have what goes wrong with what a damaged catalog holds be said to be its fault.

    Raises:
        DamagedError: something went wrong in the block as mistakes do, and the catalog is damaged.
    """
    try:
        yield
    except integrity.NONSENSE as error:
        if not path.exists() or not is_damaged(path):
            raise
        raise damaged(path) from error


def is_damaged(path: Path) -> bool:
    """Read a catalog from end to end and say whether it is damaged; seconds for a large one.

    One that is gone is; one of a newer Curator is not, nor is another program's file.
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
    """Put a back-up in the place of a catalog nobody has open; see :func:`restoring.restore`.

    Args:
        catalog: the SQLite file; it is set aside, not deleted.
        backup: what to put there.
        redo: make again what was decided since, as far as it can be read; not when a person
            wants to go back to how it was then.

    Raises:
        BusyError: somebody has it open.
        CatalogError: the back-up is not sound, or there is no room; the catalog is as it was.
    """

    def mend(copy: Path, former: Path) -> ReplayReport:
        mended = Catalog.open(copy)
        try:
            return mended.recovery.replay(former)
        finally:
            mended.close()

    return restoring.restore(catalog, backup, mend if redo else None)


def create_new_catalog(path: Path) -> None:
    """Make an empty catalog where there is none; of the one that is gone the back-ups stay.

    The newest of them is held from now on: those of the new catalog never push it out.

    Raises:
        BusyError: somebody has one open there.
        CatalogError: there is one, or none can be made there.
    """
    with UseLock(path) as lock:
        lock.alone()
        if path.exists() and path.stat().st_size:
            raise CatalogError(f"There is a catalog at {path}.", "`curator` opens it.")
        restoring.set_log_aside(path)
        backups.hold_newest(path)
    Catalog.open(path, anew=True).close()


def _refuse_lost(path: Path) -> None:
    """Refuse to begin an empty catalog by itself where back-ups tell of another.

    Raises:
        CatalogError: this process has it open, and it is there no more: it was moved, and what is
            decided goes where it is.
        DamagedError: it is gone (MissingError), or has lost all its bytes, which to SQLite is a
            new one.
    """
    try:
        empty = path.stat().st_size == 0
    except FileNotFoundError:
        if any(each.path == path and each.is_open for each in list(_OPEN)):
            raise CatalogError(
                f"The catalog {path} was moved while it is open.",
                "Close Curator, then move it back or start with its new place in --home.",
            ) from None
        if backups.files(path):
            raise missing(path) from None
        return
    if empty and backups.files(path):
        raise damaged(path)
