"""The rejected photos as thumbnails in the deletion dialog; a click excludes or includes one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from curator.library.table import Tile
from curator.ui.widgets import theme, words
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import fitted, thumbnail_request

CELL = QSize(150, 126)  # with the gap; the footer is 20 of its height
_GAP, _FOOT = 8, 20
_BOX = (CELL.width() - _GAP, CELL.height() - _GAP - _FOOT)  # of a picture
_STAYS = 0.3  # opacity of an excluded photo


class RejectsGrid(QAbstractScrollArea):
    """Thumbnails in rows, each with name and size.

    Signals:
        pressed(int): the id of a photo that was clicked.
    """

    pressed = Signal(int)

    def __init__(self, tile: Callable[[int], Tile], pictures: Pictures) -> None:
        super().__init__()
        self._tile, self._thumbs = tile, pictures.thumbs
        self._photos: list[tuple[int, int]] = []  # id and bytes
        self._going: frozenset[int] = frozenset()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Rejected photos")
        self._thumbs.arrived.connect(self.viewport().update)

    def show_photos(self, photos: Sequence[tuple[int, int]], going: Collection[int]) -> None:
        """Show photos: ids with their files' bytes; ``going`` are the included ones."""
        self._photos, self._going = list(photos), frozenset(going)
        self._measure()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the thumbnails out again for the width."""
        self._measure()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Load and draw the photos that came into view."""
        self._request_thumbnails()
        self.viewport().update()

    def hideEvent(self, event: object) -> None:
        """Withdraw the request for thumbnails."""
        self._thumbs.want("rejects", ())

    def rect_of(self, number: int) -> QRect:
        """Return the rectangle of a photo on the viewport, without the gap."""
        row, column = divmod(number, self._columns)
        top = row * CELL.height() - self.verticalScrollBar().value()
        return QRect(column * CELL.width(), top, CELL.width() - _GAP, CELL.height() - _GAP)

    @property
    def _columns(self) -> int:
        return max(self.viewport().width() // CELL.width(), 1)

    def _measure(self) -> None:
        rows = -(-len(self._photos) // self._columns)
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(rows * CELL.height() - height, 0))
        bar.setPageStep(height)
        bar.setSingleStep(CELL.height() // 2)
        self._request_thumbnails()
        self.viewport().update()

    def _visible(self) -> range:
        first = self.verticalScrollBar().value() // CELL.height()
        rows = self.viewport().height() // CELL.height() + 2
        return range(first * self._columns, min((first + rows) * self._columns, len(self._photos)))

    def _request_thumbnails(self) -> None:
        tiles = (self._tile(self._photos[number][0]) for number in self._visible())
        self._thumbs.want("rejects", map(self._request, tiles))

    def _request(self, tile: Tile) -> FrameRequest | None:
        ratio = self.devicePixelRatioF()
        return thumbnail_request(tile, (round(_BOX[0] * ratio), round(_BOX[1] * ratio)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the visible photos; excluded ones are dim and labeled "stays"."""
        painter = QPainter(self.viewport())
        painter.setFont(theme.caption_font())
        for number in self._visible():
            self._draw(painter, number)

    def _draw(self, painter: QPainter, number: int) -> None:
        photo, size = self._photos[number]
        tile, cell = self._tile(photo), self.rect_of(number)
        goes = photo in self._going
        picture = cell.adjusted(0, 0, 0, -_FOOT)
        frame = self._thumbs.best(self._request(tile))
        painter.setOpacity(1.0 if goes else _STAYS)
        if frame is None:
            painter.fillRect(picture, theme.PANEL)
        else:
            area = QRectF(0, 0, *fitted(tile, _BOX))
            area.moveCenter(QRectF(picture).center())
            painter.drawImage(area, frame.image)
        painter.setOpacity(1.0)
        foot = cell.adjusted(0, cell.height() - _FOOT, 0, 0)
        amount = words.size(size) if goes else "stays"
        painter.setPen(theme.TEXT if goes else theme.DISABLED)
        right = painter.fontMetrics().horizontalAdvance(amount) + 8
        room, elide = foot.width() - right, Qt.TextElideMode.ElideMiddle
        name = painter.fontMetrics().elidedText(tile.name, elide, room)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(foot, int(middle | Qt.AlignmentFlag.AlignLeft), name)
        painter.setPen(theme.QUIET if goes else theme.DISABLED)
        painter.drawText(foot, int(middle | Qt.AlignmentFlag.AlignRight), amount)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Report the photo that was clicked."""
        for number in self._visible():
            if self.rect_of(number).contains(event.position().toPoint()):
                self.pressed.emit(self._photos[number][0])

    def sizeHint(self) -> QSize:
        """Return the size of four columns and three rows."""
        return QSize(4 * CELL.width(), 3 * CELL.height())
