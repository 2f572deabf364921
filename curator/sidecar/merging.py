"""What there is + what we want said -> the bytes of a sidecar; every foreign byte stays."""

from __future__ import annotations

from datetime import datetime

from curator.sidecar.said import Content, Profile, Said


def merge(
    existing: bytes | None,
    said: Said,
    base: Said | None,
    profile: Profile,
    now: datetime | None = None,
) -> bytes:
    """Put what we changed since ``base`` into a sidecar, and nothing else.

    A field is written when ``said`` speaks of it and differs from ``base``; keywords, paths and
    projects are added and taken away one by one, so that what others added stays. Everything else
    keeps its bytes: unknown namespaces, develop settings, history, order, encoding, padding.

    Args:
        existing: the sidecar's bytes; None (or empty): there is none yet.
        said: what it is to say (`Said.of`).
        base: what the file said when we last read or wrote it; None: never. Then "none" and 0
            are no wish of ours, and no keyword is taken away.
        profile: the editor it is for.
        now: ``xmp:MetadataDate``; the present by default.

    Returns:
        The new bytes; the very same bytes if nothing had to change. With ``existing`` None and
        nothing to say: ``b""``, no sidecar is needed.

    Raises:
        SidecarError: ``existing`` cannot be read as XMP (see `read`).
    """
    raise NotImplementedError


def difference(
    existing: bytes | None, said: Said, base: Said | None, profile: Profile
) -> list[str]:
    """Say line by line what `merge` would change (``rating: 2 → 4``, ``keyword added: Iceland``).

    Raises:
        SidecarError: ``existing`` cannot be read as XMP.
    """
    raise NotImplementedError


def conflict(theirs: Said, ours: Said, base: Said | None) -> list[str]:
    """Say line by line what both sides changed since ``base``, differently.

    Keywords never conflict: additions and removals of both hold. Empty: `merge` loses nothing.

    Returns:
        Lines like ``rating: 3 here, 5 in the file``.
    """
    raise NotImplementedError


def proposed(theirs: datetime | None, mtime_ns: int, ours: float) -> str:
    """Say which side of a conflict is newer, ``"file"`` or ``"catalog"``.

    Args:
        theirs: `Content.metadata_date` of the file.
        mtime_ns: its mtime, counted where it has no date.
        ours: when the photo's last decision was made, seconds since 1970.
    """
    raise NotImplementedError


def settle(contents: dict[str, tuple[Content, int]]) -> tuple[str, list[str]]:
    """Choose between several sidecars of one photo: the newest counts, the others are told.

    Args:
        contents: path -> (`Content`, mtime in ns).

    Returns:
        The path that counts (newest ``xmp:MetadataDate``, then mtime), and a line for each field
        another one says differently; both are named.
    """
    raise NotImplementedError
