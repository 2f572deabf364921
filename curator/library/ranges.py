"""Parse numbers, dates and locations of a search: ``>=3200``, ``24..70``, ``f/2.8``, ``1/250``.

`filters` uses this for every field that compares. Parsing never guesses: an invalid value raises a
ValueError, which `filters` turns into a message with an example.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLAIN = re.compile(r"\d{1,7}(\.\d{1,6})?", re.ASCII)
_SIGN = re.compile(r"(>=|<=|>|<|=)?(.*)", re.DOTALL)
_BETWEEN = re.compile(r"(.*?)\.\.(.*)|(\d[^-]*)-([^-]+)", re.DOTALL)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_LOCATION = re.compile(r"(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)(?:,(\d+(?:\.\d+)?)(km|mi|m))?")
_METERS = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
_NEARBY_M = 1000.0
_EARTH_M = 6_371_008.8  # mean radius, IUGG

Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Range:
    """Values between ``low`` and ``high``; ``closed``: both ends are included."""

    low: float = -np.inf
    high: float = np.inf
    closed: bool = True

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Mark the values inside; NaN never is."""
        inside: NDArray[np.bool_]
        if self.closed:
            inside = (values >= self.low) & (values <= self.high)
        else:
            inside = (values > self.low) & (values < self.high)
        return inside


def read_range(text: str, read: Callable[[str], float], slack: float = 0.0) -> Range:
    """Read ``3``, ``>=3``, ``<3``, ``3..5``, ``3-5``, ``3..`` or ``..5``.

    Args:
        text: as typed.
        read: reads one value.
        slack: how far a number may be from a value to count as equal to it, as a share of the
            value: cameras write 1/60 s as 0.01666 and f/2.8 as 2.83.

    Raises:
        ValueError: the text is not valid, or the low end is above the high end.
    """
    sign, bare = _SIGN.fullmatch(text).groups()  # type: ignore[union-attr]
    between = None if sign else _BETWEEN.fullmatch(bare)
    if between is not None:
        first, last = between[1] or between[3], between[2] or between[4]
        if not (first or last):
            raise ValueError(text)
        low = read(first) * (1 - slack) if first else -np.inf
        high = read(last) * (1 + slack) if last else np.inf
        if low > high:
            raise ValueError(f"{first} is more than {last}")
        return Range(low, high)
    value = read(bare)
    below, above = value * (1 - slack), value * (1 + slack)
    match sign:
        case ">=":
            return Range(low=below)
        case "<=":
            return Range(high=above)
        case ">":
            return Range(low=above, closed=False)
        case "<":
            return Range(high=below, closed=False)
    return Range(below, above)


def number(text: str) -> float:
    """Read a plain number.

    Raises:
        ValueError: it is not valid.
    """
    if not _PLAIN.fullmatch(text):
        raise ValueError(text)
    return float(text)


def f_number(text: str) -> float:
    """Read ``2.8``, ``f2.8`` or ``f/2.8``.

    Raises:
        ValueError: it is not valid.
    """
    return number(re.sub(r"^f/?", "", text.lower()))


def seconds(text: str) -> float:
    """Read an exposure time in seconds: ``1/250``, ``0.5``, ``2s``.

    Raises:
        ValueError: it is not valid.
    """
    above, slash, below = text.lower().removesuffix("s").partition("/")
    if not slash:
        return number(above)
    if number(below) == 0:
        raise ValueError(text)
    return number(above) / number(below)


def millimeters(text: str) -> float:
    """Read a focal length: ``85`` or ``85mm``.

    Raises:
        ValueError: it is not valid.
    """
    return number(text.lower().removesuffix("mm"))


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within ``radius_m`` meters of a point in degrees."""

    latitude: float
    longitude: float
    radius_m: float

    def holds(self, latitudes: Values, longitudes: Values) -> NDArray[np.bool_]:
        """Mark the points inside, by the haversine formula, good for small and large distances."""
        phi, theta = np.radians(latitudes), np.radians(longitudes)
        phi0, theta0 = np.radians(self.latitude), np.radians(self.longitude)
        chord = (
            np.sin((phi - phi0) / 2) ** 2
            + np.cos(phi) * np.cos(phi0) * np.sin((theta - theta0) / 2) ** 2
        )
        away: NDArray[np.float64] = 2 * _EARTH_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))
        return away <= self.radius_m


def circle(text: str) -> Circle:
    """Read ``64.1,-21.9`` or ``64.1,-21.9,5km``; the default distance is one kilometer.

    Raises:
        ValueError: it is not valid, or not on Earth.
    """
    found = _LOCATION.fullmatch(text.lower())
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise ValueError(text)
    radius = float(found[3]) * _METERS[found[4]] if found[3] else _NEARBY_M
    return Circle(float(found[1]), float(found[2]), radius)


def day(text: str) -> np.datetime64:
    """Return when a year, month or day begins, in the unit that was given.

    Raises:
        ValueError: it is not valid.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    date(*map(int, (f"{text}-01-01"[:10]).split("-")))  # numpy would take the year 0
    return np.datetime64(text)


def days(text: str) -> tuple[np.datetime64, np.datetime64]:
    """Read a year, month or day, or a range of them: ``2024-05``, ``2024-05-01..2024-05-17``.

    Returns:
        The begin, and the end, which is exclusive.

    Raises:
        ValueError: it is not valid, or the range ends before it begins.
    """
    first, dots, last = text.partition("..")
    begin, end = day(first), day(last if dots else first) + 1
    if begin >= end:
        raise ValueError(f"{first} is later than {last}")
    return begin, end
