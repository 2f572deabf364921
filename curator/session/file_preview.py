"""One file described without adding it to the catalog: its preview, in window and terminal.

A preview fills as answers come: what one decode of the file gave, what the encoder sees in it, and
what the learned taste makes of that. Nothing of it is stored anywhere.
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
    from curator.stages.file_preview import Seen

DESCRIBING = "Describing…"
"""Stands where a description will."""


@dataclass(frozen=True, slots=True)
class FilePreview:
    """What there is to say of one file; what is not known yet, or never will be, is empty.

    Attributes:
        path: of the file.
        refused: why there is no picture; then nothing but this is known.
        form: what it is by its content: ``JPEG``, ``NEF · RAW``.
        size: of the file, bytes.
        capture, quality, basis, damage: as in `curator.model.Converted`.
        picture: for the screen, as in `curator.stages.file_preview.Seen`.
        tags: what the encoder would call it; None while that is not known, or it has no words.
        compared: a sentence about the encoder.
        why: what the taste model says of it.
        unmatched: why it says nothing.
        description: what the vision model said; None as long as that is not known.
        undescribed: why there is none, or that it is coming.
        photo: the photo of the catalog this file is, None if it is none.
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
        """Return what is known in the form in which the inspector shows a photo."""
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

    def with_seen(self, seen: Seen) -> FilePreview:
        """Add what a decode gave."""
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
        """Add what the encoder calls it, unless a person or the catalog has better."""
        if found.tags is None or (self.photo is not None and self.tags):
            return self
        return self._with_more("encoder", found.tags)

    def with_description(self, told: Described | KnownError) -> FilePreview:
        """Add what the vision model said, and the tags it suggests; or why it said nothing."""
        if isinstance(told, KnownError):
            return replace(self, undescribed=str(told))
        preview = replace(self, description=told, undescribed="")
        known = self.photo is not None and self.tags  # those a person let it have
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
        """Add that the file is a photo of the catalog, and what was said of it there."""
        return replace(
            self, photo=detail.id, tags=detail.tags or None, description=detail.description
        )

    def refuse(self, error: KnownError) -> FilePreview:
        """Say why there is no picture."""
        gone = isinstance(error, GoneError)  # what helps a folder's photos does not help here
        return replace(self, refused=str(error.args[0] if gone else error))


def of_photo(detail: PhotoDetail) -> FilePreview:
    """Make the preview of a photo from what the catalog knows of it; nothing is decoded."""
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
    """Name a kind of file: by its content, where that is known, else by its suffix."""
    suffix = path.suffix[1:].upper()
    if form == "raw":
        return f"{suffix} · RAW" if suffix not in ("", "RAW") else "RAW"
    return _FORMS.get(form, form.upper()) if form else _SUFFIXES.get(suffix, suffix)


def made(capture: Capture) -> list[str]:
    """Say when and where a photo was taken, with what and how: a line each, as far as known."""
    taken = ""
    if capture.taken_at is not None:
        taken = f"{capture.taken_at.day} {capture.taken_at:%B %Y, %H:%M:%S}"
        if capture.utc_offset_min is not None:
            taken += f" {offset(capture.utc_offset_min)}"
    lens = capture.lens if capture.lens != capture.camera else None
    lines = (taken, place(capture), capture.camera, lens, exposure_line(capture))
    return [line for line in lines if line]


def clipped(quality: Quality) -> str:
    """Say how much of a picture is clipped: ``1.2 % of highlights, 0.3 % of shadows``."""
    parts = [
        f"{100 * share:.1f} % {name}"
        for share, name in ((quality.highlights, "highlights"), (quality.shadows, "shadows"))
        if share >= 0.0005
    ]
    return f"clipped: {', '.join(parts)}" if parts else "nothing clipped"
