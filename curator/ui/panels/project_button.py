"""The project button at the right of the top bar: shows the current project, opens the chooser."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QPalette
from PySide6.QtWidgets import QToolButton

from curator.session import Session
from curator.ui.widgets import theme

_WIDEST = 160  # px of the name


class ProjectButton(QToolButton):
    """The current project in the top bar; in pencil color while the current photo is in it.

    Args:
        session: the window's session.
        run: runs a command by name.
    """

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._shows: tuple[object, ...] = ()
        self._room = _WIDEST
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clicked.connect(lambda: run("choose_project"))
        session.projects.changed.connect(self.refresh)
        for changed in (
            session.criteria.scope_changed,
            session.view_state.view_changed,
            session.preferences.changed,
        ):
            changed.connect(self.refresh)
        session.photos.current_changed.connect(self.refresh)
        session.photos.photos_changed.connect(lambda _: self.refresh())
        self.refresh()

    def set_room(self, px: int) -> None:
        """Limit the width of the name."""
        self._room = min(px, _WIDEST)
        self.refresh()

    def refresh(self) -> None:
        """Show the current project's name, and whether the current photo is in it."""
        session = self._session
        row, photo = session.projects.current, session.current
        inside = (
            row is not None
            and photo is not None
            and bool(session.table.projects.has(row.id, [photo])[0])
        )
        state = row, inside, session.preferences.keys, self._room
        if state == self._shows:  # called with every key, and hardly ever different
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
        keys = self._session.preferences.keys
        choose, toggle = keys.get("choose_project"), keys.get("toggle_project")
        lines = ["Contains this photo" if inside else ""]
        if name:
            lines = [name, *lines]
            lines.append(f"{toggle} adds or removes the photo" if toggle else "")
        lines.append(f"{choose} chooses a project" if choose else "Choose a project")
        return "\n".join(line for line in lines if line)
