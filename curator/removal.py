"""Removing the files of rejects: an act of its own, shown exactly, derived again when applied.

    shown = plan(photos)                              # reads folders, touches nothing
    shown = plan(photos, wanted=what_was_ticked)
    report = remove(shown, photos_now, way=trash, ledger=catalog.removal)

What goes is the files of rejected photos and the sidecars that are theirs alone. Copies elsewhere
and other companions are listed and stay unless ticked. What cannot go to a trash is named and left
alone; only :func:`delete_permanently` removes for good, after a second confirmation.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Protocol

from curator import files, volumes
from curator.catalog import FileDetail, PhotoDetail
from curator.model import Flag, KnownError, counted

_LINK = "It is a link; what it points to stays."
_SAME = "It is no copy but the same file, by another way to its folder."
_LOCKED = "It is write-protected; the trash takes no such file."
_TAKEN_BACK = "It is a reject no more, so it was left alone."
_NO_COPY = "It only looked like a copy, so it was left alone."
_CHANGED = "It changed since the list was made, so it was left alone."


class Part(StrEnum):
    """What a listed file is to its photo."""

    ORIGINAL = "original"
    SIDECAR = "sidecar"
    COPY = "copy"
    COMPANION = "companion"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file that goes, could go, or has to stay.

    ``ticked``: it goes. ``stays`` says why it cannot, in one sentence; then it is never ticked.
    ``of`` are the pictures that what lies beside them belongs to; it stays with any of them.
    ``folder`` is where its folder really is: a link that takes the place of a folder would have
    equal files removed elsewhere, as those of a backup.
    """

    photo_id: int
    path: str
    part: Part
    size: int
    mtime_ns: int
    ticked: bool
    stays: str = ""
    of: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """Exactly what would go; ``within``: the folder it was seen from, empty for all."""

    files: tuple[ListedFile, ...]
    within: str = ""

    @property
    def going(self) -> list[ListedFile]:
        """The files that go."""
        return [file for file in self.files if file.ticked]

    @property
    def photos(self) -> int:
        """How many photos lose files."""
        return len({file.photo_id for file in self.going})

    @property
    def bytes(self) -> int:
        """What the files that go take up."""
        return sum(file.size for file in self.going)

    def staying(self) -> dict[str, int]:
        """Count what has to stay, by reason."""
        counts: dict[str, int] = defaultdict(int)
        for file in self.files:
            if file.stays:
                counts[file.stays] += 1
        return dict(counts)


def untick_shared(files: Sequence[ListedFile]) -> list[ListedFile]:
    """Take the ticks off what lies beside pictures that stay."""
    going = {file.path for file in files if file.ticked}
    return [
        replace(file, ticked=False) if file.ticked and not going.issuperset(file.of) else file
        for file in files
    ]


@dataclass
class RemovalReport:
    """What was removed, and what was left alone and why: (path, sentence)."""

    removed: list[str] = field(default_factory=list)
    bytes: int = 0
    photos: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    cancelled: bool = False


Way = Callable[[str], None]
"""Takes a file away, or raises KnownError and leaves it."""


class Ledger(Protocol):
    """What knows of rejects while they go; the catalog is one."""

    def is_reject(self, photo_id: int) -> bool:
        """Say whether a photo is a reject now."""

    def note_removed(self, photo_id: int, gone: Mapping[str, str]) -> None:
        """Note which files of a photo went: path → sha256, empty where it was not read."""

    def begin(self, wanted: Mapping[int, Sequence[str]]) -> str:
        """Note which files of which photos are to go; give what that is ended by."""

    def end(self, intent: str) -> None:
        """Note that nothing of it is left to be noted."""

    def interrupted(self) -> Mapping[str, Mapping[int, Sequence[str]]]:
        """Read what was begun and never ended, by processes that were killed."""


