"""Files on disk: finding photos in folders, pairing RAW and JPEG, and telling content apart.

Sidecars (`.xmp`) go with the photo they are named after.

    report = WalkReport()
    for group in pair(walk(["/photos/iceland"], recursive=True, report=report)):
        ...                    # FileGroup(directory, "DSC_0412", (FoundFile .nef, FoundFile .jpg))
    report.sentence(3012, 2980)  # "3,012 photos (2,980 pairs); 12 videos and 4 other files ..."

Nothing here writes, and only :func:`fingerprint` and :func:`sha256` open a file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator import atomic
from curator.model import (
    FileGroup,
    FoundFile,
    GoneError,
    Kind,
    KnownError,
    UnreadableError,
    counted,
)

# fmt: off
# Every extension LibRaw knows a camera to write (libraw.org/supported-cameras, LibRaw 0.21).
RAW_SUFFIXES = frozenset(
    {
        ".3fr", ".ari", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".cs1", ".cs4", ".dc2",
        ".dcr", ".dcs", ".dng", ".drf", ".eip", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kc2",
        ".kdc", ".mdc", ".mef", ".mfw", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".ori", ".pef",
        ".ptx", ".pxn", ".qtk", ".raf", ".raw", ".rdc", ".rw1", ".rw2", ".rwl", ".rwz", ".sr2",
        ".srf", ".srw", ".sti", ".x3f",
    }
)
IMAGE_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".tif", ".tiff", ".png", ".webp", ".heic",
        ".heif", ".hif", ".avif", ".bmp", ".gif", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm",
    }
)
# What cameras write beside a RAW; any other picture of the same name is an edit of its own.
_HALF_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif")
# A converted DNG beside the camera's own RAW is a photo of its own; the JPEG goes with the RAW.
_RAW_LAST = (".dng",)
_VIDEO_SUFFIXES = frozenset(
    {
        ".mov", ".mp4", ".m4v", ".avi", ".mts", ".m2ts", ".mpg", ".mpeg", ".mkv", ".wmv", ".3gp",
        ".webm", ".insv", ".lrv", ".crm", ".braw", ".r3d",
    }
)
_SIDECAR_SUFFIX = ".xmp"
_COMPANION_SUFFIXES = frozenset(
    {
        ".aae", ".json", ".pp3", ".dop", ".cos", ".on1", ".thm", ".wav", ".lrprev", ".arp",
        ".xml", ".vrd", ".nksc", ".spd", ".rss",
    }
)
# fmt: on
_SYSTEM_FOLDERS = frozenset(
    {
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "@eadir",
        "#recycle",
        "__macosx",
        "lightroom previews.lrdata",
    }
)
# Where no photos of a person's are; a link leads there by mistake, or to have all of a disk read.
_SYSTEM_PLACES = (
    *("/proc", "/sys", "/dev", "/run", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64"),
    *("/var", "/System", "/Library", "/Applications", "/private/etc", "/private/var/db"),
    *filter(None, map(os.environ.get, ("SYSTEMROOT", "PROGRAMFILES", "PROGRAMDATA"))),
)
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})
# bford.info/cachedir: a folder that has it holds what a program can make again, as Curator's own
# cache does.
_CACHE_TAG = "CACHEDIR.TAG"
_NO_FILE = "It is not a file."
_NO_TEXT = "Its name is not valid text; rename it."
_DEAD_LINK = "It is a link to a file that is not there."
_EDGE_BYTES = 64 * 1024
_BLOCK_BYTES = 1024 * 1024
_FILE_ATTRIBUTE_HIDDEN_OR_SYSTEM = 0x2 | 0x4


@dataclass
class WalkReport:
    """What a walk saw besides photos.

    Attributes:
        videos: video files, left alone.
        others: other files, left alone; companions (.xmp, .aae ...) are not counted.
        unreadable: folders and files passed over, each with the reason in plain words.
        links: links to folders that were not followed, because they lead to another drive, to a
            system folder or around the one that is walked.
    """

    videos: int = 0
    others: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def sentence(self, photos: int, pairs: int = 0, elsewhere: int = 0) -> str:
        """Say what a scan found, for the status line and the terminal.

        Args:
            photos: how many.
            pairs: so many of them are RAW and JPEG.
            elsewhere: and so many came with marks in their files.
        """
        said = counted(photos, "photo")
        if pairs:
            said += f" ({counted(pairs, 'pair')})"
        if elsewhere:
            said += f", {elsewhere:,} already rated in other apps"
        left = [counted(self.videos, "video")] if self.videos else []
        if self.others:
            left.append(counted(self.others, "other file"))
        if left:
            said += f"; {' and '.join(left)} skipped"
        if self.links:
            said += f"; {self._skipped()}"
        if self.unreadable:
            said += f"; {counted(len(self.unreadable), 'place')} could not be read"
        return said

    def _skipped(self) -> str:
        """Say which linked folders were skipped, two of them by name, and how to have them."""
        some = [
            f"{printable(link)} → {printable(os.path.realpath(link))}" for link in self.links[:2]
        ]
        some += ["others"] if len(self.links) > 2 else []
        it, that = ("it", "that folder") if len(self.links) == 1 else ("them", "those folders")
        said = f"{counted(len(self.links), 'linked folder')} skipped ({', '.join(some)})"
        return f"{said}: to include {it}, add {that} directly"


def is_text(path: str) -> bool:
    """Say whether a path is valid text: other bytes cannot be kept in the catalog."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str) -> str:
    """Give a path as text to show, with a mark for bytes that are none."""
    return os.fsencode(path).decode("utf-8", "replace")


