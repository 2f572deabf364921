"""The properties of an XMP packet, and the splices into its bytes that change them.

A packet is never serialized again as a whole: a change replaces exactly the bytes of the changed
property, and all other bytes stay the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from curator.sidecar.elements import DESCRIPTION, MAX_BYTES, Element, Parser, decoded
from curator.sidecar.fields import PREFIXES, RDF
from curator.sidecar.sidecar_data import SidecarError

_LI, _VALUE, _RESOURCE, _TYPE = (
    f"{RDF} {name}" for name in ("li", "value", "resource", "parseType")
)
_ARRAYS = {f"{RDF} {name}" for name in ("Bag", "Seq", "Alt")}
_NUMBERED = re.compile(rf"{re.escape(RDF)} _\d+")  # rdf:_1, rdf:_2: an old spelling of rdf:li

# Not from `xml.sax.saxutils`, which imports `urllib.request`: every worker process loads this.
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans(
    {'"': "&quot;", "'": "&apos;", "\n": "&#xA;", "\t": "&#x9;"}
)

Splice = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a property: an attribute of a description, or an element in it."""

    description: Element
    element: Element | None = None


class Packet:
    """A parsed packet: properties by name, and the splices that change them.

    Args:
        data: the file's bytes.
        wanted: names of the properties that will be read or changed.

    Raises:
        SidecarError: see `curator.sidecar.read`.
    """

    def __init__(self, data: bytes, wanted: frozenset[str]) -> None:
        if len(data) > MAX_BYTES:
            raise SidecarError(
                f"The XMP is larger than {MAX_BYTES >> 20} MB.",
                "No editor writes that much. Check the file.",
            )
        self._head, self._encoding, self._tail, self.text = decoded(data)
        parser = Parser(self.text, wanted)
        self._root = parser.root
        self.descriptions = parser.descriptions
        self._occurrences: dict[str, list[Occurrence]] = {}
        for description in self.descriptions:
            for name in description.attributes.keys() & wanted:
                self._occurrences.setdefault(name, []).append(Occurrence(description))
            for child in description.children:
                self._occurrences.setdefault(child.name, []).append(Occurrence(description, child))
        self._splices: list[Splice] = []
        self._new: dict[int, _Additions] = {}

    # --- reading

    def occurrences(self, name: str) -> list[Occurrence]:
        """Return all occurrences of a property; usually one, sometimes none or several."""
        return self._occurrences.get(name, [])

    def value(self, name: str) -> str | None:
        """Return the value of a simple property; None if it is absent."""
        for occurrence in self.occurrences(name):
            if occurrence.element is None:
                return occurrence.description.attributes[name].strip()
            if _array(occurrence.element) is None:
                return _simple(occurrence.element)
            return next(iter(_texts(occurrence.element)), "")
        return None

    def values(self, name: str) -> list[str] | None:
        """Return the values of an array property, in order; None if it is absent."""
        found: list[str] | None = None
        for occurrence in self.occurrences(name):
            found = [] if found is None else found
            if occurrence.element is None:
                found += [occurrence.description.attributes[name]]
            elif _array(occurrence.element) is None:
                found += [text] if (text := _simple(occurrence.element)) else []
            else:
                found += _texts(occurrence.element)
        return found

    # --- changing

    def set_value(self, name: str, value: str | None) -> None:
        """Set a simple property wherever it occurs; None removes it."""
        occurrences = self.occurrences(name)
        for occurrence in occurrences:
            if value is None:
                self._remove(occurrence, name)
            elif occurrence.element is None:
                self._set_attribute(self._attribute(occurrence.description, name), value)
            else:
                self._set_element(occurrence.element, value)
        if not occurrences and value is not None:
            self._additions(name).attributes.append((name, value))

    def change_items(self, name: str, kind: str, add: list[str], remove: set[str]) -> None:
        """Add and remove items of an array property; the other items keep their bytes.

        Args:
            name: the property.
            kind: ``Bag``, ``Seq`` or ``Alt`` (of languages), if the array has to be created.
            add: items to append.
            remove: exact texts of the items to remove.
        """
        occurrences = self.occurrences(name)
        for occurrence in occurrences:
            array = _array(occurrence.element) if occurrence.element else None
            if array is None:
                kept = [text for text in self._plain(occurrence, name) if text not in remove]
                self._remove(occurrence, name)
                additions = self._additions(name, occurrence.description)
                additions.arrays.append((name, kind, kept + add))
                add = []
                continue
            gone = [item for item in array.children if _simple(item) in remove]
            if len(gone) == len(array.children) and not add:
                self._remove(occurrence, name)
                continue
            for item in gone:
                self._cut(item)
            self._append(array, add)
            add = []
        if not occurrences and add:
            self._additions(name).arrays.append((name, kind, add))

    @property
    def changed(self) -> bool:
        """Whether any value was changed."""
        return bool(self._splices or self._new)

    def with_description(self) -> bytes:
        """Return the file's bytes with an empty rdf:Description added to its rdf:RDF."""
        root, name = self._root, self._root.tag
        prefix = b"".join(name.rpartition(b":")[:2])
        # Without a prefix RDF is the default namespace, which attributes do not inherit.
        made = b'<%bDescription %babout=""/>' % (prefix, prefix) if prefix else b"<Description/>"
        if root.empty:
            self._splices.append((root.close, root.end, b">%b</%b>" % (made, name)))
        else:
            self._splices.append((root.close, root.close, made))
        return self.spliced()

    def spliced(self) -> bytes:
        """Return the file's bytes with all changes, identical if there are none.

        Call it once: a second call would add new properties twice.
        """
        for description in self.descriptions:
            if (additions := self._new.get(id(description))) is not None:
                self._splices += additions.splices(self.text)
        parts, at = [], 0
        for start, end, new in sorted(self._splices, key=lambda splice: splice[:2]):
            parts += [self.text[at:start], new]
            at = end
        text = b"".join([*parts, self.text[at:]])
        if self._encoding != "utf-8":
            text = text.decode("utf-8").encode(self._encoding, "xmlcharrefreplace")
        return self._head + text + self._tail

    def _additions(self, name: str, description: Element | None = None) -> _Additions:
        space = name.split(" ")[0]
        owners = (element for element in self.descriptions if space in element.spaces.values())
        chosen = description or next(owners, self.descriptions[0])
        return self._new.setdefault(id(chosen), _Additions(chosen))

    def _plain(self, occurrence: Occurrence, name: str) -> list[str]:
        element = occurrence.element
        text = _simple(element) if element else occurrence.description.attributes[name]
        return [text] if text else []

    def _remove(self, occurrence: Occurrence, name: str) -> None:
        if occurrence.element is not None:
            self._cut(occurrence.element)
            return
        found = self._attribute(occurrence.description, name)
        self._splices.append((found.start(), found.end(), b""))

    def _cut(self, element: Element) -> None:
        start = _end_of_text(self.text, element.start)
        self._splices.append((start, element.end, b""))

    def _set_attribute(self, attribute: re.Match[bytes], value: str) -> None:
        group = 3 if attribute[3] is not None else 4  # by its quotes
        self._splices.append((*attribute.span(group), _attribute_text(value)))

    def _attribute(self, element: Element, name: str) -> re.Match[bytes]:
        space, local = name.split(" ")
        prefixes = {prefix for prefix, uri in element.spaces.items() if uri == space}
        for found in element.written():
            prefix, _, rest = found[2].decode().rpartition(":")
            if rest == local and prefix in prefixes:
                return found
        raise AssertionError(f"{name} is not where the parser found it")

    def _set_element(self, element: Element, value: str) -> None:
        holder = _holder(element)
        text = _text(value)
        name = holder.tag
        rdf = b"".join(self._root.tag.rpartition(b":")[:2])
        for found in holder.written():
            if found[2] == rdf + b"value":  # qualifiers are its other attributes
                self._set_attribute(found, value)
                return
        if not holder.empty:
            self._splices.append((holder.inside, holder.close, text))
        elif holder.attributes.keys() & {_RESOURCE, _TYPE, _VALUE}:
            self._splices.append((holder.start, holder.end, b"<%b>%b</%b>" % (name, text, name)))
        else:
            self._splices.append((holder.close, holder.end, b">%b</%b>" % (text, name)))

    def _append(self, array: Element, items: list[str]) -> None:
        if not items:
            return
        name = array.tag
        li = name.rpartition(b":")[0] + b":li" if b":" in name else b"li"
        if array.children:
            lead = _space_before(self.text, array.children[0].start)
        else:
            lead = _indentation(self.text, array)
        new = b"".join(b"%b<%b>%b</%b>" % (lead, li, _text(item), li) for item in items)
        if array.empty:
            last = _space_before(self.text, array.start)
            self._splices.append((array.close, array.end, b">%b%b</%b>" % (new, last, name)))
        else:
            at = _end_of_text(self.text, array.close)
            self._splices.append((at, at, new))


