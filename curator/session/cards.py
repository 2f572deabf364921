"""Notices memory cards while the window is open: which are here, which appear and which go.

The window offers to import from a card that appears. Every look at the drives happens on a thread,
because a card that does not answer must never block the window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from curator import cards
from curator.cards import Card
from curator.session.drive_look import DriveLook

_FIRST_MS = 500  # after the start; the first photos on screen come before it
_LOOK_MS = 1500

Find = Callable[[], Sequence[Card]]


class CardWatcher(QObject):
    """Watches for memory cards. A card inserted before the start appears at the start.

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
        self._timer = QTimer(self, singleShot=True, interval=_FIRST_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self._look = DriveLook("curator-cards", self)
        self._look.ended.connect(lambda: self._timer.start(_LOOK_MS))
        self._look.answered.connect(self._take)

    def look(self) -> None:
        """Look for cards now, unless an earlier look has not been answered yet."""
        self._timer.stop()
        self._look.ask(self._find or cards.find_cards)

    def at(self, path: str) -> Card | None:
        """Return the card that is mounted at a path."""
        return next((card for card in self.cards if card.path == path), None)

    def close(self) -> None:
        """Stop watching."""
        self._timer.stop()
        self._look.close()

    def _take(self, found: Sequence[Card]) -> None:
        before, self.cards = self.cards, tuple(found)
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
