"""Deletes the files of rejected photos: shows exactly which ones, then moves them to the trash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QWidget

from curator import removal
from curator.catalog import Catalog
from curator.model import counted
from curator.removal import ListedFile, Part, RemovalPlan, RemovalReport
from curator.session import Session
from curator.ui.dialogs.jobs import Job, JobRunner
from curator.ui.dialogs.rejects_grid import CELL, RejectsGrid
from curator.ui.widgets import dialogs, layouts, theme, words
from curator.ui.widgets.dialogs import Choice, Dialog, Question
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.tables import DISPLAY, Index, TextRows, table

_MARGIN = 48  # of the window left around the dialog
_NARROW = 900  # px of width below which thumbnails get less room
_TITLES = {
    Part.ORIGINAL: "photo",
    Part.SIDECAR: "sidecar",
    Part.COPY: "other copy",
    Part.COMPANION: "other file",
}


class FileTable(TextRows[ListedFile]):
    """The files as rows, with a check box where a file may be deleted.

    Signals:
        ticked: a row was checked or unchecked.
    """

    ticked = Signal()
    heads = ("File", "What", "Size")
    numbers = frozenset({2})

    def __init__(self) -> None:
        super().__init__()
        self.wished: list[ListedFile] = []  # as the person checked them

    def show_files(self, files: Sequence[ListedFile]) -> None:
        """Replace the rows; ``files`` are checked as the person wants them."""
        self.wished = list(files)
        self.show_rows(removal.untick_shared(self.wished))

    def tick(self, rows: Sequence[int], on: bool) -> None:
        """Check or uncheck rows; files that must stay remain unchecked."""
        for row in rows:
            file = self.wished[row]
            self.wished[row] = replace(file, ticked=on and not file.stays)
        if rows:
            self.rows = removal.untick_shared(self.wished)
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 2))
            self.ticked.emit()

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return the row's flags; it can be checked if the file may be deleted."""
        flags = super().flags(index)
        may_go = not self.rows[index.row()].stays
        return flags | Qt.ItemFlag.ItemIsUserCheckable if may_go else flags

    def cell(self, row: ListedFile, column: int) -> str:
        """Return a cell: name, kind, size."""
        path = Path(row.path)
        what = "stays" if row.stays else _TITLES[row.part]
        return (words.path(Path(path.parent.name) / path.name), what, words.size(row.size))[column]

    def tip(self, row: ListedFile) -> str:
        """Return the path, and why the file stays."""
        return "\n".join(filter(None, (row.path, row.stays)))

    def color(self, row: ListedFile, column: int) -> QColor:
        """Return text color for the names of files to delete, quiet for all else."""
        return theme.TEXT if row.ticked and column == 0 else theme.QUIET

    def data(self, index: Index, role: int = DISPLAY) -> object:
        """Return a cell's data, including the check state."""
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            ticked = self.rows[index.row()].ticked
            return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        return super().data(index, role)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Change a check state."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.tick([index.row()], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


