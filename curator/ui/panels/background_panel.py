"""What goes on behind the photos, on the overview: how far the work is, and what lies on disk."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from curator.library.scopes import Scope
from curator.session import Session
from curator.session.background_status import BackgroundStatus, Kept, Lane
from curator.ui.widgets import theme, words
from curator.ui.widgets.text_line import TextLine

_LINE = 96  # length of what fills as a stage goes on
_ROW = 24


class _Part(QWidget):
    """A title, and rows below it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        self.column.addWidget(theme.plain(title, role="section"))
        self.rows = QGridLayout()
        self.rows.setHorizontalSpacing(16)
        self.rows.setVerticalSpacing(0)
        self.rows.setColumnStretch(2, 1)
        self.column.addLayout(self.rows)
        self._shown: Sequence[object] = ()

    def _is_new(self, shown: Sequence[object]) -> bool:
        """Clear the rows if others are to be shown."""
        if shown == self._shown:
            return False
        self._shown = shown
        theme.clear_layout(self.rows)
        return True

    def _row(self, row: int, *widgets: QWidget) -> None:
        self.rows.setRowMinimumHeight(row, _ROW)
        for at, widget in enumerate(widgets):
            self.rows.addWidget(widget, row, at)
            widget.show()


class WorkSection(_Part):
    """Each stage with how far it is, and who does it; what failed is pressed to see why."""

    def __init__(self, session: Session) -> None:
        super().__init__("Work on all photos")
        self._session = session
        self.told = theme.plain(role="quiet")
        self.told.setWordWrap(True)
        self.column.addWidget(self.told)

    def show_work(self, stock: BackgroundStatus | None) -> None:
        """Show how the work stands; before that is known, who does it."""
        self.told.setText("\n".join(machines(self._session)))
        lanes = stock.lanes if stock is not None else ()
        if not self._is_new(lanes):
            return
        for row, lane in enumerate(lanes):
            says = _said(standing(lane))
            if lane.failed:
                tip = "Show what could not be read, and why"
                says.make_clickable(lambda: self._session.ask("failures"), tip)
            self._row(row, theme.plain(lane.title), LaneBar(lane), says)


class DiskSection(_Part):
    """What Curator made takes so much room, and the originals that."""

    def __init__(self) -> None:
        super().__init__("On disk")

    def show_disk(self, scope: Scope, stock: BackgroundStatus | None, kept: Kept | None) -> None:
        """Show what is known of it."""
        sizes = on_disk(scope, stock, kept)
        if not self._is_new(sizes):
            return
        for row, (what, size, more) in enumerate(sizes):
            figure = theme.plain(size)
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._row(row, theme.plain(what), figure, _said(more))


class LaneBar(QWidget):
    """How far a stage is: a line that fills with gray; the machine's work, so no pencil."""

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self._share = lane.done / max(lane.all - lane.blocked, 1)
        self.setFixedSize(_LINE, theme.BODY_PX + 6)
        self.setAccessibleName(f"{lane.title}: {standing(lane)}")

    def paintEvent(self, event: object) -> None:
        """Draw the line; it looks done only where it is."""
        painter = QPainter(self)
        line = QRectF(0, self.height() / 2 - 1, self.width(), 3)
        painter.fillRect(line, theme.HAIRLINE)
        wide = self.width() if self._share == 1 else min(line.width() * self._share, _LINE - 2)
        painter.fillRect(QRectF(line.topLeft(), QSizeF(wide, 3)), theme.QUIET)


def standing(lane: Lane) -> str:
    """Say how a stage stands: ``1,840 done · 4 running · 1,168 waiting``."""
    parts = (
        (lane.done, "done"),
        (lane.running, "running"),
        (lane.waiting, "waiting"),
        (lane.failed, "failed"),
    )
    return words.joined(f"{words.count(number)} {what}" for number, what in parts if number)


def machines(session: Session) -> list[str]:
    """Say who compares photos and who describes them, or what keeps them from it."""
    if session.pipeline is None:
        return ["Another Curator reads photos into this catalog."]
    vision, held = session.settings.vision, session.clerk.held
    whom = f"Described by {vision.model} ({vision.provider})"
    when = "all photos" if vision.automatic else "when asked"
    described = str(held) if held is not None else f"{whom}, {when}."
    return [session.pipeline.encoding.sentence, described]


def on_disk(
    scope: Scope, stock: BackgroundStatus | None, kept: Kept | None
) -> tuple[tuple[str, str, str], ...]:
    """Say what lies on disk: what it is, its size, and what is to be said of it."""
    rows = []
    if kept is not None:
        inside = f"{words.size(stock.vectors)} vectors" if stock and stock.vectors else ""
        rows = [
            ("Proxies", words.size(kept.proxies), ""),
            ("Thumbnails", words.size(kept.thumbs), ""),
            ("Catalog", words.size(kept.catalog), inside),
        ]
    if stock is not None and stock.scope == scope.key and stock.originals:
        here = "yours" if scope.kind == "all" else f"yours, in {scope.title}"
        rows.append(("Originals", words.size(stock.originals), here))
    return tuple(rows)


def _said(text: str) -> TextLine:
    said = TextLine(theme.QUIET, Qt.AlignmentFlag.AlignLeft)
    said.setFont(theme.body_font())
    said.set_text(text)
    return said
