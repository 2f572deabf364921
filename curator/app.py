"""The composition root: settings → catalog → pipeline → session → window, and back down again.

The only module that may import everything. Nothing else builds these parts or knows them all.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from curator import volumes
from curator.catalog import Catalog, DamagedError, blaming
from curator.cli import stopping
from curator.model import BusyError, KnownError, Stopped
from curator.pipeline import Pipeline
from curator.pipeline.opening import check_sources
from curator.session import Session
from curator.settings import Home, Settings
from curator.ui import single_instance
from curator.ui.dialogs import recovery
from curator.ui.main_window import MainWindow
from curator.ui.widgets import dialogs, theme
from curator.ui.widgets.frames import Pictures

log = logging.getLogger(__name__)

# Python's default lets a busy thread keep the interpreter for 5 ms at a time, several times over;
# with two Python-bound threads the slowest key took 229 ms to paint, and 9 ms with this.
_SWITCH_INTERVAL_S = 0.0005
# glibc's mallopt (malloc.h): M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD. Left alone, each
# thread keeps a heap of its own and what numpy let go of: a window on 100,000 photos had 797 MB
# after an evening's searches, and has 543 MB with these. Of 256 KB instead of 16 MB the second one
# had every layer of an overlay and column of a table come as fresh pages: 27 ms a frame, not 10.
_MEMORY = {-8: 2, -3: 1 << 24, -1: 1 << 24}
_AROUND = QSize(4, 40)  # px that usual window managers take for a frame and the title
# What says on Linux where windows go; the last one, that they go nowhere.
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@dataclass
class App:
    """The parts of a running window, from below to above."""

    home: Home
    catalog: Catalog
    pipeline: Pipeline | None
    session: Session
    pictures: Pictures
    window: MainWindow

    def close(self) -> None:
        """Take the parts down from above to below; nothing decided is lost, work resumes later."""
        self.session.close()
        self.window.close()
        self.window.deleteLater()
        self.pictures.close()
        if self.pipeline is not None:
            self.pipeline.stop()
        self.catalog.close()


def build(home: Home, settings: Settings, sources: Sequence[Path] = ()) -> App:
    """Put a window together over a home; a QApplication must exist.

    Where another process is already reading photos into this catalog the window opens all the
    same, to look and decide; it says who reads. A single file is looked at without adding it, as
    when it is dropped on the window.

    Raises:
        KnownError: the home or its catalog cannot be opened, or a source is not there.
    """
    home.make()
    with ExitStack() as begun:  # what was begun by then ends with a start that fails
        catalog = Catalog.open(home.catalog)
        begun.callback(catalog.close)
        pipeline, notice = _start_reading(home, settings)
        if pipeline is not None:
            begun.callback(pipeline.stop)
        session = Session(catalog, home, settings, pipeline)
        begun.callback(session.close)
        pictures = Pictures(home, settings)
        begun.callback(pictures.close)
        window = MainWindow(session, pictures, pipeline)
        app = App(home, catalog, pipeline, session, pictures, window)
        begun.pop_all()
    try:
        if len(sources) == 1 and volumes.is_file(sources[0]):
            window.take(sources)
        elif sources:
            session.open_sources(list(sources))
    except KnownError:
        app.close()
        raise
    if notice:
        session.announce(notice)
    return app


def _is_alone(home: Home, sources: Sequence[Path], token: str) -> bool:
    """Say whether to open a window: none is there, or the person wants another."""
    if _is_blind() or not single_instance.answers(home):
        return True
    paths = check_sources(sources)
    chosen = recovery.ask_which_window(sources)
    if chosen != recovery.SHOW:
        return chosen == recovery.ANOTHER
    return not single_instance.send_to_running(home, paths, token) and recovery.ask_without_answer()


def _hear_others(app: App, entrance: single_instance.InstanceServer, qt: QApplication) -> None:
    """Let a later start bring this window to the front, and hand over what it was to open."""

    def come(call: single_instance.OpenRequest) -> None:
        single_instance.bring_to_front(app.window, call.token)
        if call.paths:
            app.window.take(call.paths)

    entrance.attend(come)
    entrance.setParent(app.window)
    if not _is_blind():
        # The window one used last is the one that is found, once the first is closed.
        qt.applicationStateChanged.connect(lambda _: entrance.listen())


def _built(home: Home, settings: Settings, sources: Sequence[Path]) -> App:
    """Build the window; a damaged catalog may have its back-up put in its place first."""
    try:
        with blaming(home.catalog):
            return build(home, settings, sources)
    except DamagedError:
        if _is_blind() or not recovery.offer_restore(home):
            raise
    app = build(home, settings, sources)
    if app.pipeline is not None:
        app.pipeline.rescan()
    return app


def _fit_screen(window: QWidget) -> None:
    """Maximize a window that is too large for its screen: a new one, or one of a larger screen.

    The frame counts, too, but the window manager draws it only once the window shows.
    """
    within = window.size().boundedTo(window.screen().availableSize() - _AROUND)
    if within != window.size():
        window.resize(within)
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def _is_blind() -> bool:
    """Say whether nobody sees this process's windows, or can answer its questions."""
    return QApplication.platformName() in ("offscreen", "minimal")


