"""The search box: one line, what may come next below it, and where it makes no sense."""

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
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from curator.library.filters import FilterError
from curator.model import KnownError
from curator.session import Session
from curator.session.search_hints import Hint, hints
from curator.ui.widgets import theme, words
from curator.ui.widgets.rows import Row, Rows

_TYPING_MS = 200
_TIP = "Words in names, tags and descriptions, or fields: is:picked rating:>=4 camera:x100"
_HINTS = 380  # px wide
_LONGEST = 10_000  # characters; what is longer than a search may be is said, not cut


class HintRows(QWidget):
    """The ways to go on, below the box; it never takes the keyboard.

    Signals:
        chosen(Hint): one was pressed.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = Rows()
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 4, 1, 4)
        column.addWidget(self.rows)
        self.found: list[Hint] = []
        self.at = -1
        self.rows.pressed.connect(lambda key: self.chosen.emit(self.found[int(key)]))
        self.hide()

    def show_hints(self, found: list[Hint]) -> None:
        """Show these, none of them chosen."""
        self.found, self.at = found, -1
        self._draw()
        self.setVisible(bool(found))

    def step(self, by: int) -> None:
        """Choose the next one, or none before the first."""
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
    """The search as text: applied while typing, Enter returns to the photos, Esc takes it off.

    Tab takes the first way to go on, Up and Down choose among them.

    Signals:
        left: the person is done typing.
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
        self.setClearButtonEnabled(False)
        self.setMaxLength(_LONGEST)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._try)
        self.textEdited.connect(self._edited)
        self.cursorPositionChanged.connect(self._hint)
        self.problem = QLabel(self.window())
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setObjectName("problem")
        self.problem.hide()
        self.hints = HintRows(self.window())
        self.hints.chosen.connect(self._take_hint)
        self._found = ""
        session.view_changed.connect(self._take_over)
        for changed in (session.view_changed, session.list_changed):
            changed.connect(self._count)

    def _count(self) -> None:
        """Show at the right end how many photos the search found."""
        found = len(self._session.ids) if self._session.filter else None
        self._found = "" if found is None else words.photos(found)
        self.setAccessibleDescription(self._found)
        self._leave_room()
        self.update()

    def _leave_room(self) -> None:
        metrics = QFontMetrics(theme.caption_font())
        if metrics.horizontalAdvance(self._found) > self.width() // 3:
            self._found = self._found.partition(" ")[0]  # the number alone
        wide = metrics.horizontalAdvance(self._found)
        self.setTextMargins(0, 0, wide + 8 if wide else 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have room for the count beside the text."""
        super().resizeEvent(event)
        self._count()

    def _take_over(self) -> None:
        self.setToolTip(theme.tip(_TIP, self._session.keys.get("search")))
        if not self.hasFocus() and self.text() != self._session.filter:
            self.setText(self._session.filter)
            self._complain(None)

    # --- typing

    def _edited(self) -> None:
        self._typing.start()
        self._complain(None)
        self._hint()

    def _try(self) -> None:
        """Apply what is typed so far; half a term is no mistake yet."""
        try:
            self._apply()
        except FilterError as error:
            if error.position + error.length < self.cursorPosition():
                self._complain(error)
        except KnownError as error:
            self._session.say(str(error))

    def _apply(self) -> None:
        self._typing.stop()
        text = self.text().strip()
        if text != self._session.filter:
            self._session.set_filter(text)
        self._complain(None)

    def commit(self) -> bool:
        """Apply the text; tell whether it makes sense, saying in place where it does not."""
        try:
            self._apply()
        except FilterError as error:
            self._complain(error)
            self.setCursorPosition(error.position)
            self.hints.hide()
            return False
        except KnownError as error:
            self._session.say(str(error))
            return False
        return True

    # --- what may come next

    def _hint(self) -> None:
        if not self.hasFocus() or self._mistake is not None:
            self.hints.hide()
            return
        found = hints(self._session, self.text()[: self.cursorPosition()]).found
        self.hints.show_hints(found)
        self._place(self.hints)

    def _take_hint(self, hint: Hint) -> None:
        before, after = self.text()[: self.cursorPosition()], self.text()[self.cursorPosition() :]
        start = hints(self._session, before).start
        self.setText(before[:start] + hint.text + after.lstrip())
        self.setCursorPosition(start + len(hint.text))
        self.setFocus()
        self._edited()

    def _place(self, below: QWidget) -> None:
        """Put something below the box, its right edge under the box's."""
        window = self.window()
        if below.parent() is not window:
            shown = below.isVisible()
            below.setParent(window)
            below.setVisible(shown)
        at = self.mapTo(window, QPoint(self.width(), self.height() + 6))
        below.move(max(at.x() - below.width(), 8), at.y())
        below.raise_()

    # --- mistakes

    def _complain(self, error: FilterError | None) -> None:
        self._mistake = error
        self.setProperty("wrong", error is not None)
        self.style().unpolish(self)
        self.style().polish(self)
        self.problem.setVisible(error is not None)
        if error is not None:
            self.hints.hide()
            self.problem.setText(str(error))
            self.problem.adjustSize()
            self._place(self.problem)
            self.problem.show()
        self.update()

    def _underlined(self) -> QRect:
        """Give the place of the characters that make no sense."""
        error = self._mistake
        if error is None:
            return QRect()
        # Qt tells where the cursor is and nothing else; from there it can be measured.
        metrics, text, here = self.fontMetrics(), self.text(), self.cursorRect()
        cursor = metrics.horizontalAdvance(text[: self.cursorPosition()])
        origin = here.center().x() - cursor
        left = origin + metrics.horizontalAdvance(text[: error.position])
        right = origin + metrics.horizontalAdvance(text[: error.position + error.length])
        return QRect(left, here.bottom(), max(right - left, 6), 2)

    # --- Qt

    def event(self, event: QEvent) -> bool:
        """Keep every plain key while typing: none of them is a command here."""
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
        """Leave with Enter or Down (keeping the search), or with Esc (taking it off)."""
        key, hinting = event.key(), self.hints.isVisible()
        enter = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if hinting and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.hints.step(1 if key == Qt.Key.Key_Down else -1)
        elif hinting and (key == Qt.Key.Key_Tab or (enter and self.hints.at >= 0)):
            self._take_hint(self.hints.found[max(self.hints.at, 0)])
        elif enter or key == Qt.Key.Key_Down:
            if self.commit():
                self.left.emit()
        elif key == Qt.Key.Key_Escape:
            self.clear()
            self._typing.stop()
            self._complain(None)
            if self._session.filter:
                self._session.leave_filter()
            self.left.emit()
        elif key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field with its glass, and a line under what makes no sense."""
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
        """Apply nothing more once the window is closed or its edges are hidden."""
        self._typing.stop()
        self.hints.hide()
        super().hideEvent(event)

    def focusInEvent(self, event: object) -> None:
        """Say what may be typed."""
        super().focusInEvent(event)  # type: ignore[arg-type]
        self._hint()

    def focusOutEvent(self, event: object) -> None:
        """Forget a complaint about text that was left standing."""
        self._complain(None)
        self.hints.hide()
        super().focusOutEvent(event)  # type: ignore[arg-type]
