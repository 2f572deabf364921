"""Removing the files of rejected photos: planned exactly, and planned again when applied.

    shown = plan(photos)                              # reads folders, changes nothing
    shown = plan(photos, wanted=ticked_paths)
    report = remove(shown, photos_now, delete=trash, ledger=catalog.removal)

The plan contains the files of rejected photos and the sidecars that belong only to them. Copies in
other folders and other companions are listed, but stay unless ticked. Files that cannot go to a
trash, or are on a memory card, are listed with the reason and stay. Only :func:`delete_permanently`
deletes permanently; the window and the command line use it only if the user chose it and confirmed
the list.
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

from curator import files, volumes
from curator.cards import Protection
from curator.catalog import FileDetail, PhotoDetail
from curator.catalog.removal import Removal
from curator.model import Flag, KnownError, counted

_LINK = "It is a link; the file it points to stays."
_SAME = "It is not a copy but the same file, reached by another path."
_LOCKED = "It is write-protected and cannot be moved to the trash."
_NOT_REJECTED = "The photo is no longer rejected, so the file was kept."
_NO_COPY = "It only looked like a copy, so it was kept."
_CHANGED = "It changed after the list was made, so it was kept."


class Part(StrEnum):
    """How a listed file relates to its photo."""

    ORIGINAL = "original"
    SIDECAR = "sidecar"
    COPY = "copy"
    COMPANION = "companion"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file that will be removed, could be removed, or has to stay.

    ``ticked``: it will be removed. ``stays`` is the reason why it cannot be, in one sentence; such
    a file is never ticked. ``of`` are the pictures that a companion belongs to; it stays if any of
    them stays. ``folder`` is the resolved path of its folder: should a link replace the folder
    before the removal, the same names in another place, such as a backup, are left alone.
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
class RemovalPlan:
    """Exactly which files would be removed; ``within`` is the folder planned for, empty for all."""

    files: tuple[ListedFile, ...]
    within: str = ""

    @property
    def going(self) -> list[ListedFile]:
        """The files that will be removed."""
        return [file for file in self.files if file.ticked]

    @property
    def photos(self) -> int:
        """The number of photos that lose files."""
        return len({file.photo_id for file in self.going})

    @property
    def bytes(self) -> int:
        """The size of the files that will be removed, in bytes."""
        return sum(file.size for file in self.going)

    def staying(self) -> dict[str, int]:
        """Return the number of files that have to stay, by reason."""
        counts: dict[str, int] = defaultdict(int)
        for file in self.files:
            if file.stays:
                counts[file.stays] += 1
        return dict(counts)


def untick_shared(files: Sequence[ListedFile]) -> list[ListedFile]:
    """Untick companions that also belong to a picture that stays."""
    going = {file.path for file in files if file.ticked}
    return [
        replace(file, ticked=False) if file.ticked and not going.issuperset(file.of) else file
        for file in files
    ]


@dataclass
class RemovalReport:
    """What was removed, and (path, reason) of each file that was kept."""

    removed: list[str] = field(default_factory=list)
    bytes: int = 0
    photos: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    cancelled: bool = False


Delete = Callable[[str], None]
"""Removes a file, or raises KnownError and keeps it."""


def plan(
    photos: Iterable[PhotoDetail],
    wanted: Collection[str] | None = None,
    *,
    permanently: bool = False,
    within: str = "",
    check_stopped: Callable[[], None] = lambda: None,
) -> RemovalPlan:
    """List the files of rejected photos; photos that are not rejected are skipped.

    Args:
        photos: as stored in the catalog.
        wanted: paths to tick instead of the usual ones; files that have to stay still stay.
        permanently: whether files are deleted permanently, so that no trash is needed.
        within: the folder the user looks at, empty for all. If only copies of a photo are in this
            folder, the copies are ticked, and its files elsewhere count as the copies that stay.
        check_stopped: called before each disk access; an exception it raises ends the planning.

    Thread: any; reads each folder once.
    """
    rejected = [photo for photo in photos if photo.marks.flag is Flag.REJECT]
    folders, protection = _Folders(), Protection()

    def decided(file: ListedFile) -> ListedFile:
        check_stopped()
        stays = file.stays or protection.reason(file.path)
        stays = stays or ("" if permanently else _no_trash(file.path))
        ticked = file.ticked if wanted is None else file.path in wanted
        folder = "" if stays else folders.resolved(file.path)
        return replace(file, ticked=ticked and not stays, stays=stays, folder=folder)

    seen_from: dict[int, str] = {}
    for photo in rejected:
        check_stopped()
        seen_from[photo.id] = within if _only_copies_within(photo, within) else ""
    pictures: dict[str, ListedFile] = {}
    for photo in rejected:
        for file in _originals(photo, folders, seen_from[photo.id]):
            pictures.setdefault(file.path, decided(file))
    found = dict(pictures)
    for photo in rejected:
        for file in _beside(photo, folders, pictures, seen_from[photo.id]):
            found.pop(file.path, None)  # a shared companion is removed with its last picture
            found[file.path] = decided(file)
    return RemovalPlan(tuple(untick_shared(list(found.values()))), within)


def remove(
    shown: RemovalPlan,
    photos: Iterable[PhotoDetail],
    *,
    delete: Delete,
    ledger: Removal,
    progress: Callable[[int, int, str], None] = lambda *_: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> RemovalReport:
    """Remove the files shown, photo by photo, each original first.

    Some systems refuse to remove an original in use; then all files of its photo stay. If Curator
    is killed between the files of a photo, another removal can remove the rest, and
    :func:`note_interrupted` records photos whose files are all gone.

    Args:
        shown: the plan that the user saw and confirmed.
        photos: the same photos as the catalog has them now.
        delete: :func:`trash` or :func:`delete_permanently`.
        ledger: ``catalog.removal``. It is asked before each photo whether this is still rejected,
            because thousands take minutes and marks change meanwhile, and records each removal.
        progress: called before each photo with photos done, photos in all, and its name.
        cancelled: called between photos; stop when it returns True.

    Raises:
        KnownError: a new plan differs from the one shown; nothing was removed.
    """
    ticked = {file.path for file in shown.going}
    now = list(photos)
    again = plan(now, ticked, permanently=delete is delete_permanently, within=shown.within)
    if set(again.going) != set(shown.going):
        changed = len(set(again.going) ^ set(shown.going))
        raise KnownError(
            f"{counted(changed, 'file')} changed after the list was made. Nothing was removed.",
            "Review the list again.",
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
            report.left += [(file.path, _NOT_REJECTED) for file in going]
            continue
        gone = _remove_files_of(known[photo_id], going, delete, report)
        if gone:
            ledger.note_removed(photo_id, gone)
            report.photos += 1
    ledger.end(intent)
    return report


def note_interrupted(ledger: Removal) -> int:
    """Record photos whose files a process removed before it was killed.

    Otherwise a reject whose files are in the trash would count as missing. A photo with a file
    left is not recorded: it stays in the list, and removing the rest needs another confirmation.
    A folder that cannot be reached now is checked again next time.

    Returns:
        The number of photos recorded.
    """
    noted = 0
    for intent, wanted in ledger.interrupted().items():
        all_reached = True
        for photo_id, paths in wanted.items():
            if not all(map(volumes.is_folder, {Path(path).parent for path in paths})):
                all_reached = False
            elif not any(map(os.path.lexists, paths)) and ledger.is_reject(photo_id):
                ledger.note_removed(photo_id, dict.fromkeys(paths, ""))
                noted += 1
        if all_reached:
            ledger.end(intent)
    return noted


def _remove_files_of(
    photo: PhotoDetail, going: Sequence[ListedFile], delete: Delete, report: RemovalReport
) -> dict[str, str]:
    """Remove the files of one photo; return path and sha256 of those removed.

    Before the first is removed, each is checked to be the file the user judged. The original goes
    first: if it has to stay, all others stay. A companion stays with any of its pictures.
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
            digests[file.path] = _verified_sha256(file, *known)
            copied = file.part is Part.COPY or file.path in copies
            if copied and known[0] is not None and known[1] is None:
                _check_copy(photo, file.path, known[0], digests[file.path])
    except KnownError as error:
        report.left.append((file.path, str(error)))
        return gone
    for file in ordered:
        if not stayed.isdisjoint(file.of):
            report.left.append((file.path, "It also belongs to a photo that was kept."))
            continue
        try:
            _check_unchanged(file)
            delete(file.path)
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


