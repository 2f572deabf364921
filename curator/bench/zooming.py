"""The bar about looking closely: a key to the painted 100 % crop, panning, memory over an evening.

The real window without a display, driven by real events, as in :mod:`curator.bench.window`. A crop
counts when the loupe has painted from every pixel of the original.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable

import psutil
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from curator import app
from curator.bench.figures import Figure, Place, percentile
from curator.bench.stock import large_jpegs
from curator.bench.window import application, opened, rest, wait
from curator.model import KnownError
from curator.settings import Home

_FILES = 24
_SIZE = (6000, 4000)  # 24 MP
_KEYS = 80
_MOVES = 240
_STEPS = 2_000
_STEP_S = 0.03  # faster than anything can be decoded
_LOOK_EVERY = 20  # steps, after which one waits to see
_WARM = 200  # steps until everything is there that will be
# Resident memory of the window beside what pixels at 100 % may take.
_BESIDE_MB = 560


def zoom(place: Place) -> list[Figure]:
    """Go through 24 MP JPEGs at 100 %, drag them about, and go on for 2,000 steps."""
    application()
    home = Home.at(place.scratch / "home")
    photos = large_jpegs(place, _FILES, _SIZE)
    with opened(home, photos[0].parent) as running:
        session, loupe, pipeline = running.session, running.window.loupe, running.pipeline
        assert pipeline is not None
        wait(
            lambda: sum(key is not None for key in session.table.strings("proxy")) >= len(photos),
            session.photos_changed,
        )
        wait(lambda: pipeline.is_idle, pipeline.idle)
        QTest.keyClick(running.window, Qt.Key.Key_E)
        wait(lambda: bool(loupe.isVisible()), loupe.painted)
        QTest.keyClick(running.window, Qt.Key.Key_Z)
        _sharp(running)
        steps, ready = _stepped(running)
        moves = panned(loupe, loupe.rect().center())
        for key in (Qt.Key.Key_J, Qt.Key.Key_A, Qt.Key.Key_A):
            QTest.keyClick(running.window, key)
        rest(3.0)
        covered = panned(loupe, loupe.rect().center())
        before, after, most = _walked(running)
        budget = session.settings.loupe.originals_mb
    crop = (
        f"{len(steps)} keys, median {1000 * percentile(steps, 0.5):.1f} ms; read ahead "
        f"{1000 * percentile(ready, 0.5):.0f} ms after one has come, p95 "
        f"{1000 * percentile(ready, 0.95):.0f} ms"
    )
    pan = f"{len(moves)} moves, median {1000 * percentile(moves, 0.5):.1f} ms"
    veil = f"clipping and peaking on, median {1000 * percentile(covered, 0.5):.1f} ms"
    walk = f"{before:,.0f} MB after {_WARM} steps, {after:,.0f} MB at the end"
    return [
        Figure(
            "key to painted 100 % crop of the next 24 MP photo, read ahead, p95",
            1000 * percentile(steps, 0.95),
            "ms",
            50.0,
            note=crop,
        ),
        Figure(
            "panning at 100 %, a frame, p95", 1000 * percentile(moves, 0.95), "ms", 16.0, note=pan
        ),
        Figure(
            "panning at 100 % under overlays, a frame, p95",
            1000 * percentile(covered, 0.95),
            "ms",
            16.0,
            note=veil,
        ),
        Figure(
            f"most resident memory over {_STEPS:,} zoomed steps",
            most,
            "MB",
            float(budget + _BESIDE_MB),
            note=walk,
        ),
    ]


def _sharp(running: app.App) -> None:
    """Wait until the current photo was painted from every pixel."""
    loupe = running.window.loupe
    wait(lambda: loupe.whole, loupe.painted, 20.0)


def _stepped(running: app.App) -> tuple[list[float], list[float]]:
    """Go on photo by photo, each once it was read ahead.

    Returns:
        Seconds from each key to the crop painted whole, and until the next photo was ready.
    """
    session, loupe = running.session, running.window.loupe
    spent: list[float] = []
    ready: list[float] = []
    for _ in range(_KEYS):
        if session.index >= len(session.ids) - 1:
            session.go(0)
            _sharp(running)
        begin = time.perf_counter()
        wait(loupe.read_ahead, loupe.originals.arrived, 30.0)
        ready.append(time.perf_counter() - begin)
        rest(0.1)
        before = session.current
        painted: list[float] = []

        def note(photo: int, painted: list[float] = painted) -> None:
            if photo == session.current and loupe.whole:
                painted.append(time.perf_counter())

        loupe.painted.connect(note)
        begin = time.perf_counter()
        QTest.keyClick(running.window, Qt.Key.Key_Right)
        if session.current == before:
            raise KnownError("The key Right led to no other photo.")
        wait(lambda painted=painted: bool(painted), loupe.painted, 10.0)  # type: ignore[misc]
        loupe.painted.disconnect(note)
        spent.append(painted[0] - begin)
    return spent, ready


def panned(view: QWidget, at: QPoint) -> list[float]:
    """Drag what a view shows about, taken hold of at a point; return the seconds a frame."""
    spent, held = [], Qt.MouseButton.LeftButton
    QTest.mousePress(view, held, Qt.KeyboardModifier.NoModifier, at)
    for number in range(_MOVES):
        # Out and back on a slanting way, some 20 px a frame: a fast hand.
        out = number % 60 if number % 60 < 30 else 60 - number % 60
        to = at + QPoint(out * 20 - 300, out * 11 - 160)
        begin = time.perf_counter()
        QTest.mouseMove(view, to)
        QApplication.processEvents()
        spent.append(time.perf_counter() - begin)
        rest(0.016)
    QTest.mouseRelease(view, held, Qt.KeyboardModifier.NoModifier, at)
    return spent


def _walked(running: app.App) -> tuple[float, float, float]:
    """Hurry to and fro; return resident MB once all is warm, at the end, and the most there was."""
    session, process = running.session, psutil.Process()
    resident: Callable[[], float] = lambda: process.memory_info().rss / 1e6  # noqa: E731
    before = most = 0.0
    way = itertools.cycle([Qt.Key.Key_Right] * (_FILES - 1) + [Qt.Key.Key_Left] * (_FILES - 1))
    session.go(0)
    for number, key in enumerate(itertools.islice(way, _STEPS), 1):
        QTest.keyClick(running.window, key)
        rest(_STEP_S)
        if number % _LOOK_EVERY == 0:
            _sharp(running)
        if number == _WARM:
            gc.collect()
            before = resident()
        most = max(most, resident())
    gc.collect()
    return before, resident(), most