def is_picture_name(name: str) -> bool:
    """Say whether a file name is that of a RAW or of a picture."""
    return _kind(name) is not None


def is_photo_or_sidecar_name(name: str) -> bool:
    """Say whether a file of this name may be a photo's, or a sidecar."""
    return is_picture_name(name) or name.lower().endswith(_SIDECAR_SUFFIX)


def walk(
    sources: Iterable[str | os.PathLike[str]],
    recursive: bool = True,
    report: WalkReport | None = None,
    within: str | None = None,
) -> Iterator[FoundFile]:
    """Find photo files and sidecars in folders, and files given by name, without opening any.

    Files come directory by directory, in the order of their names; a directory's own files come
    before its subfolders, folders behind symbolic links last. What is met twice (sources inside
    each other, loops of links) comes once. Hidden and system files and folders are left out.

    A link to a folder is followed on the file system of the source only, and neither into folders
    of the system nor to one that holds the source: ``x -> /`` would take in the disk.

    Args:
        sources: folders and files.
        recursive: whether to go into subfolders.
        report: is told what else there was.
        within: the folder that links are judged by, where the sources are folders inside of it.

    Raises:
        KnownError: a source is not there or cannot be read; files found before it were given.
    """
    told = report if report is not None else WalkReport()
    visited: set[tuple[int, int]] = set()
    single: dict[str, dict[str, FoundFile]] = {}
    for source in sources:
        path = os.path.normpath(Path(source).absolute())
        if Path(path).is_dir():
            yield from _walk_folder(path, recursive, told, visited, within or path)
        else:
            found = _given_file(path, told)
            if found is not None:
                given = single.setdefault(_parent(path), {})
                given[path] = found
                given.update((sidecar.path, sidecar) for sidecar in _sidecars_beside(path))
    for directory, files in single.items():
        if directory_id(directory) not in visited:
            yield from (files[path] for path in sorted(files))


