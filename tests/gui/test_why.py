"""The explanation (W) and similar photos in the inspector; hidden until a photo is marked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.model import Pass, View
from curator.session import Session
from curator.ui.main_window import MainWindow
from tests import catalogs, taste_data
from tests.gui import swatches
from tests.gui.conftest import PHOTOS

LEFT = Qt.MouseButton.LeftButton
Rated = Callable[[int], MainWindow]


@pytest.fixture
def rated(
    home: Home,
    make_session: Callable[[], Session],
    make_window: Callable[..., MainWindow],
    qtbot: QtBot,
) -> Rated:
    """Return a function that opens a window of sixty photos and rates some of them."""

    def make(stars: int) -> MainWindow:
        catalogs.fill(home.catalog, PHOTOS)
        catalog = Catalog.open(home.catalog)
        nothing = {"rating": None, "flag": None, "kept": False}
        catalog.journal.decide(
            dict.fromkeys(range(1, PHOTOS + 1), nothing), summary="clear all marks"
        )
        vectors = taste_data.embed(catalog, range(1, PHOTOS + 1))
        taste_data.rate(catalog, vectors, range(1, stars + 1))
        catalog.close()
        window = make_window(make_session())
        window.resize(1440, 900)
        qtbot.waitUntil(lambda: window.session.taste.learned is not None)
        return window

    return make


def texts(window: MainWindow) -> list[str]:
    """Return the visible texts of the explanation."""
    why = window.inspector.why
    shown = [why.notice, why.score, why.uncertainty, why.includes_own, *why.titles.values()]
    return [label.text() for label in shown if label.isVisible()]


def go_to(window: MainWindow, photo: int) -> None:
    window.session.navigator.go_to(photo)


def test_w_hides_the_explanation_until_a_mark_and_a_second_w_shows_it(
    rated: Rated, qtbot: QtBot
) -> None:
    window = rated(30)
    go_to(window, 40)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.inspector.isVisible()
    assert window.status.message.text == "Hidden until you decide. Press W again to show."
    qtbot.waitUntil(lambda: bool(window.inspector.similar.similar.ids))
    assert texts(window) == ["Hidden until you decide."]
    QTest.keyClick(window, Qt.Key.Key_W)
    match = window.session.tile(40).match
    assert texts(window)[0].startswith(f"Match {match} · ")
    assert "similar photos" in texts(window)[1]
    QTest.keyClick(window, Qt.Key.Key_W)
    assert not window.inspector.isVisible()


def test_a_rating_shows_the_explanation_which_mentions_that_rating(
    rated: Rated, qtbot: QtBot
) -> None:
    window = rated(30)
    go_to(window, 40)
    QTest.keyClick(window, Qt.Key.Key_I)
    qtbot.waitUntil(lambda: texts(window) == ["Hidden until you decide."])
    QTest.keyClick(window, Qt.Key.Key_4)
    qtbot.waitUntil(lambda: texts(window)[:1] != ["Hidden until you decide."])
    qtbot.waitUntil(lambda: "Predicted before you rated" in texts(window))
    go_to(window, 41)
    go_to(window, 40)
    qtbot.waitUntil(lambda: "Includes your rating of this photo" in texts(window))
    assert all(40 not in row.ids for row in window.inspector.why.similar.values())


def test_caption_and_explanation_name_the_same_figures_after_a_star_is_learned(
    rated: Rated, qtbot: QtBot
) -> None:
    window = rated(30)
    session = window.session
    session.settings.taste.show_match = True
    go_to(window, 40)
    QTest.keyClick(window, Qt.Key.Key_I)
    qtbot.waitUntil(lambda: texts(window)[:1] == [score(window, 40)])
    before = score(window, 40)
    match = session.tile(40).match
    assert match is not None
    with qtbot.waitSignal(session.taste.scores_changed):
        QTest.keyClick(window, Qt.Key.Key_1 if match > 50 else Qt.Key.Key_5)
    with qtbot.waitSignal(session.explanations.insight_ready):
        pass  # the inspector asks again, and the learner answers from the later model
    assert score(window, 40) != before, "learned meanwhile"
    shown, expected = texts(window)[0], before.split(" · ")[1].removesuffix(" stars expected")
    assert shown == before
    assert f"match {match} · you" in session.caption(40)[1]
    assert f"expected {expected} " in session.caption(40)[1]
    assert "Predicted before you rated" in texts(window)
    go_to(window, 41)
    go_to(window, 40)
    qtbot.waitUntil(lambda: texts(window)[:1] == [score(window, 40)])
    assert "expected" not in session.caption(40)[1]


def test_a_click_shows_the_explanation(rated: Rated, qtbot: QtBot) -> None:
    window = rated(30)
    go_to(window, 40)
    QTest.keyClick(window, Qt.Key.Key_I)
    button: QToolButton = window.inspector.why.show_now
    qtbot.waitUntil(button.isVisible)
    QTest.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: texts(window)[:1] == [score(window, 40)])


def test_no_photo_is_shown_with_the_explanation_of_another(rated: Rated, qtbot: QtBot) -> None:
    window = rated(30)
    go_to(window, 3)
    QTest.keyClick(window, Qt.Key.Key_I)
    qtbot.waitUntil(lambda: texts(window)[:1] == [score(window, 3)])
    of_three = window.inspector.similar.similar.ids
    go_to(window, 4)
    assert texts(window) == [] and window.inspector.similar.similar.ids == []
    qtbot.waitUntil(lambda: texts(window)[:1] == [score(window, 4)])
    assert window.inspector.similar.similar.ids != of_three


def score(window: MainWindow, photo: int) -> str:
    expected = window.session.table.scores.expected_of(photo)
    assert expected is not None
    shown = min(max(expected, 1.0), 5.0)
    return f"Match {window.session.tile(photo).match} · {shown:.1f} stars expected"


def test_held_arrows_request_no_explanations(
    rated: Rated, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = rated(0)
    QTest.keyClick(window, Qt.Key.Key_I)
    qtbot.waitUntil(lambda: bool(window.inspector.similar.similar.ids))
    asked: list[int] = []
    explain = window.session.explanations.explain
    monkeypatch.setattr(
        window.session.explanations, "explain", lambda photo: (asked.append(photo), explain(photo))
    )
    for _ in range(20):
        press = QEvent.Type.KeyPress
        held = QKeyEvent(press, Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, "", True)
        QApplication.sendEvent(window, held)
        QTest.keyClick(window, Qt.Key.Key_Right)
    assert asked == []
    here = window.session.current
    qtbot.waitUntil(lambda: bool(asked))
    assert set(asked) == {here}


def test_similar_photos_need_no_ratings_and_a_click_opens_one(rated: Rated, qtbot: QtBot) -> None:
    window = rated(0)
    go_to(window, 5)
    QTest.keyClick(window, Qt.Key.Key_I)
    near = window.inspector.similar.similar
    qtbot.waitUntil(lambda: len(near.ids) == 6)
    assert texts(window) == ["Rate 20 more photos to start predictions."]
    wanted = near.ids[4]
    QTest.mouseClick(near, LEFT, pos=near.place(4).center())
    assert window.session.current == wanted


def test_a_similar_photo_outside_the_cull_opens_in_browse_and_the_cull_can_continue(
    rated: Rated, qtbot: QtBot
) -> None:
    window = rated(30)
    session = window.session
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(window, Qt.Key.Key_I)
    near = window.inspector.similar.similar
    qtbot.waitUntil(lambda: any(photo <= 30 for photo in near.ids))
    left, place = session.current, next(n for n, photo in enumerate(near.ids) if photo <= 30)
    wanted = near.ids[place]
    QTest.mouseClick(near, LEFT, pos=near.place(place).center())
    assert (session.current, session.criteria.mode, session.view_state.view) == (
        wanted,
        Pass.BROWSE,
        View.LOUPE,
    )
    assert window.status.message.text == "Browsing All photos; press Alt+1 to go on"
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert (session.current, session.criteria.mode) == (left, Pass.CULL)


def test_marks_on_similar_photos_are_hidden_as_the_explanation_is(
    rated: Rated, qtbot: QtBot
) -> None:
    window = rated(30)
    swatches.lay_out(window.session.home.cache, range(1, PHOTOS + 1))
    go_to(window, 40)
    QTest.keyClick(window, Qt.Key.Key_I)
    near = window.inspector.similar.similar
    qtbot.waitUntil(lambda: any(photo <= 30 for photo in near.ids))
    hidden = near.grab().toImage()
    QTest.keyClick(window, Qt.Key.Key_W)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert near.grab().toImage() != hidden
    assert "star" not in near.accessibleName() and "★" in near.accessibleName()


def test_showing_match_everywhere_is_off_by_default(rated: Rated, qtbot: QtBot) -> None:
    window = rated(30)
    session = window.session
    go_to(window, 40)
    QTest.keyClick(window, Qt.Key.Key_E)
    strip = window.filmstrip.grab().toImage()
    assert "match" not in session.caption(40)[1]
    session.settings.taste.show_match = True
    session.preferences.changed.emit()
    assert f"match {session.tile(40).match} · " in session.caption(40)[1]
    assert window.filmstrip.grab().toImage() != strip
    QTest.keyClick(window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: texts(window)[:1] == [score(window, 40)])


def test_match_can_be_filtered_by(rated: Rated) -> None:
    window = rated(30)
    session = window.session
    catalog = session.catalog
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM vector WHERE photo_id = 60")
    session.table.scores.match[session.table.rows_of([60])] = np.nan
    scores = {int(photo): session.tile(int(photo)).match for photo in session.ids}
    QTest.keyClick(window, Qt.Key.Key_Slash)
    QTest.keyClicks(window.topbar.search, "match:<40")
    QTest.keyClick(window.topbar.search, Qt.Key.Key_Return)
    wanted = {photo for photo, match in scores.items() if match is not None and match < 40}
    assert set(session.ids.tolist()) == wanted and wanted
    session.search.set_filter("match:>=0")
    assert 60 not in session.ids.tolist()
