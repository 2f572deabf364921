"""``photos.json``: the manifest of an export folder: what was exported, from where, and why.

The file is an object with ``photos`` and ``withdrawn``, one entry per photo, described by
``resources/photos.schema.json``. Entries are plain dictionaries, because fields of a newer Curator
must survive a run of this version. The file is written only if its bytes change, so that exporting
twice does not even change its time stamp.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from curator import naming
from curator.catalog import PhotoDetail
from curator.export.sources import SIDECAR, OutputFile, Source
from curator.model import Eye, KnownError
from curator.opened_folder import OpenedFolder, OutsideError, is_leaf

NAME = "photos.json"
VERSION = 1
_MOST = 1_000_000_000  # larger sequence numbers are damage

Entry = dict[str, Any]
FileEntry = dict[str, Any]


@dataclass
class Manifest:
    """The entries of one export folder; for a gallery also the sha256 of its page.

    ``on_disk`` is the file's content when last read or written; empty if there was none. Entries
    are compared by identity, because comparing 10,000 entries with 10,000 by value takes minutes.
    """

    target: str = "folder"
    page: str | None = None
    photos: list[Entry] = field(default_factory=list)
    withdrawn: list[Entry] = field(default_factory=list)
    on_disk: bytes = b""
    _dropped: set[int] = field(default_factory=set)

    def names(self) -> set[str]:
        """Return the file names of all entries, folded for comparison."""
        return {
            naming.folded(record["filename"])
            for entry in (*self.photos, *self.withdrawn)
            for record in entry["files"]
        }

    def drop(self, entry: Entry) -> None:
        """Remove an entry from its list."""
        self._dropped.add(id(entry))

    def listed(self) -> list[Entry]:
        """Return the entries of photos that are currently approved."""
        return [entry for entry in self.photos if id(entry) not in self._dropped]

    def rendered(self) -> bytes:
        """Return the file's content; the same entries always produce the same bytes."""
        content = {
            "version": VERSION,
            "target": self.target,
            **({"page": self.page} if self.page else {}),
            "photos": self.listed(),
            "withdrawn": [e for e in self.withdrawn if id(e) not in self._dropped],
        }
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        # File names that are not valid text contain lone surrogates, which JSON can escape.
        return text.encode("utf-8", "backslashreplace")


def load(folder: OpenedFolder) -> Manifest:
    """Read the manifest of an export folder; an empty manifest if there is none.

    Raises:
        KnownError: the file was not written by Curator; it is not changed.
    """
    path = folder.path / NAME
    remedy = "Choose another folder, or move that file away."
    foreign = KnownError(f"{path} was not written by Curator.", remedy)
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


# The required fields of an entry and of its file records.
_ENTRY = {"filename": str, "form": str, "files": list, "tags": list, "capture": dict}
_RECORD = {"filename": str, "sha256": str, "kind": str, "size": int, "original_size": int,
           "original_mtime_ns": int}  # fmt: skip


def _is_entry(entry: object) -> bool:
    """Whether an entry has our structure; somebody may have edited it."""
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
    """Whether a value has the structure of :meth:`curator.sidecar.SidecarMetadata.as_json`."""
    return isinstance(value, dict) and all(
        value is None
        or isinstance(value, int if name == "rating" else str)
        or (isinstance(value, list) and all(isinstance(word, str) for word in value))
        for name, value in value.items()
    )


def _is_of_target(target: str, name: str) -> bool:
    """Whether a target writes files of such a name, which it may rename and replace.

    A folder target writes no subfolders, a gallery one. Sidecars mirror the folders of their
    originals; there each name is checked when it is written.
    """
    below, _, leaf = name.rpartition("/")
    return target == "sidecar" or (
        below == ("images" if target == "gallery" else "") and is_leaf(leaf)
    )


def check_unchanged(manifest: Manifest, folder: OpenedFolder) -> None:
    """Check that nobody wrote the manifest since it was read.

    Raises:
        KnownError: somebody did, and saving ours would lose their entries.
    """
    try:
        current = folder.read(NAME)
    except OSError:
        return  # the run itself reports what it cannot read or write
    if current and current != manifest.on_disk:
        raise KnownError(
            f"Another export into {folder.path} ran in the meantime.",
            "Export again; it continues from there.",
        )


