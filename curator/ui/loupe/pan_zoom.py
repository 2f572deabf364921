"""Zooming by key, wheel and pinch, panning by drag and swipe, peeking while a key is held.

Loupe and compare view own one each. It filters the events of its widget and follows the session's
zoom requests; the view says which :class:`Viewport` is meant, and all panes move together.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QInputDevice, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from curator.session import Session
from curator.session.faces import Focus
from curator.ui.loupe import view_transform
from curator.ui.loupe.viewport import LARGEST, Viewport
from curator.ui.widgets.wheel import WheelSteps

PEEK_S = 0.25  # holding the key longer peeks instead of switching
_CLICK_PX = 4  # a press that moves less is a click
_COMMIT_MS = 250  # after a swipe, until the session gets the new center


class PanZoom(QObject):
    """Pans and zooms the pictures of a widget.

    Signals:
        moved: the picture must be painted elsewhere; nothing else changed.

    Thread: GUI.
    """

    moved = Signal()

    def __init__(
        self,
        widget: QWidget,
        session: Session,
        viewport: Viewport,
        viewport_at: Callable[[QPoint | None], Viewport | None],
    ) -> None:
        """Follow the mouse, touchpad and zoom keys of a widget.

        Args:
            widget: handles presses itself and passes those on to :meth:`press`.
            session: the window's session.
            viewport: of one of the panes.
            viewport_at: returns the viewport of the pane at a point of the widget, else of the
                active pane; None while keys that zoom do not apply to the widget.
        """
        super().__init__(widget)
        self._widget, self._session, self._state = widget, session, session.view_state
        self._viewport, self._viewport_at = viewport, viewport_at
        self._press: tuple[QPoint, view_transform.Fraction] | None = None
        self._dragged = self._clicks = False
        self._wheel = WheelSteps()
        self._before: tuple[float | None, view_transform.Fraction, Focus | None] | None = None
        self._commit_timer = QTimer(self, singleShot=True, interval=_COMMIT_MS)
        self._commit_timer.timeout.connect(self._commit)
        widget.installEventFilter(self)
        session.requests.zoom_requested.connect(self._on_zoom_requested)
        session.requests.face_requested.connect(self._on_face_requested)
        session.requests.resize_requested.connect(self._on_resize_requested)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle drags, wheel and pinch. A double click does nothing: the first click has acted."""
        if isinstance(event, QWheelEvent):
            self._on_wheel(event)
            return True
        if isinstance(event, QNativeGestureEvent):
            return self._on_gesture(event)
        if isinstance(event, QMouseEvent) and event.type() != QEvent.Type.MouseButtonPress:
            if event.type() == QEvent.Type.MouseMove:
                self._on_drag(event)
            elif event.type() == QEvent.Type.MouseButtonRelease:
                self._on_release(event)
            return True
        return False

    def _aim(self, at: QPoint | None) -> bool:
        """Take the pane at a point, else the active one. Return whether there is one."""
        viewport = self._viewport_at(at)
        self._viewport = viewport or self._viewport
        return viewport is not None

    def _pointer(self) -> QPoint | None:
        """Return the pointer in the widget's px, or None if it is elsewhere."""
        at = self._widget.mapFromGlobal(self._widget.cursor().pos())
        return at if self._widget.underMouse() else None

    # --- zoom

    def _on_zoom_requested(self) -> None:
        """Toggle the zoom as a key goes down; :meth:`end_peek` may undo it."""
        pointer = self._pointer()
        if self._aim(pointer):
            focus = self._session.faces.focus
            self._before = self._state.zoom, self._state.dragged or self._state.center, focus
            self._toggle(pointer)

    def end_peek(self, seconds: float) -> bool:
        """Handle the release of the key: after holding it, return to the zoom before.

        Returns:
            Whether a peek had begun.
        """
        before, self._before = self._before, None
        if before is not None and seconds > PEEK_S:
            zoom, center, self._session.faces.focus = before
            self._state.set_zoom(zoom, center)
        return before is not None

    def _on_face_requested(self, place: int | None) -> None:
        """Zoom to a face of the active pane, 100 % at least; the focused one goes back to fit."""
        faces, tile = self._session.faces, self._viewport.tile() if self._aim(None) else None
        if tile is None or not tile.width or tile.state == "failed":
            return
        following = faces.next_place(tile.id) if place is None else place
        if following is None:
            self._session.messages.say(faces.why_none(tile.id))
        elif place is not None and place == faces.place_in(tile.id):
            self._state.set_zoom(None)
        else:
            faces.focus = Focus(tile.id, following)
            zoom = max(self._state.zoom or 1.0, 1.0)
            self._state.set_zoom(zoom, self._viewport.eyes_at(tile, following))

    def _on_resize_requested(self, by: int) -> None:
        pointer = self._pointer()
        if self._aim(pointer):
            self._step(by, pointer)

    def _toggle(self, at: QPoint | None) -> None:
        """Switch between fit and 100 %."""
        self._zoom_to(1.0 if self._state.zoom is None else None, at)

    def _step(self, by: int, at: QPoint | None) -> None:
        """Zoom one step between fit, 25 and 50 (if larger than fit), 100, 200, 400 and 800 %."""
        tile, zoom = self._viewport.tile(), self._state.zoom or 0.0
        if tile is None:
            return
        steps = self._viewport.steps(tile)
        if by > 0:
            self._zoom_to(next((step for step in steps if step > zoom), LARGEST), at)
        else:
            smaller = [step for step in steps if step < zoom]
            self._zoom_to(smaller[-1] if smaller else None, at)

    def _zoom_to(self, zoom: float | None, at: QPoint | None) -> None:
        """Zoom to a factor, None for fit.

        Args:
            zoom: device px per pixel of the picture.
            at: the point of the widget to keep in place, logical px; None, or a point beside the
                picture, goes to the eyes of a face, else to the camera's focus point, else to the
                sharpest spot.
        """
        tile = self._viewport.tile()
        if tile is None or not tile.width or tile.state == "failed" or zoom == self._state.zoom:
            return
        if zoom is None:
            self._state.set_zoom(None)
            return
        pointer = None
        if at is not None and self._is_on_picture(at):
            pointer = (at.toPointF() * self._widget.devicePixelRatioF()).toPoint()
        if self._state.zoom is None:
            self._viewport.focus_face(pointer)
        center = self._viewport.center_for(zoom, pointer)
        self._state.set_zoom(zoom, self._viewport.shared(center))

    # --- mouse and touchpad

    def press(self, event: QMouseEvent, clicks: bool = True) -> None:
        """Begin a click or a drag.

        Args:
            event: the press.
            clicks: whether a click toggles between fit and 100 % at the pointer.
        """
        at = event.position().toPoint()
        self._aim(at)
        self._press, self._dragged, self._clicks = (at, self._shown_center()), False, clicks

    def _on_drag(self, event: QMouseEvent) -> None:
        if self._press is None or self._state.zoom is None:
            return
        at, start = self._press
        moved = event.position().toPoint() - at
        if self._dragged or moved.manhattanLength() >= _CLICK_PX:
            if not self._dragged:
                self._widget.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._dragged = True
            self._pan(start, moved)

    def _on_release(self, event: QMouseEvent) -> None:
        if self._press is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._press = None
        self._widget.unsetCursor()
        if self._dragged:
            self._commit()
        elif self._clicks:
            self._toggle(event.position().toPoint())

    def _on_wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer, with Ctrl go through the photos; a touchpad pans."""
        event.accept()
        at = event.position().toPoint()
        self._aim(at)
        if event.device().type() == QInputDevice.DeviceType.TouchPad:
            if self._state.zoom is not None:
                self._pan(self._shown_center(), event.pixelDelta() or event.angleDelta() / 8)
                self._commit_timer.start()
            return
        steps = self._wheel.take(event.angleDelta().y())
        if steps and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._session.navigator.step(-steps)
        elif steps:
            self._step(1 if steps > 0 else -1, at)

    def _on_gesture(self, event: QNativeGestureEvent) -> bool:
        """Zoom by a pinch. Return whether the gesture was one."""
        at = event.position().toPoint()
        self._aim(at)
        tile = self._viewport.tile()
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture or tile is None:
            return False
        fit = max(self._viewport.fitted(tile)) / max(tile.width, tile.height, 1)
        zoom = min((self._state.zoom or fit) * (1 + event.value()), LARGEST)
        self._zoom_to(zoom if zoom > fit else None, at)
        return True

    def _pan(self, start: view_transform.Fraction, moved: QPoint) -> None:
        """Move the picture on screen only; :meth:`_commit` tells the session."""
        ratio, place = self._widget.devicePixelRatioF(), self._viewport.place()
        self._state.dragged = (
            start[0] - moved.x() * ratio / max(place.width(), 1),
            start[1] - moved.y() * ratio / max(place.height(), 1),
        )
        self.moved.emit()

    def _commit(self) -> None:
        """Set the session's center; a picture dragged too far stopped at its edge."""
        if self._state.zoom is not None:
            self._state.set_zoom(self._state.zoom, self._shown_center())

    def _shown_center(self) -> view_transform.Fraction:
        """Return the point in the middle of the view, as the window keeps it."""
        center = view_transform.center_of(self._viewport.place(), self._viewport.view)
        return self._viewport.shared(center)

    def _is_on_picture(self, at: QPoint) -> bool:
        ratio = self._widget.devicePixelRatioF()
        shown = self._viewport.place() & self._viewport.view
        return shown.contains(round(at.x() * ratio), round(at.y() * ratio))
