"""The work between jobs: grouping stacks, suggesting tags, updating the full-text index.

The conductor owns one :class:`BetweenJobs` and calls it on its thread. Each piece must be a
transaction of a few milliseconds, because a decision waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from curator.catalog import Catalog
from curator.encoders import Recipe
from curator.pipeline.stacking import FILE, Stacker
from curator.pipeline.zero_shot_tagger import ZeroShotTagger
from curator.settings import Settings
from curator.workers import WorkerPool

INDEX_PART = 40
"""Photos at a time: the catalog is locked for about 3 ms of processor time, at most 10."""
_BUSY_S, _CALM_S = 0.25, 0.003  # pause between two parts
INDEX_MERGES = 5
"""Merges of the index before the next part, at most: merging keeps up with writing, and the index
never has more than a few separate parts."""


class Indexer:
    """Keeps the full-text index of the photos up to date.

    Thread: the conductor's.

    Attributes:
        waiting: whether photos wait to be indexed, or parts of the index to be merged.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._next_at = 0.0
        self._merges = 0
        self.waiting = False

    def advance(self, calm: bool) -> None:
        """Index some photos, or merge parts of the index, if it is time.

        Args:
            calm: nothing else is being done.
        """
        if self.wait_s(calm) > 0:
            return
        if self._merges:
            self._merges = self._merges - 1 if self._catalog.text.merge_some() else 0
        elif self._catalog.text.is_outdated():
            self._catalog.text.update(INDEX_PART)
            self._merges = INDEX_MERGES
        self.waiting = bool(self._merges) or self._catalog.text.is_outdated()
        self._next_at = time.monotonic() + _CALM_S

    def wait_s(self, calm: bool) -> float:
        """Return how long until the next part, in s."""
        pause = 0.0 if calm or self._merges else _BUSY_S - _CALM_S
        return self._next_at + pause - time.monotonic()


class BetweenJobs:
    """Keeps stacks, suggested tags and the full-text index up to date.

    Attributes:
        stacker: groups photos into stacks.
        tagger: suggests tags.

    Thread: the conductor's.
    """

    def __init__(
        self,
        catalog: Catalog,
        encoder_pool: WorkerPool,
        settings: Settings,
        cache: Path,
        inline: bool,
        report: Callable[[list[int]], None],
    ) -> None:
        """Prepare the parts; nothing is read before :meth:`advance`.

        Args:
            catalog: the conductor's.
            encoder_pool: encodes the vocabulary of tags.
            settings: which tags to suggest, and when.
            cache: where the encoded vocabulary and the stacker's file are kept.
            inline: update tags and index without pauses, for tests.
            report: gets the ids of photos whose stack or tags changed.
        """
        self.stacker = Stacker(catalog, cache / FILE)
        self._indexer = Indexer(catalog)
        self.tagger = ZeroShotTagger(catalog, encoder_pool, settings, cache)
        self._parts = (self.stacker, self._indexer, self.tagger)
        self._inline, self._report = inline, report

    def use_encoder(self, recipe: Recipe | None) -> None:
        """Refine stacks and suggest tags by the vectors of this encoder; None: without vectors."""
        self.stacker.use_encoder(None if recipe is None else recipe.key)
        self.tagger.use(recipe)

    @property
    def waiting(self) -> bool:
        """Whether there is something to do, now or soon."""
        return any(part.waiting for part in self._parts)

    def wait_s(self, calm: bool) -> float:
        """Return for how long there is nothing to do, in s; only while :attr:`waiting`."""
        return min(part.wait_s(calm) for part in self._parts if part.waiting)

    def advance(self, calm: bool, focus: Sequence[int]) -> None:
        """Do the pieces that are due.

        Args:
            calm: nothing is being read or analyzed, and nothing waits to be saved.
            focus: photos on screen.
        """
        changed = self.stacker.advance(calm, focus)
        changed += self.tagger.advance(self._inline or calm)
        if changed:
            self._report(changed)
        self._indexer.advance(self._inline or calm)

    def stop(self) -> None:
        """Save what the next start needs; wait for the tagger's thread; close the pool first."""
        self.stacker.save()
        self.tagger.stop()