def plan(
    photos: Iterable[PhotoDetail],
    wanted: Collection[str] | None = None,
    *,
    erasing: bool = False,
    within: str = "",
    heed: Callable[[], None] = lambda: None,
) -> Removal:
    """List what would go with some photos; what is no reject is passed over.

    Args:
        photos: as the catalog has them.
        wanted: paths that are to go instead of those proposed; what has to stay stays.
        erasing: for good, so that no trash is needed.
        within: the folder one looks at, empty for all; of a photo that is there by its copies
            alone, those are what goes, and its files elsewhere are the copies that stay.
        heed: called before each look at a disk; what it raises ends the planning.

    Thread: any; reads each folder once.
    """
    rejected = [photo for photo in photos if photo.marks.flag is Flag.REJECT]
    folders = _Folders()

    def settled(file: ListedFile) -> ListedFile:
        heed()
        stays = file.stays or ("" if erasing else no_trash(file.path))
        ticked = file.ticked if wanted is None else file.path in wanted
        folder = "" if stays else folders.real(file.path)
        return replace(file, ticked=ticked and not stays, stays=stays, folder=folder)

    seen_from: dict[int, str] = {}
    for photo in rejected:
        heed()
        seen_from[photo.id] = within if _is_there_by_copies(photo, within) else ""
    pictures: dict[str, ListedFile] = {}
    for photo in rejected:
        for file in _originals(photo, folders, seen_from[photo.id]):
            pictures.setdefault(file.path, settled(file))
    found = dict(pictures)
    for photo in rejected:
        for file in _beside(photo, folders, pictures, seen_from[photo.id]):
            found.pop(file.path, None)  # what several share is gone with the last of them
            found[file.path] = settled(file)
    return Removal(tuple(untick_shared(list(found.values()))), within)


