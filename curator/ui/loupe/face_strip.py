"""The strip of face close-ups beside the loupe: is anyone blinking, and are the eyes sharp?

The loupe lays it out in the room that a landscape photo leaves, and reads the close-ups with the
pixels of the photo. What was measured is said in gray: closed and soft eyes have a hairline outline
and a word, open eyes nothing. The strip of the next photo is drawn ahead, from that photo's own
pixels; it never shows another's.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QToolTip, QWidget

from curator.library.table import Tile
from curator.model import Face
from curator.session import Session
from curator.session.person import Look
from curator.stages.frame import Crop
from curator.ui.loupe import caption
from curator.ui.loupe.face_crops import Closeup, crop_of, scale_of
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.viewport import MARGIN, Viewport
from curator.ui.widgets import theme, words
from curator.ui.widgets.frames import Frame, FrameStore

MOST = 12
_LANDSCAPE = 1.5  # aspect of the photo that keeps its size beside the strip
_LEAST, _WIDEST = 176, 356  # px
_GAP = 8
_LINE = 18  # for the words below a close-up
_UNDERLINE = 2  # below the focused face
_SMALLEST = 8
_KEPT = 6  # photos whose strips are kept drawn, 1 MB each, at twice the density 4
_KEPT_CROPS = 64
_BELOW = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
_BELOW_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
_AS_IS = 0.995  # from this scale on, a close-up is at 100 %


class _Drawn(NamedTuple):
    """The strip of a photo, what it was drawn from, and whether from its own pixels."""

    key: tuple[object, ...]
    sharp: tuple[Frame, ...] | None
    proxy: Frame | None
    own: bool
    picture: QPixmap


class FaceStrip(QWidget):
    """Shows the faces of the current photo; a click zooms to one.

    Attributes:
        is_sharp: whether the last paint used pixels of the original.

    Signals:
        painted(int): the photo whose faces were just painted from its own pixels, or that has none.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(
        self, session: Session, frames: FrameStore, originals: FullresCache, viewport: Viewport
    ) -> None:
        super().__init__()
        self._session, self._frames, self._originals = session, frames, originals
        self._viewport = viewport
        self._pictures: OrderedDict[int, _Drawn] = OrderedDict()
        self._fresh: set[int] = set()  # photos whose strip is drawn, and nothing changed since
        self._crops: OrderedDict[int, tuple[object, object, tuple[Crop, ...]]] = OrderedDict()
        self._ahead = QTimer(self, singleShot=True, interval=0)  # after posted paints
        self._ahead.timeout.connect(self._draw_ahead)
        self.is_sharp = False
        self._font = theme.caption_font()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        # The loupe's own updates leave out what lies over it.
        session.photos.current_changed.connect(self._on_current)
        for changed in (
            session.photos.list_changed,
            session.photos.photos_changed,
            session.view_state.view_changed,
            session.view_state.zoom_changed,
            session.view_state.panels_changed,
            session.preferences.changed,
            session.faces.focus_changed,
            frames.arrived,
            originals.arrived,
        ):
            changed.connect(self._on_changed)

    def _on_current(self) -> None:
        self.update()
        self._ahead.start()

    def _on_changed(self, *_: object) -> None:
        self._fresh.clear()
        self._on_current()

    def _draw_ahead(self) -> None:
        """Draw the strip of the next photo, so that the key only copies it to the screen."""
        following = self._session.navigator.following
        if self.isVisible() and following is not None:
            tile = self._session.tile(following)
            self._picture(tile)
            self._fresh.add(tile.id)

    # --- positions

    def arrange(self, room: QRect) -> QRect:
        """Lay the strip out at the right of a room if it is on; return the rest of the room."""
        state = self._session.view_state
        shown = self._session.settings.loupe.faces and not state.bare
        spare = room.width() - _LANDSCAPE * (room.height() - caption.HEIGHT - 2 * MARGIN)
        width = max(_LEAST, min(_WIDEST, int(spare) - 2 * MARGIN))
        rest = room.adjusted(0, 0, -width if shown else 0, 0)
        self.setVisible(shown)
        if shown:
            self.setGeometry(room.adjusted(rest.width(), 0, 0, 0))
        return rest

    def cells(self, count: int) -> list[QRect]:
        """Return the squares of the close-ups of so many faces, px: as large as fit."""
        return _cells(self.width(), self.height(), count)

    def place_at(self, at: QPoint) -> int | None:
        """Return the place of the face at a point, px, or None."""
        tile = self._viewport.tile()
        if tile is None or not self._faces(tile):
            return None
        cells = zip(self._shown(tile), self.cells(len(self._faces(tile))), strict=True)
        return next((place for place, cell in cells if cell.contains(at)), None)

    def _shown(self, tile: Tile) -> list[int]:
        """Return the places of the faces shown, in the order of their cells."""
        return [place for place in self._session.faces.arranged(tile.id) if place < MOST]

    # --- pixels

    def crops(self, tile: Tile) -> tuple[Crop, ...]:
        """Return the close-ups of a photo to read with its pixels; none while the strip is off."""
        faces = self._faces(tile)
        if self.isHidden() or not faces or not tile.width or tile.state == "failed":
            return ()
        edge = round(self.cells(len(faces))[0].width() * self.devicePixelRatioF())
        key = tile.width, tile.height, tile.turn, edge
        found = self._crops.get(tile.id)
        if found is None or found[0] is not faces or found[1] != key:
            found = faces, key, tuple(crop_of(face, tile, edge) for face in faces[:MOST])
            self._crops[tile.id] = found
            if len(self._crops) > _KEPT_CROPS:
                self._crops.popitem(last=False)
        return found[2]

    def _faces(self, tile: Tile) -> tuple[Face, ...]:
        return self._session.faces.of(tile.id) or ()

    # --- painting

    def _picture(self, tile: Tile) -> _Drawn:
        """Return the strip of a photo, drawn again only if something on it has changed."""
        request = self._viewport.request_for(tile, self._session.view_state.developed)
        sharp = self._originals.crops(request) if request.crops else None
        waits = request.crops and sharp is None
        proxy = self._frames.best(self._viewport.proxy(tile)) if waits else None
        looks, text = self._session.faces.looks(tile.id), self._session.faces.why_none(tile.id)
        focused = self._session.faces.place_in(tile.id)
        surround = self._session.view_state.surround
        ratio = self.devicePixelRatioF()
        # Frames are compared by identity: one that is read again is drawn again.
        key = (request.picture, request.crops, looks, text, focused, surround, self.size(), ratio)
        found = self._pictures.get(tile.id)
        if found is None or (found.key, found.sharp, found.proxy) != (key, sharp, proxy):
            closeups = [
                Closeup(crop, tile.turn, sharp[place] if sharp else None, proxy)
                for place, crop in enumerate(request.crops)
            ]
            own = not request.crops or sharp is not None or proxy is not None
            found = _Drawn(key, sharp, proxy, own, self._drawn(tile, closeups))
            self._pictures[tile.id] = found
            while len(self._pictures) > _KEPT:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(tile.id)
        return found

    def _drawn(self, tile: Tile, closeups: list[Closeup]) -> QPixmap:
        """Draw close-ups, or why there are none."""
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        surround = theme.SURROUND_COLORS[self._session.view_state.surround]
        picture.fill(surround)
        with QPainter(picture) as painter:
            painter.setFont(self._font)
            painter.setPen(caption.text_colors(surround)[1])
            if closeups:
                self._draw(painter, tile, closeups)
            else:
                area = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
                text = self._session.faces.why_none(tile.id)
                painter.drawText(area, int(Qt.TextFlag.TextWordWrap), text)
        return picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the close-ups, or why there are none."""
        painter, tile = QPainter(self), self._viewport.tile()
        if tile is None or self._session.view_state.finished:
            painter.fillRect(self.rect(), theme.SURROUND_COLORS[self._session.view_state.surround])
            return
        fresh = tile.id in self._fresh and tile.id in self._pictures
        drawn = self._pictures[tile.id] if fresh else self._picture(tile)
        painter.drawPixmap(0, 0, drawn.picture)
        self.is_sharp = drawn.sharp is not None
        if drawn.own:
            self.painted.emit(tile.id)

    def _draw(self, painter: QPainter, tile: Tile, closeups: list[Closeup]) -> None:
        """Draw close-ups with their words, in the painter's quiet color."""
        faces, looks = self._faces(tile), self._session.faces.looks(tile.id)
        focused = self._session.faces.place_in(tile.id)
        cells = self.cells(len(faces))
        surround = theme.SURROUND_COLORS[self._session.view_state.surround]
        for place, cell in zip(self._shown(tile), cells, strict=True):
            self._draw_pixels(painter, cell, closeups[place])
            word, line = looks[place].word, cell.adjusted(0, cell.height(), 0, _LINE)
            if word:
                painter.drawText(line, _BELOW, word)
            if looks[place].is_outlined:
                painter.drawRect(cell.adjusted(-2, -2, 1, 1))
            if percent := _percent(scale_of(closeups[place].crop, tile)):
                painter.drawText(line, _BELOW_RIGHT, percent)
            if place == focused:
                line.setHeight(_UNDERLINE)
                painter.fillRect(line, caption.text_colors(surround)[0])
        if len(faces) > MOST:
            rest = cells[-1].translated(MARGIN - cells[-1].x(), cells[-1].height() + _LINE + _GAP)
            painter.drawText(rest, Qt.AlignmentFlag.AlignLeft, f"+{len(faces) - MOST}")

    def _draw_pixels(self, painter: QPainter, cell: QRect, closeup: Closeup) -> None:
        """Draw a close-up in the middle of its cell."""
        ratio = self.devicePixelRatioF()
        width, height = closeup.crop.size
        edge = round(cell.width() * ratio)
        x, y = int(cell.x() * ratio), int(cell.y() * ratio)
        place = QRect(x + (edge - width) // 2, y + (edge - height) // 2, width, height)
        if not closeup.draw(painter, place, ratio):
            painter.fillRect(cell, theme.PANEL)

    # --- words, resizing, hiding, mouse

    def description(self, tile: Tile) -> str:
        """Return the faces of a photo in words, for screen readers."""
        faces = self._faces(tile)
        if not faces:
            return self._session.faces.why_none(tile.id)
        looks = self._session.faces.looks(tile.id)
        shown = [_spoken(faces[place], looks[place]) for place in self._shown(tile)]
        texts = [f"face {number}: {text}" for number, text in enumerate(shown, 1)]
        more = len(faces) - len(texts)
        return "; ".join([*texts, f"{more} more"] if more else texts)

    def _tooltip(self, place: int) -> str:
        tile = self._viewport.tile()
        if tile is None:
            return ""
        face, look = self._faces(tile)[place], self._session.faces.looks(tile.id)[place]
        key = self._session.preferences.keys.get("next_face")
        click = f"Click to zoom ({key}: next face)" if key else "Click to zoom"
        return theme.plain_tip(f"{_spoken(face, look)}\n{click}")

    def resizeEvent(self, event: QEvent) -> None:
        """Draw every strip again in the new size."""
        self._fresh.clear()

    def hideEvent(self, event: QEvent) -> None:
        """Release what was drawn."""
        self._pictures.clear()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a pointing hand over a face."""
        clickable = self.place_at(event.position().toPoint()) is not None
        shape = Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Zoom to the face under the pointer; to fit if it is zoomed to already."""
        place = self.place_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._session.requests.face_requested.emit(place)

    def event(self, event: QEvent) -> bool:
        """Show a tooltip with what was measured of the face under the pointer."""
        if isinstance(event, QHelpEvent):
            place = self.place_at(event.pos())
            tip = "" if place is None else self._tooltip(place)
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)


