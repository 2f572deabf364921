"""A heading for menus, which menus of the window, its panels and its dialogs share."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidgetAction

from curator.ui.widgets import theme


def menu_heading(menu: QMenu, text: str, px: int = 1 << 14) -> QWidgetAction:
    """Return a heading for a menu, legible though it cannot be chosen.

    Args:
        menu: the menu the line is added to.
        text: elided in the middle if it does not fit.
        px: width the text may take.
    """
    label = theme.plain(role="caption")
    label.setText(label.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, px))
    checks = bool(menu.property("checks"))  # the texts then stand right of check marks
    label.setContentsMargins(30 if checks else 12, 4, 12, 4)
    heading = QWidgetAction(menu)
    heading.setText(text)
    heading.setDefaultWidget(label)
    heading.setEnabled(False)
    return heading
