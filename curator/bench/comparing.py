"""The bar about photos side by side: dragging two and eight at 100 %, and a key to a challenger.

The real window without a display, driven by real events, as in :mod:`curator.bench.window`.
"""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator import app
from curator.bench.figures import Figure, Place, percentile
from curator.bench.stock import large_jpegs
from curator.bench.window import application, opened, rest, wait
from curator.bench.zooming import panned
from curator.model import KnownError
from curator.session.panes import MOST
from curator.settings import Home

_FILES = 24
_SIZE = (6000, 4000)  # 24 MP
_KEYS = 60
_KEY_EVERY_S = 0.25


def compare(place: Place) -> list[Figure]:
    """Compare 24 MP JPEGs, at fit by key and at 100 % by hand; survey eight of them at 100 %."""
    application()
    photos = large_jpegs(place, _FILES, _SIZE)
    with opened(Home.at(place.scratch / "home"), photos[0].parent) as running:
        session, window, pipeline = running.session, running.window, running.pipeline
        assert pipeline is not None
        wait(
            lambda: sum(key is not None for key in session.table.strings("proxy")) >= len(photos),
            session.photos_changed,
        )
        wait(lambda: pipeline.is_idle, pipeline.idle)
        session.go(0)
        QTest.keyClick(window, Qt.Key.Key_C)
        wait(lambda: session._shown == session.current, window.beside.painted)
        rest(1.0)
        steps = _challenged(running)
        pair = _dragged(running)
        QTest.keyClick(window, Qt.Key.Key_G)
        session.select_only(int(session.ids[0]))
        session.select_range(int(session.ids[MOST - 1]))
        QTest.keyClick(window, Qt.Key.Key_N)
        survey = _dragged(running)
    return [
        _figure("key to the painted challenger, prefetched, p95", steps, "keys"),
        _figure("dragging two 24 MP photos at 100 %, a frame, p95", pair, "moves"),
        _figure(f"dragging {MOST} 24 MP photos at 100 %, a frame, p95", survey, "moves"),
    ]


def _figure(what: str, spent: list[float], of: str) -> Figure:
    note = f"{len(spent)} {of}, median {1000 * percentile(spent, 0.5):.1f} ms"
    return Figure(what, 1000 * percentile(spent, 0.95), "ms", 16.0, note=note)


def _challenged(running: app.App) -> list[float]:
    """Bring challengers by key; return the seconds from each key to the one painted."""
    session, view, spent = running.session, running.window.beside, []
    way = Qt.Key.Key_Right
    for _ in range(_KEYS):
        if not session.upcoming():
            way = Qt.Key.Key_Left if way is Qt.Key.Key_Right else Qt.Key.Key_Right
        before = session.current
        painted: list[float] = []

        def note(photo: int, painted: list[float] = painted) -> None:
            if photo == session.current:
                painted.append(time.perf_counter())

        view.painted.connect(note)
        begin = time.perf_counter()
        QTest.keyClick(running.window, way)
        if session.current == before:
            raise KnownError(f"The key {way.name} brought no challenger.")
        wait(lambda painted=painted: bool(painted), view.painted, 10.0)  # type: ignore[misc]
        view.painted.disconnect(note)
        spent.append(painted[0] - begin)
        rest(_KEY_EVERY_S)
    return spent


def _dragged(running: app.App) -> list[float]:
    """Go to 100 %, wait for every pixel of every pane, drag, and go back to fit."""
    view = running.window.beside
    QTest.keyClick(running.window, Qt.Key.Key_Z)
    wait(lambda: view.whole, view.painted, 60.0)
    rest(1.0)
    spent = panned(view, view.panes()[0].cell.center())
    QTest.keyClick(running.window, Qt.Key.Key_Escape)
    return spent
