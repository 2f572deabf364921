"""File names for the outside world: a small template language, and names every system takes.

A template is text with words in braces: ``{date}_{name}``. There is no more to it, so that a name
can be nothing but a name: what comes out holds no separator, no control character, nothing Windows
keeps for itself, and fits the 255 bytes of the common file systems.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from curator.model import KnownError

PLAIN = "{name}"  # the camera's own name
MAX_BYTES = 255  # ext4, APFS and NTFS count differently; this is the least of them all

# Windows: devices, whatever follows the first dot. Superscript digits count there, too.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Marks that turn the direction of writing: "gpj.exe" must not read as "exe.jpg".
TURNING = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_WORD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a name may be made of; ``seq`` counts from 1, ``seq_digits`` wide."""

    name: str
    taken_at: datetime | None = None
    seq: int = 1
    seq_digits: int = 3
    rating: int | None = None
    project: str | None = None
    camera: str | None = None


# To add a word: one line; the dialog, the README and the error for unknown words list these.
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
    "project": ("the project exported", lambda facts: facts.project or ""),
    "camera": ("the camera's name", lambda facts: facts.camera or ""),
}


def check(template: str) -> str:
    """Give back a template that makes names.

    Raises:
        KnownError: it is empty, has a word that is not known or a brace that stands alone.
    """
    known = ", ".join(f"{{{word}}}" for word in WORDS)
    for word in _WORD.findall(template):
        if word not in WORDS:
            raise KnownError(f"{{{word}}} means nothing in a file name.", f"Known: {known}.")
    rest = _WORD.sub("", template)
    if "{" in rest or "}" in rest:
        raise KnownError("A brace in a file name stands alone.", f"Known: {known}.")
    if not template.strip():
        raise KnownError("A file name has to be made of something.", f"Known: {known}.")
    return template


def stem(template: str, facts: Facts) -> str:
    """Make the name without its ending, safe on every system; never empty.

    Args:
        template: as :func:`check` passes it.
        facts: of one photo; what is in them is never read as template.
    """
    missing = False

    def said(found: re.Match[str]) -> str:
        nonlocal missing
        text = WORDS[found[1]][1](facts)
        missing = missing or not text
        return text

    text = _WORD.sub(said, template)
    if missing:  # "{project}_{name}" without a project is no "_DSC_0412"
        text = re.sub(r"([-_. ])[-_. ]+", r"\1", text).strip("-_. ")
    return safe(text)


def safe(text: str) -> str:
    """Make any text a file name without ending that Windows, macOS and Linux take as it is.

    Composed (NFC), because macOS takes the two spellings of an é for one name; a leading dash is
    an option to programs, a leading dot hides a file.
    """
    text = _FORBIDDEN.sub("_", _plain(text)).strip(" ").rstrip(". ")
    if text[:1] in ("-", "."):
        text = "_" + text[1:]
    if _RESERVED.match(text.partition(".")[0].rstrip(" ")):
        text = f"_{text}"
    return text or "photo"


def joined(stem: str, number: int, ending: str, room: int = 0) -> str:
    """Put a name together, ``-2`` and so on where it is taken, cut to what file systems hold.

    Args:
        stem: from :func:`stem`.
        number: 1 adds nothing.
        ending: with its dot; kept whole.
        room: bytes to leave for what hangs on to the name (``.xmp``).
    """
    tail = f"-{number}" if number > 1 else ""
    ending = safe_ending(ending)
    left = max(1, MAX_BYTES - len((tail + ending).encode()) - room)
    encoded = stem.encode()
    if len(encoded) > left:
        stem = encoded[:left].decode("utf-8", "ignore").rstrip(". ") or "photo"
    return f"{stem}{tail}{ending}"


def safe_ending(ending: str) -> str:
    """Make a file's ending safe; its letters keep their case."""
    return _FORBIDDEN.sub("_", _plain(ending)).rstrip(". ")


def _plain(text: str) -> str:
    kept = (sign for sign in unicodedata.normalize("NFC", text) if sign not in TURNING)
    return "".join("_" if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in kept)


def folded(name: str) -> str:
    """Fold a name as the pickiest file system would: two that agree clash."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
