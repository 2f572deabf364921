"""The bar about a library of 100,000 photos in the window: opening, filters, orders, scrolling.

The real window without a display, driven by real events, as in :mod:`curator.bench.window`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial

import psutil
from PySide6.QtWidgets import QApplication

from curator import app
from curator.bench.figures import Figure, Place, percentile
from curator.bench.library import PHOTOS, lent, vocabulary
from curator.bench.window import Paints, application, opened, rest, wait
from curator.model import KnownError
from curator.session.orders import ORDERS
from curator.settings import Home

_BAR_MS = 150.0
_FILTERS = (
    "is:undecided", "is:picked", "match:<60", "is:stack", "rating:>=4", "label:red",
    "after:2012-04 before:2012-09", "camera:two sharpness:>60", "folder:2012-05",
)  # fmt: skip


def large(place: Place) -> list[Figure]:
    """Open the window on a library of 100,000 photos, filter and sort it, scroll through it."""
    home = lent(place)
    application()
    begin = time.perf_counter()
    with opened(home) as running:
        grid = running.window.grid
        arrived: list[object] = []
        thumbs = running.window.pictures.thumbs
        thumbs.arrived.connect(arrived.append)
        paints = Paints(grid.viewport())
        QApplication.processEvents()
        wait(lambda: bool(arrived) and paints.count > 0, thumbs.arrived)
        ready = time.perf_counter() - begin
        if len(running.session.ids) != PHOTOS:
            raise KnownError(f"The window shows {len(running.session.ids):,} photos.")
        _learned(running)
        acts = _Acts(running, paints)
        filtered = dict(acts.filters())
        sorted_ = dict(acts.orders())
        scopes = dict(acts.scopes(home))
        running.session.set_order("taken")
        spent = _scrolled(running)
        resident = psutil.Process().memory_info().rss / 1e6
    note = f"{len(spent)} steps, median {1000 * percentile(spent, 0.5):.1f} ms"
    return [
        Figure(f"window on {PHOTOS:,} photos, thumbnails painted", ready, "s", 1.0),
        _worst("another filter, painted, worst", filtered),
        _worst("another order, painted, worst", sorted_),
        _worst("another scope, painted, worst", scopes),
        Figure("grid scroll step, p99", 1000 * percentile(spent, 0.99), "ms", 16.0, note=note),
        Figure("resident memory after scrolling", resident, "MB", 600.0),
    ]


def _learned(running: app.App) -> None:
    """Wait until taste has scored all photos: it is then that an order by match can be asked."""
    within = time.monotonic() + 300
    while not running.session.may_order("match"):
        if time.monotonic() > within:
            raise KnownError("No match score came.")
        rest(0.2)


def _worst(what: str, spent: dict[str, float]) -> Figure:
    """Judge by the slowest act, each at its first time; say which that is."""
    slowest = sorted(spent, key=spent.__getitem__, reverse=True)[:3]
    note = f"{len(spent)} of them, median {1000 * percentile(list(spent.values()), 0.5):.0f} ms; "
    note += ", ".join(f"{name} {1000 * spent[name]:.0f} ms" for name in slowest)
    return Figure(what, 1000 * max(spent.values()), "ms", _BAR_MS, note=note)


class _Acts:
    """What a person does with the whole library, each measured from the command to the paint."""

    def __init__(self, running: app.App, paints: Paints) -> None:
        self._session, self._paints = running.session, paints

    def _painted(self, name: str, act: Callable[[], object]) -> tuple[str, float]:
        before, begin = self._paints.count, time.perf_counter()
        act()
        while self._paints.count == before:
            QApplication.processEvents()
            if time.perf_counter() - begin > 10:
                raise KnownError(f"The grid was not painted: {name}.")
        spent = time.perf_counter() - begin
        rest(0.2)
        return name, spent

    def filters(self) -> Iterator[tuple[str, float]]:
        """Filter by facts, marks and words, seldom and frequent; and take each filter off."""
        words = vocabulary()
        texts = (words[0], words[0][:2], words[300], f"{words[2]} {words[5]}", f"tag:{words[9]}")
        for text in (*_FILTERS, *texts):
            yield self._painted(text, partial(self._session.set_filter, text))
            yield self._painted(f"{text}, off", self._session.leave_filter)

    def orders(self) -> Iterator[tuple[str, float]]:
        """Sort by each order there is for everything, forwards and backwards."""
        for name, order in ORDERS.items():
            if order.loose or order.question is not None or not self._session.may_order(name):
                continue
            for back in (True, False):
                title = f"{name}{', reversed' if back else ''}"
                yield self._painted(title, partial(self._session.set_order, name, back))

    def scopes(self, home: Home) -> Iterator[tuple[str, float]]:
        """Go to folders, a project and a saved search, and back to everything."""
        rows = {row.scope.kind: row.scope for row in reversed(self._session.scopes())}
        for kind in ("folder", "project", "search"):
            yield self._painted(kind, partial(self._session.open_scope, rows[kind]))
            back = partial(self._session.open_scope, rows["all"])
            yield self._painted(f"everything after {kind}", back)


def _scrolled(running: app.App) -> list[float]:
    """Scroll by notches, by pages and by leaps; return what the event loop took each time."""
    bar = running.window.grid.verticalScrollBar()
    chance, spent = random.Random(2), []
    steps = [*[120] * 300, *[bar.pageStep()] * 100]
    leaps = [chance.randrange(bar.maximum()) for _ in range(60)]
    targets: list[Callable[[], int]] = [lambda step=step: bar.value() + step for step in steps]  # type: ignore[misc]
    targets += [lambda leap=leap: leap for leap in leaps]  # type: ignore[misc]
    for target in targets:
        value = target()
        begin = time.perf_counter()
        bar.setValue(value)
        QApplication.processEvents()
        spent.append(time.perf_counter() - begin)
        rest(0.016)
    return spent
