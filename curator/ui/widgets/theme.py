"""The look of the window: colors, sizes, fonts, icons and the stylesheet.

Everything that draws takes them from here. The surroundings are neutral gray, a person's decisions
are *pencil* (one orange), what a model computed is gray, focus and current item are white. Pencil
must be used for decisions, the primary button and the progress of a pass only.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QIcon,
    QKeySequence,
    QPainter,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QAbstractSlider,
    QApplication,
    QFrame,
    QLabel,
    QLayout,
    QScrollArea,
    QToolButton,
    QWidget,
)

from curator.home import resource
from curator.model import Label
from curator.settings import Surround

CANVAS = QColor("#191919")
PANEL = QColor("#212121")
RAISED = QColor("#2A2A2A")
HAIRLINE = QColor("#353535")
TEXT = QColor("#DADADA")
QUIET = QColor("#9C9C9C")
DISABLED = QColor("#6E6E6E")
PENCIL = QColor("#F0924A")
PENCIL_TEXT = QColor("#191919")
WHITE = QColor("#FFFFFF")

# The pass line: decided is pencil, seen and still unreviewed gray, ahead a hairline.
SEEN = DISABLED
AHEAD = HAIRLINE

SURROUND_COLORS: dict[Surround, QColor] = {
    "dark": QColor("#191919"),
    "black": QColor("#000000"),
    "gray": QColor("#777777"),
    "white": QColor("#F2F2F2"),
}

LABELS: dict[Label, QColor] = {
    Label.RED: QColor("#CF5148"),
    Label.YELLOW: QColor("#D9B93A"),
    Label.GREEN: QColor("#62A45C"),
    Label.BLUE: QColor("#5588CE"),
    Label.PURPLE: QColor("#9674C8"),
}

# Sizes in logical px.
TOPBAR = 40
SIDEBAR = 232
INSPECTOR = 304
FILMSTRIP = 84
CANDIDATES = 136
STATUSLINE = 26
PASSLINE = 2
TOUR = 28
ROW = 28
RADIUS = 4
DIALOG = 560
NARROW = 1100  # in narrower windows panels lie over the picture
ICON = 16

BODY_PX = 13
CAPTION_PX = 11
TITLE_PX = 15


def font(px: int = BODY_PX, *, semibold: bool = False) -> QFont:
    """Return the system's UI font at ``px`` logical pixels, with tabular figures.

    Thread: GUI only, after the QApplication exists.
    """
    return QFont(_font(px, semibold))  # a copy: it shares its data


@lru_cache
def _font(px: int, semibold: bool) -> QFont:
    system_font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    system_font.setPixelSize(px)
    system_font.setWeight(QFont.Weight.DemiBold if semibold else QFont.Weight.Normal)
    system_font.setFeature(QFont.Tag("tnum"), 1)
    return system_font


def body_font() -> QFont:
    """Return the font of body text, 13 px."""
    return font(BODY_PX)


def caption_font() -> QFont:
    """Return the font of captions, counts and tile footers, 11 px."""
    return font(CAPTION_PX)


def title_font() -> QFont:
    """Return the font of titles, 15 px semibold."""
    return font(TITLE_PX, semibold=True)


class _ScrollArea(QScrollArea):
    """Leaves space for its vertical scroll bar while that is hidden."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the width of the content the same with and without the bar."""
        bar = self.verticalScrollBar()
        margin = 0 if bar.isVisibleTo(self) else bar.sizeHint().width()
        if self.viewportMargins().right() != margin:
            self.setViewportMargins(0, 0, margin, 0)
        super().resizeEvent(event)


def scrolled(content: QWidget) -> QScrollArea:
    """Return a vertical scroll area without frame and focus.

    It leaves space for a hidden scroll bar, so that the content keeps its width.
    """
    scroll = _ScrollArea()
    scroll.setWidget(content)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return scroll


_SCROLL_KEYS = {
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_Down: QAbstractSlider.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_Up: QAbstractSlider.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_Home: QAbstractSlider.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QAbstractSlider.SliderAction.SliderToMaximum,
}


def scroll_by_key(area: QScrollArea, key: int) -> bool:
    """Scroll an area by an arrow, Page, Home or End key. Return whether it was one."""
    action = _SCROLL_KEYS.get(Qt.Key(key))
    if action is not None:
        area.verticalScrollBar().triggerAction(action)
    return action is not None


def height_in(widget: QWidget, width: int) -> int:
    """Return the preferred height of a widget at a width, px."""
    widget.ensurePolished()
    if widget.hasHeightForWidth():
        return widget.heightForWidth(width)
    return widget.sizeHint().height()


