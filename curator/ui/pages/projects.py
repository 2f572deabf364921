"""Projects in one window: the chooser, the header of an open project, and the project dialogs.

The main window owns one `ProjectActions`. The sidebar lists the projects (`panels.project_rows`),
the top bar shows the current one (`panels.top_bar`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from curator.keyboard import Keyboard
from curator.session import Session
from curator.ui.dialogs.project_chooser import ProjectChooser
from curator.ui.dialogs.project_dialogs import (
    ProjectDialog,
    RelatedPhotosDialog,
    removal_question,
)
from curator.ui.grid.grid_view import GridView
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.pages.drag_order import DragOrder
from curator.ui.pages.project_page import HEIGHT, ProjectHeader
from curator.ui.widgets import dialogs
from curator.ui.widgets.frames import Pictures


class ProjectActions:
    """Opens the chooser and the dialogs that commands and menus request for projects.

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
        requests = session.requests
        requests.choose_project_requested.connect(self._choose)
        requests.add_to_project_requested.connect(self._add_targets)
        requests.new_project_requested.connect(self._create_with)
        requests.edit_project_requested.connect(self.edit)
        requests.remove_project_requested.connect(
            lambda project: session.messages.say_errors(lambda: self.remove(project))
        )
        requests.related_photos_requested.connect(self._find_related)

    def header_height(self, in_grid: bool) -> int:
        """Return the height of the header in px; 0 if no project is open."""
        return HEIGHT if in_grid and self._session.projects.open is not None else 0

    def _choose(self) -> None:
        self._chooser.ask(self._session.projects.choose)

    def _add_targets(self) -> None:
        """Ask for a project for the photos a mark would apply to."""
        photos = self._session.stacks.targets()
        self._chooser.ask(partial(self._choose_and_add, photos))

    def _create_with(self, name: str, photos: Sequence[int]) -> None:
        """Ask for the name of a new project for photos, or for another project."""
        free = self._session.projects.free_name(name)
        self._chooser.ask(partial(self._choose_and_add, photos), free)

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
        """Ask whether to delete a project, delete it, and offer to restore it."""
        session = self._session
        row = session.table.projects.row(project)
        if row is None:
            return
        photos, _ = session.projects.counts()[project]
        if dialogs.ask(self._window, removal_question(row.name, photos)) is None:
            return
        session.projects.remove(project)
        text = f"Deleted project {row.name}. Its photos are unchanged."
        act = partial(self._restore, project)
        self._notifications.post(Notification("project", text, "Restore", act))

    def _restore(self, project: int) -> None:
        session = self._session
        if session.messages.say_errors(lambda: session.projects.restore(project)):
            row = session.table.projects.row(project)
            session.messages.say(f"Restored project {row.name}" if row else "Restored the project")

    def _find_related(self) -> None:
        related = self._session.related_photos
        related.search()
        if related.is_searching:
            self._session.messages.say("Looking for related photos…")
            related.changed.connect(self._show_related, Qt.ConnectionType.SingleShotConnection)
        else:
            self._show_related()

    def _show_related(self) -> None:
        if self._session.related_photos.suggestion is None:
            self._session.messages.say("No 5 similar approved photos outside projects found")
            return
        dialog = RelatedPhotosDialog(self._session, self._pictures, self._window)
        dialog.exec()
        dialog.deleteLater()
