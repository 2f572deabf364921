"""The status line: message, progress of the pass in words and as a 2 px line, background work.

The main window shows it at the bottom edge. No part of it may move another one: counts appear and
grow while a person aims at them.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from curator.model import Pass
from curator.pipeline import Progress
from curator.session import PassProgress, Session
from curator.ui.widgets import theme, words
from curator.ui.widgets.text_line import TextLine
from curator.ui.widgets.throttle import Throttle

SHOW_PENDING = "Show the pending sidecars and why they wait"
_COUNT_MS = 30
_MARGIN = 12
_GAP = 16
_PASS_SHARE = 0.30  # of the width, for the pass in the middle
_MESSAGE_SHARE = 0.62  # of the width, for the status message while browsing
# The widest usual texts: the counts keep their places while the numbers change.
_UNREADABLE, _PENDING = "8,888 unreadable", "8,888 sidecars pending"
_NUMBER = "8,888"  # in a narrow window, shown with an icon instead of the words


class ProgressLine(QWidget):
    """The pass as a 2 px line: marked photos in pencil color, skipped ones gray, the rest dark."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: PassProgress | None = None
        self.setFixedHeight(theme.PASSLINE)

    def show_progress(self, progress: PassProgress) -> None:
        """Show the progress of a pass."""
        if progress != self._progress:
            self._progress = progress
            self.update()

    def parts(self, width: int) -> tuple[int, int]:
        """Return the widths in px of the marked and of the skipped part."""
        progress = self._progress
        if progress is None or not progress.text or not progress.total:
            return 0, 0
        decided = round(width * progress.decided / progress.total)
        # One mark among ten thousand photos must show, and one photo left must not look done.
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
    """The status line; blank while nothing happens.

    The places of its parts depend on its width and on whether a pass is running, never on their
    texts.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        theme.style_as(self, "statusline")
        self.setFixedHeight(theme.STATUSLINE + theme.PASSLINE)
        self.line = ProgressLine()
        self.line.setParent(self)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        self.message = TextLine(theme.TEXT, left, fades=True)
        self.pass_ = TextLine(theme.QUIET, Qt.AlignmentFlag.AlignHCenter)
        self.selected = TextLine(theme.TEXT, right)
        self.work = TextLine(theme.QUIET, right)
        self.importing = TextLine(theme.QUIET, right)
        self.importing.hide()
        self.sidecars = TextLine(theme.QUIET, right, icon="sidecar")
        self.unreadable = TextLine(theme.QUIET, right, icon="failed")
        self.unreadable.make_clickable(
            session.requests.failures_requested.emit, "Show unreadable photos and the reasons"
        )
        self.advances = TextLine(theme.QUIET, right)
        self.counts = QWidget(self)
        for part in (self.message, self.pass_):
            part.setParent(self)
        for part in (
            self.selected,
            self.work,
            self.importing,
            self.sidecars,
            self.unreadable,
            self.advances,
        ):
            part.setParent(self.counts)
        for part in (self.selected, self.advances):  # only the person changes these
            part.text_changed.connect(self._arrange)
        session.messages.status_message.connect(self.message.set_text)
        session.messages.slow_operation_started.connect(self.message.set_text_now)
        self.message.text_changed.connect(self._show_tooltip)
        # Counting a large catalog takes a millisecond or two, too long between a key and its frame.
        counting = Throttle(self, _COUNT_MS, self.refresh)
        for changed in (
            session.view_state.arrangement_changed,
            session.preferences.changed,
            session.photos.counts_changed,
            session.photos.current_changed,  # the photo left unreviewed counts as skipped now
            session.photos.selection_changed,
        ):
            changed.connect(counting.request)
        session.view_state.arrangement_changed.connect(self._arrange)
        session.preferences.changed.connect(self._arrange)

    def resizeEvent(self, event: object) -> None:
        """Place the progress line at the top, and the parts below it."""
        self.line.setGeometry(0, 0, self.width(), theme.PASSLINE)
        self._arrange()

    def _show_tooltip(self) -> None:
        self.message.setToolTip(theme.plain_tip(self.message.text))

    def message_rect(self) -> QRect:
        """Return the place at the left for the status message or a notification."""
        width = self.width()
        passing = self._session.criteria.mode is not Pass.BROWSE
        share = (1 - _PASS_SHARE) / 2
        end = round(width * share) - _GAP if passing else round(width * _MESSAGE_SHARE)
        return QRect(0, theme.PASSLINE, end, self.height() - theme.PASSLINE)

    def _arrange(self) -> None:
        """Place the pass in the middle, the message at its left and the counts at its right."""
        room = self.message_rect()
        self.message.setGeometry(room.adjusted(_MARGIN, 0, 0, 0))
        start, end = room.right() + 1 + _GAP, self.width() - _MARGIN
        if self._session.criteria.mode is not Pass.BROWSE:
            width = round(self.width() * _PASS_SHARE)
            self.pass_.setGeometry((self.width() - width) // 2, room.y(), width, room.height())
            start = self.pass_.geometry().right() + 1 + _GAP
        else:
            self.pass_.setGeometry(QRect())
        self.counts.setGeometry(start, room.y(), end - start, room.height())
        self._arrange_counts()

    def _arrange_counts(self) -> None:
        """Place the parts at the right edge, from right to left, each in its own fixed place."""
        metrics = self.work.fontMetrics()
        narrow = self.width() < theme.NARROW
        short = metrics.horizontalAdvance(_NUMBER) + theme.ICON + 4
        right = self.counts.width()
        for part, widest in (
            (self.advances, self.advances.text),
            (self.unreadable, _UNREADABLE),
            (self.sidecars, _PENDING),
        ):
            width = metrics.horizontalAdvance(widest) + 2 if widest else 0
            if narrow and part is not self.advances:
                width = short
            right -= width
            part.setGeometry(right, 0, width, self.counts.height())
            right -= _GAP if width else 0
        width = min(self.selected.sizeHint().width() if self.selected.text else 0, max(right, 0))
        left = width + _GAP if width else 0
        self.selected.setGeometry(0, 0, width, self.counts.height())
        for part in (self.work, self.importing):  # one of them shows
            part.setGeometry(left, 0, max(right - left, 0), self.counts.height())

    def showEvent(self, event: object) -> None:
        """Show what changed while the line was hidden."""
        self._arrange()
        self.refresh()

    def refresh(self) -> None:
        """Show pass, selection, unreadable count and advance mode; nothing while hidden."""
        if not self.isVisible():
            return
        session = self._session
        progress = session.statistics.progress()
        self.pass_.set_text(progress.text)
        self.line.show_progress(progress)
        chosen = len(session.photos.selection)
        self._show(self.selected, f"{words.count(chosen)} selected" if chosen > 1 else "")
        failed = int((session.table.failed() & session.table.alive()).sum())
        self._show(self.unreadable, f"{words.count(failed)} unreadable" if failed else "")
        key = session.preferences.keys.get("toggle_stars_advance")
        self._show(self.advances, (key or "M") if session.preferences.stars_advance else "")
        self.advances.setToolTip(theme.tip("Auto-advance after stars and labels", key))

    def progressed(self, work: Progress) -> None:
        """Show the progress of background work."""
        self.work.set_text(work_text(work))
        self._show_work()
        self.work.setToolTip(theme.plain_tip(". ".join(filter(None, (work.held, work.away)))))

    def show_import(self, text: str) -> None:
        """Show the progress of an import in place of other background work; empty for none."""
        self._show(self.importing, text)
        self._show_work()

    def _show_work(self) -> None:
        self.work.setVisible(bool(self.work.text) and not self.importing.text)

    def show_sidecars(self, text: str, reason: str) -> None:
        """Show how many sidecars are pending; ``reason`` says why some cannot be written."""
        self._show(self.sidecars, text)
        self.sidecars.setToolTip(theme.plain_tip(reason or SHOW_PENDING))

    @staticmethod
    def _show(part: TextLine, text: str) -> None:
        part.set_text(text)
        part.setVisible(bool(text))


def work_text(work: Progress) -> str:
    """Return the progress of background work: ``Reading 1,840 of 3,012 · 56 s``; empty if idle."""
    done = work.done + work.failed
    if work.paused:
        left = work.found - done
        return "Background work paused" + (f" · {words.photos(left)} left" if left > 0 else "")
    if work.scanning and not work.waiting:
        return f"Looking for photos · {words.count(work.found)} found"
    if not work.waiting:
        if work.analyzing:
            return f"Analyzing {words.photos(work.analyzing)}"
        if work.measuring:
            return f"Measuring faces in {words.photos(work.measuring)}"
        if not work.describing:
            return f"Reading text in {words.photos(work.texts)}" if work.texts else work.away
        photos = words.photos(work.describing)
        return f"{photos} to describe" if work.held else f"Describing {photos}"
    text = f"Reading {words.count(done)} of {words.count(work.found)}"
    if work.left_s and not work.scanning:
        text += f" · {words.duration(work.left_s)}"
    return text
