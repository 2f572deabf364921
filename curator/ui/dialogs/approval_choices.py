"""The part of the export dialog that chooses photos: the selection, and approving clauses."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from curator.library.approval import FROM_FILES, all_clauses
from curator.ui.dialogs.export_request import ExportRequest
from curator.ui.widgets import theme, words


class ApprovalChoices(QWidget):
    """A check box for the selection, and one for each clause with its number of photos.

    Args:
        request: the photos.
        rule: the approval rule of the settings.

    Signals:
        changed: other photos are chosen.

    Attributes:
        selection: the box "Selected photos only"; hidden without a selection.
        clauses: the clauses' boxes by name.
    """

    changed = Signal()

    def __init__(self, request: ExportRequest, rule: str) -> None:
        super().__init__()
        self._request = request
        self._counts: dict[str, QLabel] = {}
        self.clauses: dict[str, QCheckBox] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        number = len(request.selected)
        self.selection = QCheckBox(f"Selected photos only ({number:,})")
        self.selection.setChecked(request.only_selected)
        self.selection.setVisible(number > 0)
        self.selection.toggled.connect(self.refresh)
        self._column.addWidget(self.selection)
        if number:
            self._column.addSpacing(8)
        self._add_clauses(rule)
        self.refresh()

    def _add_clauses(self, rule: str) -> None:
        approved = self._request.approved()
        for clause in all_clauses(rule):
            row = QHBoxLayout()
            box = QCheckBox(clause.title.replace("&", "&&"))
            box.setChecked(clause.name in approved and clause is not FROM_FILES)
            box.toggled.connect(self.changed)
            row.addWidget(box)
            row.addStretch(1)
            self._counts[clause.name] = theme.plain("", role="quiet")
            row.addWidget(self._counts[clause.name])
            self.clauses[clause.name] = box
            self._column.addLayout(row)

    @property
    def only_selected(self) -> bool:
        """Whether only selected photos are exported."""
        return self.selection.isChecked()

    @property
    def chosen(self) -> frozenset[str]:
        """The names of the checked clauses."""
        return frozenset(name for name, box in self.clauses.items() if box.isChecked())

    @property
    def number(self) -> int:
        """The number of photos the checked clauses approve."""
        approved = self._request.approved(self.only_selected)
        return sum(approved[name] for name in self.chosen)

    def refresh(self) -> None:
        """Show the numbers, and disable clauses that approve no photo."""
        approved = self._request.approved(self.only_selected)
        for name, box in self.clauses.items():
            box.setEnabled(bool(approved[name]))
            self._counts[name].setText(words.count(approved[name]))
            self._counts[name].setEnabled(bool(approved[name]))
        self.changed.emit()