def _verified_sha256(file: ListedFile, fingerprint: str | None, sha256: str | None) -> str:
    """Check that a file is unchanged; return its sha256, or "" for a companion.

    Raises:
        KnownError: its content changed, or it cannot be read.
    """
    _check_unchanged(file)
    if fingerprint is None:
        return ""
    digest = files.sha256(file.path)
    same = digest == sha256 if sha256 else files.fingerprint(file.path) == fingerprint
    if not same:
        raise KnownError(_CHANGED)
    return digest


def _check_copy(photo: PhotoDetail, path: str, fingerprint: str, digest: str) -> None:
    """Check by sha256 a copy that was recognized by its fingerprint only, as on a card.

    Raises:
        KnownError: it is not a copy, or the file it should equal cannot be read.
    """
    for file in photo.files:
        if str(file.path) != path and file.fingerprint == fingerprint:
            if (file.sha256 or files.sha256(file.path)) == digest:
                return
            break
    raise KnownError(_NO_COPY)


def _check_unchanged(file: ListedFile) -> None:
    status = files.status(file.path)
    moved = os.path.realpath(PurePath(file.path).parent) != file.folder
    if moved or (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
        raise KnownError(_CHANGED)


# --- finding files


def _only_copies_within(photo: PhotoDetail, within: str) -> bool:
    """Whether only copies of a photo are in a folder, not its own files."""
    if not within or any(file.role != "copy" and _is_within(file, within) for file in photo.files):
        return False
    own = [file.path for file in photo.files if file.role != "copy"]
    here = [file.path for file in photo.files if _is_within(file, within)]
    return any(not any(_is_same(path, each) for each in own) for path in here)


def _is_within(file: FileDetail, within: str) -> bool:
    return not file.missing and file.path.is_relative_to(within)


def _originals(photo: PhotoDetail, folders: _Folders, seen_from: str) -> Iterable[ListedFile]:
    """Yield a photo's own files and its copies.

    Seen from a folder of copies (``seen_from``), the roles are swapped. A copy remains a copy after
    the original was removed, because it was kept on purpose.
    """
    emptied = {file.fingerprint for file in photo.files if file.emptied}
    own = {_folded(f.path): f.path for f in photo.files if f.role != "copy"}
    for file in photo.files:
        if file.missing and not file.away:
            continue
        path = str(file.path)
        copied = file.role == "copy" or file.fingerprint in emptied
        if seen_from:
            copied = not _is_within(file, seen_from)
        part = Part.COPY if copied else Part.ORIGINAL
        stays, status = "", None if file.away else folders.status(path)
        if file.away:
            stays = f"{file.away[:1].upper()}{file.away[1:]}."
        elif status is None:
            stays = f"{_drive(path)} cannot be reached."
        elif stat.S_ISLNK(status.st_mode):
            stays = _LINK
        elif (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            stays = "Another program changed it; rescan its folder."
        elif file.fingerprint is None:
            stays = "It has not been read yet."
        elif file.role == "copy" and _is_same(file.path, own.get(_folded(file.path))):
            stays = _SAME
        yield ListedFile(
            photo.id, path, part, file.size, file.mtime_ns, part is Part.ORIGINAL, stays
        )


def _folded(path: Path) -> str:
    return os.path.realpath(path).casefold()


def _is_same(path: Path, other: Path | None) -> bool:
    """Whether two paths are the same file; a disk may ignore case in names."""
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _beside(
    photo: PhotoDetail, folders: _Folders, pictures: Mapping[str, ListedFile], seen_from: str
) -> Iterable[ListedFile]:
    """Yield the companions of a photo's own files, or seen from a folder of copies, of these.

    ``pictures`` are the files listed so far, by path.
    """
    for original in photo.files:
        if not _is_within(original, seen_from) if seen_from else original.role == "copy":
            continue
        find = folders.leftovers_of if original.missing else folders.companions_of
        for path, status, owners in find(original.path):
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
    """The content of folders, each read once."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, os.stat_result]] = {}
        self._by_stem: dict[str, dict[str, list[str]]] = {}
        self._resolved: dict[str, str] = {}

    def resolved(self, path: str) -> str:
        """Return the folder of a file with all links resolved."""
        folder = str(PurePath(path).parent)
        if folder not in self._resolved:
            self._resolved[folder] = os.path.realpath(folder)
        return self._resolved[folder]

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of a file, without following a link; None if it does not exist."""
        name = PurePath(path)
        return self._read(str(name.parent)).get(name.name)

    def companions_of(self, picture: Path) -> Iterable[tuple[str, os.stat_result, tuple[str, ...]]]:
        """Yield the companions of a picture: path, status, and all pictures it belongs to.

        IMG_1.jpg.xmp belongs to IMG_1.jpg only, IMG_1.xmp to all pictures named IMG_1.
        """
        folder = str(picture.parent)
        entries = self._read(folder)
        named = self._by_stem[folder].get(_stem(picture.name), [])
        pictures = [name for name in named if files.is_picture_name(name)]
        for name in named:
            if files.is_picture_name(name) or not stat.S_ISREG(entries[name].st_mode):
                continue
            named_in_full = [p for p in pictures if name.casefold().startswith(f"{p.casefold()}.")]
            owners = named_in_full or pictures
            if picture.name in owners:
                paths = tuple(str(Path(folder, owner)) for owner in owners)
                yield str(Path(folder, name)), entries[name], paths

    def leftovers_of(self, picture: Path) -> Iterable[tuple[str, os.stat_result, tuple[str, ...]]]:
        """Yield the companions of a picture whose file is gone, if no picture has their name."""
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
                entries = {}  # its drive is not connected
            self._entries[folder], self._by_stem[folder] = entries, stems
        return self._entries[folder]


def _stem(name: str) -> str:
    """Return the stem shared by the files of one exposure: ``IMG_1.CR2.xmp`` → ``img_1``."""
    first = PurePath(name)
    second = PurePath(first.stem)
    if second.suffix and files.is_picture_name(first.stem):
        first = second
    return first.stem.casefold()


# --- removing one file


def trash(path: str) -> None:
    """Move a file to the system's trash.

    Raises:
        KnownError: the volume has no trash, or the system refuses; the file stays.
    """
    from send2trash import send2trash

    reason = _no_trash(path)
    if reason:
        raise KnownError(reason)
    try:
        send2trash(path)
    except OSError as error:
        raise KnownError(
            f"It could not be moved to the trash ({error.strerror or error})."
        ) from error


def delete_permanently(path: str) -> None:
    """Delete a file permanently.

    Raises:
        KnownError: the system refuses; the file stays.
    """
    try:
        Path(path).unlink()
    except OSError as error:
        raise KnownError(f"It could not be deleted ({error.strerror or error}).") from error


def _no_trash(path: str) -> str:
    """Return why a file cannot be moved to the trash, in one sentence; empty if it can.

    The trash of another volume is in its top folder (freedesktop.org trash specification 1.0). On
    Windows only fixed drives have one; on others the system would delete permanently, unasked.
    """
    folder = Path(path).parent
    try:
        if sys.platform == "win32":
            return "" if _is_fixed(folder) else f"{_drive(path)} has no trash."
        if sys.platform == "darwin":
            return ""  # the system itself refuses if there is none
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
        return f"{_drive(path)} cannot be reached."
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
