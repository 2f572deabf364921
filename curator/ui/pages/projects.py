"""Projects in one window: the chooser, the header of an open project, and the project dialogs.

The main window owns one `ProjectActions`. The sidebar lists the projects (`panels.project_rows`),
the top bar shows the current one (`panels.project_button`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from curator.keyboard import Keyboard
from curator.model import KnownError
from curator.session import Session
from curator.ui.dialogs.project_chooser import ProjectChooser
from curator.ui.dialogs.project_dialog import ProjectDialog, removal_question
from curator.ui.dialogs.related_photos import RelatedPhotosDialog
from curator.ui.grid.grid_view import GridView
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.pages.drag_order import DragOrder
from curator.ui.pages.project_page import ProjectHeader
from curator.ui.widgets import dialogs
from curator.ui.widgets.frames import Pictures


class ProjectActions:
    """Carries out what commands and menus ask for about projects.

    Attributes:
        chooser: the chooser's palette, over the window.
        header: shown above the grid of an open project.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        pictures: Pictures,
        grid: GridView,
        notifications: NotificationBar,
        keyboard: Callable[[], Keyboard],
    ) -> None:
        self._window, self._session, self._pictures = window, session, pictures
        self._notifications = notifications
        self._chooser = ProjectChooser(window, keyboard, session)
        self.chooser = self._chooser.panel
        self.header = ProjectHeader(session, pictures)
        self.header.setParent(window)
        self.drag_order = DragOrder(grid, session)

    def header_height(self, in_grid: bool) -> int:
        """Return the height of the header in px; 0 where no project is open."""
        shown = in_grid and self._session.projects.open is not None
        return self.header.wanted_height() if shown else 0

    def asked(self, about: object) -> None:
        """Do what a command asks for; errors go to the status line."""
        try:
            self._do(about)
        except KnownError as error:
            self._session.say(str(error))

    def _do(self, about: object) -> None:
        projects = self._session.projects
        if about == "choose":
            self._chooser.ask(projects.choose)
        elif about == "add":
            photos = self._session.targets()
            self._chooser.ask(partial(self._choose_and_add, photos))
        elif about == "series":
            self._find_related()
        elif isinstance(about, tuple) and about[0] == "new":
            _, name, photos = about
            self._chooser.ask(partial(self._choose_and_add, photos), projects.free_name(name))
        elif isinstance(about, tuple) and about[0] == "edit":
            self.edit(about[1])
        elif isinstance(about, tuple) and about[0] == "remove":
            self.remove(about[1])

    def _choose_and_add(self, photos: Sequence[int], project: int) -> None:
        self._session.projects.choose(project)
        self._session.projects.add(project, photos, on_screen=False)

    def edit(self, project: int) -> None:
        """Open the dialog for a project's name and notes; it can remove the project, too."""
        row = self._session.table.projects.row(project)
        if row is None:
            return
        dialog = ProjectDialog(row, self._session.projects, self._window)
        dialog.exec()
        if dialog.wants_removal:
            self.remove(project)
        dialog.deleteLater()

    def remove(self, project: int) -> None:
        """Ask whether to remove a project, remove it, and offer to restore it."""
        session = self._session
        row = session.table.projects.row(project)
        if row is None:
            return
        photos, _ = session.projects.counts()[project]
        if dialogs.ask(self._window, removal_question(row.name, photos)) is None:
            return
        session.projects.remove(project)
        text = f"Removed project {row.name}. Its photos are unchanged."
        act = partial(self._restore, project)
        self._notifications.post(Notification("project", text, "Restore", act, once=False))

    def _restore(self, project: int) -> None:
        try:
            self._session.projects.restore(project)
        except KnownError as error:
            self._session.say(str(error))
            return
        row = self._session.table.projects.row(project)
        self._session.say(f"Restored project {row.name}" if row else "Restored the project")

    def _find_related(self) -> None:
        series = self._session.series
        series.look()
        if series.looking:
            self._session.say("Looking for related photos…")
            series.changed.connect(self._show_related, Qt.ConnectionType.SingleShotConnection)
        else:
            self._show_related()

    def _show_related(self) -> None:
        if self._session.series.found is None:
            self._session.say("No five approved photos outside projects look alike.")
            return
        dialog = RelatedPhotosDialog(self._session, self._pictures, self._window)
        dialog.exec()
        dialog.deleteLater()
