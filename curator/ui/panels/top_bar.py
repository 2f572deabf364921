"""The top bar: passes, scope and sort order; at the right search, project, export and menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QActionGroup, QIcon
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from curator.commands import COMMANDS, GROUPS, Command
from curator.keyboard import views_of
from curator.library.sort_orders import orders_for
from curator.model import Pass, bidi_safe, counted
from curator.session import Session
from curator.ui.panels.project_button import ProjectButton
from curator.ui.panels.search_box import SearchField
from curator.ui.widgets import theme
from curator.ui.widgets.menus import menu_heading
from curator.ui.widgets.text_line import TextLine

_PASS_TIPS = {
    Pass.BROWSE: "All photos of the folder",
    Pass.CULL: "Pass 1: keep or reject",
    Pass.RATE: "Pass 2: rate the kept photos",
}
_COUNT_MS = 250  # counts are refreshed at most this often
_LITTLE = 800  # px of width below which Export has no room
_SCOPE = 480  # px, the widest a scope's name gets
_NOT_IN_MENU = frozenset({"delete", "menu"})  # one does nothing, the other opened this menu


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
        self.setObjectName("topbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(theme.TOPBAR)
        self.sidebar = self._button("sidebar", "")
        self.sidebar.setAccessibleName("Sidebar")
        self.sidebar.clicked.connect(lambda: run("toggle_sidebar"))
        self.passes = {pass_: self._pass_button(pass_) for pass_ in Pass}
        middle = Qt.TextElideMode.ElideMiddle  # folders' names differ at their ends
        self.scope = TextLine(theme.TEXT, Qt.AlignmentFlag.AlignLeft, elide=middle)
        self.scope.setMaximumWidth(_SCOPE)
        self.scope.setFont(theme.body_font())
        self.order = self._button("", "")
        self.order.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.order.clicked.connect(self.show_orders)
        self.search = SearchField(session)
        self.project = ProjectButton(session, run)
        self.more = self._button("more", "")
        self.more.setAccessibleName("All commands")
        self.more.clicked.connect(self.show_menu)
        self.export = self._button("approved", "")
        self.export.setText("Export…")
        self.export.setAccessibleName("Export")
        self.export.setProperty("tone", "off")
        self.export.clicked.connect(lambda: run("export"))
        self._later = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._later.timeout.connect(self._count_approved)
        session.photos.counts_changed.connect(self._count_soon)
        self._lay_out()
        for changed in (
            session.view_state.arrangement_changed,
            session.taste.version_changed,
            session.preferences.changed,
        ):
            changed.connect(self.refresh)
        self.refresh()

    def _button(self, icon: str, tip: str) -> QToolButton:
        button = QToolButton()
        if icon:
            button.setIcon(theme.icon(icon))
            button.setIconSize(QSize(theme.ICON, theme.ICON))
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _pass_button(self, pass_: Pass) -> QToolButton:
        button = self._button("", "")
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
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 8, 1)
        row.setSpacing(0)
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
        """Make room for the scope: shorten the project, show Export as an icon, then hide it."""
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
        session = self._session
        for pass_, button in self.passes.items():
            button.setChecked(pass_ is session.criteria.mode)
            button.setToolTip(
                theme.tip(_PASS_TIPS[pass_], session.preferences.keys.get(pass_.value))
            )
        self.sidebar.setToolTip(
            theme.tip("Sidebar", session.preferences.keys.get("toggle_sidebar"))
        )
        self.order.setToolTip(theme.tip("Sort order", session.preferences.keys.get("order")))
        self.more.setToolTip(theme.tip("All commands", session.preferences.keys.get("menu")))
        self.scope.set_text(bidi_safe(session.criteria.scope.title))
        self.scope.setToolTip(
            theme.plain_tip(session.criteria.scope.key or session.criteria.scope.title)
        )
        self._show_order()

        self._count_soon()

    def _count_soon(self) -> None:
        if not self._later.isActive():
            self._later.start()

    def _count_approved(self) -> None:
        """Show in the tooltip how many photos Export would export."""
        number = self._session.statistics.count_of("approved")
        if number:
            approved = counted(number, "approved photo")
            text = f"Export {approved} of {self._session.criteria.scope.title}"
        else:
            text = "No photos here are approved for export yet"
        self.export.setToolTip(theme.tip(text, self._session.preferences.keys.get("export")))
        # During a cull, export is not the next step.
        loud = (
            "off"
            if not number
            else "plain"
            if self._session.criteria.mode is Pass.CULL
            else "pencil"
        )
        if self.export.property("tone") != loud:
            color = {"off": theme.DISABLED, "plain": theme.QUIET, "pencil": theme.PENCIL}[loud]
            ratio = self.devicePixelRatioF()
            self.export.setIcon(QIcon(theme.pixmap("approved", color, theme.ICON, ratio)))
            self.export.setProperty("tone", loud)
            self.export.style().unpolish(self.export)
            self.export.style().polish(self.export)

    # --- menus

    def show_orders(self) -> None:
        """Open the menu of sort orders under its button."""
        self._popup(self.orders_menu(), self.order)

    def orders_menu(self) -> QMenu:
        """Build the menu of sort orders, the current one checked."""
        session = self._session
        menu = self._menu()
        menu.setProperty("checks", True)
        group = QActionGroup(menu)
        by_taste = False
        for name, order in orders_for(session.criteria.scope.kind).items():
            if order.by_taste and not by_taste:
                by_taste = True
                self._begin_taste(menu)
            action = menu.addAction(f"{order.title}\t{order.about}")
            action.setCheckable(True)
            action.setChecked(name == session.criteria.order)
            action.setActionGroup(group)
            action.setEnabled(session.ordering.is_available(name))
            action.triggered.connect(lambda _=False, name=name: session.ordering.set_order(name))
        menu.addSeparator()
        back = menu.addAction(f"Reversed\t{session.preferences.keys.get('reverse_order', '')}")
        back.setCheckable(True)
        back.setChecked(session.criteria.is_reversed)
        back.triggered.connect(lambda: self._run("reverse_order"))
        return menu

    def _begin_taste(self, menu: QMenu) -> None:
        """Separate the orders by taste, with a heading if taste is not ready or pinned."""
        menu.addSeparator()
        if not self._session.taste.has_scores or self._session.taste.pinned_version is not None:
            menu.addAction(
                menu_heading(menu, self._session.taste.sentence or "Taste is not known yet.")
            )

    def show_menu(self) -> None:
        """Open the menu of all commands under its button."""
        self._popup(self.commands_menu(), self.more)

    def commands_menu(self) -> QMenu:
        """Build the menu of all commands: files at the top level, the other groups as submenus."""
        menu = self._menu()
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
        action.setEnabled(here and not command.lacks(self._session))
        action.triggered.connect(lambda: self._run(command.name))

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _popup(self, menu: QMenu, button: QToolButton) -> None:
        size = menu.sizeHint()
        left = button.mapToGlobal(QPoint(0, button.height() + 2))
        edge = self.mapToGlobal(QPoint(self.width() - 8, 0)).x() - size.width()
        menu.popup(QPoint(min(left.x(), edge), left.y()))
