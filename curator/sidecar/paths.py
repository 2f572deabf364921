"""Names of sidecars, and reading and writing their bytes on disk.

A sidecar may be read through a link, but is never written through one: the file behind the link is
not beside the photo and could be anything.
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
from curator.opened_folder import FileId, OpenedFolder, OutsideError
from curator.sidecar.elements import LEFT_ALONE, MAX_BYTES
from curator.sidecar.sidecar_data import ChangedError, Profile, SidecarError

_SUFFIX = ".xmp"
_RETRY = "Make the folder writable, then write again."
_NO_ROOM = "Make room on the disk, then write again."


def name_for(profile: Profile, file: str, kind: Kind) -> str | None:
    """Return the name of a file's sidecar; None if this editor reads no sidecar for such a file.

    Args:
        profile: the editor. Lightroom reads sidecars of RAW files only, and not of DNG, so the
            JPEG half of a pair never makes ``base.xmp``.
        file: the file's name, without folder.
        kind: RAW, or a picture that any viewer opens.
    """
    if profile.appended:
        return file + _SUFFIX
    path = PurePath(file)
    if kind is not Kind.RAW or path.suffix.lower() == ".dng":
        return None
    return path.stem + _SUFFIX


def load(path: Path) -> bytes | None:
    """Read a sidecar's bytes; None if it does not exist.

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
    """Read the bytes of a sidecar directly inside a folder; None if it does not exist.

    Raises:
        SidecarError: it cannot be read, is a link or not a file, or is over the size limit.
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
            f"No editor writes that much. {LEFT_ALONE}",
        )
    return data


def digest(data: bytes | None) -> str:
    """Return the sha256 of a sidecar's bytes as `write` expects it; ``""`` for no sidecar."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def check(path: Path) -> None:
    """Check that a sidecar could be written: the name is free, or a plain file.

    Raises:
        SidecarError: it is a link, even to nowhere, or not a file.
    """
    with contextlib.suppress(OSError), OpenedFolder.at(path.parent) as folder:
        load_in(folder, path.name)


def write(path: Path, data: bytes, expected: str) -> None:
    """Write a sidecar atomically and read it back; its permissions stay.

    After a power cut the old or the new sidecar is there, whole; `sync_folders` makes sure that it
    is the new one.

    Args:
        path: the sidecar. Links to its folder are followed; it must not be a link itself.
        data: from `merge`.
        expected: `digest` of what was read before; ``""`` if there must be no file.

    Raises:
        ChangedError: another program wrote the sidecar since; its content stays.
        SidecarError: it cannot be written, or is a link; the old content stays.
    """
    try:
        folder = OpenedFolder.at(path.parent)
    except OSError as error:
        raise _unwritten(path.name, error) from error
    with folder:
        write_in(folder, path.name, data, expected)


def write_in(folder: OpenedFolder, name: str, data: bytes, expected: str) -> None:
    """Write a sidecar directly inside a folder; see `write`.

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
            f"The sidecar {name} does not read back as it was written.",
            "The disk may be failing, or another program is writing to it at the same time.",
        )


def _no_file(name: str) -> SidecarError:
    return SidecarError(
        f"The sidecar {name} is a link or not a file.", "Replace it with the file itself."
    )


def _unwritten(name: str, error: OSError) -> SidecarError:
    return SidecarError(
        f"The sidecar {name} could not be written ({error.strerror or error}).",
        _NO_ROOM if atomic.is_full(error) else _RETRY,
    )


def sync_folders(paths: Iterable[Path]) -> None:
    """Flush the names of sidecars just written to disk, once per folder."""
    for folder in {Path(os.path.realpath(path)).parent for path in paths}:
        atomic.sync_folder(folder)


_cleaned: set[FileId] = set()  # folders whose leftovers this process has removed


def _replace(folder: OpenedFolder, name: str, data: bytes, expected: str) -> None:
    status = folder.status(name)
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise _no_file(name)
    if status is not None and not status.st_mode & stat.S_IWUSR:
        raise SidecarError(
            f"The sidecar {name} is write-protected.", "Make it writable, then write again."
        )
    if folder.file_id not in _cleaned:
        _cleaned.add(folder.file_id)
        folder.remove_leftovers()
    with folder.temporary(name) as temporary:
        try:
            mode = None if status is None else stat.S_IMODE(status.st_mode)
            with folder.create(temporary, mode=mode) as file:
                file.write(data)
            found = folder.file_state(name)
            if (found.sha256 if found else "") != expected:
                raise _changed(name, "changed", "since it was read")
            folder.commit(temporary, name, found)
        except OutsideError as error:
            raise _changed(name, "changed", "just now") from error
        except FileExistsError as error:
            raise _changed(name, "created", "just now") from error


def _changed(name: str, what: str, when: str) -> ChangedError:
    return ChangedError(
        f"Another program {what} the sidecar {name} {when}.",
        "Read it again, then compare both versions.",
    )
