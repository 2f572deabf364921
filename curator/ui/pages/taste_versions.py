"""The Taste page's table of versions, and the photos whose match changed most in a version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from curator.catalog import TasteRow
from curator.learning.learner import ScoreChange
from curator.learning.report import REASONS
from curator.session import Session
from curator.ui.widgets import theme, words
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.tables import TextRows
from curator.ui.widgets.thumbnails import fitted, thumbnail_request

_THUMB = 64  # px, the square a thumbnail is fitted into
_CELL = 70
_MOST = 6  # photos shown


class MovedStrip(QWidget):
    """The photos whose match changed most, each with its score before and now."""

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._moved: Sequence[ScoreChange] = ()
        self.setFixedHeight(_THUMB + 20)
        self._thumbs.arrived.connect(self.update)

    def show_moved(self, moved: Sequence[ScoreChange]) -> None:
        """Show photos; those no longer in the catalog are left out."""
        existing = [each for each in moved if each.photo_id in self._session.table]
        self._moved = existing[:_MOST]
        self._thumbs.want("taste", map(self._request, self._moved))
        self.setAccessibleName(", ".join(self._changed_text(each) for each in self._moved))
        self.update()

    def _changed_text(self, moved: ScoreChange) -> str:
        name = self._session.table.name(moved.photo_id)
        return f"{name}: match {moved.before}, now {moved.now}"

    def _request(self, moved: ScoreChange) -> FrameRequest | None:
        side = round(_THUMB * self.devicePixelRatioF())
        return thumbnail_request(self._session.tile(moved.photo_id), (side, side))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the thumbnails, flat shapes for those not loaded, and the scores."""
        painter = QPainter(self)
        painter.setFont(theme.caption_font())
        for number, moved in enumerate(self._moved[: self.width() // _CELL]):
            square = QRect(number * _CELL, 0, _THUMB, _THUMB)
            place = QRect(0, 0, *fitted(self._session.tile(moved.photo_id), (_THUMB, _THUMB)))
            place.moveCenter(square.center())
            place.moveBottom(square.bottom())
            frame = self._thumbs.best(self._request(moved))
            if frame is None:
                painter.fillRect(place, theme.RAISED)
            else:
                painter.drawImage(place, frame.image)
            below = QRect(square.left(), _THUMB + 4, _THUMB, 16)
            painter.setPen(theme.QUIET)
            text = f"{moved.before} → {moved.now}"
            painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter), text)

    def event(self, event: object) -> bool:
        """Show the name of the photo under the pointer."""
        if isinstance(event, QHelpEvent):
            number = event.pos().x() // _CELL
            text = self._changed_text(self._moved[number]) if number < len(self._moved) else ""
            QToolTip.showText(event.globalPos(), theme.plain_tip(text) if text else "", self)
            return True
        return super().event(event)  # type: ignore[arg-type]

    def hideEvent(self, event: object) -> None:
        """Withdraw the request for thumbnails."""
        self._thumbs.want("taste", ())


class VersionTable(TextRows[TasteRow]):
    """The versions of the taste model as rows."""

    heads = ("Version", "Saved", "", "Ratings", "Correlation")
    numbers = frozenset({3, 4})

    def __init__(self) -> None:
        super().__init__()
        self.pinned: int | None = None

    def show_versions(self, rows: Sequence[TasteRow], pinned: int | None) -> bool:
        """Replace the rows. Return whether they changed."""
        if (list(rows), pinned) == (self.rows, self.pinned):
            return False
        self.pinned = pinned
        self.show_rows(rows)
        return True

    def cell(self, row: TasteRow, column: int) -> str:
        """Return a cell: number, time, reason, ratings, rank correlation."""
        return (
            f"{row.id}, pinned" if row.id == self.pinned else str(row.id),
            _when(row.made_at),
            REASONS[row.reason],
            words.count(row.ratings),
            "" if row.correlation is None else f"{row.correlation:.2f}",
        )[column]

    def color(self, row: TasteRow, column: int) -> QColor:
        """Return white for the pinned version, quiet text for the details of the others."""
        return theme.WHITE if row.id == self.pinned else theme.TEXT if column < 2 else theme.QUIET


def _when(made_at: float) -> str:
    """Return when a version was saved: with the time if today or yesterday, else the date."""
    made = datetime.fromtimestamp(made_at)
    for day, name in ((date.today(), "today"), (date.today() - timedelta(1), "yesterday")):
        if made.date() == day:
            return f"{name} {made:%H:%M}"
    return f"{made:%Y-%m-%d}"
