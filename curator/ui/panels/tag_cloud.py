"""The sidebar's tag cloud: the scope's most used tags, larger where they are more frequent.

Tags of one kind, such as birds, are one entry with their number of photos, which opens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.catalog import folded
from curator.library.tag_index import TagCount, TagGroup
from curator.model import counted
from curator.session import Session
from curator.ui.widgets import theme
from curator.ui.widgets.menus import kind_query, show_found, tag_menu, tag_query

_FEW = 30  # tags shown at first
_MANY = 300  # tags shown at all
_ROW = 22
_GAP = 10
_MARGIN = 12
_NONE = "No tags yet"
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_CLOSED, _OPEN = " ›", " ⌄"  # behind the number of a group
_SIZES = (theme.CAPTION_PX, theme.BODY_PX, theme.TITLE_PX)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tag, a group of tags or, if both are None, "more" or "fewer"; in a size of ``px``."""

    text: str
    px: int
    tag: TagCount | None = None
    group: TagGroup | None = None

    @property
    def query(self) -> str:
        """The search for its photos."""
        if self.group is not None:
            return kind_query(self.group.name)
        return "" if self.tag is None else tag_query(self.tag.name)

    @property
    def confirmed(self) -> bool:
        """Whether it, or a tag of the group, is confirmed on a photo."""
        tags = (self.tag,) if self.group is None else self.group.tags
        return any(tag is not None and tag.confirmed for tag in tags)


@dataclass(frozen=True, slots=True)
class _Word:
    entry: _Entry
    place: QRect
    font: QFont


