"""Text in photos: reading it on request, and which of its lines are shown on the photo.

A search shows the lines it found on the photo that is opened; a key shows all lines, or none.
"""

from __future__ import annotations

from PySide6.QtCore import QObject

from curator.library import text_hits
from curator.model import TextLine, read_elsewhere
from curator.ocr import models
from curator.pipeline.events import RequestNews
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.photo_list import PhotoList
from curator.session.requested_photos import RequestedPhotos, Wording
from curator.session.services import Services
from curator.session.stacks import StackController

_WORDING = Wording(
    began="Reading the text in {photos}…",
    failed="The text in {name} was not read.",
    counts="Text found in {found} of {done}{failed}{left}",
    nothing="no text found",
)
_SHOWN = {
    "found": "Text is shown where the search found it",
    "all": "All text is shown",
    "off": "Text is hidden",
}
_LONGEST = 80  # characters of a message about what was read


class TextController(QObject):
    """Lets the text in photos be read and shown for one window.

    Attributes:
        pipeline: reads the text; None where another process reads photos.

    Thread: GUI only.
    """

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
        self._photos, self._stacks = photos, stacks
        self._requested = RequestedPhotos(photos, watcher, services.messages, _WORDING)
        self._shown: tuple[object, list[tuple[TextLine, bool]]] | None = None
        if self.pipeline is not None:
            self.pipeline.events.text_ended.connect(self._on_news)

    # --- showing

    def shown(self, photo_id: int) -> list[tuple[TextLine, bool]]:
        """Return the lines to show on a photo, each with whether the search found it."""
        how, query = self._settings.loupe.text, self._photos.criteria.query
        if how == "off" or (how == "found" and not query.groups):
            return []
        lines = self._photos.details.of(photo_id).text or ()
        key = photo_id, lines, query, how
        if self._shown is None or self._shown[0] != key:  # each paint asks
            found = set(text_hits.hits(query, lines))
            flagged = [(line, place in found) for place, line in enumerate(lines)]
            self._shown = key, [each for each in flagged if each[1] or how == "all"]
        return self._shown[1]

    def hits_first(self, photo_id: int) -> tuple[TextLine, ...] | None:
        """Return the text in a photo, lines that the search found first; None if it is not read."""
        lines = self._photos.details.of(photo_id).text
        if not lines:
            return lines
        found = set(text_hits.hits(self._photos.criteria.query, lines))
        order = sorted(range(len(lines)), key=lambda place: place not in found)
        return tuple(lines[place] for place in order)

    def step(self) -> None:
        """Show all lines on photos, then none, then those that the search found."""
        steps = tuple(_SHOWN)
        following = steps[(steps.index(self._settings.loupe.text) + 1) % len(steps)]
        self._settings.loupe.text = following  # type: ignore[assignment]
        self._preferences.save()
        current = self._photos.current
        unread = current is not None and self._photos.details.of(current).text is None
        hint = ". The text of this photo has not been read" if unread and following == "all" else ""
        self._messages.say(f"{_SHOWN[following]}{hint}")

    # --- reading

    def read(self) -> None:
        """Read the text in the photo on screen now, or in the grid in the selection."""
        refusal = _not_installed() if self.pipeline is not None else str(read_elsewhere())
        wanted = self._requested.ask(self._stacks.targets(), refusal)
        if wanted and self.pipeline is not None:
            self.pipeline.read_text(*wanted)

    def switch(self) -> None:
        """Start or stop reading the text in all photos in the background."""
        on = not self._settings.text.automatic
        if on and (refusal := _not_installed()):
            self._messages.say(refusal)
            return
        self._settings.text.automatic = on
        self._preferences.save()
        self.apply_settings()
        self._messages.say(
            "The text in all photos is read in the background, last of all work"
            if on
            else "Text in photos is read only when you ask"
        )

    def apply_settings(self) -> None:
        """Read text in all photos, or on request, as the settings say."""
        if self.pipeline is not None:
            self.pipeline.apply_text_settings()

    def _on_news(self, news: RequestNews) -> None:
        """Report the result for a photo the person asked for."""
        if news.photo_id in self._requested:
            self._requested.take(news, self._read_text)

    def _read_text(self, photo_id: int) -> str:
        """Return the text read in a photo, shortened to fit a message."""
        lines = self._photos.details.of(photo_id).text or ()
        text = " · ".join(line.text for line in lines)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _not_installed() -> str:
    """Return how to get the networks if they are not installed; empty if they are."""
    return "" if models.folder() is not None else str(models.not_installed())
