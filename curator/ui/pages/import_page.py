"""The import page: how far an import is, and in the end whether the card may be formatted.

It opens over the window while the import goes on, and shows the reports of earlier imports.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QProgressBar, QTableView, QWidget

from curator.importing.report import (
    DestinationProgress,
    DestinationReport,
    DestinationState,
    FileFailure,
    ImportProgress,
    ImportReport,
)
from curator.model import bidi_safe, counted, path_label
from curator.session import Session
from curator.session.imports import EarlierImport
from curator.ui.widgets import theme, words
from curator.ui.widgets.dialogs import Dialog
from curator.ui.widgets.tables import TextRows, height, table

_WIDTH = 880
_FAILURES = 6  # rows shown at once
_EARLIER = 5

_STATES = {
    DestinationState.COPYING: "Copying",
    DestinationState.WAITING: "Waiting",
    DestinationState.FULL: "Full",
    DestinationState.DONE: "Done",
    DestinationState.STOPPED: "Stopped",
}


class ProgressTable(TextRows[DestinationProgress]):
    """How far each destination is.

    Attributes:
        halted: why none of them copies, in a word; empty while they do.
    """

    heads = ("Destination", "Files", "Size", "Speed", "Time left", "State")
    numbers = frozenset({1, 2, 3, 4})
    halted = ""

    def cell(self, row: DestinationProgress, column: int) -> str:
        """Return a cell."""
        copying = row.state is DestinationState.COPYING
        moving = copying and not self.halted
        return (
            words.path(row.path),
            f"{row.files:,} of {row.total_files:,}",
            f"{words.size(row.bytes)} of {words.size(row.total_bytes)}",
            f"{words.size(round(row.rate_bps))}/s" if moving and row.rate_bps else "",
            words.duration(row.left_s) if moving and row.left_s else "",
            row.reason or (copying and self.halted) or _STATES[row.state],
        )[column]

    def tip(self, row: DestinationProgress) -> str:
        """Return the path, and why it waits."""
        return "\n".join(part for part in (str(row.path), row.reason) if part)

    def color(self, row: DestinationProgress, column: int) -> QColor:
        """Return text color for the destination and its state, quiet for the figures."""
        return theme.TEXT if column in (0, 5) else theme.QUIET


class CopiesTable(TextRows[DestinationReport]):
    """What each destination has in the end."""

    heads = ("Destination", "Copied", "Already there", "Verified earlier", "Size", "State")
    numbers = frozenset({1, 2, 3, 4})

    def cell(self, row: DestinationReport, column: int) -> str:
        """Return a cell."""
        return (
            words.path(Path(row.path)),
            words.count(row.verified),
            words.count(row.checked),
            words.count(row.kept),
            words.size(row.bytes),
            row.reason or _state(row),
        )[column]

    def tip(self, row: DestinationReport) -> str:
        """Return the path, the checksum list and why it stopped."""
        lines = (row.path, row.checksums and f"Checksums: {row.checksums}", row.reason)
        return "\n".join(line for line in lines if line)

    def color(self, row: DestinationReport, column: int) -> QColor:
        """Return text color for the destination and its state, quiet for the figures."""
        return theme.TEXT if column in (0, 5) else theme.QUIET


def _state(row: DestinationReport) -> str:
    """Return in a few words whether everything is there."""
    if row.failed:
        return f"{row.failed:,} failed"
    return f"{row.unfinished:,} not copied" if row.unfinished else "Complete"


class FailureTable(TextRows[FileFailure]):
    """The files that are not verified somewhere, and why."""

    heads = ("File on the card", "Destination", "Reason")

    def cell(self, row: FileFailure, column: int) -> str:
        """Return a cell."""
        where = words.path(Path(row.destination)) if row.destination else "everywhere"
        return (bidi_safe(row.path), where, row.reason)[column]

    def tip(self, row: FileFailure) -> str:
        """Return everything about the failure."""
        return "\n".join(part for part in (row.path, row.destination, row.reason) if part)


class EarlierTable(TextRows[EarlierImport]):
    """Earlier imports, the latest first."""

    heads = ("When", "From", "Result")

    def cell(self, row: EarlierImport, column: int) -> str:
        """Return a cell."""
        when = datetime.fromtimestamp(row.started_at)
        source = ", ".join(bidi_safe(card) for card in row.cards)
        return (f"{when:%Y-%m-%d %H:%M}", source, result(row))[column]

    def tip(self, row: EarlierImport) -> str:
        """Return the whole result."""
        return result(row)

    def color(self, row: EarlierImport, column: int) -> QColor:
        """Return text color for the card, quiet for the rest."""
        return theme.TEXT if column == 1 else theme.QUIET


class ImportPage(Dialog):
    """Shows the import that runs or ran last, and the reports of earlier ones.

    Args:
        session: the window's session.
        cull: opens the cull of the imported photos.
        parent: the window.
    """

    def __init__(
        self, session: Session, cull: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__("Import", parent, _WIDTH)
        self._session, self._imports, self._cull = session, session.imports, cull
        self._report: ImportReport | None = None
        self._folder = ""
        self._make_head()
        self._make_tables()
        self._make_buttons()
        for changed in (self._imports.progressed, self._imports.changed, session.cards.changed):
            changed.connect(self.refresh)
        self._imports.ended.connect(self._list_earlier)
        self._list_earlier()
        self.refresh()
        self.close_button.setFocus()

    # --- parts

    def _make_head(self) -> None:
        self.headline = theme.wrapped("", "large")
        self.proof = self.wrapped("")
        self.reasons = self.wrapped("", "quiet")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        for part in (self.headline, self.proof, self.reasons, self.bar):
            self.body.addWidget(part)
        self.body.addSpacing(12)

    def _make_tables(self) -> None:
        figures = {1: 120, 2: 170, 3: 90, 4: 80, 5: 150}
        self.progress, self.copies = ProgressTable(), CopiesTable()
        self.failures, self.earlier = FailureTable(), EarlierTable()
        self.progress_view = table(self.progress, "Destinations", figures)
        copied = {1: 90, 2: 110, 3: 120, 4: 90, 5: 150}
        self.copies_view = table(self.copies, "Copies", copied)
        self.failed_title = theme.plain("Not copied", role="section")
        self.failures_view = table(self.failures, "Not copied", {0: 260, 1: 220})
        self.earlier_title = theme.plain("Earlier imports", role="section")
        self.earlier_view = table(self.earlier, "Earlier imports", {0: 150, 1: 170}, selects=True)
        self.earlier_view.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.earlier_view.selectionModel().currentRowChanged.connect(self._choose)
        for title in (self.failed_title, self.earlier_title):
            title.setContentsMargins(0, 12, 0, 4)
        for part in (
            self.progress_view,
            self.copies_view,
            self.failed_title,
            self.failures_view,
            self.earlier_title,
            self.earlier_view,
        ):
            self.body.addWidget(part)
        self.body.addStretch(1)

    def _make_buttons(self) -> None:
        self.eject = self.button("Eject")
        self.show_folder = self.button("Show folder")
        self.stop = self.button("Stop")
        self.pause = self.button("Pause")
        self.close_button = self.button("Close")
        self.cull = self.button("Cull these photos", primary=True)
        self.eject.clicked.connect(self._eject)
        self.show_folder.clicked.connect(self._open_folder)
        self.stop.clicked.connect(self._imports.stop)
        self.pause.clicked.connect(self._imports.toggle_pause)
        self.close_button.clicked.connect(self.reject)
        self.cull.clicked.connect(self._open_cull)
        self.add_buttons(
            self.stop, self.pause, self.close_button, self.cull, left=(self.eject, self.show_folder)
        )

    # --- showing

    def refresh(self) -> None:
        """Show the import that runs, else the report that is chosen or the last one."""
        running, progress = self._imports.is_running, self._imports.progress
        if running:
            self._report = None
            self._show_running(progress)
        else:
            self._report = self._report or self._imports.report
            self._show_report(self._report)
        self.bar.setVisible(running)
        self.progress_view.setVisible(running and progress is not None)
        self.copies_view.setVisible(not running and bool(self.copies.rows))
        self.stop.setVisible(running)
        self.pause.setVisible(running)
        self.cull.setVisible(not running and self._report is not None)
        self.show_folder.setVisible(bool(self._folder))
        card = None if running else self._imports.ejectable(self._report)
        self.eject.setVisible(card is not None)
        self.eject.setText(f"Eject {card.label}" if card is not None else "Eject")
        failed, earlier = not running and self.failures.rows, not running and self.earlier.rows
        for part in (self.failed_title, self.failures_view):
            part.setVisible(bool(failed))
        for part in (self.earlier_title, self.earlier_view):
            part.setVisible(bool(earlier))
        for view, rows, most in (
            (self.progress_view, self.progress.rows, 4),
            (self.copies_view, self.copies.rows, 4),
            (self.failures_view, self.failures.rows, _FAILURES),
            (self.earlier_view, self.earlier.rows, _EARLIER),
        ):
            view.setFixedHeight(height(len(rows), most))
        self.fit_content()

    def _show_running(self, progress: ImportProgress | None) -> None:
        source = self._imports.source
        self._name(f"Importing from {source}")
        self._folder = self._imports.destination
        rows = progress.destinations if progress is not None else ()
        self.progress.halted = halted(progress)
        self.progress.show_rows(rows)
        self.headline.setText(running_text(progress, source))
        self.proof.setText(progress.reason if progress is not None else "")
        slow = slowest(progress)
        moving = progress is not None and progress.current and not self.progress.halted
        self.reasons.setText(f"Now {bidi_safe(progress.current)}" if progress and moving else "")
        self.bar.setRange(0, 1000)
        done = slow.bytes / slow.total_bytes if slow is not None and slow.total_bytes else 0
        self.bar.setValue(round(1000 * done))
        self.pause.setText("Resume" if progress is not None and progress.paused else "Pause")
        stopping = self._imports.is_stopping
        self.stop.setText("Stopping…" if stopping else "Stop")
        for button in (self.stop, self.pause):
            button.setEnabled(not stopping)
        for part in (self.proof, self.reasons):
            part.setVisible(bool(part.text()))

    def _show_report(self, report: ImportReport | None) -> None:
        names = " and ".join(map(bidi_safe, report.cards)) if report is not None else ""
        self._name(f"Import from {names}" if names else "Imports")
        self.copies.show_rows(report.destinations if report is not None else ())
        self.failures.show_rows(report.failures if report is not None else ())
        self._folder = report.destinations[0].path if report and report.destinations else ""
        if report is None:
            problem = self._imports.problem
            self.headline.setText("The import failed" if problem else "No import is running")
            self.proof.setText(problem or "Choose an earlier import to read its report.")
            self.reasons.setText("")
        else:
            title, proof = headline(report)
            self.headline.setText(title)
            self.proof.setText(proof)
            lines = [f"{_sentence(each)}." for each in report.left]
            if not (report.complete or lines):
                lines = ["The import was interrupted."]
            self.reasons.setText("\n".join((*lines, *report.problems)))
        for part in (self.proof, self.reasons):
            part.setVisible(bool(part.text()))

    def _name(self, text: str) -> None:
        self.title.setText(text)
        self.setWindowTitle(text)

    # --- earlier imports

    def _list_earlier(self) -> None:
        self.earlier.show_rows(self._imports.earlier())

    def _choose(self) -> None:
        at = self.earlier_view.currentIndex().row()
        chosen = self.earlier.rows[at] if 0 <= at < len(self.earlier.rows) else None
        if chosen is not None and chosen.report is not None and not self._imports.is_running:
            self._report = chosen.report
            self.refresh()

    # --- acting

    def _eject(self) -> None:
        card = self._imports.ejectable(self._report)
        if card is not None:
            self.eject.setEnabled(False)
            self._imports.eject(card)

    def _open_folder(self) -> None:
        self._session.requests.show_path_requested.emit(self._folder)

    def _open_cull(self) -> None:
        self._imports.open_photos(self._folder)
        self.accept()
        self._cull()


def headline(report: ImportReport) -> tuple[str, str]:
    """Return whether the cards may be formatted, ``Safe to format EOS_DIGITAL``, and the proof."""
    names = " and ".join(map(bidi_safe, report.cards))
    if report.is_empty:
        return bidi_safe(report.sentence).rstrip("."), ""
    if report.are_cards:
        title = f"Safe to format {names}" if report.safe else f"Not safe to format {names}"
    else:
        title = f"All of {names} is copied" if report.safe else f"Not all of {names} is copied"
    if report.safe:
        return title, _sentence(bidi_safe(report.sentence).partition(": ")[2])
    return title, ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def result(row: EarlierImport) -> str:
    """Return the result of an earlier import in one sentence."""
    if row.report is not None:
        return row.report.sentence
    return "Interrupted: insert the card and import again, to copy what is missing"


def halted(progress: ImportProgress | None) -> str:
    """Return in a word why nothing is copied now; empty while something is."""
    if progress is None or not (progress.paused or progress.reason):
        return ""
    return "Paused" if progress.paused else "Waiting"


def slowest(progress: ImportProgress | None) -> DestinationProgress | None:
    """Return the destination that will be done last."""
    if progress is None or not progress.destinations:
        return None
    at = progress.slowest
    return progress.destinations[at if at is not None else 0]


def running_text(progress: ImportProgress | None, source: str) -> str:
    """Return the progress of an import for its page: ``320 of 904 files · 6 min left``."""
    slow = slowest(progress)
    if progress is None or slow is None:
        return f"Starting to import from {source}…"
    text = f"{slow.files:,} of {counted(slow.total_files, 'file')}"
    if halt := halted(progress):
        return f"{halt} · {text}"
    return f"{text} · {words.duration(slow.left_s)} left" if slow.left_s else text


def status_text(progress: ImportProgress | None) -> str:
    """Return the progress for the status line: ``Importing 320 of 904 · 84 MB/s · 6 min``.

    Of several destinations it is that of the slowest, which is named.
    """
    slow = slowest(progress)
    if progress is None or slow is None:
        return "Import starts…"
    text = f"{slow.files:,} of {slow.total_files:,}"
    if progress.paused:
        return f"Import paused · {text}"
    waits = slow.state in (DestinationState.WAITING, DestinationState.FULL)
    if reason := progress.reason or (slow.reason if waits else ""):
        return f"Import waits: {reason.partition('. ')[0].rstrip('.')} · {text}"
    if progress.slowest is not None and len(progress.destinations) > 1:
        text += f" to {bidi_safe(path_label(slow.path))}"
    parts = [f"Importing {text}"]
    parts += [f"{words.size(round(slow.rate_bps))}/s"] if slow.rate_bps else []
    parts += [words.duration(slow.left_s)] if slow.left_s else []
    return " · ".join(parts)