@lru_cache(maxsize=64)
def _cells(width: int, height: int, count: int) -> list[QRect]:
    width, height = width - 2 * MARGIN, height - MARGIN
    height -= _LINE + _GAP if count > MOST else 0  # "+8"
    count = min(count, MOST)

    def edge(columns: int) -> int:
        rows = -(-count // columns)
        wide = (width - (columns - 1) * _GAP) // columns
        return max(min(wide, (height - (rows - 1) * _GAP) // rows - _LINE), _SMALLEST)

    columns = max(range(1, count + 1), key=edge)
    side = edge(columns)
    return [
        QRect(
            MARGIN + number % columns * (side + _GAP),
            MARGIN + number // columns * (side + _LINE + _GAP),
            side,
            side,
        )
        for number in range(count)
    ]


def _percent(scale: float) -> str:
    """Return at how many percent a close-up is shown; empty at 100 %."""
    return "" if scale >= _AS_IS else f"{100 * scale:.0f} %"


def _spoken(face: Face, look: Look) -> str:
    """Return what was measured of a face, for tooltips and screen readers."""
    sharpness = face.eye_sharpness
    eyes = "" if sharpness is None else f"eye sharpness {sharpness:.0f}"
    return words.joined((look.description, eyes, f"{face.size_px} px wide"))
