"""Names of exported files: a small template language, and names valid on every system.

A template is text with words in braces: ``{date}_{name}``. It can do nothing else, so that the
result is always a plain file name: without separators, control characters or names reserved by
Windows, and within the 255 bytes of the common file systems.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from curator.model import KnownError

PLAIN = "{name}"  # the camera's own name
MAX_BYTES = 255  # of UTF-8, as ext4 counts; APFS and NTFS allow 255 longer units

# Names of Windows devices, with any text after the first dot; superscript digits count as digits.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Marks that change the writing direction: "gpj.exe" must not be displayed as "exe.jpg".
DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_WORD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts a name can contain; ``seq`` counts from 1 with ``seq_digits`` digits."""

    name: str
    taken_at: datetime | None = None
    seq: int = 1
    seq_digits: int = 3
    rating: int | None = None
    project: str | None = None
    camera: str | None = None


# To add a word, add a line; the dialog, the docs and the error for unknown words list these.
WORDS: Mapping[str, tuple[str, Callable[[Facts], str]]] = {
    "name": ("the original's name", lambda facts: facts.name),
    "date": (
        "2024-05-04",
        lambda facts: f"{facts.taken_at:%Y-%m-%d}" if facts.taken_at else "undated",
    ),
    "time": (
        "18-42-07",
        lambda facts: f"{facts.taken_at:%H-%M-%S}" if facts.taken_at else "",
    ),
    "seq": ("001, 002 ...", lambda facts: f"{facts.seq:0{facts.seq_digits}d}"),
    "rating": ("stars, 0 for none", lambda facts: str(facts.rating or 0)),
    "project": ("the exported project", lambda facts: facts.project or ""),
    "camera": ("the camera's name", lambda facts: facts.camera or ""),
}


def check(template: str) -> str:
    """Return a template if it is valid.

    Raises:
        KnownError: it is empty, or contains an unknown word or a single brace.
    """
    available = f"Available: {', '.join(f'{{{word}}}' for word in WORDS)}."
    for word in _WORD.findall(template):
        if word not in WORDS:
            raise KnownError(f"Unknown placeholder {{{word}}} in the file name.", available)
    rest = _WORD.sub("", template)
    if "{" in rest or "}" in rest:
        raise KnownError("A brace in the file name is not part of a placeholder.", available)
    if not template.strip():
        raise KnownError("The file name is empty.", available)
    return template


def stem(template: str, facts: Facts) -> str:
    """Build the name without its ending, safe on every system and never empty.

    Args:
        template: a valid template; see :func:`check`.
        facts: the facts of one photo; braces in them are not read as a template.
    """
    missing = False

    def replaced(found: re.Match[str]) -> str:
        nonlocal missing
        text = WORDS[found[1]][1](facts)
        missing = missing or not text
        return text

    text = _WORD.sub(replaced, template)
    if missing:  # "{project}_{name}" without a project must not become "_DSC_0412"
        text = re.sub(r"([-_. ])[-_. ]+", r"\1", text).strip("-_. ")
    return safe(text)


def safe(text: str) -> str:
    """Turn any text into a file name without ending that is valid on Windows, macOS and Linux.

    It is composed (NFC), because macOS treats both encodings of é as the same name. Programs read a
    leading dash as an option, and a leading dot hides a file.
    """
    text = _FORBIDDEN.sub("_", _plain(text)).strip(" ").rstrip(". ")
    if text[:1] in ("-", "."):
        text = "_" + text[1:]
    if _RESERVED.match(text.partition(".")[0].rstrip(" ")):
        text = f"_{text}"
    return text or "photo"


def joined(stem: str, number: int, ending: str, room: int = 0) -> str:
    """Join a name from its parts, shortened to the limit of file systems.

    Args:
        stem: from :func:`stem`.
        number: 2 and up is appended as ``-2``; 1 adds nothing.
        ending: with its dot; never shortened.
        room: bytes to leave free for a further ending (``.xmp``).
    """
    tail = f"-{number}" if number > 1 else ""
    ending = safe_ending(ending)
    left = max(1, MAX_BYTES - len((tail + ending).encode()) - room)
    encoded = stem.encode()
    if len(encoded) > left:
        stem = encoded[:left].decode("utf-8", "ignore").rstrip(". ") or "photo"
    return f"{stem}{tail}{ending}"


def safe_ending(ending: str) -> str:
    """Make a file's ending safe; keep its case."""
    return _FORBIDDEN.sub("_", _plain(ending)).rstrip(". ")


def _plain(text: str) -> str:
    chars = (char for char in unicodedata.normalize("NFC", text) if char not in DIRECTION_MARKS)
    return "".join("_" if unicodedata.category(char) in ("Cc", "Cs") else char for char in chars)


def folded(name: str) -> str:
    """Fold a name as the strictest file system does: equal results mean a clash."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
