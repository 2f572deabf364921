"""Copies of originals without their location, made by exiftool.

Exports of originals without location use it, for photos and their sidecars. It must never change an
original or return a copy that still contains the location. Each copy is made in a temporary folder,
written by exiftool, and read again by it: GPS, places in XMP and IPTC, in maker notes, and in every
embedded picture. A location that cannot be removed is an error, not a warning.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from curator import atomic, exiftool, files
from curator.export.sources import SIDECAR, Source
from curator.model import Kind, KnownError, UnreadableError
from curator.workers import WorkerPool

MISSING = KnownError(
    "Only exiftool can remove the location from originals, and it is not installed.",
    "Install it from exiftool.org, export JPEGs instead, or include the location.",
)
_TIMEOUT_S = 120.0
_MEMORY_MB = 4096
# Names of tags, in any group, that state a location. The city of a camera's clock (TimeZoneCity,
# HometownCity) only states a time zone, like the offset of the capture time, and stays.
_PLACES = re.compile(
    r"GPS|Latitude|Longitude|^DC(?:Country|State|County|Municip|Localit|Island|Continent|Water"
    r"|HigherGeo|Geo|Location|Verbatim)|^(?:City\d?|State|StateProvince|Province-State"
    r"|Country(?:Code|-Primary\w+)?|Location\w*|Sub-?[Ll]ocation|ContentLocation\w+|Landmark"
    r"|Places?|ShotLocation|Coverage)$"
)
_EMBEDDED = "embedded picture"
_NOWHERE = ("", "---")  # values without a location
# Removed from every copy; other tags with a location are removed by their group once found.
_REMOVED = (
    "-GPS:all=",
    "-XMP:GPS*=",
    *(f"-IPTC:{name}=" for name in ("City", "Sub-location", "Province-State")),
    *(f"-IPTC:Country-PrimaryLocation{what}=" for what in ("Code", "Name")),
    *(f"-IPTC:ContentLocation{what}=" for what in ("Code", "Name")),
    *(f"-XMP-photoshop:{name}=" for name in ("City", "State", "Country")),
    *(f"-XMP-iptcCore:{name}=" for name in ("Location", "CountryCode")),
    *(f"-XMP-iptcExt:Location{which}=" for which in ("Created", "Shown")),
    "-XMP-xmpDM:ShotLocation=",
    "-XMP-dc:Coverage=",
)
_END = b"\xff\xd9"  # of a JPEG
_SUFFIXES = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "heif": ".heic", "avif": ".avif"}


class LocationRemover:
    """Makes copies without location, one at a time, in its own temporary folder.

    Thread: one.
    """

    def __init__(self, program: str, pool: WorkerPool | None) -> None:
        self._program, self._pool, self._owns_pool = program, pool, pool is None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def copy(self, source: Source) -> tuple[Source, str]:
        """Make a copy of a file without location; return it, and the sha256 of the original.

        The copy exists until the next call.

        Raises:
            UnreadableError: the location cannot be removed, or the file cannot be read.
        """
        if not self._program:
            raise MISSING
        try:
            folder = self._new_folder()
        except OSError as error:  # in the system's temporary folder, not in the target
            raise _no_copy(error) from error
        if self._pool is None:
            self._pool = WorkerPool(1, memory_mb=_MEMORY_MB, nice=5, name="location").named(
                "remove locations", "Removing its location"
            )
        copy, sha256 = self._pool.run(
            without_location, source, folder, self._program, timeout_s=_TIMEOUT_S
        )
        return Source(copy, source.kind, source.size, source.mtime_ns), sha256

    def _new_folder(self) -> Path:
        """Create an empty folder for the next copy, and remove the previous one."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="curator-export-")
        here = Path(self._folder.name)
        for old in here.iterdir():
            shutil.rmtree(old, ignore_errors=True)
        self._count += 1
        folder = here / str(self._count)
        folder.mkdir()
        return folder

    def close(self) -> None:
        """Remove the temporary folder, and end the process started here."""
        if self._pool is not None and self._owns_pool:
            self._pool.close()
        if self._folder is not None:
            self._folder.cleanup()


def without_location(source: Source, folder: Path, program: str) -> tuple[Path, str]:
    """Copy a file without its location; return the path of the copy and the original's sha256.

    Args:
        source: the file.
        folder: the empty folder to make the copy in.
        program: the path of exiftool.

    Raises:
        UnreadableError: the location cannot be removed, or the file cannot be read.
    """
    try:
        copy = folder / f"copy{_suffix(source)}"
        shutil.copyfile(source.path, copy)
        sha256 = files.sha256(copy)
        left, complaint = _remove_tags(program, copy, _REMOVED)
        if left:
            left, complaint = _remove_tags(program, copy, _groups_of(left, source.kind))
        if left:
            names = ", ".join(sorted({name for *_, name in left})[:3])
            because = f" ({complaint})" if complaint else ""
            raise UnreadableError(
                f"The location cannot be removed: {names} would stay{because}.",
                "Export it as a JPEG.",
            )
        if source.kind != SIDECAR and not _same_picture(source.path, copy):
            raise UnreadableError(
                "Removing the location would change the picture.", "Export it as a JPEG."
            )
        os.utime(copy, ns=(source.mtime_ns, source.mtime_ns))
    except OSError as error:
        raise _no_copy(error) from error
    return copy, sha256


