"""Bars about the window: the first photo, thumbnails, a key to its photo.

The real window runs without a display (Qt's offscreen platform) and is driven by real key events.
A moment counts when the widget has painted, which is all the program can answer for.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator import app
from curator.bench import encoding
from curator.bench.figures import Figure, Place, percentile
from curator.bench.stock import large_jpegs, many_small
from curator.model import KnownError
from curator.settings import Home, Settings
from curator.ui import theme

_SIZE = (1440, 900)
_FILES = 10_000
_LARGE_FILES = 40
_LARGE_SIZE = (6000, 4000)
_KEYS = 240
_COMPARED = 1_500
_KEY_EVERY_S = 0.125  # eight keys a second
_COLD = 40
_WAIT_S = 120.0


def application() -> QApplication:
    """Give the application, without a display, as the program sets it up."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app.tune_process()
    qt = QApplication.instance() or QApplication(["curator"])
    assert isinstance(qt, QApplication)
    theme.apply(qt)
    return qt


@contextmanager
def opened(home: Home, *sources: Path) -> Iterator[app.App]:
    """Open the window as the program does; closed again at the end."""
    settings = Settings()
    settings.encoder.which = "none"
    running = app.build(home, settings, sources)
    running.window.resize(*_SIZE)
    running.window.show()
    try:
        yield running
    finally:
        running.close()
        QApplication.processEvents()


def wait(holds: Callable[[], bool], signal: object, within_s: float = _WAIT_S) -> None:
    """Run the event loop until something holds, looking whenever ``signal`` is emitted.

    Polling with a sleep would delay the very paint that is waited for.
    """
    loop, timer = QEventLoop(), QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(loop.quit)

    def look(*_: object) -> None:
        if holds():
            loop.quit()

    signal.connect(look)  # type: ignore[attr-defined]
    timer.start(int(1000 * within_s))
    if not holds():
        loop.exec()
    signal.disconnect(look)  # type: ignore[attr-defined]
    if not holds():
        raise KnownError(f"Something waited for did not come within {within_s:.0f} s.")


def rest(seconds: float) -> None:
    """Let the event loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


class Paints(QObject):
    """Notes when a widget was last painted."""

    def __init__(self, widget: QObject) -> None:
        super().__init__()
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Count paints, and let everything through."""
        self.count += event.type() == QEvent.Type.Paint
        return False


def first(place: Place) -> list[Figure]:
    """Open 10,000 files: when is the first photo on screen, when are there 1,000 thumbnails."""
    qt = application()
    folder = place.photos or many_small(place.scratch / "many", _FILES)
    seen: list[float] = []
    begin = time.perf_counter()
    with opened(Home.at(place.scratch / "home"), folder) as running:
        thumbs = running.window.pictures.thumbs
        thumbs.arrived.connect(lambda *_: seen.append(time.perf_counter()))
        wait(lambda: bool(seen), thumbs.arrived)
        running.window.grid.viewport().repaint()
        shown = time.perf_counter() - begin
        table = running.session.table
        wait(
            lambda: sum(key is not None for key in table.strings("thumb")) >= 1000,
            running.session.photos_changed,
        )
        thousand = time.perf_counter() - begin
    qt.processEvents()
    return [
        Figure(f"first photo on screen of {_FILES:,} files", shown, "s", 1.0),
        Figure("1,000 thumbnails, from opening the folder", thousand, "s", 5.0),
    ]


