"""The loupe: one photo as large as fits, or zoomed.

The main window shows it. A frame decoded ahead is painted as one blit, before any other work of the
key press. Only the current photo's own pixels may be on screen: until they are ready, the canvas
shows its name, and the session accepts no mark before the photo has been painted.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from curator.model import View
from curator.session import Session
from curator.ui.loupe import caption
from curator.ui.loupe.face_strip import FaceStrip
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.loupe_painter import LoupePainter
from curator.ui.loupe.pace import StepPace
from curator.ui.loupe.pan_zoom import PanZoom
from curator.ui.loupe.viewport import Viewport, overlay_kinds
from curator.ui.widgets import words
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.key_state import KeyState

REST_MS = 250  # a photo painted this long ago, with no arrow key held, is seen
SHARPEN_MS = 120  # then pixels of the original are requested if the proxy does not suffice
_LINGER_MS = 400  # then all pixels of the original are requested: the person may zoom in next
ZOOMED_MS = 40  # SHARPEN_MS while zoomed
NAVIGATOR_MS = 1000
_DECISION_MS = 1200  # long enough to read; the next mark replaces it


class LoupeView(QWidget):
    """Shows the session's current photo.

    Attributes:
        originals: full-resolution pixels and overlays, shared with the compare view.
        strip: the close-ups of faces beside the picture.

    Signals:
        painted(int): the photo whose own picture, or failure card, was just painted.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(self, session: Session, pictures: Pictures, key_state: KeyState) -> None:
        super().__init__()
        self._session, self._pictures, self._key_state = session, pictures, key_state
        self._frames = pictures.frames
        self.originals = FullresCache(session, self)
        self._viewport = Viewport(session, pictures.frames, self.originals)
        self.strip = FaceStrip(session, pictures.frames, self.originals, self._viewport)
        self.strip.setParent(self)
        self._viewport.crops = self.strip.crops
        self._pane = QRect()  # the rest of the widget
        self._drawing = LoupePainter(session, pictures, self._viewport, self.originals)
        # Before a zoom key is handled: the drive may be connected by now.
        session.requests.zoom_requested.connect(self.originals.clear_failures)
        self._pan_zoom = PanZoom(self, session, self._viewport, self._viewport_at)
        self._last_key: tuple[object, ...] = ()
        self._pace = StepPace()
        self._requesting = self._timer(0, self._request_ahead)  # after posted paints
        self._rest = self._timer(REST_MS, self._rested)
        self._planning = self._timer(0, self._plan_originals)  # after posted paints
        self._sharpen = self._timer(SHARPEN_MS, self._fetch)
        self._navigator = self._timer(NAVIGATOR_MS, self.update)  # shown while it runs
        self._full_timer = self._timer(_LINGER_MS, self._fetch_full)
        self._after_paint = self._timer(0, self._on_painted)
        self._decision = ""  # the mark just made
        self._decision_timer = self._timer(_DECISION_MS, self._hide_decision)
        self._full_photo: int | None = None  # the photo whose original is read in full
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photo")
        self._connect()

    def _connect(self) -> None:
        session = self._session
        session.photos.current_changed.connect(self._pace.step)
        session.photos.current_changed.connect(self._on_step)
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
        session.taste.scores_changed.connect(self._requesting.start)  # they clear the tiles
        session.faces.focus_changed.connect(self.update)
        session.messages.status_message.connect(self._hide_decision)  # the message is newer
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
        timer = QTimer(self, singleShot=True, interval=ms)
        timer.timeout.connect(slot)
        return timer

    # --- what to show

    def place(self) -> QRect:
        """Return the rectangle of the current picture, device px; empty if there is none."""
        return self._viewport.place()

    @property
    def is_full_resolution(self) -> bool:
        """Whether the last paint used pixels read at the original's own size."""
        best = self._drawing.best
        return best is not None and best.full_resolution

    def is_next_read(self) -> bool:
        """Whether the requested pixels of the next photo's original have been read."""
        requests = self._viewport.original_requests()[1:2]
        return all(
            self.originals.pixels(request) is not None for request in requests if request.pixels
        )

    def _measure(self) -> None:
        line = 0 if self._session.view_state.bare else caption.HEIGHT
        self._pane = self.strip.arrange(self.rect())
        self._viewport.set_pane(self._pane, self.devicePixelRatioF(), line)

    def _request(self) -> None:
        """Request proxies: the current photo's, then those of its neighbors."""
        tile = self._viewport.tile() if self.isVisible() else None
        if tile is None:
            self._frames.want("loupe", ())
            return
        self._frames.want("loupe", self._viewport.proxy_requests())
        self._pictures.thumbs.want("loupe", (self._drawing.navigator_request(tile),))

    def _view_key(self) -> tuple[object, ...]:
        """Return the state that, when it changes, makes `_on_view` request pixels again."""
        session, state = self._session, self._session.view_state
        kinds, strip = overlay_kinds(session), self.strip.isHidden()
        return (session.current, state.zoom, state.developed, kinds, state.bare, strip)

    def _update_and_request(self) -> bool:
        """Paint first if the proxies are decoded; otherwise request them first.

        Returns:
            Whether they are decoded.
        """
        self.update()
        decoded = self._viewport.has_proxies()
        if not decoded:
            self._request()
        self._requesting.start()
        return decoded

    def _request_ahead(self) -> None:
        """Request the neighbors' frames after the paint, and draw the next caption."""
        self._request()
        session = self._session
        following = session.navigator.following
        if self.isVisible() and following is not None:
            self._drawing.draw_caption_ahead(session.tile(following), self._pane)
            session.faces.of(following)

    def _fetch(self) -> None:
        """Request pixels and overlays of originals where they are needed."""
        current = self._session.current
        if current is not None and self.isVisible() and not self._session.view_state.finished:
            self.originals.want(self._viewport.original_requests(self._full_photo == current))

    def _delay_ms(self, least_ms: int, all_pixels: bool = False) -> int:
        """Return in how many ms to request originals: when they end before the next step.

        Args:
            least_ms: the shortest delay.
            all_pixels: whether to request all pixels of the current photo, too.
        """
        pipeline, requests = self._session.pipeline, self._viewport.original_requests(all_pixels)
        if pipeline is None or not requests:
            return least_ms
        work_s = max(pipeline.frames.full_s(request.source.want) for request in requests)
        return round(1000 * self._pace.delay_s(least_ms / 1000, work_s))

    def _plan_originals(self) -> None:
        """Decide, after the paint, when to request originals: shortly, or when the hand rests."""
        tile = self._viewport.tile()
        if tile is None or not self.isVisible():
            return
        zoomed = self._session.view_state.zoom is not None
        least_ms = SHARPEN_MS if not zoomed and self.strip.isHidden() else ZOOMED_MS
        self._sharpen.start(self._delay_ms(least_ms) if tile.proxy else 0)
        self._full_timer.start(self._delay_ms(_LINGER_MS, all_pixels=True))

    def _fetch_full(self) -> None:
        """Read all of the original, so that zooming in shows it at once."""
        if not self._key_state.is_navigating():
            self._full_photo = self._session.current
            self._fetch()

    # --- following the session

    def _on_step(self) -> None:
        """Paint a decoded photo at once, not after other widgets and the events that wait."""
        self._decision = ""  # a mark that led here is reported after the paint
        if self._on_current():
            self.repaint()

    def _on_current(self) -> bool:
        """Show the current photo; return whether it is decoded."""
        self._drawing.retry = None
        self._rest.stop()
        if not self.isVisible():
            return False
        self._session.view_state.dragged = None
        self._last_key = self._view_key()
        decoded = self._update_and_request()
        self._sharpen.stop()
        self._full_timer.stop()
        self._planning.start()
        if self._session.view_state.zoom is not None:
            self._navigator.start()
        return decoded

    def _on_view(self) -> None:
        self._measure()
        if self._view_key() != self._last_key:
            self._last_key = self._view_key()
            self._update_and_request()
            self._fetch()
            if self._session.view_state.zoom is not None:
                self._navigator.start()
        self.update()

    def _caption_rect(self) -> QRect:
        return self._pane.adjusted(0, self._pane.height() - caption.HEIGHT, 0, 0)

    def _show_decision(self, summary: str) -> None:
        """Show the mark just made in the caption line for a moment."""
        if self.isVisible():
            self._decision = summary
            self._decision_timer.stop()  # it starts with the paint
            self.update(self._caption_rect())

    def _hide_decision(self) -> None:
        if self._decision:
            self._decision = ""
            self.update(self._caption_rect())

    def _on_photos(self, changed: Collection[int]) -> None:
        session = self._session
        index, prefetch = session.photos.index, session.settings.loupe.prefetch
        near = session.ids[max(index - prefetch, 0) : index + prefetch + 1].tolist()
        touched = [photo for photo in near if photo in changed]
        if not touched:
            return
        self._pictures.clear_failures(session.tile(photo).proxy for photo in touched)
        self.originals.clear_failures()
        self.update()
        self._requesting.start()
        if session.current in touched:
            self._planning.start()

    def _on_arrived(self, requests: Collection[FrameRequest]) -> None:
        tile = self._viewport.tile()
        if tile is None or not self.isVisible():
            return
        if any(request.key == tile.proxy for request in requests):
            self.update()
            self._planning.start()

    def _on_original(self, photo: int) -> None:
        if photo == self._session.current and self.isVisible():
            self.update()

    def _on_failure(self, photo: int, reason: str) -> None:
        """Report why the pixels a person requested are missing."""
        if photo != self._session.current or not self.isVisible():
            return
        self.update()
        if message := self._viewport.missing_pixels_message(reason):
            self._session.messages.say(message)

    def _on_moved(self) -> None:
        """Paint the picture where it moved to; the caption is unchanged."""
        self._navigator.start()
        below = 0 if self._session.view_state.bare else caption.HEIGHT
        self.update(self._pane.adjusted(0, 0, 0, -below))

    def _on_thumb(self, _: object) -> None:
        if self._session.view_state.zoom is not None:
            self.update()

    def _viewport_at(self, at: QPoint | None) -> Viewport | None:
        """Return the viewport, or None while keys that zoom do not apply to this view."""
        state = self._session.view_state
        zooms = state.view is View.LOUPE and not state.finished and self.isVisible()
        return self._viewport if zooms else None

    # --- resting and releasing

    def _rested(self) -> None:
        """Report the current photo as seen."""
        photo = self._session.current
        shown = self.isVisible() and not self._session.view_state.finished
        if photo is not None and shown and not self._key_state.is_navigating():
            self._session.viewer.note_rested(photo)

    def _on_pressed(self) -> None:
        """Let background work wait for the photo this key leads to."""
        if self.isVisible():
            self._session.viewer.hold_background(True)

    def _on_released(self, peeks: bool, seconds: float) -> None:
        """End a peek, or start the time after which the photo is seen."""
        if not self.isVisible() or (peeks and self._pan_zoom.end_peek(seconds)):
            return
        if not self._key_state.is_navigating() and not self._rest.isActive():
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
        bare = self._session.view_state.bare
        only_caption = not bare and self._caption_rect().contains(event.rect())
        own = not only_caption and self._drawing.draw_picture(
            painter, tile, self._navigator.isActive()
        )
        if not bare and event.region().intersects(self._caption_rect()):
            self._drawing.draw_caption(painter, tile, self._pane, decision=self._decision)
        if only_caption:
            return
        if self._session.view_state.dragged is None:
            self._after_paint.start()
        if own:
            self.painted.emit(tile.id)
            if not self._rest.isActive() and not tile.seen:
                self._rest.start()

    def _on_painted(self) -> None:
        """Let background work go on, and set the accessible name to what was painted."""
        self._session.viewer.hold_background(False)
        tile = self._viewport.tile()
        if tile is None or self._session.view_state.finished:
            return
        faces = "" if self.strip.isHidden() else self.strip.description(tile)
        name = words.joined((self._drawing.description(tile), faces))
        if name != self.accessibleName():
            self.setAccessibleName(name)

    # --- showing, hiding, mouse

    def showEvent(self, event: QEvent) -> None:
        """Request the current photo."""
        self._measure()
        self._on_current()

    def hideEvent(self, event: QEvent) -> None:
        """Request nothing while hidden."""
        self._decision = ""
        self._rest.stop()
        for timer in (self._planning, self._sharpen, self._full_timer):
            timer.stop()
        self._frames.want("loupe", ())
        self._pictures.thumbs.want("loupe", ())
        self.originals.want(())

    def resizeEvent(self, event: QEvent) -> None:
        """Request frames of the new size."""
        self._measure()
        self._request()
        self._planning.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag, or retry a failed photo."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        tile = self._viewport.tile()
        if tile is None or tile.state != "failed":
            self._pan_zoom.press(event)
            return
        area = self._drawing.retry
        if area is not None and area.contains(event.position().toPoint()):
            self._session.sources.retry(tile.id)
