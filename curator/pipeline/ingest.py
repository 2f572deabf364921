"""Folders into the catalog: opening them, scanning them, and noticing drives and changes.

The conductor owns one :class:`Ingest` and calls it on its thread. A drive that does not answer must
never hold up other work: paths that a person opens are looked at on another thread, and added once
their drives answered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from curator import files, volumes
from curator.catalog import Catalog, FileReader
from curator.home import absolute
from curator.model import KnownError, path_label
from curator.pipeline.dispatch import Dispatcher
from curator.pipeline.events import PipelineEvents, ScanReport
from curator.pipeline.file_probe import PATIENCE_S, FileProbe
from curator.pipeline.folder_availability import (
    FolderAvailability,
    FolderChanges,
    LocatedFolders,
    OpenedPath,
    folders_near,
    is_here,
    locate_and_compare,
)
from curator.pipeline.folder_watcher import ChangedDirectory, FolderWatch, FolderWatcher
from curator.pipeline.scanning import (
    Part,
    Request,
    Scanner,
    rescanned,
    rescanned_changes,
)
from curator.settings import Settings


class ConductorCalls(Protocol):
    """The methods of the conductor that the ingest calls."""

    def post(self, request: Callable[[], None]) -> None:
        """Run a request on the conductor's thread; callers may wait until it is done."""

    def deliver(self, function: Callable[[], None]) -> None:
        """Run a function on the conductor's thread."""

    def wake(self) -> None:
        """Make the conductor look for work."""


