"""The words of Curator as data: photos, marks, decisions, results of work, and errors.

Standard library only, so that every layer and every worker process can import it in
milliseconds. Nothing here touches a disk, a window or a database.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Flag(StrEnum):
    """What a person said of a photo outright; no flag is ``None``."""

    PICK = "pick"
    REJECT = "reject"


class Label(StrEnum):
    """Colour labels, in the order of keys 6 to 9; purple has no key."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"


class Verdict(StrEnum):
    """What a photo's marks amount to; derived, never stored."""

    UNREVIEWED = "unreviewed"
    KEPT = "kept"
    REJECTED = "rejected"


class Pass(StrEnum):
    """What the person is doing: looking around, culling (pass 1) or rating (pass 2)."""

    BROWSE = "browse"
    CULL = "cull"
    RATE = "rate"


class View(StrEnum):
    """How photos are shown."""

    GRID = "grid"
    LOUPE = "loupe"
    COMPARE = "compare"
    SURVEY = "survey"

    @property
    def side_by_side(self) -> bool:
        """Whether a few photos stand beside each other."""
        return self in (View.COMPARE, View.SURVEY)


class StageState(StrEnum):
    """Where one stage stands for one photo."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Kind(StrEnum):
    """What a file of a photo is: the camera's RAW, a picture any viewer opens, or a sidecar."""

    RAW = "raw"
    IMAGE = "image"
    SIDECAR = "sidecar"


class ContentType(StrEnum):
    """What kind of picture a vision model says it is."""

    PORTRAIT = "portrait"
    STREET = "street"
    FAMILY = "family"
    LANDSCAPE = "landscape"
    STILL_LIFE = "still_life"
    ARCHITECTURE = "architecture"
    ABSTRACT = "abstract"
    OTHER = "other"


class StackKind(StrEnum):
    """Why the machine shows photos as one."""

    BURST = "burst"
    BRACKET = "bracket"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Marks:
    """The four independent fields a person decides.

    ``rating`` is 1-5 or None. ``kept`` means let through the cull and nothing more.
    """

    flag: Flag | None = None
    rating: int | None = None
    label: Label | None = None
    kept: bool = False

    @property
    def verdict(self) -> Verdict:
        """Rejected if flagged so, else through if kept, picked or rated, else unreviewed."""
        if self.flag is Flag.REJECT:
            return Verdict.REJECTED
        if self.kept or self.flag is Flag.PICK or self.rating is not None:
            return Verdict.KEPT
        return Verdict.UNREVIEWED


def keep_fields(marks: Marks) -> dict[str, object]:
    """Say what keeping sets: the photo is let through, so a reject is taken back."""
    return {"kept": True} | ({"flag": None} if marks.flag is Flag.REJECT else {})


def pick_fields(marks: Marks) -> dict[str, object]:
    """Say what picking sets: a pick is kept."""
    return {"flag": Flag.PICK, "kept": True}


def reject_fields(marks: Marks) -> dict[str, object]:
    """Say what rejecting sets: stars, label and kept stay."""
    return {"flag": Flag.REJECT}


def rating_fields(marks: Marks, number: int) -> dict[str, object]:
    """Say what 1 to 5 stars set, or 0, none: a photo that had stars stays kept without them."""
    if number:
        return {"rating": number, "kept": True}
    return {"rating": None, "kept": marks.kept or marks.rating is not None}


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, the plural by adding an s: ``1 photo``, ``3,012 photos``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shutter(seconds: float | None) -> str:
    """Write a shutter time as cameras show it: 1/250, 0.6 s, 30 s; empty where it is unknown."""
    if not seconds or seconds <= 0:
        return ""
    return f"{_figure(seconds)} s" if seconds >= 0.3 else f"1/{round(1 / seconds):d}"


def aperture(number: float | None) -> str:
    """Write an aperture as lenses do: f/2.8, f/11, f/0.95; empty where it is unknown."""
    if not number or number <= 0:
        return ""
    return f"f/{number:.2g}" if number < 10 else f"f/{_figure(number)}"


def focal_length(mm: float | None) -> str:
    """Write a focal length: 85 mm, 3.5 mm; empty where it is unknown."""
    return f"{_figure(mm)} mm" if mm and mm > 0 else ""


def _figure(number: float) -> str:
    """Write a number with one decimal, or none where that is 0."""
    return f"{number:.1f}".removesuffix(".0")


# Marks that turn the direction of what follows, or end such a turn.
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FROM_RIGHT = frozenset({"R", "AL", "AN"})


def bidi_safe(name: str) -> str:
    """Make the name of a file safe to stand in a line of text, whatever it is made of.

    One with letters that run from right to left keeps its ending at its end, and turns nothing
    beside it. Control characters and marks that turn the direction are spelled out as escapes:
    such a name shows what it holds.
    """
    if name.isascii() and name.isprintable():
        return name
    spelled = "".join(
        ascii(each)[1:-1] if each in _TURNS or unicodedata.category(each) == "Cc" else each
        for each in name
    )
    if any(unicodedata.bidirectional(each) in _FROM_RIGHT for each in spelled):
        return f"\u2066{spelled}\u2069"
    return spelled


