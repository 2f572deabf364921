"""Loads the preview of a file that was dropped on the window, without adding it to the catalog.

The pipeline decodes the file; results of encoder, taste model and vision model follow. No part of
it may be stored.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from curator.learning.explanations import Why, opinion
from curator.library.table import Table
from curator.model import Described, Embedded, KnownError
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.explanations import ExplanationController
from curator.session.file_preview import DESCRIBING, FilePreview
from curator.session.services import Services
from curator.session.taste import TasteController
from curator.stages.file_preview import DecodedFile

_HIDDEN = "Hidden until you decide."
_BUSY = "Another Curator is reading photos into this catalog."


class FilePreviewLoader(QObject):
    """Loads the preview of one file, and emits it whenever more is known.

    Signals:
        told(FilePreview): first the decoded file or the error, then the preview with each later
        result.

    Attributes:
        preview: the preview emitted last.

    Thread: GUI only. Close it before dropping it.
    """

    told = Signal(object)
    _came = Signal(object)
    _described = Signal(object)

    def __init__(
        self,
        path: Path,
        services: Services,
        table: Table,
        watcher: CatalogWatcher,
        taste: TasteController,
        explanations: ExplanationController,
    ) -> None:
        super().__init__()
        self._catalog, self._pipeline = services.catalog, services.pipeline
        self._messages, self._table, self._watcher = services.messages, table, watcher
        self._taste, self._explanations = taste, explanations
        self._closed = False
        self.preview = FilePreview(path)
        self._came.connect(self._take)
        self._described.connect(self._take_description)

    def begin(self, screen_px: int) -> None:
        """Start loading; the picture has this long edge at most."""
        pipeline = self._pipeline
        if pipeline is None:
            self._tell(self.preview.refuse(KnownError(_BUSY, "Drop the file there.")))
        else:
            pipeline.request_file_preview(str(self.preview.path), screen_px, self._came.emit)

    def close(self) -> None:
        """Cancel loading; nothing is emitted afterwards."""
        self._closed = True
        if self._pipeline is not None:
            self._pipeline.cancel_file_preview()

    def _tell(self, preview: FilePreview) -> None:
        self.preview = preview
        self.told.emit(preview)

    def _take_description(self, told: Described | KnownError) -> None:
        if not self._closed:
            self._tell(self.preview.with_description(told))

    def _take(self, what: DecodedFile | Embedded | KnownError) -> None:
        """Handle a result of the pipeline by its type."""
        if self._closed:
            return
        if isinstance(what, Embedded):
            self._take_vector(what)
        elif not isinstance(what, KnownError):
            self._take_seen(what)
        elif self.preview.quality is None:
            self._tell(self.preview.refuse(what))
        else:
            self._tell(replace(self.preview, compared=str(what)))

    def _take_seen(self, seen: DecodedFile) -> None:
        preview = self.preview.with_seen(seen)
        try:
            photo = self._catalog.photos.find_file(preview.path, seen.fingerprint)
            if photo is not None:
                self._watcher.refresh()
                preview = preview.with_photo(self._catalog.photos.get(photo))
        except KnownError as error:
            self._messages.say(str(error))
        assert self._pipeline is not None
        preview = replace(preview, compared=self._pipeline.encoding.sentence)
        asks = preview.description is None
        self._tell(replace(preview, undescribed=DESCRIBING) if asks else preview)
        if asks:
            self._pipeline.request_description(seen.proxy, self._described.emit)

    def _take_vector(self, found: Embedded) -> None:
        self._tell(self.preview.with_tags(found))
        photo = self.preview.photo
        known = photo is not None and photo in self._table
        if photo is not None and known and not self._explanations.may_show_why(photo):
            self._tell(replace(self.preview, unmatched=_HIDDEN))
        else:
            self._taste.learner.ask(lambda learner: opinion(learner, found), self._take_opinion)

    def _take_opinion(self, told: Why | KnownError) -> None:
        if self._closed:
            return
        if isinstance(told, KnownError):
            self._tell(replace(self.preview, unmatched=str(told)))
        else:
            self._tell(replace(self.preview, why=told))
