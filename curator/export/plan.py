"""Planning an export before anything is written: which photos, which names, how many bytes.

The plan reads the catalog's photos, the target folder's manifest and its file names; it writes
nothing. Names are allocated in display order, so the same photos in the same folder always get the
same names. An exported photo keeps its name until the template changes.
"""

from __future__ import annotations

import math
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from curator import naming
from curator.catalog import PhotoDetail
from curator.export import manifest, target_folder
from curator.export.location_removal import MISSING
from curator.export.manifest import Entry, FileEntry, Manifest
from curator.export.name_allocator import FileAction, NameAllocator
from curator.export.options import Options
from curator.export.sources import SIDECAR, OutputFile, SidecarFinder, output_files
from curator.export.target_folder import Originals
from curator.model import KnownError
from curator.opened_folder import OpenedFolder
from curator.sidecar import SidecarMetadata

NOT_APPROVED = "It is not approved."


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file planned for the export folder; ``known`` is its record from an earlier run."""

    output: OutputFile
    name: str
    action: FileAction
    known: FileEntry | None = None


@dataclass(frozen=True, slots=True)
class PlannedPhoto:
    """One photo to export; ``entry`` is its manifest entry, if it was exported before.

    ``clause`` approves it. ``seq`` is its number, if the template has one.
    """

    photo: PhotoDetail
    clause: str
    files: tuple[PlannedFile, ...]
    entry: Entry | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An approved photo that cannot be exported now, and why."""

    path: str
    reason: str


@dataclass
class Plan:
    """What an export will do; making a plan changes nothing.

    ``approved`` counts photos by clause, also of clauses that are not exported. ``chosen`` are the
    photos to export. ``refreshed`` are entries of approved photos, whose marks are updated.
    ``not_approved`` are entries of photos no longer approved, and ``not_in_project`` of photos
    removed from the exported project; both are withdrawn, their files stay. ``edited`` are exported
    files that another program changed. ``originals`` are the folders that the export must not
    write to.
    """

    options: Options
    manifest: Manifest
    originals: Originals
    approved: Counter[str] = field(default_factory=Counter)
    chosen: list[PlannedPhoto] = field(default_factory=list)
    refreshed: list[tuple[Entry, PhotoDetail, str]] = field(default_factory=list)
    not_approved: list[tuple[Entry, PhotoDetail]] = field(default_factory=list)
    not_in_project: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)

    def files(self) -> Iterator[PlannedFile]:
        """Yield the planned files of all photos."""
        for chosen in self.chosen:
            yield from chosen.files

    def withdrawn(self) -> list[Entry]:
        """Return the entries that will be withdrawn."""
        return [*(entry for entry, _ in self.not_approved), *self.not_in_project]

    def describe(self, photo: PhotoDetail, clause: str | None) -> Entry:
        """Build the manifest entry of a photo, without its files."""
        options = self.options
        score = options.scores.get(photo.id)
        details = manifest.describe(photo, clause, location=options.location)
        if options.public and options.metadata_kept == "none":
            details["capture"] = dict.fromkeys(details["capture"])
        own = [options.project] if options.project else []
        projects = own if options.public else list(options.projects.get(photo.id, own))
        return details | {
            "project": options.project or next(iter(projects), None),
            "projects": projects,
            "match_score": score,
            "match_model": options.match_model if score is not None else None,
        }

    @property
    def located(self) -> int:
        """The number of exported photos that include a location, as far as their GPS is known."""
        return self.options.location * sum(
            chosen.photo.capture.latitude is not None for chosen in self.chosen
        )

    @property
    def bytes_to_write(self) -> int:
        """The bytes to write; for JPEGs estimated by `curator.export.size_estimates`."""
        writes = (FileAction.WRITE, FileAction.REPLACE)
        return sum(item.output.size for item in self.files() if item.action in writes)

    def summary(self) -> dict[str, object]:
        """Return the plan in numbers and names, for the dry run and the dialog."""
        actions = Counter(item.action for item in self.files())
        return {
            "folder": str(self.options.folder),
            "target": self.options.target,
            "approved": {clause: self.approved[clause] for clause in self.options.rule},
            "photos": len(self.chosen),
            "files": actions.total(),
            "new_files": actions[FileAction.WRITE] + actions[FileAction.ADOPT],
            "changed_files": actions[FileAction.REPLACE] + actions[FileAction.RENAME],
            "unchanged_files": actions[FileAction.KEEP],
            "names": [item.name for item in self.files()],
            "bytes": self.bytes_to_write,
            "metadata": self.options.metadata_kept,
            "photos_with_location": self.located,
            "withdrawn": [entry["filename"] for entry in self.withdrawn()],
            "edited": self.edited,
            "skipped": [{"path": skip.path, "reason": skip.reason} for skip in self.skipped],
        }


