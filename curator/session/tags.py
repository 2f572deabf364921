"""Tags: an index of all tags in memory, and the decisions a person makes about them.

The tag cloud, completions and the chips of a selection need counts over a million rows within
milliseconds, where SQL takes seconds. The index reads all tags in pieces at first use; from then on
it reads those of changed photos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog, TagDetail, folded
from curator.model import Field
from curator.session.decisions import DecisionController, StepText
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.stacks import StackController
from curator.session.view_control import ViewController

Ids = NDArray[np.int64]

_AT_ONCE = 1500  # photos read at a time: some 8 ms
_COMPLETIONS = 8
_NO_IDS: Ids = np.zeros(0, np.int64)
_ON_CHIPS = 24  # tags shown for a selection


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag with its number of photos, and on how many of them it is confirmed."""

    name: str
    count: int
    confirmed: int


class TagIndex:
    """Which photo has which tag, confirmed or suggested, in columns: a row for each pair.

    Attributes:
        complete: whether everything written up to the last :meth:`read` has been read.
        serial: grows whenever tags of photos have been read.

    Thread: the owner of ``catalog``.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._rev, self._tags_rev = 0, -1
        self._photo = self._tag = np.zeros(0, np.int32)
        self._confirmed = np.zeros(0, bool)
        self._was_read = np.zeros(0, bool)  # by photo id: whether it may have rows here
        self._names: dict[int, str] = {}
        self._present: Ids = _NO_IDS  # by tag id: the tag it was merged into, or itself
        self._by_use: list[TagCount] = []
        self._folded: list[str] = []  # the names of these, folded
        self._counted_at = -1  # the serial they were counted at
        self.complete = False
        self.serial = 0

    def read(self) -> bool:
        """Read the next photos whose tags may have changed; return whether there are more."""
        rev = self._catalog.tags.revision()
        if rev != self._tags_rev:
            self._tags_rev, self.complete = rev, False
            self._read_names()
        if self.complete:
            return False
        last, ids, pairs, states = self._catalog.tags.links(self._rev, _AT_ONCE)
        self._rev = last
        photos = _numbers(ids)
        self.complete = len(photos) < _AT_ONCE
        if len(photos):
            self._replace(photos, _numbers(pairs).reshape(-1, 2), _numbers(states))
            self.serial += 1
        return not self.complete

    def _read_names(self) -> None:
        rows = self._catalog.tags.rows()
        self._present = np.arange(max((row[0] for row in rows), default=0) + 1)
        for tag, _, _, into in rows:
            self._present[tag] = into or tag
        self._names = {row[0]: row[1] for row in rows}
        self._counted_at = -1

    def _replace(self, ids: Ids, pairs: Ids, states: Ids) -> None:
        """Replace the tags of photos; pairs and states as from `curator.catalog.tags.Tags.links`.

        Args:
            ids: of all these photos.
            pairs: (N, 2) ids of photo and tag.
            states: (N,) 3 confirmed and 4 removed by the person, 2 from a file, 1 suggested.
        """
        missing = int(ids.max()) + 1 - len(self._was_read)
        if missing > 0:
            more = np.zeros(max(missing, len(self._was_read)), bool)
            self._was_read = np.append(self._was_read, more)
        known = ids[self._was_read[ids]]
        self._was_read[ids] = True
        if len(known):
            changed = np.zeros(len(self._was_read), bool)
            changed[known] = True
            stay = ~changed[self._photo]
            self._photo, self._tag, self._confirmed = (
                column[stay] for column in (self._photo, self._tag, self._confirmed)
            )
        if not len(pairs):
            return
        photo, tag = pairs.T
        if int(tag.max()) >= len(self._present):  # a tag created since the names were read
            self._read_names()
        present = self._present[tag]
        # Of several states of a tag and those merged into it, the highest rank counts: the person's
        # on the tag itself, then the person's on a merged tag (confirmed before removed), a file's,
        # a machine's. See `curator.catalog.tags.EFFECTIVE_TAGS`.
        yes, no, own = states == 3, states == 4, tag == present
        rank = np.select([yes & own, no & own, yes, no], [7, 6, 5, 4], states)
        ranked = np.sort(((photo * len(self._present)) + present) * 8 + rank)
        ranked = ranked[np.append(ranked[1:] // 8 != ranked[:-1] // 8, True)]
        rank, key = ranked % 8, ranked // 8
        stay = (rank != 4) & (rank != 6)
        photo, present = np.divmod(key[stay], len(self._present))
        self._photo = np.concatenate([self._photo, photo.astype(np.int32)])
        self._tag = np.concatenate([self._tag, present.astype(np.int32)])
        self._confirmed = np.concatenate([self._confirmed, rank[stay] > 1])

    def counts(self, photos: Ids | None = None) -> list[TagCount]:
        """Return the tags of these photos, or of all photos if None; the most used first."""
        tag, sure = self._tag, self._confirmed
        if photos is not None:
            wanted = np.zeros(int(self._photo.max(initial=0)) + 1, bool)
            wanted[photos[photos < len(wanted)]] = True
            among = wanted[self._photo]
            tag, sure = tag[among], sure[among]
        counts = np.bincount(tag, minlength=1)
        confirmed = np.bincount(tag[sure], minlength=len(counts))
        used = np.flatnonzero(counts)
        used = used[np.argsort(-counts[used], kind="stable")]
        return [
            TagCount(self._names.get(each, ""), int(counts[each]), int(confirmed[each]))
            for each in used.tolist()
        ]

    def completions(self, text: str) -> list[TagCount]:
        """Return at most eight tags: named so, beginning so, with a word beginning so.

        Within each group the most used tags come first.
        """
        if self._counted_at != self.serial:
            self._by_use = self.counts()
            self._folded = [folded(each.name) for each in self._by_use]
            self._counted_at = self.serial
        wanted = folded(text.strip())
        same, begins, inside = [], [], []
        for tag, name in zip(self._by_use, self._folded, strict=True):
            if name == wanted:
                same.append(tag)
            elif name.startswith(wanted):
                begins.append(tag)
            elif f" {wanted}" in name:
                inside.append(tag)
        return [*same, *begins, *inside][:_COMPLETIONS]


class TagController(QObject):
    """Shows and changes tags in one window.

    Signals:
        changed: all changes have been read; counts may be different.

    Attributes:
        last: the tags added last, to be added to other photos.

    Thread: GUI only.
    """

    changed = Signal()

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        viewer: ViewController,
        stacks: StackController,
        decisions: DecisionController,
    ) -> None:
        super().__init__()
        self._catalog, self._messages = services.catalog, services.messages
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._details, self._viewer = photos, photos.details, viewer
        self._stacks, self._decisions = stacks, decisions
        self.index = TagIndex(services.catalog)
        self.last: tuple[str, ...] = ()
        self._cloud: list[TagCount] = []
        self._cloud_state: tuple[object, ...] = ()  # what the cloud was counted from
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._read)

    def close(self) -> None:
        """Stop reading."""
        self._more.stop()

    # --- counts and completions

    def _up_to_date(self) -> bool:
        """Read some of the changes; return whether that was all. If not, `changed` follows."""
        if self._more.isActive():
            return False
        if self.index.read():
            self._more.start()
        return self.index.complete

    def _read(self) -> None:
        if self.index.read():
            self._more.start()
        else:
            self.changed.emit()

    def cloud(self) -> list[TagCount]:
        """Return the tags of the scope, the most used first; during a read, the last known ones."""
        if not self._up_to_date():
            return self._cloud
        table, key = self._table, self._criteria.scope.key
        state = (self.index.serial, key, table.order_serial, table.size)
        if state != self._cloud_state:  # a mark does not change which photos are in the scope
            self._cloud_state = state
            self._cloud = self.index.counts(table.ids[self._photos.membership.in_scope()])
        return self._cloud

    def completions(self, text: str) -> list[TagCount]:
        """Return tags for a text being typed; see :meth:`TagIndex.completions`."""
        self._up_to_date()
        return self.index.completions(text) if text.strip() else []

    def of(self, photos: Sequence[int]) -> list[tuple[TagDetail, int]]:
        """Return the tags of photos, each with the number of photos that have it.

        Of several photos the most frequent tags; confirmed on one of them counts as confirmed.
        """
        if len(photos) == 1:
            return [(tag, 1) for tag in self._details.of(photos[0]).tags]
        self._up_to_date()
        shown = self.index.counts(np.array(photos, np.int64))[:_ON_CHIPS]
        return [
            (
                TagDetail(
                    each.name,
                    "" if each.confirmed else "suggested",
                    100 * each.count // len(photos),
                    "confirmed" if each.confirmed else "suggested",
                ),
                each.count,
            )
            for each in shown
        ]

    # --- decisions

    def exists(self, name: str) -> bool:
        """Whether a tag of this name is in the catalog."""
        return bool(self._catalog.tags.ids([name]))

    def targets(self) -> list[int]:
        """Return the photos to tag, as for marks; none, with a message, if not on screen yet."""
        return self._stacks.targets() if self._viewer.check_painted() else []

    def add(self, names: Sequence[str], photos: Sequence[int]) -> None:
        """Tag photos as one undo step; this confirms a suggested tag.

        Raises:
            KnownError: the catalog cannot be written; nothing was tagged.
        """
        if not names or not photos:
            return
        tags = self._catalog.tags.ids(names, make=True)
        self.last = tuple(names)
        fields: dict[Field, object] = {("tag", tag): "confirmed" for tag in tags.values()}
        listed = _listed(names)
        changes = dict.fromkeys(photos, fields)
        self._decide(f"tag {_quoted(listed)}", changes, lambda what: f"Tagged {what}: {listed}")

    def repeat_last(self, photos: Sequence[int]) -> None:
        """Add the tags that were added last to other photos."""
        if self.last:
            self.add(self.last, photos)
        elif photos:
            self._messages.say("No tags to repeat yet.")

    def confirm(self, name: str, photos: Sequence[int]) -> None:
        """Confirm a suggested tag on those of the photos that have it, as one undo step."""
        act = f"confirm {_quoted(name)}"
        self._set_state(name, photos, "confirmed", act, lambda what: f"Confirmed {name}: {what}")

    def remove(self, name: str, photos: Sequence[int]) -> None:
        """Remove a tag from those of the photos that have it, as one undo step.

        It is not suggested for them again.
        """
        act = f"remove {_quoted(name)}"
        self._set_state(name, photos, "removed", act, lambda what: f"Removed {name} from {what}")

    def _set_state(
        self, name: str, photos: Sequence[int], state: str, act: str, summary: Callable[[str], str]
    ) -> None:
        """Decide the state of a tag; ``summary`` makes the sentence from the photos' name."""
        catalog = self._catalog
        tag = catalog.tags.ids([name]).get(name)
        having = set(catalog.tags.photos_with(name)) if len(photos) > 1 else set(photos)
        if tag is not None:
            fields: dict[Field, object] = {("tag", tag): state}
            self._decide(act, {photo: fields for photo in photos if photo in having}, summary)

    def _decide(
        self, act: str, changes: dict[int, dict[Field, object]], summary: Callable[[str], str]
    ) -> None:
        what = self._photos.named(changes)
        step = self._decisions.decide(act, changes, StepText(what, summary(what)))
        if step is not None and not step.id:
            self._messages.say(f"No change: {what}")

    def rename(self, old: str, new: str) -> None:
        """Rename a tag everywhere; if another tag has the new name, merge the two.

        Raises:
            KnownError: the name is too long, or the catalog cannot be written; nothing changed.
        """
        catalog = self._catalog
        other = catalog.tags.ids([new]).get(new)
        if other is not None and other != catalog.tags.ids([old]).get(old):
            step = catalog.vocabulary.merge(old, new)
        else:
            step = catalog.vocabulary.rename(old, new)
        self._decisions.adopt(step)


def _numbers(text: str) -> Ids:
    return np.fromstring(text, np.int64, sep=",") if text else _NO_IDS


def _quoted(text: str) -> str:
    return f"\u201c{text}\u201d"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
