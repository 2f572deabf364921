"""Progress of a mode: counts over the scope, the person's pace, and the status line's text."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

from curator.model import Pass

# Pace is the median of the last 100 decisions; longer gaps are pauses, not work; and before 20
# decisions an estimate would only swing (DESIGN section 6).
_WINDOW = 100
_PAUSE_S = 30.0
_ENOUGH = 20


class Pace:
    """Seconds per decision, as a running median."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_WINDOW)
        self._last: float | None = None

    def decided(self, now: float) -> None:
        """Record a decision at monotonic time ``now``, in seconds."""
        if self._last is not None and now - self._last <= _PAUSE_S:
            self._gaps.append(now - self._last)
        self._last = now

    @property
    def seconds(self) -> float | None:
        """Median seconds per decision, or None while there are too few."""
        if len(self._gaps) < _ENOUGH:
            return None
        return max(statistics.median(self._gaps), 0.05)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a mode over its scope.

    ``decided`` of ``total`` for the cull are photos with a verdict, for the rate pass rated
    ones of those through. ``seen`` counts unreviewed photos one has rested on.
    """

    pass_: Pass
    total: int
    decided: int
    seen: int
    picked: int
    kept: int
    rejected: int
    unrated: int
    seconds_each: float | None = None

    @property
    def left(self) -> int:
        """Photos the mode still asks about."""
        return self.total - self.decided

    @property
    def text(self) -> str:
        """The text in the middle of the status line, empty while browsing."""
        if self.pass_ is Pass.BROWSE:
            return ""
        parts = [self.pass_.capitalize(), f"{self.decided:,} of {self.total:,}"]
        if self.pass_ is Pass.CULL:
            if self.picked:
                parts.append(f"{self.picked:,} picked")
            if self.seen:
                parts.append(f"{self.seen:,} skipped")
        else:
            parts.append(f"{self.unrated:,} without stars")
        if self.seconds_each is not None and self.left:
            parts.append(f"{60 / self.seconds_each:.0f}/min")
            minutes = self.left * self.seconds_each / 60
            parts.append(f"about {minutes:.0f} min" if minutes >= 1 else "under a minute")
        return " · ".join(parts)
