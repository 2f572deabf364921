"""Fixtures: a window over sixty invented photos whose pipeline only records requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Encoding, PipelineEvents
from curator.session import Session
from curator.settings import Settings
from curator.ui.main_window import MainWindow
from curator.ui.widgets import theme
from curator.ui.widgets.frames import Pictures
from tests.catalogs import fill
from tests.conftest import PATIENCE_MS

PHOTOS = 60


class QuietPipeline:
    """A pipeline that reads nothing; tests emit its events."""

    encoding = Encoding(None, "Similar photos and taste are off: no encoder installed.")

    def __init__(self) -> None:
        self.events = PipelineEvents()
        self.asked: list[tuple[str, object]] = []
        self.paused = False
        self.frames = SimpleNamespace(request=lambda *_: None, full_s=lambda _want: 0.0)

    def focus(self, ids: Sequence[int]) -> None:
        """Record nothing: every scroll calls this."""

    def open_folders(self, sources: Sequence[Path], recursive: bool = True) -> None:
        self.asked.append(("open", [Path(source) for source in sources]))

    def rescan(self, folder_id: int | None = None) -> None:
        self.asked.append(("rescan", folder_id))

    def retry(self, stage: str | None = None, ids: Sequence[int] | None = None) -> None:
        self.asked.append(("retry", ids))

    def pause(self) -> None:
        self.paused = True

    def reselect_encoder(self) -> Encoding:
        self.asked.append(("settle", None))
        return self.encoding

    def describe(self, *photos: int) -> None:
        self.asked.append(("describe", photos))

    def read_text(self, *photos: int) -> None:
        self.asked.append(("read text", photos))

    def apply_text_settings(self) -> None:
        self.asked.append(("settle text", None))

    def apply_watching_settings(self) -> None:
        self.asked.append(("settle watching", None))

    def apply_vision_settings(self) -> None:
        self.asked.append(("settle vision", None))

    def apply_faces_settings(self) -> None:
        self.asked.append(("settle faces", None))

    def resume(self) -> None:
        self.paused = False
        self.asked.append(("resume", None))


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> QApplication:
    """The application in Curator's look."""
    theme.apply(qapp)
    return qapp


@pytest.fixture
def pipeline(dressed: QApplication) -> QuietPipeline:
    return QuietPipeline()


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings.load(home)


@pytest.fixture
def make_session(
    home: Home, settings: Settings, pipeline: QuietPipeline
) -> Iterator[Callable[..., Session]]:
    """Makes sessions over a catalog with so many photos; the first call fills it."""
    made: list[Session] = []

    def make(photos: int = PHOTOS, folder: str = "/photos") -> Session:
        if not home.catalog.exists() and photos:
            fill(home.catalog, photos, folder=folder)
        session = Session(Catalog.open(home.catalog), home, settings, pipeline)  # type: ignore[arg-type]
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()
        session.catalog.close()


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    """A session over sixty photos, every tenth marked."""
    return make_session()


@pytest.fixture
def make_window(
    make_session: Callable[..., Session], pipeline: QuietPipeline
) -> Iterator[Callable[..., MainWindow]]:
    """Makes windows, shown; they and their threads are gone afterwards."""
    made: list[MainWindow] = []

    def make(session: Session | None = None, photos: int = PHOTOS) -> MainWindow:
        session = session or make_session(photos)
        window = MainWindow(session, Pictures(session.home, session.settings), pipeline)  # type: ignore[arg-type]
        made.append(window)
        window.show()
        window.activateWindow()
        assert QTest.qWaitForWindowActive(window, PATIENCE_MS)
        return window

    yield make
    for window in made:
        window.close()
        window.pictures.close()
        window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    """The window over sixty photos."""
    return make_window()
