"""One tile of the grid: a thumbnail on bare canvas, its footer below, nothing on the picture."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from curator.imaging.proxy import THUMB_PX
from curator.library.table import Tile
from curator.model import Verdict
from curator.session import Session
from curator.ui.grid.grid_layout import CAPTION, FOOTER, GAP
from curator.ui.widgets import mark_painter, theme
from curator.ui.widgets.frames import PROXY, THUMB, Frame, FrameRequest, FrameStore

STRUCK = 0.3  # how much of a rejected thumbnail is left
STALE = 0.55  # of one that no longer fits the filter
_ASPECT = (3, 2)  # until a photo's own is known
_UNDERLINE = 2
_KNOWN = 4096  # tiles; several screens of the smallest on the largest screen
_STRETCH = 1.1  # enlarging a thumbnail so much is not seen
_EDGES = (2, 4)  # px above a picture, within half a gap: the edges of the photos behind it
_RING = 3  # px between a picture and the ring round it
_BOND = 3  # px below a tile: the line that frames of one stack share
_PILE = 9  # px: the sign before a stack's count
_TIMES = ("%Y-%m-%d %H:%M", "%Y-%m-%d")  # what a caption says of the capture time, if there is room
_NAME = 72  # px a name has in a caption before any of the time
_LINE = FOOTER - _UNDERLINE  # px: the footer's line of text


def fitted(tile: Tile, box: tuple[int, int]) -> tuple[int, int]:
    """Fit a photo into a box of device px, never cropped; small pictures fill it like any other."""
    return _fitted(tile.width, tile.height, box)


@lru_cache(maxsize=1024)
def _fitted(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    width, height = (width, height) if width and height else _ASPECT
    scale = min(box[0] / width, box[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def thumb(tile: Tile, box: tuple[int, int]) -> FrameRequest | None:
    """Say which picture a tile shows in a box of device px, None before there is one.

    Large tiles on dense screens show more than a thumbnail has; those take the proxy.
    """
    size = fitted(tile, box)
    if tile.proxy is not None and max(size) > THUMB_PX * _STRETCH:
        return FrameRequest(PROXY, tile.proxy, size, tile.turn)
    return None if tile.thumb is None else FrameRequest(THUMB, tile.thumb, size, tile.turn)


def blit(painter: QPainter, frame: Frame, place: QRect, ratio: float) -> None:
    """Paint a frame at a place in device px, stretched only if it has another size.

    The painter's scale is undone first: with a device pixel ratio on the image Qt would take its
    scaling path and copy several times slower.
    """
    if ratio != 1.0:
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
    if frame.image.size() == place.size():
        painter.drawImage(place.topLeft(), frame.image)
    else:
        painter.drawImage(place, frame.image)
    if ratio != 1.0:
        painter.restore()


class TileCache:
    """Tiles one view has drawn before: asking the session takes 25 us each, this one.

    Create it before the view connects to the session's signals, so that it hears of a change
    before the view does. Thread: GUI.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tiles: dict[int, Tile] = {}
        session.photos_changed.connect(self._forget)
        session.list_changed.connect(self._tiles.clear)
        session.scores_changed.connect(self._tiles.clear)

    def __call__(self, photo_id: int) -> Tile:
        """Give a photo's tile as the session would."""
        if photo_id not in self._tiles:
            self.gather((photo_id,))
        return self._tiles[photo_id]

    def gather(self, photo_ids: Iterable[int]) -> None:
        """Ask the session for all of these that are not known, at once: a screen full is cheap."""
        missing = [photo for photo in photo_ids if photo not in self._tiles]
        if missing:
            if len(self._tiles) > _KNOWN:
                self._tiles.clear()
            self._tiles.update(zip(missing, self._session.tiles(missing), strict=True))

    def _forget(self, changed: Set[int]) -> None:
        for photo_id in self._tiles.keys() & changed:  # as long as the shorter of the two
            del self._tiles[photo_id]


@dataclass(frozen=True, slots=True)
class StackBadge:
    """The stack a tile is of: how many photos, whether ``closed`` into one tile, whether the tile
    is its ``first``, which tells the count.
    """

    count: int
    closed: bool
    first: bool


@lru_cache(maxsize=256)
def _pile(count: int, ratio: float) -> QPixmap:
    """Draw a stack's count behind the sign of a pile, once for each count."""
    text, font = f"{count:,}", theme.caption_font()
    wide = _PILE + 4 + QFontMetrics(font).horizontalAdvance(text)
    image = QPixmap(math.ceil(wide * ratio), math.ceil(_LINE * ratio))
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(theme.QUIET)
    align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(QRect(0, 0, wide, _LINE), align, text)
    top, right = (_LINE - _PILE) // 2 + 1, _PILE - 1
    painter.drawRect(0, top + 3, _PILE - 4, _PILE - 4)
    corner = [QPoint(3, top), QPoint(right, top), QPoint(right, top + _PILE - 4)]
    painter.drawPolyline(corner)
    painter.end()
    return image


