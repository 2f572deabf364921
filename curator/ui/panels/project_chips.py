"""The current photo's projects as chips in the inspector; a click opens the project."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from curator.catalog import ProjectRow
from curator.session import Session
from curator.ui.widgets import theme


class ProjectChips(QWidget):
    """The projects of a photo; hidden without any."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: Sequence[ProjectRow] = ()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 4, 0, 0)
        self._rows.setSpacing(4)
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
        inside = QHBoxLayout(line)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(8)
        button = QPushButton()
        button.setProperty("chip", True)
        button.setIcon(theme.icon("project", quiet=True))
        metrics = button.fontMetrics()
        room = theme.INSPECTOR - 90
        shown = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, room)
        button.setText(shown.replace("&", "&&"))
        button.setToolTip(theme.plain_tip(f"Open project {row.name}"))
        button.setAccessibleName(f"Project {row.name}")
        button.clicked.connect(lambda: self._session.projects.open_scope(row.id))
        inside.addWidget(button)
        inside.addStretch(1)
        return line
