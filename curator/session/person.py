"""One person over the frames of a stack, judged against themselves."""

from __future__ import annotations

from dataclasses import dataclass

from curator.faces import people
from curator.model import Eye, Face


@dataclass(frozen=True, slots=True)
class Person:
    """One person's faces in the frames of a stack.

    Attributes:
        faces: by photo; a frame that does not show the person is left out.
        eyes: by photo, judged against the person's other frames.
        soft: the photos in which open eyes are visibly softer than in the person's sharpest.
        ranked: the photos, those with open and then those with sharp eyes first.
    """

    faces: dict[int, Face]
    eyes: dict[int, Eye]
    soft: frozenset[int]
    ranked: tuple[int, ...]

    @classmethod
    def of(cls, faces: dict[int, Face]) -> Person:
        """Judge the faces of one person, by photo, against each other."""
        eyes = dict(zip(faces, people.judged(list(faces.values())), strict=True))
        # Lashes of closed eyes are sharp, too: they set nobody's mark.
        seen = [None if eyes[photo] is Eye.CLOSED else face for photo, face in faces.items()]
        soft = zip(faces, people.soft(seen), strict=True)
        photos, ranks = list(faces), people.ranked(list(faces.values()))
        return cls(
            faces,
            eyes,
            frozenset(photo for photo, is_soft in soft if is_soft),
            tuple(photos[at] for at in ranks),
        )

    @property
    def size_px(self) -> int:
        """The width of the person's largest face, px of the original."""
        return max(face.size_px for face in self.faces.values())

    @property
    def left(self) -> float:
        """Where the person stands in the frames on average, as a fraction of their width."""
        places = [face.box[0] + face.box[2] / 2 for face in self.faces.values()]
        return sum(places) / len(places)
