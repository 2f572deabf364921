"""Sidecars: what writing them would change, and choosing where file and catalog contradict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QWidget

from curator.catalog import Conflict
from curator.model import KnownError, counted
from curator.pipeline import Difference, Inside, Preview
from curator.session import Session
from curator.session.sidecars import OURS, THEIRS, in_words
from curator.ui import dialogs, theme, words
from curator.ui.dialogs import Choice, Dialog, Question

_WIDTH = 960
_SIDES = {OURS: "Keep mine", THEIRS: "Take the file's"}
_NO_MARKS = "JPEG, TIFF, DNG and HEIC"
Index = QModelIndex | QPersistentModelIndex
_DISPLAY = Qt.ItemDataRole.DisplayRole


class _Rows(QAbstractTableModel):
    """Rows of plain text under heads; a subclass says what stands in a cell."""

    heads: tuple[str, ...] = ()

    def count(self) -> int:
        """Say how many rows there are."""
        raise NotImplementedError

    def cell(self, row: int, column: int) -> str:
        """Give the text of a cell."""
        raise NotImplementedError

    def tip(self, row: int) -> str:
        """Give what the pointer is told of a row."""
        raise NotImplementedError

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """One row each."""
        return 0 if parent.isValid() else self.count()

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """As many as there are heads."""
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> object:
        """Name the columns."""
        if orientation is Qt.Orientation.Horizontal and role == _DISPLAY:
            return self.heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = _DISPLAY) -> object:
        """Give a cell."""
        if role == _DISPLAY:
            return self.cell(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return theme.plain_tip(self.tip(index.row()))
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return theme.QUIET
        return None


class ConflictTable(_Rows):
    """Each sidecar that contradicts a mark, both sides, and which is to be taken.

    The newer side is proposed; what a person chose is in pencil.
    """

    heads = ("Photo", "Yours", "In the file", "Newer", "Choice")

    def __init__(self) -> None:
        super().__init__()
        self.conflicts: list[Conflict] = []
        self.chosen: dict[int, str] = {}

    def show_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Replace the rows."""
        self.beginResetModel()
        self.conflicts = list(conflicts)
        self.chosen = {}
        self.endResetModel()

    def side(self, conflict: Conflict) -> str:
        """Say which side is taken of one: the one chosen, else the newer."""
        proposed = THEIRS if conflict.newer == "file" else OURS
        return self.chosen.get(conflict.photo_id, proposed)

    def choices(self) -> dict[int, str]:
        """Give the side of each photo."""
        return {conflict.photo_id: self.side(conflict) for conflict in self.conflicts}

    def choose(self, rows: Sequence[int], side: str) -> None:
        """Choose a side for some rows."""
        for row in rows:
            self.chosen[self.conflicts[row].photo_id] = side
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(self.count() - 1, 4))

    def turn(self, row: int) -> None:
        """Choose the other side of a row."""
        other = OURS if self.side(self.conflicts[row]) == THEIRS else THEIRS
        self.choose([row], other)

    def count(self) -> int:
        """One row a sidecar."""
        return len(self.conflicts)

    def cell(self, row: int, column: int) -> str:
        """Say one fact."""
        conflict = self.conflicts[row]
        ours, theirs = (
            ", ".join(in_words(name, both[side]) for name, both in conflict.differs.items())
            for side in (0, 1)
        )
        newer = "the file" if conflict.newer == "file" else "yours"
        return (conflict.name, ours, theirs, newer, _SIDES[self.side(conflict)])[column]

    def tip(self, row: int) -> str:
        """Say where the file is."""
        return self.conflicts[row].path

    def data(self, index: Index, role: int = _DISPLAY) -> object:
        """Give a cell; what a person chose is in pencil, what is proposed in grey."""
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 4:
            chosen = self.conflicts[index.row()].photo_id in self.chosen
            return theme.PENCIL if chosen else theme.QUIET
        return super().data(index, role)


class DifferenceTable(_Rows):
    """Each sidecar that would change, and how."""

    heads = ("Sidecar", "What changes")

    def __init__(self) -> None:
        super().__init__()
        self.differences: list[Difference] = []

    def show_differences(self, differences: Sequence[Difference]) -> None:
        """Replace the rows."""
        self.beginResetModel()
        self.differences = list(differences)
        self.endResetModel()

    def count(self) -> int:
        """One row a sidecar."""
        return len(self.differences)

    def cell(self, row: int, column: int) -> str:
        """Say one fact."""
        difference = self.differences[row]
        path = Path(difference.path)
        what = difference.problem or " · ".join(difference.lines)
        if difference.changed:
            what = "changed by another program: it is read again first"
        return (str(Path(path.parent.name) / path.name), what)[column]

    def tip(self, row: int) -> str:
        """Say all of it, line by line."""
        difference = self.differences[row]
        return "\n".join((difference.path, *difference.lines, difference.problem)).strip()


