"""The Taste page: before there is taste, with taste, and its versions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from curator.learning.learner import TasteLearner
from curator.learning.outlook import Choices, Outlook, OutlookReport
from curator.session import Session
from curator.taste import accuracy, learning_curve
from curator.taste.ceiling import Forecast, Share
from curator.ui.main_window import MainWindow
from curator.ui.pages.agreement_axis import AgreementAxis
from curator.ui.pages.learning_curve import panels
from curator.ui.pages.taste_page import TastePage
from curator.ui.widgets import theme
from curator.ui.widgets.dialogs import Dialog
from curator.workers import WorkerTimeout
from tests import taste_data

PHOTOS = 60
Open = Callable[..., TastePage]


def rate(session: Session, vectors: dict[int, np.ndarray], photos: range) -> None:
    """Rate photos one by one by capture time, each predicted a little wrong."""
    for photo in photos:
        stars = taste_data.stars(vectors[photo])
        session.catalog.journal.decide(
            {photo: {"rating": stars}},
            summary="",
            order_name="taken" if photo % 2 else "match",
            expected={photo: 3 + 0.6 * (stars - 3) + 0.4 * (-1) ** photo},
        )


@pytest.fixture
def vectors(session: Session) -> dict[int, np.ndarray]:
    """The vectors of sixty unreviewed photos."""
    everyone = range(1, PHOTOS + 1)
    nothing = {"rating": None, "flag": None, "kept": False}
    session.catalog.journal.decide(dict.fromkeys(everyone, nothing), summary="clear all marks")
    session.catalog.vectors.use_encoder(taste_data.ENCODER)
    return taste_data.embed(session.catalog, everyone)


@pytest.fixture
def window(make_window: Callable[..., MainWindow], session: Session) -> MainWindow:
    """A window of this session."""
    return make_window(session)


@pytest.fixture
def opened(qtbot: QtBot, session: Session, window: MainWindow) -> Open:
    """Open the page by its key and wait for its verdict."""

    def open_page() -> TastePage:
        session.taste.learner.everything_changed()
        window.activateWindow()
        QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
        (page,) = [each for each in window.findChildren(TastePage) if each.isVisible()]
        qtbot.waitUntil(lambda: bool(page.verdict.text()))
        return page

    return open_page


def press_enter(button: QPushButton) -> None:
    """Focus a button and press Enter."""
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)


def test_without_taste_the_page_says_what_to_do(
    session: Session, vectors: dict[int, np.ndarray], opened: Open
) -> None:
    rate(session, vectors, range(1, 13))
    page = opened()
    assert page.verdict.text() == "12 of 20 photos with stars"
    assert page.slots.isVisible() and page.slots.accessibleName() == page.verdict.text()
    assert page.why.text().startswith("Rate 8 more photos (1 to 5), high and low.")
    assert "60 photos analyzed with test/1." in page.state.text()
    assert (
        page.accuracy.no_curve.isVisible()
        and "how well you agree with yourself" in page.accuracy.no_curve.text()
    )
    assert page.no_versions.isVisible() and not page.keep.isEnabled()
    assert not page.accuracy.curve.isVisible() and not page.roll_back.isVisible()


def test_without_an_encoder_the_page_says_why_and_what_to_do(
    session: Session, opened: Open
) -> None:
    page = opened()
    assert page.verdict.text() == "2 of 20 photos with stars"
    assert "Similar photos and taste are off: no encoder installed." in page.state.text()
    assert not page.why.isVisible(), "ratings alone would not help"


def test_the_page_shows_whether_the_order_is_reliable_and_its_learning_curve(
    session: Session, vectors: dict[int, np.ndarray], opened: Open, qtbot: QtBot
) -> None:
    rate(session, vectors, range(1, PHOTOS + 1))
    page = opened()
    qtbot.waitUntil(lambda: bool(page.versions.rows))
    assert page.verdict.text() == "Reliable"
    assert page.why.text().startswith("Curator's predictions are 8")
    assert "Rank correlation of predictions with your ratings: 0." in (
        page.accuracy.curve.accessibleName()
    )
    shown = [
        page.accuracy.figures.itemAtPosition(row, column).widget().text()  # type: ignore[union-attr]
        for row in (1, 2)
        for column in (0, 1)
    ]
    assert shown == ["All predicted ratings", "60", "Sorted by capture time", "30"]
    heads = [
        page.accuracy.figures.itemAtPosition(0, column).widget().text()  # type: ignore[union-attr]
        for column in (3, 4)
    ]
    assert heads == ["Off by", "Guessing"]
    meaning = page.accuracy.figures.itemAtPosition(3, 0).widget().text()  # type: ignore[union-attr]
    assert meaning.startswith("Off by: how far predictions are from your ratings, in stars.")
    assert page.versions.rows[0].reason == "daily" and page.roll_back.isVisible()
    dark = page.accuracy.curve.palette().window().color()
    drawn = page.accuracy.curve.grab().toImage()
    colors = {drawn.pixelColor(x, y).name() for x in range(30, 200, 3) for y in range(30, 110)}
    assert len(colors - {dark.name()}) > 3, "the curve is drawn"


def test_while_predictions_are_not_reliable_the_page_says_why_beside_what_they_reach(
    session: Session, vectors: dict[int, np.ndarray], opened: Open
) -> None:
    for photo in range(1, PHOTOS + 1):  # in the right order, but too low
        stars = taste_data.stars(vectors[photo])
        session.catalog.journal.decide(
            {photo: {"rating": stars}}, summary="", expected={photo: 0.2 * stars}
        )
    page = opened()
    assert page.verdict.text() == "Not reliable yet"
    assert page.why.text().startswith("Off by 2.")
    assert "always guessing your average is off by" in page.why.text()
    assert "ratings can be, if you are as consistent as most people." in (page.why.text())


def test_a_version_is_kept_pinned_and_unpinned_by_keyboard(
    session: Session,
    vectors: dict[int, np.ndarray],
    opened: Open,
    window: MainWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A tuned model may arrive at any time, and what is saved after it is another version.
    monkeypatch.setattr(TasteLearner, "search", lambda learner: None)
    rate(session, vectors, range(1, 31))
    page = opened()
    qtbot.waitUntil(lambda: len(page.versions.rows) == 1)
    session.ordering.set_order("match")
    before = session.table.scores.match.copy()
    press_enter(page.keep)
    qtbot.waitUntil(lambda: [row.reason for row in page.versions.rows] == ["hand"])
    for photo in range(1, PHOTOS + 1):
        stars = 6 - taste_data.stars(vectors[photo])
        session.catalog.journal.decide({photo: {"rating": stars}}, summary="")
    with qtbot.waitSignal(session.taste.scores_changed):
        session.taste.learner.everything_changed()
    changed = session.table.scores.match.copy()
    assert np.abs(changed - before).max() > 10
    press_enter(page.keep)
    qtbot.waitUntil(lambda: [row.id for row in page.versions.rows] == [2, 1])
    qtbot.waitUntil(lambda: page.moved_title.text() == "Largest changes in version 2")
    assert "match" in page.moved.accessibleName() and page.moved.grab().width()

    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    assert page.roll_back.text() == "Roll back to version 1"
    press_enter(page.roll_back)
    qtbot.waitUntil(lambda: page.pin.text().startswith("Taste is pinned to version 1."))
    assert np.abs(session.table.scores.match - before).max() <= 1
    assert window.topbar.order.text().startswith("Sort: Match, version 1")
    orders = [action.text() for action in window.topbar.orders_menu().actions()]
    assert "Taste is pinned to version 1." in orders
    assert session.taste.scores_for_export()[1] == f"{taste_data.ENCODER}, version 1"
    assert not page.keep.isEnabled() and not page.roll_back.isEnabled()

    press_enter(page.unpin)
    qtbot.waitUntil(lambda: not page.pin.isVisible())
    assert np.abs(session.table.scores.match - changed).max() <= 1
    assert window.topbar.order.text().startswith("Sort: Match ▾")
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert not page.isVisible()


def test_the_page_refuses_a_damaged_version_and_scores_stay(
    session: Session, vectors: dict[int, np.ndarray], opened: Open, qtbot: QtBot
) -> None:
    rate(session, vectors, range(1, 31))
    page = opened()
    qtbot.waitUntil(lambda: bool(page.versions.rows))
    before = session.table.scores.match.copy()
    with session.catalog.store.transaction():
        session.catalog.store.run("UPDATE taste_version SET numbers = x'00'")
    press_enter(page.roll_back)
    assert page.problem.text().startswith("Version 1 of taste is damaged and cannot be used.")
    assert session.catalog.taste.pinned() is None
    assert np.array_equal(session.table.scores.match, before)


def test_the_page_shows_the_progress_of_a_better_encoder(
    session: Session, vectors: dict[int, np.ndarray], opened: Open
) -> None:
    rate(session, vectors, range(1, 31))
    session.catalog.vectors.use_encoder("open_clip/ViT-L-14/1")
    taste_data.embed(session.catalog, range(1, 21), "open_clip/ViT-L-14/1", dimension=24)
    assert "Analyzing again with CLIP: 20 of 60." in opened().state.text()


def test_the_axis_shows_the_person_in_pencil_once_their_repeats_count(
    session: Session, vectors: dict[int, np.ndarray], opened: Open, qtbot: QtBot
) -> None:
    rate(session, vectors, range(1, 51))
    page = opened()
    axis = page.accuracy.axis
    assert axis.accessibleName().startswith("You agree with yourself, assumed 0.92 (0.57 to 0.98);")
    assert "Curator's predictions 0." in axis.accessibleName()
    assert "can be reached 0.96" in axis.accessibleName()
    assert "Assumed from other people, until photos you rated come back" in (
        page.accuracy.agreement.text()
    )
    assert pencil(axis) == 0, "nothing of it is the person's yet"
    for photo in range(1, 26):
        stars = taste_data.stars(vectors[photo])
        session.catalog.journal.repeat(photo, {"rating": stars}, summary="again")
    session.taste.learner.everything_changed()
    qtbot.waitUntil(lambda: "assumed" not in axis.accessibleName())
    assert page.accuracy.agreement.text().endswith(
        "25 of 25 repeated photos got the same stars; partly assumed from other people."
    )
    drawn = axis.grab().toImage()
    assert pencil(axis) > 20 and drawn.width() == axis.width()


def pencil(axis: AgreementAxis) -> int:
    """Count the pixels drawn in pencil."""
    drawn = axis.grab().toImage()
    every = (drawn.pixelColor(x, y) for x in range(drawn.width()) for y in range(drawn.height()))
    return sum(each == theme.PENCIL for each in every)


def test_the_page_says_whether_more_stars_help_and_what_it_finds_in_stacks(
    session: Session,
    vectors: dict[int, np.ndarray],
    opened: Open,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rising = Forecast(40, 0.03, 0.01)
    choices = Choices(112, 34, Share(0.71, 0.61, 0.79), Share(0.57, 0.47, 0.66))
    measured = Outlook(rising, choices)
    monkeypatch.setattr(OutlookReport, "__call__", lambda *_: measured)
    rate(session, vectors, range(1, 51))
    page = opened()
    qtbot.waitUntil(
        lambda: "About 40 more ratings should raise the correlation from 0." in page.why.text()
    )
    grid = page.accuracy.choices
    shown = [
        [grid.itemAtPosition(row, column).widget().text() for column in range(3)]  # type: ignore[union-attr]
        for row in (0, 1, 2, 3)
    ]
    assert shown == [
        ["", "Agreed with you", "Likely range"],
        ["Prediction", "71 %", "61 to 79 %"],
        ["Sharpness alone", "57 %", "47 to 66 %"],
        ["Chance", "50 %", ""],
    ]
    assert "in 112 pairs from 34 stacks." in grid.itemAtPosition(4, 0).widget().text()  # type: ignore[union-attr]


def test_a_failed_measurement_is_reported_until_one_succeeds(
    session: Session,
    vectors: dict[int, np.ndarray],
    opened: Open,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Outlook:
        raise WorkerTimeout("Learning your taste took longer than 120 s.")

    monkeypatch.setattr(OutlookReport, "__call__", fail)
    rate(session, vectors, range(1, PHOTOS + 1))
    page = opened()
    qtbot.waitUntil(lambda: "took longer than 120 s" in page.problem.text())
    assert "Measuring" not in page.why.text()
    assert page.why.text().startswith("Curator's predictions are 8")
    measured = Outlook(Forecast(0, 0.01, 0.01))
    monkeypatch.setattr(OutlookReport, "__call__", lambda *_: measured)
    page.refresh()
    qtbot.waitUntil(lambda: "More stars will hardly help." in page.why.text())
    assert page.problem.text() == ""


@pytest.mark.parametrize("count", [20, 33, 700])
def test_every_point_of_the_curve_is_within_its_scale(count: int) -> None:
    chance = np.random.default_rng(count)
    stars = chance.integers(1, 6, count)
    order, error = panels(learning_curve(5 - stars + chance.normal(size=count), stars))
    assert order.marks[0] == -0.5, "the scale includes negative correlations"
    for panel in (order, error):
        values = [value for line in panel.lines for _, value in line.points]
        assert len({len(line.points) for line in panel.lines}) == 1
        assert panel.marks[-1] >= max(values)
    assert [line.machine for line in error.lines] == [True, False]
    assert accuracy(stars, stars).correlation == pytest.approx(1)


@pytest.mark.parametrize("room", [(1464, 914), (1404, 864), (964, 664), (764, 564), (684, 414)])
def test_no_parts_overlap_and_the_page_fits_the_screen(
    session: Session,
    vectors: dict[int, np.ndarray],
    opened: Open,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    room: tuple[int, int],
) -> None:
    monkeypatch.setattr(Dialog, "max_size", property(lambda _: QSize(*room)))
    rate(session, vectors, range(1, 31))
    page = opened()
    qtbot.waitUntil(lambda: page.accuracy.curve.isVisible() and page.accuracy.figures.count() > 0)
    QApplication.processEvents()
    parts = [
        page.accuracy.curve,
        page.table,
        *page.findChildren(QLabel),
        *page.findChildren(QPushButton),
    ]
    shown = [part for part in parts if part.isVisible()]
    places = [QRect(part.mapTo(page, QPoint()), part.size()) for part in shown]
    assert all(
        not one.intersects(other)
        for (one, first), (other, second) in combinations(zip(places, shown, strict=True), 2)
        if first.parent() is second.parent()
    )
    assert page.accuracy.parentWidget().width() <= page.scroll_area.viewport().width(), (
        "nothing is cut"
    )
    assert page.height() <= room[1] and page.width() <= room[0]
    bar = page.scroll_area.verticalScrollBar()
    QTest.keyClick(page.close_button, Qt.Key.Key_End)
    assert bar.value() == bar.maximum(), "what is below can be reached by key"
    assert page.rect().contains(places[shown.index(page.close_button)])
