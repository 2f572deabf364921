"""One picture, one question, one record back: the call that both providers share.

`instructor` holds the answer to :class:`Description` and feeds a wrong one back once; `openai`
speaks to the address and to nothing else: its own retries, redirects and, on this machine, the
environment's proxies are off.
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
from curator.settings import resource
from curator.vision.description import Description
from curator.vision.error_messages import meaning, too_much
from curator.vision.errors import WrongAnswerError
from curator.vision.options import VisionOptions

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_S = 10.0
MOST_TOKENS = 2000  # a record has about 200; what some models think before it counts too
REPEATS = 1  # after an answer that is not what was asked for
MOST_BYTES = 4_000_000  # of one answer
# What this computer is, and variables that are meant for OpenAI's own server, stay here.
_UNSENT = (
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
# The library needs a key to be one; servers that want none ignore it.
_NO_KEY = "none"


@functools.cache
def prompt() -> tuple[str, str]:
    """Read ``resources/prompts/describe.txt``: its last paragraph goes with the picture."""
    text = resource("prompts/describe.txt").read_text("utf-8").strip()
    rules, _, request = text.rpartition("\n\n")
    return rules, request


@functools.cache
def sample_picture() -> bytes:
    """Read the small picture a provider is tested with: a boat and a low sun, 448 x 336 px."""
    return resource("prompts/test.jpg").read_bytes()


def client(options: VisionOptions, base_url: str, key: str) -> AsyncOpenAI:
    """Make a client of an OpenAI-compatible server; use it in ``async with``."""
    import openai

    class Bounded(openai.DefaultAsyncHttpxClient):
        """Takes answers of a limited size: a record is small, and memory is not endless."""

        async def send(self, request: Any, *, stream: bool = False, **how: Any) -> Any:
            response = await super().send(request, stream=True, **how)
            parts, size = [], 0
            try:
                async for part in response.aiter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > MOST_BYTES:
                        raise too_much(options)
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

    headers: dict[str, Any] = dict.fromkeys(_UNSENT, openai.omit)
    return openai.AsyncOpenAI(
        base_url=base_url,
        api_key=key or _NO_KEY,
        default_headers=headers | {"User-Agent": f"curator/{__version__}"},
        max_retries=0,
        timeout=openai.Timeout(None, connect=CONNECT_S),
        http_client=Bounded(**options.client_options),
    )


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Collect no garbage meanwhile: a look through all that lives stops every thread."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@functools.cache
def load() -> None:
    """Load the libraries before a clock runs: the seconds that takes are no model's fault."""
    with _undisturbed():
        import instructor
        import openai

        # What fails is raised, and said where people look; the library would put it on stderr.
        logging.getLogger("instructor").setLevel(logging.CRITICAL)
        unused = openai.AsyncOpenAI(api_key=_NO_KEY, base_url="http://localhost")
        instructor.from_openai(unused, mode=instructor.Mode.JSON_SCHEMA)  # loads what it needs


async def ask(options: VisionOptions, base_url: str, key: str, jpeg: bytes) -> Description:
    """Have one picture described.

    Raises:
        VisionError: what went wrong.
    """
    messages = _messages(jpeg)
    async with client(options, base_url, key) as server:
        if base_url not in _OLDER:
            try:
                return await _answer(server, messages, options, older=False)
            except Exception as error:
                if not _unknown_form(error):
                    return _better_than_nothing(error, options)
                _OLDER.add(base_url)
        try:
            return await _answer(server, messages, options, older=True)
        except Exception as error:
            return _better_than_nothing(error, options)


_OLDER: set[str] = set()  # servers that refused the newer way to ask for a form of answer


async def _answer(
    server: AsyncOpenAI, messages: list[Any], options: VisionOptions, older: bool
) -> Description:
    """Ask for a record: by ``json_schema``, or as servers did before that, by ``json_object``."""
    import instructor

    body = None
    if older:  # what goes over what the mode sends
        form = {"type": "json_object", "schema": Description.model_json_schema()}
        body = {"response_format": form}
    ready = instructor.from_openai(server, mode=instructor.Mode.JSON_SCHEMA)
    found: Description = await ready.chat.completions.create(
        model=options.model,
        messages=messages,
        response_model=Description,
        max_retries=REPEATS,
        max_tokens=MOST_TOKENS,
        temperature=0.2,
        extra_body=body,
    )
    return found


def _unknown_form(error: Exception) -> bool:
    """Whether a server refused the form an answer was asked for in (llama-cpp-python: 500)."""
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


def _better_than_nothing(error: Exception, options: VisionOptions) -> Description:
    """Take a last answer that has too few tags and is well otherwise; else say what is wrong."""
    from instructor.core import InstructorRetryException
    from pydantic import ValidationError

    # Anything but a wrong record, also a repeat that did not get through, has a meaning itself.
    last = error.last_completion if isinstance(error, InstructorRetryException) else None
    if last is None or not isinstance(error.__cause__, ValidationError):
        raise meaning(error, options) from error
    text = last.choices[0].message.content or ""
    try:
        return Description.model_validate_json(text, context={"tags": "any"})
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise WrongAnswerError(_complaint(options.model, text, first), _OTHER_MODEL) from error


_OTHER_MODEL = "Retry it; another model may do better."


def _complaint(model: str, text: str, first: Any) -> str:
    if not text.strip():
        return f"{model} answered with nothing."
    field = ".".join(str(part) for part in first["loc"])
    if not field:
        return f"{model} answered with something other than the JSON it was asked for."
    said = {"missing": "is missing", "string_type": "is no text", "list_type": "is no list"}
    return f"{model} gave a wrong record: {field} {said.get(first['type'], 'says nothing')}."
