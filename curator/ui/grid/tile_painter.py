"""Draws one tile of the grid: a thumbnail on bare canvas with a footer below it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPixmap

from curator.library.table import Tile
from curator.model import Verdict
from curator.ui.grid.grid_layout import CAPTION, FOOTER, GAP
from curator.ui.widgets import mark_painter, theme
from curator.ui.widgets.frames import FrameStore
from curator.ui.widgets.thumbnails import (
    REJECTED_OPACITY,
    STALE_OPACITY,
    blit,
    draw_failure_card,
    draw_suggestion_ring,
    fitted,
    thumbnail_request,
)

_UNDERLINE = 2
_EDGES = (2, 4)  # px above a picture, within half a gap: the edges of the photos behind it
_STACK_LINE = 3  # px below a tile: the line that connects the frames of an expanded stack
_PILE = 9  # px: the icon before a stack's count
_TIMES = ("%Y-%m-%d %H:%M", "%Y-%m-%d")  # forms of the capture time; the longest that fits is used
_NAME = 72  # px a caption keeps for the name before it shows any of the time
_LINE = FOOTER - _UNDERLINE  # px: the footer's line of text


@dataclass(frozen=True, slots=True)
class StackBadge:
    """How a tile shows its stack.

    Attributes:
        count: photos in the stack.
        closed: whether one tile stands for the whole stack.
        shows_count: whether this is the stack's first tile, which shows the count.
    """

    count: int
    closed: bool
    shows_count: bool


@lru_cache(maxsize=256)
def _pile(count: int, ratio: float) -> QPixmap:
    """Draw a stack's count after the stack icon, once for each count."""
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


@dataclass(slots=True)
class TilePainter:
    """Draws the tiles of one grid.

    Attributes:
        store: supplies thumbnails.
        order: the sort order in use; the footer shows its value unless it is a time.
        ratio: device px per logical px.
        captions: whether a line below the picture shows its name and capture time.
        font: of captions, 11 px.
    """

    store: FrameStore
    order: str = "taken"
    ratio: float = 1.0
    captions: bool = False
    font: QFont = field(default_factory=theme.caption_font)
    _metrics: QFontMetrics = field(init=False)
    _retries: dict[int, QRect] = field(init=False, default_factory=dict)  # links by photo, in cells

    def __post_init__(self) -> None:
        self._metrics = QFontMetrics(self.font)

    @property
    def foot(self) -> int:
        """Height of what lies below the picture, px."""
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
        """Draw one tile; ``painter`` already has the caption font."""
        if selected:
            half = GAP // 2
            painter.fillRect(cell.adjusted(-half, -half, half, half), theme.RAISED)
        self._draw_picture(painter, cell, tile)
        if stack is not None and stack.closed:
            self._draw_edges(painter, cell, tile)
        elif tile.suggested:
            draw_suggestion_ring(painter, self._logical(self.picture(cell, tile)))
        self._draw_footer(painter, cell, tile, stack)
        if current:
            bar = QRect(cell.left(), cell.bottom() + 1 - _UNDERLINE, cell.width(), _UNDERLINE)
            painter.fillRect(bar, theme.WHITE)

    def picture(self, cell: QRect, tile: Tile) -> QRect:
        """Return where the thumbnail lies, device px: centered, at the bottom of its cell."""
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
        """Draw the upper edges of two photos behind this one, each a little narrower."""
        rect = self._logical(self.picture(cell, tile)).toRect()
        for number, above in enumerate(_EDGES, 1):
            inset = number * round(rect.width() * 0.03)
            line = QRect(rect.left() + inset, rect.top() - above, rect.width() - 2 * inset, 1)
            painter.fillRect(line, theme.DISABLED)

    def draw_stack_line(self, painter: QPainter, cell: QRect, before: bool, after: bool) -> None:
        """Draw this tile's part of the line that connects the frames of an expanded stack.

        It reaches half-way to the neighbor ``before`` or ``after`` in the row if that is of the
        same stack; a tile paints no further.
        """
        left = cell.left() - (GAP // 2 if before else 0)
        right = cell.right() + 1 + (GAP // 2 if after else 0)
        painter.fillRect(QRect(left, cell.bottom() + _STACK_LINE, right - left, 1), theme.DISABLED)

    def draw_failure(self, painter: QPainter, cell: QRect, tile: Tile, reason: str) -> None:
        """Draw the card of a photo that could not be read, with its Retry link."""
        picture = self._logical(self.picture(cell, tile))
        card = QRect(cell.left(), round(picture.y()), cell.width(), round(picture.height()))
        retry = draw_failure_card(painter, card, tile.name, reason)
        self._retries[tile.id] = retry.translated(-cell.topLeft())

    def is_retry_at(self, photo: int, at: QPoint) -> bool:
        """Whether a point, relative to the photo's cell, is on the Retry link last drawn for it."""
        area = self._retries.get(photo)
        return area is not None and area.contains(at)

    def count_rect(self, cell: QRect, stack: StackBadge) -> QRect:
        """Return where the clickable count of a stack lies in its tile's footer."""
        wide = round(_pile(stack.count, self.ratio).width() / self.ratio)
        return QRect(cell.right() + 1 - wide, cell.bottom() + 1 - FOOTER, wide, _LINE)

    def _draw_count(self, painter: QPainter, cell: QRect, stack: StackBadge) -> int:
        """Draw how many photos a stack has. Return x where the text begins, px."""
        room = self.count_rect(cell, stack)
        painter.drawPixmap(room.topLeft(), _pile(stack.count, self.ratio))
        return room.left()

    def _draw_picture(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        place = self.picture(cell, tile)
        request = thumbnail_request(tile, self.box(cell))
        frame = None
        if request is not None:
            frame = self.store.get(request) or self.store.any_size(request)
        if frame is None:
            painter.fillRect(self._logical(place), theme.PANEL)
        elif tile.rejected or tile.stale:
            painter.setOpacity(REJECTED_OPACITY if tile.rejected else STALE_OPACITY)
            blit(painter, frame, place, self.ratio)
            painter.setOpacity(1.0)
        else:
            blit(painter, frame, place, self.ratio)
        if tile.rejected:
            mark_painter.draw_strike(painter, self._logical(place))

    def _draw_footer(
        self, painter: QPainter, cell: QRect, tile: Tile, stack: StackBadge | None
    ) -> None:
        middle = cell.bottom() + 1 - FOOTER + _LINE // 2
        skipped = tile.seen and tile.marks.verdict is Verdict.UNREVIEWED
        end = mark_painter.draw_marks(painter, cell.left(), middle, tile.marks, skipped)
        right = cell.right() + 1
        if stack is not None and stack.shows_count:
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
        """Draw the name, and at the right as much of the capture time as leaves room for it."""
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
        """Return the value the grid is sorted by; empty for a time or if the caption shows it."""
        if self.order == "name":
            return "" if self.captions else tile.name
        if self.order == "uncertain":
            return "" if tile.doubt is None else f"± {tile.doubt:.2f}"
        if self.order == "relevance":
            return tile.found
        number = {"sharpness": tile.sharpness, "exposure": tile.exposure}.get(self.order)
        return "" if number is None else f"{number:.0f}"
