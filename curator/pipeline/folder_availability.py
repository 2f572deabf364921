"""Which folders are here: drives are unplugged and come back, perhaps at another path.

`ingest` uses it. :class:`DriveWatch` locates folders every few seconds on its own thread, because a
network drive may not answer. :class:`FolderAvailability` updates the catalog on the conductor's
thread, which must never look at a drive itself.

A folder is recognized by its volume's key. If the key differs, a few of its known files are
compared by content: a cloned disk or a card copied to a larger one is the same folder, and its new
volume is noted. Another card at the same mount point is a different folder: the known one is away,
and none of its photos becomes missing. Once a person opens that path, the card becomes a folder of
its own, and the folder that is away gives up the path until its volume is back
(`Volumes.set_aside`). Where volumes cannot be distinguished (in memory, in containers), a folder is
whatever is at its path.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import volumes
from curator.catalog import Catalog, FileReader, FolderRow
from curator.library.folder_lookup import FolderLocations, locate_folders
from curator.model import GoneError, KnownError, StageJob, counted
from curator.pipeline.file_probe import FileProbe, PatientReader
from curator.volumes import FolderLocation, Mount

log = logging.getLogger(__name__)

EVERY_S = 3.0  # how often drives are checked
_LEAST_S = 0.3  # the shortest pause between two checks
_CLOSE_S = 2.0


@dataclass(frozen=True, slots=True)
class LocatedFolders:
    """Where folders are, by folder id.

    Attributes:
        locations: where each was found.
        known: whether those on another volume than before hold their known files.
    """

    locations: FolderLocations
    known: Mapping[int, bool]


@dataclass(frozen=True, slots=True)
class ReturnedFolder:
    """A folder that is here again: its name, its drive's name, and how many photos waited."""

    folder: str
    drive: str
    waited: int

    @property
    def sentence(self) -> str:
        """Describe it for the notification bar."""
        back = f"{self.drive or self.folder} is back"
        return f"{back} · Reading {counted(self.waited, 'photo')}" if self.waited else back


@dataclass(frozen=True, slots=True)
class FolderNews:
    """What changed about which folders are here.

    Attributes:
        back: folders that are here again.
        moved: former and new paths of folders whose path changed.
        away: whether any folder is away now.
    """

    back: tuple[ReturnedFolder, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """What one update of the catalog changed.

    Attributes:
        news: what to show.
        scan: ids of the folders to scan, which are here again or at another path.
        away: the folders that are away now.
    """

    news: FolderNews
    scan: tuple[int, ...]
    away: tuple[FolderRow, ...] = ()


class DriveWatch:
    """Locates folders every few seconds.

    Thread: any for every method; ``deliver`` is called on the watch's own thread, after the first
    check and whenever something changed since the last: where folders are, or what the catalog has
    of them, as another process may have taken one for away.
    """

    def __init__(self, deliver: Callable[[FolderLocations], None]) -> None:
        self._deliver = deliver
        self._rows: tuple[FolderRow, ...] = ()
        self._soon, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="curator-drives", daemon=True)

    def start(self) -> None:
        """Begin to check."""
        self._thread.start()

    def watch(self, rows: Iterable[FolderRow]) -> None:
        """Locate these folders from now on, and at once if the list changed."""
        before, self._rows = self._rows, tuple(rows)
        if self._rows != before:
            self._soon.set()

    def check_now(self) -> None:
        """Check at once, for example because a file could not be read."""
        self._soon.set()

    def stop(self) -> None:
        """End; a thread that waits for a slow drive is left to end with the process."""
        self._ended.set()
        self._soon.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        delivered: object = None
        while not self._ended.is_set():
            self._soon.clear()
            rows = self._rows
            known = [(row.id, row.path, row.volume, row.away, row.unplugged) for row in rows]
            try:
                locations = locate_folders(rows, self._ended.is_set)
            except Exception:
                log.exception("looking for folders failed")
            else:
                if (known, locations) != delivered and not self._ended.is_set():
                    delivered = known, locations
                    self._deliver(locations)
            self._ended.wait(min(_LEAST_S, EVERY_S))
            self._soon.wait(EVERY_S)


