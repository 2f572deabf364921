"""The export dialog: which clauses, as what, where to, what that means, and doing it.

Planning and writing run on a thread of the dialog's own with a catalog connection of their own;
the dialog only shows what they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QStandardPaths, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QProgressBar, QWidget

from curator import exiftool
from curator.catalog import FolderRow
from curator.export import ExportReport, Options, Plan, write
from curator.export.gallery import PAGE
from curator.export.naming import safe
from curator.export.size_estimates import Proxies
from curator.library.approval import FROM_FILES, all_clauses
from curator.model import KnownError
from curator.settings import ExportSettings, Home, Settings, absolute
from curator.ui.dialogs.export_form import LABELS, ExportForm
from curator.ui.dialogs.export_job import consequences, outcome, planned, told
from curator.ui.dialogs.jobs import JobRunner
from curator.ui.widgets import dialogs, theme, words
from curator.ui.widgets.dialogs import Dialog

_CALM_MS = 250  # after the last change, before planning anew


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is to be exported, before any choice: a scope's photos and its approved ones.

    ``clauses`` are the names of the clauses that approve photos, by photo id. ``selected`` are the
    ones of ``ids`` a person selected; ``only_selected``: the dialog begins with these alone.
    ``project`` names it where the scope is one, ``notes`` are its, and ``ids`` then are in its
    order by hand. ``choices`` are those of the last export, ``last_folders`` where the last of
    each kind went.
    """

    title: str
    ids: Sequence[int]
    clauses: Mapping[int, str]
    home: Home
    folders: Sequence[FolderRow] = ()
    last_folders: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[int, int] = field(default_factory=dict)
    match_model: str | None = None
    project: str | None = None
    notes: str = ""
    choices: ExportSettings | None = None
    selected: Sequence[int] = ()
    only_selected: bool = False

    def approved(self, only_selected: bool = False) -> Counter[str]:
        """Count the photos, or those selected, by the clause that approves them."""
        among = self.selected if only_selected else self.ids
        return Counter(self.clauses[photo] for photo in among if photo in self.clauses)