@dataclass(slots=True)
class _Additions:
    """New properties of a description: attributes in its start tag, arrays at its end."""

    description: Element
    attributes: list[tuple[str, str]] = field(default_factory=list)
    arrays: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def splices(self, text: bytes) -> list[Splice]:
        element, declared = self.description, dict[str, str]()
        inside = b"".join(self._array(text, declared, *array) for array in self.arrays if array[2])
        attributes = b""
        known = list(element.written())
        gap = known[-1][1] if known else b" "
        for name, value in self.attributes:
            written = _qualified(element.spaces, declared, name)
            attributes += b'%b%b="%b"' % (gap, written, _attribute_text(value))
        spaces = b"".join(
            b'%bxmlns:%b="%b"' % (gap, prefix.encode(), uri.encode())
            for prefix, uri in declared.items()
        )
        at = known[-1].end() if known else element.start + 1 + len(element.tag)
        found = [(at, at, spaces + attributes)]
        if inside and element.empty:
            last = _space_before(text, element.start)
            close = b"</%b>" % element.tag
            found.append((element.close, element.end, b">" + inside + last + close))
        elif inside:
            end = _end_of_text(text, element.close)
            found.append((end, end, inside))
        return found

    def _array(
        self, text: bytes, declared: dict[str, str], name: str, kind: str, items: list[str]
    ) -> bytes:
        outer = _indentation(text, self.description)
        step = b" " if outer else b""
        tag = _qualified(self.description.spaces, declared, name)
        rdf = self.description.tag.rpartition(b":")
        array, li = (rdf[0] + rdf[1] + part for part in (kind.encode(), b"li"))
        lines = [b"%b<%b>" % (outer, tag), b"%b<%b>" % (outer + step, array)]
        lang = b' xml:lang="x-default"' if kind == "Alt" else b""
        lines += [
            b"%b<%b%b>%b</%b>" % (outer + 2 * step, li, lang, _text(item), li) for item in items
        ]
        return b"".join([*lines, b"%b</%b>" % (outer + step, array), b"%b</%b>" % (outer, tag)])


