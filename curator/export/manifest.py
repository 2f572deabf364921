"""``photos.json``: what was exported, from where, and why; the memory of an export folder.

The file is an object with ``photos`` and ``withdrawn``, one entry a photo, described by
``resources/photos.schema.json``. Entries are plain dictionaries here, because a newer Curator's
extra fields must survive a run of this one. The file is written only when its bytes change, so
that running an export twice leaves even its time stamp alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from curator.catalog import PhotoDetail
from curator.export import naming
from curator.export.sources import SIDECAR, OutputFile, Source, main_file
from curator.model import KnownError
from curator.opened_folder import OpenedFolder, OutsideError, is_leaf

NAME = "photos.json"
VERSION = 1
_MOST = 1_000_000_000  # photos in one export that anybody numbers

Entry = dict[str, Any]
FileEntry = dict[str, Any]


@dataclass
class Manifest:
    """The entries of one export folder, oldest first; of a gallery, the sha256 of its page, too.

    ``read`` is the file's content as it was read or written last; empty where there was none.
    Entries are told apart by identity, not by comparing them: 10,000 are compared with 10,000
    in minutes.
    """

    target: str = "folder"
    page: str | None = None
    photos: list[Entry] = field(default_factory=list)
    withdrawn: list[Entry] = field(default_factory=list)
    read: bytes = b""
    _dropped: set[int] = field(default_factory=set)

    def names(self) -> set[str]:
        """Return the file names that belong to an entry, folded for comparison."""
        return {
            naming.folded(record["filename"])
            for entry in (*self.photos, *self.withdrawn)
            for record in entry["files"]
        }

    def drop(self, entry: Entry) -> None:
        """Take an entry out of the list that holds it."""
        self._dropped.add(id(entry))

    def holds(self, entry: Entry) -> bool:
        """Say whether an entry read from the file is still in its list."""
        return id(entry) not in self._dropped

    def listed(self) -> list[Entry]:
        """Return the entries of photos that are approved today."""
        return [entry for entry in self.photos if self.holds(entry)]

    def rendered(self) -> bytes:
        """Return the file's content; the same entries always give the same bytes."""
        content = {
            "version": VERSION,
            "target": self.target,
            **({"page": self.page} if self.page else {}),
            "photos": self.listed(),
            "withdrawn": [entry for entry in self.withdrawn if self.holds(entry)],
        }
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        # A name with bytes that are no text has halves of letters in it: JSON can escape those.
        return text.encode("utf-8", "backslashreplace")


def load(folder: OpenedFolder) -> Manifest:
    """Read the manifest of an export folder; an empty one if the folder has none.

    Raises:
        KnownError: the file is there and is not one that Curator wrote; it stays as it is.
    """
    path = folder.path / NAME
    remedy = "Choose another folder, or move that file away."
    foreign = KnownError(f"{path} is no manifest of Curator.", remedy)
    try:
        data = folder.read(NAME)
        content: Any = json.loads(data) if data is not None else None
    except OSError as error:
        raise KnownError(f"{path} cannot be read ({error.strerror or error}).", remedy) from error
    except (OutsideError, ValueError, RecursionError) as error:
        raise foreign from error
    if data is None:
        return Manifest()
    try:
        if content["version"] > VERSION:
            raise KnownError(f"{path} was written by a newer Curator.", "Update Curator.")
        target = str(content.get("target", "folder"))
        page = content.get("page")
        found = Manifest(target, page, list(content["photos"]), list(content["withdrawn"]), data)
    except (KeyError, TypeError, AttributeError) as error:
        raise foreign from error
    entries = (*found.photos, *found.withdrawn)
    if not all(_is_entry(entry) for entry in entries):
        raise foreign
    names = (record["filename"] for entry in entries for record in entry["files"])
    if not all(_is_of_target(target, name) for name in names):
        raise KnownError(f"{path} names files that are not in its folder.", remedy)
    return found


# What is read of an entry and of its files, and may not be missing.
_ENTRY = {"filename": str, "form": str, "files": list, "tags": list, "capture": dict}
_RECORD = {"filename": str, "sha256": str, "kind": str, "size": int, "original_size": int,
           "original_mtime_ns": int}  # fmt: skip


def _is_entry(entry: object) -> bool:
    """Whether an entry is made as ours are; a person or a program may have written into it."""
    if not isinstance(entry, dict) or not {"project", "turn"} <= entry.keys():
        return False
    seq = entry.get("seq")
    return (
        all(isinstance(entry.get(key), kind) for key, kind in _ENTRY.items())
        and (seq is None or (isinstance(seq, int) and 0 <= seq < _MOST))
        and all(isinstance(tag, dict) and isinstance(tag.get("name"), str) for tag in entry["tags"])
        and len(entry["files"]) > 0
        and all(map(_is_record, entry["files"]))
    )


def _is_record(record: object) -> bool:
    return (
        isinstance(record, dict)
        and all(isinstance(record.get(key), kind) for key, kind in _RECORD.items())
        and all(
            isinstance(record.get(key, ""), str | None) for key in ("original_path", "fingerprint")
        )
        and _is_metadata(record.get("said", {}))
    )


def _is_metadata(value: object) -> bool:
    """Whether this is what :meth:`curator.sidecar.SidecarMetadata.as_json` gives."""
    return isinstance(value, dict) and all(
        value is None
        or isinstance(value, int if name == "rating" else str)
        or (isinstance(value, list) and all(isinstance(word, str) for word in value))
        for name, value in value.items()
    )


