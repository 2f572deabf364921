"""The preview of one file, which is in the catalog or not, and its loading for the window.

A preview grows as results arrive: from decoding, from the encoder, from the taste model, from the
vision model. The terminal shows the preview of a photo, too. No part of it may be stored anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from curator.catalog import FileDetail, PhotoDetail, TagDetail
from curator.learning.explanations import Why, explain_picture
from curator.library.captions import exposure_line, gps_location, utc_offset
from curator.library.table import Table
from curator.model import (
    Capture,
    Described,
    Embedded,
    Face,
    GoneError,
    Kind,
    KnownError,
    Quality,
    SuggestedTag,
    read_elsewhere,
)
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.explanations import HIDDEN, ExplanationController
from curator.session.services import Services
from curator.session.taste import TasteController
from curator.stages.file_preview import DecodedFile
from curator.workers import Pixels

_DESCRIBING = "Describing…"
"""Shown until the description arrives."""


@dataclass(frozen=True, slots=True)
class FilePreview:
    """All known facts about one file; unknown values are empty.

    Attributes:
        path: of the file.
        refused: why the file cannot be decoded; then nothing else is known.
        form: its format by content: ``JPEG``, ``NEF · RAW``.
        size: of the file, bytes.
        capture, quality, basis, damage: as in `curator.model.Converted`.
        picture, faces: as in `curator.stages.file_preview.DecodedFile`.
        tags: suggested by the encoder; None before that, or if the encoder suggests no tags.
        encoder_sentence: a sentence about the encoder.
        why: the taste model's prediction.
        unmatched: why there is no prediction.
        description: by the vision model; None before it arrives.
        undescribed: why there is no description, or that it is being made.
        photo: the catalog's photo of this file; None if it is not in the catalog.
    """

    path: Path
    refused: str = ""
    form: str = ""
    size: int = 0
    capture: Capture | None = None
    quality: Quality | None = None
    basis: str = ""
    damage: str | None = None
    picture: Pixels | None = None
    faces: tuple[Face, ...] | None = None
    tags: tuple[TagDetail, ...] | None = None
    encoder_sentence: str = ""
    why: Why | None = None
    unmatched: str = ""
    description: Described | None = None
    undescribed: str = ""
    photo: int | None = None

    def detail(self) -> PhotoDetail:
        """Return the facts in the form the inspector needs."""
        kind = Kind.RAW if self.form.endswith("RAW") else Kind.IMAGE
        file = FileDetail(self.path, kind, "main", self.size, 0, None, None, missing=False)
        return PhotoDetail(
            id=self.photo or 0,
            name=self.path.stem,
            path=self.path,
            files=(file,),
            capture=self.capture or Capture(),
            quality=self.quality,
            basis=self.basis or None,
            damage=self.damage,
            tags=self.tags or (),
            faces=self.faces,
            description=self.description,
        )

    def with_decoded(self, decoded: DecodedFile) -> FilePreview:
        """Add the decoded file."""
        return replace(
            self,
            form=form_name(decoded.form, self.path),
            size=decoded.size,
            capture=decoded.capture,
            quality=decoded.quality,
            basis=decoded.basis,
            damage=decoded.damage,
            picture=decoded.picture,
            faces=decoded.faces,
        )

    def with_tags(self, found: Embedded) -> FilePreview:
        """Add the encoder's tags, unless the catalog has tags for the photo."""
        if found.tags is None or (self.photo is not None and self.tags):
            return self
        return self._with_new_tags("encoder", found.tags)

    def with_description(self, answer: Described | KnownError) -> FilePreview:
        """Add the vision model's description and tags, or why there is none."""
        if isinstance(answer, KnownError):
            return replace(self, undescribed=str(answer))
        preview = replace(self, description=answer, undescribed="")
        known = self.photo is not None and self.tags  # the catalog's tags take precedence
        return (
            preview if known or not answer.tags else preview._with_new_tags("vision", answer.tags)
        )

    def _with_new_tags(
        self, source: str, tags: Sequence[SuggestedTag | tuple[str, int]]
    ) -> FilePreview:
        known = {tag.name for tag in self.tags or ()}
        named = [SuggestedTag(*tag) for tag in tags]
        more = [TagDetail(tag.name, source, tag.confidence, "suggested") for tag in named]
        new = tuple(tag for tag in more if tag.name not in known)
        return replace(self, tags=(*(self.tags or ()), *new))

    def with_photo(self, detail: PhotoDetail) -> FilePreview:
        """Add the catalog's photo of this file, with its tags and description."""
        faces = self.faces if detail.faces is None else detail.faces
        return replace(
            self,
            photo=detail.id,
            tags=detail.tags or None,
            faces=faces,
            description=detail.description,
        )

    def refuse(self, error: KnownError) -> FilePreview:
        """Add why the file cannot be decoded."""
        gone = isinstance(error, GoneError)  # the remedy for photos in folders does not apply
        return replace(self, refused=str(error.args[0] if gone else error))


