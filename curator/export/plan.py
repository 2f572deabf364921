"""Planning an export before anything is written: which photos, which names, how many bytes.

The plan reads the catalog's photos, the target folder's manifest and its file names; it writes
nothing. Names are allocated in display order, so the same scope in the same folder always gets the
same names. An exported photo keeps its name until the template changes.
"""

from __future__ import annotations

import math
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from curator.catalog import PhotoDetail
from curator.export import manifest, naming, target_folder
from curator.export.location_removal import MISSING
from curator.export.manifest import Entry, FileEntry, Manifest
from curator.export.name_allocator import FileAction, NameAllocator
from curator.export.options import Options
from curator.export.sources import SIDECAR, OutputFile, SidecarFinder, main_file, output_files
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
    """One photo to export; ``entry`` is its manifest entry, if it was exported before."""

    photo: PhotoDetail
    clause: str
    items: tuple[PlannedFile, ...]
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

    ``approved`` counts photos by clause, selected or not. ``leaving`` are entries of photos that
    are no longer approved, ``gone`` of photos removed from the exported project; their files stay.
    ``edited`` are exported files that another program changed. ``originals`` are the folders that
    the export must not write to.
    """

    options: Options
    manifest: Manifest
    originals: Originals
    approved: Counter[str] = field(default_factory=Counter)
    chosen: list[PlannedPhoto] = field(default_factory=list)
    refreshed: list[tuple[Entry, PhotoDetail, str]] = field(default_factory=list)
    leaving: list[tuple[Entry, PhotoDetail]] = field(default_factory=list)
    gone: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)

    def items(self) -> Iterator[PlannedFile]:
        """Yield the planned files of all photos."""
        for chosen in self.chosen:
            yield from chosen.items

    def describe(self, photo: PhotoDetail, clause: str | None) -> Entry:
        """Build the manifest entry of a photo, without its files."""
        options = self.options
        score = options.scores.get(photo.id)
        details = manifest.describe(photo, clause, location=options.location)
        if options.private and options.metadata_kept == "none":
            details["capture"] = dict.fromkeys(details["capture"])
        own = [options.project] if options.project else []
        projects = own if options.private else list(options.projects.get(photo.id, own))
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
        return sum(item.output.size_bytes for item in self.items() if item.action in writes)

    def summary(self) -> dict[str, object]:
        """Return the plan in numbers and names, for the dry run and the dialog."""
        acts = Counter(item.action for item in self.items())
        return {
            "folder": str(self.options.folder),
            "target": self.options.target,
            "approved": {clause: self.approved[clause] for clause in self.options.rule},
            "photos": len(self.chosen),
            "files": acts.total(),
            "new_files": acts[FileAction.WRITE] + acts[FileAction.ADOPT],
            "changed_files": acts[FileAction.REPLACE] + acts[FileAction.RENAME],
            "unchanged_files": acts[FileAction.KEEP],
            "names": [item.name for item in self.items()],
            "bytes": self.bytes_to_write,
            "metadata": self.options.metadata_kept,
            "photos_with_location": self.located,
            "withdrawn": [
                entry["filename"] for entry in (*(entry for entry, _ in self.leaving), *self.gone)
            ],
            "edited": self.edited,
            "skipped": [{"path": skip.path, "reason": skip.reason} for skip in self.skipped],
        }


Candidate = tuple[PhotoDetail, str, Entry | None]
"""A photo to export, the clause that approves it, and its entry if it was exported before."""

Choose = Callable[[Plan, Sequence[Candidate], OpenedFolder | None], None]
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


def make_plan(
    photos: Iterable[PhotoDetail],
    options: Options,
    choose: Choose,
) -> Plan:
    """Plan the export of a scope.

    Args:
        photos: all photos of the scope, approved or not: exported photos that are no longer
            approved will be withdrawn.
        options: the options, adapted by the target.
        choose: plans the files of the photos to export.

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
        choose(plan, _select(plan, ordered), folder)
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
    by_hand = {photo: place for place, photo in enumerate(options.order)}
    late = datetime.max

    def place(photo: PhotoDetail) -> tuple[float, datetime, str]:
        when = photo.capture.taken_at or late
        return by_hand.get(photo.id, math.inf), when, str(main_file(photo).path)

    return sorted(photos, key=place)


