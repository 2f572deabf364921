"""Photos side by side: which photos are in which pane, which pane is active, and the layout.

Nothing here knows a window or a catalog. A :class:`Panes` is immutable; each action returns another
one. The active *pane* stays until the person goes to another: a mark applies to whatever photo is
in it.
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
    """Photos side by side.

    Attributes:
        photos: ids, left to right and top to bottom, all different; at least one.
        active: position of the pane that marks apply to.
        among: photos that may come in, those shown included, in list order.
    """

    photos: tuple[int, ...]
    active: int = 0
    among: tuple[int, ...] = ()

    @property
    def photo(self) -> int:
        """The photo in the active pane."""
        return self.photos[self.active]

    def turned_to(self, photo_id: int | None) -> Panes:
        """Make the pane of a photo active; a photo in no pane changes nothing."""
        if photo_id not in self.photos:
            return self
        return replace(self, active=self.photos.index(photo_id))

    def stepped(self, by: int) -> Panes:
        """Go to the next or previous pane, not beyond the last and the first."""
        return replace(self, active=min(max(self.active + by, 0), len(self.photos) - 1))

    def switched(self) -> Panes:
        """Go to the next pane, from the last to the first."""
        return replace(self, active=(self.active + 1) % len(self.photos))


class Pair(Panes):
    """Compare: the winner stays on the left, challengers come in on the right.

    ``among`` is empty if challengers come from the whole list.
    """

    __slots__ = ()

    @property
    def winner(self) -> int:
        """The photo that stays."""
        return self.photos[0]

    @property
    def challenger(self) -> int:
        """The photo compared with it."""
        return self.photos[1]

    def following(self, order: Sequence[int], by: int) -> list[int]:
        """Return the photos after (with ``by`` below 0 before) the challenger, the nearest first.

        Args:
            order: ids of the list, or of the part of it around the challenger.
            by: 1 or -1.
        """
        ids = self.among or order
        if self.challenger not in ids:
            return []
        place = ids.index(self.challenger)
        rest = ids[place + 1 :] if by > 0 else ids[:place][::-1]
        return [photo for photo in rest if photo != self.winner]

    def challenged_by(self, photo_id: int) -> Pair:
        """Bring another challenger; the winner cannot challenge itself."""
        if photo_id == self.winner:
            return self
        return replace(self, photos=(self.winner, photo_id))

    def promoted(self, challenger: int) -> Pair:
        """Make the challenger the winner, with another challenger."""
        return replace(self, photos=(self.challenger, challenger))


class Survey(Panes):
    """Survey: two to eight photos; further ones of ``among`` come in for removed ones.

    One photo may be left at the end.
    """

    __slots__ = ()

    @classmethod
    def of(cls, ids: Sequence[int], first: int | None = None) -> Survey:
        """Lay out photos.

        Args:
            ids: in list order; a repeated photo is shown once.
            first: the photo of the active pane, if it is shown.
        """
        among = tuple(dict.fromkeys(ids))
        photos = among[:MOST]
        return cls(photos, photos.index(first) if first in photos else 0, among)

    @property
    def waiting(self) -> int:
        """How many more photos would come in."""
        return len(self.among) - len(self.photos)

    def only(self, ids: Container[int]) -> Survey:
        """Remove photos that are not in ``ids``; the active photo, else its pane, stays active.

        The last photo is not removed.
        """
        left = tuple(photo for photo in self.among if photo in ids)
        if not left:
            return self
        photos = left[:MOST]
        if self.photo in photos:
            return Survey(photos, photos.index(self.photo), left)
        return Survey(photos, min(self.active, len(photos) - 1), left)


class Cell(NamedTuple):
    """The rectangle of a pane in px: picture and caption together."""

    x: int
    y: int
    width: int
    height: int


def cells(aspects: Sequence[float], room: tuple[int, int], caption_px: int) -> list[Cell]:
    """Lay out equal panes so that the total area of their pictures is largest.

    Args:
        aspects: width / height of each picture, 0 unknown.
        room: (width, height) available, px.
        caption_px: height of the caption in each pane.

    Returns:
        A cell for each picture, in reading order, 2 px apart; an incomplete last row is centered.
    """
    width, height = room

    def size(columns: int) -> tuple[int, int]:
        rows = -(-len(aspects) // columns)
        return (
            max((width - GAP_PX * (columns - 1)) // columns, 1),
            max((height - GAP_PX * (rows - 1)) // rows, 1),
        )

    def worth(columns: int) -> tuple[float, int, int]:
        """Rank by area; of equals, prefer full rows, then side by side, which compares best."""
        wide, high = size(columns)
        area = sum(_fitted(aspect or _ASPECT, wide, high - caption_px) for aspect in aspects)
        return area, -(-len(aspects) % columns), columns

    columns = max(range(1, len(aspects) + 1), key=worth, default=1)
    return _grid(len(aspects), columns, room, size(columns))


def halves(room: tuple[int, int]) -> list[Cell]:
    """Lay out two equal panes side by side, 2 px apart, in (width, height) px."""
    return _grid(2, 2, room, (max((room[0] - GAP_PX) // 2, 1), max(room[1], 1)))


def _fitted(aspect: float, width: int, height: int) -> float:
    """Return the area of a picture fitted into a pane, px²."""
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
    """Find the nearest pane in the next row down, or with ``by`` below 0 up.

    Returns:
        Its position; the same one if there is no such row.
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
