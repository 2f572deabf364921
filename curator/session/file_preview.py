"""The preview of one file that need not be in the catalog, for the window and the terminal.

A preview grows as results arrive: from decoding, from the encoder, from the taste model, from the
vision model. No part of it may be stored anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curator.catalog import FileDetail, PhotoDetail, TagDetail
from curator.learning.explanations import Why
from curator.library.captions import exposure_line, offset, place
from curator.model import (
    Capture,
    Described,
    Embedded,
    GoneError,
    Kind,
    KnownError,
    Marks,
    Quality,
    SuggestedTag,
)
from curator.workers import Pixels

if TYPE_CHECKING:
    from curator.stages.file_preview import DecodedFile

DESCRIBING = "Describing…"
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
        picture: for the screen, as in `curator.stages.file_preview.DecodedFile`.
        tags: suggested by the encoder; None before that, or if the encoder suggests no tags.
        compared: a sentence about the encoder.
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
    tags: tuple[TagDetail, ...] | None = None
    compared: str = ""
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
            marks=Marks(),
            capture=self.capture or Capture(),
            quality=self.quality,
            turn=0,
            basis=self.basis or None,
            damage=self.damage,
            thumb=None,
            proxy=None,
            proxy_digest=None,
            added_at=0.0,
            seen_at=None,
            state="",
            reason=None,
            work=(),
            tags=self.tags or (),
            description=self.description,
        )

    def with_seen(self, seen: DecodedFile) -> FilePreview:
        """Add the decoded file."""
        return replace(
            self,
            form=form_name(seen.form, self.path),
            size=seen.size,
            capture=seen.capture,
            quality=seen.quality,
            basis=seen.basis,
            damage=seen.damage,
            picture=seen.picture,
        )

    def with_tags(self, found: Embedded) -> FilePreview:
        """Add the encoder's tags, unless the catalog has tags for the photo."""
        if found.tags is None or (self.photo is not None and self.tags):
            return self
        return self._with_more("encoder", found.tags)

    def with_description(self, told: Described | KnownError) -> FilePreview:
        """Add the vision model's description and tags, or why there is none."""
        if isinstance(told, KnownError):
            return replace(self, undescribed=str(told))
        preview = replace(self, description=told, undescribed="")
        known = self.photo is not None and self.tags  # the catalog's tags take precedence
        return preview if known or not told.tags else preview._with_more("vision", told.tags)

    def _with_more(
        self, source: str, tags: Sequence[SuggestedTag | tuple[str, int]]
    ) -> FilePreview:
        known = {tag.name for tag in self.tags or ()}
        named = [SuggestedTag(*tag) for tag in tags]
        more = [TagDetail(tag.name, source, tag.confidence, "suggested") for tag in named]
        new = tuple(tag for tag in more if tag.name not in known)
        return replace(self, tags=(*(self.tags or ()), *new))

    def with_photo(self, detail: PhotoDetail) -> FilePreview:
        """Add the catalog's photo of this file, with its tags and description."""
        return replace(
            self, photo=detail.id, tags=detail.tags or None, description=detail.description
        )

    def refuse(self, error: KnownError) -> FilePreview:
        """Add why the file cannot be decoded."""
        gone = isinstance(error, GoneError)  # the remedy for photos in folders does not apply
        return replace(self, refused=str(error.args[0] if gone else error))


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


def made(capture: Capture) -> list[str]:
    """Return time, place, camera, lens and exposure of a photo as lines, if known."""
    taken = ""
    if capture.taken_at is not None:
        taken = f"{capture.taken_at.day} {capture.taken_at:%B %Y, %H:%M:%S}"
        if capture.utc_offset_min is not None:
            taken += f" {offset(capture.utc_offset_min)}"
    lens = capture.lens if capture.lens != capture.camera else None
    lines = (taken, place(capture), capture.camera, lens, exposure_line(capture))
    return [line for line in lines if line]


def clipped(quality: Quality) -> str:
    """Return how much of a picture is clipped: ``clipped: 1.2 % highlights, 0.3 % shadows``."""
    parts = [
        f"{100 * share:.1f} % {name}"
        for share, name in ((quality.highlights, "highlights"), (quality.shadows, "shadows"))
        if share >= 0.0005
    ]
    return f"clipped: {', '.join(parts)}" if parts else "nothing clipped"
