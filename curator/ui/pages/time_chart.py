"""Chart of photos over time, for the overview: a bar per day, month or year."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy

from curator.library.statistics import DAY, MONTH, MONTHS, Period
from curator.ui.pages.charts import LEFT, Chart, Spot, stacked
from curator.ui.widgets import theme, words

_CENTER = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter)


class TimeChart(Chart):
    """Photos over time, a bar per period; a long gap is drawn as three dots."""

    _WIDEST, _FOLD, _FOOT, _TOP = 72.0, 28.0, 20, 18

    def __init__(self) -> None:
        super().__init__("Over time")
        self._periods: tuple[Period | None, ...] = ()
        self._grain = MONTH
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(self.head + self._TOP + 76 + self._FOOT)
        self.setMaximumHeight(400)

    def show_periods(self, periods: Sequence[Period | None], grain: str) -> None:
        """Show other periods; None is a long gap."""
        if tuple(periods) != self._periods:
            self._periods, self._grain = tuple(periods), grain
            self.title = f"By {grain}"
            self.figures = tuple(p.figure for p in periods if p is not None and p.figure.photos)
            self._changed()

    def _step(self) -> float:
        folds = sum(period is None for period in self._periods)
        bars = len(self._periods) - folds
        return min((self.width() - folds * self._FOLD) / max(bars, 1), self._WIDEST)

    def _slots(self) -> list[tuple[QRectF, Period | None]]:
        """Return the column of every period, as high as the chart."""
        step, x, slots = self._step(), 0.0, []
        height = self.height() - self.head - self._FOOT
        for period in self._periods:
            width = self._FOLD if period is None else step
            slots.append((QRectF(x, self.head, width, height), period))
            x += width
        return slots

    def _spread(self) -> list[Spot]:
        return [
            Spot(place, period.figure)
            for place, period in self._slots()
            if period is not None and period.figure.photos
        ]

    def _paint(self, painter: QPainter) -> None:
        most = max((figure.photos for figure in self.figures), default=0) or 1
        step, metrics = self._step(), painter.fontMetrics()
        gap = 1.0 if step < 12 else 2.0 if step < 36 else 6.0
        ground = self.height() - self._FOOT
        field = ground - self.head - self._TOP
        named = step >= metrics.horizontalAdvance(words.count(most)) + 6
        number, highest_named = -1, False
        for place, period in self._slots():
            if period is None:
                self._dots(painter, place.center().x(), ground - 3)
                continue
            figure = period.figure
            if not figure.photos:
                continue
            number += 1
            height = max(field * figure.photos / most, 1)
            lit = self._is_lit(number)
            bar = QRectF(place.left(), ground - height, max(place.width() - gap, 1), height)
            stacked(painter, figure, bar, lit, upright=True)
            highest = figure.photos == most and not highest_named
            if named or highest or lit:
                highest_named |= highest
                above = QRectF(bar.center().x() - 40, bar.top() - 16, 80, 14)
                above.moveLeft(min(max(above.left(), bar.left() - 40), self.width() - 40.0))
                painter.setPen(theme.WHITE if lit else theme.TEXT)
                painter.drawText(above, _CENTER, words.count(figure.photos))
            if lit:
                self._ring(painter, bar)
        painter.setPen(theme.HAIRLINE)
        painter.drawLine(0, ground, self.width(), ground)
        self._axis(painter, ground)

    @staticmethod
    def _dots(painter: QPainter, x: float, y: float) -> None:
        for dot in (-5, 0, 5):
            painter.fillRect(QRectF(x + dot - 1, y - 1, 2, 2), theme.DISABLED)

    def _axis(self, painter: QPainter, ground: int) -> None:
        """Draw the names of periods below the line, without overlap."""
        metrics, free = painter.fontMetrics(), -1.0
        for place, text, begins in self._marks():
            width = metrics.horizontalAdvance(text)
            x = min(place.left(), self.width() - width)
            if x < free:
                continue
            painter.setPen(theme.TEXT if begins else theme.QUIET)
            painter.drawText(QRectF(x, ground + 4, width + 2, 14), LEFT, text)
            free = x + width + 10

    def _marks(self) -> list[tuple[QRectF, str, bool]]:
        """Return the place of each period, its name, and whether it begins a month or a year.

        Months without room for their names are left out.
        """
        found, before = [], None
        names_months = self._step() >= 34
        for place, period in self._slots():
            if period is None:
                continue
            start = period.start
            month = MONTHS[start.month - 1][:3]
            if self._grain == MONTH:
                begins = before is None or start.year != before.year
                text = str(start.year) if begins else month if names_months else ""
            elif self._grain == DAY:
                begins = before is None or start.month != before.month
                text = f"{start.day} {month} {start.year}" if begins else str(start.day)
            else:
                begins, text = True, str(start.year)
            if text:
                found.append((place, text, begins))
            before = start
        return found