def keys(place: Place) -> list[Figure]:
    """Go through 24 MP JPEGs by key at eight keys a second while another folder is read."""
    application()
    home = Home.at(place.scratch / "home")
    photos = large_jpegs(place, _LARGE_FILES, _LARGE_SIZE)
    noise = many_small(place.scratch / "noise", 4_000, (1600, 1200))
    with opened(home, photos[0].parent) as running:
        pipeline, session, window = running.pipeline, running.session, running.window
        assert pipeline is not None
        wait(
            lambda: sum(key is not None for key in session.table.strings("proxy")) >= len(photos),
            session.photos_changed,
        )
        QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
        wait(lambda: bool(window.loupe.isVisible()), window.loupe.painted)
        rest(1.0)
        compared = _compared(running, place)
        pipeline.open_folders([noise])
        moves = _pressed(running, itertools.cycle([Qt.Key.Key_Right]), _KEYS // 2)
        marks = _pressed(running, itertools.cycle([Qt.Key.Key_X, Qt.Key.Key_P]), _KEYS // 4)
        busy = pipeline.wait_idle(0.0) is None
        pipeline.pause()
        rest(1.0)
        cold = _cold(running)
    note = f"{len(moves)} keys, median {1000 * percentile(moves, 0.5):.1f} ms"
    note += "" if busy else "; the pipeline was done before the keys were"
    return [
        Figure(
            "key to painted photo, prefetched, pipeline running, p99",
            1000 * percentile(moves, 0.99),
            "ms",
            16.0,
            note=note,
        ),
        *compared,
        Figure(
            "mark to the next painted photo, the commit included, p99",
            1000 * percentile(marks, 0.99),
            "ms",
            26.0,  # the bar of a commit and that of a painted photo
            note=f"{len(marks)} marks, median {1000 * percentile(marks, 0.5):.1f} ms",
        ),
        Figure(
            "key to painted photo, cold, worst",
            1000 * max(cold),
            "ms",
            100.0,
            note=f"{len(cold)} keys, median {1000 * percentile(cold, 0.5):.1f} ms",
        ),
    ]


def _compared(running: app.App, place: Place) -> list[Figure]:
    """Go through them by key while an encoder looks at others; nothing where none is installed."""
    pipeline, settings = running.pipeline, running.session.settings
    assert pipeline is not None
    if encoding.missing() is not None:
        return []
    pipeline.open_folders([many_small(place.scratch / "compared", _COMPARED)])
    wait(lambda: pipeline.is_idle, pipeline.progressed)  # read: only the encoder is at work then
    settings.encoder.which = "starter"
    pipeline.settle_encoder()
    catalog = running.session.catalog
    wait(lambda: bool(catalog.encoders()), pipeline.saved)
    before = sum(catalog.encoders().values())
    moves = _pressed(running, itertools.cycle([Qt.Key.Key_Right]), _KEYS // 2)
    seen = sum(catalog.encoders().values()) - before
    settings.encoder.which = "none"
    pipeline.settle_encoder()
    note = f"median {1000 * percentile(moves, 0.5):.1f} ms; {seen:,} photos compared meanwhile"
    what = "key to painted photo, prefetched, an encoder at work, p99"
    return [Figure(what, 1000 * percentile(moves, 0.99), "ms", 16.0, note=note)]


def _pressed(running: app.App, which: Iterator[Qt.Key], count: int) -> list[float]:
    """Press keys at an even pace, turning round at the ends; return seconds to the paint."""
    session, spent = running.session, []
    for key in itertools.islice(which, count):
        if session.finished or session.index >= len(session.ids) - 1:
            session.go(0)
            rest(1.0)
        spent.append(_press(running, key))
        rest(max(0.0, _KEY_EVERY_S - spent[-1]))
    return spent


def _press(running: app.App, key: Qt.Key) -> float:
    """Press a key that goes to another photo; return the seconds until that one is painted."""
    session, loupe = running.session, running.window.loupe
    before, painted = session.current, []
    slot = lambda photo_id: painted.append((photo_id, time.perf_counter()))  # noqa: E731
    loupe.painted.connect(slot)
    begin = time.perf_counter()
    QTest.keyClick(running.window, key)
    if session.current == before:
        loupe.painted.disconnect(slot)
        raise KnownError(f"The key {key.name} led to no other photo.")
    wait(lambda: any(photo == session.current for photo, _ in painted), loupe.painted, 10.0)
    loupe.painted.disconnect(slot)
    return next(at for photo, at in painted if photo == session.current) - begin


def _cold(running: app.App) -> list[float]:
    """Go to photos anywhere, nothing decoded ahead."""
    session, spent = running.session, []
    chance = random.Random(1)
    frames = running.window.pictures.frames
    for _ in range(_COLD):
        session.go(chance.randrange(len(session.ids) - 1))
        rest(0.3)
        frames.want("loupe", ())
        frames.clear()
        spent.append(_press(running, Qt.Key.Key_Right))
    return spent
