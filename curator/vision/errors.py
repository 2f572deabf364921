"""The errors of vision models: a sentence, a remedy, and their meaning for a queue of photos."""

from __future__ import annotations

from curator.model import KnownError


class VisionError(KnownError):
    """A photo could not be described; message and remedy are sentences to show to people.

    Attributes:
        retry: whether the same photo may succeed later without any change.
        after_s: seconds the server asked us to wait; None if it did not.
        uses_attempt: whether this counts as an attempt for this photo. A busy server does not.
        stops_all: no photo will succeed until a person acts (server not running, model not
            pulled, wrong address or key), so the queue should pause.
        pull: the model is missing, and :func:`curator.vision.pull` can download it.
    """

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


class ServerBusyError(VisionError):
    """The server is too busy for this photo or any other."""

    def __init__(self, message: str, remedy: str, after_s: float | None) -> None:
        super().__init__(message, remedy, after_s=after_s)
        self.uses_attempt = False


class TooLargeError(VisionError):
    """The server refuses a picture of this size (413)."""


class Cancelled(Exception):
    """The caller canceled the call; its connection is closed."""
