"""The overlays of one pane: what was measured laid over the picture, histogram and legend.

What is drawn was measured at full resolution, in a worker process, on the very picture under it;
here it is only brought to the size of the view. The legend stands still while photos change: what
is not there yet is a dash, so that nothing flickers.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPolygonF

from curator.imaging import overlay, overlay_mask
from curator.session import Session
from curator.session.pixel_source import Source
from curator.ui.loupe.fullres_cache import Measured
from curator.ui.loupe.viewport import overlays
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
        self._veil: tuple[tuple[object, ...], np.ndarray | None] = ((), None)

    def over(self, painter: QPainter, found: Measured, place: QRect, part: QRect) -> None:
        """Lie over the picture what was measured on it.

        Args:
            painter: in device px.
            found: of the picture that was just painted.
            place: where the whole picture lies, device px.
            part: what of it is on screen, device px.
        """
        kinds = overlays(self._session) & found.overlay.kinds
        if not kinds - {overlay.HISTOGRAM} or part.isEmpty():
            return
        ratio = painter.device().devicePixelRatioF()
        name = (found, kinds, place.getRect(), part.getRect(), ratio)
        if self._veil[0] != name:
            pixels = overlay_mask.draw(
                _only(found.overlay, kinds),
                found.whole,
                place.size().toTuple(),
                (*(part.topLeft() - place.topLeft()).toTuple(), *part.size().toTuple()),
                round(2 * ratio),
            )
            self._veil = name, pixels
        pixels = self._veil[1]
        if pixels is not None:
            form = QImage.Format.Format_ARGB32_Premultiplied
            height, width = pixels.shape[:2]
            painter.drawImage(part.topLeft(), QImage(pixels.data, width, height, 4 * width, form))

    def legend(
        self,
        painter: QPainter,
        room: QRect,
        found: tuple[Measured, Source] | None,
        reason: str,
    ) -> None:
        """Draw the histogram and say what the overlays show, in the upper right of ``room``.

        Args:
            painter: in logical px.
            room: the pane, logical px.
            found: what was measured, and on which file; None while nothing is there.
            reason: why there is nothing, if that is known.
        """
        wanted = overlays(self._session)
        if not wanted:
            return
        lines = self.lines(found, reason)
        metrics = QFontMetrics(self._font)
        step = metrics.height() + 2
        wrap = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft)
        width = _SIZE.width() - 2 * _PAD
        heights = [
            max(step, metrics.boundingRect(QRect(0, 0, width, 200), wrap, line).height() + 2)
            for line in lines
        ]
        graph = _SIZE.height() if overlay.HISTOGRAM in wanted else 0
        panel = QRect(0, 0, _SIZE.width(), graph + sum(heights) + _PAD)
        panel.moveTopRight(room.topRight() + QPointF(-_MARGIN, _MARGIN).toPoint())
        painter.save()
        painter.setOpacity(_OPACITY)
        painter.fillRect(panel, theme.PANEL)
        painter.setOpacity(1.0)
        if graph and found is not None and found[0].overlay.histogram is not None:
            _curves(painter, QRect(panel.topLeft(), _SIZE), found[0].overlay.histogram)
        painter.setFont(self._font)
        top = panel.top() + (graph or _PAD // 2)
        for number, (line, height) in enumerate(zip(lines, heights, strict=True)):
            painter.setPen(theme.TEXT if number else theme.QUIET)
            painter.drawText(QRect(panel.left() + _PAD, top, width, height), wrap, line)
            top += height
        painter.restore()

    def lines(self, found: tuple[Measured, Source] | None, reason: str) -> list[str]:
        """Say in words what the overlays show: first of which picture, then each of them."""
        wanted = overlays(self._session)
        if not wanted:
            return []
        measured = None if found is None else found[0]
        title = reason or _DASH
        if found is not None:
            title = found[1].long_word(found[0].basis)
        said = [title[:1].upper() + title[1:]]
        if overlay.CLIPPING in wanted:
            high = low = _DASH
            if measured is not None and measured.overlay.clipped is not None:
                high, low = (_percent(share) for share in measured.overlay.clipped)
            said.append(f"Highlights {high} · shadows {low}")
        if overlay.TILES in wanted:
            said.append("Lit: the sharpest tiles")
        if overlay.PEAKING in wanted:
            said.append("White: edges in focus")
        return said


def _only(found: overlay.Overlay, kinds: frozenset[str]) -> overlay.Overlay:
    """Leave out what is not switched on any more."""
    return overlay.Overlay(
        kinds, found.marks, found.shares, found.tiles if overlay.TILES in kinds else None
    )


def _percent(share: float) -> str:
    """Write a share: 0 %, <0.1 %, 1.2 %, 12 %."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def _curves(painter: QPainter, panel: QRect, counts: np.ndarray) -> None:
    """Draw the three histograms, lighter where they overlap."""
    inside = panel.adjusted(_PAD, _PAD, -_PAD, -_PAD // 2)
    # The ends pile up what is clipped; they are cut off rather than flatten the rest.
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
