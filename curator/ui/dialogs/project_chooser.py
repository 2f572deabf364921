"""The project chooser (Shift+B): type a few letters of a project, or the name of a new one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget

from curator.catalog import project_name
from curator.keyboard import Keyboard
from curator.model import KnownError
from curator.session import Session
from curator.ui.dialogs.palette import Entry, Palette
from curator.ui.widgets import words

_TYPED = 400  # characters the field takes; a name is cut to fewer


class ProjectChooser:
    """Lets the user choose or create a project in a palette.

    Args:
        parent: the widget the palette covers.
        keyboard: returns the current keys.
        session: the window's session.

    Attributes:
        panel: the palette.
    """

    def __init__(self, parent: QWidget, keyboard: Callable[[], Keyboard], session: Session) -> None:
        self._session = session
        self._on_chosen: Callable[[int], None] = session.projects.choose
        self._new_first = False
        self.panel = Palette(parent, keyboard)
        self.panel.field.setPlaceholderText("Choose a project, or type the name of a new one")
        self.panel.field.setAccessibleName("Choose a project")
        self.panel.field.setMaxLength(_TYPED)

    def ask(self, then: Callable[[int], None], name: str = "") -> None:
        """Open the chooser.

        Args:
            then: called with the id of the project that was chosen or created.
            name: suggested for a new project.
        """
        self._on_chosen, self._new_first = then, bool(name)
        self.panel.open_with(self._find, name)

    def _find(self, text: str) -> list[Entry]:
        projects = self._session.projects
        found, counts = projects.named(text), projects.counts()
        if not text.strip():  # Enter at once changes nothing
            found.sort(key=lambda row: row != projects.current)
        entries = [self._entry(row.id, row.name, *counts[row.id]) for row in found]
        new = self._new_entry(text)
        if new is not None:
            entries = [new, *entries] if self._new_first else [*entries, new]
        if not entries:
            hint = "Enter creates it"
            entries = [Entry("", "Type a name for your first project", "", off=hint)]
        return entries

    def _entry(self, project: int, name: str, photos: int, approved: int) -> Entry:
        session = self._session
        current = session.projects.current
        photo = session.current
        inside = photo is not None and session.table.projects.has(project, [photo])[0]
        is_current = current is not None and current.id == project
        state = words.joined(("has this photo" if inside else "", "current" if is_current else ""))
        about = f"{words.photos(photos)}, {words.count(approved)} approved"
        return Entry(str(project), name, about, partial(self._on_chosen, project), key=state)

    def _new_entry(self, text: str) -> Entry | None:
        """Return the entry that creates a project, unless one has that name already."""
        try:
            name = project_name(text)
        except KnownError:
            return None
        if name.casefold() in {row.name.casefold() for row in self._session.projects.rows()}:
            return None
        return Entry("new", f"New project “{name}”", "", partial(self._create, name))

    def _create(self, name: str) -> None:
        try:
            project = self._session.projects.create(name)
        except KnownError as error:
            self._session.messages.say(str(error))
        else:
            self._on_chosen(project)
