"""What a vision model said of a photo, as the inspector and the placard show it: plain text."""

from __future__ import annotations

import re

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from curator.model import Described
from curator.ui.widgets import theme, words

_GAP = 5  # between its sentences
_LONG_WORD = re.compile(r"(\S{20})(?=\S)")
UNDER_WAY = "Describing…"


def description_block(told: Described | None, waits: str = "") -> QWidget | None:
    """Lay a description out as a part of the inspector, with its title; None if there is nothing.

    Args:
        told: what was said.
        waits: what stands there while another is made.
    """
    if told is None and not waits:
        return None
    block = QWidget()
    column = QVBoxLayout(block)
    column.setContentsMargins(0, 14, 0, 0)
    column.setSpacing(_GAP)
    column.addWidget(theme.plain("Description", role="section"))
    if waits:
        column.addWidget(_line(waits, "quiet"))
    if told is not None:
        for label in sentences(told):
            column.addWidget(label)
    return block


def sentences(told: Described) -> list[QLabel]:
    """Give the lines of a description: what it is, how the light reads, its kind and mood."""
    kind = told.content_type.replace("_", " ")
    lines = [
        (told.subject, ""),
        (told.lighting, "quiet"),
        (words.joined((kind.capitalize(), told.mood)), "quiet"),
        (f"Said by {told.model}", "caption"),
    ]
    return [_line(text, role) for text, role in lines if text]


def _line(text: str, role: str) -> QLabel:
    # A line that cannot be broken makes the panel's layout cut all that stands in it.
    label = theme.plain(_LONG_WORD.sub("\\1\u200b", text), role=role)
    label.setWordWrap(True)
    return label
