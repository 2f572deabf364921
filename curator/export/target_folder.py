"""The target folder of an export: held open, locked, and never inside a folder with originals.

The target is checked when the plan is made and again when it is carried out, because in between a
link may have appeared, or a folder of originals may have been moved.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from curator import file_lock, volumes
from curator.cards import Protection
from curator.catalog import PhotoDetail
from curator.export.options import Options
from curator.model import BusyError, KnownError
from curator.opened_folder import FileId, OpenedFolder, file_id


@dataclass(frozen=True, slots=True)
class Originals:
    """Paths of the folders that an export must not write to.

    ``recursive`` may contain originals in their subfolders too, ``flat`` only directly.
    """

    recursive: frozenset[Path]
    flat: frozenset[Path]

    @classmethod
    def of(cls, options: Options, photos: Iterable[PhotoDetail]) -> Originals:
        """Collect the source folders, and the folders of photos outside them."""
        known = (file for photo in photos for file in photo.files if not file.away)
        beside = {Path(file.path).parent for file in known}
        return cls(frozenset(options.sources), frozenset(beside | set(options.flat_sources)))

    def identify(self) -> OriginalFolders:
        """Identify these folders on disk; folders of disconnected drives are left out."""
        recursive = _by_id(self.recursive)
        return OriginalFolders(recursive, _by_id(self.flat) | recursive)


@dataclass(frozen=True, slots=True)
class OriginalFolders:
    """Folders of originals by file id: those read with subfolders, and all of them."""

    recursive: dict[FileId, Path]
    every: dict[FileId, Path]

    def refuse(self, folder: OpenedFolder, *, is_parent: bool) -> None:
        """Refuse a target in or below a folder of originals, also through another path or a link.

        Args:
            folder: the target, or the folder in which it will be created.
            is_parent: whether it is the latter.

        Raises:
            KnownError: it contains originals, or is inside a folder read with its subfolders.
        """
        for depth, folder_id in enumerate(folder.above()):
            above = (self.recursive if depth or is_parent else self.every).get(folder_id)
            if above is not None:
                raise KnownError(
                    f"{folder.path} is inside {above}, which contains originals.",
                    "Choose a folder outside it, so that exports are not added as new photos.",
                )


def _by_id(folders: Iterable[Path]) -> dict[FileId, Path]:
    statuses = ((folder, volumes.status(folder)) for folder in folders)
    return {file_id(status): folder for folder, status in statuses if status is not None}


@contextmanager
def open_to_plan(folder: Path, originals: Originals) -> Iterator[OpenedFolder | None]:
    """Open a target for planning; yield None if it does not exist yet.

    Raises:
        KnownError: it is not a folder, cannot be used, is on a drive that is disconnected or does
            not answer, is inside a folder of originals or on a memory card.
    """
    try:
        is_folder = stat.S_ISDIR(volumes.ask(folder, folder.stat).st_mode)
    except FileNotFoundError:
        volumes.refuse_away(folder)
        is_folder = True
    except OSError as error:
        raise _unusable(folder, error) from error
    if not is_folder:
        raise KnownError(f"{folder} is not a folder.", "Choose a folder for the export.")
    _refuse_card(folder)
    originals_on_disk = originals.identify()
    try:
        opened, missing = _nearest(folder, originals_on_disk)
    except OSError as error:
        raise _unusable(folder, error) from error
    with opened:
        originals_on_disk.refuse(opened, is_parent=bool(missing))
        yield None if missing else opened


def open_to_write(folder: Path, originals: Originals) -> OpenedFolder:
    """Open a target for writing; create it if it does not exist.

    Raises:
        KnownError: it is inside a folder of originals or on a memory card, or a link is in the way.
        OSError: it cannot be created or opened.
    """
    _refuse_card(folder)
    originals_on_disk = originals.identify()
    opened, missing = _nearest(folder, originals_on_disk)
    with opened:
        originals_on_disk.refuse(opened, is_parent=bool(missing))
        if missing:
            opened.make_folder(missing)
        return opened.inside(missing)


def _refuse_card(folder: Path) -> None:
    reason = Protection().folder_reason(folder)
    if reason:
        raise KnownError(reason, "Choose another folder for the export.")


def _nearest(folder: Path, originals: OriginalFolders) -> tuple[OpenedFolder, str]:
    """Open a folder or its nearest existing parent; return it and the rest of the path."""
    missing: list[str] = []
    here = folder.absolute()
    while True:
        try:
            return OpenedFolder.at(here, originals.every), "/".join(reversed(missing))
        except FileNotFoundError:
            if here.parent == here:
                raise
            missing.append(here.name)
            here = here.parent


def _unusable(folder: Path, error: OSError) -> KnownError:
    return KnownError(
        f"{folder} cannot be used ({error.strerror or error}).",
        "Choose a writable folder.",
    )


_WINDOWS_FILE = ".curator-export.lock"


@contextmanager
def exclusive(folder: OpenedFolder) -> Iterator[None]:
    """Keep other exports on this computer out of a folder.

    The lock is on the opened folder itself: it is the same by whatever path, user or home, leaves
    nothing on disk, and ends with its process. Windows can lock only files: there it is a file in
    the folder, which the system removes when it is closed. On a disk without locks, an export
    notices that another one wrote the manifest (:func:`curator.export.manifest.save`) and stops.

    Raises:
        BusyError: another export is running; nothing was written.
        KnownError: the name of the lock file is taken.
    """
    busy = BusyError(f"Another export into {folder.path} is running.", "Wait until it is done.")
    with _handle(folder, busy) as handle:
        taken = True
        with suppress(OSError):  # a file system without locks
            taken = handle is None or file_lock.acquire(handle)
        if not taken:
            raise busy
        folder.is_locked = True
        try:
            yield
        finally:
            folder.is_locked = False
            if handle is not None:
                file_lock.release(handle)


@contextmanager
def _handle(folder: OpenedFolder, busy: BusyError) -> Iterator[int | None]:
    """Yield the handle to lock: of the folder, on Windows of a file in it; None without handles."""
    if sys.platform != "win32":
        yield folder.fileno() if folder.has_handle else None
        return
    if folder.status(_WINDOWS_FILE) is not None and not folder.is_file(_WINDOWS_FILE):
        # Opening a link would open its target, which is then deleted when it is closed.
        raise KnownError(f"{folder.path / _WINDOWS_FILE} is a link, or no file.", "Remove it.")
    temporary = getattr(os, "O_TEMPORARY", 0)  # deleted once nobody has it open
    try:
        handle = os.open(folder.path / _WINDOWS_FILE, os.O_RDWR | os.O_CREAT | temporary)
    except PermissionError as error:
        raise busy from error  # another export is just closing it
    try:
        yield handle
    finally:
        os.close(handle)
