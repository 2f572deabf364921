"""The dialogs about projects: name and notes, a suggested project, and removing one."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from curator.catalog import ProjectRow
from curator.session import Session
from curator.session.projects import ProjectController
from curator.ui.widgets import theme, words
from curator.ui.widgets.contact_sheet import ContactSheet
from curator.ui.widgets.dialogs import Choice, Dialog, Question
from curator.ui.widgets.frames import Pictures

_NOTES_HEIGHT = 140
_SUGGESTED_NAME = "Related photos"


class ProjectDialog(Dialog):
    """Edit a project's name and notes.

    Attributes:
        wants_removal: whether the person pressed Delete project….
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
        self.body.addWidget(theme.plain("Name", role="caption"))
        self.body.addWidget(self.name)
        self.body.addWidget(self.problem)
        self.body.addSpacing(8)
        self.body.addWidget(theme.plain("Notes", role="caption"))
        self.body.addWidget(self.notes)
        self.remove = self.button("Delete project…")
        self.cancel = self.button("Cancel")
        self.save = self.button("Save", primary=True)
        self.remove.clicked.connect(self._remove)
        self.cancel.clicked.connect(self.reject)
        self.save.clicked.connect(lambda: self.accept_after(self._save))
        self.add_buttons(self.cancel, self.save, left=(self.remove,))
        self.name.returnPressed.connect(self.save.click)
        self.name.setFocus()
        self.name.selectAll()

    def _save(self) -> None:
        if self.name.text() != self._row.name:
            self._projects.rename(self._row.id, self.name.text())
        if self.notes.toPlainText() != self._row.notes:
            self._projects.write_notes(self._row.id, self.notes.toPlainText())

    def _remove(self) -> None:
        self.wants_removal = True
        self.reject()


class RelatedPhotosDialog(Dialog):
    """Suggests a project of related photos: the person accepts, dismisses it or decides later."""

    def __init__(self, session: Session, pictures: Pictures, parent: QWidget | None) -> None:
        found = session.related_photos.suggestion
        assert found is not None
        super().__init__(f"{len(found.photos)} related photos", parent, theme.DIALOG + 160)
        self._session = session
        self.body.setSpacing(12)
        self.body.addWidget(self.wrapped(found.sentence))
        self.sheet = ContactSheet(session, pictures)
        self.sheet.setFixedWidth(self.width() - 48)
        self.body.addWidget(self.sheet)
        self.sheet.show_photos(found.photos)
        self.name = QLineEdit(session.projects.free_name(_SUGGESTED_NAME))
        self.name.setAccessibleName("Name of the project")
        self.name.selectAll()
        self.body.addWidget(self.name)
        self.body.addWidget(self.problem)
        self.never = self.button("Don't suggest again")
        self.never.setToolTip("Never suggest these photos again")
        self.later = self.button("Later")
        self.make = self.button(f"Make a project of {len(found.photos)} photos", primary=True)
        self.never.clicked.connect(self._dismiss)
        self.later.clicked.connect(self.reject)
        self.make.clicked.connect(self._accept)
        self.add_buttons(self.later, self.make, left=(self.never,))
        self.name.returnPressed.connect(self._accept)
        self.name.setFocus()

    def _accept(self) -> None:
        self.accept_after(lambda: self._session.related_photos.accept(self.name.text()))

    def _dismiss(self) -> None:
        self._session.related_photos.dismiss()
        self._session.messages.say("These photos will not be suggested again")
        self.reject()


def removal_question(name: str, photos: int) -> Question:
    """Build the question whether to delete a project."""
    return Question(
        f"Delete project {name}",
        f"Its {words.photos(photos)} stay in the catalog with all their marks, and no file is"
        " touched. You can restore the project.",
        (Choice("remove", "Delete project", removes=True),),
    )
