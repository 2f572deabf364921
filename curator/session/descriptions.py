"""Descriptions by a vision model: a key describes the photo on screen, a switch all photos.

An answer takes seconds or a minute. :class:`DescriptionController` remembers which photos the
person asked for, and reports their results.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from curator import vision
from curator.model import KnownError, read_elsewhere
from curator.pipeline.events import RequestNews
from curator.pipeline.provider import ProviderClient
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.photo_list import PhotoList
from curator.session.requested_photos import RequestedPhotos, Wording
from curator.session.services import Services
from curator.session.stacks import StackController
from curator.vision import VisionOptions

_WORDING = Wording(
    began="Describing {photos}…",
    failed="{name} was not described.",
    counts="Described {found} of {total}{failed}",
)


class DescriptionController(QObject):
    """Lets photos be described for one window.

    Signals:
        changed: other photos are being described, or :attr:`held` or the settings changed.
        held_changed(KnownError | None): :attr:`held` changed.
        answered: the Health found by a test, DownloadProgress, a DownloadEnd, or a KnownError.

    Attributes:
        held: why photos wait to be described; None if they do not.
        pipeline: describes photos; None where another process reads them.

    Thread: GUI only.
    """

    changed = Signal()
    held_changed = Signal(object)
    answered = Signal(object)

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        stacks: StackController,
        watcher: CatalogWatcher,
    ) -> None:
        super().__init__()
        self._preferences, self._settings = services.preferences, services.settings
        self.pipeline, self._messages = services.pipeline, services.messages
        self._photos, self._details, self._stacks = photos, photos.details, stacks
        pipeline = services.pipeline
        self._requested = RequestedPhotos(photos, watcher, services.messages, _WORDING)
        self.held: KnownError | None = None
        self._provider = ProviderClient()
        if pipeline is not None:
            pipeline.events.description_ended.connect(self._on_news)
            pipeline.events.describing_held.connect(self._on_held)

    # --- photos

    def describes(self, photo_id: int) -> bool:
        """Whether a photo that a person asked for is being described."""
        return photo_id in self._requested

    def describe(self) -> None:
        """Describe the photo on screen now, or in the grid the selection."""
        refusal = "" if self.pipeline is not None else str(read_elsewhere())
        wanted = self._requested.ask(self._stacks.targets(), refusal)
        if wanted and self.pipeline is not None:
            self._photos.photos_changed.emit(set(wanted))
            self.changed.emit()
            self.pipeline.describe(*wanted)

    def _on_news(self, news: RequestNews) -> None:
        """Report the result for a photo the person asked for."""
        if news.photo_id in self._requested:
            self._requested.take(news, self._subject)
            self.changed.emit()

    def _on_held(self, error: KnownError | None) -> None:
        self.held = error
        if error is not None and self._settings.vision.automatic:
            self._messages.say(str(error))
        self.held_changed.emit(error)
        self.changed.emit()

    # --- all photos

    def switch(self) -> None:
        """Start or stop describing all photos in the background."""
        on = self._settings.vision.automatic = not self._settings.vision.automatic
        self._preferences.save()
        self.apply_settings()
        key = self._preferences.keys.get("describe", "")
        ask = f"; press {key}" if key else ""
        by_hand = f"Photos are described only when you ask{ask}"
        self._messages.say("All photos are described in the background" if on else by_hand)

    def apply_settings(self) -> None:
        """Apply changed settings of the provider."""
        if self.pipeline is not None:
            self.pipeline.apply_vision_settings()
        self.changed.emit()

    def settings_changed(self, changed: set[str]) -> None:
        """Apply the settings if some with these names are of the provider."""
        if any(name.startswith("vision.") for name in changed):
            self.apply_settings()

    # --- the provider

    def options(self) -> VisionOptions:
        """Return the provider that the settings name, with its options."""
        return vision.options(self._settings)

    def test(self, options: VisionOptions) -> None:
        """Test a provider; :attr:`answered` gets its Health."""
        self._provider.test(options, self.answered.emit)

    def pull(self, options: VisionOptions) -> None:
        """Let a provider download its model; :attr:`answered` gets the progress."""
        self._provider.pull(options, self.answered.emit)

    def stop(self) -> None:
        """Cancel a test or a download."""
        self._provider.stop()

    def close(self) -> None:
        """Cancel a test or a download, because the window closes."""
        self._provider.close()

    def _subject(self, photo_id: int) -> str:
        description = self._details.of(photo_id).description
        return description.subject if description is not None else "described"
