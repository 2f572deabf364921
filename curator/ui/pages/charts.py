"""Charts of photo counts, for overview and finish page: a strip, and rows of bars.

A click on a figure shows its photos. Kept photos are drawn in pencil, rejected ones in dimmed
pencil (struck through in the strip), unreviewed ones in gray. Lengths are to scale. The
figure under the pointer or the keyboard focus is described in full at the right of the title.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.library.statistics import Figure
from curator.ui.widgets import layouts, theme, words

HEAD = 26  # height of the title line, px
_ROW = 24
_MOST_ROWS = 8  # of more figures, the last row stands for the rest and expands on a click
_BAR = 8  # height of a bar in a row
_GAP = 8
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
_PRESSES = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


def _mixed(color: QColor, under: QColor, share: float) -> QColor:
    """Return a color laid over another one with this opacity."""

    def mixed(over: int, below: int) -> int:
        return round(over * share + below * (1 - share))

    return QColor(
        mixed(color.red(), under.red()),
        mixed(color.green(), under.green()),
        mixed(color.blue(), under.blue()),
    )


DIMMED = _mixed(theme.PENCIL, theme.CANVAS, 0.3)  # like a rejected tile: 30 %
# The parts of a figure, in the order they are drawn.
_PARTS: tuple[tuple[Callable[[Figure], int], QColor], ...] = (
    (lambda figure: figure.kept, theme.PENCIL),
    (lambda figure: figure.rejected, DIMMED),
    (lambda figure: figure.unreviewed, theme.DISABLED),
)


def describe(figure: Figure) -> str:
    """Describe a figure in full: ``May 2024 · 412 photos · 120 kept · 292 unreviewed``."""
    parts = [(figure.kept, "kept"), (figure.rejected, "rejected")]
    verdicts = [f"{words.count(number)} {what}" for number, what in parts if number]
    rest = f"{words.count(figure.unreviewed)} unreviewed" if figure.unreviewed and verdicts else ""
    return words.joined((figure.name, words.photos(figure.photos), *verdicts, rest))


def _describe_count(figure: Figure) -> str:
    """Describe a figure without its verdicts, for charts that show no parts of a figure."""
    return words.joined((figure.name, words.photos(figure.photos)))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a figure can be clicked, logical px."""

    place: QRectF
    figure: Figure