@dataclass(frozen=True, slots=True)
class OpenedPath:
    """A path that a person opens: a folder or a single file.

    Attributes:
        path: the path.
        is_folder: whether it is a folder.
        mount: the volume it is on; None if the system does not report that.
        within: the path of :attr:`folder` relative to the mount point; empty at that point, or if
            ``mount`` is None.
    """

    path: Path
    is_folder: bool
    mount: volumes.Mount | None
    within: str

    @property
    def folder(self) -> Path:
        """The folder itself, or the one that contains the file."""
        return self.path if self.is_folder else self.path.parent


def on_other_volume(locations: FolderLocations) -> set[int]:
    """Return the ids of folders that were found on another volume than before."""
    return {
        number
        for number, location in locations.items()
        if location and location.path and not location.own
    }


def check_known_files(
    folders: Iterable[int], catalog: Catalog, reader: FileReader
) -> dict[int, bool]:
    """Return for each folder whether it holds one of its known files, or has none.

    Thread: one that may wait for a drive.
    """
    found: dict[int, bool] = {}
    for number in folders:
        some = catalog.volumes.sample_files(number)
        try:
            found[number] = not some or any(file.is_there(reader) for file in some)
        except KnownError:
            found[number] = False
    return found


def locate_and_compare(
    catalog: Catalog, rows: Sequence[FolderRow], reader: FileReader
) -> LocatedFolders:
    """Locate folders now, by volume and by content; blocks as long as their drives do."""
    locations = locate_folders(rows)
    return LocatedFolders(locations, check_known_files(on_other_volume(locations), catalog, reader))


def folders_near(catalog: Catalog, sources: Sequence[OpenedPath]) -> list[FolderRow]:
    """Return the known folders that opening these sources may affect: by path, or by volume."""
    keys = {source.mount.key for source in sources if source.mount is not None}
    return [
        row
        for row in catalog.folders.all()
        if any(_related(row.path, str(source.path)) for source in sources)
        or (row.volume is not None and row.volume in keys)
    ]


def is_here(catalog: Catalog, folder_id: int | None, reader: FileReader) -> bool:
    """Whether a folder is where the catalog has it; a file in no folder counts as here.

    Thread: one that may wait for a drive.
    """
    row = next((row for row in catalog.folders.all() if row.id == folder_id), None)
    return row is None or _found(catalog, row, reader) is not None


def _found(catalog: Catalog, row: FolderRow, reader: FileReader) -> FolderLocation | None:
    """Locate a folder now; None unless it is where the catalog has it."""
    located = locate_and_compare(catalog, [row], reader)
    return located.locations[row.id] if _path_of(row, located) == row.path else None


def _path_of(row: FolderRow, located: LocatedFolders) -> str:
    """Return the path of a folder; empty if it is away.

    A folder on another volume than before is the same only if it holds known files.
    """
    location = located.locations[row.id]
    if location is None:
        return ""
    same = location.own or row.volume is None or located.known.get(row.id, False)
    return location.path if same else ""


def update_folders(catalog: Catalog) -> FolderChanges:
    """Update which folders are here once, in a process that runs no conductor."""
    probe = FileProbe(catalog, lambda function: function(), inline=True)
    availability = FolderAvailability(catalog, lambda: None, probe, inline=True)
    return availability.apply(
        locate_and_compare(catalog, catalog.folders.all(), PatientReader(True))
    )


