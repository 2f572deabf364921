"""What sidecars are called, and putting one on disk."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePath

from curator import whole
from curator.model import Kind
from curator.sidecar.elements import ALONE, MAX_BYTES
from curator.sidecar.said import ChangedError, Profile, SidecarError

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
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SidecarError(
            f"The sidecar {path.name} cannot be read ({error.strerror or error})."
        ) from error
    if len(data) > MAX_BYTES:
        raise SidecarError(
            f"The sidecar {path.name} is larger than {MAX_BYTES >> 20} MB.",
            f"No editor writes so much; {ALONE}",
        )
    return data


def digest(data: bytes | None) -> str:
    """Give the sha256 of a sidecar's bytes, ``""`` for none: what `write` expects to find."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def write(path: Path, data: bytes, expected: str) -> None:
    """Put a sidecar in place as a whole, or not at all, and read it back.

    A temporary file beside it, fsync, replace; the mode stays, a link stays a link. After a power
    cut there is the old or the new one; `keep` makes sure of the new.

    Args:
        path: where.
        data: from `merge`.
        expected: `digest` of what was read before; ``""``: there must be no file.

    Raises:
        ChangedError: something else is there now; it stays.
        SidecarError: the place cannot be written; what was there stays.
    """
    try:
        _replace(Path(os.path.realpath(path)), data, expected)
        back = path.read_bytes()
    except OSError as error:
        raise SidecarError(
            f"The sidecar {path.name} could not be written ({error.strerror or error}).",
            _NO_ROOM if whole.is_full(error) else _RETRY,
        ) from error
    if back != data:
        raise SidecarError(
            f"The sidecar {path.name} reads back otherwise than it was written.",
            "The disk may be failing, or another program writes at the same moment.",
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


def _replace(path: Path, data: bytes, expected: str) -> None:
    there = _mode(path)
    if there is not None and not there & stat.S_IWUSR:
        raise SidecarError(
            f"The sidecar {path.name} is write-protected.", "Take the protection off to have it."
        )
    _swept(path.parent)
    temporary = whole.temporary(path)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if there is not None:
            temporary.chmod(there)
        if digest(load(path)) != expected:
            raise ChangedError(
                f"Another program changed the sidecar {path.name} since it was read.",
                "Read it again; both sides are then shown.",
            )
        if there is None:
            _claim(temporary, path)
        else:
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@functools.cache
def _swept(folder: Path) -> None:
    """Clear what killed processes left in a folder, the first time something is written there."""
    whole.sweep(folder)


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _claim(temporary: Path, path: Path) -> None:
    """Give the file its name only if nobody took that since we looked, where links exist."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise ChangedError(
            f"Another program made the sidecar {path.name} just now.",
            "Read it first; both sides are then shown.",
        ) from None
    except OSError:  # FAT and exFAT, as on cards, have no links
        temporary.replace(path)
