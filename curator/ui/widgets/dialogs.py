"""Dialogs: the title is the act, the body the consequence, the button repeats the act.

Every modal question goes through :data:`ask` and every choice of a place through
:data:`choose_folder` or :data:`choose_file`; tests put their own answers there.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    QVBoxLayout,
    QWidget,
)

from curator.catalog import FolderRow
from curator.ui.widgets import theme, words

_EDGE = 8  # of the screen, that a dialog leaves free


class Dialog(QDialog):
    """A dialog of 560 px: a title, a body to fill, a row of buttons to fill.

    Args:
        title: the act.
        parent: the window.
        width: px; never wider than the screen.

    Attributes:
        body: the layout between title and buttons.
        buttons: the layout at the bottom; the first widget put in stands at the left.
    """

    def __init__(self, title: str, parent: QWidget | None, width: int = theme.DIALOG) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setFixedWidth(min(width, self.room.width()))
        self.setModal(True)
        self.title = theme.plain(title, role="title")
        self.title.setWordWrap(True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 24, 20)
        whole.setSpacing(0)
        whole.addWidget(self.title)
        whole.addSpacing(12)
        self.body = QVBoxLayout()
        self.body.setSpacing(4)
        whole.addLayout(self.body, 1)
        whole.addSpacing(20)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        whole.addLayout(self.buttons)

    @property
    def room(self) -> QSize:
        """The size of the screen without what always lies on it, and a little less."""
        parent = self.parentWidget()
        size = (parent or self).screen().availableGeometry().size()
        return size - QSize(2 * _EDGE, 2 * _EDGE)

    def showEvent(self, event: QShowEvent) -> None:
        """Be as high as what is in it: Qt itself stops at two thirds of the screen."""
        if not event.spontaneous():
            self.grow()
        super().showEvent(event)

    def button(self, text: str, *, primary: bool = False) -> QPushButton:
        """Make a button for the row; never one that Enter presses from elsewhere."""
        made = QPushButton(text.replace("&", "&&"))
        made.setAutoDefault(False)
        made.setDefault(False)
        made.setProperty("primary", primary)
        return made

    def wrapped(self, text: str, role: str = "") -> QLabel:
        """Make a paragraph of plain text."""
        label = theme.plain(text, role=role)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return label

    def grow(self) -> None:
        """Make room for text that became longer; Qt would lay the rows over each other."""
        layout = self.layout()
        if layout is None or not self.isVisible():
            return
        self.body.activate()
        layout.activate()
        needed = min(layout.totalHeightForWidth(self.width()), self.room.height())
        self.resize(self.width(), max(self.height(), needed))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press the focused button with Enter; Enter elsewhere does nothing by itself."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QPushButton):
                focused.click()
            return
        super().keyPressEvent(event)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer; ``removes`` keeps Enter from giving it."""

    key: str
    text: str
    primary: bool = False
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the act as title, the consequence with numbers, the answers."""

    title: str
    body: str
    choices: Sequence[Choice]
    cancel: str = "Cancel"


def question_dialog(parent: QWidget | None, question: Question) -> Dialog:
    """Make the dialog for a question; its result is 1 + the index of the choice, 0 for none."""
    dialog = Dialog(question.title, parent)
    dialog.body.setSpacing(8)
    for paragraph in question.body.split("\n"):
        dialog.body.addWidget(dialog.wrapped(paragraph))
    cancel = dialog.button(question.cancel)
    cancel.clicked.connect(dialog.reject)
    dialog.buttons.addStretch(1)
    dialog.buttons.addWidget(cancel)
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
    # As high as the text at this width: Qt's own guess is made for a narrower one.
    dialog.resize(theme.DIALOG, layout.totalHeightForWidth(theme.DIALOG))
    return dialog


def ask_in_dialog(parent: QWidget | None, question: Question) -> str | None:
    """Ask in a modal dialog; give the key of the choice, None if it was cancelled."""
    dialog = question_dialog(parent, question)
    number = dialog.exec()
    dialog.deleteLater()
    return question.choices[number - 1].key if number else None


def choose_folder_in_dialog(parent: QWidget | None, title: str, start: str = "") -> str | None:
    """Let the person choose a folder; None if they did not."""
    return QFileDialog.getExistingDirectory(parent, title, start) or None


def choose_file_in_dialog(
    parent: QWidget | None, title: str, *, pattern: str, new: str = ""
) -> str | None:
    """Let the person choose a file, or where to write a ``new`` one of that name; None if not."""
    if new:
        return QFileDialog.getSaveFileName(parent, title, new, pattern)[0] or None
    return QFileDialog.getOpenFileName(parent, title, "", pattern)[0] or None


ask = ask_in_dialog
choose_folder = choose_folder_in_dialog
choose_file = choose_file_in_dialog


def folder_removal(folder: FolderRow) -> Question:
    """Ask what becomes of a folder's photos when it is removed from the list."""
    number = words.photos(folder.photos or 0)
    return Question(
        f"Remove {Path(folder.path).name or folder.path}",
        f"Curator stops looking at {folder.path}, which holds {number}. No file is touched.\n"
        "The photos can stay in the catalog, or go out of sight with the folder. Opening the "
        "folder again brings them back, with their marks.",
        (
            Choice("go", f"Remove with {number}", removes=True),
            Choice("stay", "Keep the photos", primary=True),
        ),
    )
