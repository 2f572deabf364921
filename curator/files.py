"""Files on disk: finding photos in folders, pairing RAW and JPEG, and identifying content.

The scan, the folder watcher and the export use it. Sidecars (`.xmp`) belong to the photo they are
named after.

    report = WalkReport()
    for group in pair(walk(["/photos/iceland"], recursive=True, report=report)):
        ...                    # FileGroup(directory, "DSC_0412", (FoundFile .nef, FoundFile .jpg))
    report.sentence(3012, 2980)  # "3,012 photos (2,980 pairs); 12 videos and 4 other files ..."

Nothing here writes to disk, and only :func:`fingerprint` and :func:`sha256` open a file.
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
    CACHE_TAG,
    HALF_SUFFIXES,
    FileGroup,
    FoundFile,
    GoneError,
    Kind,
    KnownError,
    UnreadableError,
    counted,
)

# fmt: off
# All extensions of cameras that LibRaw supports (libraw.org/supported-cameras, LibRaw 0.21).
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
_KINDS = dict.fromkeys(IMAGE_SUFFIXES, Kind.IMAGE) | dict.fromkeys(RAW_SUFFIXES, Kind.RAW)
# A converted DNG beside the camera's own RAW is a separate photo; the JPEG belongs to the RAW.
_RAW_LAST = (".dng",)
VIDEO_SUFFIXES = frozenset(
    {
        ".mov", ".mp4", ".m4v", ".avi", ".mts", ".m2ts", ".mpg", ".mpeg", ".mkv", ".wmv", ".3gp",
        ".webm", ".insv", ".lrv", ".lrf", ".crm", ".braw", ".r3d", ".mxf", ".nev", ".360",
    }
)
AUDIO_SUFFIXES = frozenset({".wav", ".bwf", ".mp3", ".m4a", ".aac", ".flac", ".aif", ".aiff"})
SIDECAR_SUFFIX = ".xmp"
COMPANION_SUFFIXES = frozenset(
    {
        ".aae", ".json", ".pp3", ".dop", ".cos", ".on1", ".thm", ".wav", ".lrprev", ".arp",
        ".xml", ".vrd", ".nksc", ".spd", ".rss", ".srt",
    }
)
# fmt: on
SYSTEM_FOLDERS = frozenset(
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
# Folders without personal photos. A link into them is a mistake, or an attempt to read the disk.
_SYSTEM_PLACES = (
    *("/proc", "/sys", "/dev", "/run", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64"),
    *("/var", "/System", "/Library", "/Applications", "/private/etc", "/private/var/db"),
    *filter(None, map(os.environ.get, ("SYSTEMROOT", "PROGRAMFILES", "PROGRAMDATA"))),
)
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})
NO_FILE = "It is not a file."
NO_TEXT = "Its name is not valid text. Rename it."
_DEAD_LINK = "It is a link to a file that does not exist."
_EDGE_BYTES = 64 * 1024
_BLOCK_BYTES = 1024 * 1024
_FILE_ATTRIBUTE_HIDDEN_OR_SYSTEM = 0x2 | 0x4


@dataclass
class WalkReport:
    """What a walk found besides photos.

    Attributes:
        videos: number of video files skipped.
        others: number of other files skipped; companions (.xmp, .aae ...) are not counted.
        unreadable: (path, reason) of folders and files that could not be read.
        links: links to folders that were not followed, because they lead to another drive, to a
            system folder or to a folder that contains the one being walked.
    """

    videos: int = 0
    others: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def sentence(self, photos: int, pairs: int = 0, elsewhere: int = 0) -> str:
        """Return what a scan found in one sentence, for the status line and the terminal.

        Args:
            photos: number of photos.
            pairs: number of photos that are RAW+JPEG pairs.
            elsewhere: number of photos rated in other apps.
        """
        text = counted(photos, "photo")
        if pairs:
            text += f" ({counted(pairs, 'pair')})"
        if elsewhere:
            text += f", {elsewhere:,} already rated in other apps"
        skipped = [counted(self.videos, "video")] if self.videos else []
        if self.others:
            skipped.append(counted(self.others, "other file"))
        if skipped:
            text += f"; {' and '.join(skipped)} skipped"
        if self.links:
            text += f"; {self._skipped_links()}"
        if self.unreadable:
            text += f"; {counted(len(self.unreadable), 'place')} could not be read"
        return text

    def _skipped_links(self) -> str:
        """Return which linked folders were skipped, naming two, and how to include them."""
        some = [
            f"{printable(link)} → {printable(os.path.realpath(link))}" for link in self.links[:2]
        ]
        some += ["others"] if len(self.links) > 2 else []
        it, that = ("it", "that folder") if len(self.links) == 1 else ("them", "those folders")
        text = f"{counted(len(self.links), 'linked folder')} skipped ({', '.join(some)})"
        return f"{text}: to include {it}, add {that} directly"


def is_text(path: str) -> bool:
    """Whether a path is valid text; the catalog cannot store other bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str) -> str:
    """Return a path as displayable text, with a replacement character for invalid bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


def is_picture_name(name: str) -> bool:
    """Whether a file name is that of a RAW or another picture."""
    return kind_of(name) is not None


def is_photo_or_sidecar_name(name: str) -> bool:
    """Whether a file name is that of a picture or a sidecar."""
    return is_picture_name(name) or name.lower().endswith(SIDECAR_SUFFIX)


def walk(
    sources: Iterable[str | os.PathLike[str]],
    recursive: bool = True,
    report: WalkReport | None = None,
    within: str | None = None,
) -> Iterator[FoundFile]:
    """Yield the photo files and sidecars in folders, and files given by name; opens none.

    Files come directory by directory, sorted by name: first a directory's own files, then its
    subfolders, and folders behind symbolic links last. A file reached twice (nested sources, loops
    of links) is yielded once. Hidden and system files and folders are left out.

    A link to a folder is followed only within the file system of the source, and never into system
    folders or to a folder that contains the source: ``x -> /`` would read the whole disk.

    Args:
        sources: folders and files.
        recursive: whether to walk subfolders.
        report: collects what else was found.
        within: the folder that links are judged by, if the sources are folders inside it.

    Raises:
        KnownError: a source does not exist or cannot be read; earlier files have been yielded.
    """
    report = report if report is not None else WalkReport()
    visited: set[tuple[int, int]] = set()
    single: dict[str, dict[str, FoundFile]] = {}
    for source in sources:
        path = os.path.normpath(Path(source).absolute())
        if Path(path).is_dir():
            yield from _walk_folder(path, recursive, report, visited, within or path)
        else:
            found = _given_file(path, report)
            if found is not None:
                given = single.setdefault(_parent(path), {})
                given[path] = found
                given.update((sidecar.path, sidecar) for sidecar in _sidecars_beside(path))
    for directory, files in single.items():
        if directory_id(directory) not in visited:
            yield from (files[path] for path in sorted(files))


def directories(top: str, stopped: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """Yield the directories that a walk of ``top`` reaches, including ``top``, but not by links.

    It ignores files and therefore takes a fraction of the time of a walk.

    Args:
        top: a folder; nothing below it is yielded if it does not exist or cannot be read.
        stopped: called before each directory; stop when it returns True.
    """
    ahead = [top]
    while ahead and not stopped():
        path = ahead.pop()
        yield path
        try:
            with os.scandir(path) as entries:
                inside = [e for e in entries if e.is_dir(follow_symlinks=False)]
            ahead += [e.path for e in inside if not is_hidden(e) and _is_walked(e.name, e.path)]
        except OSError:
            continue


def is_reached_from(top: str, path: str) -> bool:
    """Whether a walk of ``top`` reaches a directory: no folder in between is skipped."""
    folder = Path(path)
    while str(folder) != top:
        if folder.name.startswith(".") or not _is_walked(folder.name, str(folder)):
            return False
        if folder.is_symlink() and is_link_skipped(top, str(folder)):
            return False
        if folder.parent == folder:
            return False
        folder = folder.parent
    return True


def is_link_skipped(top: str, link: str) -> bool:
    """Whether a walk of ``top`` does not follow a link to a folder; see :func:`walk`."""
    target, root = Path(os.path.realpath(link)), Path(os.path.realpath(top))
    target_id, top_id = directory_id(str(target)), directory_id(top)
    if target_id is None or top_id is None:
        return False  # reported when it is opened
    if target_id[0] != top_id[0] or root.is_relative_to(target):
        return True
    return any(target.is_relative_to(p) and not root.is_relative_to(p) for p in _SYSTEM_PLACES)


def _is_walked(name: str, path: str) -> bool:
    if name.lower() in SYSTEM_FOLDERS:
        return False
    try:
        return not Path(path, CACHE_TAG).exists()
    except OSError:  # nobody may enter; listing it will say so
        return True


def unreadable(path: str | os.PathLike[str], error: OSError) -> KnownError:
    """Return the error for a folder or file named by the user that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return KnownError(
            f"{path} does not exist.", "Check the name and whether its drive is connected."
        )
    return KnownError(
        f"{path} cannot be read ({error.strerror or error}).",
        "Check its permissions and whether its drive is connected.",
    )


