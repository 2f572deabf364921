"""The face table of a stack: a column for each person, a row for each frame.

Its rows are panes of :class:`~curator.session.compare.CompareController`, so marks, undo and moves
from frame to frame work as they do side by side. This part reads the faces, finds the same person
in all frames, and knows which person has the focus. It never tells who a person is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.faces import people
from curator.faces.tracking import Floats
from curator.library import captions
from curator.library.spans import Ids
from curator.model import Eye, Face, View
from curator.session.compare import CompareController
from curator.session.faces import FaceController, Focus
from curator.session.messages import Messages
from curator.session.panes import Rows
from curator.session.person import Person
from curator.session.photo_list import PhotoList
from curator.session.view_control import ViewController

MOST = 12  # people; smaller faces are only counted
_READABLE_PX = 32  # width of a face; nothing can be told of the eyes of smaller ones
_BACKGROUND = 0.25  # smaller faces, as a share of the largest, are of people in the background


@dataclass(frozen=True, slots=True)
class FaceTable:
    """The people in the frames of a stack.

    Attributes:
        frames: ids of the photos, in the order of capture.
        measured: those whose faces have been measured.
        people: up to twelve, those with the largest faces, as they stand from left to right.
        others: the people with smaller faces, who have no column: a crowd, or the background.
    """

    frames: tuple[int, ...]
    measured: frozenset[int]
    people: tuple[Person, ...]
    others: tuple[Person, ...]

    @classmethod
    def of(
        cls,
        frames: Sequence[int],
        faces: Mapping[int, Sequence[Face]],
        looks: Sequence[Sequence[Floats]] | None = None,
    ) -> FaceTable:
        """Match the people of a stack over its frames.

        Args:
            frames: their ids, in the order of capture.
            faces: the faces of each frame that was measured.
            looks: what each face of each frame looks like (:func:`curator.faces.people.look`).
        """
        matched = people.match([faces.get(frame, ()) for frame in frames], looks)
        found = [
            Person(
                {
                    frame: faces[frame][place]
                    for frame, place in zip(frames, places, strict=True)
                    if place is not None
                }
            )
            for places in matched
        ]
        found.sort(key=lambda person: -person.size_px)
        least_px = max(_READABLE_PX, found[0].size_px * _BACKGROUND) if found else 0
        count = sum(person.size_px >= least_px for person in found) or len(found)
        count = min(count, MOST)
        shown = sorted(found[:count], key=lambda person: person.left)
        return cls(tuple(frames), frozenset(faces), tuple(shown), tuple(found[count:]))

    @property
    def count(self) -> int:
        """How many people there are, with and without a column."""
        return len(self.people) + len(self.others)

    @property
    def main_person(self) -> int:
        """The column of the person with the largest face; 0 without people."""
        sizes = [person.size_px for person in self.people]
        return sizes.index(max(sizes)) if sizes else 0

    def facts(self, photo: int) -> list[str]:
        """Return what is known of the eyes in a frame, in a few words each."""
        if photo not in self.measured:
            return ["faces not measured yet"]
        here = [each for each in self.people if photo in each.faces]
        here = here or [each for each in self.others if photo in each.faces]
        eyes = [person.eyes[photo] for person in here]
        if not eyes:
            return ["no faces"]
        closed, unknown = eyes.count(Eye.CLOSED), eyes.count(Eye.UNKNOWN)
        soft = sum(photo in person.soft for person in here)
        if len(eyes) == 1:
            return [captions.EYES[eyes[0]], *(["soft"] if soft else [])]
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
        table_changed: other people are in the table.
        focus_changed: another person has the focus.

    Attributes:
        table: the people in the rows shown; None until a table was opened.
        column: the position of the person who has the focus.

    Thread: GUI only.
    """

    table_changed = Signal()
    focus_changed = Signal()

    def __init__(
        self,
        photos: PhotoList,
        faces: FaceController,
        viewer: ViewController,
        compare: CompareController,
        messages: Messages,
    ) -> None:
        super().__init__()
        self._photos, self._faces, self._messages = photos, faces, messages
        self._view_state, self._viewer, self._compare = photos.view_state, viewer, compare
        self.table: FaceTable | None = None
        self.column = 0
        self._opened = self._zoomed = False  # whether the loupe shows a frame, or a face, of it
        compare.panes_changed.connect(self._follow_panes)
        faces.faces_changed.connect(self._follow_faces)
        for left in (photos.view_state.view_changed, photos.criteria.mode_changed):
            left.connect(self._forget_opened)

    # --- opening and leaving

    def open(self) -> None:
        """Show the faces in the stack of the current photo, or why there are none; then go back."""
        current = self._photos.current
        if isinstance(self._compare.panes, Rows):
            self._compare.leave()
            return
        if current is None:
            self._messages.say("There is no photo here.")
            return
        frames = self._photos.listing.unit(current)
        if len(frames) < 2:
            self._messages.say(f"{self._photos.table.name(current)} isn't in a stack")
            return
        faces = self._measured(frames.tolist())
        unmeasured = [frame for frame in frames.tolist() if frame not in faces]
        if any(faces.values()):
            self._show(frames)
        elif unmeasured:
            self._messages.say(self._faces.why_none(unmeasured[0]))
        else:
            self._messages.say("No faces in this stack")

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
        self._compare.open_rows(self._photos.stacks.in_time(frames).tolist(), first)

    def open_frame(self) -> None:
        """Show the frame of the row in the loupe; Esc comes back to the table."""
        self._zoomed = self._view_state.zoom is not None
        self._viewer.set_view(View.LOUPE)
        self._opened = True

    def open_face(self, eyes_at: tuple[float, float]) -> None:
        """Zoom the loupe to the face in the focus; Esc comes back to the table.

        Args:
            eyes_at: where its eyes are in the turned picture, as fractions (x, y).
        """
        current, face, state = self._photos.current, self.face, self._view_state
        if current is not None and face is not None:
            self._faces.focus = Focus(current, (self._faces.of(current) or ()).index(face))
            state.zoom, state.center = 1.0, eyes_at
        self.open_frame()

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
        self.focus_changed.emit()

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
        parts = [person.look(photo).description]
        if face.eye_sharpness is not None:
            parts.append(f"eye sharpness {face.eye_sharpness:.0f}")
        if len(person.ranked) > 1:
            parts.append(f"rank {person.ranked.index(photo) + 1} of {len(person.ranked)} frames")
        return " · ".join(parts)

    # --- following

    def _follow_panes(self) -> None:
        panes = self._compare.panes
        if isinstance(panes, Rows) and (self.table is None or panes.photos != self.table.frames):
            self._read(panes.photos)

    def _follow_faces(self, changed: Set[int]) -> None:
        """Match the people again after the pipeline measured the faces of a frame."""
        if self.table is not None and not changed.isdisjoint(self.table.frames):
            self._read(self.table.frames)

    def compare_looks(self, look_at: Callable[[int, Sequence[Face]], Sequence[Floats]]) -> None:
        """Match the people by their looks, too; the looks are forgotten at once.

        Looks may tell two people apart who changed places, and find somebody again. They split
        nobody in two: somebody with a hand over the mouth stays who they were.

        Args:
            look_at: returns what each of these faces of a photo looks like.
        """
        if self.table is None:
            return
        frames = self.table.frames
        faces = self._measured(frames)
        looks = [look_at(frame, faces.get(frame, ())) for frame in frames]
        table = FaceTable.of(frames, faces, looks)
        if table != self.table and table.count <= self.table.count:
            self._use(table, self.column)

    def _measured(self, frames: Sequence[int]) -> dict[int, tuple[Face, ...]]:
        """Return the faces of the frames that were measured."""
        self._faces.gather(frames)
        faces = ((frame, self._faces.of(frame)) for frame in frames)
        return {frame: found for frame, found in faces if found is not None}

    def _read(self, frames: Sequence[int]) -> None:
        same = self.table is not None and not set(frames).isdisjoint(self.table.frames)
        table = FaceTable.of(frames, self._measured(frames))
        self._use(table, self.column if same else table.main_person)

    def _use(self, table: FaceTable, column: int) -> None:
        self.table = table
        self.table_changed.emit()
        self.focus(column)
