"""How well taste predicts: one axis with the person and the model, stacks, and the curve so far.

The left column of the Taste page.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from curator.learning.outlook import Choices, Outlook
from curator.learning.report import MEANING, Report
from curator.model import counted
from curator.taste import Accuracy
from curator.taste.accuracy import MIN_JUDGED
from curator.taste.ceiling import Share
from curator.ui.pages.agreement_axis import AgreementAxis
from curator.ui.pages.learning_curve import LearningCurve
from curator.ui.widgets import theme, words

_GAP = 16


class AccuracyPanel(QWidget):
    """Shows how well ratings and choices in stacks are predicted."""

    def __init__(self, narrow: bool) -> None:
        super().__init__()
        self._narrow = narrow
        self.axis = AgreementAxis()
        self.agreement = theme.wrapped("", "caption")
        self.no_curve = theme.wrapped("", "quiet")
        self.choices, self.choices_title = (
            _grid(narrow),
            theme.plain("In your stacks", role="section"),
        )
        self.curve_title = theme.plain("Predicted before you rated", role="section")
        self.curve = LearningCurve()
        self.figures = _grid(narrow)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(theme.plain("You and Curator", role="section"))
        column.addWidget(self.axis)
        column.addWidget(self.agreement)
        column.addWidget(self.no_curve)
        column.addSpacing(_GAP)
        column.addWidget(self.choices_title)
        column.addLayout(self.choices)
        column.addSpacing(_GAP)
        column.addWidget(self.curve_title)
        column.addWidget(self.curve)
        column.addLayout(self.figures)
        column.addStretch(1)
        self._about_person = (self.axis, self.agreement)
        self._about_curve = (self.curve_title, self.curve)
        for part in (*self._about_person, *self._about_curve, self.choices_title):
            part.hide()  # until there is something to show

    def show_report(self, report: Report) -> None:
        """Show the accuracy of a report; what is not known yet is said."""
        judged, found = report.accuracy, report.agreement
        enough = judged.count >= MIN_JUDGED
        shown = found is not None and (enough or found.repeats > 0)
        self.axis.show_report(report)
        if found is not None:
            self.agreement.setText(
                f"No prediction could exceed {found.ceiling:.2f} (hatched), because you don't"
                f" always give a photo the same stars. {found.reason}"
            )
        for each in self._about_person:
            each.setVisible(shown)
        self.no_curve.setVisible(not enough)
        self.no_curve.setText(
            "Curator predicts each rating before you give it. After 20 predictions this shows how"
            " well it does, beside how well you agree with yourself."
        )
        self.curve.show_curve(report.curve)
        for drawn in self._about_curve:
            drawn.setVisible(bool(report.curve))
        theme.clear_layout(self.figures)
        if enough:
            self._show_figures(report)

    def show_outlook(self, outlook: Outlook) -> None:
        """Show how well choices in stacks are predicted; nothing while these are few."""
        found = outlook.choices
        self.choices_title.setVisible(found is not None)
        theme.clear_layout(self.choices)
        if found is not None:
            self._show_choices(found)

    def _show_choices(self, found: Choices) -> None:
        lines = [
            ("", "Agreed with you", "Likely range"),
            ("Prediction", *_share(found.prediction)),
            ("Sharpness alone", *_share(found.sharpness)),
            ("Chance", "50 %", ""),
        ]
        meaning = (
            f"How often each preferred the frame you kept to one you rejected: in"
            f" {counted(found.pairs, 'pair')} from {counted(found.stacks, 'stack')}. The prediction"
            " had not learned from these stacks."
        )
        self._fill(self.choices, lines, meaning)

    def _show_figures(self, report: Report) -> None:
        heads = ("", "Ratings", "Correlation", "Off by", "Guessing")
        lines = [heads, _figures("All predicted ratings", report.accuracy)]
        if report.by_time.count:
            lines.append(_figures("Sorted by capture time", report.by_time))
        meaning = (
            "Off by: how far predictions are from your ratings, in stars. Guessing: the same if"
            f" Curator always guessed your average. {MEANING}"
        )
        self._fill(self.figures, lines, meaning)

    def _fill(self, grid: QGridLayout, lines: Sequence[Sequence[str]], meaning: str) -> None:
        """Fill a table, headings first, and write below it what it means."""
        for row, line in enumerate(lines):
            for column, text in enumerate(line):
                label = theme.plain(text, role="caption" if not row else "")
                label.setWordWrap(self._narrow and not column)
                place = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                grid.addWidget(label, row, column, place)
                label.show()  # at once, so that the page's height includes it
        explained = theme.wrapped(meaning, "caption")
        grid.addWidget(explained, len(lines), 0, 1, max(map(len, lines)))
        explained.show()


def _grid(narrow: bool) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(8 if narrow else 12)
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(0, 1)
    return grid


def _share(found: Share) -> tuple[str, str]:
    return f"{100 * found.value:.0f} %", f"{100 * found.low:.0f} to {100 * found.high:.0f} %"


def _figures(what: str, judged: Accuracy) -> tuple[str, ...]:
    if judged.count < MIN_JUDGED:
        return what, words.count(judged.count), "too few", "", ""
    numbers = (f"{judged.correlation:.2f}", f"{judged.error:.2f}", f"{judged.mean_error:.2f}")
    return what, words.count(judged.count), *numbers
