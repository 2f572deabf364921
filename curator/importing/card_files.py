"""The files on a memory card: photos with everything that belongs to them, and what stays there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class ItemKind(StrEnum):
    """What an item is, by its first file."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file on a card; ``relative`` is its path below the card's root, with ``/``."""

    card: Path
    relative: str
    size: int
    mtime_ns: int

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return Path(self.card, *self.relative.split("/"))


@dataclass(frozen=True, slots=True)
class CardItem:
    """Files that are copied together and get the same name.

    Attributes:
        kind: what it is.
        files: the main file first, then the other half of a pair, then companions: sidecars, voice
            memos, camera thumbnails, videos of the same name.
        photo_files: how many of ``files`` are photos; 0 for a video or a recording.
    """

    kind: ItemKind
    files: tuple[CardFile, ...]
    photo_files: int = 0

    @property
    def main(self) -> CardFile:
        """The file that dates and names the item."""
        return self.files[0]

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return sum(file.size for file in self.files)


@dataclass
class CardContents:
    """Everything found on the cards.

    Attributes:
        items: what can be copied, card by card, in the order of the folders and names.
        others: files of no known kind, which stay on the card and are named in the report.
        camera_files: how many index and system files of cameras stay; nobody misses these.
        unreadable: (path, reason) of folders and files that could not be listed.
    """

    items: list[CardItem] = field(default_factory=list)
    others: list[CardFile] = field(default_factory=list)
    camera_files: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
