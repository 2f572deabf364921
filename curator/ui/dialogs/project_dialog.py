"""The dialogs of one project: its name and notes, and the question before it is removed."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from curator.catalog import ProjectRow
from curator.model import KnownError
from curator.session.projects import ProjectController
from curator.ui.widgets import theme, words
from curator.ui.widgets.dialogs import Choice, Dialog, Question

_NOTES_HEIGHT = 140


class ProjectDialog(Dialog):
    """Edit a project's name and notes.

    Attributes:
        wants_removal: whether the person pressed Remove….
    """

    def __init__(
        self, row: ProjectRow, projects: ProjectController, parent: QWidget | None
    ) -> None:
        super().__init__(f"Project {row.name}", parent)
        self._row, self._projects = row, projects
        self.wants_removal = False
        self.name, self.notes = QLineEdit(row.name), QPlainTextEdit(row.notes)
        self.name.setAccessibleName("Name")
        self.notes.setAccessibleName("Notes")
        self.notes.setFixedHeight(_NOTES_HEIGHT)
        self.notes.setTabChangesFocus(True)
        self.problem = self.wrapped("", role="error")
        self.problem.hide()
        self.body.addWidget(theme.plain("Name", role="caption"))
        self.body.addWidget(self.name)
        self.body.addWidget(self.problem)
        self.body.addSpacing(8)
        self.body.addWidget(theme.plain("Notes", role="caption"))
        self.body.addWidget(self.notes)
        self.remove = self.button("Remove…")
        self.cancel = self.button("Cancel")
        self.save = self.button("Save", primary=True)
        self.remove.clicked.connect(self._remove)
        self.cancel.clicked.connect(self.reject)
        self.save.clicked.connect(self._save)
        self.buttons.addWidget(self.remove)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.cancel)
        self.buttons.addWidget(self.save)
        self.name.returnPressed.connect(self._save)
        self.name.setFocus()
        self.name.selectAll()

    def _save(self) -> None:
        try:
            if self.name.text() != self._row.name:
                self._projects.rename(self._row.id, self.name.text())
            if self.notes.toPlainText() != self._row.notes:
                self._projects.write_notes(self._row.id, self.notes.toPlainText())
        except KnownError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.accept()

    def _remove(self) -> None:
        self.wants_removal = True
        self.reject()


def removal_question(name: str, photos: int) -> Question:
    """Build the question whether to remove a project."""
    return Question(
        f"Remove project {name}",
        f"Its {words.photos(photos)} stay in the catalog with all their marks, and no file is"
        " touched. You can restore the project.",
        (Choice("remove", f"Remove {name}", removes=True),),
        cancel="Keep it",
    )