def _no_copy(error: OSError) -> UnreadableError:
    return UnreadableError(f"A copy without location failed ({error.strerror or error}).")


def _groups_of(left: Iterable[tuple[str, str, str]], kind: str) -> list[str]:
    """Return exiftool arguments that remove whole groups, for tags not removable by name.

    A RAW keeps its maker notes, which decoding needs, and its embedded pictures.
    """
    groups = set()
    for where, group, _ in left:
        if where == _EMBEDDED:
            groups |= {"IFD1"} if group == "ThumbnailImage" else {"MPF", "Trailer"}
        else:
            groups.add("MakerNotes" if where == "MakerNotes" else group)
    if kind == Kind.RAW:
        groups -= {"MakerNotes", "IFD1", "MPF", "Trailer"}
    return [f"-{group}:all=" for group in sorted(groups)]


def _suffix(source: Source) -> str:
    """Return the suffix of a file's true format, because exiftool refuses a JPEG named HEIC.

    Raises:
        OSError: it cannot be read, or is not a plain file.
    """
    from curator.imaging import containers

    form = containers.sniff(atomic.read(source.path, 65536), source.path.name)
    suffix = source.path.suffix.lower()
    own = suffix if suffix.isascii() and suffix[1:].isalnum() else ".jpg"
    return _SUFFIXES.get(form, own) if source.kind != SIDECAR else ".xmp"


def _remove_tags(
    program: str, copy: Path, removing: Iterable[str]
) -> tuple[list[tuple[str, str, str]], str]:
    """Remove tags from a copy; return the tags that still state a location, and an error message.

    Each tag is (family, group, name), such as ("XMP", "XMP-photoshop", "City"). For an embedded
    picture, its tag replaces the group: (_EMBEDDED, "ThumbnailImage", "GPSLatitude").
    """
    name, inside = f"./{copy.name}", "pictures"
    (copy.parent / inside).mkdir(exist_ok=True)
    reading = ["-j", "-a", "-e", "-G0:1", "-ee3"]
    lines = [
        *("-q", "-q", "-m", "-overwrite_original", *removing, name, "-execute"),
        *(*reading, name, "-execute"),
        *("-a", "-b", "-W", f"./{inside}/%t%-c.%s", "-preview:all", name, "-execute"),
        *(*reading, "-r", f"./{inside}", "-execute"),
    ]
    try:
        answer = exiftool.run(program, lines, copy.parent, _TIMEOUT_S / 3)
    except exiftool.ExiftoolError as error:
        raise UnreadableError(f"The location cannot be removed: exiftool {error}.") from error
    shutil.rmtree(copy.parent / inside)
    documents = list(_documents(answer.output))
    if not any(document.get("SourceFile") == name for document in documents):
        raise UnreadableError("exiftool cannot read it, so the location cannot be removed.")
    found = []
    for document in documents:
        picture = Path(str(document.get("SourceFile", name))).stem.partition("-")[0]
        tags = list(_location_tags(document))
        own = document.get("SourceFile") == name
        found += tags if own else [(_EMBEDDED, picture, tag) for *_, tag in tags]
    return found, answer.complaint()


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """Yield the items of the JSON lists that exiftool wrote one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("[{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield from found


def _location_tags(tags: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the tags of a file that state a location."""
    for key, value in tags.items():
        where, _, rest = key.partition(":")
        group, _, name = rest.rpartition(":")
        if _PLACES.search(name) and name != "GPSVersionID" and str(value).strip() not in _NOWHERE:
            yield where, group or where, name


def _same_picture(original: Path, copy: Path) -> bool:
    """Whether two files have the same picture: equal JPEG data, or equal decoded pixels."""
    before, after = original.read_bytes(), copy.read_bytes()
    if before == after:
        return True
    if before[:3] == b"\xff\xd8\xff":
        coded, left = _coded(before), _coded(after)
        # Further pictures after the first may have been removed because of their location.
        return coded == left or (coded.startswith(left) and left.endswith(_END))
    return _pixels(original) == _pixels(copy)


def _pixels(path: Path) -> list[tuple[tuple[int, ...], str]]:
    """Return shape and digest of the pixels of a file; for a RAW also of its preview.

    Raises:
        UnreadableError: it cannot be decoded.
    """
    from curator.imaging import decode
    from curator.imaging.pixels import DecodeOptions, Want

    wants: tuple[Want, ...] = ("demosaic", "preview")
    pictures = [decode.load(path, DecodeOptions(want=want)).rgb for want in wants]
    return [(rgb.shape, hashlib.sha256(rgb.tobytes()).hexdigest()) for rgb in pictures]


def _coded(data: bytes) -> bytes:
    """Return a JPEG without application segments and comments: everything its pixels need."""
    parts, at = [], 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:  # fill
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not (0xE0 <= data[at + 1] <= 0xEF or data[at + 1] == 0xFE):
            parts.append(data[at:end])
        at = end
    return b"".join([*parts, data[at:]])
