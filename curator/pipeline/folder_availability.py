"""Which folders are here: drives are unplugged and come back, perhaps at another path.

:class:`DriveWatch` looks every few seconds on its own thread, because a network drive may not
answer. :class:`FolderAvailability` draws the conclusions on the conductor's thread. The conductor
itself must never look at a drive.

A folder is recognized by its volume's key. If the key differs, a few of its known files are
compared by content: a cloned disk or a card copied to a larger one is the same folder, and its new
volume is noted. Another card at the same mount point is a different folder: the known one is away,
and none of its photos becomes missing. Once a person opens that path, the card becomes a folder of
its own, and the folder that is away gives up the path until its volume is back
(`Volumes.set_aside`). Where volumes cannot be told apart (in memory, in containers) a folder is
whatever lies at its path.
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
from curator.library.folder_lookup import FolderPlaces, locate_folders
from curator.model import GoneError, KnownError, StageJob, counted
from curator.pipeline.file_probe import FileProbe, PatientReader
from curator.volumes import FolderLocation, Mount

log = logging.getLogger(__name__)

EVERY_S = 3.0  # how soon an unplugged drive shows
AT_MOST_S = 0.3  # the shortest pause between two looks
_CLOSE_S = 2.0


@dataclass(frozen=True, slots=True)
class FolderLooks:
    """Where folders are, by folder id.

    Attributes:
        places: where each was found.
        known: whether those on another volume than before hold their known files.
    """

    places: FolderPlaces
    known: Mapping[int, bool]


@dataclass(frozen=True, slots=True)
class Back:
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
        moved: former and new path of folders that have another one now.
        away: whether any is away now.
    """

    back: tuple[Back, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """What changed at one look.

    Attributes:
        news: what to show.
        scan: ids of the folders to scan: those here again, or at another path.
        away: the folders that are away now.
    """

    news: FolderNews
    scan: tuple[int, ...]
    away: tuple[FolderRow, ...] = ()


class DriveWatch:
    """FolderPlaces where folders are, every few seconds.

    Thread: any for every method; ``deliver`` is called on the one that looks, when something is
    not as it was at the last look, and after the first.
    """

    def __init__(self, deliver: Callable[[FolderPlaces], None]) -> None:
        self._deliver = deliver
        self._rows: tuple[FolderRow, ...] = ()
        self._soon, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="curator-drives", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def watch(self, rows: Iterable[FolderRow]) -> None:
        """Look for these folders from now on, and at once if they are others than before."""
        before, self._rows = self._rows, tuple(rows)
        if self._rows != before:
            self._soon.set()

    def look(self) -> None:
        """Look at once: a file could not be read, say."""
        self._soon.set()

    def stop(self) -> None:
        """End; a drive that does not answer is not waited for."""
        self._ended.set()
        self._soon.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        told: FolderPlaces | None = None
        looks: FolderPlaces | None
        while not self._ended.is_set():
            self._soon.clear()
            try:
                looks = locate_folders(self._rows, self._ended.is_set)
            except Exception:
                log.exception("looking for folders failed")
                looks = told
            if looks is not None and looks != told and not self._ended.is_set():
                told = looks
                self._deliver(looks)
            self._ended.wait(min(AT_MOST_S, EVERY_S))
            self._soon.wait(EVERY_S)


@dataclass(frozen=True, slots=True)
class Source:
    """What lies at a path a person opens: a folder or a single file.

    Attributes:
        path: its path.
        is_folder: which of the two it is.
        mount: the volume it is on, None where the system does not tell.
        within: the way from that one's mount point to the folder, or to the file's.
    """

    path: Path
    is_folder: bool
    mount: volumes.Mount | None
    within: str

    @property
    def folder(self) -> Path:
        """Itself, or the folder the file is in."""
        return self.path if self.is_folder else self.path.parent


def in_doubt(places: FolderPlaces) -> set[int]:
    """Return the folders that were found on another volume than before."""
    return {number for number, place in places.items() if place and place.path and not place.own}


def hold_known_files(
    folders: Iterable[int], catalog: Catalog, reader: FileReader
) -> dict[int, bool]:
    """Whether each folder holds one of its known files; one without any counts as known.

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


def look_for_folders(
    catalog: Catalog, rows: Sequence[FolderRow], reader: FileReader
) -> FolderLooks:
    """Look for folders now, by volume and by content; blocks as long as their drives do."""
    places = locate_folders(rows)
    return FolderLooks(places, hold_known_files(in_doubt(places), catalog, reader))


def near(catalog: Catalog, sources: Sequence[Source]) -> list[FolderRow]:
    """List the known folders that opening these sources may concern: by path, or by volume."""
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
    """Look for a folder now; None unless it is where the catalog has it."""
    looks = look_for_folders(catalog, [row], reader)
    return looks.places[row.id] if _path_of(row, looks) == row.path else None


def _path_of(row: FolderRow, looks: FolderLooks) -> str:
    """Return where a folder is by what was found; empty if it is away.

    On its own volume a folder is what it was; on another one it is if its files are there.
    """
    place = looks.places[row.id]
    if place is None:
        return ""
    mine = place.own or row.volume is None or looks.known.get(row.id, False)
    return place.path if mine else ""


def update_folders(catalog: Catalog) -> FolderChanges:
    """Look once which folders are here, for a process that runs no conductor."""
    probe = FileProbe(catalog, lambda act: act(), inline=True)
    availability = FolderAvailability(catalog, lambda: None, probe, inline=True)
    return availability.take(look_for_folders(catalog, catalog.folders.all(), PatientReader(True)))


class FolderAvailability:
    """Keeps the catalog in line with which folders are here.

    Thread: the conductor's, which owns the catalog; the thread that looks only wakes it.
    """

    def __init__(
        self, catalog: Catalog, wake: Callable[[], None], probe: FileProbe, inline: bool
    ) -> None:
        """Keep the folders of a catalog; nothing is looked at before :meth:`start`.

        Args:
            catalog: has the folders.
            wake: makes the conductor call :meth:`update`; any thread.
            probe: looks at files where a folder's volume is another than it was.
            inline: look only when asked, on the calling thread.
        """
        self._catalog = catalog
        self._wake = wake
        self._probe = probe
        self._watch = None if inline else DriveWatch(self._lay_ready)
        self._looks: SimpleQueue[FolderPlaces] = SimpleQueue()
        self._last: FolderLooks | None = None  # a look no conclusions were drawn from yet
        self._asking = False
        self._places: dict[int, FolderLocation | None] = {}  # as last seen
        self._doubted: set[int] = set()
        self._begun = False
        self._to_scan: list[int] = []  # here again, and not reported yet

    def start(self) -> None:
        """Begin to look."""
        if self._watch is not None:
            self._watch.watch(self._catalog.folders.all())
            self._watch.start()

    def stop(self) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.stop()

    @property
    def begun(self) -> bool:
        """Whether anybody has looked yet; until then nobody knows what can be read."""
        return self._begun or self._watch is None

    def watch_folders(self) -> None:
        """Look for the folders the catalog has now: some were added or removed."""
        if self._watch is not None:
            self._watch.watch(self._catalog.folders.all())

    def update(self) -> FolderChanges | None:
        """Draw the conclusions of the last look; None if nothing changed, or not all is known."""
        if self._watch is None:
            rows = self._catalog.folders.all()
            return self.take(look_for_folders(self._catalog, rows, PatientReader(True)))
        places: FolderPlaces | None = None
        with contextlib.suppress(Empty):
            while True:
                places = self._looks.get_nowait()
        if places is not None:
            self._last = FolderLooks(places, {})
        if self._last is None or self._asking:
            return None
        doubtful = in_doubt(self._last.places)
        if doubtful - self._last.known.keys():
            self._asking = True
            looks = self._last
            self._probe.look(
                partial(hold_known_files, doubtful),
                lambda known: self._lay_known(looks, known),
                lambda _: self._lay_known(looks, dict.fromkeys(doubtful, False)),
            )
            return None
        found = self.take(self._last)
        self._last = None
        return found

    def _lay_known(self, looks: FolderLooks, known: Mapping[int, bool]) -> None:
        self._asking = False
        if self._last is looks:  # else drives were looked at again meanwhile
            self._last = FolderLooks(looks.places, known)
        self._wake()

    def _look(self) -> None:
        if self._watch is not None:
            self._watch.look()

    def _lay_ready(self, looks: FolderPlaces) -> None:
        self._looks.put(looks)
        self._wake()

    def take(self, looks: FolderLooks) -> FolderChanges:
        """Draw the conclusions of a look.

        Raises:
            CatalogError: some may be drawn; the others are the next time.
        """
        rows = [row for row in self._catalog.folders.all() if row.id in looks.places]
        first = not self._begun
        waiting = self._catalog.volumes.waiting_by_folder()
        back: list[Back] = []
        moved: list[tuple[str, str]] = []
        for row in rows:
            place, number, path = looks.places[row.id], row.id, _path_of(row, looks)
            if place is not None and path:
                self._note_found(row, place, looks.known.get(row.id, False))
            if path and path != row.path:
                log.info("%s is at %s now", row.path, path)
                number = self._catalog.volumes.relink(row.id, path)
                moved.append((row.path, path))
            unplugged = row.volume is not None and not (place is not None and place.plugged)
            if (row.away, row.unplugged) != (not path, not path and unplugged):
                log.info("%s is %s", row.path, "here again" if path else "away")
                self._catalog.volumes.set_away(number, not path, unplugged)
            elif first:  # setting it may have been interrupted
                self._catalog.volumes.refresh_waiting(number)
            if path and row.away:
                waited = waiting.get(row.id, 0)
                back.append(Back(Path(path).name or path, row.volume_name or "", waited))
            if path and row.enabled and (row.away or path != row.path):
                self._to_scan.append(number)
        self._begun = True
        self._places |= looks.places
        self._doubted.clear()
        self.watch_folders()
        away = tuple(row for row in self._catalog.folders.all() if row.away)
        scan, self._to_scan = tuple(dict.fromkeys(self._to_scan)), []
        return FolderChanges(FolderNews(tuple(back), tuple(moved), bool(away)), scan, away)

    def _note_found(self, row: FolderRow, place: FolderLocation, known: bool) -> None:
        """Note the volume a folder was found on, if that is news; others there may make way."""
        mount = place.mount
        if mount is None:
            return
        if place.path != row.path:
            self._free(mount, place.path)
        elif place.own and (mount.key is None or mount.label == row.volume_name):
            return
        if place.own or known:
            self._note(row, mount, place.within)

    def _note(self, row: FolderRow, mount: Mount, within: str) -> None:
        self._catalog.volumes.note(row.id, mount.key, mount.label, within)

    def _free(self, mount: Mount, path: str) -> None:
        """Set folders of other volumes aside whose path a folder on this volume now has."""
        for row in self._catalog.folders.all():
            foreign = row.volume is not None and row.volume != mount.key
            if foreign and _is_in(row.path, mount.path) and _related(row.path, path):
                log.info("%s gives up its path while it is away", row.path)
                self._catalog.volumes.set_aside(row)

    # --- what a person opens

    def make_room(self, sources: Sequence[Source], looks: FolderLooks) -> FolderChanges:
        """Prepare for folders to be opened.

        Known folders on the same volumes move along first, if those have another mount point
        now. A folder of another volume that had one of the paths gives it up.

        Args:
            sources: what a person opens.
            looks: where the folders :func:`near` them are.
        """
        begun = self._begun
        found = self.take(looks)
        self._begun = begun
        for source in sources:
            for row in self._catalog.folders.all():
                foreign = row.away and row.volume is not None
                inside = source.mount is not None and _is_in(row.path, source.mount.path)
                if foreign and inside and _related(row.path, str(source.path)):
                    self._catalog.volumes.set_aside(row)
        return found

    def note_new(self, sources: Sequence[Source]) -> None:
        """Note the volumes of folders that were just added."""
        at = {str(source.folder): source for source in sources}
        for row in self._catalog.folders.all():
            source = at.get(row.path)
            if row.volume is None and row.scanned_at is None and source is not None:
                mount = source.mount
                if mount is not None and mount.key is not None:
                    self._note(row, mount, source.within)
        self.watch_folders()

    # --- jobs that fail because a drive went

    def may_be_gone(self, job: StageJob, error: Exception) -> bool | FolderRow:
        """Whether a job may have failed because its drive went, as far as no drive is asked.

        A drive that hangs does not report that it is gone. Thousands of files that are not
        pictures, on a disk that is mounted as it was, must not cost a look each.

        Returns:
            The answer, or the folder :meth:`ask_drive` has to look at.
        """
        file = self._catalog.files.main([job.photo_id]).get(job.photo_id)
        if file is not None and file.path != job.path:
            return True  # its drive came back under another name meanwhile
        row = self._catalog.folders.containing(Path(job.path).parent)
        if row is None or row.away:
            return row is not None and self._doubt(job)
        if not isinstance(error, GoneError | OSError) and self._is_fixed(row):
            return False
        return row

    def ask_drive(self, job: StageJob, row: FolderRow, then: Callable[[bool], None]) -> None:
        """Look whether the drive of a job that failed may be gone; once a photo, until a look.

        A file on a removable drive gets a second chance unless it can be read right now.
        """
        tried = job.photo_id in self._doubted

        def question(catalog: Catalog, reader: FileReader) -> bool:
            place = _found(catalog, row, reader)
            if place is None:
                return True
            mount = place.mount
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
        self._look()
        return True

    def _is_fixed(self, row: FolderRow) -> bool:
        """Whether a folder is on a fixed disk that is mounted as it was at the last look.

        The kernel's table of mounts is at hand at any time; other systems ask the drives.
        """
        place = self._places.get(row.id)
        mount = place.mount if place is not None and place.path == row.path else None
        if sys.platform != "linux" or row.away or mount is None:
            return False
        return not (mount.removable or mount.network) and mount in volumes.mounted()


def _is_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return (path.rstrip(os.sep) + os.sep).startswith(folder.rstrip(os.sep) + os.sep)


def _related(one: str, other: str) -> bool:
    """Whether two paths are the same or one lies in the other."""
    return _is_in(one, other) or _is_in(other, one)
