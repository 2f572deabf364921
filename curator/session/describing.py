"""Having photos described: the one on screen by a key, all of them by a switch.

What a vision model says comes a moment or a minute later; this is who remembers what was asked
for, and says what came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from curator import vision
from curator.model import KnownError, counted
from curator.pipeline.events import DescriptionNews
from curator.pipeline.provider import Provider, Pulled, Pulling
from curator.vision import Health, VisionOptions

if TYPE_CHECKING:
    from curator.session.session import Session

BUSY = "Another Curator reads photos into this catalog; have it described there."


class DescriptionController(QObject):
    """Has photos described for one session.

    Signals:
        changed: other photos are being described, or what keeps them from it is another.
        held_changed: the KnownError that keeps photos from being described, or None.
        answered: the provider told how it is (Health), or how far a pull is (Pulling, Pulled).

    Attributes:
        held: why photos wait to be described; None if nothing keeps them from it.

    Thread: GUI only.
    """

    changed = Signal()
    held_changed = Signal(object)
    answered = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._asked: dict[int, str] = {}  # id → name, of those a person waits for
        self._of = self._done = self._failed = 0  # of those asked for together
        self.held: KnownError | None = None
        self._provider = Provider()
        if session.pipeline is not None:
            session.pipeline.events.description_ended.connect(self._take)
            session.pipeline.events.describing_held.connect(self._hold)

    # --- photos

    def describes(self, photo_id: int) -> bool:
        """Say whether a photo that somebody asked for is being described."""
        return photo_id in self._asked

    def describe(self) -> None:
        """Have the photo on screen described now, or in the grid the selection."""
        session = self._session
        photos = session.targets()
        if not photos:
            session.say("There is no photo here.")
            return
        if session.pipeline is None:
            session.say(BUSY)
            return
        refused = [photo for photo in photos if session.table.state(photo) == "failed"]
        failed = set(refused)
        wanted = [photo for photo in photos if photo not in failed]
        if not wanted:
            session.say(
                f"{_named(session, refused)} could not be read, so there is nothing to see."
            )
            return
        self._of += sum(photo not in self._asked for photo in wanted)
        self._asked |= {photo: session.table.name(photo) for photo in wanted}
        session.say(f"Describing {_named(session, wanted)}…")
        session.photos_changed.emit(set(wanted))
        self.changed.emit()
        session.pipeline.describe(*wanted)

    def _take(self, told: DescriptionNews) -> None:
        """Say what came of a photo somebody waits for."""
        name, session = self._asked.get(told.photo_id), self._session
        if name is None:
            return
        if not told.again:
            del self._asked[told.photo_id]
            self._done += not told.reason
            self._failed += bool(told.reason)
        session.look_again([told.photo_id])
        if told.reason:
            again = " It is tried again." if told.again else ""
            session.announce(f"{name} was not described. {told.reason}{again}")
        elif self._of == 1:
            session.announce(f"{name}: {_subject(session, told.photo_id)}")
        else:
            failed = f", {self._failed:,} not" if self._failed else ""
            session.announce(f"Described {self._done:,} of {self._of:,}{failed}")
        if not self._asked:
            self._of = self._done = self._failed = 0
        self.changed.emit()

    def _hold(self, error: KnownError | None) -> None:
        self.held = error
        if error is not None and self._session.settings.vision.automatic:
            self._session.say(str(error))
        self.held_changed.emit(error)
        self.changed.emit()

    # --- all of them

    def switch(self) -> None:
        """Have all photos described in the background, or no longer."""
        session = self._session
        on = session.settings.vision.automatic = not session.settings.vision.automatic
        session.ask("settings_changed")
        self.settle()
        key = session.keys.get("describe", "")
        by_hand = f"Photos are described when asked for: {key}" if key else "Described by hand only"
        session.say("All photos are described in the background" if on else by_hand)

    def settle(self) -> None:
        """Take over other settings of the provider."""
        if self._session.pipeline is not None:
            self._session.pipeline.settle_vision()
        self.changed.emit()

    def settings_changed(self, changed: set[str]) -> None:
        """Take over settings of these names."""
        if any(name.startswith("vision.") for name in changed):
            self.settle()

    # --- the provider itself

    def options(self) -> VisionOptions:
        """Give whom the settings say to ask."""
        return vision.options(self._session.settings)

    def test(self, options: VisionOptions) -> None:
        """Have a provider tested; :attr:`answered` tells its Health."""
        self._provider.test(options, self._came)

    def pull(self, options: VisionOptions) -> None:
        """Have a provider fetch its model; :attr:`answered` tells how far that is."""
        self._provider.pull(options, self._came)

    def stop(self) -> None:
        """Give up a test or a pull."""
        self._provider.stop()

    def close(self) -> None:
        """Give up whatever a person waits for; the window closes."""
        self._provider.close()

    def _came(self, answer: Health | Pulling | Pulled | KnownError) -> None:
        self.answered.emit(answer)  # from another thread: receivers get it queued


def _subject(session: Session, photo_id: int) -> str:
    description = session.detail(photo_id).description
    return description.subject if description is not None else "described"


def _named(session: Session, photos: list[int]) -> str:
    return session.table.name(photos[0]) if len(photos) == 1 else counted(len(photos), "photo")
