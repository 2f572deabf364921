"""The list of what could not be read: which file, at what, why, and the way to try again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from curator.model import Failure
from curator.session.captions import when
from curator.ui import theme, words
from curator.ui.dialogs import Dialog

STAGES = {"peek": "Headers", "convert": "Picture", "embed": "Comparing", "describe": "Describing"}
_WIDTH = 960  # wider than other dialogs: a reason is a sentence
_HEADS = ("File", "Reason", "At", "Tries", "Next")
Index = QModelIndex | QPersistentModelIndex


class FailureTable(QAbstractTableModel):
    """The failures as rows; all of it plain text."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Failure] = []

    def show_failures(self, failures: Sequence[Failure]) -> None:
        """Replace the rows."""
        self.beginResetModel()
        self.failures = list(failures)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """One row a failure."""
        return 0 if parent.isValid() else len(self.failures)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """File, reason, stage, attempts, next attempt."""
        return 0 if parent.isValid() else len(_HEADS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Name the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Give a cell."""
        failure = self.failures[index.row()]
        path = Path(failure.path)
        if role == Qt.ItemDataRole.DisplayRole:
            stage = STAGES.get(failure.stage, failure.stage)
            where = str(Path(path.parent.name) / path.name)
            later = failure.next_attempt_at
            following = when(later) if later is not None else ""
            return (where, failure.reason, stage, str(failure.attempts), following)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return theme.plain_tip(f"{failure.path}\n{failure.reason}")
        if role == Qt.ItemDataRole.ForegroundRole and index.column() != 0:
            return theme.QUIET if index.column() > 1 else theme.TEXT
        return None


class FailuresDialog(Dialog):
    """Shows the failures and has them tried again.

    Args:
        read: gives the failures as they stand.
        retry: has these photos (None: all) tried again and gives how many that are.
        show: shows a photo in the window.
        parent: the window.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[Failure]],
        retry: Callable[[Sequence[int] | None], int],
        show: Callable[[int], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Unreadable photos", parent)
        self.setFixedWidth(_WIDTH)
        self._read, self._retry, self._show = read, retry, show
        self.model = FailureTable()
        self.sentence = self.wrapped("", "quiet")
        self.body.addWidget(self.sentence)
        self.body.addSpacing(8)
        self.table = self._make_table()
        self.body.addWidget(self.table)
        self.some = self.button("Retry selected")
        self.all = self.button("Retry all")
        close = self.button("Close")
        self.some.clicked.connect(lambda: self.again(self._chosen()))
        self.all.clicked.connect(lambda: self.again(None))
        close.clicked.connect(self.accept)
        self.buttons.addWidget(self.all)
        self.buttons.addWidget(self.some)
        self.buttons.addStretch(1)
        self.buttons.addWidget(close)
        self.table.selectionModel().selectionChanged.connect(self._enable)
        self.refresh()
        close.setFocus()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.ROW)
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for column, width in ((0, 250), (2, 96), (3, 46), (4, 64)):
            table.setColumnWidth(column, width)
        table.setMinimumHeight(11 * theme.ROW)
        table.doubleClicked.connect(lambda index: self._show_row(index.row()))
        return table

    def refresh(self) -> None:
        """Read the failures again."""
        failures = self._read()
        self.model.show_failures(failures)
        self.sentence.setText(_summary(failures))
        self._enable()

    def again(self, photos: Sequence[int] | None) -> None:
        """Have photos tried again and say so."""
        number = self._retry(photos)
        self.refresh()
        self.sentence.setText(f"Trying {words.photos(number)} again.")

    def _chosen(self) -> list[int]:
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        return sorted({self.model.failures[row].photo_id for row in rows})

    def _show_row(self, row: int) -> None:
        self._show(self.model.failures[row].photo_id)
        self.accept()

    def _enable(self) -> None:
        self.some.setEnabled(bool(self._chosen()))
        self.all.setEnabled(bool(self.model.failures))


def _summary(failures: Sequence[Failure]) -> str:
    """Say what the list is about: what could not be read, and what could not be done besides."""
    read = {each.photo_id for each in failures if each.stage in ("peek", "convert")}
    described = {each.photo_id for each in failures if each.stage == "describe"}
    rest = {each.photo_id for each in failures} - read - described
    parts = [
        f"{words.photos(len(photos))} could not be {what}."
        for photos, what in ((read, "read"), (rest, "compared"), (described, "described"))
        if photos
    ]
    if not parts:
        return "Every photo could be read."
    return f"{' '.join(parts)} Nothing was done to the files; everything else goes on."
