"""Candidates in the real window: shown while rating, swapped in by real keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.model import Pass, View
from curator.ui.main_window import MainWindow
from curator.ui.widgets import theme
from tests.gui import swatches
from tests.gui.keyboard import press

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def window(make_window, make_session) -> MainWindow:
    """The rate pass over photos 2 to 10, each without stars and of its own color, at photo 5."""
    session = make_session(20)
    swatches.lay_out(session.home.cache, session.ids.tolist())
    session.decisions.decide("keep", {photo: {"kept": True} for photo in range(2, 11)})
    session.decisions.decide("5 stars", {1: {"rating": 5, "flag": None}})
    made = make_window(session)
    made.resize(1300, 860)
    session.modes.set_mode(Pass.RATE)
    session.navigator.go_to(5)
    return made


@pytest.fixture
def rating(window: MainWindow, qtbot) -> MainWindow:
    qtbot.waitUntil(lambda: len(window.candidates.finder.photos) == 4)
    return window


def test_four_candidates_show_at_the_right_while_rating(rating, qtbot) -> None:
    candidates = rating.candidates
    assert candidates.geometry().right() == rating.width() - 1
    assert candidates.geometry().left() - 1 == rating.loupe.mapTo(rating, QPoint()).x() + (
        rating.loupe.width() - 1
    )
    assert set(candidates.finder.photos) == {3, 4, 6, 7}

    def own() -> bool:
        image = candidates.grab().toImage()
        return all(
            swatches.shows(image, cell.center().x(), cell.top() + candidates.edge() - 20, photo)
            for cell, photo in zip(
                map(candidates.cell, range(4)), candidates.finder.photos, strict=True
            )
        )

    qtbot.waitUntil(own)
    assert f"Ctrl+{4}" in candidates.accessibleName()


def test_a_key_swaps_a_candidate_in_and_back(rating) -> None:
    session, before = rating.session, rating.candidates.finder.photos
    press(rating, "Ctrl+2")
    assert session.current == before[1]
    assert rating.candidates.finder.photos[1] == 5
    session.viewer.note_painted(before[1])
    press(rating, "3", "Ctrl+2")
    assert session.current == 5
    assert rating.candidates.finder.photos == before
    assert "★★★" in rating.candidates.accessibleName()


def test_a_click_swaps_a_candidate_in(rating) -> None:
    photo = rating.candidates.finder.photos[3]
    QTest.mouseClick(rating.candidates, LEFT, NONE, rating.candidates.cell(3).center())
    assert rating.session.current == photo


def test_no_match_score_shows(rating) -> None:
    session, candidates = rating.session, rating.candidates
    before = candidates.grab().toImage()
    ids = session.table.ids
    session.table.scores.set(ids, ids.astype("i2"), ids.astype("f4"))
    session.taste.scores_changed.emit()
    assert candidates.grab().toImage() == before


@pytest.mark.slow
def test_a_held_arrow_searches_for_no_candidates(rating, monkeypatch, qtbot) -> None:
    looked: list[object] = []
    monkeypatch.setattr(rating.candidates.finder, "find", lambda: looked.append(1))
    QTest.keyPress(rating, Qt.Key.Key_Right)
    with qtbot.waitSignal(rating.candidates._rest.timeout):
        pass
    assert looked == []
    QTest.keyRelease(rating, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: looked == [1])


@pytest.mark.parametrize("way", ["panels", "narrow", "grid", "browse"])
def test_candidates_show_only_beside_the_loupe_while_rating(rating, way: str) -> None:
    session, said = rating.session, []
    session.messages.status_message.connect(said.append)
    if way == "panels":
        press(rating, "Tab")
    elif way == "narrow":
        rating.resize(theme.NARROW - 1, 800)
    elif way == "grid":
        press(rating, "G")
    else:
        press(rating, "Alt+0")
        session.viewer.set_view(View.LOUPE)
    assert not rating.candidates.isVisible()
    assert rating.candidates.finder.photos == ()
    before = session.current
    press(rating, "Ctrl+1")
    assert session.current == before


def test_a_less_high_window_has_smaller_thumbnails(rating) -> None:
    rating.resize(1300, 520)
    QApplication.processEvents()
    candidates = rating.candidates
    assert 0 < candidates.edge() < 112
    assert candidates.rect().contains(candidates.cell(0))
    assert candidates.rect().contains(candidates.cell(3))
