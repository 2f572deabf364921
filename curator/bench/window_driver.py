"""Drive the real window without a display (Qt's offscreen platform) by real events.

A measurement ends when the widget has painted, the last step Curator controls. The reference is a
bare viewer that only draws given pictures.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from curator import app
from curator.bench.figures import Workspace
from curator.bench.photo_sets import large_jpegs
from curator.home import Home
from curator.model import KnownError
from curator.settings import Settings
from curator.ui.widgets import theme

SIZE = QSize(1440, 900)
_LARGE_FILES, _LARGE_PX = 24, (6000, 4000)
_VIEWER_KEY = Qt.Key.Key_F35  # no command uses it
_WAIT_S = 600.0  # background work has a low priority, so it is slow on a busy machine


def application() -> QApplication:
    """Return the QApplication, without a display, set up as in the program."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app.tune_process()
    qt = QApplication.instance() or QApplication(["curator"])
    assert isinstance(qt, QApplication)
    theme.apply(qt)
    return qt


@contextmanager
def opened(home: Home, *sources: Path) -> Iterator[app.App]:
    """Open the window as the program does, and close it at the end."""
    settings = Settings()
    settings.encoder.which = "none"
    running = app.build(home, settings, sources)
    running.window.resize(SIZE)
    running.window.show()
    app.freeze_long_lived(running)
    try:
        yield running
    finally:
        running.close()
        QApplication.processEvents()


@contextmanager
def opened_on_large(workspace: Workspace) -> Iterator[app.App]:
    """Open the window on JPEGs of 24 MP; they are read, and the pipeline is idle."""
    application()
    photos = large_jpegs(workspace, _LARGE_FILES, _LARGE_PX)
    with opened(Home.at(workspace.scratch / "home"), photos[0].parent) as running:
        pipeline = running.pipeline
        assert pipeline is not None
        wait_for_proxies(running, len(photos))
        wait(lambda: pipeline.is_idle, pipeline.events.idle)
        yield running


def enter_loupe(running: app.App) -> None:
    """Open the current photo in the loupe by key, and wait until it is painted."""
    loupe = running.window.loupe
    QTest.keyClick(running.window, Qt.Key.Key_E)
    wait(lambda: bool(loupe.isVisible()), loupe.painted)


def wait(holds: Callable[[], bool], signal: object, within_s: float = _WAIT_S) -> None:
    """Run the event loop until ``holds`` returns True, checking whenever ``signal`` is emitted.

    Polling with a sleep would delay the paint to measure.
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
        raise KnownError(f"The window did not react within {within_s:.0f} s.")


def run_events(seconds: float) -> None:
    """Run the event loop for some seconds."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def wait_for_proxies(running: app.App, count: int) -> None:
    """Wait until as many photos have proxies."""
    session = running.session
    wait(
        lambda: sum(key is not None for key in session.table.texts("proxy")) >= count,
        session.photos.photos_changed,
    )


def press(
    running: app.App,
    key: Qt.Key,
    painted: object,
    is_complete: Callable[[], bool] = lambda: True,
) -> float:
    """Press a key that goes to another photo; return the seconds until that photo is painted.

    Args:
        running: the window.
        key: the key.
        painted: the signal of the view, with the id of the painted photo.
        is_complete: whether a paint counts.

    Raises:
        KnownError: the key did not go to another photo, or it was not painted within 10 s.
    """
    session, before = running.session, running.session.current
    paints: list[tuple[int, float]] = []

    def note(photo: int) -> None:
        if is_complete():
            paints.append((photo, time.perf_counter()))

    painted.connect(note)  # type: ignore[attr-defined]
    begin = time.perf_counter()
    QTest.keyClick(running.window, key)
    if session.current == before:
        raise KnownError(f"The key {key.name} led to no other photo.")
    wait(lambda: any(photo == session.current for photo, _ in paints), painted, 10.0)
    painted.disconnect(note)  # type: ignore[attr-defined]
    return next(at for photo, at in paints if photo == session.current) - begin


class Paints(QObject):
    """Counts the paint events of a widget."""

    def __init__(self, widget: QObject) -> None:
        super().__init__()
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Count paint events, and filter none."""
        self.count += event.type() == QEvent.Type.Paint
        return False


class Layer(NamedTuple):
    """A part of an image to draw at 100 %, with its upper left corner at a point."""

    at: QPoint
    image: QImage
    part: QRect


class Viewer(QWidget):
    """The bare viewer: a window that only draws the given layers, at once or by a key.

    It never takes the keyboard from the measured window.
    """

    painted = Signal()

    def __init__(self, size: QSize = SIZE) -> None:
        # Without a display, any other type of window takes the keyboard when it is shown.
        super().__init__(None, Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.resize(size)
        self._layers: Sequence[Layer] = ()
        self._by_key: Sequence[Layer] = ()
        self._paints = 0
        self.show()
        QApplication.processEvents()

    def draw_and_wait(self, *layers: Layer) -> float:
        """Draw layers through the event loop; return the seconds until they were painted."""
        begin, before = time.perf_counter(), self._paints
        self._layers = layers
        self.update()
        wait(lambda: self._paints > before, self.painted)
        return time.perf_counter() - begin

    def press_and_wait(self, *layers: Layer) -> float:
        """Press a key that draws layers; return the seconds until they were painted."""
        begin, before = time.perf_counter(), self._paints
        self._by_key = layers
        QTest.keyClick(self, _VIEWER_KEY)
        wait(lambda: self._paints > before, self.painted)
        return time.perf_counter() - begin

    def keyPressEvent(self, _event: QKeyEvent) -> None:
        """Draw the next layers."""
        self._layers = self._by_key
        self.update()

    def keyReleaseEvent(self, _event: QKeyEvent) -> None:
        """Take the release."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the layers on top of each other."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), Qt.GlobalColor.black)
            for at, image, part in self._layers:
                painter.drawImage(at, image, part)
        self._paints += 1
        self.painted.emit()


def blank(size: QSize, seen_through: bool = False) -> QImage:
    """Return an image of one color, which takes as long to draw as any other of its size."""
    form = QImage.Format.Format_ARGB32_Premultiplied if seen_through else QImage.Format.Format_RGB32
    image = QImage(size, form)
    image.fill(0x40404040)
    return image


def picture(path: Path, box: QSize) -> QImage:
    """Decode a JPEG with libjpeg-turbo and scale it into a box with OpenCV."""
    pixels = simplejpeg.decode_jpeg(path.read_bytes(), "BGRA")
    scale = min(box.width() / pixels.shape[1], box.height() / pixels.shape[0], 1.0)
    scaled = cv2.resize(pixels, None, fx=scale, fy=scale)
    return image_of(np.ascontiguousarray(scaled))


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """Return a copy of (H, W, 4) BGRX pixels as an image."""
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def whole(image: QImage, at: QPoint | None = None) -> Layer:
    """Return a layer of a complete image, at a point or in the corner."""
    return Layer(at or QPoint(), image, image.rect())
