"""The faces of photos as views show them, and the face a person zooms to.

The strip of close-ups, loupe, compare and survey use it. While a picture is zoomed to a face,
frames of the same stack, and all panes side by side, show the same person in the same place. Faces
are matched from one photo to another by place and size alone: nobody is recognized.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.catalog.faces import SUMMARY
from curator.faces import people
from curator.library.spans import Ids
from curator.model import Face
from curator.session.person import Look, Person
from curator.session.photo_list import PhotoList
from curator.session.services import Services

_NEAR = 1.0  # widths of a face that a person moves from frame to frame at most
_MATCHED = 16  # frames in which people are matched at once: 15 ms for ten people
_FOLLOWED = 16  # faces of a frame whose order is kept; more than any view shows
_CACHED = 512  # photos whose faces are cached


class Focus(NamedTuple):
    """The face a person zoomed to: of which photo, and its place among the photo's faces."""

    photo: int
    place: int


class FaceController(QObject):
    """Reads faces, and knows which one has the focus.

    Signals:
        faces_changed(set[int]): faces of these photos, read before, were measured again.
        focus_changed: another face has the focus, or none.

    Thread: GUI only.
    """

    faces_changed = Signal(object)
    focus_changed = Signal()

    def __init__(self, services: Services, photos: PhotoList) -> None:
        super().__init__()
        self._catalog, self._settings = services.catalog, services.settings
        self._photos, self._view_state = photos, photos.view_state
        self._faces: dict[int, tuple[Face, ...] | None] = {}
        self._summaries: dict[int, tuple[object, ...]] = {}
        self._were_on = self._settings.faces.on
        self._counterparts: dict[int, int | None] = {}
        self._focus: Focus | None = None
        self._orders: dict[int, list[int]] = {}  # of faces shown, by photo
        self._looks: dict[int, list[Look]] = {}
        photos.photos_changed.connect(self._follow_photos)
        photos.list_changed.connect(self._forget_matches)  # stacks may have changed
        services.preferences.changed.connect(self._follow_settings)
        for changed in (photos.view_state.zoom_changed, photos.view_state.view_changed):
            changed.connect(self._follow_view)
        # Side by side, other photos are compared.
        photos.view_state.view_changed.connect(self._counterparts.clear)

    # --- faces

    def of(self, photo_id: int) -> tuple[Face, ...] | None:
        """Return the faces of a photo, largest first; None if they are not measured yet."""
        if photo_id not in self._faces:
            self.gather((photo_id,))
        return self._faces[photo_id]

    def gather(self, photo_ids: Collection[int]) -> None:
        """Read the faces of photos that are not cached with one query."""
        missing = [photo for photo in photo_ids if photo not in self._faces]
        if missing:
            if len(self._faces) > _CACHED:
                self._clear()
            found = self._catalog.faces.of(missing) if self._settings.faces.on else {}
            self._faces |= {photo: found.get(photo) for photo in missing}
            self._summaries |= {photo: self._summary_of(photo) for photo in missing}

    def _summary_of(self, photo_id: int) -> tuple[object, ...]:
        """Return values from memory that change if a photo's faces are measured or removed."""
        rows = self._photos.table.rows
        if photo_id not in rows:
            return ()
        row = rows.row(photo_id)
        measured = (str(rows.column(name)[row]) for name in SUMMARY)  # as text, NaN equals itself
        return self._settings.faces.on, rows.texts("proxy")[row], *measured

    def looks(self, photo_id: int) -> list[Look]:
        """Return what is known of the eyes of a photo's faces, by place.

        In a stack, people are judged against themselves in the frames around.
        """
        if photo_id not in self._looks:
            frames = self._frames_around(photo_id)
            faces = {frame: self.of(frame) or () for frame in frames}
            looks = {frame: [Look(face.eyes) for face in faces[frame]] for frame in frames}
            for places in people.match(list(faces.values())) if len(frames) > 1 else ():
                pairs = zip(frames, places, strict=True)
                here = {frame: place for frame, place in pairs if place is not None}
                person = Person({frame: faces[frame][place] for frame, place in here.items()})
                for frame, place in here.items():
                    looks[frame][place] = person.look(frame)
            self._looks |= {frame: looks[frame] for frame in frames if frame not in self._looks}
        return self._looks[photo_id]

    def _frames_around(self, photo_id: int) -> list[int]:
        """Return the measured frames of a photo's stack around it, in the order of time."""
        listing = self._photos.listing
        frames = listing.unit(photo_id) if photo_id in listing else np.array([photo_id])
        found = _near(self._photos.stacks.in_time(frames), np.array([photo_id]))
        self.gather(found)
        return [frame for frame in found if self.of(frame) is not None or frame == photo_id]

    def why_none(self, photo_id: int) -> str:
        """Return why no face of a photo can be shown; empty if one can."""
        if not self._settings.faces.on:
            return "Faces are off. Turn them on in Settings, Faces."
        faces = self.of(photo_id)
        return "Faces not measured yet" if faces is None else "" if faces else "No faces"

    def arranged(self, photo_id: int) -> list[int]:
        """Return the places of a photo's faces in the order to show them.

        The largest comes first. From frame to frame of a stack the faces keep their order, although
        sizes change a little: the same person is looked for where they were.
        """
        if photo_id not in self._orders:
            faces = self.of(photo_id) or ()
            places = list(range(len(faces)))
            before = self._nearest_arranged(photo_id)
            if before is not None:
                shown = self.of(before) or ()
                ranks = _followed([shown[place] for place in self._orders[before]], faces)
                places.sort(key=lambda place: ranks.get(place, len(faces) + place))
            self._orders[photo_id] = places
        return self._orders[photo_id]

    def _nearest_arranged(self, photo_id: int) -> int | None:
        """Return the nearest frame of a photo's stack whose faces are arranged already."""
        listing = self._photos.listing
        frames = listing.unit(photo_id).tolist() if photo_id in listing else []
        known = [number for number, frame in enumerate(frames) if frame in self._orders]
        if not known:
            return None
        here = frames.index(photo_id)
        nearest: int = frames[min(known, key=lambda number: abs(number - here))]
        return nearest

    def _in_one_stack(self, one: int, other: int) -> bool:
        listing = self._photos.listing
        return one in listing and other in listing.unit(one)

    # --- following

    def _follow_photos(self, changed: Collection[int]) -> None:
        """Read faces again, and match people again only if their faces were measured again."""
        # Compared in memory, so that a mark waits for no query.
        known = [photo for photo in changed if photo in self._faces]
        fresh = [photo for photo in known if self._summary_of(photo) != self._summaries[photo]]
        before = {photo: self._faces.pop(photo) for photo in fresh}
        self.gather(before)
        same = {photo: faces for photo, faces in before.items() if self._faces[photo] == faces}
        self._faces |= same  # views know them by identity
        if measured := before.keys() - same.keys():
            for photo in measured:
                self._orders.pop(photo, None)
            self._forget_matches()
            if self._focus is not None and self._focus.photo in measured:
                self.focus = None  # the place may be another face's
            self.faces_changed.emit(measured)

    def _follow_settings(self) -> None:
        """Show no faces once they are off, and those measured once they are on again."""
        if self._were_on != self._settings.faces.on:
            self._were_on = self._settings.faces.on
            self._follow_photos(self._faces.keys())

    def _follow_view(self) -> None:
        """Drop the focus once the picture is no longer zoomed."""
        if self._view_state.zoom is None:
            self.focus = None

    def _forget_matches(self) -> None:
        self._looks.clear()
        self._counterparts.clear()

    def _clear(self) -> None:
        self._faces.clear()
        self._summaries.clear()
        self._orders.clear()
        self._forget_matches()

    # --- the focus

    @property
    def focus(self) -> Focus | None:
        """The face the picture is zoomed to; None if it shows another point, or fits."""
        return self._focus

    @focus.setter
    def focus(self, focus: Focus | None) -> None:
        if focus != self._focus:
            self._focus = focus
            self._counterparts.clear()
            self.focus_changed.emit()

    def place_in(self, photo_id: int) -> int | None:
        """Return the place of the focused person among a photo's faces; None if not found."""
        if self._focus is None:
            return None
        if photo_id not in self._counterparts:
            self._counterparts |= {photo_id: None} | self._find(self._focus, photo_id)
        return self._counterparts[photo_id]

    def next_place(self, photo_id: int) -> int | None:
        """Return the place of the face after the focused one; None for a photo without faces."""
        places, place = self.arranged(photo_id), self.place_in(photo_id)
        if not places:
            return None
        return places[0 if place is None else (places.index(place) + 1) % len(places)]

    def _find(self, focus: Focus, photo_id: int) -> dict[int, int | None]:
        """Find the focused person in the frames of their stack, or in a pane beside the photo."""
        together = self._in_one_stack(focus.photo, photo_id)
        if not together and not self._view_state.view.side_by_side:
            return {focus.photo: focus.place}
        pair = np.array(sorted({focus.photo, photo_id}))
        frames = self._photos.listing.unit(focus.photo) if together else pair
        in_time = _near(self._photos.stacks.in_time(frames), pair)
        self.gather(in_time)
        matched = people.match([self.of(frame) or () for frame in in_time])
        at = in_time.index(focus.photo)
        places = next((places for places in matched if places[at] == focus.place), None)
        return {} if places is None else dict(zip(in_time, places, strict=True))


def _near(frames: Ids, pair: Ids) -> list[int]:
    """Return the frames around two of them, or only the two if they are far apart."""
    first, last = np.flatnonzero(np.isin(frames, pair))[[0, -1]]
    if last - first >= _MATCHED:
        return frames[[first, last]].tolist()
    start = max(int(first + last - _MATCHED) // 2 + 1, 0)
    return frames[start : start + _MATCHED].tolist()


def _followed(before: Sequence[Face], faces: Sequence[Face]) -> dict[int, int]:
    """Return the place of each face that is near one of the frame before → the number of that."""
    pairs = sorted(
        (math.dist(one.eyes_at, other.eyes_at) / one.box[2], rank, place)
        for rank, one in enumerate(before[:_FOLLOWED])
        for place, other in enumerate(faces[:_FOLLOWED])
    )
    ranks: dict[int, int] = {}
    for distance, rank, place in pairs:
        if distance < _NEAR and place not in ranks and rank not in ranks.values():
            ranks[place] = rank
    return ranks
