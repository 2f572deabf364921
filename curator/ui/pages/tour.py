"""The quick tour: six keys in one line above the first cull.

Each key fades once it was used, and all of them fade after enough marks. The line appears and
disappears only together with a view, so that no picture moves because of it. It appears by itself
once per catalog, and again on request.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from curator.commands import COMMANDS
from curator.model import Pass, View
from curator.session import Session
from curator.ui.pages.empty_state import TOUR_KEYS, tour_keys
from curator.ui.widgets import theme

_MEMORY = "toured"  # key in the window's memory
_LAST_MARK = 40  # marks after which the tour ends
# Commands that count as the command a key of the tour stands for.
_SAME_KEY = {"keep_this": "keep", "pick": "keep"} | {f"stars_{n}": "stars_1" for n in (2, 3, 4)}


class Tour(QWidget):
    """One line with six keys, each of which fades once it was used.

    Signals:
        changed: the line appeared or disappeared.

    Args:
        session: the window's session.
        memory: the window's stored state, in which the tour notes that it was shown.
    """

    changed = Signal()

    def __init__(self, session: Session, memory: dict[str, Any]) -> None:
        super().__init__()
        self._session, self._memory = session, memory
        self._left: set[str] | None = None  # keys not used yet; None: no tour
        self._marks = 0
        self._at: tuple[Pass, View] | None = None  # at the last key press
        theme.style_as(self, "tour")
        self.pairs: dict[str, tuple[QLabel, QLabel]] = {}  # key and word, by the word
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
        self.close_button = theme.icon_button("close", "End the tour")
        self.close_button.clicked.connect(self.end)
        row.addWidget(self.close_button)
        self.hide()
        session.view_state.arrangement_changed.connect(self._on_state)
        session.preferences.changed.connect(self._on_state)

    def resizeEvent(self, event: object) -> None:
        """Use less space between the keys in a narrow window."""
        self._row.setSpacing(8 if self.width() >= theme.NARROW * 3 // 4 else 4)

    @property
    def shows(self) -> bool:
        """Whether the line may be shown: a tour is running and the view is the loupe."""
        return self._left is not None and self._session.view_state.view is View.LOUPE

    def begin(self) -> None:
        """Start the tour with all six keys."""
        self._memory[_MEMORY] = True
        self._left, self._marks = {does for _, does in TOUR_KEYS}, 0
        self._refresh()
        self.changed.emit()

    def end(self) -> None:
        """End the tour."""
        if self._left is not None:
            self._left = None
            self.changed.emit()

    def on_command(self, command: str) -> None:
        """Fade the key of a command that was just run, and all keys after enough marks."""
        if self._left is None:
            return
        before, name = len(self._left), _SAME_KEY.get(command, command)
        self._left -= {does for names, does in TOUR_KEYS if name in names}
        self._marks += COMMANDS[command].group == "Rate and flag"
        if self._marks >= _LAST_MARK:
            self._left.clear()
        self._at = self._session.criteria.mode, self._session.view_state.view
        if len(self._left) < before:
            self._refresh()

    def _on_state(self) -> None:
        """Start with the first cull; once all keys are used, end when pass or view changes."""
        session = self._session
        culling = session.criteria.mode is Pass.CULL and session.view_state.view is View.LOUPE
        if culling and not self._memory.get(_MEMORY) and len(session.ids):
            self._memory[_MEMORY] = True  # no tour for a catalog that was culled before
            if session.statistics.is_fresh():
                self.begin()
        elif self._left == set() and self._at != (session.criteria.mode, session.view_state.view):
            self.end()
        elif self._left is not None:
            self._refresh()

    def _refresh(self) -> None:
        keys = {does: key for key, does in tour_keys(self._session)}
        for does, (cap, word) in self.pairs.items():
            cap.setText(keys.get(does, ""))
            for label in (cap, word):
                label.setVisible(does in keys)
                label.setEnabled(self._left is None or does in self._left)
        named = ", ".join(f"{key} {does}" for does, key in keys.items())
        self.setAccessibleName(f"Six keys: {named}")
