"""Versions of taste: rate photos, change the ratings, and roll back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from curator.catalog import Catalog
from curator.home import Home
from curator.taste import rank_correlation
from curator.ui.pages.taste_page import TastePage
from tests import taste_data
from tests.journeys.evening import Evening
from tests.photos import draw_series

PHOTOS = 36


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Thirty-six different photos, a minute apart."""
    return draw_series(tmp_path / "Iceland", PHOTOS, size=(240, 160))


def compare(home: Home) -> dict[int, np.ndarray]:
    """Save vectors for all photos, as the encoder would."""
    catalog = Catalog.open(home.catalog)
    catalog.vectors.use_encoder(taste_data.ENCODER)
    vectors = taste_data.embed(catalog, catalog.photos.ids())
    catalog.close()
    return vectors


def page_of(evening: Evening) -> TastePage:
    """Open the Taste page by its key."""
    evening.press("Ctrl+T")
    pages = [page for page in evening.window.findChildren(TastePage) if page.isVisible()]
    evening.until(lambda: pages[0].verdict.text())
    return pages[0]


def leave(evening: Evening, page: TastePage) -> None:
    """Close the page with Esc and return to the window."""
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert not page.isVisible()
    evening.window.activateWindow()  # as every window system does
    evening.until(evening.window.isActiveWindow)


def press(button: QPushButton) -> None:
    """Reach a button with Tab and press it with Enter."""
    while QApplication.focusWidget() is not button:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    QTest.keyClick(button, Qt.Key.Key_Return)


def order_of(evening: Evening) -> list[int]:
    """Return the photos by match, lowest first."""
    session = evening.session
    session.ordering.set_order("match")
    return [int(photo) for photo in session.ids]


@pytest.mark.slow
def test_changed_ratings_are_rolled_back_and_used_again(
    evening: Evening, shoot: Path, home: Home
) -> None:
    session = evening.open(shoot, photos=PHOTOS).session
    vectors = compare(home)
    session.taste.learner.vectors_changed()
    evening.press("Alt+1")
    for _ in range(19):
        assert session.current is not None
        evening.press(str(taste_data.stars(vectors[session.current])), "Right")
    page = page_of(evening)
    assert page.verdict.text() == "19 of 20 photos with stars"
    leave(evening, page)
    evening.press("3")
    evening.until(lambda: session.taste.has_scores)
    evening.press("Alt+0", "G")
    liked = order_of(evening)
    page = page_of(evening)
    assert page.verdict.text() == "Not reliable yet"
    press(page.keep)
    evening.until(lambda: [row.reason for row in page.versions.rows] == ["hand"])
    leave(evening, page)

    for photo in [photo for photo in vectors if not session.tile(photo).marks.rating][:12]:
        session.navigator.go_to(photo)
        evening.press(str(6 - taste_data.stars(vectors[photo])))
    evening.until(lambda: session.taste.learned is not None and session.taste.learned.usable == 32)
    changed = order_of(evening)
    assert changed != liked

    page = page_of(evening)
    press(page.roll_back)
    evening.until(lambda: page.pin.text().startswith("Taste is pinned to version 1."))
    leave(evening, page)
    assert order_of(evening) == liked
    evening.reads("Sort: Match, version 1")

    evening.again()
    session = evening.session
    evening.until(lambda: session.taste.has_scores)
    assert session.taste.sentence == "Taste is pinned to version 1."
    assert order_of(evening) == liked
    page = page_of(evening)
    evening.until(lambda: page.unpin.isVisible())
    press(page.unpin)
    evening.until(lambda: session.taste.pinned_version is None)
    leave(evening, page)
    # Learned anew, the penalty is not exactly the same, and neighbors may change places.
    again = order_of(evening)
    agreement = rank_correlation(np.argsort(again), np.argsort(changed))
    assert agreement > 0.95 > rank_correlation(np.argsort(again), np.argsort(liked))
