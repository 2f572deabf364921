"""The Ollama provider: list its models, check that a model accepts pictures, pull a model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from curator.settings import in_settings
from curator.vision.description import plain
from curator.vision.error_messages import answer_too_large, as_vision_error, text_only_model
from curator.vision.errors import VisionError
from curator.vision.options import VisionOptions

if TYPE_CHECKING:
    from ollama import AsyncClient

CONNECT_S = 10.0
SILENCE_S = 600.0  # a pull sends nothing while it checks many gigabytes
MAX_BYTES = 4_000_000  # of a list of models, or of the details of a model
MAX_PULL_BYTES = 100_000_000  # of progress messages, enough for a day


def root(options: VisionOptions) -> str:
    """Return the server's root URL, without a ``/v1`` copied from the API's address."""
    return options.base.removesuffix("/v1")


def chat_url(options: VisionOptions) -> str:
    """Return the base URL of its OpenAI-compatible endpoints."""
    return f"{root(options)}/v1"


async def models(options: VisionOptions, _key: str) -> list[str]:
    """Return the names of the models it has.

    Raises:
        VisionError: it does not answer, or not like Ollama.
    """
    async with _client(options) as client:
        try:
            listed = await client.list()
        except Exception as error:
            raise as_vision_error(error, options) from error
    return [plain(entry.model or "", 200) for entry in listed.models]


def has(listed: list[str], model: str) -> bool:
    """Whether a model is among those listed; a name without tag means ``latest``."""
    return model in listed or f"{model}:latest" in listed


async def check_model(options: VisionOptions) -> None:
    """Check that the model accepts pictures; an old Ollama without this information passes.

    Raises:
        VisionError: it is a text model, or Ollama does not answer.
    """
    async with _client(options) as client:
        try:
            shown = await client.show(options.model)
        except Exception as error:
            raise as_vision_error(error, options) from error
    if shown.capabilities and "vision" not in shown.capabilities:
        raise text_only_model(options)


async def pull(options: VisionOptions, progress: Callable[[str, int, int], None]) -> None:
    """Make Ollama pull the model; a canceled pull keeps the part downloaded.

    Raises:
        VisionError: the pull failed.
    """
    done = False
    async with _client(options, MAX_PULL_BYTES) as client:
        try:
            async for part in await client.pull(options.model, stream=True):
                status = plain(part.status or "", 100)
                progress(status, max(0, part.completed or 0), max(0, part.total or 0))
                done = status == "success"
        except Exception as error:
            raise _pull_error(error, options) from error
    if not done:
        raise VisionError(
            f"Ollama stopped in the middle of pulling {options.model}.",
            "Pull it again; it resumes where it stopped.",
        )


def _pull_error(error: Exception, options: VisionOptions) -> VisionError:
    """Convert the error of a pull, which Ollama may send among its progress messages."""
    words = plain(str(getattr(error, "error", "") or ""), 200)
    if words and getattr(error, "status_code", -1) in (-1, 400, 404, 500):
        return VisionError(
            f"Ollama cannot pull {options.model}: {words}",
            f"Compare {in_settings('vision.model')} with the names on ollama.com, and check the"
            " connection.",
            retry=False,
        )
    return as_vision_error(error, options)


def _client(options: VisionOptions, limit: int = MAX_BYTES) -> AsyncClient:
    """Create a client that refuses answers larger than ``limit`` bytes."""
    import httpx
    import ollama

    class LimitedStream(httpx.AsyncByteStream):
        def __init__(self, stream: httpx.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for part in self._stream:
                size += len(part)
                if size > limit:
                    raise answer_too_large(options)
                yield part

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def count(response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise answer_too_large(options)  # compression was not asked for and hides the size
        response.stream = LimitedStream(response.stream)  # type: ignore[arg-type]

    return ollama.AsyncClient(
        host=root(options),
        timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S),
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [count]},
        **options.client_options,
    )
