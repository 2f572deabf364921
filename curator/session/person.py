"""One person over the frames of a stack, judged against themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from curator.faces import people
from curator.library import captions
from curator.model import Eye, Face

_WORDS = {Eye.OPEN: "", Eye.CLOSED: "eyes closed", Eye.UNKNOWN: "?"}


class Look(NamedTuple):
    """What is known of the eyes of a face: their state, and whether the person has sharper ones."""

    eyes: Eye
    soft: bool = False

    @property
    def word(self) -> str:
        """The word below a close-up; empty where the eyes are open and not soft."""
        return "soft" if self.soft else _WORDS[self.eyes]

    @property
    def description(self) -> str:
        """What is known, for tooltips and screen readers."""
        eyes = captions.EYES[self.eyes]
        return f"{eyes} · softer than in another frame" if self.soft else eyes

    @property
    def is_outlined(self) -> bool:
        """Whether a close-up has an outline."""
        return self.soft or self.eyes is Eye.CLOSED


@dataclass(frozen=True)
class Person:
    """One person's faces in the frames of a stack, judged when first asked.

    Attributes:
        faces: by photo; a frame that does not show the person is left out.
    """

    faces: dict[int, Face]

    @cached_property
    def eyes(self) -> dict[int, Eye]:
        """The eyes by photo, judged against the person's other frames."""
        return dict(zip(self.faces, people.judged(list(self.faces.values())), strict=True))

    @cached_property
    def soft(self) -> frozenset[int]:
        """The photos in which open eyes are visibly softer than in the person's sharpest."""
        soft = zip(self.faces, people.soft(list(self.faces.values())), strict=True)
        return frozenset(
            photo for photo, is_soft in soft if is_soft and self.eyes[photo] is Eye.OPEN
        )

    def look(self, photo: int) -> Look:
        """Return what is known of the eyes in a photo of the person."""
        return Look(self.eyes[photo], photo in self.soft)

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """The photos, those with open and then those with sharp eyes first."""
        photos, ranks = list(self.faces), people.ranked(list(self.faces.values()))
        return tuple(photos[at] for at in ranks)

    @property
    def size_px(self) -> int:
        """The width of the person's largest face, px of the original."""
        return max(face.size_px for face in self.faces.values())

    @property
    def left(self) -> float:
        """Where the person stands in the frames on average, as a fraction of their width."""
        places = [face.box[0] + face.box[2] / 2 for face in self.faces.values()]
        return sum(places) / len(places)
