"""Ollama: which models it has, whether one takes pictures, and fetching one it lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from curator.vision.description import plain
from curator.vision.error_messages import blind, meaning, too_much
from curator.vision.errors import VisionError
from curator.vision.options import VisionOptions

if TYPE_CHECKING:
    from ollama import AsyncClient

CONNECT_S = 10.0
SILENCE_S = 600.0  # a pull says nothing while it checks many gigabytes
MOST_BYTES = 4_000_000  # of a list of models, or of what is told of one
MOST_PULLED = 100_000_000  # bytes of progress: a day of it


def root(options: VisionOptions) -> str:
    """Give the server's root; an address copied with the API's ``/v1`` will do."""
    return options.base.removesuffix("/v1")


def chat_url(options: VisionOptions) -> str:
    """Give the base of its OpenAI-compatible endpoints."""
    return f"{root(options)}/v1"


def no_key(_options: VisionOptions) -> str:
    """Ollama asks for none."""
    return ""


async def models(options: VisionOptions, _key: str) -> list[str]:
    """List the models it has pulled.

    Raises:
        VisionError: it does not answer, or not like Ollama.
    """
    async with _client(options) as client:
        try:
            listed = await client.list()
        except Exception as error:
            raise meaning(error, options) from error
    return [plain(entry.model or "", 200) for entry in listed.models]


def has(listed: list[str], model: str) -> bool:
    """Say whether a model is among those listed; one without a tag is its ``latest``."""
    return model in listed or f"{model}:latest" in listed


async def check_model(options: VisionOptions) -> None:
    """Make sure the model takes pictures; an Ollama too old to know is believed.

    Raises:
        VisionError: it is a model for text, or Ollama cannot say.
    """
    async with _client(options) as client:
        try:
            shown = await client.show(options.model)
        except Exception as error:
            raise meaning(error, options) from error
    if shown.capabilities and "vision" not in shown.capabilities:
        raise blind(options)


async def pull(options: VisionOptions, progress: Callable[[str, int, int], None]) -> None:
    """Have Ollama fetch the model; it keeps what it has when this is cancelled.

    Raises:
        VisionError: it cannot, and why.
    """
    done = False
    async with _client(options, MOST_PULLED) as client:
        try:
            async for part in await client.pull(options.model, stream=True):
                status = plain(part.status or "", 100)
                progress(status, max(0, part.completed or 0), max(0, part.total or 0))
                done = status == "success"
        except Exception as error:
            raise _why(error, options) from error
    if not done:
        raise VisionError(
            f"Ollama stopped in the middle of fetching {options.model}.",
            "Fetch it again: it goes on where it stopped.",
        )


def _why(error: Exception, options: VisionOptions) -> VisionError:
    """Say why a model could not be fetched; Ollama says so in the middle of its progress."""
    words = plain(str(getattr(error, "error", "") or ""), 200)
    if words and getattr(error, "status_code", -1) in (-1, 400, 404, 500):
        return VisionError(
            f"Ollama cannot fetch {options.model}: {words}",
            "Check vision.model against the names on ollama.com, and the connection.",
            retry=False,
        )
    return meaning(error, options)


def _client(options: VisionOptions, most: int = MOST_BYTES) -> AsyncClient:
    """Make a client that takes in answers of at most so many bytes."""
    import httpx
    import ollama

    class Counted(httpx.AsyncByteStream):
        def __init__(self, stream: httpx.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for part in self._stream:
                size += len(part)
                if size > most:
                    raise too_much(options)
                yield part

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def count(response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise too_much(options)  # nobody asked for it packed, and none knows its size
        response.stream = Counted(response.stream)  # type: ignore[arg-type]

    return ollama.AsyncClient(
        host=root(options),
        timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S),
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [count]},
        **options.client_options,
    )
