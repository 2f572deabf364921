"""Progress and result of an import, and the sentence that says whether a card may be formatted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class DestinationState(StrEnum):
    """What a destination is doing."""

    COPYING = "copying"
    WAITING = "waiting"  # for the card, or for its own drive to come back
    FULL = "full"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DestinationProgress:
    """One destination of a running import.

    ``files`` of ``total_files`` are verified there, ``bytes`` of ``total_bytes``. ``rate_bps`` is
    over the last seconds, in bytes per second; ``left_s`` is None while it cannot be estimated.
    ``reason`` is why it waits or stopped, in one sentence.
    """

    path: Path
    state: DestinationState
    files: int = 0
    total_files: int = 0
    bytes: int = 0
    total_bytes: int = 0
    rate_bps: float = 0.0
    left_s: float | None = None
    failed: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """A running import.

    ``reason`` is why the whole import waits (``EOS_DIGITAL was removed. Insert it again.``), or
    empty. ``slowest`` is the index of the destination that will be done last, None if there is
    one only or it cannot be told.
    """

    destinations: tuple[DestinationProgress, ...]
    paused: bool = False
    reason: str = ""
    slowest: int | None = None
    current: str = ""


@dataclass(frozen=True, slots=True)
class FileFailure:
    """A file that is not verified at a destination, and why; ``path`` is its path on the card."""

    path: str
    destination: str
    reason: str


@dataclass(frozen=True, slots=True)
class DestinationReport:
    """What one destination has in the end.

    ``verified`` files were copied and read back in this import, ``checked`` were there and compared
    equal, ``kept`` were verified by an earlier import. ``checksums`` is the checksum list.
    """

    path: str
    verified: int
    checked: int
    kept: int
    bytes: int
    checksums: str = ""
    state: str = "done"
    reason: str = ""
