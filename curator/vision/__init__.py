"""A vision model says what is in a picture and how its light reads, never whether it is good.

PROVIDERS is the table: to add one, a module with the three functions of :class:`Provider` and one
line. All libraries load at the first call, not on import. Nothing here retries or waits its turn:
attempts, back-off, concurrency and rate are the caller's, and an error says what it means::

    told = options(settings)
    try:
        description = describe(jpeg, told, cancelled)   # any thread, blocks up to told.timeout_s
    except VisionError as error:
        error.retry, error.after_s, error.burns, error.stops_all, error.pull
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curator.vision.description import TAG_CONFIDENCE, Description
from curator.vision.errors import Cancelled, VisionError
from curator.vision.options import VisionOptions, options

__all__ = [
    "PROVIDERS",
    "TAG_CONFIDENCE",
    "Cancelled",
    "Description",
    "Health",
    "Provider",
    "VisionError",
    "VisionOptions",
    "check",
    "describe",
    "options",
    "pull",
]

Cancelling = Callable[[], bool]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Health:
    """What a test of the provider found.

    ``models`` are the names the server has, empty if it lists none. ``seconds`` is how long the
    picture took, None without one. ``sentence`` says how it is, ``remedy`` what to do if it is
    not well; ``pull`` whether fetching the model would help. ``said`` is what it said of the
    picture.
    """

    reachable: bool
    model_there: bool
    models: tuple[str, ...]
    seconds: float | None
    sentence: str
    remedy: str = ""
    pull: bool = False
    said: Description | None = None

    @property
    def well(self) -> bool:
        """Whether photos can be described."""
        return self.reachable and self.model_there and not self.remedy


@dataclass(frozen=True)
class Provider:
    """A row of PROVIDERS; ``can_pull``: whether it can fetch a model itself."""

    name: str
    title: str
    can_pull: bool


PROVIDERS: dict[str, Provider] = {
    row.name: row
    for row in (
        Provider("ollama", "Ollama", True),
        Provider("openai_compatible", "OpenAI-compatible server", False),
    )
}


def describe(
    jpeg: bytes, options: VisionOptions, cancelled: Cancelling = lambda: False
) -> Description:
    """Describe one picture: one request, and one more if the answer was not what was asked for.

    A picture the server finds too large is sent once more at half the size.

    Args:
        jpeg: the proxy's bytes.
        options: whom to ask.
        cancelled: asked many times a second, from the calling thread; True closes the connection.

    Raises:
        VisionError: the provider's fault or the world's; see its attributes.
        Cancelled: ``cancelled`` said so.

    Thread: any, several at a time; blocks for ``options.timeout_s`` at most and leaves none.
    """
    raise NotImplementedError


def check(
    options: VisionOptions, picture: bytes | None = None, cancelled: Cancelling = lambda: False
) -> Health:
    """Test a provider: is it reachable, is the model there, can it describe a picture.

    Args:
        options: whom to ask.
        picture: a small JPEG to have described; None: only look, which takes milliseconds.
        cancelled: as in :func:`describe`.

    Returns:
        What was found; the world's faults are in it and never raised.

    Raises:
        Cancelled: ``cancelled`` said so.

    Thread: any, as :func:`describe`.
    """
    raise NotImplementedError


def pull(options: VisionOptions, progress: Progress, cancelled: Cancelling = lambda: False) -> None:
    """Have the provider fetch its model; a pull that was cancelled goes on where it stopped.

    Args:
        options: whom to ask for which model.
        progress: called with what is done, bytes so far and bytes in all (0: not known).
        cancelled: as in :func:`describe`.

    Raises:
        VisionError: it cannot be fetched; says why. Or the provider fetches none.
        Cancelled: ``cancelled`` said so.

    Thread: any, as :func:`describe`; takes as long as the download.
    """
    raise NotImplementedError
