"""The inspector at the right edge: everything known about the current photo, its marks first.

News about the photo on screen never moves what is there: it replaces the old section if it fits,
else it is appended below until another photo becomes current.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from curator.catalog import ProjectRow
from curator.learning.explanations import Insight
from curator.library.approval import all_clauses
from curator.model import Clause, Flag, KnownError, Marks, bidi_safe
from curator.session import Session
from curator.ui.panels.photo_sections import (
    WORK,
    Section,
    breakable,
    in_words,
    section_block,
    sections,
)
from curator.ui.panels.why import SimilarSection, WhySection
from curator.ui.widgets import layouts, mark_painter, theme
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.menus import tag_menu
from curator.ui.widgets.tag_chips import TagChips

_REST_MS = 60  # a held arrow key must not rebuild the panel at every frame
_MARGIN = 16


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


class ProjectChips(QWidget):
    """The projects of a photo as chips, hidden without any; a click opens the project."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: Sequence[ProjectRow] = ()
        self._rows = layouts.column(self, spacing=4, margins=(0, 4, 0, 0))
        self.hide()

    def show_photo(self, photo_id: int | None) -> None:
        """Show the projects of a photo."""
        rows = [] if photo_id is None else self._session.table.projects.of(photo_id)
        if rows != self._shown:
            self._shown = rows
            theme.clear_layout(self._rows)
            for row in rows:
                self._rows.addWidget(self._line(row))
        self.setVisible(bool(rows))

    def _line(self, row: ProjectRow) -> QWidget:
        line = QWidget()
        inside = layouts.row(line, spacing=8)
        button = QPushButton()
        button.setProperty("chip", True)
        button.setIcon(theme.icon("project", quiet=True))
        room, elide = theme.INSPECTOR - 90, Qt.TextElideMode.ElideRight
        shown = button.fontMetrics().elidedText(row.name, elide, room)
        button.setText(shown.replace("&", "&&"))
        button.setToolTip(theme.plain_tip(f"Open project {row.name}"))
        button.setAccessibleName(f"Project {row.name}")
        button.clicked.connect(lambda: self._session.projects.open_scope(row.id))
        inside.addWidget(button)
        inside.addStretch(1)
        return line


class Inspector(QWidget):
    """Title, marks, sections and explanations of the current photo.

    It follows the current photo a moment after the person stops moving.
    """

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._session = session
        self._insight: Insight | None = None
        self._shown_insight: tuple[int, Insight | None, bool] | None = None
        self._why_wanted = False  # whether a key requested Why for the current photo
        theme.style_as(self, "inspector")
        self.title = theme.wrapped("", "title")
        self.marks, self.memberships = MarksLine(), ProjectChips(session)
        self.approved = theme.wrapped("", "caption")
        self.approved.setMinimumHeight(QFontMetrics(theme.caption_font()).height())
        self.why, self.similar = WhySection(session, pictures), SimilarSection(session, pictures)
        self._parts, self._late = QVBoxLayout(), QVBoxLayout()  # sections, late ones below
        self._laid_out_for: tuple[object, ...] = ()  # the photo and marks the sections show
        self._blocks: dict[str, tuple[Section, QWidget]] = {}  # by title
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
        column = layouts.column(content, margins=(_MARGIN, 12, _MARGIN, _MARGIN))
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
        outer = layouts.column(self, margins=(1, 0, 0, 0))
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
        if state != self._shown_insight:
            self._shown_insight = state
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
        describing = "Describing…" if self._session.descriptions.describes(current) else ""
        stack = self._session.stacks.facts(current)
        unmeasured = "Not measured yet" if self._session.settings.faces.on else ""
        detail = replace(detail, text=self._session.text.hits_first(current))
        found = sections(detail, history, stack, describing=describing, unmeasured=unmeasured)
        # What the person did shows at once: a mark, or the wish for a description.
        laid_out_for = current, history[-1].id if history else None, describing
        if self._laid_out_for != laid_out_for:
            self._rebuild(laid_out_for, found)
        else:
            self._update_blocks({section.title: section for section in found})
        self._shown_insight = None
        self._show_insight()
        self._session.explanations.explain(current)

    def _why_approved(self, photo_id: int | None) -> str:
        """Return which clause approves a photo for export, as a sentence; empty if none does."""
        session = self._session
        shown = photo_id is not None and photo_id not in session.photos.hidden_stars
        name = session.statistics.clause_of(photo_id) if shown and photo_id is not None else None
        if name == Clause.FILE:
            return "Approved only by a rating from another app"
        clauses = all_clauses(session.settings.approval.rule)
        title = next((clause.title for clause in clauses if clause.name == name), "")
        return f"Approved for export: {title}" if title else ""

    def _rebuild(self, laid_out_for: tuple[object, ...], found: Sequence[Section]) -> None:
        """Build all sections in their order."""
        self._laid_out_for, self._blocks = laid_out_for, {}
        for part in (self._parts, self._late):
            theme.clear_layout(part)
        for section in found:
            self._add(self._parts, section)

    def _update_blocks(self, found: dict[str, Section]) -> None:
        """Show a changed section in its place if it fits there, else below the others."""
        for title, (section, block) in list(self._blocks.items()):
            if found.get(title) == section:
                continue
            room = QWidget()
            room.setFixedHeight(block.height())
            new = self._block(found[title]) if title in found else None
            if new is not None and theme.height_in(new, block.width()) <= block.height():
                column = layouts.column(room)
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
            self._add(self._late, found[title])

    def _add(self, part: QVBoxLayout, section: Section) -> None:
        block = self._block(section)
        self._blocks[section.title] = section, block
        part.addWidget(block)
        block.show()

    def _block(self, section: Section) -> QWidget:
        """Build a section; failed work gets a button to retry it."""
        session, photo = self._session, self._session.current
        assert photo is not None
        block = section_block(section, self._chips(section, photo) if section.tags else None)
        layout = block.layout()
        failed = section.title == WORK and session.table.state(photo) == "failed"
        if failed and layout is not None:
            button = theme.link_button("Try again", lambda: session.sources.retry(photo))
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            layout.addWidget(button)
        return block

    def _chips(self, section: Section, photo_id: int) -> TagChips:
        """Build a photo's tags as chips to confirm and remove."""
        session, chips = self._session, TagChips(section.tags, clickable=True)

        def change(act: Callable[[str, list[int]], None], name: str) -> None:
            session.messages.say_errors(lambda: act(name, [photo_id]))

        chips.confirmed.connect(lambda name: change(session.tags.confirm, name))
        chips.removed.connect(lambda name: change(session.tags.remove, name))
        chips.menu.connect(lambda name, at: tag_menu(chips, session, name).popup(at))
        return chips