def _start_reading(home: Home, settings: Settings) -> tuple[Pipeline | None, str]:
    pipeline = Pipeline(home, settings, watching=True)
    try:
        pipeline.start()
    except BusyError as error:
        return None, str(error)
    return pipeline, ""


def main(home: Home, settings: Settings, sources: Sequence[Path] = ()) -> int:
    """Open the window and stay until it is closed; the exit code.

    Where a window is open on this home already, the person chooses: that one comes to the front
    and opens the sources, or there is another.

    Raises:
        KnownError: there is no display; or the home, its catalog or a source cannot be opened,
            which a dialog says where no terminal would show it.
        Stopped: a signal closed the window.
    """
    _need_display()
    tune_process()
    token = single_instance.token()  # Qt takes it away
    qt = QApplication.instance() or single_instance.Application(["curator"])
    assert isinstance(qt, QApplication)
    theme.apply(qt)
    try:
        # At once: who starts while this window is made, or in the same instant, is to find it.
        entrance = single_instance.InstanceServer(home)
        first = not _is_blind() and entrance.listen()
        if not first and not _is_alone(home, sources, token):
            return 0
        if isinstance(qt, single_instance.Application):
            qt.opened.connect(entrance.called)
        app = _built(home, settings, sources)
    except KnownError as error:
        _show(error)
        raise
    _report_mistakes(app.session)
    _hear_others(app, entrance, qt)
    _fit_screen(app.window)
    app.window.show()
    settle(app)
    try:
        return _run(app.window, qt)
    finally:
        app.close()


def tune_process() -> None:
    """Set up the interpreter and memory for a window: threads take turns often, room is given back.

    OpenRequest it before there are other threads; bench does as well.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.freeze()  # the modules: to look through them twice was a fifth of the time to a window
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError):  # another C library than glibc
            mallopt = ctypes.CDLL(None).mallopt
            for option, value in _MEMORY.items():
                mallopt(option, value)


def settle(app: App) -> None:
    """Keep what stays for the evening out of the garbage collector's rounds.

    With 100,000 photos they held the window up for 60 to 100 ms; half of what they looked at is
    there when the window is, half once taste was learned. Bench does as well.
    """
    gc.freeze()
    app.session.scores_changed.connect(gc.freeze, Qt.ConnectionType.SingleShotConnection)


def _need_display() -> None:
    """Say in a sentence what Qt would end the process for."""
    if sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        raise KnownError(
            "There is no display to open a window on.",
            "The verbs need none: `curator --help` lists them.",
        )


def _show(error: KnownError) -> None:
    """Show why no window opens, where no terminal does: when a file manager started us."""
    hidden = sys.platform == "win32" and getattr(sys, "frozen", False)  # the bundle's terminal
    on_terminal = sys.stderr is not None and sys.stderr.isatty() and not hidden
    if on_terminal or _is_blind():
        return
    body = "\n".join(part for part in (str(error.args[0]), error.remedy) if part)
    question = dialogs.Question("Nothing was opened", body, (), cancel="Close")
    dialogs.question_dialog(None, question).exec()


def _report_mistakes(session: Session) -> None:
    """Keep our own mistakes from taking the window down: the log has them, the line says so."""

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        if isinstance(error, KnownError):  # the world's fault: a slot that nobody pressed
            log.info("said by a slot: %s", error, exc_info=(kind, error, trace))
            session.announce(str(error))
            return
        log.error("a mistake of ours", exc_info=(kind, error, trace))
        damage = session.catalog.store.damage_error(error)
        if damage is not None:
            session.announce(str(damage))
            return
        session.announce(f"Curator made a mistake ({kind.__name__}). Details are in the log.")

    def report_thread(args: threading.ExceptHookArgs) -> None:
        log.error(
            "a mistake of ours in %s",
            args.thread.name if args.thread else "a thread",
            exc_info=(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback),
        )

    sys.excepthook = report
    threading.excepthook = report_thread


def _run(window: MainWindow, qt: QApplication) -> int:
    """Run until the window is closed, or a signal closes it as its own button would.

    Raises:
        Stopped: a signal did.
    """
    got: list[int] = []

    def leave(number: int) -> None:
        got.append(number)
        window.close()
        qt.exit()  # also out of dialogs that wait for an answer

    # Qt's event loop runs no Python by itself; a handler needs a moment of it now and then.
    beat = QTimer(window)
    beat.timeout.connect(lambda: None)
    beat.start(200)
    with stopping.on_signal(leave):
        code = qt.exec()
    if got:
        raise Stopped(got[0])
    return code
