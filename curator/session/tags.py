"""Tags: their counts in the scope, completions, and the decisions a person makes about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import TagDetail, plain_name
from curator.library.nouns import nouns
from curator.library.tag_index import TagCount, TagGroup
from curator.model import Field
from curator.session.decisions import DecisionController, StepText
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.stacks import StackController
from curator.session.view_control import ViewController

_ON_CHIPS = 24  # tags shown for a selection


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
        self.index = photos.table.tags
        self.last: tuple[str, ...] = ()
        self._cloud: list[TagCount] = []
        self._groups: list[TagGroup] = []
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
            photos = table.ids[self._photos.membership.in_scope()]
            self._cloud = self.index.counts(photos)
            self._groups = self.index.groups(self._cloud, photos)
        return self._cloud

    def groups(self) -> list[TagGroup]:
        """Return the groups of the tags that :meth:`cloud` returned last."""
        return self._groups

    def completions(self, text: str) -> list[TagCount]:
        """Return tags for a text being typed; see :meth:`TagIndex.completions`."""
        self._up_to_date()
        return self.index.completions(text) if text.strip() else []

    def kinds_of(self, word: str) -> list[TagCount]:
        """Return the tags that are kinds of a typed word, the most used first, not the word."""
        if not nouns().kinds(word):
            return []
        self._up_to_date()
        return self.index.kinds_of(word)

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
            KnownError: the name is invalid, or the catalog cannot be written; nothing changed.
        """
        catalog = self._catalog
        other = catalog.tags.id_of(plain_name(new))
        if other is not None and other != catalog.tags.ids([old]).get(old):
            step = catalog.vocabulary.merge(old, new)
        else:
            step = catalog.vocabulary.rename(old, new)
        self._decisions.adopt(step)


def _quoted(text: str) -> str:
    return f"\u201c{text}\u201d"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
