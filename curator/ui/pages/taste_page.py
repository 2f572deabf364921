"""The Taste page: how reliable the predictions are and why, and the versions of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QTimer
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QTableView, QVBoxLayout, QWidget

from curator.catalog import TasteRow
from curator.learning.learner import MIN_RATINGS, ScoreChange
from curator.learning.outlook import Outlook
from curator.learning.report import Report
from curator.model import KnownError, counted
from curator.session import Session
from curator.taste.ceiling import FEWEST
from curator.ui.pages.taste_accuracy import AccuracyPanel
from curator.ui.pages.taste_versions import MovedStrip, VersionTable
from curator.ui.widgets import layouts, theme
from curator.ui.widgets.dialogs import Dialog
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.tables import table

_WIDTH = 960
_BESIDE = 760  # px of width from which its two columns are side by side
_DOWN = QBoxLayout.Direction.TopToBottom
_LEAST = 96  # px of the columns on the smallest screen; they scroll
_HEIGHT = 400  # px at least, because it opens before there is anything to show
_COLUMN = 460
_NARROW = 360  # px of that column on a small screen
_GAP = 32
_ROWS = 5  # versions shown at once
_SOON_MS = 300  # the page is updated at most this often
_STAR = 16


class RatingSlots(QWidget):
    """A star for each rating that predictions need at first, filled once it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._given = 0
        self.setFixedHeight(_STAR + 8)

    def show_given(self, given: int) -> None:
        """Show how many of MIN_RATINGS photos have stars."""
        self._given = given
        self.setAccessibleName(f"{given} of {MIN_RATINGS} photos with stars")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the stars, filled for photos with stars."""
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        for number in range(MIN_RATINGS):
            full = number < self._given
            name, color = ("star_full", theme.PENCIL) if full else ("star", theme.DISABLED)
            icon = theme.pixmap(name, color, _STAR, ratio)
            painter.drawPixmap(number * (_STAR + 6), 4, icon)


class TastePage(Dialog):
    """Shows how well taste predicts, and saves, pins and unpins versions.

    Args:
        session: the window's session.
        pictures: the source of thumbnails.
        parent: the window.
    """

    def __init__(self, session: Session, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__("Taste", parent, _WIDTH)
        self._narrow = self.width() < _WIDTH
        self._column = _NARROW if self._narrow else _COLUMN
        self.setMinimumHeight(_HEIGHT)
        self._session = session
        self._closed = False
        self._report: Report | None = None
        self._outlook: Outlook | None = None
        self._outlook_problem = ""  # why it could not be measured
        self._make_head()
        self.body.addSpacing(20)
        self._columns = QWidget()
        below = self.width() < _BESIDE
        columns = QBoxLayout(_DOWN if below else QBoxLayout.Direction.LeftToRight, self._columns)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(_GAP - 8 * self._narrow)
        self.accuracy = AccuracyPanel(self._narrow)
        columns.addWidget(self.accuracy, 1)
        columns.addLayout(self._make_versions(pictures))
        self.scroll_area = theme.scrolled(self._columns)
        self.scroll_area.setFixedHeight(_LEAST)
        self.body.addWidget(self.scroll_area, 1)
        self._make_buttons()
        empty = (self.slots, self.pin, self.table, self.moved, self.moved_title)
        for part in (*empty, self.unpin, self.roll_back):
            part.hide()  # until there is something to show
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        session.taste.scores_changed.connect(self._soon.start)
        self.finished.connect(self._on_closed)
        self.refresh()
        self.close_button.setFocus()

    # --- parts

    def _make_head(self) -> None:
        self.verdict = theme.plain("", role="large")
        self.slots = RatingSlots()
        self.why = self.wrapped("")
        self.pin = self.wrapped("")
        self.state = self.wrapped(self._session.taste.sentence or "Reading…", "quiet")
        for part in (self.verdict, self.slots, self.why, self.pin, self.state):
            self.body.addWidget(part)

    def _make_versions(self, pictures: Pictures) -> QVBoxLayout:
        column = layouts.column()
        column.addWidget(theme.plain("Versions", role="section"))
        column.addSpacing(8)
        self.versions = VersionTable()
        widths = {0: 60, 1: 104, 3: 60, 4: 80} if self._narrow else {0: 86, 1: 128, 3: 62, 4: 88}
        self.table = table(self.versions, "Versions of taste", widths, selects=True)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.setFixedWidth(self._column)
        self.table.selectionModel().currentRowChanged.connect(lambda: self._choose())
        self.no_versions = self.wrapped("", "quiet")
        self.no_versions.setFixedWidth(self._column)
        self.moved_title = theme.wrapped("", "section")
        self.moved_title.setFixedWidth(self._column)
        self.moved = MovedStrip(self._session, pictures)
        column.addWidget(self.table)
        column.addWidget(self.no_versions)
        column.addSpacing(16)
        column.addWidget(self.moved_title)
        column.addSpacing(8)
        column.addWidget(self.moved)
        column.addStretch(1)
        return column

    def _make_buttons(self) -> None:
        self.keep = self.button("Save version now")
        self.keep.setEnabled(False)
        self.roll_back = self.button("Roll back")
        self.unpin = self.button("Unpin")
        self.close_button = self.button("Close")
        self.problem = self.wrapped("", "error")
        self.keep.clicked.connect(lambda: self._session.taste.keep_version(self._on_kept))
        self.roll_back.clicked.connect(self._roll_back)
        self.unpin.clicked.connect(self._unpin)
        self.close_button.clicked.connect(self.accept)
        self.buttons.addWidget(self.keep)
        self.buttons.addWidget(self.roll_back)
        self.buttons.addWidget(self.unpin)
        self.buttons.addWidget(self.problem, 1)
        self.buttons.addWidget(self.close_button)

    # --- content

    def refresh(self) -> None:
        """Request a new report and outlook; they are shown when they arrive."""
        self._session.taste.report(self._show)
        self._session.taste.outlook(self._show_outlook)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll by the keys that the part in focus does not use."""
        if not theme.scroll_by_key(self.scroll_area, event.key()):
            super().keyPressEvent(event)

    def _show(self, report: Report | KnownError) -> None:
        if self._closed:
            return
        if isinstance(report, KnownError):
            self.problem.setText(str(report))
            return
        self._report = report
        self._show_head(report)
        self.accuracy.show_report(report)
        chosen = self._chosen()
        if self.versions.show_versions(report.versions, report.learned.pinned):
            numbers = [row.id for row in report.versions]
            row = numbers.index(chosen.id) if chosen and chosen.id in numbers else 0
            self.table.selectRow(row)
        self._show_versions()
        self._fit()

    def _show_outlook(self, outlook: Outlook | KnownError) -> None:
        if self._closed:
            return
        problem = ""
        if isinstance(outlook, KnownError):
            problem, outlook = str(outlook), Outlook()
        if problem or self.problem.text() == self._outlook_problem:  # of now, or solved since
            self.problem.setText(problem)
        self._outlook_problem, self._outlook = problem, outlook
        if self._report is None:
            return
        self._show_head(self._report)
        self.accuracy.show_outlook(outlook)
        self._fit()

    def _fit(self) -> None:
        """Fit the height to the content, centered in the window; scroll if it does not fit."""
        layout, parent, columns = self.layout(), self.parentWidget(), self._columns.layout()
        assert layout is not None and columns is not None
        for each in (columns, self.body, layout):
            each.activate()
        around = layout.totalHeightForWidth(self.width()) - self.scroll_area.minimumHeight()
        beside = self.width() - layout.contentsMargins().left() - layout.contentsMargins().right()
        bar = self.scroll_area.verticalScrollBar().sizeHint().width()
        wanted = theme.height_in(self._columns, beside - bar)
        self.scroll_area.setFixedHeight(max(min(wanted, self.max_size.height() - around), _LEAST))
        self.resize(self.width(), around + self.scroll_area.height())
        if parent is not None:
            placed = self.geometry()
            placed.moveCenter(parent.window().geometry().center())
            self.move(placed.topLeft())

    def _show_head(self, report: Report) -> None:
        learned = report.learned
        begun = learned.ratings >= MIN_RATINGS or learned.pinned is not None
        self.slots.setVisible(not begun)
        self.slots.show_given(min(learned.ratings, MIN_RATINGS))
        missing = f"{learned.ratings} of {MIN_RATINGS} photos with stars"
        self.verdict.setText(report.accuracy.headline if begun else missing)
        no_encoder = self._no_encoder_reason(report)  # ratings alone predict nothing
        how = "" if no_encoder else self._how_to_begin(learned.ratings)
        self.why.setText(self._explanation(report) if begun else how)
        self.why.setVisible(bool(self.why.text()))
        pinned = learned.pinned is not None
        later = "" if learned.problem else " Curator learns from newer ratings once you unpin it."
        self.pin.setText(learned.sentence + later if pinned else "")
        self.pin.setVisible(pinned)
        by_time = "Culls are sorted by capture time until predictions are reliable."
        until = "" if report.accuracy.trusted else by_time
        where = " ".join(filter(None, (learned.sentence if begun else "", until)))
        state = [
            *([] if pinned else [where]),
            no_encoder or report.analysis_sentence,
            report.damaged,
        ]
        self.state.setText("\n".join(filter(None, state)))

    def _explanation(self, report: Report) -> str:
        """Return why predictions are not reliable, what they reach, and what stars would bring."""
        learned, judged, reached = report.learned, report.accuracy, report.reached_sentence
        more = "" if self._outlook is None else self._outlook.sentence(report)
        if self._outlook is None and learned.pinned is None and learned.usable >= FEWEST:
            more = "Measuring whether more stars would help…"
        reason = "" if judged.trusted and reached else judged.explanation
        return " ".join(filter(None, (reason, reached, more)))

    def _how_to_begin(self, stars: int) -> str:
        keys = [self._session.preferences.keys.get(f"stars_{number}") for number in (1, 5)]
        how = f" ({keys[0]} to {keys[1]})" if all(keys) else ""
        missing = MIN_RATINGS - stars
        return (
            f"Rate {counted(missing, 'more photo')}{how}, high and low. Then Curator predicts your"
            " ratings; once that is reliable, a cull starts with the lowest match."
        )

    def _no_encoder_reason(self, report: Report) -> str:
        """Return why no photo was ever analyzed; empty if one was."""
        pipeline = self._session.pipeline
        if report.encoder or pipeline is None or pipeline.encoding.recipe is not None:
            return ""
        return pipeline.encoding.sentence

    def _show_versions(self) -> None:
        rows, pinned = self.versions.rows, self.versions.pinned
        head = self.table.horizontalHeader().sizeHint().height() + 2 * self.table.frameWidth()
        self.table.setFixedHeight(head + min(len(rows), _ROWS) * theme.ROW)
        for part in (self.table, self.moved_title, self.moved):
            part.setVisible(bool(rows))
        self.no_versions.setVisible(not rows)
        self.no_versions.setText(
            "Curator saves a version once a day, when it closes, and when you ask for it. You can "
            "roll back to a version: it then predicts until you unpin it."
        )
        chosen = self._chosen()
        self.roll_back.setVisible(bool(rows))
        self.roll_back.setEnabled(chosen is not None and chosen.id != pinned)
        self.roll_back.setText(f"Roll back to version {chosen.id}" if chosen else "Roll back")
        self.unpin.setVisible(pinned is not None)
        self.unpin.setText(f"Unpin version {pinned}")
        ready = self._report is not None and self._report.learned.ready
        self.keep.setEnabled(ready and pinned is None)

    # --- versions

    def _chosen(self) -> TasteRow | None:
        row = self.table.currentIndex().row()
        return self.versions.rows[row] if 0 <= row < len(self.versions.rows) else None

    def _choose(self) -> None:
        """Request what changed in the selected version; it is shown when it arrives."""
        self._show_versions()
        chosen = self._chosen()
        self._show_changes("")
        if chosen is not None:
            self._session.taste.moved(chosen.id, lambda moved: self._on_moved(chosen.id, moved))

    def _on_moved(self, number: int, moved: list[ScoreChange] | KnownError) -> None:
        chosen = None if self._closed else self._chosen()
        if chosen is None or chosen.id != number:
            return
        if isinstance(moved, KnownError):
            self._show_changes(str(moved))
        elif moved:
            self._show_changes(f"Largest changes in version {number}", moved)
        else:
            self._show_changes(f"No earlier version to compare with version {number}")

    def _show_changes(self, title: str, moved: Sequence[ScoreChange] = ()) -> None:
        self.moved_title.setText(title)
        self.moved.show_moved(moved)

    def _on_kept(self, result: int | KnownError) -> None:
        if not self._closed:
            kept = f"Saved as version {result}."
            self.problem.setText(str(result) if isinstance(result, KnownError) else kept)
            self.table.clearSelection()
            self.table.setCurrentIndex(QModelIndex())
            self.refresh()

    def _roll_back(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self._run_or_report(lambda: self._session.taste.roll_back(chosen.id))

    def _unpin(self) -> None:
        self._run_or_report(self._session.taste.unpin)

    def _run_or_report(self, act: Callable[[], None]) -> None:
        self.problem.setText("")
        try:
            act()
        except KnownError as error:
            self.problem.setText(str(error))
        self.refresh()

    def _on_closed(self) -> None:
        self._closed = True
        self._soon.stop()
