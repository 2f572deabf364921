"""Capture data from EXIF directories: times, exposure, lens, location, orientation.

Broken metadata counts as missing: nothing here raises on content. Times are stored as the camera
showed them, wall clock without zone, because that is what a photographer remembers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from curator.imaging import tiff
from curator.model import Capture

_DATED = re.compile(
    r"\s*(\d{4})\D(\d{1,2})\D(\d{1,2})[T\s]+(\d{1,2})\D(\d{1,2})[:.](\d{1,2})"
    r"(?:[.,](\d{1,9}))?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_ENGLISH = re.compile(r"\s*\w{3}\s+(\w{3})\s+(\d{1,2})\s+(\d{2}):(\d{2}):(\d{2})\s+(\d{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Earlier times mean "none": cameras then write 0000, 1601, 1919 or 1970-01-01.
_EARLIEST, _LATEST = datetime(1970, 1, 2), datetime(2100, 1, 1)
_LONGEST_PX = 1_000_000  # a larger size means a broken header
# Tags of EXIF 2.32: time, sub-seconds, offset.
_ORIGINAL, _DIGITIZED = (36867, 37521, 36881), (36868, 37522, 36882)
_CHANGED = (306, 37520, 36880)  # change of the file; a capture time only in a RAW
_DNG_VERSION = 50706

Moment = tuple[datetime | None, int | None]
"""A wall-clock time without zone, and its offset from UTC in minutes if stated."""


def sized(capture: Capture, width: float | None, height: float | None) -> Capture:
    """Return capture data with the upright size of a picture; width and height are as stored."""
    across, down = tiff.as_count(width), tiff.as_count(height)
    if not across or not down or max(across, down) > _LONGEST_PX:
        return capture
    if capture.orientation >= 5:
        across, down = down, across
    return replace(capture, width=across, height=down)


def capture_of(directories: Iterable[tiff.Directory]) -> Capture:
    """Return the capture data in TIFF directories, without the size.

    The time is DateTimeOriginal or None; `curator.imaging.xmp` chooses among other times.
    """
    main, exif, gps = _merged(directories)
    taken, offset = _moment(exif, _ORIGINAL)
    turned = orientation_of(main.number(274))
    latitude, longitude = _location(gps)
    return Capture(
        taken_at=taken,
        utc_offset_min=offset,
        camera=camera_name(main.text(271), main.text(272)),
        lens=exif.text(42036),
        exposure_s=within(exif.number(33434), 1e-7, 1e5),
        f_number=within(exif.number(33437), 0.1, 1000),
        iso=_iso(exif),
        focal_length_mm=within(exif.number(37386), 0.1, 10000),
        latitude=latitude,
        longitude=longitude,
        orientation=turned,
        subject=_subject(exif, turned),
    )


def orientation_of(value: float | None) -> int:
    """Return a valid EXIF orientation 1-8; anything else means upright."""
    return int(value) if value is not None and value in range(1, 9) else 1


def _merged(
    directories: Iterable[tiff.Directory],
) -> tuple[tiff.Directory, tiff.Directory, tiff.Directory]:
    """Merge directories into main, EXIF and GPS; the first page wins: others of a RAW vary."""
    main, exif, gps = (tiff.Directory("page", 0) for _ in range(3))
    for directory in directories:
        if directory.role == "page" and not main.tags:
            main.tags.update(directory.tags)
        elif directory.role == "exif" and not exif.tags:
            exif.tags.update(directory.tags)
        elif directory.role == "gps" and not gps.tags:
            gps.tags.update(directory.tags)
    for tag, value in main.tags.items():
        exif.tags.setdefault(tag, value)  # TIFF/EP cameras write exposure into the first page
    return main, exif, gps


def parse_time(text: str | None) -> Moment:
    """Parse a time in any format found in files; return it without zone, and its offset if stated.

    Seconds above 59 count as 59, because the minute is right. Times that mean "none" (zeros, before
    1970-01-02) return None.
    """
    if not text:
        return None, None
    offset = None
    if found := _DATED.match(text):
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        fraction, offset = found.group(7), parse_offset(found.group(8))
        micro = int((fraction or "0").ljust(6, "0")[:6])
    elif (found := _ENGLISH.match(text)) and found.group(1) in _MONTHS:
        day, hour, minute, second, year = (int(part) for part in found.groups()[1:])
        month, micro = _MONTHS.index(found.group(1)) + 1, 0
    else:
        return None, None
    try:
        when = datetime(year, month, day, hour, minute, min(second, 59), micro)
    except ValueError:
        return None, None
    return (when, offset) if _EARLIEST <= when < _LATEST else (None, None)


def parse_offset(text: str | None) -> int | None:
    """Parse "+02:00" as 120 minutes; None for anything that is not a real time zone."""
    if not text:
        return None
    if text.strip().upper() == "Z":
        return 0
    found = re.fullmatch(r"\s*([+-])(\d{1,2}):?(\d{2})\s*", text)
    if not found:
        return None
    minutes = int(found.group(2)) * 60 + int(found.group(3))
    return (-minutes if found.group(1) == "-" else minutes) if minutes <= 15 * 60 else None


def digitized(directories: Iterable[tiff.Directory]) -> Moment:
    """Return when a picture was digitized, used if no capture time is stated."""
    return _moment(_merged(directories)[1], _DIGITIZED)


def file_changed_at(directories: Iterable[tiff.Directory]) -> Moment:
    """Return when a camera wrote a RAW, the last resort; not for a DNG, which may be converted."""
    main, exif, _ = _merged(directories)
    return (None, None) if _DNG_VERSION in main.tags else _moment(exif, _CHANGED)


def with_first_moment(capture: Capture, moments: Sequence[Moment]) -> Capture:
    """Return capture data with the first stated of several times, if it has none yet."""
    for when, offset in moments if capture.taken_at is None else ():
        if when is not None:
            return replace(capture, taken_at=when, utc_offset_min=offset)
    return capture


def filled(capture: Capture, more: Capture) -> Capture:
    """Return capture data completed from ``more``; latitude and longitude only together."""
    names = ["camera", "lens", "exposure_s", "f_number", "iso", "focal_length_mm"]
    if capture.latitude is None:
        names += ["latitude", "longitude"]
    missing = [name for name in names if getattr(capture, name) is None]
    return replace(capture, **{name: getattr(more, name) for name in missing})


def is_complete(capture: Capture) -> bool:
    """Whether XMP or IPTC have nothing to add; a missing location does not count."""
    wanted = ("taken_at", "camera", "lens", "exposure_s", "f_number", "iso", "focal_length_mm")
    return all(getattr(capture, name) is not None for name in wanted)


def _moment(exif: tiff.Directory, tags: tuple[int, int, int]) -> Moment:
    time_tag, part_tag, zone_tag = tags
    when, offset = parse_time(exif.text(time_tag))
    if when is None:
        return None, None
    part = (exif.text(part_tag) or "").strip()
    if part.isascii() and part.isdigit() and not when.microsecond:
        when += timedelta(microseconds=int(part.ljust(6, "0")[:6]))
    written = parse_offset(exif.text(zone_tag))
    return when, offset if written is None else written


def camera_name(make: str | None, model: str | None) -> str | None:
    """Return a camera's name with the maker in it once: many repeat themselves in the model."""
    if not make or not model:
        return model or make
    first = make.split()[0]
    return model if model.lower().startswith(first.lower()) else f"{_short_maker(make)} {model}"


