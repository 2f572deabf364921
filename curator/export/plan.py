"""What an export would do, before it does anything: who is approved, which names, how much.

The plan reads the catalog's photos, the target folder's manifest and its list of names, and
writes nothing. Names are settled in the order photos are shown in, so the same scope into the same
folder always gives the same names; a photo that went out keeps its name until the template changes.
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
    """One file to have in the export folder; ``known`` is its record from an earlier run."""

    slot: OutputFile
    name: str
    action: FileAction
    known: FileEntry | None = None


@dataclass(frozen=True, slots=True)
class PlannedPhoto:
    """One photo that goes out; ``entry`` is the manifest's, if it went out before."""

    photo: PhotoDetail
    clause: str
    items: tuple[PlannedFile, ...]
    entry: Entry | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo that is approved and cannot go out now, and why."""

    path: str
    reason: str


@dataclass
class Plan:
    """What would happen; changes nothing by being made.

    ``approved`` counts photos by clause, ticked or not. ``leaving`` are entries whose photo is no
    longer approved, ``gone`` those of a photo that was taken out of the project exported; their
    files stay. ``edited`` are exported files that another program changed. ``originals`` are the
    folders to keep out of.
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
        """Go through the files of every chosen photo."""
        for chosen in self.chosen:
            yield from chosen.items

    def describe(self, photo: PhotoDetail, clause: str | None) -> Entry:
        """Say of a photo what the manifest holds, except which files were written."""
        options = self.options
        score = options.scores.get(photo.id)
        told = manifest.describe(photo, clause, location=options.location)
        if options.private and options.kept == "none":
            told["capture"] = dict.fromkeys(told["capture"])
        own = [options.project] if options.project else []
        projects = own if options.private else list(options.projects.get(photo.id, own))
        return told | {
            "project": options.project or next(iter(projects), None),
            "projects": projects,
            "match_score": score,
            "match_model": options.match_model if score is not None else None,
        }

    @property
    def located(self) -> int:
        """Photos that go out and say where they were taken, as far as their GPS is known."""
        return self.options.location * sum(
            chosen.photo.capture.latitude is not None for chosen in self.chosen
        )

    @property
    def bytes_to_write(self) -> int:
        """Bytes of the files to copy; of JPEGs about, as `curator.export.size_estimates` tells."""
        anew = (FileAction.WRITE, FileAction.REPLACE)
        return sum(item.slot.weight for item in self.items() if item.action in anew)

    def summary(self) -> dict[str, object]:
        """Say the plan in numbers and names, for the dry run and the dialog."""
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
            "metadata": self.options.kept,
            "photos_with_location": self.located,
            "withdrawn": [
                entry["filename"] for entry in (*(entry for entry, _ in self.leaving), *self.gone)
            ],
            "edited": self.edited,
            "skipped": [{"path": skip.path, "reason": skip.reason} for skip in self.skipped],
        }


Candidate = tuple[PhotoDetail, str, Entry | None]
"""A photo that goes out, why, and its entry if it went out before."""

Choose = Callable[[Plan, Sequence[Candidate], OpenedFolder | None], None]
"""Puts the files of photos that go out into a plan; gets the target, None while it is not there."""


@dataclass
class ExportReport:
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


def make_plan(
    photos: Iterable[PhotoDetail],
    options: Options,
    choose: Choose,
) -> Plan:
    """Say what exporting a scope would do.

    Args:
        photos: every photo of the scope, approved or not: one that went out and is no longer
            approved has to be known to be withdrawn.
        options: what and how, as the target settled it.
        choose: puts the files of photos that go out into a plan.

    Raises:
        KnownError: the target lies inside a source folder, is no folder, is on a drive that is
            away or does not answer, or holds a ``photos.json`` that Curator did not write, or of
            another target; the template makes no names; location is to be removed from originals
            and exiftool is missing.
    """
    naming.check(options.names)
    if options.removes_location and not options.exiftool:
        raise MISSING
    ordered = _in_order((photo for photo in photos if photo.files), options)
    originals = Originals.of(options, ordered)
    with target_folder.open_to_plan(options.folder, originals) as folder:
        plan = Plan(options, _load(options, folder), originals)
        choose(plan, _sort_out(plan, ordered), folder)
    return plan


