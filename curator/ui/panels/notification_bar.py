"""Offers: one at a time at the left of the status line, where the last act stands.

There it moves nothing. What a person does is said in its place for a few seconds; then the offer
is back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from curator.ui.panels.status_line import Words
from curator.ui.widgets import theme

_ACT_MS = 4000  # an act stands in an offer's place this long


@dataclass(frozen=True, slots=True)
class Offer:
    """Something worth a line.

    ``key`` names it: one dismissed stays away for good, unless it is news each time (not ``once``).
    """

    key: str
    text: str
    act_title: str = ""
    act: Callable[[], None] | None = None
    once: bool = True


class OfferLine(QWidget):
    """Shows the oldest offer that was not dismissed, but news first.

    Signals:
        changed: the line appeared, went or shows another offer.
        dismissed: the key of an offer that a person sent away.
    """

    changed = Signal()
    dismissed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("offer")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._offers: list[Offer] = []
        self._waits = QTimer(self, singleShot=True, interval=_ACT_MS)
        self._waits.timeout.connect(self._show)
        self.never: set[str] = set()
        self.text = Words(theme.TEXT, Qt.AlignmentFlag.AlignLeft)
        self.text.setFont(theme.body_font())
        self.act = QToolButton()
        self.act.setProperty("link", True)
        self.act.clicked.connect(self._take)
        self.close_ = QToolButton()
        self.close_.setProperty("flat", True)
        self.close_.setIcon(theme.icon("close"))
        self.close_.setToolTip("Dismiss (Esc)")
        self.close_.setAccessibleName("Dismiss")
        self.close_.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.text)
        row.addWidget(self.act)
        row.addWidget(self.close_)
        row.addStretch(1)
        for button in (self.act, self.close_):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    @property
    def current(self) -> Offer | None:
        """The offer shown, or None."""
        return self._offers[0] if self._offers else None

    def offer(self, offer: Offer, first: bool = False) -> None:
        """Offer something, in place of an older offer of the same key.

        Args:
            offer: what.
            first: before all others: it is news, and they can wait.
        """
        if offer.key in self.never:
            return
        keys = [each.key for each in self._offers]
        if first or offer.key not in keys:
            self._waits.stop()  # it is the newest of what there is to say
        if first:
            self._offers = [offer, *(each for each in self._offers if each.key != offer.key)]
        elif offer.key in keys:
            self._offers[keys.index(offer.key)] = offer
        else:
            self._offers.append(offer)
        self._show()

    def amend(self, key: str, text: str) -> bool:
        """Say something else in an offer; return whether there is one of that key."""
        offer = next((each for each in self._offers if each.key == key), None)
        if offer is not None:
            self.offer(replace(offer, text=text))
        return offer is not None

    def withdraw(self, key: str) -> None:
        """Take an offer back that has lost its point."""
        self._offers = [offer for offer in self._offers if offer.key != key]
        self._show()

    def make_way(self, said: str) -> None:
        """Let what was just said stand here for a while."""
        if said and self._offers:
            self._waits.start()
            self._show()

    @property
    def shows(self) -> bool:
        """Whether there is an offer, and nothing newer in its place."""
        return bool(self._offers) and not self._waits.isActive()

    def dismiss(self) -> None:
        """Send the offer shown away for good."""
        if self.current is not None:
            gone = self._offers.pop(0)
            if gone.once:
                self.never.add(gone.key)
            self.dismissed.emit(gone.key)
            self._show()

    def _take(self) -> None:
        offer = self.current
        if offer is not None and offer.act is not None:
            self.withdraw(offer.key)
            offer.act()

    def _show(self) -> None:
        offer = self.current
        if offer is not None:
            self.text.say(offer.text)
            self.text.setToolTip(theme.plain_tip(offer.text))
            self.act.setText(offer.act_title)
            self.act.setVisible(bool(offer.act_title))
        self.setVisible(self.shows)
        self.changed.emit()