class Clause(StrEnum):
    """The clauses of the default approval rule, by name; others are named by their search.

    ``FILE`` is any of them, for a photo whose marks were read from a file and that nobody has
    reviewed here: it is exported only when that is asked for.
    """

    STARS = "stars"
    PICK = "pick"
    MATCH = "match"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Capture:
    """What the camera wrote about one exposure.

    ``taken_at`` is the wall-clock time the camera showed, naive, with sub-seconds;
    ``utc_offset_min`` stands beside it where the camera recorded it. ``width`` and
    ``height`` are of the upright picture in px; ``orientation`` is the EXIF value 1-8
    the file carries. ``subject`` is the upright centre of EXIF SubjectArea as fractions
    of width and height.
    """

    taken_at: datetime | None = None
    utc_offset_min: int | None = None
    camera: str | None = None
    lens: str | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length_mm: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    width: int | None = None
    height: int | None = None
    orientation: int = 1
    subject: tuple[float, float] | None = None

    def facts(self) -> dict[str, Any]:
        """Give what stands beside the time, by name: camera and exposure, place, size."""
        return {name: getattr(self, name) for name in _FACTS}


_FACTS = (
    "utc_offset_min",
    "camera",
    "lens",
    "exposure_s",
    "f_number",
    "iso",
    "focal_length_mm",
    "latitude",
    "longitude",
    "width",
    "height",
)


@dataclass(frozen=True, slots=True)
class Quality:
    """Technical measures of the full-resolution pixels; they sort and explain, never decide.

    ``sharpness`` 0-100 (higher is sharper), ``exposure`` 0-100 (100: nothing clipped),
    ``highlights`` and ``shadows`` the clipped share of all pixels, 0.0-1.0.
    ``sharpest`` is the centre of the sharpest tile as fractions of width and height.
    """

    sharpness: float
    exposure: float
    highlights: float
    shadows: float
    sharpest: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One photo file met in a folder, as the walk saw it; ``path`` is absolute."""

    path: str
    kind: Kind
    size: int
    mtime_ns: int

    @property
    def name(self) -> str:
        """The file's name, with its suffix."""
        return os.path.basename(self.path)  # noqa: PTH119 (a scan asks for ten thousand)


@dataclass(frozen=True, slots=True)
class FileGroup:
    """The files of one photo in one folder: a single file, or a RAW and its JPEG or HEIC.

    ``files`` has the main file first (the RAW of a pair), then the other half if there is one;
    ``name`` is the name without suffix, as the photo is shown (DSC_0412). ``sidecars`` lie beside.
    """

    directory: str
    name: str
    files: tuple[FoundFile, ...]
    sidecars: tuple[FoundFile, ...] = ()


