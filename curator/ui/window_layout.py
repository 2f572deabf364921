"""The layout of the window: computes where its parts lie, and shows or hides them.

Everything follows from the window's size and the person's choices, never from background work:
nothing on screen may move by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QStackedWidget, QWidget

from curator.model import Pass, View
from curator.session import Session
from curator.ui.loupe.candidates import CandidatesPanel
from curator.ui.loupe.filmstrip import Filmstrip
from curator.ui.notices.notification_bar import NotificationBar
from curator.ui.pages.projects import ProjectActions
from curator.ui.pages.tour import Tour
from curator.ui.panels.inspector import Inspector
from curator.ui.panels.sidebar import Sidebar
from curator.ui.panels.status_line import StatusLine
from curator.ui.panels.top_bar import TopBar
from curator.ui.widgets import theme


class DockLayout:
    """Divides a rectangle: parts take their share from its edges, hidden parts take none.

    Attributes:
        remaining: the part of the rectangle that is still free.
    """

    def __init__(self, rect: QRect) -> None:
        self.remaining = QRect(rect)

    def top(self, part: QWidget, height: int, shown: bool) -> None:
        """Place a part of ``height`` px at the top."""
        rect = QRect(self.remaining)
        rect.setHeight(height)
        _place(part, rect, shown)
        if shown:
            self.remaining.setTop(self.remaining.top() + height)

    def bottom(self, part: QWidget, height: int, shown: bool) -> None:
        """Place a part of ``height`` px at the bottom."""
        rect = QRect(self.remaining)
        rect.setTop(rect.bottom() + 1 - height)
        _place(part, rect, shown)
        if shown:
            self.remaining.setBottom(self.remaining.bottom() - height)

    def side(self, part: QWidget, width: int, shown: bool, *, right: bool, over: bool) -> None:
        """Place a part of ``width`` px at one side; ``over`` lays it over the rest."""
        rect = QRect(self.remaining)
        if right:
            rect.setLeft(rect.right() + 1 - width)
        else:
            rect.setWidth(width)
        _place(part, rect, shown)
        part.raise_()
        if shown and not over:
            if right:
                self.remaining.setRight(self.remaining.right() - width)
            else:
                self.remaining.setLeft(self.remaining.left() + width)


def _place(part: QWidget, rect: QRect, shown: bool) -> None:
    """Show a part in a rectangle, or hide it."""
    if shown:
        part.setGeometry(rect)
    if part.isHidden() == shown:
        part.setVisible(shown)


@dataclass(frozen=True, slots=True)
class Pages:
    """The stack of pages in the middle of the window, and its pages."""

    stack: QStackedWidget
    grid: QWidget
    loupe: QWidget
    compare: QWidget
    faces: QWidget
    finish: QWidget
    overview: QWidget
    empty_window: QWidget
    empty_list: QWidget


@dataclass(frozen=True, slots=True)
class Edges:
    """The parts around the page."""

    topbar: TopBar
    tour: Tour
    filmstrip: Filmstrip
    candidates: CandidatesPanel
    status: StatusLine
    notifications: NotificationBar
    sidebar: Sidebar
    inspector: Inspector
    projects: ProjectActions


class WindowLayout:
    """Places pages, edges and panels, shows or hides the sidebar, and switches to fullscreen.

    Where there is room, the sidebar stands beside the page and can be hidden for good. Elsewhere
    it lies over the page when opened, until something in it is chosen.

    Args:
        window: the window.
        session: its photos and view.
        pages: the pages in the middle.
        edges: the parts around them.
        overlays: each covers the window and has the keyboard while it shows.
        drop_overlay: covers the window while files hover over it.

    Attributes:
        sidebar_hidden: whether the person hid the sidebar beside the page.

    Thread: GUI.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        pages: Pages,
        edges: Edges,
        overlays: Sequence[QWidget],
        drop_overlay: QWidget,
    ) -> None:
        self._window, self._session = window, session
        self._pages, self._edges = pages, edges
        self._overlays, self._drop_overlay = overlays, drop_overlay
        self.sidebar_hidden = False
        self._sidebar_over_page = False
        self._was_maximized = False  # before fullscreen

    def arrange(self) -> None:
        """Place every part for the window's size and the page shown."""
        session, pages, edges = self._session, self._pages, self._edges
        page, window = pages.stack.currentWidget(), self._window
        chrome = not session.view_state.bare
        beside = self._sidebar_fits_beside()
        self._sidebar_over_page &= not beside  # a sidebar over the page now stands beside it
        over_page = self._sidebar_over_page and page is not pages.empty_window
        views = (pages.grid, pages.loupe, pages.compare, pages.faces)
        inspected = session.view_state.inspector and page in views
        comparing = page is pages.compare and session.view_state.view is View.COMPARE
        filmstrip = page is pages.loupe or comparing
        space = DockLayout(window.rect())
        space.top(edges.topbar, theme.TOPBAR, chrome)
        space.top(edges.tour, theme.TOUR, chrome and edges.tour.shows and page is pages.loupe)
        space.bottom(edges.status, theme.STATUSLINE + theme.PASSLINE, chrome)
        offered = edges.status.message_rect().translated(edges.status.pos())
        _place(edges.notifications, offered, chrome and edges.notifications.is_showing)
        space.bottom(edges.filmstrip, theme.FILMSTRIP, chrome and filmstrip)
        shown = chrome and ((beside and not self.sidebar_hidden) or over_page)
        space.side(edges.sidebar, theme.SIDEBAR, shown, right=False, over=not beside)
        edges.topbar.sidebar.setEnabled(page is not pages.empty_window)
        space.side(edges.inspector, theme.INSPECTOR, chrome and inspected, right=True, over=False)
        rating = page is pages.loupe and session.criteria.mode is Pass.RATE
        rating &= window.width() >= theme.NARROW
        space.side(edges.candidates, theme.CANDIDATES, chrome and rating, right=True, over=False)
        head = edges.projects.header_height(chrome and page is pages.grid)
        space.top(edges.projects.header, head, head > 0)
        pages.stack.setGeometry(space.remaining)
        self._drop_overlay.setGeometry(window.rect())
        search = edges.topbar.search
        for overlay in (search.hints, search.problem, *self._overlays):
            if not overlay.isHidden():  # isVisible() is false before the window itself shows
                overlay.raise_()

    def is_covered(self) -> bool:
        """Whether an overlay covers the window."""
        return any(overlay.isVisible() for overlay in self._overlays)

    def apply_fullscreen(self) -> None:
        """Show the window fullscreen, or as it was before: maximized or of its normal size."""
        if self._session.view_state.fullscreen:
            self._was_maximized = self._window.isMaximized()
            self._window.showFullScreen()
        elif self._was_maximized:
            self._window.showMaximized()
        else:
            self._window.showNormal()

    # --- the sidebar

    def _sidebar_fits_beside(self) -> bool:
        """Whether there is room for the sidebar beside the page, and use for it."""
        pages, view = self._pages, self._session.view_state.view
        page = pages.stack.currentWidget()
        in_grid = page in (pages.grid, pages.empty_list) and view is View.GRID
        return (in_grid or page is pages.overview) and self._window.width() >= theme.NARROW

    def toggle_sidebar(self) -> None:
        """Show or hide the sidebar, beside the page or over it."""
        if self._sidebar_fits_beside():
            self.sidebar_hidden = not self.sidebar_hidden
            self.arrange()
        else:
            self.open_sidebar()

    def open_sidebar(self) -> None:
        """Show the sidebar beside the page; without room there, toggle it over the page."""
        if self._sidebar_fits_beside():
            self.sidebar_hidden = False
        else:
            self._sidebar_over_page = not self._sidebar_over_page
        self.arrange()

    def dismiss_sidebar(self) -> bool:
        """Hide a sidebar that lies over the page. Return whether there was one."""
        over_page, self._sidebar_over_page = self._sidebar_over_page, False
        if over_page:
            self.arrange()
        return over_page
