"""Tags: an index of all tags in memory, and the decisions a person makes about them.

The tag cloud, completions and the chips of a selection need counts over a million rows within
milliseconds, where SQL takes seconds. The index reads them in pieces at first use, and follows the
revision of the photos from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog, TagDetail, folded
from curator.model import Field, counted
from curator.session.decisions import DecisionController, StepText
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.stacks import StackController
from curator.session.view_control import ViewController

Ids = NDArray[np.int64]

_AT_ONCE = 1500  # photos read at a time: some 8 ms
_FOUND = 8  # completions offered
_NO_IDS: Ids = np.zeros(0, np.int64)
_ON_CHIPS = 24  # tags shown for a selection


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag with its number of photos, and on how many of them it is confirmed."""

    name: str
    count: int
    confirmed: int


class TagIndex:
    """Knows which photo has which tag, and whether it is confirmed.

    Thread: the owner of ``catalog``.

    Attributes:
        complete: whether all changes known of have been read.
        serial: grows with each read.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._rev, self._tags_rev = 0, -1
        self._photo = self._tag = np.zeros(0, np.int32)
        self._sure = np.zeros(0, bool)
        self._met = np.zeros(0, bool)  # by photo id: whether it may have tags here
        self._names: dict[int, str] = {}
        self._today: Ids = _NO_IDS  # by tag id: the tag it was merged into, or itself
        self._ranked: list[tuple[str, int]] = []
        self._ranked_at = -1
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
        last, ids, pairs, said = self._catalog.tags.links(self._rev, _AT_ONCE)
        self._rev = last
        photos = _numbers(ids)
        self.complete = len(photos) < _AT_ONCE
        if len(photos):
            self._take(photos, _numbers(pairs).reshape(-1, 2), _numbers(said))
            self.serial += 1
        return not self.complete

    def _read_names(self) -> None:
        rows = self._catalog.tags.rows()
        self._today = np.arange(max((row[0] for row in rows), default=0) + 1)
        for tag, _, _, into in rows:
            self._today[tag] = into or tag
        self._names = {row[0]: row[1] for row in rows}
        self._ranked_at = -1

    def _take(self, ids: Ids, pairs: Ids, said: Ids) -> None:
        """Replace the tags of some photos."""
        room = int(ids.max()) + 1 - len(self._met)
        if room > 0:
            self._met = np.append(self._met, np.zeros(max(room, len(self._met)), bool))
        known = ids[self._met[ids]]
        self._met[ids] = True
        if len(known):
            changed = np.zeros(len(self._met), bool)
            changed[known] = True
            stay = ~changed[self._photo]
            self._photo, self._tag, self._sure = (
                column[stay] for column in (self._photo, self._tag, self._sure)
            )
        if not len(pairs):
            return
        photo, tag = pairs.T
        if int(tag.max()) >= len(self._today):  # a word made since the names were read
            self._read_names()
        today = self._today[tag]
        # Who wins: the person on the tag itself, the person on a tag merged into it (there, yes
        # before no), a file, a machine. See `curator.catalog.tags.EFFECTIVE_TAGS`.
        yes, no, own = said == 3, said == 4, tag == today
        rank = np.select([yes & own, no & own, yes, no], [7, 6, 5, 4], said)
        one = np.sort(((photo * len(self._today)) + today) * 8 + rank)
        last = np.append(one[1:] // 8 != one[:-1] // 8, True)
        one = one[last]
        rank, key = one % 8, one // 8
        here = (rank != 4) & (rank != 6)
        photo, today = np.divmod(key[here], len(self._today))
        self._photo = np.concatenate([self._photo, photo.astype(np.int32)])
        self._tag = np.concatenate([self._tag, today.astype(np.int32)])
        self._sure = np.concatenate([self._sure, rank[here] > 1])

    def counts(self, photos: Ids | None = None) -> list[TagCount]:
        """Return the tags of photos, of all if none are given, most used first."""
        tag, sure = self._tag, self._sure
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

    def completions(self, text: str, most: int) -> list[TagCount]:
        """Return tags that begin with a text, most used first; then those with such a word in them.

        A tag of exactly that name comes first.
        """
        if self._ranked_at != self.serial:
            self._all = self.counts()
            self._ranked = [(folded(each.name), at) for at, each in enumerate(self._all)]
            self._ranked_at = self.serial
        wanted = folded(text.strip())
        exact = [at for name, at in self._ranked if name == wanted]
        begin = [at for name, at in self._ranked if name.startswith(wanted) and at not in exact]
        found = (exact + begin)[:most]
        if len(found) < most:
            inside = (at for name, at in self._ranked if f" {wanted}" in name and at not in found)
            found += list(inside)[: most - len(found)]
        return [self._all[at] for at in found]


class TagController(QObject):
    """Shows and changes tags in one window.

    Signals:
        changed: all changes have been read; counts may be others.

    Attributes:
        last: the tags added last, to be repeated.

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
        self._counted: tuple[object, ...] = ()
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._read)

    def close(self) -> None:
        """Stop reading."""
        self._more.stop()

    # --- counts and completions

    def _up_to_date(self) -> bool:
        """Read a piece of what changed; return whether that was all. Else `changed` follows."""
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
        """Return the tags of the scope, most used first; the last known ones during a read."""
        if not self._up_to_date():
            return self._cloud
        table, key = self._table, self._criteria.scope.key
        state = (self.index.serial, key, table.order_serial, table.size)
        if state != self._counted:  # what is in the scope does not change by a mark
            self._counted = state
            self._cloud = self.index.counts(table.ids[self._photos.membership.in_scope()])
        return self._cloud

    def completions(self, text: str) -> list[TagCount]:
        """Return tags for a text being typed; see :meth:`TagIndex.completions`."""
        self._up_to_date()
        return self.index.completions(text, _FOUND) if text.strip() else []

    def of(self, photos: Sequence[int]) -> list[tuple[TagDetail, int]]:
        """Return the tags of some photos, each with the number of those that have it.

        Of several photos, the most frequent tags; one counts as confirmed if it is on any of them.
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

    def begin(self) -> list[int]:
        """Return the photos that typed tags will apply to, as for marks; none unless on screen."""
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
        words: dict[Field, object] = {("tag", tag): "confirmed" for tag in tags.values()}
        said = _listed(names)
        changes = dict.fromkeys(photos, words)
        self._decide(f"tag {_quoted(said)}", changes, lambda what: f"Tagged {what}: {said}")

    def again(self, photos: Sequence[int]) -> None:
        """Add the tags added last to other photos."""
        if self.last:
            self.add(self.last, photos)
        elif photos:
            self._messages.say("No tags were added yet.")

    def confirm(self, name: str, photos: Sequence[int]) -> None:
        """Confirm a suggested tag on those of the photos that have it, as one undo step."""
        act = f"confirm {_quoted(name)}"
        self._decide_about(name, photos, "confirmed", act, lambda what: f"Confirmed {name}: {what}")

    def remove(self, name: str, photos: Sequence[int]) -> None:
        """Remove a tag from those of the photos that have it, as one undo step.

        It is not suggested for them again.
        """
        act = f"take off {_quoted(name)}"
        self._decide_about(name, photos, "removed", act, lambda what: f"Took {name} off {what}")

    def _decide_about(
        self, name: str, photos: Sequence[int], word: str, act: str, done: Callable[[str], str]
    ) -> None:
        catalog = self._catalog
        tag = catalog.tags.ids([name]).get(name)
        having = set(catalog.tags.photos_with(name)) if len(photos) > 1 else set(photos)
        if tag is not None:
            words: dict[Field, object] = {("tag", tag): word}
            self._decide(act, {photo: words for photo in photos if photo in having}, done)

    def _decide(
        self,
        act: str,
        changes: dict[int, dict[Field, object]],
        done: Callable[[str], str],
    ) -> None:
        one = self._table.name(next(iter(changes), 0)) if len(changes) == 1 else ""
        what = one or counted(len(changes), "photo")
        step = self._decisions.decide(act, changes, StepText(what, done(what)))
        if step is not None and not step.id:
            self._messages.say(f"{what}: {act} already")

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