@dataclass(frozen=True, slots=True)
class StageJob:
    """All that a stage may know of a photo: plain data, sent to a worker process.

    ``path`` is the file this stage reads (of a pair, the RAW unless ``fallback`` is needed);
    ``fallback`` is the other half of a pair, used when ``path`` cannot be decoded.
    ``cache`` is the folder derived files go to. ``encoder`` is the recipe of the encoder to use
    (`curator.encoders`), for the stage that embeds; it reads the proxy, whose digest is then
    ``fingerprint``. ``sidecars`` are the paths of those known of, for the stage that reads headers.
    ``asking`` is whom to ask (`curator.stages.describe`), for the stage that describes; that one
    reads the proxy too.
    """

    photo_id: int
    stage: str
    path: str
    kind: Kind
    cache: str
    fallback: str | None = None
    fingerprint: str | None = None
    long_edge_px: int = 1440
    quality: int = 88
    max_megapixels: int = 400
    encoder: Any = None
    sidecars: tuple[str, ...] = ()
    asking: Any = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """What an encoder saw in a proxy: ``vector`` float16 bytes, ``tone`` float32 bytes.

    ``encoder`` is the key of the encoder, ``source`` the digest of the proxy. ``tags`` are what it
    would call the picture, (name, confidence 0-100) each; None if it knows no words.
    """

    encoder: str
    source: str
    vector: bytes
    tone: bytes
    tags: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What came of several photos given to the encoder together, in their order.

    ``results`` holds what was seen, or the error of just that photo. ``at_once`` is how many the
    encoder would like to have together next time.
    """

    results: tuple[Embedded | Exception, ...]
    at_once: int


@dataclass(frozen=True, slots=True)
class FileMarks:
    """What a file says of a photo's marks, as other programs write them.

    ``path`` is the sidecar's, empty for what is embedded in the original; ``digest`` the sha256
    of its bytes. ``date`` is its ``xmp:MetadataDate`` in ISO form, empty if it has none. ``said``
    are the fields it speaks of, by name, plain data; None if it cannot be read, and ``problem``
    says why.
    """

    path: str
    digest: str
    size: int
    mtime_ns: int
    date: str
    said: Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Peeked:
    """What the headers say: identity, capture data, and whether a thumbnail was there.

    ``fingerprint`` of ``job.path``; ``thumb`` is the cache key of a thumbnail made from the
    file's embedded one, or None. ``half_fingerprint`` is of ``job.fallback`` where the stage
    read it; the catalog reads it itself otherwise. ``readings`` are of its sidecars and of what
    is embedded.
    """

    fingerprint: str
    size: int
    mtime_ns: int
    capture: Capture
    thumb: str | None = None
    half_fingerprint: str | None = None
    readings: tuple[FileMarks, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """What one decode of the original gave.

    ``basis`` says which pixels: ``"image"`` the file itself, ``"preview"`` the JPEG embedded
    in a RAW, ``"small preview"`` one that is not full size, of a RAW nothing else can be read of,
    ``"demosaic"`` the sensor data, ``"fallback"`` the pair's other half; ``"float"`` and
    ``"integer"`` the file itself, its long or signed values scaled for viewing, and ``"hdr"``
    with highlights rolled off.
    ``proxy`` is the cache key of proxy and thumbnail, ``proxy_digest`` the sha256 of the proxy's
    bytes. ``damage`` is a plain sentence when the file is damaged: part of the picture is missing
    or wrong, and what was measured on it is no score. ``look`` is what the picture looks like, as
    text (`curator.imaging.perceptual_hash`).
    """

    fingerprint: str
    size: int
    mtime_ns: int
    capture: Capture
    quality: Quality
    basis: str
    proxy: str
    proxy_digest: str
    damage: str | None = None
    look: str | None = None


class SuggestedTag(NamedTuple):
    """A tag as a machine suggests it.

    ``confidence`` is 0-100 and ``category`` the path above the name; None where it gave none.
    """

    name: str
    confidence: int | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """What a vision model said is in a picture; it is never asked whether that is good.

    ``source`` is the digest of the proxy it saw. ``content_type`` is a ContentType, ``lighting``
    one sentence. Plain text all of it, cleaned.
    """

    provider: str
    model: str
    source: str
    subject: str
    content_type: str
    lighting: str
    mood: str
    tags: tuple[SuggestedTag, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One stage's failure of one photo, in words a photographer understands."""

    photo_id: int
    path: str
    stage: str
    reason: str
    attempts: int = 1
    next_attempt_at: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one photo, before and after; what a decision does.

    ``about`` is the id of the other thing for a field about the photo and something else: a tag,
    a project, the photo it was preferred over.
    """

    photo_id: int
    field: str
    before: object
    after: object
    about: int | None = None


Field = str | tuple[str, int]
"""How a field is asked for: its name, for a relation with the id of the other thing."""
Fields = Mapping[str, object] | Mapping[Field, object]
"""What is to be set of a photo: its marks by name, and relations."""
Changes = Mapping[int, Fields]
"""What is to be set, by photo id."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the journal: the changes one act of a person made, undone as one.

    ``kind`` is ``do``, ``undo`` or ``redo``; an undo or redo ``reverts`` an earlier step.
    ``summary`` is what the status line says of it ("Rejected DSC_0411").
    """

    id: int
    kind: str
    summary: str
    made_at: float
    changes: tuple[Change, ...] = ()
    reverts: int | None = None
    context: dict[str, object] = field(default_factory=dict)


INTERNAL_ERROR = "Curator made a mistake here (see the log)."
"""What is said of our own faults; the log has their traceback."""


class KnownError(Exception):
    """The world's fault, not ours: one plain sentence, and what to do about it.

    Attributes:
        remedy: what the person can do, a sentence; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        return " ".join(part for part in (self.args[0], self.remedy) if part)


class UnreadableError(KnownError):
    """A file's content cannot be made into a picture; the message is the reason."""


class UnsupportedError(UnreadableError):
    """A file is of a kind no decoder here knows; that does not make it damaged."""


class GoneError(KnownError):
    """A file is not where it was; trying again later may help."""


class UnavailableError(KnownError):
    """A file must not or cannot be read now: its card is spared, or its drive does not answer."""


class CatalogError(KnownError):
    """The catalog cannot be opened, read or written; nothing was half-written."""


class BusyError(KnownError):
    """Another process holds what may have one holder only."""


class UsageError(KnownError):
    """What was asked for makes no sense as asked (exit code 2)."""


class NotFoundError(KnownError):
    """No photo, folder or file of that name is known."""


class Stopped(KeyboardInterrupt):
    """A signal asked the program to end: SIGTERM, SIGHUP, or Ctrl+C in a terminal.

    What is under way ends as it does at Ctrl+C: nothing done so far is lost.

    Attributes:
        code: the exit code shells expect, 128 and the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number
