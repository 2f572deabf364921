"""Verified copies, as an import makes them."""

from __future__ import annotations

import shutil
from pathlib import Path

from curator import files
from curator.catalog import VerifiedCopy
from curator.model import Kind


def copy_verified(card: Path, name: str, library: Path, to: str = "") -> VerifiedCopy:
    """Copy a file of a card into a library; record nothing in the catalog.

    Args:
        card: the root of the card.
        name: the file's path on the card.
        library: the destination.
        to: its path there, by default ``name``.
    """
    source, target = card / name, library / (to or name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    status = target.stat()
    return VerifiedCopy(
        card=str(card),
        source=name,
        fingerprint=files.fingerprint(source),
        sha256=files.sha256(source),
        size=status.st_size,
        destination=str(library),
        name=target.relative_to(library).as_posix(),
        mtime_ns=status.st_mtime_ns,
        kind=Kind.RAW if source.suffix == ".NEF" else Kind.IMAGE,
    )
