"""Progress and result of an import, and the sentence that says whether a card may be formatted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from curator.model import counted

NAMED = 3  # in a line that names some of many


class DestinationState(StrEnum):
    """What a destination is doing."""

    COPYING = "copying"
    WAITING = "waiting"  # for its drive to come back
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
    empty. ``slowest`` is the index of the destination that will be done last, None if it has only
    one or cannot be told. ``current`` is the file being read.
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
    equal, ``kept`` were verified by an earlier import and are still there. ``unfinished`` files
    were not tried, for the ``reason`` given. ``bytes`` were verified in this import;
    ``sidecars`` were written beside the copies, as asked for; ``checksums`` is the path of the
    checksum list. ``cache_answered``: the system could not be made to read the
    disk itself.
    """

    path: str
    verified: int = 0
    checked: int = 0
    kept: int = 0
    failed: int = 0
    unfinished: int = 0
    bytes: int = 0
    sidecars: int = 0
    checksums: str = ""
    reason: str = ""
    cache_answered: bool = False

    @property
    def done(self) -> int:
        """The number of files proved to be there."""
        return self.verified + self.checked + self.kept


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import.

    Attributes:
        run_id: its id in the catalog.
        photos: how many photos are verified at every destination.
        files: how many files are.
        destinations: what each has.
        known: how many items were not copied, because the library has them elsewhere.
        cards: the names of the cards.
        are_cards: whether all of them are memory cards, not folders.
        failures: files that are not verified somewhere, and why.
        left: why the cards are not safe to format, a clause each (``3 files could not be read``).
        complete: whether everything planned was tried; False if it was stopped, or a card or a
            destination is away or full.
        problems: what else went wrong, a sentence each.
        seconds: how long it took.
    """

    run_id: int
    photos: int
    files: int
    destinations: tuple[DestinationReport, ...]
    known: int = 0
    cards: tuple[str, ...] = ()
    are_cards: bool = False
    failures: tuple[FileFailure, ...] = ()
    left: tuple[str, ...] = ()
    complete: bool = True
    problems: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def safe(self) -> bool:
        """Whether every photo, video and companion on the cards is proved to be elsewhere."""
        return self.complete and not self.left and not self.failures and not self.is_empty

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to copy, to compare or to find in the library."""
        return not (self.files or self.known or self.failures or self.left)

    @property
    def sentence(self) -> str:
        """Whether the cards may be formatted, with the proof or exactly why not."""
        names = " and ".join(self.cards)
        if self.is_empty:
            return f"No photos, videos or recordings on {names}."
        if not self.safe:
            why = "; ".join(self.left) or "the import is not complete"
            return f"{f'Not safe to format {names}' if self.are_cards else names}: {why}."
        copies = len(self.destinations)
        each = f" ({copies} copies each)" if copies > 1 else ""
        files = counted(self.files, "file")
        new = any(place.verified or place.checked for place in self.destinations)
        cached = any(place.cache_answered for place in self.destinations)
        proof = (
            "read back and equal" if new else "verified by earlier imports and still there"
        ) + ("; the system's cache may have answered" if cached else "")
        if not self.files:
            proof, each = "in the library, verified by earlier imports", ""
            files = f"all photos and videos ({self.known:,})"
        lead = f"Safe to format {names}" if self.are_cards else f"All of {names} is copied"
        return f"{lead}: {files}{each} {proof}."

    def summary(self) -> dict[str, object]:
        """Return the report as JSON-able values, for the catalog and ``--json``."""
        return {**asdict(self), "safe": self.safe, "sentence": self.sentence}


def slowest(destinations: Sequence[DestinationProgress]) -> int | None:
    """Return the index of the destination that will be done last; None if that is not known."""
    left = [place.left_s for place in destinations]
    known = [seconds for seconds in left if seconds is not None]
    return left.index(max(known)) if len(destinations) > 1 and known else None


def shortened(names: Sequence[str]) -> str:
    """Join names, at most three: ``2026-11-22, 2026-11-23 and 4 more``."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
