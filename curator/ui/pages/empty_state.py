"""The pages without photos: the empty window, and an empty list with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from curator import volumes
from curator.library.query import small_or
from curator.model import Pass, counted
from curator.session import Session
from curator.ui.widgets import theme

# Commands → what their key does. Of several commands the first one with a key is shown.
TOUR_KEYS = (
    (("reject",), "reject"),
    (("space", "keep"), "keep"),
    (("stars_1", "stars_5"), "stars"),
    (("zoom",), "100 %"),
    (("undo",), "undo"),
    (("help_",), "all keys"),
)


class EmptyWindow(QWidget):
    """Shown while the catalog has no photos: where to drop a folder, and six keys."""

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
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
        self._key_row = QHBoxLayout()
        column.addLayout(self._key_row)
        column.addStretch(5)

    def showEvent(self, event: object) -> None:
        """Show the current keys."""
        _replace(self._key_row, _keys(tour_keys(self._session), 3))


class EmptyList(QWidget):
    """Shown while the list has no photos: why, and what to do."""

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session, self._run = session, run
        self._scanning = False
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.reason = theme.plain("", role="large")
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.reason.setFixedWidth(640)
        self._button_row = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(4)
        column.addWidget(self.reason, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(24)
        column.addLayout(self._button_row)
        column.addStretch(5)
        # The window refreshes this page itself when the list changes while it is shown.
        session.view_state.arrangement_changed.connect(self.refresh)
        session.preferences.changed.connect(self.refresh)

    def scanning(self, on: bool) -> None:
        """Set whether folders are being scanned."""
        if on != self._scanning:
            self._scanning = on
            self.refresh()

    def refresh(self) -> None:
        """Show why the list is empty."""
        if not self.isVisible() or len(self._session.ids):
            return
        reason, commands = why_empty(self._session, self._scanning)
        self.reason.setText(reason)
        _replace(self._button_row, self._buttons(commands))

    def _buttons(self, commands: tuple[tuple[str, str], ...]) -> QWidget:
        """Lay out a button for each command, beside its key."""
        block = QWidget()
        row = QHBoxLayout(block)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for name, does in commands:
            if row.count():
                row.addSpacing(16)
            key = self._session.preferences.keys.get(name)
            if key:
                row.addWidget(theme.plain(key, role="key"), 0, Qt.AlignmentFlag.AlignVCenter)
            button = QToolButton()
            button.setText(does)
            button.setProperty("flat", True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, name=name: self._run(name))
            row.addWidget(button)
        return block

    def showEvent(self, event: object) -> None:
        """Show the reason whenever the page comes on screen."""
        self.refresh()


def tour_keys(session: Session) -> tuple[tuple[str, str], ...]:
    """Return the keys the empty window and the tour show, with what they do."""
    pairs = []
    for commands, does in TOUR_KEYS:
        keys = [
            session.preferences.keys[name] for name in commands if name in session.preferences.keys
        ]
        if keys:
            shown = f"{keys[0]} – {keys[-1]}" if does == "stars" and len(keys) == 2 else keys[0]
            pairs.append((shown, does))
    return tuple(pairs)


def why_empty(session: Session, scanning: bool = False) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return why the list is empty, and the commands to offer with what they do."""
    counts = session.statistics.counts()
    everything = counts["all"]
    browse, rate, cull = ("browse", "browse all"), ("rate", "rate"), ("cull", "cull")
    another = ("open_folder", "open another folder")
    if not everything:
        if scanning:
            return "Looking for photos…", ()
        if session.criteria.scope.kind == "folder" and not volumes.is_folder(
            session.criteria.scope.key
        ):
            return "This folder is missing. Is its drive connected?", (another,)
        if session.criteria.scope.project is not None:
            return f"No photos in {session.criteria.scope.title} yet.", (
                ("toggle_project", "add a photo"),
            )
        if session.criteria.scope.search is not None:
            expression = session.criteria.scope.expression
            return f"No photos match “{expression}”{_or_hint(expression)}", (("search", "search"),)
        off = session.sources.switched_off()
        if off:
            return _switched_off(session.criteria.scope.key, off), (another,)
        return "No photos in this folder.", (another,)
    if session.criteria.mode is Pass.CULL:
        failed = counts.get("failed", 0)
        if failed == everything:
            return "None of these photos could be read.", (browse,)
        return "All photos here are reviewed.", (rate, browse)
    if session.criteria.mode is Pass.RATE:
        return "No photos were kept yet.", (cull, browse)
    leave, again = ("back", "show all"), ("search", "search again")
    return f"No photos match “{session.criteria.filter}”{_or_hint(session.criteria.filter)}", (
        leave,
        again,
    )


def _or_hint(expression: str) -> str:
    """Return a hint if the search has an "or" in lowercase."""
    return ". Write OR in capitals to find either word" if small_or(expression) else ""


def _switched_off(here: str, off: Sequence[str]) -> str:
    """Return a message that these photos are hidden because folders are switched off."""
    if any(Path(here).is_relative_to(path) for path in off):
        return "This folder is switched off. Switch it on in the sidebar to see its photos."
    if len(off) > 1:
        return (
            f"All photos here are in {counted(len(off), 'folder')} that are switched off."
            " Switch them on in the sidebar to see them here."
        )
    name = Path(off[0]).name or off[0]
    return (
        f"All photos here are in {name}, which is switched off."
        " Switch it on in the sidebar to see them here."
    )


def _keys(pairs: tuple[tuple[str, str], ...], columns: int) -> QWidget:
    """Lay out keys in columns, with what they do."""
    block = QWidget()
    grid = QGridLayout(block)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(10)
    for number, (key, does) in enumerate(pairs):
        row, column = divmod(number, columns)
        cap = theme.plain(key, role="key")
        grid.addWidget(cap, row, column * 3, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(theme.plain(does, role="quiet"), row, column * 3 + 1)
        if column:
            grid.setColumnMinimumWidth(column * 3 - 1, 20)
    return block


def _replace(row: QHBoxLayout, block: QWidget) -> None:
    """Replace the block in the middle of a row."""
    while (item := row.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()
    row.addStretch(1)
    row.addWidget(block)
    row.addStretch(1)
