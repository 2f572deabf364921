"""Comparisons: of two photos side by side a person preferred one, and taste learns from it.

A duel says nothing of how good either is, only which is the better: a lesson about their
difference, worth one star (:meth:`curator.taste.TrainingSet.prefer`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass

from curator.catalog import Catalog, Preference


@dataclass(frozen=True, slots=True)
class News:
    """What changed among the duels: ``fresh`` ones, and the keys of those taken back."""

    fresh: list[Preference]
    gone: list[Hashable]

    def __bool__(self) -> bool:
        return bool(self.fresh or self.gone)


class Comparisons:
    """The duels that stand, as they were last read.

    Thread: the learner's.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Preference] = {}

    def refresh(self, catalog: Catalog, ids: Collection[int] | None) -> News:
        """Read the duels again: all of them, or those these photos fought."""
        told = {key(each): each for each in catalog.taste.preferences(ids)}
        before = self._known.keys() if ids is None else self.keys_of(ids)
        gone = [each for each in before if each not in told]
        fresh = [each for name, each in told.items() if self._known.get(name) != each]
        for name in gone:
            del self._known[name]
        self._known |= told
        return News(fresh, gone)

    def all(self) -> list[Preference]:
        """Give all that stand."""
        return list(self._known.values())

    def of(self, ids: Iterable[int]) -> list[Preference]:
        """Give those that any of these photos fought."""
        return [self._known[name] for name in self.keys_of(ids)]

    def keys_of(self, ids: Iterable[int]) -> list[Hashable]:
        """Give the keys of those that any of these photos fought."""
        wanted = set(ids)
        return [
            name
            for name, each in self._known.items()
            if each.winner in wanted or each.loser in wanted
        ]


def key(duel: Preference) -> Hashable:
    """Name a duel among the lessons; photos are named there by their id alone."""
    return ("over", duel.winner, duel.loser)
