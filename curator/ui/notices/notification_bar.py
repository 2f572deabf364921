"""The notification bar: one notification at a time, at the left of the status line.

The window and its notices post to it. The bar covers the status message and moves nothing else; a
new status message shows in its place for a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from curator.ui.widgets import layouts, theme
from curator.ui.widgets.text_line import TextLine

_YIELD_MS = 4000  # how long a status message takes the bar's place


@dataclass(frozen=True, slots=True)
class Notification:
    """A line with an optional button.

    Attributes:
        key: a newer notification of the same key replaces it.
        text: the message.
        act_title: the button's text; no button if empty.
        act: called when the button is pressed.
        once: whether dismissing it silences its key for good, as for a suggestion.
    """

    key: str
    text: str
    act_title: str = ""
    act: Callable[[], None] | None = None
    once: bool = False


class NotificationBar(QWidget):
    """Shows the oldest notification, an urgent one first, until it is dismissed or withdrawn.

    Signals:
        changed: the bar appeared, disappeared or shows another notification.

    Attributes:
        silenced: keys that are never shown again.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        theme.style_as(self, "offer")
        self._queue: list[Notification] = []
        self._yielding = QTimer(self, singleShot=True, interval=_YIELD_MS)
        self._yielding.timeout.connect(self._show)
        self.silenced: set[str] = set()
        self.text = TextLine(theme.TEXT, Qt.AlignmentFlag.AlignLeft)
        self.text.setFont(theme.body_font())
        self.action = theme.link_button("", self._run_action)
        self.close_button = theme.icon_button("close", "Dismiss (Esc)")
        self.close_button.clicked.connect(self.dismiss)
        row = layouts.row(self, spacing=8, margins=(12, 0, 0, 0))
        row.addWidget(self.text)
        row.addWidget(self.action)
        row.addWidget(self.close_button)
        row.addStretch(1)
        self.hide()

    @property
    def current(self) -> Notification | None:
        """The notification that is shown, or will be after the status message; else None."""
        return self._queue[0] if self._queue else None

    @property
    def is_showing(self) -> bool:
        """Whether there is a notification and no status message in its place."""
        return bool(self._queue) and not self._yielding.isActive()

    def post(self, notification: Notification, first: bool = False) -> None:
        """Add a notification, or replace one that has the same key.

        Args:
            notification: what to show; ignored if its key is silenced.
            first: show it before all others.
        """
        if notification.key in self.silenced:
            return
        keys = [each.key for each in self._queue]
        if first or notification.key not in keys:
            self._yielding.stop()  # it is newer than the status message
        if first:
            rest = (each for each in self._queue if each.key != notification.key)
            self._queue = [notification, *rest]
        elif notification.key in keys:
            self._queue[keys.index(notification.key)] = notification
        else:
            self._queue.append(notification)
        self._show()

    def update_text(self, key: str, text: str) -> bool:
        """Change the text of a notification. Return whether there is one of that key."""
        found = next((each for each in self._queue if each.key == key), None)
        if found is not None:
            self.post(replace(found, text=text))
        return found is not None

    def withdraw(self, key: str) -> None:
        """Remove a notification that no longer applies."""
        rest = [each for each in self._queue if each.key != key]
        if len(rest) < len(self._queue):  # most are withdrawn without being there
            self._queue = rest
            self._show()

    def yield_to_status(self, text: str) -> None:
        """Make room for a new status message for a few seconds."""
        if text and self._queue:
            self._yielding.start()
            self._show()

    def dismiss(self) -> None:
        """Remove the notification shown, because the person dismissed it."""
        if self.current is not None:
            gone = self._queue.pop(0)
            if gone.once:
                self.silenced.add(gone.key)
            self._show()

    def _run_action(self) -> None:
        shown = self.current
        if shown is not None and shown.act is not None:
            self.withdraw(shown.key)
            shown.act()

    def _show(self) -> None:
        shown = self.current
        if shown is not None:
            self.text.set_text(shown.text)
            self.text.setToolTip(theme.plain_tip(shown.text))
            self.action.setText(shown.act_title)
            self.action.setVisible(bool(shown.act_title))
        self.setVisible(self.is_showing)
        self.changed.emit()