class ExportDialog(Dialog):
    """Export the approved photos of a scope.

    Args:
        wanted: what there is to export.
        settings: choices to start from where there was no export yet.
        parent: the window.
    """

    def __init__(
        self, wanted: ExportRequest, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__("Export", parent)
        self._wanted, self._settings = wanted, settings
        self._jobs = JobRunner(self)
        self._jobs.failed.connect(self._failed)
        self._jobs.progressed.connect(self._progressed)
        self._plan: Plan | None = None
        self.report: ExportReport | None = None
        self._rule = all_clauses(settings.approval.rule)
        self.clauses: dict[str, QCheckBox] = {}
        self._counts: dict[str, QLabel] = {}
        self._calm = QTimer(self, singleShot=True, interval=_CALM_MS)
        self._calm.timeout.connect(self.make_plan)
        self.body.addWidget(theme.plain(f"From {wanted.title}", role="quiet"))
        self.body.addSpacing(8)
        self._add_selection()
        self._add_clauses()
        self.form = ExportForm(wanted.home, wanted.choices or settings.export)
        self.form.changed.connect(self._form_changed)
        self.body.addWidget(self.form)
        self.body.addSpacing(4)
        self._add_place()
        self._add_outcome()
        self._form_changed()
        self.make_plan()

    # --- parts

    def _add_selection(self) -> None:
        number = len(self._wanted.selected)
        self.selection = QCheckBox(f"Selected photos only ({number:,})")
        self.selection.setChecked(self._wanted.only_selected)
        self.selection.setVisible(number > 0)
        self.selection.toggled.connect(self._count_clauses)
        self.selection.toggled.connect(self._changed)
        self.body.addWidget(self.selection)
        if number:
            self.body.addSpacing(8)

    def _approved(self) -> Counter[str]:
        """Count the photos each clause approves, of the scope or of the selection."""
        return self._wanted.approved(self.selection.isChecked())

    def _add_clauses(self) -> None:
        approved = self._wanted.approved()
        for clause in self._rule:
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            box = QCheckBox(clause.title.replace("&", "&&"))
            box.setChecked(clause.name in approved and clause is not FROM_FILES)
            box.toggled.connect(self._changed)
            row.addWidget(box)
            row.addStretch(1)
            self._counts[clause.name] = theme.plain("", role="quiet")
            row.addWidget(self._counts[clause.name])
            self.clauses[clause.name] = box
            self.body.addWidget(line)
        self._count_clauses()
        self.body.addSpacing(12)

    def _count_clauses(self) -> None:
        approved = self._approved()
        for clause, box in self.clauses.items():
            count = approved[clause]
            box.setEnabled(bool(count))
            self._counts[clause].setText(words.count(count))
            self._counts[clause].setEnabled(bool(count))

    def _add_place(self) -> None:
        self.heading = QLineEdit(self._wanted.project or self._wanted.title)
        self.heading.setAccessibleName("Title of the page")
        self.heading.textChanged.connect(self._changed)
        self._heading_row = self._line("Title", self.heading)
        self._suggested = self._suggestion()
        self.folder = QLineEdit(self._suggested)
        self.folder.setAccessibleName("Export into")
        self.folder.textChanged.connect(self._changed)
        self.choose = self.button("Choose…")
        self.choose.clicked.connect(self._choose)
        self._line("Into", self.folder, self.choose)
        self.body.addSpacing(12)

    def _suggestion(self) -> str:
        """Say where to: where the last export of this kind went; a page beside no originals."""
        last, title = self._wanted.last_folders.get(self.form.kind), self._wanted.title
        return last or suggested_folder(f"{title} gallery" if self._is_gallery else title)

    @property
    def _is_gallery(self) -> bool:
        return self.form.kind == "gallery"

    def _line(self, label: str, *parts: QWidget) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 4)
        row.setSpacing(8)
        said = theme.plain(label, role="quiet")
        said.setFixedWidth(LABELS + 4)
        row.addWidget(said)
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
        for part in (self.outcome, self.details, self.bar):
            self.body.addWidget(part)
        self.cancel = self.button("Cancel")
        self.go = self.button("Export", primary=True)
        self.show_folder = self.button("Show folder")
        self.show_folder.hide()
        self.cancel.clicked.connect(self._cancel)
        self.go.clicked.connect(self._go)
        self.show_folder.clicked.connect(self._open_folder)
        self.buttons.addStretch(1)
        for button in (self.show_folder, self.cancel, self.go):
            self.buttons.addWidget(button)

    # --- planning

    def options(self) -> Options:
        """Give what is chosen.

        Raises:
            KnownError: the folder is missing, or a size, the quality or the names make no sense.
        """
        folder, wanted = self.folder.text().strip(), self._wanted
        if not folder:
            raise KnownError("Choose a folder to export into.")
        options = Options(
            folder=absolute(folder),
            clauses=wanted.clauses,
            rule=tuple(clause.name for clause in self._rule),
            approve=frozenset(clause for clause, box in self.clauses.items() if box.isChecked()),
            scores=wanted.scores,
            match_model=wanted.match_model,
            project=wanted.project,
            partial=self.selection.isChecked(),
            order=tuple(wanted.ids) if wanted.project else (),
            title=self.heading.text().strip(),
            notes=wanted.notes,
            profile=self._settings.sidecars.profile,
            exiftool=exiftool.find_if_any(self._settings),
            proxies=Proxies(
                wanted.home.cache,
                self._settings.proxy.long_edge_px,
                self._settings.proxy.quality,
            ),
        )
        return options.outside(wanted.folders).chosen_as(self.form.choices())

    def _form_changed(self) -> None:
        self._heading_row.setVisible(self._is_gallery)
        self.show_folder.setText("Open gallery" if self._is_gallery else "Show folder")
        if self.folder.text() == self._suggested:  # one that was typed stays
            self._suggested = self._suggestion()
            self.folder.setText(self._suggested)
        self._changed()

    def _changed(self) -> None:
        self._jobs.drop()
        self._plan = None
        self.go.setEnabled(False)
        approved = self._approved()
        ticked = (each for each, box in self.clauses.items() if box.isChecked())
        self._tell_number(sum(approved[clause] for clause in ticked))
        self._calm.start()

    def _tell_number(self, number: int) -> None:
        act = f"Export {words.photos(number)}"
        self.title.setText(act)
        self.setWindowTitle(act)
        self.go.setText(act)

    def make_plan(self) -> None:
        """Work out what the export would do, off this thread."""
        self._calm.stop()
        self.go.setEnabled(False)
        try:
            options = self.options()
        except KnownError as error:
            self._refuse(str(error))
            return
        wanted = self._wanted
        ids = wanted.selected if options.partial else wanted.ids
        self._say("Working out what is to be done…")
        self._jobs.start(lambda job: planned(job, wanted.home.catalog, ids, options), self._planned)

    def _planned(self, plan: Plan) -> None:
        self._plan = plan
        self.form.preview([chosen.items[0].name for chosen in plan.chosen[:3]])
        self._tell_number(len(plan.chosen))  # not those that cannot go
        self._say(outcome(plan), consequences(plan))
        self.go.setEnabled(bool(plan.chosen or plan.leaving or plan.gone))

    def _failed(self, text: str) -> None:
        self.bar.hide()
        self._enable(True)
        self._refuse(text)
        self.go.setEnabled(False)

    def _refuse(self, text: str) -> None:
        self.form.preview([])  # those shown were of other choices
        self._say(text)

    def _say(self, text: str, more: str = "") -> None:
        self.outcome.setText(text)
        self.details.setText(more)
        self.details.setVisible(bool(more))
        self.fit_content()

    # --- doing

    def _go(self) -> None:
        plan = self._plan
        if plan is None:
            return
        self._enable(False)
        self.cancel.setText("Stop")
        self.bar.setRange(0, max(len(plan.chosen), 1))
        self.bar.setValue(0)
        self.bar.show()
        self._say("Exporting…")
        self._jobs.start(
            lambda job: write(plan, progress=job.report_progress, cancelled=lambda: job.stopped),
            self._done,
        )

    def _enable(self, on: bool) -> None:
        for part in (self.folder, self.choose, self.heading, self.form, self.selection):
            part.setEnabled(on)
        approved = self._approved()
        for clause, box in self.clauses.items():
            box.setEnabled(on and bool(approved[clause]))
        self.go.setEnabled(on)

    def _progressed(self, done: int, total: int, name: str) -> None:
        self.bar.setValue(done)
        self._say(f"Exporting {words.count(done)} of {words.count(total)} · {name}")

    def _done(self, report: ExportReport) -> None:
        self.report = report
        self.bar.hide()
        self._say(*told(report))
        self.title.setText(f"Exported {words.photos(report.photos)}")
        self.cancel.setText("Close")
        self.go.hide()
        self.show_folder.show()
        self.cancel.setFocus()

    # --- leaving

    def _choose(self) -> None:
        chosen = dialogs.choose_folder(self, "Export into", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _open_folder(self) -> None:
        if self.report is not None:
            folder = self.report.folder
            shown = folder / PAGE if self._is_gallery else folder
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(shown)))

    def _cancel(self) -> None:
        if self._jobs.busy and self.bar.isVisible():
            self._jobs.stop()  # what is written by now stays, and the report says so
            self._say("Stopping after this photo…")
        elif self.report is not None:
            self.accept()
        else:
            self.reject()

    def reject(self) -> None:
        """Stop what is going on, then close."""
        if self._jobs.busy and self.bar.isVisible():
            self._cancel()
            return
        self._wind_down()
        super().reject()

    def accept(self) -> None:
        """Close."""
        self._wind_down()
        super().accept()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave no thread behind."""
        self._wind_down()
        super().closeEvent(event)

    def _wind_down(self) -> None:
        self._calm.stop()
        self._jobs.close()


def suggested_folder(title: str) -> str:
    """Suggest a folder beside the person's pictures, named after the scope."""
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return str(Path(pictures) / "Curator exports" / safe(title))
