"""The files on a memory card: photos with everything that belongs to them, and what stays there.

    contents = find_files([Path("/media/ada/EOS_DIGITAL")])
    contents.items       # CardItem(PHOTO, (IMG_0412.CR3, IMG_0412.JPG, IMG_0412.WAV)), ...
    contents.others      # NOTES.TXT: named in the report, because it is only on the card

Planning an import and the offer of a new card use it. Folders are listed, no file is opened and no
link is followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, auto
from pathlib import Path

from curator import files
from curator.cards import DCIM
from curator.model import FoundFile, Kind, KnownError

# Folders without anything of the photographer, besides those that every walk leaves out.
_TRASH = frozenset({"lost.dir", "recycler"})
# Thumbnails that Sony's cameras make of videos: C0001T01.JPG is no photo.
_THUMBNAILS = frozenset({"thmbnl"})
# Top-level folders of a camera's card in which unknown files are the camera's own.
_CAMERA_FOLDERS = frozenset(
    {"private", "misc", "avchd", "avf_info", "canonmsc", "eosmisc", "mp_root", "nikon"}
)
# Indexes and settings that cameras keep on a card: of AVCHD and XAVC (Sony, Panasonic, Canon),
# Canon's CTG, Nikon's DSC, print orders (DPOF).
_CAMERA_SUFFIXES = frozenset(
    {
        ".bdm", ".bnp", ".cpi", ".cps", ".ctg", ".dsc", ".ind", ".inp", ".int", ".mif", ".mpl",
        ".mrk", ".tbl", ".tdt", ".tid", ".vpl",
    }
)  # fmt: skip
_CAMERA_FILES = files.SYSTEM_FILES | {
    *("autorun.inf", "leinfo.sav", "mediapro.xml", "nc_fllst.dat", "status.bin"),
}
_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT: a link to a folder on Windows
_LINK = "It is a link; links on a card are not followed."


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


def find_files(cards: Sequence[Path]) -> CardContents:
    """List everything on memory cards, or in folders with photos, and group what belongs together.

    Args:
        cards: their roots; one that is inside another is listed once.

    Raises:
        KnownError: a root does not exist, is no folder or cannot be listed.
    """
    contents = CardContents()
    for card in _outermost(cards):
        _list_card(card, contents)
    return contents


def _outermost(cards: Sequence[Path]) -> list[Path]:
    """Return the folders that are inside none of the others, as absolute paths."""
    real: dict[Path, Path] = {}
    for card in cards:
        real.setdefault(Path(os.path.realpath(card)), Path(card).absolute())
    return [card for at, card in real.items() if real.keys().isdisjoint(at.parents)]


def _list_card(card: Path, contents: CardContents) -> None:
    ahead = [""]
    has_dcim = False
    while ahead:
        folder = ahead.pop()
        path = Path(card, *folder.split("/"))
        try:
            found, folders = _list_folder(card, folder, contents)
        except NotADirectoryError as error:
            raise KnownError(f"{path} is not a folder.", "Name a card or a folder.") from error
        except OSError as error:
            if not folder:
                raise files.unreadable(path, error) from error
            reason = f"The folder cannot be read ({error.strerror or error})."
            contents.unreadable.append((str(path), reason))
            continue
        has_dcim = has_dcim or any(name.upper() == DCIM for name in folders)
        ahead.extend(f"{folder}/{name}" if folder else name for name in reversed(folders))
        parts = folder.lower().split("/")
        if parts[-1] in _THUMBNAILS:
            contents.camera_files += len(found)
            continue
        items, lone = _grouped(found)
        contents.items += items
        if parts[0] in _CAMERA_FOLDERS and (has_dcim or parts[0] == "private"):
            contents.camera_files += len(lone)
        else:
            contents.others += lone


def _list_folder(
    card: Path, folder: str, contents: CardContents
) -> tuple[list[CardFile], list[str]]:
    """Return the files of a folder and the names of its subfolders, sorted by name."""
    found: list[CardFile] = []
    folders: list[str] = []
    with os.scandir(Path(card, *folder.split("/"))) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        try:
            if files.is_hidden(entry):
                continue
            problem = _problem(entry)
            if problem:
                contents.unreadable.append((files.printable(entry.path), problem))
            elif entry.is_dir(follow_symlinks=False):
                if entry.name.lower() not in files.SYSTEM_FOLDERS | _TRASH:
                    folders.append(entry.name)
            elif _is_of_camera(entry.name):
                contents.camera_files += 1
            else:
                status = entry.stat(follow_symlinks=False)
                relative = f"{folder}/{entry.name}" if folder else entry.name
                found.append(CardFile(card, relative, status.st_size, status.st_mtime_ns))
        except OSError as error:
            reason = f"It cannot be read ({error.strerror or error})."
            contents.unreadable.append((files.printable(entry.path), reason))
    return found, folders


def _problem(entry: os.DirEntry[str]) -> str:
    """Return why an entry is neither listed as a file nor as a folder; empty if it is."""
    if not files.is_text(entry.path):
        return files.NO_TEXT
    if entry.is_symlink():
        return _LINK
    if entry.is_dir(follow_symlinks=False):
        status = entry.stat(follow_symlinks=False)
        return _LINK if getattr(status, "st_reparse_tag", 0) == _JUNCTION else ""
    return "" if entry.is_file(follow_symlinks=False) else files.NO_FILE


def _is_of_camera(name: str) -> bool:
    return name.lower() in _CAMERA_FILES or files.stem_and_suffix(name)[1] in _CAMERA_SUFFIXES


@dataclass(slots=True)
class _Group:
    kind: ItemKind
    files: list[CardFile]
    photo_files: int = 0

    def item(self) -> CardItem:
        own = max(1, self.photo_files)
        companions = sorted(self.files[own:], key=_in_item)
        return CardItem(self.kind, (*self.files[:own], *companions), self.photo_files)


def _grouped(found: Sequence[CardFile]) -> tuple[list[CardItem], list[CardFile]]:
    """Return the items of one folder, and the files that belong to none.

    A file belongs to the photo, else to the video, else to the recording that it is named after:
    ``DSC_0001.WAV`` and ``DSC_0001.NEF.xmp`` to ``DSC_0001.NEF``.
    """
    groups: list[_Group] = []
    owners: dict[str, _Group] = {}  # by stem and by full name
    taken: set[str] = set()
    for photo in _photos(found):
        groups.append(photo)
        taken.update(file.relative for file in photo.files)
        for file in photo.files[: photo.photo_files]:
            _own(owners, file, photo)
    lone: list[CardFile] = []
    for file in sorted(found, key=_owners_first):
        if file.relative in taken:
            continue
        kind = _OWNERS.get(_role(file))
        owner = _owner(owners, file)
        if owner is not None:
            owner.files.append(file)
        elif kind is not None:
            owner = _Group(kind, [file])
            groups.append(owner)
        else:
            lone.append(file)
            continue
        _own(owners, file, owner)
    items = sorted((group.item() for group in groups), key=lambda item: item.main.relative)
    return items, sorted(lone, key=lambda file: file.relative)


def _photos(found: Iterable[CardFile]) -> Iterator[_Group]:
    """Yield the photos with their sidecars; of one stem the camera's RAW first, which owns it."""
    by_path = {file.relative: file for file in found}
    pictures = [
        FoundFile(file.relative, kind, file.size, file.mtime_ns)
        for file in by_path.values()
        if (kind := _picture_kind(file)) is not None
    ]
    paired = sorted(files.pair(pictures), key=lambda group: files.sidecar_priority(group.files[0]))
    for group in paired:
        members = [by_path[file.path] for file in (*group.files, *group.sidecars)]
        yield _Group(ItemKind.PHOTO, members, len(group.files))


