"""The work between jobs: grouping stacks, suggesting tags, updating the full-text index.

The conductor owns one :class:`BetweenJobs` and calls it on its thread. Each piece is a transaction
of a few milliseconds, because a decision waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from curator.catalog import Catalog
from curator.encoders import Recipe
from curator.pipeline.indexing import Indexer
from curator.pipeline.stacking import Stacker
from curator.pipeline.zero_shot_tagger import ZeroShotTagger
from curator.settings import Settings
from curator.workers import WorkerPool


class BetweenJobs:
    """Keeps stacks, suggested tags and the full-text index up to date.

    Attributes:
        stacker: groups photos into stacks.

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
        """Make it; nothing is read before :meth:`advance`.

        Args:
            catalog: the conductor's.
            encoder_pool: encodes the vocabulary of tags.
            settings: which tags to suggest, and when.
            cache: where the encoded vocabulary is kept.
            inline: do tags and index without pauses, for tests.
            report: gets the ids of photos whose stack or tags changed.
        """
        self.stacker = Stacker(catalog)
        self._indexer = Indexer(catalog)
        self._tagger = ZeroShotTagger(catalog, encoder_pool, settings, cache)
        self._parts = (self.stacker, self._indexer, self._tagger)
        self._inline, self._report = inline, report

    def use_encoder(self, recipe: Recipe | None) -> None:
        """Refine stacks and suggest tags by the vectors of this encoder; None: by no vectors."""
        self.stacker.use_encoder(None if recipe is None else recipe.key)
        self._tagger.use(recipe)

    def note_changes(self) -> None:
        """Note that photos changed: they may belong to other stacks now."""
        self.stacker.touch()

    def note_vectors(self) -> None:
        """Note that photos have new vectors: tags may be suggested for them."""
        self._tagger.touch()

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
        changed += self._tagger.advance(self._inline or calm)
        if changed:
            self._report(changed)
        self._indexer.advance(self._inline or calm)

    def stop(self) -> None:
        """Wait for the tagger's thread; close the pool first."""
        self._tagger.stop()
