"""The page of a gallery, from the entries of its manifest.

All markup comes from :func:`element`, which escapes every text and attribute it is given. A
template engine (jinja2) would be one more dependency for a single page, can be told not to escape,
and does not distinguish a text from an unquoted attribute. Style and script are part of the page,
and its content policy names their hashes: nothing else can run even if a text got through
unescaped, and the page needs only its pictures, on a disk as on a server.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from curator import naming
from curator.export.manifest import Entry
from curator.home import resource
from curator.model import aperture, counted, focal_length, shutter

_VOID = {"img"}
_MAX_TEXT = 4000
_TILE = 320  # px, the height of a row, as in page.css (20rem)
_EAGER = 6  # tiles visible without scrolling on most screens
_ICONS = {
    "previous": "M10 3 5 8l5 5",
    "next": "M6 3l5 5-5 5",
    "close": "M3.5 3.5l9 9m0-9l-9 9",
}


class Markup(str):
    """Text that is already markup, made by :func:`element`."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | int | None) -> Markup:
    """Build an element; children and attributes that are plain text are escaped.

    Args:
        name: the name of the element.
        *children: text, or markup from this function.
        **attributes: by name; ``_`` stands for ``-`` and is dropped at the end; None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(clean(str(value)), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{''.join(map(_inner, children))}</{name}>")


def _inner(child: str) -> str:
    return child if isinstance(child, Markup) else html.escape(clean(child), quote=False)


def clean(text: str) -> str:
    """Remove control characters from a text, and limit its length."""
    return "".join(char for char in text[:_MAX_TEXT] if char == "\n" or not _is_control(char))


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") or char in naming.DIRECTION_MARKS


def page(title: str, notes: str, entries: Sequence[Entry]) -> bytes:
    """Build the page; the same arguments always produce the same bytes.

    Args:
        title: above the photos, plain text.
        notes: below the title, plain text.
        entries: entries of the manifest, in display order.
    """
    style = _part("page.css") + _proportions(entries)
    script = _part("page.js")
    number = len(entries)
    frames = Markup("\n".join(_frame(entry, at, number) for at, entry in enumerate(entries, 1)))
    slots = {
        "TITLE": html.escape(clean(title)),
        "STYLE_HASH": _hash(style),
        "SCRIPT_HASH": _hash(script),
        "STYLE": style,
        "SCRIPT": script,
        "HEAD": _head(title, notes.strip(), entries),
        "SHEET": _sheet(entries),
        "FRAMES": frames,
    }
    # Replace all in one pass, so that inserted text is not searched again.
    content = re.sub(r"@([A-Z_]+)@", lambda found: slots[found[1]], _part("page.html"))
    return content.encode()


def _part(name: str) -> str:
    return (resource("gallery") / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _proportion(entry: Entry) -> int:
    """Return width by height in thousandths; coarser, heights in a row would differ by a pixel."""
    width, height = _size(entry["files"][0])
    return min(6000, max(250, round(1000 * width / height)))


def _size(record: dict[str, Any]) -> tuple[int, int]:
    return max(1, int(record.get("width") or 3)), max(1, int(record.get("height") or 2))


def _proportions(entries: Sequence[Entry]) -> str:
    """Return CSS classes for the photos' proportions; the content policy bars inline styles."""
    found = sorted({_proportion(entry) for entry in entries})
    return "".join(
        f".r{each} {{ flex: {each} 1 calc({each / 1000:g} * var(--row)); }}\n" for each in found
    )


def _head(title: str, notes: str, entries: Sequence[Entry]) -> Markup:
    count = " · ".join(filter(None, (counted(len(entries), "photograph"), _when(entries))))
    return element(
        "header",
        element("h1", title),
        *([element("p", notes)] if notes else []),
        element("p", count, class_="count"),
        class_="head",
    )


def _when(entries: Sequence[Entry]) -> str:
    """Return when the photos were taken: a day, a month, or a range of them."""
    days = sorted(taken for entry in entries if (taken := _taken(entry)) is not None)
    if not days:
        return ""
    first, last = days[0], days[-1]
    if first.date() == last.date():
        return f"{first.day} {first:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%B %Y}"
    if first.year == last.year:
        return f"{first:%B}–{last:%B %Y}"
    return f"{first.year}–{last.year}"


