"""The page at the end of a pass: its numbers, a contact sheet of the picks, and the next steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from curator.library.approval import cut_rule
from curator.library.statistics import Figure
from curator.model import Clause, Pass, bidi_safe, counted
from curator.session import Session
from curator.settings import DEFAULT_RULE
from curator.ui.pages.charts import RowChart, number_block
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.contact_sheet import WIDTH, ContactSheet, fitting_rows
from curator.ui.widgets.frames import Pictures

_HISTOGRAM = 560  # its width at most, px
_EDGE, _BELOW = 16, 28  # px around the page, and below its photos
_ACTIONS = 3  # at most; the sidebar has the rest
OWN_RULE = "Your approval rule in the settings decides which photos are approved."


@dataclass(frozen=True, slots=True)
class Number:
    """One large number with what it counts; ``decided`` if it counts a person's marks."""

    value: str
    what: str
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """A next step: a command, its button's text and its tooltip."""

    text: str
    command: str
    about: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The content of a finish page."""

    title: str
    numbers: Sequence[Number]
    sentence: str
    actions: Sequence[Action]
    after: str = ""
    stars: tuple[int, int, int, int, int] | None = None


class FinishPage(QWidget):
    """The finish page of a pass.

    Args:
        session: the window's session.
        run: runs a command by name.
        pictures: the source of the contact sheet's thumbnails.
    """

    def __init__(self, session: Session, run: Callable[[str], None], pictures: Pictures) -> None:
        super().__init__()
        self._session, self._run = session, run
        self._shown = Page("", (), "", ())
        self._buttons: list[QPushButton] = []
        theme.style_as(self, "finish")
        self.title = theme.plain("", role="title")
        self.sentence = theme.wrapped()
        self.after = theme.plain("", role="quiet")
        self.caption = theme.plain("", role="caption")
        self.sheet = ContactSheet(session, pictures)
        self.histogram = RowChart(starred=True)
        self.histogram.setMaximumWidth(_HISTOGRAM)
        self.histogram.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its figures are all visible
        self._numbers, self._actions = QHBoxLayout(), QHBoxLayout()
        self._lay_out()
        session.view_state.arrangement_changed.connect(self.refresh)
        session.preferences.changed.connect(self.refresh)
        session.photos.counts_changed.connect(self.refresh)

    def _lay_out(self) -> None:
        self._column = column = QVBoxLayout()
        column.setSpacing(0)
        column.addStretch(3)
        # Each part has its own space below, so that a hidden one leaves no gap.
        self._histogram_part = _spaced(self.histogram, 24)
        self._sheet_part = _spaced(self.sheet, _BELOW)
        self.title.setContentsMargins(0, 0, 0, 20)
        self.caption.setContentsMargins(0, 0, 0, 8)
        self.sentence.setContentsMargins(0, 0, 0, 12)
        self._actions.setContentsMargins(0, 0, 0, 16)
        self._numbers.setContentsMargins(0, 0, 0, 28)
        column.addWidget(self.title)
        column.addLayout(self._numbers)
        column.addWidget(self._histogram_part)
        column.addWidget(self.caption)
        column.addWidget(self._sheet_part)
        column.addWidget(self.sentence)
        column.addLayout(self._actions)
        column.addWidget(self.after)
        column.addStretch(4)
        self._numbers.setSpacing(44)
        self._actions.setSpacing(8)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(32, _EDGE, 32, _EDGE)
        outer.addStretch(1)
        self._holder = holder = QWidget()
        holder.setLayout(column)
        holder.setMaximumWidth(WIDTH)
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        outer.addWidget(holder, 100)
        outer.addStretch(1)

    def refresh(self) -> None:
        """Show the current numbers and steps; nothing while hidden."""
        session = self._session
        if not self.isVisible() or session.criteria.mode is Pass.BROWSE:
            return
        page = rate_page(session) if session.criteria.mode is Pass.RATE else cull_page(session)
        self.title.setText(page.title)
        self.sentence.setText(page.sentence)
        self.sentence.setVisible(bool(page.sentence))
        self.after.setText(page.after)
        self.after.setVisible(bool(page.after))
        self._histogram_part.setVisible(page.stars is not None)
        self.histogram.show_figures(
            [
                Figure(counted(stars, "star"), number, kept=number)
                for stars, number in enumerate(page.stars or (), 1)
            ]
        )
        if page.numbers != self._shown.numbers:
            _refill(self._numbers, [number_block(*astuple(number)) for number in page.numbers])
        # Counts change while photos are read: a button under the pointer must not be replaced.
        if _commands(page) != _commands(self._shown):
            self._buttons = [self._button(action) for action in page.actions]
            _refill(self._actions, self._buttons)
        for button, action in zip(self._buttons, page.actions, strict=True):
            button.setText(action.text.replace("&", "&&"))
            button.setToolTip(theme.plain_tip(action.about))
        self._shown = page
        picks, caption = best(session)
        self.caption.setText(caption)
        self.sheet.show_photos(picks)
        self._fit()

    def _button(self, action: Action) -> QPushButton:
        button = QPushButton()
        button.setProperty("primary", action.primary)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAutoDefault(True)  # Enter clicks the focused button
        button.clicked.connect(lambda: self._run(action.command))
        return button

    def _fit(self) -> None:
        """Show as many rows of photos as fit the height."""
        rows = self._fitting_rows() if self.caption.text() else 0
        self.sheet.set_rows(rows)
        for part in (self.caption, self._sheet_part):
            part.setVisible(rows > 0)

    def _fitting_rows(self) -> int:
        self.caption.show()  # a hidden caption would not be measured
        places = range(self._column.count())
        items = [item for place in places if (item := self._column.itemAt(place)) is not None]
        besides = sum(
            item.heightForWidth(self._holder.width())
            if item.hasHeightForWidth()
            else item.sizeHint().height()
            for item in items
            if item.widget() is not self._sheet_part and not item.isEmpty()
        )
        return fitting_rows(self.height() - 2 * _EDGE - besides - _BELOW)

    def resizeEvent(self, event: object) -> None:
        """Fit the contact sheet to the height."""
        self._fit()

    def showEvent(self, event: object) -> None:
        """Show the current numbers whenever the page comes on screen."""
        self.refresh()


def cull_page(session: Session) -> Page:
    """Build the page at the end of a cull."""
    progress = session.statistics.progress()
    skipped, unseen = progress.seen, progress.left - progress.seen
    size = session.statistics.rejected_bytes()
    rejected = f"rejected, {words.size(size)}" if size else "rejected"
    numbers = [
        Number(words.count(progress.kept), "kept", True),
        Number(words.count(progress.rejected), rejected, True),
    ]
    sentences = []
    if skipped:
        numbers.append(Number(words.count(skipped), "skipped"))
        sentences.append(f"{words.count(skipped)} seen but not marked")
    if unseen:
        numbers.append(Number(words.count(unseen), "not seen yet"))
        sentences.insert(0, f"{words.photos(unseen)} not seen yet")
    actions: list[Action] = []
    if unseen:
        shows = "Shows the first photo that you have not seen yet."
        onward = f"Continue with the {words.count(unseen)} unseen"
        actions.append(Action(onward, "continue_with_unseen", shows, primary=True))
    the_kept = "the one" if progress.kept == 1 else f"the {words.count(progress.kept)}"
    if skipped:
        them, as_one = f"the {words.count(skipped)} skipped", "as one step. Undo takes it back."
        actions += [
            Action(f"Keep {them}", "keep_skipped", f"Marks {them} as kept, {as_one}"),
            Action(f"Reject {them}", "reject_skipped", f"Rejects {them}, {as_one}"),
        ]
        if not unseen:
            again = f"Shows {them} once more, from the first."
            actions.append(Action(f"Review {them}", "review_skipped", again))
        after = _keys_of(session, rate=f"rates {the_kept}" if progress.kept else "")
    else:
        if progress.kept:
            about = "Opens the second pass over what you kept."
            actions.append(Action(f"Rate {the_kept}", "rate", about, primary=not unseen))
        actions.append(Action("Browse all", "browse", "Shows every photo here in the grid."))
        after = _keys_of(session, rate="rates", browse="browses")
    done = "Cull done" if not progress.left else "End of the cull"
    return Page(
        _title(session, done, progress.total), numbers, words.joined(sentences), actions, after
    )


def rate_page(session: Session) -> Page:
    """Build the page at the end of rating."""
    progress = session.statistics.progress()
    clauses = Counter(session.statistics.approved().values())
    number = clauses.total() - clauses[Clause.FILE]
    stars = Counter(
        session.tile(photo_id).marks.rating for photo_id in session.statistics.scope_ids("kept")
    )
    by_stars = (stars[1], stars[2], stars[3], stars[4], stars[5])
    numbers = [Number(words.count(number), "approved for export", True)]
    if progress.unrated:
        numbers.append(Number(words.count(progress.unrated), "without stars"))
    parts = [
        f"{clause.title} {words.count(clauses[clause.name])}"
        for clause in cut_rule(session.settings.approval.rule)
        if clauses[clause.name]
    ]
    sentence = words.joined(parts) or how_to_approve(session)
    if clauses[Clause.FILE]:
        sentence = f"{sentence}\n{approved_by_files(clauses[Clause.FILE])}"
    actions = []
    if number:
        to_export = f"Export {words.photos(number)}…"
        about = "Opens the export dialog: originals, JPEGs or a web gallery."
        actions.append(Action(to_export, "export", about, primary=True))
    if progress.unrated:
        to_rate = f"Rate the {words.count(progress.unrated)} without stars"
        about = "Opens the pass again, those without stars first."
        actions.append(Action(to_rate, "review_skipped", about, primary=not number))
    if starred := len(session.projects.starred()):
        about = f"Makes a project of {words.photos(starred)}."
        actions.append(Action("New project from 4–5 stars", "project_from_stars", about))
    if progress.rejected and len(actions) < _ACTIONS:
        review = f"Review {words.count(progress.rejected)} rejected…"
        about = "Lists the rejects; deleting their files is a separate step."
        actions.append(Action(review, "delete_rejects", about))
    done = "Rating done" if not progress.unrated else "End of the rating"
    return Page(
        _title(session, done, progress.total),
        numbers,
        sentence,
        actions,
        stars=by_stars if any(by_stars) else None,
    )


def _title(session: Session, done: str, total: int) -> str:
    return words.joined((bidi_safe(session.criteria.scope.title), done, words.photos(total)))


def how_to_approve(session: Session) -> str:
    """Return what approves a photo, with the current key."""
    if session.settings.approval.rule != DEFAULT_RULE:
        return OWN_RULE
    return (
        f"Photos with 4 or 5 stars, picks{session.preferences.hint('pick')} not rated 1 or 2, and"
        " 3-star photos that match your taste are approved for export."
    )


def approved_by_files(number: int) -> str:
    """Return how many more photos are approved only by ratings from other apps."""
    return (
        f"{words.count(number)} more approved only by ratings from other apps;"
        " check them in the export dialog to export them."
    )


def best(session: Session) -> tuple[list[int], str]:
    """Return the contact sheet's photos and caption: picks, else the highest rated, else kept."""
    picks = session.statistics.scope_ids("picked")
    if picks:
        return picks, f"Your {counted(len(picks), 'pick')}" if len(picks) > 1 else "Your pick"
    rated = session.statistics.scope_ids("rated")
    rated.sort(key=lambda photo_id: -(session.tile(photo_id).marks.rating or 0))
    if rated:
        return rated, "Your highest rated"
    kept = session.statistics.scope_ids("kept")
    return kept, "Kept photos" if kept else ""


def _spaced(part: QWidget, below: int) -> QWidget:
    holder = QWidget()
    column = layouts.column(holder, margins=(0, 0, 0, below))
    column.addWidget(part)
    return holder


def _commands(page: Page) -> list[tuple[str, bool]]:
    return [(action.command, action.primary) for action in page.actions]


def _refill(row: QHBoxLayout, widgets: Sequence[QWidget]) -> None:
    theme.clear_layout(row)
    for widget in widgets:
        row.addWidget(widget)
        widget.show()  # at once, so that the page appears complete
    row.addStretch(1)


def _keys_of(session: Session, **does: str) -> str:
    """Return what the keys of commands do: "Alt+2 rates · Alt+0 browses"."""
    keys = session.preferences.keys
    return " · ".join(
        f"{keys[name]} {text}" for name, text in does.items() if name in keys and text
    )
