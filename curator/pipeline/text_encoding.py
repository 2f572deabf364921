"""Encoding a search text into the vector space of the pictures, in the encoder's process.

The search uses it. The encoder's process takes a text between two groups of photos; the window's
process must never load a network.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QThreadPool

from curator.encoders import Recipe
from curator.model import INTERNAL_ERROR, KnownError
from curator.pipeline.encoder_lane import explain_encoder_error, with_loading
from curator.settings import Settings
from curator.stages.embed import embed_text
from curator.workers import WorkerBug, WorkerCancelled, WorkerError, WorkerPool, WorkerUnavailable

log = logging.getLogger(__name__)

TextVectorCallback = Callable[[bytes | KnownError], None]
_KEPT = 64


def encode_in_worker(pool: WorkerPool, recipe: Recipe, text: str, settings: Settings) -> bytes:
    """Encode a phrase in the encoder's process; return float32 bytes of unit length.

    Raises:
        WorkerCancelled: its process was ended.
        KnownError: the encoder encodes no texts, failed, or cannot be loaded; and why.
    """
    limit = settings.work.timeout_s
    try:
        vector = pool.run(embed_text, recipe, text, timeout_s=with_loading(pool, limit))
    except (WorkerCancelled, WorkerUnavailable):
        raise
    except WorkerError as error:
        raise explain_encoder_error(error, limit) from None
    except WorkerBug as error:
        log.error("encoding a phrase failed: %s", error)
        raise KnownError(INTERNAL_ERROR) from None
    if vector is None:
        raise KnownError("This encoder cannot search by text.")
    return vector


class TextEncoder:
    """Encodes one text at a time; of several requested, only the last.

    Thread: any, for every method; callbacks run on the caller's thread if the answer is known,
    otherwise on a thread of this object's own.
    """

    def __init__(self, settings: Settings, pool: WorkerPool, used: Callable[[], None]) -> None:
        """Make it over a shared pool.

        Args:
            settings: has the time limit.
            pool: the encoder's process.
            used: called after each use, so that the encoder is not unloaded at once.
        """
        self._settings, self._pool, self._used = settings, pool, used
        self._lock = threading.Lock()
        self._wanted: object = None
        self._known: dict[tuple[str, str], bytes] = {}
        self._threads = QThreadPool()
        self._threads.setMaxThreadCount(1)

    def want(self, text: str, recipe: Recipe | None, tell: TextVectorCallback) -> bool:
        """Encode a text; return False if the encoder encodes no texts.

        Args:
            text: the text.
            recipe: the encoder in use.
            tell: gets (dimension,) float32 of unit length as bytes, or why there is none; never
                called once another text is requested.
        """
        if recipe is None or not recipe.supports_text:
            return False
        asked = object()
        with self._lock:
            self._wanted = asked
            known = self._known.get((recipe.key, text))
        if known is not None:
            tell(known)
        else:
            self._threads.start(lambda: self._work(asked, text, recipe, tell))
        return True

    def give_up(self) -> None:
        """Cancel the last request."""
        with self._lock:
            self._wanted = None

    def close(self) -> None:
        """Cancel, and wait for the thread; close the pool first."""
        self.give_up()
        self._threads.waitForDone()

    def _work(self, asked: object, text: str, recipe: Recipe, tell: TextVectorCallback) -> None:
        if self._wanted is not asked:
            return
        try:
            answer: bytes | KnownError = encode_in_worker(self._pool, recipe, text, self._settings)
        except WorkerCancelled:
            return
        except KnownError as error:
            answer = error
        self._used()
        with self._lock:
            if isinstance(answer, bytes):
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[recipe.key, text] = answer
            if self._wanted is asked:
                tell(answer)
