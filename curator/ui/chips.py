"""Tags as chips: outlined where a machine suggests, solid where a person confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.catalog import TagDetail
from curator.ui import theme

_HEIGHT = 22
_GAP = 6
_PADDING = 8
_BETWEEN = 5  # name and what is said of it


class TagChips(QWidget):
    """The tags of a photo in rows; each says its name, and of a suggestion whose and how sure."""

    def __init__(self, tags: Sequence[TagDetail]) -> None:
        super().__init__()
        self._tags = tuple(tags)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(f"Tags: {', '.join(map(in_words, tags))}")
        self.setToolTip(theme.plain_tip("; ".join(map(in_words, tags))))

    def sizeHint(self) -> QSize:
        """Room for the panel's usual width."""
        width = theme.INSPECTOR - 32
        return QSize(width, self.heightForWidth(width))

    def heightForWidth(self, width: int) -> int:
        """Room for all rows."""
        return max((place.bottom() + 1 for _, place in self._placed(width)), default=0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the chips."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        large, small = QFontMetrics(theme.body_font()), QFontMetrics(theme.caption_font())
        for tag, place in self._placed(self.width()):
            solid = tag.state == "confirmed"
            painter.setPen(Qt.PenStyle.NoPen if solid else theme.DISABLED)
            painter.setBrush(theme.HAIRLINE if solid else Qt.BrushStyle.NoBrush)
            outline = QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(outline, theme.RADIUS, theme.RADIUS)
            said = _said(tag)
            room = place.width() - 2 * _PADDING
            room -= small.horizontalAdvance(said) + _BETWEEN if said else 0
            name = large.elidedText(tag.name, Qt.TextElideMode.ElideRight, room)
            base = place.top() + (place.height() + large.ascent() - large.descent()) / 2
            left = float(place.left() + _PADDING)
            painter.setFont(theme.body_font())
            painter.setPen(theme.TEXT)
            painter.drawText(QPointF(left, base), name)
            left += large.horizontalAdvance(name) + _BETWEEN
            painter.setFont(theme.caption_font())
            painter.setPen(theme.QUIET)
            painter.drawText(QPointF(left, base), said)

    def _placed(self, width: int) -> Iterator[tuple[TagDetail, QRect]]:
        """Give each chip its place: rows from the left, as wide as its words."""
        large, small = QFontMetrics(theme.body_font()), QFontMetrics(theme.caption_font())
        x = y = 0
        for tag in self._tags:
            said = _said(tag)
            wide = large.horizontalAdvance(tag.name) + 1 + 2 * _PADDING  # just as wide, it elides
            wide = min(wide + (small.horizontalAdvance(said) + _BETWEEN if said else 0), width)
            if x and x + wide > width:
                x, y = 0, y + _HEIGHT + _GAP
            yield tag, QRect(x, y, wide, _HEIGHT)
            x += wide + _GAP


def _said(tag: TagDetail) -> str:
    return "" if tag.state == "confirmed" else f"{tag.source} {tag.confidence}"


def in_words(tag: TagDetail) -> str:
    """Say a tag in a few words: ``harbor, suggested by the encoder, 80 of 100``."""
    if tag.state == "confirmed":
        return f"{tag.name}, confirmed"
    return f"{tag.name}, suggested by the {tag.source}, {tag.confidence} of 100"
