"""The composition root: builds catalog, pipeline, session and window, and takes them down again.

``python -m curator`` and the benchmarks call it. It is the only module that may import everything;
nothing else builds these parts or knows them all.
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
from curator.catalog import Catalog, DamagedError, damage_context
from curator.cli import stopping
from curator.home import Home
from curator.installing import is_frozen
from curator.model import BusyError, KnownError, Stopped, read_elsewhere
from curator.pipeline import Pipeline
from curator.pipeline.ingest import check_sources
from curator.session import Session
from curator.settings import Settings
from curator.ui import single_instance
from curator.ui.dialogs import recovery
from curator.ui.main_window import MainWindow
from curator.ui.widgets import dialogs, theme
from curator.ui.widgets.frames import Pictures

log = logging.getLogger(__name__)

# Python's default lets a busy thread keep the interpreter for 5 ms at a time, several times over;
# with two Python-bound threads the slowest key took 229 ms to paint, and 9 ms with this.
_SWITCH_INTERVAL_S = 0.0005
# A pause between key presses that is long enough to collect garbage in; without one it is collected
# after this many collections of young objects, ten times as many as by Python's default.
_PAUSE_MS, _COLLECT_ANYHOW = 3_000, 100
# glibc's mallopt (malloc.h): M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD. By default each
# thread keeps its own heap and the memory numpy freed: after an evening of searches a window on
# 100,000 photos used 797 MB, with these 543 MB. With an mmap threshold of 256 KB instead of
# 16 MB every overlay layer and table column came as fresh pages: 27 ms per frame, not 10.
_MEMORY = {-8: 2, -3: 1 << 24, -1: 1 << 24}
# Px that common window managers use for frame and title bar; unknown before the window shows.
_FRAME = QSize(4, 40)
# Variables that name a display on Linux, or select a Qt platform without one.
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@dataclass
class App:
    """The parts of a running window."""

    home: Home
    catalog: Catalog
    pipeline: Pipeline | None
    session: Session
    pictures: Pictures
    window: MainWindow

    def close(self) -> None:
        """Close all parts; no mark is lost, and unfinished work resumes at the next start."""
        self.session.close()
        self.window.close()
        self.window.deleteLater()
        self.pictures.close()
        if self.pipeline is not None:
            self.pipeline.stop()
        self.catalog.close()


def build(home: Home, settings: Settings, sources: Sequence[Path] = ()) -> App:
    """Build a window over a home; a QApplication must exist.

    If another process is already reading photos into this catalog, the window says so and reads
    none itself. A single file is inspected without adding it, as if dropped on the window.

    Raises:
        KnownError: the home or its catalog cannot be opened, or a source is missing.
    """
    home.make()
    with ExitStack() as built:  # closes what was built if a later part fails
        catalog = Catalog.open(home.catalog)
        built.callback(catalog.close)
        pipeline, notice = _start_reading(home, settings)
        if pipeline is not None:
            built.callback(pipeline.stop)
        session = Session(catalog, home, settings, pipeline)
        built.callback(session.close)
        pictures = Pictures(home, settings)
        built.callback(pictures.close)
        window = MainWindow(session, pictures, pipeline)
        app = App(home, catalog, pipeline, session, pictures, window)
        built.pop_all()
    try:
        if len(sources) == 1 and volumes.is_file(sources[0]):
            window.open_sources(sources)
        elif sources:
            session.sources.open_sources(list(sources))
    except KnownError:
        app.close()
        raise
    if notice:
        session.messages.announce(notice)
    return app


def _should_open_window(home: Home, sources: Sequence[Path], token: str) -> bool:
    """Whether to open a window here. If one is open on this home already, the person chooses.

    If not, the open window was asked to come to the front, or the person canceled.
    """
    if _is_headless() or not single_instance.is_running(home):
        return True
    paths = check_sources(sources)
    chosen = recovery.ask_which_window(sources)
    if chosen != recovery.SHOW:
        return chosen == recovery.ANOTHER
    return not single_instance.send_to_running(home, paths, token) and recovery.ask_without_answer()


def _receive_requests(app: App, server: single_instance.InstanceServer, qt: QApplication) -> None:
    """Let later starts bring this window to the front and open folders in it."""

    def handle(request: single_instance.OpenRequest) -> None:
        single_instance.bring_to_front(app.window, request.token)
        if request.paths:
            app.window.open_sources(request.paths)

    server.deliver_to(handle)
    server.setParent(app.window)
    if not _is_headless():
        # After the first window is closed, later starts find the window used last.
        qt.applicationStateChanged.connect(lambda _: server.listen())


def _build_or_restore(home: Home, settings: Settings, sources: Sequence[Path]) -> App:
    """Build the window; if the catalog is damaged, offer to restore it from a backup first."""
    try:
        with damage_context(home.catalog):
            return build(home, settings, sources)
    except DamagedError:
        if _is_headless() or not recovery.offer_restore(home):
            raise
    app = build(home, settings, sources)
    if app.pipeline is not None:
        app.pipeline.rescan()
    return app


def _fit_screen(window: QWidget) -> None:
    """Maximize a window that is too large for its screen, as after a change of screen."""
    fitting = window.size().boundedTo(window.screen().availableSize() - _FRAME)
    if fitting != window.size():
        window.resize(fitting)
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def _is_headless() -> bool:
    """Whether nobody can see the windows of this process, or answer its questions."""
    return QApplication.platformName() in ("offscreen", "minimal")


def _start_reading(home: Home, settings: Settings) -> tuple[Pipeline | None, str]:
    """Start the pipeline; if another process reads photos, return None and a message."""
    pipeline = Pipeline(home, settings, watching=True)
    try:
        pipeline.start()
    except BusyError:
        return None, str(read_elsewhere())
    return pipeline, ""


def main(home: Home, settings: Settings, sources: Sequence[Path] = ()) -> int:
    """Open the window and run until it is closed. Return the exit code.

    If a window is already open on this home, the person chooses: it comes to the front and opens
    the sources, or another window opens.

    Raises:
        KnownError: there is no display; or the home, its catalog or a source cannot be opened,
            which a dialog shows if there is no terminal.
        Stopped: a signal closed the window.
    """
    _check_display()
    tune_process()
    token = single_instance.activation_token()  # before Qt removes it
    qt = QApplication.instance() or single_instance.Application(["curator"])
    assert isinstance(qt, QApplication)
    theme.apply(qt)
    try:
        # Before anything slow, so that another start at the same time finds this one.
        server = single_instance.InstanceServer(home)
        first = not _is_headless() and server.listen()
        if not first and not _should_open_window(home, sources, token):
            return 0
        if isinstance(qt, single_instance.Application):
            qt.opened.connect(server.requested)
        app = _build_or_restore(home, settings, sources)
    except KnownError as error:
        _show_error(error)
        raise
    _report_bugs(app.session)
    _receive_requests(app, server, qt)
    _fit_screen(app.window)
    app.window.show()
    freeze_long_lived(app)
    try:
        return _run(app.window, qt)
    finally:
        app.close()


def tune_process() -> None:
    """Tune interpreter and memory for a window: threads switch often, freed memory is returned.

    Call it before other threads start. Bench calls it, too.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.freeze()  # traversing the modules twice took a fifth of the start
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError):  # another C library than glibc
            mallopt = ctypes.CDLL(None).mallopt
            for option, value in _MEMORY.items():
                mallopt(option, value)


