"""Base of all dialogs, questions, and choosing files and folders.

A dialog's title names the action, its body the consequence, and its button repeats the action.
Every modal question goes through :func:`ask` and every file or folder through :func:`choose_file`
or :func:`choose_folder`. Call them as attributes of this module: tests replace them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from curator.catalog import FolderRow
from curator.model import KnownError
from curator.ui.widgets import theme, words

_EDGE = 8  # px a dialog leaves free at each edge of the screen
_TITLE_BAR = 32  # px at most; nobody knows its height before the window is shown


class Dialog(QDialog):
    """A dialog with a title, an empty body and an empty row of buttons.

    Args:
        title: the action.
        parent: the window.
        width: px; limited to the screen.

    Attributes:
        body: the layout between title and buttons.
        buttons: the layout of the buttons, from left to right.
        problem: why the dialog cannot be accepted; hidden without a reason. Subclasses place it.
    """

    def __init__(self, title: str, parent: QWidget | None, width: int = theme.DIALOG) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setFixedWidth(min(width, self.max_size.width()))
        self.setModal(True)
        self.title = theme.wrapped(title, "title")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(0)
        outer.addWidget(self.title)
        outer.addSpacing(12)
        self.body = QVBoxLayout()
        self.body.setSpacing(4)
        outer.addLayout(self.body, 1)
        outer.addSpacing(20)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        outer.addLayout(self.buttons)
        self.problem = self.wrapped("", "error")
        self.problem.hide()

    @property
    def max_size(self) -> QSize:
        """The largest size: the screen without taskbars, a title bar and a small margin."""
        parent = self.parentWidget()
        size = (parent or self).screen().availableGeometry().size()
        return size - QSize(2 * _EDGE, 2 * _EDGE + _TITLE_BAR)

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the content, where Qt would stop at two thirds of the screen."""
        if not event.spontaneous():
            self.fit_content()
        super().showEvent(event)

    def button(self, text: str, *, primary: bool = False) -> QPushButton:
        """Return a button that Enter presses only while it has the focus."""
        button = QPushButton(text.replace("&", "&&"))
        button.setAutoDefault(False)
        button.setDefault(False)
        button.setProperty("primary", primary)
        return button

    def add_buttons(self, *right: QWidget, left: Sequence[QWidget] = ()) -> None:
        """Fill the row of buttons, with parts at its left edge and at its right edge."""
        for widget in left:
            self.buttons.addWidget(widget)
        self.buttons.addStretch(1)
        for widget in right:
            self.buttons.addWidget(widget)

    def wrapped(self, text: str, role: str = "") -> QLabel:
        """Return a paragraph of plain text that can be selected with the mouse."""
        label = theme.wrapped(text, role)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return label

    def accept_after(self, act: Callable[[], object]) -> None:
        """Call ``act``, then accept the dialog; show a KnownError as the problem instead."""
        try:
            act()
        except KnownError as error:
            self.problem.setText(str(error))
            self.problem.show()
        else:
            self.accept()

    def fit_content(self) -> None:
        """Grow to the height of the content; otherwise rows overlap after a text grew longer."""
        layout = self.layout()
        if layout is None or not self.isVisible():
            return
        self.body.activate()
        layout.activate()
        needed = min(layout.totalHeightForWidth(self.width()), self.max_size.height())
        self.resize(self.width(), max(self.height(), needed))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter click the focused button; on other widgets it does nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QPushButton | QToolButton):
                focused.click()
            return
        super().keyPressEvent(event)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question.

    Attributes:
        key: what :func:`ask` returns for it.
        text: the text of its button.
        primary: whether its button is highlighted, and has the focus at first.
        removes: whether it removes something; then its button never has the focus at first.
    """

    key: str
    text: str
    primary: bool = False
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question: the action as title, the consequence with numbers, and the answers."""

    title: str
    body: str
    choices: Sequence[Choice]
    cancel: str = "Cancel"


def question_dialog(parent: QWidget | None, question: Question) -> Dialog:
    """Build the dialog of a question; its result is 1 + the index of the choice, 0 for Cancel."""
    dialog = Dialog(question.title, parent)
    dialog.body.setSpacing(8)
    for paragraph in question.body.split("\n"):
        dialog.body.addWidget(dialog.wrapped(paragraph))
    cancel = dialog.button(question.cancel)
    cancel.clicked.connect(dialog.reject)
    dialog.add_buttons(cancel)
    first = cancel
    for number, choice in enumerate(question.choices, 1):
        button = dialog.button(choice.text, primary=choice.primary)
        button.clicked.connect(lambda _=False, number=number: dialog.done(number))
        dialog.buttons.addWidget(button)
        if choice.primary and not choice.removes:
            first = button
    first.setFocus()
    layout = dialog.layout()
    assert layout is not None
    # Qt's own size hint is made for a narrower dialog, hence too high.
    dialog.resize(theme.DIALOG, layout.totalHeightForWidth(theme.DIALOG))
    return dialog


def ask(parent: QWidget | None, question: Question) -> str | None:
    """Ask in a modal dialog. Return the key of the choice, or None if it was canceled."""
    dialog = question_dialog(parent, question)
    number = dialog.exec()
    dialog.deleteLater()
    return question.choices[number - 1].key if number else None


def choose_folder(parent: QWidget | None, title: str, start: str = "") -> str | None:
    """Let the person choose a folder. Return None if they cancel.

    The dialog opens in ``start``, or in the nearest folder above it that exists.
    """
    above = (start, *map(str, Path(start).parents)) if start else ()
    nearest = next((folder for folder in above if os.access(folder, os.R_OK)), "")
    return QFileDialog.getExistingDirectory(parent, title, nearest) or None


def choose_file(parent: QWidget | None, title: str, *, pattern: str, new: str = "") -> str | None:
    """Let the person choose a file, or a path for a ``new`` one. Return None if they cancel."""
    if new:
        return QFileDialog.getSaveFileName(parent, title, new, pattern)[0] or None
    return QFileDialog.getOpenFileName(parent, title, "", pattern)[0] or None


def folder_removal(folder: FolderRow) -> Question:
    """Return the question asked before a folder is removed: what happens to its photos."""
    number = words.photos(folder.photos or 0)
    return Question(
        f"Remove folder {Path(folder.path).name or folder.path}",
        f"Curator stops reading {folder.path}, which holds {number}. No file is touched.\n"
        "The photos can stay in the catalog or be hidden with the folder. Opening the folder "
        "again brings them back with their marks.",
        (
            Choice("go", f"Remove and hide {number}", removes=True),
            Choice("stay", "Remove, keep photos", primary=True),
        ),
    )