def _select(plan: Plan, ordered: list[PhotoDetail]) -> list[Candidate]:
    """Record which entries stay or are withdrawn; return the photos to export."""
    options = plan.options
    standing = manifest.lookup(plan.manifest.photos)
    returned = manifest.lookup(plan.manifest.withdrawn)
    kinds = {kind for kind, _ in standing}
    going: list[Candidate] = []
    own = manifest.kind(options.rendering)
    for photo in ordered:
        clause = options.clause_of(photo)
        for kind in kinds:
            entry = manifest.find(standing, kind, photo)
            if entry is not None and clause is None:
                plan.leaving.append((entry, photo))
            elif entry is not None and clause is not None:
                plan.refreshed.append((entry, photo, clause))
        if clause is None:
            if options.partial:  # it was chosen individually
                plan.skipped.append(Skipped(str(main_file(photo).path), NOT_APPROVED))
            continue
        plan.approved[clause] += 1
        if options.takes(clause):
            entry = manifest.find(standing, own, photo) or manifest.find(returned, own, photo)
            going.append((photo, clause, entry))
    if options.project and not options.partial:
        here = {id(entry) for entry, *_ in (*plan.leaving, *plan.refreshed)}
        plan.gone = [
            entry
            for entry in plan.manifest.photos
            if entry["project"] == options.project and id(entry) not in here
        ]
    return going


def choose(plan: Plan, going: Sequence[Candidate], folder: OpenedFolder | None) -> None:
    """Plan the copies or JPEGs of the photos to export."""
    _Planner(plan, len(going), folder).choose(going)


