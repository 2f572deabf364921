"""Which folders are here: drives are pulled, come back, and come back under other names.

:class:`Presence` looks every few seconds on a thread of its own, because a network drive may not
answer. :class:`FolderAvailability` draws the conclusions on the conductor's thread.

What tells a folder from another at the same path, in this order: its volume's key; if that is
another one, a few of its known files, by content. A cloned disk or a card copied to a larger one
is the same folder, whose new volume is noted. Another card at the same mount point is not: the
folder is away, nothing is looked for in there and nothing is taken for missing. Once a person
opens that path, the card's folder becomes one of its own, and the one that is away gives up the
path until its own volume is back (`Volumes.set_aside`). Where volumes cannot be told apart (in
memory, in containers) a folder is what lies at its path.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import files, volumes
from curator.catalog import Catalog, FolderRow, Unread
from curator.catalog.identity import FileRow
from curator.library.folder_lookup import FolderPlaces, locate_folder, locate_folders
from curator.model import GoneError, KnownError, StageJob, counted
from curator.pipeline.file_probe import Reader, Readers
from curator.volumes import Mount, Place

log = logging.getLogger(__name__)

EVERY_S = 3.0  # how soon a pulled drive shows
AT_MOST_S = 0.3  # and how often it is looked at all, whoever asks
_CLOSE_S = 2.0
ASIDE_S = 3.0  # how long a photo waits whose drive may just have gone
UNSURE = "Its drive does not answer."


@dataclass(frozen=True, slots=True)
class Back:
    """A folder that is here again: its name, its drive's, and how many photos waited for it."""

    folder: str
    drive: str
    waited: int

    @property
    def sentence(self) -> str:
        """Say it, for the offer line."""
        said = f"{self.drive or self.folder} is back"
        if not self.waited:
            return said
        goes = "goes" if self.waited == 1 else "go"
        return f"{said} · {counted(self.waited, 'photo')} {goes} on being read"


@dataclass(frozen=True, slots=True)
class News:
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
class Attended:
    """What came of a look.

    Attributes:
        news: for whoever shows it.
        scan: ids of the folders to be scanned: those here again, or at another path.
        away: the folders that are away now.
    """

    news: News
    scan: tuple[int, ...]
    away: tuple[FolderRow, ...] = ()


class Presence:
    """Looks where folders are, again and again.

    Thread: any for every method; ``deliver`` is called on the one that looks, when something is
    not as it was at the last look, and after the first.
    """

    def __init__(self, deliver: Callable[[FolderPlaces], None]) -> None:
        self._deliver = deliver
        self._rows: tuple[FolderRow, ...] = ()
        self._soon, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="curator-presence", daemon=True)

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


@dataclass(frozen=True, slots=True)
class _Known:
    """Some files of a folder, by which it is told from another at the same path."""

    path: str
    files: tuple[FileRow, ...]

    def are_there(self) -> bool:
        return not self.files or any(file.is_there(files) for file in self.files)


def settled(catalog: Catalog) -> Attended:
    """Look once which folders are here, where no conductor does."""
    return FolderAvailability(catalog, lambda: None, Readers(inline=True), inline=True).take(
        locate_folders(catalog.folders.all())
    )


