"""The export dialog: which clauses, where to, in which form, what that means, and doing it.

Planning and writing run on a thread of the dialog's own with a catalog connection of their own;
the dialog only shows what they say.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, QStandardPaths, Qt, QThreadPool, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QRadioButton,
    QWidget,
)

from curator.catalog import Catalog, PhotoDetail
from curator.export import TARGETS, Options, Plan, Report, make_plan
from curator.model import Clause, KnownError
from curator.settings import Settings
from curator.ui import dialogs, theme, words
from curator.ui.dialogs import Dialog
from curator.ui.finish import CLAUSE_TITLES

log = logging.getLogger(__name__)

_CALM_MS = 250  # after the last change, before planning anew


class _Stopped(Exception):
    """The dialog no longer wants what is being worked out."""


class Job(QRunnable):
    """One planning or one export, on the dialog's thread."""

    class Signals(QObject):
        """What a job says, itself first; received on the GUI thread."""

        done = Signal(object, object)
        failed = Signal(object, str)
        progressed = Signal(object, int, int, str)

    def __init__(self, work: Callable[[Job], object]) -> None:
        super().__init__()
        self._work = work
        self.said = Job.Signals()
        self.stopped = False
        self.setAutoDelete(False)

    def run(self) -> None:
        """Do the work; say what came of it."""
        try:
            self.said.done.emit(self, self._work(self))
        except _Stopped:
            return
        except KnownError as error:
            self.said.failed.emit(self, str(error))
        except Exception:
            log.exception("The export failed")
            self.said.failed.emit(
                self, "Curator made a mistake here; the log file has the details."
            )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported, before any choice: a scope's photos and its approved ones."""

    title: str
    ids: Sequence[int]
    approved: Counter[Clause]
    catalog_path: Path
    sources: tuple[Path, ...] = ()
    last_folder: str = ""


