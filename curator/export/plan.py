"""What an export would do, before it does anything: who is approved, which names, how much.

The plan reads the catalog's photos, the target folder's manifest and its list of names, and
writes nothing. Names are settled in the order of the originals' paths, so the same scope into the
same folder always gives the same names.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from curator.catalog import FileDetail, PhotoDetail
from curator.export import manifest
from curator.export.manifest import Entry, FileEntry, Manifest
from curator.model import Clause, KnownError, approval

INTENT = ".curator-export.json"  # names an unfinished run was writing; gone when it is done


@dataclass(frozen=True, slots=True)
class Options:
    """What to export and how.

    ``approve`` names the clauses that are ticked. ``form`` ``"jpeg"`` makes sRGB JPEGs of
    ``long_edge_px`` at most, never enlarged. ``sources`` are the folders that are read with their
    subfolders: no export may land inside one. ``location`` says whether GPS may be in the manifest.
    ``scores`` are match scores by photo id, ``match_model`` whose they are.
    """

    folder: Path
    approve: frozenset[Clause] = frozenset(Clause)
    form: Literal["original", "jpeg"] = "original"
    long_edge_px: int = 2560
    jpeg_quality: int = 92
    threshold: int = 70
    location: bool = True
    sources: tuple[Path, ...] = ()
    scores: Mapping[int, int] = field(default_factory=dict)
    match_model: str | None = None

    def describe(self, photo: PhotoDetail, clause: Clause | None) -> Entry:
        """Say of a photo what the manifest holds, except which files were written."""
        score = self.scores.get(photo.id)
        told = manifest.describe(photo, clause, location=self.location)
        return told | {
            "match_score": score,
            "match_model": self.match_model if score is not None else None,
        }

    @property
    def rendering(self) -> str:
        """The form as the manifest names it: two renderings of one photo are two entries."""
        if self.form == "original":
            return "original"
        return f"jpeg {self.long_edge_px} px q{self.jpeg_quality}"


class Act(StrEnum):
    """What happens to one file of the export folder."""

    WRITE = "write"
    KEEP = "keep"
    ADOPT = "adopt"  # an unfinished run may have written it: compare, and write if it differs


@dataclass(frozen=True, slots=True)
class Item:
    """One file to have in the export folder; ``known`` is its record from an earlier run."""

    file: FileDetail
    name: str
    act: Act
    known: FileEntry | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """One photo that goes out; ``entry`` is the manifest's, if it went out before."""

    photo: PhotoDetail
    clause: Clause
    items: tuple[Item, ...]
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo that is approved and cannot go out now, and why."""

    path: str
    reason: str


@dataclass
class Plan:
    """What would happen; changes nothing by being made.

    ``approved`` counts photos by clause, ticked or not. ``leaving`` are entries whose photo is no
    longer approved; their files stay. ``edited`` are exported files that another program changed.
    """

    options: Options
    manifest: Manifest
    approved: Counter[Clause] = field(default_factory=Counter)
    chosen: list[Chosen] = field(default_factory=list)
    refreshed: list[tuple[Entry, PhotoDetail, Clause]] = field(default_factory=list)
    leaving: list[tuple[Entry, PhotoDetail]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)

    def items(self) -> Iterator[Item]:
        """Go through the files of every chosen photo."""
        for chosen in self.chosen:
            yield from chosen.items

    @property
    def bytes_to_write(self) -> int:
        """Bytes of the originals to copy; for JPEGs a generous guess of 1 byte a pixel."""
        if self.options.form == "original":
            return sum(item.file.size for item in self.items() if item.act is Act.WRITE)
        one = self.options.long_edge_px**2 * 2 // 3
        return one * sum(item.act is Act.WRITE for item in self.items())

    def summary(self) -> dict[str, object]:
        """Say the plan in numbers and names, for the dry run and the dialog."""
        acts = Counter(item.act for item in self.items())
        return {
            "folder": str(self.options.folder),
            "approved": {clause.value: self.approved[clause] for clause in Clause},
            "photos": len(self.chosen),
            "files": acts.total(),
            "new_files": acts[Act.WRITE] + acts[Act.ADOPT],
            "unchanged_files": acts[Act.KEEP],
            "bytes": self.bytes_to_write,
            "withdrawn": [entry["filename"] for entry, _ in self.leaving],
            "edited": self.edited,
            "skipped": [{"path": skip.path, "reason": skip.reason} for skip in self.skipped],
        }


@dataclass
class Report:
    """What an export did. ``failed`` photos are named and stop nothing."""

    folder: Path
    photos: int = 0
    written: list[str] = field(default_factory=list)
    kept: int = 0
    withdrawn: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    failed: list[Skipped] = field(default_factory=list)
    bytes: int = 0
    cancelled: bool = False

    def summary(self) -> dict[str, object]:
        """Say the report in numbers and names, for ``--json``."""
        return {
            "folder": str(self.folder),
            "manifest": str(self.folder / manifest.NAME),
            "photos": self.photos,
            "written": self.written,
            "unchanged_files": self.kept,
            "withdrawn": self.withdrawn,
            "edited": self.edited,
            "failed": [{"path": skip.path, "reason": skip.reason} for skip in self.failed],
            "bytes": self.bytes,
            "cancelled": self.cancelled,
        }


def make_plan(photos: Iterable[PhotoDetail], options: Options) -> Plan:
    """Say what exporting a scope would do.

    Args:
        photos: every photo of the scope, approved or not: one that went out and is no longer
            approved has to be known to be withdrawn.
        options: what and how.

    Raises:
        KnownError: the target lies inside a source folder, is no folder, or holds a
            ``photos.json`` that Curator did not write.
    """
    ordered = sorted(photos, key=lambda photo: str(_main(photo).path) if photo.files else "")
    _refuse_sources(options, ordered)
    plan = Plan(options, manifest.load(options.folder))
    standing = manifest.lookup(plan.manifest.photos)
    returned = manifest.lookup(plan.manifest.withdrawn)
    forms = {form for form, _ in standing}
    names = _Names(options, plan.manifest)
    for photo in ordered:
        if not photo.files:
            continue
        clause = approval(photo.marks, options.scores.get(photo.id), options.threshold)
        for form in forms:
            entry = manifest.find(standing, form, _main(photo))
            if entry is not None and clause is None:
                plan.leaving.append((entry, photo))
            elif entry is not None and clause is not None:
                plan.refreshed.append((entry, photo, clause))
        if clause is None:
            continue
        plan.approved[clause] += 1
        if clause in options.approve:
            entry = manifest.find(standing, options.rendering, _main(photo)) or manifest.find(
                returned, options.rendering, _main(photo)
            )
            _choose(plan, names, photo, clause, entry)
    return plan


def _main(photo: PhotoDetail) -> FileDetail:
    return next((file for file in photo.files if file.role == "main"), photo.files[0])


def _choose(
    plan: Plan, names: _Names, photo: PhotoDetail, clause: Clause, entry: Entry | None
) -> None:
    main = _main(photo)
    halves = [main, *(file for file in photo.files if file.role == "half" and file is not main)]
    if plan.options.form == "jpeg":
        halves = [main]
    halves = [_reachable(file, photo) for file in halves]
    known = {file.path: _known(file, entry) for file in halves}
    there: list[FileDetail] = []
    for file in halves:
        if known[file.path] is not None or not file.missing:
            there.append(file)
        else:
            plan.skipped.append(Skipped(str(file.path), "The original is not there now."))
    items = []
    fresh = names.claim([file for file in there if known[file.path] is None])
    for file in there:
        old = known[file.path]
        if old is None:
            items.append(Item(file, *next(fresh)))
        else:
            items.append(_again(plan, file, old))
    if items:
        plan.chosen.append(Chosen(photo, clause, tuple(items), entry))


def _reachable(file: FileDetail, photo: PhotoDetail) -> FileDetail:
    """Take a copy with the same content where the file itself is not there now."""
    if not file.missing:
        return file
    equal = (
        copy
        for copy in photo.files
        if copy.fingerprint and copy.fingerprint == file.fingerprint and not copy.missing
    )
    return next(equal, file)


def _known(file: FileDetail, entry: Entry | None) -> FileEntry | None:
    """Find the record of this very content: by fingerprint, or same path, size and time."""
    for old in entry["files"] if entry else ():
        if old.get("fingerprint") and file.fingerprint:
            if old["fingerprint"] == file.fingerprint:
                return dict(old)
        elif (old.get("original_path"), old["original_size"], old["original_mtime_ns"]) == (
            str(file.path),
            file.size,
            file.mtime_ns,
        ):
            return dict(old)
    return None


def _again(plan: Plan, file: FileDetail, old: FileEntry) -> Item:
    """Look at a file that an earlier run wrote: keep it, or write it again if it is gone."""
    exported = plan.options.folder / old["filename"]
    try:
        size = exported.stat().st_size
    except OSError:
        return Item(file, old["filename"], Act.WRITE)
    if size != old["size"]:
        plan.edited.append(old["filename"])
    return Item(file, old["filename"], Act.KEEP, old)


class _Names:
    """Settles file names without a clash, on file systems that fold case too."""

    def __init__(self, options: Options, known: Manifest) -> None:
        self._options = options
        self._taken = {manifest.NAME, INTENT} | known.names()
        self._disk: dict[str, os.DirEntry[str]] = {}
        try:
            with os.scandir(options.folder) as entries:
                self._disk = {entry.name.casefold(): entry for entry in entries}
        except FileNotFoundError:
            pass
        except OSError as error:
            raise KnownError(
                f"{options.folder} cannot be used ({error.strerror or error}).",
                "Choose a folder that can be written.",
            ) from error
        self._intent = read_intent(options.folder)

    def claim(self, files: list[FileDetail]) -> Iterator[tuple[str, Act]]:
        """Give the files of one photo names with one common suffix, the lowest that is free."""
        number = 1
        while True:
            names = [self._name(file, number) for file in files]
            acts = [self._act(file, name) for file, name in zip(files, names, strict=True)]
            if None not in acts:
                self._taken |= {name.casefold() for name in names}
                return iter([(n, act) for n, act in zip(names, acts, strict=True) if act])
            number += 1

    def _name(self, file: FileDetail, number: int) -> str:
        path = Path(file.path)
        ending = path.suffix if self._options.form == "original" else ".jpg"
        return f"{path.stem}{f'-{number}' if number > 1 else ''}{ending}"

    def _act(self, file: FileDetail, name: str) -> Act | None:
        folded = name.casefold()
        if folded in self._taken:
            return None
        if folded not in self._disk:
            return Act.WRITE
        if self._intent.get(name) == [str(file.path), self._options.rendering]:
            return Act.ADOPT
        same_size = self._disk[folded].stat().st_size == file.size
        return Act.ADOPT if same_size and self._options.form == "original" else None


def read_intent(folder: Path) -> dict[str, list[str]]:
    """Read which names an unfinished run was writing: name → [original path, rendering]."""
    try:
        found = json.loads((folder / INTENT).read_bytes())
    except (OSError, ValueError):  # no such run, or it ended while saying so: nothing to adopt
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_sources(options: Options, photos: list[PhotoDetail]) -> None:
    """Refuse a target in or under a folder of originals, however it is spelled or linked."""
    try:
        is_folder = stat.S_ISDIR(options.folder.stat().st_mode)
    except FileNotFoundError:
        is_folder = True  # it will be made
    except OSError as error:
        raise KnownError(
            f"{options.folder} cannot be used ({error.strerror or error}).",
            "Choose a folder that can be written.",
        ) from error
    if not is_folder:
        raise KnownError(f"{options.folder} is not a folder.", "Choose a folder for the export.")
    inside = {mark for source in options.sources if (mark := _mark(source)) is not None}
    beside = {Path(file.path).parent for photo in photos for file in photo.files}
    same = inside | {mark for folder in beside if (mark := _mark(folder)) is not None}
    resolved = options.folder.resolve()
    for folder in (resolved, *resolved.parents):
        mark = _mark(folder)
        if mark is not None and mark in (same if folder == resolved else inside):
            raise KnownError(
                f"{options.folder} lies inside {folder}, which holds originals.",
                "Choose a folder outside, so that exports are not read in as new photos.",
            )


def _mark(folder: Path) -> tuple[int, int] | None:
    """Return what identifies a folder on disk, or None if it is not there."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
