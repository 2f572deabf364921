"""What stands where no photo does: the empty window, and an empty list that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from curator.model import Pass
from curator.session import Session
from curator.ui import theme

SIX_KEYS = (
    ("X", "reject"),
    ("Space", "keep"),
    ("1 – 5", "stars"),
    ("Z", "100 %"),
    ("Ctrl+Z", "undo"),
    ("?", "all keys"),
)


class EmptyWindow(QWidget):
    """No photo in the catalog yet: where to drop a folder, and six keys."""

    def __init__(self, run: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.button = QPushButton("Choose a folder…")
        self.button.setProperty("primary", True)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(lambda: run("open_folder"))
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(4)
        middle = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(theme.plain("Drop a folder of photos here", role="large"), 0, middle)
        column.addSpacing(20)
        column.addWidget(self.button, 0, middle)
        column.addSpacing(12)
        quiet = "Nothing is moved, changed or uploaded."
        column.addWidget(theme.plain(quiet, role="quiet"), 0, middle)
        column.addSpacing(48)
        column.addWidget(_keys(SIX_KEYS, 3), 0, middle)
        column.addStretch(5)


class EmptyList(QWidget):
    """A list without a photo: why it is empty, and which key leads out."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._scanning = False
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.reason = theme.plain("", role="large")
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.reason.setFixedWidth(640)
        self._ways = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(4)
        column.addWidget(self.reason, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(24)
        column.addLayout(self._ways)
        column.addStretch(5)
        session.view_changed.connect(self.refresh)

    def scanning(self, on: bool) -> None:
        """Take note whether folders are being looked through."""
        if on != self._scanning:
            self._scanning = on
            self.refresh()

    def refresh(self) -> None:
        """Say anew why nothing is here."""
        if not self.isVisible() or len(self._session.ids):
            return
        reason, ways = why_empty(self._session, self._scanning)
        self.reason.setText(reason)
        while (item := self._ways.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._ways.addStretch(1)
        self._ways.addWidget(_keys(ways, len(ways) or 1))
        self._ways.addStretch(1)

    def showEvent(self, event: object) -> None:
        """Say why, whenever it comes on screen."""
        self.refresh()


def why_empty(session: Session, scanning: bool = False) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Say why the list is empty, with the keys that lead out and what they do."""
    counts = session.counts()
    everything = counts["all"]
    browse, rate, cull = ("Alt+0", "browse all"), ("Alt+2", "rate"), ("Alt+1", "cull")
    if not everything:
        if scanning:
            return "Looking for photos…", ()
        if session.scope.kind == "folder" and not Path(session.scope.key).exists():
            return "This folder is not there now. Is its drive connected?", (
                ("Ctrl+O", "open another folder"),
            )
        return "No photos in this folder.", (("Ctrl+O", "open another folder"),)
    if session.pass_ is Pass.CULL:
        failed = counts.get("failed", 0)
        if failed == everything:
            return "None of these photos could be read.", (browse,)
        return "Every photo here has been decided.", (rate, browse)
    if session.pass_ is Pass.RATE:
        return "No photo has come through the cull yet.", (cull, browse)
    return f"No photo here fits {session.filter}", (("Esc", "show all"), ("/", "search again"))


def _keys(pairs: tuple[tuple[str, str], ...], columns: int) -> QWidget:
    """Lay out keys with what they do."""
    block = QWidget()
    grid = QGridLayout(block)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(10)
    for number, (key, does) in enumerate(pairs):
        row, column = divmod(number, columns)
        cap = theme.plain(theme.keys(key) if "–" not in key else key, role="key")
        grid.addWidget(cap, row, column * 3, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(theme.plain(does, role="quiet"), row, column * 3 + 1)
        if column:
            grid.setColumnMinimumWidth(column * 3 - 1, 20)
    return block