def freeze_long_lived(app: App) -> None:
    """Exclude long-lived objects from garbage collection, and turn that on.

    With 100,000 photos a collection stopped the window for 60 to 100 ms. Half of these objects
    exist once the window is built, the others once taste was learned. To look through the rest
    still takes up to 8 ms, which wait for a pause between key presses. Bench calls it, too.
    """
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _COLLECT_ANYHOW)
    gc.enable()
    app.session.taste.scores_changed.connect(gc.freeze, Qt.ConnectionType.SingleShotConnection)
    pause = QTimer(app.window, singleShot=True, interval=_PAUSE_MS)
    pause.timeout.connect(lambda: gc.collect())
    app.session.photos.current_changed.connect(pause.start)


def _check_display() -> None:
    """Raise KnownError if there is no display; Qt would abort the process."""
    if sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        raise KnownError(
            "There is no display to open a window on.",
            "The commands need none: `curator --help` lists them.",
        )


def _show_error(error: KnownError) -> None:
    """Show in a dialog why no window opens, if no terminal shows it."""
    hidden = sys.platform == "win32" and is_frozen()  # the bundle's terminal
    on_terminal = sys.stderr is not None and sys.stderr.isatty() and not hidden
    if on_terminal or _is_headless():
        return
    body = "\n".join(part for part in (str(error.args[0]), error.remedy) if part)
    question = dialogs.Question("Nothing was opened", body, (), cancel="Close")
    dialogs.question_dialog(None, question).exec()


def _report_bugs(session: Session) -> None:
    """Log our own bugs and report them in the status line instead of ending the process."""

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        if isinstance(error, KnownError):  # raised in a slot, not in a command
            log.info("reported by a slot: %s", error, exc_info=(kind, error, trace))
            session.messages.announce(str(error))
            return
        log.error("bug", exc_info=(kind, error, trace))
        damage = session.catalog.store.damage_error(error)
        bug = f"Unexpected error ({kind.__name__}). `curator logs` shows the details."
        session.messages.announce(bug if damage is None else str(damage))

    def report_thread(args: threading.ExceptHookArgs) -> None:
        log.error(
            "bug in %s",
            args.thread.name if args.thread else "a thread",
            exc_info=(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback),
        )

    sys.excepthook = report
    threading.excepthook = report_thread


def _run(window: MainWindow, qt: QApplication) -> int:
    """Run until the window is closed, by a person or by a signal.

    Raises:
        Stopped: a signal closed it.
    """
    signals: list[int] = []

    def stop(number: int) -> None:
        signals.append(number)
        window.session.imports.stop()  # without a question
        window.close()
        qt.exit()  # also out of dialogs that wait for an answer

    # Python runs signal handlers only between its own instructions; Qt's event loop has none.
    heartbeat = QTimer(window)
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start(200)
    with stopping.on_signal(stop):
        code = qt.exec()
    if signals:
        raise Stopped(signals[0])
    return code
