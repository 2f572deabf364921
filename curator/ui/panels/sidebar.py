"""The sidebar at the left edge: folders, projects and searches, and the filters below them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from curator.library.facets import says
from curator.library.filters import FILTERS
from curator.library.scopes import ScopeRow
from curator.model import KnownError, Pass
from curator.session import Session
from curator.ui.panels.facet_rows import FacetRows, narrow
from curator.ui.panels.project_rows import ProjectRows
from curator.ui.panels.saved_searches import SavedSearchRows
from curator.ui.panels.tag_cloud import TagCloud
from curator.ui.widgets import theme, words
from curator.ui.widgets.rows import Row, Rows

_ICONS = {
    "unreviewed": "unreviewed",
    "skipped": "skipped",
    "kept": "kept",
    "picked": "flag",
    "rejected": "reject",
    "rated": "star",
    "match": "match",
    "approved": "approved",
    "approved-by-file": "approved",
    "failed": "failed",
    "damaged": "damaged",
    "missing": "folder_away",
    "stack": "pile",
    "suggested": "suggested",
    "pair": "photos",
}
_IS, _RATING = frozenset({"is"}), frozenset({"rating"})
_COUNT_MS = 250  # counts are refreshed at most this often


class StarFilter(QWidget):
    """A filter by stars: a click asks for at least that many, then exactly that many, then off."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._stars, self._exact, self._hover = 0, False, 0
        self.setFixedHeight(theme.ROW)
        self.setMouseTracking(True)
        self.setAccessibleName("Show by stars")
        self.setToolTip("Click once for that many stars or more, twice for exactly that many")

    def show_filter(self, filter_: str) -> None:
        """Show the rating that a search filters by."""
        self._stars, self._exact = 0, False
        for term in filter_.split():
            field, _, value = term.partition(":")
            number = value.lstrip("><=")
            if field == "rating" and number in {"1", "2", "3", "4", "5"}:
                self._stars, self._exact = int(number), not value.startswith(">")
        self.update()

    def _star_at(self, x: float) -> int:
        number = int((x - 12) // 20) + 1
        return number if 1 <= number <= 5 else 0

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the stars up to the pointer."""
        self._hover = self._star_at(event.position().x())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        self._hover = 0
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Step through at least, exactly and off."""
        star = self._star_at(event.position().x())
        if not star:
            return
        if star != self._stars:
            self.chosen.emit(f"rating:>={star}")
        elif not self._exact:
            self.chosen.emit(f"rating:{star}")
        else:
            self.chosen.emit("")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the stars, and "and up" or "only"."""
        painter = QPainter(self)
        lit = self._hover or self._stars
        ratio = self.devicePixelRatioF()
        top = (theme.ROW - theme.ICON) // 2
        for number in range(1, 6):
            # White, not pencil color: a filter is not a mark.
            color = theme.WHITE if number <= lit else theme.DISABLED
            icon = theme.pixmap("star", color, theme.ICON, ratio)
            painter.drawPixmap(12 + (number - 1) * 20, top, icon)
        if self._stars and not self._hover:
            painter.setFont(theme.caption_font())
            painter.setPen(theme.TEXT)
            exactly = "only" if self._stars == 5 or self._exact else "and up"
            rest = QRect(116, 0, self.width() - 130, theme.ROW)
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter), exactly)


class Sidebar(QWidget):
    """Folders, projects, saved searches, filters and tags, each with its number of photos.

    Args:
        session: the window's session.
        run: runs a command by name.

    Signals:
        folder_switched(int, bool): the person switched a folder on or off.

    Attributes:
        unfolded: keys of the unfolded rows, which the window remembers.
    """

    folder_switched = Signal(int, bool)

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._run = run
        self.unfolded: set[str] = set()
        self._scopes: dict[str, ScopeRow] = {}
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.folders, self.filters, self.stars = Rows(), Rows(), StarFilter()
        self.facets = FacetRows(session, self.unfolded)
        self.projects = ProjectRows(session, run)
        self.saved = SavedSearchRows(session, run)
        self._lay_out()
        self.folders.pressed.connect(self._open)
        self.folders.folded.connect(self._fold)
        self.folders.menu.connect(self._menu)
        self.filters.pressed.connect(self._filter)
        self.stars.chosen.connect(self._filter_by_stars)
        self._later = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._later.timeout.connect(self.refresh)
        session.photos.counts_changed.connect(self._soon)
        for changed in (
            session.criteria.scope_changed,
            session.criteria.mode_changed,
            session.criteria.filter_changed,
            session.preferences.changed,
        ):
            changed.connect(self._soon)
        session.tags.changed.connect(self.cloud.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(0)
        self.add = self._add_button()
        column.addWidget(self._head("Photos", self.add))
        column.addWidget(self.folders)
        column.addWidget(self.projects)
        column.addWidget(self.saved)
        column.addSpacing(12)
        column.addWidget(self._head("Show"))
        column.addWidget(self.filters)
        column.addWidget(self.stars)
        column.addSpacing(12)
        column.addWidget(self._head("Filter by"))
        column.addWidget(self.facets)
        self.cloud = TagCloud(self._session)
        column.addSpacing(12)
        column.addWidget(self._head("Tags"))
        column.addWidget(self.cloud)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 4, 1, 0)
        outer.addWidget(theme.scrolled(content))

    @staticmethod
    def _head(title: str, button: QWidget | None = None) -> QWidget:
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(12, 0, 6, 0)
        row.addWidget(theme.plain(title, role="caption"))
        row.addStretch(1)
        if button is not None:
            row.addWidget(button)
        head.setFixedHeight(theme.ROW)
        return head

    def _add_button(self) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon("add"))
        button.setProperty("flat", True)
        button.setAccessibleName("Open a folder")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._run("open_folder"))
        return button

    def _soon(self) -> None:
        if not self._later.isActive():
            self._later.start()

    def refresh(self) -> None:
        """Show the current scopes and counts; nothing while hidden."""
        if not self.isVisible():
            return
        self.add.setToolTip(
            theme.tip("Open a folder…", self._session.preferences.keys.get("open_folder"))
        )
        listed = self._session.sources.scopes()
        rows = [row for row in listed if row.scope.kind in ("all", "folder")]
        self._scopes = {row.scope.key: row for row in rows}
        replaced = self.folders.show_stable(self._folder_rows(rows), self._choice(rows))
        self.projects.refresh()
        self.saved.show_scopes(listed)
        self.filters.show_rows(self._filter_rows())
        self.stars.show_filter(self._session.criteria.filter)
        self.facets.refresh()
        self.cloud.refresh(reorder=replaced)

    def _choice(self, rows: list[ScopeRow]) -> tuple[object, ...]:
        """Return the person's choices. Rows only come and go with them, never under the pointer.

        Subfolders found by a scan and new tags are inserted with the next choice.
        """
        session = self._session
        opened = tuple(row.scope.key for row in rows if row.depth == 0)
        here = (
            session.criteria.scope.key,
            session.criteria.mode,
            session.view_state.view,
            session.criteria.filter,
        )
        return opened, here, frozenset(self.unfolded)

    def showEvent(self, event: object) -> None:
        """Show what changed while hidden."""
        self.folders.forget_choice()
        self.refresh()

    # --- folders

    def _folder_rows(self, rows: list[ScopeRow]) -> list[Row]:
        current = self._session.criteria.scope.key
        shown: list[Row] = []
        closed_at: int | None = None
        for number, row in enumerate(rows):
            if closed_at is not None and row.depth > closed_at:
                continue
            closed_at = None
            key = row.scope.key
            has_children = number + 1 < len(rows) and rows[number + 1].depth > row.depth
            # Only folders the person opened have a row of depth 0 below "All photos".
            opens: bool | None = None
            if has_children:
                inside = current != key and current.startswith(key + _separator(key))
                opens = key in self.unfolded or inside
                closed_at = None if opens else row.depth
            shown.append(self._folder_row(row, opens, current))
        return shown

    @staticmethod
    def _folder_row(row: ScopeRow, opens: bool | None, current: str) -> Row:
        key = row.scope.key
        icon = "stack" if row.scope.kind == "all" else "folder_away" if row.away else "folder"
        tip = key
        if row.away:
            tip += f"\n{row.away[:1].upper()}{row.away[1:]}; photos show from their proxies."
        if not row.enabled:
            tip += "\nSwitched off: its photos are not shown."
        return Row(
            key,
            row.scope.title,
            words.count(row.count) if row.enabled else "off",
            icon if row.depth == 0 else "",
            row.depth if row.depth == 0 else row.depth + 1,
            key == current,
            not row.enabled,
            opens,
            tip,
        )

    def _fold(self, key: str) -> None:
        self.unfolded ^= {key}
        self.refresh()

    def _open(self, key: str) -> None:
        row = self._scopes.get(key)
        if row is None or not row.enabled:
            return
        try:
            self._session.sources.open_scope(row.scope)
        except KnownError as error:
            self._session.messages.say(str(error))

    def _menu(self, key: str, where: QPoint) -> None:
        row = self._scopes.get(key)
        if row is None or row.folder_id is None:
            return
        menu = self.folder_menu(row)
        menu.popup(where)

    def folder_menu(self, row: ScopeRow) -> QMenu:
        """Build the menu of a folder: rescan, switch on or off, show, remove."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folder = row.folder_id
        assert folder is not None
        session = self._session
        menu.addAction("Rescan", lambda: session.requests.rescan_folder_requested.emit(folder))
        menu.addAction(
            "Switch off" if row.enabled else "Switch on",
            lambda: self.folder_switched.emit(folder, not row.enabled),
        )
        menu.addAction(
            "Show in the file manager",
            lambda: session.requests.show_path_requested.emit(row.scope.key),
        )
        menu.addSeparator()
        menu.addAction("Remove…", lambda: session.requests.remove_folder_requested.emit(folder))
        return menu

    # --- filters

    def _filter_rows(self) -> list[Row]:
        session = self._session
        counts = session.statistics.counts()
        browsing = session.criteria.mode is Pass.BROWSE
        rows = [
            Row(
                "",
                "All",
                words.count(counts["all"]),
                "photos",
                current=browsing and not session.criteria.filter,
            )
        ]
        for name, (title, _) in FILTERS.items():
            current = browsing and self._shows(name)
            count = counts.get(name, 0)
            rows.append(
                Row(
                    name,
                    title,
                    words.count(count),
                    _ICONS.get(name, ""),
                    current=current,
                    dim=not count and not current,
                )
            )
        return rows

    def _filter(self, name: str) -> None:
        if not name:
            self._session.search.set_filter("")
        else:
            narrow(self._session, _IS, f"is:{name}")

    def _shows(self, name: str) -> bool:
        """Whether the search contains this filter and no other ``is:`` term."""
        return says(self._session.criteria.filter, _IS) == says(f"is:{name}", _IS)

    def _filter_by_stars(self, text: str) -> None:
        narrow(self._session, _RATING, text)


def _separator(path: str) -> str:
    return "\\" if "\\" in path and "/" not in path else "/"
