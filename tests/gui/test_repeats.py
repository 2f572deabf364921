"""A photo comes back in the rating mode without its stars: what a person sees, by real keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.session import Session
from curator.ui.main_window import MainWindow
from tests import taste_data
from tests.catalogs import fill
from tests.gui.keyboard import press

PHOTOS = 130


def prepare(home: Home) -> None:
    """Keep all photos, and rate the last seventy with 4 stars, as in an earlier session."""
    fill(home.catalog, PHOTOS)
    catalog = Catalog.open(home.catalog)
    kept = {"kept": True, "flag": None, "rating": None, "label": None}
    catalog.journal.decide(dict.fromkeys(range(1, PHOTOS + 1), kept), summary="keep all")
    catalog.journal.decide(
        {photo: {"rating": 4} for photo in range(61, PHOTOS + 1)},
        summary="4 stars",
        context={"pass": "rate"},
    )
    catalog.close()


def texts(window: MainWindow) -> str:
    """Return all text of the inspector on screen."""
    window.inspector.refresh()
    labels = window.inspector.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def looks(window: MainWindow, photo: int, qtbot: QtBot) -> list[str]:
    """Return what W, the inspector and the filmstrip show of a photo, without its numbers."""
    session, said = window.session, []
    ready = session.explanations.insight_ready
    with qtbot.waitSignal(ready, check_params_cb=lambda insight: insight.photo_id == photo):
        session.navigator.go_to(photo)
    session.messages.status_message.connect(said.append)
    press(window, "W", "W")
    buttons = [each for each in window.inspector.findChildren(QAbstractButton) if each.isVisible()]
    shown = [texts(window), *(each.text() for each in buttons), *session.caption(photo), *said]
    session.messages.status_message.disconnect(said.append)
    matched = session.tile(photo).match is not None
    return [re.sub(r"\d+", "0", text) for text in (*shown, f"match: {matched}")]


@pytest.mark.parametrize("show_match", [False, True])
def test_a_photo_that_came_back_looks_like_its_unrated_neighbors(
    home: Home,
    make_session: Callable[..., Session],
    make_window: Callable[..., MainWindow],
    qtbot: QtBot,
    show_match: bool,
) -> None:
    prepare(home)
    catalog = Catalog.open(home.catalog)
    vectors = taste_data.embed(catalog, range(1, PHOTOS + 1))
    taste_data.rate(catalog, vectors, range(61, PHOTOS + 1))
    catalog.close()
    window = make_window(make_session())
    session = window.session
    session.settings.taste.show_match = show_match
    qtbot.waitUntil(lambda: session.taste.has_match)
    with qtbot.waitSignal(session.taste.scores_changed):
        press(window, "Alt+2", "I")
    [photo] = session.photos.hidden_stars
    assert session.taste.learned.ratings == PHOTOS - 60 - 1
    neighbor = int(session.ids[session.photos.listing.position(photo) - 1])
    there, here = looks(window, neighbor, qtbot), looks(window, photo, qtbot)
    assert here == there
    assert "0.0 stars expected" in here[0] and here[-1] == "match: True"


def star(window: MainWindow, key: str) -> None:
    """Rate the photo on screen."""
    window.session.viewer.note_painted(window.session.current)
    press(window, key)


def test_while_rating_a_photo_comes_back_without_its_stars(
    home: Home,
    make_session: Callable[..., Session],
    make_window: Callable[..., MainWindow],
) -> None:
    prepare(home)
    window = make_window(make_session())
    session, said = window.session, []
    session.messages.status_message.connect(said.append)
    press(window, "Alt+2", "I")
    session.navigator.go_to(int(session.ids[20]))
    back = []
    for _ in range(8):
        photo = session.current
        if photo > 60:  # rated in the earlier session
            back.append(photo)
            assert "★" not in session.caption(photo)[0] and "stars" not in texts(window)
            press(window, "W", "W")
            assert "stars expected" not in texts(window)
            star(window, "4")
            assert "You gave this 4 earlier today, too" in said[-1]
            assert "4 stars again" in texts(window)
        else:
            assert not session.photos.hidden_stars.intersection([photo])
            star(window, "3")
        press(window, "Right")
    assert len(back) == 1
    session.navigator.go_to(back[0])
    assert [each.photo_id for each in session.catalog.taste.repeats()] == back
    while session.catalog.taste.repeats():
        press(window, "Ctrl+Z")
    assert "Undid: 4 stars\n" in f"{texts(window)}\n"
    assert session.current == back[0] and session.caption(back[0])[0].endswith("★★★★")
    press(window, "Ctrl+Shift+Z")
    assert [(each.first, each.again) for each in session.catalog.taste.repeats()] == [(4, 4)]
