"""The top bar: passes, scope, sort order, search field, project, export and the menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QActionGroup, QFontMetrics, QIcon, QPalette
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from curator.commands import COMMANDS, GROUPS, Command
from curator.keyboard import views_of
from curator.library.sort_orders import orders_for
from curator.model import Pass, bidi_safe, counted
from curator.session import Session
from curator.ui.panels.search_box import SearchField
from curator.ui.widgets import layouts, theme
from curator.ui.widgets.menus import menu_heading, popup_menu
from curator.ui.widgets.text_line import TextLine
from curator.ui.widgets.throttle import Throttle

_PASS_TIPS = {
    Pass.BROWSE: "All photos of the folder",
    Pass.CULL: "Pass 1: keep or reject",
    Pass.RATE: "Pass 2: rate the kept photos",
}
_COUNT_MS = 250  # counts are refreshed at most this often
_LITTLE = 800  # px of width below which Export has no room
_SCOPE = 480  # px, the widest a scope's name gets
_PROJECT = 160  # px, the widest a project's name gets
_NOT_IN_MENU = frozenset({"delete", "menu"})  # one does nothing, the other opened this menu


class ProjectButton(QToolButton):
    """The current project in the top bar; in pencil color while the current photo is in it.

    Args:
        session: the window's session.
        run: runs a command by name.
    """

    def __init__(self, session: Session, run: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[object, ...] = ()
        self._room = _PROJECT
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clicked.connect(lambda: run("choose_project"))
        for changed in (
            session.projects.changed,
            session.criteria.scope_changed,
            session.view_state.view_changed,
            session.preferences.changed,
            session.photos.current_changed,
            session.photos.photos_changed,
        ):
            changed.connect(self.refresh)
        self.refresh()

    def set_room(self, px: int) -> None:
        """Limit the width of the name."""
        self._room = min(px, _PROJECT)
        self.refresh()

    def refresh(self) -> None:
        """Show the current project's name, and whether the current photo is in it."""
        session = self._session
        row, photo = session.projects.current, session.current
        inside = (
            row is not None
            and photo is not None
            and bool(session.table.projects.has(row.id, [photo])[0])
        )
        state = row, inside, session.preferences.keys, self._room
        if state == self._shown:  # unchanged after most of the keys that lead here
            return
        self._shown = state
        name = row.name if row is not None else "Project"
        metrics, elide = QFontMetrics(theme.body_font()), Qt.TextElideMode.ElideRight
        shown = metrics.elidedText(name, elide, self._room)
        self.setText(shown.replace("&", "&&"))
        color = theme.PENCIL if inside else theme.TEXT if row is not None else theme.QUIET
        if self.palette().color(QPalette.ColorRole.ButtonText) != color:
            self.setStyleSheet(f"color: {color.name()}")
        self.setToolTip(theme.plain_tip(self._tip(name if row is not None else "", inside)))
        self.setAccessibleName(f"Project: {name}")

    def _tip(self, name: str, inside: bool) -> str:
        keys = self._session.preferences.keys
        choose, toggle = keys.get("choose_project"), keys.get("toggle_project")
        lines = ["Contains this photo" if inside else ""]
        if name:
            lines = [name, *lines]
            lines.append(f"{toggle} adds or removes the photo" if toggle else "")
        lines.append(f"{choose} chooses a project" if choose else "Choose a project")
        return "\n".join(line for line in lines if line)


