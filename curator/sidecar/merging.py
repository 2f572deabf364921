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

_NEW = (
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
    """Write into a sidecar what we changed since ``base``, and nothing else.

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
    existing_bytes = existing if existing and existing.strip(b"\0 \t\r\n") else None
    packet = Packet(existing_bytes or _NEW, fields.WANTED)
    if not packet.descriptions:
        packet = Packet(packet.with_description(), fields.WANTED)
    theirs = content_of(packet).metadata
    base = base or SidecarMetadata()
    wishes = _wishes(metadata, base)
    if wishes & {"rating", "flag"}:
        stars = metadata.rating if "rating" in wishes else theirs.rating
        flag = metadata.flag if "flag" in wishes else theirs.flag
        _write_marks(packet, profile, wishes, stars or 0, flag or NO_VALUE)
    if "label" in wishes and metadata.label is not None:
        _write_label(packet, profile, metadata.label, theirs.label)
    _write_keywords(packet, profile, metadata, base)
    if metadata.projects is not None:
        adds, gone = _changes(metadata.projects, base.projects)
        _items(packet, fields.OUR_PROJECTS, "Bag", adds, gone)
    if not packet.changed:
        return existing or b""
    stamp = (now or datetime.now()).astimezone().isoformat(timespec="seconds")
    packet.put(fields.METADATA_DATE, stamp)
    data = packet.spliced()
    after = read(data).metadata
    for wish in wishes:
        if _value(after, wish) != _value(metadata, wish):
            raise RuntimeError(f"{wish} was written wrong: {after} for {metadata}")
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
    before = read(existing) if existing and existing.strip(b"\0 \t\r\n") else SidecarContent()
    after = read(new)
    lines = [
        f"{name}: {_shown(before.metadata, name)} → {_shown(after.metadata, name)}"
        for name in _EMPTY
        if _value(before.metadata, name) != _value(after.metadata, name)
    ]
    lines += [f"not kept: {note}" for note in before.notes if note not in after.notes]
    for one, many in (("keyword", "keywords"), ("path", "hierarchical"), ("project", "projects")):
        old, now = getattr(before.metadata, many) or (), getattr(after.metadata, many) or ()
        adds, gone = _changes(now, old)
        shown = {key(name): name for name in old}
        lines += [f"{one} added: {name}" for name in adds]
        lines += [f"{one} removed: {name}" for name in (shown[k] for k in shown if k in gone)]
    return lines or [f"the same, in the fields {profile.title} reads"]


def _value(metadata: SidecarMetadata, name: str) -> object:
    return getattr(metadata, name) or _EMPTY[name]


def _shown(metadata: SidecarMetadata, name: str) -> str:
    return str(_value(metadata, name) or NO_VALUE)


def _wishes(metadata: SidecarMetadata, base: SidecarMetadata) -> set[str]:
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


def _write_marks(packet: Packet, profile: Profile, wishes: set[str], stars: int, flag: str) -> None:
    """Write stars and flag together, because darktable stores both in one field."""
    stars_now = number(packet.value(fields.RATING))
    rejected, minus = flag == "reject", stars_now == -1
    by_rating = rejected and profile.rejects_by_rating and ("flag" in wishes or minus)
    if by_rating:
        _put(packet, fields.RATING, "-1")
    elif not (rejected and minus and not stars) and ("rating" in wishes or minus):
        _put(packet, fields.RATING, str(stars), create=stars > 0)
        minus = False
    _put(packet, fields.OUR_RATING, str(stars) if by_rating else None)
    if "flag" not in wishes and not (rejected and stars_now == -1 and not minus):
        return
    is_set = flag != NO_VALUE
    _put(packet, fields.PICK, fields.PICKS[flag], create=is_set)
    _put(packet, fields.GOOD, {"pick": "True", "reject": "False"}.get(flag))
    _put(packet, fields.PICK_LABEL, fields.PICK_LABELS[flag], create=is_set and profile.digikam)
    _put(packet, fields.TAGGED, "True" if flag == "pick" else "False", create=False)
    several = _has_any(packet, fields.PICK_LABEL, fields.TAGGED) or profile.appended
    _put(packet, fields.OUR_FLAG, flag if several else None, create=is_set)


def _write_label(packet: Packet, profile: Profile, label: str, theirs: str | None) -> None:
    is_set = label != NO_VALUE
    if label != theirs or not _has_any(packet, fields.LABEL):
        # A translated word for the same color stays: its editor recognizes the label by it.
        _put(packet, fields.LABEL, label.title() if is_set else None)
    number_of = fields.DIGIKAM_LABELS[label]
    _put(packet, fields.COLOR_LABEL, number_of, create=is_set and profile.digikam)
    darktable = _has_any(packet, fields.COLORLABELS, fields.XMP_VERSION)
    if profile.rejects_by_rating or darktable:
        color = [str(fields.LABELS.index(label))] if is_set else []
        colors = packet.values(fields.COLORLABELS) or []
        if colors != color:
            packet.change(fields.COLORLABELS, "Seq", color, set(colors))
    several = darktable or _has_any(packet, fields.COLOR_LABEL) or profile.appended
    _put(packet, fields.OUR_LABEL, label if several else None, create=is_set)


def _write_keywords(
    packet: Packet, profile: Profile, metadata: SidecarMetadata, base: SidecarMetadata
) -> None:
    if metadata.keywords is None:
        return
    adds, gone = _changes(metadata.keywords, base.keywords)
    paths: list[str] = []
    lost: set[str] = set()
    if metadata.hierarchical is not None:
        paths, lost = _changes(metadata.hierarchical, base.hierarchical)
    leaves = {key(path.rpartition("|")[2]) for path in metadata.hierarchical or ()}
    # The lists of paths also contain each keyword that no path ends in (any longer).
    alone = {key(name) for name in adds} | {path.rpartition("|")[2] for path in lost}
    flat = [name for name in metadata.keywords if key(name) in alone - leaves]
    _items(packet, fields.SUBJECT, "Bag", adds, gone, "|")
    piped = [*flat, *paths]
    _items(packet, fields.HIERARCHICAL, "Bag", piped, gone | lost, "|")
    if profile.digikam or _has_any(packet, fields.TAGS_LIST):
        # digiKam cannot store a name with a slash; only dc:subject gets it.
        slashed = [name.replace("|", "/") for name in piped if "/" not in name]
        lost = {path.replace("|", "/") for path in lost}
        _items(packet, fields.TAGS_LIST, "Seq", slashed, gone | lost, "/")


def _items(
    packet: Packet, name: str, kind: str, adds: list[str], gone: set[str], separator: str = ""
) -> None:
    """Add missing names, and remove those whose key or last level is in ``gone``."""
    existing = packet.values(name) or []
    present: set[str] = set()
    remove: set[str] = set()
    for text in existing:
        whole = _key(text, separator)
        last = whole.rpartition(separator)[2] if separator else whole
        if whole in gone or last in gone:
            remove.add(text)
        else:
            present |= {whole, last}
    new = [text for text in adds if key(text) not in present]
    if new or remove:
        packet.change(name, kind, new, remove)


def _key(text: str, separator: str) -> str:
    if separator:
        return key(separator.join(clean_path(text.split(separator))))
    return key("".join(clean([text])))


def _put(packet: Packet, name: str, value: str | None, create: bool = True) -> None:
    """Set a property unless it already has this meaning; None removes it."""
    existing = packet.value(name)
    if existing is None:
        if value is not None and create:
            packet.put(name, value)
    elif value is None:
        packet.put(name, None)
    elif existing.lower() != value.lower() and (
        number(existing) is None or number(existing) != number(value)
    ):
        packet.put(name, value)


def _has_any(packet: Packet, *names: str) -> bool:
    return any(packet.value(name) is not None for name in names)
