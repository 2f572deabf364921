"""The button of the top bar that names the current project and opens the project chooser."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QPalette
from PySide6.QtWidgets import QToolButton

from curator.session import Session
from curator.ui.widgets import theme

_NAME_PX = 160  # px the name of the project may take


class ProjectButton(QToolButton):
    """Names the current project in the top bar, in the pencil color while the photo is in it."""

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._shows: tuple[object, ...] = ()
        self._room = _NAME_PX
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clicked.connect(lambda: run("choose_project"))
        session.projects.changed.connect(self.refresh)
        session.view_changed.connect(self.refresh)
        session.current_changed.connect(self.refresh)
        session.photos_changed.connect(lambda _: self.refresh())
        self.refresh()

    def have_room(self, px: int) -> None:
        """Limit the width of the name."""
        self._room = min(px, _NAME_PX)
        self.refresh()

    def refresh(self) -> None:
        """Show the current project, and whether it contains the photo."""
        session = self._session
        row, photo = session.projects.current, session.current
        inside = (
            row is not None
            and photo is not None
            and bool(session.table.projects.has(row.id, [photo])[0])
        )
        state = row, inside, session.keys, self._room
        if state == self._shows:  # called for every key press, and hardly ever different
            return
        self._shows = state
        name = row.name if row is not None else "Project"
        shown = QFontMetrics(theme.body_font()).elidedText(
            name, Qt.TextElideMode.ElideRight, self._room
        )
        self.setText(shown.replace("&", "&&"))
        color = theme.PENCIL if inside else theme.TEXT if row is not None else theme.QUIET
        if self.palette().color(QPalette.ColorRole.ButtonText) != color:
            self.setStyleSheet(f"color: {color.name()}")
        self.setToolTip(theme.plain_tip(self._tip(name if row is not None else "", inside)))
        self.setAccessibleName(f"Project: {name}")

    def _tip(self, name: str, inside: bool) -> str:
        keys = self._session.keys
        choose, toggle = keys.get("choose_project"), keys.get("toggle_project")
        lines = ["This photo is in it." if inside else ""]
        if name:
            lines = [name, *lines]
            lines.append(f"{toggle} adds the photo, and takes it out" if toggle else "")
        lines.append(f"{choose} chooses a project" if choose else "Choose a project")
        return "\n".join(line for line in lines if line)
