"""Draws the overlays of one pane: clipping, sharpness, focus peaking, histogram and legend.

The loupe painter uses it. Overlays are measured at full resolution, in a worker process, on exactly
the picture below them; here they are only scaled to the view. The legend keeps its position while
photos change and shows a dash for values not measured yet, so that nothing flickers.
"""

from __future__ import annotations

import weakref

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPixmap, QPolygonF, QRegion

from curator.imaging import overlay, overlay_mask
from curator.session import Session
from curator.ui.loupe.fullres_cache import Measured
from curator.ui.loupe.viewport import overlay_kinds
from curator.ui.widgets import theme

_SIZE = QSize(220, 80)
_OPACITY = 0.85
_PAD = 8
_MARGIN = 12
# Where all three overlap they add up to light gray.
_CURVES = (QColor(110, 32, 30), QColor(30, 96, 32), QColor(30, 42, 108))
_DASH = "–"


class OverlayPainter:
    """Draws the overlays that are switched on.

    Thread: GUI.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._font = theme.caption_font()
        self._mask = QPixmap()  # the overlays of the part painted last
        self._mask_key: tuple[object, ...] = ()  # without what keeps megabytes alive
        self._mask_place = QRect()

    def draw(self, painter: QPainter, found: Measured, place: QRect, part: QRect) -> None:
        """Draw the overlays over the picture.

        While the picture is panned at 100 %, only what comes into view is computed.

        Args:
            painter: in device px.
            found: measured on the picture just painted.
            place: the rectangle of the whole picture, device px.
            part: the part of it on screen, device px.
        """
        kinds = overlay_kinds(self._session) & found.overlay.kinds
        if not kinds - {overlay.HISTOGRAM} or part.isEmpty():
            return
        line_px = round(2 * painter.device().devicePixelRatioF())
        shown = _only(found.overlay, kinds)
        key = (weakref.ref(found), kinds, part.getRect(), line_px)
        missing = QRegion(part)
        if key == self._mask_key and place.size() == self._mask_place.size():
            moved = place.topLeft() - self._mask_place.topLeft()
            size = place.size().toTuple()
            if moved.isNull() or overlay_mask.is_seamless(shown, found.full_size, size):
                self._mask.scroll(moved.x(), moved.y(), self._mask.rect())
                missing -= QRegion(part.translated(moved))
        elif self._mask.size() != part.size():
            self._mask = QPixmap(part.size())
            self._mask.fill(Qt.GlobalColor.transparent)
        self._mask_key, self._mask_place = key, QRect(place)
        if not missing.isEmpty():
            with QPainter(self._mask) as inner:
                inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
                inner.translate(-part.topLeft())
                for rect in missing:  # type: ignore[attr-defined]  # the stub lacks __iter__
                    _draw_mask(inner, shown, found.full_size, place, rect, line_px)
        painter.drawPixmap(part.topLeft(), self._mask)

    def draw_legend(
        self, painter: QPainter, pane: QRect, found: Measured | None, reason: str
    ) -> None:
        """Draw histogram and legend in the upper right of the pane.

        Args:
            painter: in logical px.
            pane: the rectangle of the pane, logical px.
            found: the measurements; None before they arrive.
            reason: why nothing can be measured, if known.
        """
        lines = self.lines(found, reason)
        metrics = QFontMetrics(self._font)
        step = metrics.height() + 2
        wrap = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft)
        width = _SIZE.width() - 2 * _PAD
        heights = [
            max(step, metrics.boundingRect(QRect(0, 0, width, 200), wrap, line).height() + 2)
            for line in lines
        ]
        graph = _SIZE.height() if overlay.HISTOGRAM in overlay_kinds(self._session) else 0
        panel = QRect(0, 0, _SIZE.width(), graph + sum(heights) + _PAD)
        panel.moveTopRight(pane.topRight() + QPoint(-_MARGIN, _MARGIN))
        painter.save()
        painter.setOpacity(_OPACITY)
        painter.fillRect(panel, theme.PANEL)
        painter.setOpacity(1.0)
        if graph and found is not None and found.overlay.histogram is not None:
            _draw_histogram(painter, QRect(panel.topLeft(), _SIZE), found.overlay.histogram)
        painter.setFont(self._font)
        top = panel.top() + (graph or _PAD // 2)
        for number, (line, height) in enumerate(zip(lines, heights, strict=True)):
            painter.setPen(theme.TEXT if number else theme.QUIET)
            painter.drawText(QRect(panel.left() + _PAD, top, width, height), wrap, line)
            top += height
        painter.restore()

    def lines(self, found: Measured | None, reason: str) -> list[str]:
        """Return the legend in words: first the picture measured, then each overlay."""
        kinds = overlay_kinds(self._session)
        if not kinds:
            return []
        title = found.picture if found is not None else reason or _DASH
        lines = [title[:1].upper() + title[1:]]
        if overlay.CLIPPING in kinds:
            high = low = _DASH
            if found is not None and found.overlay.clipped is not None:
                high, low = map(_percent, found.overlay.clipped)
            lines.append(f"Highlights {high} · shadows {low}")
        if overlay.TILES in kinds:
            lines.append("Bright: sharpest areas")
        if overlay.PEAKING in kinds:
            lines.append("White: edges in focus")
        return lines


def _only(found: overlay.Overlay, kinds: frozenset[str]) -> overlay.Overlay:
    """Return the overlay limited to these kinds, without the histogram."""
    return overlay.Overlay(
        kinds, found.marks, found.shares, found.tiles if overlay.TILES in kinds else None
    )


def _draw_mask(
    painter: QPainter,
    found: overlay.Overlay,
    full_size: tuple[int, int],
    place: QRect,
    rect: QRect,
    line_px: int,
) -> None:
    """Replace a rectangle of the mask with the overlays of the picture placed there."""
    area = (*(rect.topLeft() - place.topLeft()).toTuple(), *rect.size().toTuple())
    pixels = overlay_mask.draw(found, full_size, place.size().toTuple(), area, line_px)
    if pixels is None:
        painter.fillRect(rect, Qt.GlobalColor.transparent)
        return
    argb = QImage.Format.Format_ARGB32_Premultiplied
    height, width = pixels.shape[:2]
    painter.drawImage(rect.topLeft(), QImage(pixels.data, width, height, 4 * width, argb))


def _percent(share: float) -> str:
    """Format a share: 0 %, <0.1 %, 1.2 %, 12 %."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def _draw_histogram(painter: QPainter, panel: QRect, counts: np.ndarray) -> None:
    """Draw the histograms of the three channels, (3, 256) counts, lighter where they overlap."""
    inside = panel.adjusted(_PAD, _PAD, -_PAD, -_PAD // 2)
    # Clipped pixels pile up at the ends, which are cut off so that the rest is not flattened.
    top = max(float(counts[:, 1:-1].max()), 1.0)
    bins = counts.reshape(3, 128, 2).sum(axis=2) / 2
    heights = np.minimum(bins / top, 1.0) * inside.height()
    step = inside.width() / bins.shape[1]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Plus)
    painter.setPen(Qt.PenStyle.NoPen)
    base = inside.bottom() + 1.0
    for color, channel in zip(_CURVES, heights, strict=True):
        painter.setBrush(color)
        points = [QPointF(inside.left(), base)]
        for number, height in enumerate(channel.tolist()):
            x = inside.left() + number * step
            points += [QPointF(x, base - height), QPointF(x + step, base - height)]
        points.append(QPointF(inside.left() + inside.width(), base))
        painter.drawPolygon(QPolygonF(points))
    painter.restore()
