"""Searching at the desk: what is typed becomes a temporary scope, and may be kept by name.

Words are answered at once. What has to be asked of vectors, photos that look like a phrase or like
another photo, comes a moment later and joins; as long as nobody has begun to walk through what was
found, it takes its place by relevance.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal

from curator.catalog import Catalog, SavedSearch
from curator.library import filters
from curator.library.filters import FilterError
from curator.library.query import Query
from curator.library.relevance import REASONS, Likeness, alike, looking_like, relevance
from curator.library.scopes import Scope, ScopeRow, of_search
from curator.library.sort_keys import in_order
from curator.library.sort_orders import ORDERS
from curator.library.spans import Ids
from curator.library.table import Mask, Tile
from curator.model import KnownError, Pass
from curator.session.insights import Insights
from curator.settings import Home, Settings

if TYPE_CHECKING:
    from curator.learning.learner import TasteLearner
    from curator.pipeline import Pipeline

RELEVANCE = "relevance"
_NOTHING = Query(())
_FOLDED = 100  # photos whose words are read before a search, at most; the conductor reads more


class Searching(Insights):
    """The desk, with searches.

    Thread: GUI only.
    """

    _phrase_came = Signal(object, object)

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        self._near: dict[str | int, Ids] = {}  # what vectors answered to the search in force
        self._likeness: dict[int, float] = {}
        self._found_by: dict[int, str] = {}
        self._found_order: tuple[str, bool] | None = None  # chosen while searching
        self._asking: object = None  # the search that was asked about last
        self._words_rev = (-1, -1)
        super().__init__(catalog, home, settings, pipeline)
        self._phrase_came.connect(lambda take, answer: take(answer))

    # --- what is looked for

    @property
    def query(self) -> Query:
        """What is looked for now: the search in the box, else the one that is the scope."""
        if self.pass_ is Pass.BROWSE and self.filter:
            return _understood(self.filter)
        return _understood(self.scope.expression)

    @property
    def is_ranked(self) -> bool:
        """Whether some photos of the list fit better than others."""
        return self.pass_ is Pass.BROWSE and self.query.is_ranked

    @property
    def order(self) -> str:
        """Name of the order of this pass: of what was found by words, relevance if none chosen."""
        if not self.is_ranked:
            known = super().order
            return known if known != RELEVANCE else self.first_order(self.pass_)
        if self.filter:
            return self._found_order[0] if self._found_order else RELEVANCE
        return super().order if Pass.BROWSE in self._orders else RELEVANCE

    @property
    def reversed(self) -> bool:
        """Whether the order runs backwards."""
        if self.is_ranked and self.filter:
            return bool(self._found_order and self._found_order[1])
        return super().reversed

    def set_order(self, order: str, backwards: bool = False) -> None:
        """Sort the list; while one searches by words, the choice holds for this search."""
        if order == RELEVANCE and not self.is_ranked:
            self.say("Relevance: search for words first.")
            return
        before = self._orders.get(self.pass_)
        super().set_order(order, backwards)
        if not (self.is_ranked and self.filter):
            return
        self._found_order = (order, backwards)
        if before is None:
            self._orders.pop(self.pass_, None)
        else:
            self._orders[self.pass_] = before
        self.view_changed.emit()

    def may_order(self, name: str) -> bool:
        """Tell whether the list can be sorted so now."""
        if name == RELEVANCE:
            return self.is_ranked
        return self.has_scores or not ORDERS[name].by_taste

    def why_not_order(self, name: str) -> str:
        """Say what an order lacks."""
        return "while searching for words" if name == RELEVANCE else self.taste_sentence

    # --- what is found

    def _in_scope(self) -> Mask:
        mask = super()._in_scope()
        if self.scope.kind == "search":
            mask &= self._holding(self.scope.expression)
        return mask

    def _holding(self, expression: str) -> Mask:
        """Mark what an expression holds for; nothing if it makes no sense any more."""
        query = _understood(expression)
        if not query.groups:
            return np.zeros(self.table.size, bool)
        near = self._near if query == self.query else {}
        return filters.mask(query, self.table, self.settings.taste.match_threshold, near)

    def _rank(self) -> None:
        """Work out how well each photo fits, before the list is sorted by it."""
        self._found_by = {}
        if not self.is_ranked:
            return
        found = relevance(self.query, self.table, self._fits(), self._near)
        self.table.scores.set_answer(RELEVANCE, found.ids, found.value)
        if self._near and self.query.words:
            pairs = zip(found.ids.tolist(), found.by.tolist(), strict=True)
            self._found_by = {photo: REASONS[why] for photo, why in pairs}
        elif self.query.similar:
            self._found_by = {photo: f"{like:.2f}" for photo, like in self._likeness.items()}

    def rebuild(self, keep: int | None = None) -> None:
        """Open the list anew, by relevance if it is one of what was found by words."""
        self._rank()
        super().rebuild(keep)

    def _settle_membership(self) -> None:
        if self.order == RELEVANCE:
            self._rank()
        super()._settle_membership()

    def refresh(self) -> None:
        """Take over what others changed; words they changed may let photos join."""
        super().refresh()
        searching = self.query.groups
        if searching and self._words_rev != self.table.text_matches.rev:
            self._words_rev = self.table.text_matches.rev
            self._order_serial = -1
            self._settle_membership()
            self.counts_changed.emit()

    def tiles(self, photo_ids: Sequence[int]) -> list[Tile]:
        """Gather what is drawn of photos; of what was found, why."""
        tiles, why = super().tiles(photo_ids), self._found_by
        if not why:
            return tiles
        return [replace(tile, found=why[tile.id]) if tile.id in why else tile for tile in tiles]

    # --- searching

    def set_filter(self, text: str) -> None:
        """Search in what one browses; an empty text shows the whole scope.

        Raises:
            FilterError: the text makes no sense; the list stays as it is.
        """
        query, text = filters.parse(text), text.strip()
        with contextlib.suppress(KnownError):  # then it finds what was there before
            self.catalog.text.update(_FOLDED)
        self._words_rev = self.table.text_matches.rev
        if text != self.filter:
            self._forget_found()
        super().set_filter(text)
        if query.is_ranked and len(self.listing) and self.order == RELEVANCE:
            self._to_front()
        self._ask_vectors()

    def leave_filter(self) -> None:
        """Take the search off and return to the exact place where it was begun."""
        self._forget_found()
        super().leave_filter()
        self._ask_vectors()

    def open_scope(self, scope: Scope) -> None:
        """Put a scope on the table, as it was left the last time."""
        self._forget_found()
        super().open_scope(scope)
        self._ask_vectors()

    def find_similar(self) -> None:
        """Search for what is like the current photo."""
        photo = self.current
        if photo is None:
            self.say("There is no photo here.")
            return
        self.set_filter(f"similar:{photo}")

    def _forget_found(self) -> None:
        self._near, self._likeness, self._found_by = {}, {}, {}
        self._found_order = self._asking = None

    # --- asking vectors

    def _ask_vectors(self) -> None:
        """Ask for what looks like it, and take that over when it comes."""
        query, asked = self.query, object()
        self._asking = asked
        if not query.is_ranked:
            return
        for photo in query.similar:
            self._ask(asked, photo, partial(_alike, photo))
        phrase = query.phrase
        if not phrase or self.pipeline is None or not self._may_read():
            return

        def take(answer: bytes | KnownError) -> None:
            if self._asking is not asked:
                return
            if isinstance(answer, KnownError):
                self.say(f"Found by words only. {answer}")
                return
            vector = np.frombuffer(answer, np.float32)
            self._ask(
                asked, phrase, lambda learner, among: looking_like(learner.vectors, vector, among)
            )

        self.pipeline.want_phrase(phrase, lambda answer: self._phrase_came.emit(take, answer))

    def _may_read(self) -> bool:
        recipe = self.pipeline.encoding.recipe if self.pipeline is not None else None
        return recipe is not None

    def _ask(
        self, asked: object, key: str | int, question: Callable[[TasteLearner, Ids], Likeness]
    ) -> None:
        """Ask among the photos the rest of the search holds for."""
        rest = Query(
            tuple(g for g in self.query.fields if not any(t.field == "similar" for t in g))
        )
        threshold = self.settings.taste.match_threshold
        among = self.table.ids[self._beneath() & filters.mask(rest, self.table, threshold)]

        def take(answer: Likeness | KnownError) -> None:
            if self._asking is not asked:
                return
            if isinstance(answer, KnownError):
                self.say(str(answer))
                return
            self._take_near(key, *answer)

        self.taste.ask(lambda learner: question(learner, among), take)

    def _beneath(self) -> Mask:
        """Mark the photos one searches in."""
        return super()._in_scope() if not self.filter else self._in_scope()

    def _take_near(self, key: str | int, ids: Ids, likeness: np.ndarray) -> None:
        """Let what looks like it join what was found."""
        begun = self.index > 0 or len(self.selection) > 1
        self._near = {**self._near, key: ids}
        if isinstance(key, int):
            self._likeness = dict(zip(ids.tolist(), likeness.tolist(), strict=True))
        self._rank()
        if begun:
            self._order_serial = -1
            self._settle_membership()
        else:
            super().rebuild(None)
            if len(self.listing):
                self._to_front()
        if isinstance(key, int):
            self.say(f"Like {self.table.name(key)}" if key in self.table else "")

    # --- searches with a name

    def scopes(self) -> list[ScopeRow]:
        """List what the sidebar offers, with the saved searches."""
        saved = in_order(self.catalog.searches.all(), lambda search: search.name)
        return [*super().scopes(), *map(self._search_row, saved)]

    def _search_row(self, saved: SavedSearch) -> ScopeRow:
        query = _understood(saved.expression)
        scope = of_search(saved)
        near = self._near if query == self.query else {}
        mask = filters.mask(query, self.table, self.settings.taste.match_threshold, near)
        count = int((mask & self.table.alive()).sum()) if query.groups else 0
        return ScopeRow(scope, 0, count)

    def save_search(self, name: str) -> None:
        """Keep the search in force by name; it is a scope from now on.

        Raises:
            KnownError: there is none, or the name is empty.
        """
        if not self.filter:
            raise KnownError("There is no search to save.")
        saved = self.catalog.searches.save(name, self.filter)
        self._follow_searches()
        self.say(f"Saved as {saved.name}")

    def rename_search(self, number: int, name: str) -> None:
        """Give a saved search another name.

        Raises:
            KnownError: another has it, or it is empty.
        """
        self.catalog.searches.rename(number, name)
        self._follow_searches()

    def remove_search(self, number: int) -> None:
        """Forget a saved search; photos stay as they are."""
        self.catalog.searches.remove(number)
        self._follow_searches()

    def _follow_searches(self) -> None:
        """Follow the saved search that is open: renamed, looking for something else, or removed."""
        rows = self.scopes()
        if self.scope.kind == "search":
            before = self.scope
            here = next((row.scope for row in rows if row.scope.key == before.key), None)
            if here is None:
                self.open_scope(rows[0].scope)
            else:
                self.scope = here
                if here.expression != before.expression:
                    self._left = None  # that list was of what it looked for before
                    self._forget_found()
                    self.rebuild(self.current)
                    self._ask_vectors()
        self.counts_changed.emit()
        self.view_changed.emit()


def _alike(photo: int, learner: TasteLearner, among: Ids) -> Likeness:
    return alike(learner.vectors, photo, among)


def _understood(expression: str) -> Query:
    """Understand an expression; one that makes no sense looks for nothing."""
    try:
        return filters.parse(expression)
    except FilterError:
        return _NOTHING
