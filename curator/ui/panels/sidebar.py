"""The sidebar at the left edge: folders, projects and searches, and the filters below them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

from curator.library.facets import conditions_on
from curator.library.filters import FILTERS
from curator.library.scopes import ScopeRow
from curator.model import Pass
from curator.session import Session
from curator.ui.panels.facet_rows import FacetRows, narrow
from curator.ui.panels.project_rows import ProjectRows
from curator.ui.panels.saved_searches import SavedSearchRows
from curator.ui.panels.tag_cloud import TagCloud
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.menus import popup_menu
from curator.ui.widgets.rows import Row, Rows, section_head
from curator.ui.widgets.throttle import Throttle

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
    """A filter by stars: clicks on a star step through at least, exactly and off.

    Signals:
        chosen(str): the search term for the new filter; empty for off.
    """

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
        exactly = "" if self._exact else f"rating:{star}"
        self.chosen.emit(exactly if star == self._stars else f"rating:>={star}")

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
            limit = "only" if self._stars == 5 or self._exact else "and up"
            rest = QRect(116, 0, self.width() - 130, theme.ROW)
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter), limit)


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
        self.unfolded: set[str] = set()
        self._scopes: dict[str, ScopeRow] = {}
        theme.style_as(self, "sidebar")
        self.folders, self.filters, self.stars = Rows(), Rows(), StarFilter()
        self.facets = FacetRows(session, self.unfolded)
        self.projects = ProjectRows(session, run)
        self.saved = SavedSearchRows(session, run)
        self.cloud = TagCloud(session)
        self.add = theme.icon_button("add", "Open a folder")
        self.add.clicked.connect(lambda: run("open_folder"))
        self._lay_out()
        self.folders.pressed.connect(self._open)
        self.folders.folded.connect(self._fold)
        self.folders.menu.connect(self._menu)
        self.filters.pressed.connect(self._filter)
        self.stars.chosen.connect(lambda term: narrow(session, _RATING, term))
        counting = Throttle(self, _COUNT_MS, self.refresh)
        for changed in (
            session.photos.counts_changed,
            session.criteria.scope_changed,
            session.criteria.mode_changed,
            session.criteria.filter_changed,
            session.preferences.changed,
        ):
            changed.connect(counting.request)
        session.tags.changed.connect(self.cloud.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        content = QWidget()
        column = layouts.column(content, margins=(0, 0, 0, 12))
        column.addWidget(section_head("Photos", self.add))
        column.addWidget(self.folders)
        column.addWidget(self.projects)
        column.addWidget(self.saved)
        column.addSpacing(12)
        column.addWidget(section_head("Show"))
        column.addWidget(self.filters)
        column.addWidget(self.stars)
        column.addSpacing(12)
        column.addWidget(section_head("Filter by"))
        column.addWidget(self.facets)
        column.addSpacing(12)
        column.addWidget(section_head("Tags"))
        column.addWidget(self.cloud)
        column.addStretch(1)
        outer = layouts.column(self, margins=(0, 4, 1, 0))
        outer.addWidget(theme.scrolled(content))

    def refresh(self) -> None:
        """Show the current scopes and counts; nothing while hidden."""
        if not self.isVisible():
            return
        key = self._session.preferences.keys.get("open_folder")
        self.add.setToolTip(theme.tip("Open a folder…", key))
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
        """Return the person's choices: rows come and go only when these change.

        So subfolders found by a scan and new tags wait for the next choice, and no row moves under
        the pointer.
        """
        opened = tuple(row.scope.key for row in rows if row.depth == 0)
        criteria, view = self._session.criteria, self._session.view_state.view
        here = criteria.scope.key, criteria.mode, view, criteria.filter
        return opened, here, frozenset(self.unfolded)

    def showEvent(self, event: object) -> None:
        """Show what changed while hidden."""
        self.folders.forget_choice()
        self.refresh()

    # --- folders

    def _folder_rows(self, rows: list[ScopeRow]) -> list[Row]:
        """Return the rows of folders, without those inside folded ones."""
        current = self._session.criteria.scope.key
        shown: list[Row] = []
        folded_depth: int | None = None
        for number, row in enumerate(rows):
            if folded_depth is not None and row.depth > folded_depth:
                continue
            folded_depth = None
            key = row.scope.key
            has_children = number + 1 < len(rows) and rows[number + 1].depth > row.depth
            opens: bool | None = None
            if has_children:
                inside = current != key and current.startswith(key + _separator(key))
                opens = key in self.unfolded or inside
                folded_depth = None if opens else row.depth
            shown.append(self._folder_row(row, opens, current))
        return shown

    @staticmethod
    def _folder_row(row: ScopeRow, opens: bool | None, current: str) -> Row:
        key = row.scope.key
        icon = "stack" if row.scope.kind == "all" else "folder_away" if row.away else "folder"
        tip = key
        if row.away:
            away = row.away[:1].upper() + row.away[1:]
            tip += f"\n{away}; its photos are shown from proxies."
        if not row.enabled:
            tip += "\nSwitched off: its photos are not shown."
        return Row(
            key,
            row.scope.title,
            words.count(row.count) if row.enabled else "off",
            icon if row.depth == 0 else "",
            row.depth if row.depth == 0 else row.depth + 1,
            current=key == current,
            dim=not row.enabled,
            opens=opens,
            tip=tip,
        )

    def _fold(self, key: str) -> None:
        self.unfolded ^= {key}
        self.refresh()

    def _open(self, key: str) -> None:
        row = self._scopes.get(key)
        if row is not None and row.enabled:
            self._session.messages.say_errors(lambda: self._session.sources.open_scope(row.scope))

    def _menu(self, key: str, where: QPoint) -> None:
        row = self._scopes.get(key)
        if row is not None and row.folder_id is not None:
            self.folder_menu(row).popup(where)

    def folder_menu(self, row: ScopeRow) -> QMenu:
        """Build the menu of a folder: rescan, switch on or off, show, remove."""
        menu, requests, folder = popup_menu(self), self._session.requests, row.folder_id
        assert folder is not None
        switch = "Switch off" if row.enabled else "Switch on"
        path = row.scope.key
        menu.addAction("Rescan", lambda: requests.rescan_folder_requested.emit(folder))
        menu.addAction(switch, lambda: self.folder_switched.emit(folder, not row.enabled))
        menu.addAction("Show in the file manager", lambda: requests.show_path_requested.emit(path))
        menu.addSeparator()
        menu.addAction("Remove…", lambda: requests.remove_folder_requested.emit(folder))
        return menu

    # --- filters

    def _filter_rows(self) -> list[Row]:
        session = self._session
        counts = session.statistics.counts()
        browsing, search = session.criteria.mode is Pass.BROWSE, session.criteria.filter
        everything = browsing and not search
        rows = [Row("", "All", words.count(counts["all"]), "photos", current=everything)]
        for name, (title, _) in FILTERS.items():
            # Current if the search contains this filter and no other `is:` term.
            current = browsing and conditions_on(search, _IS) == conditions_on(f"is:{name}", _IS)
            count, dim = counts.get(name, 0), not counts.get(name) and not current
            icon = _ICONS.get(name, "")
            shown = words.count(count) if name in counts else ""  # suggestions are not known yet
            rows.append(Row(name, title, shown, icon, current=current, dim=dim))
        return rows

    def _filter(self, name: str) -> None:
        if not name:
            self._session.search.set_filter("")
        else:
            narrow(self._session, _IS, f"is:{name}")


def _separator(path: str) -> str:
    return "\\" if "\\" in path and "/" not in path else "/"
