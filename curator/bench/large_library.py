"""The bar for a library of 100,000 photos: open the window, filter, sort, change scope, scroll."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QPoint, QSize
from PySide6.QtWidgets import QApplication

from curator import app
from curator.bench import baselines
from curator.bench.figures import (
    Figure,
    PairedTimes,
    Reference,
    Workspace,
    held_mb,
    resident_mb,
    timed,
)
from curator.bench.synthetic_library import library_copy, vocabulary
from curator.bench.window_driver import (
    Paints,
    Viewer,
    application,
    blank,
    opened,
    run_events,
    wait,
    whole,
)
from curator.home import Home
from curator.library.sort_orders import ORDERS
from curator.model import KnownError

_BAR_MS = 60.0
_SCOPE_MS = 150.0
_FEW = 100_000  # up to as many photos the worst action counts, beyond the median
_COLD_S = {1_000_000: 4.0}  # the bar, otherwise 2
_MEMORY_MB = {1_000_000: 700.0}  # the bar, otherwise 600
_REST_S = 65.0  # afterwards freed memory was returned to the system
_BARE = "a similar query of SQLite, and a bare viewer drawing a screen"
_ALL = "true"
# One text instead of 100,000 rows, because memory is measured, too.
_LISTED = "SELECT group_concat(id) FROM (SELECT id FROM photo WHERE {} ORDER BY {})"
_FILTERS = (
    "is:unreviewed", "is:picked", "match:<60", "is:stack", "rating:>=4", "label:red",
    "after:2012-04 before:2012-09", "camera:two sharpness:>60", "folder:2012-05",
)  # fmt: skip


def large(workspace: Workspace) -> list[Figure]:
    """Open a library without and with its cached table, then filter, sort and scroll it.

    The first opening runs in another process: it reads everything, and neither its memory nor its
    imports may count for the second.
    """
    home = library_copy(workspace)
    home.table_file.unlink(missing_ok=True)
    words = [sys.executable, "-m", __name__, str(home.data), str(workspace.count)]
    application()
    without = resident_mb()
    first = float(subprocess.check_output(words))
    note = "" if home.table_file.exists() else "without a cached table"
    with _window(home, workspace.count) as (running, paints, ready):
        bare_grid = _BareGrid(running, home.catalog)
        acts = _Acts(running, paints, bare_grid)
        judged = [acts.filters(), acts.orders(), acts.scopes()]
        running.session.ordering.set_order("taken")
        scrolled = _scrolled(running, bare_grid)
        run_events(_REST_S)
        resident, held = resident_mb(), held_mb()
    # At the end, so that these rows do not count as memory of the window.
    rows = min(timed(baselines.rows, home.catalog, "SELECT * FROM photo") for _ in range(2))
    alone = Reference("reading their rows with plain SQLite", rows)
    return [
        Figure(
            f"window on {workspace.count:,} photos, thumbnails painted",
            ready,
            "s",
            1.0,
            alone,
            note=note,
        ),
        Figure(
            "the same without the cached table",
            first,
            "s",
            _COLD_S.get(workspace.count, 2.0),
            alone,
        ),
        *judged,
        scrolled.figure(
            "grid scroll step", 0.99, 16.0, "a bare viewer drawing as many decoded thumbnails"
        ),
        Figure(
            "memory at rest, after searching and scrolling",
            resident,
            "MB",
            _MEMORY_MB.get(workspace.count, 600.0),
            Reference("Python, Qt and all modules, before a window", without),
            note=f"{held:.0f} MB without pages of files, which the system takes back when needed",
        ),
    ]


@contextmanager
def _window(home: Home, count: int) -> Iterator[tuple[app.App, Paints, float]]:
    """Open the window on all photos; yields it once taste is learned, with the opening seconds."""
    begin = time.perf_counter()
    with opened(home) as running:
        arrived: list[object] = []
        thumbs = running.window.pictures.thumbs
        thumbs.arrived.connect(arrived.append)
        paints = Paints(running.window.grid.viewport())
        QApplication.processEvents()
        wait(lambda: bool(arrived) and paints.count > 0, thumbs.arrived)
        ready = time.perf_counter() - begin
        if len(running.session.ids) != count:
            raise KnownError(f"The window shows {len(running.session.ids):,} photos.")
        _learned(running)
        yield running, paints, ready


def _learned(running: app.App) -> None:
    """Wait until all photos have match scores, so that they can be sorted by them."""
    within = time.monotonic() + 300
    while not running.session.ordering.is_available("match"):
        if time.monotonic() > within:
            raise KnownError("There were no match scores within five minutes.")
        run_events(0.2)


class _Act(NamedTuple):
    """An action, the seconds until it was painted, and the seconds of its reference."""

    name: str
    spent: float
    bare: float


def _judged(what: str, acts: Sequence[_Act], share: float, limit: float = _BAR_MS) -> Figure:
    """Return the figure of a percentile of actions, with the three slowest in its note."""
    pairs = PairedTimes([act.spent for act in acts], [act.bare for act in acts])
    slowest = sorted(acts, key=lambda act: act.spent, reverse=True)[:3]
    note = ", ".join(f"{act.name} {1000 * act.spent:.0f} ms" for act in slowest)
    return pairs.figure(what, share, limit, _BARE, note)


class _BareGrid:
    """The reference: a query with plain SQLite, and the grid's thumbnails in a bare viewer."""

    def __init__(self, running: app.App, catalog: Path) -> None:
        grid = running.window.grid
        edge = grid.grid_layout.cell_width
        self._image = blank(QSize(edge, edge * 2 // 3))
        self._corners = [grid.cell(tile).topLeft() for tile in grid.visible()]
        self._viewer = Viewer()
        self._catalog = catalog

    def draw_and_wait(self, moved_px: int = 0) -> float:
        """Draw the thumbnails, moved up by some px; return the seconds."""
        up = QPoint(0, -moved_px)
        return self._viewer.draw_and_wait(
            *(whole(self._image, corner + up) for corner in self._corners)
        )

    def listed(self, where: str, order: str) -> float:
        """Query photos in an order, and draw; return the seconds."""
        return (
            timed(baselines.rows, self._catalog, _LISTED.format(where, order))
            + self.draw_and_wait()
        )


class _Acts:
    """Actions on the whole library, each measured from the command to the paint."""

    def __init__(self, running: app.App, paints: Paints, bare_grid: _BareGrid) -> None:
        self._session, self._paints, self._bare = running.session, paints, bare_grid
        self._share = 1.0 if len(running.session.ids) <= _FEW else 0.5

    def _painted(
        self, name: str, act: Callable[[], object], where: str, order: str = "taken_at"
    ) -> _Act:
        before, begin = self._paints.count, time.perf_counter()
        act()
        while self._paints.count == before:
            QApplication.processEvents()
            if time.perf_counter() - begin > 10:
                raise KnownError(f"The grid was not painted: {name}.")
        spent = time.perf_counter() - begin
        run_events(0.1)
        found = _Act(name, spent, self._bare.listed(where, order))
        run_events(0.1)
        return found

    def filters(self) -> Figure:
        """Filter by capture data, marks and words, and remove each filter."""
        words = vocabulary()
        texts = (words[0], words[0][:2], words[300], f"{words[2]} {words[5]}", f"tag:{words[9]}")
        acts = []
        for text in (*_FILTERS, *texts):
            set_filter = partial(self._session.search.set_filter, text)
            acts.append(self._painted(text, set_filter, "sharpness > 60"))
            acts.append(self._painted(f"{text}, off", self._session.search.leave_filter, _ALL))
        return _judged("changing the filter until painted", acts, self._share)

    def orders(self) -> Figure:
        """Sort by every order that applies to all photos, forwards and backwards."""
        acts = []
        for name, order in ORDERS.items():
            if (
                order.manual
                or order.question is not None
                or not self._session.ordering.is_available(name)
            ):
                continue
            for back in (True, False):
                title = f"{name}{', reversed' if back else ''}"
                sort = partial(self._session.ordering.set_order, name, back)
                acts.append(self._painted(title, sort, _ALL, "name"))
        return _judged("changing the order until painted", acts, self._share)

    def scopes(self) -> Figure:
        """Open a folder, a project and a saved search, and go back to everything."""
        rows = {row.scope.kind: row.scope for row in reversed(self._session.sources.scopes())}
        acts = []
        for kind in ("folder", "project", "search"):
            go = partial(self._session.sources.open_scope, rows[kind])
            acts.append(self._painted(kind, go, "directory_id < 9"))
            back = partial(self._session.sources.open_scope, rows["all"])
            acts.append(self._painted(f"everything after {kind}", back, _ALL))
        return _judged("changing the scope until painted", acts, self._share, _SCOPE_MS)


def _scrolled(running: app.App, bare_grid: _BareGrid) -> PairedTimes:
    """Scroll by wheel steps, pages and jumps; measure the event loop each time."""
    bar = running.window.grid.verticalScrollBar()
    chance, pairs = random.Random(2), PairedTimes()
    steps = [*[120] * 300, *[bar.pageStep()] * 100]
    leaps = [chance.randrange(bar.maximum()) for _ in range(60)]
    targets: list[Callable[[], int]] = [lambda step=step: bar.value() + step for step in steps]  # type: ignore[misc]
    targets += [lambda leap=leap: leap for leap in leaps]  # type: ignore[misc]
    for number, target in enumerate(targets):
        value = target()
        begin = time.perf_counter()
        bar.setValue(value)
        QApplication.processEvents()
        spent = time.perf_counter() - begin
        run_events(0.008)
        pairs.add(spent, bare_grid.draw_and_wait(number % 100))
        run_events(0.008)
    return pairs


def _first(data: str, count: str) -> float:
    """Open the window on a library and close it, which caches its table; return the seconds."""
    application()
    with _window(Home.at(Path(data)), int(count)) as (_, _, ready):
        return ready


if __name__ == "__main__":
    print(_first(*sys.argv[1:]))
