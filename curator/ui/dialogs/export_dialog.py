"""The export dialog: choose photos, format and folder, see what will happen, export.

Planning and writing run on the dialog's job thread; planning opens a catalog connection of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QStandardPaths, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLineEdit, QProgressBar, QWidget

from curator.export import ExportReport, Options, Plan, write
from curator.export.gallery import PAGE
from curator.home import absolute
from curator.library.export_options import base_options
from curator.model import KnownError
from curator.naming import safe
from curator.settings import Settings
from curator.ui.dialogs.export_form import LABELS, ExportForm
from curator.ui.dialogs.export_job import consequences, outcome, planned, report_texts
from curator.ui.dialogs.export_request import ApprovalChoices, ExportRequest
from curator.ui.dialogs.jobs import JobRunner
from curator.ui.widgets import dialogs, layouts, theme, words
from curator.ui.widgets.dialogs import Dialog

_REPLAN_MS = 250  # after the last change, before planning again


class ExportDialog(Dialog):
    """Plans and runs an export of a scope's approved photos.

    Args:
        request: the photos that can be exported.
        settings: the approval rule, and the choices to start from before the first export.
        parent: the window.
    """

    def __init__(
        self, request: ExportRequest, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__("Export", parent)
        self._request, self._settings = request, settings
        self._jobs = JobRunner(self)
        self._jobs.failed.connect(self._failed)
        self._jobs.progressed.connect(self._progressed)
        self._plan: Plan | None = None
        self.report: ExportReport | None = None
        self._replan = QTimer(self, singleShot=True, interval=_REPLAN_MS)
        self._replan.timeout.connect(self.make_plan)
        self.body.addWidget(theme.plain(f"From {request.title}", role="quiet"))
        self.body.addSpacing(8)
        self.choices = ApprovalChoices(request, settings.approval.rule)
        self.choices.changed.connect(self._changed)
        self.body.addWidget(self.choices)
        self.body.addSpacing(12)
        self.form = ExportForm(request.home, request.choices or settings.export)
        self.form.changed.connect(self._form_changed)
        self.body.addWidget(self.form)
        self.body.addSpacing(4)
        self._add_place()
        self._add_outcome()
        self._form_changed()
        self.make_plan()

    # --- parts

    def _add_place(self) -> None:
        self.heading = QLineEdit(self._request.project or self._request.title)
        self.heading.setAccessibleName("Gallery title")
        self.heading.textChanged.connect(self._changed)
        self._heading_row = self._line("Title", self.heading)
        self._suggested = self._suggestion()
        self.folder = QLineEdit(self._suggested)
        self.folder.setAccessibleName("Export into")
        self.folder.textChanged.connect(self._changed)
        self.choose = self.button("Choose…")
        self.choose.clicked.connect(self._choose)
        self._folder_row = self._line("Into", self.folder, self.choose)
        self.body.addSpacing(12)

    def _suggestion(self) -> str:
        """Return the folder of the last export of this kind, else one inside Pictures."""
        last, title = self._request.last_folders.get(self.form.kind), self._request.title
        return last or suggested_folder(f"{title} gallery" if self._is_gallery else title)

    @property
    def _is_gallery(self) -> bool:
        return self.form.kind == "gallery"

    def _line(self, label: str, *parts: QWidget) -> QWidget:
        line = QWidget()
        row = layouts.row(line, spacing=8, margins=(0, 0, 0, 4))
        title = theme.plain(label, role="quiet")
        title.setFixedWidth(LABELS + 4)
        row.addWidget(title)
        for part in parts:
            row.addWidget(part, 1 if isinstance(part, QLineEdit) else 0)
        self.body.addWidget(line)
        return line

    def _add_outcome(self) -> None:
        self.outcome = self.wrapped("")
        self.details = self.wrapped("", "caption")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        for part in (self.problem, self.outcome, self.details, self.bar):
            self.body.addWidget(part)
        self.cancel = self.button("Cancel")
        self.go = self.button("Export", primary=True)
        self.show_folder = self.button("Show folder")
        self.show_folder.hide()
        self.cancel.clicked.connect(self.reject)
        self.go.clicked.connect(self._go)
        self.show_folder.clicked.connect(self._open_folder)
        self.add_buttons(self.show_folder, self.cancel, self.go)

    # --- planning

    def options(self) -> Options:
        """Return the chosen options.

        Raises:
            KnownError: no folder is given, or a size, the quality or the file names are invalid.
        """
        folder, request = self.folder.text().strip(), self._request
        if not folder:
            raise KnownError("Choose a folder to export into.")
        choices, sources = self.form.choices(), list(request.folders)
        return replace(
            base_options(self._settings, request.home, absolute(folder), choices, sources),
            clauses=request.clauses,
            approve=self.choices.chosen,
            scores=request.scores,
            match_model=request.match_model,
            project=request.project,
            partial=self.choices.only_selected,
            order=tuple(request.ids) if request.project else (),
            title=self.heading.text().strip(),
            notes=request.notes,
        )

    def _form_changed(self) -> None:
        self._heading_row.setVisible(self._is_gallery)
        self.show_folder.setText("Open gallery" if self._is_gallery else "Show folder")
        if self.folder.text() == self._suggested:  # a typed folder stays
            self._suggested = self._suggestion()
            self.folder.setText(self._suggested)
        self._changed()

    def _changed(self) -> None:
        self._jobs.drop()
        self._plan = None
        self.problem.hide()
        self.go.setEnabled(False)
        self._show_number(self.choices.number)
        self._replan.start()

    def _show_number(self, number: int) -> None:
        text = f"Export {words.photos(number)}"
        self.title.setText(text)
        self.setWindowTitle(text)
        self.go.setText(text)

    def make_plan(self) -> None:
        """Plan the export on the job thread."""
        self._replan.stop()
        self.go.setEnabled(False)
        try:
            options = self.options()
        except KnownError as error:
            self._refuse(str(error))
            return
        request = self._request
        ids = request.selected if options.partial else request.ids
        self._show_outcome("Planning…")
        self._jobs.start(
            lambda job: planned(job, request.home.catalog, ids, options), self._planned
        )

    def _planned(self, plan: Plan) -> None:
        self._plan = plan
        self.form.preview([chosen.files[0].name for chosen in plan.chosen[:3]])
        self._show_number(len(plan.chosen))  # without photos that cannot be exported
        self._show_outcome(outcome(plan), consequences(plan))
        self.go.setEnabled(bool(plan.chosen or plan.withdrawn()))

    def _failed(self, text: str) -> None:
        """Show why planning failed, or why the export did; then plan what is left to export."""
        if not self._exporting:
            self._refuse(text)
            return
        self.bar.hide()
        self._enable(True)
        self.cancel.setText("Cancel")
        self.problem.setText(text)
        self.problem.show()
        self.make_plan()

    def _refuse(self, text: str) -> None:
        self.form.preview([])  # the names shown belong to other choices
        self._show_outcome(text)

    def _show_outcome(self, text: str, more: str = "") -> None:
        self.outcome.setText(text)
        self.details.setText(more)
        self.details.setVisible(bool(more))
        self.fit_content()

    # --- exporting

    @property
    def _exporting(self) -> bool:
        """Whether an export is running."""
        return not self.bar.isHidden()

    def _go(self) -> None:
        plan = self._plan
        if plan is None:
            return
        self._enable(False)
        self.problem.hide()
        self.cancel.setText("Stop")
        self.bar.setRange(0, max(len(plan.chosen), 1))
        self.bar.setValue(0)
        self.bar.show()
        self._show_outcome("Exporting…")
        self._jobs.start(
            lambda job: write(plan, progress=job.report_progress, cancelled=lambda: job.stopped),
            self._done,
        )

    def _enable(self, on: bool) -> None:
        for part in (self._folder_row, self._heading_row, self.form, self.choices):
            part.setEnabled(on)
        self.go.setEnabled(on)

    def _progressed(self, done: int, total: int, name: str) -> None:
        self.bar.setValue(done)
        self._show_outcome(f"Exporting {words.count(done)} of {words.count(total)} · {name}")

    def _done(self, report: ExportReport) -> None:
        self.report = report
        self.bar.hide()
        self._show_outcome(*report_texts(report))
        self.title.setText(f"Exported {words.photos(report.photos)}")
        self.cancel.setText("Close")
        self.go.hide()
        self.show_folder.show()
        self.cancel.setFocus()

    # --- closing

    def _choose(self) -> None:
        chosen = dialogs.choose_folder(self, "Export into", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _open_folder(self) -> None:
        if self.report is not None:
            folder = self.report.folder
            shown = folder / PAGE if self._is_gallery else folder
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(shown)))

    def reject(self) -> None:
        """Close; but if an export is running, stop it, and stay open for its report."""
        if self._exporting:
            self._jobs.stop()  # files written so far stay, and the report says so
            self._show_outcome("Stopping after this photo…")
        else:
            super().reject()

    def done(self, result: int) -> None:
        """End the job thread, then close."""
        self._replan.stop()
        self._jobs.close()
        super().done(result)


def suggested_folder(title: str) -> str:
    """Return a folder inside the person's Pictures folder, named after the scope."""
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return str(Path(pictures) / "Curator exports" / safe(title))