def clear_layout(layout: QLayout) -> None:
    """Hide and delete all widgets of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


def plain(text: str = "", *, role: str = "", parent: QWidget | None = None) -> QLabel:
    """Return a label that shows its text as it is, never as markup.

    Args:
        text: shown as plain text, even if it looks like markup.
        role: a style of the stylesheet, such as ``caption`` or ``title``; empty for body text.
        parent: the parent widget.
    """
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    # Text written from right to left is aligned left as well.
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
    label.setAlignment(left | Qt.AlignmentFlag.AlignVCenter)
    label.setText(text)
    if role:
        label.setProperty("role", role)
    return label


def wrapped(text: str = "", role: str = "") -> QLabel:
    """Return a label as :func:`plain` makes it, whose text wraps."""
    label = plain(text, role=role)
    label.setWordWrap(True)
    return label


def style_as(widget: QWidget, name: str) -> None:
    """Name a widget for the stylesheet, which also paints its background."""
    widget.setObjectName(name)
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def icon_button(name: str, tip: str, *, quiet: bool = False) -> QToolButton:
    """Return a flat button with an icon; its tooltip is also its name for screen readers."""
    button = QToolButton()
    button.setProperty("flat", True)
    button.setIcon(icon(name, quiet))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button


def link_button(text: str, act: Callable[[], object]) -> QToolButton:
    """Return a button that looks like a link and calls ``act``."""
    button = QToolButton()
    button.setText(text)
    button.setProperty("link", True)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.clicked.connect(lambda: act())
    return button


def restyle(widget: QWidget) -> None:
    """Apply the stylesheet again after a property named in it has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def plain_tip(text: str) -> str:
    """Return a tooltip that shows its text as it is: tooltips have no plain-text mode."""
    return f"<span style='white-space:pre-wrap'>{html.escape(text)}</span>"


def tip(text: str, key: str | None) -> str:
    """Return a tooltip followed by the key that does the same, if there is one."""
    return plain_tip(f"{text} ({key})" if key else text)


def keys(sequence: str) -> str:
    """Return a key of KEYMAP as this platform writes it, with arrows as symbols."""
    shown = QKeySequence(sequence).toString(QKeySequence.SequenceFormat.NativeText)
    for name, arrow in (("Left", "←"), ("Right", "→"), ("Up", "↑"), ("Down", "↓")):
        if shown == name or shown.endswith(f"+{name}"):
            shown = shown.removesuffix(name) + arrow
    return {"Return": "Enter", "PgUp": "Page Up", "PgDown": "Page Down"}.get(shown, shown)


def transparent(width: int, height: int, ratio: float) -> QPixmap:
    """Return an empty picture to draw on, of this size in logical px."""
    image = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(ratio)
    return image


@lru_cache(maxsize=512)
def _pixmap(name: str, rgb: str, px: int, ratio: float) -> QPixmap:
    source = resource(f"icons/{name}.svg").read_text("utf-8").replace("currentColor", rgb)
    renderer = QSvgRenderer(QByteArray(source.encode()))
    image = QPixmap(round(px * ratio), round(px * ratio))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def pixmap(name: str, color: QColor = TEXT, px: int = ICON, ratio: float = 1.0) -> QPixmap:
    """Return ``resources/icons/<name>.svg`` in one color for a device pixel ratio.

    Raises:
        FileNotFoundError: no icon of that name (a bug: icons ship with the program).
    """
    return _pixmap(name, color.name(), px, ratio)


@lru_cache(maxsize=128)
def icon(name: str, quiet: bool = False) -> QIcon:
    """Return an icon in text color or quiet gray, and in disabled gray for disabled buttons."""
    icon_ = QIcon()
    for ratio in (1.0, 2.0, 3.0):
        icon_.addPixmap(pixmap(name, QUIET if quiet else TEXT, ICON, ratio), QIcon.Mode.Normal)
        icon_.addPixmap(pixmap(name, DISABLED, ICON, ratio), QIcon.Mode.Disabled)
    return icon_


def app_icon() -> QIcon:
    """Return the program's icon."""
    icon_ = QIcon()
    for px in (16, 32, 48, 128, 256):
        icon_.addPixmap(pixmap("curator", px=px))
    return icon_


def palette() -> QPalette:
    """Return the palette for all that the stylesheet leaves to the Fusion style."""
    colors = QPalette()
    role = QPalette.ColorRole
    for each, color in (
        (role.Window, PANEL),
        (role.WindowText, TEXT),
        (role.Base, CANVAS),
        (role.AlternateBase, PANEL),
        (role.Text, TEXT),
        (role.Button, RAISED),
        (role.ButtonText, TEXT),
        (role.BrightText, WHITE),
        (role.ToolTipBase, RAISED),
        (role.ToolTipText, TEXT),
        (role.PlaceholderText, QUIET),
        (role.Highlight, HAIRLINE),
        (role.HighlightedText, WHITE),
        (role.Accent, QUIET),
        (role.Link, TEXT),
        (role.LinkVisited, TEXT),
        (role.Light, HAIRLINE),
        (role.Midlight, HAIRLINE),
        (role.Mid, HAIRLINE),
        (role.Dark, CANVAS),
        (role.Shadow, CANVAS),
    ):
        colors.setColor(each, color)
    for each in (role.WindowText, role.Text, role.ButtonText):
        colors.setColor(QPalette.ColorGroup.Disabled, each, DISABLED)
    return colors


def stylesheet() -> str:
    """Read ``resources/theme.qss`` and insert the colors and sizes of this module."""
    text = resource("theme.qss").read_text("utf-8")
    values = {name: color.name() for name, color in globals().items() if isinstance(color, QColor)}
    values |= {
        "ROW": f"{ROW}px",
        "RADIUS": f"{RADIUS}px",
        "CHECK": resource("icons/check_fixed.svg").as_posix(),
        "DOWN": resource("icons/down_fixed.svg").as_posix(),
        "RIGHT": resource("icons/right_fixed.svg").as_posix(),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def apply(app: QApplication) -> None:
    """Set style, palette, font, stylesheet, icon and desktop name of the application.

    Thread: GUI, once, before the first window.
    """
    app.setDesktopFileName("curator")  # desktops find the window icon by it
    app.setStyle("Fusion")
    app.setPalette(palette())
    app.setFont(body_font())
    app.setStyleSheet(stylesheet())
    app.setWindowIcon(app_icon())
