"""The provider for any server with OpenAI's chat API: llama.cpp, LM Studio, vLLM, a service."""

from __future__ import annotations

from urllib.parse import urlsplit

from curator.vision import chat
from curator.vision.description import plain
from curator.vision.error_messages import as_vision_error
from curator.vision.options import VisionOptions


def chat_url(options: VisionOptions) -> str:
    """Return the base URL: as set, with ``/v1`` added if it has no path."""
    return options.base if urlsplit(options.base).path else f"{options.base}/v1"


async def models(options: VisionOptions, key: str) -> list[str]:
    """Return the names of its models; empty if it answers but cannot list them.

    Raises:
        VisionError: it does not answer, or refuses the request.
    """
    async with chat.client(options, chat_url(options), key) as client:
        try:
            listed = await client.models.list()
            return [plain(str(entry.id), 200) for entry in listed.data]
        except Exception as error:
            if getattr(error, "status_code", None) in (404, 405, 501):
                return []
            raise as_vision_error(error, options) from error


def has(listed: list[str], model: str) -> bool:
    """Whether a model is among those listed, or no models are listed."""
    return model in listed or not listed
