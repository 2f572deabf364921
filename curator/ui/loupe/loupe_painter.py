"""Draws one pane of loupe or compare view: picture, overlays, navigator and caption."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter

from curator.imaging import screen
from curator.library import captions
from curator.library.table import Tile
from curator.session import Session
from curator.session.pixel_source import source
from curator.ui.loupe import caption
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.overlays import OverlayPainter
from curator.ui.loupe.viewport import MARGIN, BestPixels, Viewport, overlays
from curator.ui.widgets import theme
from curator.ui.widgets.frames import Frame, FrameRequest, Pictures
from curator.ui.widgets.thumbnails import blit, draw_failure_card, thumbnail_request

_CARD = QSize(480, 144)
_FEWER = 0.9  # below this share of the photo's long edge, the caption names the pixels


def draw_scaled(
    painter: QPainter, frame: Frame, place: QRect, part: QRect, ratio: float, smooth: bool | None
) -> None:
    """Draw the part of a frame that is on screen, at its exact device pixels.

    Args:
        painter: in logical px.
        frame: the pixels.
        place: the rectangle of the whole picture, device px.
        part: the part of it on screen, device px.
        ratio: device px per logical px.
        smooth: whether enlarged pixels are blended; None: by the zoom.
    """
    size = place.size().toTuple()
    area = (*(part.topLeft() - place.topLeft()).toTuple(), *part.size().toTuple())
    where = screen.cut(frame.image.size().toTuple(), size, area)
    shown = Frame.of(screen.scaled(frame.pixels[where.rows, where.columns], where, smooth))
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    painter.setClipRect(part)
    painter.drawImage(place.topLeft() + QPoint(where.x, where.y), shown.image)
    painter.restore()


class LoupePainter:
    """Draws one :class:`Viewport`.

    Attributes:
        ratio: device px per logical px.
        retry: the rectangle of the Retry link, logical px, or None.
        best: the pixels painted last, None for a failure card or a name.

    Thread: GUI.
    """

    def __init__(
        self, session: Session, pictures: Pictures, viewport: Viewport, originals: FullresCache
    ) -> None:
        self._session = session
        self._thumbs = pictures.thumbs
        self._viewport = viewport
        self._originals = originals
        self._overlays = OverlayPainter(session)
        self._font = theme.body_font()
        self._small = theme.caption_font()
        self.ratio = 1.0
        self.retry: QRect | None = None
        self.best: BestPixels | None = None

    def map(self, tile: Tile) -> FrameRequest | None:
        """Return the request for the navigator's thumbnail."""
        edge = round(caption.NAVIGATOR * self.ratio)
        return thumbnail_request(tile, (edge, edge))

    def line(
        self, painter: QPainter, tile: Tile, room: QRect, role: str = "", decision: str = ""
    ) -> None:
        """Draw the caption at the bottom of ``room``, the whole pane.

        Args:
            painter: of the pane.
            tile: its photo.
            room: the rectangle of the pane.
            role: of the photo in a pair; shown first.
            decision: the mark just made, and on which photo.
        """
        line = room.adjusted(MARGIN, room.height() - caption.HEIGHT, -MARGIN, 0)
        shown = replace(self._caption(tile), role=role, decision=decision)
        shown.draw(painter, line, self._font, self.surround())

    def _logical(self, rect: QRect) -> QRect:
        return QRect(
            round(rect.x() / self.ratio),
            round(rect.y() / self.ratio),
            round(rect.width() / self.ratio),
            round(rect.height() / self.ratio),
        )

    def picture(self, painter: QPainter, tile: Tile, with_map: bool) -> bool:
        """Paint the best pixels. Return whether they are the photo's own, or its failure card.

        Args:
            painter: of the pane.
            tile: its photo.
            with_map: whether to draw the navigator if the picture is zoomed.
        """
        self.best = None
        if tile.state == "failed":
            self._failure(painter, tile)
            return True
        best = self.best = self._viewport.best(tile)
        if best is None:
            self._name(painter, tile)
            return False
        place = self._viewport.place(best.frame)
        zoomed = self._viewport.shared_zoom.zoom is not None
        part = place.intersected(self._viewport.view) if zoomed else place
        if zoomed or best.full_resolution:
            smooth = None if best.full_resolution else True
            draw_scaled(painter, best.frame, place, part, self.ratio, smooth)
        else:
            exact = best.frame.image.size() == place.size()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
            blit(painter, best.frame, place, self.ratio)
        self._overlay(painter, tile, best, place, part)
        if with_map and part.size() != place.size():
            self._navigator(painter, tile, place, part)
        return True

    def _overlay(
        self, painter: QPainter, tile: Tile, best: BestPixels, place: QRect, part: QRect
    ) -> None:
        if not overlays(self._session):
            return
        found = self._viewport.overlay(tile, best)
        if found is not None:
            painter.save()
            painter.scale(1 / self.ratio, 1 / self.ratio)
            self._overlays.over(painter, found[0], place, part)
            painter.restore()
        room = self._logical(self._viewport.view)
        self._overlays.legend(painter, room, found, self._why(tile))

    def _navigator(self, painter: QPainter, tile: Tile, place: QRect, part: QRect) -> None:
        ratio = self.ratio
        where = caption.navigator(self._logical(self._viewport.area), place.size().toTuple())
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
        room = self._logical(self._viewport.area)
        card = QRect(room.topLeft(), _CARD.boundedTo(room.size()))
        card.moveCenter(room.center())
        reason = self._session.detail(tile.id).reason or "It could not be read."
        painter.setFont(self._font)
        self.retry = draw_failure_card(painter, card, tile.name, reason, 16)

    def _name(self, painter: QPainter, tile: Tile) -> None:
        """Draw the photo's name on the canvas, and why there is no picture, if known."""
        why = self._viewport.reason(tile)
        text = f"{tile.name}\n{why}" if why else tile.name
        painter.setFont(self._font)
        painter.setPen(caption.ink(self.surround())[1])
        align = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self._logical(self._viewport.area), align, text)

    def surround(self) -> QColor:
        """Return the color around the picture."""
        return theme.SURROUNDS[self._session.view_state.surround % len(theme.SURROUNDS)]

    # --- words

    def words(self, tile: Tile) -> str:
        """Return what the pane shows in words, for screen readers."""
        line = self._caption(tile)
        reason = self._session.detail(tile.id).reason if tile.state == "failed" else ""
        marks = self._session.caption(tile.id)[0]
        found = self._viewport.overlay(tile, self.best) if self.best is not None else None
        over = self._overlays.lines(found, self._why(tile)) if self.best is not None else []
        return " · ".join(part for part in (line.middle, marks, line.right, reason, *over) if part)

    def _why(self, tile: Tile) -> str:
        """Return why an original cannot be read, without a remedy; empty if it can."""
        request = self._viewport.request_for(tile, self._session.view_state.developed)
        why = (self._originals.reason(request) or "").partition(". ")[0].rstrip(".")
        return why[:1].lower() + why[1:] if why[1:2].islower() else why

    def _percent(self) -> str:
        return f"{(self._viewport.shared_zoom.zoom or 1) * 100:.0f} %"

    def _pixels(self, tile: Tile) -> str:
        """Return which pixels are shown, and why no better ones."""
        best, detail = self.best, self._session.detail(tile.id)
        if best is None:
            return captions.files_line(detail)
        asked, fit = self._session.view_state.developed, self._viewport.shared_zoom.zoom is None
        if best.source is None and fit and asked is None and tile.state != "missing":
            return captions.files_line(detail)
        why = self._why(tile)
        if best.source is None:
            away = bool(captions.absence(detail))  # the caption already says why
            if fit and not why and not away:
                return captions.files_line(detail)
            why = "" if away else why
            edge = self._session.settings.proxy.long_edge_px
            proxy = f"proxy {min(edge, max(tile.width, tile.height, 1)):,} px{why and ': '}{why}"
            return f"{proxy} · damaged" if tile.damaged else proxy
        parts = [captions.files_line(detail, best.source.word(best.basis))]
        long = max(best.frame.image.size().toTuple())
        if best.full_resolution and long < _FEWER * max(tile.width, tile.height):
            parts.append(f"{long:,} px")
        if asked is not None and best.developed != asked:
            other = "RAW" if asked else source(detail, False, True).word("preview")
            parts.append(f"no {other}: {why}" if why else f"loading {other}")
        return " · ".join(part for part in parts if part)

    def _caption(self, tile: Tile) -> caption.Caption:
        _, middle, right = self._session.caption(tile.id)
        if tile.state != "failed":
            zoomed = self._viewport.shared_zoom.zoom is not None
            parts = (self._percent() if zoomed else "", self._pixels(tile))
            right = " · ".join(part for part in parts if part)
        place = self._session.stacks.position_in_stack(tile.id)
        away = captions.away(self._session.detail(tile.id)) if tile.state == "missing" else ""
        right = " · ".join(part for part in (place, away, right) if part)
        return caption.Caption(tile, middle, right)
