"""Pressing keys in a window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

NONE = Qt.KeyboardModifier.NoModifier


def press(window: QWidget, *keys: str | Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    """Press keys one after the other, in the widget of the window that has the focus.

    Args:
        window: the window.
        *keys: keys, or key sequences as text ("Ctrl+I").
        held: modifiers held with each key.
    """
    for key in keys:
        modifiers = held
        if isinstance(key, str):
            combination = QKeySequence(key)[0]
            key, modifiers = combination.key(), held | combination.keyboardModifiers()
        QTest.keyClick(window.focusWidget() or window, key, modifiers)
        QApplication.processEvents()
