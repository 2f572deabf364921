"""The dialog that lists failed photos: file, reason and stage, with buttons to retry them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from curator.library.captions import format_time
from curator.model import Failure
from curator.ui.widgets import theme, words
from curator.ui.widgets.dialogs import Dialog
from curator.ui.widgets.tables import TextRows, table

_SENTENCES = {
    "peek": "{} could not be read.",
    "convert": "{} could not be read.",
    "faces": "Faces in {} could not be measured.",
    "embed": "{} could not be analyzed.",
    "describe": "{} could not be described.",
    "read_text": "Text in {} could not be read.",
}
_WIDTH = 960  # wider than other dialogs, because a reason is a sentence


class FailureTable(TextRows[Failure]):
    """The failures as rows."""

    heads = ("File", "Reason", "Stage", "Tries", "Next try")

    def cell(self, row: Failure, column: int) -> str:
        """Return a cell: file, reason, stage, attempts, next attempt."""
        path, later = Path(row.path), row.next_attempt_at
        return (
            words.path(Path(path.parent.name) / path.name),
            row.reason,
            words.STAGE_NOUNS.get(row.stage, row.stage),
            str(row.attempts),
            format_time(later) if later is not None else "",
        )[column]

    def tip(self, row: Failure) -> str:
        """Return the path and the whole reason."""
        return f"{row.path}\n{row.reason}"

    def color(self, row: Failure, column: int) -> QColor:
        """Return plain text color for file and reason, quiet for the rest."""
        return theme.QUIET if column > 1 else theme.TEXT


class FailuresDialog(Dialog):
    """Lists photos that could not be read, measured, analyzed or described, and retries them.

    Args:
        read: returns the current failures.
        retry: retries photos (None: all) and returns their number.
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
        super().__init__("Unreadable photos", parent, _WIDTH)
        self._read, self._retry, self._show = read, retry, show
        self.model = FailureTable()
        self.sentence = self.wrapped("", "quiet")
        self.body.addWidget(self.sentence)
        self.body.addSpacing(8)
        narrow = self.width() < _WIDTH
        widths = {0: 170, 2: 66, 3: 44, 4: 48} if narrow else {0: 250, 2: 96, 3: 46, 4: 64}
        self.table = table(self.model, "Unreadable photos", widths, selects=True)
        self.table.setMinimumHeight(11 * theme.ROW)
        self.table.doubleClicked.connect(lambda index: self._show_row(index.row()))
        self.body.addWidget(self.table)
        self.some = self.button("Retry selected")
        self.all = self.button("Retry all")
        close = self.button("Close")
        self.some.clicked.connect(lambda: self.retry(self._chosen()))
        self.all.clicked.connect(lambda: self.retry(None))
        close.clicked.connect(self.accept)
        self.add_buttons(close, left=(self.all, self.some))
        self.table.selectionModel().selectionChanged.connect(self._enable)
        self.refresh()
        close.setFocus()

    def refresh(self) -> None:
        """Read the failures again."""
        failures = self._read()
        self.model.show_rows(failures)
        self.sentence.setText(_summary(failures))
        self._enable()

    def retry(self, photos: Sequence[int] | None) -> None:
        """Retry photos (None: all) and show their number."""
        number = self._retry(photos)
        self.refresh()
        self.sentence.setText(f"Retrying {words.photos(number)}.")

    def _chosen(self) -> list[int]:
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        return sorted({self.model.rows[row].photo_id for row in rows})

    def _show_row(self, row: int) -> None:
        self._show(self.model.rows[row].photo_id)
        self.accept()

    def _enable(self) -> None:
        self.some.setEnabled(bool(self._chosen()))
        self.all.setEnabled(bool(self.model.rows))


def _summary(failures: Sequence[Failure]) -> str:
    """Return what could not be done, with how many photos."""
    failed: dict[str, set[int]] = {sentence: set() for sentence in _SENTENCES.values()}
    for each in failures:
        failed[_SENTENCES.get(each.stage, _SENTENCES["embed"])].add(each.photo_id)
    parts = [
        sentence.format(words.photos(len(photos))) for sentence, photos in failed.items() if photos
    ]
    if not parts:
        return "All photos could be read."
    return f"{' '.join(parts)} The files are unchanged."
