"""The sort orders of a list, as one table, and the sorting.

Orders sort units: a stack is placed where its best frame would be, its frames sorted by capture
time. Only sorting by hand takes stacks apart. Ties are broken by capture time, folder and name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.library.spans import Ids, Mask
from curator.library.table import Table

if TYPE_CHECKING:
    from curator.learning.learner import TasteLearner

_NO_VALUE_CODE = (1 << 31) - 1  # of a photo without the value, which comes last
_BELOW_ALL = -(1 << 31) - 1  # below every code
_LOW_32_BITS = (1 << 32) - 1  # of a number of 64 bits


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort.

    Attributes:
        title: its name in the menu.
        key: returns a number per row, (N,), smallest first: a float, of which the precision of
            float32 counts, NaN for a photo without the value; or an integer below `_NO_VALUE_CODE`,
            which stands for none.
        best: ``np.minimum`` or ``np.maximum``; picks the value of a stack from those of its frames.
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
    "taken": Order("Capture time", lambda table: _where_timed(table), np.minimum, "earliest first"),
    "added": Order("Added", lambda table: _second_added(table), np.minimum, "oldest first"),
    "name": Order("File name", lambda table: table.ranks.by_name(), np.minimum, "folder by folder"),
    "sharpness": Order(
        "Sharpness", lambda table: table.column("sharpness"), np.maximum, "softest first"
    ),
    "exposure": Order(
        "Exposure", lambda table: table.column("exposure"), np.maximum, "most clipped first"
    ),
    "eyes": Order(
        "Eye sharpness", lambda table: table.column("eye_sharpness"), np.maximum, "softest first"
    ),
    "rating": Order(
        "Rating", lambda table: table.column("rating"), np.maximum, "unrated, then lowest"
    ),
    "stack": Order(
        "Stack", lambda table: _stack_sizes(table), np.minimum, "largest first, then single photos"
    ),
    "project": Order(
        "Project",
        lambda table: table.projects.by_project(),
        np.minimum,
        "by name, then custom order",
    ),
    "hand": Order(
        "Custom order",
        lambda table: table.projects.by_hand(),
        np.minimum,
        "as you placed them",
        manual=True,
    ),
    "relevance": Order(
        "Relevance",
        lambda table: table.scores.sort_values("relevance"),
        np.minimum,
        "best fit first",
    ),
    "match": Order("Match", lambda table: table.scores.expected, np.maximum, "lowest first", True),
    "uncertain": Order(
        "Most uncertain",
        lambda table: -table.scores.sort_values("uncertain"),
        np.minimum,
        "least certain prediction first",
        True,
        lambda learner, ids: _uncertainties(learner, ids),
        part=2000,
    ),
    "informative": Order(
        "Most informative",
        lambda table: table.scores.sort_values("informative"),
        np.minimum,
        "rating these improves predictions most",
        True,
        lambda learner, ids: _information_gain(learner, ids),
    ),
}


# Most lists are sorted without a learner: its modules are loaded when it is asked.
def _uncertainties(learner: TasteLearner, ids: Sequence[int]) -> NDArray[np.float32]:
    from curator.learning.explanations import uncertainties

    return uncertainties(learner, ids)


def _information_gain(learner: TasteLearner, ids: Sequence[int]) -> NDArray[np.float32]:
    from curator.learning.explanations import information_gain

    return information_gain(learner, ids)


def _where_timed(table: Table) -> NDArray[np.int64]:
    untimed = np.isnat(table.column("taken_at"))
    return np.where(untimed, _NO_VALUE_CODE, table.ranks.by_time())


def _second_added(table: Table) -> NDArray[np.int32]:
    """Return when each photo was added, in seconds from 2038; 32 bits reach from 1970 to 2106."""
    return (table.column("added_at") - 2.0**31).astype(np.int32)


def _stack_sizes(table: Table) -> NDArray[np.float32]:
    names = table.stacks.names
    counts = np.bincount(names, minlength=1)
    counts[0] = 0
    return np.where(names > 0, -counts[names].astype(np.float32), np.float32(np.nan))


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
    rows, starts = table.stacks.units_by_time(mask, units and not is_manual(table, order))
    value = _coded(chosen.key(table)[rows])
    if len(starts) < len(rows):
        if chosen.best is np.maximum:
            value[value == _NO_VALUE_CODE] = _BELOW_ALL
        value = np.repeat(chosen.best.reduceat(value, starts), np.diff(starts, append=len(rows)))
        value[value == _BELOW_ALL] = _NO_VALUE_CODE
    if reverse:
        value = np.where(value == _NO_VALUE_CODE, _NO_VALUE_CODE, -1 - value)
    # Sorting one number, the value and then the place by time, takes a fraction of the time of two
    # keys.
    value <<= 32
    value |= np.arange(len(rows))
    value.sort()
    value &= _LOW_32_BITS
    return table.ids[rows[value]]


def _coded(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return a number of 32 bits, signed, for each value, in the same order.

    Args:
        values: (N,) what the key of an order returns.
    """
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    floats = values.astype(np.float32) + np.float32(0)  # no negative zero
    # The bits of a positive float grow with it; those of a negative one fall.
    bits = floats.view(np.int32).astype(np.int64)
    codes = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    codes[np.isnan(floats)] = _NO_VALUE_CODE
    return codes