def save(manifest: Manifest, folder: OpenedFolder) -> bool:
    """Write the manifest atomically; return whether it changed.

    Raises:
        KnownError: somebody else wrote it after we read it.
        OSError: the folder cannot be written; the old manifest stays.
    """
    if not manifest.on_disk and not (manifest.photos or manifest.withdrawn):
        return False
    check_unchanged(manifest, folder)
    content = manifest.rendered()
    written = folder.write(NAME, content)
    manifest.on_disk = content
    return written


def describe(photo: PhotoDetail, clause: str | None, *, location: bool) -> Entry:
    """Build the entry of a photo, without its files.

    Args:
        photo: the photo as the catalog has it now.
        clause: the name of the clause that approves it; None if it is withdrawn.
        location: whether to include GPS.
    """
    capture, quality, marks = photo.capture, photo.scores, photo.marks
    taken, description = capture.taken_at, photo.description
    eyes = Counter(face.eyes for face in photo.faces or ())
    measured = photo.faces is not None
    return {
        "clause": str(clause) if clause else None,
        "project": None,
        "projects": [],
        "rating": marks.rating,
        "flag": marks.flag.value if marks.flag else None,
        "label": marks.label.value if marks.label else None,
        "match_score": None,
        "match_model": None,
        "sharpness": round(quality.sharpness, 1) if quality else None,
        "exposure": round(quality.exposure, 1) if quality else None,
        "faces": len(photo.faces or ()) if measured else None,
        "eyes_open": eyes[Eye.OPEN] if measured else None,
        "eyes_closed": eyes[Eye.CLOSED] if measured else None,
        "subject": description.subject if description else None,
        "mood": description.mood if description else None,
        "lighting": description.lighting if description else None,
        "content_type": description.content_type if description else None,
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


def compose(details: Entry, records: list[FileEntry], **how: object) -> Entry:
    """Build the entry of a photo from its parts.

    Args:
        details: from :func:`describe`.
        records: of the files in the export folder, the photo's main file first.
        how: the ``form``, ``turn``, ``names`` and ``seq`` they were written with.
    """
    first = records[0]
    where = {"original_path": first["original_path"]} if "original_path" in first else {}
    return {
        "filename": first["filename"],
        **where,
        "sha256": first["sha256"],
        **details,
        **how,
        "files": records,
    }


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """The result of writing one file: both digests, size in bytes, and size in px for a JPEG.

    The digest of the original is None if it was not read.
    """

    sha256: str
    original_sha256: str | None
    size: int
    pixels: tuple[int, int] | None = None


def record(output: OutputFile, filename: str, written: WrittenFile, *, public: bool) -> FileEntry:
    """Build the record of a written file and its original; if public, without its path."""
    source = output.source
    entry: FileEntry = {"filename": filename, "sha256": written.sha256, "size": written.size}
    if written.pixels is not None:
        entry |= {"width": written.pixels[0], "height": written.pixels[1]}
    entry["kind"] = source.kind
    if not public:
        entry["original_path"] = str(source.path)
    return entry | {
        "original_sha256": written.original_sha256,
        "original_size": source.size,
        "original_mtime_ns": source.mtime_ns,
        "fingerprint": source.fingerprint,
        **({"said": output.metadata.as_json()} if output.metadata else {}),
    }


def is_of(entry: FileEntry, source: Source) -> bool:
    """Whether a record is of this content: same fingerprint, or same path, size and time."""
    if entry.get("fingerprint") and source.fingerprint:
        return bool(entry["fingerprint"] == source.fingerprint)
    return (entry.get("original_path"), entry["original_size"], entry["original_mtime_ns"]) == (
        str(source.path),
        source.size,
        source.mtime_ns,
    )


def kind(form: str) -> str:
    """Return the kind of a rendering; an original and a JPEG of a photo are separate entries."""
    return form.partition(" ")[0]


def index(entries: list[Entry]) -> dict[tuple[str, str], Entry]:
    """Index entries by kind and the fingerprint or original path of each of their files."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        for written in entry["files"]:
            for key in (written.get("fingerprint"), written.get("original_path")):
                if key and written["kind"] != SIDECAR:
                    found[(kind(entry["form"]), key)] = entry
    return found


def find(entries: dict[tuple[str, str], Entry], form: str, photo: PhotoDetail) -> Entry | None:
    """Find the entry of a photo by its main file, then its other half; content before path."""
    halves = [photo.files[0], *(file for file in photo.files[1:] if file.role == "half")]
    keys = [(form, file.fingerprint) for file in halves if file.fingerprint]
    keys += [(form, str(file.path)) for file in halves]
    return next((entries[key] for key in keys if key in entries), None)
