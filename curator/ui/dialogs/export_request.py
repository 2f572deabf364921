"""Which photos an export takes: those of its request, by selection and approving clauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget

from curator.catalog import FolderRow
from curator.home import Home
from curator.library.approval import FROM_FILES, NO_SCORES, all_clauses
from curator.settings import ExportSettings
from curator.ui.widgets import layouts, theme, words


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The photos of a scope and which of them are approved.

    Attributes:
        title: the scope's name.
        ids: the scope's photos; in manual order if the scope is a project.
        clauses: the name of the clause that approves a photo, by photo id.
        home: where catalog, cache and presets are.
        folders: the folders of the catalog, which an export must not write into.
        last_folders: the folder of the last export of each kind.
        scores: match scores by photo id.
        match_model: the taste model's name; None without scores.
        project: the project's name, if the scope is one.
        notes: the project's notes.
        choices: those of the last export.
        selected: the selected ones of ``ids``.
        only_selected: whether to start with the selected photos only.
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
        """Count the photos, or only the selected ones, by the clause that approves them."""
        among = self.selected if only_selected else self.ids
        return Counter(self.clauses[photo] for photo in among if photo in self.clauses)


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
        self._unscored: set[str] = set()  # clauses that need match scores, while there are none
        self.clauses: dict[str, QCheckBox] = {}
        self._column = layouts.column(self)
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
            if not self._request.scores and clause.needs_scores:
                self._unscored.add(clause.name)
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
            needs = not approved[name] and name in self._unscored
            self._counts[name].setText(NO_SCORES if needs else words.count(approved[name]))
            self._counts[name].setEnabled(bool(approved[name]))
        self.changed.emit()
