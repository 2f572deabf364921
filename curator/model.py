"""The vocabulary of Curator as data: photos, marks, decisions, results of stages, and errors.

Every layer and every worker process imports this module, so it may use the standard library only
and must never touch a disk, a window or a database. Values of enums are stored in catalogs and
files: never change one.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, NamedTuple


class Flag(StrEnum):
    """A person's flag on a photo; ``None`` stands for no flag."""

    PICK = "pick"
    REJECT = "reject"


class Label(StrEnum):
    """Color labels, in the order of the keys 6 to 9; purple has no key."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"


class Verdict(StrEnum):
    """The result of a photo's marks; derived, never stored."""

    UNREVIEWED = "unreviewed"
    KEPT = "kept"
    REJECTED = "rejected"


class Pass(StrEnum):
    """The current pass: browsing, culling (pass 1) or rating (pass 2)."""

    BROWSE = "browse"
    CULL = "cull"
    RATE = "rate"


class View(StrEnum):
    """The view that shows the photos."""

    GRID = "grid"
    LOUPE = "loupe"
    COMPARE = "compare"
    SURVEY = "survey"
    FACES = "face table"

    @property
    def side_by_side(self) -> bool:
        """Whether the view shows a few photos at once, and marks apply to the active one."""
        return self in (View.COMPARE, View.SURVEY, View.FACES)

    @classmethod
    def saved(cls, name: object, default: View) -> View:
        """Return the view saved under a name; ``default`` if this version does not know it."""
        return next((view for view in cls if view == name), default)


