"""The destinations of an import, before anything is written: whether they can be used, which names
are taken there, and how much room there is.

Planning uses it. It only reads: a destination that does not exist yet is not created.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curator import cards, files, naming, volumes
from curator.importing.request import ImportRequest
from curator.model import KnownError
from curator.opened_folder import FileId, file_id

_RESERVE = 16 << 20  # bytes left free: folders, the checksum list, the file system's own data
_CLUSTER = 128 << 10  # where the system does not tell: of exFAT on most drives
_ONE_SHOT_NS = 2_000_000_000  # between the files of one shot; also how coarse FAT's times are
_OTHER = "Choose a folder on another drive."


def check_places(request: ImportRequest) -> None:
    """Check that an import can read its cards and write to its destinations.

    Raises:
        KnownError: a card does not exist. Or a destination is a file, read-only, on a drive that
            is disconnected or does not answer, on a card, inside a card or another destination,
            or contains a card.
    """
    if not request.cards or not request.destinations:
        raise KnownError("A card and a destination are needed.", "Name both.")
    origins = [_Place.at(path) for path in request.cards]
    for card in origins:
        if not card.exists:
            raise KnownError(
                f"{card.path} does not exist.", "Insert the card, or name a folder with photos."
            )
    targets = [_checked(path) for path in request.destinations]
    for target in targets:
        for card in origins:
            _refuse_card(card, target)
    for at, one in enumerate(targets):
        for other in targets[at + 1 :]:
            _refuse_nested(one, other)


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder, and the ids of the existing folders from it upwards; links are resolved."""

    path: Path
    above: tuple[tuple[Path, FileId], ...]

    @classmethod
    def at(cls, path: Path) -> _Place:
        return cls(path, volumes.ask(path, lambda: _chain(path)))

    @property
    def real(self) -> Path:
        return Path(os.path.realpath(self.path))

    @property
    def exists(self) -> bool:
        return bool(self.above) and self.above[0][0] == self.real

    def contains(self, other: _Place) -> bool:
        """Whether it is, or contains, another folder, also through another mount point."""
        if other.real == self.real or self.real in other.real.parents:
            return True
        return self.exists and self.above[0][1] in (each for _, each in other.above)


def _chain(path: Path) -> tuple[tuple[Path, FileId], ...]:
    real = Path(os.path.realpath(path))
    found = []
    for each in (real, *real.parents):
        try:
            found.append((each, file_id(each.stat())))
        except FileNotFoundError:
            continue
        except NotADirectoryError as error:
            raise KnownError(f"{path} is inside a file.", "Choose a folder.") from error
        except OSError as error:
            raise files.unreadable(path, error) from error
    return tuple(found)


def _checked(path: Path) -> _Place:
    """Return a destination that can be written to, or created.

    Raises:
        KnownError: see :func:`check_places`.
    """
    place = _Place.at(path)
    if not place.exists:
        volumes.refuse_away(path)
    nearest = place.above[0][0]
    if not stat.S_ISDIR(nearest.stat().st_mode):
        raise KnownError(f"{nearest} is a file.", "Choose a folder.")
    card = cards.card_of(path)
    if card is not None:
        raise KnownError(
            f"{path} is on the card {card.label}; nothing is written to a card.", _OTHER
        )
    if not os.access(nearest, os.W_OK):
        raise KnownError(f"{nearest} is read-only.", "Make it writable, or choose another folder.")
    return place


def _refuse_card(card: _Place, target: _Place) -> None:
    if card.contains(target):
        raise KnownError(
            f"{target.path} is inside {card.path}, from which the photos come.", _OTHER
        )
    if target.contains(card):
        raise KnownError(
            f"{card.path}, from which the photos come, is inside {target.path}.", _OTHER
        )


def _refuse_nested(one: _Place, other: _Place) -> None:
    if one.contains(other) and other.contains(one):
        raise KnownError(f"{other.path} is given twice.", _OTHER)
    for inner, outer in ((one, other), (other, one)):
        if outer.contains(inner):
            raise KnownError(f"{inner.path} is inside the other destination {outer.path}.", _OTHER)


