"""The learning curve of the Taste page: predictions compared with always guessing your mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.taste import Accuracy
from curator.ui.widgets import theme, words

_PANEL = 96  # height of one panel's field, px
_HEAD = 28  # px of the title above it
_LEFT, _RIGHT = 28, 116  # px for the scale, and for the names of the lines
_FOOT = 22
_DOT = 2.5  # radius of a point
_LINE = 15  # px, least distance of two names
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel, with its name at the end.

    ``points`` are pairs of the number of predicted ratings and a value; ``machine`` is true for the
    model's line.
    """

    name: str
    points: Points
    machine: bool = True


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with title, marks on its scale, and lines."""

    title: str
    marks: Sequence[float]
    lines: Sequence[Line]


def panels(curve: Sequence[tuple[int, Accuracy]]) -> tuple[Panel, Panel]:
    """Return the two panels of a learning curve: rank correlation above, mean error below."""
    order = [(float(at), point.correlation) for at, point in curve]
    error = [(float(at), point.error) for at, point in curve]
    usual = [(float(at), point.mean_error) for at, point in curve]
    low = min((value for _, value in order), default=0.0)
    most = max((value for _, value in error + usual), default=1.0)
    step = 0.5 if most <= 1.5 else 1.0
    marks = [step * number for number in range(int(-(-most // step)) + 1)]
    return (
        Panel(
            "Rank correlation of predictions with your ratings",
            [*([-0.5] if low < -0.05 else []), 0.0, 0.5, 1.0],
            [Line(_end(order, "{:.2f}"), order)],
        ),
        Panel(
            "Average error in stars",
            marks,
            [
                Line(_end(error, "{:.2f} predicted"), error),
                Line(_end(usual, "{:.2f} your mean"), usual, machine=False),
            ],
        ),
    )


def _end(points: Points, text: str) -> str:
    return text.format(points[-1][1]) if points else ""


class LearningCurve(QWidget):
    """Draws the panels one above the other, over a common axis of predicted ratings.

    The model's line has hollow points; the mean is dashed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._panels: Sequence[Panel] = ()
        self._stops: tuple[int, int] = (0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(2 * (_HEAD + _PANEL) + _FOOT)

    def show_curve(self, curve: Sequence[tuple[int, Accuracy]]) -> None:
        """Show a learning curve; without points nothing is drawn."""
        self._panels = panels(curve) if curve else ()
        self._stops = (curve[0][0], curve[-1][0]) if curve else (0, 0)
        named = [f"{panel.title}: {line.name}" for panel in self._panels for line in panel.lines]
        self.setAccessibleName("; ".join(named))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both panels and their common axis."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.caption_font())
        top = 0.0
        for panel in self._panels:
            title = QRectF(0, top, self.width(), _HEAD - 4)
            painter.setPen(theme.TEXT)
            painter.drawText(title, int(Qt.AlignmentFlag.AlignVCenter), panel.title)
            field = QRectF(_LEFT, top + _HEAD, self.width() - _LEFT - _RIGHT, _PANEL)
            self._paint(painter, panel, field.adjusted(0, 4, 0, -4))
            top += _HEAD + _PANEL
        if self._panels:
            self._axis(painter, top)

    def _axis(self, painter: QPainter, top: float) -> None:
        first, last = self._stops
        painter.setPen(theme.QUIET)
        width = self.width() - _LEFT - _RIGHT
        place = QRectF(_LEFT, top, width + _RIGHT, _FOOT)
        end = f"{words.count(last)} predicted ratings"
        if first != last:
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), words.count(first))
        room = painter.fontMetrics().horizontalAdvance(end)
        x = _LEFT + width - painter.fontMetrics().horizontalAdvance(words.count(last)) / 2
        place = QRectF(min(x, self.width() - room), top, room + 2, _FOOT)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), end)

    def _paint(self, painter: QPainter, panel: Panel, field: QRectF) -> None:
        low, high = panel.marks[0], panel.marks[-1]

        def y(value: float) -> float:
            share = (min(max(value, low), high) - low) / (high - low)
            return field.bottom() - share * field.height()

        for mark in panel.marks:
            level = round(y(mark)) + 0.5
            painter.setPen(QPen(theme.HAIRLINE, 1))
            painter.drawLine(QPointF(field.left(), level), QPointF(field.right(), level))
            painter.setPen(theme.QUIET)
            place = QRectF(0, level - 8, _LEFT - 8, 16)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, int(flags), f"{mark:.1f}")
        ends = []
        for line in reversed(panel.lines):  # the model's line on top
            points = [QPointF(self._x(at, field), y(value)) for at, value in line.points]
            _draw(painter, points, line.machine)
            ends.append((points[-1], line))
        self._name(painter, ends, field)

    def _x(self, at: float, field: QRectF) -> float:
        first, last = self._stops
        share = (at - first) / (last - first) if last > first else 1.0
        return field.left() + _DOT + 1 + share * (field.width() - 2 * _DOT - 2)

    def _name(self, painter: QPainter, ends: Sequence[tuple[QPointF, Line]], field: QRectF) -> None:
        """Write the names at the ends of the lines, without overlap."""
        placed = sorted(ends, key=lambda end: end[0].y())
        heights = [end.y() for end, _ in placed]
        for number in range(1, len(heights)):
            if heights[number] - heights[number - 1] < _LINE:
                middle = (heights[number] + heights[number - 1]) / 2
                heights[number - 1], heights[number] = middle - _LINE / 2, middle + _LINE / 2
        for height, (_, line) in zip(heights, placed, strict=True):
            painter.setPen(theme.TEXT if line.machine else theme.QUIET)
            place = QRectF(field.right() + 8, height - 8, _RIGHT - 8, 16)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), line.name)


def _draw(painter: QPainter, points: Sequence[QPointF], machine: bool) -> None:
    pen = QPen(theme.QUIET if machine else theme.DISABLED, 1.5 if machine else 1)
    if not machine:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(points)
    if machine:
        painter.setPen(QPen(theme.QUIET, 1))
        painter.setBrush(QColor(theme.PANEL))
        few = points if len(points) <= 24 else points[-1:]
        for point in few:
            painter.drawEllipse(point, _DOT, _DOT)
