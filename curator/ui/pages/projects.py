"""Projects in the window: choosing and making one by typing, and what the commands ask for.

The word at the right of the top bar, the chooser (Shift+B), and the questions about a project. Its
page lies over the grid (`project_page`), its rows stand in the sidebar (`project_rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from curator.catalog import project_name
from curator.keyboard import Keyboard
from curator.model import KnownError
from curator.session import Session
from curator.ui.dialogs.palette import Entry, Palette
from curator.ui.dialogs.related_photos import SeriesDialog
from curator.ui.pages.project_page import HandOrder, ProjectDialog, ProjectHead
from curator.ui.panels.notification_bar import Offer, OfferLine
from curator.ui.widgets import dialogs, words
from curator.ui.widgets.dialogs import Choice, Question

if TYPE_CHECKING:
    from curator.ui.grid.grid_view import GridView
    from curator.ui.widgets.frames import Pictures

_TYPED = 400  # characters the field takes; a name is cut to fewer


class Chooser(Palette):
    """Type a few letters of a project, or the name of a new one; Enter takes it.

    Args:
        parent: what it covers.
        keyboard: gives the keys in force.
        session: what is on the table.
    """

    def __init__(self, parent: QWidget, keyboard: Callable[[], Keyboard], session: Session) -> None:
        self._session = session
        self._then: Callable[[int], None] = session.projects.choose
        self._new_first = False
        super().__init__(parent, keyboard)
        self.field.setPlaceholderText("Choose a project, or type the name of a new one")
        self.field.setAccessibleName("Choose a project")
        self.field.setMaxLength(_TYPED)

    def ask(self, then: Callable[[int], None], name: str = "") -> None:
        """Open it.

        Args:
            then: what is done with the project chosen or made.
            name: of a new one, proposed.
        """
        self._then, self._new_first = then, bool(name)
        self.open((), [])
        self.field.setText(name)
        self.field.selectAll()

    def _find(self, text: str) -> None:
        projects = self._session.projects
        found, counts = projects.named(text), projects.counts()
        if not text.strip():  # Enter at once changes nothing
            found.sort(key=lambda row: row != projects.current)
        entries = [self._entry(row.id, row.name, *counts[row.id]) for row in found]
        new = self._new(text)
        if new is not None:
            entries = [new, *entries] if self._new_first else [*entries, new]
        if not entries:
            off = "Enter makes it"
            entries = [Entry("", "Type a name for your first project", "", _nothing, off=off)]
        self.rows.show_entries(entries)
        self.place()

    def _entry(self, project: int, name: str, photos: int, approved: int) -> Entry:
        session = self._session
        current = session.projects.current
        photo = session.current
        inside = photo is not None and session.table.projects.has(project, [photo])[0]
        said = words.joined(
            (
                "has this photo" if inside else None,
                "current" if current is not None and current.id == project else None,
            )
        )
        about = f"{words.photos(photos)}, {words.count(approved)} approved"
        return Entry(str(project), name, about, partial(self._then, project), key=said)

    def _new(self, text: str) -> Entry | None:
        """Offer to make a project of what was typed, unless there is one of that name."""
        try:
            name = project_name(text)
        except KnownError:
            return None
        same = [row for row in self._session.projects.rows() if row.name == name]
        if same or name.casefold() in {
            row.name.casefold() for row in self._session.projects.rows()
        }:
            return None
        return Entry("new", f"New project “{name}”", "", partial(self._make, name))

    def _make(self, name: str) -> None:
        try:
            project = self._session.projects.make(name)
        except KnownError as error:
            self._session.say(str(error))
        else:
            self._then(project)


def _nothing() -> None:
    """Do nothing: what is off is never done."""


class ProjectParts:
    """What the window has for projects: chooser, page, hand order; and what commands ask for.

    Attributes:
        chooser: covers the window while one chooses.
        head: the page's head, above the grid of a project.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        pictures: Pictures,
        grid: GridView,
        offers: OfferLine,
        keyboard: Callable[[], Keyboard],
    ) -> None:
        self._window, self._session, self._pictures = window, session, pictures
        self._offers = offers
        self.chooser = Chooser(window, keyboard, session)
        self.head = ProjectHead(session, pictures)
        self.head.setParent(window)
        self.hand = HandOrder(grid, session)

    def head_height(self, in_grid: bool) -> int:
        """Say how high the head of the page is, px; 0 where no project is on the table."""
        shown = in_grid and self._session.projects.open is not None
        return self.head.wanted_height() if shown else 0

    def asked(self, about: object) -> None:
        """Do what a command asks for; what the world does wrong goes to the status line."""
        try:
            self._do(about)
        except KnownError as error:
            self._session.say(str(error))

    def _do(self, about: object) -> None:
        projects = self._session.projects
        if about == "choose":
            self.chooser.ask(projects.choose)
        elif about == "add":
            photos = self._session.targets()
            self.chooser.ask(partial(self._choose_and_add, photos))
        elif about == "series":
            self._series()
        elif isinstance(about, tuple) and about[0] == "new":
            _, name, photos = about
            self.chooser.ask(partial(self._choose_and_add, photos), projects.free_name(name))
        elif isinstance(about, tuple) and about[0] == "edit":
            self.edit(about[1])
        elif isinstance(about, tuple) and about[0] == "remove":
            self.remove(about[1])

    def _choose_and_add(self, photos: Sequence[int], project: int) -> None:
        self._session.projects.choose(project)
        self._session.projects.add(project, photos, on_screen=False)

    def edit(self, project: int) -> None:
        """Show a project's name and notes to be changed, and the way to remove it."""
        row = self._session.table.projects.row(project)
        if row is None:
            return
        dialog = ProjectDialog(row, self._session.projects, self._window)
        dialog.exec()
        if dialog.wants_removal:
            self.remove(project)
        dialog.deleteLater()

    def remove(self, project: int) -> None:
        """Remove a project once a person has said so; a line offers to bring it back."""
        session = self._session
        row = session.table.projects.row(project)
        if row is None:
            return
        photos, _ = session.projects.counts()[project]
        if dialogs.ask(self._window, removal(row.name, photos)) is None:
            return
        session.projects.remove(project)
        text = f"Removed the project {row.name}. No photo was touched."
        act = partial(self._restore, project)
        self._offers.offer(Offer("project", text, "Bring it back", act, once=False))

    def _restore(self, project: int) -> None:
        try:
            self._session.projects.restore(project)
        except KnownError as error:
            self._session.say(str(error))
            return
        row = self._session.table.projects.row(project)
        self._session.say(f"{row.name if row else 'The project'} is back")

    def _series(self) -> None:
        series = self._session.series
        series.look()
        if series.looking:
            self._session.say("Looking for a series…")
            series.changed.connect(self._show_series, Qt.ConnectionType.SingleShotConnection)
        else:
            self._show_series()

    def _show_series(self) -> None:
        if self._session.series.found is None:
            self._session.say(
                "No series: no five approved photos that are in no project look alike."
            )
            return
        dialog = SeriesDialog(self._session, self._pictures, self._window)
        dialog.exec()
        dialog.deleteLater()


def removal(name: str, photos: int) -> Question:
    """Ask whether a project is to be removed."""
    return Question(
        f"Remove the project {name}",
        f"Its {words.photos(photos)} stay in the catalog with all their marks, and no file is"
        " touched. The project can be brought back.",
        (Choice("remove", f"Remove {name}", removes=True),),
        cancel="Keep it",
    )