class FolderAvailability:
    """Keeps track in the catalog of which folders are here.

    Thread: the conductor's, which owns the catalog; other threads only wake it.
    """

    def __init__(
        self, catalog: Catalog, wake: Callable[[], None], probe: FileProbe, inline: bool
    ) -> None:
        """Prepare; no drive is checked before :meth:`start`.

        Args:
            catalog: has the folders.
            wake: makes the conductor call :meth:`update`; any thread.
            probe: compares files if a folder is on another volume than before.
            inline: check only in :meth:`update`, on the calling thread.
        """
        self._catalog, self._wake, self._probe = catalog, wake, probe
        self._watch = None if inline else DriveWatch(self._add_locations)
        self._unread: SimpleQueue[FolderLocations] = SimpleQueue()
        self._latest: LocatedFolders | None = None  # not applied yet
        self._probing = False
        self._locations: dict[int, FolderLocation | None] = {}  # as last applied
        self._doubted: set[int] = set()  # photos that failed since then, perhaps with their drive
        self._begun = False
        self._to_scan: list[int] = []  # folders that are here again, and not reported yet

    def start(self) -> None:
        """Begin to check drives."""
        if self._watch is not None:
            self.watch_folders()
            self._watch.start()

    def stop(self) -> None:
        """Check no more drives."""
        if self._watch is not None:
            self._watch.stop()

    @property
    def begun(self) -> bool:
        """Whether drives were checked; until then it is unknown which files can be read."""
        return self._begun or self._watch is None

    def watch_folders(self) -> None:
        """Locate the folders that the catalog has now: some were added or removed."""
        if self._watch is not None:
            self._watch.watch(self._catalog.folders.all())

    def update(self) -> FolderChanges | None:
        """Apply the last check; None if nothing changed, or files have to be compared first."""
        if self._watch is None:
            rows = self._catalog.folders.all()
            return self.apply(locate_and_compare(self._catalog, rows, PatientReader(True)))
        with contextlib.suppress(Empty):
            while True:
                self._latest = LocatedFolders(self._unread.get_nowait(), {})
        if self._latest is None or self._probing:
            return None
        located = self._latest
        doubtful = on_other_volume(located.locations)
        if doubtful - located.known.keys():
            self._probing = True
            self._probe.look(
                partial(check_known_files, doubtful),
                lambda known: self._add_known(located, known),
                lambda _: self._add_known(located, dict.fromkeys(doubtful, False)),
            )
            return None
        changes = self.apply(located)
        self._latest = None
        return changes

    def _add_known(self, located: LocatedFolders, known: Mapping[int, bool]) -> None:
        self._probing = False
        if self._latest is located:  # otherwise drives were checked again meanwhile
            self._latest = LocatedFolders(located.locations, known)
        self._wake()

    def _add_locations(self, locations: FolderLocations) -> None:
        self._unread.put(locations)
        self._wake()

    def apply(self, located: LocatedFolders) -> FolderChanges:
        """Update the catalog by where folders were found.

        Raises:
            CatalogError: some updates may be made; the next call makes the others.
        """
        rows = [row for row in self._catalog.folders.all() if row.id in located.locations]
        first = not self._begun
        waiting = self._catalog.volumes.waiting_by_folder()
        back: list[ReturnedFolder] = []
        moved: list[tuple[str, str]] = []
        for row in rows:
            location, number, path = located.locations[row.id], row.id, _path_of(row, located)
            if location is not None and path:
                self._note_volume(row, location, located.known.get(row.id, False))
            if path and path != row.path:
                log.info("%s is at %s now", row.path, path)
                number = self._catalog.volumes.relink(row.id, path)
                moved.append((row.path, path))
            unplugged = row.volume is not None and not (location is not None and location.plugged)
            if (row.away, row.unplugged) != (not path, not path and unplugged):
                log.info("%s is %s", row.path, "here again" if path else "away")
                self._catalog.volumes.set_away(number, not path, unplugged)
            elif first:  # the last change may have been interrupted
                self._catalog.volumes.refresh_waiting(number)
            if path and row.away:
                waited = waiting.get(row.id, 0)
                back.append(ReturnedFolder(Path(path).name or path, row.volume_name or "", waited))
            if path and row.enabled and (row.away or path != row.path):
                self._to_scan.append(number)
        self._begun = True
        self._locations |= located.locations
        self._doubted.clear()
        self.watch_folders()
        away = tuple(row for row in self._catalog.folders.all() if row.away)
        scan, self._to_scan = tuple(dict.fromkeys(self._to_scan)), []
        return FolderChanges(FolderNews(tuple(back), tuple(moved), bool(away)), scan, away)

    def _note_volume(self, row: FolderRow, location: FolderLocation, known: bool) -> None:
        """Save the volume a folder was found on if it changed; other folders give up its path."""
        mount = location.mount
        if mount is None:
            return
        if location.path != row.path:
            self._free_path(mount, location.path)
        elif location.own and (mount.key is None or mount.label == row.volume_name):
            return
        if location.own or known:
            self._catalog.volumes.note(row.id, mount.key, mount.label, location.within)

    def _free_path(self, mount: Mount, path: str) -> None:
        """Set aside folders of other volumes whose path a folder on this volume has now."""
        for row in self._catalog.folders.all():
            foreign = row.volume is not None and row.volume != mount.key
            if foreign and _is_in(row.path, mount.path) and _related(row.path, path):
                log.info("%s gives up its path while it is away", row.path)
                self._catalog.volumes.set_aside(row)

    # --- paths that a person opens

    def make_room(self, sources: Sequence[OpenedPath], located: LocatedFolders) -> FolderChanges:
        """Prepare for folders to be opened.

        Known folders on the same volumes are moved first, if the volumes have another mount point
        now. A folder of another volume that had one of the paths gives it up.

        Args:
            sources: the paths that a person opens.
            located: where the folders :func:`folders_near` them are.
        """
        begun = self._begun
        changes = self.apply(located)
        self._begun = begun  # only some of the folders were located
        for source in sources:
            for row in self._catalog.folders.all():
                foreign = row.away and row.volume is not None
                inside = source.mount is not None and _is_in(row.path, source.mount.path)
                if foreign and inside and _related(row.path, str(source.path)):
                    self._catalog.volumes.set_aside(row)
        return changes

    def note_new(self, sources: Sequence[OpenedPath]) -> None:
        """Save the volumes of folders that were just added."""
        at = {str(source.folder): source for source in sources}
        for row in self._catalog.folders.all():
            source = at.get(row.path)
            if row.volume is None and row.scanned_at is None and source is not None:
                mount = source.mount
                if mount is not None and mount.key is not None:
                    self._catalog.volumes.note(row.id, mount.key, mount.label, source.within)
        self.watch_folders()

    # --- jobs that fail because a drive is gone

    def may_be_gone(self, job: StageJob, error: Exception) -> bool | FolderRow:
        """Whether a job may have failed because its drive is gone, without asking a drive.

        A drive that hangs does not report that it is gone. Thousands of files that are not pictures
        on a disk that is mounted as before must not cost a check each.

        Returns:
            The answer, or the folder that :meth:`ask_drive` has to check.
        """
        file = self._catalog.files.main([job.photo_id]).get(job.photo_id)
        if file is not None and file.path != job.path:
            return True  # its drive came back at another path meanwhile
        row = self._catalog.folders.containing(Path(job.path).parent)
        if row is None or row.away:
            return row is not None and self._doubt(job)
        if not isinstance(error, GoneError | OSError) and self._is_fixed(row):
            return False
        return row

    def ask_drive(self, job: StageJob, row: FolderRow, then: Callable[[bool], None]) -> None:
        """Check whether the drive of a failed job is gone, or seems so.

        A file on a removable or network drive gets one more attempt until drives are checked again,
        unless it is on a removable drive and can be read right now.

        Args:
            job: the job.
            row: from :meth:`may_be_gone`.
            then: gets the answer.
        """
        tried = job.photo_id in self._doubted

        def question(catalog: Catalog, reader: FileReader) -> bool:
            location = _found(catalog, row, reader)
            if location is None:
                return True
            mount = location.mount
            if mount is None or not (mount.removable or mount.network) or tried:
                return False
            if mount.network:
                return True
            try:
                reader.fingerprint(job.path)
            except KnownError:
                return True
            return False

        self._probe.look(
            question,
            lambda gone: then(gone and self._doubt(job)),
            lambda _: then(False),
        )

    def _doubt(self, job: StageJob) -> bool:
        self._doubted.add(job.photo_id)
        if self._watch is not None:
            self._watch.check_now()
        return True

    def _is_fixed(self, row: FolderRow) -> bool:
        """Whether a folder is on a fixed disk that is mounted as at the last check.

        Only on Linux, where the kernel lists mounts without asking a drive.
        """
        location = self._locations.get(row.id)
        mount = location.mount if location is not None and location.path == row.path else None
        if sys.platform != "linux" or row.away or mount is None:
            return False
        return not (mount.removable or mount.network) and mount in volumes.mounted()


def _is_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return (path.rstrip(os.sep) + os.sep).startswith(folder.rstrip(os.sep) + os.sep)


def _related(one: str, other: str) -> bool:
    """Whether two paths are the same or one lies in the other."""
    return _is_in(one, other) or _is_in(other, one)
