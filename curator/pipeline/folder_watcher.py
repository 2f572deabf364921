"""Watching folders: changed directories are scanned once their files are completely written.

    watcher = FolderWatcher(settings.scan, post, scan, trouble)
    watcher.start(catalog)                # watches the folders that are switched on
    watcher.refresh()                     # a folder was opened, or the setting changed
    watcher.close()

Each folder has a thread. It sleeps until the system reports a change, waits until that directory
is quiet (`file_stability`), lists only the directories that changed, and passes them on to be
scanned, one batch at a time. The system reports no changes on network drives, and watches only a
limited number of directories. There the thread polls the modification times of directories, which
change when files come, go or are renamed. A file that is still being written must never be passed
on.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator import files
from curator.catalog import Catalog
from curator.model import CatalogError, FoundFile, KnownError
from curator.pipeline.file_stability import Changes, ChangingDirectory
from curator.settings import ScanSettings
from curator.volumes import mount_of

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

log = logging.getLogger(__name__)

START_S = 5.0  # how long after the start to look for earlier changes
POLL_S = 30.0  # how often directories' times are compared where the system reports nothing
CLOSE_S = 2.0  # how long closing waits for threads that wait for a slow drive
# Margins for the time since which changes count: a scan ends a moment after it lists a directory,
# and another machine's clock may be off by hours. Listing a directory in vain costs little.
_MARGIN_NS, _FOREIGN_NS = 60 * 10**9, 86_400 * 10**9
# File systems on which adding a file does not change its directory's time.
_TIMELESS = frozenset({"vfat", "exfat", "msdos", "fat", "fat32"})
# With more events than this between two looks, some may have been lost: Linux keeps 16,384 of them,
# Windows 64 KiB, which is some hundreds.
_BURST = 8000 if sys.platform == "linux" else 300
_MOVED, _DELETED = "moved", "deleted"  # as watchdog names them


@dataclass(frozen=True, slots=True)
class FolderToWatch:
    """A folder to watch.

    Attributes:
        path: the folder.
        recursive: whether to include its subfolders.
        since: when it was last scanned, Unix time in s.
    """

    path: str
    recursive: bool
    since: float


@dataclass(frozen=True, slots=True)
class ChangedDirectory:
    """The files of a directory in which something changed.

    Attributes:
        directory: its path; it may be gone.
        deep: whether everything below it was listed, too.
        found: its files that are completely written.
    """

    directory: str
    deep: bool
    found: list[FoundFile]


class System:
    """Change events of the operating system, through watchdog; loaded at first use.

    Thread: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observer: BaseObserver | None = None
        self._closed = False

    def watch(
        self, path: str, recursive: bool, happened: Callable[[FileSystemEvent], None]
    ) -> ObservedWatch:
        """Call ``happened`` for each change in a folder, on watchdog's threads.

        Raises:
            OSError: it cannot be watched; ENOSPC and EMFILE mean the system's limit is reached.
        """
        with self._lock:
            if self._closed:
                raise OSError(errno.ECANCELED, "closed")
            if self._observer is None:
                from watchdog.observers import Observer

                observer = Observer()
                observer.start()
                self._observer = observer
            return self._observer.schedule(
                _handler(happened), path, recursive=recursive, event_filter=_wanted()
            )

    def unwatch(self, watch: ObservedWatch) -> None:
        """Stop watching a folder."""
        with self._lock, contextlib.suppress(KeyError, OSError):
            if self._observer is not None and not self._closed:
                self._observer.unschedule(watch)

    def is_full(self) -> bool:
        """Whether Linux's limit of watched directories is reached; watchdog skips the others."""
        if sys.platform != "linux":
            return False
        try:
            self.unwatch(self.watch(os.sep, False, lambda _: None))
        except OSError as error:
            return error.errno in (errno.ENOSPC, errno.EMFILE)
        return False

    def close(self) -> None:
        """Stop watching everything."""
        with self._lock:
            self._closed = True
            if self._observer is not None:
                self._observer.stop()
                self._observer.join(CLOSE_S)


