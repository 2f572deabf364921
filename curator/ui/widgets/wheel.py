"""Turning of the mouse wheel, counted in notches."""

from __future__ import annotations

_NOTCH = 120  # eighths of a degree


class WheelSteps:
    """Counts whole notches: smooth wheels and touchpads report small parts of one at a time.

    Thread: GUI only.
    """

    def __init__(self) -> None:
        self._turned = 0  # since the last whole notch

    def take(self, turned: int) -> int:
        """Add what an event's ``angleDelta`` says; return the notches completed, with its sign.

        What remains counts for the next event.
        """
        self._turned += turned
        steps = int(self._turned / _NOTCH)
        self._turned -= steps * _NOTCH
        return steps
