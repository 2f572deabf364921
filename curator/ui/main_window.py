"""The main window: builds its pages and edges, and shows those that fit the session's state.

:mod:`curator.app` creates one per session. The window decides which page shows in the middle.
:mod:`curator.ui.window_layout` places the parts, :mod:`curator.ui.window_actions` opens dialogs and
files, :mod:`curator.ui.window_keyboard` handles keys. The window keeps no state that a view or
another part needs: the session does.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from functools import partial
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
from PySide6.QtWidgets import QStackedWidget, QWidget

from curator import commands
from curator.keyboard import RENAMED
from curator.model import KnownError, Pass, View
from curator.pipeline import Pipeline
from curator.session import Session
from curator.ui.compare.compare_view import CompareView
from curator.ui.compare.face_table_view import FaceTableView
from curator.ui.dialogs import palette
from curator.ui.dialogs.tag_entry import TagEntry
from curator.ui.file_drop import FileDrop, is_single_file
from curator.ui.grid.grid_view import GridView
from curator.ui.import_actions import ImportActions, may_close
from curator.ui.loupe.candidates import CandidatesPanel
from curator.ui.loupe.filmstrip import Filmstrip
from curator.ui.loupe.loupe_view import LoupeView
from curator.ui.notices.model_download import EncoderPanel, ModelDownload
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.notices.sidecar_notices import SidecarNotices
from curator.ui.notices.vision_provider import ProviderPanel, VisionNotices
from curator.ui.pages.empty_state import EmptyList, EmptyWindow
from curator.ui.pages.file_preview import FilePreviewPanel
from curator.ui.pages.finish_page import FinishPage
from curator.ui.pages.help_overlay import HelpOverlay
from curator.ui.pages.overview_page import OverviewPage
from curator.ui.pages.projects import ProjectActions
from curator.ui.pages.tour import Tour
from curator.ui.panels import saved_searches
from curator.ui.panels.inspector import Inspector
from curator.ui.panels.sidebar import Sidebar
from curator.ui.panels.status_line import StatusLine
from curator.ui.panels.top_bar import TopBar
from curator.ui.photo_menu import photo_menu
from curator.ui.pipeline_notifications import PipelineNotifications
from curator.ui.widgets.frames import Pictures
from curator.ui.window_actions import WindowActions
from curator.ui.window_keyboard import WindowKeyboard
from curator.ui.window_layout import Edges, Pages, WindowLayout

log = logging.getLogger(__name__)

_FIRST_SIZE = (1440, 900)
_SMALLEST = (640, 400)  # half a screen of 1440 x 900 at twice its scale is 720 x 450


class MainWindow(QWidget):
    """The window over one session. Closing it saves its state; its owner stops the pipeline.

    Thread: GUI.
    """

    def __init__(
        self, session: Session, pictures: Pictures, pipeline: Pipeline | None = None
    ) -> None:
        super().__init__()
        self.session = session
        self.pictures = pictures
        self.setObjectName("window")
        self.setMinimumSize(*_SMALLEST)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._state: dict[str, Any] = session.window_state()
        self.pipeline_notifications: PipelineNotifications | None = None
        self.keys = WindowKeyboard(self, session, self._run_by_key)
        self._make_overlays(self._make_pages(), self._make_edges())
        self._connect()
        if pipeline is not None:
            self._watch(pipeline)
        self._restore()
        self.refresh()
        if self.keys.problem:
            edit = partial(self.window_actions.settings, "Keys")
            problem, action = self.keys.problem, "Change the keys…"
            self.notifications.post(Notification("keys", problem, action, edit))

    # --- parts

    def _make_pages(self) -> Pages:
        session, run, keys = self.session, self.run, self.keys.state
        self.pages = QStackedWidget(self)
        self.grid = GridView(session, self.pictures)
        self.loupe = LoupeView(session, self.pictures, keys)
        self.compare = CompareView(session, self.pictures, self.loupe.originals, keys)
        self.faces = FaceTableView(session, self.pictures, self.loupe.originals, keys)
        self.finish = FinishPage(session, run, self.pictures)
        self.empty_window = EmptyWindow(session, run)
        self.empty_list = EmptyList(session, run)
        self.overview = OverviewPage(session, self.refresh)
        pages = (
            self.grid,
            self.loupe,
            self.compare,
            self.faces,
            self.finish,
            self.overview,
            self.empty_window,
            self.empty_list,
        )
        for page in pages:
            self.pages.addWidget(page)
        return Pages(self.pages, *pages)

    def _make_edges(self) -> Edges:
        session, run, keyboard = self.session, self.run, lambda: self.keys.keyboard
        self.topbar = TopBar(session, run, self.view_name)
        self.notifications = NotificationBar()
        self.tour = Tour(session, self._state)
        self.filmstrip = Filmstrip(session, self.pictures)
        self.candidates = CandidatesPanel(session, self.pictures, self.keys.state)
        self.status = StatusLine(session)
        self.sidebar = Sidebar(session, run)
        self.inspector = Inspector(session, self.pictures)
        edges = (  # from bottom to top: notifications cover the status line
            self.topbar,
            self.tour,
            self.filmstrip,
            self.candidates,
            self.status,
            self.notifications,
            self.sidebar,
            self.inspector,
        )
        for edge in edges:
            edge.setParent(self)
        self.model_download = ModelDownload(session, self.notifications, self)
        provider = VisionNotices(session, self.notifications, self)
        self.projects = ProjectActions(
            self, session, self.pictures, self.grid, self.notifications, keyboard
        )
        self.sidecars = SidecarNotices(self, session, self.notifications, self.status, run)
        ImportActions(self, session, self.notifications, self.status, run)
        self.window_actions = WindowActions(
            self,
            session,
            self.pictures,
            self._state,
            self.keys,
            lambda: {
                "encoder": EncoderPanel(self.model_download),
                "vision": ProviderPanel(session, provider),
            },
        )
        return Edges(*edges, self.projects)

    def _make_overlays(self, pages: Pages, edges: Edges) -> None:
        session, keyboard = self.session, lambda: self.keys.keyboard
        self.file_drop = FileDrop(self)
        self.file_preview = FilePreviewPanel(self, session)
        self.help = HelpOverlay(self, self.view_name, keyboard)
        self.command_palette = palette.Palette(self, keyboard)
        self.tag_entry = TagEntry(self, session)
        overlays = (
            self.file_preview,
            self.help,
            self.command_palette,
            self.projects.chooser,
            self.tag_entry,
        )
        for overlay in overlays:
            overlay.closed.connect(self._focus_page)
        self.parts = WindowLayout(self, session, pages, edges, overlays, self.file_drop)

    def _connect(self) -> None:
        session, actions, parts = self.session, self.window_actions, self.parts
        for changed in (
            session.view_state.arrangement_changed,
            session.taste.version_changed,
            session.preferences.changed,
            session.photos.list_changed,
        ):
            changed.connect(self.refresh)
        self._connect_requests()
        suggest_order = partial(_suggest_order, session, self.notifications)
        session.taste.trust_changed.connect(suggest_order)
        session.criteria.mode_changed.connect(suggest_order)
        session.messages.status_message.connect(self.notifications.yield_to_status)
        actions.settings_changed.connect(self.model_download.settings_changed)
        self.keys.changed.connect(lambda: self.notifications.withdraw("keys"))
        actions.preview_requested.connect(self.file_preview.open)
        self.notifications.changed.connect(parts.arrange)
        self.tour.changed.connect(parts.arrange)
        self.file_drop.dropped.connect(self.open_sources)
        self.file_preview.folder_requested.connect(lambda folder: self.open_sources([folder]))
        self.file_preview.photo_requested.connect(actions.visit)
        self.finish.sheet.pressed.connect(actions.show_in_loupe)
        self.sidebar.folder_switched.connect(actions.switch_folder)
        self.topbar.scope.make_clickable(parts.open_sidebar, "")
        self.topbar.search.left.connect(self._focus_page)
        for rows in (self.sidebar.folders, self.sidebar.projects.rows, self.sidebar.filters):
            rows.pressed.connect(parts.dismiss_sidebar)

    def _watch(self, pipeline: Pipeline) -> None:
        bars = self.status, self.notifications, self.sidecars
        watch = PipelineNotifications(self.session, pipeline, self._state, bars, self.run, self)
        watch.scanning_changed.connect(self.empty_list.scanning)
        watch.scanning_changed.connect(self.refresh)
        self.pipeline_notifications = watch

    # --- which page shows

    def view_name(self) -> str:
        """Return the view whose keys are in force: one of VIEWS."""
        if self.overview.is_open:
            return "overview"
        return "finish" if self.session.view_state.finished else self.session.view_state.view.value

    def page(self) -> QWidget:
        """Return the page that fits the session's state."""
        session = self.session
        if not session.table.alive().any():
            watch, in_folder = self.pipeline_notifications, session.criteria.scope.kind == "folder"
            scanning = watch is not None and watch.scanning
            has_folders = in_folder or scanning or bool(session.sources.scopes()[1:])
            return self.empty_list if has_folders else self.empty_window
        if self.overview.is_open:
            return self.overview
        if session.view_state.finished and session.statistics.progress().total:
            return self.finish
        if not len(session.ids):
            return self.empty_list
        views: dict[View, QWidget] = {
            View.GRID: self.grid,
            View.LOUPE: self.loupe,
            View.FACES: self.faces,
        }
        return views.get(session.view_state.view, self.compare)

    def refresh(self) -> None:
        """Show the page, edges and keys that fit the session's state."""
        page = self.page()
        if page is self.empty_list:
            self.empty_list.refresh()
        if self.pages.currentWidget() is not page:
            self.pages.setCurrentWidget(page)
            if not self.topbar.search.hasFocus():  # the user may still be typing
                self._focus_page()
        self.keys.shortcuts.enter_view(self.view_name())
        title = self.session.criteria.scope.title
        self.setWindowTitle("Curator" if page is self.empty_window else f"{title} · Curator")
        browsing = self.session.criteria.mode is Pass.BROWSE
        if not browsing:
            self.notifications.withdraw("start")
        _withdraw_orders(self.session, self.notifications)
        self.parts.arrange()

    def resizeEvent(self, event: object) -> None:
        """Place the parts for the new size."""
        self.parts.arrange()

    def _focus_page(self) -> None:
        if self.parts.is_covered():
            return
        page = self.pages.currentWidget()
        (self if page is None or page.focusPolicy() is Qt.FocusPolicy.NoFocus else page).setFocus()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the keyboard back from the search field."""
        self._focus_page()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the photo under the pointer, or by key of the current photo."""
        page, at = self.pages.currentWidget(), event.pos()
        shown = [part for part in (self.pages, self.filmstrip) if part.isVisible()]
        over = any(part.geometry().contains(at) for part in shown)
        photos = (self.grid, self.loupe, self.compare, self.faces)
        if over and not self.parts.is_covered() and page in photos:
            by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
            where = event.globalPos() if by_mouse else _current_photo_center(self)
            photo_menu(self, self.session, self.view_name(), self.run).popup(where)

    # --- commands and keys

    def run(self, command: str) -> None:
        """Run a command by name, for a click on a button or a menu entry."""
        self._run(command)
        self._focus_page()

    def _run_by_key(self, command: str, invert: bool) -> None:
        if command != "back" or not (self._go_back() or self.overview.leave()):
            self._run(command, invert)

    def _run(self, command: str, invert: bool = False) -> None:
        self.overview.leave_for(command)
        commands.run(self.session, command, invert)
        self.tour.on_command(command)

    def _go_back(self) -> bool:
        """Hide a sidebar over the page, or show hidden panels again. Return whether one was done.

        In zoom and fullscreen, Esc leaves these first.
        """
        if self.parts.dismiss_sidebar():
            return True
        state = self.session.view_state
        if state.zoom is not None or state.fullscreen or not state.panels_hidden:
            return False
        self.run("toggle_panels")
        return True

    def _open_palette(self) -> None:
        session = self.session
        photo = session.current

        def run(command: str) -> None:
            if photo is not None and session.current != photo:
                session.navigator.go_to(photo)
            self.keys.run(command)

        recent = self._state.setdefault("recent", [])
        recent[:] = [RENAMED.get(name, name) for name in recent]
        self.command_palette.open(palette.entries(session, self.view_name(), run), recent)

    def event(self, event: QEvent) -> bool:
        """Claim digit keys by their place before the shortcuts look at their characters."""
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self.keys.shortcuts.action_by_position(event) is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Run the command of a digit key by its physical place."""
        if not self.keys.press(event):
            super().keyPressEvent(event)

    # --- what commands request from the window

    def _connect_requests(self) -> None:
        """Connect the requests that parts of the window handle; WindowActions does the rest."""
        session, requests = self.session, self.session.requests
        requests.dismissal_requested.connect(self.notifications.dismiss)
        requests.sidebar_requested.connect(self.parts.toggle_sidebar)
        requests.orders_requested.connect(self.topbar.show_orders)
        requests.search_requested.connect(self.search)
        requests.help_requested.connect(self.help.open)
        requests.menu_requested.connect(self.topbar.show_menu)
        requests.palette_requested.connect(self._open_palette)
        requests.tag_entry_requested.connect(self.tag_entry.open)
        requests.rename_tag_requested.connect(self.tag_entry.rename)
        requests.sidecars_requested.connect(self.sidecars.open)
        requests.tour_requested.connect(self.tour.begin)
        requests.overview_requested.connect(self.overview.toggle)
        requests.quit_requested.connect(self.close)
        requests.save_search_requested.connect(lambda: saved_searches.save(session, self))
        requests.rename_search_requested.connect(
            lambda scope: saved_searches.rename(session, scope, self)
        )
        requests.remove_search_requested.connect(
            lambda scope: saved_searches.remove(session, scope, self)
        )
        session.view_state.fullscreen_changed.connect(self.parts.apply_fullscreen)

    def search(self) -> None:
        """Put the cursor into the search field."""
        if self.session.view_state.panels_hidden:
            self.run("toggle_panels")
        self.topbar.search.setFocus()
        self.topbar.search.selectAll()

    # --- files from outside

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept local folders and files."""
        self.file_drop.enter(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Hide the drop overlay."""
        self.file_drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped files and folders."""
        self.file_drop.drop(event)

    def open_sources(self, sources: Sequence[Path]) -> None:
        """Inspect a single file; open folders and several files."""
        if is_single_file(sources):
            self.file_preview.open(sources[0])
        else:
            self.file_preview.close_panel()
            self.window_actions.open(sources)

    # --- opening and closing

    def _restore(self) -> None:
        state = self._state
        self.resize(*_FIRST_SIZE)
        geometry = state.get("geometry")
        if isinstance(geometry, str):
            self.restoreGeometry(QByteArray(base64.b64decode(geometry)))
        self.session.view_state.show_inspector(bool(state.get("inspector")))
        self.parts.sidebar_hidden = bool(state.get("sidebar_off"))
        self.sidebar.unfolded.update(state.get("unfolded") or ())
        self.notifications.silenced = set(state.get("never") or ())
        if self.pipeline_notifications is not None:
            self.pipeline_notifications.report_encoder()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the state of the window and of the session, unless an import shall go on."""
        if not may_close(self, self.session.imports):
            event.ignore()
            return
        if self.session.view_state.fullscreen:
            self.session.view_state.set_fullscreen(False)
        geometry = bytes(self.saveGeometry().data())
        self._state |= {
            "geometry": base64.b64encode(geometry).decode("ascii"),
            "inspector": self.session.view_state.inspector,
            "sidebar_off": self.parts.sidebar_hidden,
            "unfolded": sorted(self.sidebar.unfolded),
            "never": sorted(self.notifications.silenced),
        }
        try:
            self.session.save_window_state(self._state)
        except KnownError as error:
            log.warning("the window's state was not saved: %s", error)
        self.file_preview.close_panel()
        self.overview.close_panel()
        self.model_download.close()
        self.session.close()
        event.accept()


def _current_photo_center(window: MainWindow) -> QPoint:
    """Return the center of the current photo on the screen."""
    session, page = window.session, window.pages.currentWidget() or window.pages
    panes, rect = session.compare.panes, page.rect()
    if page is window.grid and (number := session.stacks.tile_number) >= 0:
        window.grid.reveal(number)
        page, rect = window.grid.viewport(), window.grid.cell(number)
    elif page is window.faces and panes is not None:
        rect = window.faces.cell(panes.active, session.face_table.column)
    elif page is window.compare and panes is not None:
        rect = window.compare.panes()[panes.active].cell
    return page.mapToGlobal(rect.center())


# Order → key of the notification that suggests it, what it says, and its action.
_SUGGESTED_ORDERS = {
    "match": ("taste", "Taste is ready", "Sort by lowest match"),
    "taken": ("distrust", "Predictions are no longer reliable", "Sort by capture time"),
}


def _suggest_order(session: Session, notifications: NotificationBar) -> None:
    """Suggest another order for a cull or rating pass; none changes its order by itself."""
    _withdraw_orders(session, notifications)
    order = session.taste.suggested_order
    if order is not None:
        key, text, action = _SUGGESTED_ORDERS[order]
        action += session.preferences.hint("order")
        sort = partial(session.ordering.set_order, order)
        notifications.post(Notification(key, text, action, sort, once=order == "match"))


def _withdraw_orders(session: Session, notifications: NotificationBar) -> None:
    """Withdraw suggestions of orders that no longer apply."""
    for order, (key, _, _) in _SUGGESTED_ORDERS.items():
        if order != session.taste.suggested_order:
            notifications.withdraw(key)
