"""A loupe over invented photos, and a pipeline that decodes them when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PySide6.QtGui import QAction, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator import commands
from curator.imaging import screen
from curator.imaging.overlay import measure
from curator.model import KnownError, View
from curator.session import Session
from curator.stages.frame import DecodeRequest, Frame
from curator.ui.loupe.loupe_view import LoupeView
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.key_state import KeyState
from curator.workers import Pixels
from tests.conftest import PATIENCE_MS
from tests.gui import swatches
from tests.gui.conftest import QuietPipeline

SIZE = (6000, 4000)
KEYS = {
    "Q": "toggle_faces",
    "Shift+Z": "next_face",
    "Z": "zoom",
    "Right": "next_photo",
    "X": "reject",
    "R": "switch_source",
    "J": "toggle_clipping",
    "A": "step_focus",
    "H": "toggle_histogram",
}


class Darkroom(QuietPipeline):
    """A pipeline that delivers originals when the test says so.

    Attributes:
        requests: requests not delivered yet, most urgent first.
        draw: draws the picture of a photo at a size, (H, W, 3) uint8.
        size: of a full picture.
    """

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        super().__init__()
        self.requests: list[DecodeRequest] = []
        self.draw: Callable[[int, tuple[int, int]], np.ndarray] = swatches.picture
        self.size = size
        self._callback: Callable[[DecodeRequest, object], None] | None = None
        self.frames = SimpleNamespace(request=self._request, full_s=lambda _want: 0.0)

    def _request(
        self, requests: Sequence[DecodeRequest], callback: Callable[[DecodeRequest, object], None]
    ) -> None:
        self.requests, self._callback = list(requests), callback

    @staticmethod
    def photo(request: DecodeRequest) -> int:
        """Return the photo of a file, by the names of tests.catalogs.fill."""
        return int(Path(request.path).stem.removeprefix("DSC_")) + 1

    def deliver(self, basis: str = "image") -> int:
        """Deliver the most urgent request. Return its photo."""
        request = self.requests.pop(0)
        photo = self.photo(request)
        rgb = self.draw(photo, self.size)
        overlay = measure(rgb, request.overlays) if request.overlays else None
        crops = [screen.crop(rgb, *crop, request.turn) for crop in request.crops]
        row = Pixels(screen.from_rgb(screen.row_of(crops), None)) if crops else None
        if request.size is not None:
            rgb = screen.from_rgb(rgb, request.size)
        pixels = Pixels(rgb) if request.pixels else None
        self._answer(request, Frame(pixels, basis, None, self.size, overlay, row=row))
        return photo

    def refuse(self, error: KnownError) -> int:
        """Refuse the most urgent request with an error. Return its photo."""
        request = self.requests.pop(0)
        self._answer(request, error)
        return self.photo(request)

    def _answer(self, request: DecodeRequest, answer: object) -> None:
        assert self._callback is not None
        self._callback(request, answer)


@contextmanager
def loupe_over(session: Session, photos: bool = True) -> Iterator[LoupeView]:
    """Open a loupe of 1,200 x 800 px with its keys, over photos with or without proxies."""
    if photos:
        swatches.lay_out(session.home.cache, session.ids.tolist())
    pictures = Pictures(session.home, session.settings)
    held = KeyState()
    loupe = LoupeView(session, pictures, held)
    loupe.installEventFilter(held)
    loupe.resize(1200, 800)
    for keys, command in KEYS.items():
        action = QAction(command, loupe)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _=False, name=command: commands.run(session, name))
        loupe.addAction(action)
    session.viewer.set_view(View.LOUPE)
    loupe.show()
    loupe.activateWindow()
    assert QTest.qWaitForWindowActive(loupe, PATIENCE_MS)
    yield loupe
    loupe.close()
    pictures.close()
    loupe.deleteLater()
    QApplication.processEvents()


def seen(loupe: LoupeView) -> QImage:
    """Return what the loupe shows now."""
    return loupe.grab().toImage()


def on_screen(loupe: LoupeView, session: Session) -> bool:
    """Whether the middle of the loupe has the current photo's color."""
    middle = loupe.place().center()
    return swatches.shows(seen(loupe), middle.x() + 5, middle.y(), session.current or 0)
