"""Photos side by side: which ones, in which pane, which of them a mark acts on, and where they lie.

Nothing of a window here, and nothing of a catalog. A :class:`Panes` never changes; what a person
does gives another one. The active *pane* stays where it is until one goes to another: whatever
photo comes into it is then the one a mark acts on.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

MOST = 8
GAP_PX = 2
_ASPECT = 1.5  # of a photo whose size is not known yet


@dataclass(frozen=True, slots=True)
class Panes:
    """What two or more photos side by side have in common.

    Attributes:
        photos: ids, left to right and top to bottom, all different; one at least.
        active: position of the pane marks act on.
        among: what may come in, the photos there among it, in the order of the list.
    """

    photos: tuple[int, ...]
    active: int = 0
    among: tuple[int, ...] = ()

    @property
    def photo(self) -> int:
        """The photo in the active pane."""
        return self.photos[self.active]

    def turned_to(self, photo_id: int | None) -> Panes:
        """Make a photo's pane the active one; one that is in none changes nothing."""
        if photo_id not in self.photos:
            return self
        return replace(self, active=self.photos.index(photo_id))

    def stepped(self, by: int) -> Panes:
        """Go along the panes, not beyond the first and the last."""
        return replace(self, active=min(max(self.active + by, 0), len(self.photos) - 1))

    def switched(self) -> Panes:
        """Go to the next pane, from the last to the first."""
        return replace(self, active=(self.active + 1) % len(self.photos))


class Pair(Panes):
    """Compare: the winner, at the left, stays, and challengers come at the right.

    ``among`` is empty where challengers come from the whole list.
    """

    __slots__ = ()

    @property
    def winner(self) -> int:
        """The photo that stays."""
        return self.photos[0]

    @property
    def challenger(self) -> int:
        """The photo that has to prove itself."""
        return self.photos[1]

    def following(self, order: Sequence[int], by: int) -> list[int]:
        """List who comes after (or with ``by`` below 0 before) the challenger, the next first.

        Args:
            order: ids of the list on the table, or the part of it around the challenger.
            by: 1 or -1.
        """
        ids = self.among or order
        if self.challenger not in ids:
            return []
        place = ids.index(self.challenger)
        rest = ids[place + 1 :] if by > 0 else ids[:place][::-1]
        return [one for one in rest if one != self.winner]

    def challenged_by(self, photo_id: int) -> Pair:
        """Let another photo challenge the winner, who cannot challenge itself."""
        if photo_id == self.winner:
            return self
        return replace(self, photos=(self.winner, photo_id))

    def promoted(self, challenger: int) -> Pair:
        """Make the challenger the winner, and have another one challenge it."""
        return replace(self, photos=(self.challenger, challenger))


class Survey(Panes):
    """Two to eight photos at once; ``among`` holds them and those that come in for a dropped one.

    One may be left at the end.
    """

    __slots__ = ()

    @classmethod
    def of(cls, ids: Sequence[int], first: int | None = None) -> Survey:
        """Lay out photos.

        Args:
            ids: in the order of the list; a photo named twice is there once.
            first: the photo to look at first, if it is there.
        """
        among = tuple(dict.fromkeys(ids))
        photos = among[:MOST]
        return cls(photos, photos.index(first) if first in photos else 0, among)

    @property
    def waiting(self) -> int:
        """How many more photos would come in."""
        return len(self.among) - len(self.photos)

    def only(self, ids: Container[int]) -> Survey:
        """Take out what is not in ``ids``; stay on the active photo, else in its pane.

        The last photo stays.
        """
        left = tuple(one for one in self.among if one in ids)
        if not left:
            return self
        photos = left[:MOST]
        if self.photo in photos:
            return Survey(photos, photos.index(self.photo), left)
        return Survey(photos, min(self.active, len(photos) - 1), left)


class Cell(NamedTuple):
    """Where a pane lies, px: picture and caption together."""

    x: int
    y: int
    width: int
    height: int


def cells(aspects: Sequence[float], room: tuple[int, int], caption_px: int) -> list[Cell]:
    """Lay out equal panes so that the pictures in them get the largest area together.

    Args:
        aspects: width / height of each picture, 0 where it is not known.
        room: (width, height) px there are.
        caption_px: height of the caption in each pane.

    Returns:
        A cell a picture, in reading order, 2 px apart; a last row that is not full is centred.
    """
    width, height = room

    def size(columns: int) -> tuple[int, int]:
        rows = -(-len(aspects) // columns)
        return (
            max((width - GAP_PX * (columns - 1)) // columns, 1),
            max((height - GAP_PX * (rows - 1)) // rows, 1),
        )

    def worth(columns: int) -> tuple[float, int, int]:
        """Judge by area; of equals, full rows, then side by side, which is how one compares."""
        wide, high = size(columns)
        area = sum(_fitted(aspect or _ASPECT, wide, high - caption_px) for aspect in aspects)
        return area, -(-len(aspects) % columns), columns

    columns = max(range(1, len(aspects) + 1), key=worth, default=1)
    return _grid(len(aspects), columns, room, size(columns))


def halves(room: tuple[int, int]) -> list[Cell]:
    """Lay out two equal panes beside each other, 2 px apart, in a room of (width, height) px."""
    return _grid(2, 2, room, (max((room[0] - GAP_PX) // 2, 1), max(room[1], 1)))


def _fitted(aspect: float, width: int, height: int) -> float:
    """Give the area of a picture fitted into a room, px²."""
    wide = min(width, aspect * max(height, 1))
    return wide * wide / aspect


def _grid(count: int, columns: int, room: tuple[int, int], size: tuple[int, int]) -> list[Cell]:
    rows = -(-count // columns)
    top = (room[1] - rows * (size[1] + GAP_PX) + GAP_PX) // 2
    found = []
    for place in range(count):
        row, column = divmod(place, columns)
        here = min(columns, count - row * columns)
        left = (room[0] - here * (size[0] + GAP_PX) + GAP_PX) // 2
        x, y = left + column * (size[0] + GAP_PX), top + row * (size[1] + GAP_PX)
        found.append(Cell(x, y, *size))
    return found


def below(places: Sequence[Cell], place: int, by: int) -> int:
    """Find the pane in the next row down (or with ``by`` below 0 up) that lies nearest.

    Returns:
        Its position; the same one where there is no such row.
    """
    here = places[place]
    tops = sorted({cell.y for cell in places})
    row = tops.index(here.y) + by
    if not 0 <= row < len(tops):
        return place
    middle = here.x + here.width / 2
    near = [
        (abs(cell.x + cell.width / 2 - middle), at)
        for at, cell in enumerate(places)
        if cell.y == tops[row]
    ]
    return min(near)[1]
