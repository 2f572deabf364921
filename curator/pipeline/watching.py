"""Watching folders: what is new, changed, moved or gone in them is scanned without being asked.

    watcher = Watcher(settings.scan, post, trouble)
    watcher.begin(catalog, scanner)              # the folders that are on and whole, from now on
    watcher.settle()                             # one was opened, or the setting changed
    watcher.close()

What changed comes from `lookout`, a thread for each folder; the scan of just that is asked for on
the conductor's thread, one at a time for each folder.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from curator.catalog import Catalog
from curator.model import CatalogError, KnownError
from curator.pipeline.file_probe import Reader
from curator.pipeline.folder_watcher import CLOSE_S, FolderWatch, Looked, System, Watched
from curator.pipeline.scanning import Scanner, watched
from curator.settings import ScanSettings


class Watcher:
    """Watches the folders of a catalog.

    Thread: the conductor's, but for :meth:`stop`.
    """

    def __init__(
        self,
        settings: ScanSettings,
        post: Callable[[Callable[[], None]], None],
        trouble: Callable[[KnownError], None],
    ) -> None:
        """Make a watcher of nothing.

        Args:
            settings: looked up at each :meth:`settle`.
            post: has something done on the conductor's thread.
            trouble: told there, once, why not everything can be watched.
        """
        self._settings, self._post, self._trouble = settings, post, trouble
        self._lock = threading.Lock()
        self._folders: dict[int, FolderWatch] = {}
        self._ending: list[threading.Thread] = []
        self._system = System()
        self._told = self._stopped = False
        self._catalog: Catalog | None = None

    def begin(self, catalog: Catalog, scanner: Scanner) -> None:
        """Watch from now on, and look for what came while nobody did."""
        self._catalog, self._scanner = catalog, scanner
        self.settle(at_start=True)

    def settle(self, at_start: bool = False) -> None:
        """Watch the folders there are now, if the settings say so: such as are on and whole.

        Whoever adds a folder, switches it on or brings it back has it scanned as well.
        """
        if self._catalog is None:
            return
        now = time.time()
        self._watch(
            {
                row.id: Watched(row.path, row.recursive, row.scanned_at or 0 if at_start else now)
                for row in (self._catalog.folders.all() if self._settings.watch else [])
                if row.enabled and not row.sampled and not row.away
            }
        )

    def _watch(self, folders: Mapping[int, Watched]) -> None:
        """Watch these folders and no others; those already watched go on."""
        with self._lock:
            for number, watch in list(self._folders.items()):
                wanted = folders.get(number)
                if wanted is None or (wanted.path, wanted.recursive) != watch.what:
                    watch.stop()
                    self._ending.append(self._folders.pop(number))
            self._ending = [thread for thread in self._ending if thread.is_alive()]
            for number, wanted in folders.items():
                if number not in self._folders and not self._stopped:
                    watch = FolderWatch(number, wanted, self._system, self._changed, self._tell)
                    self._folders[number] = watch
                    watch.start()

    def stop(self) -> None:
        """Have the threads end; any thread. Safe to repeat."""
        self._stopped = True
        self._watch({})

    def close(self) -> None:
        """End the threads; one that sits in a slow drive is left to end with the process."""
        self.stop()
        until = time.monotonic() + CLOSE_S
        ending = threading.Thread(target=self._system.close, name="curator-unwatch", daemon=True)
        ending.start()
        for thread in (*self._ending, ending):
            thread.join(max(0.0, until - time.monotonic()))

    # --- on the threads of folders

    def _changed(self, folder_id: int, looked: Sequence[Looked]) -> None:
        self._post(lambda: self._scan(folder_id, looked))

    def _tell(self, error: KnownError) -> None:
        self._post(lambda: self._tell_once(error))

    # --- and on the conductor's, what they posted

    def _scan(self, folder_id: int, looked: Sequence[Looked]) -> None:
        """Scan what changed in a folder, and nothing else of it.

        Raises:
            CatalogError: the catalog cannot be read; what changed is handed over again.
        """
        watch = self._folders.get(folder_id)
        if watch is None or self._catalog is None:
            return
        try:
            request = watched(self._catalog, Path(watch.what[0]), folder_id, looked, Reader())
        except CatalogError:
            watch.lost(looked)
            raise
        request.done = watch.scanned
        self._scanner.ask(request)

    def _tell_once(self, error: KnownError) -> None:
        if not self._told:
            self._told = True
            self._trouble(error)
