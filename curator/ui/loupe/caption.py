"""The line under the picture, and the small map of where one is in a zoomed one."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from curator.library.table import Tile
from curator.model import Verdict
from curator.ui.widgets import mark_painter, theme, words

HEIGHT = 24
_GAP = 16
_LEAST = 48  # px; what is cut shorter than this says nothing
NAVIGATOR = 96
_DARK = QColor("#191919")
_BRIGHT_FROM = 100  # lightness from which a surround needs dark letters


def ink(surround: QColor) -> tuple[QColor, QColor]:
    """Choose the colors of text and quiet text on a surround."""
    if surround.lightness() < _BRIGHT_FROM:
        return theme.TEXT, theme.QUIET
    return _DARK, _DARK


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands under a picture: marks, capture line, and facts of the file at the right.

    ``role`` is what the photo is beside another: winner or challenger. ``sign`` is what was just
    decided, in pencil before the line, with the name of its photo: that may have been the last one.
    """

    tile: Tile
    middle: str
    right: str
    role: str = ""
    sign: str = ""

    def draw(self, painter: QPainter, room: QRect, font: QFont, surround: QColor) -> None:
        """Draw it into ``room``, a line of 24 px; the capture line stays in the middle.

        Where it is narrow the facts of the file give way before the photo's name does.
        """
        text, quiet = ink(surround)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        middle = room.center().y() + 1
        rejected = self.tile.marks.verdict is Verdict.REJECTED
        left = room.left()
        align, elide = Qt.AlignmentFlag.AlignVCenter, Qt.TextElideMode.ElideRight
        if self.role:
            painter.setPen(text)
            painter.drawText(room, align | Qt.AlignmentFlag.AlignLeft, self.role)
            left += metrics.horizontalAdvance(self.role) + _GAP // 2
        if rejected:
            self._cross(painter, left, middle)
            left += 16
        # What one looks at is not yet passed over, however long one rests on it.
        left = mark_painter.draw_marks(painter, left, middle, self.tile.marks, False, quiet)
        name = metrics.horizontalAdvance(self.tile.name)
        spare = max(room.right() + 1 - left - name - 2 * _GAP, 0)
        facts = metrics.elidedText(self.right, elide, spare) if spare > _LEAST else ""
        right = room.right() + 1 - metrics.horizontalAdvance(facts)
        painter.setPen(quiet)
        painter.drawText(room, align | Qt.AlignmentFlag.AlignRight, facts)
        width = metrics.horizontalAdvance(self.middle) + 2
        start = max(left + _GAP, room.center().x() - width // 2)
        end = min(start + width, right - _GAP)
        start = max(left + _GAP, end - width)
        shown = words.elide_facts(self.middle, metrics, end - start)
        if self.sign:
            before = QRect(left + _GAP, room.top(), start - left - 2 * _GAP, room.height())
            painter.setPen(theme.PENCIL)
            sign = metrics.elidedText(self.sign, elide, max(before.width(), 0))
            painter.drawText(before, align | Qt.AlignmentFlag.AlignRight, sign)
        painter.setPen(text)
        line = QRect(start, room.top(), max(end - start, 0) + 1, room.height())
        painter.drawText(line, align | Qt.AlignmentFlag.AlignLeft, shown)

    @staticmethod
    def _cross(painter: QPainter, left: int, middle: int) -> None:
        """Draw a small thumbnail's outline with the strike stroke: rejected."""
        rect = QRectF(left, middle - 5, 13, 9)
        painter.setPen(QPen(theme.QUIET, 1))
        painter.drawRect(rect)
        mark_painter.draw_strike(painter, rect.adjusted(-1, -1, 2, 2))


def navigator(area: QRect, picture: tuple[int, int]) -> QRect:
    """Place the map of a zoomed picture: lower right of ``area``, 96 px on its long side."""
    scale = NAVIGATOR / max(picture)
    width, height = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    return QRect(area.right() + 1 - width, area.bottom() - 7 - height, width, height)


def draw_part(painter: QPainter, place: QRect, part: QRectF, percent: str, font: QFont) -> None:
    """Frame the map, outline what is on screen (fractions of the picture), name the zoom."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.CANVAS, 1))
    painter.drawRect(place.adjusted(-1, -1, 0, 0))
    painter.setPen(QPen(theme.WHITE, 1))
    painter.drawRect(
        QRectF(
            place.x() + part.x() * place.width(),
            place.y() + part.y() * place.height(),
            max(part.width() * place.width() - 1, 2),
            max(part.height() * place.height() - 1, 2),
        )
    )
    painter.setFont(font)
    line = QFontMetrics(font).height() + 4
    label = QRect(place.left() - 1, place.top() - 1 - line, place.width() + 1, line)
    painter.fillRect(label, theme.CANVAS)
    painter.setPen(theme.TEXT)
    painter.drawText(label, Qt.AlignmentFlag.AlignCenter, percent)
