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
from curator.library.query import Query, asks_for_match, small_or
from curator.model import Pass
from curator.session import Session
from curator.ui.widgets import layouts, theme

_WIDTH = 640  # px of the reason
# Commands, and what their keys do. Of several commands the first one with a key is shown.
TOUR_KEYS = (
    (("reject",), "reject"),
    (("space", "keep"), "keep"),
    (("stars_1", "stars_5"), "stars"),
    (("zoom",), "100 %"),
    (("undo",), "undo"),
    (("help_",), "all keys"),
)


class EmptyWindow(QWidget):
    """The page while the catalog has no photos: where to drop a folder, and six keys."""

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        theme.style_as(self, "empty")
        self.button = QPushButton("Choose a folder…")
        self.button.setProperty("primary", True)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(lambda: run("open_folder"))
        self.import_button = QPushButton("Import from a card…")
        self.import_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.import_button.clicked.connect(lambda: run("import_card"))
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(4)
        middle = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(theme.plain("Drop a folder of photos here", role="large"), 0, middle)
        column.addSpacing(20)
        buttons = layouts.row(spacing=8)
        buttons.addStretch(1)
        buttons.addWidget(self.button)
        buttons.addWidget(self.import_button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addSpacing(12)
        quiet = "Nothing is moved, changed or uploaded."
        column.addWidget(theme.plain(quiet, role="quiet"), 0, middle)
        column.addSpacing(48)
        self._key_row = QHBoxLayout()
        column.addLayout(self._key_row)
        column.addStretch(5)
        session.cards.changed.connect(self._show_cards)
        self._show_cards()

    def _show_cards(self) -> None:
        """Offer to import while a card is here."""
        self.import_button.setVisible(bool(self._session.cards.cards))

    def showEvent(self, event: object) -> None:
        """Show the current keys."""
        _replace(self._key_row, _keys_block(tour_keys(self._session)))


class EmptyList(QWidget):
    """The page while the list has no photos: why, and what to do."""

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session, self._run = session, run
        self._scanning = False
        theme.style_as(self, "empty")
        self.reason = theme.wrapped("", "large")
        self.reason.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.reason.setFixedWidth(_WIDTH)
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
        self.reason.setFixedHeight(theme.height_in(self.reason, _WIDTH))  # centered, it is cut
        _replace(self._button_row, self._buttons(commands))

    def _buttons(self, commands: tuple[tuple[str, str], ...]) -> QWidget:
        """Lay out a button for each command, beside its key."""
        block = QWidget()
        row = layouts.row(block, spacing=8)
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
    """Return the keys that the empty window and the tour show, with what they do."""
    pairs, in_use = [], session.preferences.keys
    for commands, does in TOUR_KEYS:
        keys = [in_use[name] for name in commands if name in in_use]
        if keys:
            shown = f"{keys[0]} – {keys[-1]}" if does == "stars" and len(keys) == 2 else keys[0]
            pairs.append((shown, does))
    return tuple(pairs)


def why_empty(session: Session, scanning: bool = False) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return why the list is empty, and the commands to offer with what they do."""
    criteria, counts = session.criteria, session.statistics.counts()
    if not counts["all"]:
        return _why_scope_empty(session, scanning)
    browse = ("browse", "browse all")
    if criteria.mode is Pass.CULL:
        if counts.get("failed", 0) == counts["all"]:
            return "None of these photos could be read.", (browse,)
        return "All photos here are reviewed.", (("rate", "rate"), browse)
    if criteria.mode is Pass.RATE:
        return "No photos were kept yet.", (("cull", "cull"), browse)
    return _no_match(session, criteria.filter), (("back", "show all"), ("search", "search again"))


def _why_scope_empty(session: Session, scanning: bool) -> tuple[str, tuple[tuple[str, str], ...]]:
    scope, another = session.criteria.scope, ("open_folder", "open another folder")
    if scanning:
        return "Looking for photos…", ()
    if scope.kind == "folder" and not volumes.is_folder(scope.key):
        return "This folder is missing. Is its drive connected?", (another,)
    if scope.project is not None:
        return f"No photos in {scope.title} yet.", (("toggle_project", "add a photo"),)
    if scope.search is not None:
        return _no_match(session, scope.expression), (("search", "search"),)
    off = session.sources.switched_off()
    return _switched_off(scope.key, off) if off else "No photos in this folder.", (another,)


def _no_match(session: Session, expression: str) -> str:
    """Return that no photo matches, and what may be the reason."""
    hint = ""
    if asks_for_match(expression) and not session.taste.has_match:
        missing = session.taste.sentence.rstrip(".")
        hint = f". {'No match yet: rate more photos' if session.taste.has_scores else missing}"
    elif small_or(expression):
        hint = ". Write OR in capitals to find either word"
    elif not session.search.compares_words:
        if _has_free_words(session.criteria.query):
            hint = " in names, texts or tags. CLIP finds more: it searches by what photos show"
        elif session.criteria.query.tags:
            hint = ". CLIP finds more: it suggests tags for more kinds of things"
    return f"No photos match “{expression}”{hint}"


def _has_free_words(query: Query) -> bool:
    return any(not term.quoted for group in query.words for term in group)


def _switched_off(here: str, off: Sequence[str]) -> str:
    """Return that these photos are hidden because folders are switched off."""
    if any(Path(here).is_relative_to(path) for path in off):
        return "This folder is switched off. Switch it on in the sidebar to see its photos."
    where = f"{Path(off[0]).name or off[0]}, which is switched off. Switch it"
    if len(off) > 1:
        where = f"{len(off):,} folders that are switched off. Switch them"
    return f"All photos here are in {where} on in the sidebar to see them here."


def _keys_block(pairs: tuple[tuple[str, str], ...]) -> QWidget:
    """Lay out keys in three columns, with what they do."""
    block = QWidget()
    grid = QGridLayout(block)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(10)
    for number, (key, does) in enumerate(pairs):
        row, column = divmod(number, 3)
        right = Qt.AlignmentFlag.AlignRight
        grid.addWidget(theme.plain(key, role="key"), row, column * 3, right)
        grid.addWidget(theme.plain(does, role="quiet"), row, column * 3 + 1)
        if column:
            grid.setColumnMinimumWidth(column * 3 - 1, 20)
    return block


def _replace(row: QHBoxLayout, block: QWidget) -> None:
    """Replace the block in the middle of a row."""
    theme.clear_layout(row)
    row.addStretch(1)
    row.addWidget(block)
    row.addStretch(1)
