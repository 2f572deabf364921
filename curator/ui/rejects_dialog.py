"""Removing the files of rejects: exactly what would go, in pictures and by name, then the going."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QThreadPool,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QWidget,
)

from curator import removal
from curator.catalog import Catalog
from curator.model import counted
from curator.removal import Listed, Part, Removal, Report
from curator.session import Session
from curator.ui import dialogs, theme, words
from curator.ui.dialogs import Choice, Dialog, Question
from curator.ui.export_job import Job
from curator.ui.frames import Pictures
from curator.ui.rejects_grid import RejectsGrid

_MARGIN = 48  # of the window left around the dialog
_TITLES = {
    Part.ORIGINAL: "photo",
    Part.SIDECAR: "sidecar",
    Part.COPY: "copy elsewhere",
    Part.COMPANION: "beside it",
}
Index = QModelIndex | QPersistentModelIndex


class FileTable(QAbstractTableModel):
    """The files as rows, each with a tick where it may go; all of it plain text.

    Signals:
        ticked: a row was ticked or unticked.
    """

    ticked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.wished: list[Listed] = []  # as ticked by the person
        self.files: list[Listed] = []  # as they go: what is beside a picture stays with it

    def show_files(self, files: Sequence[Listed]) -> None:
        """Replace the rows; ``files`` ticked as they are wished to be."""
        self.beginResetModel()
        self.wished = list(files)
        self.files = removal.bound(self.wished)
        self.endResetModel()

    def tick(self, rows: Sequence[int], on: bool) -> None:
        """Tick rows, or take their ticks off; what has to stay keeps none."""
        for row in rows:
            file = self.wished[row]
            self.wished[row] = replace(file, ticked=on and not file.stays)
        if rows:
            self.files = removal.bound(self.wished)
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.files) - 1, 2))
            self.ticked.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """One row a file."""
        return 0 if parent.isValid() else len(self.files)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """Name, what it is, size."""
        return 0 if parent.isValid() else 3

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let the tick be changed where the file may go."""
        flags = super().flags(index)
        may_go = not self.files[index.row()].stays
        return flags | Qt.ItemFlag.ItemIsUserCheckable if may_go else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Give a cell."""
        file = self.files[index.row()]
        path = Path(file.path)
        if role == Qt.ItemDataRole.DisplayRole:
            where = str(Path(path.parent.name) / path.name)
            what = "stays" if file.stays else _TITLES[file.part]
            return (where, what, words.size(file.size))[index.column()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return Qt.CheckState.Checked if file.ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return theme.plain_tip("\n".join(filter(None, (file.path, file.stays))))
        if role == Qt.ItemDataRole.ForegroundRole:
            return theme.TEXT if file.ticked and index.column() == 0 else theme.QUIET
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Change a tick."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.tick([index.row()], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


class RejectsDialog(Dialog):
    """Shows what would go, and removes it when told to.

    Args:
        session: whose rejects.
        ids: the rejects of its scope.
        pictures: for their thumbnails.
        parent: the window.
    """

    def __init__(
        self,
        session: Session,
        ids: Sequence[int],
        pictures: Pictures | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(f"Remove the files of {counted(len(ids), 'reject')}", parent)
        around = parent.window().size() if parent is not None else self.size() * 2
        self.setFixedSize(around.width() - 2 * _MARGIN, around.height() - 2 * _MARGIN)
        self._session, self._ids = session, list(ids)
        self.report: Report | None = None
        self._job: Job | None = None
        self._started: list[Job] = []  # kept: one that is dropped may still be running
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self.sentence = self.wrapped("Looking at the folders…")
        self.staying = self.wrapped("", "quiet")
        self.model = FileTable()
        self.grid = RejectsGrid(session.tile, pictures)
        self.table = self._make_table()
        self.for_good = QCheckBox("Delete for good, not to the trash")
        self.cancel = self.button("Cancel")
        self.go = self.button("Move to the trash")
        self._lay_out()
        self.model.ticked.connect(self._say)
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
        across = QHBoxLayout()
        across.setSpacing(24)
        across.addWidget(self.grid, 3)
        across.addWidget(self.table, 2)
        self.body.addLayout(across, 1)
        self.buttons.addWidget(self.for_good)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.cancel)
        self.buttons.addWidget(self.go)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFrameShape(QTableView.Shape.NoFrame)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.ROW)
        head = table.horizontalHeader()
        head.hide()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 104), (2, 72)):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            table.setColumnWidth(column, width)
        return table

    # --- what would go

    def make_plan(self) -> None:
        """Look at the folders, off this thread; ticks that were taken off stay off."""
        for job in self._started:
            job.stopped = True
        erasing, ids = self.for_good.isChecked(), self._ids
        off = {file.path for file in self.model.wished if not file.ticked and not file.stays}
        on = {file.path for file in self.model.wished if file.ticked}
        self.go.setEnabled(False)

        def work(job: Job, catalog: Catalog) -> Removal:
            shown = removal.plan(catalog.details(ids), erasing=erasing, heed=job.heed)
            files = (
                replace(file, ticked=file.path not in off and (file.ticked or file.path in on))
                for file in shown.files
            )
            return Removal(tuple(replace(f, ticked=f.ticked and not f.stays) for f in files))

        self._start(work, self._planned)

    def _planned(self, job: Job, shown: Removal) -> None:
        if job is self._job:
            self._job = None
            self.model.show_files(shown.files)
            self._say()

    @property
    def shown(self) -> Removal:
        """What would go as it is ticked now."""
        return Removal(tuple(self.model.files))

    def toggle(self, photo_id: int) -> None:
        """Leave a photo out with all its files, or take it in again with its own."""
        rows = [row for row, file in enumerate(self.model.files) if file.photo_id == photo_id]
        if any(self.model.files[row].ticked for row in rows):
            self.model.tick(rows, False)
            return
        own = (Part.ORIGINAL, Part.SIDECAR)
        self.model.tick([row for row in rows if self.model.files[row].part in own], True)

    def _say(self) -> None:
        shown, erasing = self.shown, self.for_good.isChecked()
        sizes = dict.fromkeys(self._ids, 0)
        for file in shown.files:
            if file.part is Part.ORIGINAL:
                sizes[file.photo_id] += file.size
        self.grid.show_photos(list(sizes.items()), {file.photo_id for file in shown.going})
        going = counted(len(shown.going), "file")
        freed = "freed at once" if erasing else "freed once the trash is emptied"
        of = words.photos(shown.photos)
        self.sentence.setText(
            f"{going} of {of}, {words.size(shown.bytes)}; {freed}. The photos stay in the catalog"
            " as rejects that are gone, so that none comes back by itself."
            if shown.going
            else "Nothing here can go."
        )
        left = [f"{counted(number, 'file')}: {why}" for why, number in shown.staying().items()]
        self.staying.setText("\n".join(left[:4]))
        self.staying.setVisible(bool(left))
        self.go.setText(f"Delete {going} for good…" if erasing else f"Move {going} to the trash")
        self.go.setEnabled(bool(shown.going))

    # --- the going

    def _ask_and_go(self) -> None:
        shown, erasing = self.shown, self.for_good.isChecked()
        going = counted(len(shown.going), "file")
        question = Question(
            f"Delete {going} for good",
            f"{words.size(shown.bytes)} of {words.photos(shown.photos)}. They do not go to the"
            " trash, and nothing brings them back.",
            (Choice("erase", f"Delete {going}", removes=True),),
        )
        if erasing and dialogs.ask(self, question) is None:
            return
        for part in (self.grid, self.table, self.for_good, self.go):
            part.setEnabled(False)
        self.cancel.setText("Stop")
        way, ids = removal.erase if erasing else removal.trash, self._ids

        def work(job: Job, catalog: Catalog) -> Report:
            return removal.remove(
                shown,
                catalog.details(ids),
                way=way,
                ledger=catalog,
                progress=lambda *at: job.said.progressed.emit(job, *at),
                cancelled=lambda: job.stopped,
            )

        self._start(work, self._done)

    def _progressed(self, job: Job, done: int, total: int, name: str) -> None:
        if job is self._job:
            self.sentence.setText(
                f"Removing {words.count(done + 1)} of {words.count(total)} · {name}"
            )

    def _done(self, job: Job, report: Report) -> None:
        if job is not self._job:
            return
        self._job, self.report = None, report
        freed = "freed" if self.for_good.isChecked() else "freed once the trash is emptied"
        self.title.setText(f"Removed {counted(len(report.removed), 'file')}")
        stopped = "Stopped. " if report.cancelled else ""
        self.sentence.setText(
            f"{stopped}{words.photos(report.photos)} gone: {words.size(report.bytes)}, {freed}."
        )
        left = [f"{path}: {reason}" for path, reason in report.left]
        self.staying.setText("\n".join(left[:6]))
        self.staying.setVisible(bool(left))
        for part in (self.grid, self.table, self.for_good, self.go):
            part.hide()
        self.cancel.setText("Close")
        self.cancel.setFocus()
        self._session.refresh()

    def _failed(self, job: Job, text: str) -> None:
        if job is not self._job:
            return
        self._job = None
        for part in (self.grid, self.table, self.for_good):
            part.setEnabled(True)
        self.cancel.setText("Cancel")
        self.sentence.setText(text)
        self.go.setEnabled(False)

    # --- off this thread

    def _start(self, work: Callable[[Job, Catalog], object], done: Callable[..., None]) -> None:
        path = self._session.home.catalog

        def run(job: Job) -> object:
            catalog = Catalog.open(path)
            try:
                return work(job, catalog)
            finally:
                catalog.close()

        self._job = job = Job(run)
        self._started.append(job)
        queued = Qt.ConnectionType.QueuedConnection
        job.said.done.connect(done, queued)
        job.said.failed.connect(self._failed, queued)
        job.said.progressed.connect(self._progressed, queued)
        self._pool.start(job)

    def reject(self) -> None:
        """Close; while files are going, stop after the photo under way."""
        if self._job is not None and self.cancel.text() == "Stop":
            self._job.stopped = True
            return
        for job in self._started:
            job.stopped = True  # so that closing does not wait for folders still to be looked at
        self._job = None
        self._pool.waitForDone()
        super().reject()


def review_rejects(session: Session, pictures: Pictures | None, window: QWidget) -> None:
    """Open the dialog for the rejects of the scope, if there are any."""
    ids = session.scope_ids("rejected")
    if not ids:
        session.say("There is no reject here whose files could be removed.")
        return
    dialog = RejectsDialog(session, ids, pictures, window)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
