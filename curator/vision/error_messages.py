"""Convert the errors of the libraries to VisionError: a sentence, a remedy, whether to retry.

Errors are recognized by HTTP status and by the names of exceptions, since `openai` and `ollama`
each bring their own HTTP client with classes of the same names.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from curator.private import mask_secrets
from curator.settings import in_settings
from curator.vision.calls import TimeLimitError
from curator.vision.description import plain
from curator.vision.errors import ServerBusyError, TooLargeError, VisionError
from curator.vision.options import VisionOptions

log = logging.getLogger(__name__)

MAX_WAIT_S = 3600.0  # the longest wait a server may ask for
_RETRY = "Try again. If it keeps failing, look into the server's log."
_MODEL, _URL = in_settings("vision.model"), in_settings("vision.url")
_SET_URL = f"Correct {_URL}."
_TEST = "`curator doctor` tests the provider."


def as_vision_error(error: Exception, options: VisionOptions) -> VisionError:
    """Convert an error of a library to a VisionError.

    Args:
        error: as raised by `openai`, `instructor`, `ollama` or their HTTP clients.
        options: the provider that was asked.

    Returns:
        The error to raise. Unknown errors are converted, too, because a server can make a library
        fail anywhere; the log has the traceback through ``__cause__``.
    """
    if isinstance(error, TimeLimitError):
        return too_slow(options)
    chain = _causes(error)
    for link in chain:
        if isinstance(link, VisionError):
            return link
        status = getattr(link, "status_code", None)
        if isinstance(status, int) and status >= 300:
            return _from_status(status, _server_message(link), _headers(link), options)
    names = {name for link in chain for name in (c.__name__ for c in type(link).__mro__)}
    if names & {"ConnectError", "ConnectTimeout", "ConnectionError"} and not names & _CUT:
        return not_running(options)
    if names & _CUT:
        return VisionError(
            f"{options.server_name} closed the connection in the middle of the answer.", _RETRY
        )
    if names & {"ProxyError", "UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return VisionError(
            f"{options.shown_url} cannot be reached ({plain(mask_secrets(str(chain[-1])), 120)}).",
            _SET_URL,
            retry=False,
            stops_all=True,
        )
    if names & {"ReadTimeout", "WriteTimeout", "PoolTimeout"}:
        return too_slow(options)
    if "IncompleteOutputException" in names:
        return VisionError(
            f"{options.model} did not stop and was cut off.", "Another model may do better."
        )
    log.info("not an answer of a model: %s", options.shown_url, exc_info=error)
    return VisionError(f"The answer of {options.server_name} does not come from a model.", _TEST)


# Errors of httpx and of Python that mean a broken connection.
_CUT = {
    "ReadError",
    "WriteError",
    "CloseError",
    "RemoteProtocolError",
    "ConnectionResetError",
    "BrokenPipeError",
}


def too_slow(options: VisionOptions) -> VisionError:
    """Return the error for an answer that was not complete within the time limit."""
    return VisionError(
        f"{options.model} did not answer within {options.timeout_s:g} s.",
        f"Use a smaller model, or raise {in_settings('vision.timeout_s')}.",
    )


def answer_too_large(options: VisionOptions) -> VisionError:
    """Return the error for an answer larger than any description."""
    return VisionError(f"{options.server_name} sent far more data than expected.", f"Check {_URL}.")


def not_running(options: VisionOptions) -> VisionError:
    """Return the error for an address where nothing answers."""
    if options.provider == "ollama" and options.is_local:
        message, remedy = (
            f"Ollama is not running at {options.shown_url}.",
            "Start it with `ollama serve`, or install it from ollama.com.",
        )
    else:
        message = f"Nothing answers at {options.shown_url}."
        remedy = f"Start the server there, or correct {_URL}."
    return VisionError(message, remedy, stops_all=True)


def not_responding(options: VisionOptions) -> VisionError:
    """Return the error for a server that accepts connections and never answers."""
    return VisionError(
        f"{options.server_name} accepts connections but does not answer within"
        f" {options.timeout_s:g} s.",
        "Restart it.",
        stops_all=True,
    )


def model_not_pulled(options: VisionOptions) -> VisionError:
    """Return the error for a server that does not have the model."""
    if options.provider == "ollama":
        return VisionError(
            f"Ollama does not have the model {options.model} yet.",
            f"Pull it with `ollama pull {options.model}`, or in Curator's settings.",
            stops_all=True,
            pull=True,
        )
    return VisionError(
        f"{options.shown_url} does not have the model {options.model}.",
        f"Choose a model it has: {_MODEL}.",
        stops_all=True,
    )


def text_only_model(options: VisionOptions) -> VisionError:
    """Return the error for a model that accepts no pictures."""
    return VisionError(
        f"{options.model} is a text model and cannot look at pictures.",
        f"Choose a vision model such as llava: {_MODEL}.",
        retry=False,
        stops_all=True,
    )


def _from_status(
    status: int, words: str, headers: Mapping[str, str], options: VisionOptions
) -> VisionError:
    message = f" It says: {words.rstrip('.')}." if words else ""
    if status in (429, 503):
        return ServerBusyError(
            f"{options.server_name} is busy ({status}).{message}",
            "Try again in a moment.",
            retry_after_s(headers.get("retry-after", "")),
        )
    if status == 404 and "model" in words.lower():
        return model_not_pulled(options)
    if status == 413:
        return TooLargeError(
            f"{options.server_name} refuses a picture of this size (413).",
            f"Lower {in_settings('vision.long_edge_px')}, or raise the server's limit.",
            retry=False,
        )
    if status in (401, 403):
        return VisionError(
            f"{options.server_name} does not accept the key ({status}).{message}",
            "Store the right key with `keyring set curator ADDRESS`, or in CURATOR_VISION_KEY.",
            retry=False,
            stops_all=True,
        )
    if status < 400:
        where = plain(mask_secrets(headers.get("location", "")), 120) or "another address"
        return VisionError(
            f"{options.shown_url} redirects to {where} ({status}), which Curator does not follow.",
            _SET_URL,
            retry=False,
            stops_all=True,
        )
    if status in (404, 405, 501):
        return VisionError(
            f"The server at {options.shown_url} offers no vision models ({status}).",
            _SET_URL,
            retry=False,
            stops_all=True,
        )
    if status >= 500:
        return VisionError(f"{options.server_name} failed ({status}).{message}", _RETRY)
    if "image" in words.lower() and ("support" in words.lower() or "missing" in words.lower()):
        return text_only_model(options)
    return VisionError(
        f"{options.server_name} refused the request ({status}).{message}", _TEST, retry=False
    )


def retry_after_s(text: str) -> float | None:
    """Parse a Retry-After header, seconds or a date (RFC 9110, 10.2.3); None if it is neither."""
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    if math.isnan(wait):
        return None
    return min(max(wait, 0.0), MAX_WAIT_S)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and its causes, outermost first."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found and len(found) < 12:
        found.append(link)
        link = link.__cause__ or link.__context__
    return found


def _headers(error: BaseException) -> Mapping[str, str]:
    return getattr(getattr(error, "response", None), "headers", None) or {}


def _server_message(error: BaseException) -> str:
    """Return the server's own message in an error, as short plain text."""
    body: Any = getattr(error, "body", None) or getattr(error, "error", None)
    while isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("detail")
    return plain(mask_secrets(body), 200) if isinstance(body, str) else ""
