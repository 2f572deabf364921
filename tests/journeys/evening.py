"""A simulated user at the window, who opens folders, presses keys and reads the screen.

    evening = Evening(qtbot, home)
    evening.open(folder).press("Alt+1", "X").reads("Rejected")

The whole app runs in process over real files and real worker processes; nothing is replaced.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.exceptions import TimeoutError
from pytestqt.qtbot import QtBot

from curator import app
from curator.home import Home
from curator.settings import Settings
from curator.ui.widgets import theme
from tests.conftest import PATIENCE_MS

D = TypeVar("D", bound=QWidget)

WAIT_MS = 120_000  # a loaded machine is no fault


class Evening:
    """A session with Curator until :meth:`close`; :meth:`again` starts the next one."""

    def __init__(self, qtbot: QtBot, home: Home) -> None:
        self.qtbot = qtbot
        self.home = home
        self.app: app.App | None = None

    def start(self, *sources: Path) -> Evening:
        """Start Curator with folders, as the command line does."""
        qt = QApplication.instance()
        assert isinstance(qt, QApplication)
        theme.apply(qt)
        self.app = app.build(self.home, Settings.load(self.home), sources)
        self.window.resize(1440, 900)
        self.window.show()
        QTest.qWaitForWindowExposed(self.window, PATIENCE_MS)
        self.window.activateWindow()
        return self

    def open(self, *sources: Path, photos: int | None = None) -> Evening:
        """Start with folders and wait until all photos are read or have failed."""
        self.start(*sources)
        self.until(lambda: self.all_read(photos))
        return self

    def all_read(self, photos: int | None = None) -> bool:
        """Whether the scope has all its photos, each with a proxy or a failure."""
        session = self.session
        tiles = [session.tile(int(photo)) for photo in session.table.ids]
        done = all(tile.proxy or tile.state for tile in tiles)
        return bool(tiles) and done and (photos is None or len(tiles) == photos)

    @property
    def window(self) -> QWidget:
        assert self.app is not None
        return self.app.window

    @property
    def session(self) -> app.Session:
        assert self.app is not None
        return self.app.session

    def until(self, condition: Callable[[], object]) -> Evening:
        """Run events until a condition is true."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)
        return self

    def press(self, *keys: str) -> Evening:
        """Press keys one after the other, each after its photo is on screen."""
        for key in keys:
            self.until(self.on_screen)
            combination = QKeySequence(key)[0]
            target = QApplication.focusWidget() or self.window
            QTest.keyClick(target, combination.key(), combination.keyboardModifiers())
        self.qtbot.wait(1)
        return self

    def type(self, text: str) -> Evening:
        """Type text into the widget with the focus."""
        QTest.keyClicks(QApplication.focusWidget() or self.window, text)
        return self

    def on_screen(self) -> bool:
        """Whether the current photo is painted, or the view paints none."""
        session = self.session
        if (
            session.view_state.finished
            or session.view_state.view == "grid"
            or session.current is None
        ):
            return True
        return session.viewer.is_painted

    def name(self) -> str:
        """The name of the current photo."""
        current = self.session.current
        return "" if current is None else self.session.table.name(current)

    def texts(self) -> list[str]:
        """Return every text on screen."""
        shown = [widget for widget in self.window.findChildren(QWidget) if widget.isVisible()]
        kinds = QLabel | QAbstractButton
        labelled = [widget.text() for widget in shown if isinstance(widget, kinds)]
        return labelled + [widget.accessibleName() for widget in shown]

    def reads(self, text: str) -> Evening:
        """Wait until a text is somewhere in the window."""
        try:
            self.until(lambda: any(text in shown for shown in self.texts()))
        except TimeoutError as error:
            raise AssertionError(f"{text!r} is not on screen, but {self.texts()}") from error
        return self

    def close(self) -> None:
        """Close the window, as a user does."""
        if self.app is not None:
            self.app.close()
            self.app = None
            gc.collect()  # what is left of the window goes on this thread, before there are others

    def again(self, *sources: Path) -> Evening:
        """Close the window and start again."""
        self.close()
        return self.start(*sources)


def answer(dialog_type: type[D], act: Callable[[D], None]) -> None:
    """Call a function with the next modal dialog of a type as soon as it is open."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, dialog_type):
            act(dialog)
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(10, look)


def pressed(widget: QWidget, key: Qt.Key) -> None:
    """Press a key in a widget."""
    QTest.keyClick(widget, key)
