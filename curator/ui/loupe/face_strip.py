"""The strip of face close-ups beside the loupe: is anyone blinking, and are the eyes sharp?

The loupe lays it out in the room that a landscape photo leaves, and reads the close-ups with the
pixels of the photo. What was measured is said in gray: closed eyes have a hairline outline and a
word, open eyes nothing. It never shows another photo's pixels.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from curator.library import captions
from curator.library.table import Tile
from curator.model import Eye, Face
from curator.session import Session
from curator.stages.frame import Crop
from curator.ui.loupe import caption
from curator.ui.loupe.face_crops import Closeup, crop_of, scale_of
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.viewport import MARGIN, Viewport
from curator.ui.widgets import theme, words
from curator.ui.widgets.frames import FrameStore

MOST = 12
_LANDSCAPE = 1.5  # aspect of the photo that keeps its size beside the strip
_LEAST, _WIDEST = 176, 356  # px
_GAP = 8
_LINE = 18  # for the words below a close-up
_UNDERLINE = 2  # below the focused face
_WORDS = {Eye.OPEN: "", Eye.CLOSED: "eyes closed", Eye.UNKNOWN: "?"}
_AS_IS = 0.995  # from this scale on, a close-up is at 100 %


class FaceStrip(QWidget):
    """Shows the faces of the current photo; a click zooms to one.

    Signals:
        painted(int): the photo whose faces were just painted, or that has none.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(
        self, session: Session, frames: FrameStore, originals: FullresCache, viewport: Viewport
    ) -> None:
        super().__init__()
        self._session, self._frames, self._originals = session, frames, originals
        self._viewport = viewport
        self._font = theme.caption_font()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        # The loupe's own updates leave out what lies over it.
        for changed in (
            session.photos.current_changed,
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

    def _on_changed(self, *_: object) -> None:
        self.update()

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

    def _layout(self, count: int) -> tuple[int, int]:
        """Return the columns and the edge of a close-up, px, for as large close-ups as fit."""
        width, height = self.width() - 2 * MARGIN, self.height() - MARGIN
        height -= caption.HEIGHT if count > MOST else 0  # "+8"

        def edge(columns: int) -> int:
            rows = -(-count // columns)
            wide = (width - (columns - 1) * _GAP) // columns
            return min(wide, (height - (rows - 1) * _GAP) // rows - _LINE)

        count = max(min(count, MOST), 1)
        columns = max(range(1, count + 1), key=edge)
        return columns, max(edge(columns), 8)

    def cell(self, number: int, count: int) -> QRect:
        """Return the square of a close-up by its number, px, for so many faces."""
        columns, edge = self._layout(count)
        row, column = divmod(number, columns)
        x, y = column * (edge + _GAP), row * (edge + _LINE + _GAP)
        return QRect(MARGIN + x, MARGIN + y, edge, edge)

    def place_at(self, at: QPoint) -> int | None:
        """Return the place of the face at a point, px, or None."""
        tile = self._viewport.tile()
        count = 0 if tile is None else len(self._faces(tile))
        places = [] if tile is None else self._shown(tile)
        cells = (self.cell(number, count) for number in range(len(places)))
        return next((p for p, cell in zip(places, cells, strict=True) if cell.contains(at)), None)

    def _shown(self, tile: Tile) -> list[int]:
        """Return the places of the faces shown, in the order of their cells."""
        return [place for place in self._session.faces.arranged(tile.id) if place < MOST]

    # --- pixels

    def crops(self, tile: Tile) -> tuple[Crop, ...]:
        """Return the close-ups of a photo to read with its pixels; none while the strip is off."""
        faces = self._faces(tile)
        if self.isHidden() or not faces or not tile.width or tile.state == "failed":
            return ()
        edge = round(self._layout(len(faces))[1] * self.devicePixelRatioF())
        return tuple(crop_of(face, tile, edge) for face in faces[:MOST])

    def _faces(self, tile: Tile) -> tuple[Face, ...]:
        return self._session.faces.of(tile.id) or ()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the close-ups, or why there are none."""
        painter = QPainter(self)
        surround = theme.SURROUND_COLORS[self._session.view_state.surround]
        painter.fillRect(self.rect(), surround)
        tile = self._viewport.tile()
        if tile is None or self._session.view_state.finished:
            return
        painter.setFont(self._font)
        quiet = caption.text_colors(surround)[1]
        painter.setPen(quiet)
        crops, faces = self.crops(tile), self._faces(tile)
        if not crops:
            area = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
            align = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
            text = self._session.faces.why_none(tile.id)
            painter.drawText(area, int(align | Qt.TextFlag.TextWordWrap), text)
        request = self._viewport.request_for(tile, self._session.view_state.developed)
        sharp = self._originals.crops(request) if crops else None
        proxy = self._frames.best(self._viewport.proxy(tile))
        for number, place in enumerate(self._shown(tile) if crops else ()):
            crop, cell = crops[place], self.cell(number, len(faces))
            pixels = Closeup(crop, tile.turn, sharp[place] if sharp else None, proxy)
            self._draw(painter, cell, pixels, _WORDS[faces[place].eyes])
            if place == self._session.faces.place_in(tile.id):
                line = QRect(cell.left(), cell.bottom() + 1, cell.width(), _UNDERLINE)
                painter.fillRect(line, caption.text_colors(surround)[0])
            percent = _percent(scale_of(crop, tile))
            painter.setPen(quiet)
            painter.drawText(_line(cell), Qt.AlignmentFlag.AlignRight, percent)
        if len(faces) > MOST:
            below = self.cell(MOST - 1, len(faces)).bottom() + 1 + _LINE + _GAP
            painter.drawText(MARGIN, below, self.width(), _LINE, 0, f"+{len(faces) - MOST}")
        self.painted.emit(tile.id)

    def _draw(self, painter: QPainter, cell: QRect, pixels: Closeup, word: str) -> None:
        """Draw a close-up, with a word and an outline if there is something to say."""
        ratio = self.devicePixelRatioF()
        width, height = pixels.crop.size
        place = QRect(0, 0, width, height)
        place.moveTopLeft((cell.topLeft().toPointF() * ratio).toPoint())
        edge = round(cell.width() * ratio)
        place.translate((edge - width) // 2, (edge - height) // 2)
        if not pixels.draw(painter, place, ratio):
            painter.fillRect(cell, theme.PANEL)
        if word:
            painter.drawText(_line(cell), Qt.AlignmentFlag.AlignLeft, word)
        if word == _WORDS[Eye.CLOSED]:
            painter.setPen(QPen(painter.pen().color(), 1))
            painter.drawRect(cell.adjusted(-2, -2, 1, 1))

    # --- words, mouse

    def description(self, tile: Tile) -> str:
        """Return the faces of a photo in words, for screen readers."""
        faces = self._faces(tile)
        if not faces:
            return self._session.faces.why_none(tile.id)
        shown = [faces[place] for place in self._shown(tile)]
        texts = [f"face {number}: {_spoken(face)}" for number, face in enumerate(shown, 1)]
        more = len(faces) - len(texts)
        return "; ".join([*texts, f"{more} more"] if more else texts)

    def _tooltip(self, place: int) -> str:
        tile = self._viewport.tile()
        if tile is None:
            return ""
        face = self._faces(tile)[place]
        key = self._session.preferences.keys.get("next_face")
        click = f"Click to zoom ({key}: next face)" if key else "Click to zoom"
        return theme.plain_tip(f"{_spoken(face)}\n{click}")

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


def _line(cell: QRect) -> QRect:
    """Return the line of words below a close-up."""
    return QRect(cell.left(), cell.bottom() + 1 + _UNDERLINE, cell.width(), _LINE - _UNDERLINE)


def _percent(scale: float) -> str:
    """Return at how many percent a close-up is shown; empty at 100 %."""
    return "" if scale >= _AS_IS else f"{100 * scale:.0f} %"


def _spoken(face: Face) -> str:
    sharpness = face.eye_sharpness
    eyes = "" if sharpness is None else f"eye sharpness {sharpness:.0f}"
    return words.joined((captions.EYES[face.eyes], eyes, f"{face.size_px} px wide"))
