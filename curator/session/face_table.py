"""The face table of a stack: a column for each person, a row for each frame.

Its rows are panes of :class:`~curator.session.compare.CompareController`, so marks, undo and moves
from frame to frame work as they do side by side. This part reads the faces, finds the same person
in all frames, and knows which person has the focus. It never tells who a person is.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.faces import people
from curator.library.spans import Ids
from curator.model import Eye, Face, View
from curator.session.compare import CompareController
from curator.session.panes import Rows
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.view_control import ViewController

MOST = 12  # people; smaller faces are only counted
EYES = {Eye.OPEN: "eyes open", Eye.CLOSED: "eyes closed", Eye.UNKNOWN: "can't tell"}


@dataclass(frozen=True, slots=True)
class Person:
    """One person's faces in the frames of a stack.

    Attributes:
        faces: by photo; a frame that does not show the person is left out.
        eyes: by photo, judged against the person's other frames.
        soft: the photos in which the eyes are visibly softer than in the person's sharpest.
    """

    faces: dict[int, Face]
    eyes: dict[int, Eye]
    soft: frozenset[int]

    @classmethod
    def of(cls, faces: dict[int, Face]) -> Person:
        """Judge the faces of one person, by photo, against each other."""
        each = list(faces.values())
        eyes = dict(zip(faces, people.judged(each), strict=True))
        soft = zip(faces, people.soft(each), strict=True)
        return cls(faces, eyes, frozenset(photo for photo, is_soft in soft if is_soft))

    @property
    def size_px(self) -> int:
        """The width of the person's largest face, px of the original."""
        return max(face.size_px for face in self.faces.values())

    @property
    def left(self) -> float:
        """Where the person stands in the frames on average, as a fraction of their width."""
        places = [face.box[0] + face.box[2] / 2 for face in self.faces.values()]
        return sum(places) / len(places)


@dataclass(frozen=True, slots=True)
class FaceTable:
    """The people in the frames of a stack.

    Attributes:
        frames: ids of the photos, in the order of capture.
        measured: those whose faces have been measured.
        people: up to twelve, those with the largest faces, as they stand from left to right.
        others: the people with smaller faces, who have no column.
    """

    frames: tuple[int, ...]
    measured: frozenset[int]
    people: tuple[Person, ...]
    others: tuple[Person, ...]

    @classmethod
    def of(cls, frames: Sequence[int], faces: dict[int, tuple[Face, ...]]) -> FaceTable:
        """Match people over the frames of a stack, whose measured faces are given by photo."""
        matched = people.match([faces.get(frame, ()) for frame in frames])
        found = [
            Person.of(
                {
                    frame: faces[frame][place]
                    for frame, place in zip(frames, places, strict=True)
                    if place is not None
                }
            )
            for places in matched
        ]
        found.sort(key=lambda person: -person.size_px)
        shown = sorted(found[:MOST], key=lambda person: person.left)
        return cls(tuple(frames), frozenset(faces), tuple(shown), tuple(found[MOST:]))

    @property
    def main_person(self) -> int:
        """The column of the person with the largest face; 0 without people."""
        sizes = [person.size_px for person in self.people]
        return sizes.index(max(sizes)) if sizes else 0

    def facts(self, photo: int) -> list[str]:
        """Return what is known of the eyes in a frame, in a few words each."""
        if photo not in self.measured:
            return ["faces not measured yet"]
        here = [each for each in (*self.people, *self.others) if photo in each.faces]
        eyes = [person.eyes[photo] for person in here]
        if not eyes:
            return ["no faces"]
        closed, unknown = eyes.count(Eye.CLOSED), eyes.count(Eye.UNKNOWN)
        soft = sum(photo in person.soft for person in here)
        if len(eyes) == 1:
            return [EYES[eyes[0]], *(["soft"] if soft else [])]
        counted = (
            (closed, f"eyes closed: {closed} of {len(eyes)}"),
            (unknown, f"can't tell: {unknown}"),
            (soft, f"soft: {soft}"),
        )
        facts = [text for count, text in counted if count]
        return facts if closed or unknown else ["everyone's eyes open", *facts]


