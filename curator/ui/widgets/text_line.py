"""One line of plain text that is cut between facts, may fade in and may be clicked.

The status line, the top bar, the notification bar and the overview show their texts with it. Facts
are separated by middle dots.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.ui.widgets import theme, words

_FADE_MS = 120


class TextLine(QWidget):
    """One line of plain text, elided if it does not fit.

    Signals:
        clicked: the person clicked the text.
        text_changed: the text was replaced.
    """

    clicked = Signal()
    text_changed = Signal()

    def __init__(
        self,
        color: QColor,
        align: Qt.AlignmentFlag,
        *,
        fades: bool = False,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        icon: str = "",
    ) -> None:
        """Build an empty line.

        Args:
            color: of the text.
            align: horizontal alignment in the widget.
            fades: whether new text fades in.
            elide: where long text is cut; at the right, whole facts are dropped first.
            icon: shown with only the first word if the text does not fit.
        """
        super().__init__()
        self._color, self._align, self._elide, self._icon = color, align, elide, icon
        self._text = ""
        self._opacity = 1.0
        self._fade: QVariantAnimation | None = None
        self.setFont(theme.caption_font())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        if fades:
            self._fade = QVariantAnimation(self, duration=_FADE_MS, startValue=0.0, endValue=1.0)
            self._fade.valueChanged.connect(self._set_opacity)

    @property
    def text(self) -> str:
        """The text, as set."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show a text; setting the same text again changes nothing."""
        if text == self._text:
            return
        self._text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        if self._fade is not None and self.isVisible():
            self._fade.stop()
            self._fade.start()
        self.update()
        self.text_changed.emit()

    def set_text_now(self, text: str) -> None:
        """Show a text and repaint at once, before a slow operation blocks the thread."""
        self.set_text(text)
        if self._fade is not None:
            self._fade.stop()
        self._opacity = 1.0
        self.repaint()

    def make_clickable(self, act: Callable[[], None], tip: str) -> None:
        """Call ``act`` when the text is clicked."""
        self.clicked.connect(act)
        self.setToolTip(tip)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)  # repaints it brighter under the pointer

    def _set_opacity(self, value: float) -> None:
        self._opacity = value
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the whole text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Return no width: the text can be elided."""
        return QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, and the icon if only the first word fits."""
        painter = QPainter(self)
        painter.setOpacity(self._opacity)
        color = self._color
        if self.cursor().shape() is Qt.CursorShape.PointingHandCursor and self.underMouse():
            color = theme.WHITE
        painter.setPen(color)
        text = self.shown_text()
        flags = int(self._align | Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine
        painter.drawText(self.rect(), flags, text)
        if self._icon and text and text != self._text:
            left = self.width() - self.fontMetrics().horizontalAdvance(text) - theme.ICON - 4
            image = theme.pixmap(self._icon, color, theme.ICON, self.devicePixelRatioF())
            painter.drawPixmap(left, (self.height() - theme.ICON) // 2, image)

    def shown_text(self) -> str:
        """Return the text, cut for the current width."""
        metrics = self.fontMetrics()
        if self._icon and metrics.horizontalAdvance(self._text) > self.width():
            return self._text.partition(" ")[0]
        if self._elide is Qt.TextElideMode.ElideRight:
            return words.elide_facts(self._text, metrics, self.width())
        return metrics.elidedText(self._text, self._elide, self.width())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Report a click inside the widget."""
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()
