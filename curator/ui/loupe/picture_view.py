"""Shows a picture that belongs to no photo of the catalog, fitted as the loupe shows photos.

The file preview uses it. It needs no session and no cache: it holds the one picture it shows.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from curator.ui.loupe import view_transform
from curator.ui.loupe.loupe_painter import draw_scaled
from curator.ui.widgets import theme
from curator.ui.widgets.frames import Frame

_MARGIN = 24  # around the picture, px
_TEXT_MARGIN = 64


class PictureView(QWidget):
    """Shows one picture as large as fits, never above its own pixels, or a message.

    Attributes:
        message: shown while there is no picture.

    Thread: GUI.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frame: Frame | None = None
        self._full_size = QSize()
        self.message = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_picture(self, pixels: np.ndarray, full_size: QSize) -> None:
        """Show (H, W, 3) uint8 sRGB pixels of a picture of this size at 100 %."""
        if self._frame is None or self._frame.pixels is not pixels:
            self._frame, self._full_size, self.message = Frame.of(pixels), full_size, ""
            self.update()

    def show_message(self, text: str) -> None:
        """Show a message until there is a picture, and release the picture."""
        self._frame, self.message = None, text
        self.update()

    def place(self) -> QRect:
        """Return the rectangle of the picture, logical px; empty without a picture."""
        if self._frame is None:
            return QRect()
        ratio, place = self.devicePixelRatioF(), self._device_place()
        return QRect((place.topLeft().toPointF() / ratio).toPoint(), place.size() / ratio)

    def _device_place(self) -> QRect:
        ratio = self.devicePixelRatioF()
        inside = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        view = QRect((inside.topLeft().toPointF() * ratio).toPoint(), inside.size() * ratio)
        return view_transform.fit(self._full_size, view)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture or the message."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        if self._frame is not None:
            place = self._device_place()
            draw_scaled(painter, self._frame, place, place, self.devicePixelRatioF(), smooth=True)
        elif self.message:
            painter.setPen(theme.QUIET)
            area = self.rect().adjusted(_TEXT_MARGIN, _MARGIN, -_TEXT_MARGIN, -_MARGIN)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, int(flags), self.message)
