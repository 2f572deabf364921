"""The sidebar's projects: a row each, and a suggestion of related photos if there is one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from curator.session import Session
from curator.ui.widgets import theme, words
from curator.ui.widgets.rows import Row, Rows, section_with_add_button

_SERIES, _REST = "series", "rest"
_MOST = 8  # projects before the rest is folded, so that the filters below stay visible


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
        self.add = section_with_add_button(
            self, "Projects", "Choose or create a project", self.rows
        )
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
        session = self._session
        self.add.setToolTip(
            theme.tip("Choose or create a project", session.preferences.keys.get("choose_project"))
        )
        counts = session.projects.counts()
        opened, current = session.criteria.scope.project, session.projects.current
        rows = []
        for row in session.projects.rows():
            photos, approved = counts[row.id]
            about = f"{row.name}\n{words.photos(photos)}, {words.count(approved)} approved"
            if current is not None and current.id == row.id:
                key = session.preferences.keys.get("toggle_project")
                about += f"\n{key} adds a photo here" if key else "\nThe current project"
            rows.append(
                Row(
                    str(row.id),
                    row.name,
                    words.count(photos),
                    "project",
                    current=row.id == opened,
                    tip=about,
                )
            )
        if len(rows) > _MOST + 1:
            rows = self._folded(rows)
        found = session.related_photos.suggestion
        if found is not None:
            title = f"{len(found.photos)} related photos?"
            rows.append(Row(_SERIES, title, "", "suggested", dim=False, tip=found.sentence))
        # A suggestion alone waits: its new row would move the others under the pointer.
        choice = (*(row.key for row in rows if row.key != _SERIES), self._unfolded)
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
        if key == _SERIES:
            self._run("find_related")
        elif key == _REST:
            self._fold()
        else:
            self._session.projects.open_scope(int(key))

    def _menu(self, key: str, where: QPoint) -> None:
        if key not in (_SERIES, _REST):
            self.project_menu(int(key)).popup(where)

    def project_menu(self, project: int) -> QMenu:
        """Build the menu of a project."""
        session = self._session
        menu = QMenu(self)
        menu.addAction("Set as current project", lambda: session.projects.choose(project))
        menu.addAction(
            "Name and notes…", lambda: session.requests.edit_project_requested.emit(project)
        )
        menu.addSeparator()
        menu.addAction("Remove…", lambda: session.requests.remove_project_requested.emit(project))
        return menu
