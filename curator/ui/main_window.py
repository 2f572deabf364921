"""The window: its edges, its pages, and which of them are there when.

Geometry is plain arithmetic: top bar, status line and filmstrip take their heights, panels their
widths. It follows from the window's size and from what a person chose, never from what goes on in
the background: nothing on screen moves by itself.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QPoint, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from curator import commands, volumes
from curator.files import IMAGE_SUFFIXES, RAW_SUFFIXES
from curator.keyboard import Keyboard, in_force, preset
from curator.keymap import Binding
from curator.model import KnownError, Pass, View
from curator.pipeline import Pipeline
from curator.session import Session
from curator.ui.compare.compare_view import CompareView
from curator.ui.dialogs import palette
from curator.ui.dialogs.rejects_dialog import review_rejects
from curator.ui.dialogs.tag_entry import TagEntry
from curator.ui.dock_layout import DockLayout, place
from curator.ui.grid.grid_view import GridView
from curator.ui.loupe.candidates import CandidatesPanel
from curator.ui.loupe.filmstrip import Filmstrip
from curator.ui.loupe.loupe_view import LoupeView
from curator.ui.pages.empty_state import EmptyList, EmptyWindow
from curator.ui.pages.file_preview import FilePreview
from curator.ui.pages.finish_page import FinishPage
from curator.ui.pages.help_overlay import HelpOverlay
from curator.ui.pages.overview_page import OverviewPage
from curator.ui.pages.projects import ProjectParts
from curator.ui.pages.taste_page import TastePage
from curator.ui.pages.tour import Tour
from curator.ui.panels import saved_searches
from curator.ui.panels.inspector import Inspector
from curator.ui.panels.model_download import EncoderPanel, Weights
from curator.ui.panels.notification_bar import Offer, OfferLine
from curator.ui.panels.sidebar import Sidebar
from curator.ui.panels.sidecars import SidecarParts
from curator.ui.panels.status_line import StatusLine
from curator.ui.panels.top_bar import TopBar
from curator.ui.panels.vision_provider import ProviderWatch, for_settings
from curator.ui.photo_menu import by_key, photo_menu
from curator.ui.pipeline_notifications import PipelineNotifications
from curator.ui.widgets import dialogs, theme
from curator.ui.widgets.actions import KeyActions
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.key_state import KeyState
from curator.ui.window_actions import WindowActions

log = logging.getLogger(__name__)

# Where the catalog keeps the window's own facts; no scope can have this key, a path is absolute.
PLACE = "window"
_FIRST_SIZE = (1440, 900)
_SMALLEST = (640, 400)  # half a screen of 1440 x 900 at twice its scale has 720 x 450
_PICTURES = "Photos ({});;All files (*)".format(
    " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(IMAGE_SUFFIXES | RAW_SUFFIXES))
)


class MainWindow(QWidget):
    """The window over one session. Closing it saves the place; its owner stops what runs.

    Thread: GUI.
    """

    def __init__(
        self, session: Session, pictures: Pictures, pipeline: Pipeline | None = None
    ) -> None:
        super().__init__()
        self.session = session
        self.pictures = pictures
        self._pipeline = pipeline
        self.setObjectName("window")
        self.setMinimumSize(*_SMALLEST)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._memory: dict[str, Any] = dict(session.catalog.place(PLACE) or {})
        self._recent: list[str] = list(self._memory.get("recent") or ())
        self._sidebar_off = bool(self._memory.get("sidebar_off"))  # where it stands beside
        self._sidebar_called = False  # where it does not: it lies over the page
        self.pipeline_notifications: PipelineNotifications | None = None
        keyboard, refused = in_force(session.home)
        self.keys = KeyActions(self, keyboard, self._press)
        self._key_state = KeyState(self)
        self._key_state.use(keyboard)
        self._key_state.watch(self)
        self.window_actions = WindowActions(
            self,
            session,
            self._memory,
            self._settings_changed,
            lambda: self.keys.keyboard,
            self.use_keys,
        )
        self._tell_session(keyboard)
        self._make_pages()
        self._make_edges()
        self._answers = self._answering()
        self._connect()
        self._restore()
        self.refresh()
        if refused:
            act = "Change the keys…"
            self.offers.offer(Offer("keys", refused, act, self._change_keys, once=False))

    # --- parts

    def _make_pages(self) -> None:
        session, run = self.session, self.run
        self.pages = QStackedWidget(self)
        self.grid = GridView(session, self.pictures)
        self.loupe = LoupeView(session, self.pictures, self._key_state)
        self.compare = CompareView(session, self.pictures, self.loupe.originals, self._key_state)
        self.finish = FinishPage(session, run, self.pictures)
        self.empty_window = EmptyWindow(session, run)
        self.empty_list = EmptyList(session, run)
        self.overview = OverviewPage(session, self.refresh)
        for page in (
            self.grid,
            self.loupe,
            self.compare,
            self.finish,
            self.empty_window,
            self.empty_list,
            self.overview,
        ):
            self.pages.addWidget(page)
        self.finish.sheet.pressed.connect(self._look_at)

    def _make_edges(self) -> None:
        session, run = self.session, self.run
        self.topbar = TopBar(session, run, self.view_name)
        self.topbar.scope.press_to(self._call_sidebar, "")
        self.offers = OfferLine()
        self.tour = Tour(session, self._memory)
        self.filmstrip = Filmstrip(session, self.pictures)
        self.candidates = CandidatesPanel(session, self.pictures, self._key_state)
        self.status = StatusLine(session, lambda: session.ask("failures"))
        self.sidebar = Sidebar(session, run)
        self.inspector = Inspector(session, self.pictures)
        self.weights = Weights(session, self.offers, self)
        self.provider = ProviderWatch(session, self.offers, self)
        self.window_actions.notes = lambda: {
            "encoder": EncoderPanel(self.weights),
            "vision": for_settings(session, self.provider),
        }
        for edge in (
            self.topbar,
            self.tour,
            self.filmstrip,
            self.candidates,
            self.status,
            self.offers,
            self.sidebar,
            self.inspector,
        ):
            edge.setParent(self)
        self.veil = QLabel("Drop to open", self)
        self.veil.setTextFormat(Qt.TextFormat.PlainText)
        self.veil.setObjectName("veil")
        self.veil.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.veil.hide()
        self.file_preview = FilePreview(self, session)
        self.projects = ProjectParts(
            self, session, self.pictures, self.grid, self.offers, lambda: self.keys.keyboard
        )
        self.sidecars = SidecarParts(self, session, self.offers, self.status, run)
        self.help = HelpOverlay(self, self.view_name, lambda: self.keys.keyboard)
        self.command_palette = palette.Palette(self, lambda: self.keys.keyboard)
        self.tag_entry = TagEntry(self, self.session)

    def _connect(self) -> None:
        session = self.session
        session.view_changed.connect(self.refresh)
        session.list_changed.connect(self.refresh)
        session.asked.connect(self._asked)
        session.taste_ready.connect(self._offer_taste)
        self.offers.changed.connect(self.arrange)
        session.said.connect(self.offers.make_way)
        self.tour.changed.connect(self.arrange)
        self.sidebar.folder_switched.connect(self.window_actions.switch_folder)
        self.topbar.search.left.connect(self._focus_page)
        self.help.closed.connect(self._focus_page)
        self.command_palette.closed.connect(self._focus_page)
        self.projects.chooser.closed.connect(self._focus_page)
        self.tag_entry.closed.connect(self._focus_page)
        self.file_preview.closed.connect(self._focus_page)
        self.file_preview.folder_wanted.connect(lambda folder: self.open([folder]))
        self.file_preview.photo_wanted.connect(self._visit)
        for rows in (self.sidebar.folders, self.sidebar.projects.rows, self.sidebar.filters):
            rows.pressed.connect(self._send_sidebar_away)
        if self._pipeline is not None:
            self.pipeline_notifications = PipelineNotifications(self, self._pipeline, self._memory)

    # --- what shows

    def view_name(self) -> str:
        """Give the view keys are bound in: one of VIEWS."""
        if self.overview.is_open:
            return "overview"
        return "finish" if self.session.finished else self.session.view.value

    def page(self) -> QWidget:
        """Say which page stands in the middle."""
        session = self.session
        if not session.table.alive().any():
            scanning = (
                self.pipeline_notifications is not None and self.pipeline_notifications.scanning
            )
            known = session.scope.kind == "folder" or scanning or bool(session.scopes()[1:])
            return self.empty_list if known else self.empty_window
        if self.overview.is_open:
            return self.overview
        if session.finished and session.progress().total:
            return self.finish
        if not len(session.ids):
            return self.empty_list
        return {View.GRID: self.grid, View.LOUPE: self.loupe}.get(session.view, self.compare)

    def refresh(self) -> None:
        """Take over page, edges and keys from the session."""
        page = self.page()
        if page is self.empty_list:
            self.empty_list.refresh()
        if self.pages.currentWidget() is not page:
            self.pages.setCurrentWidget(page)
            if not self.topbar.search.hasFocus():  # who types sees what is found, and types on
                self._focus_page()
        self.keys.enter_view(self.view_name())
        title = self.session.scope.title
        self.setWindowTitle("Curator" if page is self.empty_window else f"{title} · Curator")
        if self.session.pass_ is not Pass.BROWSE:
            self.offers.withdraw("start")
        if self.session.pass_ is Pass.BROWSE or self.session.order == "match":
            self.offers.withdraw("taste")
        self.arrange()

    def arrange(self) -> None:
        """Give every part its place."""
        session, page = self.session, self.pages.currentWidget()
        chrome = not session.bare
        narrow = self.width() < theme.NARROW
        beside = self._has_sidebar_beside()
        self._sidebar_called &= not beside  # what lay over the page stands beside it now
        called = self._sidebar_called and page is not self.empty_window
        inspected = session.inspector and page in (self.grid, self.loupe, self.compare)
        along = page is self.loupe or (page is self.compare and session.view is View.COMPARE)
        space = DockLayout(self.rect())
        space.top(self.topbar, theme.TOPBAR, chrome)
        space.top(self.tour, theme.OFFER, chrome and self.tour.shows and page is self.loupe)
        space.bottom(self.status, theme.STATUSLINE + theme.PASSLINE, chrome)
        offered = self.status.act_room().translated(self.status.pos())
        place(self.offers, offered, chrome and self.offers.shows)
        space.bottom(self.filmstrip, theme.FILMSTRIP, chrome and along)
        side = chrome and ((beside and not self._sidebar_off) or called)
        space.beside(self.sidebar, theme.SIDEBAR, side, right=False, over=not beside)
        self.topbar.sidebar.setEnabled(page is not self.empty_window)
        space.beside(self.inspector, theme.INSPECTOR, chrome and inspected, right=True, over=False)
        rating = page is self.loupe and session.pass_ is Pass.RATE and not narrow
        space.beside(self.candidates, theme.CANDIDATES, chrome and rating, right=True, over=False)
        head = self.projects.head_height(chrome and page is self.grid)
        space.top(self.projects.head, head, head > 0)
        self.pages.setGeometry(space.left)
        self.veil.setGeometry(self.rect())
        search = self.topbar.search
        for over in (search.hints, search.problem, *self._covers()):
            if not over.isHidden():  # also before the window itself is shown
                over.raise_()

    def _covers(self) -> tuple[QWidget, ...]:
        """List what lies over the page, and has the keyboard while it shows."""
        return (
            self.file_preview,
            self.help,
            self.command_palette,
            self.projects.chooser,
            self.tag_entry,
        )

    def resizeEvent(self, event: object) -> None:
        """Arrange for the size."""
        self.arrange()

    def _has_sidebar_beside(self) -> bool:
        """Whether there is room for the sidebar beside the page, and use for it."""
        page = self.pages.currentWidget()
        in_grid = page in (self.grid, self.empty_list) and self.session.view is View.GRID
        return (in_grid or page is self.overview) and self.width() >= theme.NARROW

    def _toggle_sidebar(self) -> None:
        """Show or hide the sidebar, beside the page or over it."""
        if self._has_sidebar_beside():
            self._sidebar_off = not self._sidebar_off
            self.arrange()
        else:
            self._call_sidebar()

    def _call_sidebar(self) -> None:
        """Bring the sidebar: beside the page where there is room, else over it, or off it again."""
        if self._has_sidebar_beside():
            self._sidebar_off = False
        else:
            self._sidebar_called = not self._sidebar_called
        self.arrange()

    def _send_sidebar_away(self) -> None:
        """Take the sidebar off the page; beside it, it stays."""
        if self._sidebar_called:
            self._sidebar_called = False
            self.arrange()

    def _focus_page(self) -> None:
        if any(over.isVisible() for over in self._covers()):
            return
        page = self.pages.currentWidget()
        (self if page is None or page.focusPolicy() is Qt.FocusPolicy.NoFocus else page).setFocus()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the keyboard back from the search field."""
        self._focus_page()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show what can be done with the photo that was pressed, or with the one in hand."""
        page, at = self.pages.currentWidget(), event.pos()
        shown = [part for part in (self.pages, self.filmstrip) if part.isVisible()]
        over = any(part.geometry().contains(at) for part in shown)
        covered = any(cover.isVisible() for cover in self._covers())
        if over and not covered and page in (self.grid, self.loupe, self.compare):
            by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
            place = event.globalPos() if by_mouse else self._in_hand()
            photo_menu(self, self.session, self.view_name(), self.run).popup(place)

    def _in_hand(self) -> QPoint:
        """Give the middle of the photo in hand, on the screen."""
        page, panes = self.pages.currentWidget() or self.pages, self.session.panes
        rect = page.rect()
        if page is self.grid and (number := self.session.tile_number) >= 0:
            self.grid.reveal(number)
            page, rect = self.grid.viewport(), self.grid.cell(number)
        elif page is self.compare and panes is not None:
            rect = self.compare.panes()[panes.active].cell
        return page.mapToGlobal(rect.center())

    # --- keys

    def run(self, command: str) -> None:
        """Run a command by name, as a press on something does."""
        self.overview.makes_way(command)
        commands.run(self.session, command)
        self.tour.did(command)
        self._focus_page()

    def _press(self, binding: Binding) -> None:
        if binding.repeat or not self._key_state.repeated:
            self._do(binding.command, binding.invert)

    def _do(self, command: str, invert: bool = False) -> None:
        if command == "back" and (self._close_something() or self.overview.leave()):
            return
        self.overview.makes_way(command)
        self.session.caps_lock = self._caps_lock_advances and self._key_state.caps_lock
        commands.run(self.session, command, invert)
        self.tour.did(command)

    def use_keys(self, keyboard: Keyboard) -> None:
        """Put other keys in force, in every sentence too."""
        self.keys.use(keyboard)
        self._key_state.use(keyboard)
        self._tell_session(keyboard)
        self.offers.withdraw("keys")
        self.session.view_changed.emit()

    def _tell_session(self, keyboard: Keyboard) -> None:
        """Let the session name the keys in force, and advance as their preset does."""
        its = preset(keyboard.preset)
        self.session.keys = theme.all_keys(keyboard.first_keys())
        self.session.flags_stay = its.flags_stay
        self._caps_lock_advances = its.caps_lock

    def _change_keys(self) -> None:
        self.window_actions.settings("Keys")

    def _open_palette(self) -> None:
        session = self.session
        photo = session.current

        def do(command: str) -> None:
            if photo is not None and session.current != photo:
                session.go_to(photo)
            self._do(command)

        self.command_palette.open(palette.entries(session, self.view_name(), do), self._recent)

    def _close_something(self) -> bool:
        """Let Esc close what lies over or above the page first; tell whether there was any."""
        if self._sidebar_called:
            self._send_sidebar_away()
            return True
        if self.session.zoom is not None or self.session.fullscreen:
            return False
        if self.session.panels_hidden:
            self.run("toggle_panels")
            return True
        return False

    def event(self, event: QEvent) -> bool:
        """Claim digits by their place before the shortcuts look at their characters."""
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self.keys.by_place(event) is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Run what a digit's place is bound to."""
        action = self.keys.by_place(event)
        if action is None and by_key(event, self):
            return
        if action is None:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            action.trigger()

    # --- what the session asks for

    def _asked(self, what: str, about: object) -> None:
        if self.window_actions.does(what):
            self.window_actions.do(what, about)
        elif what in self._answers:
            self._answers[what](about)

    def _answering(self) -> dict[str, Callable[[Any], object]]:
        """Return what this window does when the session asks; WindowActions does the rest."""
        session = self.session
        return {
            "dismiss": lambda _: self.offers.dismiss(),
            "sidebar": lambda _: self._toggle_sidebar(),
            "search": lambda about: saved_searches.asked(session, about, self),
            "order": lambda _: self.topbar.show_orders(),
            "filter": lambda _: self.search(),
            "help": lambda _: self.help.open(),
            "menu": lambda _: self.topbar.show_menu(),
            "palette": lambda _: self._open_palette(),
            "tag": self.tag_entry.open,
            "rename_tag": lambda name: self.tag_entry.rename(str(name)),
            "sidecars": lambda _: self.sidecars.open(),
            "placard": lambda _: self._choose_placard(),
            "tour": lambda _: self.tour.begin(),
            "project": self.projects.asked,
            "taste": lambda _: self._open_taste(),
            "remove_rejects": lambda _: review_rejects(session, self.pictures, self),
            "fullscreen": lambda _: self._fill_screen(),
            "quit": lambda _: self.close(),
        }

    def _open_taste(self) -> None:
        page = TastePage(self.session, self.pictures, self)
        page.finished.connect(page.deleteLater)
        page.open()

    def search(self) -> None:
        """Put the cursor into the search field."""
        if self.session.panels_hidden:
            self.run("toggle_panels")
        self.topbar.search.setFocus()
        self.topbar.search.selectAll()

    def _fill_screen(self) -> None:
        if self.session.fullscreen:
            self._was_maximized = self.isMaximized()
            self.showFullScreen()
        elif getattr(self, "_was_maximized", False):
            self.showMaximized()
        else:
            self.showNormal()

    def _look_at(self, photo_id: int) -> None:
        """Show a photo of the finish page's contact sheet, in the pass or else in the scope."""
        if photo_id not in self.session.listing:
            self.run("browse")
        if photo_id not in self.session.listing:
            self.session.set_filter("")
        self.session.go_to(photo_id)
        self.session.set_view(View.LOUPE)

    def _visit(self, photo_id: int) -> None:
        self.session.visit(photo_id)
        self.session.set_view(View.LOUPE)

    def _choose_placard(self) -> None:
        chosen = dialogs.choose_file(self, "Placard of a file", pattern=_PICTURES)
        if chosen:
            self.file_preview.open(Path(chosen))

    def _settings_changed(self, changed: set[str]) -> None:
        settings = self.session.settings
        self.session.surround = settings.loupe.surround
        self.pictures.frames.budget_bytes = settings.loupe.frames_mb << 20
        self.weights.settings_changed(changed)
        self.session.clerk.settings_changed(changed)
        if "scan.watch" in changed and self._pipeline is not None:
            self._pipeline.settle_watching()
        if changed & {"taste.match_threshold", "approval.rule"}:
            self.session.rebuild(self.session.current)
            self.session.counts_changed.emit()
        if any(name.startswith("sidecars.") for name in changed) and self._pipeline is not None:
            self._pipeline.write_sidecars()
        if any(name.startswith("taste.") for name in changed):
            if "taste.from_files" in changed:
                self.session.taste.anything()
            self.session.taste.look()  # how much recent stars weigh may be another
        self.session.view_changed.emit()

    def _offer_taste(self) -> None:
        """Offer the order there now is; a pass under way never changes its own."""
        key = self.session.keys.get("order")
        act = f"Sort by lowest match ({key})" if key else "Sort by lowest match"
        self.offers.offer(
            Offer("taste", "Taste is ready", act, lambda: self.session.set_order("match"))
        )

    # --- dropping folders and files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome local folders and files."""
        dropped = _dropped(event)
        if dropped:
            event.acceptProposedAction()
            self.veil.setText("Drop to look at it" if _single_file(dropped) else "Drop to open")
            self.veil.show()
            self.veil.raise_()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Nothing is to be dropped after all."""
        self.veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take what was dropped."""
        self.veil.hide()
        event.acceptProposedAction()
        self.take(_dropped(event))

    def take(self, sources: Sequence[Path]) -> None:
        """Show the placard of a single file; open whatever else there is."""
        if _single_file(sources):
            self.file_preview.open(sources[0])
        else:
            self.file_preview.close_panel()
            self.open(sources)

    def open(self, sources: Sequence[Path]) -> None:
        """Open folders and files; the world's faults go to the status line."""
        if not sources:
            return
        try:
            self.window_actions.open(sources)
        except KnownError as error:
            self.session.say(str(error))

    # --- coming and going

    def _restore(self) -> None:
        memory = self._memory
        self.resize(*_FIRST_SIZE)
        geometry = memory.get("geometry")
        if isinstance(geometry, str):
            self.restoreGeometry(QByteArray(base64.b64decode(geometry)))
        self.session.inspector = bool(memory.get("inspector"))
        self.sidebar.unfolded.update(memory.get("unfolded") or ())
        self.offers.never = set(memory.get("never") or ())
        if self.pipeline_notifications is not None:
            self.pipeline_notifications.say_encoder()

    def _remember(self) -> None:
        if self.session.fullscreen:
            self.session.fullscreen = False
            self._fill_screen()
        geometry = bytes(self.saveGeometry().data())
        self._memory |= {
            "geometry": base64.b64encode(geometry).decode("ascii"),
            "inspector": self.session.inspector,
            "sidebar_off": self._sidebar_off,
            "unfolded": sorted(self.sidebar.unfolded),
            "never": sorted(self.offers.never),
            "recent": self._recent,
        }
        try:
            self.session.catalog.save_place(PLACE, self._memory)
        except KnownError as error:
            log.warning("The window's place was not remembered: %s", error)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the place of the window and of the session."""
        self._remember()
        self.file_preview.close_panel()
        self.overview.close_panel()
        self.weights.close()
        self.session.close()
        event.accept()


def _dropped(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def _single_file(dropped: Sequence[Path]) -> bool:
    return len(dropped) == 1 and not volumes.is_folder(dropped[0])
