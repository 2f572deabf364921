"""Opening folders and single files: seeing that they are there, and making them known.

A drive that does not answer holds up nobody: what a person names is looked at on threads that may
wait for it, and opened once they have.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from curator import files, volumes
from curator.catalog import Catalog, Unread
from curator.model import KnownError
from curator.pipeline.file_probe import Reader, Readers
from curator.pipeline.folder_availability import Attended, FolderAvailability, Source
from curator.pipeline.scanning import Part, Request
from curator.settings import absolute


def check_sources(sources: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Make sources absolute and see that they are there; those inside others are left out.

    Raises:
        KnownError: one is not there, cannot be read or does not answer; it says which, and what
            to do.
    """
    found: list[Path] = []
    for source in sources:
        path = absolute(source)
        try:
            volumes.ask(path, partial(_try, path))
        except OSError as error:
            raise files.unreadable(path, error) from error
        if not files.is_text(str(path)):
            raise KnownError(
                f"The name {files.printable(str(path))} is not valid text.", "Rename it."
            )
        found.append(path)
    return list(dict.fromkeys(found))


def _try(path: Path) -> None:
    if path.is_dir():
        os.scandir(path).close()
    else:
        path.stat()


def _seen(paths: Iterable[Path], reader: Reader) -> tuple[list[Source], list[str]]:
    """Look at what a person opens; also say what cannot be looked at now.

    Raises:
        Unread: the reader has to look first.
    """
    found: list[Source] = []
    problems: list[str] = []
    unread: list[object] = []
    for path in paths:
        try:
            found.append(reader.ask(_seen_at, path))
        except Unread as lacking:
            unread += lacking.wanted
        except KnownError as error:
            problems.append(str(error))
    if unread:
        raise Unread(unread)
    return found, problems


def _seen_at(path: Path) -> Source:
    is_folder, mount = path.is_dir(), volumes.mount_of(path)
    folder = path if is_folder else path.parent
    return Source(path, is_folder, mount, "" if mount is None else volumes.within(folder, mount))


def _opened(
    catalog: Catalog,
    sources: Sequence[Source],
    recursive: bool,
    sample: int | None,
    reader: Reader,
) -> Request:
    """Make the folders known and prepare to scan them."""
    if recursive:
        tops = {source.path for source in sources}
        sources = [source for source in sources if not set(source.path.parents) & tops]
    parts: list[Part] = []
    singles: dict[Path, list[str]] = {}
    for source in sources:
        path = source.path
        if source.is_folder:
            number = _folder_for(catalog, path, recursive, sample is not None)
            scan = catalog.scans.begin(number, reader)
            parts.append(Part([str(path)], recursive, sample is None, scan))
        else:
            singles.setdefault(path.parent, []).append(str(path))
    for parent, names in singles.items():
        holder = catalog.folders.containing(parent)
        owner = holder.id if holder else None
        if owner is None and any(files.is_picture_name(name) for name in names):
            # Single files must not bring their neighbours in at the next re-scan: a sampled folder.
            owner = catalog.folders.add(parent, False, True)
        scan = catalog.scans.begin(owner, reader)
        parts.append(Part(names, False, sample is None, scan))
    return Request(reader, parts, sample)


def _folder_for(catalog: Catalog, path: Path, recursive: bool, sampled: bool) -> int:
    """Find the folder that takes care of a path already, or add one."""
    holder = catalog.folders.containing(path)
    if holder and holder.path != str(path) and holder.enabled and not holder.sampled:
        return holder.id
    return catalog.folders.add(path, recursive, sampled)


class Opener:
    """Opens what a person names, once it was looked at.

    Thread: the conductor's.
    """

    def __init__(
        self,
        catalog: Catalog,
        attendance: FolderAvailability,
        readers: Readers,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        """Make it; ``post`` has something done on the conductor's thread."""
        self._catalog, self._attendance = catalog, attendance
        self._readers, self._post = readers, post
        self.waiting = 0  # how much is to be opened once it was looked at

    def open(
        self,
        paths: Sequence[Path],
        recursive: bool,
        sample: int | None,
        then: Callable[[Attended, Request], None],
    ) -> None:
        """Make folders and files known; ``then`` gets what came of it, now or later."""
        reader = self._readers.reader()

        def again() -> None:
            self.waiting -= 1
            attempt()

        def attempt() -> None:
            try:
                sources, problems = _seen(paths, reader)
                found = self._attendance.receive(sources, reader)
            except Unread as unread:
                self.waiting += 1
                self._readers.start(reader, unread, lambda: self._post(again))
                return
            request = _opened(self._catalog, sources, recursive, sample, self._readers.reader())
            request.problems += problems
            self._attendance.note_new(sources)
            then(found, request)

        attempt()
