"""Names from templates, valid on every system: of exported files and of imports with folders.

A template is text with placeholders in braces: ``{date:%Y-%m-%d}_{name}``. It can do nothing else,
so that the result is always a plain file name: without separators, control characters or names
reserved by Windows, and within the 255 bytes of the common file systems. A template of folders has
``/`` between the folders, and each of them is such a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Flag, auto

from curator.model import KnownError

PLAIN = "{name}"  # the camera's own name
BY_DATE = "{date:%Y}/{date:%Y-%m-%d}"  # folders by the day of capture
MAX_BYTES = 255  # of UTF-8, as ext4 counts; APFS and NTFS allow 255 longer units

# Names of Windows devices, with any text after the first dot; superscript digits count as digits.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Marks that change the writing direction: "gpj.exe" must not be displayed as "exe.jpg".
DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_PLACEHOLDER = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_DIRECTIVE = re.compile(r"(?s)%(.?)")

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Directives of a date format, as in strftime. Names are English on every system: the same
# template must name a file in the window as on the command line, whatever their locales.
DIRECTIVES: Mapping[str, tuple[str, Callable[[datetime], str]]] = {
    "Y": ("2024", lambda moment: f"{moment.year:04d}"),
    "y": ("24", lambda moment: f"{moment.year % 100:02d}"),
    "m": ("05", lambda moment: f"{moment.month:02d}"),
    "B": ("May", lambda moment: _MONTHS[moment.month - 1]),
    "b": ("May", lambda moment: _MONTHS[moment.month - 1][:3]),
    "d": ("04", lambda moment: f"{moment.day:02d}"),
    "j": ("125, the day of the year", lambda moment: f"{moment.timetuple().tm_yday:03d}"),
    "A": ("Saturday", lambda moment: _DAYS[moment.weekday()]),
    "a": ("Sat", lambda moment: _DAYS[moment.weekday()][:3]),
    "G": ("2024, the year of week %V", lambda moment: f"{moment.isocalendar().year:04d}"),
    "V": ("18, the ISO week", lambda moment: f"{moment.isocalendar().week:02d}"),
    "H": ("18", lambda moment: f"{moment.hour:02d}"),
    "M": ("42", lambda moment: f"{moment.minute:02d}"),
    "S": ("07", lambda moment: f"{moment.second:02d}"),
}


class Purpose(Flag):
    """What a template names; some placeholders have a meaning for one of them only."""

    EXPORT = auto()
    IMPORT = auto()


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
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A word that templates can contain.

    Attributes:
        meaning: what it stands for, or an example.
        text: returns its text for one photo, given the format after the colon, or "".
        purposes: the templates it is for.
        check_format: raises KnownError if a format is invalid; None if the word takes no format.
    """

    meaning: str
    text: Callable[[Facts, str], str]
    purposes: Purpose = Purpose.EXPORT | Purpose.IMPORT
    check_format: Callable[[str], None] | None = None


def _check_date_format(form: str) -> None:
    if "/" in form or "\\" in form:
        raise KnownError(
            f"The date format {form} contains a separator of folders.",
            "Write one placeholder for each folder, for example {date:%Y}/{date:%m}.",
        )
    for directive in _DIRECTIVE.findall(form):
        if directive not in DIRECTIVES:
            known = ", ".join(f"%{each} ({example})" for each, (example, _) in DIRECTIVES.items())
            raise KnownError(
                f"The date format {form} contains an unknown %{directive}.", f"Available: {known}."
            )


def _check_digits(form: str) -> None:
    if form not in tuple("123456789"):
        raise KnownError(
            f"{{seq:{form}}} is not a number of digits.",
            "Write a number from 1 to 9, for example {seq:4}.",
        )


def _date(moment: datetime, form: str) -> str:
    return _DIRECTIVE.sub(lambda found: DIRECTIVES[found[1]][1](moment), form)


# To add a word, add a line; the dialogs, the docs and the error for unknown words list these.
WORDS: Mapping[str, Placeholder] = {
    "name": Placeholder("the original's name", lambda facts, _: facts.name),
    "date": Placeholder(
        "2024-05-04; {date:%d %b} for 04 May",
        lambda facts, form: (
            _date(facts.taken_at, form or "%Y-%m-%d") if facts.taken_at else "undated"
        ),
        check_format=_check_date_format,
    ),
    "time": Placeholder(
        "18-42-07; {time:%H%M} for 1842",
        lambda facts, form: _date(facts.taken_at, form or "%H-%M-%S") if facts.taken_at else "",
        check_format=_check_date_format,
    ),
    "seq": Placeholder(
        "001, 002 ...; {seq:4} for 0001",
        lambda facts, form: f"{facts.seq:0{form or facts.seq_digits}d}",
        check_format=_check_digits,
    ),
    "rating": Placeholder(
        "stars, 0 for none", lambda facts, _: str(facts.rating or 0), Purpose.EXPORT
    ),
    "project": Placeholder(
        "the exported project", lambda facts, _: facts.project or "", Purpose.EXPORT
    ),
    "camera": Placeholder("the camera's name", lambda facts, _: facts.camera or ""),
    "job": Placeholder("the name of the job", lambda facts, _: facts.job or "", Purpose.IMPORT),
}


