"""Encoding a search text into the vector space of the pictures, in the encoder's process.

The search uses it. The encoder's process takes a text between two groups of photos; the window's
process must never load a network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QThreadPool

from curator.encoders import Recipe
from curator.model import KnownError
from curator.pipeline.encoder_lane import run_encoder
from curator.settings import Settings
from curator.stages.embed import embed_text
from curator.workers import WorkerCancelled, WorkerPool

TextVectorCallback = Callable[[bytes | KnownError], None]
_CACHED = 64  # texts


def encode_in_worker(pool: WorkerPool, recipe: Recipe, text: str, settings: Settings) -> bytes:
    """Encode a text in the encoder's process; return (dimension,) float32 of unit length.

    Raises:
        WorkerCancelled: its process was ended.
        KnownError: the encoder encodes no texts, failed, or cannot be loaded; and why.
    """
    vector = run_encoder(pool, settings, embed_text, recipe, text)
    if vector is None:
        raise KnownError("This encoder cannot search by text.")
    return vector


class TextEncoder:
    """Encodes texts, and answers only the last request.

    Thread: any, for every method; callbacks run on the caller's thread if the vector is cached,
    otherwise on a thread of this object's own.
    """

    def __init__(self, settings: Settings, pool: WorkerPool) -> None:
        """Use the encoder's process, which its owner closes; ``settings`` has the time limit."""
        self._settings, self._pool = settings, pool
        self._lock = threading.Lock()
        self._wanted: object = None
        self._cache: dict[tuple[str, str], bytes] = {}
        self._threads = QThreadPool()
        self._threads.setMaxThreadCount(1)

    def request(self, text: str, recipe: Recipe, callback: TextVectorCallback) -> None:
        """Encode a text; do nothing if the encoder encodes no texts.

        Args:
            text: the text.
            recipe: the encoder in use.
            callback: gets (dimension,) float32 of unit length as bytes, or why there is none;
                never called once another text is requested.
        """
        if not recipe.supports_text:
            return
        request = object()
        with self._lock:
            self._wanted = request
            cached = self._cache.get((recipe.key, text))
        if cached is not None:
            callback(cached)
        else:
            self._threads.start(lambda: self._work(request, text, recipe, callback))

    def cancel(self) -> None:
        """Cancel the last request."""
        with self._lock:
            self._wanted = None

    def close(self) -> None:
        """Cancel, and wait for the thread; close the pool first."""
        self.cancel()
        self._threads.waitForDone()

    def _work(
        self, request: object, text: str, recipe: Recipe, callback: TextVectorCallback
    ) -> None:
        if self._wanted is not request:
            return
        try:
            answer: bytes | KnownError = encode_in_worker(self._pool, recipe, text, self._settings)
        except WorkerCancelled:
            return
        except KnownError as error:
            answer = error
        with self._lock:
            if isinstance(answer, bytes):
                if len(self._cache) >= _CACHED:
                    self._cache.clear()
                self._cache[recipe.key, text] = answer
            if self._wanted is request:
                callback(answer)
