"""Any server that speaks OpenAI's chat: llama.cpp, LM Studio, vLLM, a service with a key."""

from __future__ import annotations

from urllib.parse import urlsplit

from curator.vision import chat
from curator.vision.description import plain
from curator.vision.error_messages import meaning
from curator.vision.keys import find_key
from curator.vision.options import VisionOptions


def chat_url(options: VisionOptions) -> str:
    """Give the base URL: as it is set, or with ``/v1`` where only a server is named."""
    return options.base if urlsplit(options.base).path else f"{options.base}/v1"


def key(options: VisionOptions) -> str:
    """Find the key for this address; empty without one."""
    return options.key or find_key(options.url)


async def models(options: VisionOptions, key: str) -> list[str]:
    """List the models it offers; empty if it answers and has no list of them.

    Raises:
        VisionError: it does not answer, or refuses us.
    """
    async with chat.client(options, chat_url(options), key) as client:
        try:
            listed = await client.models.list()
            return [plain(str(entry.id), 200) for entry in listed.data]
        except Exception as error:
            if getattr(error, "status_code", None) in (404, 405, 501):
                return []
            raise meaning(error, options) from error


def has(listed: list[str], model: str) -> bool:
    """Say whether a model is among those listed; where there is no list it may be."""
    return model in listed or not listed


async def check_model(_options: VisionOptions) -> None:
    """Nothing: such a server does not say what its models can."""
