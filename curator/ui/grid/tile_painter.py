"""Draws one tile of the grid: a thumbnail on bare canvas with a footer below it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPixmap

from curator.library.table import Tile
from curator.model import Verdict
from curator.ui.grid.grid_layout import CAPTION, FOOTER, GAP
from curator.ui.widgets import mark_painter, theme, words
from curator.ui.widgets.frames import FrameStore
from curator.ui.widgets.thumbnails import (
    draw_failure_card,
    draw_suggestion_ring,
    draw_thumbnail,
    fitted,
    logical,
    thumbnail_request,
)

_UNDERLINE = 2
_EDGES = (2, 4)  # px above a picture, within half a gap: the edges of the photos behind it
_STACK_LINE = 3  # px below a tile: the line that connects the frames of an expanded stack
_STACK_ICON = 9  # px, before a stack's count
_TIMES = ("%Y-%m-%d %H:%M", "%Y-%m-%d")  # formats of the capture time; the longest that fits
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
def _stack_count(count: int, ratio: float) -> QPixmap:
    """Draw the stack icon and a count, once for each count."""
    text, font = f"{count:,}", theme.caption_font()
    width = _STACK_ICON + 4 + QFontMetrics(font).horizontalAdvance(text)
    image = theme.transparent(width, _LINE, ratio)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(theme.QUIET)
    align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(QRect(0, 0, width, _LINE), align, text)
    top, right = (_LINE - _STACK_ICON) // 2 + 1, _STACK_ICON - 1
    side = _STACK_ICON - 4
    painter.drawRect(0, top + 3, side, side)
    painter.drawPolyline([QPoint(3, top), QPoint(right, top), QPoint(right, top + side)])
    painter.end()
    return image


@dataclass(slots=True)
class TilePainter:
    """Draws the tiles of one grid.

    Attributes:
        store: supplies thumbnails.
        order: the sort order in use; the footer shows its value (see :meth:`value`).
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
    _retry_links: dict[int, QRect] = field(init=False, default_factory=dict)  # by photo, in cells

    def __post_init__(self) -> None:
        self._metrics = QFontMetrics(self.font)

    @property
    def footer(self) -> int:
        """Height of footer and caption below the picture, px."""
        return FOOTER + (CAPTION if self.captions else 0)

    def box(self, cell: QRect) -> tuple[int, int]:
        """Return the box a thumbnail of this cell is fitted into, (width, height) device px."""
        return round(cell.width() * self.ratio), round((cell.height() - self.footer) * self.ratio)

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
        frame = self.store.best(thumbnail_request(tile, self.box(cell)))
        picture = draw_thumbnail(painter, tile, frame, self.picture_rect(cell, tile), self.ratio)
        if stack is not None and stack.closed:
            self._draw_edges(painter, picture.toRect())
        elif tile.suggested:
            draw_suggestion_ring(painter, picture)
        self._draw_footer(painter, cell, tile, stack)
        if current:
            bar = QRect(cell.left(), cell.bottom() + 1 - _UNDERLINE, cell.width(), _UNDERLINE)
            painter.fillRect(bar, theme.WHITE)

    def picture_rect(self, cell: QRect, tile: Tile) -> QRect:
        """Return where the thumbnail lies, device px: centered, directly above the footer."""
        box_width, box_height = self.box(cell)
        width, height = fitted(tile, (box_width, box_height))
        left, top = round(cell.left() * self.ratio), round(cell.top() * self.ratio)
        return QRect(left + (box_width - width) // 2, top + box_height - height, width, height)

    def _draw_edges(self, painter: QPainter, picture: QRect) -> None:
        """Draw the upper edges of two photos behind this one, each a little narrower."""
        for number, above in enumerate(_EDGES, 1):
            inset = number * round(picture.width() * 0.03)
            left, width = picture.left() + inset, picture.width() - 2 * inset
            painter.fillRect(QRect(left, picture.top() - above, width, 1), theme.DISABLED)

    def draw_stack_line(self, painter: QPainter, cell: QRect, before: bool, after: bool) -> None:
        """Draw this tile's part of the line that connects the frames of an expanded stack.

        It reaches half-way to the neighbor ``before`` or ``after`` in the row if that is in the
        same stack; a tile paints no further.
        """
        left = cell.left() - (GAP // 2 if before else 0)
        right = cell.right() + 1 + (GAP // 2 if after else 0)
        painter.fillRect(QRect(left, cell.bottom() + _STACK_LINE, right - left, 1), theme.DISABLED)

    def draw_failure(self, painter: QPainter, cell: QRect, tile: Tile, reason: str) -> None:
        """Draw the card of a photo that could not be read, with its Retry link."""
        picture = logical(self.picture_rect(cell, tile), self.ratio)
        card = QRect(cell.left(), round(picture.y()), cell.width(), round(picture.height()))
        link = draw_failure_card(painter, card, tile.name, reason)
        self._retry_links[tile.id] = link.translated(-cell.topLeft())

    def is_retry_at(self, photo: int, at: QPoint) -> bool:
        """Whether a point, relative to the photo's cell, is on the Retry link last drawn for it."""
        link = self._retry_links.get(photo)
        return link is not None and link.contains(at)

    def count_rect(self, cell: QRect, stack: StackBadge) -> QRect:
        """Return where the clickable count of a stack lies in its tile's footer."""
        width = round(_stack_count(stack.count, self.ratio).width() / self.ratio)
        return QRect(cell.right() + 1 - width, cell.bottom() + 1 - FOOTER, width, _LINE)

    def _draw_footer(
        self, painter: QPainter, cell: QRect, tile: Tile, stack: StackBadge | None
    ) -> None:
        middle = cell.bottom() + 1 - FOOTER + _LINE // 2
        skipped = tile.seen and tile.marks.verdict is Verdict.UNREVIEWED
        end = mark_painter.draw_marks(painter, cell.left(), middle, tile.marks, skipped)
        right = cell.right() + 1
        if stack is not None and stack.shows_count:
            rect = self.count_rect(cell, stack)
            painter.drawPixmap(rect.topLeft(), _stack_count(stack.count, self.ratio))
            right = rect.left() - GAP
        icons = ("folder_away", tile.state == "missing"), ("damaged", tile.damaged)
        for icon in (name for name, shown in icons if shown):
            right -= theme.ICON
            image = theme.pixmap(icon, theme.QUIET, theme.ICON, self.ratio)
            painter.drawPixmap(QPointF(right, middle - theme.ICON / 2), image)
            right -= 4
        text = words.joined((self.value(tile), "R+J" if tile.pair else ""))
        if text:
            line = QRect(end + GAP, middle - 8, right - end - GAP, 16)
            painter.setPen(theme.QUIET)
            text = self._metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, line.width())
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(line, align, text)
        if self.captions:
            self._draw_caption(painter, cell, tile)
        if tile.match is not None and tile.marks.verdict is Verdict.UNREVIEWED:
            left = end + (GAP if end > cell.left() else 0)
            mark_painter.draw_match(painter, left, middle, tile.match)

    def _draw_caption(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        """Draw the name, and right of it the longest form of the capture time that fits."""
        line = QRect(cell.left(), cell.bottom() + 3 - self.footer, cell.width(), CAPTION)
        painter.setPen(theme.QUIET)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        name_width = line.width()
        for time_format in _TIMES if tile.taken is not None else ():
            time = f"{tile.taken:{time_format}}"
            rest = line.width() - self._metrics.horizontalAdvance(time) - GAP
            if rest >= _NAME:
                painter.drawText(line, int(middle | Qt.AlignmentFlag.AlignRight), time)
                name_width = rest
                break
        name = self._metrics.elidedText(tile.name, Qt.TextElideMode.ElideMiddle, name_width)
        painter.drawText(line, int(middle), name)

    def value(self, tile: Tile) -> str:
        """Return what the footer shows for the sort order: a name, a number, why a search found it.

        Empty for other orders, and for a name that the caption shows.
        """
        if self.order == "name":
            return "" if self.captions else tile.name
        if self.order == "uncertain":
            return "" if tile.uncertainty is None else f"±{tile.uncertainty:.2f}"
        if self.order in ("relevance", "taken"):
            return tile.found
        measures = {
            "sharpness": tile.sharpness,
            "exposure": tile.exposure,
            "eyes": tile.eye_sharpness,
        }
        number = measures.get(self.order)
        return "" if number is None else f"{number:.0f}"