def _is_of_target(target: str, name: str) -> bool:
    """Whether a target has files of such a name: they are renamed and replaced by it.

    A folder has them in no folder below, a gallery in one. Sidecars lie as their originals do;
    there every name is looked at when its turn comes.
    """
    below, _, leaf = name.rpartition("/")
    return target == "sidecar" or (
        below == ("images" if target == "gallery" else "") and is_leaf(leaf)
    )


def unchanged(manifest: Manifest, folder: OpenedFolder) -> None:
    """Make sure nobody wrote the file since it was read.

    Raises:
        KnownError: somebody did: what was planned would forget what is said there.
    """
    try:
        there = folder.read(NAME)
    except OSError:
        return  # gone, or away: the run itself says of what it cannot do
    if there and there != manifest.read:
        raise KnownError(
            f"Another export into {folder.path} was done meanwhile.",
            "Export again; it goes on from there.",
        )


def save(manifest: Manifest, folder: OpenedFolder) -> bool:
    """Write the manifest through a temporary file; return whether anything had to change.

    Raises:
        KnownError: somebody else wrote it since we did.
        OSError: the folder cannot be written; the old manifest stays.
    """
    if not manifest.read and not (manifest.photos or manifest.withdrawn):
        return False
    unchanged(manifest, folder)
    content = manifest.rendered()
    written = folder.write(NAME, content)
    manifest.read = content
    return written


def describe(photo: PhotoDetail, clause: str | None, *, location: bool) -> Entry:
    """Say everything of a photo that an entry holds, except which files were written.

    Args:
        photo: as the catalog has it now.
        clause: name of the clause of the approval rule; None once withdrawn.
        location: whether GPS may leave the house.
    """
    capture, quality, marks = photo.capture, photo.scores, photo.marks
    taken, told = capture.taken_at, photo.description
    return {
        "clause": str(clause) if clause else None,
        "project": None,
        "projects": [],
        "rating": marks.rating,
        "flag": marks.flag.value if marks.flag else None,
        "label": marks.label.value if marks.label else None,
        "match_score": None,
        "match_model": None,
        "sharpness": _round(quality.sharpness if quality else None, 1),
        "exposure": _round(quality.exposure if quality else None, 1),
        "subject": told.subject if told else None,
        "mood": told.mood if told else None,
        "lighting": told.lighting if told else None,
        "content_type": told.content_type if told else None,
        "tags": [
            {
                "name": tag.name,
                "source": tag.source,
                "confidence": tag.confidence,
                "category": tag.category,
                "state": tag.state,
            }
            for tag in photo.tags
        ],
        "capture": {
            "taken_at": taken.isoformat() if taken else None,
            **capture.facts(),
            **({} if location else {"latitude": None, "longitude": None}),
        },
    }


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def compose(told: Entry, records: list[FileEntry], **how: object) -> Entry:
    """Put an entry together; the first record is the photo's main file.

    Args:
        told: from :func:`describe`.
        records: the files in the export folder.
        how: ``form``, ``turn``, ``names`` and ``seq`` they were written with.
    """
    first = records[0]
    where = {"original_path": first["original_path"]} if "original_path" in first else {}
    return {
        "filename": first["filename"],
        **where,
        "sha256": first["sha256"],
        **told,
        **how,
        "files": records,
    }


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What came of writing one file: both digests, its size in bytes, its size in px if made."""

    sha256: str
    original_sha256: str
    size: int
    pixels: tuple[int, int] | None = None


def record(slot: OutputFile, filename: str, written: WrittenFile, *, private: bool) -> FileEntry:
    """Describe one written file and the original it came from, in private without its path."""
    source = slot.source
    entry: FileEntry = {"filename": filename, "sha256": written.sha256, "size": written.size}
    if written.pixels is not None:
        entry |= {"width": written.pixels[0], "height": written.pixels[1]}
    entry["kind"] = source.kind
    if not private:
        entry["original_path"] = str(source.path)
    return entry | {
        "original_sha256": written.original_sha256,
        "original_size": source.size,
        "original_mtime_ns": source.mtime_ns,
        "fingerprint": source.fingerprint,
        **({"said": slot.metadata.as_json()} if slot.metadata else {}),
    }


def is_of(entry: FileEntry, source: Source) -> bool:
    """Say whether a record is of this very content: by fingerprint, or path, size and time."""
    if entry.get("fingerprint") and source.fingerprint:
        return bool(entry["fingerprint"] == source.fingerprint)
    return (entry.get("original_path"), entry["original_size"], entry["original_mtime_ns"]) == (
        str(source.path),
        source.size,
        source.mtime_ns,
    )


def kind(form: str) -> str:
    """Give the kind of a rendering: an original and a JPEG of a photo are two entries."""
    return form.partition(" ")[0]


def lookup(entries: list[Entry]) -> dict[tuple[str, str], Entry]:
    """Index entries by kind and the fingerprint or original path of each of their files."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        for written in entry["files"]:
            for key in (written.get("fingerprint"), written.get("original_path")):
                if key and written["kind"] != SIDECAR:
                    found[(kind(entry["form"]), key)] = entry
    return found


def find(index: dict[tuple[str, str], Entry], form: str, photo: PhotoDetail) -> Entry | None:
    """Find the entry of a photo by its main file, then its other half: by content before path."""
    halves = [main_file(photo), *(file for file in photo.files if file.role == "half")]
    for file in halves:
        if file.fingerprint and (form, file.fingerprint) in index:
            return index[(form, file.fingerprint)]
    return next((index[form, str(f.path)] for f in halves if (form, str(f.path)) in index), None)
