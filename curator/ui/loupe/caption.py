"""The caption line below a picture, and the navigator of a zoomed one.

A caption takes as long to draw as the picture above it. It is drawn once for its texts, before its
photo is shown if possible, and then copied to the screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from curator.model import Marks, Verdict
from curator.settings import Surround
from curator.ui.widgets import mark_painter, theme, words

HEIGHT = 24
_GAP = 16
_LEAST = 48  # px; elided text narrower than this is left out
NAVIGATOR = 96
_DARK = QColor("#191919")
_BRIGHT_FROM = 100  # lightness from which a surround needs dark text


def text_colors(surround: QColor) -> tuple[QColor, QColor]:
    """Return the colors of text and quiet text on a surround."""
    if surround.lightness() < _BRIGHT_FROM:
        return theme.TEXT, theme.QUIET
    return _DARK, _DARK


@dataclass(frozen=True, slots=True)
class Caption:
    """The line below a picture: marks at the left, capture data, and file facts at the right.

    Attributes:
        name: of the photo.
        marks: of the photo.
        middle: its capture data.
        right: facts about its file and the pixels shown.
        role: of a photo beside another one: winner or challenger.
        decision: the mark just made with the name of its photo, which may be the previous one;
            drawn in pencil before the capture data.
    """

    name: str
    marks: Marks
    middle: str
    right: str
    role: str = ""
    decision: str = ""

    def draw(self, painter: QPainter, line: QRect, font: QFont, surround: QColor) -> None:
        """Draw it into a line of 24 px, with the capture data in the middle.

        In a narrow pane the file facts are elided before the photo's name.
        """
        text, quiet = text_colors(surround)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        middle, left = line.center().y() + 1, line.left()
        align, elide = Qt.AlignmentFlag.AlignVCenter, Qt.TextElideMode.ElideRight
        if self.role:
            painter.setPen(text)
            painter.drawText(line, align | Qt.AlignmentFlag.AlignLeft, self.role)
            left += metrics.horizontalAdvance(self.role) + _GAP // 2
        if self.marks.verdict is Verdict.REJECTED:
            _draw_reject_icon(painter, left, middle)
            left += 16
        # The photo in view is not skipped yet, however long it has been shown.
        left = mark_painter.draw_marks(painter, left, middle, self.marks, False, quiet)
        name_width = metrics.horizontalAdvance(self.name)
        spare = max(line.right() + 1 - left - name_width - 2 * _GAP, 0)
        facts = metrics.elidedText(self.right, elide, spare) if spare > _LEAST else ""
        right = line.right() + 1 - metrics.horizontalAdvance(facts)
        painter.setPen(quiet)
        painter.drawText(line, align | Qt.AlignmentFlag.AlignRight, facts)
        width = metrics.horizontalAdvance(self.middle) + 2
        start = max(left + _GAP, line.center().x() - width // 2)
        end = min(start + width, right - _GAP)
        start = max(left + _GAP, end - width)
        shown = words.elide_facts(self.middle, metrics, end - start)
        if self.decision:
            before = QRect(left + _GAP, line.top(), start - left - 2 * _GAP, line.height())
            painter.setPen(theme.PENCIL)
            shown_decision = metrics.elidedText(self.decision, elide, max(before.width(), 0))
            painter.drawText(before, align | Qt.AlignmentFlag.AlignRight, shown_decision)
        painter.setPen(text)
        center = QRect(start, line.top(), max(end - start, 0) + 1, line.height())
        painter.drawText(center, align | Qt.AlignmentFlag.AlignLeft, shown)


@lru_cache(maxsize=16)  # eight panes beside each other, each now and before; 140 KB a whole line
def drawn(shown: Caption, width: int, surround: Surround, ratio: float) -> QPixmap:
    """Return a caption drawn on its surround, in device px.

    Args:
        shown: the caption.
        width: of the line, logical px.
        surround: the color around the picture.
        ratio: device px per logical px.
    """
    line, color = QRect(0, 0, width, HEIGHT), theme.SURROUND_COLORS[surround]
    image = QPixmap(math.ceil(width * ratio), math.ceil(HEIGHT * ratio))
    image.setDevicePixelRatio(ratio)
    image.fill(color)
    with QPainter(image) as painter:
        shown.draw(painter, line, theme.body_font(), color)
    image.setDevicePixelRatio(1.0)
    return image


def _draw_reject_icon(painter: QPainter, left: int, middle: int) -> None:
    """Draw the icon of a reject: a small frame, struck out."""
    rect = QRectF(left, middle - 5, 13, 9)
    painter.setPen(QPen(theme.QUIET, 1))
    painter.drawRect(rect)
    mark_painter.draw_strike(painter, rect.adjusted(-1, -1, 2, 2))


def navigator_rect(area: QRect, picture: tuple[int, int]) -> QRect:
    """Return where the navigator lies: at the lower right of ``area``, 96 px on its long side."""
    scale = NAVIGATOR / max(picture)
    width, height = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    return QRect(area.right() + 1 - width, area.bottom() - 7 - height, width, height)


def draw_part(painter: QPainter, place: QRect, part: QRectF, percent: str, font: QFont) -> None:
    """Draw on the navigator its frame, the part on screen and the zoom.

    Args:
        painter: in logical px.
        place: the rectangle of the navigator.
        part: the part on screen, in fractions of the picture.
        percent: the zoom.
        font: of the zoom.
    """
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
