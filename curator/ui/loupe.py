"""The loupe: one photo, as large as the room allows, and nothing over it.

A frame that was decoded ahead is painted as one blit within the same turn of the event loop as the
key. What is on screen is always the current photo's own: if nothing of it is ready, plain canvas
with its name; marks wait for :meth:`Session.shown`, which is told only what has been painted.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from curator.model import View
from curator.session import Session
from curator.ui import caption, placing
from curator.ui.frames import Pictures, Want
from curator.ui.held import HeldKeys
from curator.ui.loupe_painter import LoupePainter
from curator.ui.originals import Originals
from curator.ui.sight import LARGEST, Sight, overlays

PEEK_S = 0.25  # Z held longer than this is a look, not a switch
_REST_MS = 250  # on screen this long without moving: seen
_SHARPEN_MS = 120  # resting this long: the view's pixels from the original; DESIGN says <= 150
_ZOOMED_MS = 40  # longer than a held arrow's repeat, so that flying past asks for nothing
_NAVIGATOR_MS = 1000
_CLICK_PX = 4  # a press that moved less is a click
_NOTCH = 120


class LoupeView(QWidget):
    """Shows the session's current photo.

    Signals:
        painted: id of a photo whose own picture (or failure card) has just been painted.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(self, session: Session, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures = pictures
        self._frames = pictures.frames
        self.originals = Originals(session, self)
        self._sight = Sight(session, pictures.frames, self.originals)
        self._drawing = LoupePainter(session, pictures, self._sight, self.originals)
        self._held = HeldKeys(self)
        self._peeked: tuple[float | None, placing.Fraction] | None = None
        self._press: tuple[QPoint, placing.Fraction] | None = None
        self._dragged = False
        self._wheel = 0
        self._last: tuple[object, ...] = ()
        self._asking = self._timer(0, self._ask_on)  # posted paints come before timers
        self._rest = self._timer(_REST_MS, self._rested)
        self._sharpen = self._timer(_SHARPEN_MS, self._fetch)
        self._navigator = self._timer(_NAVIGATOR_MS, self.update)
        self._settle = self._timer(_REST_MS, self._sight.gaze.settle)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photo")
        self._connect()

    def _connect(self) -> None:
        session = self._session
        session.current_changed.connect(self._on_current)
        session.list_changed.connect(self._on_current)
        session.view_changed.connect(self._on_view)
        session.photos_changed.connect(self._on_photos)
        session.asked.connect(self._on_asked)
        self._frames.arrived.connect(self._on_arrived)
        self._pictures.thumbs.arrived.connect(self._on_thumb)
        self.originals.arrived.connect(self._on_original)
        self.originals.failed.connect(self._on_failure)
        self._held.released.connect(self._on_released)
        # Queued: a photo counts as shown when the paint is through, not in the middle of it.
        self.painted.connect(session.shown, Qt.ConnectionType.QueuedConnection)

    def _timer(self, ms: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(slot)
        return timer

    # --- what to show

    def place(self) -> QRect:
        """Give where the current photo's picture lies, device px; empty if there is none."""
        return self._sight.place()

    @property
    def whole(self) -> bool:
        """Whether every pixel of the original was there at the last paint."""
        best = self._drawing.best
        return best is not None and best.whole

    def _bare(self) -> bool:
        """Tell whether only the picture is wanted."""
        return self._session.panels_hidden or self._session.fullscreen

    def _measure(self) -> None:
        line = 0 if self._bare() else caption.HEIGHT
        self._sight.set_room(self.rect(), self.devicePixelRatioF(), line)

    def _ask(self) -> None:
        """Have frames made: the current one, then the neighbours in the direction of travel."""
        if not self.isVisible() or self._session.index < 0:
            self._frames.want("loupe", ())
            return
        self._frames.want("loupe", self._sight.wants())
        tile = self._sight.tile()
        map_ = None if tile is None or self._session.zoom is None else self._drawing.map(tile)
        self._pictures.thumbs.want("loupe", () if map_ is None else (map_,))

    def _seen(self) -> tuple[object, ...]:
        """Name all that decides which pixels are wanted, but for the room."""
        session = self._session
        return (
            session.current,
            session.zoom,
            session.developed,
            overlays(session),
            self._bare(),
        )

    def _ask_soon(self) -> None:
        """Paint first, if there is something to paint; have frames made at once if not."""
        self.update()
        if not self._sight.ready():
            self._ask()
        self._asking.start()

    def _ask_on(self) -> None:
        """After the paint: have the neighbours' frames made, and their captions read."""
        self._ask()
        session = self._session
        following = session.index + session.direction
        if self.isVisible() and 0 <= following < len(session.ids):
            session.caption(int(session.ids[following]))

    def _fetch(self) -> None:
        if self.isVisible() and not self._session.finished:
            self.originals.want(self._sight.wishes())

    # --- following the session

    def _on_current(self) -> None:
        self._sight.gaze.dragged = None
        self._drawing.retry = None
        self._rest.stop()
        if not self.isVisible():
            return
        self._last = self._seen()
        self._ask_soon()
        tile = self._sight.tile()
        soon = tile is not None and not tile.proxy
        self._sharpen.start(
            0 if soon else _SHARPEN_MS if self._session.zoom is None else _ZOOMED_MS
        )
        if self._session.zoom is not None:
            self._navigator.start()

    def _on_view(self) -> None:
        self._measure()
        if self._seen() != self._last:
            self._last = self._seen()
            self._ask_soon()
            if self._session.zoom is not None:
                self._navigator.start()
                self._fetch()
        self.update()

    def _on_photos(self, changed: Collection[int]) -> None:
        session = self._session
        start = max(session.index - session.settings.loupe.prefetch, 0)
        near = session.ids[start : session.index + session.settings.loupe.prefetch + 1].tolist()
        touched = [photo for photo in near if photo in changed]
        if not touched:
            return
        keys = (session.tile(photo).proxy for photo in touched)
        self._pictures.forgive([key for key in keys if key])
        self.originals.forgive()
        self._ask_soon()
        if session.current in touched:
            self._sharpen.start()

    def _on_arrived(self, wants: Collection[Want]) -> None:
        tile = self._sight.tile()
        if tile is None or not self.isVisible():
            return
        if any(want.key == tile.proxy for want in wants):
            self.update()
            self._sharpen.start()

    def _on_original(self, photo: int) -> None:
        if photo == self._session.current and self.isVisible():
            self.update()

    def _on_failure(self, photo: int, reason: str) -> None:
        """Say what one asked for by a key and does not get."""
        session = self._session
        if photo != session.current or not self.isVisible():
            return
        self.update()
        name = session.table.name(photo)
        if session.developed:
            session.say(f"{name}, RAW: {reason}")
        elif session.zoom is not None:
            session.say(f"{name}: zoom stops at the proxy. {reason}")

    def _on_thumb(self, _: object) -> None:
        if self._session.zoom is not None:
            self.update()

    def _on_asked(self, what: str, about: object) -> None:
        if self._session.view is not View.LOUPE or self._session.finished or not self.isVisible():
            return
        if what == "zoom":
            self._peeked = self._session.zoom, self._session.center
            self.toggle_zoom(self._pointer())
        elif what == "size" and isinstance(about, int):
            self.step_zoom(about, self._pointer())

    # --- zoom

    def toggle_zoom(self, pointer: QPoint | None) -> None:
        """Switch between fit and 100 %.

        Args:
            pointer: the point of the widget to keep in place, logical px; None looks at the
                subject the camera marked, else at the sharpest spot.
        """
        if self._session.zoom is None:
            self.zoom_to(1.0, pointer)
        else:
            self._sight.gaze.set(None)

    def step_zoom(self, by: int, pointer: QPoint | None) -> None:
        """Go one step between fit, 50 (where that is larger), 100, 200, 400 and 800 %."""
        tile, zoom = self._sight.tile(), self._session.zoom
        if tile is None:
            return
        steps = self._sight.steps(tile)
        if by > 0:
            self.zoom_to(next((step for step in steps if step > (zoom or 0)), LARGEST), pointer)
        else:
            smaller = [step for step in steps if step < (zoom or 0)]
            self.zoom_to(smaller[-1] if smaller else None, pointer)

    def zoom_to(self, zoom: float | None, pointer: QPoint | None) -> None:
        """Go to a zoom, None for fit; ``pointer`` as for :meth:`toggle_zoom`."""
        tile = self._sight.tile()
        if tile is None or not tile.width or tile.state == "failed":
            return
        if zoom is None:
            self._sight.gaze.set(None)
        elif zoom != self._session.zoom:
            if pointer is not None:
                pointer = (pointer.toPointF() * self.devicePixelRatioF()).toPoint()
            self._sight.gaze.set(zoom, self._sight.center_for(zoom, pointer))

    def _pointer(self) -> QPoint | None:
        """Give the pointer if it is on the picture, in the widget's px."""
        at = self.mapFromGlobal(self.cursor().pos())
        ratio = self.devicePixelRatioF()
        inside = self.place().contains(round(at.x() * ratio), round(at.y() * ratio))
        return at if self.underMouse() and inside else None

    # --- resting and releasing

    def _rested(self) -> None:
        photo = self._session.current
        if photo is None or self._held.moving() or not self.isVisible() or self._session.finished:
            return
        self._session.rested(photo)

    def _on_released(self, key: Qt.Key, seconds: float) -> None:
        if key == Qt.Key.Key_Z and self._peeked is not None:
            before, self._peeked = self._peeked, None
            if seconds > PEEK_S and self.isVisible():
                self._sight.gaze.set(*before)
        elif not self._held.moving() and self.isVisible() and not self._rest.isActive():
            self._rest.start()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Blit the frame, draw the caption; say so if it was the photo's own picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._drawing.surround())
        tile = self._sight.tile()
        if tile is None or self._session.finished:
            return
        self._drawing.ratio = self.devicePixelRatioF()
        own = self._drawing.picture(painter, tile, self._navigator.isActive())
        if not self._bare():
            self._drawing.line(painter, tile, self.rect())
        said = self._drawing.words(tile)
        if said != self.accessibleName():
            self.setAccessibleName(said)
        if own:
            self.painted.emit(tile.id)
            if not self._rest.isActive() and not tile.seen:
                self._rest.start()

    # --- coming, going, mouse

    def showEvent(self, event: QEvent) -> None:
        """Take up decoding, and watch the window's keys."""
        self._measure()
        self._held.watch(self.window())
        self._on_current()

    def hideEvent(self, event: QEvent) -> None:
        """Leave the decoders to other views."""
        self._rest.stop()
        self._sharpen.stop()
        self._frames.want("loupe", ())
        self._pictures.thumbs.want("loupe", ())
        self.originals.want(())

    def resizeEvent(self, event: QEvent) -> None:
        """Have frames made for the new size."""
        self._measure()
        self._ask()
        self._sharpen.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at = event.position().toPoint()
        tile = self._sight.tile()
        if tile is not None and tile.state == "failed":
            pipeline = self._session.pipeline
            area = self._drawing.retry
            if area is not None and area.contains(at) and pipeline is not None:
                pipeline.retry(None, [tile.id])
                self._session.say(f"Trying {tile.name} again")
            return
        self._press = (at, placing.center_of(self.place(), self._sight.view))
        self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag a zoomed picture about."""
        if self._press is None or self._session.zoom is None:
            return
        moved = event.position().toPoint() - self._press[0]
        if not self._dragged and moved.manhattanLength() < _CLICK_PX:
            return
        self._dragged = True
        ratio, place = self.devicePixelRatioF(), self.place()
        start = self._press[1]
        center = (
            start[0] - moved.x() * ratio / max(place.width(), 1),
            start[1] - moved.y() * ratio / max(place.height(), 1),
        )
        self._look_to(center)
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def _look_to(self, center: placing.Fraction) -> None:
        """Have the view follow a hand; nobody else hears of it until the hand rests."""
        self._sight.gaze.dragged = center
        self._navigator.start()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or take it for a click: 100 % at the pointer, or back to fit."""
        press, self._press = self._press, None
        if press is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self.unsetCursor()
        if self._dragged and self._session.zoom is not None:
            gaze = self._sight.gaze
            gaze.set(gaze.zoom, placing.center_of(self.place(), self._sight.view))
        elif not self._dragged:
            at = event.position().toPoint()
            self.toggle_zoom(at if self._pointer() is not None else None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The first click has zoomed already."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Ctrl go through the photos. A touchpad pans."""
        event.accept()
        if event.device().type() == QInputDevice.DeviceType.TouchPad:
            self._swipe(event.pixelDelta() or event.angleDelta() / 8)
            return
        self._wheel += event.angleDelta().y()
        steps = int(self._wheel / _NOTCH)
        self._wheel -= steps * _NOTCH
        if not steps:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._session.step(-steps)
        else:
            self.step_zoom(1 if steps > 0 else -1, self._pointer())

    def _swipe(self, by: QPoint) -> None:
        place = self.place()
        if self._session.zoom is None or place.isEmpty():
            return
        ratio = self.devicePixelRatioF()
        x, y = placing.center_of(place, self._sight.view)
        self._look_to((x - by.x() * ratio / place.width(), y - by.y() * ratio / place.height()))
        self._settle.start()

    def event(self, event: QEvent) -> bool:
        """Take a pinch on a touchpad for what it is."""
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self._pinch(event.value(), event.position().toPoint())
            return True
        return super().event(event)

    def _pinch(self, by: float, at: QPoint) -> None:
        tile = self._sight.tile()
        if tile is None:
            return
        fit = max(self._sight.fitted(tile)) / max(tile.width, tile.height, 1)
        zoom = min((self._session.zoom or fit) * (1 + by), LARGEST)
        self.zoom_to(zoom if zoom > fit else None, at)
