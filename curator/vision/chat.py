"""The chat request that all providers share: one picture in, one record back.

`instructor` checks the answer against :class:`Description` and returns a wrong one to the model
once. `openai` connects to the configured address only: its retries, redirects and, for servers on
this machine, the environment's proxies are off.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import gc
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curator import __version__
from curator.home import resource
from curator.vision.description import Description
from curator.vision.error_messages import answer_too_large, as_vision_error
from curator.vision.errors import VisionError
from curator.vision.options import VisionOptions

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_S = 10.0
MAX_TOKENS = 2000  # a record has about 200; reasoning models need more before it
REPEATS = 1  # after an answer of the wrong form
MAX_BYTES = 4_000_000  # of one answer
# Headers that describe this computer, or come from variables meant for OpenAI's own server.
_OMITTED_HEADERS = (
    "OpenAI-Organization",
    "OpenAI-Project",
    "X-Stainless-Lang",
    "X-Stainless-Package-Version",
    "X-Stainless-OS",
    "X-Stainless-Arch",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
    "X-Stainless-Async",
)
# The library requires a key; servers without keys ignore it.
_NO_KEY = "none"


@functools.cache
def prompt() -> tuple[str, str]:
    """Return the rules and the request of ``resources/prompts/describe.txt``.

    The request is the last paragraph; it is sent with the picture.
    """
    text = resource("prompts/describe.txt").read_text("utf-8").strip()
    rules, _, request = text.rpartition("\n\n")
    return rules, request


@functools.cache
def sample_picture() -> bytes:
    """Return the JPEG that a provider is tested with: a boat and a low sun, 448 x 336 px."""
    return resource("prompts/test.jpg").read_bytes()


def client(options: VisionOptions, base_url: str, key: str) -> AsyncOpenAI:
    """Create a client of an OpenAI-compatible server, for use in ``async with``."""
    import openai

    class LimitedClient(openai.DefaultAsyncHttpxClient):
        """Refuses answers larger than MAX_BYTES, to protect memory."""

        async def send(self, request: Any, *, stream: bool = False, **send_options: Any) -> Any:
            response = await super().send(request, stream=True, **send_options)
            parts, size = [], 0
            try:
                async for part in response.aiter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > MAX_BYTES:
                        raise answer_too_large(options)
            finally:
                await response.aclose()
            headers = [
                (name, value)
                for name, value in response.headers.multi_items()
                if name not in ("content-encoding", "content-length", "transfer-encoding")
            ]
            return type(response)(
                response.status_code, headers=headers, content=b"".join(parts), request=request
            )

    headers: dict[str, Any] = dict.fromkeys(_OMITTED_HEADERS, openai.omit)
    return openai.AsyncOpenAI(
        base_url=base_url,
        api_key=key or _NO_KEY,
        default_headers=headers | {"User-Agent": f"curator/{__version__}"},
        max_retries=0,
        timeout=openai.Timeout(None, connect=CONNECT_S),
        http_client=LimitedClient(**options.client_options),
    )


@contextlib.contextmanager
def _garbage_collection_off() -> Iterator[None]:
    """Turn garbage collection off for a block: a full collection stops every thread."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@functools.cache
def load() -> None:
    """Load the libraries, before the time limit starts: this takes seconds."""
    with _garbage_collection_off():
        import instructor
        import openai

        # Failures are raised and shown to the user; the library would also print them to stderr.
        logging.getLogger("instructor").setLevel(logging.CRITICAL)
        unused = openai.AsyncOpenAI(api_key=_NO_KEY, base_url="http://localhost")
        instructor.from_openai(unused, mode=instructor.Mode.JSON_SCHEMA)  # imports the rest


async def ask(options: VisionOptions, base_url: str, key: str, jpeg: bytes) -> Description:
    """Ask the model to describe a picture.

    Raises:
        VisionError: the description failed.
    """
    messages = _messages(jpeg)
    async with client(options, base_url, key) as server:
        if base_url not in _JSON_OBJECT_SERVERS:
            try:
                return await _answer(server, messages, options, json_object=False)
            except Exception as error:
                if not _refuses_json_schema(error):
                    return _salvage(error, options)
                _JSON_OBJECT_SERVERS.add(base_url)
        try:
            return await _answer(server, messages, options, json_object=True)
        except Exception as error:
            return _salvage(error, options)


_JSON_OBJECT_SERVERS: set[str] = set()  # URLs of servers that do not support json_schema


async def _answer(
    server: AsyncOpenAI, messages: list[Any], options: VisionOptions, json_object: bool
) -> Description:
    """Request a record by ``json_schema``, or for older servers by ``json_object``."""
    import instructor

    body = None
    if json_object:  # replaces the response_format of the mode
        form = {"type": "json_object", "schema": Description.model_json_schema()}
        body = {"response_format": form}
    ready = instructor.from_openai(server, mode=instructor.Mode.JSON_SCHEMA)
    found: Description = await ready.chat.completions.create(
        model=options.model,
        messages=messages,
        response_model=Description,
        max_retries=REPEATS,
        max_tokens=MAX_TOKENS,
        temperature=0.2,
        extra_body=body,
    )
    return found


def _refuses_json_schema(error: Exception) -> bool:
    """Whether a server refused the response format (llama-cpp-python answers 500)."""
    status = getattr(error.__cause__, "status_code", 0)
    return status in (400, 422, 500) and "response_format" in str(error)


def _messages(jpeg: bytes) -> list[Any]:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    picture = {"type": "image_url", "image_url": {"url": url}}
    rules, request = prompt()
    return [
        {"role": "system", "content": rules},
        {"role": "user", "content": [{"type": "text", "text": request}, picture]},
    ]


def _salvage(error: Exception, options: VisionOptions) -> Description:
    """Accept a last answer whose only fault is too few tags; else raise a VisionError."""
    from instructor.core import InstructorRetryException
    from pydantic import ValidationError

    # Only a wrong record can be salvaged, not a failed connection.
    last = error.last_completion if isinstance(error, InstructorRetryException) else None
    if last is None or not isinstance(error.__cause__, ValidationError):
        raise as_vision_error(error, options) from error
    text = last.choices[0].message.content or ""
    try:
        return Description.model_validate_json(text, context={"tags": "any"})
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise VisionError(_explain(options.model, text, first), _OTHER_MODEL) from error


_OTHER_MODEL = "Try again; another model may do better."
_PROBLEMS = {"missing": "is missing", "string_type": "is not text", "list_type": "is not a list"}


def _explain(model: str, text: str, first: Any) -> str:
    """Return what is wrong with an answer, from the first error of its validation."""
    if not text.strip():
        return f"{model} gave an empty answer."
    field = ".".join(str(part) for part in first["loc"])
    if not field:
        return f"{model} did not answer with the JSON it was asked for."
    return f"{model} gave a wrong record: {field} {_PROBLEMS.get(first['type'], 'is empty')}."
