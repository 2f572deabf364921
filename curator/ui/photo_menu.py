"""The context menu of photos: the commands that apply to them, each with its key."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from curator.commands import COMMANDS
from curator.keyboard import views_of
from curator.session import Session
from curator.ui.widgets.menus import menu_heading, popup_menu

_NAME_PX = 220

# Commands between separators; a group with a name is a submenu.
_GROUPS = (
    ("", ("keep", "pick", "reject", "unflag")),
    ("", ("stars_5", "stars_4", "stars_3", "stars_2", "stars_1", "stars_0")),
    ("Label", ("label_red", "label_yellow", "label_green", "label_blue", "label_purple")),
    ("", ("tag", "toggle_project")),
    ("", ("promote", "drop", "toggle_stack", "loupe", "grid", "compare", "survey", "face_table")),
    ("", ("turn_left", "turn_right")),
    ("", ("export_selected", "write_sidecars", "open_in_editor", "show_file")),
    ("", ("find_similar",)),
)
_EVERYWHERE = frozenset({"keep"})  # in some views its key means something else


def photo_menu(parent: QWidget, session: Session, view: str, run: Callable[[str], None]) -> QMenu:
    """Build the menu for the photos that marks apply to: the current one, or the selection.

    Args:
        parent: the window.
        session: the session of the window.
        view: the view shown; commands that do not apply in it are left out.
        run: runs a command by name.
    """
    menu = popup_menu(parent)
    photos = session.stacks.targets()
    heading = session.photos.named(photos)
    menu.addAction(menu_heading(menu, heading, _NAME_PX))
    for submenu, names in _GROUPS:
        menu.addSeparator()
        into = menu.addMenu(submenu) if submenu else menu
        for name in names:
            applies = view in views_of(name) or name in _EVERYWHERE
            if name != view and applies and not COMMANDS[name].disabled_reason(session):
                key = session.preferences.keys.get(name, "")
                title = COMMANDS[name].title
                action = into.addAction(f"{title}\t{key}" if key else title)
                action.triggered.connect(lambda _=False, name=name: run(name))
    return menu


def request_menu_by_key(event: QKeyEvent, window: QWidget) -> bool:
    """Open the context menu for Shift+F10, as the Menu key does; Windows does so by itself.

    Returns:
        Whether the press was that key.
    """
    pressed = event.key(), event.modifiers()
    if pressed != (Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier) or sys.platform == "win32":
        return False
    focused = window.focusWidget() or window
    at = focused.rect().center()
    keyboard = QContextMenuEvent.Reason.Keyboard
    request = QContextMenuEvent(keyboard, at, focused.mapToGlobal(at))
    QApplication.sendEvent(focused, request)
    return True
