"""A few similar photos as thumbnails with their marks; a click goes to the photo."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from curator.learning.explanations import SimilarPhoto
from curator.library.captions import marks_line
from curator.library.table import Tile
from curator.session import Session
from curator.ui.widgets import mark_painter, theme, words
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.thumbnails import REJECTED_OPACITY, blit, fitted, thumbnail_request

_COLUMNS = 3
_GAP = 4
_FOOTER = 20
_AFTER_MARKS = 4
_SHAPE = 2 / 3  # height of a cell over its width


class SimilarPhotos(QWidget):
    """Photos similar to another one, the most similar first.

    Args:
        session: the window's session.
        pictures: the source of thumbnails.
        name: names the rows, for the thumbnail store and for screen readers.
        rows: the number of rows of three.

    Signals:
        pressed(int): a photo was clicked.

    Thread: GUI.
    """

    pressed = Signal(int)

    def __init__(self, session: Session, pictures: Pictures, name: str, rows: int = 1) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._name, self._most = name, rows * _COLUMNS
        self._near: tuple[SimilarPhoto, ...] = ()
        self._marked = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._thumbs.arrived.connect(self.update)
        session.photos.photos_changed.connect(self.update)

    @property
    def ids(self) -> list[int]:
        """The photos shown."""
        return [photo for photo, _ in self._near]

    def show_photos(self, near: Sequence[SimilarPhoto], *, marked: bool = True) -> None:
        """Show photos; ``marked`` with their marks."""
        self._near, self._marked = tuple(near[: self._most]), marked
        self._fit()
        self.setAccessibleName(f"{self._name}: {', '.join(map(self._tooltip, self._near))}")
        self._request_thumbnails()
        self.update()

    def _tooltip(self, near: SimilarPhoto) -> str:
        tile = self._session.tile(near[0])
        marks = marks_line(tile.marks) if self._marked else ""
        return words.joined((tile.name, f"similarity {near[1]:.2f}", marks))

    # --- geometry

    def place(self, number: int) -> QRect:
        """Return the rectangle of a photo's picture in px; its footer is below."""
        width = (self.width() - (_COLUMNS - 1) * _GAP) // _COLUMNS
        height = round(width * _SHAPE)
        row, column = divmod(number, _COLUMNS)
        return QRect(column * (width + _GAP), row * (height + _FOOTER), width, height)

    def _fit(self) -> None:
        rows = -(-len(self._near) // _COLUMNS)
        self.setFixedHeight(rows * (self.place(0).height() + _FOOTER))

    def sizeHint(self) -> QSize:
        """Return the height of all rows, and no width: that is the layout's."""
        return QSize(1, self.height())

    def resizeEvent(self, event: object) -> None:
        """Lay the thumbnails out again for the width."""
        self._fit()
        self._request_thumbnails()

    # --- pictures

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        place = self.place(0)
        return round(place.width() * ratio), round(place.height() * ratio)

    def _request_thumbnails(self) -> None:
        """Request the thumbnails shown, none while hidden."""
        tiles = [self._session.tile(photo) for photo in self.ids] if self.isVisible() else []
        requests = [thumbnail_request(tile, self._box()) for tile in tiles]
        self._thumbs.want(f"near {self._name}", requests)

    def showEvent(self, event: QEvent) -> None:
        """Request thumbnails."""
        self._request_thumbnails()

    def hideEvent(self, event: QEvent) -> None:
        """Withdraw the request for thumbnails."""
        self._request_thumbnails()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the thumbnails, marks below them, and the similarity if it fits."""
        painter = QPainter(self)
        painter.setFont(theme.caption_font())
        for number, (photo, similarity) in enumerate(self._near):
            tile, place = self._session.tile(photo), self.place(number)
            self._draw_picture(painter, place, tile)
            footer = QRect(place.left(), place.bottom() + 1, place.width(), _FOOTER)
            end, middle = footer.left(), footer.center().y()
            if self._marked:
                end = mark_painter.draw_marks(painter, footer.left(), middle, tile.marks, False)
            footer.setLeft(end + (_AFTER_MARKS if end > footer.left() else 0))
            text = f"{similarity:.2f}"
            if painter.fontMetrics().horizontalAdvance(text) <= footer.width():
                painter.setPen(theme.QUIET)
                painter.drawText(footer, Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_picture(self, painter: QPainter, place: QRect, tile: Tile) -> None:
        box, ratio = self._box(), self.devicePixelRatioF()
        width, height = fitted(tile, box)
        left = round(place.left() * ratio)
        top = round(place.top() * ratio) + box[1] - height
        rect = QRectF(left / ratio, top / ratio, width / ratio, height / ratio)
        frame = self._thumbs.best(thumbnail_request(tile, box))
        if frame is None:
            painter.fillRect(rect, theme.RAISED)
        else:
            painter.setOpacity(REJECTED_OPACITY if tile.rejected and self._marked else 1.0)
            blit(painter, frame, QRect(left, top, width, height), ratio)
            painter.setOpacity(1.0)
        if tile.rejected and self._marked:
            mark_painter.draw_strike(painter, rect)

    # --- mouse

    def _at(self, event: QMouseEvent | QHelpEvent) -> SimilarPhoto | None:
        where = event.position().toPoint() if isinstance(event, QMouseEvent) else event.pos()
        for number, near in enumerate(self._near):
            if self.place(number).adjusted(0, 0, 0, _FOOTER).contains(where):
                return near
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Report the photo that was clicked."""
        near = self._at(event)
        if near is not None and event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(near[0])

    def event(self, event: QEvent) -> bool:
        """Show the name of the photo under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            near = self._at(event)
            if near is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), theme.plain_tip(self._tooltip(near)), self)
            return True
        return super().event(event)