class Destination:
    """The names and files at a destination, as they are before an import.

    Folders are listed once, when a name in them is first asked for.
    """

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path.absolute()
        self._real = os.path.realpath(path)
        self._names: dict[str, dict[str, str]] = {}  # by folder: folded name -> name
        self._stems: dict[str, dict[str, set[str]]] = {}  # by folder: folded stem -> folded names
        self._equal: dict[tuple[str, int, str], bool] = {}
        self._folders: dict[str, str] = {}  # -> without links

    def taken(self, name: str) -> bool:
        """Whether a name is taken, also by one that differs in case or Unicode form only."""
        folder, _, leaf = name.rpartition("/")
        return naming.folded(leaf) in self._listed(folder)

    def photos_of_stem(self, folder: str, stem: str) -> set[str]:
        """Return the folded names of the photos and sidecars of a stem."""
        self._listed(folder)
        return self._stems[folder].get(naming.folded(stem), set())

    def has_equal(self, name: str, size: int, fingerprint: str) -> bool:
        """Whether the file of this name seems to have this content; each is compared once."""
        key = name, size, fingerprint
        if key not in self._equal:
            self._equal[key] = self._is_equal(*key)
        return self._equal[key]

    def _is_equal(self, name: str, size: int, fingerprint: str) -> bool:
        folder, _, leaf = name.rpartition("/")
        there = self._listed(folder).get(naming.folded(leaf))
        if there is None:
            return False
        path = self.path / PurePosixPath(name)
        if unicodedata.normalize("NFC", there) != leaf and not os.path.lexists(path):
            return False  # only the case agrees, and this file system tells them apart
        try:
            status = path.lstat()
            is_candidate = stat.S_ISREG(status.st_mode) and status.st_size == size
            return is_candidate and files.fingerprint(path) == fingerprint
        except (OSError, KnownError):
            return False

    def has_shot(self, folder: str, leaves: Iterable[str], mtime_ns: int) -> bool:
        """Whether one of these files was written by the camera in the same moment.

        The other half of a pair, from another card: copies keep the time of the original.
        """
        names = self._listed(folder)
        for leaf in leaves:
            with contextlib.suppress(OSError):
                status = (self.path / PurePosixPath(folder, names[leaf])).lstat()
                if abs(status.st_mtime_ns - mtime_ns) <= _ONE_SHOT_NS:
                    return True
        return False

    def name_of(self, path: str) -> str | None:
        """Return the name of a file inside the destination, with ``/``; None if it is not."""
        for top, wanted in ((str(self.path), path), (self._real, self._resolved(path))):
            inside = top.rstrip(os.sep) + os.sep
            if os.path.normcase(wanted).startswith(os.path.normcase(inside)):
                return Path(wanted[len(inside) :]).as_posix()
        return None

    def _resolved(self, path: str) -> str:
        """Return a path without links in its folders; each folder is looked at once."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)  # noqa: PTH118

    def _listed(self, folder: str) -> dict[str, str]:
        if folder in self._names:
            return self._names[folder]
        path = self.path / PurePosixPath(folder)
        try:
            names = [entry.name for entry in os.scandir(path)]
        except FileNotFoundError:
            names = []
        except NotADirectoryError as error:
            raise KnownError(
                f"{path} cannot be made: a file has its name.",
                "Change the template of the folders, or choose another destination.",
            ) from error
        except OSError as error:
            raise files.unreadable(path, error) from error
        found: dict[str, set[str]] = {}
        for name in names:
            if files.is_photo_or_sidecar_name(name):
                leaf = naming.folded(name)
                found.setdefault(files.stem_and_suffix(leaf)[0], set()).add(leaf)
        self._stems[folder] = found
        self._names[folder] = {naming.folded(name): name for name in names}
        return self._names[folder]


@dataclass(frozen=True, slots=True)
class Room:
    """The room at one destination in bytes: what the import needs there, and what is free.

    ``device`` is the id of its drive; see :func:`is_on`.
    """

    destination: Path
    needed: int
    free: int
    device: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether everything fits."""
        return self.needed <= self.free


def free_bytes(folder: Path) -> int:
    """Return the bytes that can be written to the drive of an existing folder."""
    return shutil.disk_usage(folder).free


def rooms(
    destinations: Sequence[Path], sizes: Sequence[Sequence[int]], free: Callable[[Path], int]
) -> list[Room]:
    """Compute the room at each destination; destinations on one drive share what is free there.

    Args:
        destinations: the destinations.
        sizes: the sizes of the files to copy to each.
        free: returns the free bytes of the drive of an existing folder.
    """
    used: dict[int, int] = {}  # by drive
    found = []
    for path, copied in zip(destinations, sizes, strict=True):
        nearest, (device, _) = _chain(path)[0]
        cluster = _cluster(nearest)
        needed = sum(-(-size // cluster) * cluster for size in copied)
        if needed:
            needed += _RESERVE
        found.append(Room(path, needed, max(0, free(nearest) - used.get(device, 0)), device))
        used[device] = used.get(device, 0) + needed
    return found


def is_on(path: Path, device: int) -> bool:
    """Whether a folder is on the drive of this id, or would be if it were created now."""
    _, (found, _) = _chain(path)[0]
    return found == device


def _cluster(folder: Path) -> int:
    """Return the bytes by which the drive of a folder hands out space."""
    if sys.platform == "win32":
        return _CLUSTER
    size = os.statvfs(folder).f_frsize
    return size if 512 <= size <= 32 << 20 else _CLUSTER
