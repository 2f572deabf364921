"""Draws the marks of a photo: label bar, flag, stars, the strike of a reject, the match score.

Grid, filmstrip, loupe and panels draw with it. A person's marks are solid, in the pencil color or
that of the label; what a model computed is a gray outline. A row of marks is drawn once per
combination and device pixel ratio and then blitted: a screenful of tiles has a few dozen.
"""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen, QPixmap

from curator.model import Flag, Label, Marks
from curator.ui.widgets import theme

MARKS_PX = 14  # height of a row of marks
_MATCH_PX = 16  # height of a match score
_STAR_PX = 10
_STAR_STEP = 11
_GAP = 6
_BAR = 3
_DOT = 6
_FLAG = 9
_STRIKE = 2.0


def draw_strike(painter: QPainter, rect: QRectF) -> None:
    """Draw the strike of a reject from the lower left to the upper right corner."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(theme.PENCIL, _STRIKE)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.setClipRect(rect)
    painter.drawLine(QLineF(rect.bottomLeft(), rect.topRight()))
    painter.restore()


def draw_marks(
    painter: QPainter,
    left: int,
    middle: int,
    marks: Marks,
    skipped: bool,
    dot_color: QColor = theme.QUIET,
) -> int:
    """Draw a row of marks, vertically centered on ``middle``.

    Args:
        painter: in logical px.
        left: x of the row's start, px.
        middle: y of its center, px.
        marks: the photo's marks.
        skipped: whether to draw the hollow dot of a photo seen but not reviewed.
        dot_color: the color of that dot.

    Returns:
        x of the row's end, px; ``left`` if there is nothing to draw.
    """
    glyph = _glyph(marks, skipped)
    if not (glyph or marks.rating or marks.label):
        return left
    ratio = painter.device().devicePixelRatioF()
    row = _row(marks.label, glyph, marks.rating or 0, ratio, dot_color.name())
    painter.drawPixmap(QPointF(left, middle - MARKS_PX / 2), row)
    return left + round(row.width() / ratio)


def marks_width(marks: Marks, skipped: bool) -> int:
    """Return the width of a row of marks, px; 0 if there is nothing to draw."""
    return _width(marks.label, _glyph(marks, skipped), marks.rating or 0)


def _width(label: Label | None, glyph: str, stars: int) -> int:
    parts = [_BAR] * bool(label) + [_FLAG if glyph == "pick" else _DOT] * bool(glyph)
    parts += [stars * _STAR_STEP] * bool(stars)
    return sum(parts) + _GAP * (len(parts) - 1) if parts else 0


def draw_match(painter: QPainter, left: int, middle: int, score: int) -> int:
    """Draw a match score as a gray outlined number. Return x of its end, px."""
    ratio = painter.device().devicePixelRatioF()
    painter.drawPixmap(QPoint(left, middle - _MATCH_PX // 2), _number(score, ratio))
    return left + match_width(score)


@lru_cache(maxsize=256)
def _number(score: int, ratio: float) -> QPixmap:
    rect = QRect(0, 0, match_width(score), _MATCH_PX)
    image = theme.transparent(rect.width(), rect.height(), ratio)
    painter = QPainter(image)
    painter.setFont(theme.caption_font())
    painter.setPen(QPen(theme.DISABLED, 1))
    painter.drawRect(rect.adjusted(0, 0, -1, -1))
    painter.setPen(theme.QUIET)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(score))
    painter.end()
    return image


@lru_cache(maxsize=256)
def match_width(score: int) -> int:
    """Return the width of a match score, px."""
    return QFontMetrics(theme.caption_font()).horizontalAdvance(str(score)) + 8


def _glyph(marks: Marks, skipped: bool) -> str:
    """Return the glyph for pick, kept or skipped; rejects and ratings alone have none."""
    if marks.flag is Flag.PICK:
        return "pick"
    if marks.flag is Flag.REJECT or marks.rating:
        return ""
    return "kept" if marks.kept else "skipped" if skipped else ""


@lru_cache(maxsize=512)
def _row(label: Label | None, glyph: str, stars: int, ratio: float, dot_color: str) -> QPixmap:
    image = theme.transparent(_width(label, glyph, stars) + 1, MARKS_PX, ratio)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    left = 0
    if label:
        painter.fillRect(left, 0, _BAR, MARKS_PX, theme.LABELS[label])
        left += _BAR + _GAP
    if glyph:
        left += _draw_glyph(painter, glyph, left, QColor(dot_color)) + _GAP
    painter.setBrush(theme.PENCIL)
    for number in range(stars):
        painter.drawPath(_star().translated(left + number * _STAR_STEP, (MARKS_PX - _STAR_PX) / 2))
    painter.end()
    return image


def _draw_glyph(painter: QPainter, glyph: str, left: int, dot_color: QColor) -> int:
    """Draw a pick's flag or a dot: solid if kept, hollow if skipped. Return its width, px."""
    middle = MARKS_PX / 2
    if glyph == "pick":
        painter.fillRect(QRectF(left, 1.5, 1.5, 11), theme.PENCIL)
        flag = QPainterPath(QPointF(left + 1.5, 1.5))
        for x, y in ((9, 4.5), (1.5, 7.5)):
            flag.lineTo(left + x, y)
        painter.fillPath(flag, theme.PENCIL)
        return _FLAG
    dot = QRectF(left, middle - _DOT / 2, _DOT, _DOT)
    if glyph == "kept":
        painter.setBrush(theme.PENCIL)
    else:
        painter.setPen(QPen(dot_color, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        dot.adjust(0.5, 0.5, -0.5, -0.5)
    painter.drawEllipse(dot)
    painter.setPen(Qt.PenStyle.NoPen)
    return _DOT


@lru_cache(maxsize=1)
def _star() -> QPainterPath:
    """Build a five-pointed star, 10 px wide; a little fuller than a pentagram."""
    path = QPainterPath()
    center = outer = _STAR_PX / 2
    for corner in range(10):
        radius = outer if corner % 2 == 0 else outer * 0.42
        angle = math.pi * (corner / 5 - 0.5)
        point = QPointF(center + radius * math.cos(angle), center + 0.4 + radius * math.sin(angle))
        path.lineTo(point) if corner else path.moveTo(point)
    path.closeSubpath()
    return path