class ExportDialog(Dialog):
    """Export the approved photos of a scope.

    Args:
        wanted: what there is to export.
        settings: form, size and quality to start from.
        parent: the window.
    """

    def __init__(self, wanted: Wanted, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self._wanted, self._settings = wanted, settings
        self._pool = QThreadPool(self, maxThreadCount=1)
        self._job: Job | None = None
        self._started: list[Job] = []  # kept: a job that is dropped may still be running
        self._plan: Plan | None = None
        self.report: Report | None = None
        self.clauses: dict[Clause, QCheckBox] = {}
        self._calm = QTimer(self, singleShot=True, interval=_CALM_MS)
        self._calm.timeout.connect(self.make_plan)
        self.body.addWidget(theme.plain(f"From {wanted.title}", role="quiet"))
        self.body.addSpacing(8)
        self._add_clauses()
        self._add_place()
        self._add_form()
        self._add_outcome()
        self._tell_number()
        self.make_plan()

    # --- parts

    def _add_clauses(self) -> None:
        for clause, title in CLAUSE_TITLES.items():
            count = self._wanted.approved[clause]
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            box = QCheckBox(title)
            box.setChecked(bool(count))
            box.setEnabled(bool(count))
            box.toggled.connect(self._changed)
            row.addWidget(box)
            row.addStretch(1)
            row.addWidget(theme.plain(words.count(count), role="" if count else "quiet"))
            self.clauses[clause] = box
            self.body.addWidget(line)
        self.body.addSpacing(12)

    def _add_place(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.folder = QLineEdit(self._wanted.last_folder or suggested_folder(self._wanted.title))
        self.folder.setAccessibleName("Export into")
        self.folder.textChanged.connect(self._changed)
        choose = self.button("Choose…")
        choose.clicked.connect(self._choose)
        row.addWidget(theme.plain("Into", role="quiet"))
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        self.body.addLayout(row)
        self.body.addSpacing(12)

    def _add_form(self) -> None:
        settings = self._settings.export
        self.originals = QRadioButton("Originals, both halves of a pair")
        self.jpegs = QRadioButton("JPEG, long edge at most")
        (self.originals if settings.form == "original" else self.jpegs).setChecked(True)
        self.long_edge = QLineEdit(str(settings.long_edge_px))
        self.long_edge.setFixedWidth(72)
        self.long_edge.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.long_edge.setAccessibleName("Long edge in pixels")
        self.long_edge.textEdited.connect(lambda: self.jpegs.setChecked(True))
        self.location = QCheckBox("Write where photos were taken into the manifest")
        self.location.setChecked(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.originals, 0, 0, 1, 4)
        grid.addWidget(self.jpegs, 1, 0)
        grid.addWidget(self.long_edge, 1, 1)
        grid.addWidget(theme.plain("px", role="quiet"), 1, 2)
        grid.setColumnStretch(3, 1)
        grid.addWidget(self.location, 2, 0, 1, 4)
        self.body.addLayout(grid)
        self.body.addSpacing(16)
        self.jpegs.toggled.connect(self._changed)
        self.location.toggled.connect(self._changed)
        self.long_edge.textChanged.connect(self._changed)

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
            KnownError: the folder is missing or the long edge is no size.
        """
        folder = self.folder.text().strip()
        if not folder:
            raise KnownError("Choose a folder to export into.")
        edge = self.long_edge.text().strip().replace(",", "")
        if self.jpegs.isChecked() and not (edge.isdecimal() and 320 <= int(edge) <= 20000):
            raise KnownError("The long edge has to be 320 to 20,000 px.")
        return Options(
            folder=Path(folder).expanduser().absolute(),
            approve=frozenset(clause for clause, box in self.clauses.items() if box.isChecked()),
            form="jpeg" if self.jpegs.isChecked() else "original",
            long_edge_px=int(edge) if edge.isdecimal() else self._settings.export.long_edge_px,
            jpeg_quality=self._settings.export.jpeg_quality,
            threshold=self._settings.taste.match_threshold,
            location=self.location.isChecked(),
            sources=self._wanted.sources,
        )

    def _changed(self) -> None:
        self._drop_job()
        self._plan = None
        self.go.setEnabled(False)
        self._tell_number()
        self._calm.start()

    def _tell_number(self) -> None:
        number = sum(
            self._wanted.approved[clause] for clause, box in self.clauses.items() if box.isChecked()
        )
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
            self._say(str(error))
            return
        wanted = self._wanted
        self._say("Working out what is to be done…")
        self._start(
            lambda job: make_plan(_details(job, wanted.catalog_path, wanted.ids), options),
            self._planned,
        )

    def _start(self, work: Callable[[Job], object], done: Callable[..., None]) -> Job:
        self._drop_job()
        self._job = job = Job(work)
        self._started.append(job)
        queued = Qt.ConnectionType.QueuedConnection
        job.said.done.connect(done, queued)
        job.said.failed.connect(self._failed, queued)
        job.said.progressed.connect(self._progressed, queued)
        self._pool.start(job)
        return job

    def _drop_job(self) -> None:
        """Have what is being worked out stop soon; what it still says is not listened to."""
        if self._job is not None:
            self._job.stopped = True
            self._job = None

    def _planned(self, job: Job, plan: Plan) -> None:
        if job is not self._job:
            return  # something was changed since
        self._job = None
        self._plan = plan
        self._say(outcome(plan), consequences(plan))
        self.go.setEnabled(bool(plan.chosen) or bool(plan.leaving))

    def _failed(self, job: Job, text: str) -> None:
        if job is not self._job:
            return
        self._job = None
        self.bar.hide()
        self._enable(True)
        self._say(text)
        self.go.setEnabled(False)

    def _say(self, text: str, more: str = "") -> None:
        self.outcome.setText(text)
        self.details.setText(more)
        self.details.setVisible(bool(more))

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
        self._start(
            lambda job: TARGETS["folder"].write(
                plan,
                progress=lambda *at: job.said.progressed.emit(job, *at),
                cancelled=lambda: job.stopped,
            ),
            self._done,
        )

    def _enable(self, on: bool) -> None:
        for part in (self.folder, self.originals, self.jpegs, self.long_edge, self.location):
            part.setEnabled(on)
        for clause, box in self.clauses.items():
            box.setEnabled(on and bool(self._wanted.approved[clause]))
        self.go.setEnabled(on)

    def _progressed(self, job: Job, done: int, total: int, name: str) -> None:
        if job is not self._job:
            return
        self.bar.setValue(done)
        self._say(f"Exporting {words.count(done)} of {words.count(total)} · {name}")

    def _done(self, job: Job, report: Report) -> None:
        if job is not self._job:
            return
        self._job = None
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
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.report.folder)))

    def _cancel(self) -> None:
        if self._job is not None and self.bar.isVisible():
            self._job.stopped = True  # what is written by now stays, and the report says so
            self._say("Stopping after this photo…")
        elif self.report is not None:
            self.accept()
        else:
            self.reject()

    def reject(self) -> None:
        """Stop what is going on, then close."""
        if self._job is not None and self.bar.isVisible():
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
        self._drop_job()
        self._pool.waitForDone()


def suggested_folder(title: str) -> str:
    """Suggest a folder beside the person's pictures, named after the scope."""
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    safe = "".join(c if c.isalnum() or c in " -_." else "_" for c in title).strip(". ") or "photos"
    return str(Path(pictures) / "Curator exports" / safe)


def outcome(plan: Plan) -> str:
    """Say the dry run in one line: ``185 photos, 212 files, 6.1 GB; 12 already there``."""
    told = plan.summary()
    files, new = int(str(told["files"])), int(str(told["new_files"]))
    there = int(str(told["unchanged_files"]))
    if not files:
        return "Nothing to export."
    size = words.size(plan.bytes_to_write)
    about = "about " if plan.options.form == "jpeg" else ""
    text = f"{words.photos(len(plan.chosen))}, {words.plural(files, 'file')}"
    text += f", {about}{size} to write" if new else ", all already there"
    return text + (f"; {words.count(there)} already there" if there and new else "")


def consequences(plan: Plan) -> str:
    """Say what else the plan found, one sentence a line."""
    lines = []
    if plan.leaving:
        lines.append(
            f"{words.photos(len(plan.leaving))} no longer approved: marked as withdrawn in "
            "photos.json, files stay."
        )
    if plan.edited:
        lines.append(f"{words.plural(len(plan.edited), 'file')} there were changed since: kept.")
    if plan.skipped:
        lines.append(f"{words.photos(len(plan.skipped))} cannot go: {plan.skipped[0].reason}")
    return "\n".join(lines)


def told(report: Report) -> tuple[str, str]:
    """Say what an export did, and what it could not do."""
    text = f"{words.plural(len(report.written), 'file')} written, {words.size(report.bytes)}"
    text += f"; {words.count(report.kept)} were there already." if report.kept else "."
    if report.cancelled:
        text = f"Stopped. {text} Export again to go on where it stopped."
    lines = [f"In {report.folder}, with photos.json"]
    lines += [f"{skip.path}: {skip.reason}" for skip in report.failed[:5]]
    if len(report.failed) > 5:
        lines.append(f"and {len(report.failed) - 5} more that could not be exported")
    return text, "\n".join(lines)


def _details(job: Job, catalog_path: Path, ids: Sequence[int]) -> Iterator[PhotoDetail]:
    """Read the photos over a connection of this thread's own."""
    catalog = Catalog.open(catalog_path)
    try:
        for photo_id in ids:
            if job.stopped:
                raise _Stopped
            yield catalog.photo(photo_id)
    finally:
        catalog.close()