def directories(top: str, stopped: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """Find the directories a walk of ``top`` comes to, ``top`` among them; links are not followed.

    Their files are not looked at, so that this takes a fraction of a walk.

    Args:
        top: a folder; one that is not there or cannot be read gives nothing below it.
        stopped: asked before each directory whether the answer is still wanted.
    """
    ahead = [top]
    while ahead and not stopped():
        path = ahead.pop()
        yield path
        try:
            with os.scandir(path) as entries:
                inside = [e for e in entries if e.is_dir(follow_symlinks=False)]
            ahead += [e.path for e in inside if not _is_hidden(e) and _is_walked(e.name, e.path)]
        except OSError:
            continue


def is_reached_from(top: str, path: str) -> bool:
    """Say whether a walk of ``top`` comes to a directory: nothing on the way is left out."""
    here = Path(path)
    while str(here) != top:
        if here.name.startswith(".") or not _is_walked(here.name, str(here)):
            return False
        if here.is_symlink() and is_link_skipped(top, str(here)):
            return False
        if here.parent == here:
            return False
        here = here.parent
    return True


def is_link_skipped(top: str, link: str) -> bool:
    """Whether a link to a folder is left alone by a walk of ``top``; see :func:`walk`."""
    real, root = Path(os.path.realpath(link)), Path(os.path.realpath(top))
    there, here = directory_id(str(real)), directory_id(top)
    if there is None or here is None:
        return False  # what cannot be looked at is said where it is opened
    if there[0] != here[0] or root.is_relative_to(real):
        return True
    return any(real.is_relative_to(p) and not root.is_relative_to(p) for p in _SYSTEM_PLACES)


def _is_walked(name: str, path: str) -> bool:
    return name.lower() not in _SYSTEM_FOLDERS and not Path(path, _CACHE_TAG).exists()


def unreadable(path: str | os.PathLike[str], error: OSError) -> KnownError:
    """Say of a folder or file a person named why it cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return KnownError(
            f"{path} is not there.", "Check the name, and that its drive is connected."
        )
    return KnownError(
        f"{path} cannot be read ({error.strerror or error}).",
        "Check its permissions, and that its drive is connected.",
    )


def _given_file(path: str, report: WalkReport) -> FoundFile | None:
    """Look at a file named by the person."""
    try:
        status = Path(path).stat()
    except OSError as error:
        raise unreadable(path, error) from error
    kind = _kind(path)
    if kind is None:
        report.unreadable.append((path, "It is not a picture Curator knows."))
        return None
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        report.unreadable.append((path, _NO_FILE))
        return None
    if not is_text(path):
        report.unreadable.append((printable(path), _NO_TEXT))
        return None
    return FoundFile(path, kind, status.st_size, status.st_mtime_ns)


def _sidecars_beside(path: str) -> Iterator[FoundFile]:
    """Look for sidecars of a single file under the names they have."""
    file = Path(path)
    for stem in (file.stem, file.name):
        for suffix in (_SIDECAR_SUFFIX, _SIDECAR_SUFFIX.upper()):
            sidecar = file.with_name(stem + suffix)
            try:
                status = sidecar.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield FoundFile(str(sidecar), Kind.SIDECAR, status.st_size, status.st_mtime_ns)


def _walk_folder(
    top: str, recursive: bool, report: WalkReport, visited: set[tuple[int, int]], within: str
) -> Iterator[FoundFile]:
    ahead = [top]
    linked: list[str] = []
    device = (directory_id(within) or (None,))[0]
    followed = False  # all that is left to be walked is behind links
    while ahead or linked:
        followed = followed or not ahead
        path = ahead.pop() if ahead else linked.pop(0)
        here = directory_id(path)
        if here is not None and here in visited:
            continue
        if followed and here is not None:
            away = here[0] != device  # also a drive that is mounted in a folder behind a link
            if away or (Path(path).is_symlink() and is_link_skipped(within, path)):
                report.links.append(path)
                continue
        try:
            if path != top and Path(path, _CACHE_TAG).exists():
                continue
            files, folders, links = _list(path, report)
        except OSError as error:
            reason = f"The folder cannot be read ({error.strerror or error})."
            if path == top:
                raise unreadable(path, error) from error
            report.unreadable.append((path, reason))
            continue
        if here is not None:
            visited.add(here)
        yield from files
        if recursive:
            ahead.extend(reversed(folders))
            linked.extend(links)


def _list(path: str, report: WalkReport) -> tuple[list[FoundFile], list[str], list[str]]:
    """List a directory: photo files and sidecars, subfolders, linked subfolders, by name."""
    files: list[FoundFile] = []
    folders: list[str] = []
    links: list[str] = []
    with os.scandir(path) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if _is_hidden(entry):
            continue
        try:
            if entry.is_dir():
                if entry.name.lower() not in _SYSTEM_FOLDERS:
                    (links if entry.is_symlink() else folders).append(entry.path)
                continue
            found = _found(entry, report)
        except OSError as error:
            report.unreadable.append((entry.path, f"It cannot be read ({error.strerror})."))
            continue
        if found is not None:
            files.append(found)
    return files, folders, links


def _found(entry: os.DirEntry[str], report: WalkReport) -> FoundFile | None:
    kind = _kind(entry.name)
    if kind is None:
        suffix = _suffix(entry.name)
        if suffix == _SIDECAR_SUFFIX:
            return _found_sidecar(entry)
        if suffix in _VIDEO_SUFFIXES:
            report.videos += 1
        elif suffix not in _COMPANION_SUFFIXES and entry.name.lower() not in _SYSTEM_FILES:
            report.others += 1
        return None
    if not entry.is_file():  # a pipe, a device, a link to nowhere
        gone = entry.is_symlink() and not Path(entry.path).exists()
        report.unreadable.append((entry.path, _DEAD_LINK if gone else _NO_FILE))
        return None
    if not is_text(entry.path):
        report.unreadable.append((printable(entry.path), _NO_TEXT))
        return None
    status = entry.stat()
    return FoundFile(entry.path, kind, status.st_size, status.st_mtime_ns)


def _found_sidecar(entry: os.DirEntry[str]) -> FoundFile | None:
    if not entry.is_file() or not is_text(entry.path):
        return None  # no photo, so not worth a word
    status = entry.stat()
    return FoundFile(entry.path, Kind.SIDECAR, status.st_size, status.st_mtime_ns)


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):  # also ._NAME, what macOS leaves on other file systems
        return True
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & _FILE_ATTRIBUTE_HIDDEN_OR_SYSTEM)


# A walk looks at the names of ten thousand files before the first photo comes, beside a window
# that is being built: with a PurePath for each look that took 0.4 s, by plain text it takes 0.1 s.


def _split(path: str) -> tuple[str, str]:
    """Give the stem of a file's name, and its suffix in small letters."""
    stem, suffix = os.path.splitext(os.path.basename(path))  # noqa: PTH119, PTH122
    return stem, suffix.lower()


def _suffix(path: str) -> str:
    return _split(path)[1]


def _parent(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120


def _kind(name: str) -> Kind | None:
    suffix = _suffix(name)
    if suffix in RAW_SUFFIXES:
        return Kind.RAW
    return Kind.IMAGE if suffix in IMAGE_SUFFIXES else None


def directory_id(path: str) -> tuple[int, int] | None:
    """Tell a directory from others by the system's numbers for it; None if it is not there."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def pair(found: Iterable[FoundFile]) -> Iterator[FileGroup]:
    """Put files together that are one photo: a RAW and the JPEG or HEIC of the same name beside it.

    Reads ahead one directory at a time, so that a scan can begin with the first. Names are
    compared without regard to case. A second RAW (a converted DNG) or a second picture of a
    name is a photo of its own, as is a TIFF or PNG beside a RAW: somebody made it. Sidecars go
    with the file they name (``DSC_0412.NEF.xmp``), such that name only the stem
    (``DSC_0412.xmp``) with the RAW if there is one; those of no photo are left out.
    """
    batch: list[FoundFile] = []
    directory = ""
    for file in found:
        here = _parent(file.path)
        if here != directory and batch:
            yield from _pair_directory(directory, batch)
            batch = []
        directory = here
        batch.append(file)
    if batch:
        yield from _pair_directory(directory, batch)


def _pair_directory(directory: str, files: Sequence[FoundFile]) -> Iterator[FileGroup]:
    halves: dict[str, list[FoundFile]] = {}
    raws: dict[str, list[FoundFile]] = {}
    stems: dict[str, str] = {}
    for file in files:
        stems[file.path], suffix = _split(file.path)
        if file.kind is Kind.RAW:
            raws.setdefault(stems[file.path].casefold(), []).append(file)
        elif suffix in _HALF_SUFFIXES:
            halves.setdefault(stems[file.path].casefold(), []).append(file)
    half_of: dict[str, FoundFile] = {}
    for stem, candidates in raws.items():
        if stem in halves:
            raw = min(candidates, key=lambda file: _suffix(file.path) in _RAW_LAST)
            half_of[raw.path] = min(
                halves[stem], key=lambda file: _HALF_SUFFIXES.index(_suffix(file.path))
            )
    taken = {half.path for half in half_of.values()}
    groups = {
        file.path: (file, half_of[file.path]) if file.path in half_of else (file,)
        for file in files
        if file.path not in taken and file.kind is not Kind.SIDECAR
    }
    sidecars = _sidecars_by_photo(files, groups.values())
    for path, members in groups.items():
        beside = tuple(sidecars.get(path, ()))
        yield FileGroup(directory, stems[path], members, beside)


def _sidecars_by_photo(
    files: Sequence[FoundFile], groups: Iterable[tuple[FoundFile, ...]]
) -> dict[str, list[FoundFile]]:
    """Give the sidecars of photos, by the path of the main file."""
    sidecars = [file for file in files if file.kind is Kind.SIDECAR]
    if not sidecars:
        return {}
    by_name: dict[str, str] = {}
    by_stem: dict[str, FoundFile] = {}
    for members in groups:
        main = members[0]
        for file in members:
            by_name[file.name.casefold()] = main.path
        stem = _split(main.path)[0].casefold()
        by_stem[stem] = min(by_stem.get(stem, main), main, key=_claim)
    found: dict[str, list[FoundFile]] = {}
    for sidecar in sidecars:
        named = _split(sidecar.path)[0].casefold()
        main_path = by_name.get(named)
        if main_path is None and named in by_stem:
            main_path = by_stem[named].path
        if main_path is not None:
            found.setdefault(main_path, []).append(sidecar)
    return found


def _claim(file: FoundFile) -> tuple[bool, bool, str]:
    """Order files of one stem by who a sidecar of that stem is about: RAWs, converted ones last."""
    suffix = _suffix(file.path)
    return file.kind is not Kind.RAW, suffix in _RAW_LAST, suffix


def status(path: str | os.PathLike[str]) -> os.stat_result:
    """Give size, times and all of a file.

    Raises:
        GoneError: it is not there.
        UnreadableError: it cannot be looked at.
    """
    try:
        return Path(path).stat()
    except OSError as error:
        raise _read_error(error) from error


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Tell a file by its size and its first and last 64 KiB; 32 hex digits of BLAKE2b.

    Raises:
        GoneError: it is not there.
        UnreadableError: it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with atomic.open_plain(Path(path)) as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(size.to_bytes(8, "little"))
            digest.update(_read(file.fileno(), _EDGE_BYTES))
            if size > _EDGE_BYTES:
                os.lseek(file.fileno(), max(size - _EDGE_BYTES, _EDGE_BYTES), os.SEEK_SET)
                digest.update(_read(file.fileno(), _EDGE_BYTES))
    except OSError as error:
        raise _read_error(error) from error
    return digest.hexdigest()


def sha256(path: str | os.PathLike[str], stopped: Callable[[], bool] = lambda: False) -> str:
    """Read a whole file and give its sha256 as hex.

    Args:
        path: the file.
        stopped: asked now and then whether the answer is still wanted.

    Raises:
        GoneError: it is not there.
        UnreadableError: it cannot be read, or was not read to the end because it was stopped.
    """
    digest = hashlib.sha256()
    try:
        with atomic.open_plain(Path(path)) as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                if stopped():
                    raise UnreadableError("Reading was stopped.")
    except OSError as error:
        raise _read_error(error) from error
    return digest.hexdigest()


def _read(handle: int, wanted: int) -> bytes:
    """Read up to ``wanted`` bytes; a file system may give fewer at a time."""
    parts: list[bytes] = []
    while wanted and (part := os.read(handle, wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _read_error(error: OSError) -> KnownError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return GoneError("The file is no longer there.", "Connect its drive, or scan again.")
    return UnreadableError(f"The file cannot be read ({error.strerror or error}).")
