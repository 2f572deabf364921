"""Zooming by key, wheel and pinch, panning by drag and swipe, peeking while a key is held.

Loupe and compare view own one each. It serves all panes of a view: the view sets the
:class:`Viewport` under the pointer, and all panes move together.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QInputDevice, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from curator.ui.loupe import view_transform
from curator.ui.loupe.viewport import LARGEST, Viewport

PEEK_S = 0.25  # holding the key longer peeks instead of switching
_CLICK_PX = 4  # a press that moves less is a click
_NOTCH = 120
_COMMIT_MS = 250  # after a swipe, until the session gets the new center


class PanZoom(QObject):
    """Pans and zooms the picture of a widget.

    Attributes:
        viewport: the pane to pan and zoom.

    Signals:
        moved: the picture must be painted elsewhere; nothing else changed.

    Thread: GUI.
    """

    moved = Signal()

    def __init__(self, widget: QWidget, viewport: Viewport) -> None:
        super().__init__(widget)
        self.viewport = viewport
        self._state = viewport.state
        self._widget = widget
        self._press: tuple[QPoint, view_transform.Fraction] | None = None
        self._dragged = False
        self._wheel = 0
        self._before: tuple[float | None, view_transform.Fraction] | None = None
        self._commit_timer = QTimer(self, singleShot=True, interval=_COMMIT_MS)
        self._commit_timer.timeout.connect(self._commit)

    # --- zoom

    def pointer(self) -> QPoint | None:
        """Return the pointer in the widget's px, or None if it is not on the picture."""
        at = self._widget.mapFromGlobal(self._widget.cursor().pos())
        return at if self._widget.underMouse() and self._on_picture(at) else None

    def toggle(self, pointer: QPoint | None) -> None:
        """Switch between fit and 100 %.

        Args:
            pointer: the point of the widget to keep in place, logical px; None goes to the
                camera's focus point, else to the sharpest spot.
        """
        self.zoom_to(1.0 if self._state.zoom is None else None, pointer)

    def step(self, by: int, pointer: QPoint | None) -> None:
        """Zoom one step between fit, 25 and 50 (if larger than fit), 100, 200, 400 and 800 %."""
        tile, zoom = self.viewport.tile(), self._state.zoom or 0.0
        if tile is None:
            return
        steps = self.viewport.steps(tile)
        if by > 0:
            self.zoom_to(next((step for step in steps if step > zoom), LARGEST), pointer)
        else:
            smaller = [step for step in steps if step < zoom]
            self.zoom_to(smaller[-1] if smaller else None, pointer)

    def zoom_to(self, zoom: float | None, pointer: QPoint | None) -> None:
        """Zoom to a factor, None for fit, with ``pointer`` as in :meth:`toggle`."""
        tile = self.viewport.tile()
        if tile is None or not tile.width or tile.state == "failed" or zoom == self._state.zoom:
            return
        if zoom is None:
            self._state.set_zoom(None)
            return
        if pointer is not None:
            pointer = (pointer.toPointF() * self._widget.devicePixelRatioF()).toPoint()
        self._state.set_zoom(zoom, self.viewport.center_for(zoom, pointer))

    def peek(self, pointer: QPoint | None) -> None:
        """Toggle the zoom as a key goes down; :meth:`end_peek` may undo it."""
        self._before = self._state.zoom, self.viewport.center
        self.toggle(pointer)

    def end_peek(self, seconds: float) -> bool:
        """Handle the release of the key: after holding it, return to the zoom before.

        Returns:
            Whether a peek had begun.
        """
        before, self._before = self._before, None
        if before is not None and seconds > PEEK_S:
            self._state.set_zoom(*before)
        return before is not None

    # --- mouse

    def press(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        viewport = self.viewport
        center = view_transform.center_of(viewport.place(), viewport.view)
        self._press = event.position().toPoint(), center
        self._dragged = False

    def drag(self, event: QMouseEvent) -> None:
        """Drag a zoomed picture."""
        if self._press is None or self._state.zoom is None:
            return
        at, start = self._press
        moved = event.position().toPoint() - at
        if self._dragged or moved.manhattanLength() >= _CLICK_PX:
            self._dragged = True
            self._widget.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._pan(start, moved)

    def release(self, event: QMouseEvent, clicks: bool = True) -> None:
        """End a drag; if it was a click, toggle between fit and 100 % at the pointer.

        Args:
            event: of the widget.
            clicks: whether a click zooms.
        """
        if self._press is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._press = None
        self._widget.unsetCursor()
        at = event.position().toPoint()
        if self._dragged:
            self._commit()
        elif clicks:
            self.toggle(at if self._on_picture(at) else None)

    def wheel(self, event: QWheelEvent) -> int:
        """Zoom at the pointer; a touchpad pans instead.

        Returns:
            The number of photos to go forward: with Ctrl the wheel goes through photos.
        """
        event.accept()
        if event.device().type() == QInputDevice.DeviceType.TouchPad:
            self._swipe(event.pixelDelta() or event.angleDelta() / 8)
            return 0
        self._wheel += event.angleDelta().y()
        steps = int(self._wheel / _NOTCH)
        self._wheel -= steps * _NOTCH
        if steps and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return -steps
        if steps:
            at = event.position().toPoint()
            self.step(1 if steps > 0 else -1, at if self._on_picture(at) else None)
        return 0

    def gesture(self, event: QNativeGestureEvent) -> bool:
        """Zoom by a pinch. Return whether the gesture was one."""
        tile = self.viewport.tile()
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture or tile is None:
            return False
        fit = max(self.viewport.fitted(tile)) / max(tile.width, tile.height, 1)
        zoom = min((self._state.zoom or fit) * (1 + event.value()), LARGEST)
        self.zoom_to(zoom if zoom > fit else None, event.position().toPoint())
        return True

    def _swipe(self, by: QPoint) -> None:
        if self._state.zoom is not None:
            self._pan(view_transform.center_of(self.viewport.place(), self.viewport.view), by)
            self._commit_timer.start()

    def _pan(self, start: view_transform.Fraction, moved: QPoint) -> None:
        """Move the picture on screen only; :meth:`_commit` tells the session."""
        ratio, place = self._widget.devicePixelRatioF(), self.viewport.place()
        self._state.dragged = (
            start[0] - moved.x() * ratio / max(place.width(), 1),
            start[1] - moved.y() * ratio / max(place.height(), 1),
        )
        self.moved.emit()

    def _commit(self) -> None:
        """Set the session's center; a picture dragged too far stopped at its edge."""
        if self._state.zoom is not None:
            center = view_transform.center_of(self.viewport.place(), self.viewport.view)
            self._state.set_zoom(self._state.zoom, center)

    def _on_picture(self, at: QPoint) -> bool:
        ratio = self._widget.devicePixelRatioF()
        return self.viewport.place().contains(round(at.x() * ratio), round(at.y() * ratio))
