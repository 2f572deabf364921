"""The person and the model on one axis: agreement with oneself, and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.learning.report import Report
from curator.taste.accuracy import MIN_JUDGED
from curator.ui.widgets import theme

_TEXT = 16  # px of a line of text
_TRACK = 20  # px of a mark's track below its text
_ROW = _TEXT + _TRACK
_DOT = 4.5  # radius of a mark
_EDGE = 6  # px beside the tracks, for half a mark
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on the axis with its interval; ``solid`` if a person's ratings show it."""

    name: str
    value: float
    low: float
    high: float
    solid: bool

    @property
    def text(self) -> str:
        """The mark in words."""
        return f"{self.name} {self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def marks(report: Report) -> list[Mark]:
    """Return the marks of the person and of the model, as far as they are known."""
    found, judged = report.agreement, report.accuracy
    known = []
    if found is not None:
        own = found.assumed < 0.5
        assumed = "" if own else ", mostly assumed" if found.repeats else ", assumed"
        name = f"You agree with yourself{assumed}"
        known.append(Mark(name, found.value, found.low, found.high, own))
    if judged.count >= MIN_JUDGED and judged.varied:
        known.append(
            Mark("Curator's predictions", judged.correlation, judged.low, judged.high, False)
        )
    return known


class AgreementAxis(QWidget):
    """Draws two marks with their intervals over one axis of rank correlation, 0 to 1.

    The person's is in pencil once their own ratings show it; the model's is a gray outline.
    Hatched is what no prediction could reach.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Mark] = ()
        self._ceiling = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(240)

    def show_report(self, report: Report) -> None:
        """Show what a report says of both."""
        self._rows = marks(report)
        self._ceiling = 1.0 if report.agreement is None else report.agreement.ceiling
        reach = f"can be reached {self._ceiling:.2f}"
        self.setAccessibleName("; ".join([*(mark.text for mark in self._rows), reach]))
        self.setFixedHeight(len(self._rows) * _ROW + _TEXT)
        self.update()

    def _x(self, value: float) -> float:
        return _EDGE + min(max(value, 0.0), 1.0) * (self.width() - 2 * _EDGE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, and the numbers of the axis below them."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.caption_font())
        metrics = painter.fontMetrics()
        for number, mark in enumerate(self._rows):
            painter.setPen(theme.TEXT)
            place = QRectF(0, number * _ROW, self.width(), _TEXT)
            text = metrics.elidedText(mark.text, Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), text)
            self._draw(painter, mark, number * _ROW + _TEXT)
        painter.setPen(theme.QUIET)
        for tick in _TICKS:
            width = metrics.horizontalAdvance(f"{tick:.1f}")
            left = min(max(self._x(tick) - width / 2, 0), self.width() - width)
            place = QRectF(left, len(self._rows) * _ROW, width + 2, _TEXT)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), f"{tick:.1f}")

    def _draw(self, painter: QPainter, mark: Mark, top: float) -> None:
        """Draw a track with its ticks, and the mark with its interval on it."""
        y = top + _TRACK / 2
        painter.setPen(QPen(theme.HAIRLINE, 1))
        for tick in _TICKS:
            x = round(self._x(tick)) + 0.5
            painter.drawLine(QPointF(x, top + 2), QPointF(x, top + _TRACK - 2))
        painter.drawLine(QPointF(self._x(0), y), QPointF(self._x(1), y))
        left, right = self._x(self._ceiling), self._x(1)
        beyond = QRectF(left, top + 3, right - left, _TRACK - 6)
        painter.fillRect(beyond, QBrush(theme.DISABLED, Qt.BrushStyle.BDiagPattern))
        color = theme.PENCIL if mark.solid else theme.QUIET
        painter.setPen(QPen(color, 2 if mark.solid else 1.5))
        painter.drawLine(QPointF(self._x(mark.low), y), QPointF(self._x(mark.high), y))
        painter.setBrush(color if mark.solid else theme.PANEL)
        painter.drawEllipse(QPointF(self._x(mark.value), y), _DOT, _DOT)
