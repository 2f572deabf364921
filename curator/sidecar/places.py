"""What sidecars are called, and putting one on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from curator.model import Kind
from curator.sidecar.said import Profile


def name_for(profile: Profile, file: str, kind: Kind) -> str | None:
    """Name the sidecar of a file, or None where this editor reads none for such a file.

    Args:
        profile: the editor; Lightroom reads sidecars of RAW files only, and not of DNG, so the
            JPEG half of a pair never makes ``base.xmp``.
        file: the file's name, without folder.
        kind: RAW or a picture any viewer opens.
    """
    raise NotImplementedError


def found(files: Sequence[str], names: Iterable[str]) -> list[str]:
    """Find the sidecars of a photo among the names in its folder, ``base.xmp`` first.

    Args:
        files: names of the photo's files.
        names: of everything in the folder; ``.XMP`` counts too.
    """
    raise NotImplementedError


def load(path: Path) -> bytes | None:
    """Read a sidecar's bytes; None where there is none.

    Raises:
        SidecarError: it cannot be read, or is over the size limit.
    """
    raise NotImplementedError


def digest(data: bytes | None) -> str:
    """Give the sha256 of a sidecar's bytes, ``""`` for none: what `write` expects to find."""
    raise NotImplementedError


def write(path: Path, data: bytes, expected: str) -> None:
    """Put a sidecar in place as a whole, or not at all, and read it back.

    A temporary file beside it, fsync, replace; the mode stays, a link stays a link.

    Args:
        path: where.
        data: from `merge`.
        expected: `digest` of what was read before; ``""``: there must be no file.

    Raises:
        ChangedError: something else is there now; it stays.
        SidecarError: the place cannot be written; what was there stays.
    """
    raise NotImplementedError
