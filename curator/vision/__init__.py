"""Describe pictures with a vision model: what they show and how the light looks, never a score.

The pipeline, the command line and the settings dialog call this package; it must never connect to
any address but the configured one. To add a provider, write a module with the functions of
:class:`Provider` and add a line to PROVIDERS. Libraries load at the first call, not on import.
Nothing here retries or queues: the caller decides, using the attributes of the error::

    config = options(settings)
    try:
        description = describe(jpeg, config, cancelled)  # any thread, at most timeout_s
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
from curator.vision.calls import TimeLimitError, run
from curator.vision.chat import sample_picture
from curator.vision.description import Description
from curator.vision.error_messages import as_vision_error, model_not_pulled, not_responding
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
    """The result of testing a provider.

    ``models`` are the models of the server, empty if it does not list them. ``seconds`` is the
    time the picture took, None without a picture. ``sentence`` is the result, ``remedy`` what
    to do about a problem, ``pull`` whether pulling the model would help. ``description`` is the
    model's description of the picture.
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
        """Whether the provider can describe photos."""
        return self.reachable and self.has_model and not self.remedy


@dataclass(frozen=True)
class Provider:
    """A row of PROVIDERS: how to talk to one kind of server.

    ``chat_url`` returns the base of its OpenAI-compatible endpoints, ``key`` its API key (this may
    open the keyring), ``models`` the names of its models, and ``has`` whether a model is among
    them. ``check_model`` raises if the model accepts no pictures. ``pull`` makes the server
    download a model; None if it cannot.
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

QUICK_CHECK_S = 10.0  # time limit of a test without a picture


def describe(
    jpeg: bytes, options: VisionOptions, cancelled: Cancelling = lambda: False
) -> Description:
    """Describe a picture with one request, and a second if the answer has the wrong form.

    If the server finds the picture too large, it is sent once more at half the size.

    Args:
        jpeg: the proxy's bytes.
        options: the provider to use.
        cancelled: called many times a second on the calling thread; True closes the connection.

    Raises:
        VisionError: the description failed; see its attributes.
        UnreadableError: ``jpeg`` is not a JPEG.
        Cancelled: ``cancelled`` returned True.

    Thread: any, several at a time; takes ``options.timeout_s`` at most and leaves no thread behind.
    """
    provider = _provider(options)
    key = provider.key(options)
    chat.load()
    return _run(_describe(provider, key, jpeg, options), options, options.timeout_s, cancelled)


def check(
    options: VisionOptions, picture: bytes | None = None, cancelled: Cancelling = lambda: False
) -> Health:
    """Test whether a provider is reachable, has the model, and can describe a picture.

    Args:
        options: the provider to test.
        picture: a small JPEG to describe; None for a quick test without one (milliseconds).
        cancelled: as in :func:`describe`.

    Returns:
        The findings, including any error of the provider; such errors are never raised.

    Raises:
        Cancelled: ``cancelled`` returned True.

    Thread: any, as :func:`describe`.
    """
    models: list[str] = []
    try:
        provider = _provider(options)
        forget_keys()
        key = provider.key(options)
        quick = replace(options, timeout_s=min(QUICK_CHECK_S, options.timeout_s))
        models = _run(provider.models(quick, key), quick, quick.timeout_s, cancelled)
    except VisionError as error:
        found = not_responding(quick) if isinstance(error.__cause__, TimeLimitError) else error
        return Health(found.reached, False, (), None, str(found.args[0]), found.remedy)
    names = tuple(models)
    if not provider.has(models, options.model):
        return _without_model(names, model_not_pulled(options))
    try:
        _run(provider.check_model(quick), quick, quick.timeout_s, cancelled)
        if picture is None:
            return Health(True, True, names, None, f"{options.shown_url} has {options.model}.")
        chat.load()
        began = time.monotonic()
        description = describe(picture, options, cancelled)
    except VisionError as error:
        if error.pull:
            return _without_model(names, error)
        return Health(True, True, names, None, str(error.args[0]), error.remedy)
    seconds = time.monotonic() - began
    sentence = (
        f"{options.model} at {options.shown_url} described a small picture in {seconds:.1f} s."
    )
    return Health(True, True, names, seconds, sentence, description=description)


def pull(options: VisionOptions, progress: Progress, cancelled: Cancelling = lambda: False) -> None:
    """Make the provider download its model. A canceled pull resumes where it stopped.

    Args:
        options: the provider and the model.
        progress: called with the current step, bytes so far and bytes in all (0: unknown).
        cancelled: as in :func:`describe`.

    Raises:
        VisionError: the model cannot be downloaded, or the provider downloads no models.
        Cancelled: ``cancelled`` returned True.

    Thread: any, as :func:`describe`; takes as long as the download.
    """
    provider = _provider(options)
    if provider.pull is None:
        raise VisionError(
            f"{provider.title} cannot download models.",
            "Add the model there yourself.",
            retry=False,
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
    except TimeLimitError as error:
        raise as_vision_error(error, options) from error


async def _describe(
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


def _without_model(models: tuple[str, ...], error: VisionError) -> Health:
    """Return the finding that the model is missing, with the models the server has."""
    sentence = str(error.args[0])
    if models:
        sentence += f" It has {', '.join(models[:8])}{' and more' if len(models) > 8 else ''}."
    return Health(True, False, models, None, sentence, error.remedy, pull=error.pull)
