"""Where an export goes: a folder held open, outside of whatever holds originals.

A target is looked at when the plan is made and opened anew when it is carried out: in between a
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
    """The folders an export keeps out of.

    ``sources`` are read with their subfolders; of ``others`` only the folder itself holds photos.
    """

    sources: frozenset[Path]
    others: frozenset[Path]

    @classmethod
    def of(cls, options: Options, photos: Iterable[PhotoDetail]) -> Originals:
        """Collect the folders read, and those of photos that lie elsewhere."""
        known = (file for photo in photos for file in photo.files if not file.away)
        beside = {Path(file.path).parent for file in known}
        return cls(frozenset(options.sources), frozenset(beside | set(options.flat_sources)))

    def found(self) -> OriginalFolders:
        """Find which folders these are now; those of drives that are away hold nothing now."""
        read = _marks(self.sources)
        return OriginalFolders(read, {**_marks(self.others), **read})


@dataclass(frozen=True, slots=True)
class OriginalFolders:
    """Folders of originals as they are on disk: read whole, and all of them."""

    read: dict[FileId, Path]
    holding: dict[FileId, Path]

    def refuse(self, folder: OpenedFolder, *, to_be_made: bool = False) -> None:
        """Refuse a target in or below a folder of originals, however it is spelled or linked.

        Args:
            folder: the target, or what it is to be made in.
            to_be_made: whether it is the latter.

        Raises:
            KnownError: it holds originals, or lies inside a folder that is read whole.
        """
        for depth, mark in enumerate(folder.above()):
            above = (self.read if depth or to_be_made else self.holding).get(mark)
            if above is not None:
                raise KnownError(
                    f"{folder.path} lies inside {above}, which holds originals.",
                    "Choose a folder outside, so that exports are not read in as new photos.",
                )


def _marks(folders: Iterable[Path]) -> dict[FileId, Path]:
    found = ((folder, volumes.status(folder)) for folder in folders)
    return {file_id(status): folder for folder, status in found if status is not None}


@contextmanager
def open_to_plan(folder: Path, originals: Originals) -> Iterator[OpenedFolder | None]:
    """Open a target to plan what goes there; None while it is to be made.

    Raises:
        KnownError: it is no folder, cannot be used, is on a drive that is away or does not answer,
            or lies inside a folder of originals.
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
    """Open a target to write into it; make it first where it is not there.

    Raises:
        KnownError: it lies inside a folder of originals, or a link is in the way.
        OSError: it cannot be made or opened.
    """
    found = originals.found()
    opened, missing = _nearest(folder, found)
    with opened:
        found.refuse(opened, to_be_made=bool(missing))
        if missing:
            opened.make_folder(missing)
        return opened.inside(missing)


def _nearest(folder: Path, found: OriginalFolders) -> tuple[OpenedFolder, str]:
    """Open a folder or the nearest above it that is there; gives it and the rest of the path."""
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
        "Choose a folder that can be written.",
    )


# Where systems put drives, and at which depth below the drive's own folder stands. Making it there
# while the drive is away would fill the disk underneath, unseen.
_MOUNTS = (("/Volumes", 1), ("/media", 2), ("/run/media", 2), ("/mnt", 1))


def _refuse_away(folder: Path) -> None:
    """Refuse to make the folder of a drive that is not connected."""
    for root, depth in _MOUNTS:
        if not folder.is_relative_to(root) or folder == Path(root):
            continue
        drives = [Path(root, *folder.relative_to(root).parts[:at]) for at in range(1, depth + 1)]
        drive = drives[-1]
        if drive != folder and not drive.exists() and not any(map(os.path.ismount, drives)):
            raise KnownError(
                f"The drive {drive.name} is not connected.", "Connect it or choose another folder."
            )
