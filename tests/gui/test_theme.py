"""The theme: all icons exist, colors have enough contrast, texts are never markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from curator.home import resource
from curator.model import Label
from curator.ui.panels.sidebar import _ICONS
from curator.ui.widgets import theme

ICONS = sorted(path.stem for path in resource("icons").glob("*.svg"))
ROOT = Path(theme.__file__).resolve().parent


def luminance(color: theme.QColor) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [color.redF(), color.greenF(), color.blueF()]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: theme.QColor, other: theme.QColor) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_draws_at_one_and_two_pixels(qapp, name: str) -> None:
    for ratio in (1.0, 2.0):
        image = theme.pixmap(name, theme.TEXT, theme.ICON, ratio).toImage()
        assert image.width() == round(theme.ICON * ratio)
        alphas = [
            image.pixelColor(x, y).alpha()
            for x in range(image.width())
            for y in range(image.height())
        ]
        assert sum(alpha > 0 for alpha in alphas) > 0


def test_every_icon_named_in_the_code_is_there() -> None:
    named = set(_ICONS.values())
    for module in ROOT.glob("*.py"):
        named |= set(re.findall(r"theme\.(?:icon|pixmap)\(\"(\w+)\"", module.read_text("utf-8")))
    assert named <= set(ICONS)


def test_the_stylesheet_is_filled_in(qapp) -> None:
    sheet = re.sub(r"/\*.*?\*/", "", theme.stylesheet(), flags=re.DOTALL)
    assert "@" not in sheet
    assert "gradient" not in sheet and theme.PENCIL.name() in sheet


@pytest.mark.parametrize("ground", [theme.CANVAS, theme.PANEL, theme.RAISED])
def test_text_is_readable_on_every_background(ground: theme.QColor) -> None:
    assert contrast(theme.TEXT, ground) >= 7
    assert contrast(theme.QUIET, ground) >= 4.5
    assert contrast(theme.PENCIL, ground) >= 4.5


def test_the_primary_button_is_readable() -> None:
    assert contrast(theme.PENCIL_TEXT, theme.PENCIL) >= 4.5


def test_every_label_has_a_color() -> None:
    assert set(theme.LABELS) == set(Label)


def test_tooltips_show_names_as_they_are() -> None:
    assert "&lt;b&gt;" in theme.plain_tip("<b>")