def remove(
    shown: Removal,
    photos: Iterable[PhotoDetail],
    *,
    way: Way,
    ledger: Ledger,
    progress: Callable[[int, int, str], None] = lambda *_: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> RemovalReport:
    """Remove what was shown, photo by photo, the original first.

    A file in use is refused by some systems: then nothing of its photo has gone. Killed between
    the pictures of a pair, what is left of it can be removed again; :func:`settle` notes later
    what went whole and was not noted.

    Args:
        shown: what the person saw and agreed to.
        photos: the same photos as the catalog has them now.
        way: :func:`trash` or :func:`delete_permanently`.
        ledger: asked right before each photo whether it is a reject still, as thousands take
            minutes and others decide meanwhile; told right after it what went. The catalog.
        progress: told before each photo: how many are through, how many there are, its name.
        cancelled: asked between photos.

    Raises:
        KnownError: what would go now is not what was shown; nothing was removed.
    """
    ticked = {file.path for file in shown.going}
    now = list(photos)
    again = plan(now, ticked, erasing=way is delete_permanently, within=shown.within)
    if set(again.going) != set(shown.going):
        changed = len(set(again.going) ^ set(shown.going))
        raise KnownError(
            f"{counted(changed, 'file')} of the list changed since it was made; nothing was"
            " removed.",
            "Look at the list again.",
        )
    by_photo: dict[int, list[ListedFile]] = defaultdict(list)
    for file in again.going:
        by_photo[file.photo_id].append(file)
    known = {photo.id: photo for photo in now}
    report = RemovalReport()
    note_interrupted(ledger)
    intent = ledger.begin(
        {photo_id: [file.path for file in going] for photo_id, going in by_photo.items()}
    )
    for number, (photo_id, going) in enumerate(by_photo.items()):
        if cancelled():
            report.cancelled = True
            break
        progress(number, len(by_photo), known[photo_id].name)
        if not ledger.is_reject(photo_id):
            report.left += [(file.path, _TAKEN_BACK) for file in going]
            continue
        gone = _remove_photo(known[photo_id], going, way, report)
        if gone:
            ledger.note_removed(photo_id, gone)
            report.photos += 1
    ledger.end(intent)
    return report


def note_interrupted(ledger: Ledger) -> int:
    """Note the photos that were removed whole by a process that was killed before it noted them.

    Without it a reject whose files lie in the trash would count as missing. Where something of a
    photo is still there nothing is noted: it stays in the list, and removing the rest takes
    another yes. Of a folder that cannot be reached nothing is known yet; that is kept for later.

    Returns:
        How many photos were noted.
    """
    noted = 0
    for intent, wanted in ledger.interrupted().items():
        unsure = False
        for photo_id, paths in wanted.items():
            if not all(map(volumes.is_folder, {Path(path).parent for path in paths})):
                unsure = True
            elif not any(map(os.path.lexists, paths)) and ledger.is_reject(photo_id):
                ledger.note_removed(photo_id, dict.fromkeys(paths, ""))
                noted += 1
        if not unsure:
            ledger.end(intent)
    return noted


def _remove_photo(
    photo: PhotoDetail, going: Sequence[ListedFile], way: Way, report: RemovalReport
) -> dict[str, str]:
    """Remove the files of one photo; give path and sha256 of those that went.

    Each is proven to be what was judged before the first one goes. The original goes first: where
    that has to stay, so does all the rest; what lies beside stays with any picture that does.
    """
    fingerprints = {str(file.path): (file.fingerprint, file.sha256) for file in photo.files}
    gone: dict[str, str] = {}
    digests: dict[str, str] = {}
    copies = {str(file.path) for file in photo.files if file.role == "copy"}
    paths = [file.path for file in going if file.part is Part.ORIGINAL]
    main = str(photo.path) if str(photo.path) in paths else paths[0] if paths else ""
    ordered = sorted(going, key=lambda file: (bool(file.of), file.path != main))
    stayed = {path for path, _ in report.left}
    try:
        for file in ordered:
            known = fingerprints.get(file.path, (None, None))
            digests[file.path] = _proven(file, *known)
            copied = file.part is Part.COPY or file.path in copies
            if copied and known[0] is not None and known[1] is None:
                _prove_copy(photo, file.path, known[0], digests[file.path])
    except KnownError as error:
        report.left.append((file.path, str(error)))
        return gone
    for file in ordered:
        if not stayed.isdisjoint(file.of):
            report.left.append((file.path, "It also belongs to a photo that was left alone."))
            continue
        try:
            _unchanged(file)
            way(file.path)
        except KnownError as error:
            report.left.append((file.path, str(error)))
            stayed.add(file.path)
            if file.path == main:
                break
            continue
        gone[file.path] = digests[file.path]
        report.removed.append(file.path)
        report.bytes += file.size
    return gone


def _proven(file: ListedFile, fingerprint: str | None, sha256: str | None) -> str:
    """Prove that a file still is what was judged; give its sha256, empty for what lies beside.

    Raises:
        KnownError: it is not, or it cannot be read.
    """
    _unchanged(file)
    if fingerprint is None:
        return ""
    digest = files.sha256(file.path)
    same = digest == sha256 if sha256 else files.fingerprint(file.path) == fingerprint
    if not same:
        raise KnownError(_CHANGED)
    return digest


def _prove_copy(photo: PhotoDetail, path: str, fingerprint: str, digest: str) -> None:
    """Prove a copy that was taken for one by its fingerprint: it lay on a card.

    Raises:
        KnownError: it is none, or what it is a copy of cannot be read.
    """
    for file in photo.files:
        if str(file.path) != path and file.fingerprint == fingerprint:
            if (file.sha256 or files.sha256(file.path)) == digest:
                return
            break
    raise KnownError(_NO_COPY)


def _unchanged(file: ListedFile) -> None:
    status = files.status(file.path)
    moved = os.path.realpath(PurePath(file.path).parent) != file.folder
    if moved or (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
        raise KnownError(_CHANGED)


# --- what lies where


def _is_there_by_copies(photo: PhotoDetail, within: str) -> bool:
    """Say whether a photo is in a folder by its copies alone."""
    if not within or any(file.role != "copy" and _here(file, within) for file in photo.files):
        return False
    own = [file.path for file in photo.files if file.role != "copy"]
    here = [file.path for file in photo.files if _here(file, within)]
    return any(not any(_is_same(path, each) for each in own) for path in here)


def _here(file: FileDetail, within: str) -> bool:
    return not file.missing and file.path.is_relative_to(within)


def _originals(photo: PhotoDetail, folders: _Folders, seen_from: str) -> Iterable[ListedFile]:
    """List a photo's own files and its copies elsewhere; seen from a folder of copies, those.

    A copy stays one when what it is a copy of was removed: it was left on purpose.
    """
    emptied = {file.fingerprint for file in photo.files if file.emptied}
    own = {_folded(f.path): f.path for f in photo.files if f.role != "copy"}
    for file in photo.files:
        if file.missing and not file.away:
            continue
        path = str(file.path)
        copied = file.role == "copy" or file.fingerprint in emptied
        if seen_from:
            copied = not _here(file, seen_from)
        part = Part.COPY if copied else Part.ORIGINAL
        stays, status = "", None if file.away else folders.status(path)
        if file.away:
            stays = f"{file.away[:1].upper()}{file.away[1:]}."
        elif status is None:
            stays = f"{_drive(path)} cannot be reached now."
        elif stat.S_ISLNK(status.st_mode):
            stays = _LINK
        elif (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            stays = "Another program changed it since it was read; scan its folder again."
        elif file.fingerprint is None:
            stays = "It was not read yet."
        elif file.role == "copy" and _is_same(file.path, own.get(_folded(file.path))):
            stays = _SAME
        yield ListedFile(
            photo.id, path, part, file.size, file.mtime_ns, part is Part.ORIGINAL, stays
        )


def _folded(path: Path) -> str:
    return os.path.realpath(path).casefold()


def _is_same(path: Path, other: Path | None) -> bool:
    """Say whether two names are one file; a disk may take names that differ in case for one."""
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _beside(
    photo: PhotoDetail, folders: _Folders, pictures: Mapping[str, ListedFile], seen_from: str
) -> Iterable[ListedFile]:
    """List what lies beside a photo's own files, or its copies; ``pictures`` are those listed."""
    for original in photo.files:
        if not _here(original, seen_from) if seen_from else original.role == "copy":
            continue
        lying = folders.alone if original.missing else folders.beside
        for path, status, owners in lying(original.path):
            others = [o for o in owners if o not in pictures or pictures[o].stays]
            stays = f"It also belongs to {PurePath(others[0]).name}, which stays." if others else ""
            sidecar = path.casefold().endswith(".xmp")
            yield ListedFile(
                photo.id,
                path,
                Part.SIDECAR if sidecar else Part.COMPANION,
                status.st_size,
                status.st_mtime_ns,
                sidecar and not stays,
                stays,
                owners,
            )


class _Folders:
    """Folders as they are, each read once."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, os.stat_result]] = {}
        self._by_stem: dict[str, dict[str, list[str]]] = {}
        self._real: dict[str, str] = {}

    def real(self, path: str) -> str:
        """Return where the folder of a file really is, links followed."""
        folder = str(PurePath(path).parent)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return self._real[folder]

    def status(self, path: str) -> os.stat_result | None:
        """Give what a file of these folders is now, a link as itself; None if it is not there."""
        name = PurePath(path)
        return self._read(str(name.parent)).get(name.name)

    def beside(self, picture: Path) -> Iterable[tuple[str, os.stat_result, tuple[str, ...]]]:
        """List what belongs to a picture: path, status, and all the pictures it belongs to.

        IMG_1.jpg.xmp is of IMG_1.jpg alone; IMG_1.xmp of all that are called IMG_1.
        """
        folder = str(picture.parent)
        entries = self._read(folder)
        named = self._by_stem[folder].get(_stem(picture.name), [])
        pictures = [name for name in named if files.is_picture_name(name)]
        for name in named:
            if files.is_picture_name(name) or not stat.S_ISREG(entries[name].st_mode):
                continue
            whole = [p for p in pictures if name.casefold().startswith(f"{p.casefold()}.")]
            owners = whole or pictures
            if picture.name in owners:
                paths = tuple(str(Path(folder, owner)) for owner in owners)
                yield str(Path(folder, name)), entries[name], paths

    def alone(self, picture: Path) -> Iterable[tuple[str, os.stat_result, tuple[str, ...]]]:
        """List what was left of a picture that is gone, as by a kill between the two."""
        folder = str(picture.parent)
        entries = self._read(folder)
        named = self._by_stem[folder].get(_stem(picture.name), [])
        if any(map(files.is_picture_name, named)):
            return
        wanted = {picture.name.casefold(), picture.stem.casefold()}
        for name in named:
            if PurePath(name).stem.casefold() in wanted and stat.S_ISREG(entries[name].st_mode):
                yield str(Path(folder, name)), entries[name], ()

    def _read(self, folder: str) -> dict[str, os.stat_result]:
        if folder not in self._entries:
            entries: dict[str, os.stat_result] = {}
            stems: dict[str, list[str]] = defaultdict(list)
            try:
                with os.scandir(folder) as found:
                    for entry in found:
                        entries[entry.name] = entry.stat(follow_symlinks=False)
                        stems[_stem(entry.name)].append(entry.name)
            except OSError:
                entries = {}  # its drive is away, or went meanwhile
            self._entries[folder], self._by_stem[folder] = entries, stems
        return self._entries[folder]


def _stem(name: str) -> str:
    """Give what files of one exposure share: ``IMG_1.CR2.xmp`` and ``IMG_1.jpg`` are of img_1."""
    first = PurePath(name)
    second = PurePath(first.stem)
    if second.suffix and files.is_picture_name(first.stem):
        first = second
    return first.stem.casefold()


# --- ways to go


def trash(path: str) -> None:
    """Move a file to the system's trash.

    Raises:
        KnownError: it has none there, or refuses; the file stays.
    """
    from send2trash import send2trash

    reason = no_trash(path)
    if reason:
        raise KnownError(reason)
    try:
        send2trash(path)
    except OSError as error:
        raise KnownError(
            f"It could not be moved to the trash ({error.strerror or error})."
        ) from error


def delete_permanently(path: str) -> None:
    """Delete a file for good.

    Raises:
        KnownError: the system refuses; the file stays.
    """
    try:
        Path(path).unlink()
    except OSError as error:
        raise KnownError(f"It could not be deleted ({error.strerror or error}).") from error


def no_trash(path: str) -> str:
    """Say in a sentence why a file cannot go to a trash, nothing where it can.

    The trash of another volume lies at its top (freedesktop.org trash specification 1.0). On
    Windows only fixed drives have one: elsewhere the system would delete for good without asking.
    """
    folder = Path(path).parent
    try:
        if sys.platform == "win32":
            return "" if _is_fixed(folder) else f"{_drive(path)} has no trash."
        if sys.platform == "darwin":
            return ""  # the system refuses where there is none
        if not os.access(path, os.W_OK) and os.access(path, os.F_OK):
            return _LOCKED
        if folder.stat().st_dev == Path.home().resolve().stat().st_dev:
            return ""
        top = folder.resolve()
        while not top.is_mount():
            top = top.parent
        mine = [top / f".Trash-{os.getuid()}", top / ".Trash" / str(os.getuid())]
        if any(os.access(each, os.W_OK) for each in mine) or os.access(top, os.W_OK):
            return ""
    except OSError:
        return f"{_drive(path)} cannot be reached now."
    return f"{top} has no trash."


def _is_fixed(folder: Path) -> bool:
    import psutil

    drive = folder.drive.casefold()
    return any(
        "fixed" in partition.opts
        for partition in psutil.disk_partitions(all=False)
        if partition.device.casefold().startswith(drive)
    )


def _drive(path: str) -> str:
    return PurePath(path).drive or str(PurePath(path).parent)