Candidate = tuple[PhotoDetail, str, Entry | None]
"""A photo to export, the clause that approves it, and its entry if it was exported before."""

PlanFiles = Callable[[Plan, Sequence[Candidate], OpenedFolder | None], None]
"""Plans the files of the photos to export; gets the target, None if it does not exist yet."""


@dataclass
class ExportReport:
    """What an export did. ``failed`` photos are listed and do not stop the export."""

    folder: Path
    photos: int = 0
    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    withdrawn: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    failed: list[Skipped] = field(default_factory=list)
    bytes: int = 0
    cancelled: bool = False

    def summary(self) -> dict[str, object]:
        """Return the report in numbers and names, for ``--json``."""
        return {
            "folder": str(self.folder),
            "manifest": str(self.folder / manifest.NAME),
            "photos": self.photos,
            "written": self.written,
            "unchanged_files": self.unchanged,
            "withdrawn": self.withdrawn,
            "edited": self.edited,
            "failed": [{"path": skip.path, "reason": skip.reason} for skip in self.failed],
            "bytes": self.bytes,
            "cancelled": self.cancelled,
        }


def make_plan(photos: Iterable[PhotoDetail], options: Options, plan_files: PlanFiles) -> Plan:
    """Plan an export.

    Args:
        photos: the photos to export from, approved or not: exported photos that are no longer
            approved will be withdrawn.
        options: the options, adapted by the target.
        plan_files: plans the files of the photos to export.

    Raises:
        KnownError: the target is inside a source folder, is not a folder, is on a drive that is
            disconnected or does not answer, or contains a ``photos.json`` that Curator did not
            write or that belongs to another target. Or the template is invalid, or the location
            should be removed from originals but exiftool is missing.
    """
    naming.check(options.names)
    if options.removes_location and not options.exiftool:
        raise MISSING
    ordered = _in_order((photo for photo in photos if photo.files), options)
    originals = Originals.of(options, ordered)
    with target_folder.open_to_plan(options.folder, originals) as folder:
        plan = Plan(options, _load(options, folder), originals)
        plan_files(plan, _select(plan, ordered), folder)
    return plan


def _load(options: Options, folder: OpenedFolder | None) -> Manifest:
    found = Manifest() if folder is None else manifest.load(folder)
    if not (found.photos or found.withdrawn):
        found.target = options.target
    if found.target != options.target:
        raise KnownError(
            f"{options.folder} contains another kind of export ({found.target}).",
            "Choose another folder.",
        )
    return found


def _in_order(photos: Iterable[PhotoDetail], options: Options) -> list[PhotoDetail]:
    """Return photos in manual order, else by capture time; photos without a time come last."""
    by_hand = {photo: at for at, photo in enumerate(options.order)}

    def position(photo: PhotoDetail) -> tuple[float, datetime, str]:
        taken = photo.capture.taken_at or datetime.max
        return by_hand.get(photo.id, math.inf), taken, str(photo.files[0].path)

    return sorted(photos, key=position)


