"""Tags as chips: outlined if suggested by a model, solid if confirmed by a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.catalog import TagDetail
from curator.library.captions import suggestion
from curator.ui.widgets import theme

_HEIGHT = 22
_GAP = 6
_PADDING = 8
_BETWEEN = 5  # px between name and detail
_CROSS = 20  # px at the end of a chip that remove the tag


class TagChips(QWidget):
    """The tags of a photo in rows; a suggestion also shows its confidence.

    Signals:
        confirmed(str): the name of a suggestion that was pressed.
        removed(str): the name of a tag whose cross was pressed.
        menu(str, QPoint): a tag whose context menu was requested at a global position.

    Args:
        tags: the tags to show.
        live: whether they can be pressed.
    """

    confirmed = Signal(str)
    removed = Signal(str)
    menu = Signal(str, QPoint)

    def __init__(self, tags: Sequence[TagDetail] = (), live: bool = False) -> None:
        super().__init__()
        self._live, self._hover = live, -1
        self._at: int | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(live)
        self.show_tags(tags)

    def show_tags(self, tags: Sequence[TagDetail], details: Sequence[str] | None = None) -> None:
        """Show other tags, with ``details`` behind their names instead of the confidence."""
        self._tags = tuple(tags)
        self._details = tuple(map(_detail, tags) if details is None else details)
        if self._at is not None:
            self._at = min(self._at, len(tags) - 1) if tags else None
        self.setAccessibleName(f"Tags: {', '.join(map(in_words, tags))}")
        if not self._live:
            self.setToolTip(theme.plain_tip("; ".join(map(in_words, tags))))
        self.updateGeometry()
        self.update()

    # --- keyboard

    @property
    def current(self) -> TagDetail | None:
        """The tag selected by the keyboard, or None."""
        return None if self._at is None else self._tags[self._at]

    def go(self, by: int) -> None:
        """Select another chip; without a selection the last, past the last none."""
        at = len(self._tags) + by if self._at is None else self._at + by
        self._at = max(at, 0) if at < len(self._tags) and self._tags else None
        self.update()

    def leave(self) -> None:
        """Select no chip."""
        self._at = None
        self.update()

    # --- size and looks

    def sizeHint(self) -> QSize:
        """Return the size at the panel's usual width."""
        width = theme.INSPECTOR - 32
        return QSize(width, self.heightForWidth(width))

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows at a width."""
        return max((place.bottom() + 1 for place in self._places(width)), default=0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the chips."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, place in enumerate(self._places(self.width())):
            self._paint(painter, number, place)

    def _paint(self, painter: QPainter, number: int, place: QRect) -> None:
        tag, detail = self._tags[number], self._details[number]
        large, small = QFontMetrics(theme.body_font()), QFontMetrics(theme.caption_font())
        solid, hovered = tag.state == "confirmed", number == self._hover
        if number == self._at:
            painter.setPen(theme.WHITE)
        else:
            painter.setPen(
                Qt.PenStyle.NoPen if solid else theme.QUIET if hovered else theme.DISABLED
            )
        painter.setBrush(theme.HAIRLINE if solid else Qt.BrushStyle.NoBrush)
        outline = QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(outline, theme.RADIUS, theme.RADIUS)
        crossed = hovered or number == self._at
        room = place.width() - 2 * _PADDING - (_CROSS - _PADDING if crossed else 0)
        shown = "" if crossed and room < self._needs(number) else detail
        room -= small.horizontalAdvance(shown) + _BETWEEN if shown else 0
        name = large.elidedText(tag.name, Qt.TextElideMode.ElideRight, room)
        base = place.top() + (place.height() + large.ascent() - large.descent()) / 2
        left = float(place.left() + _PADDING)
        painter.setFont(theme.body_font())
        painter.setPen(theme.WHITE if hovered and not solid else theme.TEXT)
        painter.drawText(QPointF(left, base), name)
        left += large.horizontalAdvance(name) + _BETWEEN
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        painter.drawText(QPointF(left, base), shown)
        if crossed:
            cross = theme.pixmap("close", theme.TEXT, 12, self.devicePixelRatioF())
            painter.drawPixmap(place.right() - 16, place.top() + (_HEIGHT - 12) // 2, cross)

    def _needs(self, number: int) -> int:
        """Return the width of a chip's text."""
        large, small = QFontMetrics(theme.body_font()), QFontMetrics(theme.caption_font())
        detail = self._details[number]
        wide = large.horizontalAdvance(self._tags[number].name) + 1  # without it, Qt elides
        return wide + (small.horizontalAdvance(detail) + _BETWEEN if detail else 0)

    def _places(self, width: int) -> Iterator[QRect]:
        """Yield the rectangle of each chip, in rows from the left."""
        x = y = 0
        for number in range(len(self._tags)):
            wide = min(self._needs(number) + 2 * _PADDING, width)
            if x and x + wide > width:
                x, y = 0, y + _HEIGHT + _GAP
            yield QRect(x, y, wide, _HEIGHT)
            x += wide + _GAP

    # --- the mouse

    def place_of(self, name: str) -> QRect:
        """Return the rectangle of a tag's chip; empty if there is none."""
        places = zip(self._tags, self._places(self.width()), strict=True)
        return next((place for tag, place in places if tag.name == name), QRect())

    def _chip_at(self, point: QPoint) -> int:
        places = enumerate(self._places(self.width()))
        return next((number for number, place in places if place.contains(point)), -1)

    def _crosses(self, point: QPoint) -> bool:
        place = list(self._places(self.width()))[self._chip_at(point)]
        return point.x() > place.right() - _CROSS

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Set cursor and tooltip for a press at this point."""
        point = event.position().toPoint()
        number = self._chip_at(point)
        self._hover = number
        self.update()
        if number < 0:
            self.unsetCursor()
            self.setToolTip("")
            return
        tag, off = self._tags[number], self._crosses(point)
        acts = "Click to remove" if off else "Click to confirm"
        says = in_words(tag) + ("" if tag.state == "confirmed" and not off else f". {acts}")
        self.setToolTip(theme.plain_tip(says))
        pressable = off or tag.state != "confirmed"
        shape = Qt.CursorShape.PointingHandCursor if pressable else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        self._hover = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Confirm a suggestion, or remove the tag whose cross was pressed."""
        point = event.position().toPoint()
        number = self._chip_at(point)
        if not self._live or number < 0 or event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        tag = self._tags[number]
        if self._crosses(point):
            self.removed.emit(tag.name)
        elif tag.state != "confirmed":
            self.confirmed.emit(tag.name)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request a menu for the tag under the pointer."""
        number = self._chip_at(event.pos())
        if self._live and number >= 0:
            self.menu.emit(self._tags[number].name, event.globalPos())


def _detail(tag: TagDetail) -> str:
    if tag.state == "confirmed":
        return ""
    return "suggested" if tag.confidence is None else f"suggested {tag.confidence} %"


def in_words(tag: TagDetail) -> str:
    """Return a tag in words: ``harbor, suggested by the encoder, 80 %``."""
    if tag.state == "confirmed":
        return f"{tag.name}, confirmed"
    return f"{tag.name}, {suggestion(tag)}"
