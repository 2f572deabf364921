"""What is on the table, and the photos in memory it is made from.

:class:`Session` is the one object under the window; :class:`Table` and the filter language in
:mod:`curator.session.filters` serve the command line too.
"""

from curator.session.archive import Archive
from curator.session.desk import ORDERS
from curator.session.filters import FILTERS, FilterError
from curator.session.progress import Progress
from curator.session.pupil import START, Learned, judge, learned_now
from curator.session.scopes import EVERYTHING, Scope, ScopeRow
from curator.session.session import Session, changed_marks
from curator.session.table import Table, Tile

__all__ = [
    "EVERYTHING",
    "FILTERS",
    "ORDERS",
    "START",
    "Archive",
    "FilterError",
    "Learned",
    "Progress",
    "Scope",
    "ScopeRow",
    "Session",
    "Table",
    "Tile",
    "changed_marks",
    "judge",
    "learned_now",
]
