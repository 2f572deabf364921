"""Formats numbers, sizes and capture data for the screen."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics

from curator.library.captions import gps_location, utc_offset
from curator.model import (
    Capture,
    aperture,
    bidi_safe,
    counted,
    file_size,
    focal_length,
    shutter,
    time_span,
)
from curator.stages import STAGES

STAGE_NOUNS = {stage.name: stage.noun for stage in STAGES}


def count(number: int) -> str:
    """Format a count with thousands separators: ``3,012``."""
    return f"{number:,}"


def photos(number: int) -> str:
    """Format a number of photos: ``1 photo``, ``3,012 photos``."""
    return counted(number, "photo")


size = file_size
duration = time_span


def megapixels(width: int, height: int) -> str:
    """Format a size in px: ``6000 × 4000 · 24.0 MP``."""
    return f"{width} × {height} · {width * height / 1e6:.1f} MP"


def capture_rows(capture: Capture) -> list[tuple[str, str]]:
    """Return the capture data as rows of name and value, without missing values."""
    width, height = capture.width, capture.height
    exposure = (
        shutter(capture.exposure_s),
        aperture(capture.f_number),
        f"ISO {capture.iso}" if capture.iso else None,
    )
    rows = [
        ("Taken", _taken(capture)),
        ("Camera", capture.camera),
        ("Lens", capture.lens),
        ("Exposure", joined(exposure)),
        ("Focal length", focal_length(capture.focal_length_mm)),
        ("Size", megapixels(width, height) if width and height else None),
        ("Location", gps_location(capture)),
    ]
    return [(name, value) for name, value in rows if value]


def path(of: Path) -> str:
    """Format a path whose parts keep their order although names may run from right to left."""
    separator, parts = os.sep, of.relative_to(of.anchor).parts
    return of.anchor + separator.join(map(bidi_safe, parts))


def joined(parts: Iterable[str | None]) -> str:
    """Join the texts that are not empty with middle dots."""
    return " · ".join(part for part in parts if part)


def _taken(capture: Capture) -> str:
    if capture.taken_at is None:
        return ""
    # ISO order is the only date format nobody misreads.
    text = f"{capture.taken_at:%Y-%m-%d  %H:%M:%S}"
    if capture.utc_offset_min is not None:
        text += f"  {utc_offset(capture.utc_offset_min)}"
    return text


def elide_facts(text: str, metrics: QFontMetrics, width: int) -> str:
    """Drop facts from the end of ``text`` until it fits: part of a fact could mislead."""
    while metrics.horizontalAdvance(text) > width and " · " in text:
        text = text.rpartition(" · ")[0]
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


def conflicts(sidecars: int) -> str:
    """Return that sidecars conflict with marks: "2 sidecars changed in other apps conflict …"."""
    verb = "conflicts" if sidecars == 1 else "conflict"
    return f"{counted(sidecars, 'sidecar')} changed in other apps {verb} with your marks"
