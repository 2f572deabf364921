"""Saved searches: the sidebar's rows, and the dialogs that name, rename and remove one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from curator.catalog import NAME_LENGTH
from curator.library.scopes import Scope, ScopeRow
from curator.session import Session
from curator.ui.widgets import dialogs, theme, words
from curator.ui.widgets.dialogs import Choice, Dialog, Question
from curator.ui.widgets.menus import popup_menu
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
        self.add.clicked.connect(lambda: run("save_search"))
        self.rows.pressed.connect(self._open)
        self.rows.menu.connect(lambda key, where: self.search_menu(key).popup(where))

    def show_scopes(self, listed: list[ScopeRow]) -> None:
        """Show the saved searches among the scopes."""
        session = self._session
        self._scopes = {row.scope.key: row for row in listed if row.scope.search is not None}
        rows = []
        for key, row in self._scopes.items():
            title, current = row.scope.title, key == session.criteria.scope.key
            tip = f"{title}\n{row.scope.expression}"
            rows.append(Row(key, title, words.count(row.count), "search", current=current, tip=tip))
        self.rows.show_rows(rows)
        self.add.setEnabled(bool(session.criteria.filter))
        what = "Save this search…" if session.criteria.filter else "Search first, then save it here"
        self.add.setToolTip(theme.tip(what, session.preferences.keys.get("save_search")))

    def _open(self, key: str) -> None:
        scope = self._scopes[key].scope
        self._session.messages.say_errors(lambda: self._session.sources.open_scope(scope))

    def search_menu(self, key: str) -> QMenu:
        """Build the menu of a saved search: rename, remove."""
        menu, requests = popup_menu(self), self._session.requests
        scope = self._scopes[key].scope
        menu.addAction("Rename…", lambda: requests.rename_search_requested.emit(scope))
        menu.addAction("Remove…", lambda: requests.remove_search_requested.emit(scope))
        return menu


class NameDialog(Dialog):
    """Asks for a name; Enter accepts it.

    Args:
        title: the dialog's title.
        name: the suggested name.
        button: the accepting button's text.
        act: called with the name; its KnownError is shown below the field.
    """

    def __init__(
        self,
        title: str,
        name: str,
        button: str,
        act: Callable[[str], None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(title, parent)
        self._act = act
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.name.setMaxLength(NAME_LENGTH)
        self.name.selectAll()
        self.name.returnPressed.connect(self._done)
        self.body.addWidget(theme.plain("Name", role="caption"))
        self.body.addWidget(self.name)
        self.body.addWidget(self.problem)
        cancel = self.button("Cancel")
        self.accept_button = self.button(button, primary=True)
        cancel.clicked.connect(self.reject)
        self.accept_button.clicked.connect(self._done)
        self.add_buttons(cancel, self.accept_button)
        self.name.setFocus()

    def _done(self) -> None:
        self.accept_after(lambda: self._act(self.name.text()))


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
    act = partial(session.search.rename_search, number)
    dialog = NameDialog(f"Rename {name}", name, "Rename", act, window)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def remove(session: Session, scope: Scope, window: QWidget) -> None:
    """Ask whether to remove a saved search, and remove it."""
    assert scope.search is not None
    body = "Only the saved search is removed. No photo changes or leaves the catalog."
    remove_it = Choice("go", "Remove", removes=True)
    question = Question(f"Remove search {scope.title}", body, (remove_it,))
    if dialogs.ask(window, question) is not None:
        session.search.remove_search(scope.search)
        session.messages.say(f"Removed search {scope.title}")
