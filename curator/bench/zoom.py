"""The bar for zooming: from a key to the painted 100 % view, panning, and memory over time.

A measurement ends when the loupe has painted all pixels of the original.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from curator import app
from curator.bench.figures import Figure, PairedTimes, Reference, Workspace, percentile, resident_mb
from curator.bench.window_driver import (
    Layer,
    Viewer,
    blank,
    enter_loupe,
    opened_on_large,
    press,
    run_events,
    wait,
)

_KEYS = 80
_MOVES = 240
REACH = QSize(640, 360)  # the longest drag, px
_STEPS = 2_000
_STEP_S = 0.03  # faster than photos can be decoded
_PAUSE_EVERY = 20  # steps, after which to wait for the full pixels
_WARM = 200  # steps until memory has settled
# Resident memory of the window in addition to the pixels at 100 %.
_BESIDE_MB = 560


def zoom(workspace: Workspace) -> list[Figure]:
    """Go through 24 MP JPEGs at 100 %, drag them, and continue for 2,000 steps."""
    with opened_on_large(workspace) as running:
        session, loupe = running.session, running.window.loupe
        enter_loupe(running)
        QTest.keyClick(running.window, Qt.Key.Key_Z)
        _sharp(running)
        viewer = Viewer()
        ground = [blank(loupe.size() + REACH)]
        overlaid = [*ground, blank(loupe.size() + REACH, seen_through=True)]
        steps, ready = _stepped(running, viewer, ground[0])
        moves = panned(loupe, [loupe.rect()], viewer, ground)
        for key in (Qt.Key.Key_J, Qt.Key.Key_A, Qt.Key.Key_A):
            QTest.keyClick(running.window, key)
        run_events(3.0)
        covered = panned(loupe, [loupe.rect()], viewer, overlaid)
        before, after, most = _walked(running)
        budget = session.settings.loupe.originals_mb
    note = (
        f"the next photo is read ahead after {1000 * percentile(ready, 0.5):.0f} ms, p95 "
        f"{1000 * percentile(ready, 0.95):.0f} ms"
    )
    drawn = "a bare viewer drawing as many decoded pixels"
    return [
        steps.figure("key to the next photo at 100 %, read ahead", 0.95, 50.0, drawn, note),
        moves.figure("panning at 100 %, per frame", 0.95, 16.0, drawn),
        covered.figure("panning at 100 % under overlays, per frame", 0.95, 16.0, f"{drawn}, twice"),
        Figure(
            f"most resident memory over {_STEPS:,} zoomed steps",
            most,
            "MB",
            float(budget + _BESIDE_MB),
            Reference(f"after {_WARM} steps", before),
            note=f"{after:,.0f} MB at the end",
        ),
    ]


def _sharp(running: app.App) -> None:
    """Wait until the loupe has painted all pixels of the current photo."""
    loupe = running.window.loupe
    wait(lambda: loupe.is_full_resolution, loupe.painted, 20.0)


def _stepped(running: app.App, viewer: Viewer, image: QImage) -> tuple[PairedTimes, list[float]]:
    """Go from photo to photo, each time after the next was read ahead.

    Returns:
        Seconds from each key to the complete paint, and until each next photo was ready.
    """
    session, loupe = running.session, running.window.loupe
    pairs = PairedTimes()
    ready: list[float] = []
    for _ in range(_KEYS):
        if session.photos.index >= len(session.ids) - 1:
            session.photos.go(0)
            _sharp(running)
        begin = time.perf_counter()
        wait(loupe.is_next_read, loupe.originals.arrived, 30.0)
        ready.append(time.perf_counter() - begin)
        run_events(0.1)
        spent = press(running, Qt.Key.Key_Right, loupe.painted, lambda: loupe.is_full_resolution)
        pairs.add(spent, viewer.draw_and_wait(Layer(QPoint(), image, loupe.rect())))
    return pairs, ready


def panned(
    view: QWidget, cells: Sequence[QRect], viewer: Viewer, images: Sequence[QImage]
) -> PairedTimes:
    """Drag the photos of a view, starting in its first cell; return the seconds per frame.

    After each frame a bare viewer draws the images on top of each other in each cell, moved by the
    same distance; they are larger than a cell by REACH.
    """
    pairs, held = PairedTimes(), Qt.MouseButton.LeftButton
    at = cells[0].center()
    QTest.mousePress(view, held, Qt.KeyboardModifier.NoModifier, at)
    for number in range(_MOVES):
        # Diagonally out and back, about 20 px per frame, like a fast hand.
        out = number % 60 if number % 60 < 30 else 60 - number % 60
        moved = QPoint(out * 20, out * 11)
        begin = time.perf_counter()
        QTest.mouseMove(view, at + moved - QPoint(300, 160))
        QApplication.processEvents()
        spent = time.perf_counter() - begin
        run_events(0.008)
        parts = ((cell.topLeft(), QRect(moved, cell.size())) for cell in cells)
        layers = [Layer(to, image, part) for to, part in parts for image in images]
        pairs.add(spent, viewer.draw_and_wait(*layers))
        run_events(0.008)
    QTest.mouseRelease(view, held, Qt.KeyboardModifier.NoModifier, at)
    return pairs


def _walked(running: app.App) -> tuple[float, float, float]:
    """Step back and forth fast; return the resident MB when warm, at the end, and at most."""
    session = running.session
    before = most = 0.0
    last = len(session.ids) - 1
    keys = itertools.cycle([Qt.Key.Key_Right] * last + [Qt.Key.Key_Left] * last)
    session.photos.go(0)
    for number, key in enumerate(itertools.islice(keys, _STEPS), 1):
        QTest.keyClick(running.window, key)
        run_events(_STEP_S)
        if number % _PAUSE_EVERY == 0:
            _sharp(running)
        if number == _WARM:
            gc.collect()
            before = resident_mb()
        most = max(most, resident_mb())
    gc.collect()
    return before, resident_mb(), most
