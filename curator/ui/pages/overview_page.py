"""The overview page: the scope in charts, updated while photos are read.

It covers the current view and changes nothing there: Esc returns to it. A click on a figure
searches for its photos, and Esc from these returns to the overview.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from curator.commands import COMMANDS
from curator.library.statistics import MONTHS, Figure, Overview, overview
from curator.model import Pass, View, bidi_safe
from curator.session import Session
from curator.ui.pages.charts import RowChart, StripChart, number_block
from curator.ui.pages.time_chart import TimeChart
from curator.ui.panels.background_panel import DiskSection, WorkSection
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.text_line import TextLine
from curator.ui.widgets.throttle import Throttle

_UPDATE_MS = 400  # the charts are updated at most this often
_BACKGROUND_MS = 3000  # how often the state of background work is queried
_WIDEST = 1760
_SPACE, _BETWEEN = 28, 40  # between parts, between columns
_STAYS = frozenset({"back", "order", "reverse_order"})  # commands that keep the page open


class _Position(NamedTuple):
    """What the window shows; the page closes when it changes."""

    scope: str
    pass_: Pass
    view: View
    filter: str
    finished: bool


class OverviewPage(QWidget):
    """The page, and whether it is open.

    Args:
        session: the window's session.
        refresh: updates which page the window shows.

    Thread: GUI.
    """

    def __init__(self, session: Session, refresh: Callable[[], None]) -> None:
        super().__init__()
        self._session, self._refresh_window = session, refresh
        self._origin: _Position | None = None  # the position when it was opened
        self._figure_search: str | None = None  # the search of the figure that was clicked
        self._shown: Overview | None = None
        self._queried: tuple[str, int] | None = None  # scope and version queried last
        theme.style_as(self, "canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Overview")
        self.background = session.monitor_background()
        self.background.changed.connect(self._show_background)
        self._make_parts(session)
        self._updating = Throttle(self, _UPDATE_MS, self.refresh)
        self._polling = QTimer(self, interval=_BACKGROUND_MS)
        self._polling.timeout.connect(self._query_background)
        for changed in (
            session.criteria.scope_changed,
            session.criteria.mode_changed,
            session.criteria.order_changed,
            session.criteria.filter_changed,
            session.view_state.view_changed,
            session.photos.list_changed,
        ):
            changed.connect(self._follow)
        for changed in (session.photos.counts_changed, session.taste.scores_changed):
            changed.connect(self._refresh_soon)
        session.taste.scores_changed.connect(self._expect_change)

    # --- parts

    def _make_parts(self, session: Session) -> None:
        self.title = theme.plain("", role="title")
        self.when = theme.plain("", role="quiet")
        self.strip, self.time = StripChart(), TimeChart()
        self.stars = RowChart("Stars", starred=True)
        self.cameras, self.kinds = RowChart("Cameras"), RowChart("Kinds of picture")
        self.undated = TextLine(theme.QUIET, Qt.AlignmentFlag.AlignLeft)
        self.undated.make_clickable(self._go_undated, "")
        self.undated.setFixedHeight(20)
        self.charts = (self.strip, self.time, self.stars, self.cameras, self.kinds)
        for chart in self.charts:
            chart.pressed.connect(self._go)
        self.work, self.disk = WorkSection(session), DiskSection()
        self._content = _Column()
        self._lay_out()
        self._scroll = theme.scrolled(self._content)
        outer = layouts.column(self)
        outer.addWidget(self._scroll)

    def _lay_out(self) -> None:
        column = self._content.column
        head, numbers = _Flat(), _Flat()
        head.row.setSpacing(16)
        head.row.addWidget(self.title)
        head.row.addWidget(self.when, 1, Qt.AlignmentFlag.AlignBottom)
        column.addWidget(head)
        column.addSpacing(16)
        self._numbers = numbers.row
        self._numbers.setSpacing(44)
        column.addWidget(numbers)
        column.addSpacing(20)
        column.addWidget(self.strip)
        column.addSpacing(_SPACE)
        column.addWidget(self.time, 100)
        column.addWidget(self.undated)
        column.addSpacing(_SPACE - 4)
        column.addLayout(self._make_columns())
        column.addStretch(1)

    def _make_columns(self) -> QGridLayout:
        """Lay out three charts side by side, and background work and disk usage below them."""
        columns = QGridLayout()
        columns.setHorizontalSpacing(_BETWEEN)
        columns.setVerticalSpacing(_SPACE - 4)
        top = Qt.AlignmentFlag.AlignTop
        for at, chart in enumerate((self.stars, self.cameras, self.kinds)):
            columns.addWidget(chart, 0, at, top)
            columns.setColumnStretch(at, 1)
        columns.addWidget(self.work, 1, 0, 1, 2, top)
        columns.addWidget(self.disk, 1, 2, top)
        return columns

    # --- coming and going

    @property
    def is_open(self) -> bool:
        """Whether the page should be visible."""
        return self._origin is not None and self._figure_search is None

    def toggle(self) -> None:
        """Open the page, or close it."""
        if self.is_open:
            self.leave()
            return
        self._origin, self._figure_search = self._position(), None
        self.refresh()
        self._refresh_window()

    def leave(self) -> bool:
        """Close the page. Return whether it was open."""
        if not self.is_open:
            return False
        self._origin = None
        self._refresh_window()
        return True

    def leave_for(self, command: str) -> None:
        """Close the page before a command that changes the pass or the view."""
        if self.is_open and COMMANDS[command].group == "Modes" and command not in _STAYS:
            self.leave()

    def close_panel(self) -> None:
        """End the page's background queries, because the window closes."""
        self.background.close()

    def _position(self) -> _Position:
        criteria, state = self._session.criteria, self._session.view_state
        key = criteria.scope.key
        return _Position(key, criteria.mode, state.view, criteria.filter, state.finished)

    def _follow(self) -> None:
        """React to a change of what the window shows.

        The page stays open for another scope and closes for any other change. While the photos of
        a figure show, it opens again once their search is undone, and is given up for another one.
        """
        here = self._position()
        if self._origin is None or (here == self._origin and self._figure_search is None):
            return
        if self._figure_search is None:
            self._origin = here if here.scope != self._origin.scope else None
            self._query_background()
        elif here == self._origin:
            self._figure_search = None
        elif here.filter != self._figure_search or here.scope != self._origin.scope:
            self._origin = self._figure_search = None
        self._refresh_soon()

    def _go(self, figure: Figure) -> None:
        """Search for the photos of a figure, within the current search."""
        found = f"{self._session.criteria.filter} {figure.query}".strip()
        self._figure_search = found
        self._session.search.set_filter(found)

    def _go_undated(self) -> None:
        if self._shown is not None:
            self._go(self._shown.undated)

    # --- content

    def _refresh_soon(self) -> None:
        if self.isVisible():
            self._updating.request()

    def refresh(self) -> None:
        """Update the figures while the page is open."""
        if not self.is_open:
            return
        session, search = self._session, self._session.criteria.filter
        mask = session.table.marked(session.ids) if search else session.photos.membership.in_scope()
        figures = overview(session.table, mask, session.settings.taste.match_threshold)
        parts = session.criteria.scope.title, search
        self.title.setText(words.joined(map(bidi_safe, parts)))
        if figures != self._shown:
            self._show(figures)
        self._show_background()

    def _show(self, overview: Overview) -> None:
        self._shown = overview
        self.when.setText(span(overview))
        self.when.setVisible(bool(self.when.text()))
        self._show_numbers(overview)
        self.strip.show_figures(overview.verdicts)
        self.time.show_periods(overview.periods, overview.grain)
        self.undated.set_text(f"{words.photos(overview.undated.photos)} without a date")
        self.undated.setVisible(bool(overview.undated.photos) and bool(overview.periods))
        self.stars.show_figures(overview.stars if overview.starred.photos else ())
        nameless = overview.nameless.photos
        without = f"{words.photos(nameless)} without camera name" if nameless else ""
        self.cameras.title = words.joined(("Cameras", without))
        self.cameras.show_figures(overview.cameras)
        self.kinds.show_figures(overview.kinds)
        for chart in self.charts:
            chart.setVisible(bool(chart.figures))

    def _show_numbers(self, overview: Overview) -> None:
        theme.clear_layout(self._numbers)
        whole, by_file = overview.whole, overview.approved_by_file.photos
        for number, what, decided in (
            (whole.photos, "photo" if whole.photos == 1 else "photos", False),
            (whole.kept + whole.rejected, "reviewed", True),
            (overview.starred.photos, "with stars", True),
            (overview.approved.photos, "approved", True),
            *([(by_file, "more approved elsewhere", False)] if by_file else []),
        ):
            block = number_block(words.count(number), what, decided and number > 0)
            self._numbers.addWidget(block)
            block.show()
        self._numbers.addStretch(1)

    # --- background work

    def showEvent(self, event: QEvent) -> None:
        """Start updating."""
        self.refresh()
        self._query_background()
        self._polling.start()

    def hideEvent(self, event: QEvent) -> None:
        """Stop updating."""
        self._updating.stop()
        self._polling.stop()

    def _expect_change(self) -> None:
        """Make the next poll query background work, because vectors may have changed."""
        self._queried = None

    def _query_background(self) -> None:
        """Query background work if the scope or the catalog changed since the last query."""
        session, scope = self._session, self._session.criteria.scope.key
        state = scope, session.watcher.data_version()
        if state != self._queried:
            self._queried = state
            photos = session.table.ids[session.photos.membership.in_scope()].tolist()
            self.background.update(scope, photos)

    def _show_background(self) -> None:
        self.work.show_work(self.background.status)
        self.disk.show_disk(
            self._session.criteria.scope, self.background.status, self.background.disk_usage
        )

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with the usual keys."""
        if not theme.scroll_by_key(self._scroll, event.key()):
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the keyboard focus."""
        self.setFocus()


class _Flat(QWidget):
    """A row no higher than its content."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)


class _Column(QWidget):
    """A centered column of limited width."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setSpacing(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Center the column."""
        side = max(32, (self.width() - _WIDEST) // 2)
        self.column.setContentsMargins(side, 24, side, 24)


def span(overview: Overview) -> str:
    """Return the range of dates: ``4 May 2024 – 12 June 2024``."""
    if overview.first is None or overview.last is None:
        return ""
    days = [
        f"{day.day} {MONTHS[day.month - 1]} {day.year}" for day in (overview.first, overview.last)
    ]
    return " – ".join(dict.fromkeys(days))
