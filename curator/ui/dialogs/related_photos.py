"""Suggests a project of related photos: the photos, the reasons, accept or dismiss."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from curator.model import KnownError
from curator.session import Session
from curator.ui.widgets import theme
from curator.ui.widgets.contact_sheet import ContactSheet
from curator.ui.widgets.dialogs import Dialog
from curator.ui.widgets.frames import Pictures

_NAME = "Related photos"


class RelatedPhotosDialog(Dialog):
    """Shows related photos; the person makes a project of them, dismisses them or decides later."""

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
        self.name = QLineEdit(session.projects.free_name(_NAME))
        self.name.setAccessibleName("Name of the project")
        self.name.selectAll()
        self.body.addWidget(self.name)
        self.problem = self.wrapped("", role="error")
        self.problem.hide()
        self.body.addWidget(self.problem)
        self.never = self.button("Don't suggest again")
        self.never.setToolTip("Never suggest these photos again")
        self.later = self.button("Later")
        self.make = self.button(f"Make a project of {len(found.photos)} photos", primary=True)
        self.never.clicked.connect(self._dismiss)
        self.later.clicked.connect(self.reject)
        self.make.clicked.connect(self._accept)
        self.buttons.addWidget(self.never)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.later)
        self.buttons.addWidget(self.make)
        self.name.returnPressed.connect(self._accept)
        self.name.setFocus()

    def _accept(self) -> None:
        try:
            self._session.related_photos.accept(self.name.text())
        except KnownError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.accept()

    def _dismiss(self) -> None:
        self._session.related_photos.dismiss()
        self._session.messages.say("These photos will not be suggested again")
        self.reject()
