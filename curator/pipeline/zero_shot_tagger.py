"""Suggesting tags from a vocabulary by the vectors of photos (zero-shot tagging).

The conductor calls it between other work. The encoder's process encodes the vocabulary once, and
the result is cached beside the proxies; after that, each photo costs one multiplication. When the
vocabulary or the threshold changes, all vectors are read again, but no pictures.
"""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QThreadPool

from curator import arrays, atomic, private
from curator.catalog import Catalog
from curator.encoders import Recipe, zero_shot
from curator.model import KnownError
from curator.pipeline.encoder_lane import with_loading
from curator.settings import Settings
from curator.stages.embed import embed_vocabulary
from curator.workers import WorkerBug, WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)

PART = 40
"""Photos at a time: a decision waits about 3 ms for them."""
_BUSY_S, _CALM_S = 0.25, 0.003  # pause between two parts
_SENTENCE_S = 1.0  # time limit for each sentence, for slow CPUs


class ZeroShotTagger:
    """Suggests tags of the vocabulary for photos that have a vector.

    Thread: the conductor's; it waits for the encoded vocabulary on a thread of its own.

    Attributes:
        waiting: whether photos wait for suggestions.
    """

    def __init__(self, catalog: Catalog, pool: WorkerPool, settings: Settings, cache: Path) -> None:
        self._catalog, self._pool, self._settings = catalog, pool, settings
        self._cache = cache / "words"
        self._threads = QThreadPool()
        self._threads.setMaxThreadCount(1)
        self._next_at = 0.0
        self.waiting = False
        self._begin(None)

    def _begin(self, recipe: Recipe | None) -> None:
        self._recipe = recipe
        self._vocabulary = zero_shot.Vocabulary(())
        self._vectors: NDArray[np.float32] | None = None  # of the vocabulary, (W, D)
        self._scale = 0.0
        self._encoding = self._failed = False
        self._answer: tuple[object, tuple[bytes, float] | None] | None = None

    def use(self, recipe: Recipe | None) -> None:
        """Read the vocabulary and suggest tags with this encoder, if it encodes texts."""
        self._begin(None)
        self.waiting = False
        if recipe is None or recipe.options.vocabulary_folder is None or not recipe.supports_text:
            return
        try:
            vocabulary = zero_shot.read_vocabulary(recipe.options.vocabulary_folder)
        except KnownError as error:
            log.warning("%s", error)
            return
        if vocabulary.words:
            self._begin(recipe)
            self._vocabulary, self.waiting = vocabulary, True

    def _basis(self) -> str:
        """Return a key of everything that decides which tags a vector gets."""
        assert self._recipe is not None
        tags = self._settings.tags
        parts = (self._recipe.key, self._vocabulary.digest, tags.threshold, tags.most)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def touch(self) -> None:
        """Note that photos have new vectors."""
        self.waiting = self._recipe is not None and not self._failed

    def wait_s(self, calm: bool) -> float:
        """Return how long until the next part, in s."""
        if self._encoding and self._answer is None:
            return 0.1
        pause = 0.0 if calm else _BUSY_S - _CALM_S
        return self._next_at + pause - time.monotonic()

    def advance(self, calm: bool) -> list[int]:
        """Suggest tags for a few photos, if any wait and it is time; return their ids."""
        if not self.waiting or self._recipe is None or self.wait_s(calm) > 0:
            return []
        basis, (basis_then, rev) = self._basis(), self._catalog.tags.zero_shot_state()
        rev = rev if basis_then == basis else 0
        rows = self._catalog.vectors.read(self._recipe.key, rev, PART)
        if not rows:
            self.waiting = False
            return []
        if self._vectors is None and not self._find_vectors():
            return []
        assert self._vectors is not None
        vectors = np.stack([np.frombuffer(row[2], np.float16) for row in rows]).astype(np.float32)
        tags = self._settings.tags
        found = zero_shot.suggest(
            vectors, self._vectors, self._scale, tags.threshold / 100, tags.most
        )
        words = self._vocabulary.words
        suggested = [
            (row[1], [(words[word].name, round(100 * sure)) for word, sure in each])
            for row, each in zip(rows, found, strict=True)
        ]
        self._catalog.tags.save_zero_shot(
            suggested, {word.name: word.category for word in words}, basis, rows[-1][0]
        )
        self._next_at = time.monotonic() + _CALM_S
        return [row[1] for row in rows]

    # --- vectors of the vocabulary

    def _cache_file(self) -> Path:
        assert self._recipe is not None
        key = f"{self._recipe.key} {self._vocabulary.digest}"
        return self._cache / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"

    def _find_vectors(self) -> bool:
        """Load the vocabulary's vectors, or request them; return whether they are loaded."""
        if self._answer is not None:
            answer, self._answer, self._encoding = self._answer, None, False
            if answer[0] is self._vocabulary:
                return self._keep(answer[1])
        try:
            saved = arrays.load(self._cache_file())
            self._vectors, self._scale = saved["places"], float(saved["scale"])
            return True
        except (FileNotFoundError, ValueError, KeyError):
            pass  # not encoded yet, or damaged
        if not self._encoding:
            self._encoding = True
            recipe, vocabulary = self._recipe, self._vocabulary
            assert recipe is not None
            if self._pool.size:
                self._threads.start(lambda: self._encode(recipe, vocabulary))
            else:
                self._encode(recipe, vocabulary)
        return False

    def _encode(self, recipe: Recipe, vocabulary: zero_shot.Vocabulary) -> None:
        sentences = vocabulary.sentences()
        answer = None
        try:
            limit = with_loading(self._pool, _SENTENCE_S * len(sentences))
            answer = self._pool.run(embed_vocabulary, recipe, sentences, timeout_s=limit)
        except WorkerCancelled:
            return
        except (WorkerBug, KnownError, OSError) as error:
            log.warning("no tags are suggested: %s", error)
        self._answer = vocabulary, answer

    def _keep(self, answer: tuple[bytes, float] | None) -> bool:
        if answer is None:  # the log has the reason; the next start tries again
            self._failed, self.waiting = True, False
            return False
        data, self._scale = answer
        self._vectors = np.frombuffer(data, np.float32).reshape(len(self._vocabulary.words), -1)
        file = self._cache_file()
        try:
            private.make_folder(file.parent)
            atomic.write(
                file, arrays.dump({"places": self._vectors, "scale": self._scale}), sync=False
            )
        except OSError as error:  # the vocabulary is encoded again at the next start
            log.warning("the encoded vocabulary was not saved: %s", error)
        return True

    def stop(self) -> None:
        """Wait for the thread; close the pool first."""
        self._threads.waitForDone()
