"""The search box: a text field with suggestions below it and mistakes underlined."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QLineEdit, QWidget

from curator.library.query import FilterError
from curator.model import KnownError
from curator.session import Session
from curator.session.search_hints import Hint
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.rows import Row, Rows

_TYPING_MS = 200
_TIP = "Search names, tags and descriptions, or fields: is:picked rating:>=4 camera:x100"
_HINTS = 440  # px wide
_LONGEST = 10_000  # characters, more than a search may have: a long one is refused, not cut


class HintRows(QWidget):
    """The suggestions below the box; they never take the keyboard focus.

    Signals:
        chosen(Hint): a suggestion was clicked.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        theme.style_as(self, "palette")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = Rows()
        column = layouts.column(self, margins=(1, 4, 1, 4))
        column.addWidget(self.rows)
        self.found: list[Hint] = []
        self.at = -1
        self.rows.pressed.connect(lambda key: self.chosen.emit(self.found[int(key)]))
        self.hide()

    def show_hints(self, found: list[Hint]) -> None:
        """Show suggestions, none of them selected."""
        self.found, self.at = found, -1
        self._draw()
        self.setVisible(bool(found))

    def step(self, by: int) -> None:
        """Select the next or previous suggestion, or none before the first."""
        self.at = min(max(self.at + by, -1), len(self.found) - 1)
        self._draw()

    def _draw(self) -> None:
        self.rows.show_rows(
            [
                Row(str(number), hint.text.strip(), hint.about, current=number == self.at)
                for number, hint in enumerate(self.found)
            ]
        )
        self.setFixedSize(_HINTS, len(self.found) * theme.ROW + 8)


