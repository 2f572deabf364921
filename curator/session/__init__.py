"""What is on the table, and the photos in memory it is made from.

:class:`Session` is the one object under the window; :class:`Table` and the filter language in
:mod:`curator.session.filters` serve the command line too.
"""

from curator.session.archive import Archive
from curator.session.evidence import Insight, Near, Why
from curator.session.filters import FILTERS, FilterError
from curator.session.hints import Hint, hints
from curator.session.orders import ORDERS, arranged, orders_for
from curator.session.placard import Glance, Placard
from curator.session.progress import Progress
from curator.session.pupil import START, Learned, Moved, Pupil, taught
from curator.session.reporting import REASONS, Report, report
from curator.session.scopes import EVERYTHING, Scope, ScopeRow
from curator.session.session import Session, Words, changed_marks
from curator.session.table import Table, Tile
from curator.session.versions import roll_back, unpin

__all__ = [
    "EVERYTHING",
    "FILTERS",
    "ORDERS",
    "REASONS",
    "START",
    "Archive",
    "FilterError",
    "Glance",
    "Hint",
    "Insight",
    "Learned",
    "Moved",
    "Near",
    "Placard",
    "Progress",
    "Pupil",
    "Report",
    "Scope",
    "ScopeRow",
    "Session",
    "Table",
    "Tile",
    "Why",
    "Words",
    "arranged",
    "changed_marks",
    "hints",
    "orders_for",
    "report",
    "roll_back",
    "taught",
    "unpin",
]