class Chart(QWidget):
    """Figures to point at, to go through with the arrow keys, and to click.

    Signals:
        pressed(Figure): a figure whose photos are to be shown.

    Attributes:
        title: shown above the chart.
    """

    pressed = Signal(object)

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.title = title
        self.setAccessibleName(title or "Chart")
        self.figures: tuple[Figure, ...] = ()
        self._spots: list[Spot] = []
        self._at = -1  # the spot that is described
        self.setMouseTracking(True)
        self.setFont(theme.caption_font())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_figures(self, figures: Sequence[Figure]) -> None:
        """Show other figures."""
        if tuple(figures) != self.figures:
            self.figures = tuple(figures)
            self._changed()

    def _changed(self) -> None:
        figures = "; ".join(
            self._description(figure).replace(" · ", ", ") for figure in self.figures
        )
        self.setAccessibleName(f"{self.title}: {figures}" if self.title else figures)
        self._place()
        self.updateGeometry()
        self.update()

    def place_of(self, name: str) -> QRect:
        """Return where a figure is drawn; empty if it is not drawn."""
        return next((s.place.toRect() for s in self._spots if s.figure.name == name), QRect())

    @property
    def head(self) -> int:
        """Height of the title line, px."""
        return HEAD if self.title else 0

    @property
    def readout(self) -> str:
        """The description of the figure pointed at; empty without a figure."""
        return self._description(self._spots[self._at].figure) if self._at >= 0 else ""

    # --- drawn by each kind of chart

    def _description(self, figure: Figure) -> str:
        return describe(figure)

    def _spread(self) -> list[Spot]:
        """Return the figures with the places where they are drawn and clicked."""
        raise NotImplementedError

    def _paint(self, painter: QPainter) -> None:
        raise NotImplementedError

    # --- drawing

    def _place(self) -> None:
        self._spots = self._spread() if self.width() > 0 else []
        self._at = min(self._at, len(self._spots) - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the figures out for the new size."""
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title, the figures, and the description of one."""
        painter = QPainter(self)
        if self.title:
            line = QRect(0, 0, self.width(), 16)
            width = painter.fontMetrics().horizontalAdvance(self.title) + 16
            painter.setPen(theme.QUIET)
            painter.drawText(line, LEFT, self.title)
            painter.setPen(theme.TEXT)
            room = line.adjusted(width, 0, 0, 0)
            text = painter.fontMetrics().elidedText(
                self.readout, Qt.TextElideMode.ElideRight, room.width()
            )
            painter.drawText(room, _RIGHT, text)
        self._paint(painter)

    def _is_lit(self, number: int) -> bool:
        return number == self._at

    def _ring(self, painter: QPainter, place: QRectF) -> None:
        """Draw the keyboard focus."""
        if self.hasFocus():
            painter.setPen(QPen(theme.WHITE, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(place.adjusted(-2.5, -2.5, 1.5, 1.5))

    # --- pointing and pressing

    def _point(self, number: int) -> None:
        if number == self._at:
            return
        self._at = number
        presses = self._may_press(number)
        self.setCursor(Qt.CursorShape.PointingHandCursor if presses else Qt.CursorShape.ArrowCursor)
        self.update()

    def _spot_at(self, where: QPointF) -> int:
        found = (at for at, spot in enumerate(self._spots) if spot.place.contains(where))
        return next(found, -1)

    def _may_press(self, number: int) -> bool:
        return 0 <= number < len(self._spots) and bool(self._spots[number].figure.query)

    def _press(self, number: int) -> None:
        if self._may_press(number):
            self.pressed.emit(self._spots[number].figure)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Describe the figure under the pointer."""
        self._point(self._spot_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Accept the press, so that the release arrives here."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show the photos of the figure under the pointer."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._press(self._spot_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Describe no figure."""
        self._point(-1)

    def focusInEvent(self, event: object) -> None:
        """Describe the first figure, unless the pointer is on one."""
        self._point(max(self._at, 0) if self._spots else -1)
        self.update()

    def focusOutEvent(self, event: object) -> None:
        """Describe no figure."""
        self._point(-1)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrow keys, click with Enter or Space."""
        key = Qt.Key(event.key())
        if key in _KEYS and self._spots:
            self._point(min(max(self._at + _KEYS[key], 0), len(self._spots) - 1))
        elif key in _PRESSES:
            self._press(self._at)
        else:
            super().keyPressEvent(event)


def _lit(color: QColor) -> QColor:
    return _mixed(theme.WHITE, color, 0.25)


def stacked(painter: QPainter, figure: Figure, bar: QRectF, lit: bool, upright: bool) -> None:
    """Draw the parts of a figure from left to right, or ``upright`` from the bottom up.

    Borders fall on device pixels, so that neighboring colors do not mix.
    """
    ratio = painter.device().devicePixelRatio()
    length = bar.height() if upright else bar.width()
    before, photos = 0.0, 0
    for count, color in _PARTS:
        photos += count(figure)
        after = round(length * photos / max(figure.photos, 1) * ratio) / ratio
        if after > before:
            part = (
                QRectF(bar.left(), bar.bottom() - after, bar.width(), after - before)
                if upright
                else QRectF(bar.left() + before, bar.top(), after - before, bar.height())
            )
            painter.fillRect(part, _lit(color) if lit else color)
        before = after


class RowChart(Chart):
    """One row per figure: its name, a bar to scale, its number.

    Args:
        title: shown above the chart.
        starred: whether names are drawn as stars; the first figure has one star and the last row.
    """

    def __init__(self, title: str = "", starred: bool = False) -> None:
        super().__init__(title)
        self._starred, self._expanded = starred, False

    @property
    def shown(self) -> tuple[Figure, ...]:
        """The figures that have a row, from top to bottom."""
        figures = self.figures[::-1] if self._starred else self.figures
        if self._expanded or len(figures) <= _MOST_ROWS:
            return figures
        rest = figures[_MOST_ROWS - 1 :]
        others = Figure(
            f"{words.count(len(rest))} others",
            sum(figure.photos for figure in rest),
            sum(figure.kept for figure in rest),
            sum(figure.rejected for figure in rest),
        )
        return (*figures[: _MOST_ROWS - 1], others)

    def _description(self, figure: Figure) -> str:
        return _describe_count(figure) if self._starred else describe(figure)

    def sizeHint(self) -> QSize:
        """Return the size of all rows."""
        return QSize(240, self.head + len(self.shown) * _ROW)

    def minimumSizeHint(self) -> QSize:
        """Return the same height at a smaller width."""
        return QSize(160, self.sizeHint().height())

    def _spread(self) -> list[Spot]:
        return [
            Spot(QRectF(0, self.head + row * _ROW, self.width(), _ROW), figure)
            for row, figure in enumerate(self.shown)
        ]

    def _unfolds(self, number: int) -> bool:
        """Whether a row stands for the figures without a row."""
        folded = not self._expanded and len(self.figures) > _MOST_ROWS
        return folded and number == _MOST_ROWS - 1

    def _may_press(self, number: int) -> bool:
        return self._unfolds(number) or super()._may_press(number)

    def _press(self, number: int) -> None:
        if self._unfolds(number):
            self._expanded = True
            self._changed()
        else:
            super()._press(number)

    def _name_width(self, metrics: QFontMetrics) -> int:
        if self._starred:
            return 5 * 15
        widest = max((metrics.horizontalAdvance(f.name) for f in self.shown), default=0)
        return min(widest + 2, round(self.width() * 0.42))

    def _paint(self, painter: QPainter) -> None:
        metrics = painter.fontMetrics()
        left = self._name_width(metrics) + 12
        bars = self.shown[: _MOST_ROWS - 1] if self._unfolds(_MOST_ROWS - 1) else self.shown
        most = max((figure.photos for figure in bars), default=0) or 1
        number = metrics.horizontalAdvance(words.count(most))
        room = max(self.width() - left - number - _GAP - 4, 8)
        for row, spot in enumerate(self._spots):
            figure, place, lit = spot.figure, spot.place, self._is_lit(row)
            quiet = self._unfolds(row)
            color = theme.TEXT if figure.photos and not quiet else theme.QUIET
            painter.setPen(theme.WHITE if lit else color)
            self._name(painter, figure, place, left - 12, len(self.shown) - row)
            width = max(room * figure.photos / most, 1 if figure.photos else 0)
            if quiet:  # the bar of many figures together would make the others small
                width = 0.0
            bar = QRectF(left, place.center().y() - _BAR / 2, width, _BAR)
            stacked(painter, figure, bar, lit, upright=False)
            painter.setPen(theme.WHITE if lit else color)
            after = QRectF(left + width + (_GAP if width else 0), place.top(), 80, _ROW)
            painter.drawText(after, LEFT, words.count(figure.photos))
            if lit:
                self._ring(painter, place.adjusted(3, 2, -3, -2))

    def _name(
        self, painter: QPainter, figure: Figure, place: QRectF, width: int, stars: int
    ) -> None:
        if not self._starred:
            text = painter.fontMetrics().elidedText(figure.name, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRectF(0, place.top(), width, _ROW), LEFT, text)
            return
        icon = theme.pixmap("star_full", theme.PENCIL, 12, self.devicePixelRatioF())
        for star in range(stars):
            painter.drawPixmap(QPoint(star * 15, round(place.top()) + 6), icon)


class StripChart(Chart):
    """All photos as one strip, with the name of every part below it."""

    _THICK = 16
    _LABELS = 40

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[QRectF] = []
        self.setFixedHeight(self._THICK + self._LABELS)

    def _description(self, figure: Figure) -> str:
        return _describe_count(figure)

    def _spread(self) -> list[Spot]:
        total = sum(figure.photos for figure in self.figures)
        self._texts = []
        if not total:
            return []
        gaps = 2 * (len(self.figures) - 1)
        least = 3.0  # one photo of ten thousand is visible and can be clicked
        spare = max(self.width() - gaps - least * len(self.figures), 0)
        x, spots = 0.0, []
        for figure in self.figures:
            width = least + spare * figure.photos / total
            spots.append(Spot(QRectF(x, 0, width, self.height()), figure))
            x += width + 2
        self._texts = self._named(spots)
        return spots

    def _named(self, spots: Sequence[Spot]) -> list[QRectF]:
        """Return where number and name of each part lie below it, without overlap."""
        large, small = QFontMetrics(theme.title_font()), QFontMetrics(self.font())
        widths = []
        for spot in spots:
            number = large.horizontalAdvance(words.count(spot.figure.photos))
            widths.append(max(number, small.horizontalAdvance(spot.figure.name)) + 16)
        lefts = [spot.place.left() for spot in spots]
        for at in range(1, len(lefts)):
            lefts[at] = max(lefts[at], lefts[at - 1] + widths[at - 1])
        limit = float(self.width() + 16)
        for at in range(len(lefts) - 1, -1, -1):
            lefts[at] = max(min(lefts[at], limit - widths[at]), 0)
            limit = lefts[at]
        return [
            QRectF(left, self._THICK + 6, width - 16, self._LABELS - 6)
            for left, width in zip(lefts, widths, strict=True)
        ]

    def _spot_at(self, where: QPointF) -> int:
        for number, text in enumerate(self._texts):
            if where.y() > self._THICK and text.adjusted(0, -6, 12, 0).contains(where):
                return number
        return super()._spot_at(where) if where.y() <= self._THICK + 4 else -1

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, (spot, text) in enumerate(zip(self._spots, self._texts, strict=True)):
            figure, lit = spot.figure, self._is_lit(number)
            part = QRectF(spot.place.left(), 0, spot.place.width(), self._THICK)
            self._part(painter, figure, part, lit)
            painter.setFont(theme.title_font())
            pencil = figure.unreviewed < figure.photos
            painter.setPen(theme.WHITE if lit else theme.PENCIL if pencil else theme.TEXT)
            painter.drawText(text, int(Qt.AlignmentFlag.AlignTop), words.count(figure.photos))
            painter.setFont(self.font())
            painter.setPen(theme.WHITE if lit else theme.QUIET)
            painter.drawText(text, int(Qt.AlignmentFlag.AlignBottom), figure.name)
            if lit:
                self._ring(painter, part.adjusted(2, 2, -1, -1))

    def _part(self, painter: QPainter, figure: Figure, part: QRectF, lit: bool) -> None:
        if figure.rejected:
            painter.fillRect(part, _lit(DIMMED) if lit else DIMMED)
            painter.setPen(QPen(theme.PENCIL, 1.5))
            painter.drawLine(part.bottomLeft(), part.topRight())
            return
        seen = figure.query == "is:skipped"
        color = theme.PENCIL if figure.kept else theme.SEEN if seen else theme.AHEAD
        painter.fillRect(part, _lit(color) if lit else color)


def number_block(value: str, what: str, decided: bool = False) -> QWidget:
    """Return a large number with its unit below; in pencil if it counts a person's marks."""
    block = QWidget()
    column = layouts.column(block, spacing=2)
    column.addWidget(theme.plain(value, role="decided" if decided else "large"))
    column.addWidget(theme.plain(what, role="quiet"))
    return block
