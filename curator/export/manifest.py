"""``photos.json``: what was exported, from where, and why; the memory of an export folder.

The file is an object with ``photos`` and ``withdrawn``, one entry a photo, described by
``resources/photos.schema.json``. Entries are plain dictionaries here, because a newer Curator's
extra fields must survive a run of this one. The file is written only when its bytes change, so
that running an export twice leaves even its time stamp alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.catalog import FileDetail, PhotoDetail
from curator.model import Clause, KnownError

NAME = "photos.json"
VERSION = 1

Entry = dict[str, Any]
FileEntry = dict[str, Any]


@dataclass
class Manifest:
    """The entries of one export folder, oldest first.

    Entries are told apart by identity, not by comparing them: 10,000 are compared with 10,000
    in minutes.
    """

    photos: list[Entry] = field(default_factory=list)
    withdrawn: list[Entry] = field(default_factory=list)
    _dropped: set[int] = field(default_factory=set)

    def names(self) -> set[str]:
        """Return the file names that belong to an entry, folded for comparison."""
        return {
            record["filename"].casefold()
            for entry in (*self.photos, *self.withdrawn)
            for record in entry["files"]
        }

    def drop(self, entry: Entry) -> None:
        """Take an entry out of the list that holds it."""
        self._dropped.add(id(entry))

    def holds(self, entry: Entry) -> bool:
        """Say whether an entry read from the file is still in its list."""
        return id(entry) not in self._dropped

    def rendered(self) -> bytes:
        """Return the file's content; the same entries always give the same bytes."""
        content = {
            "version": VERSION,
            "photos": [entry for entry in self.photos if self.holds(entry)],
            "withdrawn": [entry for entry in self.withdrawn if self.holds(entry)],
        }
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def load(folder: Path) -> Manifest:
    """Read the manifest of an export folder; an empty one if the folder has none.

    Raises:
        KnownError: the file is there and is not one that Curator wrote; it stays as it is.
    """
    path = folder / NAME
    remedy = "Choose another folder, or move that file away."
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise KnownError(f"{path} cannot be read ({error.strerror or error}).", remedy) from error
    except ValueError as error:
        raise KnownError(f"{path} is no manifest of Curator.", remedy) from error
    try:
        if content["version"] > VERSION:
            raise KnownError(f"{path} was written by a newer Curator.", "Update Curator.")
        found = Manifest(list(content["photos"]), list(content["withdrawn"]))
        found.names()
    except (KeyError, TypeError, AttributeError) as error:
        raise KnownError(f"{path} is no manifest of Curator.", remedy) from error
    return found


def save(manifest: Manifest, folder: Path) -> bool:
    """Write the manifest through a temporary file; say whether anything had to change.

    Raises:
        OSError: the folder cannot be written; the old manifest stays.
    """
    path, content = folder / NAME, manifest.rendered()
    if path.exists() and path.read_bytes() == content:
        return False
    if not path.exists() and not (manifest.photos or manifest.withdrawn):
        return False
    temporary = folder / f".curator-{NAME}.part"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def describe(photo: PhotoDetail, clause: Clause | None, *, location: bool) -> Entry:
    """Say everything of a photo that an entry holds, except which files were written.

    Args:
        photo: as the catalog has it now.
        clause: which sentence of the approval rule let it out; None once withdrawn.
        location: whether GPS may leave the house.
    """
    capture, quality, marks = photo.capture, photo.quality, photo.marks
    taken = capture.taken_at
    return {
        "clause": clause.value if clause else None,
        "project": None,
        "rating": marks.rating,
        "flag": marks.flag.value if marks.flag else None,
        "label": marks.label.value if marks.label else None,
        "match_score": None,
        "match_model": None,
        "sharpness": _round(quality.sharpness if quality else None, 1),
        "exposure": _round(quality.exposure if quality else None, 1),
        "subject": None,
        "mood": None,
        "lighting": None,
        "content_type": None,
        "tags": [],
        "capture": {
            "taken_at": taken.isoformat() if taken else None,
            **capture.facts(),
            **({} if location else {"latitude": None, "longitude": None}),
        },
    }


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def compose(photo: PhotoDetail, told: Entry, form: str, records: list[FileEntry]) -> Entry:
    """Put an entry together; the first record is the photo's main file."""
    first = records[0]
    return {
        "filename": first["filename"],
        "original_path": first["original_path"],
        "sha256": first["sha256"],
        "form": form,
        **told,
        "turn": photo.turn,
        "files": records,
    }


def record(file: FileDetail, filename: str, written: tuple[str, str, os.stat_result]) -> FileEntry:
    """Describe one written file and the original it came from.

    Args:
        file: the original, as the catalog knows it.
        filename: its name in the export folder.
        written: sha256 of the exported bytes, sha256 of the original's, stat of the exported file.
    """
    sha256, original_sha256, status = written
    return {
        "filename": filename,
        "sha256": sha256,
        "size": status.st_size,
        "kind": str(file.kind),
        "original_path": str(file.path),
        "original_sha256": original_sha256,
        "original_size": file.size,
        "original_mtime_ns": file.mtime_ns,
        "fingerprint": file.fingerprint,
    }


def lookup(entries: list[Entry]) -> dict[tuple[str, str], Entry]:
    """Index entries by (form, fingerprint) and (form, original path) of their main file."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first = entry["files"][0]
        for key in (first.get("fingerprint"), first.get("original_path")):
            if key:
                found[(entry["form"], key)] = entry
    return found


def find(index: dict[tuple[str, str], Entry], form: str, file: FileDetail) -> Entry | None:
    """Find the entry of a photo by its main file: by content first, then by path."""
    if file.fingerprint and (form, file.fingerprint) in index:
        return index[(form, file.fingerprint)]
    return index.get((form, str(file.path)))
