"""Imports from memory cards: which copies were verified, and the report of each import.

The import records every copy here as soon as it is verified; what is not recorded is proved again
after a kill, never copied twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VerifiedCopy:
    """A copy that was read back from its disk and equals what was read from the card.

    Attributes:
        card: the root of the card it came from.
        source: its path on the card, relative to ``card``, with ``/``.
        fingerprint: of the content (`curator.files.fingerprint`).
        sha256: of the content, in hex.
        size: in bytes.
        destination: the destination folder, absolute.
        name: its path relative to ``destination``, with ``/``.
        mtime_ns: its modification time as the destination stores it. A file of another size or time
            is no longer the copy that was verified.
        cache_answered: the system could not be made to read the disk itself, so that its cache may
            have answered.
    """

    card: str
    source: str
    fingerprint: str
    sha256: str
    size: int
    destination: str
    name: str
    mtime_ns: int
    cache_answered: bool = False

    @property
    def path(self) -> str:
        """The absolute path of the copy."""
        return str(Path(self.destination, *self.name.split("/")))
