"""The menu of a photo: what a mouse alone does with it, each line with the key that does it too."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from curator.commands import COMMANDS
from curator.keyboard import views_of
from curator.model import counted
from curator.session import Session
from curator.ui.widgets.menus import menu_heading

_HEAD = 220  # px a name may take

# Commands between lines; those under a name are a level down.
_PARTS = (
    ("", ("keep", "pick", "reject", "unflag")),
    ("", ("stars_5", "stars_4", "stars_3", "stars_2", "stars_1", "stars_0")),
    ("Label", ("label_red", "label_yellow", "label_green", "label_blue", "label_purple")),
    ("", ("tag", "toggle_project")),
    ("", ("promote", "drop", "toggle_stack", "loupe", "grid", "compare", "survey")),
    ("", ("turn_left", "turn_right")),
    ("", ("export_selected", "write_sidecars", "open_in_editor", "show_file")),
    ("", ("find_similar",)),
)
_EVERYWHERE = frozenset({"keep"})  # its key is another's in some views, but it means the same


def photo_menu(parent: QWidget, session: Session, view: str, run: Callable[[str], None]) -> QMenu:
    """Make the menu of what marks act on now: the photo in hand, or the selection.

    Args:
        parent: the window.
        session: what is on the table.
        view: the view in force: what means nothing there is left out.
        run: runs a command by name.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction(menu_heading(menu, _named(session), _HEAD))
    for under, names in _PARTS:
        menu.addSeparator()
        into = menu.addMenu(under) if under else menu
        for name in names:
            means = view in views_of(name) or name in _EVERYWHERE
            if name != view and means and not COMMANDS[name].lacks(session):
                key = session.keys.get(name, "")
                title = COMMANDS[name].title
                action = into.addAction(f"{title}\t{key}" if key else title)
                action.triggered.connect(lambda _=False, name=name: run(name))
    return menu


def by_key(event: QKeyEvent, window: QWidget) -> bool:
    """Have Shift+F10 ask for a menu as the Menu key does; only Windows sees to that itself.

    Returns:
        Whether the press was that.
    """
    pressed = event.key(), event.modifiers()
    if pressed != (Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier) or sys.platform == "win32":
        return False
    over = window.focusWidget() or window
    at = over.rect().center()
    asks = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, over.mapToGlobal(at))
    QApplication.sendEvent(over, asks)
    return True


def _named(session: Session) -> str:
    photos = session.targets()
    return session.table.name(photos[0]) if len(photos) == 1 else counted(len(photos), "photo")