class SearchField(QLineEdit):
    """The search as text, applied while typing.

    Up and Down select a suggestion; Tab accepts it or the first one. Enter returns to the photos,
    Esc clears the search as well.

    Signals:
        left: the person has finished typing.
    """

    left = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._mistake: FilterError | None = None
        self.setPlaceholderText("Search")
        self.setAccessibleName("Search and filter")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setObjectName("search")
        self.setMaxLength(_LONGEST)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(lambda: self._apply(finished=False))
        self.textEdited.connect(self._edited)
        self.cursorPositionChanged.connect(self._show_hints)
        self.problem = theme.plain(parent=self.window())
        self.problem.setObjectName("problem")
        self.problem.hide()
        self.hints = HintRows(self.window())
        self.hints.chosen.connect(self._accept_hint)
        self._found = ""
        for changed in (
            session.criteria.scope_changed,
            session.criteria.mode_changed,
            session.criteria.filter_changed,
            session.preferences.changed,
        ):
            changed.connect(self._on_filter)
            changed.connect(self._count)
        session.photos.list_changed.connect(self._count)
        self._on_filter()  # the list is opened with the filter it had last

    def _count(self) -> None:
        """Show at the right end how many photos were found."""
        filtered = bool(self._session.criteria.filter)
        self._found = words.photos(len(self._session.ids)) if filtered else ""
        self.setAccessibleDescription(self._found)
        metrics = QFontMetrics(theme.caption_font())
        if metrics.horizontalAdvance(self._found) > self.width() // 3:
            self._found = self._found.partition(" ")[0]  # only the number
        width = metrics.horizontalAdvance(self._found)
        self.setTextMargins(0, 0, width + 8 if width else 0, 0)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep room for the count beside the text."""
        super().resizeEvent(event)
        self._count()

    def _on_filter(self) -> None:
        self.setToolTip(theme.tip(_TIP, self._session.preferences.keys.get("search")))
        if not self.hasFocus() and self.text() != self._session.criteria.filter:
            self.setText(self._session.criteria.filter)
            self._show_mistake(None)

    # --- typing

    def _edited(self) -> None:
        self._typing.start()
        self._show_mistake(None)
        self._show_hints()

    def _apply(self, *, finished: bool) -> bool:
        """Apply the text. Return whether it was applied; an error is shown.

        Args:
            finished: whether the person has finished typing; else an invalid last term may only
                be incomplete, and is no mistake yet.
        """
        self._typing.stop()
        text = self.text().strip()
        try:
            if text != self._session.criteria.filter:
                self._session.search.set_filter(text)
        except FilterError as error:
            if finished or error.position + error.length < self.cursorPosition():
                self._show_mistake(error)
            if finished:
                self.setCursorPosition(error.position)
            return False
        except KnownError as error:
            self._session.messages.say(str(error))
            return False
        self._show_mistake(None)
        return True

    # --- suggestions

    def _show_hints(self) -> None:
        if not self.hasFocus() or self._mistake is not None:
            self.hints.hide()
            return
        found = self._session.search_hints.hints(self.text()[: self.cursorPosition()]).found
        self.hints.show_hints(found)
        self._place(self.hints)

    def _accept_hint(self, hint: Hint) -> None:
        before, after = self.text()[: self.cursorPosition()], self.text()[self.cursorPosition() :]
        start = self._session.search_hints.hints(before).start
        self.setText(before[:start] + hint.text + after.lstrip())
        self.setCursorPosition(start + len(hint.text))
        self.setFocus()
        self._edited()

    def _place(self, below: QWidget) -> None:
        """Place a widget below the box, right-aligned with it."""
        window = self.window()
        if below.parent() is not window:
            shown = below.isVisible()
            below.setParent(window)
            below.setVisible(shown)
        at = self.mapTo(window, QPoint(self.width(), self.height() + 6))
        below.move(max(at.x() - below.width(), 8), at.y())
        below.raise_()

    # --- mistakes

    def _show_mistake(self, error: FilterError | None) -> None:
        self._mistake = error
        self.setProperty("wrong", error is not None)
        theme.restyle(self)
        self.problem.setVisible(error is not None)
        if error is not None:
            self.hints.hide()
            self.problem.setText(str(error))
            self.problem.adjustSize()
            self._place(self.problem)
            self.problem.show()
        self.update()

    def _underlined(self) -> QRect:
        """Return the rectangle of the line below the mistake; empty if there is no mistake."""
        error = self._mistake
        if error is None:
            return QRect()
        # Qt only tells where the cursor is; the rest is measured from there.
        metrics, text, here = self.fontMetrics(), self.text(), self.cursorRect()
        cursor = metrics.horizontalAdvance(text[: self.cursorPosition()])
        origin = here.center().x() - cursor
        left = origin + metrics.horizontalAdvance(text[: error.position])
        right = origin + metrics.horizontalAdvance(text[: error.position + error.length])
        return QRect(left, here.bottom(), max(right - left, 6), 2)

    # --- Qt

    def event(self, event: QEvent) -> bool:
        """Keep plain keys from the window's shortcuts while the person types."""
        if isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.ShortcutOverride:
                strong = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
                if not event.modifiers() & (strong | Qt.KeyboardModifier.MetaModifier):
                    event.accept()
                    return True
            elif event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab:
                self.keyPressEvent(event)  # before Qt moves the focus by it
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Select and accept suggestions; else Enter or Down leave the field, Esc clears it too."""
        key, hinting = event.key(), self.hints.isVisible()
        enter = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if hinting and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.hints.step(1 if key == Qt.Key.Key_Down else -1)
        elif hinting and (key == Qt.Key.Key_Tab or (enter and self.hints.at >= 0)):
            self._accept_hint(self.hints.found[max(self.hints.at, 0)])
        elif enter or key == Qt.Key.Key_Down:
            if self._apply(finished=True):
                self.left.emit()
        elif key == Qt.Key.Key_Escape:
            self.clear()
            self._typing.stop()
            self._show_mistake(None)
            if self._session.criteria.filter:
                self._session.search.leave_filter()
            self.left.emit()
        elif key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field with its icon, the count, and a line under a mistake."""
        super().paintEvent(event)
        color = theme.TEXT if self.text() or self.hasFocus() else theme.QUIET
        image = theme.pixmap("search", color, theme.ICON, self.devicePixelRatioF())
        painter = QPainter(self)
        painter.drawPixmap(8, (self.height() - theme.ICON) // 2, image)
        if self._found and self._mistake is None:
            painter.setFont(theme.caption_font())
            painter.setPen(theme.QUIET)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(self.rect().adjusted(0, 0, -10, 0), int(flags), self._found)
        if self._mistake is not None:
            painter.setClipRect(self.rect().adjusted(28, 0, -6, 0))
            painter.setPen(QPen(theme.WHITE, 1, Qt.PenStyle.DotLine))
            line = self._underlined()
            for y in (line.top(), line.top() + 1):
                painter.drawLine(line.left(), y, line.right(), y)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the pending search when the window closes or its panels are hidden."""
        self._typing.stop()
        self.hints.hide()
        super().hideEvent(event)

    def focusInEvent(self, event: object) -> None:
        """Show suggestions."""
        super().focusInEvent(event)  # type: ignore[arg-type]
        self._show_hints()

    def focusOutEvent(self, event: object) -> None:
        """Hide suggestions and the mistake; the text stays."""
        self._show_mistake(None)
        self.hints.hide()
        super().focusOutEvent(event)  # type: ignore[arg-type]
