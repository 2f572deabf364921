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
_CROSS = 20  # px at the end of a chip, where a press removes the tag


class TagChips(QWidget):
    """The tags of a photo in rows; a suggestion also shows its confidence.

    Signals:
        confirmed(str): the name of a suggestion that was pressed.
        removed(str): the name of a tag whose cross was pressed.
        menu(str, QPoint): a tag whose context menu was requested at a global position.

    Args:
        tags: the tags to show.
        clickable: whether they can be pressed.
    """

    confirmed = Signal(str)
    removed = Signal(str)
    menu = Signal(str, QPoint)

    def __init__(self, tags: Sequence[TagDetail] = (), clickable: bool = False) -> None:
        super().__init__()
        self._clickable, self._hover = clickable, -1
        self._current: int | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(clickable)
        self.show_tags(tags)

    def show_tags(self, tags: Sequence[TagDetail], details: Sequence[str] | None = None) -> None:
        """Show other tags, with ``details`` behind their names instead of the confidence."""
        self._tags = tuple(tags)
        self._details = tuple(map(_detail, tags) if details is None else details)
        if self._current is not None:
            self._current = min(self._current, len(tags) - 1) if tags else None
        self.setAccessibleName(f"Tags: {', '.join(map(in_words, tags))}")
        if not self._clickable:
            self.setToolTip(theme.plain_tip("; ".join(map(in_words, tags))))
        self.updateGeometry()
        self.update()

    # --- keyboard

    @property
    def current(self) -> TagDetail | None:
        """The tag selected by the keyboard, or None."""
        return None if self._current is None else self._tags[self._current]

    def go(self, by: int) -> None:
        """Select the chip ``by`` further, as if none selected was past the last one."""
        count = len(self._tags)
        index = (count if self._current is None else self._current) + by
        self._current = max(index, 0) if self._tags and index < count else None
        self.update()

    def clear_selection(self) -> None:
        """Select no chip."""
        self._current = None
        self.update()

    # --- size and looks

    def sizeHint(self) -> QSize:
        """Return the size at the panel's usual width."""
        width = theme.INSPECTOR - 32
        return QSize(width, self.heightForWidth(width))

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows at a width."""
        return max((rect.bottom() + 1 for rect in self._rects(width)), default=0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the chips."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, rect in enumerate(self._rects(self.width())):
            self._paint(painter, index, rect)

    def _paint(self, painter: QPainter, index: int, rect: QRect) -> None:
        tag, detail = self._tags[index], self._details[index]
        large, small = QFontMetrics(theme.body_font()), QFontMetrics(theme.caption_font())
        solid, hovered = tag.state == "confirmed", index == self._hover
        if index == self._current:
            painter.setPen(theme.WHITE)
        elif solid:
            painter.setPen(Qt.PenStyle.NoPen)
        else:
            painter.setPen(theme.QUIET if hovered else theme.DISABLED)
        painter.setBrush(theme.HAIRLINE if solid else Qt.BrushStyle.NoBrush)
        outline = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(outline, theme.RADIUS, theme.RADIUS)
        has_cross = hovered or index == self._current
        width = rect.width() - 2 * _PADDING - (_CROSS - _PADDING if has_cross else 0)
        shown = "" if has_cross and width < self._text_width(index) else detail
        width -= small.horizontalAdvance(shown) + _BETWEEN if shown else 0
        name = large.elidedText(tag.name, Qt.TextElideMode.ElideRight, width)
        base = rect.top() + (rect.height() + large.ascent() - large.descent()) / 2
        left = float(rect.left() + _PADDING)
        painter.setFont(theme.body_font())
        painter.setPen(theme.WHITE if hovered and not solid else theme.TEXT)
        painter.drawText(QPointF(left, base), name)
        left += large.horizontalAdvance(name) + _BETWEEN
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        painter.drawText(QPointF(left, base), shown)
        if has_cross:
            cross = theme.pixmap("close", theme.TEXT, 12, self.devicePixelRatioF())
            painter.drawPixmap(rect.right() - 16, rect.top() + (_HEIGHT - 12) // 2, cross)

    def _text_width(self, index: int) -> int:
        """Return the width of a chip's name and detail, px."""
        large, small = QFontMetrics(theme.body_font()), QFontMetrics(theme.caption_font())
        detail = self._details[index]
        width = large.horizontalAdvance(self._tags[index].name) + 1  # without it, Qt elides
        return width + (small.horizontalAdvance(detail) + _BETWEEN if detail else 0)

    def _rects(self, width: int) -> Iterator[QRect]:
        """Yield the rectangle of each chip, in rows from the left."""
        x = y = 0
        for index in range(len(self._tags)):
            chip_width = min(self._text_width(index) + 2 * _PADDING, width)
            if x and x + chip_width > width:
                x, y = 0, y + _HEIGHT + _GAP
            yield QRect(x, y, chip_width, _HEIGHT)
            x += chip_width + _GAP

    # --- the mouse

    def rect_of(self, name: str) -> QRect:
        """Return the rectangle of a tag's chip; empty if there is none."""
        rects = zip(self._tags, self._rects(self.width()), strict=True)
        return next((rect for tag, rect in rects if tag.name == name), QRect())

    def _chip_at(self, point: QPoint) -> tuple[int, bool]:
        """Return the chip at a point, -1 for none, and whether its cross is there."""
        for index, rect in enumerate(self._rects(self.width())):
            if rect.contains(point):
                return index, point.x() > rect.right() - _CROSS
        return -1, False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Set cursor and tooltip for a press at this point."""
        self._hover, on_cross = self._chip_at(event.position().toPoint())
        self.update()
        if self._hover < 0:
            self.unsetCursor()
            self.setToolTip("")
            return
        tag = self._tags[self._hover]
        clickable = on_cross or tag.state != "confirmed"
        action = f". Click to {'remove' if on_cross else 'confirm'}" if clickable else ""
        self.setToolTip(theme.plain_tip(in_words(tag) + action))
        shape = Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        self._hover = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Confirm a suggestion, or remove the tag whose cross was pressed."""
        index, on_cross = self._chip_at(event.position().toPoint())
        if not self._clickable or index < 0 or event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        tag = self._tags[index]
        if on_cross:
            self.removed.emit(tag.name)
        elif tag.state != "confirmed":
            self.confirmed.emit(tag.name)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request a menu for the tag under the pointer."""
        index, _ = self._chip_at(event.pos())
        if self._clickable and index >= 0:
            self.menu.emit(self._tags[index].name, event.globalPos())


def _detail(tag: TagDetail) -> str:
    if tag.state == "confirmed":
        return ""
    return "suggested" if tag.confidence is None else f"suggested {tag.confidence} %"


def in_words(tag: TagDetail) -> str:
    """Return a tag in words: ``harbor, suggested by the encoder, 80 %``."""
    if tag.state == "confirmed":
        return f"{tag.name}, confirmed"
    return f"{tag.name}, {suggestion(tag)}"
