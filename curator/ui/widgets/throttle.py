"""A timer for costly updates: many requests shortly after one another lead to one update."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle(QTimer):
    """Calls a function some time after the first of several requests.

    Further requests until then change nothing: unlike a timer that starts again each time, it also
    fires while requests keep coming.

    Args:
        owner: the timer ends with it.
        interval_ms: from the first request to the call.
        act: called on the GUI thread.
    """

    def __init__(self, owner: QObject, interval_ms: int, act: Callable[[], None]) -> None:
        super().__init__(owner, singleShot=True, interval=interval_ms)
        self.timeout.connect(act)

    def request(self) -> None:
        """Call the function soon, if no call is due already."""
        if not self.isActive():
            self.start()