class StageState(StrEnum):
    """The state of a stage for a photo."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Kind(StrEnum):
    """The kind of a photo's file: a camera's RAW, another picture (JPEG, TIFF, HEIC), a sidecar."""

    RAW = "raw"
    IMAGE = "image"
    SIDECAR = "sidecar"


HALF_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif")
"""Formats that cameras write beside a RAW; any other picture of that name is a separate edit."""


class ContentType(StrEnum):
    """The kind of picture, as classified by a vision model."""

    PORTRAIT = "portrait"
    STREET = "street"
    FAMILY = "family"
    LANDSCAPE = "landscape"
    STILL_LIFE = "still_life"
    ARCHITECTURE = "architecture"
    ABSTRACT = "abstract"
    OTHER = "other"


class StackKind(StrEnum):
    """Why photos are stacked automatically."""

    BURST = "burst"
    BRACKET = "bracket"
    DUPLICATE = "duplicate"


# In columns of photos, a value is its index here; the first is no value.
FLAGS: tuple[Flag | None, ...] = (None, *Flag)
LABELS: tuple[Label | None, ...] = (None, *Label)
STACK_KINDS: tuple[StackKind | None, ...] = (None, *StackKind)
STATES = ("", "failed", "missing")


@dataclass(frozen=True, slots=True)
class Marks:
    """The four independent fields that a person decides.

    ``rating`` is 1-5 or None. ``kept`` means kept in the cull, and nothing more.
    """

    flag: Flag | None = None
    rating: int | None = None
    label: Label | None = None
    kept: bool = False

    @property
    def verdict(self) -> Verdict:
        """Rejected if flagged as reject; else kept if kept, picked or rated; else unreviewed."""
        if self.flag is Flag.REJECT:
            return Verdict.REJECTED
        if self.kept or self.flag is Flag.PICK or self.rating is not None:
            return Verdict.KEPT
        return Verdict.UNREVIEWED


def keep_fields(marks: Marks) -> dict[str, object]:
    """Return the fields that keeping a photo sets; a pick stays one, a reject flag is removed."""
    return {"kept": True, "flag": Flag.PICK if marks.flag is Flag.PICK else None}


def pick_fields(marks: Marks) -> dict[str, object]:
    """Return the fields that picking a photo sets; a pick is also kept."""
    return {"flag": Flag.PICK, "kept": True}


def reject_fields(marks: Marks) -> dict[str, object]:
    """Return the fields that rejecting a photo sets; stars, label and kept stay."""
    return {"flag": Flag.REJECT}


def rating_fields(marks: Marks, number: int) -> dict[str, object]:
    """Return the fields that a rating sets, 1-5, or 0 for none.

    A photo that loses its stars stays kept.
    """
    if number:
        return {"rating": number, "kept": True}
    return {"rating": None} | ({"kept": True} if marks.kept or marks.rating is not None else {})


def counted(number: int, noun: str) -> str:
    """Format a number with its noun, adding an s for the plural: ``1 photo``, ``3,012 photos``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def file_size(number: float) -> str:
    """Format a number of bytes in decimal units, as file managers do: ``58.1 GB``."""
    value, units = float(number), ["bytes", "kB", "MB", "GB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        del units[0]
    digits = 0 if units[0] in ("bytes", "kB") else 1
    return f"{value:,.{digits}f} {units[0]}"


def path_label(path: str | PurePath) -> str:
    """Return the name of a file or folder; for a drive's root, which has none, its path."""
    return PurePath(path).name or str(path)


def time_span(seconds: float) -> str:
    """Format a duration coarsely: ``56 s``, ``12 min``, ``2 h 05``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d}"


def shutter(seconds: float | None) -> str:
    """Format a shutter time as cameras show it: 1/250, 0.6 s, 30 s; "" if unknown."""
    if not seconds or seconds <= 0:
        return ""
    return f"{_figure(seconds)} s" if seconds >= 0.3 else f"1/{round(1 / seconds):d}"


def aperture(number: float | None) -> str:
    """Format an aperture as lenses show it: f/2.8, f/11, f/0.95; "" if unknown."""
    if not number or number <= 0:
        return ""
    return f"f/{number:.2g}" if number < 10 else f"f/{_figure(number)}"


def focal_length(mm: float | None) -> str:
    """Format a focal length: 85 mm, 3.5 mm; "" if unknown."""
    return f"{_figure(mm)} mm" if mm and mm > 0 else ""


def _figure(number: float) -> str:
    """Format a number with one decimal, or none if that is 0."""
    return f"{number:.1f}".removesuffix(".0")


# Characters that change the direction of the text after them, or end such a change.
_DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_FROM_RIGHT = frozenset({"R", "AL", "AN"})


def bidi_safe(name: str) -> str:
    """Return the name of a file, safe to show within a line of text.

    A name with right-to-left letters keeps its suffix at its end and does not reorder the text
    around it. Control characters and marks that change the direction become visible escapes.
    """
    if name.isascii() and name.isprintable():
        return name
    spelled = "".join(
        ascii(each)[1:-1]
        if each in _DIRECTION_MARKS or unicodedata.category(each) == "Cc"
        else each
        for each in name
    )
    if any(unicodedata.bidirectional(each) in _FROM_RIGHT for each in spelled):
        return f"\u2066{spelled}\u2069"
    return spelled


class Clause(StrEnum):
    """The clauses of the default approval rule; clauses of other rules are named by their search.

    ``FILE`` replaces the clause of a photo whose marks were read from a file and reviewed by
    nobody here. Such photos are exported only if the user asks for them.
    """

    STARS = "stars"
    PICK = "pick"
    MATCH = "match"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Capture:
    """The data a camera recorded about an exposure.

    ``taken_at`` is the wall-clock time the camera showed, naive, with sub-seconds;
    ``utc_offset_min`` is set if the camera recorded it. ``width`` and ``height`` are of the
    upright picture in px; ``orientation`` is the EXIF value 1-8 of the file. ``subject`` is the
    upright center of EXIF SubjectArea, as fractions of the upright width and height.
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
        """Return all fields but the time and those for decoding, by name."""
        return {name: getattr(self, name) for name in _FACTS}


_FACTS = [
    each.name for each in fields(Capture) if each.name not in ("taken_at", "orientation", "subject")
]


@dataclass(frozen=True, slots=True)
class Quality:
    """Technical measures of the decoded pixels before shrinking: they sort, and never decide.

    `Converted.basis` says which pixels these are.

    ``sharpness`` 0-100 (higher is sharper), ``exposure`` 0-100 (100: nothing clipped),
    ``highlights`` and ``shadows`` the clipped share of all pixels, 0.0-1.0.
    ``sharpest`` is the center of the sharpest tile as fractions of width and height.
    """

    sharpness: float
    exposure: float
    highlights: float
    shadows: float
    sharpest: tuple[float, float] | None = None


class Eye(StrEnum):
    """What is known of an eye; ``unknown`` where the face is too small, turned away or covered."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a photo, as measured on the original's pixels. It says nothing about who it is.

    Places are fractions (0-1) of the upright picture's width and height, without the user's turn.
    Left and right are the person's own. None stands for what could not be measured.

    Attributes:
        box: left, top, width and height; may reach a little past the edges of the picture.
        size_px: width of the box in px of the original; of a RAW measured on its preview, in px of
            that.
        score: the detector's, 0-1.
        left: the left eye.
        right: the right eye.
        left_blink: how far the left eye is shut, 0-1.
        right_blink: how far the right eye is shut, 0-1.
        smile: 0-1.
        yaw_deg: how far the head is turned; positive towards the person's left.
        eye_sharpness: of the eye region, on the scale of `Quality.sharpness`, 0-100.
        left_at: center of the left eye.
        right_at: center of the right eye.
    """

    box: tuple[float, float, float, float]
    size_px: int
    score: float
    left: Eye = Eye.UNKNOWN
    right: Eye = Eye.UNKNOWN
    left_blink: float | None = None
    right_blink: float | None = None
    smile: float | None = None
    yaw_deg: float | None = None
    eye_sharpness: float | None = None
    left_at: tuple[float, float] | None = None
    right_at: tuple[float, float] | None = None

    @property
    def eyes(self) -> Eye:
        """Both eyes in one word: closed if either is, else open if either is, else unknown."""
        both = (self.left, self.right)
        return next((eye for eye in (Eye.CLOSED, Eye.OPEN) if eye in both), Eye.UNKNOWN)

    @property
    def eyes_at(self) -> tuple[float, float]:
        """The point between the eyes; if they were not found, the middle of the box."""
        if self.left_at is None or self.right_at is None:
            x, y, width, height = self.box
            return x + width / 2, y + height / 2
        return (self.left_at[0] + self.right_at[0]) / 2, (self.left_at[1] + self.right_at[1]) / 2

    def contains(self, x: float, y: float) -> bool:
        """Whether a point of the upright picture, in fractions, lies in the box."""
        left, top, width, height = self.box
        return left <= x <= left + width and top <= y <= top + height


@dataclass(frozen=True, slots=True)
class FacesMeasured:
    """The result of stage faces: the faces of a photo, largest first.

    ``source`` is the digest of the proxy they were found on.
    """

    source: str
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text in a photo, as read on the original's pixels: data, whatever it says.

    Attributes:
        text: what it says, without control characters.
        confidence: mean of its characters, 0-1.
        corners: where it begins above, where it ends above, then below; four points (x, y) in
            fractions (0-1) of the upright picture's width and height, without the user's turn.
    """

    text: str
    confidence: float
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TextRead:
    """The result of stage read_text: the lines of a photo, from the top.

    ``source`` is the digest of the proxy they were found on.
    """

    source: str
    lines: tuple[TextLine, ...]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A photo file found in a folder; ``path`` is absolute."""

    path: str
    kind: Kind
    size: int
    mtime_ns: int

    @property
    def name(self) -> str:
        """The file's name, with its suffix."""
        return os.path.basename(self.path)  # noqa: PTH119 (a scan calls this ten thousand times)


@dataclass(frozen=True, slots=True)
class FileGroup:
    """The files of a photo in a folder: a single file, or a RAW and its JPEG or HEIC.

    ``files`` has the main file first (the RAW of a pair), then the other file of a pair. ``name``
    is the name without suffix, as shown to people (DSC_0412). ``sidecars`` are next to the files.
    """

    directory: str
    name: str
    files: tuple[FoundFile, ...]
    sidecars: tuple[FoundFile, ...] = ()


@dataclass(frozen=True, slots=True)
class StageJob:
    """All that a stage may know about a photo: plain data, sent to a worker process.

    ``path`` is the file to read (of a pair, the RAW); ``fallback`` is the other file of a pair,
    used if ``path`` cannot be decoded. ``cache`` is the folder for derived files. Stages embed and
    describe read the proxy, whose digest is then ``fingerprint``; stage faces reads ``path`` and
    the proxy at ``proxy``, whose digest is ``fingerprint``, too. ``long_edge_px`` and ``quality``
    (JPEG) are those of the proxy. ``encoder`` is for embed: a `curator.encoders.Recipe`. ``asking``
    is for describe: a `curator.stages.describe.Asking`. ``sidecars`` is for peek: the paths of the
    known sidecars.
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
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The result of stage embed: ``vector`` as float16 bytes, ``tone`` as float32 bytes.

    ``encoder`` is the key of the encoder, ``source`` the digest of the proxy. ``tags`` are the
    suggested tags, (name, confidence 0-100) each; None if the encoder has no tags.
    """

    encoder: str
    source: str
    vector: bytes
    tone: bytes
    tags: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The results of a batch of photos in stage embed, in their order.

    ``results`` holds the result or the error of each photo. ``at_once`` is the size of the next
    batch that suits the encoder.
    """

    results: tuple[Embedded | Exception, ...]
    at_once: int


@dataclass(frozen=True, slots=True)
class FileMarks:
    """The marks in a file, as other programs write them.

    ``path`` is the path of the sidecar, "" for metadata embedded in the original; ``digest`` is
    the sha256 of its bytes. ``date`` is its ``xmp:MetadataDate`` in ISO form, "" if it has none.
    ``fields`` holds the fields in the file, by name, as plain data; it is None if the file cannot
    be read, and ``problem`` tells why.
    """

    path: str
    digest: str
    size: int
    mtime_ns: int
    date: str
    fields: Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Peeked:
    """The result of stage peek, read from the headers: identity, capture data and a thumbnail.

    ``fingerprint`` is of ``job.path``. ``thumb`` is the cache key of the thumbnail made from the
    embedded one, or None. ``half_fingerprint`` is of ``job.fallback``; the catalog adds it.
    ``readings`` are the marks in the sidecars and in the file itself.
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
    """The result of stage convert, from one decode of the original.

    ``basis`` names the decoded pixels: ``"image"`` the file itself, ``"preview"`` the JPEG embedded
    in a RAW, ``"small preview"`` one of reduced size, for a RAW without other readable pixels,
    ``"demosaic"`` the sensor data, ``"fallback"`` the other file of a pair; ``"float"`` and
    ``"integer"`` the file itself with long or signed values scaled for viewing, and ``"hdr"``
    with highlights rolled off.
    ``proxy`` is the cache key of proxy and thumbnail, ``proxy_digest`` the sha256 of the proxy's
    bytes. ``damage`` is a plain sentence if part of the picture is missing or wrong; its measures
    are then no scores. ``look`` is the perceptual hash of the picture as text
    (`curator.imaging.perceptual_hash`).
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
    """A tag suggested by an encoder or a vision model.

    ``confidence`` is 0-100 and ``category`` the path above the name; None if unknown.
    """

    name: str
    confidence: int | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The result of stage describe: the content of a picture, never a judgment of it.

    ``source`` is the digest of the proxy. ``content_type`` is a ContentType, ``lighting`` one
    sentence. All texts are plain and cleaned.
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
    """The failure of a stage for a photo, in words a photographer understands."""

    photo_id: int
    path: str
    stage: str
    reason: str
    attempts: int = 1
    next_attempt_at: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The value of a field of a photo before and after a decision.

    A field may relate the photo to something else; ``about`` is then the id of that tag or
    project, or of the photo it was preferred to. ``repeated``: it is the rating of a photo that
    was rated earlier, made while the earlier stars were hidden.
    """

    photo_id: int
    field: str
    before: object
    after: object
    about: int | None = None
    repeated: bool = False


Field = str | tuple[str, int]
"""The name of a field; for a relation, the name and the id of the other thing."""
Fields = Mapping[str, object] | Mapping[Field, object]
"""Values to set on a photo, by field."""
Changes = Mapping[int, Fields]
"""Values to set, by photo id."""


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of the journal: the changes made by one action, undone together.

    ``kind`` is ``do``, ``undo`` or ``redo``; an undo or redo ``reverts`` an earlier step.
    ``summary`` is its text in the status line ("Rejected DSC_0411").
    """

    id: int
    kind: str
    summary: str
    made_at: float
    changes: tuple[Change, ...] = ()
    reverts: int | None = None
    context: dict[str, object] = field(default_factory=dict)


CACHE_TAG = "CACHEDIR.TAG"
"""Name of the file that marks a folder as a cache, see bford.info/cachedir."""

READ_ELSEWHERE = "Another Curator window or command is reading photos into this catalog."

INTERNAL_ERROR = "Unexpected error in Curator. `curator logs` shows the details."
"""The message for bugs of Curator; the log has their traceback."""


class KnownError(Exception):
    """An expected problem outside Curator's control: a plain sentence and a remedy.

    Attributes:
        remedy: a sentence about what the user can do; may be "".
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        return " ".join(part for part in (self.args[0], self.remedy) if part)


class UnreadableError(KnownError):
    """A file cannot be decoded into a picture; the message is the reason."""


class UnsupportedError(UnreadableError):
    """No decoder supports this kind of file, which does not mean that it is damaged."""


class GoneError(KnownError):
    """A file is no longer at its path; a later attempt may find it."""


class UnavailableError(KnownError):
    """A file is not read now: it is on a memory card, or its drive does not answer."""


class CatalogError(KnownError):
    """The catalog cannot be opened, read or written; no change was written in part."""


class BusyError(KnownError):
    """Another process holds a lock that this operation needs."""


def read_elsewhere() -> BusyError:
    """Return the error of a window that cannot do something because another process reads photos.

    The window does not take over when that process ends.
    """
    return BusyError(READ_ELSEWHERE, "Once it has ended, restart this window.")


class UsageError(KnownError):
    """The request is invalid (exit code 2)."""


class NotFoundError(KnownError):
    """Nothing of that name or number exists: a photo, folder, project, tag, version ..."""


class Stopped(KeyboardInterrupt):
    """A signal asked the program to end: SIGTERM, SIGHUP, or Ctrl+C in a terminal.

    Work in progress ends as at Ctrl+C, and no completed work is lost.

    Attributes:
        code: the exit code shells expect, 128 plus the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number
