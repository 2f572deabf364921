"""The order a cull opens with, by real keys: by match only while the Taste page trusts it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from curator.learning.report import Report
from curator.model import Pass
from curator.session import Session
from curator.ui.main_window import MainWindow
from tests import taste_data
from tests.gui.keyboard import press

PHOTOS = 60


@pytest.fixture
def vectors(session: Session) -> dict[int, np.ndarray]:
    """The vectors of sixty unreviewed photos."""
    nothing = {"rating": None, "flag": None, "kept": False}
    everyone = dict.fromkeys(range(1, PHOTOS + 1), nothing)
    session.catalog.journal.decide(everyone, summary="clear all marks")
    session.catalog.vectors.use_encoder(taste_data.ENCODER)
    return taste_data.embed(session.catalog, everyone)


@pytest.fixture
def window(
    make_window: Callable[..., MainWindow],
    session: Session,
    vectors: dict[int, np.ndarray],
    qtbot: QtBot,
) -> MainWindow:
    """A window that has learned from 38 ratings; 18 of them were predicted, two too few."""
    taste_data.rate(session.catalog, vectors, range(1, 21))
    taste_data.rate(session.catalog, vectors, range(21, 39), predicted=True)
    window = make_window(session)
    session.refresh()
    session.taste.learner.everything_changed()
    qtbot.waitUntil(lambda: session.taste.has_scores)
    window.activateWindow()
    return window


def page_trusts(window: MainWindow, qtbot: QtBot) -> bool:
    """Whether the Taste page would now say that predictions are reliable."""
    reports: list[Report] = []
    window.session.taste.report(reports.append)
    qtbot.waitUntil(lambda: bool(reports))
    return reports[0].accuracy.headline != "Not reliable yet"


def offered(window: MainWindow) -> str:
    shown = window.notifications.current
    return shown.text if shown is not None else ""


def test_a_cull_is_by_capture_time_until_the_page_says_reliable(
    window: MainWindow, vectors: dict[int, np.ndarray], qtbot: QtBot
) -> None:
    session = window.session
    press(window, "Alt+1")
    assert window.topbar.order.text().startswith("Sort: Capture time")
    listed = session.ids.tolist()
    trusted = False
    for _ in range(20):
        assert session.current is not None
        stars = str(taste_data.stars(vectors[session.current]))
        session.viewer.note_painted(session.current)
        with qtbot.waitSignal(session.taste.scores_changed):
            press(window, stars)
        press(window, "Right")
        trusted = page_trusts(window, qtbot)
        assert session.taste.is_reliable == trusted
        assert offered(window) == ("Taste is ready" if trusted else "")
        assert window.topbar.order.text().startswith("Sort: Capture time")
        if trusted:
            break
    assert trusted
    assert session.ids.tolist() == listed, "the pass under way stays as it is"

    press(window, "Alt+2", "Alt+1")
    assert window.topbar.order.text().startswith("Sort: Capture time"), "the same pass"
    assert offered(window) == "Taste is ready"
    press(window, "Alt+0")
    assert offered(window) == ""
    session.criteria.forget_opening(Pass.CULL)
    press(window, "Alt+1")
    assert window.topbar.order.text().startswith("Sort: Match"), "a new one"
    expected = session.table.scores.expected[session.table.rows_of(session.ids)]
    assert list(expected) == sorted(expected)

    listed = session.ids.tolist()
    while trusted:
        with qtbot.waitSignal(session.taste.scores_changed):
            session.catalog.journal.undo()
            session.taste.learner.everything_changed()
        trusted = page_trusts(window, qtbot)
        assert session.taste.is_reliable == trusted
    assert window.topbar.order.text().startswith("Sort: Match") and session.ids.tolist() == listed
    assert offered(window) == "Predictions are no longer reliable"
    window.notifications.action.click()
    assert window.topbar.order.text().startswith("Sort: Capture time") and not offered(window)
