"""What a file says of a photo, as plain data, and for which editor a sidecar is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from curator.model import Flag, KnownError, Label, Marks

NO_VALUE = "none"  # said outright: no flag, no label; None says nothing of it
MAX_NAME = 1024  # characters of a keyword, a level of a path or a project
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
MAX_NAMES = 10_000  # keywords of one file


class SidecarError(KnownError):
    """A sidecar cannot be read or written; what was on disk is still there, whole."""


class ChangedError(SidecarError):
    """Another program wrote the sidecar since we read it; nothing of ours was written."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One editor's habits: which fields it reads and what its sidecars are called.

    ``appended``: the name is ``file.ext.xmp`` (else ``base.xmp``, for RAW files only).
    ``rejects_by_rating``: ``xmp:Rating`` -1 is how it knows a reject.
    ``digikam``: it wants ``digiKam:TagsList``, ``PickLabel`` and ``ColorLabel``.
    """

    name: str
    title: str
    appended: bool
    rejects_by_rating: bool = False
    digikam: bool = False


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("lightroom", "Lightroom, Bridge, Capture One", appended=False),
        Profile("darktable", "darktable", appended=True, rejects_by_rating=True),
        Profile("digikam", "digiKam", appended=True, digikam=True),
    )
}


@dataclass(frozen=True, slots=True)
class SidecarMetadata:
    """What a file says, or is to say, of a photo; a field that is None is not spoken of.

    ``rating`` 0-5, 0 for no stars. ``flag`` "pick", "reject" or "none"; ``label`` a colour of
    `curator.model.Label` or "none". ``keywords`` are single words or phrases (dc:subject);
    ``hierarchical`` are paths of two levels or more, joined by ``|`` (``Places|Iceland``), whose
    last level is among the keywords too. Names are clean: NFC, no control characters, no
    repetition, at most 1,024 characters.
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
        """Say everything of a photo in the catalog, also that it has no stars, flag or label.

        Args:
            marks: its marks; ``kept`` is no field of a sidecar.
            keywords: names of its tags; one with a bar in it is a path.
            hierarchical: paths of tags; None: leave those in the file as they are.
            projects: names of its projects; None: leave those in the file as they are.
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
        """Give the marks spoken of by their field in the catalog, None for "none" and 0.

        ``{"rating": 3, "flag": Flag.REJECT, "label": None}``: the keys of `Catalog.journal.decide`.
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
        """Whether anything is said that is not "none"; a camera's ``Rating`` 0 is nothing."""
        scalar = (
            self.rating
            or (self.flag or NO_VALUE) != NO_VALUE
            or (self.label or NO_VALUE) != NO_VALUE
        )
        return bool(scalar or self.keywords or self.hierarchical or self.projects)

    def filled_by(self, other: SidecarMetadata) -> SidecarMetadata:
        """Take from ``other`` what this one does not speak of; keywords of both."""
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
        """Give a plain mapping for the catalog's ``said``; `from_json` takes it back."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SidecarMetadata:
        """Take back what `as_json` gave; unknown keys are passed over."""
        known: dict[str, Any] = {
            name: tuple(data[name]) if isinstance(data[name], list) else data[name]
            for name in cls.__slots__
            if data.get(name) is not None
        }
        return cls(**known)


@dataclass(frozen=True, slots=True)
class SidecarContent:
    """What one file says, how new that is, and what in it was not understood.

    ``metadata_date`` is ``xmp:MetadataDate`` with its zone (local time where it has none).
    ``notes`` are plain sentences for a person (a label no editor is known to write, ...).
    """

    metadata: SidecarMetadata = field(default_factory=SidecarMetadata)
    metadata_date: datetime | None = None
    notes: tuple[str, ...] = ()


def clean(names: Iterable[str]) -> tuple[str, ...]:
    """Make names safe to show and to write: NFC, one line, no controls, once each, in order."""
    found: dict[str, str] = {}
    for name in names:
        if len(found) >= MAX_NAMES:
            break
        name = name[: 16 * MAX_NAME]  # a text of 16 MB takes seconds
        one = " ".join(_printable(unicodedata.normalize("NFC", name)).split())[:MAX_NAME].strip()
        if one:
            found.setdefault(key(one), one)
    return tuple(found.values())


def clean_path(levels: Sequence[str]) -> list[str]:
    """Make the levels of a path safe, and leave out empty ones; too long a path is none."""
    found = [name for level in levels for name in clean([level])]
    return found if len("|".join(found)) <= MAX_NAME else []


def key(name: str) -> str:
    """Give what two spellings of one name share."""
    return name.casefold()


def _printable(text: str) -> str:
    # Controls, lone surrogates and noncharacters cannot be written in XML 1.0; what turns the
    # direction of writing deceives. Other invisible letters join emoji and Persian words.
    return "".join(
        letter
        if letter.isprintable()
        or (unicodedata.category(letter) in ("Cf", "Co") and letter not in _TURNS)
        else " "
        for letter in text
    )


def _both(mine: Sequence[str] | None, theirs: Sequence[str] | None) -> tuple[str, ...] | None:
    if mine is None and theirs is None:
        return None
    return clean([*(mine or ()), *(theirs or ())])
