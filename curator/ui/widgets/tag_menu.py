"""The context menu of a tag, wherever the window shows one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from curator.model import KnownError
from curator.session import Session


def tag_menu(parent: QWidget, session: Session, name: str) -> QMenu:
    """Build the context menu of a tag: show its photos, rename it."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction("Show photos with this tag", lambda: show_tagged(session, name))
    menu.addAction("Rename or merge…", lambda: session.requests.rename_tag_requested.emit(name))
    return menu


def show_tagged(session: Session, name: str) -> None:
    """Show the photos of the scope that have a tag."""
    try:
        session.search.set_filter(tag_query(name))
    except KnownError as error:
        session.messages.say(str(error))


def tag_query(name: str) -> str:
    """Return the search query for photos that have a tag."""
    return f'tag:"{name}"'