def ring(painter: QPainter, rect: QRectF) -> None:
    """Draw the ring round a picture the machine suggests, quieter than all that is a person's."""
    painter.setPen(QPen(theme.DISABLED, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect.toRect().adjusted(-_RING, -_RING, _RING - 1, _RING - 1))


@dataclass(slots=True)
class TilePainter:
    """Draws tiles of one sheet.

    Attributes:
        store: where thumbnails come from.
        order: the sort in use; its value stands in the footer unless it is a time.
        ratio: device px a logical px.
        captions: whether a line right below the picture has its name and capture time.
        font: 11 px captions.
    """

    store: FrameStore
    order: str = "taken"
    ratio: float = 1.0
    captions: bool = False
    font: QFont = field(default_factory=theme.caption_font)
    _metrics: QFontMetrics = field(init=False)

    def __post_init__(self) -> None:
        self._metrics = QFontMetrics(self.font)

    @property
    def foot(self) -> int:
        """What lies below the picture, px."""
        return FOOTER + (CAPTION if self.captions else 0)

    def box(self, cell: QRect) -> tuple[int, int]:
        """Return the box a thumbnail of this cell is fitted into, (width, height) device px."""
        return round(cell.width() * self.ratio), round((cell.height() - self.foot) * self.ratio)

    def draw(
        self,
        painter: QPainter,
        cell: QRect,
        tile: Tile,
        *,
        selected: bool,
        current: bool,
        stack: StackBadge | None = None,
    ) -> None:
        """Draw one tile, ``stack`` being the stack it is of; ``painter`` has the caption font."""
        if selected:
            half = GAP // 2
            painter.fillRect(cell.adjusted(-half, -half, half, half), theme.RAISED)
        self._draw_picture(painter, cell, tile)
        if stack is not None and stack.closed:
            self._draw_edges(painter, cell, tile)
        elif tile.proposed:
            ring(painter, self._logical(self.picture(cell, tile)))
        self._draw_footer(painter, cell, tile, stack)
        if current:
            bar = QRect(cell.left(), cell.bottom() + 1 - _UNDERLINE, cell.width(), _UNDERLINE)
            painter.fillRect(bar, theme.WHITE)

    def picture(self, cell: QRect, tile: Tile) -> QRect:
        """Give the place of the thumbnail in device px: centered, standing on the footer."""
        wide, tall = self.box(cell)
        width, height = fitted(tile, (wide, tall))
        left, top = round(cell.left() * self.ratio), round(cell.top() * self.ratio)
        return QRect(left + (wide - width) // 2, top + tall - height, width, height)

    def _logical(self, place: QRect) -> QRectF:
        return QRectF(
            place.x() / self.ratio,
            place.y() / self.ratio,
            place.width() / self.ratio,
            place.height() / self.ratio,
        )

    def _draw_edges(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        """Draw the upper edges of two photos that lie behind, each a little narrower."""
        rect = self._logical(self.picture(cell, tile)).toRect()
        for number, above in enumerate(_EDGES, 1):
            inset = number * round(rect.width() * 0.03)
            line = QRect(rect.left() + inset, rect.top() - above, rect.width() - 2 * inset, 1)
            painter.fillRect(line, theme.DISABLED)

    def draw_bond(self, painter: QPainter, cell: QRect, before: bool, after: bool) -> None:
        """Draw a tile's part of the line that frames of an expanded stack share.

        It reaches half-way to the neighbor in the row, ``before`` and ``after``, where that is of
        the same stack: a tile paints no further.
        """
        left = cell.left() - (GAP // 2 if before else 0)
        right = cell.right() + 1 + (GAP // 2 if after else 0)
        painter.fillRect(QRect(left, cell.bottom() + _BOND, right - left, 1), theme.DISABLED)

    def count(self, cell: QRect, stack: StackBadge) -> QRect:
        """Give where the count of a stack stands in its tile's footer, and can be clicked."""
        wide = round(_pile(stack.count, self.ratio).width() / self.ratio)
        return QRect(cell.right() + 1 - wide, cell.bottom() + 1 - FOOTER, wide, _LINE)

    def _draw_count(self, painter: QPainter, cell: QRect, stack: StackBadge) -> int:
        """Draw how many photos a stack has; returns where that begins, px."""
        room = self.count(cell, stack)
        painter.drawPixmap(room.topLeft(), _pile(stack.count, self.ratio))
        return room.left()

    def _draw_picture(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        place = self.picture(cell, tile)
        want = thumb(tile, self.box(cell))
        frame = None
        if want is not None:
            frame = self.store.get(want) or self.store.any_size(want)
        if frame is None:
            painter.fillRect(self._logical(place), theme.PANEL)
        elif tile.struck or tile.stale:
            painter.setOpacity(STRUCK if tile.struck else STALE)
            blit(painter, frame, place, self.ratio)
            painter.setOpacity(1.0)
        else:
            blit(painter, frame, place, self.ratio)
        if tile.struck:
            mark_painter.draw_strike(painter, self._logical(place))

    def _draw_footer(
        self, painter: QPainter, cell: QRect, tile: Tile, stack: StackBadge | None
    ) -> None:
        middle = cell.bottom() + 1 - FOOTER + _LINE // 2
        skipped = tile.seen and tile.marks.verdict is Verdict.UNREVIEWED
        end = mark_painter.draw_marks(painter, cell.left(), middle, tile.marks, skipped)
        right = cell.right() + 1
        if stack is not None and stack.first:
            right = self._draw_count(painter, cell, stack) - GAP
        signs = ("folder_away", tile.state == "missing"), ("damaged", tile.damaged)
        for sign in (name for name, shown in signs if shown):
            right -= theme.ICON
            icon = theme.pixmap(sign, theme.QUIET, theme.ICON, self.ratio)
            painter.drawPixmap(QPointF(right, middle - theme.ICON / 2), icon)
            right -= 4
        text = " · ".join(filter(None, (self.value(tile), "R+J" if tile.pair else "")))
        if text:
            room = QRect(end + GAP, middle - 8, right - end - GAP, 16)
            painter.setPen(theme.QUIET)
            text = self._metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(
                room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text
            )
        if self.captions:
            self._draw_caption(painter, cell, tile)
        if tile.match is not None and tile.marks.verdict is Verdict.UNREVIEWED:
            mark_painter.draw_match(
                painter, end + (GAP if end > cell.left() else 0), middle, tile.match
            )

    def _draw_caption(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        """Write the name, and at the right as much of the capture time as leaves it room."""
        line = QRect(cell.left(), cell.bottom() + 3 - self.foot, cell.width(), CAPTION)
        painter.setPen(theme.QUIET)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        room = line.width()
        for form in _TIMES if tile.taken is not None else ():
            time = f"{tile.taken:{form}}"
            left = line.width() - self._metrics.horizontalAdvance(time) - GAP
            if left >= _NAME:
                painter.drawText(line, int(middle | Qt.AlignmentFlag.AlignRight), time)
                room = left
                break
        name = self._metrics.elidedText(tile.name, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(line, int(middle), name)

    def value(self, tile: Tile) -> str:
        """Return the value the grid is sorted by; nothing for a time, or what the caption has."""
        if self.order == "name":
            return "" if self.captions else tile.name
        if self.order == "uncertain":
            return "" if tile.doubt is None else f"± {tile.doubt:.2f}"
        if self.order == "relevance":
            return tile.found
        number = {"sharpness": tile.sharpness, "exposure": tile.exposure}.get(self.order)
        return "" if number is None else f"{number:.0f}"


def failure_card(painter: QPainter, rect: QRect, name: str, reason: str, pad: int = GAP) -> QRect:
    """Draw what stands in for a picture that could not be read; returns where Retry is.

    ``painter`` has the font to write with.
    """
    painter.fillRect(rect, theme.PANEL)
    inside = rect.adjusted(pad, pad, -pad, -pad)
    metrics = QFontMetrics(painter.font())
    line = metrics.height() + 2
    painter.setPen(theme.TEXT)
    shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, inside.width())
    painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, shown)
    painter.setPen(theme.QUIET)
    wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    room = inside.adjusted(0, line, 0, -line)
    painter.save()
    painter.setClipRect(room)
    painter.drawText(room, wrap, reason)
    painter.restore()
    retry = QRect(
        inside.left(), inside.bottom() + 1 - line, metrics.horizontalAdvance("Retry"), line
    )
    underline(painter, retry, "Retry", theme.TEXT)
    return retry


def single_line_tooltip(text: str) -> str:
    """Make a tooltip of one line: it takes what looks like markup as it is, names being files'."""
    return f'<p style="white-space:pre">{html.escape(text)}</p>' if text else ""


def underline(painter: QPainter, rect: QRect, text: str, color: QColor) -> None:
    """Write a word one can click."""
    painter.setPen(color)
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    painter.drawLine(rect.left(), rect.bottom() - 1, rect.right(), rect.bottom() - 1)
