"""The grid: tiles of any number of photos, of which only those on screen are painted.

The main window shows it. Cell positions are arithmetic, scrolling moves the pixels on screen and
paints only the new strip, and thumbnails come from :mod:`curator.ui.widgets.frames`. While photos
are being added, the tiles on screen must not move.

A *tile* shows one photo, or a closed stack. Tiles are numbered; *positions* are those of photos in
the session's list.
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
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from curator.library import captions
from curator.library.table import Tile
from curator.model import View
from curator.session import Session
from curator.ui.grid.grid_layout import GAP, GridLayout, fitting_shape
from curator.ui.grid.prefetch import ThumbnailPrefetch
from curator.ui.grid.tile_painter import StackBadge, TilePainter
from curator.ui.widgets import theme
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import TileCache, single_line_tooltip, thumbnail_request
from curator.ui.widgets.wheel import WheelSteps

_THUMB_STEP = 24
_THUMB_RANGE = (120, 360)
_VISIBLE_MS = 80  # the pipeline need not know of every wheel notch
_NOTCH = 3  # Qt scrolls three single steps per wheel notch


class GridView(QAbstractScrollArea):
    """Shows the session's list as tiles; the session owns selection and current photo.

    Attributes:
        grid_layout: the current arrangement of the tiles.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._session, self._pictures = session, pictures
        self._painter = TilePainter(pictures.thumbs)
        self._painter.order = session.criteria.order
        self._tile_cache = TileCache(session)
        self._ids: np.ndarray = session.ids
        self._spans = session.photos.listing.tiles
        self._tile_photos: dict[int, int] = {}  # photo shown by tile, while list and marks stay
        self._wheel = WheelSteps()
        self._shape = 1.0  # height of cells over width
        self._shape_scope: str | None = None  # the scope the shape was chosen for
        self.grid_layout = GridLayout(1, 0, session.settings.grid.thumb_px)
        self._underlined: int | None = session.current  # drawn as the current photo
        self._prefetch = ThumbnailPrefetch(
            pictures.thumbs,
            self._requests_of,
            lambda: self.visible() if self.isVisible() else None,
            lambda: len(self._spans),
            self,
        )
        self._visible_timer = QTimer(self, singleShot=True, interval=_VISIBLE_MS)
        self._visible_timer.timeout.connect(self._report_visible)
        self._configure()
        session.photos.list_changed.connect(self._on_list)
        session.photos.photos_changed.connect(self._on_photos)
        session.taste.scores_changed.connect(self.viewport().update)
        session.photos.current_changed.connect(self._on_current)
        session.photos.current_confirmed.connect(self._reveal_current)
        session.photos.selection_changed.connect(self.viewport().update)
        for changed in (
            session.criteria.order_changed,
            session.view_state.view_changed,
            session.view_state.panels_changed,
            session.preferences.changed,
        ):
            changed.connect(self._on_view)
        session.requests.row_requested.connect(self._on_row_requested)
        session.requests.page_requested.connect(self._on_page_requested)
        session.requests.resize_requested.connect(self._on_resize_requested)
        pictures.thumbs.arrived.connect(self._on_arrived)

    def _configure(self) -> None:
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always on: hiding it would widen the viewport and change the columns, back and forth.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photos")
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # --- positions

    def visible(self) -> range:
        """Return the tiles at least partly on screen."""
        top = self.verticalScrollBar().value()
        return self.grid_layout.between(top, top + self.viewport().height())

    def cell(self, number: int) -> QRect:
        """Return a tile's rectangle in viewport coordinates."""
        return self.grid_layout.rect(number).translated(0, -self.verticalScrollBar().value())

    def reveal(self, number: int) -> None:
        """Scroll just far enough to show the whole tile."""
        bar = self.verticalScrollBar()
        rect = self.grid_layout.rect(number)
        if rect.top() - GAP < bar.value():
            bar.setValue(rect.top() - GAP)
        elif rect.bottom() + GAP > bar.value() + self.viewport().height():
            bar.setValue(rect.bottom() + GAP - self.viewport().height())

    def _relayout(self, anchor: tuple[int, int] | None) -> None:
        """Lay the tiles out for the current list and width.

        Args:
            anchor: (photo id, y in the viewport) of the tile that must not move, if any.
        """
        self._ids, self._spans = self._session.ids, self._session.photos.listing.tiles
        self._tile_photos.clear()
        count, width = len(self._spans), self.viewport().width()
        if self._shape_scope != self._session.criteria.scope.key:
            self._choose_shape()
        settings = self._session.settings.grid
        self._painter.captions = settings.captions
        self.grid_layout = GridLayout(
            width, count, settings.thumb_px, self._shape, self._painter.footer
        )
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.blockSignals(True)
        bar.setRange(0, max(0, self.grid_layout.height - height))
        bar.setPageStep(max(height - self.grid_layout.row_height, 1))
        bar.setSingleStep(max(self.grid_layout.row_height // (2 * _NOTCH), 1))
        if anchor is not None:
            position = self._session.photos.listing.position(anchor[0])
            if position is not None:
                bar.setValue(self.grid_layout.top(self._spans.at(position)) - anchor[1])
        bar.blockSignals(False)
        self._reload_thumbnails()
        self.viewport().update()

    def _choose_shape(self) -> None:
        """Choose the shape of cells for the photos of the scope.

        It stays while the scope is shown, so that sizes that become known later move no tile.
        """
        table, scope = self._session.table, self._session.photos.membership.in_scope()
        size = table.column("width")[scope], table.column("height")[scope]
        turned = table.column("turn")[scope] % 2 == 1
        width, height = np.where(turned, size[::-1], size).astype("f4")
        known = width > 0
        self._shape = fitting_shape(height[known] / width[known])
        self._shape_scope = self._session.criteria.scope.key

    def _anchor(self) -> tuple[int, int] | None:
        """Choose the tile that stays in place: the current one if on screen, else the first."""
        visible = self.visible()
        if not len(visible) or visible.start >= len(self._spans):
            return None
        positions = self._positions(visible)
        found = np.flatnonzero(self._ids[positions.start : positions.stop] == self._underlined)
        position = positions.start + (int(found[0]) if len(found) else 0)
        return int(self._ids[position]), self.cell(self._spans.at(position)).top()

    def _positions(self, numbers: range) -> range:
        """Return the list positions of the photos of these tiles."""
        if not len(numbers):
            return range(0)
        return range(self._spans[numbers.start].start, self._spans[numbers.stop - 1].stop)

    def tile_photo(self, number: int) -> int:
        """Return the photo a tile shows: of a closed stack the current photo, else its cover."""
        photo = self._tile_photos.get(number)
        if photo is None:
            photo = self._tile_photos[number] = self._session.stacks.tile_photo(number)
        return photo

    # --- following the session

    def _on_list(self) -> None:
        anchor = self._anchor()
        was_empty = not len(self._ids)
        listing = self._session.photos.listing
        expanded = self._ids is self._session.ids and len(listing.tiles) > len(self._spans)
        self._underlined = self._session.current
        self._relayout(anchor)
        if was_empty or (anchor is not None and anchor[0] not in listing):
            self._reveal_current()
        if expanded and anchor is not None:
            self._reveal_stack()

    def _on_photos(self, changed: Collection[int]) -> None:
        self._tile_photos.clear()
        if not self.isVisible():
            self._prefetch.forget()  # everything is requested again when the grid is shown
            return
        positions = self._positions(self.visible())
        ids = self._ids[positions.start : positions.stop].tolist()
        touched = (at for at, photo in enumerate(ids, positions.start) if photo in changed)
        numbers = list(dict.fromkeys(map(self._spans.at, touched)))
        if not numbers:
            return
        self._pictures.clear_failures(self._tile(number).thumb for number in numbers)
        self._update(numbers)
        self._prefetch.forget()
        self._prefetch.refresh_soon()  # in an event of its own: it takes as long as the others
        self._visible_timer.start()

    def _on_current(self) -> None:
        before, self._underlined = self._underlined, self._session.current
        if not self.isVisible():
            return
        for photo in (before, self._underlined):
            position = None if photo is None else self._session.photos.listing.position(photo)
            if position is not None:
                number = self._spans.at(position)
                self._tile_photos.pop(number, None)
                self._prefetch.forget((number,))
                self._update([number])
        if self._session.view_state.view is View.GRID:
            self._reveal_current()

    def _on_view(self) -> None:
        if self._painter.order != self._session.criteria.order:
            self._painter.order = self._session.criteria.order
            self.viewport().update()
        if self._session.view_state.view is View.GRID:
            settings = self._session.settings.grid
            now = settings.thumb_px, settings.captions
            if (self.grid_layout.thumb_px, self._painter.captions) != now:
                was_visible = self._session.stacks.tile_number in self.visible()
                self._relayout(self._anchor())
                if was_visible:
                    self._reveal_current()
            self._refresh_thumbnails()

    def _on_row_requested(self, by: int) -> None:
        """Move up or down within the column; past the end to the last tile, if that is below."""
        count, columns = len(self._spans), self.grid_layout.columns
        if self._session.view_state.view is not View.GRID or not count:
            return
        here = self._session.stacks.tile_number
        number = here + by * columns
        if number >= count:
            last_row = (count - 1) // columns
            number = count - 1 if here // columns < last_row else here
        self._session.navigator.go_to_tile(here % columns if number < 0 else number)

    def _on_page_requested(self, by: int) -> None:
        rows = max(1, self.viewport().height() // self.grid_layout.row_height)
        self._on_row_requested(by * rows)

    def _on_resize_requested(self, by: int) -> None:
        """Change the thumbnail size by steps, within 120 to 360 px, and save it."""
        settings = self._session.settings.grid
        smallest, largest = _THUMB_RANGE
        size = min(max(settings.thumb_px + by * _THUMB_STEP, smallest), largest)
        if self._session.view_state.view is View.GRID and size != settings.thumb_px:
            settings.thumb_px = size
            self._relayout(self._anchor())
            self._session.preferences.save(announce=False)

    def _reveal_stack(self) -> None:
        """Scroll to the last frame of the current stack, but keep the current photo on screen."""
        units = self._session.photos.listing.units
        last = units[units.at(self._session.photos.index)].stop - 1
        self.reveal(self._spans.at(last))
        self._reveal_current()

    def _reveal_current(self) -> None:
        number = self._session.stacks.tile_number
        if 0 <= number < len(self._spans):
            self.reveal(number)

    # --- thumbnails

    def _requests_of(self, numbers: Sequence[int]) -> dict[int, FrameRequest | None]:
        self._tile_cache.gather(map(self.tile_photo, numbers))
        box = self._painter.box(self.grid_layout.rect(0))
        return {number: thumbnail_request(self._tile(number), box) for number in numbers}

    def _refresh_thumbnails(self) -> None:
        self._prefetch.refresh()
        if self.isVisible():
            self._visible_timer.start()

    def _reload_thumbnails(self) -> None:
        self._prefetch.forget()
        self._refresh_thumbnails()

    def _on_arrived(self, requests: Collection[FrameRequest]) -> None:
        if self.isVisible():
            self._update(self._prefetch.tiles_showing(requests))

    def _report_visible(self) -> None:
        """Report the photos on screen to the session: the pipeline reads those first."""
        if self.isVisible():
            visible = self.visible()
            positions = self._positions(visible)
            stacked = self._ids[positions.start : positions.stop].tolist()
            self._session.work_focus.set_visible(
                dict.fromkeys([*map(self.tile_photo, visible), *stacked])
            )

    def _tile(self, number: int) -> Tile:
        return self._tile_cache(self.tile_photo(number))

    def _stack_badge(self, number: int) -> StackBadge | None:
        """Return how a tile shows its stack, or None for a single photo."""
        span, units = self._spans[number], self._session.photos.listing.units
        stack = span if len(span) > 1 else units[units.at(span.start)]
        if len(stack) == 1:
            return None
        return StackBadge(len(stack), len(span) > 1, span.start == stack.start)

    def _update(self, numbers: Sequence[int]) -> None:
        half = GAP // 2
        for number in numbers:
            self.viewport().update(self.cell(number).adjusted(-half, -half, half, half))

    # --- painting and scrolling

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tiles that overlap the region to paint."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.CANVAS)
        painter.setFont(self._painter.font)
        self._painter.ratio = self.devicePixelRatioF()
        offset = self.verticalScrollBar().value()
        dirty, half = event.region(), GAP // 2
        # The background of a selected tile reaches half a gap beyond it.
        numbers = self.grid_layout.between(
            event.rect().top() - GAP + offset, event.rect().bottom() + 1 + GAP + offset
        )
        self._tile_cache.gather(map(self.tile_photo, numbers))
        for number in numbers:
            cell = self.cell(number)
            if dirty.intersects(cell.adjusted(-half, -half, half, half)):
                self._paint_tile(painter, cell, number)

    def _is_selected(self, shown: int, stack: StackBadge | None) -> bool:
        """Whether the photo a tile shows is selected, or any photo of its closed stack."""
        selection = self._session.photos.selection
        if not selection or shown in selection:
            return bool(selection)
        if stack is None or not stack.closed:
            return False
        return not selection.isdisjoint(self._session.photos.listing.tile(shown).tolist())

    def _paint_tile(self, painter: QPainter, cell: QRect, number: int) -> None:
        tile, stack = self._tile(number), self._stack_badge(number)
        self._painter.draw(
            painter,
            cell,
            tile,
            selected=self._is_selected(tile.id, stack),
            current=tile.id == self._underlined,
            stack=stack,
        )
        if stack is not None and not stack.closed:
            before, after = self._continues(number - 1), self._continues(number)
            self._painter.draw_stack_line(painter, cell, before, after)
        if tile.state == "failed":
            reason = self._session.detail(tile.id).reason or "It could not be read."
            self._painter.draw_failure(painter, cell, tile, reason)

    def _continues(self, number: int) -> bool:
        """Whether a tile and the next one in its row belong to the same stack."""
        following = number + 1
        if number < 0 or following >= len(self._spans) or following % self.grid_layout.columns == 0:
            return False
        units = self._session.photos.listing.units
        return units.at(self._spans[number].start) == units.at(self._spans[following].start)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Move the pixels that stay on screen; only the new strip is painted."""
        self._prefetch.downward = dy <= 0
        self.viewport().scroll(0, dy)
        self._prefetch.refresh_soon()
        self._visible_timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the tiles out for the new width around the anchor."""
        anchor = self._anchor() if event.oldSize().isValid() else None
        top = self.verticalScrollBar().value()
        was_visible = self.grid_layout.between(top, top + event.oldSize().height())
        self._relayout(anchor)
        # If the current photo was visible, it must stay so in a smaller window.
        if anchor is None or self._session.stacks.tile_number in was_visible:
            self._reveal_current()

    def showEvent(self, event: object) -> None:
        """Scroll to the current photo, which may have changed in the loupe."""
        self._shape_scope = None  # sizes learned meanwhile may choose another shape now
        self._relayout(self._anchor())
        self._reveal_current()

    def hideEvent(self, event: object) -> None:
        """Request nothing while hidden."""
        self._pictures.thumbs.want("grid", ())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the device pixel ratio of the screen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._painter.ratio = self.devicePixelRatioF()
            self._reload_thumbnails()

    # --- mouse; the window's shortcuts handle the keys

    def _number_at(self, at: QPoint) -> int | None:
        return self.grid_layout.at(at.x(), at.y() + self.verticalScrollBar().value())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to a photo; with Ctrl toggle its selection, with Shift select up to it.

        A press on Retry reads a failed photo again, one on a stack's count expands or collapses
        the stack, and one beside the tiles clears the selection.
        """
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at = event.position().toPoint()
        number = self._number_at(at)
        if number is None:
            self._session.photos.clear_selection()
            return
        photo = self.tile_photo(number)
        is_failed = self._session.tile(photo).state == "failed"
        if is_failed and self._painter.is_retry_at(photo, at - self.cell(number).topLeft()):
            self._session.sources.retry(photo)
            return
        if self._is_count_at(number, at):
            self._session.stacks.toggle(photo)
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._session.photos.toggle_selected(photo)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._session.photos.select_range(photo)
        else:
            self._session.photos.select_only(photo)

    def _is_count_at(self, number: int, at: QPoint) -> bool:
        stack = self._stack_badge(number)
        if stack is None or not stack.shows_count:
            return False
        return self._painter.count_rect(self.cell(number), stack).contains(at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Go to the photo unless it is selected; the window then opens the menu."""
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            number = self._number_at(event.pos())
            event.setAccepted(number is None)
            if number is not None and self.tile_photo(number) not in self._session.photos.selection:
                self._session.photos.select_only(self.tile_photo(number))
        else:
            event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Accept the event: the press already acted."""
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the photo in the loupe."""
        number = self._number_at(event.position().toPoint())
        if number is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if not self._is_count_at(number, event.position().toPoint()):
            self._session.photos.select_only(self.tile_photo(number))
            self._session.viewer.set_view(View.LOUPE)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl change the size of the thumbnails."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if steps := self._wheel.take(event.angleDelta().y()):
                self._on_resize_requested(steps)
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave every key to the window's shortcuts: a scroll area would consume the arrows."""
        event.ignore()

    def viewportEvent(self, event: QEvent) -> bool:
        """Show a tooltip with the photo under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self._number_at(event.pos())
            text = ""
            if number is not None:
                text = _tooltip(self._session, self._tile(number), self._stack_badge(number))
            QToolTip.showText(event.globalPos(), single_line_tooltip(text), self.viewport())
            return True
        return super().viewportEvent(event)


def _tooltip(session: Session, tile: Tile, stack: StackBadge | None) -> str:
    parts = [tile.name]
    if stack is not None and stack.closed:
        key = session.preferences.keys.get("toggle_stack")
        opens = f" ({key} expands it)" if key else ""
        parts.append(f"stack of {stack.count:,}{opens}")
    if tile.suggested:
        parts.append(f"suggested best: {session.stacks.suggestion_reason(tile.id)}")
    if tile.found:
        reasons = session.photos.membership.reasons([tile.id], in_full=True)
        parts.append(f"found: {reasons.get(tile.id, tile.found)}")
    if tile.taken is not None:
        parts.append(f"{tile.taken:%H:%M:%S}")
    if tile.marks.label:
        parts.append(f"{tile.marks.label} label")
    if tile.damaged:
        parts.append(session.detail(tile.id).damage or "damaged")
    if tile.state == "missing":
        parts.append(captions.unavailable_reason(session.detail(tile.id)))
    if tile.stale:
        key = session.preferences.keys.get("reapply")
        again = f" ({key} applies it again)" if key else ""
        parts.append(f"no longer matches the filter{again}")
    return " · ".join(parts)
