"""Tags in the inspector: source, certainty and appearance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from curator.catalog import TagDetail
from curator.ui.main_window import MainWindow
from curator.ui.widgets import theme
from curator.ui.widgets.tag_chips import TagChips, in_words
from tests import taste_data

HARBOR = TagDetail("harbor", "encoder", 80, "suggested")
BOAT = TagDetail("boat", "encoder", 30, "confirmed")


def test_a_tag_names_its_source_and_its_certainty() -> None:
    assert in_words(HARBOR) == "harbor, suggested by the encoder, 80 %"
    assert in_words(BOAT) == "boat, confirmed"


def color(chips: TagChips, x: int, y: int) -> QColor:
    return chips.grab().toImage().pixelColor(x, y)


@pytest.mark.parametrize(("tag", "solid"), [(HARBOR, False), (BOAT, True)])
def test_only_what_a_person_confirmed_is_solid(
    dressed: QApplication, tag: TagDetail, solid: bool
) -> None:
    chips = TagChips([tag])
    chips.resize(270, chips.heightForWidth(270))
    assert (color(chips, 4, 11) == theme.HAIRLINE) is solid


def test_many_tags_take_as_many_rows_as_they_need(dressed: QApplication) -> None:
    tags = [replace(HARBOR, name=f"some word {number}") for number in range(9)]
    chips = TagChips(tags)
    assert chips.heightForWidth(3000) == 22
    assert chips.heightForWidth(100) == 9 * 22 + 8 * 6


def test_the_inspector_shows_what_an_encoder_suggests(window: MainWindow) -> None:
    session = window.session
    photo = int(session.ids[1])
    result = taste_data.result(session.catalog, photo, taste_data.ENCODER, np.ones(4), np.ones(76))
    session.catalog.vectors.save([(taste_data.job(photo), replace(result, tags=(("harbor", 80),)))])
    session.navigator.go_to(photo)
    session.view_state.inspector = True
    window.refresh()
    window.inspector.refresh()
    chips = next(each for each in window.inspector.findChildren(TagChips) if each.isVisible())
    assert chips.accessibleName() == "Tags: harbor, suggested by the encoder, 80 %"
    assert chips.height() >= chips.heightForWidth(chips.width())