class RejectsDialog(Dialog):
    """Shows which files would be deleted, and deletes them when asked to.

    Args:
        session: the window's session.
        ids: the rejected photos of its scope.
        pictures: the source of their thumbnails.
        parent: the window.
    """

    def __init__(
        self,
        session: Session,
        ids: Sequence[int],
        pictures: Pictures,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(f"Delete {counted(len(ids), 'rejected photo')}", parent)
        around = parent.window().size() if parent is not None else self.size() * 2
        margin = _MARGIN if around.width() > _NARROW else 16
        self.setFixedSize(around.width() - 2 * margin, around.height() - 2 * margin)
        self._session, self._ids = session, list(ids)
        self._within = session.criteria.scope.key if session.criteria.scope.kind == "folder" else ""
        self.report: RemovalReport | None = None
        self._jobs = JobRunner(self)
        self._deleting = False
        self._jobs.failed.connect(self._failed)
        self._jobs.progressed.connect(self._progressed)
        self.sentence = self.wrapped("Checking the folders…")
        self.staying = self.wrapped("", "quiet")
        self.model = FileTable()
        self.grid = RejectsGrid(session.tile, pictures)
        self.grid.setMinimumWidth(2 * CELL.width() + 12)  # two columns and the bar
        self.table = table(self.model, "Files of rejects", {1: 124, 2: 72})
        self.table.setProperty("bare", True)
        self.table.horizontalHeader().hide()
        self.for_good = QCheckBox("Delete permanently")
        self.cancel = self.button("Cancel")
        self.go = self.button("Move to the trash")
        self._lay_out()
        self.model.ticked.connect(self._refresh)
        self.grid.pressed.connect(self.toggle)
        self.for_good.toggled.connect(lambda _: self.make_plan())
        self.cancel.clicked.connect(self.reject)
        self.go.clicked.connect(self._ask_and_go)
        self.cancel.setFocus()
        self.make_plan()

    def _lay_out(self) -> None:
        self.body.addWidget(self.sentence)
        self.body.addWidget(self.staying)
        self.body.addSpacing(12)
        across = layouts.row(spacing=24)
        narrow = self.width() < _NARROW  # the file names need the room
        across.addWidget(self.grid, 4 if narrow else 3)
        across.addWidget(self.table, 5 if narrow else 2)
        self.body.addLayout(across, 1)
        self.add_buttons(self.cancel, self.go, left=(self.for_good,))

    @property
    def _erases(self) -> bool:
        """Whether the files are deleted permanently, not moved to the trash."""
        return self.for_good.isChecked()

    # --- the files to delete

    def make_plan(self) -> None:
        """Plan the removal on the job thread; what the person checked or unchecked stays so."""
        erasing, ids, within = self._erases, self._ids, self._within
        wished = {file.path: file.ticked for file in self.model.wished if not file.stays}
        self.go.setEnabled(False)

        def work(job: Job, catalog: Catalog) -> RemovalPlan:
            photos = catalog.photos.details(ids)
            stop = job.check_stopped
            planned = removal.plan(photos, permanently=erasing, within=within, check_stopped=stop)
            files = (
                replace(file, ticked=wished.get(file.path, file.ticked) and not file.stays)
                for file in planned.files
            )
            return RemovalPlan(tuple(files), within)

        self._start(work, self._planned)

    def _planned(self, shown: RemovalPlan) -> None:
        self.model.show_files(shown.files)
        self._refresh()

    @property
    def shown(self) -> RemovalPlan:
        """The files to delete, as checked now."""
        return RemovalPlan(tuple(self.model.rows), self._within)

    def toggle(self, photo_id: int) -> None:
        """Exclude a photo with all its files, or include its originals and sidecars again."""
        rows = [row for row, file in enumerate(self.model.rows) if file.photo_id == photo_id]
        if any(self.model.rows[row].ticked for row in rows):
            self.model.tick(rows, False)
            return
        own = (Part.ORIGINAL, Part.SIDECAR)
        self.model.tick([row for row in rows if self.model.rows[row].part in own], True)

    def _refresh(self) -> None:
        shown, erasing = self.shown, self._erases
        sizes = dict.fromkeys(self._ids, 0)
        for file in shown.files:
            if file.part is Part.ORIGINAL:
                sizes[file.photo_id] += file.size
        self.grid.show_photos(list(sizes.items()), {file.photo_id for file in shown.going})
        going = counted(len(shown.going), "file")
        freed = "freed at once" if erasing else "freed once the trash is emptied"
        deletable = any(not file.stays for file in shown.files)
        text = "No files are selected." if deletable else "No files here can be deleted."
        if shown.going:
            text = (
                f"{going} of {words.photos(shown.photos)}, {words.size(shown.bytes)}; {freed}."
                " The photos stay in the catalog as rejected and deleted, so that a copy is not"
                " imported again."
            )
        self.sentence.setText(text)
        left = [f"{counted(number, 'file')}: {why}" for why, number in shown.staying().items()]
        left[:0] = self._copies()
        self.staying.setText("\n".join(left[:4]))
        self.staying.setVisible(bool(left))
        self.go.setText(f"Delete {going} permanently…" if erasing else f"Move {going} to the trash")
        self.go.setEnabled(bool(shown.going))

    def _copies(self) -> list[str]:
        """Return a line with the number of copies in other folders that stay, if any."""
        rows = self.model.rows
        number = sum(row.part is Part.COPY and not (row.ticked or row.stays) for row in rows)
        if number == 1:
            return ["1 copy in another folder stays."]
        return [f"{number:,} copies in other folders stay."] if number else []

    # --- deleting

    def _ask_and_go(self) -> None:
        shown, erasing = self.shown, self._erases
        going = counted(len(shown.going), "file")
        question = Question(
            f"Delete {going} permanently",
            f"{words.size(shown.bytes)} of {words.photos(shown.photos)}. They are not moved"
            " to the trash and cannot be restored.",
            (Choice("erase", f"Delete {going}", removes=True),),
        )
        if erasing and dialogs.ask(self, question) is None:
            return
        for part in (self.grid, self.table, self.for_good, self.go):
            part.setEnabled(False)
        self.cancel.setText("Stop")
        self._deleting = True
        delete, ids = removal.delete_permanently if erasing else removal.trash, self._ids

        def work(job: Job, catalog: Catalog) -> RemovalReport:
            return removal.remove(
                shown,
                catalog.photos.details(ids),
                delete=delete,
                ledger=catalog.removal,
                progress=job.report_progress,
                cancelled=lambda: job.stopped,
            )

        self._start(work, self._done)

    def _progressed(self, done: int, total: int, name: str) -> None:
        number = f"{words.count(done + 1)} of {words.count(total)}"
        moving = f"Moving {number} to the trash"
        self.sentence.setText(f"{f'Deleting {number}' if self._erases else moving} · {name}")

    def _done(self, report: RemovalReport) -> None:
        self.report = report
        freed = "freed" if self._erases else "freed once the trash is emptied"
        files = counted(len(report.removed), "file")
        self.title.setText(f"Deleted {files}" if self._erases else f"Moved {files} to the trash")
        stopped = "Stopped. " if report.cancelled else ""
        self.sentence.setText(
            f"{stopped}Of {words.photos(report.photos)}: {words.size(report.bytes)}, {freed}."
        )
        left = self._copies() + [f"{path}: {reason}" for path, reason in report.left]
        self.staying.setText("\n".join(left[:6]))
        self.staying.setVisible(bool(left))
        for part in (self.grid, self.table, self.for_good, self.go):
            part.hide()
        self._shrink()
        self.cancel.setText("Close")
        self._deleting = False
        self.cancel.setFocus()
        self._session.refresh()

    def _shrink(self) -> None:
        """Shrink to fit the result, around the same center."""
        layout, place = self.layout(), self.geometry()
        assert layout is not None
        self.body.activate()
        layout.activate()
        self.setFixedSize(theme.DIALOG, layout.totalHeightForWidth(theme.DIALOG))
        middle, place = place.center(), self.geometry()
        place.moveCenter(middle)
        self.move(place.topLeft())

    def _failed(self, text: str) -> None:
        for part in (self.grid, self.table, self.for_good):
            part.setEnabled(True)
        self.cancel.setText("Cancel")
        self._deleting = False
        self.sentence.setText(text)
        self.go.setEnabled(False)

    # --- jobs

    def _start(self, work: Callable[[Job, Catalog], object], done: Callable[..., None]) -> None:
        path = self._session.home.catalog

        def run(job: Job) -> object:
            with closing(Catalog.open(path)) as catalog:
                return work(job, catalog)

        self._jobs.start(run, done)

    def reject(self) -> None:
        """Close; while files are being deleted, stop after the current photo."""
        if self._jobs.busy and self._deleting:
            self._jobs.stop()
            return
        self._jobs.close()
        super().reject()


def review_rejects(session: Session, pictures: Pictures, window: QWidget) -> None:
    """Open the dialog for the scope's rejected photos, if there are any."""
    ids = session.statistics.scope_ids("rejected")
    if not ids:
        session.messages.say("No rejected photos here")
        return
    dialog = RejectsDialog(session, ids, pictures, window)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
