"""Draws one pane of loupe or compare view: picture, overlays, navigator and caption."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from curator.imaging import screen
from curator.library import captions
from curator.library.table import Tile
from curator.session import Session
from curator.session.pixel_source import source
from curator.ui.loupe import caption
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.overlays import OverlayPainter
from curator.ui.loupe.text_boxes import TextBoxPainter
from curator.ui.loupe.viewport import MARGIN, BestPixels, Viewport, overlay_kinds
from curator.ui.widgets import theme, words
from curator.ui.widgets.frames import Frame, FrameRequest, Pictures
from curator.ui.widgets.thumbnails import blit, draw_failure_card, logical, thumbnail_request

_CARD = QSize(480, 144)
_FEWER = 0.9  # below this share of the photo's long edge, the caption says how many pixels


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
        smooth: whether enlarged pixels are blended; None: depends on the zoom.
    """
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    if frame.image.size() == place.size():
        painter.drawImage(part.topLeft(), frame.image, part.translated(-place.topLeft()))
    else:
        size = place.size().toTuple()
        area = (*(part.topLeft() - place.topLeft()).toTuple(), *part.size().toTuple())
        cut = screen.cut(frame.image.size().toTuple(), size, area)
        shown = Frame.of(screen.scaled(frame.pixels[cut.rows, cut.columns], cut, smooth))
        painter.setClipRect(part)
        painter.drawImage(place.topLeft() + QPoint(cut.x, cut.y), shown.image)
    painter.restore()


