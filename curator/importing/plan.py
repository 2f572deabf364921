"""Planning an import before anything is written: what is new, where it goes, whether it fits."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import filterfalse
from pathlib import Path, PurePosixPath
from typing import Any

from curator import naming
from curator.catalog import Catalog, VerifiedCopy
from curator.files import SIDECAR_SUFFIX
from curator.importing import destinations, item_names
from curator.importing.card_files import CardContents, CardFile, CardItem, ItemKind
from curator.importing.destinations import Destination, Room
from curator.importing.headers import FileFacts
from curator.importing.item_names import Named, Namer
from curator.importing.known import Imported, KnownContent
from curator.importing.request import ImportRequest
from curator.model import counted, file_size
from curator.naming import Facts, Purpose

_UNREAD = FileFacts(problem="It was not read.")
_NOUNS = {ItemKind.PHOTO: "photo", ItemKind.VIDEO: "video", ItemKind.AUDIO: "recording"}


class Action(StrEnum):
    """What to do for one file at one destination."""

    COPY = "copy"
    CHECK = "check"  # a file of that name seems to be this one: read both and compare
    KEEP = "keep"  # verified by an earlier import, and still there


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file to import.

    Attributes:
        file: the file on the card.
        fingerprint: of its content.
        name: its path below each destination, with ``/``.
        actions: what to do, for each destination of the request.
        verified: the copies by which KEEP was decided, for each destination; else None.
    """

    file: CardFile
    fingerprint: str
    name: str
    actions: tuple[Action, ...]
    verified: tuple[VerifiedCopy | None, ...]


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """A photo, video or recording to import, with its companions.

    ``item`` has the files that could be read. ``taken_at`` is the capture time, by which items are
    in order; without one, the time at which the file was written. ``is_twin``: an earlier item has
    the same content, as on the cards of a camera with two slots; it is compared with its copies.
    """

    item: CardItem
    files: tuple[PlannedFile, ...]
    taken_at: datetime | None = None
    is_twin: bool = False


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item whose content is in the library already, and not where this import would put it.

    ``where`` are the paths of copies. ``proved``: an earlier import verified a copy of every file
    and it is still there; otherwise only the fingerprints agree, or the drive is not connected.
    ``deleted``: a person deleted the photo with the rejects, so that it is not copied again.
    """

    item: CardItem
    where: tuple[str, ...]
    proved: bool = False
    deleted: bool = False


@dataclass
class ImportPlan:
    """What an import will do; making a plan writes nothing.

    Attributes:
        request: what was asked for.
        contents: everything on the cards.
        items: what to copy or to check, in the order of capture.
        known: items that are not copied because the library has them.
        held_back: items that are not copied because they were not kept (``request.keepers``).
        unreadable: (path, reason) of files that could not be read; they are not copied.
        renamed: (path on the card, name) of files that get another name than the template gives,
            because it was taken or is illegal somewhere.
        edited: paths on the cards of files that are not copied because their copies were changed
            since they were imported; sidecars are not counted, which editors complete.
        undated: how many photos have no capture time and are dated by the file.
        rooms: the room at each destination.
    """

    request: ImportRequest
    contents: CardContents
    items: list[PlannedItem] = field(default_factory=list)
    known: list[KnownItem] = field(default_factory=list)
    held_back: list[CardItem] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    undated: int = 0
    rooms: list[Room] = field(default_factory=list)

    @property
    def new(self) -> list[PlannedItem]:
        """The items of which a file is copied to at least one destination."""
        return list(filter(_is_new, self.items))

    @property
    def sentence(self) -> str:
        """What is imported and what is not, for the dialog and the terminal.

        ``904 photos (880 pairs), 12 videos and 31 accompanying files, 48.2 GB; 300 photos are in
        your library already.``
        """
        new = self.new
        parts = [_contents(new)] if new else ["Nothing new"]
        done = list(filterfalse(_is_new, self.items))
        there = [item.item for item in done if not item.is_twin]
        twins = [item.item for item in done if item.is_twin]
        if there:
            parts.append(f"{counted_items(there)} already at the destination")
        if twins:
            parts.append(f"{counted_items(twins)} found twice, copied once")
        deleted = [each.item for each in self.known if each.deleted]
        known = [each.item for each in self.known if not each.deleted]
        if known:
            verb = "is" if len(known) == 1 else "are"
            parts.append(f"{counted_items(known)} {verb} in your library already")
        if deleted:
            parts.append(f"{counted_items(deleted)} you deleted before, not copied again")
        if self.held_back:
            parts.append(f"{counted_items(self.held_back)} not kept, not copied")
        unread = len(self.unreadable) + len(self.contents.unreadable)
        if unread:
            parts.append(f"{counted(unread, 'file')} cannot be read")
        return "; ".join(parts) + "."

    def summary(self) -> dict[str, Any]:
        """Return the plan for JSON."""
        files = [file for item in self.items for file in item.files]
        kinds = Counter(item.item.kind for item in self.items)
        contents = self.contents
        return {
            "cards": list(map(str, self.request.cards)),
            "photos": kinds[ItemKind.PHOTO],
            "pairs": sum(item.item.photo_files > 1 for item in self.items),
            "videos": kinds[ItemKind.VIDEO],
            "recordings": kinds[ItemKind.AUDIO],
            "files": len(files),
            "bytes": sum(file.file.size for file in files),
            "undated": self.undated,
            "known": [
                {
                    "path": str(each.item.main.path),
                    "where": list(each.where),
                    "proved": each.proved,
                    "deleted": each.deleted,
                }
                for each in self.known
            ],
            "held_back": [str(item.main.path) for item in self.held_back],
            "others": [str(file.path) for file in contents.others],
            "unreadable": [
                {"path": path, "reason": reason}
                for path, reason in (*contents.unreadable, *self.unreadable)
            ],
            "edited": self.edited,
            "renamed": [{"path": path, "name": name} for path, name in self.renamed],
            "folders": dict(Counter(str(PurePosixPath(file.name).parent) for file in files)),
            "destinations": [
                {
                    "path": str(room.destination),
                    "needed": room.needed,
                    "free": room.free,
                    "actions": dict(Counter(str(file.actions[at]) for file in files)),
                }
                for at, room in enumerate(self.rooms)
            ],
            "sentence": self.sentence,
        }


def make_plan(
    request: ImportRequest,
    contents: CardContents,
    facts: Mapping[Path, FileFacts],
    catalog: Catalog,
    free: Callable[[Path], int] = destinations.free_bytes,
) -> ImportPlan:
    """Plan an import.

    Args:
        request: what to copy from where to where.
        contents: everything on the cards, from `card_files.find_files`.
        facts: of the files, from `headers.read_headers`.
        catalog: what is known already.
        free: returns the free bytes of the drive of an existing folder.

    Raises:
        KnownError: a template is invalid, a card is not there, or a destination cannot be used:
            see `destinations.check_places`. Too little room is no error; see ``plan.rooms``.
    """
    naming.check_folders(request.folders)
    naming.check(request.names, Purpose.IMPORT)
    destinations.check_places(request)
    plan = ImportPlan(request, contents)
    drafts = _drafts(plan, facts)
    _Planner(plan, drafts, catalog).plan()
    sizes = [
        [file.file.size for item in plan.items for file in item.files if _copies(file, at)]
        for at in range(len(request.destinations))
    ]
    plan.rooms = destinations.rooms(request.destinations, sizes, free)
    return plan


def _is_new(item: PlannedItem) -> bool:
    return any(Action.COPY in file.actions for file in item.files)


def _copies(file: PlannedFile, destination: int) -> bool:
    return file.actions[destination] is Action.COPY


@dataclass(frozen=True, slots=True)
class _Draft:
    """An item before it is planned: its files that could be read, and what is known of them."""

    item: CardItem
    named: tuple[Named, ...]
    facts: Facts
    is_dated: bool

    @property
    def contents(self) -> int:
        """How many of its files are its content; the others are companions."""
        return max(1, self.item.photo_files)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(each.fingerprint for each in self.named)


def _drafts(plan: ImportPlan, facts: Mapping[Path, FileFacts]) -> list[_Draft]:
    """Return the items in the order of capture; note files that could not be read."""
    found = []
    for item in plan.contents.items:
        readable = []
        for file, ending in zip(item.files, item_names.endings(item), strict=True):
            known = facts.get(file.path, _UNREAD)
            if known.problem:
                plan.unreadable.append((str(file.path), known.problem))
            else:
                readable.append(Named(file, known.fingerprint, ending))
        if readable:
            found.append(_draft(item, tuple(readable), facts))
    return sorted(found, key=lambda draft: draft.facts.taken_at or datetime.max)


def _draft(item: CardItem, named: tuple[Named, ...], facts: Mapping[Path, FileFacts]) -> _Draft:
    kept = tuple(each.file for each in named)
    photos = sum(file in kept for file in item.files[: item.photo_files])
    headers = [facts[file.path] for file in kept[: max(1, photos)]]
    taken_at = next((each.taken_at for each in headers if each.taken_at), None)
    camera = next((each.camera for each in headers if each.camera), None)
    name = PurePosixPath(item.main.relative).stem
    moment = taken_at or _written_at(kept[0])
    readable = replace(item, files=kept, photo_files=photos)
    return _Draft(readable, named, Facts(name, moment, camera=camera), taken_at is not None)


def _written_at(file: CardFile) -> datetime | None:
    """Return the local time at which a file was written; None if it is absurd."""
    with contextlib.suppress(OSError, OverflowError, ValueError):
        return datetime.fromtimestamp(file.mtime_ns / 1e9)
    return None


_Placed = list[list[Imported | None]]  # by file, then by destination


class _Planner:
    """Decides about one item after the other, in the order of capture."""

    def __init__(self, plan: ImportPlan, drafts: Sequence[_Draft], catalog: Catalog) -> None:
        self._plan, self._drafts = plan, drafts
        self._places = [Destination(path) for path in plan.request.destinations]
        fingerprints = (each for draft in drafts for each in draft.fingerprints)
        self._known = KnownContent(catalog, fingerprints, plan.request.cards, self._places)
        self._namer = Namer(plan.request, self._places, len(drafts))
        self._planned: dict[tuple[str, ...], PlannedItem] = {}  # by the content's fingerprints

    def plan(self) -> None:
        """Fill the plan."""
        placed = [(draft, self._placed(draft)) for draft in self._drafts]
        for _, before in placed:
            self._namer.reserve([each.copy.name for row in before for each in row if each])
        for draft, before in placed:
            self._decide(draft, before)

    def _placed(self, draft: _Draft) -> _Placed:
        """Return the copies of each file that earlier imports made at each destination."""
        places = range(len(self._places))
        found: _Placed = [
            [self._known.imported_at(each.fingerprint, each.file.relative, at) for at in places]
            for each in draft.named[: draft.contents]
        ]
        mains = [next((row[at] for row in found if row[at]), None) for at in places]
        for each in draft.named[draft.contents :]:
            ending = naming.safe_ending(each.ending)
            names = [main and f"{_stem_of(main.copy.name)}{ending}" for main in mains]
            found.append(
                [
                    self._known.imported_at(each.fingerprint, each.file.relative, at, name)
                    if name
                    else None
                    for at, name in enumerate(names)
                ]
            )
        return found

    def _decide(self, draft: _Draft, before: _Placed) -> None:
        content = draft.fingerprints[: draft.contents]
        own = [self._own_name(*each) for each in zip(draft.named, before, strict=True)]
        if any(own[: draft.contents]):
            draft, before, own = self._without_edited(draft, before, own)
        elif self._plan_known(draft, content):
            return
        is_complete = all(each and each.is_unchanged for row in before for each in row)
        if self._plan.request.keepers and not is_complete and not self._known.is_kept(content):
            self._plan.held_back.append(draft.item)
            return
        names = self._names(draft, own)
        self._add(
            draft,
            [self._file(*each) for each in zip(draft.named, names, before, strict=True)],
        )

    def _plan_known(self, draft: _Draft, content: tuple[str, ...]) -> bool:
        """Plan an item whose content is on another card or in the library; return whether it is."""
        twin = self._planned.get(content)
        if twin is not None and self._add_twin(draft, twin):
            return True
        if not self._known.knows(content):
            return False
        wished = self._namer.wished(draft.facts, [each.ending for each in draft.named])
        compared = [
            str(place.path / PurePosixPath(name))
            for place in self._places
            for name, each in zip(wished, draft.named, strict=True)
            if place.has_equal(name, each.file.size, each.fingerprint)
        ]
        found = self._known.elsewhere(content, draft.fingerprints[draft.contents :], compared)
        if found is not None:
            known = KnownItem(draft.item, found.where, found.proved, found.deleted)
            self._plan.known.append(known)
        return found is not None

    def _own_name(self, named: Named, before: Sequence[Imported | None]) -> str:
        """Return the name that a file has since an earlier import, if it is still that file."""
        for place, each in zip(self._places, before, strict=True):
            if each is not None and (
                each.is_unchanged
                or place.has_equal(each.copy.name, named.file.size, named.fingerprint)
            ):
                return each.copy.name
        return ""

    def _without_edited(
        self, draft: _Draft, before: _Placed, own: list[str]
    ) -> tuple[_Draft, _Placed, list[str]]:
        """Leave out files that were imported everywhere and edited there since, as sidecars are."""
        kept = [at for at, name in enumerate(own) if name or not all(before[at])]
        left = (each.file for at, each in enumerate(draft.named) if at not in kept)
        self._plan.edited += [
            file.relative for file in left if file.path.suffix.lower() != SIDECAR_SUFFIX
        ]
        files = tuple(draft.item.files[at] for at in kept)
        photos = sum(at < draft.item.photo_files for at in kept)
        item = replace(draft.item, files=files, photo_files=photos)
        named = tuple(draft.named[at] for at in kept)
        return (
            replace(draft, item=item, named=named),
            [before[at] for at in kept],
            [own[at] for at in kept],
        )

    def _names(self, draft: _Draft, own: Sequence[str]) -> list[str]:
        """Name the files; one that was imported before keeps its name."""
        first = next((at for at, name in enumerate(own) if name), None)
        if first is None:
            names, facts = self._namer.name(draft.facts, draft.named, draft.contents)
            self._plan.renamed += [
                (each.file.relative, name)
                for each, name in zip(draft.named, names, strict=True)
                if self._namer.is_renamed(name, facts, each.ending)
            ]
            return names
        missing = [each for each, name in zip(draft.named, own, strict=True) if not name]
        beside = self._namer.name_beside(own[first], draft.named[first].ending, missing)
        new = iter(beside)
        return [name or next(new) for name in own]

    def _file(self, named: Named, name: str, before: Sequence[Imported | None]) -> PlannedFile:
        copies = tuple(each.copy if each and each.is_unchanged else None for each in before)
        actions = (
            Action.KEEP
            if copy
            else Action.CHECK
            if place.has_equal(name, named.file.size, named.fingerprint)
            else Action.COPY
            for place, copy in zip(self._places, copies, strict=True)
        )
        return PlannedFile(named.file, named.fingerprint, name, tuple(actions), copies)

    def _add_twin(self, draft: _Draft, twin: PlannedItem) -> bool:
        """Plan an item that is on two cards: compared with the first one's copies, not copied.

        Returns:
            Whether the first has all of its files.
        """
        files = []
        for each in draft.named:
            ending = naming.safe_ending(each.ending)
            same = (f for f in twin.files if f.fingerprint == each.fingerprint)
            found = next(
                (f for f in same if naming.folded(f.name).endswith(naming.folded(ending))), None
            )
            if found is None:
                return False
            checks = (Action.CHECK,) * len(found.actions)
            unproved = (None,) * len(found.actions)
            files.append(replace(found, file=each.file, actions=checks, verified=unproved))
        self._add(draft, files, is_twin=True)
        return True

    def _add(self, draft: _Draft, files: Sequence[PlannedFile], is_twin: bool = False) -> None:
        planned = PlannedItem(draft.item, tuple(files), draft.facts.taken_at, is_twin)
        self._plan.items.append(planned)
        self._planned.setdefault(draft.fingerprints[: draft.contents], planned)
        self._plan.undated += bool(draft.item.photo_files and not draft.is_dated)


def _stem_of(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def counted_items(items: Sequence[CardItem]) -> str:
    """Count items by kind: ``904 photos, 12 videos and 1 recording``."""
    kinds = Counter(item.kind for item in items)
    return _joined([counted(kinds[kind], noun) for kind, noun in _NOUNS.items() if kinds[kind]])


def _joined(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _contents(items: Sequence[PlannedItem]) -> str:
    """Return what items are: ``904 photos (880 pairs) and 31 accompanying files, 48.2 GB``."""
    kinds = Counter(item.item.kind for item in items)
    pairs = sum(item.item.photo_files > 1 for item in items)
    companions = sum(len(item.files) - max(1, item.item.photo_files) for item in items)
    parts = [counted(kinds[kind], noun) for kind, noun in _NOUNS.items() if kinds[kind]]
    if pairs:
        parts[0] += f" ({counted(pairs, 'pair')})"
    if companions:
        parts.append(counted(companions, "accompanying file"))
    new = (file for item in items for file in item.files if Action.COPY in file.actions)
    return f"{_joined(parts)}, {file_size(sum(file.file.size for file in new))}"