def check_sources(sources: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Make sources absolute and check that they are there; each is returned once.

    Raises:
        KnownError: a source is not there, cannot be read or does not answer.
    """
    found: list[Path] = []
    for source in sources:
        path = absolute(source)
        try:
            volumes.ask(path, partial(_touch, path))
        except OSError as error:
            raise files.unreadable(path, error) from error
        if not files.is_text(str(path)):
            raise KnownError(
                f"The name {files.printable(str(path))} is not valid text.", "Rename it."
            )
        found.append(path)
    return list(dict.fromkeys(found))


def _touch(path: Path) -> None:
    if path.is_dir():
        os.scandir(path).close()
    else:
        path.stat()


@dataclass(frozen=True, slots=True)
class _OpenedPaths:
    """What is at the paths a person opened, and where the known folders near them are."""

    sources: list[OpenedPath]
    problems: list[str]
    folders: LocatedFolders


def _look_at(paths: Sequence[Path], catalog: Catalog, reader: FileReader) -> _OpenedPaths:
    """Look at the paths that a person opens; writes nothing.

    Thread: one that may wait for a drive.
    """
    sources: list[OpenedPath] = []
    problems: list[str] = []
    for path in paths:
        try:
            sources.append(volumes.ask(path, partial(_source_at, path), PATIENCE_S))
        except KnownError as error:
            problems.append(str(error))
    return _OpenedPaths(
        sources, problems, locate_and_compare(catalog, folders_near(catalog, sources), reader)
    )


def _source_at(path: Path) -> OpenedPath:
    is_folder, mount = path.is_dir(), volumes.mount_of(path)
    folder = path if is_folder else path.parent
    return OpenedPath(
        path, is_folder, mount, "" if mount is None else volumes.within(folder, mount)
    )


def _request(
    catalog: Catalog,
    sources: Sequence[OpenedPath],
    recursive: bool,
    sample: int | None,
    reader: FileReader,
) -> Request:
    """Add the folders to the catalog and prepare to scan them."""
    if recursive:
        tops = {source.path for source in sources}
        sources = [source for source in sources if not set(source.path.parents) & tops]
    parts: list[Part] = []
    singles: dict[Path, list[str]] = {}
    for source in sources:
        path = source.path
        if source.is_folder:
            number = catalog.folders.ensure(path, recursive, sampled=sample is not None)
            scan = catalog.scans.begin(number, reader)
            parts.append(Part([str(path)], recursive, sample is None, scan))
        else:
            singles.setdefault(path.parent, []).append(str(path))
    for parent, names in singles.items():
        holder = catalog.folders.containing(parent)
        owner = holder.id if holder else None
        if owner is None and any(files.is_picture_name(name) for name in names):
            # Sampled, so that the next re-scan does not add the files beside these.
            owner = catalog.folders.add(parent, False, True)
        scan = catalog.scans.begin(owner, reader)
        parts.append(Part(names, False, sample is None, scan))
    return Request(parts, sample)


class Ingest:
    """Opens, scans and watches folders.

    Thread: the conductor's, but for :meth:`stop`.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        inline: bool,
        conductor: ConductorCalls,
        jobs: Dispatcher,
        events: PipelineEvents,
    ) -> None:
        """Prepare; no drive is checked before :meth:`start`.

        Args:
            catalog: where folders, files and photos are added.
            settings: whether folders are watched, read at each :meth:`refresh`.
            inline: do everything on the calling thread.
            conductor: runs functions on the conductor's thread.
            jobs: cancels jobs on drives that are away.
            events: where scans and drives are reported.
        """
        self._catalog, self._conductor = catalog, conductor
        self._jobs, self._events = jobs, events
        # Two threads: a long comparison of contents must not delay what a person opens.
        self.probe = FileProbe(catalog, conductor.deliver, inline)
        self._folder_probe = FileProbe(catalog, conductor.deliver, inline)
        self.availability = FolderAvailability(catalog, conductor.wake, self._folder_probe, inline)
        self.scanner = Scanner(catalog, conductor.wake, inline, is_here)
        self._watcher = FolderWatcher(
            settings.scan, conductor.post, self._scan_changes, events.watching_limited.emit
        )
        self._inline = inline
        self._opening = 0  # requests that are still being looked at
        self._requests: list[Request] = []
        self._arrived = 0  # photos found by watching, since the last report

    def start(self) -> None:
        """Begin to check which folders are here."""
        self.availability.start()

    def watch(self) -> None:
        """Scan changes in folders from now on, if the settings say so."""
        self._watcher.start(self._catalog)

    def refresh(self) -> None:
        """Watch the folders the catalog has now, by the settings as they are now."""
        self._watcher.refresh()
        self.availability.watch_folders()

    def stop(self) -> None:
        """End the threads that watch folders; any thread."""
        self._watcher.stop()

    def close(self) -> None:
        """End all threads; one that waits for a slow drive is left to end with the process."""
        self.availability.stop()
        self.scanner.stop()
        self.probe.stop()
        self._folder_probe.stop()
        self._watcher.close()

    @property
    def is_busy(self) -> bool:
        """Whether folders are being opened or scanned."""
        return self._opening > 0 or self.scanner.busy

    # --- opening

    def open(self, paths: Sequence[Path], recursive: bool, sample: int | None) -> None:
        """Add folders and files, and scan them after all earlier requests."""

        def opened(found: _OpenedPaths) -> None:
            self._opening -= 1
            changes = self.availability.make_room(found.sources, found.folders)
            reader = self.scanner.reader
            request = _request(self._catalog, found.sources, recursive, sample, reader)
            request.problems += found.problems
            self.availability.note_new(found.sources)
            self._react(changes)
            self._ask(request)

        def failed(error: Exception) -> None:
            self._opening -= 1
            raise error

        self._opening += 1
        self._folder_probe.look(partial(_look_at, paths), opened, failed)

    def rescan(self, folder_id: int | None) -> None:
        """Scan a folder again, or all that are switched on."""
        self.notice_drives()
        self._ask(rescanned(self._catalog, folder_id, self.scanner.reader))

    def _ask(self, request: Request) -> None:
        self._requests.append(request)
        self.scanner.ask(request)

    # --- drives

    def notice_drives(self) -> bool:
        """React to drives that came or went; return False if none did."""
        changes = self.availability.update()
        if changes is not None:
            self._react(changes)
        return changes is not None

    def _react(self, changes: FolderChanges) -> None:
        """Scan folders that are here again, and stop reading those that are away."""
        if changes.away:
            self.scanner.cancel_away(changes.away)
            self._jobs.cancel_away()
        for number in changes.scan:
            request = rescanned(self._catalog, number, self.scanner.reader)
            request.changed_folder = next(
                (path_label(part.sources[0]) for part in request.parts), ""
            )
            self.scanner.ask(request)
        self._watcher.refresh()
        self._conductor.wake()
        self._events.folders_changed.emit(changes.news)

    # --- scanning

    def _scan_changes(self, watch: FolderWatch, changes: Sequence[ChangedDirectory]) -> None:
        """Scan changed directories of a watched folder."""
        folder, reader = Path(watch.path), self.scanner.reader
        request = rescanned_changes(self._catalog, folder, watch.number, changes, reader)
        request.done = watch.scanned
        self.scanner.ask(request)

    def advance(self) -> list[int]:
        """Write one step of the scan; return ids of photos that are new or changed."""
        changed, report = self.scanner.advance()
        if report is not None:
            self._arrived += report.new if report.watched else 0
            self._events.scan_ended.emit(report)
        return changed

    def take_reports(self) -> tuple[list[ScanReport], int]:
        """Return the reports of scans that a person requested, and how many photos watching found.

        Both since the last call.
        """
        reports = [request.summarize(self._catalog) for request in self._requests]
        arrived, self._arrived = self._arrived, 0
        self._requests.clear()
        return reports, arrived
