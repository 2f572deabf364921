"""A panel to type into, over the whole window: the palette, choosers, the entry of tags."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from curator.ui.widgets import theme

FIELD = 40  # height of the field one types into, px
_ABOVE = 12  # below the top bar and an offer
_BESIDE = 16  # where the window is narrow


class OverlayPanel(QWidget):
    """Lies over what it covers, a panel in its middle; a press beside the panel closes it.

    Attributes:
        panel: holds what is shown.

    Signals:
        left: it was closed; somebody should take the keyboard.

    Args:
        parent: what it covers.
        width: of the panel, px, where there is room.
    """

    closed = Signal()

    def __init__(self, parent: QWidget, width: int) -> None:
        super().__init__(parent)
        self._covered, self._width = parent, width
        self.panel = QWidget(self)
        self.panel.setObjectName("palette")
        self.panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        parent.installEventFilter(self)
        self.hide()

    def height_for(self, width: int) -> int:
        """Say how high the panel is to be at a width, px."""
        raise NotImplementedError

    def close_panel(self) -> None:
        """Close, and have somebody take the keyboard."""
        self.hide()
        self.closed.emit()

    def place(self) -> None:
        """Put the panel where it belongs: below the top bar, as high as what is in it."""
        self.setGeometry(self._covered.rect())
        width = min(self._width, self.width() - 2 * _BESIDE)
        height = self.height_for(width)
        top = min(theme.TOPBAR + theme.OFFER + _ABOVE, max(self.height() - height, 0))
        self.panel.setGeometry((self.width() - width) // 2, top, width, height)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Follow the size of the window."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self.place()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close with a press beside the panel."""
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.close_panel()