class TopBar(QWidget):
    """The top bar. Only its search field takes the keyboard focus.

    Args:
        session: the window's session.
        run: runs a command by name.
        view: returns the name of the current view, for the menu.
    """

    def __init__(
        self, session: Session, run: Callable[[str], None], view: Callable[[], str]
    ) -> None:
        super().__init__()
        self._session, self._run, self._view = session, run, view
        theme.style_as(self, "topbar")
        self.setFixedHeight(theme.TOPBAR)
        self.sidebar = self._button("sidebar")
        self.sidebar.setAccessibleName("Sidebar")
        self.sidebar.clicked.connect(lambda: run("toggle_sidebar"))
        self.passes = {pass_: self._pass_button(pass_) for pass_ in Pass}
        middle = Qt.TextElideMode.ElideMiddle  # folders' names differ at their ends
        self.scope = TextLine(theme.TEXT, Qt.AlignmentFlag.AlignLeft, elide=middle)
        self.scope.setMaximumWidth(_SCOPE)
        self.scope.setFont(theme.body_font())
        self.order = self._button()
        self.order.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.order.clicked.connect(self.show_orders)
        self.search = SearchField(session)
        self.project = ProjectButton(session, run)
        self.more = self._button("more")
        self.more.setAccessibleName("All commands")
        self.more.clicked.connect(self.show_menu)
        self.export = self._button("approved")
        self.export.setText("Export…")
        self.export.setAccessibleName("Export")
        self.export.setProperty("tone", "off")
        self.export.clicked.connect(lambda: run("export"))
        self._counting = Throttle(self, _COUNT_MS, self._count_approved)
        session.photos.counts_changed.connect(self._counting.request)
        self._lay_out()
        for changed in (
            session.view_state.arrangement_changed,
            session.taste.version_changed,
            session.preferences.changed,
        ):
            changed.connect(self.refresh)
        self.refresh()

    def _button(self, icon: str = "") -> QToolButton:
        button = QToolButton()
        if icon:
            button.setIcon(theme.icon(icon))
            button.setIconSize(QSize(theme.ICON, theme.ICON))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _pass_button(self, pass_: Pass) -> QToolButton:
        button = self._button()
        button.setText(pass_.value.capitalize())
        button.setCheckable(True)
        button.setProperty("pass", True)
        button.setFixedHeight(theme.TOPBAR - 1)
        button.clicked.connect(lambda: self._press(pass_))
        return button

    def _press(self, pass_: Pass) -> None:
        self._run(pass_.value)
        self.refresh()  # a click on the current pass must not uncheck it

    def _lay_out(self) -> None:
        row = layouts.row(self, margins=(4, 0, 8, 1))
        row.addWidget(self.sidebar)
        for button in self.passes.values():
            row.addWidget(button)
        row.addSpacing(12)
        rule = QWidget()
        rule.setFixedSize(1, 16)
        rule.setStyleSheet(f"background: {theme.HAIRLINE.name()}")
        row.addWidget(rule)
        row.addSpacing(16)
        row.addWidget(self.scope)
        row.addSpacing(8)
        row.addWidget(self.order)
        row.addStretch(1)
        row.addSpacing(12)
        self.search.setMinimumWidth(120)
        self.search.setMaximumWidth(280)
        self.search.setFixedHeight(theme.ROW)
        row.addWidget(self.search, 2)
        row.addSpacing(6)
        row.addWidget(self.project)
        row.addSpacing(2)
        row.addWidget(self.export)
        row.addSpacing(2)
        row.addWidget(self.more)

    def resizeEvent(self, event: object) -> None:
        """Make room for the scope: shorten the sort order and project, shrink or hide Export."""
        narrow = self.width() < theme.NARROW
        style = Qt.ToolButtonStyle
        self.export.setToolButtonStyle(
            style.ToolButtonIconOnly if narrow else style.ToolButtonTextOnly
        )
        self.export.setVisible(self.width() >= _LITTLE)  # it is in the menu, and has a key
        self._show_order()
        self.project.set_room(self.width() // (12 if narrow else 9))

    def _show_order(self) -> None:
        arrow = " ↑" if self._session.criteria.is_reversed else ""
        sort = "" if self.width() < theme.NARROW else "Sort: "
        self.order.setText(f"{sort}{self._session.ordering.title}{arrow} ▾")

    def refresh(self) -> None:
        """Show the current pass, scope and sort order."""
        criteria, keys = self._session.criteria, self._session.preferences.keys
        for pass_, button in self.passes.items():
            button.setChecked(pass_ is criteria.mode)
            button.setToolTip(theme.tip(_PASS_TIPS[pass_], keys.get(pass_.value)))
        self.sidebar.setToolTip(theme.tip("Sidebar", keys.get("toggle_sidebar")))
        self.order.setToolTip(theme.tip("Sort order", keys.get("order")))
        self.more.setToolTip(theme.tip("All commands", keys.get("menu")))
        self.scope.set_text(bidi_safe(criteria.scope.title))
        self.scope.setToolTip(theme.plain_tip(criteria.scope.key or criteria.scope.title))
        self._show_order()
        self._counting.request()

    def _count_approved(self) -> None:
        """Show how many photos Export would export, in its tooltip and by its color."""
        session = self._session
        number = session.statistics.count_of("approved")
        if number:
            approved = counted(number, "approved photo")
            text = f"Export {approved} of {session.criteria.scope.title}"
        else:
            text = "No photos here are approved for export yet"
        self.export.setToolTip(theme.tip(text, session.preferences.keys.get("export")))
        tone, color = "off", theme.DISABLED
        if number:  # during a cull, export is not the next step
            culling = session.criteria.mode is Pass.CULL
            tone, color = ("plain", theme.QUIET) if culling else ("pencil", theme.PENCIL)
        if self.export.property("tone") != tone:
            ratio = self.devicePixelRatioF()
            self.export.setIcon(QIcon(theme.pixmap("approved", color, theme.ICON, ratio)))
            self.export.setProperty("tone", tone)
            theme.restyle(self.export)

    # --- menus

    def show_orders(self) -> None:
        """Open the menu of sort orders under its button."""
        self._popup(self.orders_menu(), self.order)

    def orders_menu(self) -> QMenu:
        """Build the menu of sort orders, the current one checked."""
        session = self._session
        menu = popup_menu(self)
        menu.setProperty("checks", True)
        group = QActionGroup(menu)
        taste_begun = False
        for name, order in orders_for(session.criteria.scope.kind).items():
            if order.by_taste and not taste_begun:
                taste_begun = True
                self._begin_taste(menu)
            action = menu.addAction(f"{order.title}\t{order.about}")
            action.setCheckable(True)
            action.setChecked(name == session.criteria.order)
            action.setActionGroup(group)
            action.setEnabled(session.ordering.is_available(name))
            action.triggered.connect(lambda _=False, name=name: session.ordering.set_order(name))
        menu.addSeparator()
        backward = menu.addAction(f"Reversed\t{session.preferences.keys.get('reverse_order', '')}")
        backward.setCheckable(True)
        backward.setChecked(session.criteria.is_reversed)
        backward.triggered.connect(lambda: self._run("reverse_order"))
        return menu

    def _begin_taste(self, menu: QMenu) -> None:
        """Separate the orders by taste, with a heading if taste is not ready or is pinned."""
        menu.addSeparator()
        taste = self._session.taste
        if not taste.has_scores or taste.pinned_version is not None:
            menu.addAction(menu_heading(menu, taste.sentence or "Taste is not known yet."))

    def show_menu(self) -> None:
        """Open the menu of all commands under its button."""
        self._popup(self.commands_menu(), self.more)

    def commands_menu(self) -> QMenu:
        """Build the menu of all commands: files at the top level, the other groups as submenus."""
        menu = popup_menu(self)
        self._add_group(menu, GROUPS[-1])
        menu.addSeparator()
        for group in GROUPS[:-1]:
            self._add_group(menu.addMenu(group), group)
        menu.addSeparator()
        self._add(menu, COMMANDS["help_"])
        return menu

    def _add_group(self, menu: QMenu, group: str) -> None:
        """Add the commands of a group, with a separator between subjects."""
        subject = ""
        for command in COMMANDS.values():
            if command.group == group and command.name not in _NOT_IN_MENU:
                if command.subject != subject:
                    menu.addSeparator()
                subject = command.subject
                self._add(menu, command)

    def _add(self, menu: QMenu, command: Command) -> None:
        key = self._session.preferences.keys.get(command.name)
        title = command.title.replace("&", "&&")
        action = menu.addAction(f"{title}\t{key}" if key else title)
        here = self._view() in views_of(command.name)
        action.setEnabled(here and not command.disabled_reason(self._session))
        action.triggered.connect(lambda: self._run(command.name))

    def _popup(self, menu: QMenu, button: QToolButton) -> None:
        size = menu.sizeHint()
        left = button.mapToGlobal(QPoint(0, button.height() + 2))
        edge = self.mapToGlobal(QPoint(self.width() - 8, 0)).x() - size.width()
        menu.popup(QPoint(min(left.x(), edge), left.y()))