def _taken(entry: Entry) -> datetime | None:
    text = (entry.get("capture") or {}).get("taken_at")
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):  # somebody edited the manifest
        return None


def _sheet(entries: Sequence[Entry]) -> Markup:
    if not entries:
        return element("main", element("p", "No photographs yet."), class_="none")
    tiles = Markup("\n".join(_tile(e, at, len(entries)) for at, e in enumerate(entries, 1)))
    return element("main", tiles, class_="sheet")


def _tile(entry: Entry, at: int, number: int) -> Markup:
    wide = round(_proportion(entry) / 1000 * _TILE * 1.2)  # photos grow a little to fill a row
    sizes = f"(max-width: 640px) 100vw, {wide}px"
    picture = _picture(entry, sizes, _alt(entry, at, number), tile=at)
    return element("a", picture, id=f"t{at}", class_=f"r{_proportion(entry)}", href=f"#p{at}")


def _picture(entry: Entry, sizes: str, alt: str, *, tile: int = 0) -> Markup:
    """Build the picture of tile number ``tile``, or (0) of a frame; those far down load later."""
    width, height = _size(entry["files"][0])
    urls = {_size(file)[0]: quote(file["filename"], safe="/") for file in entry["files"]}
    widths = sorted(urls)
    shown = min(widths, key=lambda each: abs(each - 1280)) if tile else widths[-1]
    return element(
        "img",
        src=urls[shown],
        srcset=", ".join(f"{urls[each]} {each}w" for each in widths),
        sizes=sizes,
        width=width,
        height=height,
        alt=alt,
        loading="eager" if 0 < tile <= _EAGER else "lazy",
    )


def _alt(entry: Entry, at: int, number: int) -> str:
    return ", ".join([f"Photograph {at} of {number}", *_confirmed_tags(entry)[:8]])


def _frame(entry: Entry, at: int, number: int) -> Markup:
    width, height = _size(entry["files"][0])
    sizes = f"min(100vw, {round(100 * width / height)}vh)"
    links = []
    if at > 1:
        links.append(_link("previous", f"#p{at - 1}", "Previous photograph"))
    if at < number:
        links.append(_link("next", f"#p{at + 1}", "Next photograph"))
    links.append(_link("close", f"#t{at}", "Close"))
    picture = _picture(entry, sizes, _alt(entry, at, number))
    facts = (_moment(entry), _exposure(entry), ", ".join(_confirmed_tags(entry)))
    return element(
        "section",
        element("div", picture, *links, class_="picture"),
        element(
            "footer",
            element("span", _name(entry), class_="name"),
            *[element("span", fact) for fact in facts if fact],
            element("span", f"{at} / {number}", class_="place"),
        ),
        id=f"p{at}",
        class_="frame",
        tabindex=-1,
        aria_label=f"Photograph {at} of {number}",
    )


def _link(kind: str, href: str, label: str) -> Markup:
    icon = element("svg", element("path", d=_ICONS[kind]), viewBox="0 0 16 16", aria_hidden="true")
    return element("a", icon, class_=kind, href=href, aria_label=label)


def _name(entry: Entry) -> str:
    """Return the name by which a viewer can ask for a photo, without folder, size and ending."""
    name = str(entry["filename"]).rpartition("/")[2]
    return re.sub(r"(-\d+)?\.jpg$", "", name)


def _moment(entry: Entry) -> str:
    taken = _taken(entry)
    return f"{taken.day} {taken:%B %Y, %H:%M}" if taken else ""


def _exposure(entry: Entry) -> str:
    capture = entry.get("capture") or {}
    iso = capture.get("iso")
    parts = (
        capture.get("camera"),
        focal_length(capture.get("focal_length_mm")),
        aperture(capture.get("f_number")),
        shutter(capture.get("exposure_s")),
        f"ISO {iso}" if iso is not None else "",
    )
    return " · ".join(filter(None, parts))


def _confirmed_tags(entry: Entry) -> list[str]:
    return [tag["name"] for tag in entry["tags"] if tag.get("state") == "confirmed"]
