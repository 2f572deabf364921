"""The sidebar's tag cloud: the scope's most used tags, larger where they are more frequent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.catalog import folded
from curator.model import counted
from curator.session import Session
from curator.session.tags import TagCount
from curator.ui.widgets import theme
from curator.ui.widgets.menus import show_tagged, tag_menu, tag_query

_FEW = 30  # tags shown at first
_MANY = 300  # tags shown at all
_ROW = 22
_GAP = 10
_MARGIN = 12
_NONE = "No tags yet"
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_SIZES = (theme.CAPTION_PX, theme.BODY_PX, theme.TITLE_PX)


@dataclass(frozen=True, slots=True)
class _Word:
    tag: TagCount | None  # None: "more" or "fewer"
    text: str
    place: QRect
    font: QFont


class TagCloud(QWidget):
    """The most used tags of the scope; a click on a tag filters by it.

    They are sorted by name; tags that appear later follow at the end. A tag is larger if more
    photos have it, and gray while it is only suggested.

    Attributes:
        tags: the tags of the scope, most used first.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.tags: list[TagCount] = []
        self._shown: list[tuple[TagCount | None, str, int]] = []  # tag, text, px; in order
        self._words: list[_Word] = []
        self._all, self._hover = False, -1
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)

    def refresh(self, reorder: bool = False) -> None:
        """Show the scope's tags.

        Args:
            reorder: whether to sort and size them again; else they keep their places and new
                tags follow.
        """
        tags = self._session.tags.cloud()
        if reorder or tags != self.tags:
            self.tags = tags
            self._shown = self._sorted() if reorder else self._in_place()
            self._lay_out()
        self.update()

    def place_of(self, name: str) -> QRect:
        """Return the place of a tag; empty if it is not shown."""
        return next((word.place for word in self._words if word.text == name), QRect())

    def _sorted(self) -> list[tuple[TagCount | None, str, int]]:
        """List the words in alphabetical order, with "more" or "fewer" at the end."""
        tags = self.tags[: _MANY if self._all else _FEW]
        steps = _steps([tag.count for tag in tags])
        sized = sorted(zip(tags, steps, strict=True), key=lambda each: folded(each[0].name))
        words: list[tuple[TagCount | None, str, int]] = [
            (tag, tag.name, _SIZES[step]) for tag, step in sized
        ]
        if len(self.tags) > _FEW:
            rest = min(len(self.tags), _MANY) - _FEW
            words.append((None, "fewer" if self._all else f"{rest:,} more…", _SIZES[0]))
        return words

    def _in_place(self) -> list[tuple[TagCount | None, str, int]]:
        """List the words in their current places, followed by new ones while there is room."""
        counts = {tag.name: tag for tag in self.tags}
        words = [(counts.get(text, tag), text, px) for tag, text, px in self._shown]
        if words and words[-1][0] is None:
            return words
        new = {word[1]: word for word in self._sorted()}
        for _, text, _ in self._shown:
            new.pop(text, None)
        return [*words, *list(new.values())[: _FEW - len(words)]]

    def _lay_out(self) -> None:
        self._words = self._placed(self.width() - 2 * _MARGIN)
        self._hover = -1
        names = (f"{tag.name} {tag.count}" for tag, _, _ in self._shown if tag is not None)
        self.setAccessibleName("Tags: " + (", ".join(names) or _NONE))
        self.updateGeometry()
        self.update()

    def _placed(self, width: int) -> list[_Word]:
        x = y = 0
        found = []
        for tag, text, px in self._shown:
            font = theme.font(px)
            metrics = QFontMetrics(font)
            elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
            # One px more, or the text would be elided once more when it is drawn.
            advance = min(metrics.horizontalAdvance(elided) + 1, width)
            if x and x + advance > width:
                x, y = 0, y + _ROW
            found.append(_Word(tag, text, QRect(_MARGIN + x, y, advance, _ROW), font))
            x += advance + _GAP
        return found

    def sizeHint(self) -> QSize:
        """Return the size at the sidebar's usual width."""
        return QSize(theme.SIDEBAR, self.heightForWidth(theme.SIDEBAR))

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows at a width."""
        words = self._placed(width - 2 * _MARGIN)
        return words[-1].place.bottom() + 5 if words else _ROW

    def resizeEvent(self, event: object) -> None:
        """Lay the words out again for the width."""
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words on common baselines."""
        painter = QPainter(self)
        if not self._words:
            painter.setFont(theme.caption_font())
            painter.setPen(theme.DISABLED)
            painter.drawText(QRect(_MARGIN, 0, self.width(), _ROW), _MIDDLE, _NONE)
        base = QFontMetrics(theme.title_font()).ascent() + 1
        for number, word in enumerate(self._words):
            current = self._is_current(word)
            confirmed = word.tag is not None and word.tag.confirmed
            lit = current or number == self._hover
            painter.setPen(theme.WHITE if lit else theme.TEXT if confirmed else theme.QUIET)
            painter.setFont(word.font)
            place, elide = word.place, Qt.TextElideMode.ElideRight
            text = painter.fontMetrics().elidedText(word.text, elide, place.width())
            painter.drawText(QPointF(place.left(), place.top() + base), text)
            if current:
                line = QRect(place.left(), place.top() + base + 3, place.width(), 1)
                painter.fillRect(line, theme.WHITE)

    def _is_current(self, word: _Word) -> bool:
        """Whether the search is for the tag."""
        return word.tag is not None and self._session.criteria.filter == tag_query(word.tag.name)

    # --- the mouse

    def _at(self, point: QPoint) -> int:
        found = (at for at, word in enumerate(self._words) if word.place.contains(point))
        return next(found, -1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the tag under the pointer, and show how many photos have it."""
        number = self._at(event.position().toPoint())
        if number == self._hover:
            return
        self._hover = number
        tag = self._words[number].tag if number >= 0 else None
        self.setToolTip(theme.plain_tip(_tooltip(tag)) if tag is not None else "")
        hand = Qt.CursorShape.PointingHandCursor
        self.setCursor(hand if number >= 0 else Qt.CursorShape.ArrowCursor)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        self._hover = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Filter by the tag clicked, or remove that filter; show more or fewer tags."""
        number = self._at(event.position().toPoint())
        if number < 0 or event.button() is not Qt.MouseButton.LeftButton:
            return
        word = self._words[number]
        if word.tag is None:
            self._all = not self._all
            self.refresh(reorder=True)
        elif self._is_current(word):
            self._session.search.leave_filter()
        else:
            show_tagged(self._session, word.tag.name)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the tag under the pointer."""
        number = self._at(event.pos())
        tag = self._words[number].tag if number >= 0 else None
        if tag is not None:
            tag_menu(self, self._session, tag.name).popup(event.globalPos())


def _steps(counts: list[int]) -> list[int]:
    """Return a size for each count, 0 to 2, by the logarithm between the least and the most."""
    if not counts:
        return []
    logs = np.log(np.array(counts, float))
    span = float(np.ptp(logs))
    if not span:
        return [1] * len(counts)
    steps = (logs - logs.min()) / span * len(_SIZES)
    return np.minimum(steps, len(_SIZES) - 1).astype(int).tolist()


def _tooltip(tag: TagCount) -> str:
    confirmed = "all confirmed" if tag.confirmed == tag.count else f"{tag.confirmed:,} confirmed"
    state = confirmed if tag.confirmed else "suggested"
    return f"{tag.name}: {counted(tag.count, 'photo')}, {state}"
