"""Describe pictures with a vision model: what they show and how the light looks, never a score.

The pipeline, the command line and the settings dialog call this package; it must never connect to
any address but the configured one. To add a provider, write a module with the functions of
:class:`Provider`, and add a line to PROVIDERS and its name to the setting ``vision.provider``.
Libraries load at the first call, not on import. Nothing here retries later or queues: the caller
decides, using the attributes of the error::

    config = options(settings)
    try:
        description = describe(jpeg, config, cancelled)  # any thread, at most timeout_s
    except VisionError as error:
        error.retry, error.after_s, error.uses_attempt, error.stops_all, error.pull
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from curator.model import UsageError
from curator.vision import chat, ollama, openai_compatible
from curator.vision.calls import TimeLimitError, run
from curator.vision.chat import sample_picture
from curator.vision.description import Description
from curator.vision.error_messages import as_vision_error, model_not_pulled, not_responding
from curator.vision.errors import Cancelled, TooLargeError, VisionError
from curator.vision.options import VisionOptions, find_key, forget_keys, options

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
    "options",
    "pull",
    "sample_picture",
]

IsCancelled = Callable[[], bool]
Progress = Callable[[str, int, int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Health:
    """The result of testing a provider: whether it can describe photos, and a sentence about it.

    ``remedy`` is what to do about a problem, ``models`` the models of the server, empty if it does
    not list them, ``pull`` whether pulling the model would help, and ``description`` the model's
    description of the picture.
    """

    ok: bool
    sentence: str
    remedy: str = ""
    models: tuple[str, ...] = ()
    pull: bool = False
    description: Description | None = None


@dataclass(frozen=True)
class Provider:
    """A row of PROVIDERS: how to talk to one kind of server.

    ``chat_url`` returns the base of its OpenAI-compatible endpoints, ``models`` the names of its
    models (the second argument is the API key), and ``has`` whether a model is among them.
    ``check_model`` raises if the model accepts no pictures; None if the server cannot tell.
    ``pull`` makes the server download a model; None if it cannot. ``uses_key``: whether it may
    need an API key.
    """

    name: str
    title: str
    chat_url: Callable[[VisionOptions], str]
    models: Callable[[VisionOptions, str], Coroutine[Any, Any, list[str]]]
    has: Callable[[list[str], str], bool]
    check_model: Callable[[VisionOptions], Coroutine[Any, Any, None]] | None = None
    pull: Callable[[VisionOptions, Progress], Coroutine[Any, Any, None]] | None = None
    uses_key: bool = False

    def key(self, options: VisionOptions) -> str:
        """Return the API key, "" if there is none; this may open the keyring."""
        return find_key(options.url) if self.uses_key else ""


PROVIDERS: dict[str, Provider] = {
    row.name: row
    for row in (
        Provider(
            "ollama",
            "Ollama",
            ollama.chat_url,
            ollama.models,
            ollama.has,
            ollama.check_model,
            ollama.pull,
        ),
        Provider(
            "openai_compatible",
            "OpenAI-compatible server",
            openai_compatible.chat_url,
            openai_compatible.models,
            openai_compatible.has,
            uses_key=True,
        ),
    )
}

QUICK_CHECK_S = 10.0  # time limit of a test without a picture


def describe(
    jpeg: bytes, options: VisionOptions, cancelled: IsCancelled = lambda: False
) -> Description:
    """Describe a picture.

    If the answer has the wrong form, the model is asked once more. If the server finds the picture
    too large, it is sent once more at half the size.

    Args:
        jpeg: the proxy's bytes.
        options: the provider to use.
        cancelled: called many times a second on the calling thread; True closes the connection.

    Raises:
        VisionError: the description failed; see its attributes.
        UnreadableError: ``jpeg`` is not a JPEG.
        UsageError: the provider is unknown.
        Cancelled: ``cancelled`` returned True.

    Thread: any, several at a time; takes ``options.timeout_s`` at most and leaves no thread behind.
    """
    provider = _provider(options)
    key = provider.key(options)
    chat.load()
    return _run(_describe(provider, key, jpeg, options), options, options.timeout_s, cancelled)


def check(
    options: VisionOptions, picture: bytes | None = None, cancelled: IsCancelled = lambda: False
) -> Health:
    """Test whether a provider is reachable, has the model, and can describe a picture.

    Args:
        options: the provider to test.
        picture: a small JPEG to describe; None for a quick test without one (milliseconds).
        cancelled: as in :func:`describe`.

    Returns:
        The findings, including any error of the provider; such errors are never raised.

    Raises:
        UsageError, UnreadableError, Cancelled: as :func:`describe`.

    Thread: any, as :func:`describe`.
    """
    try:
        provider = _provider(options)
        forget_keys()
        key = provider.key(options)
        quick = replace(options, timeout_s=min(QUICK_CHECK_S, options.timeout_s))
        models = _run(provider.models(quick, key), quick, quick.timeout_s, cancelled)
    except VisionError as error:
        return _failed(
            not_responding(quick) if isinstance(error.__cause__, TimeLimitError) else error
        )
    if not provider.has(models, options.model):
        return _failed(model_not_pulled(options), models, list_models=True)
    try:
        if provider.check_model is not None:
            _run(provider.check_model(quick), quick, quick.timeout_s, cancelled)
        if picture is None:
            sentence = f"{options.shown_url} has {options.model}."
            return Health(True, sentence, models=tuple(models))
        chat.load()
        began = time.monotonic()
        description = describe(picture, options, cancelled)
    except VisionError as error:
        return _failed(error, models, list_models=error.pull)
    seconds = time.monotonic() - began
    sentence = (
        f"{options.model} at {options.shown_url} described a small picture in {seconds:.1f} s."
    )
    return Health(True, sentence, models=tuple(models), description=description)


def pull(
    options: VisionOptions, progress: Progress, cancelled: IsCancelled = lambda: False
) -> None:
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
            f"Unknown vision provider {options.provider!r}.",
            f"Choose one of {', '.join(PROVIDERS)}.",
        ) from None


def _run(
    work: Coroutine[Any, Any, T],
    options: VisionOptions,
    timeout_s: float | None,
    cancelled: IsCancelled,
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


def _failed(error: VisionError, models: Sequence[str] = (), *, list_models: bool = False) -> Health:
    """Return the result for an error; a missing model is named with those the server has."""
    sentence = str(error.args[0])
    if models and list_models:
        sentence += f" It has {', '.join(models[:8])}{' and more' if len(models) > 8 else ''}."
    return Health(False, sentence, error.remedy, tuple(models), error.pull)