class SidecarsDialog(Dialog):
    """Shows what writing would change, and what contradicts; writes and settles when told to.

    Args:
        session: what is on the table.
        ids: the photos whose sidecars are looked at.
        of: what these photos are, in the title.
        parent: the window.
    """

    def __init__(
        self, session: Session, ids: Sequence[int], of: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"Sidecars of {of}", parent)
        self.setFixedWidth(_WIDTH)
        self._sidecars, self._ids, self._table = session.sidecars, list(ids), session.table
        self.conflicts, self.differences = ConflictTable(), DifferenceTable()
        self.disputed = self.wrapped("")
        self.sides = _table(self.conflicts, (150, 190, 190, 80))
        self.sentence = self.wrapped("Comparing…")
        self.table = _table(self.differences, (330,))
        self.note = self.wrapped("", "quiet")
        self.mine, self.files = self.button("All mine"), self.button("All the files'")
        self.settle = self.button("Settle")
        self.write = self.button("Write", primary=True)
        self.close_ = self.button("Close")
        self.embed = self.button("Embed in originals…")
        self.embed.hide()
        self._lone: tuple[int, ...] = ()
        self._lay_out()
        self.sides.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.sides.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.sides.clicked.connect(lambda index: self.conflicts.turn(index.row()))
        turn = QShortcut(QKeySequence(Qt.Key.Key_Space), self.sides)
        turn.setContext(Qt.ShortcutContext.WidgetShortcut)
        turn.activated.connect(self._turn)
        self.mine.clicked.connect(lambda: self._choose(OURS))
        self.files.clicked.connect(lambda: self._choose(THEIRS))
        self.settle.clicked.connect(self._guarded(self._settle))
        self.write.clicked.connect(self._guarded(self._write))
        self.close_.clicked.connect(self.accept)
        self.embed.clicked.connect(self._guarded(self._compare_originals))
        self._sidecars.previewed.connect(self._show)
        self._sidecars.compared.connect(self._ask_embed)
        self._sidecars.changed.connect(self._show_conflicts)
        self._show_conflicts()
        self._compare()
        self.close_.setFocus()

    def _lay_out(self) -> None:
        self.body.setSpacing(8)
        self._choosing = QHBoxLayout()
        self._choosing.setSpacing(8)
        for button in (self.mine, self.files):
            self._choosing.addWidget(button)
        self._choosing.addStretch(1)
        self._choosing.addWidget(self.settle)
        self.body.addWidget(self.disputed)
        self.body.addWidget(self.sides)
        self.body.addLayout(self._choosing)
        self.body.addWidget(self.sentence)
        self.body.addWidget(self.table)
        self.body.addWidget(self.note)
        self.buttons.addWidget(self.embed)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.close_)
        self.buttons.addWidget(self.write)

    def _guarded(self, act: Callable[[], None]) -> Callable[[], None]:
        """Say in the dialog what the world does wrong."""

        def do() -> None:
            try:
                act()
            except KnownError as error:
                self._tell(str(error))

        return do

    # --- two sides

    def _show_conflicts(self) -> None:
        found = self._sidecars.conflicts()
        if found != self.conflicts.conflicts:
            self.conflicts.show_conflicts(found)
        for part in (self.disputed, self.sides, self.mine, self.files, self.settle):
            part.setVisible(bool(found))
        one = len(found) == 1
        self.disputed.setText(
            f"{counted(len(found), 'sidecar')} {'was' if one else 'were'} changed elsewhere and"
            f" {'contradicts' if one else 'contradict'} your marks. The newer side is proposed;"
            " press a row, or Space on it, for the other one."
        )
        self.settle.setText(f"Settle {counted(len(found), 'photo')}")
        self.sides.setFixedHeight(_height(len(found), 5))

    def _choose(self, side: str) -> None:
        self.conflicts.choose(range(self.conflicts.count()), side)

    def _turn(self) -> None:
        index = self.sides.currentIndex()
        if index.isValid():
            self.conflicts.turn(index.row())

    def _settle(self) -> None:
        self._sidecars.settle(self.conflicts.choices())
        self._show_conflicts()
        self._compare()

    # --- what would change

    def _compare(self) -> None:
        self.write.setEnabled(False)
        self.write.setText("Write")
        self._sidecars.preview(self._ids)

    def _show(self, found: Preview | KnownError) -> None:
        if isinstance(found, KnownError):
            self.sentence.setText(str(found))
            return
        self.differences.show_differences(found.differences)
        number = len(found.differences)
        same = f"; {words.count(found.same)} {_say(found.same)} so already" if found.same else ""
        self.sentence.setText(
            f"{counted(number, 'sidecar')} for {found.profile.title} would change{same}."
            if number
            else "No sidecar would change."
            if found.without
            else "No sidecar would change: they say all there is to say."
        )
        self.table.setVisible(number > 0)
        self.table.setFixedHeight(_height(number, 10))
        self.note.setText(_note(found))
        self.note.setVisible(bool(self.note.text()))
        self._lone = found.lone
        self.embed.setVisible(bool(found.lone))
        self.write.setEnabled(number > 0)
        self.write.setText(f"Write {counted(number, 'sidecar')}" if number else "Write")
        self._fit()

    def _fit(self) -> None:
        """Be as high as what is in it."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.setFixedHeight(layout.totalHeightForWidth(_WIDTH))

    # --- into originals

    def _compare_originals(self) -> None:
        self._sidecars.compare_originals(self._lone)
        self.embed.setEnabled(False)
        self.embed.setText("Comparing originals…")

    def _ask_embed(self, found: list[Inside] | KnownError) -> None:
        """Say how many originals would change, and have it done if that is agreed to."""
        self.embed.setEnabled(True)
        self.embed.setText("Embed in originals…")
        if isinstance(found, KnownError):
            self._tell(str(found))
            return
        ids = [each.photo_id for each in found if not each.problem]
        left = [each for each in found if each.problem]
        if not ids:
            self._tell("; ".join(["No original would change", *_left(left)]) + ".")
            return
        if dialogs.ask(self, _embedding(len(ids), left)) == "embed":
            self._guarded(lambda: self._sidecars.embed(ids))()
            self.accept()

    def _tell(self, text: str) -> None:
        self.sentence.setText(text)
        self._fit()

    def _write(self) -> None:
        self._sidecars.write([each.photo_id for each in self.differences.differences])
        self.accept()


def _note(found: Preview) -> str:
    """Say which marks do not arrive, and what to do so that the others do."""
    lines = []
    if found.without:
        lines.append(
            f"{words.photos(len(found.without))} with marks have no sidecar this editor would"
            f" read: for {_NO_MARKS} it reads only what is embedded in the file. Embedding changes"
            " originals, and is asked about first; darktable and digiKam read sidecars of all of"
            " them (Settings, Sidecars)."
        )
    if found.differences and found.profile.name == "lightroom":
        lines.append("Afterwards, in Lightroom: Metadata > Read Metadata from Files.")
    return "\n".join(lines)


def _embedding(number: int, left: Sequence[Inside]) -> Question:
    originals = counted(number, "original")
    lines = [
        f"exiftool writes stars, flags, labels and keywords into {originals}. Each is checked"
        " before it takes the place of what is there: the picture stays as it is, bit by bit.",
        "Undo does not take it back: what you change later waits until you embed again.",
        *(f"{line}." for line in _left(left)),
        "Afterwards, in Lightroom: Metadata > Read Metadata from Files.",
    ]
    return Question(
        f"Change {originals}?",
        "\n".join(lines),
        (Choice("embed", f"Change {originals}", primary=True, removes=True),),
    )


def _left(left: Sequence[Inside]) -> list[str]:
    if not left:
        return []
    first = f"{Path(left[0].path).name}: {left[0].problem.rstrip('.')}"
    return [f"{counted(len(left), 'photo')} left alone: {first}"]


def _say(number: int) -> str:
    return "says" if number == 1 else "say"


def _height(rows: int, most: int) -> int:
    """Give the height of a table with its head, in px."""
    return (1 + min(max(rows, 1), most)) * theme.ROW + 4


def _table(model: QAbstractTableModel, widths: Sequence[int]) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTextElideMode(Qt.TextElideMode.ElideRight)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(theme.ROW)
    head = table.horizontalHeader()
    head.setHighlightSections(False)
    head.setStretchLastSection(True)
    head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    for column, width in enumerate(widths):
        table.setColumnWidth(column, width)
    return table