class LoupePainter:
    """Draws one :class:`Viewport`.

    Attributes:
        ratio: device px per logical px.
        retry: the rectangle of the Retry link, logical px; None before a failure card was drawn.
        best: the pixels painted last; None for a failure card or a name.

    Thread: GUI.
    """

    def __init__(
        self, session: Session, pictures: Pictures, viewport: Viewport, originals: FullresCache
    ) -> None:
        self._session, self._thumbs = session, pictures.thumbs
        self._viewport, self._originals = viewport, originals
        self._overlays = OverlayPainter(session)
        self._text = TextBoxPainter(session)
        self._font = theme.body_font()
        self._small = theme.caption_font()
        self.ratio = 1.0
        self.retry: QRect | None = None
        self.best: BestPixels | None = None

    @property
    def _zoomed(self) -> bool:
        return self._session.view_state.zoom is not None

    def navigator_request(self, tile: Tile) -> FrameRequest | None:
        """Return the request for the navigator's thumbnail; None if the picture is not zoomed."""
        edge = round(caption.NAVIGATOR * self.ratio)
        return thumbnail_request(tile, (edge, edge)) if self._zoomed else None

    def draw_caption(
        self, painter: QPainter, tile: Tile, pane: QRect, role: str = "", decision: str = ""
    ) -> None:
        """Draw the caption at the bottom of the pane.

        Args:
            painter: in logical px.
            tile: the photo.
            pane: the rectangle of the pane.
            role: of the photo in a pair; shown first.
            decision: the mark just made, and on which photo.
        """
        at = QPoint(pane.left() + MARGIN, pane.bottom() + 1 - caption.HEIGHT)
        shown = self._drawn(self._caption(tile, self.best, role, decision), pane)
        painter.save()
        painter.scale(1 / self.ratio, 1 / self.ratio)  # a scaled text is blurred
        painter.drawPixmap((at.toPointF() * self.ratio).toPoint(), shown)
        painter.restore()

    def draw_caption_ahead(self, tile: Tile, pane: QRect) -> None:
        """Draw the caption of a photo that may come next, so that its paint only copies it."""
        self._drawn(self._caption(tile, self._viewport.best(tile)), pane)

    def _drawn(self, shown: caption.Caption, pane: QRect) -> QPixmap:
        surround = self._session.view_state.surround
        return caption.drawn(shown, pane.width() - 2 * MARGIN, surround, self.ratio)

    def _logical(self, rect: QRect) -> QRect:
        return logical(rect, self.ratio).toRect()

    def draw_picture(self, painter: QPainter, tile: Tile, navigator: bool) -> bool:
        """Draw the best pixels available, a failure card, or until then the photo's name.

        Args:
            painter: in logical px.
            tile: the photo.
            navigator: whether to draw the navigator if a part of the picture is out of view.

        Returns:
            Whether the photo's own pixels or its failure card were drawn.
        """
        self.best = None
        if tile.state == "failed":
            self._draw_failure(painter, tile)
            return True
        best = self.best = self._viewport.best(tile)
        if best is None:
            self._draw_name(painter, tile)
            return False
        place = self._viewport.place(best.frame)
        part = place.intersected(self._viewport.view) if self._zoomed else place
        if self._zoomed or best.full_resolution:
            smooth = None if best.full_resolution else True
            draw_scaled(painter, best.frame, place, part, self.ratio, smooth)
        else:
            exact = best.frame.image.size() == place.size()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
            blit(painter, best.frame, place, self.ratio)
        self._draw_overlays(painter, tile, best, place, part)
        if self._is_text_placed(tile):
            self._text.draw(painter, tile, logical(place, self.ratio), logical(part, self.ratio))
        if navigator and part.size() != place.size():
            self._draw_navigator(painter, tile, place, part)
        return True

    def _is_text_placed(self, tile: Tile) -> bool:
        """Whether text lies on the picture where it was read: a RAW may have another crop."""
        return self.best is not None and self._viewport.has_crop_of_proxy(tile, self.best)

    def _draw_overlays(
        self, painter: QPainter, tile: Tile, best: BestPixels, place: QRect, part: QRect
    ) -> None:
        if not overlay_kinds(self._session):
            return
        found = self._viewport.overlay(tile, best)
        if found is not None:
            painter.save()
            painter.scale(1 / self.ratio, 1 / self.ratio)
            self._overlays.draw(painter, found, place, part)
            painter.restore()
        pane = self._logical(self._viewport.view)
        self._overlays.draw_legend(painter, pane, found, self._why(tile))

    def _draw_navigator(self, painter: QPainter, tile: Tile, place: QRect, part: QRect) -> None:
        ratio = self.ratio
        rect = caption.navigator_rect(self._logical(self._viewport.area), place.size().toTuple())
        request = self.navigator_request(tile)
        frame = self._thumbs.get(request) if request is not None else None
        painter.fillRect(rect, theme.PANEL)
        if frame is not None:
            corner = (rect.topLeft().toPointF() * ratio).toPoint()
            blit(painter, frame, QRect(corner, (rect.size().toSizeF() * ratio).toSize()), ratio)
        fraction = QRectF(
            (part.x() - place.x()) / place.width(),
            (part.y() - place.y()) / place.height(),
            part.width() / place.width(),
            part.height() / place.height(),
        )
        caption.draw_part(painter, rect, fraction, self._percent(), self._small)

    def _draw_failure(self, painter: QPainter, tile: Tile) -> None:
        area = self._logical(self._viewport.area)
        card = QRect(area.topLeft(), _CARD.boundedTo(area.size()))
        card.moveCenter(area.center())
        reason = self._session.detail(tile.id).reason or "It could not be read."
        painter.setFont(self._font)
        self.retry = draw_failure_card(painter, card, tile.name, reason, 16)

    def _draw_name(self, painter: QPainter, tile: Tile) -> None:
        """Draw the photo's name on the canvas, and why there is no picture, if known."""
        why = self._viewport.reason(tile)
        text = f"{tile.name}\n{why}" if why else tile.name
        painter.setFont(self._font)
        painter.setPen(caption.text_colors(self.surround())[1])
        align = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self._logical(self._viewport.area), align, text)

    def surround(self) -> QColor:
        """Return the color around the picture."""
        return theme.SURROUND_COLORS[self._session.view_state.surround]

    # --- texts

    def description(self, tile: Tile) -> str:
        """Return what the pane shows in words, for screen readers."""
        shown = self._caption(tile, self.best)
        reason = self._session.detail(tile.id).reason if tile.state == "failed" else ""
        marks = self._session.caption(tile.id)[0]
        found = self._viewport.overlay(tile, self.best) if self.best is not None else None
        legend = self._overlays.lines(found, self._why(tile)) if self.best is not None else []
        text = self._text.description(tile) if self._is_text_placed(tile) else ""
        return words.joined((shown.middle, marks, shown.right, reason, *legend, text))

    def _why(self, tile: Tile) -> str:
        """Return why an original cannot be read, without a remedy; empty if it can."""
        request = self._viewport.request_for(tile, self._session.view_state.developed)
        why = (self._originals.reason(request) or "").partition(". ")[0].rstrip(".")
        return why[:1].lower() + why[1:] if why[1:2].islower() else why

    def _percent(self) -> str:
        return f"{(self._session.view_state.zoom or 1) * 100:.0f} %"

    def _pixels(self, tile: Tile, best: BestPixels | None, files: str) -> str:
        """Return which pixels are shown, and why there are no better ones.

        Args:
            tile: the photo.
            best: the pixels.
            files: the photo's files and the pixels its proxy was made from.
        """
        detail = self._session.detail(tile.id)
        requested = self._session.view_state.developed
        if best is None:
            return files
        if best.source is None:
            if not self._zoomed and requested is None and tile.state != "missing":
                return files
            away = bool(captions.unreachable_reason(detail))  # the caption already says why
            why = "" if away else self._why(tile)
            if not self._zoomed and not why and not away:
                return files
            edge = self._session.settings.proxy.long_edge_px
            proxy = f"proxy {min(edge, max(tile.width, tile.height, 1)):,} px{why and ': '}{why}"
            return f"{proxy} · damaged" if tile.damaged else proxy
        parts = [captions.files_line(detail, best.source.word(best.basis))]
        long = max(best.frame.image.size().toTuple())
        if best.full_resolution and long < _FEWER * max(tile.width, tile.height):
            parts.append(f"{long:,} px")
        if requested is not None and best.developed != requested:
            other = "RAW" if requested else source(detail, False, True).word("preview")
            why = self._why(tile)
            parts.append(f"no {other}: {why}" if why else f"loading {other}")
        return words.joined(parts)

    def _caption(
        self, tile: Tile, best: BestPixels | None, role: str = "", decision: str = ""
    ) -> caption.Caption:
        _, middle, files = self._session.caption(tile.id)
        if tile.state != "failed":
            percent = self._percent() if self._zoomed else ""
            files = words.joined((percent, self._pixels(tile, best, files)))
        position = self._session.stacks.position_in_stack(tile.id)
        away = (
            captions.unavailable_reason(self._session.detail(tile.id))
            if tile.state == "missing"
            else ""
        )
        right = words.joined((position, away, files))
        return caption.Caption(tile.name, tile.marks, middle, right, role, decision)
