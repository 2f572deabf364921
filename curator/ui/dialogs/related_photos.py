"""A series to be looked at: the photos, why they may belong together, and two ways to answer."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from curator.model import KnownError
from curator.session import Session
from curator.ui.widgets import theme
from curator.ui.widgets.contact_sheet import ContactSheet
from curator.ui.widgets.dialogs import Dialog
from curator.ui.widgets.frames import Pictures

_NAME = "Series"


class RelatedPhotosDialog(Dialog):
    """Shows what may be a series; nothing becomes of it but what one presses."""

    def __init__(self, session: Session, pictures: Pictures, parent: QWidget | None) -> None:
        found = session.related_photos.found
        assert found is not None
        super().__init__(f"A series of {len(found.photos)}?", parent, theme.DIALOG + 160)
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
        self.never = self.button("No series")
        self.never.setToolTip("These photos are not suggested again")
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
        self._session.messages.say("These photos are not suggested as a series again")
        self.reject()
