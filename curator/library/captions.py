"""Short texts about a photo: captions, its files, faces, marks, times, undo steps.

The window and the command line show them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from curator.model import (
    Capture,
    Eye,
    Face,
    Flag,
    Marks,
    Step,
    aperture,
    bidi_safe,
    counted,
    focal_length,
    shutter,
)

if TYPE_CHECKING:
    from curator.catalog import PhotoDetail, TagDetail

_PIXELS = {
    "preview": "preview",
    "small preview": "small preview",
    "demosaic": "RAW",
    "fallback": "JPEG of the pair",
    "image": "",
    "hdr": "HDR",
    "float": "floating point",
    "integer": "scaled integers",
}
MEASURED = {
    "image": "original file",
    "preview": "camera JPEG in the RAW",
    "small preview": "small preview in the RAW: the rest cannot be read",
    "demosaic": "RAW sensor data",
    "fallback": "JPEG of the pair: the RAW could not be read",
    "hdr": "original file; HDR: highlights rolled off for viewing",
    "float": "original file; floating point: tone curve applied for viewing",
    "integer": "original file; long or signed integers: scaled for viewing",
}
"""What sharpness and exposure were measured on, by basis (`curator.model.Converted`)."""


EYES = {Eye.OPEN: "eyes open", Eye.CLOSED: "eyes closed", Eye.UNKNOWN: "can't tell"}
_FACES_LISTED = 12


def face_lines(faces: Sequence[Face]) -> list[str]:
    """Return how many faces a photo has, a line for each of the largest, and "+8" for the others.

    "412 px · eyes open · sharpness 63" fits the inspector; the sharpness is that of the eyes.
    """
    lines = [counted(len(faces), "face")]
    for face in faces[:_FACES_LISTED]:
        parts = [f"{face.size_px:,} px", EYES[face.eyes]]
        if face.eye_sharpness is not None:
            parts.append(f"sharpness {face.eye_sharpness:.0f}")
        lines.append(" · ".join(parts))
    more = len(faces) - _FACES_LISTED
    return [*lines, f"+{more}"] if more > 0 else lines


def capture_line(name: str, capture: Capture) -> str:
    """Return name, time, shutter, aperture, ISO and focal length, as far as known."""
    time = f"{capture.taken_at:%H:%M:%S}" if capture.taken_at is not None else ""
    return " · ".join(part for part in (name, time, exposure_line(capture)) if part)


def exposure_line(capture: Capture) -> str:
    """Return shutter, aperture, ISO and focal length, as far as known."""
    parts = (
        shutter(capture.exposure_s),
        aperture(capture.f_number),
        f"ISO {capture.iso}" if capture.iso else "",
        focal_length(capture.focal_length_mm),
    )
    return " · ".join(filter(None, parts))


def gps_location(capture: Capture) -> str:
    """Format the GPS location in degrees; empty if it is not known."""
    if capture.latitude is None or capture.longitude is None:
        return ""
    north = "N" if capture.latitude >= 0 else "S"
    east = "E" if capture.longitude >= 0 else "W"
    return f"{abs(capture.latitude):.4f}° {north}  {abs(capture.longitude):.4f}° {east}"


def utc_offset(minutes: int) -> str:
    """Format an offset from UTC: UTC+2, UTC−3:30."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


def unavailable_reason(detail: PhotoDetail) -> str:
    """Return why none of a photo's files can be read, ``T7 Shield unplugged``; empty if one can."""
    if not detail.files or not all(file.missing for file in detail.files):
        return ""
    return unreachable_reason(detail) or "file not there now"


def unreachable_reason(detail: PhotoDetail) -> str:
    """Return why a folder of the photo's files cannot be reached; empty if all can."""
    return next((file.away for file in detail.files if file.away), "")