class FilePreviewLoader(QObject):
    """Loads the preview of one file, and emits it whenever more is known.

    Signals:
        changed(FilePreview): first with the decoded file or an error, then with each later result.

    Attributes:
        preview: the preview emitted last.

    Thread: GUI only. Close it before dropping it.
    """

    changed = Signal(object)
    _decoded = Signal(object)
    _description_ended = Signal(object)

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
        self._decoded.connect(self._on_result)
        self._description_ended.connect(self._on_description)

    def begin(self, screen_px: int) -> None:
        """Start loading; the picture has this long edge at most."""
        pipeline = self._pipeline
        if pipeline is None:
            self._publish(self.preview.refuse(read_elsewhere()))
        else:
            recipe = pipeline.encoding.recipe
            pipeline.file_previews.request(
                str(self.preview.path), screen_px, recipe, self._decoded.emit
            )

    def close(self) -> None:
        """Cancel loading; nothing is emitted afterwards."""
        self._closed = True
        if self._pipeline is not None:
            self._pipeline.file_previews.cancel()

    def _publish(self, preview: FilePreview) -> None:
        self.preview = preview
        self.changed.emit(preview)

    def _on_description(self, answer: Described | KnownError) -> None:
        if not self._closed:
            self._publish(self.preview.with_description(answer))

    def _on_result(self, result: DecodedFile | Embedded | KnownError) -> None:
        """Handle a result of the pipeline by its type."""
        if self._closed:
            return
        if isinstance(result, Embedded):
            self._on_vector(result)
        elif not isinstance(result, KnownError):
            self._on_decoded(result)
        elif self.preview.quality is None:
            self._publish(self.preview.refuse(result))
        else:
            self._publish(replace(self.preview, encoder_sentence=str(result)))

    def _on_decoded(self, decoded: DecodedFile) -> None:
        preview = self.preview.with_decoded(decoded)
        try:
            photo = self._catalog.photos.find_file(preview.path, decoded.fingerprint)
            if photo is not None:
                self._watcher.refresh()
                preview = preview.with_photo(self._catalog.photos.get(photo))
        except KnownError as error:
            self._messages.say(str(error))
        assert self._pipeline is not None
        preview = replace(preview, encoder_sentence=self._pipeline.encoding.sentence)
        asks = preview.description is None
        self._publish(replace(preview, undescribed=_DESCRIBING) if asks else preview)
        if asks:
            self._pipeline.file_previews.describe(decoded.proxy, self._description_ended.emit)

    def _on_vector(self, found: Embedded) -> None:
        self._publish(self.preview.with_tags(found))
        photo = self.preview.photo
        known = photo is not None and photo in self._table
        if photo is not None and known and not self._explanations.may_show_why(photo):
            self._publish(replace(self.preview, unmatched=HIDDEN))
        else:
            self._taste.learner.ask(
                lambda learner: explain_picture(learner, found), self._on_opinion
            )

    def _on_opinion(self, answer: Why | KnownError) -> None:
        if self._closed:
            return
        if isinstance(answer, KnownError):
            self._publish(replace(self.preview, unmatched=str(answer)))
        else:
            self._publish(replace(self.preview, why=answer))


def of_photo(detail: PhotoDetail) -> FilePreview:
    """Return the preview of a photo of the catalog, without decoding anything."""
    main = detail.files[0]
    return FilePreview(
        path=detail.path,
        refused=detail.reason or "",
        form=form_name("raw" if main.kind == "raw" else "", detail.path),
        size=main.size,
        capture=detail.capture,
        quality=detail.quality,
        basis=detail.basis or "",
        damage=detail.damage,
        faces=detail.faces,
        tags=detail.tags,
        description=detail.description,
        photo=detail.id,
    )


_FORMS = {"webp": "WebP", "heif": "HEIF"}
_SUFFIXES = {"JPG": "JPEG", "JPE": "JPEG", "TIF": "TIFF", "HIF": "HEIF"}


def form_name(form: str, path: Path) -> str:
    """Return the name of a format, by content if known, else by suffix."""
    suffix = path.suffix[1:].upper()
    if form == "raw":
        return f"{suffix} · RAW" if suffix not in ("", "RAW") else "RAW"
    return _FORMS.get(form, form.upper()) if form else _SUFFIXES.get(suffix, suffix)


def capture_lines(capture: Capture) -> list[str]:
    """Return a line each for time, location, camera, lens and exposure, as far as known."""
    taken = ""
    if capture.taken_at is not None:
        taken = f"{capture.taken_at.day} {capture.taken_at:%B %Y, %H:%M:%S}"
        if capture.utc_offset_min is not None:
            taken += f" {utc_offset(capture.utc_offset_min)}"
    lens = capture.lens if capture.lens != capture.camera else None
    lines = (taken, gps_location(capture), capture.camera, lens, exposure_line(capture))
    return [line for line in lines if line]


def clipping_line(quality: Quality) -> str:
    """Return how much of a picture is clipped: ``clipped: 1.2 % highlights, 0.3 % shadows``."""
    parts = [
        f"{100 * share:.1f} % {name}"
        for share, name in ((quality.highlights, "highlights"), (quality.shadows, "shadows"))
        if share >= 0.0005
    ]
    return f"clipped: {', '.join(parts)}" if parts else "nothing clipped"
