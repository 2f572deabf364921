"""The bar for compare and survey: from a key to a challenger, and dragging photos at 100 %."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator import app
from curator.bench.figures import Figure, PairedTimes, Workspace
from curator.bench.window_driver import (
    Viewer,
    blank,
    opened_on_large,
    press,
    run_events,
    wait,
    whole,
)
from curator.bench.zoom import REACH, panned
from curator.session.panes import MOST

_KEYS = 60
_KEY_EVERY_S = 0.25


def compare(workspace: Workspace) -> list[Figure]:
    """Compare 24 MP JPEGs by key at fit, drag two of them and a survey of eight at 100 %."""
    with opened_on_large(workspace) as running:
        session, window = running.session, running.window
        session.photos.go(0)
        QTest.keyClick(window, Qt.Key.Key_C)
        wait(lambda: session.viewer.is_painted, window.compare.painted)
        run_events(1.0)
        viewer = Viewer()
        steps = _challenged(running, viewer)
        pair = _dragged(running, viewer)
        QTest.keyClick(window, Qt.Key.Key_G)
        session.photos.select_only(int(session.ids[0]))
        session.photos.select_range(int(session.ids[MOST - 1]))
        QTest.keyClick(window, Qt.Key.Key_N)
        survey = _dragged(running, viewer)
    drawn = "a bare viewer drawing as many decoded pixels"
    return [
        steps.figure("key to the painted challenger, prefetched", 0.95, 16.0, drawn),
        pair.figure("dragging two 24 MP photos at 100 %, per frame", 0.95, 16.0, drawn),
        survey.figure(f"dragging {MOST} 24 MP photos at 100 %, per frame", 0.95, 16.0, drawn),
    ]


def _challenged(running: app.App, viewer: Viewer) -> PairedTimes:
    """Press keys for the next challenger; return the seconds until each is painted."""
    session, view, pairs = running.session, running.window.compare, PairedTimes()
    layers = [whole(blank(pane.picture.size()), pane.picture.topLeft()) for pane in view.panes()]
    key = Qt.Key.Key_Right
    for _ in range(_KEYS):
        if not session.compare.upcoming():
            key = Qt.Key.Key_Left if key is Qt.Key.Key_Right else Qt.Key.Key_Right
        spent = press(running, key, view.painted)
        run_events(_KEY_EVERY_S / 2)
        pairs.add(spent, viewer.draw_and_wait(*layers))
        run_events(_KEY_EVERY_S / 2)
    return pairs


def _dragged(running: app.App, viewer: Viewer) -> PairedTimes:
    """Zoom to 100 %, wait for the full pixels of every pane, drag, and zoom back to fit."""
    view = running.window.compare
    QTest.keyClick(running.window, Qt.Key.Key_Z)
    wait(lambda: view.is_full_resolution, view.painted, 60.0)
    run_events(1.0)
    cells = [pane.cell for pane in view.panes()]
    pairs = panned(view, cells, viewer, [blank(cells[0].size() + REACH)])
    QTest.keyClick(running.window, Qt.Key.Key_Escape)
    return pairs
