"""The import dialog's form: destinations, folders, names, and what goes into sidecars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from curator import naming
from curator.home import absolute
from curator.importing.plan import ImportPlan
from curator.importing.request import ImportRequest
from curator.model import KnownError
from curator.naming import Purpose
from curator.settings import ImportSettings
from curator.ui.dialogs import import_texts
from curator.ui.dialogs.export_form import LABELS
from curator.ui.widgets import dialogs, layouts, theme


@dataclass(frozen=True)
class Line:
    """One line of the form: its label, its field, and what the choice leads to below."""

    label: QLabel
    holder: QWidget
    field: QLineEdit
    note: QLabel

    def show_note(self, text: str, tip: str = "") -> None:
        """Show what the choice leads to; without a text the line takes less room."""
        metrics, elide = self.note.fontMetrics(), Qt.TextElideMode.ElideRight
        self.note.setText(metrics.elidedText(text, elide, max(self.holder.width(), 200)))
        self.note.setToolTip(theme.plain_tip(tip or text) if text else "")

    def set_visible(self, on: bool) -> None:
        """Show or hide the line."""
        self.label.setVisible(on)
        self.holder.setVisible(on)


class ImportForm(QWidget):
    """Edits what an import asks for, besides its cards.

    Args:
        settings: the choices to start from.
        sources: the part where cards are chosen.

    Attributes:
        keepers: the box "Only photos I kept".

    Signals:
        changed: the person changed a choice.
        resized: lines appeared or disappeared.
    """

    changed = Signal()
    resized = Signal()

    def __init__(self, settings: ImportSettings, sources: QWidget) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, LABELS)
        self._grid.setColumnStretch(1, 1)
        self._add_part("From", sources)
        self._add_destinations(settings)
        self._add_templates(settings)
        self._add_sidecars(settings)
        self.keepers = QCheckBox()
        self.keepers.toggled.connect(self.changed)
        self._grid.addWidget(self.keepers, self._grid.rowCount(), 1)
        self._show_second(bool(settings.also))
        self._show_sidecars(settings.sidecars)

    # --- choices

    def request(self, cards: Sequence[Path]) -> ImportRequest:
        """Return what is asked for.

        Raises:
            KnownError: no folder is given, or a template is invalid.
        """
        self._check_templates()
        into, also = self.into.field.text().strip(), self.also.field.text().strip()
        if not into:
            raise KnownError("Choose a folder to import into.")
        second = also if self.also.holder.isVisibleTo(self) else ""
        return ImportRequest(
            cards=tuple(cards),
            destinations=tuple(absolute(each) for each in (into, second) if each),
            folders=self.folders.field.text().strip(),
            names=self.names.field.text().strip(),
            job=self.job.field.text().strip(),
            keepers=self.keepers.isChecked(),
            creator=self.creator.field.text().strip(),
            copyright=self.copyright.field.text().strip(),
            sidecars=self.sidecars.isChecked(),
        )

    def _check_templates(self) -> None:
        """Check both templates, and mark the field of the one that is invalid."""
        problem: KnownError | None = None
        for line, check in ((self.folders, naming.check_folders), (self.names, _check_name)):
            wrong = False
            try:
                check(line.field.text().strip())
            except KnownError as error:
                problem, wrong = problem or error, True
            if bool(line.field.property("wrong")) != wrong:
                line.field.setProperty("wrong", wrong)
                theme.restyle(line.field)
        if problem is not None:
            raise problem

    def preview(self, plan: ImportPlan | None) -> None:
        """Show real folders, names and the room of a plan; None if there is no plan."""
        folders = import_texts.folder_examples(plan) if plan else []
        names = import_texts.name_examples(plan) if plan else []
        self.folders.show_note(import_texts.shortened(folders), "\n".join(folders[:40]))
        self.names.show_note(", ".join(names), "\n".join(names))
        rooms = plan.rooms if plan else []
        for number, line in enumerate((self.into, self.also)):
            line.show_note(import_texts.room(rooms[number]) if number < len(rooms) else "")

    # --- parts

    def _line(self, label: str, name: str, text: str, *buttons: QWidget) -> Line:
        field = QLineEdit(text)
        field.setAccessibleName(name)
        field.textChanged.connect(self.changed)
        note = theme.plain("", role="caption")
        note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        holder = QWidget()
        column = layouts.column(holder, spacing=2)
        row = layouts.row(spacing=8)
        row.addWidget(field, 1)
        for button in buttons:
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(note)
        title = self._add_part(label, holder)
        title.setBuddy(field)
        return Line(title, holder, field, note)

    def _add_part(self, label: str, part: QWidget) -> QLabel:
        title = theme.plain(label, role="quiet")
        title.setFixedHeight(theme.ROW)
        at = self._grid.rowCount()
        self._grid.addWidget(title, at, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(part, at, 1)
        return title

    def _add_destinations(self, settings: ImportSettings) -> None:
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        self.choose_into = _button("Choose…", lambda: self._choose(self.into))
        self.into = self._line("Into", "Import into", settings.to or pictures, self.choose_into)
        self.choose_also = _button("Choose…", lambda: self._choose(self.also))
        self.remove_also = _button("Remove", lambda: self._show_second(False))
        self.also = self._line(
            "Also into", "Second copy into", settings.also, self.choose_also, self.remove_also
        )
        self.add_also = theme.link_button("Also copy into a second folder…", self._add_second)
        self.add_also.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._grid.addWidget(self.add_also, self._grid.rowCount(), 1, Qt.AlignmentFlag.AlignLeft)

    def _add_templates(self, settings: ImportSettings) -> None:
        self.folders = self._line("Folders", "Folders for photos", settings.folders)
        self.names = self._line("Names", "Names of files", settings.names)
        words = naming.words(Purpose.IMPORT)
        known = "\n".join(f"{word}  {meaning}" for word, meaning in words.items())
        for line in (self.folders, self.names):
            line.field.setToolTip(theme.plain_tip(known))
        self.job = self._line("Job", "Job name", "")
        self.job.note.hide()
        self.job.field.setPlaceholderText("Name of the event or client, for {job}")

    def _add_sidecars(self, settings: ImportSettings) -> None:
        self.sidecars = QCheckBox("Write photographer, copyright and job into sidecars")
        self.sidecars.setToolTip("Sidecars are written beside the copies, never on the card.")
        self.sidecars.setChecked(settings.sidecars)
        self.sidecars.toggled.connect(self._show_sidecars)
        self.sidecars.toggled.connect(self.changed)
        self._grid.addWidget(self.sidecars, self._grid.rowCount(), 1)
        self.creator = self._line("Photographer", "Photographer", settings.creator)
        self.copyright = self._line("Copyright", "Copyright", settings.copyright)
        for line in (self.creator, self.copyright):
            line.note.hide()

    # --- reactions

    def _choose(self, line: Line) -> None:
        title = "Import into" if line is self.into else "Second copy into"
        chosen = dialogs.choose_folder(self, title, line.field.text())
        if chosen:
            line.field.setText(chosen)

    def _add_second(self) -> None:
        chosen = dialogs.choose_folder(self, "Second copy into", self.also.field.text())
        if chosen:
            self.also.field.setText(chosen)
            self._show_second(True)

    def _show_second(self, on: bool) -> None:
        self.also.set_visible(on)
        self.add_also.setVisible(not on)
        self.changed.emit()
        self.resized.emit()

    def _show_sidecars(self, on: bool) -> None:
        self.creator.set_visible(on)
        self.copyright.set_visible(on)
        self.resized.emit()


def _check_name(template: str) -> str:
    return naming.check(template, Purpose.IMPORT)


def _button(text: str, act: Callable[[], None]) -> QPushButton:
    made = QPushButton(text)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: act())
    return made
