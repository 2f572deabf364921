"""The properties of an XMP packet, each with its place in the bytes; changes are splices.

Nothing is ever parsed and written anew: expat says at which byte each element begins and ends, a
change replaces exactly those bytes, and everything else keeps its own, whoever wrote it. Nothing
outside is read and nothing expanded: a document type, which entities need, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from curator.sidecar.fields import PREFIXES, RDF
from curator.sidecar.said import SidecarError

MAX_BYTES = 16 << 20
MAX_DEPTH = 100
MAX_ELEMENTS = 400_000
MAX_SPACES = 1000  # prefixes in force at one place, and descriptions
_ALONE = "Curator leaves it alone."

_ROOT, _DESCRIPTION, _LI, _VALUE = (
    f"{RDF} {name}" for name in ("RDF", "Description", "li", "value")
)
_ARRAYS = {f"{RDF} {name}" for name in ("Bag", "Seq", "Alt")}
_NUMBERED = re.compile(rf"{re.escape(RDF)} _\d+")  # rdf:_1, rdf:_2: how li was written once

_DECLARED = re.compile(rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252"}
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_BARE = (  # "<" and its neighbours, where a UTF-16 or 32 text has no mark
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
# A start tag expat has found well formed; the spaces before an attribute belong to it.
_TAG_NAME = re.compile(rb"<([^\s/>]+)")
_ATTRIBUTE = re.compile(rb"""(\s+)([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_END = re.compile(rb"\s*(/?)>")
_SPACES_BEFORE = re.compile(rb"\s*\Z")

Splice = tuple[int, int, bytes]


@dataclass(slots=True, eq=False)
class Element:
    """One element of ``source``, from its start tag at ``start``; ``stop`` is where expat ended it.

    ``name`` and the names of ``attributes`` are namespace, space, local name. ``spaces`` are the
    prefixes in force, for rdf:RDF and the descriptions in it; empty for what is deeper.
    """

    source: bytes
    name: str
    start: int
    attributes: dict[str, str]
    stop: int = 0
    parts: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)
    spaces: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The characters in it, entities of XML itself resolved."""
        return "".join(self.parts)

    @property
    def tag(self) -> bytes:
        """Its name with the prefix it has in the file."""
        found = _TAG_NAME.match(self.source, self.start)
        assert found is not None, "expat has found a tag here"
        return found[1]

    @property
    def inside(self) -> int:
        """Where its start tag ends."""
        found = self._start_tag()
        return found.end()

    @property
    def empty(self) -> bool:
        """Whether it is written ``<name/>``."""
        return bool(self._start_tag()[1])

    @property
    def close(self) -> int:
        """Where its end tag begins; of an empty one, the slash."""
        return self._start_tag().start(1) if self.empty else self.stop

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.inside if self.empty else self.source.index(b">", self.stop) + 1

    def written(self) -> Iterator[re.Match[bytes]]:
        """Find its attributes in the file: the space before, the name, the value by its quotes."""
        at = self.start + 1 + len(self.tag)
        while found := _ATTRIBUTE.match(self.source, at):
            yield found
            at = found.end()

    def _start_tag(self) -> re.Match[bytes]:
        at = self.start + 1 + len(self.tag)
        for attribute in self.written():
            at = attribute.end()
        found = _TAG_END.match(self.source, at)
        assert found is not None, "expat has found this tag well formed"
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a property stands: an attribute of a description, or an element in it."""

    description: Element
    element: Element | None = None


class Packet:
    """A parsed packet: properties by name, and the splices that change them.

    Args:
        data: the file's bytes.
        wanted: names of the properties that will be asked for or changed.

    Raises:
        SidecarError: see `curator.sidecar.read`.
    """

    def __init__(self, data: bytes, wanted: frozenset[str]) -> None:
        if len(data) > MAX_BYTES:
            raise SidecarError(
                f"The XMP is larger than {MAX_BYTES >> 20} MB.",
                "No editor writes so much; look at the file.",
            )
        self._head, self._encoding, self._tail, self.text = _decoded(data)
        parser = _Parser(self.text, wanted)
        self._root = parser.root
        self.descriptions = parser.descriptions
        self._places: dict[str, list[Place]] = {}
        for description in self.descriptions:
            for name in description.attributes.keys() & wanted:
                self._places.setdefault(name, []).append(Place(description))
            for child in description.children:
                self._places.setdefault(child.name, []).append(Place(description, child))
        self._splices: list[Splice] = []
        self._new: dict[int, _Additions] = {}

    # --- reading

    def places(self, name: str) -> list[Place]:
        """Find a property wherever it stands; one is usual, none and several happen."""
        return self._places.get(name, [])

    def value(self, name: str) -> str | None:
        """Read a simple property; None where it is absent."""
        for place in self.places(name):
            if place.element is None:
                return place.description.attributes[name].strip()
            if _array(place.element) is None:
                return _simple(place.element)
            return next(iter(_texts(place.element)), "")
        return None

    def values(self, name: str) -> list[str] | None:
        """Read a property with several values, in order; None where it is absent."""
        found: list[str] | None = None
        for place in self.places(name):
            found = [] if found is None else found
            if place.element is None:
                found += [place.description.attributes[name]]
            elif _array(place.element) is None:
                found += [text] if (text := _simple(place.element)) else []
            else:
                found += _texts(place.element)
        return found

    # --- changing

    def put(self, name: str, value: str | None) -> None:
        """Give a simple property this value everywhere it stands; None takes it away."""
        places = self.places(name)
        for place in places:
            if value is None:
                self._remove(place, name)
            elif place.element is None:
                self._set_attribute(place.description, name, value)
            else:
                self._set_element(place.element, value)
        if not places and value is not None:
            self._additions(name).attributes.append((name, value))

    def change(self, name: str, kind: str, add: list[str], remove: set[str]) -> None:
        """Add and take away items of a property with several values; the others keep their bytes.

        Args:
            name: the property.
            kind: ``Bag`` or ``Seq``, if it has to be made.
            add: items to put at its end.
            remove: exact texts of items to take away.
        """
        places = self.places(name)
        for place in places:
            array = _array(place.element) if place.element else None
            if array is None:
                kept = [text for text in self._plain(place, name) if text not in remove]
                self._remove(place, name)
                self._additions(name, place.description).arrays.append((name, kind, kept + add))
                add = []
                continue
            gone = [item for item in array.children if _simple(item) in remove]
            if len(gone) == len(array.children) and not add:
                self._remove(place, name)
                continue
            for item in gone:
                self._cut(item)
            self._append(array, add)
            add = []
        if not places and add:
            self._additions(name).arrays.append((name, kind, add))

    @property
    def changed(self) -> bool:
        """Whether anything was given another value."""
        return bool(self._splices or self._new)

    def with_description(self) -> bytes:
        """Give the file's bytes with an empty rdf:Description in its rdf:RDF."""
        root, name = self._root, self._root.tag
        prefix = b"".join(name.rpartition(b":")[:2])
        # Without a prefix the namespace is the default one, which no attribute has.
        made = b'<%bDescription %babout=""/>' % (prefix, prefix) if prefix else b"<Description/>"
        if root.empty:
            self._splices.append((root.close, root.end, b">%b</%b>" % (made, name)))
        else:
            self._splices.append((root.close, root.close, made))
        return self.spliced()

    def spliced(self) -> bytes:
        """Give the file's bytes with every change made; without changes the very same bytes."""
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
        kin = (one for one in self.descriptions if space in one.spaces.values())
        chosen = description or next(kin, self.descriptions[0])
        return self._new.setdefault(id(chosen), _Additions(chosen))

    def _plain(self, place: Place, name: str) -> list[str]:
        text = (
            place.description.attributes[name] if place.element is None else _simple(place.element)
        )
        return [text] if text else []

    def _remove(self, place: Place, name: str) -> None:
        if place.element is not None:
            self._cut(place.element)
            return
        found = self._attribute(place.description, name)
        self._splices.append((found.start(), found.end(), b""))

    def _cut(self, element: Element) -> None:
        start = _before(self.text, element.start)
        self._splices.append((start, element.end, b""))

    def _set_attribute(self, description: Element, name: str, value: str) -> None:
        found = self._attribute(description, name)
        group = 3 if found[3] is not None else 4
        self._splices.append((*found.span(group), _attribute_text(value)))

    def _attribute(self, element: Element, name: str) -> re.Match[bytes]:
        space, local = name.split(" ")
        prefixes = {prefix for prefix, uri in element.spaces.items() if uri == space}
        for found in element.written():
            prefix, _, rest = found[2].decode().rpartition(":")
            if rest == local and prefix in prefixes:
                return found
        raise AssertionError(f"{name} is not where the parser saw it")

    def _set_element(self, element: Element, value: str) -> None:
        holder = _holder(element)
        text = escape(value).encode()
        if not holder.empty:
            self._splices.append((holder.inside, holder.close, text))
            return
        name = holder.tag
        self._splices.append((holder.start, holder.end, b"<%b>%b</%b>" % (name, text, name)))

    def _append(self, array: Element, items: list[str]) -> None:
        if not items:
            return
        name = array.tag
        li = name.rpartition(b":")[0] + b":li" if b":" in name else b"li"
        if array.children:
            first = array.children[0].start
            lead = self.text[_before(self.text, first) : first]
        else:
            lead = _deeper(self.text, array)
        new = b"".join(b"%b<%b>%b</%b>" % (lead, li, escape(item).encode(), li) for item in items)
        if array.empty:
            last = self.text[_before(self.text, array.start) : array.start]
            self._splices.append((array.close, array.end, b">%b%b</%b>" % (new, last, name)))
        else:
            at = _before(self.text, array.close)
            self._splices.append((at, at, new))


@dataclass(slots=True)
class _Additions:
    """What a description gets that it did not have: attributes in its tag, arrays at its end."""

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
            last = text[_before(text, element.start) : element.start]
            close = b"</%b>" % element.tag
            found.append((element.close, element.end, b">" + inside + last + close))
        elif inside:
            end = _before(text, element.close)
            found.append((end, end, inside))
        return found

    def _array(
        self, text: bytes, declared: dict[str, str], name: str, kind: str, items: list[str]
    ) -> bytes:
        outer = _deeper(text, self.description)
        step = b" " if outer else b""
        tag = _qualified(self.description.spaces, declared, name)
        rdf = self.description.tag.rpartition(b":")
        array, li = (rdf[0] + rdf[1] + part for part in (kind.encode(), b"li"))
        lines = [b"%b<%b>" % (outer, tag), b"%b<%b>" % (outer + step, array)]
        lines += [
            b"%b<%b>%b</%b>" % (outer + 2 * step, li, escape(item).encode(), li) for item in items
        ]
        return b"".join([*lines, b"%b</%b>" % (outer + step, array), b"%b</%b>" % (outer, tag)])


class _Parser:
    """Builds the elements down to the wanted properties and all that is in those."""

    def __init__(self, text: bytes, wanted: frozenset[str]) -> None:
        self._found: Element | None = None
        self.descriptions: list[Element] = []
        self._text, self._wanted = text, wanted
        self._stack: list[Element | None] = []
        self._spaces: list[dict[str, str]] = [{}]
        self._pending: dict[str, str] = {}
        self._count = 0
        parser = expat.ParserCreate("UTF-8", " ")  # whatever it declares, it is UTF-8 here
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._parser = parser
        try:
            parser.Parse(text, True)
        except expat.ExpatError as error:
            reason = expat.errors.messages[error.code]
            raise SidecarError(
                f"The XMP is broken at line {error.lineno} ({reason}).",
                "Another program has to write it anew; Curator leaves it alone.",
            ) from error
        finally:
            # The parser and this object hold each other; a thousand of them wait for no collector.
            del self._parser
        if self._found is None:
            raise SidecarError("The file holds no XMP.", _ALONE)
        self.root: Element = self._found

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._pending[prefix or ""] = uri or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        stack = self._stack
        self._count += 1
        if self._count > MAX_ELEMENTS or len(stack) >= MAX_DEPTH:
            raise _beyond_measure()
        parent = stack[-1] if stack else None
        made: Element | None = None
        if parent is None and self._found is not None:
            pass  # inside what others wrote, nearly all there is
        elif self._found is None:
            self._scope()
            if name == _ROOT:
                made = self._found = self._element(name, attributes)
        elif parent is self._found and parent is not None:
            self._scope()
            if name == _DESCRIPTION:
                made = self._element(name, attributes)
                self.descriptions.append(made)
        elif parent is not None and not parent.spaces:
            made = self._element(name, attributes)
            parent.children.append(made)
        elif parent is not None and name in self._wanted:
            made = self._element(name, attributes)
            parent.children.append(made)
            self._parser.CharacterDataHandler = self._characters
        if self._pending:
            self._pending = {}
        stack.append(made)

    def _scope(self) -> None:
        # One per level down to the descriptions; the next element of a level takes its place.
        depth = len(self._stack)
        del self._spaces[depth + 1 :]
        spaces = self._spaces[depth]
        self._spaces.append(spaces | self._pending if self._pending else spaces)
        if len(self._spaces[-1]) > MAX_SPACES or len(self.descriptions) > MAX_SPACES:
            raise _beyond_measure()

    def _element(self, name: str, attributes: dict[str, str]) -> Element:
        start = self._parser.CurrentByteIndex
        made = Element(self._text, name, start, attributes)
        if len(self._spaces) == len(self._stack) + 2:
            made.spaces = self._spaces[-1]
        return made

    def _characters(self, text: str) -> None:
        element = self._stack[-1]
        if element is not None:
            element.parts.append(text)

    def _end(self, name: str) -> None:
        element = self._stack.pop()
        if element is None:
            return
        if self._stack and (parent := self._stack[-1]) is not None and parent.spaces:
            self._parser.CharacterDataHandler = None
        element.stop = self._parser.CurrentByteIndex


def _beyond_measure() -> SidecarError:
    return SidecarError("The XMP is nested or filled beyond all measure.", _ALONE)


def _refuse(*_: Any) -> None:
    raise SidecarError(
        "The XMP declares a document type, which no editor writes and attacks need.",
        _ALONE,
    )


def _decoded(data: bytes) -> tuple[bytes, str, bytes, bytes]:
    """Split into what is before the text, its encoding, what is after, the text as UTF-8."""
    head, encoding, body = b"", "utf-8", data
    for mark, name in _BOMS:
        if data.startswith(mark):
            head, encoding, body = mark, name, data[len(mark) :]
            break
    else:
        for mark, name in _BARE:
            if data.startswith(mark):
                encoding = name
                break
    if encoding == "utf-8":
        start = len(body) - len(body.lstrip())  # expat wants <?xml first; some write a line before
        end = len(body.rstrip(b"\0 \t\r\n"))  # padding by NUL bytes
        head, body, tail = head + body[:start], body[start:end], body[end:]
        declared = _DECLARED.match(body[:200])
        name = declared[1].decode().lower() if declared else "utf-8"
        if name.startswith("utf-") or name not in _ENCODINGS:
            return head, "utf-8", tail, body
        encoding = name
    else:
        tail = b""
    try:
        text = body.decode(encoding)
        if encoding != "us-ascii" and text.encode(encoding) != body:
            raise UnicodeError
    except UnicodeError as error:
        raise SidecarError(
            f"The XMP is not the {encoding.upper()} text it says it is.", _ALONE
        ) from error
    if encoding.startswith("utf-"):
        tail = text[len(text.rstrip("\0")) :].encode(encoding)
        text = text.rstrip("\0")
    return head, encoding, tail, text.encode("utf-8")


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
    """Read a value, also one with qualifiers: then it stands in an rdf:value."""
    holder = _holder(element)
    return (holder.attributes.get(_VALUE) or holder.text).strip()


def _holder(element: Element) -> Element:
    for child in element.children:
        if child.name == _VALUE:
            return child
        if child.name == _DESCRIPTION:
            return _holder(child)
    return element


def _before(text: bytes, at: int) -> int:
    """Step back over the white space before a place."""
    while at > 0 and text[at - 1] in b" \t\r\n":
        at -= 1
    return at


def _deeper(text: bytes, element: Element) -> bytes:
    """Give line break and indentation for what is to stand inside an element."""
    lead = text[_before(text, element.start) : element.start]
    _, line, indent = lead.rpartition(b"\r\n" if b"\r\n" in lead else b"\n")
    return line + indent + b" " if line else b""


def _attribute_text(value: str) -> bytes:
    return escape(value, {'"': "&quot;", "'": "&apos;", "\n": "&#xA;", "\t": "&#x9;"}).encode()


def _qualified(spaces: dict[str, str], declared: dict[str, str], name: str) -> bytes:
    """Give a name with a prefix in force, declaring one if there is none."""
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
