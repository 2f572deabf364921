"""Tables in dialogs and pages: rows of plain text, 28 px high, below column names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from curator.ui.widgets import theme

Index = QModelIndex | QPersistentModelIndex
DISPLAY = Qt.ItemDataRole.DisplayRole
R = TypeVar("R")


class TextRows(QAbstractTableModel, Generic[R]):
    """Rows of plain text; a subclass returns the text of each cell.

    Attributes:
        heads: the names of the columns.
        numbers: indexes of columns with numbers, which are aligned right.
        rows: the rows shown.
    """

    heads: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[R] = []

    def cell(self, row: R, column: int) -> str:
        """Return the text of a cell."""
        raise NotImplementedError

    def tip(self, row: R) -> str:
        """Return the tooltip of a row; empty for none."""
        return ""

    def color(self, row: R, column: int) -> QColor:
        """Return the text color of a cell."""
        return theme.QUIET if column else theme.TEXT

    def show_rows(self, rows: Sequence[R]) -> None:
        """Replace the rows."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> object:
        """Return names and alignment of columns."""
        if orientation is Qt.Orientation.Horizontal and role == DISPLAY:
            return self.heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._aligned(section)
        return None

    def data(self, index: Index, role: int = DISPLAY) -> object:
        """Return text, tooltip, color or alignment of a cell."""
        row, column = self.rows[index.row()], index.column()
        if role == DISPLAY:
            return "↵".join(self.cell(row, column).splitlines())  # Qt shows one line only
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = self.tip(row)
            return theme.plain_tip(tip) if tip else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self.color(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._aligned(column)
        return None

    def _aligned(self, column: int) -> int:
        side = Qt.AlignmentFlag.AlignRight if column in self.numbers else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


class _ElideMiddle(QStyledItemDelegate):
    """Elides long text in its middle: file names differ at their ends."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Set the elision mode."""
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


def table(
    model: QAbstractTableModel, name: str, widths: Mapping[int, int], selects: bool = False
) -> QTableView:
    """Build a table over a model whose first column names the rows.

    Args:
        model: the rows.
        name: accessible name of the table.
        widths: widths by column, px; columns left out share the rest.
        selects: whether rows can be selected.
    """
    view = QTableView()
    view.setModel(model)
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    if not selects:
        view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    view.setTabKeyNavigation(False)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setItemDelegateForColumn(0, _ElideMiddle(view))
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(theme.ROW)
    head = view.horizontalHeader()
    head.setHighlightSections(False)
    head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    for column in range(model.columnCount()):
        if column in widths:
            view.setColumnWidth(column, widths[column])
        else:
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
    return view


def height(rows: int, most: int) -> int:
    """Return the height of a table with ``rows`` rows, at most ``most``, and its head, px."""
    return (1 + min(max(rows, 1), most)) * theme.ROW + 4
