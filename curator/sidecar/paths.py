"""What sidecars are called, and putting one on disk.

Read through a link, a sidecar is read; none is ever written through one: what the link leads to is
not beside the photo, and may be anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePath

from curator import atomic
from curator.model import Kind
from curator.opened_folder import Mark, OpenedFolder, OutsideError
from curator.sidecar.elements import ALONE, MAX_BYTES
from curator.sidecar.sidecar_data import ChangedError, Profile, SidecarError

SUFFIX = ".xmp"
_RETRY = "Make the folder writable, then write again."
_NO_ROOM = "Make room on the disk, then write again."


def name_for(profile: Profile, file: str, kind: Kind) -> str | None:
    """Name the sidecar of a file, or None where this editor reads none for such a file.

    Args:
        profile: the editor; Lightroom reads sidecars of RAW files only, and not of DNG, so the
            JPEG half of a pair never makes ``base.xmp``.
        file: the file's name, without folder.
        kind: RAW or a picture any viewer opens.
    """
    if profile.appended:
        return file + SUFFIX
    path = PurePath(file)
    if kind is not Kind.RAW or path.suffix.lower() == ".dng":
        return None
    return path.stem + SUFFIX


def load(path: Path) -> bytes | None:
    """Read a sidecar's bytes; None where there is none.

    Raises:
        SidecarError: it cannot be read, or is over the size limit.
    """
    real = Path(os.path.realpath(path))
    try:
        with OpenedFolder.at(real.parent) as folder:
            return load_in(folder, real.name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SidecarError(
            f"The sidecar {path.name} cannot be read ({error.strerror or error})."
        ) from error


def load_in(folder: OpenedFolder, name: str) -> bytes | None:
    """Read the bytes of a sidecar right inside a folder, None where there is none; no link.

    Raises:
        SidecarError: it cannot be read, is a link or no file, or is over the size limit.
    """
    try:
        data = folder.read(name, MAX_BYTES + 1)
    except OutsideError as error:
        raise _no_file(name) from error
    except OSError as error:
        raise SidecarError(
            f"The sidecar {name} cannot be read ({error.strerror or error})."
        ) from error
    if data is not None and len(data) > MAX_BYTES:
        raise SidecarError(
            f"The sidecar {name} is larger than {MAX_BYTES >> 20} MB.",
            f"No editor writes so much; {ALONE}",
        )
    return data


def digest(data: bytes | None) -> str:
    """Give the sha256 of a sidecar's bytes, ``""`` for none: what `write` expects to find."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def check(path: Path) -> None:
    """Check that a sidecar could be written: nothing is there, or a plain file.

    Raises:
        SidecarError: it is a link, even to nowhere, or no file.
    """
    with contextlib.suppress(OSError), OpenedFolder.at(path.parent) as folder:
        load_in(folder, path.name)


def write(path: Path, data: bytes, expected: str) -> None:
    """Put a sidecar in place as a whole, or not at all, and read it back.

    A temporary file beside it, fsync, replace; the mode stays. After a power cut there is the old
    or the new one; `keep` makes sure of the new.

    Args:
        path: where; links to its folder are followed, it itself must be none.
        data: from `merge`.
        expected: `digest` of what was read before; ``""``: there must be no file.

    Raises:
        ChangedError: something else is there now; it stays.
        SidecarError: the place cannot be written, or is a link; what was there stays.
    """
    try:
        folder = OpenedFolder.at(path.parent)
    except OSError as error:
        raise _unwritten(path.name, error) from error
    with folder:
        write_in(folder, path.name, data, expected)


def write_in(folder: OpenedFolder, name: str, data: bytes, expected: str) -> None:
    """Put a sidecar right inside a folder; see `write`.

    Raises:
        ChangedError, SidecarError: as there.
    """
    try:
        _replace(folder, name, data, expected)
        back = load_in(folder, name)
    except OSError as error:
        raise _unwritten(name, error) from error
    if back != data:
        raise SidecarError(
            f"The sidecar {name} reads back otherwise than it was written.",
            "The disk may be failing, or another program writes at the same moment.",
        )


def _no_file(name: str) -> SidecarError:
    return SidecarError(
        f"The sidecar {name} is a link, or no file.", "Put the file itself in its place."
    )


def _unwritten(name: str, error: OSError) -> SidecarError:
    return SidecarError(
        f"The sidecar {name} could not be written ({error.strerror or error}).",
        _NO_ROOM if atomic.is_full(error) else _RETRY,
    )


def keep(paths: Iterable[Path]) -> None:
    """Have the names of sidecars just written on disk too, folder by folder, where that works."""
    if os.name != "posix":
        return
    for folder in {Path(os.path.realpath(path)).parent for path in paths}:
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


_swept: set[Mark] = set()


def _replace(folder: OpenedFolder, name: str, data: bytes, expected: str) -> None:
    there = folder.status(name)
    if there is not None and not stat.S_ISREG(there.st_mode):
        raise _no_file(name)
    if there is not None and not there.st_mode & stat.S_IWUSR:
        raise SidecarError(
            f"The sidecar {name} is write-protected.", "Take the protection off to have it."
        )
    if folder.mark not in _swept:  # of what killed processes left, the first time
        _swept.add(folder.mark)
        folder.sweep()
    temporary = folder.temporary(name)
    try:
        mode = None if there is None else stat.S_IMODE(there.st_mode)
        with folder.create(temporary, mode=mode) as file:
            file.write(data)
        seen = folder.seen(name)
        if (seen.sha256 if seen else "") != expected:
            raise ChangedError(
                f"Another program changed the sidecar {name} since it was read.",
                "Read it again; both sides are then shown.",
            )
        if seen is not None:
            folder.replace(temporary, name, seen)
        else:
            _claim(folder, temporary, name)
    except OutsideError as error:
        raise ChangedError(
            f"Another program changed the sidecar {name} just now.",
            "Read it again; both sides are then shown.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            folder.remove(temporary)


def _claim(folder: OpenedFolder, temporary: str, name: str) -> None:
    """Rename the file, if nobody took its name since we looked."""
    made = folder.seen(temporary)
    assert made is not None
    try:
        folder.rename(temporary, name, made)
    except FileExistsError:
        raise ChangedError(
            f"Another program made the sidecar {name} just now.",
            "Read it first; both sides are then shown.",
        ) from None