def words(purpose: Purpose) -> dict[str, str]:
    """Return the placeholders for a purpose, with their meanings: ``{"{name}": "the ..."}``."""
    return {f"{{{word}}}": each.meaning for word, each in WORDS.items() if purpose in each.purposes}


def uses(template: str, word: str) -> bool:
    """Whether a template contains a placeholder, with or without a format."""
    return any(found[1] == word for found in _PLACEHOLDER.finditer(template))


def check(template: str, purpose: Purpose = Purpose.EXPORT) -> str:
    """Return a template of file names if it is valid.

    Args:
        template: the template.
        purpose: which placeholders it may contain. A file is imported into folders, which have a
            template of their own, so that a ``/`` in its name is a mistake.

    Raises:
        KnownError: it is empty, or contains an unknown placeholder, an invalid format or a single
            brace.
    """
    _check_placeholders(template, purpose, "the file name")
    if purpose is Purpose.IMPORT and len(_parts(template)) > 1:
        raise KnownError(
            "The file name contains a separator of folders.", "Write folders into their template."
        )
    if not template.strip():
        raise KnownError("The file name is empty.", _available(purpose))
    return template


def check_folders(template: str) -> str:
    """Return an import's template of folders if it is valid; it may be empty, for no folders.

    Raises:
        KnownError: see :func:`check`; or it contains ``..``.
    """
    _check_placeholders(template, Purpose.IMPORT, "the folders")
    if ".." in (part.strip() for part in _parts(template)):
        raise KnownError(
            "The folders contain “..”, which leads out of the destination.",
            "Name folders inside the destination.",
        )
    return template


def _check_placeholders(template: str, purpose: Purpose, where: str) -> None:
    for found in _PLACEHOLDER.finditer(template):
        name, form = found.groups()
        word = WORDS.get(name)
        if word is None or purpose not in word.purposes:
            raise KnownError(f"Unknown placeholder {{{name}}} in {where}.", _available(purpose))
        if form is not None and word.check_format is None:
            raise KnownError(f"{{{name}}} takes no format.", f"Write {{{name}}}.")
        if form is not None and word.check_format is not None:
            word.check_format(form)
    rest = _PLACEHOLDER.sub("", template)
    if "{" in rest or "}" in rest:
        raise KnownError(f"A brace in {where} is not part of a placeholder.", _available(purpose))


def _available(purpose: Purpose) -> str:
    return f"Available: {', '.join(words(purpose))}."


def stem(template: str, facts: Facts) -> str:
    """Build the name without its ending, safe on every system and never empty.

    Args:
        template: a valid template; see :func:`check`.
        facts: the facts of one photo; braces in them are not read as a template.
    """
    return safe(filled(template, facts))


def folders(template: str, facts: Facts) -> str:
    """Build the folders, with ``/`` between them; each is safe on every system.

    Folders that would be empty vanish: ``{job}/{date}`` without a job is one folder.

    Args:
        template: a valid template; see :func:`check_folders`.
        facts: the facts of one photo; separators in them do not make folders.
    """
    made = (safe(filled(part, facts), "") for part in _parts(template))
    return "/".join(joined(name, 1, "") for name in made if name)


def _parts(template: str) -> list[str]:
    return template.replace("\\", "/").split("/")


def filled(template: str, facts: Facts) -> str:
    """Return a template with its placeholders replaced, not yet safe as a name."""
    missing = False

    def replaced(found: re.Match[str]) -> str:
        nonlocal missing
        text = WORDS[found[1]].text(facts, found[2] or "")
        missing = missing or not text
        return text

    text = _PLACEHOLDER.sub(replaced, template)
    if missing:  # "{project}_{name}" without a project must not become "_DSC_0412"
        text = re.sub(r"([-_. ])[-_. ]+", r"\1", text).strip("-_. ")
    return text


def safe(text: str, otherwise: str = "photo") -> str:
    """Turn any text into a file name without ending that is valid on Windows, macOS and Linux.

    Text of which nothing is left becomes ``otherwise``.

    It is composed (NFC), because macOS treats both encodings of é as the same name. Programs read a
    leading dash as an option, and a leading dot hides a file.
    """
    text = _FORBIDDEN.sub("_", _plain(text)).strip(" ").rstrip(". ")
    if text[:1] in ("-", "."):
        text = "_" + text[1:]
    if _RESERVED.match(text.partition(".")[0].rstrip(" ")):
        text = f"_{text}"
    return text or otherwise


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
    if text.isascii() and text.isprintable():  # a card has ten thousand names
        return text
    chars = (char for char in unicodedata.normalize("NFC", text) if char not in DIRECTION_MARKS)
    return "".join("_" if unicodedata.category(char) in ("Cc", "Cs") else char for char in chars)


def folded(name: str) -> str:
    """Fold a name as the strictest file system does: equal results mean a clash."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
