"""Planning an import before anything is written: what is new, where it goes, whether it fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from curator.catalog import VerifiedCopy
from curator.importing.card_files import CardContents, CardFile, CardItem
from curator.importing.request import ImportRequest


class Action(StrEnum):
    """What to do for one file at one destination."""

    COPY = "copy"
    CHECK = "check"  # a file of that name seems to be this one: read both and compare
    KEEP = "keep"  # verified by an earlier import, and still there


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file to import.

    Attributes:
        file: the file on the card.
        fingerprint: of its content.
        name: its path below each destination, with ``/``.
        actions: what to do, for each destination of the request.
        verified: the copies by which KEEP was decided, for each destination; else None.
    """

    file: CardFile
    fingerprint: str
    name: str
    actions: tuple[Action, ...]
    verified: tuple[VerifiedCopy | None, ...]


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """A photo, video or recording to import, with its companions."""

    item: CardItem
    files: tuple[PlannedFile, ...]
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item whose content is in the library already, outside of the destinations.

    ``where`` are the paths of copies. ``proved``: an earlier import verified a copy of every file
    and it is still there; otherwise only the fingerprints agree, or the drive is not connected.
    ``deleted``: a person deleted the photo with the rejects, so that it is not copied again.
    """

    item: CardItem
    where: tuple[str, ...]
    proved: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """The room at one destination in bytes: what the import needs there, and what is free."""

    destination: Path
    needed: int
    free: int

    @property
    def is_enough(self) -> bool:
        """Whether everything fits."""
        return self.needed <= self.free


@dataclass
class ImportPlan:
    """What an import will do; making a plan writes nothing.

    Attributes:
        request: what was asked for.
        contents: everything on the cards.
        items: what to copy or to check, in the order of capture.
        known: items that are not copied because the library has them.
        held_back: items that are not copied because they were not kept (``request.keepers``).
        unreadable: (path, reason) of files that could not be read; they are not copied.
        renamed: (path on the card, name) of files that get another name than the template gives,
            because it was taken or is illegal somewhere.
        undated: how many items have no capture time and are dated by the file.
        rooms: the room at each destination.
    """

    request: ImportRequest
    contents: CardContents
    items: list[PlannedItem] = field(default_factory=list)
    known: list[KnownItem] = field(default_factory=list)
    held_back: list[CardItem] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    undated: int = 0
    rooms: list[Room] = field(default_factory=list)
