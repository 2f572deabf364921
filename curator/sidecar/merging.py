"""Three-way merge of a sidecar: its bytes, our metadata and the last agreed state -> new bytes.

Every byte that other programs wrote stays, unless it states a field that we change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from curator.sidecar import fields
from curator.sidecar.packet import Packet
from curator.sidecar.reading import content_of, number, read
from curator.sidecar.sidecar_data import (
    NO_VALUE,
    Profile,
    SidecarContent,
    SidecarMetadata,
    clean,
    clean_path,
    key,
)

NEW = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Curator">\n'
    f' <rdf:RDF xmlns:rdf="{fields.RDF}">\n'
    '  <rdf:Description\n    rdf:about=""/>\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>\n'
).encode()
_EMPTY = {"rating": 0, "flag": NO_VALUE, "label": NO_VALUE}


def merge(
    existing: bytes | None,
    metadata: SidecarMetadata,
    base: SidecarMetadata | None,
    profile: Profile,
    now: datetime | None = None,
) -> bytes:
    """Return a sidecar with what we changed since ``base`` written into it, and nothing else.

    A field is written if ``metadata`` states it and it differs from ``base``. Keywords, paths and
    projects are added and removed one by one, so that those others added stay. Everything else
    keeps its bytes: unknown namespaces, develop settings, history, order, encoding, padding.

    Args:
        existing: the sidecar's bytes; None (or only NUL and space) if there is none yet.
        metadata: what it should state (`SidecarMetadata.of`).
        base: what the file stated when we last read or wrote it; None if never. Then "none" and 0
            change nothing, and no keyword is removed.
        profile: the editor to write for.
        now: ``xmp:MetadataDate``; the current time by default.

    Returns:
        The new bytes; the very same bytes object if nothing had to change. ``b""`` if ``existing``
        is None and nothing is stated: no sidecar is needed.

    Raises:
        SidecarError: ``existing`` cannot be read as XMP (see `read`).
    """
    packet = Packet(unless_blank(existing) or NEW, fields.WANTED)
    if not packet.descriptions:
        packet = Packet(packet.with_description(), fields.WANTED)
    theirs = content_of(packet).metadata
    base = base or SidecarMetadata()
    changed = _changed_marks(metadata, base)
    if changed & {"rating", "flag"}:
        stars = metadata.rating if "rating" in changed else theirs.rating
        flag = metadata.flag if "flag" in changed else theirs.flag
        _write_marks(packet, profile, changed, stars or 0, flag or NO_VALUE)
    if "label" in changed and metadata.label is not None:
        _write_label(packet, profile, metadata.label, theirs.label)
    _write_keywords(packet, profile, metadata, base)
    if metadata.projects is not None:
        added, removed = _changes(metadata.projects, base.projects)
        _change_items(packet, fields.OUR_PROJECTS, "Bag", added, removed)
    if not packet.changed:
        return existing or b""
    stamp = (now or datetime.now()).astimezone().isoformat(timespec="seconds")
    packet.set_value(fields.METADATA_DATE, stamp)
    data = packet.spliced()
    after = read(data).metadata
    for name in changed:
        if _value(after, name) != _value(metadata, name):
            raise RuntimeError(f"{name} was written wrong: {after} for {metadata}")
    return data


def difference(
    existing: bytes | None,
    metadata: SidecarMetadata,
    base: SidecarMetadata | None,
    profile: Profile,
) -> list[str]:
    """Return what `merge` would change, by line (``rating: 2 → 4``, ``keyword added: Iceland``).

    Raises:
        SidecarError: ``existing`` cannot be read as XMP.
    """
    new = merge(existing, metadata, base, profile)
    if new == (existing or b""):
        return []
    content = unless_blank(existing)
    before, after = read(content) if content else SidecarContent(), read(new)
    lines = [
        f"{name}: {_shown(before.metadata, name)} → {_shown(after.metadata, name)}"
        for name in _EMPTY
        if _value(before.metadata, name) != _value(after.metadata, name)
    ]
    lines += [f"not kept: {note}" for note in before.notes if note not in after.notes]
    for one, many in (("keyword", "keywords"), ("path", "hierarchical"), ("project", "projects")):
        old, now = getattr(before.metadata, many) or (), getattr(after.metadata, many) or ()
        added, removed = _changes(now, old)
        by_key = {key(name): name for name in old}
        lines += [f"{one} added: {name}" for name in added]
        lines += [f"{one} removed: {name}" for k, name in by_key.items() if k in removed]
    return lines or [f"the same, in the fields {profile.title} reads"]


def unless_blank(existing: bytes | None) -> bytes | None:
    """Return the bytes of a sidecar; None if it is missing or blank."""
    return existing if existing and existing.strip(b"\0 \t\r\n") else None


def _value(metadata: SidecarMetadata, name: str) -> object:
    return getattr(metadata, name) or _EMPTY[name]


def _shown(metadata: SidecarMetadata, name: str) -> str:
    return str(_value(metadata, name) or NO_VALUE)


def _changed_marks(metadata: SidecarMetadata, base: SidecarMetadata) -> set[str]:
    """Return the names of the marks we changed; a mark the file never stated counts as none."""
    return {
        name
        for name in _EMPTY
        if getattr(metadata, name) is not None and _value(metadata, name) != _value(base, name)
    }


def _changes(now: Iterable[str], before: Iterable[str] | None) -> tuple[list[str], set[str]]:
    """Return the names added, and the keys of those removed."""
    old = {key(name) for name in before or ()}
    new = {key(name): name for name in now}
    return [name for k, name in new.items() if k not in old], old - set(new)


def _write_marks(
    packet: Packet, profile: Profile, changed: set[str], stars: int, flag: str
) -> None:
    """Write stars and flag together, because darktable stores both in one field."""
    stars_now = number(packet.value(fields.RATING))
    rejected, minus = flag == "reject", stars_now == -1
    by_rating = rejected and profile.rejects_by_rating and ("flag" in changed or minus)
    if by_rating:
        _set(packet, fields.RATING, "-1")
    elif not (rejected and minus and not stars) and ("rating" in changed or minus):
        _set(packet, fields.RATING, str(stars), create=stars > 0)
        minus = False
    _set(packet, fields.OUR_RATING, str(stars) if by_rating else None)
    if "flag" not in changed and not (rejected and stars_now == -1 and not minus):
        return
    is_set = flag != NO_VALUE
    _set(packet, fields.PICK, fields.PICKS[flag], create=is_set)
    _set(packet, fields.GOOD, {"pick": "True", "reject": "False"}.get(flag))
    _set(packet, fields.PICK_LABEL, fields.PICK_LABELS[flag], create=is_set and profile.digikam)
    _set(packet, fields.TAGGED, "True" if flag == "pick" else "False", create=False)
    several = _has_any(packet, fields.PICK_LABEL, fields.TAGGED) or profile.appended
    _set(packet, fields.OUR_FLAG, flag if several else None, create=is_set)


def _write_label(packet: Packet, profile: Profile, label: str, current: str | None) -> None:
    is_set = label != NO_VALUE
    if label != current or not _has_any(packet, fields.LABEL):
        # A translated word for the same color stays: its editor recognizes the label by it.
        _set(packet, fields.LABEL, label.title() if is_set else None)
    number_of = fields.DIGIKAM_LABELS[label]
    _set(packet, fields.COLOR_LABEL, number_of, create=is_set and profile.digikam)
    darktable = _has_any(packet, fields.COLORLABELS, fields.XMP_VERSION)
    if profile.rejects_by_rating or darktable:
        color = [str(fields.LABELS.index(label))] if is_set else []
        colors = packet.values(fields.COLORLABELS) or []
        if colors != color:
            packet.change_items(fields.COLORLABELS, "Seq", color, set(colors))
    several = darktable or _has_any(packet, fields.COLOR_LABEL) or profile.appended
    _set(packet, fields.OUR_LABEL, label if several else None, create=is_set)


def _write_keywords(
    packet: Packet, profile: Profile, metadata: SidecarMetadata, base: SidecarMetadata
) -> None:
    if metadata.keywords is None:
        return
    added, removed = _changes(metadata.keywords, base.keywords)
    added_paths: list[str] = []
    removed_paths: set[str] = set()
    if metadata.hierarchical is not None:
        added_paths, removed_paths = _changes(metadata.hierarchical, base.hierarchical)
    leaves = {key(path.rpartition("|")[2]) for path in metadata.hierarchical or ()}
    # The lists of paths also contain each keyword that no path ends in (any longer).
    alone = {key(name) for name in added} | {path.rpartition("|")[2] for path in removed_paths}
    flat = [name for name in metadata.keywords if key(name) in alone - leaves]
    paths = [*flat, *added_paths]
    _change_items(packet, fields.SUBJECT, "Bag", added, removed, "|")
    _change_items(packet, fields.HIERARCHICAL, "Bag", paths, removed | removed_paths, "|")
    if profile.digikam or _has_any(packet, fields.TAGS_LIST):
        # digiKam cannot store a name with a slash; only dc:subject gets it.
        slashed = [name.replace("|", "/") for name in paths if "/" not in name]
        removed |= {path.replace("|", "/") for path in removed_paths}
        _change_items(packet, fields.TAGS_LIST, "Seq", slashed, removed, "/")


def _change_items(
    packet: Packet, name: str, kind: str, add: list[str], remove: set[str], separator: str = ""
) -> None:
    """Add missing names to a list, and remove those whose key or last level is in ``remove``."""
    present: set[str] = set()
    removed: set[str] = set()
    for text in packet.values(name) or []:
        whole = _key(text, separator)
        last = whole.rpartition(separator)[2] if separator else whole
        if remove & {whole, last}:
            removed.add(text)
        else:
            present |= {whole, last}
    added = [text for text in add if key(text) not in present]
    if added or removed:
        packet.change_items(name, kind, added, removed)


def _key(text: str, separator: str) -> str:
    if separator:
        return key(separator.join(clean_path(text.split(separator))))
    return key("".join(clean([text])))


def _set(packet: Packet, name: str, value: str | None, create: bool = True) -> None:
    """Set a property unless it already has this meaning; None removes it."""
    existing = packet.value(name)
    if existing is None:
        if value is not None and create:
            packet.set_value(name, value)
    elif value is None:
        packet.set_value(name, None)
    elif existing.lower() != value.lower() and (
        number(existing) is None or number(existing) != number(value)
    ):
        packet.set_value(name, value)


def _has_any(packet: Packet, *names: str) -> bool:
    return any(packet.value(name) is not None for name in names)
