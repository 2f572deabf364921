"""A panel over the window: base of command palette, tag entry, help and file preview."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QHideEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from curator.ui.widgets import theme

FIELD = 40  # height of the text field, px
_ABOVE = 12  # px below the top bar and the tour
_BESIDE = 16  # px at each side in a narrow window


class OverlayPanel(QWidget):
    """Covers its parent and shows a panel; a press beside the panel closes it.

    While it is open, no key reaches the window's shortcuts.

    Attributes:
        panel: holds the content.

    Signals:
        closed: the panel was closed; the keyboard focus must go elsewhere.

    Args:
        parent: the widget to cover.
        width: of the panel, px; less in a narrow window.
    """

    closed = Signal()

    def __init__(self, parent: QWidget, width: int) -> None:
        super().__init__(parent)
        self._covered, self._width = parent, width
        self.panel = QWidget(self)
        theme.style_as(self.panel, "palette")
        self.hide()

    def height_for(self, width: int) -> int:
        """Return the height the panel needs at a width, px; a subclass computes it."""
        raise NotImplementedError

    def close_panel(self) -> None:
        """Close the panel and emit ``closed``."""
        self.hide()
        self.closed.emit()

    def place(self) -> None:
        """Place the panel centered below the top bar, as high as its content."""
        self.setGeometry(self._covered.rect())
        width = min(self._width, self.width() - 2 * _BESIDE)
        height = self.height_for(width)
        top = min(theme.TOPBAR + theme.TOUR + _ABOVE, max(self.height() - height, 0))
        self.panel.setGeometry((self.width() - width) // 2, top, width, height)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the size of the parent while it is covered."""
        if event.spontaneous():  # the window was minimized, and may have another size now
            self.place()
        self._covered.installEventFilter(self)

    def hideEvent(self, event: QHideEvent) -> None:
        """See no event of the parent: there is one for every key and every paint."""
        self._covered.removeEventFilter(self)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Follow the size of the parent."""
        if event.type() is QEvent.Type.Resize:
            self.place()
        return False

    def event(self, event: QEvent) -> bool:
        """Keep every key from the window's shortcuts: none may mark a photo below the panel."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close on a press beside the panel."""
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.close_panel()
