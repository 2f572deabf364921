"""Comparisons: a person preferred one of two photos side by side, and taste learns from it.

A comparison says nothing about how good either photo is, only which is better. It is a training
example about their difference, worth one star
(:meth:`curator.taste.TrainingSet.add_comparisons`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass

from curator.catalog import Catalog, Preference


@dataclass(frozen=True, slots=True)
class News:
    """Changes among comparisons: ``fresh`` ones, and the keys of those undone."""

    fresh: list[Preference]
    gone: list[Hashable]

    def __bool__(self) -> bool:
        return bool(self.fresh or self.gone)


class Comparisons:
    """The comparisons in effect, as last read.

    Thread: the learner's.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Preference] = {}

    def refresh(self, catalog: Catalog, ids: Collection[int] | None) -> News:
        """Read all comparisons again, or those of some photos."""
        told = {key(each): each for each in catalog.taste.preferences(ids)}
        before = self._known.keys() if ids is None else self.keys_of(ids)
        gone = [each for each in before if each not in told]
        fresh = [each for name, each in told.items() if self._known.get(name) != each]
        for name in gone:
            del self._known[name]
        self._known |= told
        return News(fresh, gone)

    def all(self) -> list[Preference]:
        """Return all comparisons in effect."""
        return list(self._known.values())

    def of(self, ids: Iterable[int]) -> list[Preference]:
        """Return the comparisons that involve any of these photos."""
        return [self._known[name] for name in self.keys_of(ids)]

    def keys_of(self, ids: Iterable[int]) -> list[Hashable]:
        """Return the keys of comparisons that involve any of these photos."""
        wanted = set(ids)
        return [
            name
            for name, each in self._known.items()
            if each.winner in wanted or each.loser in wanted
        ]


def key(comparison: Preference) -> Hashable:
    """Return the key of a comparison among training examples; photos there use their id alone."""
    return ("over", comparison.winner, comparison.loser)
