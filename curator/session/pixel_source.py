"""Chooses which file of a photo, and which of its pictures, the loupe shows at full resolution.

A RAW has two pictures: the camera's JPEG, inside it or beside it as the other half of a pair, and
the one developed from its sensor data. The loupe shows the camera's until the person asks for the
other (R), which then holds for the following photos, until they go back to the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from curator.catalog import PhotoDetail
from curator.model import Kind, bidi_safe

if TYPE_CHECKING:
    from curator.catalog import FileDetail
    from curator.stages.frame import Want

_NAMES = {".jpg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".tif": "TIFF", ".hif": "HEIC"}


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a photo, and which of its pictures to decode.

    ``fingerprint`` identifies the file's content, None before it was read. ``paired`` is whether
    this is the picture beside a RAW.
    """

    path: str
    want: Want
    fingerprint: str | None
    paired: bool = False

    def word(self, basis: str) -> str:
        """Return the name of the pixels: "preview", "RAW", "JPEG", "HEIC", "TIFF"...

        Args:
            basis: from the decoder (`curator.model.Converted`).
        """
        if basis in ("preview", "small preview", "demosaic"):
            return "RAW" if basis == "demosaic" else basis
        suffix = PurePath(self.path).suffix.lower()
        return _NAMES.get(suffix, suffix[1:].upper())

    def long_word(self, basis: str) -> str:
        """Return the name of the levels a histogram shows: "camera JPEG", "RAW", "TIFF"..."""
        word = self.word(basis)
        return "camera JPEG" if "preview" in word or (self.paired and word == "JPEG") else word


def source(detail: PhotoDetail, developed: bool | None, zoomed: bool) -> Source:
    """Choose the file and the picture to show.

    Args:
        detail: the photo.
        developed: whether the person chose the RAW (True) or the camera's picture (False); None:
            neither.
        zoomed: whether the loupe is zoomed in; if not, the pixels must look like the proxy's.
    """
    raw, image = _files(detail)
    if raw is not None and (image is None or shows_raw(detail, developed, zoomed)):
        return Source(str(raw.path), "demosaic" if developed else "preview", raw.fingerprint)
    assert image is not None
    return Source(str(image.path), "preview", image.fingerprint, raw is not None)


def shows_raw(detail: PhotoDetail, developed: bool | None, zoomed: bool) -> bool:
    """Whether to show the sensor data."""
    return developed if developed is not None else not zoomed and detail.basis == "demosaic"


def why_no_choice(detail: PhotoDetail) -> str:
    """Return why a photo has only one picture to show; empty if it has two."""
    raw, image = _files(detail)
    if raw is None:
        return f"{bidi_safe(detail.name)} has no RAW to switch to."
    if image is None and detail.basis == "demosaic":
        return f"{bidi_safe(detail.name)} holds no full-size preview: this is the RAW."
    return ""


def _files(detail: PhotoDetail) -> tuple[FileDetail | None, FileDetail | None]:
    """Return a photo's RAW and its other picture; if the file of one is missing, only the other."""
    own = sorted(
        (file for file in detail.files if file.role != "copy"), key=lambda file: file.missing
    )
    raw = next((file for file in own if file.kind is Kind.RAW), None)
    image = next((file for file in own if file.kind is not Kind.RAW), None)
    if raw is not None and image is not None and raw.missing != image.missing:
        return (None, image) if raw.missing else (raw, None)
    return raw, image
