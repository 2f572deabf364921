"""The sort orders of a list, as one table, and the sorting.

Orders sort units: a stack is placed where its best frame would be, its frames sorted by capture
time. Only sorting by hand takes stacks apart. Ties are broken by capture time, folder and name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.learning.explanations import information_gain, uncertainties
from curator.learning.learner import TasteLearner
from curator.library.table import Ids, Mask, Table


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort.

    Attributes:
        title: its name in the menu.
        key: returns a number per row, smallest first; NaN for a photo without the value.
        best: ``np.fmin`` or ``np.fmax``; picks the value of a stack from those of its frames.
        about: its direction, in words that follow the title.
        by_taste: whether it needs a learned taste.
        question: sent to the learner before sorting; the answer goes into `Scores.set_sort_values`.
        part: photos to ask about at a time, so that learning never waits long; 0 for all at once.
        manual: whether it sorts single frames, because a person placed each by hand.
    """

    title: str
    key: Callable[[Table], NDArray[Any]]
    best: np.ufunc
    about: str
    by_taste: bool = False
    question: Callable[[TasteLearner, Sequence[int]], NDArray[np.float32]] | None = None
    part: int = 0
    manual: bool = False


# Name → order. Each starts with the photos that need attention: weakest, unrated or earliest.
# To add an order, add one line.
ORDERS: dict[str, Order] = {
    "taken": Order("Capture time", lambda table: _where_timed(table), np.fmin, "earliest first"),
    "added": Order("Added", lambda table: table.column("added_at"), np.fmin, "oldest first"),
    "name": Order("File name", lambda table: table.ranks.by_name(), np.fmin, "folder by folder"),
    "sharpness": Order(
        "Sharpness", lambda table: table.column("sharpness"), np.fmax, "softest first"
    ),
    "exposure": Order(
        "Exposure", lambda table: table.column("exposure"), np.fmax, "most clipped first"
    ),
    "eyes": Order(
        "Eye sharpness", lambda table: table.column("eye_sharpness"), np.fmax, "softest first"
    ),
    "rating": Order(
        "Rating", lambda table: table.column("rating"), np.fmax, "unrated, then lowest"
    ),
    "stack": Order(
        "Stack", lambda table: _stack_sizes(table), np.fmin, "largest first, then single photos"
    ),
    "project": Order(
        "Project", lambda table: table.projects.by_project(), np.fmin, "by name, then by hand"
    ),
    "hand": Order(
        "Hand", lambda table: table.projects.by_hand(), np.fmin, "as you placed them", manual=True
    ),
    "relevance": Order(
        "Relevance", lambda table: table.scores.sort_values("relevance"), np.fmin, "best fit first"
    ),
    "match": Order("Match", lambda table: table.scores.expected, np.fmax, "lowest first", True),
    "uncertain": Order(
        "Most uncertain",
        lambda table: -table.scores.sort_values("uncertain"),
        np.fmin,
        "least certain prediction first",
        True,
        uncertainties,
        part=2000,
    ),
    "informative": Order(
        "Most informative",
        lambda table: table.scores.sort_values("informative"),
        np.fmin,
        "rating these improves predictions most",
        True,
        information_gain,
    ),
}


def _where_timed(table: Table) -> NDArray[np.float64]:
    return np.where(np.isnat(table.column("taken_at")), np.nan, table.ranks.by_time())


def _stack_sizes(table: Table) -> NDArray[np.float64]:
    names = table.stacks.names
    _, where, counts = np.unique(names, return_inverse=True, return_counts=True)
    return np.where(names > 0, -counts[where].astype(np.float64), np.nan)


def is_manual(table: Table, order: str) -> bool:
    """Whether an order sorts single frames: by hand, in an open project."""
    return ORDERS[order].manual and table.projects.open is not None


def orders_for(kind: str) -> dict[str, Order]:
    """Return the orders available in a kind of scope: sorting by hand exists only in projects."""
    return {name: each for name, each in ORDERS.items() if kind == "project" or not each.manual}


def sorted_ids(
    table: Table, mask: Mask, order: str, reverse: bool = False, *, units: bool = True
) -> Ids:
    """Return the ids of the marked rows in an order of ORDERS.

    Photos without the value come last in both directions.

    Args:
        table: the photos.
        mask: the rows to sort.
        order: a key of ORDERS.
        reverse: whether to reverse the order; frames of a stack stay in capture order.
        units: whether stacks stay together, as far as their frames are marked.

    Raises:
        KeyError: there is no such order.
    """
    chosen = ORDERS[order]
    rows = np.flatnonzero(mask)
    ranks = table.ranks.by_time()[rows]
    value = chosen.key(table)[rows].astype(np.float64)
    keys: list[NDArray[Any]] = [ranks]
    together = units and not is_manual(table, order)
    members = np.flatnonzero(table.stacks.names[rows]) if together else ranks[:0]
    if len(members):
        names, where = np.unique(table.stacks.names[rows[members]], return_inverse=True)
        best = np.full(len(names), np.nan)
        chosen.best.at(best, where, value[members])
        value[members] = best[where]
        first = np.full(len(names), table.size)
        np.minimum.at(first, where, ranks[members])
        lead = ranks.copy()
        lead[members] = first[where]
        keys.append(lead)
    keys += [-value if reverse else value, np.isnan(value)]
    return table.ids[rows[np.lexsort(keys)]]
