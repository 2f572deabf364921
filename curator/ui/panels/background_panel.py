"""Background work and disk usage, two sections of the overview page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from curator.library.scopes import Scope
from curator.model import read_elsewhere
from curator.session import Session
from curator.session.background_status import BackgroundStatus, DiskUsage, StageCounts
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.text_line import TextLine

_LINE = 96  # px, length of a progress line
_ROW = 24


class _Section(QWidget):
    """A titled section of the overview page, with rows below its title."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.column = layouts.column(self, spacing=8)
        self.column.addWidget(theme.plain(title, role="section"))
        self.rows = QGridLayout()
        self.rows.setHorizontalSpacing(16)
        self.rows.setVerticalSpacing(0)
        self.rows.setColumnStretch(2, 1)
        self.column.addLayout(self.rows)
        self._shown: Sequence[object] = ()

    def _clear_unless_same(self, content: Sequence[object]) -> bool:
        """Clear the rows unless they show the same content. Return whether they were cleared."""
        if content == self._shown:
            return False
        self._shown = content
        theme.clear_layout(self.rows)
        return True

    def _add_row(self, row: int, *widgets: QWidget) -> None:
        self.rows.setRowMinimumHeight(row, _ROW)
        for column, widget in enumerate(widgets):
            self.rows.addWidget(widget, row, column)
            widget.show()


class WorkSection(_Section):
    """Each stage with its progress. A click on failures lists them."""

    def __init__(self, session: Session) -> None:
        super().__init__("Background work")
        self._session = session
        self.status = theme.wrapped("", "quiet")
        self.column.addWidget(self.status)

    def show_work(self, status: BackgroundStatus | None) -> None:
        """Show encoder and vision model, and the progress of each stage once it is known."""
        self.status.setText("\n".join(model_status(self._session)))
        stages = status.stages if status is not None else ()
        if not self._clear_unless_same(stages):
            return
        for row, stage in enumerate(stages):
            counts = _quiet_line(counts_line(stage))
            if stage.failed:
                show = self._session.requests.failures_requested.emit
                counts.make_clickable(show, "Show the failures and the reasons")
            self._add_row(row, theme.plain(stage.title), StageBar(stage), counts)


class DiskSection(_Section):
    """The sizes of Curator's own files and of the originals."""

    def __init__(self) -> None:
        super().__init__("On disk")

    def show_disk(
        self, scope: Scope, status: BackgroundStatus | None, usage: DiskUsage | None
    ) -> None:
        """Show the sizes known so far."""
        sizes = on_disk(scope, status, usage)
        if not self._clear_unless_same(sizes):
            return
        for row, (title, size, note) in enumerate(sizes):
            figure = theme.plain(size)
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._add_row(row, theme.plain(title), figure, _quiet_line(note))


class StageBar(QWidget):
    """The progress of a stage as a line that fills."""

    def __init__(self, stage: StageCounts) -> None:
        super().__init__()
        self._share = stage.done / max(stage.all - stage.blocked, 1)
        self.setFixedSize(_LINE, theme.BODY_PX + 6)
        self.setAccessibleName(f"{stage.title}: {counts_line(stage)}")

    def paintEvent(self, event: object) -> None:
        """Draw the line; it looks complete only when the stage is."""
        painter = QPainter(self)
        line = QRectF(0, self.height() / 2 - 1, self.width(), 3)
        painter.fillRect(line, theme.HAIRLINE)
        width = self.width() if self._share == 1 else min(line.width() * self._share, _LINE - 2)
        painter.fillRect(QRectF(line.topLeft(), QSizeF(width, 3)), theme.QUIET)


def counts_line(stage: StageCounts) -> str:
    """Return a stage's counts: ``1,840 done · 4 running · 1,168 waiting``."""
    counts = {name: getattr(stage, name) for name in ("done", "running", "waiting", "failed")}
    return words.joined(f"{words.count(count)} {name}" for name, count in counts.items() if count)


def model_status(session: Session) -> list[str]:
    """Return which encoder and which vision model are in use, or why they are not working."""
    if session.pipeline is None:
        return [str(read_elsewhere())]
    vision, held = session.settings.vision, session.descriptions.held
    which = "all photos" if vision.automatic else "when asked"
    described = f"Described by {vision.model} ({vision.provider}), {which}."
    return [session.pipeline.encoding.sentence, described if held is None else str(held)]


def on_disk(
    scope: Scope, status: BackgroundStatus | None, usage: DiskUsage | None
) -> tuple[tuple[str, str, str], ...]:
    """Return the rows of the disk section: title, size, note."""
    rows = []
    if usage is not None:
        inside = f"{words.size(status.vectors)} vectors" if status and status.vectors else ""
        rows = [
            ("Proxies", words.size(usage.proxies), ""),
            ("Thumbnails", words.size(usage.thumbs), ""),
            ("Catalog", words.size(usage.catalog), inside),
        ]
    if status is not None and status.scope == scope.key and status.originals:
        where = "" if scope.kind == "all" else f"in {scope.title}"
        rows.append(("Originals", words.size(status.originals), where))
    return tuple(rows)


def _quiet_line(text: str) -> TextLine:
    line = TextLine(theme.QUIET, Qt.AlignmentFlag.AlignLeft)
    line.setFont(theme.body_font())
    line.set_text(text)
    return line
