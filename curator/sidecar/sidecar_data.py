"""The metadata that sidecars carry, as plain data, and the editors they are written for.

Reading, merging, embedding and export pass it in this form; the catalog stores it as JSON.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from curator.model import Flag, KnownError, Label, Marks, counted

NO_VALUE = "none"  # an explicit "no flag" or "no label"; None means the field is not stated
MAX_NAME = 1024  # characters of a keyword, a level of a path or a project
_DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
MAX_NAMES = 10_000  # keywords of one file


class SidecarError(KnownError):
    """A sidecar cannot be read or written; the file on disk is unchanged."""


class ChangedError(SidecarError):
    """Another program wrote the sidecar after we read it; we wrote nothing."""


EMBED_ONLY = "JPEG, TIFF, DNG, HEIC"
"""Files that Lightroom, Bridge and Capture One read no sidecars for."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The conventions of an editor: which fields it reads and how it names sidecars.

    ``appended``: the name is ``file.ext.xmp`` (otherwise ``base.xmp``, for RAW files only).
    ``rejects_by_rating``: it stores a reject as ``xmp:Rating`` -1.
    ``digikam``: it needs ``digiKam:TagsList``, ``PickLabel`` and ``ColorLabel``.
    """

    name: str
    title: str
    appended: bool
    rejects_by_rating: bool = False
    digikam: bool = False

    def ignores(self, photos: int) -> str:
        """Return how many photos the editor ignores the sidecars of; only ``lightroom`` does."""
        return f"{self.title} ignore the sidecars of {counted(photos, 'photo')} ({EMBED_ONLY})"


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("lightroom", "Lightroom, Bridge and Capture One", appended=False),
        Profile("darktable", "darktable", appended=True, rejects_by_rating=True),
        Profile("digikam", "digiKam", appended=True, digikam=True),
    )
}


@dataclass(frozen=True, slots=True)
class SidecarMetadata:
    """The marks and keywords in a file, or to be written into one; a None field is not stated.

    ``rating`` is 0-5, 0 for no stars. ``flag`` is "pick", "reject" or "none"; ``label`` a color of
    `curator.model.Label` or "none". ``keywords`` are single words or phrases (dc:subject).
    ``hierarchical`` are paths of two or more levels, joined by ``|`` (``Places|Iceland``); the last
    level of each is also a keyword. Names are clean: NFC, no control characters, no repetition, at
    most 1,024 characters.
    """

    rating: int | None = None
    flag: str | None = None
    label: str | None = None
    keywords: tuple[str, ...] | None = None
    hierarchical: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        marks: Marks,
        keywords: Iterable[str] = (),
        hierarchical: Iterable[str] | None = None,
        projects: Iterable[str] | None = None,
    ) -> SidecarMetadata:
        """Build the metadata of a photo in the catalog; missing stars, flag or label are explicit.

        Args:
            marks: its marks; ``kept`` is not stored in sidecars.
            keywords: names of its tags; a name with a bar in it is a path.
            hierarchical: paths of tags; None leaves those in the file unchanged.
            projects: names of its projects; None leaves those in the file unchanged.
        """
        words = list(keywords)
        barred = (word for word in words if "|" in word)
        split = [clean_path(path.split("|")) for path in (*(hierarchical or ()), *barred)]
        paths = clean("|".join(path) for path in split if len(path) > 1)
        return cls(
            marks.rating or 0,
            str(marks.flag or NO_VALUE),
            str(marks.label or NO_VALUE),
            clean(
                [
                    *(word for word in words if "|" not in word),
                    *(path[-1] for path in split if path),
                ]
            ),
            None if hierarchical is None else paths,
            None if projects is None else clean(projects),
        )

    def marks(self) -> dict[str, object]:
        """Return the stated marks by catalog field, with None for "none" and 0.

        For example ``{"rating": 3, "flag": Flag.REJECT, "label": None}``.
        """
        marks: dict[str, object] = {}
        if self.rating is not None:
            marks["rating"] = self.rating or None
        if self.flag is not None:
            marks["flag"] = None if self.flag == NO_VALUE else Flag(self.flag)
        if self.label is not None:
            marks["label"] = None if self.label == NO_VALUE else Label(self.label)
        return marks

    def __bool__(self) -> bool:
        """Whether any field has a value besides "none"; a camera's ``Rating`` 0 does not count."""
        scalar = (
            self.rating
            or (self.flag or NO_VALUE) != NO_VALUE
            or (self.label or NO_VALUE) != NO_VALUE
        )
        return bool(scalar or self.keywords or self.hierarchical or self.projects)

    def filled_by(self, other: SidecarMetadata) -> SidecarMetadata:
        """Return this metadata with missing fields taken from ``other``; keywords are joined."""
        return replace(
            self,
            rating=other.rating if self.rating is None else self.rating,
            flag=other.flag if self.flag is None else self.flag,
            label=other.label if self.label is None else self.label,
            keywords=_both(self.keywords, other.keywords),
            hierarchical=_both(self.hierarchical, other.hierarchical),
            projects=_both(self.projects, other.projects),
        )

    def as_json(self) -> dict[str, Any]:
        """Return a plain mapping to store in the catalog; `from_json` reads it back."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SidecarMetadata:
        """Build the metadata from a mapping of `as_json`; unknown keys are ignored."""
        known: dict[str, Any] = {
            name: tuple(data[name]) if isinstance(data[name], list) else data[name]
            for name in cls.__slots__
            if data.get(name) is not None
        }
        return cls(**known)


@dataclass(frozen=True, slots=True)
class SidecarContent:
    """The metadata of a file, its date, and notes about values that were not understood.

    ``metadata_date`` is ``xmp:MetadataDate`` with its zone (local time if it has none).
    ``notes`` are sentences for the user, for example about an unknown label.
    """

    metadata: SidecarMetadata = field(default_factory=SidecarMetadata)
    metadata_date: datetime | None = None
    notes: tuple[str, ...] = ()


def clean(names: Iterable[str]) -> tuple[str, ...]:
    """Make names safe to show and write: NFC, one line, no control characters, no duplicates."""
    found: dict[str, str] = {}
    for name in names:
        if len(found) >= MAX_NAMES:
            break
        name = name[: 16 * MAX_NAME]  # normalizing 16 MB would take seconds
        text = " ".join(_printable(unicodedata.normalize("NFC", name)).split())[:MAX_NAME].strip()
        if text:
            found.setdefault(key(text), text)
    return tuple(found.values())


def clean_path(levels: Sequence[str]) -> list[str]:
    """Make the levels of a path safe and drop empty ones; a path that is too long is dropped."""
    found = [name for level in levels for name in clean([level])]
    return found if len("|".join(found)) <= MAX_NAME else []


def key(name: str) -> str:
    """Return the key under which two spellings of a name are equal."""
    return name.casefold()


def _printable(text: str) -> str:
    # XML 1.0 cannot hold control characters, lone surrogates and noncharacters. Characters that
    # change the writing direction can deceive. Other invisible ones join emoji and Persian words.
    return "".join(
        char
        if char.isprintable()
        or (unicodedata.category(char) in ("Cf", "Co") and char not in _DIRECTION_MARKS)
        else " "
        for char in text
    )


def _both(mine: Sequence[str] | None, theirs: Sequence[str] | None) -> tuple[str, ...] | None:
    if mine is None and theirs is None:
        return None
    return clean([*(mine or ()), *(theirs or ())])