class FaceTableController(QObject):
    """Opens the face table of one window, and moves through its columns.

    Signals:
        table_changed: other people are in the table, or another person has the focus.

    Attributes:
        table: the people in the rows shown; None until a table was opened.
        column: the position of the person who has the focus.

    Thread: GUI only.
    """

    table_changed = Signal()

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        viewer: ViewController,
        compare: CompareController,
    ) -> None:
        super().__init__()
        self._catalog, self._messages = services.catalog, services.messages
        self._settings, self._photos = services.settings, photos
        self._view_state, self._viewer, self._compare = photos.view_state, viewer, compare
        self.table: FaceTable | None = None
        self.column = 0
        self._opened = self._zoomed = False  # whether the loupe shows a frame, or a face, of it
        compare.panes_changed.connect(self._follow_panes)
        photos.refreshed.connect(self._follow_photos)
        for left in (photos.view_state.view_changed, photos.criteria.mode_changed):
            left.connect(self._forget_opened)

    # --- opening and leaving

    def open(self) -> None:
        """Show the faces in the stack of the current photo; say why if there are none."""
        current = self._photos.current
        if current is None:
            self._messages.say("There is no photo here.")
            return
        frames = self._photos.listing.unit(current)
        if len(frames) < 2:
            self._messages.say(f"{self._photos.table.name(current)} isn't in a stack")
            return
        faces = self._catalog.faces.of(frames.tolist())
        if any(faces.values()):
            self._show(frames)
        elif len(faces) == len(frames):
            self._messages.say("No faces in this stack")
        elif self._settings.faces.on:
            self._messages.say("Faces not measured yet")
        else:
            self._messages.say("Faces are not measured. Turn them on in the settings")

    def step_stack(self, by: int) -> None:
        """Show the next stack with faces, or with ``by`` -1 the one before."""
        photos, listing = self._photos, self._photos.listing
        counts = photos.table.column("faces")[photos.table.rows_of(listing.ids)]
        starts = listing.units.starts
        shared = np.diff(starts, append=len(listing)) > 1
        has_faces = np.logical_or.reduceat(counts > 0, starts) & shared
        numbers = np.flatnonzero(has_faces) - listing.units.at(photos.index)
        ahead = numbers[numbers * by > 0]
        if not len(ahead):
            where = "after" if by > 0 else "before"
            self._messages.say(f"No stacks with faces {where} this one.")
            return
        number = listing.units.at(photos.index) + int(ahead[np.abs(ahead).argmin()])
        span = listing.units[number]
        frames = listing.ids[span.start : span.stop]
        self._show(frames, photos.stacks.cover(frames))

    def _show(self, frames: Ids, first: int | None = None) -> None:
        order = np.argsort(self._photos.stacks.ranks(frames), kind="stable")
        self._compare.open_rows(frames[order].tolist(), first)

    def open_frame(self, center: tuple[float, float] | None = None) -> None:
        """Show the frame of the row in the loupe; Esc comes back to the table.

        Args:
            center: zoom to 100 % around this point of the picture, as fractions (x, y).
        """
        state = self._view_state
        if center is not None:
            state.zoom, state.center = 1.0, center
        self._viewer.set_view(View.LOUPE)
        self._opened, self._zoomed = True, center is not None

    @property
    def returns(self) -> bool:
        """Whether Esc leads from the loupe back to the table that the frame was opened from."""
        zoom = self._view_state.zoom
        return (
            self._opened
            and (zoom is None or self._zoomed)
            and self._photos.current in self._frames()
        )

    def return_to_table(self) -> None:
        """Show the table again, with the frame seen last."""
        self._view_state.zoom = self._view_state.developed = None
        self._compare.open_rows(self._frames())

    def _frames(self) -> list[int]:
        """Return the frames of the table that are in the list."""
        frames = () if self.table is None else self.table.frames
        return [frame for frame in frames if frame in self._photos.listing]

    def _forget_opened(self) -> None:
        self._opened = False

    # --- people

    def step_person(self, by: int) -> None:
        """Move the focus to the next person, or with ``by`` -1 to the one before."""
        if self.table is not None:
            self.focus(self.column + by)

    def focus(self, column: int) -> None:
        """Move the focus to a person, stopping at the ends."""
        last = len(self.table.people) - 1 if self.table is not None else 0
        self.column = max(min(column, last), 0)
        self.table_changed.emit()

    @property
    def face(self) -> Face | None:
        """The face in the focus; None where the frame does not show the person."""
        table, current = self.table, self._photos.current
        if table is None or not table.people or current is None:
            return None
        return table.people[self.column].faces.get(current)

    def description(self, photo: int, column: int) -> str:
        """Return what is known of a person's face in a frame, in words."""
        assert self.table is not None
        person = self.table.people[column]
        face = person.faces.get(photo)
        if face is None:
            return "not in this frame"
        parts = [EYES[person.eyes[photo]], "soft" if photo in person.soft else ""]
        if face.eye_sharpness is not None:
            parts.append(f"eye sharpness {face.eye_sharpness:.0f}")
        return " · ".join(filter(None, parts))

    # --- following

    def _follow_panes(self) -> None:
        panes = self._compare.panes
        if isinstance(panes, Rows) and (self.table is None or panes.photos != self.table.frames):
            self._read(panes.photos)

    def _follow_photos(self, changed: Set[int]) -> None:
        """Read the faces again after the pipeline measured those of a frame."""
        panes = self._compare.panes
        if isinstance(panes, Rows) and not changed.isdisjoint(panes.photos):
            self._read(panes.photos)

    def _read(self, frames: Sequence[int]) -> None:
        same = self.table is not None and not set(frames).isdisjoint(self.table.frames)
        self.table = FaceTable.of(frames, self._catalog.faces.of(frames))
        self.focus(self.column if same else self.table.main_person)
