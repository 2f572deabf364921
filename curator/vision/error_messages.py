"""What the libraries raise → what it means: one sentence, a remedy, and whether to try again.

Told apart by HTTP status and by the names of exceptions, since `openai` and `ollama` each bring
an HTTP client of their own with classes of the same names.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from curator.private import mask_secrets
from curator.vision.calls import TimeUpError
from curator.vision.description import plain
from curator.vision.errors import (
    BusyError,
    TooLargeError,
    UnreachableError,
    VisionError,
    WrongAnswerError,
)
from curator.vision.options import VisionOptions

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 3600.0  # what a server may ask for; more is taken as this
_AGAIN = "Retry it; if it stays so, the server's own log says why."
_TEST = "`curator doctor` tests the provider."


def meaning(error: Exception, options: VisionOptions) -> VisionError:
    """Turn what a library raised into an error for people.

    Args:
        error: as raised by `openai`, `instructor`, `ollama` or their HTTP clients.
        options: whom we asked.

    Returns:
        What it means. A fault of ours comes out as one too: a model's server can make a library
        fail anywhere; the log has the traceback through ``__cause__``.
    """
    if isinstance(error, TimeUpError):
        return too_slow(options)
    chain = _causes(error)
    for link in chain:
        if isinstance(link, VisionError):
            return link
        status = getattr(link, "status_code", None)
        if isinstance(status, int) and status >= 300:
            return _of_status(status, _words(link), _headers(link), options)
    names = {name for link in chain for name in (c.__name__ for c in type(link).__mro__)}
    if names & {"ConnectError", "ConnectTimeout", "ConnectionError"} and not names & _CUT:
        return not_running(options)
    if names & _CUT:
        return VisionError(
            f"The connection to {options.server_name} was cut in the middle of the answer.", _AGAIN
        )
    if names & {"ProxyError", "UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return UnreachableError(
            f"{options.shown_url} cannot be asked ({plain(mask_secrets(str(chain[-1])), 120)}).",
            "Set vision.url to the address of the provider.",
            retry=False,
            stops_all=True,
        )
    if names & {"ReadTimeout", "WriteTimeout", "PoolTimeout"}:
        return too_slow(options)
    if "IncompleteOutputException" in names:
        return WrongAnswerError(
            f"{options.model} talked on until it was stopped.", "Another model may do better."
        )
    log.info("not an answer of a model: %s", options.shown_url, exc_info=error)
    return WrongAnswerError(
        f"{options.server_name} answered with something that is no answer of a model.", _TEST
    )


# A connection that broke once it stood, in the words of httpx and of Python.
_CUT = {
    "ReadError",
    "WriteError",
    "CloseError",
    "RemoteProtocolError",
    "ConnectionResetError",
    "BrokenPipeError",
}


def too_slow(options: VisionOptions) -> VisionError:
    """Say that the time limit was over before the answer was whole."""
    return VisionError(
        f"{options.model} gave no whole answer within {options.timeout_s:g} s.",
        "A smaller model is faster; vision.timeout_s allows more time.",
    )


def too_much(options: VisionOptions) -> VisionError:
    """Say that an answer is larger than any that was asked for."""
    return WrongAnswerError(
        f"{options.server_name} sent far more than was asked for.", "Check vision.url."
    )


def not_running(options: VisionOptions) -> VisionError:
    """Say that nothing answers at the address."""
    if options.provider == "ollama" and options.is_local:
        message, remedy = (
            f"Ollama is not running at {options.shown_url}.",
            "Start it with `ollama serve`; from ollama.com if it is not installed.",
        )
    else:
        message = f"Nothing answers at {options.shown_url}."
        remedy = "Start the server there, or set vision.url to its address."
    return UnreachableError(message, remedy, stops_all=True)


def mute(options: VisionOptions) -> VisionError:
    """Say that the server does not even answer the simplest question."""
    return UnreachableError(
        f"{options.server_name} accepts connections but does not answer within"
        f" {options.timeout_s:g} s.",
        "Start it again.",
        stops_all=True,
    )


def not_pulled(options: VisionOptions) -> VisionError:
    """Say that the server is there and the model is not."""
    if options.provider == "ollama":
        return VisionError(
            f"Ollama does not have the model {options.model} yet.",
            f"Fetch it with `ollama pull {options.model}`, or let Curator have it fetched.",
            stops_all=True,
            pull=True,
        )
    return VisionError(
        f"{options.shown_url} does not have the model {options.model}.",
        "Set vision.model to one that it has.",
        stops_all=True,
    )


def blind(options: VisionOptions) -> VisionError:
    """Say that the model takes no pictures."""
    return VisionError(
        f"{options.model} is a model for text: it cannot look at pictures.",
        "Set vision.model to one that can, such as llava.",
        retry=False,
        stops_all=True,
    )


def _of_status(
    status: int, words: str, headers: Mapping[str, str], options: VisionOptions
) -> VisionError:
    told = f" It says: {words.rstrip('.')}." if words else ""
    if status in (429, 503):
        return BusyError(
            f"{options.server_name} is busy ({status}).{told}",
            "Try again in a moment.",
            retry_after_s(headers.get("retry-after", "")),
        )
    if status == 404 and "model" in words.lower():
        return not_pulled(options)
    if status == 413:
        return TooLargeError(
            f"{options.server_name} takes no picture of this size (413).",
            "Lower vision.long_edge_px, or raise the server's limit.",
            retry=False,
        )
    if status in (401, 403):
        return VisionError(
            f"{options.server_name} does not accept the key ({status}).{told}",
            "Put the right one into the system's keyring or CURATOR_VISION_KEY.",
            retry=False,
            stops_all=True,
        )
    if status < 400:
        where = plain(mask_secrets(headers.get("location", "")), 120) or "another address"
        return VisionError(
            f"{options.shown_url} points to {where} ({status}); Curator asks no other address.",
            "Set vision.url to the address you mean.",
            retry=False,
            stops_all=True,
        )
    if status in (404, 405, 501):
        return VisionError(
            f"What answers at {options.shown_url} is no server of vision models ({status}).",
            "Set vision.url to the address of the provider.",
            retry=False,
            stops_all=True,
        )
    if status >= 500:
        return VisionError(f"{options.server_name} failed ({status}).{told}", _AGAIN)
    if "image" in words.lower() and ("support" in words.lower() or "missing" in words.lower()):
        return blind(options)
    return VisionError(
        f"{options.server_name} refused the request ({status}).{told}", _TEST, retry=False
    )


def retry_after_s(text: str) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, 10.2.3); None if it is neither."""
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    if math.isnan(wait):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT_S)


def _causes(error: BaseException) -> list[BaseException]:
    """List an error and what caused it, outermost first."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found and len(found) < 12:
        found.append(link)
        link = link.__cause__ or link.__context__
    return found


def _headers(error: BaseException) -> Mapping[str, str]:
    return getattr(getattr(error, "response", None), "headers", None) or {}


def _words(error: BaseException) -> str:
    """Take the server's own sentence out of an error, as plain text of limited length."""
    body: Any = getattr(error, "body", None) or getattr(error, "error", None)
    while isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("detail")
    return plain(mask_secrets(body), 200) if isinstance(body, str) else ""
