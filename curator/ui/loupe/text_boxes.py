"""Draws the text in a photo: a box around each line, and what was read beside it.

The loupe painter uses it. What was read is the machine's: gray outlines, white where a search found
it. It is drawn as plain text, whatever it says.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF

from curator.library.table import Tile
from curator.model import TextLine, bidi_safe
from curator.session import Session
from curator.ui.loupe import view_transform
from curator.ui.widgets import theme

_PAD = 4
_GAP = 3  # between a box and its words
_WIDEST = 320  # px of the words of a line
_OPACITY = 0.85
_MOST_WORDS = 40  # lines on screen; of more, only those found have words, so that a paint is quick
_HALO = 3.0  # px of the dark line under the box, so that it shows on any picture


class TextBoxPainter:
    """Draws the lines of text that are to be shown on a photo.

    Thread: GUI.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._font = theme.caption_font()
        self._metrics = QFontMetrics(self._font)

    def draw(self, painter: QPainter, tile: Tile, place: QRectF, part: QRectF) -> None:
        """Draw boxes and words over the picture.

        Args:
            painter: in logical px.
            tile: the photo.
            place: the rectangle of the whole picture, logical px.
            part: the part of it on screen, logical px.
        """
        lines = self._session.text.shown(tile.id)
        if not lines:
            return
        painter.save()
        painter.setClipRect(part)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        boxes = [(self._box(line, tile.turn, place), line, found) for line, found in lines]
        boxes = [each for each in boxes if each[0].boundingRect().intersects(part)]
        for box, _, found in boxes:
            for color, width in ((theme.CANVAS, _HALO), (_color(found), 2.0 if found else 1.0)):
                painter.setPen(QPen(color, width))
                painter.drawPolygon(box)
        painter.setFont(self._font)
        if len(boxes) > _MOST_WORDS:
            boxes = [each for each in boxes if each[2]][:_MOST_WORDS]
        rects = [box.boundingRect() for box, _, _ in boxes]
        taken: list[QRectF] = []
        for rect, (_, line, found) in sorted(
            zip(rects, boxes, strict=True), key=lambda each: not each[1][2]
        ):
            text = self._fitting(line.text)
            size = QSizeF(self._metrics.horizontalAdvance(text), self._metrics.height())
            size = size.grownBy(QMarginsF(_PAD, 1, _PAD, 1))
            others = [other for other in rects if other is not rect]
            label = _room(size, rect, part, [*taken, *others])
            if label is None and found:  # a hit has its words, whatever they cover
                label = _room(size, rect, part, taken)
            if label is not None:
                taken.append(label)
                self._draw_words(painter, label, text, found)
        painter.restore()

    def description(self, tile: Tile) -> str:
        """Return what the search found in words, for screen readers."""
        found = [bidi_safe(line.text) for line, hit in self._session.text.shown(tile.id) if hit]
        return f"Text: {', '.join(found)}" if found else ""

    @staticmethod
    def _box(line: TextLine, turn: int, place: QRectF) -> QPolygonF:
        corners = (view_transform.turned(corner, turn) for corner in line.corners)
        return QPolygonF(
            [QPointF(place.x() + x * place.width(), place.y() + y * place.height())
             for x, y in corners]
        )  # fmt: skip

    def _fitting(self, text: str) -> str:
        """Return the beginning of a line, as plain text that stays where it is drawn."""
        return self._metrics.elidedText(bidi_safe(text), Qt.TextElideMode.ElideRight, _WIDEST)

    @staticmethod
    def _draw_words(painter: QPainter, label: QRectF, text: str, found: bool) -> None:
        painter.setOpacity(_OPACITY)
        painter.fillRect(label, theme.PANEL)
        painter.setOpacity(1.0)
        painter.setPen(theme.WHITE if found else theme.TEXT)
        painter.drawText(label, int(Qt.AlignmentFlag.AlignCenter), text)


def _room(size: QSizeF, box: QRectF, part: QRectF, taken: Sequence[QRectF]) -> QRectF | None:
    """Return a place for words below a box, above it or beside it; None if there is no room.

    Args:
        size: of the words.
        box: the box.
        part: the part of the picture on screen.
        taken: where they must not be.
    """
    middle = box.center().y() - size.height() / 2
    for left, top in (
        (box.left(), box.bottom() + _GAP),
        (box.left(), box.top() - _GAP - size.height()),
        (box.right() + _GAP, middle),
        (box.left() - _GAP - size.width(), middle),
    ):
        inside = max(part.left(), min(left, part.right() - size.width()))
        label = QRectF(QPointF(inside, top), size)
        if part.contains(label) and not any(label.intersects(other) for other in taken):
            return label
    return None


def _color(found: bool) -> QColor:
    return theme.WHITE if found else theme.QUIET
