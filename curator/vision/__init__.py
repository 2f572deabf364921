"""A vision model says what is in a picture and how its light reads, never whether it is good.

PROVIDERS is the table: to add one, a module with the three functions of :class:`Provider` and one
line. All libraries load at the first call, not on import. Nothing here retries or waits its turn:
attempts, back-off, concurrency and rate are the caller's, and an error says what it means::

    told = options(settings)
    try:
        description = describe(jpeg, told, cancelled)   # any thread, blocks up to told.timeout_s
    except VisionError as error:
        error.retry, error.after_s, error.uses_attempt, error.stops_all, error.pull
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from curator.model import UsageError
from curator.vision import chat, ollama, openai_compatible
from curator.vision.calls import TimeUpError, run
from curator.vision.chat import sample_picture
from curator.vision.description import Description
from curator.vision.error_messages import meaning, mute, not_pulled
from curator.vision.errors import Cancelled, TooLargeError, VisionError
from curator.vision.keys import find_key, forget_keys, save_key
from curator.vision.options import VisionOptions, options

__all__ = [
    "PROVIDERS",
    "Cancelled",
    "Description",
    "Health",
    "Provider",
    "VisionError",
    "VisionOptions",
    "check",
    "describe",
    "find_key",
    "options",
    "pull",
    "sample_picture",
    "save_key",
]

Cancelling = Callable[[], bool]
Progress = Callable[[str, int, int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Health:
    """What a test of the provider found.

    ``models`` are the names the server has, empty if it lists none. ``seconds`` is how long the
    picture took, None without one. ``sentence`` says how it is, ``remedy`` what to do if it is
    not well; ``pull`` whether fetching the model would help. ``said`` is what it said of the
    picture.
    """

    reachable: bool
    has_model: bool
    models: tuple[str, ...]
    seconds: float | None
    sentence: str
    remedy: str = ""
    pull: bool = False
    description: Description | None = None

    @property
    def ok(self) -> bool:
        """Whether photos can be described."""
        return self.reachable and self.has_model and not self.remedy


@dataclass(frozen=True)
class Provider:
    """A row of PROVIDERS: how one kind of server is asked.

    ``chat_url`` is the base of its OpenAI-compatible endpoints, ``key`` what it wants to see
    (may ask the keyring), ``models`` what it has, ``has`` whether that includes a model,
    ``check_model`` raises if that model takes no pictures, and ``pull`` fetches one, or is None.
    """

    name: str
    title: str
    chat_url: Callable[[VisionOptions], str]
    key: Callable[[VisionOptions], str]
    models: Callable[[VisionOptions, str], Coroutine[Any, Any, list[str]]]
    has: Callable[[list[str], str], bool]
    check_model: Callable[[VisionOptions], Coroutine[Any, Any, None]]
    pull: Callable[[VisionOptions, Progress], Coroutine[Any, Any, None]] | None = None


PROVIDERS: dict[str, Provider] = {
    row.name: row
    for row in (
        Provider(
            "ollama",
            "Ollama",
            ollama.chat_url,
            ollama.no_key,
            ollama.models,
            ollama.has,
            ollama.check_model,
            ollama.pull,
        ),
        Provider(
            "openai_compatible",
            "OpenAI-compatible server",
            openai_compatible.chat_url,
            openai_compatible.key,
            openai_compatible.models,
            openai_compatible.has,
            openai_compatible.check_model,
        ),
    )
}

LOOK_S = 10.0  # limit of a test without a picture


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
        UnreadableError: ``jpeg`` is none.
        Cancelled: ``cancelled`` said so.

    Thread: any, several at a time; blocks for ``options.timeout_s`` at most and leaves none.
    """
    provider = _provider(options)
    key = provider.key(options)
    chat.load()
    return _run(_described(provider, key, jpeg, options), options, options.timeout_s, cancelled)


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
    models: list[str] = []
    try:
        provider = _provider(options)
        forget_keys()
        key = provider.key(options)
        quick = replace(options, timeout_s=min(LOOK_S, options.timeout_s))
        models = _run(provider.models(quick, key), quick, quick.timeout_s, cancelled)
    except VisionError as error:
        found = mute(quick) if isinstance(error.__cause__, TimeUpError) else error
        return Health(found.reached, False, (), None, str(found.args[0]), found.remedy)
    there = tuple(models)
    if not provider.has(models, options.model):
        return _lacking(there, not_pulled(options))
    try:
        _run(provider.check_model(quick), quick, quick.timeout_s, cancelled)
        if picture is None:
            return Health(True, True, there, None, f"{options.shown_url} has {options.model}.")
        chat.load()
        began = time.monotonic()
        said = describe(picture, options, cancelled)
    except VisionError as error:
        if error.pull:
            return _lacking(there, error)
        return Health(True, True, there, None, str(error.args[0]), error.remedy)
    seconds = time.monotonic() - began
    sentence = (
        f"{options.model} at {options.shown_url} described a small picture in {seconds:.1f} s."
    )
    return Health(True, True, there, seconds, sentence, description=said)


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
    provider = _provider(options)
    if provider.pull is None:
        raise VisionError(
            f"{provider.title} fetches no models.", "Put the model there yourself.", retry=False
        )
    _run(provider.pull(options, progress), options, None, cancelled)


def _provider(options: VisionOptions) -> Provider:
    try:
        return PROVIDERS[options.provider]
    except KeyError:
        raise UsageError(
            f"There is no vision provider {options.provider!r}.",
            f"Choose one of {', '.join(PROVIDERS)}.",
        ) from None


def _run(
    work: Coroutine[Any, Any, T],
    options: VisionOptions,
    timeout_s: float | None,
    cancelled: Cancelling,
) -> T:
    try:
        return run(work, timeout_s, cancelled)
    except TimeUpError as error:
        raise meaning(error, options) from error


async def _described(
    provider: Provider, key: str, jpeg: bytes, options: VisionOptions
) -> Description:
    from curator.imaging import proxy

    edge = proxy.long_edge_px(jpeg)
    if edge > options.long_edge_px:
        edge = options.long_edge_px
        jpeg = proxy.shrink_jpeg(jpeg, edge)
    url = provider.chat_url(options)
    with contextlib.suppress(TooLargeError):
        return await chat.ask(options, url, key, jpeg)
    return await chat.ask(options, url, key, proxy.shrink_jpeg(jpeg, edge // 2))


def _lacking(models: tuple[str, ...], error: VisionError) -> Health:
    said = str(error.args[0])
    if models:
        said += f" It has {', '.join(models[:8])}{' and more' if len(models) > 8 else ''}."
    return Health(True, False, models, None, said, error.remedy, pull=error.pull)