def _handler(happened: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            happened(event)

    return Handler()


def _wanted() -> list[type[FileSystemEvent]]:
    """Return the event types to watch; on Linux a file is reported when closed, not per write."""
    from watchdog import events

    written = events.FileClosedEvent if sys.platform == "linux" else events.FileModifiedEvent
    return [
        written,
        events.FileCreatedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
    ]


class FolderWatch(threading.Thread):
    """Watches one folder until it is stopped.

    Attributes:
        number: the folder's id.

    Thread: its own; :meth:`stop`, :meth:`scanned` and :meth:`pass_on_again` from any.
    """

    def __init__(
        self,
        number: int,
        wanted: FolderToWatch,
        system: System,
        changed: Callable[[FolderWatch, list[ChangedDirectory]], None],
        trouble: Callable[[KnownError], None],
    ) -> None:
        super().__init__(name="curator-watch", daemon=True)
        self.path, self.recursive = wanted.path, wanted.recursive
        self.number = number
        self._since_ns = int(wanted.since * 1e9)
        self._system, self._changed, self._trouble = system, changed, trouble
        self._news = threading.Condition()
        self._changes = Changes()
        self._stopped = self._passed_on = self._present = self._ready = False
        self._events = 0  # number of events since the last look
        self._lost = False  # some events may have been lost
        self._real = ""  # the folder with links resolved, as the system names it
        self._identity: tuple[int, int] | None = None  # device and inode of the folder
        self._was: tuple[int, int] | None = None  # the identity at first
        self._watch: ObservedWatch | None = None
        self._polled = False
        self._timeless = False  # times do not show what changed before the watch began
        self._times: dict[str, int] = {}  # of polled directories
        self._poll_at = time.monotonic() + START_S

    def stop(self) -> None:
        """End the thread soon; does not wait for it."""
        with self._news:
            self._stopped = True
            self._news.notify()

    @property
    def ready(self) -> bool:
        """Whether the folder is there and its changes are noticed from now on."""
        return self._ready

    def scanned(self) -> None:
        """Note that the changes that were passed on have been scanned."""
        with self._news:
            self._passed_on = False
            self._news.notify()

    def pass_on_again(self, changes: Iterable[ChangedDirectory]) -> None:
        """Pass changes on again, because they could not be scanned."""
        with self._news:
            for each in changes:
                self._changes.renew(each.directory, each.deep)
        self.scanned()

    def run(self) -> None:
        """Watch until stopped. An error is logged and ends the watch."""
        try:
            self._begin()
            while self._wait():
                self._turn()
        except Exception:
            log.exception("watching %s failed", self.path)
        finally:
            self._unwatch()

    # --- events

    def _begin(self) -> None:
        self._watch_or_poll()
        self._ready = self._present

    def _watch_or_poll(self) -> None:
        self._real, self._identity = os.path.realpath(self.path), files.directory_id(self.path)
        self._present = self._identity is not None and not self._is_bare()
        if not self._present or self._stopped:
            return
        mount = mount_of(self.path)
        self._polled = mount is not None and mount.network
        known = time.time_ns() - self._since_ns < _MARGIN_NS
        self._timeless = mount is not None and mount.kind in _TIMELESS and not known
        if self._polled:
            return
        try:
            self._watch = self._system.watch(self._real, self.recursive, self._happened)
        except OSError as error:
            self._poll_instead(error)
            return
        self._check_limit()

    def _is_bare(self) -> bool:
        """Whether this is an empty mount point whose drive is away, not the watched folder."""
        was, now = self._was, self._identity
        self._was = now if was is None else was
        if was is None or now is None or was[0] == now[0]:
            return False
        try:
            return next(Path(self.path).iterdir(), None) is None
        except OSError:
            return True

    def _check_limit(self) -> None:
        if self.recursive and not self._polled and self._system.is_full():
            self._poll_instead(OSError(errno.ENOSPC, ""))

    def _poll_instead(self, error: OSError) -> None:
        """Poll a folder, or the part of it that the system does not watch."""
        if error.errno == errno.ECANCELED:
            return
        self._polled = True
        self._poll_at = min(self._poll_at, time.monotonic() + START_S)
        if error.errno in (errno.ENOSPC, errno.EMFILE):
            limit = "user_watches" if error.errno == errno.ENOSPC else "user_instances"
            self._trouble(
                KnownError(
                    "Watching all folders needs more than the system allows"
                    f" (fs.inotify.max_{limit}).",
                    f"Raise it; until then new files are seen within {POLL_S:.0f} s, and"
                    " changed ones by Rescan folders in the menu.",
                )
            )
        else:
            log.info("%s is polled: %s", self.path, error)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._system.unwatch(self._watch)
            self._watch = None

    def _happened(self, event: FileSystemEvent) -> None:
        """Note an event; this is called thousands of times a second while a card is copied.

        Thread: watchdog's.
        """
        gone = event.event_type in (_MOVED, _DELETED)
        with self._news:
            self._events += 1
            before = bool(self._changes)
            self._note(os.fsdecode(event.src_path), event.is_directory, gone)
            if event.event_type == _MOVED and event.dest_path:
                self._note(os.fsdecode(event.dest_path), event.is_directory, False)
            if not before and self._changes:
                self._news.notify()

    def _note(self, path: str, is_directory: bool, gone: bool) -> None:
        directory, name = os.path.split(path)
        if path == self._real:
            self._changes.note(self.path)  # the watched folder itself; it may be gone
        elif name.startswith("."):
            return
        elif is_directory and not gone:
            self._changes.note(self._as_opened(path), deep=True)
        # Windows does not report whether a directory or a file was removed.
        elif (
            is_directory
            or files.is_photo_or_sidecar_name(name)
            or (gone and sys.platform == "win32")
        ):
            self._changes.note(self._as_opened(directory))

    def _as_opened(self, path: str) -> str:
        """Return a directory's path as the catalog has it, with the links a person opened."""
        return self.path + path[len(self._real) :]

    # --- looking

    def _wait(self) -> bool:
        """Wait until there is something to do; return False once stopped."""
        with self._news:
            while not self._stopped:
                until = self._poll_at - time.monotonic()
                # Changes are gathered until the former ones have been scanned.
                quiet = None if self._passed_on else self._changes.wait_s()
                pause = until if quiet is None else min(quiet, until)
                if pause <= 0:
                    return True
                self._news.wait(min(pause, threading.TIMEOUT_MAX))
        return False

    def _turn(self) -> None:
        if time.monotonic() >= self._poll_at:
            self._poll()
        with self._news:
            if self._passed_on or not self._changes:
                return
        if not self._check_here():
            return
        with self._news:
            self._lost |= self._events > _BURST
            self._events = 0
            due = self._changes.due()
        changed = [found for each in due if (found := self._list(each)) is not None]
        with self._news:
            if self._lost and not self._changes:
                self._lost = False
                self._changes.note(self.path, deep=True)
        if any(each.deep for each in changed):
            self._check_limit()
        if changed and not self._stopped:
            self._passed_on = True
            self._changed(self, changed)

    def _check_here(self) -> bool:
        """Stop watching while the folder is gone or replaced; return whether it is here."""
        there = files.directory_id(self.path)
        if self._present and there == self._identity:
            return True
        if self._present:
            log.info("%s is no longer watched: it is gone or replaced", self.path)
            self._unwatch()
            self._present = self._ready = self._polled = False
            self._times = {}
            self._since_ns = time.time_ns()
            self._poll_at = time.monotonic() + POLL_S  # it may come back
        with self._news:  # late events, too: they would stay due while the folder is gone
            self._changes.clear()
        return False

    def _list(self, changing: ChangingDirectory) -> ChangedDirectory | None:
        """List a directory; None if nothing changed or nothing in it is completely written."""
        found: list[FoundFile] = []
        if not files.is_reached_from(self.path, changing.directory):
            with self._news:
                self._changes.drop(changing)
            return None
        deep = changing.deep and self.recursive
        with contextlib.suppress(KnownError):  # gone, or not readable
            for file in files.walk([changing.directory], deep, within=self.path):
                if self._stopped:
                    return None
                found.append(file)
        with self._news:
            still = self._changes.look(changing, found)
        return None if still is None else ChangedDirectory(changing.directory, deep, still)

    # --- polling

    def _poll(self) -> None:
        """Compare the times of all directories, at first with the time of the last scan."""
        self._poll_at = time.monotonic() + POLL_S
        if not self._present:
            self._begin()
        if not self._check_here():
            return
        changed = self._changed_since_poll() if self._times else self._changed_before()
        with self._news:
            for path in changed:
                self._changes.note(path)
            if self._timeless:
                self._changes.note(self.path, deep=True)
                self._timeless = False
        if not self._polled:
            self._times, self._poll_at = {}, math.inf

    def _changed_before(self) -> list[str]:
        """Return the directories that changed before they were watched."""
        self._times = {
            path: time_ns for path in self._below(self.path) if (time_ns := _time(path)) is not None
        }
        since = self._since_ns - (_FOREIGN_NS if self._polled else _MARGIN_NS)
        return [path for path, time_ns in self._times.items() if time_ns > since]

    def _changed_since_poll(self) -> list[str]:
        """Return the directories that changed since the last poll."""
        changed: list[str] = []
        for path, before in list(self._times.items()):
            time_ns = _time(path)
            if time_ns == before or self._stopped:
                continue
            if time_ns is None:  # its parent directory changed as well
                del self._times[path]
                continue
            changed.append(path)
            self._times[path] = time_ns
            for new in self._below(path):
                if new not in self._times and (time_ns := _time(new)) is not None:
                    changed.append(new)
                    self._times[new] = time_ns
        return changed

    def _below(self, top: str) -> Iterable[str]:
        return files.directories(top, lambda: self._stopped) if self.recursive else (top,)


class FolderWatcher:
    """Watches the folders of a catalog, a thread each.

    Thread: the conductor's, but for :meth:`stop`.
    """

    def __init__(
        self,
        settings: ScanSettings,
        post: Callable[[Callable[[], None]], None],
        scan: ScanChanges,
        trouble: Callable[[str], None],
    ) -> None:
        """Make a watcher; nothing is watched before :meth:`start`.

        Args:
            settings: read at each :meth:`refresh`.
            post: runs a function on the conductor's thread.
            scan: scans changed directories; called there.
            trouble: gets the reason why not everything can be watched; called there, once.
        """
        self._settings, self._post, self._scan, self._trouble = settings, post, scan, trouble
        self._lock = threading.Lock()
        self._folders: dict[int, FolderWatch] = {}
        self._ending: list[threading.Thread] = []
        self._system = System()
        self._reported = self._stopped = False
        self._catalog: Catalog | None = None

    def start(self, catalog: Catalog) -> None:
        """Watch from now on, and look for changes since the last scan."""
        self._catalog = catalog
        self.refresh(at_start=True)

    def refresh(self, at_start: bool = False) -> None:
        """Watch the folders there are now that are switched on, if the settings say so.

        The caller must also scan a folder that was added, switched on or came back.
        """
        if self._catalog is None:
            return
        now = time.time()
        self._watch(
            {
                row.id: FolderToWatch(
                    row.path, row.recursive, row.scanned_at or 0 if at_start else now
                )
                for row in (self._catalog.folders.all() if self._settings.watch else [])
                if row.enabled and not row.sampled and not row.away
            }
        )

    def _watch(self, folders: Mapping[int, FolderToWatch]) -> None:
        """Watch these folders and no others; folders already watched stay so."""
        with self._lock:
            for number, watch in list(self._folders.items()):
                wanted = folders.get(number)
                same = wanted and (wanted.path, wanted.recursive) == (watch.path, watch.recursive)
                if not same or not watch.is_alive():  # it ends with an error
                    watch.stop()
                    self._ending.append(self._folders.pop(number))
            self._ending = [thread for thread in self._ending if thread.is_alive()]
            for number, wanted in folders.items():
                if number not in self._folders and not self._stopped:
                    watch = FolderWatch(number, wanted, self._system, self._changed, self._report)
                    self._folders[number] = watch
                    watch.start()

    def stop(self) -> None:
        """End the threads soon, without waiting for them; any thread. Safe to repeat."""
        self._stopped = True
        self._watch({})

    def close(self) -> None:
        """End the threads; one that waits for a slow drive is left to end with the process."""
        self.stop()
        until = time.monotonic() + CLOSE_S
        ending = threading.Thread(target=self._system.close, name="curator-unwatch", daemon=True)
        ending.start()
        for thread in (*self._ending, ending):
            thread.join(max(0.0, until - time.monotonic()))

    # --- on the threads of folders

    def _changed(self, watch: FolderWatch, changes: Sequence[ChangedDirectory]) -> None:
        self._post(lambda: self._scan_changes(watch, changes))

    def _report(self, error: KnownError) -> None:
        self._post(lambda: self._report_once(error))

    # --- on the conductor's thread

    def _scan_changes(self, watch: FolderWatch, changes: Sequence[ChangedDirectory]) -> None:
        """Scan changed directories of a folder, unless it is watched elsewhere or no longer.

        Raises:
            CatalogError: the catalog cannot be read; the changes are passed on again.
        """
        if self._folders.get(watch.number) is not watch:
            return
        try:
            self._scan(watch, changes)
        except CatalogError:
            watch.pass_on_again(changes)
            raise

    def _report_once(self, error: KnownError) -> None:
        if not self._reported:
            self._reported = True
            self._trouble(str(error))


ScanChanges = Callable[[FolderWatch, Sequence[ChangedDirectory]], None]


def _time(path: str) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return None