def _select(plan: Plan, ordered: list[PhotoDetail]) -> list[Candidate]:
    """Record which entries stay or are withdrawn; return the photos to export."""
    options = plan.options
    listed = manifest.index(plan.manifest.photos)
    withdrawn = manifest.index(plan.manifest.withdrawn)
    kinds = {kind for kind, _ in listed}
    candidates: list[Candidate] = []
    own = manifest.kind(options.rendering)
    for photo in ordered:
        clause = options.clause_of(photo)
        for kind in kinds:
            entry = manifest.find(listed, kind, photo)
            if entry is not None and clause is None:
                plan.not_approved.append((entry, photo))
            elif entry is not None and clause is not None:
                plan.refreshed.append((entry, photo, clause))
        if clause is None:
            if options.partial:  # it was chosen individually
                plan.skipped.append(Skipped(str(photo.files[0].path), NOT_APPROVED))
            continue
        plan.approved[clause] += 1
        if options.exports(clause):
            entry = manifest.find(listed, own, photo) or manifest.find(withdrawn, own, photo)
            candidates.append((photo, clause, entry))
    if options.project and not options.partial:
        here = {id(entry) for entry, *_ in (*plan.not_approved, *plan.refreshed)}
        plan.not_in_project = [
            entry
            for entry in plan.manifest.photos
            if entry["project"] == options.project and id(entry) not in here
        ]
    return candidates


Versions = list[tuple[OutputFile, FileEntry | None]]
"""The files of a photo to export, each with its record from an earlier run."""


def plan_files(plan: Plan, candidates: Sequence[Candidate], folder: OpenedFolder | None) -> None:
    """Plan the copies or JPEGs of the photos to export."""
    planner = _Planner(plan, len(candidates), folder)
    for photo, clause, entry in candidates:
        planner.add(photo, clause, entry)


