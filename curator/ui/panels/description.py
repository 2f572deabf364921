"""A photo's description by a vision model, for the inspector and the file preview."""

from __future__ import annotations

import re

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from curator.model import Described
from curator.ui.widgets import theme, words

_GAP = 5  # px between its sentences
_LONG_WORD = re.compile(r"(\S{20})(?=\S)")
DESCRIBING = "Describing…"


def description_block(description: Described | None, progress: str = "") -> QWidget | None:
    """Build the inspector's description section; None if there is nothing to show.

    Args:
        description: the description.
        progress: shown above it while the model writes a new one.
    """
    if description is None and not progress:
        return None
    block = QWidget()
    column = QVBoxLayout(block)
    column.setContentsMargins(0, 14, 0, 0)
    column.setSpacing(_GAP)
    column.addWidget(theme.plain("Description", role="section"))
    if progress:
        column.addWidget(_line(progress, "quiet"))
    if description is not None:
        for label in sentences(description):
            column.addWidget(label)
    return block


def sentences(description: Described) -> list[QLabel]:
    """Return the lines of a description as labels: subject, lighting, kind and mood, model."""
    kind = description.content_type.replace("_", " ")
    lines = [
        (description.subject, ""),
        (description.lighting, "quiet"),
        (words.joined((kind.capitalize(), description.mood)), "quiet"),
        (f"Described by {description.model}", "caption"),
    ]
    return [_line(text, role) for text, role in lines if text]


def _line(text: str, role: str) -> QLabel:
    # A word too long to wrap would make the layout cut the whole panel.
    label = theme.plain(_LONG_WORD.sub("\\1\u200b", text), role=role)
    label.setWordWrap(True)
    return label
