"""What menus of window, panels and dialogs share: a popup, headings, and the menu of a tag."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget, QWidgetAction

from curator.session import Session
from curator.ui.widgets import theme


def popup_menu(parent: QWidget) -> QMenu:
    """Return an empty menu that is deleted when it closes."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu


def menu_heading(menu: QMenu, text: str, px: int = 1 << 14) -> QWidgetAction:
    """Return a heading for a menu, legible though it cannot be chosen.

    Args:
        menu: the menu the heading is for.
        text: elided in the middle if it does not fit.
        px: width the text may take.
    """
    label = theme.plain(role="caption")
    label.setText(label.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, px))
    checks = bool(menu.property("checks"))  # its texts then stand right of check marks
    label.setContentsMargins(30 if checks else 12, 4, 12, 4)
    heading = QWidgetAction(menu)
    heading.setText(text)
    heading.setDefaultWidget(label)
    heading.setEnabled(False)
    return heading


def tag_menu(parent: QWidget, session: Session, name: str) -> QMenu:
    """Build the context menu of a tag: show its photos, rename it."""
    menu = popup_menu(parent)
    menu.addAction("Show photos with this tag", lambda: show_tagged(session, name))
    menu.addAction("Rename or merge…", lambda: session.requests.rename_tag_requested.emit(name))
    return menu


def show_tagged(session: Session, name: str) -> None:
    """Filter the list for the photos with a tag."""
    show_found(session, tag_query(name))


def show_found(session: Session, query: str) -> None:
    """Filter the list by a search."""
    session.messages.say_errors(lambda: session.search.set_filter(query))


def tag_query(name: str) -> str:
    """Return the search query for photos with a tag."""
    return f'tag:"{name}"'


def kind_query(name: str) -> str:
    """Return the search query for photos with tags of a kind."""
    return f"tag:{name.replace(' ', '-')}"
