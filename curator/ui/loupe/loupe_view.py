"""The loupe: one photo as large as fits, with nothing over it.

The main window shows it. A frame decoded ahead is painted as one blit in the same turn of the event
loop as the key. Only the current photo's own pixels may be on screen: until any are ready, the
canvas shows its name, and marks wait until the photo has been painted.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from curator.model import View
from curator.session import Session
from curator.ui.loupe import caption
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.loupe_painter import LoupePainter
from curator.ui.loupe.pan_zoom import PanZoom
from curator.ui.loupe.viewport import Viewport, overlays
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.key_state import KeyState

_REST_MS = 250  # on screen this long without moving: seen
_SHARPEN_MS = 120  # resting this long: the view's pixels from the original; DESIGN says <= 150
_LINGER_MS = 400  # one stays with this photo: a look at 100 % may come next
_ZOOMED_MS = 40  # longer than a key_state arrow's repeat, so that flying past asks for nothing
_NAVIGATOR_MS = 1000
_DECISION_MS = 1200  # long enough to read; the next mark replaces it


class LoupeView(QWidget):
    """Shows the session's current photo.

    Signals:
        painted(int): the photo whose own picture, or failure card, was just painted.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(self, session: Session, pictures: Pictures, key_state: KeyState) -> None:
        super().__init__()
        self._session = session
        self._pictures = pictures
        self._frames = pictures.frames
        self.originals = FullresCache(session, self)
        self._viewport = Viewport(session, pictures.frames, self.originals)
        self._drawing = LoupePainter(session, pictures, self._viewport, self.originals)
        self._key_state = key_state
        self._pan_zoom = PanZoom(self, self._viewport)
        self._last: tuple[object, ...] = ()
        self._requesting = self._timer(0, self._request_ahead)  # after posted paints
        self._rest = self._timer(_REST_MS, self._rested)
        self._sharpen = self._timer(_SHARPEN_MS, self._fetch)
        self._navigator = self._timer(_NAVIGATOR_MS, self.update)
        self._linger = self._timer(_LINGER_MS, self._lingered)
        self._naming = self._timer(0, self._name)
        self._decision = ""  # the mark just made
        self._decision_timer = self._timer(_DECISION_MS, self._hide_decision)
        self._lingering: int | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photo")
        self._connect()

    def _connect(self) -> None:
        session = self._session
        session.photos.current_changed.connect(self._on_current)
        session.photos.list_changed.connect(self._on_current)
        for changed in (
            session.view_state.view_changed,
            session.view_state.zoom_changed,
            session.view_state.panels_changed,
            session.view_state.fullscreen_changed,
            session.criteria.mode_changed,
            session.preferences.changed,
            session.taste.captions_changed,
        ):
            changed.connect(self._on_view)
        session.photos.photos_changed.connect(self._on_photos)
        session.requests.zoom_requested.connect(self._on_zoom_requested)
        session.requests.resize_requested.connect(self._on_resize_requested)
        session.messages.status_message.connect(self._hide_decision)  # a newer message
        session.decisions.decided.connect(self._show_decision)
        self._frames.arrived.connect(self._on_arrived)
        self._pictures.thumbs.arrived.connect(self._on_thumb)
        self.originals.arrived.connect(self._on_original)
        self.originals.failed.connect(self._on_failure)
        self._pan_zoom.moved.connect(self._on_moved)
        self._key_state.pressed.connect(self._on_pressed)
        self._key_state.released.connect(self._on_released)
        # Queued: a photo counts as shown after the paint, not in the middle of it.
        self.painted.connect(session.viewer.note_painted, Qt.ConnectionType.QueuedConnection)

    def _timer(self, ms: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(slot)
        return timer

    # --- what to show

    def place(self) -> QRect:
        """Return the rectangle of the current picture, device px; empty if there is none."""
        return self._viewport.place()

    @property
    def is_full_resolution(self) -> bool:
        """Whether the last paint used every pixel of the original."""
        best = self._drawing.best
        return best is not None and best.full_resolution

    def read_ahead(self) -> bool:
        """Whether the requested pixels of the next photo's original have been read."""
        requests = [request for request in self._viewport.requests()[1:2] if request.pixels]
        return all(self.originals.pixels(request) is not None for request in requests)

    def _measure(self) -> None:
        line = 0 if self._session.view_state.bare else caption.HEIGHT
        self._viewport.set_room(self.rect(), self.devicePixelRatioF(), line)

    def _request(self) -> None:
        """Request frames: the current one, then its neighbors in the direction of travel."""
        if not self.isVisible() or self._session.photos.index < 0:
            self._frames.want("loupe", ())
            return
        self._frames.want("loupe", self._viewport.wants())
        tile = self._viewport.tile()
        map_ = (
            None
            if tile is None or self._session.view_state.zoom is None
            else self._drawing.map(tile)
        )
        self._pictures.thumbs.want("loupe", () if map_ is None else (map_,))

    def _view_key(self) -> tuple[object, ...]:
        """Return all that decides which pixels are needed, apart from the size."""
        session = self._session
        return (
            session.current,
            session.view_state.zoom,
            session.view_state.developed,
            overlays(session),
            self._session.view_state.bare,
        )

    def _update_and_request(self) -> None:
        """Paint first if a frame is ready; otherwise request frames at once."""
        self.update()
        if not self._viewport.ready():
            self._request()
        self._requesting.start()

    def _request_ahead(self) -> None:
        """Request the neighbors' frames after the paint, and load the next caption."""
        self._request()
        session = self._session
        following = session.photos.index + session.photos.direction
        if self.isVisible() and 0 <= following < len(session.ids):
            session.caption(int(session.ids[following]))

    def _fetch(self) -> None:
        if self.isVisible() and not self._session.view_state.finished:
            lingering = self._lingering == self._session.current
            self.originals.want(self._viewport.requests(lingering))

    def _lingered(self) -> None:
        """Read all of the original, so that zooming in shows it at once."""
        if not self._key_state.is_navigating():
            self._lingering = self._session.current
            self._fetch()

    # --- following the session

    def _on_current(self) -> None:
        self._viewport.shared_zoom.dragged = None
        self._drawing.retry = None
        self._rest.stop()
        if not self.isVisible():
            return
        self._last = self._view_key()
        self._update_and_request()
        tile = self._viewport.tile()
        soon = tile is not None and not tile.proxy
        self._sharpen.start(
            0 if soon else _SHARPEN_MS if self._session.view_state.zoom is None else _ZOOMED_MS
        )
        self._linger.start()
        if self._session.view_state.zoom is not None:
            self._navigator.start()

    def _on_view(self) -> None:
        self._measure()
        if self._view_key() != self._last:
            self._last = self._view_key()
            self._update_and_request()
            self._fetch()
            if self._session.view_state.zoom is not None:
                self._navigator.start()
        self.update()

    def _line(self) -> QRect:
        """Return the rectangle of the caption line."""
        return self.rect().adjusted(0, self.height() - caption.HEIGHT, 0, 0)

    def _show_decision(self, summary: str) -> None:
        """Show the mark just made in the caption line for a moment."""
        if self.isVisible():
            self._decision = summary
            self._decision_timer.stop()  # it starts with the paint
            self.update(self._line())

    def _hide_decision(self) -> None:
        if self._decision:
            self._decision = ""
            self.update(self._line())

    def _on_photos(self, changed: Collection[int]) -> None:
        session = self._session
        start = max(session.photos.index - session.settings.loupe.prefetch, 0)
        near = session.ids[
            start : session.photos.index + session.settings.loupe.prefetch + 1
        ].tolist()
        touched = [photo for photo in near if photo in changed]
        if not touched:
            return
        self._pictures.clear_failures(session.tile(photo).proxy for photo in touched)
        self.originals.clear_failures()
        self.update()
        self._requesting.start()
        if session.current in touched:
            self._sharpen.start()

    def _on_arrived(self, wants: Collection[FrameRequest]) -> None:
        tile = self._viewport.tile()
        if tile is None or not self.isVisible():
            return
        if any(want.key == tile.proxy for want in wants):
            self.update()
            self._sharpen.start()

    def _on_original(self, photo: int) -> None:
        if photo == self._session.current and self.isVisible():
            self.update()

    def _on_failure(self, photo: int, reason: str) -> None:
        """Report why the pixels a person requested by key are missing."""
        session = self._session
        if photo != session.current or not self.isVisible():
            return
        self.update()
        message = self._viewport.missing_pixels_message(reason)
        if message:
            session.messages.say(message)

    def _on_moved(self) -> None:
        self._navigator.start()
        self.update()

    def _on_thumb(self, _: object) -> None:
        if self._session.view_state.zoom is not None:
            self.update()

    def _is_in_front(self) -> bool:
        """Whether zooming is meant for this view."""
        state = self._session.view_state
        return state.view is View.LOUPE and not state.finished and self.isVisible()

    def _on_zoom_requested(self) -> None:
        if self._is_in_front():
            self.originals.clear_failures()  # the drive may be connected by now
            self._pan_zoom.peek(self._pan_zoom.pointer())

    def _on_resize_requested(self, by: int) -> None:
        if self._is_in_front():
            self._pan_zoom.step(by, self._pan_zoom.pointer())

    # --- resting and releasing

    def _rested(self) -> None:
        photo = self._session.current
        if (
            photo is None
            or self._key_state.is_navigating()
            or not self.isVisible()
            or self._session.view_state.finished
        ):
            return
        self._session.viewer.note_rested(photo)

    def _on_pressed(self) -> None:
        """Let background work wait for the photo this key leads to."""
        if self.isVisible():
            self._session.viewer.hold_background(True)

    def _on_released(self, looks: bool, seconds: float) -> None:
        if looks and self.isVisible() and self._pan_zoom.end_peek(seconds):
            return
        if not self._key_state.is_navigating() and self.isVisible() and not self._rest.isActive():
            self._rest.start()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw picture and caption; emit ``painted`` if it was the photo's own picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._drawing.surround())
        tile = self._viewport.tile()
        if tile is None or self._session.view_state.finished:
            return
        self._drawing.ratio = self.devicePixelRatioF()
        if self._decision and not self._decision_timer.isActive():
            self._decision_timer.start()
        if not self._session.view_state.bare and self._line().contains(event.rect()):
            self._drawing.line(painter, tile, self.rect(), decision=self._decision)
            return  # the picture is unchanged
        own = self._drawing.picture(painter, tile, self._navigator.isActive())
        if not self._session.view_state.bare:
            self._drawing.line(painter, tile, self.rect(), decision=self._decision)
        if self._viewport.shared_zoom.dragged is None:
            self._naming.start()  # screen readers speak after the paint
        if own:
            self.painted.emit(tile.id)
            if not self._rest.isActive() and not tile.seen:
                self._rest.start()

    def _name(self) -> None:
        """Set the accessible name to what was painted, and let background work go on."""
        self._session.viewer.hold_background(False)
        tile = self._viewport.tile()
        if tile is None or self._session.view_state.finished:
            return
        name = self._drawing.words(tile)
        if name != self.accessibleName():
            self.setAccessibleName(name)

    # --- coming, going, mouse

    def showEvent(self, event: QEvent) -> None:
        """Request the current photo."""
        self._measure()
        self._on_current()

    def hideEvent(self, event: QEvent) -> None:
        """Request nothing while hidden."""
        self._decision = ""
        self._rest.stop()
        self._sharpen.stop()
        self._linger.stop()
        self._frames.want("loupe", ())
        self._pictures.thumbs.want("loupe", ())
        self.originals.want(())

    def resizeEvent(self, event: QEvent) -> None:
        """Request frames of the new size."""
        self._measure()
        self._request()
        self._sharpen.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        tile = self._viewport.tile()
        if tile is None or tile.state != "failed":
            self._pan_zoom.press(event)
            return
        area = self._drawing.retry
        if area is not None and area.contains(event.position().toPoint()):
            self._session.sources.retry(tile.id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag a zoomed picture."""
        self._pan_zoom.drag(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag or a click."""
        self._pan_zoom.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Do nothing: the first click has already zoomed."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer, with Ctrl go through the photos; a touchpad pans."""
        by = self._pan_zoom.wheel(event)
        if by:
            self._session.navigator.step(by)

    def event(self, event: QEvent) -> bool:
        """Zoom by a pinch on a touchpad."""
        if isinstance(event, QNativeGestureEvent) and self._pan_zoom.gesture(event):
            return True
        return super().event(event)
