"""Box layouts with their spacing and margins, made in one call."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

_NO_MARGINS = (0, 0, 0, 0)


def column(
    owner: QWidget | None = None,
    *,
    spacing: int = 0,
    margins: tuple[int, int, int, int] = _NO_MARGINS,
) -> QVBoxLayout:
    """Return a layout from top to bottom.

    Args:
        owner: the widget it lays out; None for a part of another layout.
        spacing: between its items, px.
        margins: left, top, right, bottom, px.
    """
    made = QVBoxLayout(owner) if owner is not None else QVBoxLayout()
    made.setSpacing(spacing)
    made.setContentsMargins(*margins)
    return made


def row(
    owner: QWidget | None = None,
    *,
    spacing: int = 0,
    margins: tuple[int, int, int, int] = _NO_MARGINS,
) -> QHBoxLayout:
    """Return a layout from left to right; arguments as for :func:`column`."""
    made = QHBoxLayout(owner) if owner is not None else QHBoxLayout()
    made.setSpacing(spacing)
    made.setContentsMargins(*margins)
    return made
