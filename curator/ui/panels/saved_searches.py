"""Saved searches: the sidebar's rows, and the dialogs that name, rename and remove one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from curator.catalog import NAME_LENGTH
from curator.library.scopes import Scope, ScopeRow
from curator.model import KnownError
from curator.session import Session
from curator.ui.widgets import dialogs, theme, words
from curator.ui.widgets.dialogs import Choice, Dialog, Question
from curator.ui.widgets.rows import Row, Rows, section_with_add_button


class SavedSearchRows(QWidget):
    """The saved searches by name with their counts, and a button that saves the current one.

    Args:
        session: the window's session.
        run: runs a command by name.
    """

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._scopes: dict[str, ScopeRow] = {}
        self.rows = Rows()
        self.add = section_with_add_button(self, "Searches", "Save this search", self.rows)
        self.add.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.add.clicked.connect(lambda: run("save_search"))
        self.rows.pressed.connect(self._open)
        self.rows.menu.connect(lambda key, where: self.search_menu(key).popup(where))

    def show_scopes(self, listed: list[ScopeRow]) -> None:
        """Show the saved searches among the scopes."""
        session = self._session
        found = [row for row in listed if row.scope.search is not None]
        self._scopes = {row.scope.key: row for row in found}
        self.rows.show_rows(
            [
                Row(
                    row.scope.key,
                    row.scope.title,
                    words.count(row.count),
                    "search",
                    current=row.scope.key == session.criteria.scope.key,
                    tip=f"{row.scope.title}\n{row.scope.expression}",
                )
                for row in found
            ]
        )
        self.add.setEnabled(bool(session.criteria.filter))
        what = "Save this search…" if session.criteria.filter else "Search first, then save it here"
        self.add.setToolTip(theme.tip(what, session.preferences.keys.get("save_search")))

    def _open(self, key: str) -> None:
        try:
            self._session.sources.open_scope(self._scopes[key].scope)
        except KnownError as error:
            self._session.messages.say(str(error))

    def search_menu(self, key: str) -> QMenu:
        """Build the menu of a saved search: rename, remove."""
        scope, session = self._scopes[key].scope, self._session
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Rename…", lambda: session.requests.rename_search_requested.emit(scope))
        menu.addAction("Remove…", lambda: session.requests.remove_search_requested.emit(scope))
        return menu


class NameDialog(Dialog):
    """Asks for a name; Enter accepts it.

    Args:
        title: the dialog's title.
        name: the suggested name.
        button: the accepting button's text.
        take: called with the name; the message of a KnownError is shown below the field.
    """

    def __init__(
        self,
        title: str,
        name: str,
        button: str,
        take: Callable[[str], None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(title, parent)
        self._take = take
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.name.setMaxLength(NAME_LENGTH)
        self.name.selectAll()
        self.name.returnPressed.connect(self._done)
        self.problem = self.wrapped("", role="error")
        self.problem.hide()
        self.body.addWidget(theme.plain("Name", role="caption"))
        self.body.addWidget(self.name)
        self.body.addWidget(self.problem)
        cancel = self.button("Cancel")
        self.accept_ = self.button(button, primary=True)
        cancel.clicked.connect(self.reject)
        self.accept_.clicked.connect(self._done)
        self.buttons.addStretch(1)
        self.buttons.addWidget(cancel)
        self.buttons.addWidget(self.accept_)
        self.name.setFocus()

    def _done(self) -> None:
        try:
            self._take(self.name.text())
        except KnownError as error:
            self.problem.setText(str(error))
            self.problem.show()
        else:
            self.accept()


def save(session: Session, window: QWidget) -> None:
    """Ask for a name and save the current search under it."""
    typed, search = session.criteria.filter, session.search
    dialog = NameDialog("Save this search", typed, "Save", search.save_search, window)
    dialog.body.addWidget(dialog.wrapped(typed, role="caption"))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def rename(session: Session, scope: Scope, window: QWidget) -> None:
    """Ask for another name of a saved search."""
    number, name = scope.search, scope.title
    assert number is not None

    def take(to: str) -> None:
        session.search.rename_search(number, to)

    dialog = NameDialog(f"Rename {name}", name, "Rename", take, window)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def remove(session: Session, scope: Scope, window: QWidget) -> None:
    """Remove a saved search once the person has confirmed it."""
    assert scope.search is not None
    if dialogs.ask(window, removal(scope.title)) is not None:
        session.search.remove_search(scope.search)
        session.messages.say(f"Removed search {scope.title}")


def removal(name: str) -> Question:
    """Build the question whether to remove a saved search."""
    body = "Only the saved search is removed. No photo changes or leaves the catalog."
    return Question(f"Remove search {name}", body, (Choice("go", "Remove", removes=True),))
