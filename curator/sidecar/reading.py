"""Bytes of an XMP packet -> the rating, flag, label and keywords stated in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from curator.sidecar import fields
from curator.sidecar.packet import Packet
from curator.sidecar.sidecar_data import (
    MAX_NAME,
    MAX_NAMES,
    NO_VALUE,
    SidecarContent,
    SidecarError,
    SidecarMetadata,
    clean,
    clean_path,
)

_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_DIGIKAM_FLAGS: dict[int | None, str] = {0: NO_VALUE, 1: "reject", 2: NO_VALUE, 3: "pick"}
_DIGIKAM_COLORS: dict[int | None, str] = {
    int(value): name for name, value in fields.DIGIKAM_LABELS.items()
}


@lru_cache(maxsize=8)  # a merge reads its own result, and writing it reads the same bytes again
def read(data: bytes) -> SidecarContent:
    """Read the metadata of a sidecar, or of a packet embedded in a picture.

    Understands ``xmp:Rating`` (-1: reject), ``xmpDM:pick`` and ``good``, ``xmp:Label`` (English,
    Bridge's own and known translations), ``dc:subject``, ``lr:hierarchicalSubject``,
    ``digiKam:TagsList``, ``PickLabel`` and ``ColorLabel``, ``darktable:colorlabels``,
    ``photomechanic:Tagged``, and Curator's own namespace. If two fields contradict each other, the
    one that changed after we wrote the file counts.

    Args:
        data: the packet in any XML encoding; no external entity is read, none is expanded.

    Returns:
        The metadata; without any of these fields it states nothing.

    Raises:
        SidecarError: it is not XMP, is broken, too large or too deep, or declares entities.
    """
    return content_of(Packet(data, fields.WANTED))


def content_of(packet: Packet) -> SidecarContent:
    """Return the content of a parsed packet; see `read`."""
    label, note = _label(packet)
    keywords, paths = _keywords(packet)
    projects = packet.values(fields.OUR_PROJECTS)
    metadata = SidecarMetadata(
        _rating(packet),
        _flag(packet),
        label,
        keywords,
        paths,
        None if projects is None else clean(projects),
    )
    date = _date(packet.value(fields.METADATA_DATE))
    return SidecarContent(metadata, date, (note,) if note else ())


def read_embedded(
    packets: Sequence[bytes], keywords: Sequence[str] = (), exif_rating: int | None = None
) -> SidecarContent:
    """Read the metadata embedded in a picture; `embedded_metadata.read` fetches the parts.

    Args:
        packets: its XMP packet and the extended one, if any. A broken packet becomes a note.
        keywords: of IPTC-IIM.
        exif_rating: EXIF 0x4746.

    Returns:
        The metadata: XMP takes precedence over EXIF; keywords of XMP and IPTC are joined.
    """
    found = SidecarContent()
    for packet in packets:
        try:
            more = read(packet)
        except SidecarError as error:
            note = f"Embedded metadata could not be read: {error.args[0]}"
            more = SidecarContent(notes=(note,))
        found = SidecarContent(
            found.metadata.filled_by(more.metadata),
            found.metadata_date or more.metadata_date,
            found.notes + more.notes,
        )
    stars = exif_rating if exif_rating is not None and 0 <= exif_rating <= 5 else None
    rest = SidecarMetadata(rating=stars, keywords=clean(keywords) or None)
    return replace(found, metadata=found.metadata.filled_by(rest))


def number(text: str | None) -> int | None:
    """Parse a whole number, also if written as 3.0; None for anything else."""
    try:
        value = float(text) if text is not None and len(text) < 24 else None
    except ValueError:
        return None
    return int(value) if value is not None and value.is_integer() else None


def _rating(packet: Packet) -> int | None:
    stars = number(packet.value(fields.RATING))
    if stars == -1:
        stars = number(packet.value(fields.OUR_RATING))
    return stars if stars is not None and 0 <= stars <= 5 else None


def _flag(packet: Packet) -> str | None:
    """Return the flag stated by any field; a field changed after we wrote takes precedence."""
    stated = [flag for flag in _flags(packet) if flag is not None]
    ours = packet.value(fields.OUR_FLAG)
    return _resolve(stated, ours if ours in fields.PICKS else None)


def _resolve(stated: list[str], ours: str | None) -> str | None:
    """Choose among the values of several fields; ``ours`` is what all stated when we wrote them."""
    if ours is not None:
        stated = [word for word in stated if word != ours] or [ours]
    return next((word for word in stated if word != NO_VALUE), NO_VALUE if stated else None)


def _flags(packet: Packet) -> Iterable[str | None]:
    stars = number(packet.value(fields.RATING))
    ours = packet.value(fields.OUR_RATING) is not None
    # We wrote -1 and our own stars beside it. Another number there means the reject was undone.
    yield "reject" if stars == -1 else NO_VALUE if ours and stars is not None else None
    pick = number(packet.value(fields.PICK))
    good = (packet.value(fields.GOOD) or "").lower()
    if pick is not None:
        yield {1: "pick", -1: "reject", 0: NO_VALUE}.get(pick)
    else:
        yield "pick" if good in _TRUE else "reject" if good in _FALSE else None
    yield _DIGIKAM_FLAGS.get(number(packet.value(fields.PICK_LABEL)))
    tagged = (packet.value(fields.TAGGED) or "").lower()
    # Photo Mechanic stores a reject as untagged; it has nothing more specific.
    rejected = packet.value(fields.OUR_FLAG) == "reject"
    yield "pick" if tagged in _TRUE else NO_VALUE if tagged in _FALSE and not rejected else None


def _label(packet: Packet) -> tuple[str | None, str]:
    written = packet.value(fields.LABEL)
    word, note = None, ""
    if written is not None:
        word = fields.LABEL_WORDS.get(written.casefold()) if written else NO_VALUE
        if word is None:
            shown = " ".join(clean([written[:60]]))
            note = f"Unknown label “{shown}”; it stays in the file."
    digikam = _DIGIKAM_COLORS.get(number(packet.value(fields.COLOR_LABEL)))
    labels = (word, digikam, _darktable_label(packet))
    ours = packet.value(fields.OUR_LABEL)
    stated = [label for label in labels if label is not None]
    return _resolve(stated, ours if ours in fields.DIGIKAM_LABELS else None), note


def _darktable_label(packet: Packet) -> str | None:
    numbers = packet.values(fields.COLORLABELS)
    if numbers is None:
        # darktable omits the field if there is no label; that counts only if we had written one.
        by_darktable = packet.value(fields.XMP_VERSION) is not None
        return NO_VALUE if by_darktable and packet.value(fields.OUR_LABEL) is not None else None
    known = [value for text in numbers if (value := number(text)) in range(5)]
    return fields.LABELS[known[0]] if known and known[0] is not None else NO_VALUE


def _keywords(packet: Packet) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    flat = packet.values(fields.SUBJECT)
    piped = packet.values(fields.HIERARCHICAL)
    slashed = packet.values(fields.TAGS_LIST)
    if flat is None and piped is None and slashed is None:
        return None, None
    # A bar always separates levels, as in Lightroom; some programs write paths among the keywords.
    levels = [
        _levels(path, "|")
        for path in (*(name for name in flat or () if "|" in name), *(piped or ()))
    ]
    levels += [_levels(path, "/") for path in slashed or ()]
    cleaned = [clean_path(path) for path in levels[:MAX_NAMES]]
    # darktable's internal tags (darktable|changed, darktable|format|cr2) are not the user's.
    internal = [path for path in cleaned if len(path) > 1 and path[0] == "darktable"]
    cleaned = [path for path in cleaned if path and path not in internal]
    internal_names = {name for path in internal for name in path}
    names = [
        *(name for name in flat or () if name not in internal_names and "|" not in name),
        *(path[-1] for path in cleaned),
    ]
    paths = clean("|".join(path) for path in cleaned if len(path) > 1)
    return clean(names), paths if paths or piped is not None or slashed is not None else None


def _levels(path: str, separator: str) -> list[str]:
    """Split a path at its separator; too long a path has no levels."""
    return path.split(separator) if len(path) <= 16 * MAX_NAME else []


def _date(text: str | None) -> datetime | None:
    if text is None or len(text) > 40:
        return None
    for form in (text, text.replace("Z", "+00:00"), text[:19]):
        try:
            found = datetime.fromisoformat(form)
        except ValueError:
            continue
        try:
            return found.astimezone() if found.tzinfo is None else found
        except (OverflowError, OSError, ValueError):  # year 1, year 9999
            return None
    return None
