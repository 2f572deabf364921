"""Notices memory cards while the window is open: which are here, which appear and which go.

The window offers to import from a card that appears. Every look at the drives happens on a thread,
because a card that does not answer must never block the window.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from curator import cards
from curator.cards import Card

log = logging.getLogger(__name__)

_FIRST_MS = 500  # after the start; the first photos on screen come before it
_LOOK_MS = 1500
_COLLECT_MS = 50

Find = Callable[[], Sequence[Card]]


class CardWatcher(QObject):
    """Watches for memory cards. A card inserted before the start appears at the start.

    The thread writes its answer into a plain list and holds no Qt object: it may outlive the window
    if a card never answers.

    Signals:
        card_appeared(Card): a card was inserted, or was here at the start.
        card_gone(Card): a card was removed.
        changed: other cards are here than before.

    Attributes:
        cards: the cards that are here now.

    Thread: GUI only.
    """

    card_appeared = Signal(object)
    card_gone = Signal(object)
    changed = Signal()

    def __init__(self, find: Find | None = None) -> None:
        super().__init__()
        self.cards: tuple[Card, ...] = ()
        self._find = find
        self._thread: threading.Thread | None = None
        self._found: list[Sequence[Card]] = []  # the thread appends its answer
        self._collect_timer = QTimer(self, interval=_COLLECT_MS)
        self._collect_timer.timeout.connect(self._collect)
        self._timer = QTimer(self, singleShot=True, interval=_FIRST_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Look for cards now, unless an earlier look has not been answered yet."""
        self._timer.stop()
        if self._thread is not None and self._thread.is_alive():
            return
        self._found = []
        find = self._find or cards.find_cards
        self._thread = threading.Thread(
            target=_look, args=(find, self._found), name="curator-cards", daemon=True
        )
        self._thread.start()
        self._collect_timer.start()

    def at(self, path: str) -> Card | None:
        """Return the card that is mounted at a path."""
        return next((card for card in self.cards if card.path == path), None)

    def close(self) -> None:
        """Stop watching."""
        self._timer.stop()
        self._collect_timer.stop()

    def _collect(self) -> None:
        """Take the answer once the thread has ended, and look again later."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._collect_timer.stop()
        self._timer.start(_LOOK_MS)
        if not self._found:
            return
        before, self.cards = self.cards, tuple(self._found.pop())
        known, here = {card.mount for card in before}, {card.mount for card in self.cards}
        if known == here:
            return
        self.changed.emit()
        for card in before:
            if card.mount not in here:
                self.card_gone.emit(card)
        for card in self.cards:
            if card.mount not in known:
                self.card_appeared.emit(card)


def _look(find: Find, found: list[Sequence[Card]]) -> None:
    """Append the cards that are here to ``found``."""
    try:
        found.append(find())
    except Exception:  # the next look may succeed
        log.exception("cards could not be found")