class _Planner:
    """Plans the files of each photo to export."""

    def __init__(self, plan: Plan, number: int, folder: OpenedFolder | None) -> None:
        self._plan, self._options, self._folder = plan, plan.options, folder
        self._allocator = NameAllocator(plan.options, plan.manifest, folder)
        self._sidecars = SidecarFinder()
        entries = (*plan.manifest.photos, *plan.manifest.withdrawn)
        self._counts = "{seq}" in plan.options.names
        self._last = max((entry.get("seq") or 0 for entry in entries), default=0)
        self._digits = max(3, len(str(self._last + number)))

    def choose(self, going: Sequence[Candidate]) -> None:
        """Add the files of the photos to the plan."""
        for photo, clause, entry in going:
            outputs = output_files(photo, self._options, self._sidecars)
            known = _known(outputs, entry, self._options)
            outputs, known = self._keep_existing(photo, outputs, known, entry)
            if not outputs:
                continue
            seq = self._seq(entry)
            items = self._items(photo, outputs, known, entry, seq)
            self._plan.chosen.append(PlannedPhoto(photo, clause, tuple(items), entry, seq))

    def _seq(self, entry: Entry | None) -> int | None:
        """Return a photo's number; it keeps its number when others are inserted before it."""
        if not self._counts:
            return None
        if entry is not None and entry.get("seq"):
            return int(entry["seq"])
        self._last += 1
        return self._last

    def _keep_existing(
        self,
        photo: PhotoDetail,
        outputs: list[OutputFile],
        known: list[FileEntry | None],
        entry: Entry | None,
    ) -> tuple[list[OutputFile], list[FileEntry | None]]:
        """Drop files whose original is missing now, and list them as skipped."""
        kept: list[tuple[OutputFile, FileEntry | None]] = []
        away: set[str] = set()
        for output, old in zip(outputs, known, strict=True):
            if output.source.missing and (
                old is None or not self._is_current(output, old, entry, photo)
            ):
                away.add(str(output.source.path))
            else:
                kept.append((output, old))
        self._plan.skipped += [
            Skipped(path, "The original cannot be reached.") for path in sorted(away)
        ]
        return [output for output, _ in kept], [old for _, old in kept]

    def _is_current(
        self, output: OutputFile, old: FileEntry, entry: Entry | None, photo: PhotoDetail
    ) -> bool:
        """Whether an exported file is what this export would write."""
        if not manifest.is_of(old, output.source):
            return False
        if entry is None:
            return True
        if output.edge is None:
            return bool(entry["form"] == self._options.rendering)
        same = entry["form"] == self._options.rendering and entry["turn"] == photo.turn
        return bool(
            same
            and SidecarMetadata.from_json(old.get("said", {}))
            == (output.metadata or SidecarMetadata())
        )

    def _items(
        self,
        photo: PhotoDetail,
        outputs: list[OutputFile],
        known: list[FileEntry | None],
        entry: Entry | None,
        seq: int | None,
    ) -> list[PlannedFile]:
        template = self._options.names
        stem = naming.stem(template, self._facts(photo, outputs[0], seq))
        if entry is not None and entry.get("names", naming.PLAIN) == template:
            names = self._kept_names(stem, outputs, known)
        else:
            own = [old["filename"] if old else None for old in known]
            names = self._allocator.allocate(stem, outputs, own)
        items = []
        for output, old, (name, act) in zip(outputs, known, names, strict=True):
            if old is None:
                items.append(PlannedFile(output, name, act))
            else:
                items.append(self._rewrite(PlannedFile(output, name, act, old), entry, photo))
        return items

    def _kept_names(
        self, stem: str, outputs: list[OutputFile], known: list[FileEntry | None]
    ) -> list[tuple[str, FileAction]]:
        """Keep the names a photo has; a new file takes the same stem with its own ending."""
        fresh = [output for output, old in zip(outputs, known, strict=True) if old is None]
        for output, old in zip(outputs, known, strict=True):
            ending = naming.safe_ending(output.ending)
            if old is not None and old["filename"].endswith(ending):
                stem = Path(old["filename"].removesuffix(ending)).name
                break
        claimed = iter(self._allocator.allocate(stem, fresh) if fresh else ())
        return [(old["filename"], FileAction.KEEP) if old else next(claimed) for old in known]

    def _facts(self, photo: PhotoDetail, output: OutputFile, seq: int | None) -> naming.Facts:
        return naming.Facts(
            Path(output.source.path).stem,
            photo.capture.taken_at,
            seq or 1,
            self._digits,
            photo.marks.rating,
            self._options.project,
            photo.capture.camera,
        )

    def _rewrite(self, item: PlannedFile, entry: Entry | None, photo: PhotoDetail) -> PlannedFile:
        """Plan a file that an earlier run wrote: keep, replace or rename it."""
        old = item.known
        assert old is not None
        fresh = self._is_current(item.output, old, entry, photo)
        size = self._size(old["filename"])
        if size is None:
            return PlannedFile(
                item.output, item.name, FileAction.WRITE if fresh else FileAction.REPLACE, old
            )
        if size != old["size"]:
            self._plan.edited.append(old["filename"])
        if not fresh:
            return PlannedFile(item.output, item.name, FileAction.REPLACE, old)
        if item.name != old["filename"]:
            act = FileAction.ADOPT if item.action is FileAction.ADOPT else FileAction.RENAME
            return PlannedFile(item.output, item.name, act, old)
        return PlannedFile(item.output, item.name, FileAction.KEEP, old)

    def _size(self, name: str) -> int | None:
        """Return the size of an exported file; None if it does not exist or is a link."""
        try:
            status = None if self._folder is None else self._folder.status(name)
        except (KnownError, OSError):
            return None
        return status.st_size if status and stat.S_ISREG(status.st_mode) else None


def _known(
    outputs: list[OutputFile], entry: Entry | None, options: Options
) -> list[FileEntry | None]:
    """Return the record of an earlier run for each file.

    A copy is recognized by its content: an older version must not be replaced, as it may be the
    last one. A JPEG or a sidecar can be made again, so it is recognized by its place.
    """
    if entry is None:
        return [None] * len(outputs)
    records = [dict(record) for record in entry["files"]]
    if options.rendered:
        return [records[at] if at < len(records) else None for at in range(len(outputs))]
    found: list[FileEntry | None] = []
    for output in outputs:
        of_it = (old for old in records if manifest.is_of(old, output.source))
        if output.source.kind == SIDECAR:
            ending = naming.safe_ending(output.ending)
            of_it = (
                old
                for old in records
                if old["kind"] == SIDECAR
                and (old.get("original_path") == str(output.source.path))
                and old["filename"].endswith(ending)
            )
        found.append(next(of_it, None))
    return found