def _short_maker(make: str) -> str:
    """Return a maker's name without its legal form: OLYMPUS for "OLYMPUS IMAGING CORP."."""
    words = make.replace(",", " ").split()
    extra = {"corporation", "corp.", "corp", "co.", "co.ltd.", "ltd.", "ltd", "inc.", "imaging"}
    kept = [word for word in words if word.lower() not in extra]
    return " ".join(kept or words)


def within(value: float | None, low: float, high: float) -> float | None:
    """Return a value if it is within plausible limits, else None."""
    return value if value is not None and math.isfinite(value) and low <= value <= high else None


def _iso(exif: tiff.Directory) -> int | None:
    """Return the ISO; 65535 means that a longer field has it (EXIF 2.3)."""
    for tag in (34855, 34867, 34866):
        value = within(exif.number(tag), 1, 10_000_000)
        if value and value != 65535:
            return round(value)
    return None


def _location(gps: tiff.Directory) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.tags.get(2), gps.text(1), "S", 90)
    longitude = _degrees(gps.tags.get(4), gps.text(3), "W", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None  # receivers without a fix write zero, zero
    return latitude, longitude


def _degrees(value: object, half: str | None, negative: str, limit: int) -> float | None:
    if not isinstance(value, tuple) or not value:
        return None
    parts = [float(part) for part in (*value, 0.0, 0.0)][:3]
    total = parts[0] + parts[1] / 60 + parts[2] / 3600
    if not math.isfinite(total) or not 0 <= total <= limit:
        return None
    return -total if (half or "").upper().startswith(negative) else total


def _subject(exif: tiff.Directory, orientation: int) -> tuple[float, float] | None:
    """Return the center of SubjectArea (stored pixels) as fractions of the upright picture."""
    area, width, height = exif.tags.get(37396), exif.number(40962), exif.number(40963)
    if not isinstance(area, tuple) or len(area) < 2 or not width or not height:
        return None
    x, y = area[0] / width, area[1] / height
    if not (0 < x < 1 and 0 < y < 1):
        return None
    return upright_point((x, y), orientation)


def upright_point(point: tuple[float, float], orientation: int) -> tuple[float, float]:
    """Convert a point in fractions of the stored picture to fractions of the upright one."""
    x, y = point
    return {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (1 - y, x),
        7: (1 - y, 1 - x),
        8: (y, 1 - x),
    }.get(orientation, (x, y))