def _given_file(path: str, report: WalkReport) -> FoundFile | None:
    """Return a file named by the user; None, with a report, if it is no picture.

    Raises:
        KnownError: it does not exist or cannot be read.
    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise unreadable(path, error) from error
    kind = kind_of(path)
    if kind is None:
        report.unreadable.append((path, "It is not a picture format that Curator supports."))
        return None
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would block forever
        report.unreadable.append((path, NO_FILE))
        return None
    if not is_text(path):
        report.unreadable.append((printable(path), NO_TEXT))
        return None
    return FoundFile(path, kind, status.st_size, status.st_mtime_ns)


def _sidecars_beside(path: str) -> Iterator[FoundFile]:
    """Yield the sidecars of a single file, by all names they may have."""
    file = Path(path)
    for stem in (file.stem, file.name):
        for suffix in (SIDECAR_SUFFIX, SIDECAR_SUFFIX.upper()):
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
    behind_links = False  # whether only folders behind links are left
    while ahead or linked:
        behind_links = behind_links or not ahead
        path = ahead.pop() if ahead else linked.pop(0)
        here = directory_id(path)
        if here is not None and here in visited:
            continue
        if behind_links and here is not None:
            elsewhere = here[0] != device  # includes a drive mounted in a folder behind a link
            if elsewhere or (Path(path).is_symlink() and is_link_skipped(within, path)):
                report.links.append(path)
                continue
        try:
            if path != top and Path(path, CACHE_TAG).exists():
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
    """Return a directory's photo files and sidecars, subfolders and linked subfolders, sorted."""
    files: list[FoundFile] = []
    folders: list[str] = []
    links: list[str] = []
    with os.scandir(path) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if is_hidden(entry):
            continue
        try:
            if entry.is_dir():
                if entry.name.lower() not in SYSTEM_FOLDERS:
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
    """Return an entry that is a photo file or a sidecar; report any other, and return None."""
    suffix = _suffix(entry.name)
    kind = Kind.SIDECAR if suffix == SIDECAR_SUFFIX else _KINDS.get(suffix)
    if kind is None:
        if suffix in VIDEO_SUFFIXES:
            report.videos += 1
        elif suffix not in COMPANION_SUFFIXES and entry.name.lower() not in SYSTEM_FILES:
            report.others += 1
        return None
    if not entry.is_file():  # a pipe, a device or a dead link
        gone = entry.is_symlink() and not Path(entry.path).exists()
        problem = _DEAD_LINK if gone else NO_FILE
    elif not is_text(entry.path):
        problem = NO_TEXT
    else:
        status = entry.stat()
        return FoundFile(entry.path, kind, status.st_size, status.st_mtime_ns)
    if kind is not Kind.SIDECAR:  # a bad sidecar is not worth reporting
        report.unreadable.append((printable(entry.path), problem))
    return None


