"""Compare and survey: up to eight photos side by side, zoomed and panned together.

The main window shows it. Each pane has its own viewport, and all panes share one zoom. A pane shows
the pixels of its own photo, or its name until they arrive. The session accepts no mark before the
photo in the active pane has been painted.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QWidget

from curator.library.table import Tile
from curator.session import Session
from curator.session.panes import MOST, Cell, Pair, Panes, below, cells, halves
from curator.ui.loupe import caption
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.loupe_painter import LoupePainter
from curator.ui.loupe.loupe_view import NAVIGATOR_MS, REST_MS, SHARPEN_MS, ZOOMED_MS
from curator.ui.loupe.pan_zoom import PanZoom
from curator.ui.loupe.viewport import Viewport, overlay_kinds
from curator.ui.widgets import theme
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.key_state import KeyState

_LINE = 2  # below the active pane
_AHEAD = 3  # challengers whose frames are requested ahead


class _Pane:
    """One pane: its photo, its rectangle, its viewport and painter."""

    def __init__(self, session: Session, pictures: Pictures, originals: FullresCache) -> None:
        self.photo: int | None = None
        self.cell = QRect()
        self.picture = QRect()  # the cell without its caption
        self.viewport = Viewport(session, pictures.frames, originals, lambda: self.photo)
        self.drawing = LoupePainter(session, pictures, self.viewport, originals)


class CompareView(QWidget):
    """Shows the photos that the session compares.

    Signals:
        painted(int): the active photo, whose own picture or failure card was just painted.

    Args:
        session: the window's session.
        pictures: proxies and thumbnails.
        originals: full-resolution cache, shared with the loupe within one budget.
        key_state: which of the window's keys are down.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(
        self, session: Session, pictures: Pictures, originals: FullresCache, key_state: KeyState
    ) -> None:
        super().__init__()
        self._session, self._pictures, self._originals = session, pictures, originals
        self._frames = pictures.frames
        self._panes = [_Pane(session, pictures, originals) for _ in range(MOST)]
        self._cells: list[Cell] = []
        self._last_key: tuple[object, ...] = ()
        self._key_state = key_state
        self._pan_zoom = PanZoom(self, session, self._panes[0].viewport, self._viewport_at)
        self._requesting = self._timer(0, self._request)  # after posted paints
        self._rest = self._timer(REST_MS, self._rested)
        self._sharpen = self._timer(SHARPEN_MS, self._fetch)
        self._navigator = self._timer(NAVIGATOR_MS, self.update)  # shown while it runs
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photos side by side")
        self._connect()

    def _connect(self) -> None:
        session = self._session
        session.compare.panes_changed.connect(self._on_panes)
        for changed in (
            session.view_state.view_changed,
            session.view_state.zoom_changed,
            session.view_state.panels_changed,
            session.view_state.fullscreen_changed,
            session.preferences.changed,
            session.taste.captions_changed,
        ):
            changed.connect(self._on_panes)
        session.photos.photos_changed.connect(self._on_photos)
        session.requests.row_requested.connect(self._on_row_requested)
        self._frames.arrived.connect(self._on_arrived)
        self._pictures.thumbs.arrived.connect(self._on_thumb)
        self._originals.arrived.connect(self._on_original)
        self._originals.failed.connect(self._on_failure)
        self._pan_zoom.moved.connect(self._on_moved)
        self._key_state.released.connect(self._on_released)

    def _timer(self, ms: int, slot: object) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=ms)
        timer.timeout.connect(slot)
        return timer

    # --- which photos, and where

    def panes(self) -> list[_Pane]:
        """Return the panes shown, in reading order."""
        shown = self._session.compare.panes
        return [] if shown is None or not self.isVisible() else self._panes[: len(shown.photos)]

    @property
    def is_full_resolution(self) -> bool:
        """Whether every pane was painted from pixels read at its original's own size."""
        best = [pane.drawing.best for pane in self.panes()]
        return bool(best) and all(pixels is not None and pixels.full_resolution for pixels in best)

    def _active(self) -> _Pane | None:
        shown, panes = self._session.compare.panes, self.panes()
        return panes[shown.active] if shown is not None and panes else None

    def _pane_at(self, at: QPoint) -> _Pane | None:
        return next((pane for pane in self.panes() if pane.cell.contains(at)), None)

    def _viewport_at(self, at: QPoint | None) -> Viewport | None:
        """Return the viewport of the pane at a point, else of the active one; None while hidden."""
        pane = (None if at is None else self._pane_at(at)) or self._active()
        return None if pane is None else pane.viewport

    def _lay_out(self, shown: Panes) -> None:
        """Assign photos to panes and place the panes."""
        line = _LINE if self._session.view_state.bare else caption.HEIGHT
        size = self.width(), self.height()
        for pane, photo in zip(self._panes, shown.photos, strict=False):
            pane.photo = photo
        tiles = [pane.viewport.tile() for pane in self._panes[: len(shown.photos)]]
        aspects = [tile.width / tile.height if tile and tile.height else 0 for tile in tiles]
        pair = isinstance(shown, Pair)
        self._cells = halves(size) if pair else cells(aspects, size, line)
        for pane, cell in zip(self._panes, self._cells, strict=False):
            pane.cell = QRect(*cell)
            pane.picture = pane.cell.adjusted(0, 0, 0, -line)
            pane.viewport.set_pane(pane.cell, self.devicePixelRatioF(), line, 0)

    # --- which pixels

    def _next_challengers(self) -> list[tuple[Viewport, Tile]]:
        """Return the next challengers, with the viewport of the challenger's pane."""
        panes = self.panes()
        if not panes:
            return []
        tiles = map(self._session.tile, self._session.compare.upcoming(_AHEAD))
        return [(panes[-1].viewport, tile) for tile in tiles]

    def _shown(self) -> list[tuple[Viewport, Tile]]:
        """Return the photos of the panes with their viewports, the active one first."""
        active = self._active()
        panes = sorted(self.panes(), key=lambda pane: pane is not active)
        found = ((pane.viewport, pane.viewport.tile()) for pane in panes)
        return [(viewport, tile) for viewport, tile in found if tile is not None]

    def _request(self) -> None:
        """Request proxies: of the active photo, of the others, of the next challengers."""
        photos = [*self._shown(), *self._next_challengers()]
        self._frames.want(
            "compare", [request for viewport, tile in photos for request in viewport.proxies(tile)]
        )
        active = self._active()
        tile = None if active is None else active.viewport.tile()
        navigator = active.drawing.navigator_request(tile) if active and tile else None
        self._pictures.thumbs.want("compare", (navigator,))

    def _fetch(self) -> None:
        """Request originals where needed, of the next challenger as well."""
        developed = self._session.view_state.developed
        requests = [
            viewport.request_for(tile, developed)
            for viewport, tile in [*self._shown(), *self._next_challengers()[:1]]
            if tile.state != "failed"
        ]
        self._originals.want([each for each in requests if each.pixels or each.overlays])

    # --- following the session

    def _view_key(self) -> tuple[object, ...]:
        """Return all that decides which photos and pixels are shown."""
        panes, state = self._session.compare.panes, self._session.view_state
        return (panes, state.zoom, state.developed, overlay_kinds(self._session), state.bare)

    def _on_panes(self) -> None:
        shown = self._session.compare.panes
        if shown is None or not self.isVisible():
            return
        key = self._view_key()
        if key != self._last_key:
            self._last_key = key
            self._session.view_state.dragged = None
            self._rest.stop()
            self._lay_out(shown)
            self._requesting.start()
            unread = any(not tile.proxy for _, tile in self._shown())
            zoomed = self._session.view_state.zoom is not None
            self._sharpen.start(0 if unread else ZOOMED_MS if zoomed else SHARPEN_MS)
            if zoomed:
                self._navigator.start()
        self.update()

    def _on_photos(self, changed: Collection[int]) -> None:
        shown = self._session.compare.panes
        if shown is None or not self.isVisible():
            return
        touched = [photo for photo in shown.photos if photo in changed]
        if touched:
            self._pictures.clear_failures(self._session.tile(photo).proxy for photo in touched)
            self._originals.clear_failures()
            self._lay_out(shown)  # a photo may have been rotated, or its size become known
            self._requesting.start()
            self._sharpen.start()
            self.update()

    def _on_arrived(self, requests: Collection[FrameRequest]) -> None:
        keys = {tile.proxy for _, tile in self._shown()}
        if any(request.key in keys for request in requests):
            self.update()
            self._sharpen.start()

    def _on_thumb(self, _: object) -> None:
        if self._session.view_state.zoom is not None and self.isVisible():
            self.update()

    def _on_original(self, photo: int) -> None:
        if any(pane.photo == photo for pane in self.panes()):
            self.update()

    def _on_failure(self, photo: int, reason: str) -> None:
        """Report why the pixels a person requested are missing."""
        self._on_original(photo)
        active = self._active()
        if active is None or photo != active.photo:
            return
        if message := active.viewport.missing_pixels_message(reason):
            self._session.messages.say(message)

    def _on_row_requested(self, by: int) -> None:
        shown = self._session.compare.panes
        if shown is not None and self.isVisible():
            index = below(self._cells, shown.active, by)
            self._session.compare.activate(shown.photos[index])

    def _on_moved(self) -> None:
        """Paint the pictures where they moved to; the captions are unchanged."""
        self._navigator.start()
        for pane in self.panes():
            self.update(pane.picture)

    # --- resting and releasing

    def _rested(self) -> None:
        """Report the current photo as seen."""
        photo = self._session.current
        if photo is not None and self.panes() and not self._key_state.is_navigating():
            self._session.viewer.note_rested(photo)

    def _on_released(self, peeks: bool, seconds: float) -> None:
        """End a peek, or start the time after which the photo is seen."""
        if not self.isVisible() or (peeks and self._pan_zoom.end_peek(seconds)):
            return
        if not self._key_state.is_navigating() and not self._rest.isActive():
            self._rest.start()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panes; emit ``painted`` if the active one shows its photo's own picture."""
        painter = QPainter(self)
        shown, panes = self._session.compare.panes, self.panes()
        painter.fillRect(self.rect(), self._panes[0].drawing.surround())
        if shown is None or not panes:
            return
        own = set()
        for index, pane in enumerate(panes):
            tile = pane.viewport.tile()
            if tile is None:
                continue
            if self._draw_picture(painter, pane, tile, index == shown.active):
                own.add(tile.id)
            line = QRegion(pane.cell) - QRegion(pane.picture)
            if event.region().intersects(line):
                self._draw_caption(painter, pane, tile, shown, index)
        self._session.viewer.note_painted(*own)
        if self._session.view_state.dragged is None:
            self._set_accessible_name(shown, panes)
        if shown.photo in own:
            self.painted.emit(shown.photo)
            if not self._rest.isActive() and not self._session.tile(shown.photo).seen:
                self._rest.start()

    def _draw_picture(self, painter: QPainter, pane: _Pane, tile: Tile, active: bool) -> bool:
        """Draw a pane's picture. Return whether it is the photo's own."""
        pane.drawing.ratio = self.devicePixelRatioF()
        painter.save()
        painter.setClipRect(pane.cell)
        own = pane.drawing.draw_picture(painter, tile, active and self._navigator.isActive())
        painter.restore()
        return own

    def _draw_caption(
        self, painter: QPainter, pane: _Pane, tile: Tile, shown: Panes, index: int
    ) -> None:
        """Draw the caption of a pane, and the line below the active one."""
        if not self._session.view_state.bare:
            painter.save()
            painter.setClipRect(pane.cell)
            pane.drawing.draw_caption(painter, tile, pane.cell, _role(shown, index))
            painter.restore()
        if index == shown.active:
            line = pane.cell.adjusted(0, pane.cell.height() - _LINE, 0, 0)
            if caption.text_colors(pane.drawing.surround())[0] is theme.TEXT:
                painter.fillRect(line, theme.WHITE)
            else:  # on a bright surround white would not show
                painter.fillRect(line.translated(0, -_LINE), theme.CANVAS)

    def _set_accessible_name(self, shown: Panes, panes: list[_Pane]) -> None:
        """Set the accessible name to what the active pane shows."""
        pane = panes[shown.active]
        tile = pane.viewport.tile()
        if tile is None:
            return
        where = _role(shown, shown.active) or f"{shown.active + 1} of {len(panes)}"
        name = f"{where} · {pane.drawing.description(tile)}"
        if name != self.accessibleName():
            self.setAccessibleName(name)

    # --- showing, hiding, mouse

    def showEvent(self, event: QEvent) -> None:
        """Lay the photos out and request them."""
        self._last_key = ()
        self._on_panes()

    def hideEvent(self, event: QEvent) -> None:
        """Request nothing while hidden."""
        self._rest.stop()
        self._sharpen.stop()
        self._requesting.stop()
        self._frames.want("compare", ())
        self._pictures.thumbs.want("compare", ())
        self._originals.want(())

    def resizeEvent(self, event: QEvent) -> None:
        """Lay the photos out for the new size and request them."""
        self._last_key = ()
        self._on_panes()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Activate a pane; begin a click or a drag, or retry a failed photo."""
        pane = self._pane_at(event.position().toPoint())
        if pane is None or pane.photo is None or event.button() != Qt.MouseButton.LeftButton:
            return
        was_active = pane is self._active()
        if not was_active:
            self._session.compare.activate(pane.photo)
        tile, area = pane.viewport.tile(), pane.drawing.retry
        if tile is None or tile.state != "failed":
            self._pan_zoom.press(event, clicks=was_active)
        elif area is not None and area.contains(event.position().toPoint()):
            self._session.sources.retry(tile.id)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Activate the pane; the window then opens the photo's menu."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        pane = self._pane_at(event.pos()) if by_mouse else self._active()
        event.setAccepted(pane is None or pane.photo is None)
        if pane is not None and pane.photo is not None:
            self._session.compare.activate(pane.photo)


def _role(shown: Panes, index: int) -> str:
    """Return the role of a photo in a pair; empty in a survey."""
    return ("Winner", "Challenger")[index] if isinstance(shown, Pair) else ""
