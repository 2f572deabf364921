"""Photos seen at once: which photos are in which pane, which pane is active, and the layout.

Nothing here knows a window or a catalog. A :class:`Panes` is immutable; each action returns a new
one. The active *pane* stays active while photos change: a mark applies to the photo in it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

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
        most: how many photos are shown at most; None: any number.
    """

    photos: tuple[int, ...]
    active: int = 0
    among: tuple[int, ...] = ()
    most: ClassVar[int | None] = None

    @classmethod
    def of(cls, ids: Sequence[int], first: int | None = None) -> Self:
        """Lay out photos.

        Args:
            ids: in list order; a repeated photo is shown once.
            first: the photo of the active pane, if it is shown.
        """
        among = tuple(dict.fromkeys(ids))
        photos = among[: cls.most]
        return cls(photos, photos.index(first) if first in photos else 0, among)

    def only(self, ids: Container[int]) -> Self:
        """Remove photos that are not in ``ids``, but never all of them.

        The active photo stays active; if it is removed, its pane does.
        """
        left = [photo for photo in self.among if photo in ids]
        if not left:
            return self
        panes = self.of(left, self.photo)
        if self.photo in panes.photos:
            return panes
        return replace(panes, active=min(self.active, len(panes.photos) - 1))

    @property
    def photo(self) -> int:
        """The photo in the active pane."""
        return self.photos[self.active]

    def with_active(self, photo_id: int | None) -> Panes:
        """Make the pane of a photo active; a photo without a pane changes nothing."""
        if photo_id not in self.photos:
            return self
        return replace(self, active=self.photos.index(photo_id))

    def stepped(self, by: int) -> Panes:
        """Make the next or previous pane active, stopping at the ends."""
        return replace(self, active=min(max(self.active + by, 0), len(self.photos) - 1))

    def switched(self) -> Panes:
        """Make the next pane active, after the last the first."""
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
        """The photo compared with the winner."""
        return self.photos[1]

    def following(self, by: int) -> list[int]:
        """Return photos of ``among`` after the challenger, with ``by`` -1 before, nearest first."""
        if self.challenger not in self.among:
            return []
        position = self.among.index(self.challenger)
        rest = self.among[position + 1 :] if by > 0 else self.among[:position][::-1]
        return [photo for photo in rest if photo != self.winner]

    def challenged_by(self, photo_id: int) -> Pair:
        """Replace the challenger; the winner cannot challenge itself."""
        if photo_id == self.winner:
            return self
        return replace(self, photos=(self.winner, photo_id))

    def promoted(self, challenger: int) -> Pair:
        """Make the challenger the winner, with a new challenger."""
        return replace(self, photos=(self.challenger, challenger))


class Survey(Panes):
    """Survey: up to eight photos; further photos of ``among`` replace removed ones."""

    __slots__ = ()
    most = MOST

    @property
    def waiting(self) -> int:
        """How many more photos would follow."""
        return len(self.among) - len(self.photos)


class Rows(Panes):
    """The face table: every frame of a stack in a row of its own, in the order of capture."""

    __slots__ = ()


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

    def rank(columns: int) -> tuple[float, int, int]:
        """Rank by area, then by full rows, then by more columns: side by side compares best."""
        wide, high = size(columns)
        area = sum(_fitted(aspect or _ASPECT, wide, high - caption_px) for aspect in aspects)
        return area, -(-len(aspects) % columns), columns

    columns = max(range(1, len(aspects) + 1), key=rank, default=1)
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
    for position in range(count):
        row, column = divmod(position, columns)
        here = min(columns, count - row * columns)
        left = (room[0] - here * (size[0] + GAP_PX) + GAP_PX) // 2
        x, y = left + column * (size[0] + GAP_PX), top + row * (size[1] + GAP_PX)
        found.append(Cell(x, y, *size))
    return found


def below(panes: Sequence[Cell], position: int, by: int) -> int:
    """Return the position of the nearest pane in the row below, with ``by`` -1 above.

    Without such a row it is the same pane.
    """
    here = panes[position]
    tops = sorted({cell.y for cell in panes})
    row = tops.index(here.y) + by
    if not 0 <= row < len(tops):
        return position
    middle = here.x + here.width / 2
    distances = [
        (abs(cell.x + cell.width / 2 - middle), number)
        for number, cell in enumerate(panes)
        if cell.y == tops[row]
    ]
    return min(distances)[1]
