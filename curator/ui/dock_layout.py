"""Dividing the window's rectangle among its parts by plain arithmetic."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget


class DockLayout:
    """What is left of a rectangle as parts take their share; a part that is not there is hidden."""

    def __init__(self, rect: QRect) -> None:
        self.left = QRect(rect)

    def top(self, part: QWidget, height: int, there: bool) -> None:
        """Give a part ``height`` px at the top."""
        place(part, QRect(self.left.topLeft(), self.left.size()), there, height=height)
        if there:
            self.left.setTop(self.left.top() + height)

    def bottom(self, part: QWidget, height: int, there: bool) -> None:
        """Give a part ``height`` px at the bottom."""
        rect = QRect(self.left)
        rect.setTop(rect.bottom() + 1 - height)
        place(part, rect, there)
        if there:
            self.left.setBottom(self.left.bottom() - height)

    def beside(self, part: QWidget, width: int, there: bool, *, right: bool, over: bool) -> None:
        """Give a part ``width`` px at one side; ``over`` lays it over what comes next."""
        rect = QRect(self.left)
        if right:
            rect.setLeft(rect.right() + 1 - width)
        else:
            rect.setWidth(width)
        place(part, rect, there)
        part.raise_()
        if there and not over:
            if right:
                self.left.setRight(self.left.right() - width)
            else:
                self.left.setLeft(self.left.left() + width)


def place(part: QWidget, where: QRect, there: bool, *, height: int | None = None) -> None:
    """Put a part where it belongs, or hide it."""
    if height is not None:
        where.setHeight(height)
    if there:
        part.setGeometry(where)
    if part.isHidden() == there:
        part.setVisible(there)
