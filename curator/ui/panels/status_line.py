"""The bottom edge: the last act, the pass, background work; and the pass as a 2 px line on top."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.model import Pass
from curator.pipeline import Progress as Work
from curator.session import Progress, Session
from curator.ui.widgets import theme, words

FADE_MS = 120
_COUNT_MS = 30
_MARGIN = 12
_GAP = 16
_PASS = 0.30  # of the width: the pass in the middle, while there is one
_ACT = 0.62  # of the width: the last act, while there is no pass
# The longest of what is usual: such counts grow and shrink, and move nothing beside them.
_UNREADABLE, _PENDING = "8,888 unreadable", "8,888 sidecars pending"
_COUNTED = "8,888"  # and no more of it than an icon and the number where the window is narrow
_SIDECARS = "Show what is to be written, and why it waits"


class Words(QWidget):
    """One line of plain text, elided where it does not fit; new text may fade in.

    Signals:
        clicked: it was pressed.
        said: the text is another.
    """

    clicked = Signal()
    said = Signal()

    def __init__(
        self,
        color: QColor,
        align: Qt.AlignmentFlag,
        *,
        fades: bool = False,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        icon: str = "",
    ) -> None:
        """Make it empty.

        Args:
            color: of the text.
            align: where it stands in its room.
            fades: another text fades in.
            elide: where it is cut; at the right, whole facts are left out first.
            icon: stands with the first word of the text where there is no room for all of it.
        """
        super().__init__()
        self._color, self._align, self._elide, self._icon = color, align, elide, icon
        self._text = ""
        self._opacity = 1.0
        self._fade: QVariantAnimation | None = None
        self.setFont(theme.caption_font())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        if fades:
            self._fade = QVariantAnimation(self, duration=FADE_MS, startValue=0.0, endValue=1.0)
            self._fade.valueChanged.connect(self._set_opacity)

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    def say(self, text: str) -> None:
        """Show another text; the same text again changes nothing."""
        if text == self._text:
            return
        self._text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        if self._fade is not None and self.isVisible():
            self._fade.stop()
            self._fade.start()
        self.update()
        self.said.emit()

    def say_now(self, text: str) -> None:
        """Have another text on screen before anything else is done: that takes a moment."""
        self.say(text)
        if self._fade is not None:
            self._fade.stop()
        self._opacity = 1.0
        self.repaint()

    def press_to(self, act: Callable[[], None], tip: str) -> None:
        """Make the text something to press."""
        self.clicked.connect(act)
        self.setToolTip(tip)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def _set_opacity(self, value: float) -> None:
        self._opacity = value
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for the width of the text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Be content with nothing: text is elided."""
        return QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text."""
        painter = QPainter(self)
        painter.setOpacity(self._opacity)
        color = self._color
        if self.cursor().shape() is Qt.CursorShape.PointingHandCursor and self.underMouse():
            color = theme.WHITE
        painter.setPen(color)
        text = self.shown_text()
        flags = int(self._align | Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine
        painter.drawText(self.rect(), flags, text)
        if self._icon and text and text != self._text:
            left = self.width() - self.fontMetrics().horizontalAdvance(text) - theme.ICON - 4
            image = theme.pixmap(self._icon, color, theme.ICON, self.devicePixelRatioF())
            painter.drawPixmap(left, (self.height() - theme.ICON) // 2, image)

    def shown_text(self) -> str:
        """Return as much of the text as there is room for."""
        metrics = self.fontMetrics()
        if self._icon and metrics.horizontalAdvance(self._text) > self.width():
            return self._text.partition(" ")[0]
        if self._elide is Qt.TextElideMode.ElideRight:
            return words.elide_facts(self._text, metrics, self.width())
        return metrics.elidedText(self._text, self._elide, self.width())

    def enterEvent(self, event: QEvent) -> None:
        """Brighten what can be pressed."""
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Calm down again."""
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Act where pressing means something."""
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class PassLine(QWidget):
    """The pass as 2 px: pencil decided, gray seen, hairline ahead; absent while browsing."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self.setFixedHeight(theme.PASSLINE)

    def show_progress(self, progress: Progress) -> None:
        """Show how far the pass is."""
        if progress != self._progress:
            self._progress = progress
            self.update()

    def parts(self, width: int) -> tuple[int, int]:
        """Give the widths in px of what is decided and of what was seen unreviewed."""
        progress = self._progress
        if progress is None or not progress.text or not progress.total:
            return 0, 0
        decided = round(width * progress.decided / progress.total)
        # One decision of ten thousand must still show, and one left must not look done.
        decided = max(decided, 1) if progress.decided else 0
        if progress.decided < progress.total:
            decided = min(decided, width - 1)
        seen = min(round(width * progress.seen / progress.total), width - decided)
        return decided, max(seen, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the three parts."""
        painter = QPainter(self)
        decided, seen = self.parts(self.width())
        painter.fillRect(self.rect(), theme.AHEAD)
        painter.fillRect(QRect(0, 0, decided, self.height()), theme.PENCIL)
        painter.fillRect(QRect(decided, 0, seen, self.height()), theme.SEEN)


class StatusLine(QWidget):
    """The status line; idle it is blank.

    Where its parts are follows from its width and from whether a pass is under way, never from
    what they say: counts come and grow while somebody aims at one of them.

    Args:
        session: what is on the table.
        show_failures: called when the number of unreadable photos is pressed.
    """

    def __init__(self, session: Session, show_failures: Callable[[], None]) -> None:
        super().__init__()
        self._session = session
        self.setObjectName("statusline")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(theme.STATUSLINE + theme.PASSLINE)
        self.line = PassLine()
        self.line.setParent(self)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        self.act = Words(theme.TEXT, left, fades=True)
        self.pass_ = Words(theme.QUIET, Qt.AlignmentFlag.AlignHCenter)
        self.chosen = Words(theme.TEXT, right)
        self.work = Words(theme.QUIET, right)
        self.sidecars = Words(theme.QUIET, right, icon="sidecar")
        self.unreadable = Words(theme.QUIET, right, icon="failed")
        self.unreadable.press_to(show_failures, "Show what could not be read, and why")
        self.advances = Words(theme.QUIET, right)
        self.ending = QWidget(self)
        for part in (self.act, self.pass_):
            part.setParent(self)
        for part in (self.chosen, self.work, self.sidecars, self.unreadable, self.advances):
            part.setParent(self.ending)
        for part in (self.chosen, self.advances):  # a person selects, and switches the mode
            part.said.connect(self._arrange)
        session.said.connect(self.act.say)
        session.lengthy.connect(self.act.say_now)
        self.act.said.connect(lambda: self.act.setToolTip(theme.plain_tip(self.act.text)))
        # Counting a large catalog takes a millisecond or two: not between a key and its frame.
        self._later = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._later.timeout.connect(self.refresh)
        session.view_changed.connect(self._arrange)
        for signal in (
            session.counts_changed,
            session.current_changed,  # what one leaves unreviewed counts as passed over then
            session.view_changed,
            session.selection_changed,
        ):
            signal.connect(self._soon)

    def resizeEvent(self, event: object) -> None:
        """Keep the pass line on top, the full width."""
        self.line.setGeometry(0, 0, self.width(), theme.PASSLINE)
        self._arrange()

    def act_room(self) -> QRect:
        """Return the room at the left, from edge to edge: the last act's, and an offer's."""
        width = self.width()
        passing = self._session.pass_ is not Pass.BROWSE
        end = round(width * (1 - _PASS) / 2) - _GAP if passing else round(width * _ACT)
        return QRect(0, theme.PASSLINE, end, self.height() - theme.PASSLINE)

    def _arrange(self) -> None:
        """Put the pass in the middle of the window, act and work at its sides."""
        room = self.act_room()
        self.act.setGeometry(room.adjusted(_MARGIN, 0, 0, 0))
        start, end = room.right() + 1 + _GAP, self.width() - _MARGIN
        if self._session.pass_ is not Pass.BROWSE:
            wide = round(self.width() * _PASS)
            self.pass_.setGeometry((self.width() - wide) // 2, room.y(), wide, room.height())
            start = self.pass_.geometry().right() + 1 + _GAP
        else:
            self.pass_.setGeometry(QRect())
        self.ending.setGeometry(start, room.y(), end - start, room.height())
        self._arrange_ending()

    def _arrange_ending(self) -> None:
        """Place what stands at the right, from there: what can be pressed has its own place."""
        metrics = self.work.fontMetrics()
        narrow = self.width() < theme.NARROW
        short = metrics.horizontalAdvance(_COUNTED) + theme.ICON + 4
        right = self.ending.width()
        for part, widest in (
            (self.advances, self.advances.text),
            (self.unreadable, _UNREADABLE),
            (self.sidecars, _PENDING),
        ):
            wide = short if narrow and part is not self.advances else 0
            wide = wide or (metrics.horizontalAdvance(widest) + 2 if widest else 0)
            right -= wide
            part.setGeometry(right, 0, wide, self.ending.height())
            right -= _GAP if wide else 0
        chosen = min(self.chosen.sizeHint().width() if self.chosen.text else 0, max(right, 0))
        left = chosen + _GAP if chosen else 0
        self.chosen.setGeometry(0, 0, chosen, self.ending.height())
        self.work.setGeometry(left, 0, max(right - left, 0), self.ending.height())

    def showEvent(self, event: object) -> None:
        """Catch up on what changed while hidden."""
        self._arrange()
        self.refresh()

    def _soon(self) -> None:
        if not self._later.isActive():
            self._later.start()

    def refresh(self) -> None:
        """Take over pass, selection, unreadable count and advance mode, while it shows."""
        if not self.isVisible():
            return
        progress = self._session.progress()
        self.pass_.say(progress.text)
        self.line.show_progress(progress)
        chosen = len(self._session.selection)
        self._show(self.chosen, f"{words.count(chosen)} selected" if chosen > 1 else "")
        table = self._session.table
        failed = int((table.failed() & table.alive()).sum())
        self._show(self.unreadable, f"{words.count(failed)} unreadable" if failed else "")
        key = self._session.keys.get("toggle_stars_advance")
        self._show(self.advances, (key or "M") if self._session.stars_advance else "")
        self.advances.setToolTip(theme.tip("Stars and labels go to the next photo", key))

    def progressed(self, work: Work) -> None:
        """Show how background reading is going; nothing when it is done."""
        self._show(self.work, reading(work))
        self.work.setToolTip(theme.plain_tip(". ".join(filter(None, (work.held, work.away)))))

    def show_sidecars(self, text: str, reason: str) -> None:
        """Show how many sidecars are to be written, and why some cannot be."""
        self._show(self.sidecars, text)
        self.sidecars.setToolTip(theme.plain_tip(reason or _SIDECARS))

    @staticmethod
    def _show(part: Words, text: str) -> None:
        part.say(text)
        part.setVisible(bool(text))


def reading(work: Work) -> str:
    """Say how background reading is going: ``Reading 1,840 of 3,012 · 56 s``; empty when idle."""
    done = work.done + work.failed
    if work.paused:
        left = work.found - done
        return f"Paused · {words.photos(left)} unread" if left > 0 else ""
    if work.scanning and not work.waiting:
        return f"Looking for photos · {words.count(work.found)} found"
    if not work.waiting and work.comparing:
        return f"Analyzing {words.photos(work.comparing)}"
    if not work.waiting and work.away and not work.describing:
        return work.away
    if not work.waiting:
        to_describe = f"{words.photos(work.describing)}" if work.describing else ""
        waiting = f"{to_describe} to describe" if to_describe else ""
        return waiting if work.held else f"Describing {to_describe}" if to_describe else ""
    text = f"Reading {words.count(done)} of {words.count(work.found)}"
    if work.left_s and not work.scanning:
        text += f" · {words.duration(work.left_s)}"
    return text
