"""The tour: six keys in one line over the first cull. A key pressed is a key known.

It asks for nothing and stops nothing: each pair of key and word fades once the key was used, all of
them when somebody has marked so many photos that they know their way. The line comes and goes with
the view it stands in, so that no picture moves for it, or goes with its cross. It comes by itself
once in the life of a catalog, and again when asked for.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from curator.commands import COMMANDS
from curator.model import Pass, View
from curator.session import Session
from curator.ui.pages.empty_state import TOUR_KEYS, tour_keys
from curator.ui.widgets import theme

_MEMORY = "toured"  # what the window remembers
_ENOUGH = 40  # marks, after which the line has outlived its use
# What shows as much as the command a key of the tour stands for.
_SAME = {"keep_this": "keep", "pick": "keep"} | {f"stars_{n}": "stars_1" for n in (2, 3, 4)}


class Tour(QWidget):
    """One line with six keys, each fading once it was used.

    Signals:
        changed: the line appeared or went.

    Args:
        session: whose keys and first cull it is.
        memory: the window's; where it is remembered that the tour has been.
    """

    changed = Signal()

    def __init__(self, session: Session, memory: dict[str, Any]) -> None:
        super().__init__()
        self._session, self._memory = session, memory
        self._left: set[str] | None = None  # what of the six is to be tried yet; None: no tour
        self._marks = 0
        self._at: tuple[Pass, View] | None = None  # where one was with the last key
        self.setObjectName("tour")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.pairs: dict[str, tuple[QLabel, QLabel]] = {}
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 8, 1)
        middle = Qt.AlignmentFlag.AlignVCenter
        for _, does in TOUR_KEYS:
            cap, word = theme.plain(role="key"), theme.plain(does)
            self.pairs[does] = cap, word
            row.addWidget(cap, 0, middle)
            row.addWidget(word, 0, middle)
            row.addSpacing(8)
        row.addStretch(1)
        self.close_ = QToolButton()
        self.close_.setProperty("flat", True)
        self.close_.setIcon(theme.icon("close"))
        self.close_.setToolTip("Not now, and not again")
        self.close_.setAccessibleName("End the tour")
        self.close_.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.close_.clicked.connect(self.end)
        row.addWidget(self.close_)
        self.hide()
        for changed in (
            session.criteria.scope_changed,
            session.criteria.mode_changed,
            session.view_state.view_changed,
            session.photos.list_changed,
            session.preferences.changed,
        ):
            changed.connect(self._look)

    def resizeEvent(self, event: object) -> None:
        """Move the keys together where the window is narrow."""
        self._row.setSpacing(8 if self.width() >= theme.NARROW * 3 // 4 else 4)

    @property
    def shows(self) -> bool:
        """Whether the line has a place: a tour is on, and a photo is looked at by itself."""
        return self._left is not None and self._session.view_state.view is View.LOUPE

    def begin(self) -> None:
        """Show all six, whoever has seen them before."""
        self._memory[_MEMORY] = True
        self._left, self._marks = {does for _, does in TOUR_KEYS}, 0
        self._say()
        self.changed.emit()

    def end(self) -> None:
        """Take the line away for good."""
        if self._left is not None:
            self._left = None
            self.changed.emit()

    def did(self, command: str) -> None:
        """Take note of what a key or a button just did."""
        if self._left is None:
            return
        name = _SAME.get(command, command)
        self._left -= {does for names, does in TOUR_KEYS if name in names}
        self._marks += COMMANDS[command].group == "Rate and flag"
        if self._marks >= _ENOUGH:
            self._left.clear()
        self._at = self._session.criteria.mode, self._session.view_state.view
        self._say()

    def _look(self) -> None:
        """Begin with the first cull; the keys may be others now."""
        session = self._session
        culling = session.criteria.mode is Pass.CULL and session.view_state.view is View.LOUPE
        if culling and not self._memory.get(_MEMORY) and len(session.ids):
            self._memory[_MEMORY] = True  # somebody who has culled before needs none
            if session.statistics.is_fresh():
                self.begin()
        elif self._left == set() and self._at != (session.criteria.mode, session.view_state.view):
            self.end()
        elif self._left is not None:
            self._say()

    def _say(self) -> None:
        keys = {does: key for key, does in tour_keys(self._session)}
        for does, (cap, word) in self.pairs.items():
            cap.setText(keys.get(does, ""))
            for label in (cap, word):
                label.setVisible(does in keys)
                label.setEnabled(self._left is None or does in self._left)
        named = ", ".join(f"{key} {does}" for does, key in keys.items())
        self.setAccessibleName(f"Six keys: {named}")
