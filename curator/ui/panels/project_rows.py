"""Projects in the sidebar: a row each, and a series if one was found."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from curator.session import Session
from curator.ui.widgets import theme, words
from curator.ui.widgets.rows import Row, Rows, section_with_add_button

_SERIES, _REST = "series", "rest"
_MOST = 8  # projects before the rest is folded: the filters below are to stay in sight


class ProjectRows(QWidget):
    """The projects by name with their counts; a press opens one.

    Args:
        session: what is on the table.
        run: runs a command by name.
    """

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session, self._run = session, run
        self._unfolded = False
        self._chosen: tuple[object, ...] = ()  # what a person chose when rows last came or went
        self.rows = Rows()
        self.add = section_with_add_button(self, "Projects", "Choose or make a project", self.rows)
        self.add.clicked.connect(lambda: run("choose_project"))
        self.rows.pressed.connect(self._press)
        self.rows.menu.connect(self._menu)
        self.rows.folded.connect(lambda _: self._fold())
        session.projects.changed.connect(self.refresh)
        session.series.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Take over projects and counts; nothing while this does not show."""
        if not self.isVisible():
            return
        session = self._session
        self.add.setToolTip(
            theme.tip("Choose or make a project", session.keys.get("choose_project"))
        )
        counts = session.projects.counts()
        opened, current = session.scope.project, session.projects.current
        rows = []
        for row in session.projects.rows():
            photos, approved = counts[row.id]
            about = f"{row.name}\n{words.photos(photos)}, {words.count(approved)} approved"
            if current is not None and current.id == row.id:
                key = session.keys.get("toggle_project")
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
        found = session.series.found
        if found is not None:
            title = f"{len(found.photos)} related photos?"
            rows.append(Row(_SERIES, title, "", "suggested", dim=False, tip=found.sentence))
        before = self._chosen
        self._chosen = (*(row.key for row in rows if row.key != _SERIES), self._unfolded)
        if self._chosen != before:
            self.rows.show_rows(rows)
        else:  # a series is suggested the next time: it would push what one aims at
            self.rows.update_rows(rows)

    def _folded(self, rows: list[Row]) -> list[Row]:
        """Leave the rest out, but never the one on the table; a row brings it back."""
        if self._unfolded:
            return [*rows, Row(_REST, "Fewer", opens=True)]
        shown = [row for place, row in enumerate(rows) if place < _MOST or row.current]
        more = f"{len(rows) - len(shown):,} more"
        return [*shown, Row(_REST, more, opens=False, tip="All projects, by name")]

    def _fold(self) -> None:
        self._unfolded = not self._unfolded
        self.refresh()

    def showEvent(self, event: object) -> None:
        """Catch up on what changed while hidden."""
        self._chosen = ()
        self.refresh()

    def _press(self, key: str) -> None:
        if key == _SERIES:
            self._run("find_series")
        elif key == _REST:
            self._fold()
        else:
            self._session.projects.open_scope(int(key))

    def _menu(self, key: str, where: QPoint) -> None:
        if key not in (_SERIES, _REST):
            self.project_menu(int(key)).popup(where)

    def project_menu(self, project: int) -> QMenu:
        """Make the menu of a project: choose it, its page, remove."""
        session = self._session
        menu = QMenu(self)
        menu.addAction("Add photos to this one", lambda: session.projects.choose(project))
        menu.addAction("Name and notes…", lambda: session.ask("project", ("edit", project)))
        menu.addSeparator()
        menu.addAction("Remove…", lambda: session.ask("project", ("remove", project)))
        return menu