def marks_line(marks: Marks) -> str:
    """Return the marks in words, for captions and screen readers."""
    parts = []
    if marks.flag is Flag.REJECT:
        parts.append("rejected")
    elif marks.flag is Flag.PICK:
        parts.append("pick")
    elif marks.kept:
        parts.append("kept")
    if marks.rating:
        parts.append("★" * marks.rating)
    if marks.label:
        parts.append(str(marks.label))
    return " · ".join(parts)


def caption(detail: PhotoDetail) -> tuple[str, str, str]:
    """Return the three parts of the caption below a photo."""
    line = capture_line(bidi_safe(detail.name), detail.capture)
    return marks_line(detail.marks), line, files_line(detail)


def files_line(detail: PhotoDetail, shown: str | None = None) -> str:
    """Return a photo's files and the pixels on screen: "RAW+J · JPEG".

    Args:
        detail: the photo.
        shown: "preview", "RAW" or "JPEG"; None: the pixels its proxy was made from.
    """
    kinds = {file.kind for file in detail.files if file.role != "copy"}
    files = "RAW+J" if len(kinds) > 1 else "RAW" if "raw" in kinds else ""
    if shown is None or not files:
        shown = _PIXELS.get(detail.basis or "", "")
    parts = [files, "" if shown == files else shown, "damaged" if detail.damage else ""]
    return " · ".join(part for part in parts if part)


def suggestion(tag: TagDetail) -> str:
    """Return the source of a suggested tag: ``suggested by the vision model, 80 %``."""
    if not tag.source:
        return "suggested"
    source = "vision model" if tag.source == "vision" else tag.source
    confidence = "" if tag.confidence is None else f", {tag.confidence} %"
    return f"suggested by the {source}{confidence}"


def format_time(moment: float, now: datetime | None = None) -> str:
    """Format the time of an action: 18:04, yesterday 23:14, 3 Nov 2026 09:10."""
    then, now = datetime.fromtimestamp(moment), now or datetime.now()
    days = (now.date() - then.date()).days
    if days == 0:
        return f"{then:%H:%M}"
    if days == 1:
        return f"yesterday {then:%H:%M}"
    return f"{then.day} {then:%b %Y %H:%M}"


def earlier_rating(stars: int, made_at: float, *, same: bool, now: datetime | None = None) -> str:
    """Return what a person gave a photo before: "You gave this 4 in March"."""
    text = f"You gave this {stars} {_when(datetime.fromtimestamp(made_at), now or datetime.now())}"
    return f"{text}, too" if same else text


def _when(then: datetime, now: datetime) -> str:
    """Return when something was, as people say it: yesterday, last week, in March 2025."""
    days = (now.date() - then.date()).days
    if days < 2:
        return "yesterday" if days == 1 else "earlier today"
    if days < 7:
        return f"{days} days ago"
    if days < 14:
        return "last week"
    return f"in {then:%B}" if then.year == now.year else f"in {then:%B %Y}"


_DONE = {
    "reject": "Rejected",
    "keep": "Kept",
    "pick": "Picked",
    "unflag": "Unflagged",
    "stack": "Stacked",
    "unstack": "Unstacked",
    "remove from stack": "Removed from stack:",
}


def done_text(act: str, what: str) -> str:
    """Return the text of a completed action: "Rejected DSC_0411", "4 stars for DSC_0411"."""
    return f"{_DONE[act]} {what}" if act in _DONE else f"{act.capitalize()} for {what}"


def unchanged_text(act: str, what: str) -> str:
    """Return the text of an action that changed nothing: "DSC_0411: rejected already"."""
    done = _DONE.get(act)
    return f"{what}: {done.lower() if done else act} already"


def step_line(step: Step) -> str:
    """Describe an undo step: "reject 212 photos, yesterday 23:14, Iceland"."""
    act = f"{step.context.get('act', '')} {step.context.get('what', '')}".strip()
    parts = [
        act or step.summary,
        format_time(step.made_at),
        str(step.context.get("scope_title", "")),
    ]
    return ", ".join(part for part in parts if part)
