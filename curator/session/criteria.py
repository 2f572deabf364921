"""What a list of photos is made from: scope, mode, filter and order.

:class:`ListCriteria` holds the choices and values derived from them.
:mod:`curator.session.membership` finds the photos they select, and
:class:`~curator.session.photo_list.PhotoList` makes the list. Whoever changes a choice also
rebuilds the list, which publishes the change.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from curator.library import filters
from curator.library.query import FilterError, Query
from curator.library.scopes import EVERYTHING, Scope
from curator.library.sort_orders import ORDERS
from curator.model import Pass
from curator.settings import Settings

RELEVANCE = "relevance"
_FIRST_ORDER = {Pass.BROWSE: "taken", Pass.CULL: "taken", Pass.RATE: "rating"}
_NOTHING = Query(())


class ListCriteria(QObject):
    """The choices that make the list of one window.

    Signals:
        scope_changed, mode_changed, filter_changed: a new value applies.
        order_changed: a new order applies, or its direction changed.

    Attributes:
        scope: a folder, a project, a saved search, or everything.
        mode: whether the person browses, culls or rates.
        filter: the search in force while browsing, empty if there is none.
        include_rated: whether the cull includes photos with marks from files.

    Thread: GUI only.
    """

    scope_changed = Signal()
    mode_changed = Signal()
    order_changed = Signal()
    filter_changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.scope = EVERYTHING
        self.mode = Pass.BROWSE
        self.filter = ""
        self.include_rated = False
        self._match_trusted: bool | None = None  # None until it is known
        self._chosen: dict[Pass, tuple[str, bool]] = {}  # orders that the person chose
        self._opened_by: dict[Pass, str] = {}  # orders that modes opened with
        self._search_order: tuple[str, bool] | None = None  # chosen for this search only
        self._published = self._facts()

    def _facts(self) -> tuple[object, ...]:
        return self.scope, self.mode, (self.order, self.is_reversed), self.filter

    def publish(self) -> bool:
        """Emit the signal of each choice that changed; return whether any did."""
        before, self._published = self._published, self._facts()
        now = self._published
        signals = (
            self.scope_changed,
            self.mode_changed,
            self.order_changed,
            self.filter_changed,
        )
        for signal, old, new in zip(signals, before, now, strict=True):
            if old != new:
                signal.emit()
        return before != now

    # --- searching

    @property
    def query(self) -> Query:
        """The search in force: the typed search, or else that of the scope."""
        if self.mode is Pass.BROWSE and self.filter:
            return parsed(self.filter)
        return parsed(self.scope.expression)

    @property
    def is_ranked(self) -> bool:
        """Whether some photos of the list match better than others."""
        return self.mode is Pass.BROWSE and self.query.is_ranked

    @property
    def is_searching(self) -> bool:
        """Whether a search limits the list."""
        return bool(self.filter) or self.scope.search is not None

    # --- order

    @property
    def order(self) -> str:
        """The order in force, a key of ORDERS; by default relevance if the search is ranked."""
        chosen = self._chosen.get(self.mode)
        if not self.is_ranked:
            opened = self._opened_by.get(self.mode, _FIRST_ORDER[self.mode])
            order = chosen[0] if chosen else opened
            return order if order != RELEVANCE else _FIRST_ORDER[self.mode]
        if self.filter:
            return self._search_order[0] if self._search_order else RELEVANCE
        return chosen[0] if chosen else RELEVANCE

    @property
    def is_reversed(self) -> bool:
        """Whether the order runs backwards."""
        if self.is_ranked and self.filter:
            return bool(self._search_order and self._search_order[1])
        return self._chosen.get(self.mode, ("", False))[1]

    @property
    def has_chosen_order(self) -> bool:
        """Whether a person chose the order of this mode."""
        return self.mode in self._chosen

    def first_order(self, mode: Pass) -> str:
        """Return the order a mode opens with unless the person chose one.

        A new cull starts with the lowest match, once that order can be trusted.
        """
        if mode is Pass.CULL and self.match_trusted and self._settings.taste.lowest_first:
            return "match"
        return _FIRST_ORDER[mode]

    @property
    def match_trusted(self) -> bool:
        """Whether the order by match can be trusted, as the Taste page says."""
        return bool(self._match_trusted)

    def trust_match(self, trusted: bool) -> None:
        """Record whether the order by match can be trusted.

        The order in force never changes, except the first time: a moment after a window opened, a
        cull restored by match, without a choice of the person, falls back to capture time.
        """
        unknown, self._match_trusted = self._match_trusted is None, trusted
        if unknown:
            self._drop_untrusted()

    def _drop_untrusted(self) -> None:
        """Let modes that opened by match open as usual if that order cannot be trusted now."""
        if self._match_trusted is False:
            for mode, order in self._opened_by.items():
                self._opened_by[mode] = _FIRST_ORDER[mode] if order == "match" else order

    @property
    def suggested_order(self) -> str | None:
        """The order to suggest in an open cull or rate mode; None if it should stay as it is.

        A person's own choice is never questioned.
        """
        if self.mode is Pass.BROWSE or self.has_chosen_order:
            return None
        if self.match_trusted and self._settings.taste.lowest_first:
            return "match" if self.order != "match" else None
        return "taken" if self.order == "match" and not self.match_trusted else None

    def choose_order(self, order: str, backwards: bool) -> None:
        """Set the order of this scope and mode, or of a ranked search only."""
        if self.is_ranked and self.filter:
            self._search_order = order, backwards
        else:
            self._chosen[self.mode] = order, backwards

    def open_mode(self, mode: Pass) -> bool:
        """Change the mode; return whether it is new in this scope, so that it chose its order."""
        self.mode = mode
        if mode in self._opened_by:
            return False
        self._opened_by[mode] = self.first_order(mode)
        return True

    def opens_by(self, order: str) -> bool:
        """Whether the mode opened with this order, and no other is in force."""
        return self._opened_by.get(self.mode) == self.order == order

    def forget_opening(self, mode: Pass) -> None:
        """Let a mode choose its order again the next time it opens."""
        self._opened_by.pop(mode, None)

    def forget_search(self) -> None:
        """Drop the order that was chosen for the last search."""
        self._search_order = None

    # --- storing and restoring

    def open(self, scope: Scope, stored: Mapping[str, object]) -> None:
        """Choose a scope and restore its other choices from those of :meth:`stored`."""
        self.scope = scope
        self.mode = Pass(str(stored.get("pass", Pass.BROWSE)))
        self.filter = str(stored.get("filter", ""))
        self.include_rated = bool(stored.get("with_elsewhere"))
        orders, opened = stored.get("orders"), stored.get("opened_by")
        self._chosen = {
            Pass(mode): (str(order), bool(backwards))
            for mode, (order, backwards) in (orders if isinstance(orders, dict) else {}).items()
            if order in ORDERS
        }
        self._opened_by = {
            Pass(mode): order
            for mode, order in (opened if isinstance(opened, dict) else {}).items()
            if order in ORDERS
        }
        self._drop_untrusted()
        if scope.project is not None:
            self._opened_by.setdefault(Pass.BROWSE, "hand")
        self._search_order = None

    def stored(self) -> dict[str, object]:
        """Return the choices to store for this scope as JSON values, under their first names."""
        return {
            "pass": self.mode,
            "filter": self.filter,
            "orders": {mode: list(order) for mode, order in self._chosen.items()},
            "opened_by": dict(self._opened_by),
            "with_elsewhere": self.include_rated,
        }


def parsed(expression: str) -> Query:
    """Parse an expression; one that is no longer valid becomes an empty search."""
    try:
        return filters.parse(expression)
    except FilterError:
        return _NOTHING
