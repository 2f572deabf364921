"""The grid: a contact sheet of any length, of which only what is on screen exists.

Cell positions are arithmetic, scrolling moves the pixels that are there and paints the strip that
came in, and thumbnails arrive from :mod:`curator.ui.widgets.frames`. While photos stream in, the
sheet is anchored: what one looks at stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from curator.library import captions
from curator.library.table import Tile
from curator.model import View
from curator.session import Session
from curator.ui.grid.grid_layout import FOOTER, GAP, GridLayout, fitting_shape
from curator.ui.widgets import theme
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import (
    StackBadge,
    TileCache,
    TilePainter,
    failure_card,
    single_line_tooltip,
    thumb,
)

_THUMB_STEP = 24
_THUMB_RANGE = (120, 360)
_VISIBLE_MS = 80  # the pipeline need not hear of every wheel notch
_KNOWN_WANTS = 4096
_NOTCH = 3  # Qt scrolls three single steps a wheel notch


class GridView(QAbstractScrollArea):
    """Shows the session's list as tiles; what is selected and current lives in the session.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._store = pictures.thumbs
        self._pictures = pictures
        self._tiles = TilePainter(self._store)
        self._tiles.order = session.order
        self._known = TileCache(session)
        self._ids: np.ndarray = session.ids
        self._spans = session.listing.tiles
        self._fronts: dict[int, int] = {}  # photo shown by tile, while list, marks and place stay
        self._shape = 1.0  # of cells
        self._shaped_for: str | None = None  # the scope it was chosen for
        self._sheet = GridLayout(1, 0, session.settings.grid.thumb_px)
        self._underlined: int | None = session.current
        self._wants: dict[int, FrameRequest | None] = {}  # by position, while list and size stay
        self._wanted: dict[FrameRequest, list[int]] = {}
        self._retries: dict[int, QRect] = {}
        self._downward = True
        self._wants_timer = QTimer(self)  # no delay, but after the paint
        self._wants_timer.setSingleShot(True)
        self._wants_timer.timeout.connect(self._refresh_wants)
        self._ahead_timer = QTimer(self)  # and what comes next after what is seen
        self._ahead_timer.setSingleShot(True)
        self._ahead_timer.timeout.connect(self._want_ahead)
        self._visible_timer = QTimer(self)
        self._visible_timer.setSingleShot(True)
        self._visible_timer.setInterval(_VISIBLE_MS)
        self._visible_timer.timeout.connect(self._tell_visible)
        self._dress()
        session.list_changed.connect(self._on_list)
        session.photos_changed.connect(self._on_photos)
        session.scores_changed.connect(self.viewport().update)
        session.current_changed.connect(self._on_current)
        session.stayed.connect(self._reveal_current)
        session.selection_changed.connect(self.viewport().update)
        session.view_changed.connect(self._on_view)
        session.asked.connect(self._on_asked)
        self._store.arrived.connect(self._on_arrived)

    def _dress(self) -> None:
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always there, or it would change the width, hence the columns, hence its own need.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photos")
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # --- what is where

    @property
    def sheet(self) -> GridLayout:
        """The arithmetic of the sheet as it is now."""
        return self._sheet

    def visible(self) -> range:
        """Give the tiles that are on screen, partly or whole."""
        top = self.verticalScrollBar().value()
        return self._sheet.between(top, top + self.viewport().height())

    def cell(self, index: int) -> QRect:
        """Give a tile in viewport coordinates."""
        return self._sheet.rect(index).translated(0, -self.verticalScrollBar().value())

    def reveal(self, index: int) -> None:
        """Scroll no further than it takes to have a tile on screen whole."""
        bar = self.verticalScrollBar()
        rect = self._sheet.rect(index)
        if rect.top() - GAP < bar.value():
            bar.setValue(rect.top() - GAP)
        elif rect.bottom() + GAP > bar.value() + self.viewport().height():
            bar.setValue(rect.bottom() + GAP - self.viewport().height())

    def _relayout(self, anchor: tuple[int, int] | None) -> None:
        """Take over list and width; ``anchor``: (photo id, y in the viewport) to stay at."""
        self._ids, self._spans = self._session.ids, self._session.listing.tiles
        self._fronts.clear()
        count, width = len(self._spans), self.viewport().width()
        if self._shaped_for != self._session.scope.key:
            self._shape_cells()
        settings = self._session.settings.grid
        self._tiles.captions = settings.captions
        self._sheet = GridLayout(width, count, settings.thumb_px, self._shape, self._tiles.foot)
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.blockSignals(True)
        bar.setRange(0, max(0, self._sheet.height - height))
        bar.setPageStep(max(height - self._sheet.pitch, 1))
        bar.setSingleStep(max(self._sheet.pitch // (2 * _NOTCH), 1))
        if anchor is not None:
            place = self._session.listing.position(anchor[0])
            if place is not None:
                bar.setValue(self._sheet.top(self._spans.at(place)) - anchor[1])
        bar.blockSignals(False)
        self._forget_wants()
        self.viewport().update()

    def _shape_cells(self) -> None:
        """Choose the shape of cells by the photos of the scope.

        It stays while one looks at the scope: pictures of which the size becomes known move none.
        """
        table, scope = self._session.table, self._session.in_scope()
        size = table.column("width")[scope], table.column("height")[scope]
        turned = table.column("turn")[scope] % 2 == 1
        width, height = np.where(turned, size[::-1], size).astype("f4")
        known = width > 0
        self._shape = fitting_shape(height[known] / width[known])
        self._shaped_for = self._session.scope.key

    def _anchor(self) -> tuple[int, int] | None:
        """Choose what stays in place: the current tile if it is on screen, else the first one."""
        seen, current = self.visible(), self._underlined
        if not len(seen) or seen.start >= len(self._spans):
            return None
        here = self._positions(seen)
        places = np.flatnonzero(self._ids[here.start : here.stop] == current)
        if len(places):
            place = here.start + int(places[0])
            return int(self._ids[place]), self.cell(self._spans.at(place)).top()
        return int(self._ids[here.start]), self.cell(seen.start).top()

    def _positions(self, numbers: range) -> range:
        """Give the positions in the list of the photos that tiles stand for."""
        if not len(numbers):
            return range(0)
        return range(self._spans[numbers.start].start, self._spans[numbers.stop - 1].stop)

    def front(self, number: int) -> int:
        """Give the photo a tile shows."""
        photo = self._fronts.get(number)
        if photo is None:
            photo = self._fronts[number] = self._session.front(number)
        return photo

    # --- following the session

    def _on_list(self) -> None:
        anchor = self._anchor()
        was_empty = not len(self._ids)
        opened = self._ids is self._session.ids and len(self._session.listing.tiles) > len(
            self._spans
        )
        self._underlined = self._session.current
        self._relayout(anchor)
        if was_empty or (anchor is not None and anchor[0] not in self._session.listing):
            self._reveal_current()
        if opened and anchor is not None:
            self._reveal_stack()

    def _on_photos(self, changed: Collection[int]) -> None:
        self._fronts.clear()
        if not self.isVisible():
            self._wants.clear()  # showing looks at all of them anew
            return
        here = self._positions(self.visible())
        ids = self._ids[here.start : here.stop].tolist()
        places = (place for place, photo in enumerate(ids, here.start) if photo in changed)
        stale = list(dict.fromkeys(map(self._spans.at, places)))
        if not stale:
            return
        self._pictures.clear_failures(self._tile(number).thumb for number in stale)
        self._update(stale)
        self._forget_wants()

    def _on_current(self) -> None:
        before, self._underlined = self._underlined, self._session.current
        if not self.isVisible():
            return
        for photo in (before, self._underlined):
            place = None if photo is None else self._session.listing.position(photo)
            if place is not None:
                number = self._spans.at(place)
                self._fronts.pop(number, None)
                self._wants.pop(number, None)
                self._update([number])
        if self._session.view is View.GRID:
            self._reveal_current()

    def _on_view(self) -> None:
        if self._tiles.order != self._session.order:
            self._tiles.order = self._session.order
            self.viewport().update()
        if self._session.view is View.GRID:
            settings = self._session.settings.grid
            now = settings.thumb_px, settings.captions
            if (self._sheet.thumb_px, self._tiles.captions) != now:
                in_sight = self._session.tile_number in self.visible()
                self._relayout(self._anchor())
                if in_sight:
                    self._reveal_current()
            self._refresh_wants()

    def _on_asked(self, what: str, about: object) -> None:
        if self._session.view is not View.GRID or not isinstance(about, int):
            return
        if what == "row":
            self._move_rows(about)
        elif what == "page":
            rows = max(1, self.viewport().height() // self._sheet.pitch)
            self._move_rows(about * rows)
        elif what == "size":
            self.set_thumb_px(self._session.settings.grid.thumb_px + about * _THUMB_STEP)

    def _move_rows(self, rows: int) -> None:
        """Go up or down in one's column; past the end to the last tile, if that is below."""
        count, columns, here = len(self._spans), self._sheet.columns, self._session.tile_number
        number = here + rows * columns
        if number >= count:
            last_row = (count - 1) // columns
            number = count - 1 if here // columns < last_row else -1
        elif number < 0:
            number = here % columns
        if count:
            self._session.go_to_tile(number if 0 <= number < count else here)

    def set_thumb_px(self, size: int) -> None:
        """Make thumbnails larger or smaller, within 120 to 360 px; the settings keep it."""
        size = min(max(size, _THUMB_RANGE[0]), _THUMB_RANGE[1])
        settings = self._session.settings.grid
        if size != settings.thumb_px:
            settings.thumb_px = size
            self._relayout(self._anchor())
            self._session.ask("settings_changed")

    def _reveal_stack(self) -> None:
        """Have the last frame of the stack one is at on screen, and above all the current one."""
        units = self._session.listing.units
        last = units[units.at(self._session.index)].stop - 1
        self.reveal(self._spans.at(last))
        self._reveal_current()

    def _reveal_current(self) -> None:
        number = self._session.tile_number
        if 0 <= number < len(self._spans):
            self.reveal(number)

    # --- thumbnails

    def _refresh_wants(self) -> None:
        """Ask for what is on screen, and soon for what comes next."""
        if not self.isVisible():
            self._store.want("grid", ())
            return
        self._wanted = {}
        self._want(self.visible())
        self._ahead_timer.start()
        self._visible_timer.start()

    def _want_ahead(self) -> None:
        """Ask for one screen ahead in the direction of scrolling, too."""
        if not self.isVisible():
            return
        seen = self.visible()
        ahead, count = len(seen), len(self._spans)
        if self._downward:
            self._want(range(seen.stop, min(seen.stop + ahead, count)))
        else:
            self._want(range(seen.start - 1, max(seen.start - ahead, 0) - 1, -1))

    def _want(self, places: range) -> None:
        """Ask for the thumbnails of these tiles after those wanted so far."""
        known, box = self._wants, self._tiles.box(self._sheet.rect(0))
        if len(known) > _KNOWN_WANTS:
            known.clear()
        self._known.gather(self.front(place) for place in places if place not in known)
        for place in places:
            if place in known:
                want = known[place]
            else:
                want = known[place] = thumb(self._tile(place), box)
            if want is not None:
                self._wanted.setdefault(want, []).append(place)
        self._store.want("grid", self._wanted)

    def _forget_wants(self) -> None:
        self._wants.clear()
        self._refresh_wants()

    def _on_arrived(self, wants: Collection[FrameRequest]) -> None:
        if self.isVisible():
            self._update([place for want in wants for place in self._wanted.get(want, ())])

    def _tell_visible(self) -> None:
        if self.isVisible():
            seen = self.visible()
            here = self._positions(seen)
            behind = self._ids[here.start : here.stop].tolist()
            self._session.set_visible(dict.fromkeys([*map(self.front, seen), *behind]))

    def _tile(self, number: int) -> Tile:
        return self._known(self.front(number))

    def _stack_badge(self, number: int) -> StackBadge | None:
        """Say of which stack a tile is, None for a single photo."""
        span, units = self._spans[number], self._session.listing.units
        whole = span if len(span) > 1 else units[units.at(span.start)]
        if len(whole) == 1:
            return None
        return StackBadge(len(whole), len(span) > 1, span.start == whole.start)

    def _update(self, places: Sequence[int]) -> None:
        half = GAP // 2
        for place in places:
            self.viewport().update(self.cell(place).adjusted(-half, -half, half, half))

    # --- painting and scrolling

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tiles that reach into what is to be painted."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.CANVAS)
        painter.setFont(self._tiles.font)
        self._tiles.ratio = self.devicePixelRatioF()
        offset = self.verticalScrollBar().value()
        dirty = event.region()
        # Selected cells reach half a gap over their tile.
        places = self._sheet.between(
            event.rect().top() - GAP + offset, event.rect().bottom() + 1 + GAP + offset
        )
        self._known.gather(map(self.front, places))
        for place in places:
            cell = self.cell(place)
            if dirty.intersects(cell.adjusted(-GAP // 2, -GAP // 2, GAP // 2, GAP // 2)):
                self._paint_tile(painter, cell, place)

    def _is_selected(self, shown: int, stack: StackBadge | None) -> bool:
        """Tell whether a tile is selected: the photo it shows, or any that it stands for."""
        selection = self._session.selection
        if not selection or shown in selection:
            return bool(selection)
        if stack is None or not stack.closed:
            return False
        return not selection.isdisjoint(self._session.listing.tile(shown).tolist())

    def _paint_tile(self, painter: QPainter, cell: QRect, place: int) -> None:
        tile, stack = self._tile(place), self._stack_badge(place)
        self._tiles.draw(
            painter,
            cell,
            tile,
            selected=self._is_selected(tile.id, stack),
            current=tile.id == self._underlined,
            stack=stack,
        )
        if stack is not None and not stack.closed:
            before, after = self._bound(place - 1), self._bound(place)
            self._tiles.draw_bond(painter, cell, before, after)
        if tile.state == "failed":
            card = self._tiles.picture(cell, tile)
            scale = 1 / self._tiles.ratio
            card = QRect(
                cell.left(), round(card.y() * scale), cell.width(), round(card.height() * scale)
            )
            reason = self._session.detail(tile.id).reason or "It could not be read."
            self._retries[tile.id] = failure_card(painter, card, tile.name, reason).translated(
                -cell.topLeft()
            )

    def _bound(self, number: int) -> bool:
        """Tell whether a tile and the next one in its row are of the same stack."""
        following = number + 1
        if number < 0 or following >= len(self._spans) or following % self._sheet.columns == 0:
            return False
        units = self._session.listing.units
        return units.at(self._spans[number].start) == units.at(self._spans[following].start)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Move the pixels that stay on screen; only the strip that comes in is painted."""
        self._downward = dy <= 0
        self.viewport().scroll(0, dy)
        if not self._wants_timer.isActive():
            self._wants_timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the sheet out for the new width, staying at the anchor."""
        anchor = self._anchor() if event.oldSize().isValid() else None
        top = self.verticalScrollBar().value()
        was_seen = self._sheet.between(top, top + event.oldSize().height())
        self._relayout(anchor)
        # A lower window must not lose the current photo.
        if anchor is None or self._session.tile_number in was_seen:
            self._reveal_current()

    def showEvent(self, event: object) -> None:
        """Come back to the current photo, wherever the loupe went meanwhile."""
        self._shaped_for = None  # what was learned of the photos meanwhile moves nothing now
        self._relayout(self._anchor())
        self._reveal_current()

    def hideEvent(self, event: object) -> None:
        """Leave the decoders to other views."""
        self._store.want("grid", ())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the device pixel ratio of the screen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._tiles.ratio = self.devicePixelRatioF()
            self._forget_wants()

    # --- mouse; keys are the keymap's

    def _hit(self, at: QPoint) -> int | None:
        return self._sheet.at(at.x(), at.y() + self.verticalScrollBar().value())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Click goes to a photo, Ctrl adds it to the selection, Shift selects up to it."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = self._hit(event.position().toPoint())
        if place is None:
            self._session.clear_selection()
            return
        photo = self.front(place)
        if self._retry_hit(photo, place, event.position().toPoint()):
            return
        if self._count_hit(place, event.position().toPoint()):
            self._session.toggle_stack(photo)
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._session.toggle(photo)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._session.select_range(photo)
        else:
            self._session.select_only(photo)

    def _count_hit(self, place: int, at: QPoint) -> bool:
        stack = self._stack_badge(place)
        if stack is None or not stack.first:
            return False
        return self._tiles.count(self.cell(place), stack).contains(at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Go to the photo, unless it is one of those selected; the window has its menu."""
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            place = self._hit(event.pos())
            event.setAccepted(place is None)
            if place is not None and self.front(place) not in self._session.selection:
                self._session.select_only(self.front(place))
        else:
            event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The press did it all."""
        event.accept()

    def _retry_hit(self, photo: int, place: int, at: QPoint) -> bool:
        area = self._retries.get(photo)
        if area is None or self._session.tile(photo).state != "failed":
            return False
        if not area.contains(at - self.cell(place).topLeft()):
            return False
        return self._session.retry(photo)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the photo in the loupe."""
        place = self._hit(event.position().toPoint())
        if place is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if not self._count_hit(place, event.position().toPoint()):
            self._session.select_only(self.front(place))
            self._session.set_view(View.LOUPE)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl change the size of the thumbnails."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            step = (event.angleDelta().y() > 0) - (event.angleDelta().y() < 0)
            if step:
                self.set_thumb_px(self._session.settings.grid.thumb_px + step * _THUMB_STEP)
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave every key to the keymap: a scroll area would take the arrows."""
        event.ignore()

    def viewportEvent(self, event: QEvent) -> bool:
        """Name a photo, and its label, under a resting pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._hit(event.pos())
            text = "" if place is None else self._tip(self._tile(place), self._stack_badge(place))
            QToolTip.showText(event.globalPos(), single_line_tooltip(text), self.viewport())
            return True
        return super().viewportEvent(event)

    def _tip(self, tile: Tile, stack: StackBadge | None) -> str:
        parts = [tile.name]
        if stack is not None and stack.closed:
            key = self._session.keys.get("toggle_stack")
            opens = f" ({key} shows them)" if key else ""
            parts.append(f"stack of {stack.count:,}{opens}")
        if tile.proposed:
            parts.append(f"proposed: {self._session.proposal(tile.id)}")
        if tile.taken is not None:
            parts.append(f"{tile.taken:%H:%M:%S}")
        if tile.marks.label:
            parts.append(f"{tile.marks.label} label")
        if tile.damaged:
            parts.append(self._session.detail(tile.id).damage or "damaged")
        if tile.state == "missing":
            parts.append(captions.away(self._session.detail(tile.id)))
        if tile.stale:
            key = self._session.keys.get("reapply")
            again = f" ({key} applies it again)" if key else ""
            parts.append(f"no longer fits the filter{again}")
        return " · ".join(parts)


__all__ = ["FOOTER", "GridView"]
