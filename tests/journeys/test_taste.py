"""Learning taste with real files, the starter encoder and ratings by real keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.model import Pass
from tests.journeys.evening import Evening
from tests.photos import draw_series

pytestmark = pytest.mark.slow  # `test_versions` walks without

PHOTOS = 26
SECONDS = 300


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Twenty-six different photos, a minute apart."""
    return draw_series(tmp_path / "Iceland", PHOTOS)


@pytest.fixture(autouse=True)
def starter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_ENCODER__WHICH", "starter")


@pytest.mark.timeout(2 * SECONDS)
def test_after_twenty_ratings_a_cull_can_start_with_the_lowest_match(
    evening: Evening, shoot: Path, home: Home, qtbot: QtBot
) -> None:
    session = evening.open(shoot, photos=PHOTOS).session
    evening.press("Alt+1")
    assert session.criteria.order == "taken"
    for number in range(19):
        evening.press("5" if number % 2 else "1", "Right")
    qtbot.waitUntil(lambda: bool(session.taste.learned and session.taste.learned.ratings == 19))
    assert session.taste.sentence == "Rate 1 more photo to start predictions."
    qtbot.waitUntil(
        lambda: bool(session.taste.learned and session.taste.learned.vectors == PHOTOS),
        timeout=SECONDS * 1000,
    )
    before = session.ids.tolist()
    evening.press("4")
    qtbot.waitUntil(lambda: session.taste.has_scores, timeout=SECONDS * 1000)
    assert session.criteria.order == "taken" and session.ids.tolist() == before
    session.ordering.set_order("match")
    scores = [session.table.scores.expected_of(int(photo)) for photo in session.ids]
    assert None not in scores and scores == sorted(scores)
    unreviewed = [photo for photo in before if not session.tile(photo).marks.rating]
    session.navigator.go_to(unreviewed[0])
    evening.press("3")
    assert session.caption(unreviewed[0])[1].startswith("you 3 · expected")
    evening.close()

    catalog = Catalog.open(home.catalog)
    told = {each.photo_id: each for each in catalog.taste.predictions()}
    assert told[unreviewed[0]].expected is not None and told[unreviewed[0]].order_name == "match"
    assert [(row.ratings, row.reason) for row in catalog.taste.versions()] == [
        (21, "closing"),
        (20, "daily"),
    ]
    catalog.close()

    evening.start()
    assert evening.session.criteria.mode is Pass.CULL and evening.session.criteria.order == "match"
    evening.until(lambda: evening.session.taste.has_scores)
