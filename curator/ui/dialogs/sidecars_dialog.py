"""The sidecars dialog: shows what writing would change, and resolves conflicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import QTableView, QWidget

from curator.catalog import Conflict
from curator.model import KnownError, counted
from curator.pipeline import Difference, MetadataResult, Preview
from curator.session import Session
from curator.session.sidecars import OURS, THEIRS, in_words
from curator.ui.widgets import dialogs, layouts, theme, words
from curator.ui.widgets.dialogs import Choice, Dialog, Question
from curator.ui.widgets.tables import TextRows, height, table

_WIDTH = 960
_AROUND = 400  # px of everything but rows
_SIDES = {OURS: "Keep mine", THEIRS: "Take the file's"}


class ConflictTable(TextRows[Conflict]):
    """The sidecars that conflict with marks: both sides, and which one is kept.

    The newer side is suggested; a side that the person chose is in pencil color.
    """

    heads = ("Photo", "Yours", "In the file", "Newer", "Choice")

    def __init__(self) -> None:
        super().__init__()
        self.chosen: dict[int, str] = {}

    def show_rows(self, rows: Sequence[Conflict]) -> None:
        """Replace the rows; choices stay for photos whose conflicts are unchanged."""
        before = {row.path: row for row in self.rows}
        changed = {row.photo_id for row in rows if before.get(row.path) != row}
        kept = self.chosen.keys() & {row.photo_id for row in rows} - changed
        self.chosen = {photo: self.chosen[photo] for photo in kept}
        super().show_rows(rows)

    def side(self, conflict: Conflict) -> str:
        """Return the side to keep: the chosen one, else the newer one."""
        suggested = THEIRS if conflict.newer == "file" else OURS
        return self.chosen.get(conflict.photo_id, suggested)

    def choices(self) -> dict[int, str]:
        """Return the side to keep, by photo."""
        return {conflict.photo_id: self.side(conflict) for conflict in self.rows}

    def choose(self, rows: Sequence[int], side: str) -> None:
        """Choose the side to keep for rows."""
        for row in rows:
            self.chosen[self.rows[row].photo_id] = side
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 4))

    def switch(self, row: int) -> None:
        """Choose the other side for a row."""
        other = OURS if self.side(self.rows[row]) == THEIRS else THEIRS
        self.choose([row], other)

    def cell(self, row: Conflict, column: int) -> str:
        """Return a cell."""
        ours, theirs = (
            ", ".join(in_words(name, both[side]) for name, both in row.differs.items())
            for side in (0, 1)
        )
        newer = "the file" if row.newer == "file" else "yours"
        return (row.name, ours, theirs, newer, _SIDES[self.side(row)])[column]

    def tip(self, row: Conflict) -> str:
        """Return the file's path."""
        return row.path

    def color(self, row: Conflict, column: int) -> QColor:
        """Return pencil color for a chosen side, gray for a suggested one."""
        if column == 4:
            return theme.PENCIL if row.photo_id in self.chosen else theme.QUIET
        return theme.QUIET if column == 0 else theme.TEXT


class DifferenceTable(TextRows[Difference]):
    """The sidecars that would change, and how."""

    heads = ("Sidecar", "What changes")

    def cell(self, row: Difference, column: int) -> str:
        """Return a cell."""
        path = Path(row.path)
        what = row.problem or " · ".join(row.lines)
        if row.changed:
            what = "changed by another app: read again first"
        return (words.path(Path(path.parent.name) / path.name), what)[column]

    def tip(self, row: Difference) -> str:
        """Return the path and all changes, one a line."""
        return "\n".join((row.path, *row.lines, row.problem)).strip()

    def color(self, row: Difference, column: int) -> QColor:
        """Return text color for the changes, quiet for the path."""
        return theme.TEXT if column else theme.QUIET