def _load(options: Options, folder: OpenedFolder | None) -> Manifest:
    found = Manifest() if folder is None else manifest.load(folder)
    if not (found.photos or found.withdrawn):
        found.target = options.target
    if found.target != options.target:
        raise KnownError(
            f"{options.folder} holds an export of another kind ({found.target}).",
            "Choose another folder.",
        )
    return found


def _in_order(photos: Iterable[PhotoDetail], options: Options) -> list[PhotoDetail]:
    """Put photos as the person ordered them, or by capture time; those without a time come last."""
    by_hand = {photo: place for place, photo in enumerate(options.order)}
    late = datetime.max

    def place(photo: PhotoDetail) -> tuple[float, datetime, str]:
        when = photo.capture.taken_at or late
        return by_hand.get(photo.id, math.inf), when, str(main_file(photo).path)

    return sorted(photos, key=place)


def _sort_out(plan: Plan, ordered: list[PhotoDetail]) -> list[Candidate]:
    """Say of each photo whether it stays as it went out, or leaves; give those that go out."""
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
            if options.partial:  # it was asked for by name
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
    """Put the copies, or the JPEGs, of photos that go out into a plan."""
    _Choosing(plan, len(going), folder).choose(going)


class _Choosing:
    """Settles what is done for each photo that goes out."""

    def __init__(self, plan: Plan, number: int, folder: OpenedFolder | None) -> None:
        self._plan, self._options, self._folder = plan, plan.options, folder
        self._allocator = NameAllocator(plan.options, plan.manifest, folder)
        self._sidecars = SidecarFinder()
        entries = (*plan.manifest.photos, *plan.manifest.withdrawn)
        self._counts = "{seq}" in plan.options.names
        self._last = max((entry.get("seq") or 0 for entry in entries), default=0)
        self._digits = max(3, len(str(self._last + number)))

    def choose(self, going: Sequence[Candidate]) -> None:
        """Put what goes out into the plan."""
        for photo, clause, entry in going:
            slots = output_files(photo, self._options, self._sidecars)
            known = _known(slots, entry, self._options)
            slots, known = self._there(photo, slots, known, entry)
            if not slots:
                continue
            seq = self._seq(entry)
            items = self._items(photo, slots, known, entry, seq)
            self._plan.chosen.append(PlannedPhoto(photo, clause, tuple(items), entry, seq))

    def _seq(self, entry: Entry | None) -> int | None:
        """Number a photo once: it keeps its number when others join before it."""
        if not self._counts:
            return None
        if entry is not None and entry.get("seq"):
            return int(entry["seq"])
        self._last += 1
        return self._last

    def _there(
        self,
        photo: PhotoDetail,
        slots: list[OutputFile],
        known: list[FileEntry | None],
        entry: Entry | None,
    ) -> tuple[list[OutputFile], list[FileEntry | None]]:
        """Leave out what cannot be written now because the original is away, and say so."""
        kept: list[tuple[OutputFile, FileEntry | None]] = []
        away: set[str] = set()
        for slot, old in zip(slots, known, strict=True):
            if slot.source.missing and (old is None or not self._fresh(slot, old, entry, photo)):
                away.add(str(slot.source.path))
            else:
                kept.append((slot, old))
        self._plan.skipped += [
            Skipped(path, "The original is not there now.") for path in sorted(away)
        ]
        return [slot for slot, _ in kept], [old for _, old in kept]

    def _fresh(
        self, slot: OutputFile, old: FileEntry, entry: Entry | None, photo: PhotoDetail
    ) -> bool:
        """Say whether a file is what this export would write."""
        if not manifest.is_of(old, slot.source):
            return False
        if entry is None:
            return True
        if slot.edge is None:
            return bool(entry["form"] == self._options.rendering)
        same = entry["form"] == self._options.rendering and entry["turn"] == photo.turn
        return bool(
            same
            and SidecarMetadata.from_json(old.get("said", {}))
            == (slot.metadata or SidecarMetadata())
        )

    def _items(
        self,
        photo: PhotoDetail,
        slots: list[OutputFile],
        known: list[FileEntry | None],
        entry: Entry | None,
        seq: int | None,
    ) -> list[PlannedFile]:
        template = self._options.names
        stem = naming.stem(template, self._facts(photo, slots[0], seq))
        if entry is not None and entry.get("names", naming.PLAIN) == template:
            names = self._settled(stem, slots, known)
        else:
            own = [old["filename"] if old else None for old in known]
            names = self._allocator.allocate(stem, slots, own)
        items = []
        for slot, old, (name, act) in zip(slots, known, names, strict=True):
            if old is None:
                items.append(PlannedFile(slot, name, act))
            else:
                items.append(self._again(PlannedFile(slot, name, act, old), entry, photo))
        return items

    def _settled(
        self, stem: str, slots: list[OutputFile], known: list[FileEntry | None]
    ) -> list[tuple[str, FileAction]]:
        """Keep the names a photo has; what joins it takes the same, with its own ending."""
        fresh = [slot for slot, old in zip(slots, known, strict=True) if old is None]
        for slot, old in zip(slots, known, strict=True):
            ending = naming.safe_ending(slot.ending)
            if old is not None and old["filename"].endswith(ending):
                stem = Path(old["filename"].removesuffix(ending)).name
                break
        claimed = iter(self._allocator.allocate(stem, fresh) if fresh else ())
        return [(old["filename"], FileAction.KEEP) if old else next(claimed) for old in known]

    def _facts(self, photo: PhotoDetail, slot: OutputFile, seq: int | None) -> naming.Facts:
        return naming.Facts(
            Path(slot.source.path).stem,
            photo.capture.taken_at,
            seq or 1,
            self._digits,
            photo.marks.rating,
            self._options.project,
            photo.capture.camera,
        )

    def _again(self, item: PlannedFile, entry: Entry | None, photo: PhotoDetail) -> PlannedFile:
        """Look at a file that an earlier run wrote: keep it, or have it as it should be now."""
        old = item.known
        assert old is not None
        fresh = self._fresh(item.slot, old, entry, photo)
        size = self._size(old["filename"])
        if size is None:
            return PlannedFile(
                item.slot, item.name, FileAction.WRITE if fresh else FileAction.REPLACE, old
            )
        if size != old["size"]:
            self._plan.edited.append(old["filename"])
        if not fresh:
            return PlannedFile(item.slot, item.name, FileAction.REPLACE, old)
        if item.name != old["filename"]:
            act = FileAction.ADOPT if item.action is FileAction.ADOPT else FileAction.RENAME
            return PlannedFile(item.slot, item.name, act, old)
        return PlannedFile(item.slot, item.name, FileAction.KEEP, old)

    def _size(self, name: str) -> int | None:
        """Return the size of an exported file; None where no file is by that name, or a link."""
        try:
            status = None if self._folder is None else self._folder.status(name)
        except (KnownError, OSError):
            return None
        return status.st_size if status and stat.S_ISREG(status.st_mode) else None


def _known(
    slots: list[OutputFile], entry: Entry | None, options: Options
) -> list[FileEntry | None]:
    """Find for each file the record of an earlier run.

    A copy is known by its content: an older version is nobody's to replace, it may be the last
    there is. What was made of an original, and a sidecar, can be made again, so it is known by its
    place.
    """
    if entry is None:
        return [None] * len(slots)
    records = [dict(record) for record in entry["files"]]
    if options.rendered:
        return [records[at] if at < len(records) else None for at in range(len(slots))]
    found: list[FileEntry | None] = []
    for slot in slots:
        of_it = (old for old in records if manifest.is_of(old, slot.source))
        if slot.source.kind == SIDECAR:
            ending = naming.safe_ending(slot.ending)
            of_it = (
                old
                for old in records
                if old["kind"] == SIDECAR
                and (old.get("original_path") == str(slot.source.path))
                and old["filename"].endswith(ending)
            )
        found.append(next(of_it, None))
    return found