def _picture_kind(file: CardFile) -> Kind | None:
    suffix = files.stem_and_suffix(file.relative)[1]
    return Kind.SIDECAR if suffix == files.SIDECAR_SUFFIX else files.kind_of(file.relative)


class _Role(IntEnum):
    """What a file is to its item, in the order in which an item lists them."""

    SIDECAR = auto()
    RECORDING = auto()
    COMPANION = auto()
    VIDEO = auto()
    SMALL_VIDEO = auto()  # the camera's low-resolution copy of a video
    UNKNOWN = auto()


_ROLES = {
    files.SIDECAR_SUFFIX: _Role.SIDECAR,
    **dict.fromkeys(files.COMPANION_SUFFIXES, _Role.COMPANION),
    **dict.fromkeys(files.AUDIO_SUFFIXES, _Role.RECORDING),
    **dict.fromkeys(files.VIDEO_SUFFIXES, _Role.VIDEO),
    **dict.fromkeys((".lrv", ".lrf"), _Role.SMALL_VIDEO),
}
# What can be an item by itself. The first of a stem owns the others.
_OWNERS = {
    _Role.VIDEO: ItemKind.VIDEO,
    _Role.SMALL_VIDEO: ItemKind.VIDEO,
    _Role.RECORDING: ItemKind.AUDIO,
}


def _role(file: CardFile) -> _Role:
    return _ROLES.get(files.stem_and_suffix(file.relative)[1], _Role.UNKNOWN)


def _in_item(file: CardFile) -> tuple[_Role, str]:
    return _role(file), file.relative


def _owners_first(file: CardFile) -> tuple[int, str]:
    roles = (*_OWNERS, _role(file))
    return roles.index(_role(file)), file.relative


# Sony's description of a clip: C0001M01.XML belongs to C0001.MP4.
_CLIP_XML = re.compile(r"(.+)m\d\d")


def _owner(owners: dict[str, _Group], file: CardFile) -> _Group | None:
    stem, suffix = files.stem_and_suffix(file.relative)
    if _role(file) is _Role.UNKNOWN:
        return None
    owner = owners.get(stem.casefold())
    if owner is None and suffix == ".xml" and (clip := _CLIP_XML.fullmatch(stem.casefold())):
        owner = owners.get(clip[1])
    return owner


def _own(owners: dict[str, _Group], file: CardFile, group: _Group) -> None:
    name = file.relative.rpartition("/")[2]
    for key in (files.stem_and_suffix(name)[0], name):
        owners.setdefault(key.casefold(), group)