class _Planner:
    """Plans the files of each photo to export."""

    def __init__(self, plan: Plan, number: int, folder: OpenedFolder | None) -> None:
        self._plan, self._options, self._folder = plan, plan.options, folder
        self._allocator = NameAllocator(plan.options, plan.manifest, folder)
        self._sidecars = SidecarFinder()
        entries = (*plan.manifest.photos, *plan.manifest.withdrawn)
        self._last_seq = max((entry.get("seq") or 0 for entry in entries), default=0)
        self._seq_digits = max(3, len(str(self._last_seq + number)))

    def add(self, photo: PhotoDetail, clause: str, entry: Entry | None) -> None:
        """Add a photo and its files to the plan; files that cannot be reached are skipped."""
        outputs = output_files(photo, self._options, self._sidecars)
        versions = self._reachable(_versions(outputs, entry, self._options), entry, photo)
        if not versions:
            return
        seq = self._seq(entry)
        names = self._names(photo, versions, entry, seq)
        files = [
            PlannedFile(output, named[0], self._action(output, old, named, entry, photo), old)
            for (output, old), named in zip(versions, names, strict=True)
        ]
        self._plan.chosen.append(PlannedPhoto(photo, clause, tuple(files), entry, seq))

    def _seq(self, entry: Entry | None) -> int | None:
        """Return a photo's number; it keeps its number when others are inserted before it."""
        if not naming.uses(self._options.names, "seq"):
            return None
        if entry is not None and entry.get("seq"):
            return int(entry["seq"])
        self._last_seq += 1
        return self._last_seq

    def _reachable(self, versions: Versions, entry: Entry | None, photo: PhotoDetail) -> Versions:
        """Drop files to write whose original is missing now, and list them as skipped."""
        reachable: Versions = []
        missing: set[str] = set()
        for output, old in versions:
            if output.source.missing and not self._is_current(output, old, entry, photo):
                missing.add(str(output.source.path))
            else:
                reachable.append((output, old))
        self._plan.skipped += [
            Skipped(path, "The original cannot be reached.") for path in sorted(missing)
        ]
        return reachable

    def _is_current(
        self, output: OutputFile, old: FileEntry | None, entry: Entry | None, photo: PhotoDetail
    ) -> bool:
        """Whether a recorded file has the content to write now; it may be renamed or gone."""
        if old is None or entry is None or not manifest.is_of(old, output.source):
            return False
        if entry["form"] != self._options.rendering:
            return False
        metadata = SidecarMetadata.from_json(old.get("said", {}))
        return output.edge is None or (
            entry["turn"] == photo.turn and metadata == (output.metadata or SidecarMetadata())
        )

    def _names(
        self, photo: PhotoDetail, versions: Versions, entry: Entry | None, seq: int | None
    ) -> list[tuple[str, FileAction]]:
        """Name the files; an exported photo keeps its names until the template changes."""
        template = self._options.names
        outputs = [output for output, _ in versions]
        facts = naming.Facts(
            outputs[0].source.path.stem,
            photo.capture.taken_at,
            seq or 1,
            self._seq_digits,
            photo.marks.rating,
            self._options.project,
            photo.capture.camera,
        )
        stem = naming.stem(template, facts)
        if entry is None or entry.get("names", naming.PLAIN) != template:
            own = [old["filename"] if old else None for _, old in versions]
            return self._allocator.allocate(stem, outputs, own)
        for output, old in versions:  # a new file takes the same stem with its own ending
            ending = naming.safe_ending(output.ending)
            if old is not None and old["filename"].endswith(ending):
                stem = Path(old["filename"].removesuffix(ending)).name
                break
        new = [output for output, old in versions if old is None]
        allocated = iter(self._allocator.allocate(stem, new) if new else ())
        return [
            (old["filename"], FileAction.KEEP) if old else next(allocated) for _, old in versions
        ]

    def _action(
        self,
        output: OutputFile,
        old: FileEntry | None,
        named: tuple[str, FileAction],
        entry: Entry | None,
        photo: PhotoDetail,
    ) -> FileAction:
        """Return what to do with a file: keep, replace or rename the one of an earlier run."""
        name, action = named
        if old is None:
            return action
        current = self._is_current(output, old, entry, photo)
        size = self._size_on_disk(old["filename"])
        if size is None:
            return FileAction.WRITE if current else FileAction.REPLACE
        if size != old["size"]:
            self._plan.edited.append(old["filename"])
        if not current:
            return FileAction.REPLACE
        if name == old["filename"]:
            return FileAction.KEEP
        return FileAction.ADOPT if action is FileAction.ADOPT else FileAction.RENAME

    def _size_on_disk(self, name: str) -> int | None:
        """Return the size of an exported file; None if it does not exist or is a link."""
        try:
            status = None if self._folder is None else self._folder.status(name)
        except (KnownError, OSError):
            return None
        return status.st_size if status and stat.S_ISREG(status.st_mode) else None


def _versions(outputs: list[OutputFile], entry: Entry | None, options: Options) -> Versions:
    """Pair each file with its record from an earlier run.

    A copy is recognized by its content: an older version must not be replaced, as it may be the
    last one. A JPEG or a sidecar can be made again: a JPEG is recognized by its position in the
    entry, a sidecar by its path.
    """
    records: list[FileEntry] = [dict(record) for record in entry["files"]] if entry else []
    if options.jpeg_edges:
        return list(zip_longest(outputs, records[: len(outputs)]))
    found: Versions = []
    for output in outputs:
        if output.source.kind == SIDECAR:
            ending = naming.safe_ending(output.ending)
            matching = [
                old
                for old in records
                if old["kind"] == SIDECAR
                and old.get("original_path") == str(output.source.path)
                and old["filename"].endswith(ending)
            ]
        else:
            matching = [old for old in records if manifest.is_of(old, output.source)]
        found.append((output, matching[0] if matching else None))
    return found
