"""Capture data stated in XMP or IPTC, for fields missing in EXIF.

`curator.imaging.exif` uses it for the packets found by `curator.imaging.embedded_metadata`. A
broken packet counts as missing: nothing here raises on content.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterable

from curator.imaging import exif_fields
from curator.model import Capture
from curator.sidecar.packet import Packet
from curator.sidecar.sidecar_data import SidecarError

log = logging.getLogger(__name__)

_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_XMP = "http://ns.adobe.com/xap/1.0/"

# The capture time, the most direct statement first.
_TIMES = (f"{_EXIF} DateTimeOriginal", f"{_PHOTOSHOP} DateCreated", f"{_XMP} CreateDate")
_DIGITIZED = f"{_EXIF} DateTimeDigitized"
_MAKE, _MODEL, _ORIENTATION = f"{_TIFF} Make", f"{_TIFF} Model", f"{_TIFF} Orientation"
_LENSES = (f"{_EXIF_EX} LensModel", f"{_AUX} Lens")
_ISOS = (f"{_EXIF_EX} PhotographicSensitivity", f"{_EXIF} ISOSpeedRatings")
_EXPOSURE, _SHUTTER = f"{_EXIF} ExposureTime", f"{_EXIF} ShutterSpeedValue"
_F_NUMBER, _APERTURE = f"{_EXIF} FNumber", f"{_EXIF} ApertureValue"
_FOCAL = f"{_EXIF} FocalLength"
_LATITUDE, _LONGITUDE = f"{_EXIF} GPSLatitude", f"{_EXIF} GPSLongitude"
_WANTED = frozenset(
    {*_TIMES, _DIGITIZED, _MAKE, _MODEL, _ORIENTATION, *_LENSES, *_ISOS, _EXPOSURE, _SHUTTER}
    | {_F_NUMBER, _APERTURE, _FOCAL, _LATITUDE, _LONGITUDE}
)
# "64,8.1234N" or "64,8,7N": XMP specification part 2, 3.3.
_PLACE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")
_RATIO = re.compile(r"\s*(-?\d{1,15}(?:\.\d{1,15})?)(?:/(\d{1,15}))?\s*")
_DAY = re.compile(r"(\d{4})\D?(\d{2})\D?(\d{2})")
_TO_THE_MINUTE = re.compile(r"(\S{8,10}[T ]\d{2}:\d{2})(Z|[+-]\S+|)")
_TIME_OF_DAY = re.compile(r"(\d{2}):?(\d{2}):?(\d{2})\s*([+-]\d{2}:?\d{2})?")


Dates = tuple[str, str]
"""Date and time as IPTC-IIM holds them: 20240504, and 184207+0200 or nothing."""


def completed(
    capture: Capture,
    packets: Iterable[bytes],
    digitized: exif_fields.Moment,
    created: Dates = ("", ""),
    scanned: Dates = ("", ""),
) -> Capture:
    """Complete capture data from XMP; the time also from IPTC, then from when it was digitized.

    Args:
        capture: the capture data of EXIF, with the time of DateTimeOriginal or None.
        packets: the XMP packets, the main one first.
        digitized: EXIF DateTimeDigitized.
        created: the creation date in IPTC.
        scanned: the digitization date in IPTC.
    """
    stated = [found for found in map(_parse, packets) if found is not None]
    for packet in stated:
        capture = exif_fields.filled(capture, _capture(packet))
    moments = [
        *(_moment(packet, name) for packet in stated for name in _TIMES),
        _iptc(created),
        digitized,
        *(_moment(packet, _DIGITIZED) for packet in stated),
        _iptc(scanned),
    ]
    return exif_fields.with_first_moment(capture, moments)


def orientation(packets: Iterable[bytes]) -> int | None:
    """Return the orientation, 1-8, stated in XMP; None if there is none."""
    for packet in filter(None, map(_parse, packets)):
        with contextlib.suppress(TypeError, ValueError):
            if 1 <= (value := int(packet.value(_ORIENTATION) or "")) <= 8:
                return value
    return None


def _parse(data: bytes) -> Packet | None:
    try:
        return Packet(data, _WANTED)
    except SidecarError as error:
        log.debug("XMP of %d bytes ignored: %s", len(data), error)
        return None


def _capture(packet: Packet) -> Capture:
    make, model = packet.value(_MAKE), packet.value(_MODEL)
    exposure, f_number = _number(packet, _EXPOSURE), _number(packet, _F_NUMBER)
    if exposure is None and (apex := _number(packet, _SHUTTER)) is not None and abs(apex) < 30:
        exposure = float(2.0**-apex)
    if f_number is None and (apex := _number(packet, _APERTURE)) is not None and abs(apex) < 30:
        f_number = round(float(2.0 ** (apex / 2)), 1)
    isos = (exif_fields.within(_number(packet, name), 1, 10_000_000) for name in _ISOS)
    iso = next((value for value in isos if value and value != 65535), None)
    latitude, longitude = _coordinate(packet, _LATITUDE, 90), _coordinate(packet, _LONGITUDE, 180)
    unlocated = latitude is None or longitude is None or (latitude == 0 and longitude == 0)
    return Capture(
        camera=exif_fields.camera_name(make or None, model or None),
        lens=next(filter(None, map(packet.value, _LENSES)), None),
        exposure_s=exif_fields.within(exposure, 1e-7, 1e5),
        f_number=exif_fields.within(f_number, 0.1, 1000),
        iso=round(iso) if iso else None,
        focal_length_mm=exif_fields.within(_number(packet, _FOCAL), 0.1, 10000),
        latitude=None if unlocated else latitude,
        longitude=None if unlocated else longitude,
    )


def _number(packet: Packet, name: str) -> float | None:
    found = _RATIO.fullmatch(packet.value(name) or "")
    if not found:
        return None
    below = float(found[2] or 1)
    return float(found[1]) / below if below else None


def _coordinate(packet: Packet, name: str, limit: int) -> float | None:
    found = _PLACE.fullmatch((packet.value(name) or "").strip())
    if not found:
        return None
    degrees = float(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    if degrees > limit:
        return None
    return -degrees if found[4] in "SW" else degrees


def _moment(packet: Packet, name: str) -> exif_fields.Moment:
    """Parse a time in XMP, which may lack seconds; a date alone counts as its midnight."""
    text = (packet.value(name) or "").strip()
    if _DAY.fullmatch(text):
        text += "T00:00:00"
    elif found := _TO_THE_MINUTE.fullmatch(text):
        text = f"{found[1]}:00{found[2]}"
    return exif_fields.parse_time(text)


def _iptc(written: Dates) -> exif_fields.Moment:
    day, time = _DAY.match(written[0]), _TIME_OF_DAY.match(written[1])
    if not day:
        return None, None
    clock = f"{time[1]}:{time[2]}:{time[3]}{time[4] or ''}" if time else "00:00:00"
    return exif_fields.parse_time(f"{day[1]}-{day[2]}-{day[3]}T{clock}")
