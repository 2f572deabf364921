"""The overview page: the scope in charts, updated while photos are read.

It covers the current view and changes nothing there: Esc returns to it. A click on a figure
searches for its photos, and Esc from these returns to the overview.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSlider,
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from curator.commands import COMMANDS
from curator.library.statistics import MONTHS, Figure, Overview, overview
from curator.model import Pass, View, bidi_safe
from curator.session import Session
from curator.ui.pages.charts import Chart, RowChart, StripChart, number_block
from curator.ui.pages.time_chart import TimeChart
from curator.ui.panels.background_panel import DiskSection, WorkSection
from curator.ui.widgets import theme, words
from curator.ui.widgets.text_line import TextLine

_SOON_MS = 400  # the charts are updated at most this often
_BACKGROUND_MS = 3000  # how often the state of background work is queried
_WIDEST = 1760
_SPACE, _BETWEEN = 28, 40  # between parts, between columns
_SCROLLS = {
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_Down: QAbstractSlider.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_Up: QAbstractSlider.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_Home: QAbstractSlider.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QAbstractSlider.SliderAction.SliderToMaximum,
}
_STAYS = frozenset({"back", "order", "reverse_order"})  # commands that keep the page open


@dataclass(frozen=True, slots=True)
class _Position:
    """The window's position: another one closes the page."""

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
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Overview")
        self.background = session.monitor_background()
        self.background.changed.connect(self._show_background)
        self._make(session)
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self._again = QTimer(self, interval=_BACKGROUND_MS)
        self._again.timeout.connect(self._query_background)
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
            changed.connect(self._later)
        session.taste.scores_changed.connect(self._expect_change)

    # --- parts

    def _make(self, session: Session) -> None:
        self.title = theme.plain("", role="title")
        self.when = theme.plain("", role="quiet")
        self.strip, self.time = StripChart(), TimeChart()
        self.stars = RowChart("Stars", starred=True)
        self.cameras, self.kinds = RowChart("Cameras"), RowChart("What kind of picture")
        self.undated = TextLine(theme.QUIET, Qt.AlignmentFlag.AlignLeft)
        self.undated.make_clickable(self._go_undated, "")
        self.undated.setFixedHeight(20)
        self.charts: tuple[Chart, ...] = (
            self.strip,
            self.time,
            self.stars,
            self.cameras,
            self.kinds,
        )
        for chart in self.charts:
            chart.pressed.connect(self._go)
        self.work, self.disk = WorkSection(session), DiskSection()
        self._content = _Column()
        self._lay_out()
        self._scroll = theme.scrolled(self._content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
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
        """Close the page. Returns whether it was open."""
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
        """End the page's background queries."""
        self.background.close()

    def _position(self) -> _Position:
        session = self._session
        return _Position(
            session.criteria.scope.key,
            session.criteria.mode,
            session.view_state.view,
            session.criteria.filter,
            session.view_state.finished,
        )

    def _follow(self) -> None:
        """Stay open for another scope, close for another position, return from a figure."""
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
        self._later()

    def _go(self, figure: Figure) -> None:
        """Search for the photos of a figure, within the current search."""
        found = f"{self._session.criteria.filter} {figure.query}".strip()
        self._figure_search = found
        self._session.search.set_filter(found)

    def _go_undated(self) -> None:
        if self._shown is not None:
            self._go(self._shown.undated)

    # --- content

    def _later(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def refresh(self) -> None:
        """Update the figures while the page is open."""
        if not self.is_open:
            return
        session = self._session
        mask = (
            session.table.marked(session.ids)
            if session.criteria.filter
            else session.photos.membership.in_scope()
        )
        figures = overview(session.table, mask, session.settings.taste.match_threshold)
        self.title.setText(
            words.joined(
                (bidi_safe(session.criteria.scope.title), bidi_safe(session.criteria.filter))
            )
        )
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
        none = overview.nameless.photos
        self.cameras.title = (
            f"Cameras · {words.photos(none)} without camera name" if none else "Cameras"
        )
        self.cameras.show_figures(overview.cameras)
        self.kinds.show_figures(overview.kinds)
        for chart in self.charts:
            chart.setVisible(bool(chart.figures))

    def _show_numbers(self, overview: Overview) -> None:
        judged = overview.whole.kept + overview.whole.rejected
        theme.clear_layout(self._numbers)
        by_file = overview.approved_by_file.photos
        for number, what, decided in (
            (overview.whole.photos, "photo" if overview.whole.photos == 1 else "photos", False),
            (judged, "reviewed", True),
            (overview.starred.photos, "with stars", True),
            (overview.approved.photos, "approved", True),
            *([(by_file, "more by ratings read from files", False)] if by_file else []),
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
        self._again.start()

    def hideEvent(self, event: QEvent) -> None:
        """Stop updating."""
        self._soon.stop()
        self._again.stop()

    def _expect_change(self) -> None:
        """Query background work again the next time, because vectors may have changed."""
        self._queried = None

    def _query_background(self) -> None:
        session = self._session
        state = session.criteria.scope.key, session.watcher.data_version()
        if state != self._queried:
            self._queried = state
            self.background.update(
                session.criteria.scope.key,
                session.table.ids[session.photos.membership.in_scope()].tolist(),
            )

    def _show_background(self) -> None:
        self.work.show_work(self.background.status)
        self.disk.show_disk(
            self._session.criteria.scope, self.background.status, self.background.disk_usage
        )

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with the usual keys."""
        action = _SCROLLS.get(Qt.Key(event.key()))
        if action is None:
            super().keyPressEvent(event)
        else:
            self._scroll.verticalScrollBar().triggerAction(action)

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