class TagCloud(QWidget):
    """The most used tags of the scope; a click on a tag filters by it.

    They are sorted by name; tags that appear later follow at the end. A tag is larger if more
    photos have it, and gray while it is only suggested. A click on a group filters by its kind and
    shows its tags behind it; the next click takes both back.

    Attributes:
        tags: the tags of the scope, most used first.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.tags: list[TagCount] = []
        self._shown: list[_Entry] = []  # in order
        self._words: list[_Word] = []
        self._all, self._hover = False, -1
        self._open: set[str] = set()  # names of groups
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)

    def refresh(self, reorder: bool = False) -> None:
        """Show the scope's tags; nothing while hidden.

        Args:
            reorder: whether to sort and size them again; else they keep their places and new
                tags follow.
        """
        if not self.isVisible():
            return
        tags = self._session.tags.cloud()
        if reorder or tags != self.tags:
            self.tags = tags
            self._shown = self._sorted() if reorder else self._in_place()
            self._lay_out()
        self.update()

    def place_of(self, name: str) -> QRect:
        """Return the place of a tag or group; empty if it is not shown."""
        return next((word.place for word in self._words if _name(word.entry) == name), QRect())

    def _sorted(self) -> list[_Entry]:
        """List the entries in alphabetical order, with "more" or "fewer" at the end."""
        groups = self._session.tags.groups()
        grouped = {tag.name for group in groups for tag in group.tags}
        alone = (tag for tag in self.tags if tag.name not in grouped)
        every: list[TagCount | TagGroup] = [*groups, *alone]
        every.sort(key=lambda each: -each.count)
        shown = every[: _MANY if self._all else _FEW]
        steps = _steps([each.count for each in shown])
        entries: list[_Entry] = []
        for each, step in sorted(
            zip(shown, steps, strict=True), key=lambda pair: folded(pair[0].name)
        ):
            if isinstance(each, TagCount):
                entries.append(_Entry(each.name, _SIZES[step], each))
                continue
            is_open = each.name in self._open
            mark = _OPEN if is_open else _CLOSED
            entries.append(_Entry(f"{each.name} {each.count:,}{mark}", _SIZES[step], group=each))
            if is_open:
                inside = sorted(each.tags, key=lambda tag: folded(tag.name))
                entries += [_Entry(tag.name, _SIZES[0], tag) for tag in inside]
        if len(every) > _FEW:
            rest = min(len(every), _MANY) - _FEW
            entries.append(_Entry("fewer" if self._all else f"{rest:,} more…", _SIZES[0]))
        return entries

    def _in_place(self) -> list[_Entry]:
        """List the entries in their current places, followed by new ones while there is room."""
        new = {_key(entry): entry for entry in self._sorted()}
        by_name = {tag.name: tag for tag in self.tags}
        entries = []
        for entry in self._shown:
            fresh = new.pop(_key(entry), entry)
            tag = entry.tag and by_name.get(entry.tag.name, entry.tag)
            entries.append(replace(fresh, px=entry.px, tag=tag))
        if entries and not _name(entries[-1]):
            return entries
        return [*entries, *list(new.values())[: max(_FEW - len(entries), 0)]]

    def _lay_out(self) -> None:
        self._words = self._placed(self.width() - 2 * _MARGIN)
        self._hover = -1
        counts = (entry.group or entry.tag for entry in self._shown)
        names = (f"{each.name} {each.count}" for each in counts if each is not None)
        self.setAccessibleName("Tags: " + (", ".join(names) or _NONE))
        self.updateGeometry()
        self.update()

    def _placed(self, width: int) -> list[_Word]:
        x = y = 0
        found = []
        for entry in self._shown:
            font = theme.font(entry.px)
            metrics = QFontMetrics(font)
            elided = metrics.elidedText(entry.text, Qt.TextElideMode.ElideRight, width)
            # One px more, or the text would be elided once more when it is drawn.
            advance = min(metrics.horizontalAdvance(elided) + 1, width)
            if x and x + advance > width:
                x, y = 0, y + _ROW
            found.append(_Word(entry, QRect(_MARGIN + x, y, advance, _ROW), font))
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
            confirmed = word.entry.confirmed
            lit = current or number == self._hover
            painter.setPen(theme.WHITE if lit else theme.TEXT if confirmed else theme.QUIET)
            painter.setFont(word.font)
            place, elide = word.place, Qt.TextElideMode.ElideRight
            text = painter.fontMetrics().elidedText(word.entry.text, elide, place.width())
            painter.drawText(QPointF(place.left(), place.top() + base), text)
            if current:
                line = QRect(place.left(), place.top() + base + 3, place.width(), 1)
                painter.fillRect(line, theme.WHITE)

    def _is_current(self, word: _Word) -> bool:
        """Whether the search is for the tag or group."""
        return bool(word.entry.query) and self._session.criteria.filter == word.entry.query

    # --- the mouse

    def _at(self, point: QPoint) -> int:
        found = (at for at, word in enumerate(self._words) if word.place.contains(point))
        return next(found, -1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the entry under the pointer, and show how many photos have it."""
        number = self._at(event.position().toPoint())
        if number == self._hover:
            return
        self._hover = number
        tip = _tooltip(self._words[number].entry) if number >= 0 else ""
        self.setToolTip(theme.plain_tip(tip) if tip else "")
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
        current, group = self._is_current(word), word.entry.group
        if not word.entry.query:
            self._all = not self._all
            self.refresh(reorder=True)
            return
        if group is not None:
            self._open.discard(group.name) if current else self._open.add(group.name)
            self.refresh(reorder=True)
        if current:
            self._session.search.leave_filter()
        else:
            show_found(self._session, word.entry.query)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the tag under the pointer."""
        number = self._at(event.pos())
        tag = self._words[number].entry.tag if number >= 0 else None
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


def _name(entry: _Entry) -> str:
    """Return the name of an entry's tag or group; empty for "more" and "fewer"."""
    each = entry.group or entry.tag
    return "" if each is None else each.name


def _key(entry: _Entry) -> tuple[str, bool]:
    """Return what tells entries apart: a group may have the name of a tag in it."""
    return _name(entry), entry.group is not None


def _tooltip(entry: _Entry) -> str:
    tag, group = entry.tag, entry.group
    if group is not None:
        return f"{group.name}: {counted(group.count, 'photo')}, {counted(len(group.tags), 'tag')}"
    if tag is None:
        return ""
    confirmed = "all confirmed" if tag.confirmed == tag.count else f"{tag.confirmed:,} confirmed"
    state = confirmed if tag.confirmed else "suggested"
    return f"{tag.name}: {counted(tag.count, 'photo')}, {state}"
