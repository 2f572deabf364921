"""Draws what the loupe looks at: picture, failure card or name, navigator, caption."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter

from curator.session import Session, Tile
from curator.ui import caption, theme
from curator.ui.frames import Frame, Pictures, Want
from curator.ui.originals import Originals
from curator.ui.sight import MARGIN, Sight
from curator.ui.tiles import blit, failure_card, thumb

_CARD = QSize(480, 144)


class LoupePainter:
    """Draws one :class:`Sight`.

    Attributes:
        ratio: device px a logical px.
        retry: where Retry was drawn, logical px, or None.

    Thread: GUI.
    """

    def __init__(
        self, session: Session, pictures: Pictures, sight: Sight, originals: Originals
    ) -> None:
        self._session = session
        self._frames = pictures.frames
        self._thumbs = pictures.thumbs
        self._sight = sight
        self._originals = originals
        self._font = theme.body_font()
        self._small = theme.caption_font()
        self.ratio = 1.0
        self.retry: QRect | None = None

    def map(self, tile: Tile) -> Want | None:
        """Name the small picture of the navigator."""
        edge = round(caption.NAVIGATOR * self.ratio)
        return thumb(tile, (edge, edge))

    def line(self, painter: QPainter, tile: Tile, room: QRect) -> None:
        """Draw the line at the bottom of ``room``, the whole widget."""
        line = room.adjusted(MARGIN, room.height() - caption.HEIGHT, -MARGIN, 0)
        self._caption(tile).draw(painter, line, self._font, self.surround())

    def _logical(self, rect: QRect) -> QRect:
        return QRect(
            round(rect.x() / self.ratio),
            round(rect.y() / self.ratio),
            round(rect.width() / self.ratio),
            round(rect.height() / self.ratio),
        )

    def picture(self, painter: QPainter, tile: Tile, with_map: bool) -> bool:
        """Paint the best there is; tell whether it was the photo's own picture or failure card.

        Args:
            painter: of the loupe.
            tile: the current photo.
            with_map: draw the navigator if the picture is zoomed.
        """
        if tile.state == "failed":
            self._failure(painter, tile)
            return True
        frame = self._sight.best(tile)
        if frame is None:
            self._name(painter, tile)
            return False
        place = self._sight.place(frame)
        if self._session.zoom is not None:
            part = self._zoomed(painter, tile, frame, place)
            if with_map and part.size() != place.size():
                self._navigator(painter, tile, place, part)
        else:
            exact = frame.image.size() == place.size()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
            blit(painter, frame, place, self.ratio)
        return True

    def _zoomed(self, painter: QPainter, tile: Tile, frame: Frame, place: QRect) -> QRect:
        """Paint the part on screen: pixel for pixel, smoothly only while it is the proxy."""
        ratio = self.ratio
        part = place.intersected(self._sight.view)
        across, down = frame.image.width() / place.width(), frame.image.height() / place.height()
        left, top = part.x() - place.x(), part.y() - place.y()
        source = QRectF(left * across, top * down, part.width() * across, part.height() * down)
        proxy = self._frames.get(self._sight.whole(tile)) is not frame
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, proxy)
        if frame.image.size() == place.size():
            painter.drawImage(part.topLeft(), frame.image, QRect(left, top, *part.size().toTuple()))
        else:
            painter.drawImage(QRectF(part), frame.image, source)
        painter.restore()
        return part

    def _navigator(self, painter: QPainter, tile: Tile, place: QRect, part: QRect) -> None:
        ratio = self.ratio
        where = caption.navigator(self._logical(self._sight.area), place.size().toTuple())
        map_ = self.map(tile)
        frame = self._thumbs.get(map_) if map_ is not None else None
        painter.fillRect(where, theme.PANEL)
        if frame is not None:
            at = (where.topLeft().toPointF() * ratio).toPoint()
            blit(painter, frame, QRect(at, (where.size().toSizeF() * ratio).toSize()), ratio)
        fraction = QRectF(
            (part.x() - place.x()) / place.width(),
            (part.y() - place.y()) / place.height(),
            part.width() / place.width(),
            part.height() / place.height(),
        )
        caption.draw_part(painter, where, fraction, self._percent(), self._small)

    def _failure(self, painter: QPainter, tile: Tile) -> None:
        room = self._logical(self._sight.area)
        card = QRect(room.topLeft(), _CARD.boundedTo(room.size()))
        card.moveCenter(room.center())
        reason = self._session.detail(tile.id).reason or "It could not be read."
        painter.setFont(self._font)
        self.retry = failure_card(painter, card, tile.name, reason, 16)

    def _name(self, painter: QPainter, tile: Tile) -> None:
        """Paint plain canvas with the name, and what is known of why there is no picture."""
        why = self._sight.reason(tile)
        text = f"{tile.name}\n{why}" if why else tile.name
        painter.setFont(self._font)
        painter.setPen(caption.ink(self.surround())[1])
        align = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self._logical(self._sight.area), align, text)

    def surround(self) -> QColor:
        """Give the colour around the picture."""
        return theme.SURROUNDS[self._session.surround % len(theme.SURROUNDS)]

    def words(self, tile: Tile) -> str:
        """Say in words what the loupe shows, for those who listen to it."""
        line = self._caption(tile)
        reason = self._session.detail(tile.id).reason if tile.state == "failed" else ""
        marks = self._session.caption(tile.id)[0]
        return " · ".join(part for part in (line.middle, marks, line.right, reason) if part)

    def _percent(self) -> str:
        return f"{(self._session.zoom or 1) * 100:.0f} %"

    def _caption(self, tile: Tile) -> caption.Caption:
        _, middle, right = self._session.caption(tile.id)
        if self._session.zoom is not None and tile.state != "failed":
            whole = self._frames.get(self._sight.whole(tile)) is not None
            right = " · ".join(
                part for part in (self._percent(), right if whole else "proxy") if part
            )
        return caption.Caption(tile, middle, right)