class FolderAvailability:
    """Keeps the catalog in line with which folders are here.

    Thread: the conductor's, which owns the catalog; the thread that looks only wakes it.
    """

    def __init__(
        self, catalog: Catalog, wake: Callable[[], None], readers: Readers, inline: bool
    ) -> None:
        """Make it; nobody looks before :meth:`start`.

        Args:
            catalog: where folders are.
            wake: has the conductor call :meth:`attend`; any thread.
            readers: look at files where a folder's volume is another than it was.
            inline: look only when asked, on the calling thread.
        """
        self._catalog = catalog
        self._wake = wake
        self._readers = readers
        self._reader = readers.reader()
        self._presence = None if inline else Presence(self._lay_ready)
        self._looks: SimpleQueue[FolderPlaces] = SimpleQueue()
        self._last: FolderPlaces | None = None  # a look no conclusions were drawn from yet
        self._reading = False
        self._known: dict[int, _Known] = {}
        self._places: dict[int, Place | None] = {}  # as last seen
        self._doubted: set[int] = set()
        self._begun = False
        self._to_scan: list[int] = []  # they are here again, and nobody was told yet

    def start(self) -> None:
        """Begin to look."""
        if self._presence is not None:
            self._presence.watch(self._catalog.folders.all())
            self._presence.start()

    def stop(self) -> None:
        """Look no more."""
        if self._presence is not None:
            self._presence.stop()

    @property
    def begun(self) -> bool:
        """Whether anybody has looked yet; until then nobody knows what can be read."""
        return self._begun or self._presence is None

    def settle(self) -> None:
        """Look for the folders there are now: some came or went."""
        if self._presence is not None:
            self._presence.watch(self._catalog.folders.all())

    def attend(self) -> Attended | None:
        """Draw the conclusions of the last look; None if nothing is as it was not before."""
        if self._presence is None:
            return self.take(locate_folders(self._catalog.folders.all()))
        with contextlib.suppress(Empty):
            while True:
                self._last = self._looks.get_nowait()
        if self._last is None or self._reading:
            return None
        try:
            found = self.take(self._last)
        except Unread as unread:
            self._reading = True
            self._readers.start(self._reader, unread, self._lay_read)
            return None
        self._last = None
        return found

    def _look(self) -> None:
        if self._presence is not None:
            self._presence.look()

    def _lay_ready(self, looks: FolderPlaces) -> None:
        self._looks.put(looks)
        self._wake()

    def _lay_read(self) -> None:
        self._reading = False
        self._wake()

    def take(self, looks: FolderPlaces, reader: Reader | None = None) -> Attended:
        """Draw the conclusions of a look.

        Raises:
            CatalogError: some may be drawn; the others are the next time.
            Unread: nothing was written, and the reader has to look at some files first.
        """
        reader = reader or self._reader
        rows = [row for row in self._catalog.folders.all() if row.id in looks]
        paths = self._where([(row, looks[row.id]) for row in rows], reader)
        first = not self._begun
        waiting = self._catalog.volumes.waiting_by_folder()
        back: list[Back] = []
        moved: list[tuple[str, str]] = []
        for row, path in zip(rows, paths, strict=True):
            place, number = looks[row.id], row.id
            if place is not None and path:
                self._settle_volume(row, place, reader)
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
        self._places |= looks
        self._doubted.clear()
        self._known.clear()
        self._reader.forget()
        self.settle()
        away = tuple(row for row in self._catalog.folders.all() if row.away)
        scan, self._to_scan = tuple(dict.fromkeys(self._to_scan)), []
        return Attended(News(tuple(back), tuple(moved), bool(away)), scan, away)

    def _where(self, looks: Sequence[tuple[FolderRow, Place | None]], reader: Reader) -> list[str]:
        """Say where folders are by what a look found, each empty if it is away.

        On its own volume a folder is what it was; on another one it is if its files are there.

        Raises:
            Unread: the reader has to look at those first.
        """
        found: list[str] = []
        unread: list[object] = []
        for row, place in looks:
            path = place.path if place is not None else ""
            try:
                if place is not None and path and not place.own:
                    known = self._is_known(row, reader)
                    path = path if known or row.volume is None else ""
            except Unread as lacking:
                unread += lacking.wanted
            found.append(path)
        if unread:
            raise Unread(unread)
        return found

    def _is_known(self, row: FolderRow, reader: Reader) -> bool:
        """Say whether what lies at a folder's path is that folder: by content, if it had any."""
        if row.id not in self._known:
            some = self._catalog.volumes.sample_files(row.id)
            self._known[row.id] = _Known(row.path, tuple(some))
        try:
            return reader.ask(_Known.are_there, self._known[row.id])
        except KnownError:
            return False

    def _settle_volume(self, row: FolderRow, place: Place, reader: Reader) -> None:
        """Note the volume a folder was found on, if that is news; others there may make way."""
        mount = place.mount
        if mount is None:
            return
        if place.path != row.path:
            self._free(mount, place.path)
        elif place.own and (mount.key is None or mount.label == row.volume_name):
            return
        if place.own or self._is_known(row, reader):
            self._note(row, mount, place.within)

    def _note(self, row: FolderRow, mount: Mount, within: str) -> None:
        self._catalog.volumes.note(row.id, mount.key, mount.label, within)

    def _free(self, mount: Mount, path: str) -> None:
        """Have folders of other volumes give up a path that a folder on this one comes to."""
        for row in self._catalog.folders.all():
            foreign = row.volume is not None and row.volume != mount.key
            if foreign and _is_in(row.path, mount.path) and _related(row.path, path):
                log.info("%s gives up its path while it is away", row.path)
                self._catalog.volumes.set_aside(row)

    # --- what a person opens

    def receive(self, sources: Sequence[Source], reader: Reader) -> Attended:
        """Make ready for folders to be opened.

        Known folders on the same volumes come along first, if those have another mount point
        now. A folder of another volume that had one of the paths gives it up.

        Raises:
            Unread: nothing was written, and the reader has to look for folders first.
        """
        keys = {source.mount.key for source in sources if source.mount is not None}
        near = [
            row
            for row in self._catalog.folders.all()
            if any(_related(row.path, str(source.path)) for source in sources)
            or (row.volume is not None and row.volume in keys)
        ]
        begun = self._begun
        found = self.take(self._looked(near, reader), reader)
        self._begun = begun
        for source in sources:
            for row in self._catalog.folders.all():
                foreign = row.away and row.volume is not None
                inside = source.mount is not None and _is_in(row.path, source.mount.path)
                if foreign and inside and _related(row.path, str(source.path)):
                    self._catalog.volumes.set_aside(row)
        return found

    def _looked(self, rows: Sequence[FolderRow], reader: Reader) -> FolderPlaces:
        found: dict[int, Place | None] = {}
        unread: list[object] = []
        for row in rows:
            try:
                found[row.id] = reader.ask(locate_folder, row)
            except Unread as lacking:
                unread += lacking.wanted
            except KnownError:
                found[row.id] = None
        if unread:
            raise Unread(unread)
        return found

    def note_new(self, sources: Sequence[Source]) -> None:
        """Note which volumes folders are on that were just added."""
        at = {str(source.folder): source for source in sources}
        for row in self._catalog.folders.all():
            source = at.get(row.path)
            if row.volume is None and row.scanned_at is None and source is not None:
                mount = source.mount
                if mount is not None and mount.key is not None:
                    self._note(row, mount, source.within)
        self.settle()

    # --- what goes wrong meanwhile

    def is_here(self, folder_id: int | None, reader: Reader) -> bool:
        """Say whether a folder is here at this moment; what is of no folder counts as here.

        Raises:
            Unread: the reader has to look.
        """
        row = next((row for row in self._catalog.folders.all() if row.id == folder_id), None)
        return row is None or self._found(row, reader) is not None

    def _found(self, row: FolderRow, reader: Reader) -> Place | None:
        """Look for a folder at this moment; None unless it is where the catalog has it."""
        place = self._looked([row], reader)[row.id]
        [path] = self._where([(row, place)], reader)
        return place if path == row.path else None

    def doubts(self, job: StageJob, error: Exception, reader: Reader) -> bool:
        """Say whether a job may have failed because its drive went; once a photo, until a look.

        A drive that hangs does not say that it is gone, so that a file on one that can be pulled
        gets a second chance unless it can be read at this moment. Thousands of files that are no
        pictures, on a disk that is mounted as it was, cost no look each.

        Raises:
            Unread: the reader has to look.
        """
        file = self._catalog.files.main([job.photo_id]).get(job.photo_id)
        if file is not None and file.path != job.path:
            return True  # its drive came back under another name meanwhile
        row = self._catalog.folders.containing(Path(job.path).parent)
        if row is None:
            return False
        if not isinstance(error, GoneError | OSError) and self._stands(row):
            return False
        place = None if row.away else self._found(row, reader)
        if place is None:
            self._look()
            return True
        mount = place.mount
        if mount is None or not (mount.removable or mount.network):
            return False
        if job.photo_id in self._doubted:
            return False
        if not mount.network:
            try:
                reader.fingerprint(job.path)
            except KnownError:
                pass
            else:
                return False
        self._look()
        self._doubted.add(job.photo_id)
        return True

    def _stands(self, row: FolderRow) -> bool:
        """Say whether a folder is on a disk nobody pulls, mounted as it was at the last look.

        The kernel's table of mounts is at hand at any time; other systems ask the drives.
        """
        place = self._places.get(row.id)
        mount = place.mount if place is not None and place.path == row.path else None
        if sys.platform != "linux" or row.away or mount is None:
            return False
        return not (mount.removable or mount.network) and mount in volumes.mounted()


def _is_in(path: str, folder: str) -> bool:
    """Say whether a path is a folder or lies in it."""
    return (path.rstrip(os.sep) + os.sep).startswith(folder.rstrip(os.sep) + os.sep)


def _related(one: str, other: str) -> bool:
    """Say whether two paths are the same or one lies in the other."""
    return _is_in(one, other) or _is_in(other, one)
