"""Which folders are here: drives are pulled, come back, and come back under other names.

:class:`Presence` looks every few seconds on a thread of its own, because a network drive may not
answer; :class:`Attendance`, on the conductor's thread, draws the conclusions in the catalog.

What tells a folder from another at the same path, in this order: its volume's key; if that is
another one, a few of its known files, by content. A cloned disk or a card copied to a larger one
is the same folder, whose new volume is noted. Another card at the same mount point is not: the
folder is away, nothing is looked for in there and nothing is taken for missing. Once a person
opens that path, the card's folder becomes one of its own, and the one that is away gives up the
path until its own volume is back (`Catalog.set_aside`). Where volumes cannot be told apart (in
memory, in containers) a folder is what lies at its path.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import files, volumes
from curator.catalog import Catalog, FolderRow
from curator.model import KnownError, StageJob, counted
from curator.volumes import Mount, Place

log = logging.getLogger(__name__)

EVERY_S = 3.0  # how soon a pulled drive shows
PATIENCE_S = 2.0  # how long a network drive may take to answer
ASIDE_S = 3.0  # how long a photo waits whose drive may just have gone
UNSURE = "Its drive does not answer."

Looks = Mapping[int, Place | None]  # by folder id; None does not answer


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
    """What came of a look: the news, and which folders are to be scanned, by id.

    Scanned are those here again, or at another path.
    """

    news: News
    scan: tuple[int, ...]


class Presence:
    """Looks where folders are, again and again.

    Thread: any for every method; ``deliver`` is called on the one that looks, when something is
    not as it was at the last look, and after the first.
    """

    def __init__(self, deliver: Callable[[Looks], None]) -> None:
        self._deliver = deliver
        self._rows: tuple[FolderRow, ...] = ()
        self._soon = threading.Event()
        self._stopped = False
        self._silent: dict[str, threading.Thread] = {}
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
        self._stopped = True
        self._soon.set()
        if self._thread.ident is not None:
            self._thread.join(2 * PATIENCE_S)

    def _run(self) -> None:
        told: Looks | None = None
        looks: Looks | None
        while not self._stopped:
            self._soon.clear()
            try:
                looks = self.looked(self._rows)
            except Exception:
                log.exception("looking for folders failed")
                looks = told
            if looks is not None and looks != told and not self._stopped:
                told = looks
                self._deliver(looks)
            self._soon.wait(EVERY_S)

    def looked(self, rows: Sequence[FolderRow]) -> Looks:
        """Look once, on the calling thread."""
        mounts = volumes.mounted()
        return {row.id: self._patiently(row, mounts) for row in rows}

    def _patiently(self, row: FolderRow, mounts: tuple[Mount, ...]) -> Place | None:
        """Look for one folder; on a network drive beside, no longer than our patience."""
        at = volumes.mount_of(row.path, mounts, follow=False)
        if at is None or not at.network:
            return look_for(row, mounts)
        if row.path in self._silent and self._silent[row.path].is_alive():
            return None
        found: list[Place] = []
        looking = threading.Thread(
            target=lambda: found.append(look_for(row, mounts)), name="curator-network", daemon=True
        )
        self._silent[row.path] = looking
        looking.start()
        looking.join(PATIENCE_S)
        return found[0] if found else None


def look_for(row: FolderRow, mounts: Sequence[Mount] | None = None) -> Place:
    """Look for a folder of the catalog; blocks for as long as its drive does."""
    among = volumes.mounted() if mounts is None else mounts
    return volumes.look_for(row.path, row.volume, row.within, among)


def settled(catalog: Catalog) -> Attended:
    """Look once which folders are here, where no conductor does."""
    looks = Presence(lambda _: None).looked(catalog.folders())
    return Attendance(catalog, lambda: None, inline=True).take(looks)


class Attendance:
    """Keeps the catalog in line with which folders are here.

    Thread: the conductor's, which owns the catalog; the thread that looks only wakes it.
    """

    def __init__(self, catalog: Catalog, wake: Callable[[], None], inline: bool) -> None:
        """Make it; nobody looks before :meth:`start`.

        Args:
            catalog: where folders are.
            wake: has the conductor call :meth:`attend`; any thread.
            inline: look only when asked, on the calling thread.
        """
        self._catalog = catalog
        self._wake = wake
        self._presence = None if inline else Presence(self._lay_ready)
        self._looks: SimpleQueue[Looks] = SimpleQueue()
        self._doubted: set[int] = set()
        self._begun = False

    def start(self) -> None:
        """Begin to look."""
        if self._presence is not None:
            self._presence.watch(self._catalog.folders())
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
            self._presence.watch(self._catalog.folders())

    def attend(self) -> Attended | None:
        """Draw the conclusions of the last look; None if nothing is as it was not before."""
        if self._presence is None:
            return settled(self._catalog)
        looks: Looks | None = None
        with contextlib.suppress(Empty):
            while True:
                looks = self._looks.get_nowait()
        return None if looks is None else self.take(looks)

    def _look(self) -> None:
        if self._presence is not None:
            self._presence.look()

    def _lay_ready(self, looks: Looks) -> None:
        self._looks.put(looks)
        self._wake()

    def take(self, looks: Looks) -> Attended:
        """Draw the conclusions of a look."""
        first, self._begun = not self._begun, True
        waiting = self._catalog.waiting_in()
        back: list[Back] = []
        moved: list[tuple[str, str]] = []
        scan: list[int] = []
        for row in self._catalog.folders():
            if row.id not in looks:
                continue
            path, number = self._settled_path(row, looks[row.id]), row.id
            if path and path != row.path:
                log.info("%s is at %s now", row.path, path)
                number = self._catalog.relink(row.id, path)
                moved.append((row.path, path))
            place = looks[row.id]
            unplugged = row.volume is not None and not (place is not None and place.plugged)
            if (row.away, row.unplugged) != (not path, not path and unplugged):
                log.info("%s is %s", row.path, "here again" if path else "away")
                self._catalog.set_away(number, not path, unplugged)
            elif first:  # setting it may have been interrupted
                self._catalog.settle_waiting(number)
            if path and row.away:
                waited = waiting.get(row.id, 0)
                back.append(Back(Path(path).name or path, row.volume_name or "", waited))
            if path and row.enabled and (row.away or path != row.path):
                scan.append(number)
        self._doubted.clear()
        self.settle()
        away = any(row.away for row in self._catalog.folders())
        return Attended(News(tuple(back), tuple(moved), away), tuple(dict.fromkeys(scan)))

    def _settled_path(self, row: FolderRow, place: Place | None) -> str:
        """Say where a folder is now, empty if it is away; note its volume if that is news."""
        if place is None:
            return ""
        if place.elsewhere and place.volume is not None:
            self._free(place.volume, place.elsewhere)
            self._note(row, place.elsewhere, place.volume)
            return place.elsewhere
        if not place.there:
            return ""
        mount = place.mount
        key = mount.key if mount is not None else None
        if key == row.volume:
            if mount is not None and key is not None and mount.label != row.volume_name:
                self._note(row, row.path, mount)
            return row.path
        known = self._is_known(row)
        if row.volume is not None and not known:
            return ""
        if known and mount is not None:
            self._note(row, row.path, mount)
        return row.path

    def _is_known(self, row: FolderRow) -> bool:
        """Say whether what lies at a folder's path is that folder: by content, if it had any."""
        some = self._catalog.some_files(row.id)
        return not some or any(file.is_there(files) for file in some)

    def _note(self, row: FolderRow, path: str, mount: Mount) -> None:
        way = volumes.within(path, mount)
        self._catalog.note_volume(row.id, mount.key, mount.label, way)

    def _free(self, mount: Mount, path: str) -> None:
        """Have folders of other volumes give up a path that a folder on this one comes to."""
        for row in self._catalog.folders():
            foreign = row.volume is not None and row.volume != mount.key
            if foreign and _is_in(row.path, mount.path) and _related(row.path, path):
                log.info("%s gives up its path while it is away", row.path)
                self._catalog.set_aside(row)

    # --- what a person opens

    def receive(self, paths: Sequence[Path]) -> Attended:
        """Make ready for folders to be opened.

        Known folders on the same volumes come along first, if those have another mount point
        now. A folder of another volume that had one of the paths gives it up.
        """
        mounts = volumes.mounted()
        at = {path: volumes.mount_of(path, mounts) for path in paths}
        keys = {mount.key for mount in at.values() if mount is not None}
        near = [
            row
            for row in self._catalog.folders()
            if any(_related(row.path, str(path)) for path in paths)
            or (row.volume is not None and row.volume in keys)
        ]
        begun = self._begun
        found = self.take({row.id: look_for(row, mounts) for row in near})
        self._begun = begun
        for path, mount in at.items():
            for row in self._catalog.folders():
                foreign = row.away and row.volume is not None
                inside = mount is not None and _is_in(row.path, mount.path)
                if foreign and inside and _related(row.path, str(path)):
                    self._catalog.set_aside(row)
        return found

    def note_new(self) -> None:
        """Note which volumes folders are on that were just added."""
        mounts: tuple[Mount, ...] = ()
        for row in self._catalog.folders():
            if row.volume is None and row.scanned_at is None:
                mounts = mounts or volumes.mounted()
                mount = volumes.mount_of(row.path, mounts)
                if mount is not None and mount.key is not None:
                    self._note(row, row.path, mount)
        self.settle()

    # --- what goes wrong meanwhile

    def is_here(self, folder_id: int | None) -> bool:
        """Look whether a folder is here at this moment; what is of no folder counts as here."""
        row = next((row for row in self._catalog.folders() if row.id == folder_id), None)
        if row is None:
            return True
        place = look_for(row)
        if not place.there or row.volume is None:
            return place.there
        return (place.mount is not None and place.mount.key == row.volume) or self._is_known(row)

    def doubts(self, job: StageJob) -> bool:
        """Say whether a job may have failed because its drive went; once a photo, until a look.

        A drive that hangs does not say that it is gone, so that a file on one that can be pulled
        gets a second chance unless it can be read at this moment.
        """
        file = self._catalog.main_files([job.photo_id]).get(job.photo_id)
        if file is not None and file.path != job.path:
            return True  # its drive came back under another name meanwhile
        row = self._catalog.folder(Path(job.path).parent)
        if row is None:
            return False
        self._look()
        if row.away or not Path(row.path).is_dir():
            return True
        mount = volumes.mount_of(row.path)
        if row.volume is not None and (mount is None or mount.key != row.volume):
            return not self._is_known(row)
        if mount is None or not (mount.removable or mount.network):
            return False
        if job.photo_id in self._doubted:
            return False
        if not mount.network:
            try:
                files.fingerprint(job.path)
            except KnownError:
                pass
            else:
                return False
        self._doubted.add(job.photo_id)
        return True


def _is_in(path: str, folder: str) -> bool:
    """Say whether a path is a folder or lies in it."""
    return (path.rstrip(os.sep) + os.sep).startswith(folder.rstrip(os.sep) + os.sep)


def _related(one: str, other: str) -> bool:
    """Say whether two paths are the same or one lies in the other."""
    return _is_in(one, other) or _is_in(other, one)
