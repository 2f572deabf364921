"""What can go wrong with a vision model: a sentence, a remedy, and what it means for a queue."""

from __future__ import annotations

from curator.model import KnownError


class VisionError(KnownError):
    """A photo could not be described; the message and the remedy are sentences for people.

    Attributes:
        retry: whether the same photo may succeed later with nothing changed.
        after_s: how long the server asked us to wait, in seconds; None: it did not say.
        uses_attempt: whether this counts as an attempt for this photo. A busy server does not.
        stops_all: no photo will succeed until a person acts (server not running, model not
            pulled, wrong address or key): pause, rather than walk all photos into it.
        pull: the model is not there and :func:`curator.vision.pull` can fetch it.
        reached: whether anything answered at the address.
    """

    reached = True

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        retry: bool = True,
        after_s: float | None = None,
        stops_all: bool = False,
        pull: bool = False,
    ) -> None:
        super().__init__(message, remedy)
        self.retry = retry
        self.after_s = after_s
        self.uses_attempt = not stops_all
        self.stops_all = stops_all
        self.pull = pull


class BusyError(VisionError):
    """The server has no time now, for this photo or any other."""

    def __init__(self, message: str, remedy: str, after_s: float | None) -> None:
        super().__init__(message, remedy, after_s=after_s)
        self.uses_attempt = False


class UnreachableError(VisionError):
    """Nothing, or nothing that can be spoken to, is at the address."""

    reached = False


class TooLargeError(VisionError):
    """The server takes no picture of this size (413)."""


class WrongAnswerError(VisionError):
    """What came back is not what was asked for."""


class Cancelled(Exception):
    """Cancelled as asked; the connection is closed and nothing came of the call."""
