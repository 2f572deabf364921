"""The target folder of an export, held open, and never inside a folder with originals.

The target is checked when the plan is made and again when it is carried out, because in between a
link may have appeared, or a folder of originals may have been moved.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curator import volumes
from curator.catalog import PhotoDetail
from curator.export.options import Options
from curator.model import KnownError
from curator.opened_folder import FileId, OpenedFolder, file_id


@dataclass(frozen=True, slots=True)
class Originals:
    """The folders that an export must not write to.

    ``sources`` contain photos in their subfolders too; ``others`` only directly.
    """

    sources: frozenset[Path]
    others: frozenset[Path]

    @classmethod
    def of(cls, options: Options, photos: Iterable[PhotoDetail]) -> Originals:
        """Collect the source folders, and the folders of photos outside them."""
        known = (file for photo in photos for file in photo.files if not file.away)
        beside = {Path(file.path).parent for file in known}
        return cls(frozenset(options.sources), frozenset(beside | set(options.flat_sources)))

    def found(self) -> OriginalFolders:
        """Identify these folders on disk; folders of disconnected drives are left out."""
        read = _marks(self.sources)
        return OriginalFolders(read, {**_marks(self.others), **read})


@dataclass(frozen=True, slots=True)
class OriginalFolders:
    """Folders of originals by file id: ``read`` with subfolders, ``holding`` all of them."""

    read: dict[FileId, Path]
    holding: dict[FileId, Path]

    def refuse(self, folder: OpenedFolder, *, to_be_made: bool = False) -> None:
        """Refuse a target in or below a folder of originals, also through another path or a link.

        Args:
            folder: the target, or the folder in which it will be created.
            to_be_made: whether it is the latter.

        Raises:
            KnownError: it contains originals, or is inside a folder read with its subfolders.
        """
        for depth, mark in enumerate(folder.above()):
            above = (self.read if depth or to_be_made else self.holding).get(mark)
            if above is not None:
                raise KnownError(
                    f"{folder.path} is inside {above}, which contains originals.",
                    "Choose a folder outside it, so that exports are not added as new photos.",
                )


def _marks(folders: Iterable[Path]) -> dict[FileId, Path]:
    found = ((folder, volumes.status(folder)) for folder in folders)
    return {file_id(status): folder for folder, status in found if status is not None}


@contextmanager
def open_to_plan(folder: Path, originals: Originals) -> Iterator[OpenedFolder | None]:
    """Open a target for planning; yield None if it does not exist yet.

    Raises:
        KnownError: it is not a folder, cannot be used, is on a drive that is disconnected or does
            not answer, or is inside a folder of originals.
    """
    try:
        is_folder = stat.S_ISDIR(volumes.ask(folder, folder.stat).st_mode)
    except FileNotFoundError:
        _refuse_away(folder)
        is_folder = True
    except OSError as error:
        raise _unusable(folder, error) from error
    if not is_folder:
        raise KnownError(f"{folder} is not a folder.", "Choose a folder for the export.")
    found = originals.found()
    try:
        opened, missing = _nearest(folder, found)
    except OSError as error:
        raise _unusable(folder, error) from error
    with opened:
        found.refuse(opened, to_be_made=bool(missing))
        yield None if missing else opened


def open_to_write(folder: Path, originals: Originals) -> OpenedFolder:
    """Open a target for writing; create it if it does not exist.

    Raises:
        KnownError: it is inside a folder of originals, or a link is in the way.
        OSError: it cannot be created or opened.
    """
    found = originals.found()
    opened, missing = _nearest(folder, found)
    with opened:
        found.refuse(opened, to_be_made=bool(missing))
        if missing:
            opened.make_folder(missing)
        return opened.inside(missing)


def _nearest(folder: Path, found: OriginalFolders) -> tuple[OpenedFolder, str]:
    """Open a folder or its nearest existing parent; return it and the rest of the path."""
    missing: list[str] = []
    here = folder.absolute()
    while True:
        try:
            return OpenedFolder.at(here, found.holding), "/".join(reversed(missing))
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


# Where systems mount drives, and how deep the drive's folder is. Creating that folder while the
# drive is disconnected would fill the system disk unnoticed.
_MOUNTS = (("/Volumes", 1), ("/media", 2), ("/run/media", 2), ("/mnt", 1))


def _refuse_away(folder: Path) -> None:
    """Refuse to create the folder of a drive that is not connected."""
    for root, depth in _MOUNTS:
        if not folder.is_relative_to(root) or folder == Path(root):
            continue
        drives = [Path(root, *folder.relative_to(root).parts[:at]) for at in range(1, depth + 1)]
        drive = drives[-1]
        if drive != folder and not drive.exists() and not any(map(os.path.ismount, drives)):
            raise KnownError(
                f"The drive {drive.name} is not connected.", "Connect it or choose another folder."
            )
