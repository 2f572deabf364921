"""The sidebar's projects: a row each, and a suggestion of related photos if there is one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from curator.session import Session
from curator.ui.widgets import theme, words
from curator.ui.widgets.menus import popup_menu
from curator.ui.widgets.rows import Row, Rows, section_with_add_button

_RELATED, _REST = "related", "rest"  # keys of the rows that are no project
_MOST = 8  # projects shown; the rest is folded, so that the filters below stay visible
_ADDS = "Choose or create a project"


class ProjectRows(QWidget):
    """The projects by name with their counts; a click opens one.

    Args:
        session: the window's session.
        run: runs a command by name.
    """

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session, self._run = session, run
        self._unfolded = False
        self.rows = Rows()
        self.add = section_with_add_button(self, "Projects", _ADDS, self.rows)
        self.add.clicked.connect(lambda: run("choose_project"))
        self.rows.pressed.connect(self._press)
        self.rows.menu.connect(self._menu)
        self.rows.folded.connect(lambda _: self._fold())
        session.projects.changed.connect(self.refresh)
        session.related_photos.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the projects and their counts; nothing while hidden."""
        if not self.isVisible():
            return
        session, keys = self._session, self._session.preferences.keys
        self.add.setToolTip(theme.tip(_ADDS, keys.get("choose_project")))
        counts = session.projects.counts()
        opened, current = session.criteria.scope.project, session.projects.current
        rows = []
        for project in session.projects.rows():
            photos, approved = counts[project.id]
            tip = f"{project.name}\n{words.photos(photos)}, {words.count(approved)} approved"
            if current is not None and current.id == project.id:
                key = keys.get("toggle_project")
                tip += f"\n{key} adds a photo here" if key else "\nThe current project"
            key, number = str(project.id), words.count(photos)
            here = project.id == opened
            rows.append(Row(key, project.name, number, "project", current=here, tip=tip))
        if len(rows) > _MOST + 1:
            rows = self._folded(rows)
        found = session.related_photos.suggestion
        if found is not None:
            title = f"{len(found.photos)} related photos?"
            rows.append(Row(_RELATED, title, "", "suggested", tip=found.sentence))
        # A new suggestion waits for another change: its row would move others under the pointer.
        choice = (*(row.key for row in rows if row.key != _RELATED), self._unfolded)
        self.rows.show_stable(rows, choice)

    def _folded(self, rows: list[Row]) -> list[Row]:
        """Fold the projects beyond the first ones, but never the open one."""
        if self._unfolded:
            return [*rows, Row(_REST, "Fewer", opens=True)]
        shown = [row for place, row in enumerate(rows) if place < _MOST or row.current]
        more = f"{len(rows) - len(shown):,} more"
        return [*shown, Row(_REST, more, opens=False, tip="All projects, by name")]

    def _fold(self) -> None:
        self._unfolded = not self._unfolded
        self.refresh()

    def showEvent(self, event: object) -> None:
        """Show what changed while hidden."""
        self.rows.forget_choice()
        self.refresh()

    def _press(self, key: str) -> None:
        if key == _RELATED:
            self._run("find_related")
        elif key == _REST:
            self._fold()
        else:
            self._session.projects.open_scope(int(key))

    def _menu(self, key: str, where: QPoint) -> None:
        if key not in (_RELATED, _REST):
            self.project_menu(int(key)).popup(where)

    def project_menu(self, project: int) -> QMenu:
        """Build the menu of a project."""
        menu, requests = popup_menu(self), self._session.requests
        choose = self._session.projects.choose
        menu.addAction("Set as current project", lambda: choose(project))
        menu.addAction("Name and notes…", lambda: requests.edit_project_requested.emit(project))
        menu.addSeparator()
        menu.addAction("Delete project…", lambda: requests.remove_project_requested.emit(project))
        return menu
