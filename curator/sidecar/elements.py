"""Bytes of XMP -> XML elements with their byte positions, down to the wanted properties.

expat does the parsing. No external entity is read and none is expanded: a document type, which
entities need, is refused. Size, depth and number of elements are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from curator.sidecar.fields import RDF
from curator.sidecar.sidecar_data import SidecarError

MAX_BYTES = 16 << 20
MAX_DEPTH = 100
MAX_ELEMENTS = 400_000
MAX_SPACES = 1000  # prefixes in scope at one position, and descriptions
LEFT_ALONE = "Curator leaves it alone."

ROOT, DESCRIPTION = f"{RDF} RDF", f"{RDF} Description"

_DECLARED = re.compile(rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252"}
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WITHOUT_BOM = (  # the first bytes of UTF-16 and UTF-32 text that has no byte order mark
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
# Parts of a start tag that expat has found well formed. An attribute includes the space before it.
_TAG_NAME = re.compile(rb"<([^\s/>]+)")
_ATTRIBUTE = re.compile(rb"""(\s+)([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_END = re.compile(rb"\s*(/?)>")


@dataclass(slots=True, eq=False)
class Element:
    """One element of ``source``: its start tag begins at ``start``.

    ``stop`` is where expat reports its end: its end tag, or ``start`` if it is empty.

    ``name`` and the names of ``attributes`` are namespace, space, local name. ``spaces`` are the
    prefixes in scope, for rdf:RDF and the descriptions in it; empty for deeper elements.
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
        """Its character data, with XML's predefined entities resolved."""
        return "".join(self.parts)

    @property
    def tag(self) -> bytes:
        """Its name with the prefix it has in the file."""
        found = _TAG_NAME.match(self.source, self.start)
        assert found is not None, "expat found a tag here"
        return found[1]

    @property
    def inside(self) -> int:
        """The position where its start tag ends."""
        return self._start_tag().end()

    @property
    def empty(self) -> bool:
        """Whether it is written ``<name/>``."""
        return bool(self._start_tag()[1])

    @property
    def close(self) -> int:
        """The position of its end tag, or of the slash in ``<name/>``."""
        return self._start_tag().start(1) if self.empty else self.stop

    @property
    def end(self) -> int:
        """The position where it ends."""
        return self.inside if self.empty else self.source.index(b">", self.stop) + 1

    def written(self) -> Iterator[re.Match[bytes]]:
        """Yield its attributes as matches: the space before, the name, the value by its quotes."""
        at = self.start + 1 + len(self.tag)
        while found := _ATTRIBUTE.match(self.source, at):
            yield found
            at = found.end()

    def _start_tag(self) -> re.Match[bytes]:
        at = self.start + 1 + len(self.tag)
        for attribute in self.written():
            at = attribute.end()
        found = _TAG_END.match(self.source, at)
        assert found is not None, "expat found this tag well formed"
        return found


class Parser:
    """Builds the elements down to the wanted properties, and everything inside those."""

    def __init__(self, text: bytes, wanted: frozenset[str]) -> None:
        self._found: Element | None = None
        self.descriptions: list[Element] = []
        self._text, self._wanted = text, wanted
        self._stack: list[Element | None] = []
        self._spaces: list[dict[str, str]] = [{}]
        self._pending: dict[str, str] = {}
        self._count = 0
        parser = expat.ParserCreate("UTF-8", " ")  # the text is UTF-8 by now
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
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
                f"Write it again with another program. {LEFT_ALONE}",
            ) from error
        finally:
            # Break the cycle of the parser and this object, to free both without the collector.
            del self._parser
        if self._found is None:
            raise SidecarError("The file contains no XMP.", LEFT_ALONE)
        self.root: Element = self._found

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._pending[prefix or ""] = uri or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        stack = self._stack
        self._count += 1
        if self._count > MAX_ELEMENTS or len(stack) >= MAX_DEPTH:
            raise _too_much()
        parent = stack[-1] if stack else None
        made: Element | None = None
        if parent is None and self._found is not None:
            pass  # inside other programs' metadata, which is most of the file
        elif self._found is None:
            self._scope()
            if name == ROOT:
                made = self._found = self._element(name, attributes)
        elif parent is self._found and parent is not None:
            self._scope()
            if name == DESCRIPTION:
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
        # One entry per level down to the descriptions; the next element of a level replaces it.
        depth = len(self._stack)
        del self._spaces[depth + 1 :]
        spaces = self._spaces[depth]
        self._spaces.append(spaces | self._pending if self._pending else spaces)
        if len(self._spaces[-1]) > MAX_SPACES or len(self.descriptions) > MAX_SPACES:
            raise _too_much()

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


def _too_much() -> SidecarError:
    return SidecarError("The XMP has too many elements or levels.", LEFT_ALONE)


def _refuse_doctype(*_: Any) -> None:
    raise SidecarError(
        "The XMP declares a document type, which no editor writes but attacks use.",
        LEFT_ALONE,
    )


def decoded(data: bytes) -> tuple[bytes, str, bytes, bytes]:
    """Split a file into the bytes before its text, the encoding, the bytes after it, and the text.

    The text is converted to UTF-8; a byte order mark, space and padding are no part of it.
    """
    head, encoding, body = b"", "utf-8", data
    for mark, name in _BOMS:
        if data.startswith(mark):
            head, encoding, body = mark, name, data[len(mark) :]
            break
    else:
        for mark, name in _WITHOUT_BOM:
            if data.startswith(mark):
                encoding = name
                break
    if encoding == "utf-8":
        start = len(body) - len(body.lstrip())  # some files begin with space; expat allows none
        end = len(body.rstrip(b"\0 \t\r\n"))  # some files are padded with NUL bytes
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
            f"The XMP is not valid {encoding.upper()} text, although it says so.", LEFT_ALONE
        ) from error
    if encoding.startswith("utf-"):
        tail = text[len(text.rstrip("\0")) :].encode(encoding)
        text = text.rstrip("\0")
    return head, encoding, tail, text.encode("utf-8")