class SidecarsDialog(Dialog):
    """Shows what writing sidecars would change, and which of them conflict with the catalog.

    The person chooses a side for each conflict and starts the writing.

    Args:
        session: the window's session.
        ids: the photos.
        of: the photos' name in the title.
        parent: the window.
    """

    def __init__(
        self, session: Session, ids: Sequence[int], of: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"Sidecars of {of}", parent, _WIDTH)
        self._sidecars, self._ids = session.sidecars, list(ids)
        self.conflicts, self.differences = ConflictTable(), DifferenceTable()
        self.disputed = self.wrapped("")
        widths = {0: 150, 1: 190, 2: 190, 3: 80}
        self.sides = table(self.conflicts, "Conflicts", widths, selects=True)
        self.sentence = self.wrapped("Comparing…")
        self.table = table(self.differences, "What would change", {0: 330})
        self.note = self.wrapped("", "quiet")
        self.mine, self.files = self.button("Keep all mine"), self.button("Take all from files")
        self.apply = self.button("Apply")
        self.write = self.button("Write", primary=True)
        self.close_button = self.button("Close")
        self.embed = self.button("Embed in originals…")
        self.embed.hide()
        self._lone: tuple[int, ...] = ()
        self._lay_out()
        self.sides.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.sides.clicked.connect(lambda index: self.conflicts.switch(index.row()))
        space = QShortcut(QKeySequence(Qt.Key.Key_Space), self.sides)
        space.setContext(Qt.ShortcutContext.WidgetShortcut)
        space.activated.connect(self._switch_current)
        self.mine.clicked.connect(lambda: self._choose(OURS))
        self.files.clicked.connect(lambda: self._choose(THEIRS))
        self.apply.clicked.connect(self._guarded(self._apply))
        self.write.clicked.connect(self._guarded(self._write))
        self.close_button.clicked.connect(self.accept)
        self.embed.clicked.connect(self._guarded(self._compare_originals))
        self._sidecars.previewed.connect(self._show)
        self._sidecars.compared.connect(self._ask_embed)
        self._sidecars.changed.connect(self._show_conflicts)
        self._show_conflicts()
        self._compare()
        self.close_button.setFocus()

    def _lay_out(self) -> None:
        self.body.setSpacing(8)
        self._choosing = layouts.row(spacing=8)
        for button in (self.mine, self.files):
            self._choosing.addWidget(button)
        self._choosing.addStretch(1)
        self._choosing.addWidget(self.apply)
        self.body.addWidget(self.disputed)
        self.body.addWidget(self.sides)
        self.body.addLayout(self._choosing)
        self.body.addWidget(self.sentence)
        self.body.addWidget(self.table)
        self.body.addWidget(self.note)
        self.add_buttons(self.close_button, self.write, left=(self.embed,))

    def _guarded(self, act: Callable[[], None]) -> Callable[[], None]:
        """Return a function that calls ``act`` and shows its error in the dialog."""

        def guarded() -> None:
            try:
                act()
            except KnownError as error:
                self._show_message(str(error))

        return guarded

    # --- conflicts

    def _show_conflicts(self) -> None:
        known, wanted = self._sidecars.conflicts(), set(self._ids)
        found = [conflict for conflict in known if conflict.photo_id in wanted]
        if found != self.conflicts.rows:
            self.conflicts.show_rows(found)
        for part in (self.sides, self.mine, self.files, self.apply):
            part.setVisible(bool(found))
        self.disputed.setVisible(bool(known))
        self.disputed.setText(_disputed(len(found), len(known) - len(found)))
        self.apply.setText(f"Apply to {counted(len(found), 'photo')}")
        self.sides.setFixedHeight(height(len(found), self._rows // 2))

    def _choose(self, side: str) -> None:
        self.conflicts.choose(range(len(self.conflicts.rows)), side)

    def _switch_current(self) -> None:
        index = self.sides.currentIndex()
        if index.isValid():
            self.conflicts.switch(index.row())

    def _apply(self) -> None:
        self._sidecars.resolve(self.conflicts.choices())
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
        self.differences.show_rows(found.differences)
        number = len(found.differences)
        if number:
            same = f"; {words.count(found.same)} up to date already" if found.same else ""
            text = f"{counted(number, 'sidecar')} for {found.profile.title} would change{same}."
        elif found.without:
            text = "No sidecar would change."
        else:
            text = "No sidecar would change: all of them are up to date."
        self.sentence.setText(text)
        self.table.setVisible(number > 0)
        self.table.setFixedHeight(height(number, self._rows))
        self.note.setText(_note(found))
        self.note.setVisible(bool(self.note.text()))
        self._lone = found.lone
        self.embed.setVisible(bool(found.lone))
        self.write.setEnabled(number > 0)
        self.write.setText(f"Write {counted(number, 'sidecar')}" if number else "Write")
        self._fit()

    @property
    def _rows(self) -> int:
        """The number of changes shown at once, fewer on a low screen."""
        return min(max((self.max_size.height() - _AROUND) // (2 * theme.ROW), 2), 10)

    def _fit(self) -> None:
        """Fit the height to the content."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.setFixedHeight(layout.totalHeightForWidth(self.width()))

    # --- into originals

    def _compare_originals(self) -> None:
        self._sidecars.compare_originals(self._lone)
        self.embed.setEnabled(False)
        self.embed.setText("Comparing originals…")

    def _ask_embed(self, found: list[MetadataResult] | KnownError) -> None:
        """Ask whether to change originals, naming their number; then embed."""
        self.embed.setEnabled(True)
        self.embed.setText("Embed in originals…")
        if isinstance(found, KnownError):
            self._show_message(str(found))
            return
        ids = [each.photo_id for each in found if not each.problem]
        left = [each for each in found if each.problem]
        if not ids:
            self._show_message("; ".join(["No original would change", *_left(left)]) + ".")
            return
        if dialogs.ask(self, _embedding(len(ids), left)) == "embed":
            self._guarded(lambda: self._embed(ids))()

    def _embed(self, ids: Sequence[int]) -> None:
        self._sidecars.embed(ids)
        self.accept()

    def _show_message(self, text: str) -> None:
        self.sentence.setText(text)
        self._fit()

    def _write(self) -> None:
        self._sidecars.write([each.photo_id for each in self.differences.rows])
        self.accept()


def _disputed(here: int, elsewhere: int) -> str:
    """Return how many sidecars conflict with marks: of the dialog's photos, and of other photos."""
    lines = []
    if here:
        lines.append(
            f"{words.conflicts(here)}. The newer side is suggested; click a row, or press Space, to"
            " choose the other."
        )
    if elsewhere:
        lines.append(f"Of other photos: {words.conflicts(elsewhere)}.")
    return "\n".join(lines)


def _note(found: Preview) -> str:
    """Return which photos the editor ignores sidecars for, and what to do in Lightroom."""
    lines = []
    if found.without:
        lines.append(
            f"{found.profile.ignores(len(found.without))}; embed the marks instead. Embedding"
            " changes originals and asks first. darktable and digiKam read sidecars of all files"
            " (Settings, Sidecars)."
        )
    if found.differences and found.profile.name == "lightroom":
        lines.append("Afterwards, in Lightroom: Metadata > Read Metadata from Files.")
    return "\n".join(lines)


def _embedding(number: int, left: Sequence[MetadataResult]) -> Question:
    originals = counted(number, "original")
    lines = [
        f"exiftool writes stars, flags, labels and keywords into {originals}. Each copy is checked"
        " before it replaces the original: the image data stays identical.",
        "Undo does not change the files: later marks wait until you embed again.",
        *(f"{line}." for line in _left(left)),
        "Afterwards, in Lightroom: Metadata > Read Metadata from Files.",
    ]
    return Question(
        f"Change {originals}?",
        "\n".join(lines),
        (Choice("embed", f"Change {originals}", primary=True, removes=True),),
    )


def _left(left: Sequence[MetadataResult]) -> list[str]:
    if not left:
        return []
    first = f"{Path(left[0].path).name}: {left[0].problem.rstrip('.')}"
    return [f"{counted(len(left), 'photo')} skipped: {first}"]