def is_hidden(entry: os.DirEntry[str]) -> bool:
    """Whether a file or folder is hidden, or of the system; such names a walk leaves out."""
    if entry.name.startswith("."):  # includes ._NAME, which macOS writes on other file systems
        return True
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & _FILE_ATTRIBUTE_HIDDEN_OR_SYSTEM)


# A walk parses ten thousand names before the first photo appears, while the window is being built:
# 0.4 s with PurePath, 0.1 s with plain strings.


def stem_and_suffix(path: str) -> tuple[str, str]:
    """Return the stem of a file name, and its suffix in lower case."""
    stem, suffix = os.path.splitext(os.path.basename(path))  # noqa: PTH119, PTH122
    return stem, suffix.lower()


def _suffix(path: str) -> str:
    return stem_and_suffix(path)[1]


def _parent(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120


def kind_of(name: str) -> Kind | None:
    """Return whether a file name is that of a RAW or of another picture; None for any other."""
    return _KINDS.get(_suffix(name))


def directory_id(path: str) -> tuple[int, int] | None:
    """Return device and inode number of a directory; None if it does not exist."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def pair(found: Iterable[FoundFile]) -> Iterator[FileGroup]:
    """Group the files of one photo: a RAW, and the JPEG or HEIC of the same name beside it.

    It reads one directory at a time, so that a scan can start with the first. Case does not
    matter. A second RAW of a name (a converted DNG) or a second picture is a separate photo, and so
    is a TIFF or PNG beside a RAW, because somebody made it. A sidecar belongs to the file it names
    (``DSC_0412.NEF.xmp``). If it names only the stem (``DSC_0412.xmp``), it belongs to the RAW, if
    there is one. Sidecars without a photo are left out.
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
        stems[file.path], suffix = stem_and_suffix(file.path)
        if file.kind is Kind.RAW:
            raws.setdefault(stems[file.path].casefold(), []).append(file)
        elif suffix in HALF_SUFFIXES:
            halves.setdefault(stems[file.path].casefold(), []).append(file)
    half_of: dict[str, FoundFile] = {}
    for stem, candidates in raws.items():
        if stem in halves:
            raw = min(candidates, key=lambda file: _suffix(file.path) in _RAW_LAST)
            half_of[raw.path] = min(
                halves[stem], key=lambda file: HALF_SUFFIXES.index(_suffix(file.path))
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
    """Map the path of each photo's main file to its sidecars."""
    sidecars = [file for file in files if file.kind is Kind.SIDECAR]
    if not sidecars:
        return {}
    by_name: dict[str, str] = {}
    by_stem: dict[str, FoundFile] = {}
    for members in groups:
        main = members[0]
        for file in members:
            by_name[file.name.casefold()] = main.path
        stem = stem_and_suffix(main.path)[0].casefold()
        by_stem[stem] = min(by_stem.get(stem, main), main, key=sidecar_priority)
    found: dict[str, list[FoundFile]] = {}
    for sidecar in sidecars:
        named = stem_and_suffix(sidecar.path)[0].casefold()
        main_path = by_name.get(named)
        if main_path is None and named in by_stem:
            main_path = by_stem[named].path
        if main_path is not None:
            found.setdefault(main_path, []).append(sidecar)
    return found


def sidecar_priority(file: FoundFile) -> tuple[bool, bool, str]:
    """Return the sort key for which file of a stem owns its sidecar: a RAW that is no DNG first."""
    suffix = _suffix(file.path)
    return file.kind is not Kind.RAW, suffix in _RAW_LAST, suffix


def status(path: str | os.PathLike[str]) -> os.stat_result:
    """Return the status of a file.

    Raises:
        GoneError: it does not exist.
        UnreadableError: its status cannot be read.
    """
    try:
        return Path(path).stat()
    except OSError as error:
        raise _read_error(error) from error


class EdgeHash:
    """Computes the fingerprint of a file from its blocks, for readers of whole files."""

    def __init__(self) -> None:
        self._size, self._head, self._tail = 0, b"", b""

    def add(self, block: bytes) -> None:
        """Add the next block."""
        self._size += len(block)
        missing = _EDGE_BYTES - len(self._head)
        if missing > 0:
            self._head, block = self._head + block[:missing], block[missing:]
        if block:
            self._tail = (self._tail + block[-_EDGE_BYTES:])[-_EDGE_BYTES:]

    def hexdigest(self) -> str:
        """Return what :func:`fingerprint` returns for the file."""
        return _edge_digest(self._size, self._head, self._tail)


def _edge_digest(size: int, head: bytes, tail: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in (size.to_bytes(8, "little"), head, tail):
        digest.update(part)
    return digest.hexdigest()


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Hash a file's size and its first and last 64 KiB; return 32 hex digits of BLAKE2b.

    Raises:
        GoneError: it does not exist.
        UnreadableError: it cannot be read.
    """
    tail = b""
    try:
        # Read without Python's buffer, which may be 1 MB on a network drive.
        with atomic.open_plain(Path(path)) as file:
            size = os.fstat(file.fileno()).st_size
            head = _read(file.fileno(), _EDGE_BYTES)
            if size > _EDGE_BYTES:
                os.lseek(file.fileno(), max(size - _EDGE_BYTES, _EDGE_BYTES), os.SEEK_SET)
                tail = _read(file.fileno(), _EDGE_BYTES)
    except OSError as error:
        raise _read_error(error) from error
    if len(head) + len(tail) < min(size, 2 * _EDGE_BYTES):
        raise UnreadableError("The file ends before its listed size.", "It may be damaged.")
    return _edge_digest(size, head, tail)


def sha256(path: str | os.PathLike[str], stopped: Callable[[], bool] = lambda: False) -> str:
    """Read a whole file and return its sha256 in hex.

    Args:
        path: the file.
        stopped: called after each block; give up when it returns True.

    Raises:
        GoneError: it does not exist.
        UnreadableError: it cannot be read, or ``stopped`` returned True.
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
    """Read up to ``wanted`` bytes; a file system may return fewer per call."""
    parts: list[bytes] = []
    while wanted and (part := os.read(handle, wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _read_error(error: OSError) -> KnownError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return GoneError("The file is no longer there.", "Connect its drive or rescan the folder.")
    return UnreadableError(f"The file cannot be read ({error.strerror or error}).")