def _array(element: Element) -> Element | None:
    if len(element.children) == 1 and element.children[0].name in _ARRAYS:
        return element.children[0]
    return None


def _texts(element: Element) -> list[str]:
    array = _array(element)
    assert array is not None
    items = [c for c in array.children if c.name == _LI or _NUMBERED.fullmatch(c.name)]
    return [text for item in items if (text := _simple(item))]


def _simple(element: Element) -> str:
    """Return the value of an element; one with qualifiers is stored in an rdf:value."""
    holder = _holder(element)
    return (holder.attributes.get(_VALUE) or holder.text).strip()


def _holder(element: Element) -> Element:
    for child in element.children:
        if child.name == _VALUE:
            return child
        if child.name == DESCRIPTION:
            return _holder(child)
    return element


def _end_of_text(text: bytes, at: int) -> int:
    """Return where the text before a position ends, without the white space after it."""
    while at > 0 and text[at - 1] in b" \t\r\n":
        at -= 1
    return at


def _space_before(text: bytes, at: int) -> bytes:
    return text[_end_of_text(text, at) : at]


def _indentation(text: bytes, element: Element) -> bytes:
    """Return line break and indentation for a child of an element."""
    lead = _space_before(text, element.start)
    _, line, indent = lead.rpartition(b"\r\n" if b"\r\n" in lead else b"\n")
    return line + indent + b" " if line else b""


def _text(value: str) -> bytes:
    return value.translate(_IN_TEXT).encode()


def _attribute_text(value: str) -> bytes:
    return value.translate(_IN_ATTRIBUTE).encode()


def _qualified(spaces: dict[str, str], declared: dict[str, str], name: str) -> bytes:
    """Return a name with a prefix that is in scope; declare a prefix if there is none."""
    uri, local = name.split(" ")
    for prefix, bound in (*spaces.items(), *declared.items()):
        if bound == uri and prefix:
            return f"{prefix}:{local}".encode()
    prefix = wanted = PREFIXES[uri]
    number = 1
    while prefix in spaces or prefix in declared:
        number += 1
        prefix = f"{wanted}{number}"
    declared[prefix] = uri
    return f"{prefix}:{local}".encode()
