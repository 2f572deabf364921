"""The inspector at the right edge: everything known about the current photo, its marks first.

News about the photo on screen never moves what is there: it replaces the old section if it fits,
else it is appended below until another photo becomes current.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QToolButton, QVBoxLayout, QWidget

from curator.catalog import PhotoDetail, TagDetail
from curator.learning.explanations import Insight
from curator.library.approval import all_clauses
from curator.library.captions import MEASURED, when
from curator.model import (
    Change,
    Clause,
    Flag,
    Kind,
    KnownError,
    Marks,
    StageState,
    Step,
    bidi_safe,
    counted,
)
from curator.session import Session
from curator.ui.panels.description import DESCRIBING, description_block
from curator.ui.panels.project_chips import ProjectChips
from curator.ui.panels.why import SimilarSection, WhySection
from curator.ui.widgets import mark_painter, theme, words
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.menus import tag_menu
from curator.ui.widgets.tag_chips import TagChips

_REST_MS = 60  # a held arrow key must not rebuild the panel at every frame
_HISTORY = 12  # steps shown
_MARGIN = 16
_DESCRIPTION = "Description"
_BEFORE_DESCRIPTION = ("Capture", "Files", "Quality scores")
_WORK = "Work"
_STAGES = {
    "peek": "Headers",
    "convert": "Image",
    "embed": "Analysis",
    "describe": "Description",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A titled section: ``rows`` are names and values, ``tags`` are shown as chips."""

    title: str
    rows: Sequence[tuple[str, str]] = ()
    tags: Sequence[TagDetail] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show; such a section is left out."""
        return not self.rows and not self.tags


class MarksLine(QWidget):
    """Flag, stars and label of a photo, as icons and in words."""

    def __init__(self) -> None:
        super().__init__()
        self._marks = Marks()
        self.setFixedHeight(theme.ROW)

    def show_marks(self, marks: Marks) -> None:
        """Show these marks."""
        self._marks = marks
        self.setAccessibleName(in_words(marks))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icons, and the words beside them."""
        painter = QPainter(self)
        marks = self._marks
        x = mark_painter.draw_marks(painter, 0, theme.ROW // 2, marks, False)
        if marks.flag is Flag.REJECT:
            frame = QRectF(x + (8 if x else 0), 7, 20, 14)
            painter.setPen(theme.DISABLED)
            painter.drawRect(frame)
            mark_painter.draw_strike(painter, frame)
            x = round(frame.right())
        painter.setPen(theme.QUIET)
        x += 10 if x else 0
        rest = self.rect().adjusted(x, 0, 0, 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(rest, int(flags), self.words(rest.width()))

    def words(self, room: int) -> str:
        """Return the words that fit ``room`` px; stars are left out first, as they are drawn."""
        metrics = self.fontMetrics()
        text = in_words(self._marks)
        if metrics.horizontalAdvance(text) <= room:
            return text
        rest = " · ".join(part for part in text.split(" · ") if "star" not in part)
        return metrics.elidedText(rest, Qt.TextElideMode.ElideRight, room)


class Inspector(QWidget):
    """The inspector; it follows the current photo a moment after the person stops moving."""

    def __init__(self, session: Session, pictures: Pictures | None = None) -> None:
        super().__init__()
        self._session = session
        self._insight: Insight | None = None
        self._shows: tuple[int, Insight | None, bool] | None = None
        self._why_wanted = False  # whether a key requested Why for the current photo
        self.setObjectName("inspector")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = theme.plain("", role="title")
        self.title.setWordWrap(True)
        self.marks, self.memberships = MarksLine(), ProjectChips(session)
        self.approved = theme.plain("", role="caption")
        self.approved.setWordWrap(True)
        self.approved.setMinimumHeight(QFontMetrics(theme.caption_font()).height())
        self.why, self.similar = WhySection(session, pictures), SimilarSection(session, pictures)
        self._parts, self._late = QVBoxLayout(), QVBoxLayout()
        self._laid_out_for: tuple[object, ...] = ()  # the photo and marks the sections show
        self._blocks: dict[str, tuple[object, QWidget]] = {}  # by title
        self._lay_out()
        self._later = QTimer(self, singleShot=True, interval=_REST_MS)
        self._later.timeout.connect(self.refresh)
        session.photos.current_changed.connect(self._on_current)
        session.photos.photos_changed.connect(self._on_changed)
        session.projects.changed.connect(self._later.start)
        session.taste.scores_changed.connect(self._later.start)
        for changed in (
            session.explanations.why_changed,
            session.view_state.view_changed,
            session.view_state.panels_changed,
            session.preferences.changed,
        ):
            changed.connect(self._show_insight)
        session.explanations.insight_ready.connect(self._on_insight)
        session.explanations.why_requested.connect(self._on_why_requested)

    def _lay_out(self) -> None:
        content = QWidget()
        content.setMinimumWidth(1)  # never wider than the panel, however long a file's name is
        column = QVBoxLayout(content)
        column.setContentsMargins(_MARGIN, 12, _MARGIN, _MARGIN)
        column.setSpacing(0)
        column.addWidget(self.title)
        column.addSpacing(4)
        column.addWidget(self.marks)
        column.addWidget(self.approved)
        column.addWidget(self.memberships)
        column.addLayout(self._parts)
        column.addWidget(self.why)  # comes a moment later, and moves only what is below
        column.addWidget(self.similar)
        column.addLayout(self._late)
        column.addStretch(1)
        self._scroll = theme.scrolled(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 0, 0, 0)
        outer.addWidget(self._scroll)

    def _on_current(self) -> None:
        """Clear the former photo's insight at once; the rest follows when moving stops."""
        self._insight, self._why_wanted = None, False
        self._show_insight()
        self._later.start()

    def _on_insight(self, insight: Insight) -> None:
        if insight.photo_id == self._session.current:
            self._insight = insight
            self._show_insight()
            QTimer.singleShot(0, self, self._scroll_to_why)

    def _show_insight(self) -> None:
        current = self._session.current
        if current is None or not self.isVisible():
            return
        if self._late.count() and not self._why_wanted:
            return  # it would push the sections appended meanwhile
        state = current, self._insight, self._session.explanations.may_show_why(current)
        if state != self._shows:
            self._shows = state
            self.why.show_insight(current, self._insight)
            self.similar.show_insight(current, self._insight)

    def _on_why_requested(self) -> None:
        """Scroll to Why once it is laid out."""
        self._why_wanted = True
        self._show_insight()
        QTimer.singleShot(0, self, self._scroll_to_why)

    def _scroll_to_why(self) -> None:
        if self._why_wanted and self.isVisible():
            bar, part = self._scroll.verticalScrollBar(), self.why.geometry()
            past = part.bottom() + _MARGIN - self._scroll.viewport().height()
            if past > bar.value() or part.top() < bar.value():
                bar.setValue(min(past, part.top()))

    def _on_changed(self, changed: set[int]) -> None:
        if self._session.current in changed:
            self._later.start()

    def showEvent(self, event: object) -> None:
        """Show the current photo."""
        self.refresh()

    def refresh(self) -> None:
        """Show the current photo; nothing while hidden."""
        if not self.isVisible():
            return
        current = self._session.current
        for widget in (self.marks, self.why, self.similar):
            widget.setVisible(current is not None)
        self.memberships.show_photo(current)
        self.approved.setText(self._why_approved(current))
        self.approved.setVisible(current is not None)  # keeps its place while a score changes it
        if current is None:
            self._rebuild((), [])
            self.title.setText("No photo")
            return
        try:
            detail = self._session.detail(current)
            history = self._session.history.of(current)
        except KnownError as error:
            self._rebuild((), [])
            self.title.setText(str(error))
            return
        self.title.setText(breakable(bidi_safe(detail.name)))
        self.marks.show_marks(detail.marks)
        found: list[tuple[str, object]] = [
            (section.title, section)
            for section in sections(detail, history, self._session.stacks.facts(current))
        ]
        describing = self._session.descriptions.describes(current)
        if detail.description is not None or describing:
            before = sum(title in _BEFORE_DESCRIPTION for title, _ in found)
            shown = detail.description, DESCRIBING if describing else ""
            found.insert(before, (_DESCRIPTION, shown))
        mark_state = history[-1].id if history else None, describing  # its own changes always show
        if self._laid_out_for != (current, mark_state):
            self._rebuild((current, mark_state), found)
        else:
            self._update_blocks(dict(found))
        self._shows = None
        self._show_insight()
        self._session.explanations.explain(current)

    def _why_approved(self, photo_id: int | None) -> str:
        """Return which clause approves a photo for export, as a sentence; empty if none does."""
        session = self._session
        name = None if photo_id is None else session.statistics.clause_of(photo_id)
        if name == Clause.FILE:
            return "Approved only by ratings read from files"
        clauses = all_clauses(session.settings.approval.rule)
        title = next((clause.title for clause in clauses if clause.name == name), "")
        return f"Approved for export: {title}" if title else ""

    def _rebuild(
        self, laid_out_for: tuple[object, ...], found: Sequence[tuple[str, object]]
    ) -> None:
        """Build all sections in their order."""
        self._laid_out_for, self._blocks = laid_out_for, {}
        for part in (self._parts, self._late):
            theme.clear_layout(part)
        for title, value in found:
            self._add(self._parts, title, value)

    def _update_blocks(self, found: dict[str, object]) -> None:
        """Show a changed section in its place if it fits there, else below the others."""
        for title, (value, block) in list(self._blocks.items()):
            if found.get(title) == value:
                continue
            room = QWidget()
            room.setFixedHeight(block.height())
            new = self._block(title, found[title]) if title in found else None
            if new is not None and theme.height_in(new, block.width()) <= block.height():
                column = QVBoxLayout(room)
                column.setContentsMargins(0, 0, 0, 0)
                column.addWidget(new)
                column.addStretch(1)
                self._blocks[title] = found[title], room
            else:
                del self._blocks[title]
            self._parts.replaceWidget(block, room)
            self._late.replaceWidget(block, room)
            room.show()
            block.hide()
            block.deleteLater()
        for title in found.keys() - self._blocks.keys():
            self._add(self._late, title, found[title])

    def _add(self, part: QVBoxLayout, title: str, value: object) -> None:
        block = self._block(title, value)
        self._blocks[title] = value, block
        part.addWidget(block)
        block.show()

    def _block(self, title: str, value: object) -> QWidget:
        """Build the widget of a section or of the description."""
        if not isinstance(value, Section):
            assert isinstance(value, tuple)
            return description_block(*value) or QWidget()
        photo = self._session.current
        assert photo is not None
        block = section_block(value, self._chips(value, photo))
        layout = block.layout()
        if title == _WORK and self._session.table.state(photo) == "failed" and layout is not None:
            layout.addWidget(self._again(photo))
        return block

    def _again(self, photo_id: int) -> QToolButton:
        """Build the button that retries a photo's failed stages."""
        button = QToolButton()
        button.setText("Try again")
        button.setProperty("link", True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self._session.sources.retry(photo_id))
        button.show()
        return button

    def _chips(self, section: Section, photo_id: int) -> TagChips | None:
        """Build a photo's tags as chips to confirm and remove; None without tags."""
        if not section.tags:
            return None
        session, chips = self._session, TagChips(section.tags, clickable=True)

        def do(act: Callable[[str, list[int]], None], name: str) -> None:
            try:
                act(name, [photo_id])
            except KnownError as error:
                session.messages.say(str(error))

        chips.confirmed.connect(lambda name: do(session.tags.confirm, name))
        chips.removed.connect(lambda name: do(session.tags.remove, name))
        chips.menu.connect(lambda name, at: tag_menu(chips, session, name).popup(at))
        return chips


def sections(
    detail: PhotoDetail, history: Sequence[Step] = (), stack: Sequence[tuple[str, str]] = ()
) -> list[Section]:
    """Return the sections about a photo; empty ones are left out."""
    found = [
        Section("Capture", words.capture_rows(detail.capture)),
        Section("Files", _files(detail)),
        Section("Quality scores", _quality(detail)),
        Section("Tags", tags=detail.tags),
        Section("Stack", stack),
        Section("History", _history(history)),
        Section(_WORK, _work(detail)),
    ]
    return [section for section in found if not section.empty]


def in_words(marks: Marks) -> str:
    """Return marks in words, with the label's name; "unreviewed" without any."""
    flag = {Flag.PICK: "picked", Flag.REJECT: "rejected"}.get(marks.flag) if marks.flag else None
    stars = counted(marks.rating, "star") if marks.rating else None
    label = f"{marks.label} label" if marks.label else None
    kept = "kept" if marks.kept and marks.flag is None and not marks.rating else None
    text = words.joined((flag, kept, stars, label))
    return text if flag or kept or stars else words.joined((text, "unreviewed"))


def _files(detail: PhotoDetail) -> list[tuple[str, str]]:
    rows = []
    here = detail.path.parent  # files in the photo's own folder come first
    for file in sorted(detail.files, key=lambda file: file.path.parent != here):
        name = {"copy": "Copy", "half": "JPEG"}.get(file.role, "")
        name = name or ("RAW" if file.kind is Kind.RAW else "File")
        gone = f" · {file.away or 'missing'}" if file.missing else ""
        size, folder = words.size(file.size), words.path(file.path.parent)
        rows.append((name, f"{bidi_safe(file.path.name)}\n{size}{gone}\n{folder}"))
    return rows


def _quality(detail: PhotoDetail) -> list[tuple[str, str]]:
    quality = detail.scores
    damage = [("Damage", detail.damage)] if detail.damage else []
    if quality is None:
        return damage
    rows = [
        ("Sharpness", f"{quality.sharpness:.0f}"),
        ("Exposure", f"{quality.exposure:.0f}"),
    ]
    clipped = [
        f"{share * 100:.1f} % {where}"
        for share, where in ((quality.highlights, "highlights"), (quality.shadows, "shadows"))
        if share >= 0.001
    ]
    rows += [("Clipped", "\n".join(clipped))] if clipped else []
    rows += [("Measured", MEASURED.get(detail.basis or "", ""))] if detail.basis else []
    return rows


def _history(history: Sequence[Step]) -> list[tuple[str, str]]:
    rows = []
    for step in list(reversed(history))[:_HISTORY]:
        verb = {"undo": "Undid: ", "redo": "Redid: "}.get(step.kind, "")
        # A change about the photo and something else is described by the step's summary.
        plain = [c for c in step.changes if c.about is None and c.field != "elsewhere"]
        what = words.joined(_change(change) for change in plain) or step.summary
        rows.append((when(step.made_at), verb + what))
    return rows


def _change(change: Change) -> str:
    value = change.after
    if change.field == "rating":
        return counted(int(str(value)), "star") if value else "no stars"
    if change.field == "kept":
        return "kept" if value else "not kept"
    if change.field == "label":
        return f"{value} label" if value else "no label"
    if change.field == "stacked":
        return "stacked as found" if value is None else "stacked by hand" if value else "unstacked"
    return {"pick": "picked", "reject": "rejected"}.get(str(value), "no flag")


def _work(detail: PhotoDetail) -> list[tuple[str, str]]:
    """Return the stages that are waiting, running or failed; done ones are left out."""
    rows = []
    for work in detail.work:
        title = _STAGES.get(work.stage, work.stage)
        if work.state is StageState.FAILED:
            tries = f" ({counted(work.attempts, 'attempt')})" if work.attempts > 1 else ""
            rows.append((title, f"{work.reason or 'failed'}{tries}"))
        elif work.reason and work.next_attempt_at:
            rows.append((title, f"{work.reason}\nNext attempt {when(work.next_attempt_at)}"))
        elif work.state is not StageState.DONE:
            rows.append((title, str(work.state)))
    return rows


def section_block(section: Section, chips: TagChips | None = None) -> QWidget:
    """Build a section: its title, its rows, its tags as ``chips`` or as plain ones."""
    block = QWidget()
    grid = QGridLayout(block)
    grid.setContentsMargins(0, 14, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(3)
    grid.setColumnMinimumWidth(0, 88)
    grid.setColumnStretch(1, 1)
    grid.addWidget(theme.plain(section.title, role="section"), 0, 0, 1, 2)
    top = Qt.AlignmentFlag.AlignTop
    if section.tags:
        grid.addWidget(chips or TagChips(section.tags), 1, 0, 1, 2)
    for number, (name, value) in enumerate(section.rows, 1):
        grid.addWidget(theme.plain(name, role="quiet"), number, 0, top)
        label = theme.plain(breakable(value))
        label.setWordWrap(True)
        grid.addWidget(label, number, 1)
    return block


def breakable(text: str) -> str:
    """Let long paths wrap, by a zero-width space after each separator."""
    return text.replace("/", "/\u200b").replace("\\", "\\\u200b").replace("_", "_\u200b")
